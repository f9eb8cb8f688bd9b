//! Who may read what is in the store.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Who may read something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Readers {
    /// Whoever gets as far as the store.
    #[default]
    Everybody,
    /// The user that it was made by, for others could not read what it was made of.
    Owner,
}

impl Readers {
    /// Those of something that is there already; everybody, where nothing is.
    pub(crate) fn of(place: &Path) -> Self {
        match fs_err::symlink_metadata(place) {
            Ok(found) if !is_for_others(found.mode()) => Self::Owner,
            _ => Self::Everybody,
        }
    }

    /// `mode` without the rights of those who are not among them.
    pub(crate) fn of_mode(self, mode: u32) -> u32 {
        match self {
            Self::Everybody => mode,
            Self::Owner => mode & 0o700,
        }
    }
}

/// Whether a mode lets others than the owner read.
pub(crate) fn is_for_others(mode: u32) -> bool {
    mode & 0o044 != 0
}
