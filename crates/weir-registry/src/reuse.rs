//! What was built before: the same inputs need not be built again.

use weir_index::{Index, IndexError, ReleaseView};
use weir_model::Digest;

use crate::content::ContentFolder;

/// What a key gave before. All releases of one key consist of one tree, for ever: whoever publishes a
/// release of that key publishes that tree.
#[derive(Debug, Clone, PartialEq)]
pub struct BuiltBefore {
    /// The tree.
    pub tree: Digest,
    /// The releases that had the key, in the order of the log: offered, withdrawn or removed. Revisions
    /// are not part of a key, so there may be several of one version.
    pub releases: Vec<ReleaseView>,
    /// Whether the registry still has the content.
    pub kept: Kept,
}

/// Whether a registry still has the content of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It has, and may offer it again.
    Yes {
        /// Bytes of the pack.
        size: u64,
    },
    /// It is quarantined: nothing with this tree is accepted until that is taken back.
    Quarantined,
    /// It was collected. A new build is accepted only if it gives the same tree.
    No,
}

impl BuiltBefore {
    /// Looks in a view, and in the content beside it, for what `key` gave; nothing if it never was there.
    ///
    /// # Errors
    ///
    /// When the view cannot be asked.
    pub fn find(index: &Index, content: &ContentFolder, key: &Digest) -> Result<Option<Self>, IndexError> {
        let releases = index.by_key(key)?;
        let Some(tree) = releases.first().map(|view| view.release.tree) else { return Ok(None) };
        // Content is withdrawn, not releases: another key may have given the tree that is quarantined.
        let quarantined = index.by_tree(&tree)?.iter().any(|view| view.quarantined.is_some());
        let kept = match content.pack_size(&tree) {
            _ if quarantined => Kept::Quarantined,
            Some(size) => Kept::Yes { size },
            None => Kept::No,
        };
        Ok(Some(Self { tree, releases, kept }))
    }

    /// The newest release that had the key: what it says of its files and its build holds for every other.
    pub fn newest(&self) -> Option<&ReleaseView> {
        self.releases.last()
    }
}
