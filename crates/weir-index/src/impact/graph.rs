//! The part of the graph of releases that is reached so far, and who needs each package in it.

use std::collections::{HashMap, VecDeque};

use weir_model::{Baked, Dependency, KindName, PackageName, Range, ReleaseId, Scope};
use weir_rules::{Offer as _, Standing, newest};

use super::ReachedPackage;
use crate::candidates::{Candidate, NeedLists};
use crate::error::IndexError;
use crate::index::Index;

/// A release, by its package and its place among the releases of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node {
    package: u32,
    place: u32,
}

/// How a release was reached.
#[derive(Debug, Clone, Copy)]
struct Reached {
    /// By which of those it needs; nothing for those that were asked about.
    through: Option<Node>,
    /// Whether each on the way was baked with the next.
    sure: bool,
}

/// A package of which something is reached, or that needs one.
struct Package {
    name: PackageName,
    kind: KindName,
    /// Newest first.
    releases: Vec<Candidate>,
    reached: Vec<Option<Reached>>,
    /// What its releases need, each list with the releases that have it.
    lists: NeedLists,
    /// Who needs it; known once something of it is reached.
    needed: Option<Needed>,
}

/// Who needs a package.
#[derive(Default)]
struct Needed {
    /// Those that were baked with a release of it.
    baked: HashMap<u32, Vec<Node>>,
    /// Those that take what their range admits; who is reached already is not looked for again.
    ranges: Vec<(Range, Vec<Node>)>,
}

/// The part of the graph that was looked at.
pub(super) struct Graph<'index> {
    index: &'index Index,
    packages: Vec<Package>,
    places: HashMap<PackageName, u32>,
    queue: VecDeque<Node>,
    /// How many more releases may be looked at.
    left: usize,
    complete: bool,
}

