//! From the solver's tree to numbered steps, without recursion: a tree may be very deep.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pubgrub::{DerivationTree, Derived, External};

use crate::catalogue::PackageId;
use crate::ranks::RankSet;
use crate::unified::{NoReason, Proof};

/// How many facts are put in reading order. Ordering takes their square, and nobody reads more.
const MAX_ORDERED: usize = 256;

/// An edge of the proof: these releases of a package accept those of another.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Fact {
    pub(super) by: PackageId,
    pub(super) releases: RankSet,
    pub(super) target: PackageId,
    pub(super) accepts: RankSet,
}

/// A step of the flattened proof. Numbers are indices of earlier steps.
pub(super) enum Flat {
    Fact(Fact),
    So { from: Vec<usize>, terms: Vec<(PackageId, pubgrub::Term<RankSet>)> },
}

/// The whole proof: its steps, those that the failure follows from, and the package on which its last two branches meet.
pub(super) struct Flattened {
    pub(super) steps: Vec<Flat>,
    pub(super) last: Vec<usize>,
    pub(super) pivot: Option<PackageId>,
}

/// Facts that wait to be numbered, so that they can be put in reading order first, and numbered steps.
#[derive(Default, Clone)]
struct Pending {
    facts: Vec<Fact>,
    steps: Vec<usize>,
}

#[derive(Default)]
struct Flattener {
    steps: Vec<Flat>,
    numbered: HashMap<Fact, usize>,
    /// The number of the conclusion of each part that is used more than once.
    shared: HashMap<usize, usize>,
}

type Tree = DerivationTree<PackageId, RankSet, NoReason>;
type Part = Derived<PackageId, RankSet, NoReason>;

enum Task<'a> {
    Visit(&'a Tree),
    Join(&'a Part),
}

pub(super) fn flatten(proof: Proof) -> Flattened {
    let mut flattener = Flattener::default();
    let pivot = pivot(&proof);
    // What the project requires comes first, whatever the proof does with it.
    flattener.number(Pending { facts: requirements(&proof), steps: Vec::new() });
    let pending = flattener.run(&proof);
    let last = flattener.number(pending);
    dismantle(proof);
    Flattened { steps: flattener.steps, last, pivot }
}

impl Flattener {
    fn run(&mut self, proof: &Tree) -> Pending {
        let mut tasks = vec![Task::Visit(proof)];
        let mut results: Vec<Pending> = Vec::new();
        while let Some(task) = tasks.pop() {
            match task {
                Task::Visit(DerivationTree::External(external)) => results.push(Pending::of(external)),
                Task::Visit(DerivationTree::Derived(part)) => match self.known(part) {
                    Some(step) => results.push(Pending { facts: Vec::new(), steps: vec![step] }),
                    None => {
                        tasks.push(Task::Join(part));
                        tasks.push(Task::Visit(&part.cause2));
                        tasks.push(Task::Visit(&part.cause1));
                    }
                },
                Task::Join(part) => {
                    let second = results.pop().unwrap_or_default();
                    let first = results.pop().unwrap_or_default();
                    results.push(self.join(part, first, second));
                }
            }
        }
        results.pop().unwrap_or_default()
    }

    fn known(&self, part: &Part) -> Option<usize> {
        self.shared.get(&part.shared_id?).copied()
    }

    fn join(&mut self, part: &Part, mut first: Pending, mut second: Pending) -> Pending {
        if let (DerivationTree::Derived(one), DerivationTree::Derived(two)) = (&*part.cause1, &*part.cause2) {
            first = self.conclude(one, first);
            second = self.conclude(two, second);
        }
        first.facts.append(&mut second.facts);
        first.steps.append(&mut second.steps);
        match part.shared_id {
            Some(id) => {
                let concluded = self.conclude(part, first);
                if let [step] = concluded.steps[..] {
                    self.shared.insert(id, step);
                }
                concluded
            }
            None => first,
        }
    }

    /// Numbers what is pending and what it comes to, unless it is one step already.
    fn conclude(&mut self, part: &Part, pending: Pending) -> Pending {
        if pending.facts.is_empty() && pending.steps.len() == 1 {
            return pending;
        }
        let from = self.number(pending);
        if let [_] = from[..] {
            return Pending { facts: Vec::new(), steps: from };
        }
        let mut terms: Vec<_> = part
            .terms
            .iter()
            .filter(|(id, _)| **id != PackageId::ROOT)
            .map(|(id, term)| (*id, term.clone()))
            .collect();
        terms.sort_by_key(|(id, _)| *id);
        self.steps.push(Flat::So { from, terms });
        Pending { facts: Vec::new(), steps: vec![self.steps.len() - 1] }
    }

    fn number(&mut self, pending: Pending) -> Vec<usize> {
        let mut steps = pending.steps;
        for fact in in_reading_order(pending.facts) {
            let next = self.steps.len();
            let step = *self.numbered.entry(fact.clone()).or_insert(next);
            if step == next {
                self.steps.push(Flat::Fact(fact));
            }
            steps.push(step);
        }
        steps.sort_unstable();
        steps.dedup();
        steps
    }
}

impl Pending {
    fn of(external: &External<PackageId, RankSet, NoReason>) -> Self {
        let facts = match external {
            External::FromDependencyOf(by, releases, target, accepts) => {
                vec![Fact { by: *by, releases: releases.clone(), target: *target, accepts: accepts.clone() }]
            }
            // The root is always wanted, and sets of ranks hold only releases that exist.
            External::NotRoot(..) | External::NoVersions(..) | External::Custom(..) => Vec::new(),
        };
        Self { facts, steps: Vec::new() }
    }
}

/// The facts about the project itself, in the order in which its requirements were first seen.
fn requirements(proof: &Tree) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut seen = HashSet::new();
    let mut left = vec![proof];
    while let Some(tree) = left.pop() {
        match tree {
            DerivationTree::Derived(part) if part.shared_id.is_none_or(|id| seen.insert(id)) => {
                left.push(&part.cause1);
                left.push(&part.cause2);
            }
            DerivationTree::Derived(_) => {}
            DerivationTree::External(external) => {
                facts.extend(
                    Pending::of(external).facts.into_iter().filter(|fact| fact.by == PackageId::ROOT),
                );
            }
        }
    }
    facts.sort_by_key(|fact| fact.target);
    facts
}

