//! What a layout was made from and what it is made of, written down beside it.
//!
//! So "there is nothing to do" is told by reading a few small files and checking every link, without parsing anything;
//! and what is no longer wanted can be told from what somebody else put there.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path};

use weir_kind::{Layout, PACKAGES_FOLDER};
use weir_model::{Digest, Sha256, lockfile, manifest};

use crate::error::ProjectError;
use weir_reach::replace;

/// The record, below [`PACKAGES_FOLDER`].
pub(super) const RECORD: &str = ".weir-layout";

/// The first line of the record.
const HEADER: &str = "weir-layout v1";

/// What a layout was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadeFrom {
    pub(crate) manifest: Sha256,
    pub(crate) lock: Sha256,
    /// What else the caller asked for, such as another platform.
    pub(crate) choice: String,
    /// How many packages there are.
    pub(crate) packages: usize,
    /// Manifests of packages in folders, relative to the project, with their digests.
    pub(crate) watched: BTreeMap<String, Sha256>,
    /// Folders whose files the layout was made of and not linked to, with what [`stamp`] says of them.
    pub(crate) folders: BTreeMap<String, Sha256>,
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
pub(crate) fn stamp(folder: &Path) -> Option<Sha256> {
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

fn digest_of(path: &Path) -> Option<Sha256> {
    Some(Digest::of(fs_err::read(path).ok()?))
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

/// The record of a layout.
pub(super) fn render(folder: &Path, layout: &Layout, from: &MadeFrom) -> Result<String, ProjectError> {
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
    if !layout.link_trees.is_empty() {
        // What names its own place must be made anew where the project was moved.
        line("at", "folder", &text(&fs_err::canonicalize(folder)?)?)?;
    }
    for link in &layout.links {
        line("link", &link.path, &text(&link.target)?)?;
    }
    for file in &layout.files {
        line("file", &file.path, &Sha256::of(&file.contents).to_hex())?;
    }
    line("count", "packages", &from.packages.to_string())?;
    Ok(record)
}

fn text(path: &Path) -> Result<String, ProjectError> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| ProjectError::Usage(format!("`{}` is not UTF-8", path.display())))
}

/// The paths of the links and files that a record says were made, below [`PACKAGES_FOLDER`]. The record is this program's
/// own, but a project's folder can be anybody's: what would lead out of it is left out.
pub(super) fn made(record: &str) -> impl Iterator<Item = &str> {
    let paths = record.lines().filter_map(|line| {
        let rest = line.strip_prefix("link ").or_else(|| line.strip_prefix("file "))?;
        rest.split_once('\t').map(|(path, _)| path)
    });
    paths.filter(|path| Path::new(path).components().all(|part| matches!(part, Component::Normal(_))))
}
