//! Which other releases of a package are on this machine: what a delta can be applied to.

use std::collections::HashMap;

use weir_index::Index;
use weir_model::{ReleaseId, TreeDigest};
use weir_reach::{KnownRegistry, Session};
use weir_registry::Replica;

use crate::error::ProjectError;

/// From so many of them, the nearest, a delta is asked for.
const MOST: usize = 2;

/// What this machine remembers of the releases of registries. Nobody is asked.
pub(super) struct Bases<'a> {
    session: &'a Session,
    store: &'a weir_store::Session,
    replicas: HashMap<String, Option<Replica>>,
}

impl<'a> Bases<'a> {
    pub(super) fn new(session: &'a Session, store: &'a weir_store::Session) -> Self {
        Self { session, store, replicas: HashMap::new() }
    }

    /// The trees in the store that are other releases of a package of this registry, the nearest version first. Of a registry of which nothing is
    /// remembered nothing is known.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub(super) fn of(
        &mut self,
        known: &KnownRegistry,
        release: &ReleaseId,
    ) -> Result<Vec<TreeDigest>, ProjectError> {
        let replicas = self.session.home.replicas();
        let replica = self
            .replicas
            .entry(known.location.clone())
            .or_insert_with(|| Replica::offline(&replicas, &known.location, known.key.as_deref()).ok());
        match replica {
            Some(replica) => nearest(self.store, replica.index(), release),
            None => Ok(Vec::new()),
        }
    }
}

/// The same, of a registry that was connected.
pub(super) fn nearest(
    store: &weir_store::Session,
    index: &Index,
    release: &ReleaseId,
) -> Result<Vec<TreeDigest>, ProjectError> {
    // Without it the pack is fetched, and that says what is wrong with the index if it matters.
    let Ok(mut trees) = index.trees(&release.name, &release.platform) else { return Ok(Vec::new()) };
    trees.sort_unstable();
    let place = trees.partition_point(|(version, _)| *version < release.version);
    let mut near: Vec<(usize, TreeDigest)> =
        trees.iter().enumerate().map(|(at, (_, tree))| (at.abs_diff(place), *tree)).collect();
    near.sort_by_key(|(far, _)| *far);
    let mut bases = Vec::new();
    for (_, tree) in near {
        if bases.len() < MOST && !bases.contains(&tree) && store.tree(&tree)?.is_some() {
            bases.push(tree);
        }
    }
    Ok(bases)
}
