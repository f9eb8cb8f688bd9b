//! Two releases of one package in what would be used together.
//!
//! Only a package of which two releases can be reached at all can be in a diamond, and most have one: so it is the
//! few *rivals* that are looked for in every closure. Each release has the set of those that it reaches, a bit each,
//! which is that of its needs together. Paths are looked for only once there is something to show.

use std::collections::{BTreeMap, VecDeque};

use weir_model::{PackageName, ReleaseId, Scope};

use super::PlanError;
use super::offers::Offers;
use super::resolved::{Resolved, Taken};

/// Refuses what would be built against two releases of one package.
///
/// What counts is what a registry counts: what a release itself is built and used with, and below that what
/// each needs to be used.
pub(super) fn check<E>(resolved: &[Resolved<'_>], offers: &Offers<'_>) -> Result<(), PlanError<E>> {
    let places: BTreeMap<&ReleaseId, usize> =
        resolved.iter().enumerate().map(|(place, release)| (&release.id, place)).collect();
    let needs = |id: &ReleaseId, own: bool| match places.get(id) {
        Some(place) => built_with(&resolved[*place], resolved, own),
        None => offers.used_by(id),
    };
    let roots = resolved.iter().map(|release| &release.id);
    let suspects = Reached::new(roots, needs).suspects();
    suspects.into_iter().try_for_each(|id| check_one(&id, needs))
}

fn built_with(release: &Resolved<'_>, resolved: &[Resolved<'_>], own: bool) -> Vec<ReleaseId> {
    let counts = release.needs.iter().filter(|(dependency, _)| own || dependency.scope == Scope::Run);
    let id = |taken: &Taken<'_>| match taken {
        Taken::Built(place) => resolved[*place].id.clone(),
        Taken::Offered(offered) => offered.id.clone(),
    };
    counts.map(|(_, taken)| id(taken)).collect()
}

/// All releases that can be reached from some, by number.
struct Reached {
    ids: Vec<ReleaseId>,
    /// What each needs to be used.
    runs: Vec<Vec<usize>>,
    /// What each of the first is built and used with: they are what is to be built.
    roots: Vec<Vec<usize>>,
}

impl Reached {
    fn new<'r>(
        roots: impl Iterator<Item = &'r ReleaseId>,
        needs: impl Fn(&ReleaseId, bool) -> Vec<ReleaseId>,
    ) -> Self {
        let mut ids: Vec<ReleaseId> = roots.cloned().collect();
        let mut numbers: BTreeMap<ReleaseId, usize> =
            ids.iter().enumerate().map(|(number, id)| (id.clone(), number)).collect();
        let mut number_all = |needed: Vec<ReleaseId>, ids: &mut Vec<ReleaseId>| -> Vec<usize> {
            let number = |id: ReleaseId| {
                *numbers.entry(id).or_insert_with_key(|id| {
                    ids.push(id.clone());
                    ids.len() - 1
                })
            };
            needed.into_iter().map(number).collect()
        };
        let mut owned = Vec::with_capacity(ids.len());
        for root in 0..ids.len() {
            owned.push(number_all(needs(&ids[root], true), &mut ids));
        }
        let mut runs = Vec::with_capacity(ids.len());
        // What is reached grows while it is looked through.
        while runs.len() < ids.len() {
            runs.push(number_all(needs(&ids[runs.len()], false), &mut ids));
        }
        Self { ids, runs, roots: owned }
    }

    /// Those that are to be built and reach two releases of one package, in their order.
    fn suspects(&self) -> Vec<ReleaseId> {
        let rivals = self.rivals();
        if rivals.is_empty() {
            return Vec::new();
        }
        let sets = self.sets(&rivals);
        let is_suspect = |root: usize| {
            let mut set = sets[root].clone();
            self.roots[root].iter().for_each(|needed| set.add_all(&sets[*needed]));
            let names: Vec<&PackageName> = set.bits().map(|bit| &self.ids[rivals[bit]].name).collect();
            names.windows(2).any(|pair| pair[0] == pair[1])
        };
        let suspects = (0..self.roots.len()).filter(|root| is_suspect(*root));
        suspects.map(|root| self.ids[root].clone()).collect()
    }

    /// The releases of packages of which there are several, those of one package beside each other.
    fn rivals(&self) -> Vec<usize> {
        let mut by_name: BTreeMap<&PackageName, Vec<usize>> = BTreeMap::new();
        for (number, id) in self.ids.iter().enumerate() {
            by_name.entry(&id.name).or_default().push(number);
        }
        by_name.into_values().filter(|releases| releases.len() > 1).flatten().collect()
    }

    /// Which rivals each release reaches by what is needed to use it.
    fn sets(&self, rivals: &[usize]) -> Vec<Set> {
        let mut sets = vec![Set::empty(rivals.len()); self.ids.len()];
        for (bit, rival) in rivals.iter().enumerate() {
            sets[*rival].add(bit);
        }
        for number in self.needed_first() {
            let mut set = std::mem::take(&mut sets[number]);
            self.runs[number].iter().for_each(|needed| set.add_all(&sets[*needed]));
            sets[number] = set;
        }
        sets
    }

    /// All of them, each after what it needs.
    fn needed_first(&self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.ids.len());
        let mut seen = vec![false; self.ids.len()];
        for start in 0..self.ids.len() {
            // A path with how many needs of each were visited: chains may be longer than a stack is deep.
            let mut path = Vec::new();
            if !std::mem::replace(&mut seen[start], true) {
                path.push((start, 0));
            }
            while let Some((number, visited)) = path.last_mut() {
                match self.runs[*number].get(*visited) {
                    None => {
                        order.push(*number);
                        path.pop();
                    }
                    Some(next) => {
                        *visited += 1;
                        if !std::mem::replace(&mut seen[*next], true) {
                            path.push((*next, 0));
                        }
                    }
                }
            }
        }
        order
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