impl<'index> Graph<'index> {
    pub(super) fn new(index: &'index Index, most_releases: usize) -> Self {
        Self {
            index,
            packages: Vec::new(),
            places: HashMap::new(),
            queue: VecDeque::new(),
            left: most_releases,
            complete: true,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Begins at the releases of a package that are `meant`; gives them.
    pub(super) fn begin(
        &mut self,
        name: &PackageName,
        meant: impl Fn(&Candidate) -> bool,
    ) -> Result<Vec<ReleaseId>, IndexError> {
        let Some(place) = self.package(name)? else { return Ok(Vec::new()) };
        let package = &mut self.packages[place as usize];
        let mut of = Vec::new();
        for (at, candidate) in (0..).zip(&package.releases) {
            if meant(candidate) {
                package.reached[at as usize] = Some(Reached { through: None, sure: true });
                self.queue.push_back(Node { package: place, place: at });
                of.push(candidate.id(name));
            }
        }
        Ok(of)
    }

    /// Goes on to all that is reached: first by what was baked, so that what is sure is told as sure, then by ranges.
    pub(super) fn walk(&mut self) -> Result<(), IndexError> {
        let mut surely = Vec::new();
        while let Some(node) = self.queue.pop_front() {
            surely.push(node);
            self.step_by_baked(node, true)?;
        }
        self.queue.extend(surely);
        while let Some(node) = self.queue.pop_front() {
            self.step_by_baked(node, false)?;
            self.step_by_ranges(node)?;
        }
        Ok(())
    }

    fn step_by_baked(&mut self, from: Node, sure: bool) -> Result<(), IndexError> {
        let users = self.needed(from.package)?.baked.get(&from.place).cloned().unwrap_or_default();
        for user in users {
            self.reach(user, Reached { through: Some(from), sure });
        }
        Ok(())
    }

    fn step_by_ranges(&mut self, from: Node) -> Result<(), IndexError> {
        let mut ranges = std::mem::take(&mut self.needed(from.package)?.ranges);
        let candidate = &self.packages[from.package as usize].releases[from.place as usize];
        let (version, platform) = (candidate.version.clone(), candidate.platform.clone());
        for (range, users) in &mut ranges {
            if !range.contains(&version) {
                continue;
            }
            users.retain(|user| {
                let wanted = self.release(*user).platform();
                let fits = wanted.is_any() || platform.serves(wanted);
                if fits {
                    self.reach(*user, Reached { through: Some(from), sure: false });
                }
                !fits
            });
        }
        ranges.retain(|(_, users)| !users.is_empty());
        self.needed(from.package)?.ranges = ranges;
        Ok(())
    }

    fn reach(&mut self, node: Node, how: Reached) {
        let reached = &mut self.packages[node.package as usize].reached[node.place as usize];
        if reached.is_none() {
            *reached = Some(how);
            self.queue.push_back(node);
        }
    }

    fn release(&self, node: Node) -> &Candidate {
        &self.packages[node.package as usize].releases[node.place as usize]
    }

    /// Who needs a package. Found out when something of it is reached.
    fn needed(&mut self, place: u32) -> Result<&mut Needed, IndexError> {
        if self.packages[place as usize].needed.is_none() {
            let name = self.packages[place as usize].name.clone();
            let needed = self.find_needed(place, &name)?;
            self.packages[place as usize].needed = Some(needed);
        }
        Ok(self.packages[place as usize].needed.get_or_insert_default())
    }

    fn find_needed(&mut self, place: u32, name: &PackageName) -> Result<Needed, IndexError> {
        let mut needed = Needed::default();
        let mut ranges: HashMap<Box<str>, usize> = HashMap::new();
        for user in self.index.needing(name, usize::MAX)? {
            let Some(user) = self.package(&user)? else { continue };
            for (list, places) in &self.packages[user as usize].lists {
                let nodes = || places.iter().map(|place| Node { package: user, place: *place });
                let passed_on = |one: &&Dependency| one.name == *name && one.scope != Scope::Dev;
                for dependency in list.iter().filter(passed_on) {
                    match &dependency.baked {
                        Some(baked) => {
                            if let Some(exactly) = self.packages[place as usize].place_of(baked) {
                                needed.baked.entry(exactly).or_default().extend(nodes());
                            }
                        }
                        None => {
                            let text = dependency.range.as_str();
                            let at = ranges.get(text).copied().unwrap_or_else(|| {
                                needed.ranges.push((dependency.range.clone(), Vec::new()));
                                ranges.insert(text.into(), needed.ranges.len() - 1);
                                needed.ranges.len() - 1
                            });
                            needed.ranges[at].1.extend(nodes());
                        }
                    }
                }
            }
        }
        Ok(needed)
    }

    /// A package and what its releases need, read once; nothing if it has none, or too much was read before.
    fn package(&mut self, name: &PackageName) -> Result<Option<u32>, IndexError> {
        if let Some(place) = self.places.get(name) {
            return Ok(Some(*place));
        }
        let Some(candidates) = self.index.candidates(name)? else { return Ok(None) };
        let Some(left) = self.left.checked_sub(candidates.releases.len()) else {
            self.complete = false;
            return Ok(None);
        };
        self.left = left;
        let lists = self.index.lists_of(&candidates)?;
        let place = u32::try_from(self.packages.len()).unwrap_or(u32::MAX);
        self.packages.push(Package {
            name: name.clone(),
            kind: candidates.kind,
            reached: vec![None; candidates.releases.len()],
            releases: candidates.releases,
            lists,
            needed: None,
        });
        self.places.insert(name.clone(), place);
        Ok(Some(place))
    }

    /// Each package that was reached, but the one that was asked about.
    pub(super) fn reached(&self) -> Result<Vec<ReachedPackage>, IndexError> {
        let mut all = Vec::new();
        for (package, at) in self.packages.iter().zip(0..) {
            let reached = || package.reached.iter().zip(0..).filter(|(reached, _)| reached.is_some());
            let asked = package.reached.iter().flatten().any(|reached| reached.through.is_none());
            let Some((first, place)) = reached().next().filter(|_| !asked) else { continue };
            // What is installed now tells more than a newer one that nobody is given.
            let current = newest(package.releases.iter().zip(0..).map(Placed), None).map(|placed| placed.0.1);
            let current = current.filter(|place| package.reached[*place as usize].is_some());
            let chosen = Node { package: at, place: current.unwrap_or(place) };
            let how = package.reached[chosen.place as usize].or(*first);
            let candidate = self.release(chosen);
            all.push(ReachedPackage {
                id: candidate.id(&package.name),
                kind: package.kind,
                standing: candidate.standing,
                now: current.is_some(),
                sure: how.is_some_and(|how| how.sure),
                releases: reached().count() as u64,
                last: !self.index.is_needed(&package.name)?,
                way: self.way(chosen),
            });
        }
        Ok(all)
    }

    /// From a release to one that was asked about.
    fn way(&self, from: Node) -> Vec<ReleaseId> {
        let mut way = Vec::new();
        let mut next = Some(from);
        while let Some(node) = next {
            let package = &self.packages[node.package as usize];
            way.push(self.release(node).id(&package.name));
            next = package.reached[node.place as usize].and_then(|reached| reached.through);
        }
        way
    }
}

impl Package {
    fn place_of(&self, baked: &Baked) -> Option<u32> {
        let same = |one: &Candidate| {
            one.version == baked.version && one.platform == baked.platform && one.revision == baked.revision
        };
        self.releases.iter().position(same).and_then(|place| u32::try_from(place).ok())
    }
}

/// A release with its place.
struct Placed<'a>((&'a Candidate, u32));

impl weir_rules::Offer for Placed<'_> {
    fn version(&self) -> &weir_model::Version {
        self.0.0.version()
    }

    fn platform(&self) -> &weir_model::Platform {
        self.0.0.platform()
    }

    fn revision(&self) -> u32 {
        self.0.0.revision()
    }

    fn standing(&self) -> Standing {
        self.0.0.standing()
    }
}
