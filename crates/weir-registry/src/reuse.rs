//! What was built before: the same inputs need not be built again.

use weir_index::{Index, IndexError, ReleaseView};
use weir_model::{InputDigest, TreeDigest};

use crate::ports::Object;
use crate::within_reach::{namers, reach};

/// What an input digest gave before. All releases of one input digest consist of one tree, for ever: whoever
/// publishes a release of that input digest publishes that tree.
#[derive(Debug, Clone, PartialEq)]
pub struct BuiltBefore {
    /// The tree.
    pub tree: TreeDigest,
    /// The releases that had the input digest, in the order of the log: offered, withdrawn or removed. Revisions
    /// are not part of an input digest, so there may be several of one version.
    pub releases: Vec<ReleaseView>,
    /// Whether the content can still be had.
    pub kept: Kept,
}

/// Whether the content of a tree can still be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It can, and may be offered again.
    Yes,
    /// It is quarantined: nothing with this tree is accepted until that is taken back.
    Quarantined,
    /// Nobody has it any more. A new build is accepted only if it gives the same tree.
    No,
}

impl BuiltBefore {
    /// Looks in a view for what `input_digest` gave; nothing if it never was there. `holds` tells whether a tree can be had:
    /// from the registry's content, or from wherever else its caller would take it. It is not asked about what is
    /// quarantined.
    ///
    /// # Errors
    ///
    /// When the view cannot be asked.
    pub fn find(
        index: &Index,
        input_digest: &InputDigest,
        holds: impl FnOnce(&TreeDigest) -> bool,
    ) -> Result<Option<Self>, IndexError> {
        let releases = index.by_input_digest(input_digest)?;
        let Some(tree) = releases.first().map(|view| view.release.tree) else { return Ok(None) };
        let kept = match quarantined(index, &tree)? {
            Some(_) => Kept::Quarantined,
            None if holds(&tree) => Kept::Yes,
            None => Kept::No,
        };
        Ok(Some(Self { tree, releases, kept }))
    }

    /// The newest release that had the input digest: what it says of its files and its build holds for every other.
    pub fn newest(&self) -> Option<&ReleaseView> {
        self.releases.last()
    }
}

/// The release because of which readers are kept from the content of a tree. Content is withdrawn, not releases: another
/// input digest may have given the same tree.
///
/// # Errors
///
/// When the view cannot be asked.
pub fn quarantined(index: &Index, tree: &TreeDigest) -> Result<Option<ReleaseView>, IndexError> {
    let object = Object::Pack(*tree);
    if !reach(index, object, false, |view| view.into())?.is_withheld() {
        return Ok(None);
    }
    Ok(namers(index, object)?.into_iter().find(|view| view.quarantined.is_some()))
}
