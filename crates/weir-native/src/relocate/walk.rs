//! The files and links of an install tree, as the names of a tree.

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;

use weir_tree::{MAX_DEPTH, PathReason, TreePath};

use super::CaptureError;
use crate::Variant;

/// The most files and folders of a variant.
const MOST: usize = 1_000_000;

/// What is in an install tree.
#[derive(Default)]
pub(super) struct Walked {
    /// Its files and links, sorted.
    pub(super) found: Vec<Found>,
    /// Folders without anything in them, sorted.
    pub(super) empty: Vec<String>,
}

/// A file or a link.
pub(super) struct Found {
    pub(super) path: TreePath,
    pub(super) is_link: bool,
    /// The permissions of a file, with those that change who runs it.
    pub(super) mode: u32,
}

/// Looks at everything below `top`. Folders that cannot be written and files that cannot be read are made so.
pub(super) fn walk(top: &Path, variant: Variant) -> Result<Walked, CaptureError> {
    let mut walked = Walked::default();
    let mut pending = vec![String::new()];
    let mut seen = 0;
    while let Some(folder) = pending.pop() {
        let on_disk = top.join(&folder);
        let permissions = fs_err::metadata(&on_disk)?.permissions();
        if permissions.mode() & 0o700 != 0o700 {
            fs_err::set_permissions(&on_disk, std::fs::Permissions::from_mode(permissions.mode() | 0o700))?;
        }
        let mut is_empty = true;
        for entry in fs_err::read_dir(&on_disk)? {
            let entry = entry?;
            is_empty = false;
            seen += 1;
            if seen > MOST {
                return Err(CaptureError::TooMany { variant, most: MOST });
            }
            let name = entry.file_name();
            let path = format!("{folder}{}", name.to_string_lossy());
            let sort = entry.file_type()?;
            let special = |what| CaptureError::Special { variant, path: path.clone(), what };
            let bad = |source| CaptureError::Name { variant, path: path.clone(), source };
            let tree_path =
                TreePath::new(name.to_str().map_or("\u{fffd}\0", |_| path.as_str())).map_err(bad)?;
            if sort.is_dir() {
                // A path of a file below would be too deep as well, and an endless one is not walked.
                if tree_path.depth() + 1 >= MAX_DEPTH {
                    let source = weir_tree::PathError { path: path.clone(), reason: PathReason::TooDeep };
                    return Err(bad(source));
                }
                pending.push(format!("{path}/"));
            } else if sort.is_file() || sort.is_symlink() {
                let mode = entry.metadata()?.permissions().mode() & 0o7777;
                if sort.is_file() && mode & 0o400 == 0 {
                    fs_err::set_permissions(entry.path(), std::fs::Permissions::from_mode(mode | 0o400))?;
                }
                walked.found.push(Found { path: tree_path, is_link: sort.is_symlink(), mode });
            } else if sort.is_socket() {
                return Err(special("a socket"));
            } else if sort.is_fifo() {
                return Err(special("a named pipe"));
            } else {
                return Err(special("a device"));
            }
        }
        if is_empty && !folder.is_empty() {
            walked.empty.push(folder.trim_end_matches('/').to_owned());
        }
    }
    walked.found.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    walked.empty.sort_unstable();
    Ok(walked)
}
