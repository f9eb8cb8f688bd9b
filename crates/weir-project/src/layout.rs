//! Laying packages out in a project: `weir_packages`, made of links, brought from what it is to what it should be.
//!
//! What was made is written down beside it, together with digests of the manifest and the lockfile it was
//! made from. So "there is nothing to do" is told by reading a few small files and checking every link,
//! without parsing anything; and what is no longer wanted can be told from what somebody else put there.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use weir_kind::{
    Closure, FARMS_FOLDER, Layout, LayoutFarm, LayoutFile, LayoutLink, PACKAGES_FOLDER, packages_map,
    remove_farm,
};
use weir_model::{Digest, KindName, lockfile, manifest};

use crate::error::ProjectError;
use crate::files::replace;
use crate::kinds::kind;

/// What was made, below [`PACKAGES_FOLDER`].
const RECORD: &str = ".weir-layout";

/// The first line of the record.
const HEADER: &str = "weir-layout v1";

/// Plans the layout of a closure: each kind lays out its own packages.
pub(crate) fn plan(
    closure: &Closure,
    own_references: Vec<LayoutLink>,
    store: &weir_store::Session,
) -> Result<Layout, ProjectError> {
    let mut kinds: BTreeSet<KindName> = closure.packages.iter().map(|placed| placed.kind).collect();
    if closure.project.kind == KindName::Native {
        // Its build finds its packages by files that must be there even when there is no package yet.
        kinds.insert(KindName::Native);
    }
    let mut layout = Layout::default();
    for name in kinds {
        layout.extend(kind(name)?.lay_out(closure, store)?);
    }
    layout.links.extend(own_references);
    if !closure.packages.is_empty() {
        layout.files.push(packages_map(closure));
    }
    layout.settle().map_err(|path| ProjectError::LayoutCollision { path })
}

/// What a layout was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadeFrom {
    pub(crate) manifest: Digest,
    pub(crate) lock: Digest,
    /// What else the caller asked for, such as another platform.
    pub(crate) choice: String,
    /// How many packages there are.
    pub(crate) packages: usize,
    /// Manifests of packages in folders, relative to the project, with their digests.
    pub(crate) watched: BTreeMap<String, Digest>,
    /// Folders whose files the layout was made of and not linked to, with what [`stamp`] says of them.
    pub(crate) folders: BTreeMap<String, Digest>,
}

/// How many packages a project has, if it is as its manifest and lockfile want it. Reads a few small files,
/// and checks every link and every file of the layout; whatever cannot be read or differs counts as "it is not".
pub(crate) fn current(folder: &Path, choice: &str) -> Option<usize> {
    let packages = folder.join(PACKAGES_FOLDER);
    let record = fs_err::read_to_string(packages.join(RECORD)).ok()?;
    let mut lines = record.lines();
    // The count is the last line: a record that a power cut has cut short has none, or half of it.
    if lines.next()? != HEADER || !record.ends_with('\n') {
        return None;
    }
    let mut count = None;
    let mut path = packages.clone().into_os_string().into_encoded_bytes();
    path.push(b'/');
    let base = path.len();
    for line in lines {
        let (what, rest) = line.split_once(' ')?;
        let (name, value) = rest.split_once('\t')?;
        let holds = match what {
            "link" => {
                path.truncate(base);
                path.extend_from_slice(name.as_bytes());
                let at: &Path = Path::new(std::ffi::OsStr::from_bytes(&path));
                link_holds(at, value)
            }
            "file" => digest_of(&packages.join(name)).is_some_and(|digest| digest.to_hex() == value),
            "from" => digest_of(&folder.join(name)).is_some_and(|digest| digest.to_hex() == value),
            "folder" => stamp(&folder.join(name)).is_some_and(|digest| digest.to_hex() == value),
            "choice" => value == choice,
            "at" => fs_err::canonicalize(folder).is_ok_and(|here| here.as_os_str() == value),
            "count" => {
                count = Some(value.parse().ok()?);
                true
            }
            _ => false,
        };
        if !holds {
            return None;
        }
    }
    count
}

/// Whether a link leads where it should, and there is something there.
fn link_holds(at: &Path, target: &str) -> bool {
    let mut buffer = [0_u8; 4096];
    let Ok(length) = rustix::fs::readlinkat_raw(rustix::fs::CWD, at, &mut buffer[..]) else { return false };
    buffer[..length] == *target.as_bytes() && rustix::fs::access(at, rustix::fs::Access::EXISTS).is_ok()
}

