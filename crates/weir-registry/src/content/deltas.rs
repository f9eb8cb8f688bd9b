//! The deltas between trees whose packs are held: derived, never promised, and gone with either of them.

use std::io::Read;

use weir_model::TreeDigest;
use weir_tree::{Expected, ExpectedDelta, Limits, PackFiles, TreeError, check_delta};

use super::error::ContentError;
use super::folder::ContentFolder;
use super::{Delta, delta_folder, delta_path, pack_path};
use crate::ports::{Object, Objects};

impl Delta {
    /// What a reader of it expects, who knows how large the pack of the new tree is.
    pub fn expected(&self, pack_bytes: u64) -> ExpectedDelta {
        ExpectedDelta { from: self.from, to: self.to, most_bytes: pack_bytes }
    }
}

impl ContentFolder {
    /// Takes in the delta that `from` brings, applied in memory and checked. One that is there already stays as it is.
    ///
    /// # Errors
    ///
    /// When it is not that delta, or one of the packs is not served, or it cannot be read or written.
    pub(super) fn put_delta(&self, from: &mut dyn Read, delta: &Delta) -> Result<(), ContentError> {
        if self.size_of(&delta_path(delta))?.is_some() {
            return Ok(());
        }
        let pack_bytes = self.size_of(&pack_path(&delta.to))?;
        let pack_bytes = pack_bytes.ok_or_else(|| ContentError::no_pack(&delta.to))?;
        let Some(object) = self.writing().beside(from, pack_bytes)? else {
            let reason =
                TreeError::TooLarge { what: "bytes of delta", got: pack_bytes + 1, limit: pack_bytes };
            return Err(ContentError::BadDelta { delta: *delta, reason });
        };
        held_delta(self, delta, object.reopened()?)?;
        self.writing().name(vec![(object, delta_path(delta))])?;
        // Its tree may have been withheld meanwhile.
        if self.size_of(&pack_path(&delta.to))?.is_none() {
            self.remove(&delta_path(delta))?;
        }
        Ok(())
    }

    /// Takes out every delta that gives `tree`.
    pub(super) fn remove_deltas_to(&self, tree: &TreeDigest) -> Result<(), ContentError> {
        Ok(self.folder()?.remove_tree(delta_folder(tree))?)
    }
}

/// Checks a delta against the packs of both trees, without writing anything. Gives its bytes.
pub(crate) fn held_delta<O: Objects + ?Sized>(
    objects: &O,
    delta: &Delta,
    bytes: impl Read,
) -> Result<u64, ContentError> {
    let pack = objects.find(Object::Pack(delta.to))?.filter(|pack| !pack.withheld);
    let pack = pack.ok_or_else(|| ContentError::no_pack(&delta.to))?;
    let mut base = open_pack(objects, &delta.from)?;
    check_delta(bytes, &mut base, &delta.expected(pack.size), &Limits::default())
        .map_err(|reason| ContentError::BadDelta { delta: *delta, reason })
}

/// Opens a pack that is held, to read files of it.
pub(crate) fn open_pack<O: Objects + ?Sized>(
    objects: &O,
    tree: &TreeDigest,
) -> Result<PackFiles<Box<dyn Read + Send>>, ContentError> {
    let pack = objects.open(Object::Pack(*tree), 0)?.ok_or_else(|| ContentError::no_pack(tree))?;
    let expected = Expected { tree: *tree, pack_bytes: None };
    PackFiles::open(pack, &expected, &Limits::default())
        .map_err(|reason| ContentError::BadPack { tree: *tree, reason })
}
