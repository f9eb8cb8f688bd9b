//! What the store tells while it works: plain data, for a progress display or a log.

use weir_model::{Sha256, TreeDigest};

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
    /// A tree was unpacked into the store.
    Stored {
        /// The tree.
        tree: TreeDigest,
        /// The bytes of its files together.
        bytes: u64,
    },
    /// More bytes of a referenced file arrived.
    Downloaded {
        /// The file.
        file: Sha256,
        /// How many bytes are here.
        bytes: u64,
        /// How many it will have.
        of: u64,
    },
    /// More trees and files were checked.
    Verified {
        /// How many trees and files are done.
        items: u64,
        /// How many there are.
        of: u64,
        /// The bytes checked up to now.
        bytes: u64,
    },
    /// A damaged tree or file was replaced or removed.
    Repaired {
        /// The tree or file.
        item: Item,
    },
    /// A tree or file was removed by the collector.
    Removed {
        /// The tree or file, or the note of a derived tree.
        item: Item,
        /// The bytes of its files together.
        bytes: u64,
    },
    /// Equal files were shared.
    Shared {
        /// The bytes saved up to now.
        bytes: u64,
    },
    /// An entry of an export was written or read.
    Carried {
        /// How many entries are done.
        entries: u64,
        /// How many there are.
        of: u64,
    },
}
