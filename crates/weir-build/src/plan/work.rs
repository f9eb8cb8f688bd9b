//! What is to be built, growing until it is complete.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use weir_model::{PackageName, ReleaseId, nearest};
use weir_rules::needed_first;

use super::offers::Offers;
use super::resolved::{Resolved, Taken, input_digest, needs, resolve, step_dependency};
use super::{
    BuildStep, Candidate, CandidateDependency, Change, Leaving, Offered, Plan, PlanError, PlanReason,
    Recipes, StayReason, Unmet, Untouched, VersionChange, World, diamond,
};

/// A plan that is being worked out.
pub(super) struct Work<'a, R> {
    world: &'a World<'a>,
    offers: &'a Offers<'a>,
    recipes: &'a R,
    /// What is built, and why.
    wanted: BTreeMap<PackageName, PlanReason>,
    /// The same in the order in which it was found.
    found: Vec<PackageName>,
    /// What of it has not been followed in both directions yet.
    pending: VecDeque<PackageName>,
    untouched: Vec<Untouched>,
    /// What would have to be built and cannot be.
    without_recipe: Vec<Leaving>,
}

impl<'a, R: Recipes> Work<'a, R> {
    pub(super) fn new(world: &'a World<'a>, offers: &'a Offers<'a>, recipes: &'a R) -> Self {
        Self {
            world,
            offers,
            recipes,
            wanted: BTreeMap::new(),
            found: Vec::new(),
            pending: VecDeque::new(),
            untouched: Vec::new(),
            without_recipe: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, names: &[PackageName]) -> Result<(), PlanError<R::Error>> {
        for name in names.iter().collect::<BTreeSet<_>>() {
            match (self.offers.newest(name), self.recipes.candidate(name)) {
                (None, None) => return Err(self.unknown(name)),
                (None, Some(_)) => self.want(name, PlanReason::Asked { change: None }),
                (Some(offered), Some(candidate)) if candidate.version != offered.id.version => {
                    let recipe = candidate.version.clone();
                    return Err(PlanError::OtherVersion { offered: offered.id.clone(), recipe });
                }
                (Some(offered), _) => self.leave_untouched(offered, StayReason::Offered),
            }
        }
        Ok(())
    }

    pub(super) fn add_all(&mut self) {
        for name in self.recipes.names().into_iter().collect::<BTreeSet<_>>() {
            let Some(candidate) = self.recipes.candidate(&name) else { continue };
            match self.offers.newest(&name) {
                None => self.want(&name, PlanReason::Asked { change: None }),
                Some(offered) if offered.id.version == candidate.version => {
                    self.leave_untouched(offered, StayReason::Offered);
                }
                Some(offered) => {
                    let recipe = candidate.version.clone();
                    self.leave_untouched(offered, StayReason::OfferedInOtherVersion { recipe });
                }
            }
        }
    }

    pub(super) fn update(&mut self, names: &[PackageName]) -> Result<(), PlanError<R::Error>> {
        for name in names.iter().collect::<BTreeSet<_>>() {
            let offered = self.offered(name)?;
            let Some(candidate) = self.recipes.candidate(name) else {
                self.want(name, PlanReason::Asked { change: None });
                continue;
            };
            match self.change(offered, candidate)? {
                Some(change) => self.want(name, PlanReason::Asked { change: Some(change) }),
                None => self.leave_untouched(offered, StayReason::UpToDate),
            }
        }
        Ok(())
    }

    pub(super) fn update_all(&mut self) -> Result<(), PlanError<R::Error>> {
        for name in self.offers.names() {
            let Some(offered) = self.offers.newest(name) else { continue };
            match self.recipes.candidate(name) {
                None => self.leave_untouched(offered, StayReason::NoRecipe),
                Some(candidate) => match self.change(offered, candidate)? {
                    Some(change) => self.want(name, PlanReason::Changed { change }),
                    None => self.leave_untouched(offered, StayReason::UpToDate),
                },
            }
        }
        Ok(())
    }

    pub(super) fn remove(mut self, names: &[PackageName]) -> Result<Plan, PlanError<R::Error>> {
        for name in names.iter().collect::<BTreeSet<_>>() {
            self.offered(name)?;
            self.want(name, PlanReason::Asked { change: None });
        }
        // By release and not by name: of what leaves only because of what it was built with, another
        // release may stay.
        let mut leaves = Vec::new();
        let mut leaving = BTreeSet::new();
        let mut pending: VecDeque<(&Offered, PlanReason)> = VecDeque::new();
        for (name, reason) in &self.wanted {
            pending.extend(self.offers.of(name).iter().map(|offered| (*offered, reason.clone())));
        }
        while let Some((offered, because)) = pending.pop_front() {
            if !leaving.insert(&offered.id) {
                continue;
            }
            leaves.push(Leaving { id: offered.id.clone(), because });
            let dependents = self.offers.dependents(&offered.id).iter();
            pending.extend(dependents.map(|dependent| {
                (*dependent, PlanReason::DependsOn { on: offered.id.clone(), version: None })
            }));
        }
        Ok(Plan { leaves, ..Plan::default() })
    }

    /// Follows what is to be built until nothing is added, and makes a plan of it.
    pub(super) fn finish(mut self) -> Result<Plan, PlanError<R::Error>> {
        while let Some(name) = self.pending.pop_front() {
            self.want_dependents(&name);
            match self.recipes.candidate(&name) {
                Some(candidate) => self.want_dependencies(candidate),
                None => self.without_recipe.extend(self.leaving(&name)),
            }
        }
        if !self.without_recipe.is_empty() {
            return Err(PlanError::NoRecipe { leaving: self.without_recipe });
        }
        let unmet = self.all_unmet();
        if !unmet.is_empty() {
            return Err(PlanError::Unmet { unmet });
        }
        let resolved = self.resolve()?;
        diamond::check(&resolved, self.offers)?;
        let builds = self.steps(&resolved)?;
        let leaves = self.found.iter().flat_map(|name| self.leaving(name)).collect();
        self.untouched.retain(|untouched| !self.wanted.contains_key(&untouched.id.name));
        Ok(Plan { leaves, builds, untouched: self.untouched })
    }

    fn want(&mut self, name: &PackageName, because: PlanReason) {
        if !self.wanted.contains_key(name) {
            self.wanted.insert(name.clone(), because);
            self.found.push(name.clone());
            self.pending.push_back(name.clone());
        }
    }

    fn leave_untouched(&mut self, offered: &Offered, because: StayReason) {
        self.untouched.push(Untouched { id: offered.id.clone(), because });
    }

    /// Everything of this name leaves, and so does what was built with it.
    fn want_dependents(&mut self, name: &PackageName) {
        for leaving in self.offers.of(name) {
            for dependent in self.offers.dependents(&leaving.id) {
                let candidate = self.recipes.candidate(&dependent.id.name);
                let version = candidate.and_then(|candidate| version_change(dependent, candidate));
                self.want(&dependent.id.name, PlanReason::DependsOn { on: leaving.id.clone(), version });
            }
        }
    }

    /// What a recipe needs is built first where nothing that is offered will do.
    fn want_dependencies(&mut self, candidate: &Candidate) {
        for dependency in needs(candidate) {
            let there = self.wanted.contains_key(&dependency.name)
                || self.offers.fitting(&dependency.name, &dependency.range).is_some();
            if there || !self.would_fit(dependency) {
                continue;
            }
            let offered = self.offers.newest(&dependency.name);
            let because = PlanReason::NeededBy {
                dependent: candidate.name.clone(),
                range: dependency.range.clone(),
                offered: offered.map(|offered| offered.id.version.clone()),
            };
            self.want(&dependency.name, because);
        }
    }

    /// What recipes need and will not be there. Looked for at the end, because what fitted when it was looked
    /// at first may be built again by now, in another version.
    fn all_unmet(&self) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        for candidate in self.found.iter().filter_map(|name| self.recipes.candidate(name)) {
            for dependency in needs(candidate) {
                let met = match self.wanted.contains_key(&dependency.name) {
                    true => self.would_fit(dependency),
                    false => self.offers.fitting(&dependency.name, &dependency.range).is_some(),
                };
                if !met {
                    unmet.push(self.unmet(&candidate.name, dependency));
                }
            }
        }
        unmet
    }

