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

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::rc::Rc;

use weir_index::{Index, State};
use weir_model::{Dependency, KindName, PackageName, Release, ReleaseId, Scope};

use crate::error::SubmitError;

/// Two releases of one package in the closure of a release, of a kind that can have only one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Diamond {
    /// How one is reached: from the release whose closure it is, through what that was built with.
    pub one: Vec<ReleaseId>,
    /// How the other is reached.
    pub other: Vec<ReleaseId>,
}

impl fmt::Display for Diamond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_path(f, &self.one)?;
        f.write_str(", but ")?;
        write_path(f, &self.other)
    }
}

fn write_path(f: &mut fmt::Formatter<'_>, path: &[ReleaseId]) -> fmt::Result {
    for (step, id) in path.iter().enumerate() {
        f.write_str(["", " was built with ", ", which was built with "][step.min(2)])?;
        write!(f, "`{id}`")?;
    }
    Ok(())
}

/// A release, as far as its closure is concerned.
#[derive(Debug)]
pub(crate) struct Node {
    kind: KindName,
    baked: Vec<(Scope, ReleaseId)>,
}

impl Node {
    pub(crate) fn of(release: &Release) -> Self {
        let baked = |dependency: &Dependency| Some((dependency.scope, dependency.baked_id()?));
        Self { kind: release.kind, baked: release.dependencies.iter().filter_map(baked).collect() }
    }

    /// What it was baked with, as seen from itself (`own`), or from something that needs it, which has no
    /// use for what only building it took.
    fn needs(&self, own: bool) -> impl Iterator<Item = &ReleaseId> {
        let counts = move |scope| scope == Scope::Run || (own && scope == Scope::Build);
        self.baked.iter().filter(move |(scope, _)| counts(*scope)).map(|(_, id)| id)
    }
}

/// Looks for a diamond in the closure of `root`: everything it runs or is built with, and what that runs
/// with. Only kinds that are unified can have one. What `node` does not know is passed over.
pub(crate) fn diamond<E>(
    root: &ReleaseId,
    mut node: impl FnMut(&ReleaseId) -> Result<Option<Rc<Node>>, E>,
) -> Result<Option<Diamond>, E> {
    let mut reached_from: BTreeMap<ReleaseId, Option<ReleaseId>> = BTreeMap::from([(root.clone(), None)]);
    let mut of_name: BTreeMap<PackageName, ReleaseId> = BTreeMap::new();
    // Breadth first, so that the paths which are shown are the shortest.
    let mut queue = VecDeque::from([root.clone()]);
    while let Some(id) = queue.pop_front() {
        let Some(found) = node(&id)? else { continue };
        if id == *root && !found.kind.is_unified() {
            return Ok(None);
        }
        if found.kind.is_unified()
            && let Some(first) = of_name.insert(id.name.clone(), id.clone())
        {
            return Ok(Some(Diamond { one: path(&reached_from, &first), other: path(&reached_from, &id) }));
        }
        for needed in found.needs(id == *root) {
            if !reached_from.contains_key(needed) {
                reached_from.insert(needed.clone(), Some(id.clone()));
                queue.push_back(needed.clone());
            }
        }
    }
    Ok(None)
}

fn path(reached_from: &BTreeMap<ReleaseId, Option<ReleaseId>>, to: &ReleaseId) -> Vec<ReleaseId> {
    let mut path: Vec<ReleaseId> =
        std::iter::successors(Some(to), |id| reached_from.get(*id)?.as_ref()).cloned().collect();
    path.reverse();
    path
}

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
        let mut nodes = BTreeMap::new();
        for release in self.published.values().flatten() {
            if let Some(diamond) = diamond(&release.id, |id| self.node(&mut nodes, id))? {
                return Err(SubmitError::Diamond { id: release.id.clone(), diamond: Box::new(diamond) });
            }
        }
        Ok(())
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

    /// A release of the batch or of the view; many closures have most of their releases in common.
    fn node(
        &self,
        known: &mut BTreeMap<ReleaseId, Option<Rc<Node>>>,
        id: &ReleaseId,
    ) -> Result<Option<Rc<Node>>, SubmitError> {
        if let Some(node) = known.get(id) {
            return Ok(node.clone());
        }
        let in_batch = self.published.get(&id.name).into_iter().flatten().find(|release| release.id == *id);
        let node = match in_batch {
            Some(release) => Some(Node::of(release)),
            None => {
                let there = self.index.release(id)?.filter(|view| view.state() != State::Removed);
                there.map(|view| Node::of(&view.release))
            }
        };
        let node = node.map(Rc::new);
        known.insert(id.clone(), node.clone());
        Ok(node)
    }
}
