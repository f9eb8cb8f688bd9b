//! Snapshots (being written).

use std::io::{Read, Write};

use crate::error::SnapshotError;
use crate::fold::Fold;
use crate::index::Index;

/// How much a snapshot may hold.
#[derive(Debug, Clone, Copy)]
pub struct SnapshotLimits {
    /// The most bytes it may have when unpacked.
    pub unpacked: u64,
}

impl Default for SnapshotLimits {
    fn default() -> Self {
        Self { unpacked: 1 << 30 }
    }
}

/// What was written into a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotSummary {
    /// Up to which size of the log it reaches.
    pub size: u64,
    /// How many releases it holds, removed ones too.
    pub releases: u64,
}

/// A snapshot that was read into the index, but is not yet visible.
#[derive(Debug)]
pub struct LoadedSnapshot<'index> {
    /// Up to which size of the log it reaches.
    pub size: u64,
    /// What its writer knew of the log at that size. Check it against a signed checkpoint.
    pub frontier: Vec<u8>,
    /// [Finish](Fold::finish) it to make the snapshot visible, after folding further entries if
    /// there are any; or drop it.
    pub fold: Fold<'index>,
}

impl Index {
    /// Writes the whole view as a snapshot.
    pub fn write_snapshot(&self, frontier: &[u8], out: impl Write) -> Result<SnapshotSummary, SnapshotError> {
        let _ = (frontier, out);
        Err(SnapshotError::Malformed("not written yet".into()))
    }

    /// Loads a snapshot into an empty index.
    pub fn load_snapshot(
        &mut self,
        from: impl Read,
        limits: SnapshotLimits,
    ) -> Result<LoadedSnapshot<'_>, SnapshotError> {
        let _ = (from, limits);
        Err(SnapshotError::Malformed("not written yet".into()))
    }
}