/// What tells a folder whose files have changed from one whose files have not: every path in it, its size, its mode and when it
/// was changed. What Weir and git keep in it does not count. Nothing is read; `None` where it cannot be told.
pub(crate) fn stamp(folder: &Path) -> Option<Digest> {
    const MOST: usize = 100_000;
    let mut seen = BTreeSet::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(current) = pending.pop() {
        for entry in fs_err::read_dir(&current).ok()? {
            let entry = entry.ok()?;
            let (path, metadata) = (entry.path(), entry.metadata().ok()?);
            if entry.file_name() == PACKAGES_FOLDER || entry.file_name() == ".git" {
                continue;
            }
            if metadata.is_dir() {
                pending.push(path);
            } else {
                let (seconds, nanoseconds) = (metadata.mtime(), metadata.mtime_nsec());
                let size = metadata.size();
                seen.insert((path, metadata.mode(), size, seconds, nanoseconds));
            }
            if seen.len() + pending.len() > MOST {
                return None;
            }
        }
    }
    let mut text = Vec::new();
    for (path, mode, size, seconds, nanoseconds) in &seen {
        text.extend_from_slice(path.strip_prefix(folder).ok()?.as_os_str().as_bytes());
        text.extend_from_slice(format!("\0{mode}\0{size}\0{seconds}\0{nanoseconds}\0").as_bytes());
    }
    Some(Digest::of(text))
}

fn digest_of(path: &Path) -> Option<Digest> {
    Some(Digest::of(fs_err::read(path).ok()?))
}

/// Makes a project's layout what it should be.
pub(crate) fn apply(folder: &Path, layout: &Layout, from: &MadeFrom) -> Result<(), ProjectError> {
    let packages = folder.join(PACKAGES_FOLDER);
    let record = render(folder, layout, from)?;
    if layout.links.is_empty() && layout.files.is_empty() && !packages.exists() {
        fs_err::create_dir(&packages)?;
        return Ok(replace(&packages.join(RECORD), record.as_bytes())?);
    }
    let old = match fs_err::read_to_string(packages.join(RECORD)) {
        Ok(old) => old,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error.into()),
    };
    remove_stale(&packages, &old, layout)?;
    for farm in &layout.farms {
        put_farm(&packages, farm)?;
    }
    let mut folders = BTreeSet::new();
    for link in &layout.links {
        make_folder(&packages, &link.path, &mut folders)?;
        put_link(&packages, link)?;
    }
    for file in &layout.files {
        make_folder(&packages, &file.path, &mut folders)?;
        put_file(&packages, file)?;
    }
    remove_old_farms(&packages, &layout.farms)?;
    for file in &layout.starters {
        let at = folder.join(&file.path);
        if fs_err::symlink_metadata(&at).is_err() {
            put(&at, &file.contents, file.executable)?;
        }
    }
    // Not synced, like the files: one sync would cost more than all the links. What a power cut leaves of the
    // record is not taken for a whole one, and the layout is made again.
    Ok(put(&packages.join(RECORD), record.as_bytes(), false)?)
}

/// Forgets what a layout was made from, so that the next check looks at everything: called before a change.
pub(crate) fn invalidate(folder: &Path) -> Result<(), ProjectError> {
    let path = folder.join(PACKAGES_FOLDER).join(RECORD);
    let Ok(record) = fs_err::read_to_string(&path) else { return Ok(()) };
    let kept: String = record
        .lines()
        .filter(|line| !line.starts_with("from ") && !line.starts_with("folder "))
        .map(|line| format!("{line}\n"))
        .collect();
    Ok(replace(&path, format!("{kept}choice interrupted\tinterrupted\n").as_bytes())?)
}

