//! Diamonds: two releases of one package in a closure that may hold one only.
//!
//! What counts in the closure of a release is what it runs or is built with itself, and below that what each needs to
//! run: what only building a dependency took is of no use to who needs it.
//!
//! Only a package of which two releases can be reached at all can be in a diamond, and most have one: so it is the few
//! *rivals* that are looked for in every closure. Each release has the set of those that it reaches, a bit each, which
//! is that of its needs together. Paths are looked for only once there is something to show. What looking costs
//! follows from how much can be reached, and not from how many closures it is part of.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;

use serde::Serialize;
use weir_model::{Dependency, KindName, PackageName, Release, ReleaseId, Scope};

use crate::order::needed_first;

/// How many rivals are looked for at once: it bounds the memory that their sets take, 128 bytes a release.
const RIVALS_AT_ONCE: usize = 1024;

/// Two releases of one package in the closure of a release, of a kind that can have only one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone)]
pub struct Node {
    /// What sort of package it is.
    pub kind: KindName,
    /// What it was built with, and what each is needed for.
    pub baked: Vec<(Scope, ReleaseId)>,
}

impl From<&Release> for Node {
    fn from(release: &Release) -> Self {
        Self { kind: release.kind, baked: baked(&release.dependencies).collect() }
    }
}

/// What dependencies are fixed to, and what each is needed for.
pub fn baked(dependencies: &[Dependency]) -> impl Iterator<Item = (Scope, ReleaseId)> {
    dependencies.iter().filter_map(|dependency| Some((dependency.scope, dependency.baked_id()?)))
}

/// Everything that can be reached from some releases by what they were built with.
#[derive(Debug, Default)]
pub struct Closures {
    ids: Vec<ReleaseId>,
    kinds: Vec<Option<KindName>>,
    /// What each needs to run, by number.
    runs: Vec<Vec<usize>>,
    /// What each of the first is built and run with: they are the roots.
    roots: Vec<Vec<usize>>,
}

