//! What policies may ask of a release beyond what its record says: how it differs from the one before it. Only the registry knows that
//! one, so nobody who publishes can say it; and it takes packs, so it is found out before a turn.

use std::collections::BTreeMap;

use weir_index::Index;
use weir_model::{KindName, ReleaseId, Version};
use weir_package::{Files, is_compared, version_facts};
use weir_rules::Standing;
use weir_tree::TreeError;
use weir_wire::{Batch, Intent};

use super::Registrar;
use crate::error::SubmitError;
use crate::ports::Object;

/// What is known of releases that are to be published, by which they are.
pub(crate) type Differences = BTreeMap<ReleaseId, Difference>;

/// How a release differs from the one before it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    /// The version before it when that was found out.
    pub(crate) before: Option<Version>,
    /// What its kind found out.
    pub(crate) facts: serde_json::Map<String, serde_json::Value>,
}

impl Registrar {
    /// Finds out how what `batch` publishes differs from what is there. A pack that is not held is not looked into.
    pub(super) fn differences(&self, batch: &Batch) -> Result<Differences, SubmitError> {
        let mut differences = Differences::new();
        for draft in batch.intents.iter().filter_map(Intent::draft).filter(|draft| is_compared(draft.kind)) {
            let before = before(self.view()?.index(), &draft.id, draft.kind)?;
            let open = |tree| {
                move || {
                    let pack = self.ports.objects.open(Object::Pack(tree), 0).map_err(std::io::Error::other);
                    let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
                    let pack = pack.and_then(|pack| pack.ok_or_else(missing));
                    pack.map_err(|source| TreeError::PackRead { source })
                }
            };
            let is_held = |tree| Ok::<_, SubmitError>(self.ports.objects.find(Object::Pack(tree))?.is_some());
            let (new, old) = (open(draft.tree), before.as_ref().map(|(_, tree)| open(*tree)));
            let files = |tree, open| Files { tree, open };
            let now = match is_held(draft.tree)? {
                true => Some(files(draft.tree, &new as _)),
                false => None,
            };
            let then = match (&before, &old) {
                (Some((_, tree)), Some(old)) if is_held(*tree)? => Some(files(*tree, old as _)),
                _ => None,
            };
            let version = before.map(|(version, _)| version);
            let facts = version_facts(draft.kind, &draft.id.version, version.as_ref(), now, then);
            let facts = facts.map_err(std::io::Error::other)?;
            differences.insert(draft.id.clone(), Difference { before: version, facts });
        }
        Ok(differences)
    }
}

/// The release before one: that of the highest version below it which may be used, and its tree.
pub(crate) fn before(
    index: &Index,
    id: &ReleaseId,
    kind: KindName,
) -> Result<Option<(Version, weir_model::TreeDigest)>, SubmitError> {
    let Some(package) = index.package(&id.name)? else { return Ok(None) };
    let usable = package.releases.into_iter().filter(|view| {
        matches!(view.standing(), Standing::Offered | Standing::Yanked)
            && view.release.kind == kind
            && view.release.id.version < id.version
    });
    let newest = usable.max_by(|one, other| one.release.id.version.cmp(&other.release.id.version));
    Ok(newest.map(|view| (view.release.id.version, view.release.tree)))
}
