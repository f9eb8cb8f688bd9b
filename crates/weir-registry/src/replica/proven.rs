//! Records with their proof: taken out of a log that was followed, and checked by a registry that never followed it.
//!
//! Who promotes a release shows its record, and that a log which some key signs has it. So the registry above knows which registry it
//! comes from, by that key: a name is whatever somebody calls their registry.

use weir_log::{Checkpoint, Hash, InclusionProof, Source, TrustedKeys, VerifyingKey};
use weir_model::record::{Origin, ReleaseRecord};
use weir_model::{Action, Record, ReleaseId, Sha256};
use weir_wire::Promotion;

use super::{Replica, ReplicaError};
use crate::error::SubmitError;

/// A record of a log, with what proves it to whoever knows the key of that log.
#[derive(Debug, Clone)]
pub struct ProvenRecord {
    /// What it says.
    pub record: Record,
    /// The same as it stands in the log.
    pub entry: String,
    /// Where that is. The registry is named by a key that signed for it.
    pub from: Origin,
    /// That it is there.
    pub proof: InclusionProof,
}

impl Replica {
    /// A record of the log, proven by the checkpoint that was followed to.
    ///
    /// # Errors
    ///
    /// When the log was never followed, has no such record, or what is read is not what was signed.
    pub fn proven_record(&self, source: &dyn Source, index: u64) -> Result<ProvenRecord, ReplicaError> {
        let followed = self.checkpoint.as_ref();
        let note = followed.ok_or_else(|| ReplicaError::NeverSynced(self.location.clone()))?.note();
        let unproven = |error| ReplicaError::Unproven { location: self.location.clone(), index, error };
        let log = Checkpoint::verify(note.as_bytes(), &self.keys).map_err(|error| unproven(error.into()))?;
        let (entry, proof) = weir_log::read_entry(source, &log, &self.keys, index).map_err(unproven)?;
        let leaf = leaf_of(&entry);
        let record =
            Record::from_bytes(&entry).map_err(|source| weir_index::FoldError::Record { index, source })?;
        // Only text is a record, so nothing is lost.
        let entry = String::from_utf8_lossy(&entry).into_owned();
        let signed = |key: &&VerifyingKey| {
            let alone = TrustedKeys::new([(*key).clone()]);
            alone.is_ok_and(|alone| Checkpoint::verify(note.as_bytes(), &alone).is_ok())
        };
        let registry = match self.keys.keys().iter().find(signed) {
            Some(key) => key.to_string(),
            None => self.name().to_owned(),
        };
        Ok(ProvenRecord { record, entry, from: Origin { registry, index, leaf }, proof })
    }
}

/// Checks that the registry whose key is named has the release that is promoted, as its own, and made with the same.
///
/// # Errors
///
/// [`SubmitError::BadPromotion`] when that is not proven.
pub(crate) fn check_promotion(promotion: &Promotion) -> Result<(), SubmitError> {
    let Promotion { draft, baked, from, entry, proof } = promotion;
    let bad = |reason: String| SubmitError::BadPromotion { id: draft.id.clone(), reason };
    let unproven = |reason: &dyn std::fmt::Display| {
        bad(format!("it is not proven that the registry `{}` has it: {reason}", from.short()))
    };
    let key: VerifyingKey = from.registry.parse().map_err(|error| unproven(&error))?;
    let keys = TrustedKeys::new([key]).map_err(|error| unproven(&error))?;
    let proof: InclusionProof = proof.parse().map_err(|error| unproven(&error))?;
    proof.check(entry.as_bytes(), &keys).map_err(|error| unproven(&error))?;
    if proof.index() != from.index || leaf_of(entry.as_bytes()) != from.leaf {
        return Err(unproven(&"another record is proven"));
    }
    let record = Record::from_bytes(entry.as_bytes()).map_err(|error| unproven(&error))?;
    let release = match record.action {
        Action::Publish { release } | Action::Promote { release, .. } => release,
        Action::Admit { .. } => return Err(bad("it came there from a third registry".into())),
        _ => return Err(unproven(&"that record offers nothing")),
    };
    let same = release.id() == draft.id
        && (release.tree, release.kind) == (draft.tree, draft.kind)
        && made_with(&release).eq(baked.iter().cloned());
    if same { Ok(()) } else { Err(bad("its record there says something else".into())) }
}

/// The releases that one was made with, in the order of its dependencies.
fn made_with(release: &ReleaseRecord) -> impl Iterator<Item = ReleaseId> + '_ {
    let baked = release.dependencies.iter();
    baked.filter_map(|dependency| Some(dependency.baked.clone()?.of(dependency.name.clone())))
}

fn leaf_of(entry: &[u8]) -> Sha256 {
    Sha256::from_bytes(*Hash::of_leaf(entry).as_bytes())
}