fn render(folder: &Path, layout: &Layout, from: &MadeFrom) -> Result<String, ProjectError> {
    let mut record = format!("{HEADER}\n");
    let mut line = |what: &str, name: &str, value: &str| -> Result<(), ProjectError> {
        if name.contains(['\n', '\t']) || value.contains(['\n', '\t']) {
            return Err(ProjectError::Usage(format!(
                "`{}` has a tab or a line break in it",
                value.escape_debug()
            )));
        }
        record.push_str(&format!("{what} {name}\t{value}\n"));
        Ok(())
    };
    line("from", manifest::FILE_NAME, &from.manifest.to_hex())?;
    line("from", lockfile::FILE_NAME, &from.lock.to_hex())?;
    for (path, digest) in &from.watched {
        line("from", path, &digest.to_hex())?;
    }
    for (path, digest) in &from.folders {
        line("folder", path, &digest.to_hex())?;
    }
    line("choice", "asked", &from.choice)?;
    if !layout.farms.is_empty() {
        // What names its own place must be made anew where the project was moved.
        line("at", "folder", &text(&fs_err::canonicalize(folder)?)?)?;
    }
    for link in &layout.links {
        line("link", &link.path, &text(&link.target)?)?;
    }
    for file in &layout.files {
        line("file", &file.path, &Digest::of(&file.contents).to_hex())?;
    }
    line("count", "packages", &from.packages.to_string())?;
    Ok(record)
}

fn text(path: &Path) -> Result<String, ProjectError> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| ProjectError::Usage(format!("`{}` is not UTF-8", path.display())))
}

/// Removes what an earlier layout made and this one does not want.
fn remove_stale(packages: &Path, record: &str, layout: &Layout) -> Result<(), ProjectError> {
    let wanted: BTreeSet<&str> = layout
        .links
        .iter()
        .map(|link| &*link.path)
        .chain(layout.files.iter().map(|file| &*file.path))
        .collect();
    let made = record.lines().filter_map(|line| {
        let rest = line.strip_prefix("link ").or_else(|| line.strip_prefix("file "))?;
        rest.split_once('\t').map(|(path, _)| path)
    });
    for path in made.filter(|path| !wanted.contains(path)) {
        // The record is this program's own, but a project's folder can be anybody's.
        if !Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_))) {
            continue;
        }
        let full = packages.join(path);
        match fs_err::remove_file(&full) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        // Folders that have become empty go too; the first that is not ends it.
        for folder in full.ancestors().skip(1).take_while(|folder| *folder != packages) {
            if fs_err::remove_dir(folder).is_err() {
                break;
            }
        }
    }
    Ok(())
}

fn make_folder(packages: &Path, path: &str, made: &mut BTreeSet<PathBuf>) -> Result<(), ProjectError> {
    let full = packages.join(path);
    let folder = full.parent().unwrap_or(packages).to_owned();
    if made.contains(&folder) {
        return Ok(());
    }
    match fs_err::create_dir_all(&folder) {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory) => {
            return Err(ProjectError::InTheWay { path: folder });
        }
        Err(error) => return Err(error.into()),
    }
    made.insert(folder);
    Ok(())
}

/// A farm that has its name is whole: it was renamed into its place.
fn put_farm(packages: &Path, farm: &LayoutFarm) -> Result<(), ProjectError> {
    let at = packages.join(FARMS_FOLDER).join(&farm.name);
    if fs_err::symlink_metadata(&at).is_ok_and(|metadata| metadata.is_dir()) {
        return Ok(());
    }
    Ok(farm.farm.make(&at, &farm.seen)?)
}

/// Removes the farms that no link leads to any more, and what was left of some that were not finished.
fn remove_old_farms(packages: &Path, farms: &[LayoutFarm]) -> Result<(), ProjectError> {
    let folder = packages.join(FARMS_FOLDER);
    let entries = match fs_err::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for entry in entries {
        let entry = entry?;
        if !farms.iter().any(|farm| entry.file_name() == farm.name.as_str()) {
            remove_farm(&entry.path())?;
        }
    }
    // Goes with its last farm; one that has some stays.
    let _ = fs_err::remove_dir(&folder);
    Ok(())
}

fn put_link(packages: &Path, link: &LayoutLink) -> Result<(), ProjectError> {
    let at = packages.join(&link.path);
    match fs_err::os::unix::fs::symlink(&link.target, &at) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    match fs_err::read_link(&at) {
        Ok(target) if target == link.target => Ok(()),
        Ok(_) => {
            let beside = beside(&at);
            fs_err::os::unix::fs::symlink(&link.target, &beside)?;
            Ok(fs_err::rename(&beside, &at)?)
        }
        Err(_) => Err(ProjectError::InTheWay { path: at }),
    }
}

