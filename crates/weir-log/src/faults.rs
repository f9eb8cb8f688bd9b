//! The seam through which a test interrupts an append, so that "a crash at any point leaves the old
//! log or the new one" is tried at every point and not believed.

/// Told of each point an append passes. A test's implementation kills the process or panics.
pub trait Faults: Send + Sync {
    /// The append has reached `point`.
    fn at(&self, point: &'static str) {
        let _ = point;
    }
}

/// Lets everything pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFaults;

impl Faults for NoFaults {}

pub(crate) const LOCKED: &str = "append:locked";
pub(crate) const TILE_WRITTEN: &str = "append:tile-written";
pub(crate) const TILE_RENAMED: &str = "append:tile-renamed";
pub(crate) const TILES_SYNCED: &str = "append:tiles-synced";
pub(crate) const BEFORE_CHECKPOINT: &str = "append:before-checkpoint";
pub(crate) const AFTER_CHECKPOINT: &str = "append:after-checkpoint";
pub(crate) const PRUNED: &str = "append:pruned";

/// Every point, in the order an append passes them: `append:tile-written` and `append:tile-renamed`
/// once for each file, the others once. [`crate::LogFolder::create`] passes the first, and the two about
/// the checkpoint.
pub const POINTS: &[&str] =
    &[LOCKED, TILE_WRITTEN, TILE_RENAMED, TILES_SYNCED, BEFORE_CHECKPOINT, AFTER_CHECKPOINT, PRUNED];