/// Each fact followed by what the package it names needs, beginning with what no other fact names.
fn in_reading_order(facts: Vec<Fact>) -> Vec<Fact> {
    if facts.len() > MAX_ORDERED {
        return facts;
    }
    let mut left: Vec<Option<Fact>> = facts.into_iter().map(Some).collect();
    let mut ordered: Vec<Fact> = Vec::with_capacity(left.len());
    let mut following = vec![PackageId::ROOT];
    while ordered.len() < left.len() {
        let by_followed = following
            .last()
            .and_then(|id| left.iter().position(|fact| fact.as_ref().is_some_and(|fact| fact.by == *id)));
        let next = match by_followed {
            Some(next) => Some(next),
            None if following.pop().is_some() => None,
            None => first_in_line(&left),
        };
        if let Some(fact) = next.and_then(|index| left[index].take()) {
            following.push(fact.target);
            ordered.push(fact);
        }
    }
    ordered
}

/// The first fact about a package that no other fact names; in a cycle, the first of all.
fn first_in_line(left: &[Option<Fact>]) -> Option<usize> {
    let named = |id: PackageId| left.iter().flatten().any(|fact| fact.target == id);
    let first = left.iter().position(|fact| fact.as_ref().is_some_and(|fact| !named(fact.by)));
    first.or_else(|| left.iter().position(Option::is_some))
}

/// The package that both branches of the failure speak of, and the failure itself no longer.
fn pivot(proof: &Tree) -> Option<PackageId> {
    let DerivationTree::Derived(part) = proof else { return None };
    let speaks_of = |tree: &Tree, id: PackageId| match tree {
        DerivationTree::Derived(part) => part.terms.contains_key(&id),
        DerivationTree::External(External::FromDependencyOf(by, _, target, _)) => *by == id || *target == id,
        DerivationTree::External(_) => false,
    };
    let mut candidates: Vec<PackageId> = [&part.cause1, &part.cause2]
        .into_iter()
        .flat_map(|cause| match &**cause {
            DerivationTree::Derived(part) => part.terms.keys().copied().collect(),
            DerivationTree::External(External::FromDependencyOf(by, _, target, _)) => vec![*by, *target],
            DerivationTree::External(_) => Vec::new(),
        })
        .filter(|id| *id != PackageId::ROOT && !part.terms.contains_key(id))
        .collect();
    candidates.sort_unstable();
    candidates.into_iter().find(|id| speaks_of(&part.cause1, *id) && speaks_of(&part.cause2, *id))
}

/// Drops a tree without recursion.
fn dismantle(proof: Tree) {
    let mut left = vec![Arc::new(proof)];
    while let Some(tree) = left.pop() {
        if let Some(DerivationTree::Derived(part)) = Arc::into_inner(tree) {
            left.push(part.cause1);
            left.push(part.cause2);
        }
    }
}
