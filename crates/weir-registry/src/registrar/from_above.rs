//! Content of releases that came from above: which of it may come, and taking it in.
//!
//! Nothing is taken in but what a release of this log that may be used consists of: its pack, the external files that the registry above
//! holds, and the evidence of its build.

use std::collections::HashMap;
use std::io::Read;

use weir_index::ReleaseView;
use weir_model::evidence::{HeldAs, held_beside};
use weir_model::{ChunkDigest, ReleaseId, Sha256, Unobserved};
use weir_policy::{Authorized, Caller, Verb};

use super::Registrar;
use crate::content::{ChunkList, ContentError, LARGEST_FILE, Stated, Stored, chunk_list_path, chunk_path};
use crate::error::SubmitError;
use crate::face::Face;
use crate::ports::Object;
use crate::within_reach::namers;

/// A piece of content that came from above with a release, or will when it is first needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromAbove {
    /// What it is: a pack or a file.
    pub object: Object,
    /// A release that names it.
    pub release: ReleaseId,
    /// The registry above that the release came from, which has it.
    pub registry: String,
    /// How many bytes it has, if the release says so.
    pub size: Option<u64>,
}

impl FromAbove {
    /// What a release names of it, if that came from above and may be used.
    fn of(view: &ReleaseView) -> Vec<Self> {
        let Some(origin) = view.origin.as_ref().filter(|_| view.standing().is_usable()) else {
            return Vec::new();
        };
        let release = &view.release;
        let piece = |object: Object, size: Option<u64>| Self {
            object,
            release: release.id.clone(),
            registry: origin.registry.clone(),
            size,
        };
        let mut all = vec![piece(Object::Pack(release.tree), Some(release.size))];
        all.extend(held_beside(release).map(|held| match held {
            HeldAs::Pack(_, size) => piece(held.into(), Some(size)),
            HeldAs::File(_, size) => piece(held.into(), size),
        }));
        all
    }
}

impl Registrar {
    /// A piece of content, if a release that came from above and may be used names it.
    ///
    /// # Errors
    ///
    /// When the caller may not read, or the view cannot be read.
    pub fn from_above(&self, caller: &Caller, object: Object) -> Result<Option<FromAbove>, SubmitError> {
        let view = self.view_for(caller)?;
        let namers = namers(view.index(), object)?;
        Ok(namers.iter().flat_map(FromAbove::of).find(|piece| piece.object == object))
    }

    /// All content of releases that came from above and may be used, each piece once.
    ///
    /// # Errors
    ///
    /// When the caller may not read, or the view cannot be read.
    pub fn all_from_above(&self, caller: &Caller) -> Result<Vec<FromAbove>, SubmitError> {
        let view = self.view_for(caller)?;
        let mut all: HashMap<Object, FromAbove> = HashMap::new();
        for view in view.index().live_releases() {
            for piece in FromAbove::of(&view?) {
                all.entry(piece.object).or_insert(piece);
            }
        }
        let mut all: Vec<FromAbove> = all.into_values().collect();
        all.sort_by(|a, b| (&a.release, a.object).cmp(&(&b.release, b.object)));
        Ok(all)
    }

    /// Takes in a piece of content from above, checked against its name and what the release says of it.
    ///
    /// # Errors
    ///
    /// When it is something else, or cannot be written.
    pub fn take_in(
        &self,
        caller: &Caller,
        piece: &FromAbove,
        from: &mut dyn Read,
    ) -> Result<(), SubmitError> {
        let permit = self.permit(caller, Verb::Read)?;
        let most = piece.size.unwrap_or(LARGEST_FILE).saturating_add(1);
        let held = self.ports.objects.put(&permit, piece.object, &mut from.take(most))?;
        self.fault("admit:taken-in");
        match (piece.object, piece.size) {
            // Readers stop at the size that the record states.
            (Object::Pack(tree), Some(said)) if said != held => {
                self.ports.objects.remove(&permit, &Stored::Pack { tree, size: held, held: false })?;
                Err(SubmitError::OtherSize { id: piece.release.clone(), tree, held, said })
            }
            _ => Ok(()),
        }
    }

    /// Whether a piece of content is here and not as it must be, or a part of it is lost. What is not here at all is not damaged.
    ///
    /// # Errors
    ///
    /// When the caller may not read, or it may not be looked at.
    pub fn is_damaged(&self, caller: &Caller, piece: &FromAbove) -> Result<bool, SubmitError> {
        self.permit(caller, Verb::Read)?;
        let objects = &self.ports.objects;
        let held = objects.find(piece.object)?;
        if held.is_none_or(|held| held.withheld) {
            return Ok(false);
        }
        let verified = match piece.object {
            Object::Pack(tree) => {
                let stated = Stated::size(piece.size.unwrap_or_default());
                objects.verify_pack(&tree, &stated, false, &Unobserved)
            }
            Object::File(sha256) => objects.verify_file(&sha256, piece.size, false, &Unobserved),
            Object::Delta(_) | Object::Snapshot(_) => return Ok(false),
        };
        match verified {
            Ok(_) => Ok(false),
            Err(error) if error.is_closed() => Err(error.into()),
            Err(_) => Ok(true),
        }
    }

    /// Takes out a piece of content that is damaged, so that it can be taken in again.
    ///
    /// # Errors
    ///
    /// When the caller may not read, or it cannot be taken out.
    pub fn take_out_damaged(&self, caller: &Caller, piece: &FromAbove) -> Result<(), SubmitError> {
        let permit = self.permit(caller, Verb::Read)?;
        match piece.object {
            Object::Pack(tree) => {
                let size = piece.size.unwrap_or_default();
                self.ports.objects.remove(&permit, &Stored::Pack { tree, size, held: false })?;
            }
            Object::File(sha256) => self.take_out_file(&permit, &sha256)?,
            Object::Delta(_) | Object::Snapshot(_) => {}
        }
        self.fault("mend:taken-out");
        Ok(())
    }

    /// Takes out a damaged file; of one that is kept in chunks those that are damaged, for others may be parts of other files as well.
    fn take_out_file(&self, permit: &Authorized, sha256: &Sha256) -> Result<(), SubmitError> {
        let source = self.source();
        let list = source.read(&chunk_list_path(sha256), ChunkList::longest(LARGEST_FILE));
        let list = list.map_err(ContentError::from)?;
        if let Some(list) = list.as_ref().and_then(|text| ChunkList::parse(text, sha256, None).ok()) {
            for chunk in list.chunks() {
                let bytes = source.open(&chunk_path(&chunk.digest), 0).map_err(ContentError::from)?;
                let Some(bytes) = bytes else { continue };
                let mut held = Vec::new();
                bytes.take(u64::from(chunk.size) + 1).read_to_end(&mut held)?;
                if ChunkDigest::of(&held) != chunk.digest {
                    let damaged = Stored::Chunk { digest: chunk.digest, size: held.len() as u64 };
                    self.ports.objects.remove(permit, &damaged)?;
                }
            }
        }
        for chunked in [false, true] {
            let file = Stored::File { sha256: *sha256, size: 0, chunked, held: false };
            self.ports.objects.remove(permit, &file)?;
        }
        Ok(())
    }
}

impl Object {
    /// The object that a file of a registry's static face is, or is a part of, if it can come from above.
    pub const fn of_face(face: Face) -> Option<Self> {
        match face {
            Face::Pack(tree) => Some(Self::Pack(tree)),
            Face::File(sha256) | Face::ChunkList(sha256) => Some(Self::File(sha256)),
            _ => None,
        }
    }
}