    /// Whether the recipe of a dependency builds a version that will do.
    fn would_fit(&self, dependency: &CandidateDependency) -> bool {
        let candidate = self.recipes.candidate(&dependency.name);
        candidate.is_some_and(|candidate| dependency.range.contains(&candidate.version))
    }

    /// What will be, in the order in which it is built.
    fn resolve(&self) -> Result<Vec<Resolved<'a>>, PlanError<R::Error>> {
        let candidates = self.found.iter().filter_map(|name| self.recipes.candidate(name));
        let candidates: BTreeMap<_, _> = candidates.map(|candidate| (&candidate.name, candidate)).collect();
        let order = in_order(&candidates)?;
        let places: BTreeMap<&PackageName, usize> =
            order.iter().enumerate().map(|(place, candidate)| (&candidate.name, place)).collect();
        let take = |dependency: &CandidateDependency| match places.get(&dependency.name) {
            Some(place) => Some(Taken::Built(*place)),
            None => self.offers.fitting(&dependency.name, &dependency.range).map(Taken::Offered),
        };
        let mut resolved = Vec::with_capacity(order.len());
        for candidate in order {
            let needs = resolve(candidate, take).expect("what was not offered is among what is built");
            resolved.push(Resolved { id: self.next_release(candidate)?, needs });
        }
        Ok(resolved)
    }

    /// Input digests follow from input digests, so they are computed in the order of building.
    fn steps(&self, resolved: &[Resolved<'_>]) -> Result<Vec<BuildStep>, PlanError<R::Error>> {
        let mut steps: Vec<BuildStep> = Vec::with_capacity(resolved.len());
        for Resolved { id, needs } in resolved {
            let recipe = self.recipes.digest(&id.name).map_err(PlanError::Recipe)?;
            let toolchain = self.recipes.toolchain(&id.name).map_err(PlanError::Recipe)?;
            let dependencies =
                needs.iter().map(|(dependency, taken)| step_dependency(dependency, taken, &steps));
            steps.push(BuildStep {
                id: id.clone(),
                input_digest: input_digest(id, needs, recipe, toolchain, &steps),
                recipe,
                dependencies: dependencies.collect(),
                because: self.wanted[&id.name].clone(),
            });
        }
        Ok(steps)
    }

    /// What tells a release that is offered from what its recipe would build, against what is offered.
    fn change(
        &self,
        offered: &Offered,
        candidate: &Candidate,
    ) -> Result<Option<Change>, PlanError<R::Error>> {
        if let Some(version) = version_change(offered, candidate) {
            return Ok(Some(Change::Version(version)));
        }
        let toolchain = self.recipes.toolchain(&candidate.name).map_err(PlanError::Recipe)?;
        if offered.toolchain != Some(toolchain) {
            return Ok(Some(Change::Toolchain));
        }
        let recipe = self.recipes.digest(&candidate.name).map_err(PlanError::Recipe)?;
        if offered.recipe != Some(recipe) {
            return Ok(Some(Change::Recipe));
        }
        let take = |dependency: &CandidateDependency| {
            self.offers.fitting(&dependency.name, &dependency.range).map(Taken::Offered)
        };
        let id = ReleaseId { platform: self.world.platform.clone(), ..offered.id.clone() };
        let same = resolve(candidate, take)
            .is_some_and(|needs| input_digest(&id, &needs, recipe, toolchain, &[]) == offered.input_digest);
        Ok(if same { None } else { Some(Change::Dependencies) })
    }

    fn next_release(&self, candidate: &Candidate) -> Result<ReleaseId, PlanError<R::Error>> {
        let Candidate { name, version, .. } = candidate;
        let revision = match (self.world.revisions)(name, version) {
            None => 0,
            Some(highest) => highest
                .checked_add(1)
                .ok_or_else(|| PlanError::Revisions { name: name.clone(), version: version.clone() })?,
        };
        let platform = self.world.platform.clone();
        Ok(ReleaseId { name: name.clone(), version: version.clone(), platform, revision })
    }

    /// The releases of a package that is built again.
    fn leaving(&self, name: &PackageName) -> impl Iterator<Item = Leaving> + use<'a, R> {
        let because = self.wanted[name].clone();
        let leaving = move |offered: &&Offered| Leaving { id: offered.id.clone(), because: because.clone() };
        self.offers.of(name).iter().map(leaving)
    }

    /// A release that is offered, of a package that a person named.
    fn offered(&self, name: &PackageName) -> Result<&'a Offered, PlanError<R::Error>> {
        if let Some(offered) = self.offers.newest(name) {
            return Ok(offered);
        }
        if self.recipes.candidate(name).is_some() {
            return Err(PlanError::NotOffered { name: name.clone() });
        }
        Err(self.unknown(name))
    }

    fn unknown(&self, name: &PackageName) -> PlanError<R::Error> {
        PlanError::Unknown { name: name.clone(), similar: self.similar(name) }
    }

    fn unmet(&self, dependent: &PackageName, dependency: &CandidateDependency) -> Unmet {
        let recipe = self.recipes.candidate(&dependency.name).map(|candidate| candidate.version.clone());
        let offered = self.offers.newest(&dependency.name).map(|offered| offered.id.version.clone());
        let known = recipe.is_some() || offered.is_some();
        Unmet {
            dependent: dependent.clone(),
            because: self.wanted[dependent].clone(),
            dependency: dependency.name.clone(),
            range: dependency.range.clone(),
            recipe,
            offered,
            similar: if known { None } else { self.similar(&dependency.name) },
        }
    }

    fn similar(&self, name: &PackageName) -> Option<PackageName> {
        let mut known: BTreeSet<PackageName> = self.recipes.names().into_iter().collect();
        known.extend(self.offers.names().cloned());
        nearest(name.as_str(), known.iter().map(PackageName::as_str))?.parse().ok()
    }
}

/// Each after everything that it needs, and by name where that leaves a choice. What is needed and is not among them
/// plays no part.
fn in_order<'a, E>(
    candidates: &BTreeMap<&PackageName, &'a Candidate>,
) -> Result<Vec<&'a Candidate>, PlanError<E>> {
    let numbers: BTreeMap<&PackageName, usize> =
        candidates.keys().enumerate().map(|(number, name)| (*name, number)).collect();
    let all: Vec<&Candidate> = candidates.values().copied().collect();
    let needed = |number: usize| -> BTreeSet<usize> {
        needs(all[number]).filter_map(|dependency| numbers.get(&dependency.name).copied()).collect()
    };
    let named = |cycle: Vec<usize>| cycle.into_iter().map(|number| all[number].name.clone()).collect();
    let order = needed_first(all.len(), needed).map_err(|cycle| PlanError::Cycle { cycle: named(cycle) })?;
    Ok(order.into_iter().map(|number| all[number]).collect())
}

/// The recipe of a release builds another version by now.
fn version_change(offered: &Offered, candidate: &Candidate) -> Option<VersionChange> {
    let (from, to) = (&offered.id.version, &candidate.version);
    (from != to).then(|| VersionChange { from: from.clone(), to: to.clone() })
}
