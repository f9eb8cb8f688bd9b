//! Turning a folder into a tree manifest.
//!
//! First the names, on one thread; then the contents, on all cores, the largest files first so that no core is left alone with
//! one at the end. Folders do not appear in a manifest, so empty ones are left out.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::link::LinkTarget;
use crate::manifest::{Entry, Mode, TreeManifest};
use crate::selection::{Selected, Selection, Sort};
use crate::{TreeError, TreePath, file, parallel};

/// Reads the files of the folder `root` that `selection` names, and hashes them.
///
/// # Errors
///
/// Names the file at fault: one that cannot be read, that changed meanwhile, that is no file or link, whose name or target
/// cannot be in a tree, or that differs from another only by case.
pub fn read_folder(root: &Path, selection: &Selection) -> Result<TreeManifest, TreeError> {
    let mut found = selection.list(root)?;
    found.sort_unstable_by(|one, other| other.size.cmp(&one.size).then_with(|| one.path.cmp(&other.path)));
    let entries = parallel::each(&found, |buffer, selected| entry(root, selected, buffer));
    let entries = entries.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(TreeManifest::from_unsorted(entries)?)
}

/// The files of the folder `root` that `selection` names, by their names, modes and sizes alone. Nothing in them is read: all have the digest
/// of nothing, so that this is for seeing what is there, and no tree that anything is kept under. Links are passed
/// over, and so is what cannot be in a tree.
///
/// # Errors
///
/// When the folder cannot be read, or names in it differ only by case.
pub fn sketch_folder(root: &Path, selection: &Selection) -> Result<TreeManifest, TreeError> {
    let mut entries = Vec::new();
    for Selected { path, sort, size } in selection.list(root)? {
        let Ok(path) = file::tree_path(&path) else { continue };
        let mode = match sort {
            Sort::Special(_) | Sort::Link => continue,
            Sort::File => match fs_err::symlink_metadata(root.join(path.as_str())) {
                Ok(found) if found.permissions().mode() & 0o111 != 0 => Mode::Executable,
                Ok(_) => Mode::File,
                Err(_) => continue,
            },
        };
        entries.push(Entry { mode, size, digest: weir_model::Digest::of(""), path });
    }
    Ok(TreeManifest::from_unsorted(entries)?)
}

fn entry(root: &Path, selected: &Selected, buffer: &mut [u8]) -> Result<Entry, TreeError> {
    let path = file::tree_path(&selected.path)?;
    let on_disk = root.join(&selected.path);
    match selected.sort {
        Sort::Link => link(path, &on_disk),
        Sort::File => regular(path, on_disk, buffer),
        Sort::Special(what) => Err(TreeError::Special { path: on_disk, what }),
    }
}

fn regular(path: TreePath, on_disk: PathBuf, buffer: &mut [u8]) -> Result<Entry, TreeError> {
    let facts = file::facts(on_disk, buffer)?;
    Ok(Entry { mode: facts.mode, size: facts.size, digest: facts.digest, path })
}

fn link(path: TreePath, on_disk: &Path) -> Result<Entry, TreeError> {
    let target = file::target(on_disk)?;
    let checked = LinkTarget::new(&path, &target);
    checked.map_err(|source| TreeError::Link { path: path.to_string(), source })?;
    Ok(Entry { mode: Mode::Link, size: target.len() as u64, digest: weir_model::Digest::of(&target), path })
}
