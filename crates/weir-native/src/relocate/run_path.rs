//! Run paths: where a program or a library looks for libraries first.
//!
//! libtool gives programs the prefix that they were built for. A path from the file itself is shorter, and is
//! written over it, as `chrpath` does: nothing else of the file moves.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use weir_tree::TreePath;

use crate::Elf;

/// What became of a file's run paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// They needed no change, or there are none.
    Left,
    /// They lead there from the file itself now.
    Rewritten,
    /// What they should be is longer than what they are.
    TooLong,
}

/// Makes the run paths of `file`, which is `path` in its variant, lead from the file to what is below one of `own`.
pub(super) fn rewrite(file: &Path, path: &TreePath, own: &[&str]) -> std::io::Result<Outcome> {
    let Some(Ok(Elf { run_paths, run_paths_at: Some(at), .. })) = Elf::read(file)? else {
        return Ok(Outcome::Left);
    };
    let mut relative: Vec<String> = Vec::with_capacity(run_paths.len());
    for folder in run_paths.iter().map(|folder| from_file(folder, path, own)) {
        // What a build needs and itself are one folder once they are installed.
        if !relative.contains(&folder) {
            relative.push(folder);
        }
    }
    if relative == run_paths {
        return Ok(Outcome::Left);
    }
    let room = usize::try_from(at.end - at.start).unwrap_or_default();
    let mut text = relative.join(":").into_bytes();
    if text.len() > room {
        return Ok(Outcome::TooLong);
    }
    text.resize(room, 0);
    let permissions = fs_err::metadata(file)?.permissions();
    fs_err::set_permissions(file, std::fs::Permissions::from_mode(permissions.mode() | 0o200))?;
    let mut opened = fs_err::OpenOptions::new().write(true).open(file)?;
    opened.seek(SeekFrom::Start(at.start))?;
    opened.write_all(&text)?;
    fs_err::set_permissions(file, permissions)?;
    Ok(Outcome::Rewritten)
}

/// A folder below one of `own` as it is reached from a file; any other as it is.
fn from_file(folder: &str, path: &TreePath, own: &[&str]) -> String {
    let below = own.iter().find_map(|own| folder.strip_prefix(own));
    let Some(below) = below.filter(|below| below.is_empty() || below.starts_with('/')) else {
        return folder.to_owned();
    };
    let up = "/..".repeat(path.depth());
    format!("$ORIGIN{up}{}", below.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Outcome, from_file, rewrite};
    use crate::Elf;

    #[test]
    fn a_folder_of_the_prefix_is_reached_from_the_file() {
        let own = ["/weir/prefix", "/weir/sysroot"];
        let of = |folder: &str, path: &str| from_file(folder, &weir_tree::TreePath::new(path).unwrap(), &own);
        assert_eq!(of("/weir/prefix/lib", "bin/curl"), "$ORIGIN/../lib");
        assert_eq!(of("/weir/sysroot/lib/", "libexec/a/b"), "$ORIGIN/../../lib");
        assert_eq!(of("/weir/prefix", "curl"), "$ORIGIN");
        assert_eq!(of("/weir/prefixes/lib", "bin/curl"), "/weir/prefixes/lib");
        assert_eq!(of("$ORIGIN/../lib", "bin/curl"), "$ORIGIN/../lib");
    }

    #[test]
    fn a_program_that_looks_in_the_prefix_looks_beside_itself_afterwards() {
        let place = tempfile::tempdir().unwrap();
        let program = place.path().join("program");
        fs_err::write(place.path().join("program.c"), "int main(void) { return 7; }").unwrap();
        let built = Command::new("cc")
            .current_dir(place.path())
            .args(["program.c", "-o", "program", "-Wl,-rpath,/weir/prefix/lib:/opt/other"])
            .status();
        assert!(built.unwrap().success());
        let path = weir_tree::TreePath::new("bin/program").unwrap();
        assert_eq!(rewrite(&program, &path, &["/weir/prefix"]).unwrap(), Outcome::Rewritten);
        let elf = Elf::read(&program).unwrap().unwrap().unwrap();
        assert_eq!(elf.run_paths, ["$ORIGIN/../lib", "/opt/other"]);
        assert_eq!(Command::new(&program).status().unwrap().code(), Some(7), "it still runs");
        assert_eq!(rewrite(&program, &path, &["/weir/prefix"]).unwrap(), Outcome::Left);

        let deep = weir_tree::TreePath::new("a/b/c/d/e/f/program").unwrap();
        assert_eq!(rewrite(&program, &deep, &["/opt"]).unwrap(), Outcome::TooLong);

        let both = "-Wl,-rpath,/weir/sysroot/lib:/weir/prefix/lib";
        let built =
            Command::new("cc").current_dir(place.path()).args(["program.c", "-o", "program", both]).status();
        assert!(built.unwrap().success());
        let plugin = weir_tree::TreePath::new("lib/a/b/c/plugin").unwrap();
        assert_eq!(
            rewrite(&program, &plugin, &["/weir/prefix", "/weir/sysroot"]).unwrap(),
            Outcome::Rewritten
        );
        let elf = Elf::read(&program).unwrap().unwrap().unwrap();
        assert_eq!(elf.run_paths, ["$ORIGIN/../../../../lib"], "each folder once");
    }
}
