//! The seam through which a test interrupts the store, so that "before or after, never between" is tried
//! at every point and not believed.

use std::io;

/// Told of each point the store passes. A test's implementation kills the process, or fails as a disk would.
pub trait Faults: Send + Sync {
    /// The store has reached `point`, one of [`POINTS`].
    ///
    /// # Errors
    ///
    /// What an operation of the file system at this point might have failed with, such as a full disk.
    fn at(&self, point: &'static str) -> io::Result<()> {
        let _ = point;
        Ok(())
    }
}

/// Lets everything pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFaults;

impl Faults for NoFaults {}

pub(crate) const LOCKED: &str = "store:locked";
pub(crate) const UNPACKED: &str = "store:unpacked";
pub(crate) const MANIFEST: &str = "store:manifest";
pub(crate) const RENAMED: &str = "store:renamed";
pub(crate) const FILE_WRITTEN: &str = "file:written";
pub(crate) const FILE_RENAMED: &str = "file:renamed";
pub(crate) const DERIVED_MADE: &str = "derived:made";
pub(crate) const DERIVED_STORED: &str = "derived:stored";
pub(crate) const DERIVED_RECORDED: &str = "derived:recorded";
pub(crate) const PROJECT_WRITTEN: &str = "project:written";
pub(crate) const GC_LOCKED: &str = "gc:locked";
pub(crate) const GC_RENAMED: &str = "gc:renamed";
pub(crate) const GC_DELETED: &str = "gc:deleted";
pub(crate) const REPAIR_RENAMED: &str = "repair:renamed";
pub(crate) const OPTIMISE_LINKED: &str = "optimise:linked";
pub(crate) const OPTIMISE_RENAMED: &str = "optimise:renamed";

/// Every point, by operation, in the order each passes them. Some are passed once for each tree or file.
pub const POINTS: &[&str] = &[
    LOCKED,
    UNPACKED,
    MANIFEST,
    RENAMED,
    FILE_WRITTEN,
    FILE_RENAMED,
    DERIVED_MADE,
    DERIVED_STORED,
    DERIVED_RECORDED,
    PROJECT_WRITTEN,
    GC_LOCKED,
    GC_RENAMED,
    GC_DELETED,
    REPAIR_RENAMED,
    OPTIMISE_LINKED,
    OPTIMISE_RENAMED,
];
