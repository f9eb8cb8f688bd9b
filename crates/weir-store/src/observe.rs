//! What the store tells while it works: plain data, for a progress display or a log.

use weir_model::TreeDigest;

use crate::gc::Item;

/// Something that happened. More kinds may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Another process or thread is making this tree or file just now; this one waits for it.
    Waiting,
    /// The collector waits until nobody uses the store.
    WaitingForSessions,
    /// Somebody collects garbage just now; this session waits for it to end.
    WaitingForCollector,
    /// Work on many bytes begins.
    Began {
        /// What is done.
        work: Work,
        /// How many trees and files there are.
        items: u64,
        /// Their bytes, as far as they are known.
        bytes: u64,
    },
    /// So much more of the work is done.
    Advanced {
        /// How many more bytes.
        bytes: u64,
    },
    /// A tree was unpacked into the store.
    Stored {
        /// The tree.
        tree: TreeDigest,
        /// The bytes of its files together.
        bytes: u64,
    },
    /// A damaged tree or file was replaced or removed.
    Repaired {
        /// The tree or file.
        item: Item,
    },
}

/// What takes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Everything is read and compared with its name.
    Verifying,
    /// What nobody uses is removed.
    Collecting,
    /// Equal files are shared.
    Sharing,
    /// An export is written.
    Exporting,
}