impl Closures {
    /// Follows what `roots` were built with. `node` tells of each release once; what it does not know is passed over.
    ///
    /// # Errors
    ///
    /// When `node` fails.
    pub fn of<'r, E>(
        roots: impl IntoIterator<Item = &'r ReleaseId>,
        mut node: impl FnMut(&ReleaseId) -> Result<Option<Node>, E>,
    ) -> Result<Self, E> {
        let mut numbers: HashMap<ReleaseId, usize> = HashMap::new();
        let mut closures = Self::default();
        for root in roots {
            closures.number(&mut numbers, root);
        }
        let count = closures.ids.len();
        // What is reached grows while it is looked through.
        while closures.runs.len() < closures.ids.len() {
            let at = closures.runs.len();
            let found = node(&closures.ids[at])?;
            closures.kinds.push(found.as_ref().map(|found| found.kind));
            let baked = found.map(|found| found.baked).unwrap_or_default();
            let needed_to = |scopes: &[Scope], closures: &mut Self, numbers: &mut HashMap<_, _>| {
                let counts = baked.iter().filter(|(scope, _)| scopes.contains(scope));
                counts.map(|(_, id)| closures.number(numbers, id)).collect::<Vec<usize>>()
            };
            if at < count {
                let own = needed_to(&[Scope::Run, Scope::Build], &mut closures, &mut numbers);
                closures.roots.push(own);
            }
            let runs = needed_to(&[Scope::Run], &mut closures, &mut numbers);
            closures.runs.push(runs);
        }
        Ok(closures)
    }

    fn number(&mut self, numbers: &mut HashMap<ReleaseId, usize>, id: &ReleaseId) -> usize {
        if let Some(number) = numbers.get(id) {
            return *number;
        }
        self.ids.push(id.clone());
        numbers.insert(id.clone(), self.ids.len() - 1);
        self.ids.len() - 1
    }

    /// Each root whose closure holds two releases of one package, in their order, with how they are reached.
    pub fn diamonds(&self) -> impl Iterator<Item = (&ReleaseId, Diamond)> {
        let suspects = self.suspects().into_iter();
        suspects.filter_map(|root| Some((&self.ids[root], self.diamond(root)?)))
    }

    fn is_unified(&self, number: usize) -> bool {
        self.kinds[number].is_some_and(KindName::is_unified)
    }

    /// The roots that reach two releases of one package.
    fn suspects(&self) -> Vec<usize> {
        let roots = (0..self.roots.len()).filter(|root| self.is_unified(*root));
        // What was built with itself cannot be put in order; a path is then looked for from every root.
        let Ok(order) = needed_first(self.ids.len(), |number| self.runs[number].iter().copied()) else {
            return roots.collect();
        };
        let mut found = vec![false; self.roots.len()];
        for rivals in self.rivals() {
            let sets = self.sets(&rivals, &order);
            for root in roots.clone() {
                found[root] |= self.meets_rivals(root, &rivals, &sets);
            }
        }
        roots.filter(|root| found[*root]).collect()
    }

    /// The releases of packages of which there are several, in portions; those of one package beside each other in
    /// one portion.
    fn rivals(&self) -> Vec<Vec<usize>> {
        let mut by_name: BTreeMap<&PackageName, Vec<usize>> = BTreeMap::new();
        for number in (0..self.ids.len()).filter(|number| self.is_unified(*number)) {
            by_name.entry(&self.ids[number].name).or_default().push(number);
        }
        let mut portions: Vec<Vec<usize>> = Vec::new();
        for releases in by_name.into_values().filter(|releases| releases.len() > 1) {
            match portions.last_mut() {
                Some(last) if last.len() + releases.len() <= RIVALS_AT_ONCE => last.extend(releases),
                _ => portions.push(releases),
            }
        }
        portions
    }

    /// Which rivals each release reaches by what is needed to run it.
    fn sets(&self, rivals: &[usize], order: &[usize]) -> Vec<Set> {
        let mut sets = vec![Set::empty(rivals.len()); self.ids.len()];
        for (bit, rival) in rivals.iter().enumerate() {
            sets[*rival].add(bit);
        }
        for number in order {
            let mut set = std::mem::take(&mut sets[*number]);
            self.runs[*number].iter().for_each(|needed| set.add_all(&sets[*needed]));
            sets[*number] = set;
        }
        sets
    }

    fn meets_rivals(&self, root: usize, rivals: &[usize], sets: &[Set]) -> bool {
        let mut set = sets[root].clone();
        self.roots[root].iter().for_each(|needed| set.add_all(&sets[*needed]));
        let names: Vec<&PackageName> = set.bits().map(|bit| &self.ids[rivals[bit]].name).collect();
        names.windows(2).any(|pair| pair[0] == pair[1])
    }

    /// How two releases of one package are reached from a root, if they are.
    fn diamond(&self, root: usize) -> Option<Diamond> {
        let mut reached_from: HashMap<usize, Option<usize>> = HashMap::from([(root, None)]);
        let mut of_name: HashMap<&PackageName, usize> = HashMap::new();
        // Breadth first, so that the paths which are shown are the shortest.
        let mut queue = VecDeque::from([root]);
        while let Some(number) = queue.pop_front() {
            if self.is_unified(number)
                && let Some(first) = of_name.insert(&self.ids[number].name, number)
            {
                let path = |to| self.path(&reached_from, to);
                return Some(Diamond { one: path(first), other: path(number) });
            }
            let needs = if number == root { &self.roots[root] } else { &self.runs[number] };
            for needed in needs {
                if !reached_from.contains_key(needed) {
                    reached_from.insert(*needed, Some(number));
                    queue.push_back(*needed);
                }
            }
        }
        None
    }

    fn path(&self, reached_from: &HashMap<usize, Option<usize>>, to: usize) -> Vec<ReleaseId> {
        let up = std::iter::successors(Some(to), |number| *reached_from.get(number)?);
        let mut path: Vec<ReleaseId> = up.map(|number| self.ids[number].clone()).collect();
        path.reverse();
        path
    }
}

/// A set of small numbers, a bit each.
#[derive(Clone, Default)]
struct Set(Vec<u64>);

impl Set {
    fn empty(most: usize) -> Self {
        Self(vec![0; most.div_ceil(64)])
    }

    fn add(&mut self, bit: usize) {
        self.0[bit / 64] |= 1 << (bit % 64);
    }