fn put_file(packages: &Path, file: &LayoutFile) -> Result<(), ProjectError> {
    let at = packages.join(&file.path);
    match fs_err::symlink_metadata(&at) {
        Ok(metadata) if metadata.is_file() && fs_err::read(&at)? == file.contents => return Ok(()),
        Ok(metadata) if metadata.is_dir() => return Err(ProjectError::InTheWay { path: at }),
        _ => {}
    }
    // Not synced: what a power cut leaves is found by its digest and made again.
    Ok(put(&at, &file.contents, file.executable)?)
}

/// Puts a file in place, written beside and renamed, and not synced.
fn put(at: &Path, contents: &[u8], executable: bool) -> io::Result<()> {
    let beside = beside(at);
    fs_err::write(&beside, contents)?;
    if executable {
        fs_err::set_permissions(&beside, std::fs::Permissions::from_mode(0o755))?;
    }
    fs_err::rename(&beside, at)
}

fn beside(at: &Path) -> PathBuf {
    let name = at.file_name().unwrap_or_default().to_string_lossy();
    at.with_file_name(format!(".weir-{}-{name}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::{MadeFrom, apply, current, invalidate};
    use std::collections::BTreeMap;
    use std::path::Path;
    use weir_kind::{Layout, LayoutFile};
    use weir_model::Digest;

    fn project() -> (tempfile::TempDir, MadeFrom) {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("weir.toml"), "a").unwrap();
        fs_err::write(folder.path().join("weir.lock"), "b").unwrap();
        fs_err::create_dir(folder.path().join("tree")).unwrap();
        let (manifest, lock) = (Digest::of("a"), Digest::of("b"));
        let from = MadeFrom {
            manifest,
            lock,
            choice: String::new(),
            packages: 2,
            watched: BTreeMap::new(),
            folders: BTreeMap::new(),
        };
        (folder, from)
    }

    fn layout(folder: &Path, names: &[&str]) -> Layout {
        let mut layout = Layout::default();
        for name in names {
            layout.link(format!("packages/{name}"), folder.join("tree"));
        }
        layout.files.push(LayoutFile { path: "map".into(), contents: b"x".to_vec(), executable: false });
        layout
    }

    #[test]
    fn a_layout_is_current_until_anything_it_was_made_from_or_made_of_changes() {
        let (folder, from) = project();
        let at = folder.path();
        apply(at, &layout(at, &["a/b", "a/c"]), &from).unwrap();
        assert_eq!(current(at, ""), Some(2));
        assert_eq!(current(at, "other"), None);
        for path in ["weir.toml", "weir.lock", "weir_packages/map", "weir_packages/packages/a/b", "tree"] {
            let (from_path, aside) = (at.join(path), at.join("aside"));
            fs_err::rename(&from_path, &aside).unwrap();
            assert_eq!(current(at, ""), None, "{path}");
            fs_err::rename(&aside, &from_path).unwrap();
        }
        assert_eq!(current(at, ""), Some(2));
        invalidate(at).unwrap();
        assert_eq!(current(at, ""), None);
    }

    #[test]
    fn a_record_that_was_cut_short_is_not_taken_for_a_whole_one() {
        let (folder, from) = project();
        let at = folder.path();
        apply(at, &layout(at, &["a/b", "a/c"]), &MadeFrom { packages: 12, ..from }).unwrap();
        let record = at.join("weir_packages/.weir-layout");
        let whole = fs_err::read(&record).unwrap();
        for length in 0..whole.len() {
            fs_err::write(&record, &whole[..length]).unwrap();
            assert_eq!(current(at, ""), None, "{length} bytes of {}", whole.len());
        }
        fs_err::write(&record, &whole).unwrap();
        assert_eq!(current(at, ""), Some(12));
    }

    #[test]
    fn what_is_no_longer_wanted_goes_and_what_is_not_ours_stays() {
        let (folder, from) = project();
        let at = folder.path();
        apply(at, &layout(at, &["a/b", "z/c"]), &from).unwrap();
        fs_err::write(at.join("weir_packages/mine"), "mine").unwrap();
        apply(at, &layout(at, &["a/b"]), &from).unwrap();
        assert!(!at.join("weir_packages/packages/z").exists());
        assert!(at.join("weir_packages/mine").exists());
        fs_err::create_dir_all(at.join("weir_packages/packages/q/r")).unwrap();
        let error = apply(at, &layout(at, &["q/r"]), &from).unwrap_err();
        assert!(error.to_string().contains("in the way"), "{error}");
    }
}
