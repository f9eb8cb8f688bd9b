//! What a batch may be baked with: what the view offers and the batch does not take away, and what the batch has
//! published so far. A package is looked up once a batch, however many need it.

use std::collections::hash_map::{Entry, HashMap};
use std::collections::{BTreeMap, BTreeSet};

use weir_index::{Index, IndexError};
use weir_model::{Baked, BuildId, PackageName, Platform, Release, ReleaseId, Version};
use weir_rules::{Offer, Ranked, Standing, needed_first};
use weir_wire::{Draft, Intent};

use super::need_of;
use crate::error::SubmitError;

/// What there is to be baked, by package.
pub(super) struct Offers<'a> {
    index: &'a Index,
    /// What the batch takes away, sooner or later: nothing is baked with it.
    leaving: &'a BTreeSet<ReleaseId>,
    known: HashMap<PackageName, Ranked<Baked>>,
}

impl<'a> Offers<'a> {
    pub(super) fn new(index: &'a Index, leaving: &'a BTreeSet<ReleaseId>) -> Self {
        Self { index, leaving, known: HashMap::new() }
    }

    /// The releases of a package that are offered now.
    pub(super) fn of(&mut self, name: &PackageName) -> Result<&mut Ranked<Baked>, IndexError> {
        match self.known.entry(name.clone()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => {
                let candidates = self.index.candidates(name)?.map(|candidates| candidates.releases);
                let offered = candidates.into_iter().flatten().filter(|one| one.standing.is_offered());
                let baked = offered.map(|one| Baked {
                    version: one.version,
                    platform: one.platform,
                    revision: one.revision,
                    input_digest: one.input_digest,
                });
                let stays = |one: &Baked| !self.leaving.contains(&build_of(one).of(name.clone()));
                Ok(unknown.insert(baked.filter(stays).collect()))
            }
        }
    }

    /// From here on this release is offered, too.
    pub(super) fn add(&mut self, release: &Release) -> Result<(), IndexError> {
        let BuildId { version, platform, revision } = release.id.clone().build();
        let baked = Baked { version, platform, revision, input_digest: release.input_digest };
        self.of(&release.id.name)?.insert(baked);
        Ok(())
    }
}

fn build_of(baked: &Baked) -> BuildId {
    BuildId { version: baked.version.clone(), platform: baked.platform.clone(), revision: baked.revision }
}

/// A draft at its place in the batch.
struct Placed<'a> {
    draft: &'a Draft,
    place: usize,
}

impl Offer for Placed<'_> {
    fn version(&self) -> &Version {
        &self.draft.id.version
    }

    fn platform(&self) -> &Platform {
        &self.draft.id.platform
    }

    fn revision(&self) -> u32 {
        self.draft.id.revision
    }

    fn standing(&self) -> Standing {
        Standing::Offered
    }
}

/// The order in which to carry out a batch: as given, but a package after the one of the batch that it would be baked
/// with. What is `published` already is baked from the view, if it is offered.
pub(super) fn publication_order(
    intents: &[Intent],
    published: &BTreeSet<&ReleaseId>,
) -> Result<Vec<usize>, SubmitError> {
    let mut by_name: BTreeMap<&PackageName, Ranked<Placed<'_>>> = BTreeMap::new();
    for (place, intent) in intents.iter().enumerate() {
        if let Some(draft) = intent.draft()
            && !published.contains(&draft.id)
        {
            by_name.entry(&draft.id.name).or_default().insert(Placed { draft, place });
        }
    }
    let places: BTreeMap<&ReleaseId, usize> =
        by_name.values().flat_map(Ranked::iter).map(|placed| (&placed.draft.id, placed.place)).collect();
    let needs = |place: usize| -> Vec<usize> {
        let draft = match &intents[place] {
            Intent::Publish(draft) => draft,
            Intent::Promote(promotion) => return places_of(&promotion.baked, &places),
            Intent::Withdraw(_)
            | Intent::Claim { .. }
            | Intent::Advise(_)
            | Intent::Dismiss { .. }
            | Intent::Quota(_)
            | Intent::Retain(_)
            | Intent::Adopt { .. } => return Vec::new(),
        };
        let fixed = draft.dependencies.iter().filter(|wanted| need_of(wanted).is_baked(draft.kind));
        let best = fixed.filter_map(|wanted| {
            by_name.get(&wanted.name)?.best(&wanted.range, &draft.id.platform).map(|best| best.place)
        });
        best.collect()
    };
    needed_first(intents.len(), needs).map_err(|cycle| SubmitError::BakedCycle {
        cycle: cycle.into_iter().filter_map(|place| intents[place].published().cloned()).collect(),
    })
}

/// Where in the batch those of `wanted` are that it offers.
fn places_of(wanted: &[ReleaseId], places: &BTreeMap<&ReleaseId, usize>) -> Vec<usize> {
    wanted.iter().filter_map(|id| places.get(id).copied()).collect()
}