    fn add_all(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, more)| *word |= more);
    }

    /// What is in it, in order.
    fn bits(&self) -> impl Iterator<Item = usize> {
        let words = self.0.iter().enumerate().filter(|(_, word)| **word != 0);
        words.flat_map(|(at, word)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 64 + bit)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// What a release needs: to run, and to be built. By number, each below its own.
    type Needs = Vec<(Vec<usize>, Vec<usize>)>;

    /// Releases of few packages in several versions.
    fn ids(versions: &[usize]) -> Vec<ReleaseId> {
        let id =
            |(number, package): (usize, &usize)| format!("base/p{package} {number}.0.0").parse().unwrap();
        versions.iter().enumerate().map(id).collect()
    }

    fn closures(roots: &[ReleaseId], node: impl Fn(&ReleaseId) -> Option<Node>) -> Closures {
        let Ok(closures) = Closures::of(roots, |id| Ok::<_, Infallible>(node(id)));
        closures
    }

    proptest! {
        #[test]
        fn those_are_suspects_whose_closure_holds_two_releases_of_a_package(
            (packages, needs) in (1..14_usize).prop_flat_map(|count| {
                let below = || prop::collection::vec(0..count, 0..3);
                let needs: BoxedStrategy<Needs> = prop::collection::vec((below(), below()), count).boxed();
                (prop::collection::vec(0..6_usize, count), needs)
            }),
            built in 1..6_usize,
            isolated in 0..20_usize,
        ) {
            let ids = ids(&packages);
            let node = |id: &ReleaseId| {
                let at = ids.iter().position(|known| known == id)?;
                let of = |scope, needs: &[usize]| {
                    let below = needs.iter().filter(|below| **below < at);
                    below.map(|below| (scope, ids[*below].clone())).collect::<Vec<_>>()
                };
                let (run, build) = &needs[at];
                let kind = if at == isolated { KindName::Bash } else { KindName::Native };
                Some(Node { kind, baked: [of(Scope::Run, run), of(Scope::Build, build)].concat() })
            };
            let roots: Vec<ReleaseId> = ids.iter().rev().take(built).cloned().collect();
            let closures = closures(&roots, node);
            let walked: Vec<usize> = (0..closures.roots.len())
                .filter(|root| closures.is_unified(*root) && closures.diamond(*root).is_some())
                .collect();
            prop_assert_eq!(closures.suspects(), walked);
        }
    }

    #[test]
    fn a_diamond_is_shown_by_the_shortest_ways_to_it() {
        let id = |text: &str| -> ReleaseId { text.parse().unwrap() };
        let node = |of: &ReleaseId| {
            let below: &[&str] = match of.to_string().as_str() {
                "t/app 1.0.0" => &["t/one 1.0.0", "t/two 1.0.0"],
                "t/one 1.0.0" => &["t/z 1.0.0"],
                "t/two 1.0.0" => &["t/z 2.0.0"],
                _ => &[],
            };
            let baked = below.iter().map(|text| (Scope::Run, id(text))).collect();
            Some(Node { kind: KindName::Native, baked })
        };
        let closures = closures(&[id("t/app 1.0.0"), id("t/one 1.0.0")], node);
        let found: Vec<(&ReleaseId, Diamond)> = closures.diamonds().collect();
        let [(root, diamond)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(root.to_string(), "t/app 1.0.0");
        assert_eq!(
            diamond.to_string(),
            "`t/app 1.0.0` was built with `t/one 1.0.0`, which was built with `t/z 1.0.0`, but `t/app 1.0.0` was \
             built with `t/two 1.0.0`, which was built with `t/z 2.0.0`"
        );
    }

    #[test]
    fn a_chain_may_be_longer_than_a_stack_is_deep_and_rivals_more_than_are_looked_for_at_once() {
        let ids = ids(&(0..20_000).map(|number| number / 2).collect::<Vec<_>>());
        let numbers: BTreeMap<&ReleaseId, usize> = ids.iter().enumerate().map(|(at, id)| (id, at)).collect();
        let chain = |by: usize| {
            let (ids, numbers) = (&ids, &numbers);
            move |id: &ReleaseId| {
                let below = numbers[id].checked_sub(by).map(|below| (Scope::Run, ids[below].clone()));
                Some(Node { kind: KindName::Native, baked: below.into_iter().collect() })
            }
        };
        // Every second one, so each package once; then every one, so each package twice.
        assert_eq!(closures(&ids[19_998..], chain(2)).suspects(), Vec::<usize>::new());
        assert_eq!(closures(&ids[19_998..], chain(1)).suspects(), vec![0, 1]);
    }
}
