//! The closed world: what was built with something is there only together with it, and what is used
//! together was built with the same.
//!
//! A release never changes, and neither does what it was baked with. So a batch can break the world in
//! two ways only: by taking away what something that stays was built with, or by offering something whose
//! closure holds two releases of one package. The first is looked for among the dependents of what
//! leaves, the second in the closures of what is new: what a batch costs follows from what it changes, not
//! from how much the registry holds.
//!
//! What is quarantined still counts as there: withdrawing it at once matters more, and it may come back.

use std::collections::{BTreeMap, BTreeSet};

use weir_index::Index;
use weir_model::{Release, ReleaseId};
use weir_rules::Standing;
use weir_rules::diamond::{Closures, Node};

use crate::error::SubmitError;

/// A registry as a batch would leave it.
pub(crate) struct After<'a> {
    pub(crate) index: &'a Index,
    /// What the batch takes away.
    pub(crate) leaving: &'a BTreeSet<ReleaseId>,
    /// What it offers.
    pub(crate) published: &'a BTreeMap<ReleaseId, Release>,
}

impl After<'_> {
    /// Refuses a batch that would break the closed world.
    pub(crate) fn check(&self) -> Result<(), SubmitError> {
        let leaving: Vec<&ReleaseId> = self.leaving.iter().collect();
        for of_one_package in leaving.chunk_by(|a, b| a.name == b.name) {
            self.check_dependents(of_one_package)?;
        }
        match Closures::of(self.published.keys(), |id| self.node(id))?.diamonds().next() {
            Some((id, diamond)) => Err(SubmitError::Diamond { id: id.clone(), diamond: Box::new(diamond) }),
            None => Ok(()),
        }
    }

    /// Those further away need one that needs it: looking one step far is enough.
    fn check_dependents(&self, of_one_package: &[&ReleaseId]) -> Result<(), SubmitError> {
        let Some(first) = of_one_package.first() else { return Ok(()) };
        let mut broken: BTreeMap<ReleaseId, Vec<ReleaseId>> = BTreeMap::new();
        for dependent in self.index.dependents(&first.name)? {
            if let Some(baked) = dependent.dependency.baked_id()
                && self.leaving.contains(&baked)
                && !self.leaving.contains(&dependent.id)
            {
                broken.entry(baked).or_default().push(dependent.id);
            }
        }
        match broken.pop_first() {
            Some((id, dependents)) => Err(SubmitError::WouldBreak { id, dependents }),
            None => Ok(()),
        }
    }

    /// A release of the batch or of the view.
    fn node(&self, id: &ReleaseId) -> Result<Option<Node>, SubmitError> {
        if let Some(release) = self.published.get(id) {
            return Ok(Some(release.into()));
        }
        let there = self.index.release(id)?.filter(|view| view.standing() != Standing::Removed);
        Ok(there.map(|view| (&view.release).into()))
    }
}
