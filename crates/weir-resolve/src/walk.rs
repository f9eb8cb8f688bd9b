//! From the roots down: which releases are reached, and what they require of unified packages.
//!
//! Isolated packages are chosen here, edge by edge: what is baked exactly, what is fluid by
//! preference or newest; what the project asks for twice, once. Unified packages are taken from the solver's selection, if it has them
//! already. A release is visited once, so a cycle through fluid edges ends where it began.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pubgrub::{Map, VersionSet as _};
use weir_rules::Standing;

use crate::catalogue::{Catalogue, CatalogueError, Demand, Need, Package, PackageId};
use crate::preferred::Preferred;
use crate::ranks::{Rank, RankSet};
use crate::request::Lock;
use crate::resolution::{Edge, Node, Resolution};
use crate::unified::{Constraint, Selection};
use crate::view::View;

/// A requirement of the project, ready to be resolved.
pub(crate) struct Root {
    pub(crate) id: PackageId,
    pub(crate) package: Arc<Package>,
    pub(crate) demand: Demand,
    pub(crate) accepts: RankSet,
}

/// Who asked for something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// A requirement of the project, by its index.
    Root(usize),
    /// A need of a release, both by their index.
    Need { node: usize, need: usize },
}

/// Who needs an isolated package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Asker {
    /// The project, whatever number of times it asks for it.
    Project(PackageId),
    /// A need of a release, by its index.
    Release { id: PackageId, rank: Rank, need: usize },
}

/// What was picked for needs of isolated packages, in place of what they prefer.
pub(crate) type Picks = HashMap<Asker, Rank>;

/// What is required of a unified package from outside the solver's own search.
pub(crate) struct Wanted {
    pub(crate) via: Via,
    pub(crate) constraint: Constraint,
}

/// A release that was reached.
pub(crate) struct Reached {
    pub(crate) id: PackageId,
    pub(crate) rank: Rank,
    pub(crate) package: Arc<Package>,
    pub(crate) needs: Arc<[Need]>,
    /// Who reached it first.
    pub(crate) via: Via,
    /// The index of the release chosen for a need, and the index of the need.
    edges: Vec<(usize, usize)>,
}

/// A need on the way from a unified release to what it demands.
pub(crate) struct Demanded {
    pub(crate) package: Arc<Package>,
    pub(crate) rank: Rank,
    /// The index of the need.
    pub(crate) need: usize,
}

/// A unified release, or an isolated one that it brings along.
#[derive(Clone)]
struct Brought {
    package: Arc<Package>,
    rank: Rank,
    /// Whose need it meets, as an index among those that were brought before, and which need.
    by: Option<(usize, usize)>,
}

/// A need of one of those that were brought.
struct NeedOf<'a> {
    brought: &'a [Brought],
    by: (usize, usize),
}

impl NeedOf<'_> {
    /// The needs that led to this one, and this one.
    fn way(&self) -> Vec<Demanded> {
        let link = |(index, need): &(usize, usize)| {
            let Brought { package, rank, .. } = self.brought[*index].clone();
            Demanded { package, rank, need: *need }
        };
        let up = std::iter::successors(Some(self.by), |(index, _)| self.brought[*index].by);
        let mut way: Vec<Demanded> = up.map(|by| link(&by)).collect();
        way.reverse();
        way
    }
}

/// Everything reached from the roots.
#[derive(Default)]
pub(crate) struct Graph {
    pub(crate) reached: Vec<Reached>,
    pub(crate) wanted: Vec<Wanted>,
    roots: Vec<(usize, usize)>,
    index: Map<(PackageId, Rank), usize>,
}

/// Why a walk ended early.
pub(crate) enum Stopped<E: std::error::Error + 'static> {
    /// Nothing of an isolated package would do.
    Unmet(Via, Box<Graph>),
    /// No release of an isolated package meets all that the project says of it, though each line alone could be met.
    Apart(PackageId),
    Failed(CatalogueError<E>),
}

impl<E: std::error::Error + 'static> From<CatalogueError<E>> for Stopped<E> {
    fn from(error: CatalogueError<E>) -> Self {
        Self::Failed(error)
    }
}