fn check_one<E>(
    root: &ReleaseId,
    needs: impl Fn(&ReleaseId, bool) -> Vec<ReleaseId>,
) -> Result<(), PlanError<E>> {
    let mut reached_from: BTreeMap<ReleaseId, Option<ReleaseId>> = BTreeMap::from([(root.clone(), None)]);
    let mut of_name: BTreeMap<PackageName, ReleaseId> = BTreeMap::new();
    // Breadth first, so that the paths which are shown are the shortest.
    let mut queue = VecDeque::from([root.clone()]);
    while let Some(id) = queue.pop_front() {
        if let Some(first) = of_name.insert(id.name.clone(), id.clone()) {
            return Err(PlanError::Diamond {
                package: id.name.clone(),
                one: path(&reached_from, &first),
                other: path(&reached_from, &id),
            });
        }
        for needed in needs(&id, id == *root) {
            if !reached_from.contains_key(&needed) {
                reached_from.insert(needed.clone(), Some(id.clone()));
                queue.push_back(needed);
            }
        }
    }
    Ok(())
}

fn path(reached_from: &BTreeMap<ReleaseId, Option<ReleaseId>>, to: &ReleaseId) -> Vec<ReleaseId> {
    let mut path: Vec<ReleaseId> =
        std::iter::successors(Some(to), |id| reached_from.get(*id)?.as_ref()).cloned().collect();
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// What a release needs: to be used, and of what is built to be built. By number, each below its own.
    type Needs = Vec<(Vec<usize>, Vec<usize>)>;

    /// Releases of few packages in several versions.
    fn ids(versions: &[usize]) -> Vec<ReleaseId> {
        let id =
            |(number, package): (usize, &usize)| format!("base/p{package} {number}.0.0").parse().unwrap();
        versions.iter().enumerate().map(id).collect()
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
        ) {
            let ids = ids(&packages);
            let find = |id: &ReleaseId, own: bool| -> Vec<ReleaseId> {
                let at = ids.iter().position(|known| known == id).unwrap();
                let (run, build) = &needs[at];
                let all = run.iter().chain(if own { &**build } else { &[] });
                all.filter(|below| **below < at).map(|below| ids[*below].clone()).collect()
            };
            let roots: Vec<&ReleaseId> = ids.iter().rev().take(built).collect();
            let suspects = Reached::new(roots.iter().copied(), find).suspects();
            let walked = roots.iter().filter(|root| check_one::<Infallible>(root, find).is_err());
            prop_assert_eq!(suspects, walked.map(|root| (*root).clone()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_chain_may_be_longer_than_a_stack_is_deep() {
        let ids = ids(&(0..20_000).collect::<Vec<_>>());
        let twice: ReleaseId = "base/p0 7.0.0".parse().unwrap();
        let numbers: BTreeMap<&ReleaseId, usize> = ids.iter().enumerate().map(|(at, id)| (id, at)).collect();
        let find = |id: &ReleaseId, own: bool| match numbers.get(id) {
            Some(0) | None => Vec::new(),
            Some(at) if own => vec![ids[at - 1].clone(), twice.clone()],
            Some(at) => vec![ids[at - 1].clone()],
        };
        assert_eq!(Reached::new(ids.iter().take(1), find).suspects(), []);
        assert_eq!(Reached::new([&ids[19_999]].into_iter(), find).suspects(), [ids[19_999].clone()]);
    }
}
