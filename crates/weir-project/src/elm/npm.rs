//! A compiler, and tools around it, that npm brought for one project: `node_modules/.bin`, in its folder or above it. `npx` and npm's scripts
//! find them there before any on the `PATH`, and so does Weir.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use weir_fs::Folder;
use weir_reach::Owners;

use super::online::ASKERS;

/// Where npm puts what it brings.
const MODULES: &str = "node_modules";

/// What starts a program of npm's by its name.
const NPX: &str = "npx";

/// `path`, a `PATH`, with the programs before it that npm brought for what is in `folder`, the nearest first. Those of a folder that
/// somebody else can write into are left out.
pub fn with_npm(owners: &Owners, folder: &Path, path: &OsStr) -> OsString {
    let is_ours = |folder: &Path| {
        Folder::open(folder)
            .and_then(|folder| owners.stranger(&folder, MODULES))
            .is_ok_and(|who| who.is_none())
    };
    let brought = folder.ancestors().filter(|folder| {
        let bin = folder.join(MODULES).join(".bin");
        bin.is_absolute() && bin.is_dir() && is_ours(folder)
    });
    let brought = brought.map(|folder| folder.join(MODULES).join(".bin"));
    let folders = brought.chain(std::env::split_paths(path));
    // A folder with a colon in its name cannot be on a `PATH`.
    std::env::join_paths(folders).unwrap_or_else(|_| path.to_owned())
}

/// What is meant by `npx elm …`: the compiler itself, which finds what it needs with Weir's help only. Of everything else, what is said.
pub(crate) fn meant<'a>(command: &'a OsStr, args: &'a [OsString]) -> (&'a OsStr, &'a [OsString]) {
    match args.split_first() {
        Some((first, rest)) if command == NPX && ASKERS.iter().any(|asker| first == asker) => (first, rest),
        _ => (command, args),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::{OsStr, OsString};
    use std::path::PathBuf;

    use weir_reach::Owners;

    use super::{meant, with_npm};

    #[test]
    fn what_npm_brought_comes_before_the_path_and_the_nearest_first() {
        let place = tempfile::tempdir().unwrap();
        let bin = |folder: &str| place.path().join(folder).join("node_modules/.bin");
        fs_err::create_dir_all(bin("")).unwrap();
        fs_err::create_dir_all(bin("web/app")).unwrap();
        let us =
            fs_err::metadata(place.path()).map(|about| std::os::unix::fs::MetadataExt::uid(&about)).unwrap();
        let owners = Owners { users: vec![us], folders: Vec::new() };
        let path = with_npm(&owners, &place.path().join("web/app"), OsStr::new("/usr/bin"));
        let found: Vec<PathBuf> = std::env::split_paths(&path).collect();
        assert_eq!(found, [bin("web/app"), bin(""), "/usr/bin".into()]);
        assert_eq!(
            with_npm(&owners, place.path(), OsStr::new("")).to_str().unwrap().matches(".bin").count(),
            1
        );
    }

    #[test]
    fn npx_stands_for_the_compiler_and_for_nothing_else() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let (npx, elm) = (OsStr::new("npx"), words(&["elm", "make"]));
        assert_eq!(meant(npx, &elm), (OsStr::new("elm"), &elm[1..]));
        let other = words(&["elm-test"]);
        assert_eq!(meant(npx, &other), (npx, &other[..]));
        assert_eq!(meant(OsStr::new("node"), &elm), (OsStr::new("node"), &elm[..]));
        assert_eq!(meant(npx, &[]), (npx, &[][..]));
    }
}