/// What the walk looks things up in.
pub(crate) struct Walker<'a, V> {
    pub(crate) catalogue: &'a Catalogue<V>,
    pub(crate) lock: Option<&'a Lock>,
    pub(crate) preferred: &'a Preferred<'a>,
    pub(crate) picks: Option<&'a Picks>,
    pub(crate) seen: &'a Seen,
}

/// What was noticed on the way.
#[derive(Default)]
pub(crate) struct Seen {
    /// For each unified package that was asked for, whether everyone who asks says that any release in range will do.
    fluid: RefCell<Map<PackageId, bool>>,
    /// Whether there was more than one release to choose from for a need of an isolated package.
    alternatives: Cell<bool>,
}

impl Seen {
    pub(crate) fn asked(&self, id: PackageId, fluid: bool) {
        let mut all = self.fluid.borrow_mut();
        let all = all.entry(id).or_insert(true);
        *all &= fluid;
    }

    pub(crate) fn had_alternatives(&self) -> bool {
        self.alternatives.get()
    }
}

impl<V> Clone for Walker<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Walker<'_, V> {}

impl<V: View> Walker<'_, V> {
    /// Follows every edge from `roots`; unified packages that `selection` lacks are only noted as wanted.
    pub(crate) fn walk(&self, roots: &[Root], selection: &Selection) -> Result<Graph, Stopped<V::Error>> {
        let mut graph = Graph::default();
        for (index, root) in roots.iter().enumerate() {
            let via = Via::Root(index);
            let rank = if root.package.is_unified() {
                self.seen.asked(root.id, root.demand.fluid);
                graph.wanted.push(Wanted { via, constraint: (root.id, root.accepts.clone()) });
                selection.get(&root.id).copied()
            } else {
                match self.choose_for_project(roots, root) {
                    None if root.accepts.is_empty() => return Err(Stopped::Unmet(via, Box::new(graph))),
                    None => return Err(Stopped::Apart(root.id)),
                    rank => rank,
                }
            };
            if let Some(rank) = rank {
                let to = self.reach(&mut graph, root.id, root.package.clone(), rank, via)?;
                graph.roots.push((to, index));
            }
        }
        let mut next = 0;
        while next < graph.reached.len() {
            self.follow(&mut graph, next, selection)?;
            next += 1;
        }
        Ok(graph)
    }

    /// Reaches what one release needs.
    fn follow(&self, graph: &mut Graph, node: usize, selection: &Selection) -> Result<(), Stopped<V::Error>> {
        let from = &graph.reached[node];
        let (from_id, from_package, from_rank) = (from.id, from.package.clone(), from.rank);
        let needs = from.needs.clone();
        for (index, need) in needs.iter().enumerate() {
            let via = Via::Need { node, need: index };
            let target = self.catalogue.package(need.package)?;
            let widened = || self.preferred.widen(need.package, &target, &need.demand, &need.accepts);
            let rank = if need.unified {
                if !from_package.is_unified() {
                    self.seen.asked(need.package, need.demand.fluid);
                    graph.wanted.push(Wanted { via, constraint: (need.package, widened()) });
                }
                selection.get(&need.package).copied()
            } else {
                let accepts = widened();
                let asker = Asker::Release { id: from_id, rank: from_rank, need: index };
                let from = Some((&*from_package, from_rank));
                let rank = self.choose(asker, from, need.package, &target, &need.demand, &accepts);
                if rank.is_none() {
                    return Err(Stopped::Unmet(via, Box::new(std::mem::take(graph))));
                }
                rank
            };
            if let Some(rank) = rank {
                let to = self.reach(graph, need.package, target, rank, via)?;
                graph.reached[node].edges.push((to, index));
            }
        }
        Ok(())
    }

    /// Calls `constrain` with everything that a unified release demands of unified packages: itself, and through the
    /// isolated releases that it brings along.
    pub(crate) fn each_constraint(
        &self,
        id: PackageId,
        rank: Rank,
        mut constrain: impl FnMut(PackageId, &RankSet),
    ) -> Result<(), CatalogueError<V::Error>> {
        self.each_demand(id, rank, |_, need, accepts| {
            let meets_itself = need.package == id && accepts.contains(&rank);
            if !meets_itself {
                constrain(need.package, accepts);
            }
        })
    }

    /// How a unified release comes to demand `accepts` of `target`: its need, then that of each isolated release on
    /// the way. Nothing if it does not.
    pub(crate) fn demanded(
        &self,
        id: PackageId,
        rank: Rank,
        target: PackageId,
        accepts: &RankSet,
    ) -> Result<Vec<Demanded>, CatalogueError<V::Error>> {
        let mut way = Vec::new();
        self.each_demand(id, rank, |asked, need, accepted| {
            if way.is_empty() && need.package == target && accepted == accepts {
                way = asked.way();
            }
        })?;
        Ok(way)
    }

    /// Tells `take` of each demand on a unified package, and on an isolated one of which nothing would do, and what is
    /// accepted.
    fn each_demand(
        &self,
        id: PackageId,
        rank: Rank,
        mut take: impl FnMut(NeedOf<'_>, &Need, &RankSet),
    ) -> Result<(), CatalogueError<V::Error>> {
        let mut brought = vec![Brought { package: self.catalogue.package(id)?, rank, by: None }];
        let mut met = HashSet::new();
        let mut next = 0;
        while next < brought.len() {
            let Brought { package, rank, .. } = brought[next].clone();
            for (index, need) in self.catalogue.needs(&package, rank)?.iter().enumerate() {
                let by = (next, index);
                if need.unified {
                    self.seen.asked(need.package, need.demand.fluid);
                }
                if need.unified && !self.preferred.speaks_of(need.package) {
                    take(NeedOf { brought: &brought, by }, need, &need.accepts);
                    continue;
                }
                let target = self.catalogue.package(need.package)?;
                let accepts = self.preferred.widen(need.package, &target, &need.demand, &need.accepts);
                let from = Some((&*package, rank));
                let chosen = match need.unified {
                    true => None,
                    false => self.prefer(from, need.package, &target, &need.demand, &accepts),
                };
                match chosen {
                    None => take(NeedOf { brought: &brought, by }, need, &accepts),
                    Some(rank) if met.insert((need.package, rank)) => {
                        brought.push(Brought { package: target, rank, by: Some(by) });
                    }
                    Some(_) => {}
                }
            }
            next += 1;
        }
        Ok(())
    }

    fn reach(
        &self,
        graph: &mut Graph,
        id: PackageId,
        package: Arc<Package>,
        rank: Rank,
        via: Via,
    ) -> Result<usize, CatalogueError<V::Error>> {
        if let Some(index) = graph.index.get(&(id, rank)) {
            return Ok(*index);
        }
        let needs = self.catalogue.needs(&package, rank)?;
        let edges = Vec::with_capacity(needs.len());
        graph.reached.push(Reached { id, rank, package, needs, via, edges });
        graph.index.insert((id, rank), graph.reached.len() - 1);
        Ok(graph.reached.len() - 1)
    }

    /// Chooses one release of an isolated package for all that the project says of it.
    fn choose_for_project(&self, roots: &[Root], root: &Root) -> Option<Rank> {
        let mut same = roots.iter().filter(|other| other.id == root.id);
        let accepts = common(same.clone());
        let demand = &same.next()?.demand;
        self.choose(Asker::Project(root.id), None, root.id, &root.package, demand, &accepts)
    }

    /// The release of an isolated package for one need: what was picked for it, or what it prefers.
    fn choose(
        &self,
        asker: Asker,
        from: Option<(&Package, Rank)>,
        id: PackageId,
        package: &Package,
        demand: &Demand,
        accepts: &RankSet,
    ) -> Option<Rank> {
        let picked = self.picks.and_then(|picks| picks.get(&asker)).copied();
        picked.or_else(|| self.prefer(from, id, package, demand, accepts))
    }

    /// The release of a unified package to take of a set: what the lock prefers, what is here if that will do, or the
    /// newest.
    pub(crate) fn choose_unified(
        &self,
        id: PackageId,
        set: &RankSet,
    ) -> Result<Option<Rank>, CatalogueError<V::Error>> {
        if id == PackageId::ROOT {
            return Ok(set.highest());
        }
        let fluid = self.seen.fluid.borrow().get(&id).copied().unwrap_or_default();
        let package = self.catalogue.package(id)?;
        Ok(self.best(id, &package, fluid, set))
    }

    fn best(&self, id: PackageId, package: &Package, fluid: bool, set: &RankSet) -> Option<Rank> {
        let locked = self.preferred.locked(id, package, set);
        let here = || self.catalogue.here_first(package, fluid)?.intersection(set).highest();
        locked.or_else(here).or_else(|| set.highest())
    }

    /// The release of an isolated package that one need prefers of what it accepts.
    pub(crate) fn prefer(
        &self,
        from: Option<(&Package, Rank)>,
        id: PackageId,
        package: &Package,
        demand: &Demand,
        accepts: &RankSet,
    ) -> Option<Rank> {
        if accepts.count() > 1 {
            self.seen.alternatives.set(true);
        }
        let in_set = |rank: &Rank| accepts.contains(rank);
        if let Some(baked) = &demand.baked {
            let exact = package.rank_of_baked(baked).filter(in_set);
            return exact.or_else(|| accepts.highest());
        }
        let locked = self.lock.and_then(|lock| {
            let from = from.map(|(package, rank)| package.id(rank));
            lock.edge(from, &package.name, &demand.range)
        });
        let locked = locked.and_then(|locked| package.rank_of(locked)).filter(in_set);
        locked.or_else(|| self.best(id, package, demand.fluid, accepts))
    }
}

