//! What is registered is what was uploaded: each draft is derived anew from its pack.

use std::io::Read;

use weir_package::{Refused, check};
use weir_tree::TreeError;
use weir_wire::{Batch, Draft, Intent};

use super::Registrar;
use crate::content::ContentError;
use crate::error::SubmitError;
use crate::ports::Object;

impl Registrar {
    /// Refuses drafts that say something else than their packs. A pack that is not there is none of its business.
    pub(super) fn refuse_others_than_uploaded(&self, batch: &Batch) -> Result<(), SubmitError> {
        for draft in batch.intents.iter().filter_map(Intent::draft) {
            if self.ports.objects.find(Object::Pack(draft.tree))?.is_some() {
                check(draft, &|| self.open_pack(draft)).map_err(|refused| of(draft, refused))?;
            }
        }
        Ok(())
    }

    fn open_pack(&self, draft: &Draft) -> Result<Box<dyn Read + Send>, TreeError> {
        let pack = self.ports.objects.open(Object::Pack(draft.tree), 0);
        let pack = pack.map_err(std::io::Error::other).and_then(|pack| {
            pack.ok_or_else(|| std::io::Error::new(std::io::ErrorKind::NotFound, "the pack is gone"))
        });
        pack.map_err(|source| TreeError::PackRead { source })
    }
}

fn of(draft: &Draft, refused: Refused) -> SubmitError {
    let id = draft.id.clone();
    match refused {
        Refused::Differs { field, said, derived } => SubmitError::DraftDiffers { id, field, said, derived },
        Refused::NoRelease(error) => SubmitError::NoRelease { id, error: Box::new(error) },
        Refused::Pack(reason) => ContentError::BadPack { tree: draft.tree, reason }.into(),
    }
}
