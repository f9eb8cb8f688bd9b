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
use weir_model::{PackageName, Release, ReleaseId};
use weir_rules::Standing;
use weir_rules::diamond::{Closures, Node};

use crate::error::SubmitError;

/// A registry as a batch would leave it.
pub(crate) struct After<'a> {
    pub(crate) index: &'a Index,
    /// What the batch takes away.
    pub(crate) leaving: &'a BTreeSet<ReleaseId>,
    /// What it offers.
    pub(crate) published: &'a BTreeMap<PackageName, Vec<Release>>,
}

impl After<'_> {
    /// Refuses a batch that would break the closed world.
    pub(crate) fn check(&self) -> Result<(), SubmitError> {
        for leaving in self.leaving {
            self.check_dependents(leaving)?;
        }
        let published = self.published.values().flatten().map(|release| &release.id);
        match Closures::of(published, |id| self.node(id))?.diamonds().next() {
            Some((id, diamond)) => Err(SubmitError::Diamond { id: id.clone(), diamond: Box::new(diamond) }),
            None => Ok(()),
        }
    }

    /// Those further away need one that needs it: looking one step far is enough.
    fn check_dependents(&self, leaving: &ReleaseId) -> Result<(), SubmitError> {
        let mut broken = Vec::new();
        for dependent in self.index.dependents(&leaving.name)? {
            let needs_it = dependent.dependency.baked_id().is_some_and(|baked| baked == *leaving);
            if needs_it && !self.leaving.contains(&dependent.id) {
                broken.push(dependent.id);
            }
        }
        if broken.is_empty() {
            return Ok(());
        }
        Err(SubmitError::WouldBreak { id: leaving.clone(), dependents: broken })
    }

    /// A release of the batch or of the view.
    fn node(&self, id: &ReleaseId) -> Result<Option<Node>, SubmitError> {
        let in_batch = self.published.get(&id.name).into_iter().flatten().find(|release| release.id == *id);
        if let Some(release) = in_batch {
            return Ok(Some(release.into()));
        }
        let there = self.index.release(id)?.filter(|view| view.standing() != Standing::Removed);
        Ok(there.map(|view| (&view.release).into()))
    }
}
