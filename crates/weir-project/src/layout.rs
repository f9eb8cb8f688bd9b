//! Laying packages out in a project: `weir_packages`, made of links, brought from what it is to what it should be.
//!
//! The folder is a stranger's until proven otherwise: everything in it is reached through [`weir_fs`], and what is there counts as
//! ours only where the record of it says so.

mod near;
mod record;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use weir_fs::{Access, Durability, Folder, FsError, Sort};
use weir_kind::{
    Closure, LINK_TREES_FOLDER, Layout, LayoutFile, LayoutLink, LayoutLinkTree, PACKAGES_FOLDER, packages_map,
};
use weir_kinds::{KINDS, kind};
use weir_model::KindName;

use crate::error::ProjectError;

use near::Near;
use record::{COMMANDS, MAX_FILE};
pub(crate) use record::{MadeFrom, Records, current, invalidate, made_in, stamp, strange_command, uses_any};

/// What was in a project's folder of packages before it was laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nothing, or what this user's Weir had put there.
    Ours,
    /// Something that came with the folder. It was removed.
    Strange,
}

/// Plans the layout of a closure: each kind lays out its own packages.
pub(crate) fn plan(
    closure: &Closure,
    own_references: Vec<LayoutLink>,
    store: &weir_store::Session,
) -> Result<Layout, ProjectError> {
    let mut kinds: BTreeSet<KindName> = closure.packages.iter().map(|placed| placed.kind).collect();
    let unasked = KINDS.iter().filter(|kind| kind.lays_out_without_packages(&closure.project));
    kinds.extend(unasked.map(|kind| kind.name()));
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
pub(crate) fn apply(
    records: &Records,
    folder: &Path,
    layout: &Layout,
    from: &MadeFrom,
) -> Result<Before, ProjectError> {
    let project = Folder::open(folder)?;
    let packages = project.make_folder(PACKAGES_FOLDER)?;
    let (before, record) = match records.find(&packages) {
        Some(record) => (Before::Ours, record),
        None => (remove_strange(&packages, layout)?, String::new()),
    };
    let under_way = record::under_way(&packages, &record, layout);
    records.write(&packages, &under_way)?;
    remove_stale(&packages, &under_way, layout)?;
    put_link_trees(&packages, &record, &layout.link_trees)?;
    let mut near = Near::new(&packages);
    for link in &layout.links {
        put_link(&mut near, link)?;
    }
    for file in &layout.files {
        put_file(&mut near, file)?;
    }
    remove_old_link_trees(&packages, &layout.link_trees)?;
    refuse_strange_commands(&packages, layout)?;
    put_starters(&project, &layout.starters)?;
    records.write(&packages, &record::render(folder, &packages, layout, from)?)?;
    Ok(before)
}

/// Empties a folder that no record tells of: it came with the project. Links in it are removed and not followed. Nothing is touched
/// where a link stands in the place of a folder that is to be filled, or where there is a file that no layout would have.
fn remove_strange(packages: &Folder, layout: &Layout) -> Result<Before, ProjectError> {
    let links = layout.links.iter().map(|link| &*link.path);
    let paths = links.chain(layout.files.iter().map(|file| &*file.path));
    let folders: BTreeSet<&Path> = paths.filter_map(|path| Path::new(path).parent()).collect();
    for folder in folders.into_iter().chain([Path::new(LINK_TREES_FOLDER), Path::new(COMMANDS)]) {
        if let Err(error @ FsError::Link { .. }) = packages.find_folder(folder) {
            return Err(error.into());
        }
    }
    refuse_to_lose(
        packages,
        Path::new(""),
        &layout.files.iter().map(|file| Path::new(&file.path)).collect(),
    )?;
    let entries = packages.entries()?;
    for entry in &entries {
        packages.remove_tree(&entry.name)?;
    }
    Ok(if entries.is_empty() { Before::Ours } else { Before::Strange })
}

/// Refuses to remove a file that somebody may miss: one that is neither in a link tree nor one of the files that are `wanted`.
fn refuse_to_lose(folder: &Folder, at: &Path, wanted: &BTreeSet<&Path>) -> Result<(), ProjectError> {
    for entry in folder.entries()? {
        let path = at.join(&entry.name);
        if entry.is_folder {
            if path != Path::new(LINK_TREES_FOLDER) {
                refuse_to_lose(&folder.folder(&entry.name)?, &path, wanted)?;
            }
        } else if !wanted.contains(&*path)
            && folder.look(&entry.name)?.is_some_and(|at| at.sort != Sort::Link)
        {
            return Err(ProjectError::InTheWay { path: folder.path().join(entry.name) });
        }
    }
    Ok(())
}

/// Removes what an earlier layout made and this one does not want.
fn remove_stale(packages: &Folder, record: &str, layout: &Layout) -> Result<(), ProjectError> {
    let links = layout.links.iter().map(|link| link.path.as_bytes());
    let wanted: BTreeSet<&[u8]> = links.chain(layout.files.iter().map(|file| file.path.as_bytes())).collect();
    for path in record::made(record).filter(|path: &Cow<'_, [u8]>| !wanted.contains(&**path)) {
        let path = Path::new(OsStr::from_bytes(&path));
        packages.remove_file(path).map_err(in_the_way)?;
        // Folders that have become empty go too; the first that is not ends it.
        for folder in path.ancestors().skip(1).take_while(|folder| !folder.as_os_str().is_empty()) {
            if !packages.remove_empty(folder)? {
                break;
            }
        }
    }
    Ok(())
}

/// Makes the link trees that are not there yet. Each is thousands of calls to the system and has nothing to do with the others,
/// so they are made at once.
fn put_link_trees(
    packages: &Folder,
    record: &str,
    link_trees: &[LayoutLinkTree],
) -> Result<(), ProjectError> {
    if link_trees.is_empty() {
        return Ok(());
    }
    let folder = packages.make_folder(LINK_TREES_FOLDER)?;
    // One that was made by us is whole: it was renamed into its place.
    let is_missing = |link_tree: &&LayoutLinkTree| !record::has_link_tree(record, &folder, &link_tree.name);
    let missing: Vec<&LayoutLinkTree> = link_trees.iter().filter(is_missing).collect();
    let Some((own, others)) = missing.split_first() else { return Ok(()) };
    let make =
        |link_tree: &LayoutLinkTree| link_tree.link_tree.make_in(&folder, &link_tree.name, &link_tree.seen);
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
fn remove_old_link_trees(packages: &Folder, link_trees: &[LayoutLinkTree]) -> Result<(), ProjectError> {
    let Some(folder) = packages.find_folder(LINK_TREES_FOLDER)? else { return Ok(()) };
    for entry in folder.entries()? {
        if !link_trees.iter().any(|link_tree| entry.name == link_tree.name.as_str()) {
            folder.remove_tree(&entry.name)?;
        }
    }
    // Goes with its last link tree; one that has some stays.
    packages.remove_empty(LINK_TREES_FOLDER)?;
    Ok(())
}

fn put_link(near: &mut Near<'_>, link: &LayoutLink) -> Result<(), ProjectError> {
    let (folder, name) = near.make(Path::new(&link.path)).map_err(in_the_way)?;
    folder.put_link(name, &link.target).map_err(in_the_way)
}

fn put_file(near: &mut Near<'_>, file: &LayoutFile) -> Result<(), ProjectError> {
    let (folder, name) = near.make(Path::new(&file.path)).map_err(in_the_way)?;
    if folder.read(name, MAX_FILE).is_ok_and(|there| there == file.contents) {
        return Ok(());
    }
    put(folder, name, file)
}

/// Not synced: what a power cut leaves is found by its digest and made again.
fn put(folder: &Folder, name: &OsStr, file: &LayoutFile) -> Result<(), ProjectError> {
    let access = if file.executable { Access::Executable } else { Access::Usual };
    folder.replace(name, &file.contents, access, Durability::Quick).map_err(in_the_way)
}

/// A command that nobody's layout put there would be found on the `PATH` before the system's.
fn refuse_strange_commands(packages: &Folder, layout: &Layout) -> Result<(), ProjectError> {
    let Some(folder) = packages.find_folder(COMMANDS)? else { return Ok(()) };
    let links = layout.links.iter().map(|link| &*link.path);
    let wanted: BTreeSet<&Path> =
        links.chain(layout.files.iter().map(|file| &*file.path)).map(Path::new).collect();
    for entry in folder.entries()? {
        let path = Path::new(COMMANDS).join(&entry.name);
        if !wanted.iter().any(|wanted| wanted.starts_with(&path)) {
            return Err(ProjectError::InTheWay { path: packages.path().join(path) });
        }
    }
    Ok(())
}

/// Files that are the user's from the moment they are there.
fn put_starters(project: &Folder, starters: &[LayoutFile]) -> Result<(), ProjectError> {
    let mut near = Near::new(project);
    for file in starters {
        let (folder, name) = near.make(Path::new(&file.path))?;
        if folder.look(name)?.is_none() {
            put(folder, name, file)?;
        }
    }
    Ok(())
}

/// Something of another sort than the layout needs was not put there by Weir.
fn in_the_way(error: FsError) -> ProjectError {
    match error {
        FsError::Other { path, wanted: Sort::Folder | Sort::Link | Sort::File, .. } => {
            ProjectError::InTheWay { path }
        }
        error => error.into(),
    }
}

#[cfg(test)]
mod tests;
