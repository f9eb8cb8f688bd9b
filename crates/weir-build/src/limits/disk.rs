//! Watching what a build writes to the disk: often enough, but with little of the machine's time.

use std::collections::BTreeSet;
use std::io;
use std::time::Instant;

use super::{Bounds, Limit, TICK};
use crate::{processes, scratch};

/// Of the time that it takes to measure the disk, how many times that is waited before the next.
const REST: u32 = 30;

/// Looks at the disk.
pub(super) struct DiskWatch {
    next: Instant,
    /// What was free when the disk was last measured, or at first.
    free: Free,
    /// Bytes that the build may still write, as far as is known.
    left: u64,
}

/// What a file system has left.
#[derive(Clone, Copy)]
struct Free {
    bytes: u64,
    files: u64,
}

impl DiskWatch {
    pub(super) fn new(bounds: &Bounds<'_>) -> io::Result<Self> {
        Ok(Self { next: Instant::now() + TICK, free: Free::of(bounds)?, left: bounds.limits.disk })
    }

    pub(super) fn look(&mut self, bounds: &Bounds<'_>, processes: &BTreeSet<u32>) -> Option<Limit> {
        // What all programs of the machine took together is what this build can have taken at most.
        let free = Free::of(bounds).unwrap_or(self.free);
        let taken = free.since(self.free);
        if Instant::now() < self.next && taken < self.left {
            return None;
        }
        let started = Instant::now();
        let mut usage = scratch::usage(&bounds.folder, bounds.disk());
        usage.bytes = usage.bytes.saturating_add(processes::nameless_bytes(processes));
        self.left = bounds.disk().saturating_sub(usage.bytes);
        self.free = free;
        self.next = Instant::now() + started.elapsed() * REST + TICK;
        bounds.over(usage)
    }
}

impl Free {
    fn of(bounds: &Bounds<'_>) -> io::Result<Self> {
        let stat = rustix::fs::statvfs(&bounds.folder)?;
        Ok(Self { bytes: stat.f_bfree.saturating_mul(stat.f_frsize), files: stat.f_ffree })
    }

    /// Bytes that were taken since `earlier`, in the measure of [`scratch::usage`].
    fn since(self, earlier: Self) -> u64 {
        let files = earlier.files.saturating_sub(self.files);
        earlier.bytes.saturating_sub(self.bytes).saturating_add(files.saturating_mul(scratch::ENTRY_BYTES))
    }
}