/// What several lines of the project accept together.
pub(crate) fn common<'r>(roots: impl Iterator<Item = &'r Root>) -> RankSet {
    roots.fold(RankSet::full(), |all, root| all.intersection(&root.accepts))
}

impl Graph {
    /// What is required of unified packages, each once.
    pub(crate) fn constraints(&self) -> Vec<Constraint> {
        let mut constraints: Vec<Constraint> = Vec::new();
        for wanted in &self.wanted {
            if !constraints.contains(&wanted.constraint) {
                constraints.push(wanted.constraint.clone());
            }
        }
        constraints
    }

    /// The releases as plain data, in order.
    pub(crate) fn into_resolution<V: View>(self, catalogue: &Catalogue<V>, roots: &[Root]) -> Resolution {
        let mut nodes: Vec<(usize, Node)> = self
            .reached
            .iter()
            .enumerate()
            .map(|(index, reached)| {
                let candidate = &reached.package.ranked[reached.rank as usize].candidate;
                let edges = reached
                    .edges
                    .iter()
                    .map(|(to, need)| {
                        let demand = &reached.needs[*need].demand;
                        Edge { to: *to, fluid: demand.baked.is_none().then(|| demand.range.clone()) }
                    })
                    .collect();
                let node = Node {
                    id: reached.package.id(reached.rank),
                    kind: reached.package.kind.unwrap_or_default(),
                    input_digest: candidate.input_digest,
                    source: catalogue.source(&reached.package, reached.rank),
                    yanked: candidate.standing == Standing::Yanked,
                    edges,
                };
                (index, node)
            })
            .collect();
        nodes.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id).then_with(|| a.source.cmp(&b.source)));
        let mut place = vec![0; nodes.len()];
        for (new, (old, _)) in nodes.iter().enumerate() {
            place[*old] = new;
        }
        let mut nodes: Vec<Node> = nodes.into_iter().map(|(_, node)| node).collect();
        for edge in nodes.iter_mut().flat_map(|node| &mut node.edges) {
            edge.to = place[edge.to];
        }
        let roots = self
            .roots
            .iter()
            .map(|(to, index)| Edge { to: place[*to], fluid: Some(roots[*index].demand.range.clone()) })
            .collect();
        Resolution { roots, nodes }
    }

    /// The needs that led from a root to `via`, the root first.
    pub(crate) fn chain(&self, via: Via) -> Vec<Via> {
        let mut chain = vec![via];
        let mut current = via;
        while let Via::Need { node, .. } = current {
            current = self.reached[node].via;
            chain.push(current);
        }
        chain.reverse();
        chain
    }
}
