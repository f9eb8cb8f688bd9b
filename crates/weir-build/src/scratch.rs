//! Folders that a build wrote to, where anything may be: folders without permissions, a million files, a nesting
//! deeper than any path may be long. Nothing here calls itself, and no path grows with what is found.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};

/// Deeper nesting is taken for an attack: no source has it, and no path reaches it.
const MAX_DEPTH: usize = 128;

/// What one entry costs at least: also the name and the inode of an empty file fill the disk.
pub(crate) const ENTRY_BYTES: u64 = 1024;

/// What a folder takes of the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Bytes.
    pub(crate) bytes: u64,
    /// Whether something was nested too deep to look at.
    pub(crate) too_deep: bool,
}

/// Measures a folder that is being written to. What vanishes meanwhile does not count, and once `enough` bytes
/// were found it stops.
pub(crate) fn usage(folder: &Path, enough: u64) -> Usage {
    let mut usage = Usage::default();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((next, depth)) = folders.pop() {
        let Ok(entries) = fs_err::read_dir(next) else { continue };
        for entry in entries.flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            usage.bytes = usage.bytes.saturating_add(meta.blocks() * 512 + ENTRY_BYTES);
            if meta.is_dir() && depth == MAX_DEPTH {
                usage.too_deep = true;
            } else if meta.is_dir() {
                folders.push((entry.path(), depth + 1));
            }
        }
        if usage.bytes > enough {
            break;
        }
    }
    usage
}

/// Lets the owner into every folder of a tree that a build made, and says whether there is any file or link.
pub(crate) fn open_up(folder: &Path) -> io::Result<bool> {
    let mut found = false;
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let mode = fs_err::symlink_metadata(&next)?.permissions().mode();
        if mode & 0o700 != 0o700 {
            fs_err::set_permissions(&next, std::fs::Permissions::from_mode(mode | 0o700))?;
        }
        for entry in fs_err::read_dir(&next)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                found = true;
            }
        }
    }
    Ok(found)
}

/// Removes a folder with all that is in it; well if it is not there.
///
/// Folders inside folders are moved up until none is left: so neither the stack nor a path can run out.
///
/// # Errors
///
/// When the system does not let it be removed.
pub fn remove(folder: &Path) -> io::Result<()> {
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else { return Ok(()) };
    let parent = match rustix::fs::open(parent, folder_flags(), Mode::empty()) {
        Ok(parent) => parent,
        Err(rustix::io::Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    remove_in(&parent, name)
}

/// Removes `name` in a folder with all that is in it; well if it is not there.
pub(crate) fn remove_in(parent: &OwnedFd, name: &OsStr) -> io::Result<()> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => return Ok(()),
        Err(_) => {}
    }
    let Some(top) = enter(parent, name)? else { return Ok(()) };
    let mut moved = 0_u64;
    loop {
        let mut folders = empty_of_files(&top)?;
        if folders.is_empty() {
            break;
        }
        while let Some(next) = folders.pop() {
            let Some(inner) = enter(&top, &next)? else { continue };
            for deeper in empty_of_files(&inner)? {
                // A folder that is moved gets a new parent, for which it must be writable itself.
                let _ = rustix::fs::chmodat(&inner, &deeper, Mode::RWXU, AtFlags::empty());
                let name = loop {
                    moved += 1;
                    let name =
                        std::ffi::CString::new(format!(".weir-{moved}")).expect("digits hold no zero byte");
                    match rustix::fs::renameat_with(
                        &inner,
                        &deeper,
                        &top,
                        &name,
                        rustix::fs::RenameFlags::NOREPLACE,
                    ) {
                        Ok(()) => break name,
                        Err(rustix::io::Errno::EXIST) => {}
                        Err(error) => return Err(error.into()),
                    }
                };
                folders.push(name);
            }
            match rustix::fs::unlinkat(&top, &next, AtFlags::REMOVEDIR) {
                // Some systems skip entries while others are removed: the next round finds them.
                Ok(()) | Err(rustix::io::Errno::NOTEMPTY) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
}

fn folder_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

/// Opens a folder, giving its owner the right to if need be; `None` when it is gone.
fn enter<P: rustix::path::Arg + Copy>(parent: &OwnedFd, name: P) -> io::Result<Option<OwnedFd>> {
    // No link is followed: rustix refuses NOFOLLOW for chmodat, so look first.
    let stat = match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mode = Mode::from_raw_mode(stat.st_mode);
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory && !mode.contains(Mode::RWXU) {
        rustix::fs::chmodat(parent, name, Mode::RWXU, AtFlags::empty())?;
    }
    Ok(Some(rustix::fs::openat(parent, name, folder_flags(), Mode::empty())?))
}

/// Removes everything in a folder but folders, and empty ones too; says which are left.
fn empty_of_files(folder: impl AsFd) -> io::Result<Vec<std::ffi::CString>> {
    let mut left = Vec::new();
    for entry in rustix::fs::Dir::read_from(&folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_bytes() == b"." || name.to_bytes() == b".." {
            continue;
        }
        let flags =
            if entry.file_type() == FileType::Directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        match rustix::fs::unlinkat(&folder, name, flags) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => {}
            Err(_) => left.push(name.to_owned()),
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::{open_up, remove, usage};

    #[test]
    fn a_nesting_deeper_than_any_path_is_removed_and_reported() {
        let place = tempfile::tempdir().unwrap();
        let top = place.path().join("top");
        fs_err::create_dir(&top).unwrap();
        let mut folder = rustix::fs::open(&top, super::folder_flags(), rustix::fs::Mode::empty()).unwrap();
        for _ in 0..3000 {
            rustix::fs::mkdirat(&folder, "nested-folder", rustix::fs::Mode::RWXU).unwrap();
            folder = super::enter(&folder, "nested-folder").unwrap().unwrap();
        }
        assert!(usage(&top, u64::MAX).too_deep);
        remove(&top).unwrap();
        assert!(!top.exists());
        remove(&top).unwrap();
    }

    #[test]
    fn folders_without_permissions_and_links_to_elsewhere_are_no_obstacle() {
        let place = tempfile::tempdir().unwrap();
        let (top, other) = (place.path().join("top"), place.path().join("other"));
        fs_err::create_dir_all(top.join("a/b")).unwrap();
        fs_err::create_dir(&other).unwrap();
        fs_err::write(other.join("kept"), "").unwrap();
        fs_err::os::unix::fs::symlink(&other, top.join("a/link")).unwrap();
        fs_err::set_permissions(top.join("a"), std::fs::Permissions::from_mode(0o0)).unwrap();
        assert!(open_up(&top).unwrap());
        fs_err::set_permissions(top.join("a"), std::fs::Permissions::from_mode(0o0)).unwrap();
        remove(&top).unwrap();
        assert!(!top.exists() && other.join("kept").exists());
    }

    #[test]
    fn empty_files_count_too_and_measuring_stops_early() {
        let place = tempfile::tempdir().unwrap();
        for number in 0..100 {
            fs_err::write(place.path().join(number.to_string()), "").unwrap();
        }
        let all = usage(place.path(), u64::MAX);
        assert_eq!((all.bytes, all.too_deep), (100 * 1024, false));
        assert!(!open_up(&place.path().join("0")).is_ok_and(|found| found));
    }
}
