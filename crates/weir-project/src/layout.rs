//! Laying packages out in a project: `weir_packages`, made of links, brought from what it is to what it should be.

mod record;

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use weir_kind::{
    Closure, Kind, LINK_TREES_FOLDER, Layout, LayoutFile, LayoutLink, LayoutLinkTree, PACKAGES_FOLDER,
    packages_map, remove_link_tree,
};
use weir_kinds::kind;
use weir_model::KindName;

use crate::error::ProjectError;

use record::RECORD;
pub(crate) use record::{MadeFrom, current, invalidate, stamp};

/// Plans the layout of a closure: each kind lays out its own packages.
pub(crate) fn plan(
    closure: &Closure,
    own_references: Vec<LayoutLink>,
    store: &weir_store::Session,
) -> Result<Layout, ProjectError> {
    let mut kinds: BTreeSet<KindName> = closure.packages.iter().map(|placed| placed.kind).collect();
    let own = closure.project.kind;
    if kind(own).is_ok_and(Kind::lays_out_without_packages) {
        kinds.insert(own);
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

/// Makes a project's layout what it should be.
pub(crate) fn apply(folder: &Path, layout: &Layout, from: &MadeFrom) -> Result<(), ProjectError> {
    let packages = folder.join(PACKAGES_FOLDER);
    let record = record::render(folder, layout, from)?;
    let mut folders = BTreeSet::new();
    make_folder(&packages, RECORD, &mut folders)?;
    remove_stale(&packages, layout)?;
    put_link_trees(&packages, &layout.link_trees)?;
    for link in &layout.links {
        make_folder(&packages, &link.path, &mut folders)?;
        put_link(&packages, link)?;
    }
    for file in &layout.files {
        make_folder(&packages, &file.path, &mut folders)?;
        put_file(&packages, file)?;
    }
    remove_old_link_trees(&packages, &layout.link_trees)?;
    put_starters(folder, &layout.starters)?;
    // Not synced, like the files: one sync would cost more than all the links. What a power cut leaves of the
    // record is not taken for a whole one, and the layout is made again.
    Ok(put(&packages.join(RECORD), record.as_bytes(), false)?)
}

/// Removes what an earlier layout made and this one does not want.
fn remove_stale(packages: &Path, layout: &Layout) -> Result<(), ProjectError> {
    let record = match fs_err::read_to_string(packages.join(RECORD)) {
        Ok(record) => record,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let links = layout.links.iter().map(|link| &*link.path);
    let wanted: BTreeSet<&str> = links.chain(layout.files.iter().map(|file| &*file.path)).collect();
    for path in record::made(&record).filter(|path| !wanted.contains(path)) {
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

/// Makes the link trees that are not there yet. Each is thousands of calls to the system and has nothing to do with the others,
/// so they are made at once.
fn put_link_trees(packages: &Path, link_trees: &[LayoutLinkTree]) -> Result<(), ProjectError> {
    let place = |link_tree: &LayoutLinkTree| packages.join(LINK_TREES_FOLDER).join(&link_tree.name);
    // One that has its name is whole: it was renamed into its place.
    let is_there =
        |link_tree: &&LayoutLinkTree| fs_err::symlink_metadata(place(link_tree)).is_ok_and(|at| at.is_dir());
    let missing: Vec<&LayoutLinkTree> = link_trees.iter().filter(|link_tree| !is_there(link_tree)).collect();
    let Some((own, others)) = missing.split_first() else { return Ok(()) };
    let make = |link_tree: &LayoutLinkTree| link_tree.link_tree.make(&place(link_tree), &link_tree.seen);
    thread::scope(|scope| {
        let others: Vec<_> = others.iter().map(|link_tree| scope.spawn(|| make(link_tree))).collect();
        let mut made = make(own);
        for other in others {
            made = made.and(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        Ok(made?)
    })
}

/// Removes the link trees that no link leads to any more, and what was left of some that were not finished.
fn remove_old_link_trees(packages: &Path, link_trees: &[LayoutLinkTree]) -> Result<(), ProjectError> {
    let folder = packages.join(LINK_TREES_FOLDER);
    let entries = match fs_err::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for entry in entries {
        let entry = entry?;
        if !link_trees.iter().any(|link_tree| entry.file_name() == link_tree.name.as_str()) {
            remove_link_tree(&entry.path())?;
        }
    }
    // Goes with its last link tree; one that has some stays.
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

/// Files that are the user's from the moment they are there.
fn put_starters(folder: &Path, starters: &[LayoutFile]) -> Result<(), ProjectError> {
    for file in starters {
        let at = folder.join(&file.path);
        if fs_err::symlink_metadata(&at).is_err() {
            put(&at, &file.contents, file.executable)?;
        }
    }
    Ok(())
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
mod tests;
