//! A failed request: what the solver or the walk found, put into a person's terms.

use pubgrub::{Term, VersionSet as _};
use weir_model::record::Hold;
use weir_model::{PackageName, Range, ReleaseId, Version};
use weir_rules::Standing;

use super::proof::{Fact, Flat, Flattened, flatten};
use super::{Clash, Conclusion, Explanation, Listed, Reason, Releases, Shortage, Step, Suggestion, Verdict};
use crate::catalogue::{Catalogue, Demand, Need, Package, PackageId};
use crate::ranks::{Rank, RankSet};
use crate::request::Requirement;
use crate::unified::Proof;
use crate::view::{Candidate, View};
use crate::walk::{Demanded, Graph, Root, Via, Walker};

/// How many suggestions are made.
const MAX_SUGGESTIONS: usize = 6;

/// So many releases that are kept out are told of: the newest.
const MAX_HELD: usize = 3;

/// Among how many steps a reason is looked for before it is told again.
const MAX_COMPARED: usize = 256;

/// Everything a failure is explained from.
pub(crate) struct Case<'a, V> {
    pub(crate) walker: Walker<'a, V>,
    pub(crate) requirements: &'a [Requirement],
    pub(crate) roots: &'a [Root],
}

/// A reason, with who asks, the package asked for, and what is accepted of it.
struct Known {
    reason: Reason,
    by: PackageId,
    releases: RankSet,
    target: PackageId,
    accepts: RankSet,
}

impl<V: View> Case<'_, V> {
    /// Nothing of an isolated package meets a need or a requirement.
    pub(crate) fn unmet(&self, graph: &Graph, via: Via) -> Explanation {
        let known: Vec<Known> = self.chain(graph, via);
        let suggestions = self.suggest(&known.iter().map(Some).collect::<Vec<_>>(), &[]);
        let tried = self.tried(known.iter());
        let steps: Vec<Step> = known.into_iter().map(|known| Step::Because(known.reason)).collect();
        Explanation { verdict: Verdict::Unmet { step: steps.len() }, steps, suggestions, tried }
    }

    /// Each line of the project on an isolated package can be met, but not all of them by one release.
    pub(crate) fn apart(&self, id: PackageId) -> Explanation {
        let lines = (0..self.roots.len()).filter(|index| self.roots[*index].id == id);
        let known: Vec<Known> = lines.map(|index| self.link(&Graph::default(), Via::Root(index))).collect();
        let suggestions = self.suggest(&known.iter().map(Some).collect::<Vec<_>>(), &[]);
        let all = known.into_iter().map(Some).collect::<Vec<_>>();
        let clash = self.clash(&all, id, &(1..=all.len()).collect::<Vec<_>>());
        Explanation {
            steps: all.into_iter().flatten().map(|known| Step::Because(known.reason)).collect(),
            verdict: Verdict::Clash { clashes: clash.into_iter().collect() },
            suggestions,
            tried: Vec::new(),
        }
    }

    /// The isolated packages that steps ask for, of which there was more than one release to try.
    fn tried<'k>(&self, known: impl Iterator<Item = &'k Known>) -> Vec<PackageName> {
        let mut tried = Vec::new();
        for one in known.filter(|one| one.accepts.count_is_above_one()) {
            let Ok(package) = self.catalogue().package(one.target) else { continue };
            if !package.is_unified() && !tried.contains(&package.name) {
                tried.push(package.name.clone());
            }
        }
        tried
    }

    /// The solver proved that unified packages cannot be chosen.
    pub(crate) fn contradiction(&self, graph: &Graph, proof: Proof) -> Explanation {
        let Flattened { steps: flat, last, pivot } = flatten(proof);
        let mut known: Vec<Option<Known>> = Vec::new();
        let mut steps: Vec<Step> = Vec::new();
        // What the solver calls a requirement of the root may take several steps to tell.
        let mut number: Vec<usize> = Vec::with_capacity(flat.len());
        for step in flat {
            match step {
                Flat::Fact(fact) => {
                    let mut last = steps.len();
                    for one in self.facts(graph, &fact) {
                        last = tell(one, &mut steps, &mut known);
                    }
                    number.push(last);
                }
                Flat::So { from, terms } => {
                    let from = from.into_iter().map(|index| number[index]).collect();
                    steps.push(Step::So { from, conclusion: self.conclusion(&terms) });
                    known.push(None);
                    number.push(steps.len());
                }
            }
        }
        let last = last.into_iter().map(|index| number[index]).collect();
        let (verdict, clashing) = self.verdict(&known, last, pivot);
        let suggestions = self.suggest(&known.iter().map(Option::as_ref).collect::<Vec<_>>(), &clashing);
        let tried = self.tried(known.iter().flatten());
        Explanation { steps, verdict, suggestions, tried }
    }

    /// One edge of the proof, led up to by how it was reached.
    fn facts(&self, graph: &Graph, fact: &Fact) -> Vec<Known> {
        if fact.by == PackageId::ROOT {
            let asked = (fact.target, &fact.accepts);
            let wanted =
                graph.wanted.iter().find(|wanted| (wanted.constraint.0, &wanted.constraint.1) == asked);
            return wanted.map(|wanted| self.chain(graph, wanted.via)).unwrap_or_default();
        }
        self.needs(fact)
    }

    /// How releases come to demand a package through isolated ones, told of the newest of them.
    fn way(&self, fact: &Fact) -> Vec<Known> {
        let Ok(package) = self.catalogue().package(fact.by) else { return Vec::new() };
        let ways = ranks(&package, &fact.releases)
            .filter_map(|rank| self.walker.demanded(fact.by, rank, fact.target, &fact.accepts).ok());
        let Some(way) = ways.filter(|way| !way.is_empty()).last() else { return Vec::new() };
        let step = |link: &Demanded| {
            let needs = self.catalogue().needs(&link.package, link.rank).ok()?;
            let need = &needs[link.need];
            Some(self.need(&link.package, &RankSet::singleton(link.rank), &[need], need.accepts.clone()))
        };
        let mut known: Vec<Known> = way.iter().filter_map(step).collect();
        if let Some(demand) = known.last_mut() {
            // It holds for whoever brings along the release that says so.
            demand.by = fact.by;
            demand.releases.clone_from(&fact.releases);
            demand.accepts.clone_from(&fact.accepts);
        }
        known
    }

    fn catalogue(&self) -> &Catalogue<V> {
        self.walker.catalogue
    }

    fn chain(&self, graph: &Graph, via: Via) -> Vec<Known> {
        graph.chain(via).into_iter().map(|via| self.link(graph, via)).collect()
    }

    fn link(&self, graph: &Graph, via: Via) -> Known {
        match via {
            Via::Root(index) => {
                let Root { id, package, demand, accepts } = &self.roots[index];
                let reason = Reason::Required {
                    origin: self.requirements[index].origin.clone(),
                    name: package.name.clone(),
                    range: demand.range.clone(),
                    overridden: self.overridden(demand),
                    shortage: accepts.is_empty().then(|| self.shortage(package, demand)),
                };
                let (by, releases) = (PackageId::ROOT, RankSet::full());
                Known { reason, by, releases, target: *id, accepts: accepts.clone() }
            }
            Via::Need { node, need } => {
                let reached = &graph.reached[node];
                self.need(
                    &reached.package,
                    &RankSet::singleton(reached.rank),
                    &[&reached.needs[need]],
                    reached.needs[need].accepts.clone(),
                )
            }
        }
    }

    /// What some releases of a package need of another, in their own words.
    fn needs(&self, fact: &Fact) -> Vec<Known> {
        let Ok(package) = self.catalogue().package(fact.by) else { return Vec::new() };
        let all: Vec<_> = ranks(&package, &fact.releases)
            .filter_map(|rank| self.catalogue().needs(&package, rank).ok())
            .collect();
        let of_target =
            || all.iter().flat_map(|needs| needs.iter()).filter(|need| need.package == fact.target);
        let mut needs: Vec<&Need> = of_target().filter(|need| need.accepts == fact.accepts).collect();
        if needs.is_empty() {
            let way = self.way(fact);
            if !way.is_empty() {
                return way;
            }
            needs = of_target().collect();
        }
        if needs.is_empty() {
            return Vec::new();
        }
        vec![self.need(&package, &fact.releases, &needs, fact.accepts.clone())]
    }

    fn need(&self, from: &Package, ranks: &RankSet, needs: &[&Need], accepts: RankSet) -> Known {
        let by = releases(from, ranks);
        let (target, demand) = (needs[0].package, &needs[0].demand);
        let package = self.catalogue().package(target).ok();
        let shortage =
            package.as_ref().filter(|_| accepts.is_empty()).map(|package| self.shortage(package, demand));
        let name = match &package {
            Some(package) => package.name.clone(),
            None => by.name.clone(),
        };
        let mut with: Vec<ReleaseId> = needs
            .iter()
            .filter_map(|need| need.demand.baked.as_ref())
            .map(|baked| ReleaseId {
                name: name.clone(),
                version: baked.version.clone(),
                platform: baked.platform.clone(),
                revision: baked.revision,
            })
            .collect();
        with.sort();
        with.dedup();
        let reason = if with.is_empty() {
            let mut ranges: Vec<Range> = Vec::new();
            for need in needs {
                if !ranges.contains(&need.demand.range) {
                    ranges.push(need.demand.range.clone());
                }
            }
            Reason::Needs { by, name, ranges, overridden: self.overridden(demand), shortage }
        } else {
            Reason::BuiltWith { by, kind: from.kind.unwrap_or_default(), with, shortage }
        };
        let by = self.catalogue().intern(&from.name);
        Known { reason, by, releases: ranks.clone(), target, accepts }
    }

    fn overridden(&self, demand: &Demand) -> Option<crate::Origin> {
        demand.overridden.map(|index| self.catalogue().override_origin(index).clone())
    }

    fn shortage(&self, package: &Package, demand: &Demand) -> Shortage {
        if let Some(fixed) = package.fixed.filter(|_| package.is_unified()) {
            let label = match self.catalogue().source(package, fixed) {
                crate::Source::Fixed(label) | crate::Source::Registry(label) => label,
            };
            return Shortage::Replaced { version: package.version(fixed).clone(), label };
        }
        let held = self.held(package, demand);
        if package.ranked.is_empty() && package.unusable.is_empty() && held.is_empty() {
            let further_up = self.catalogue().view.further_up(&package.name);
            if let Some(newest) = further_up.filter(|newest| !demand.range.contains(newest)) {
                return Shortage::OnlyFurtherUp { newest };
            }
            let registry = package.registry.clone();
            let elsewhere =
                registry.as_ref().map(|registry| self.catalogue().view.elsewhere(&package.name, registry));
            return Shortage::NoPackage { registry, elsewhere: elsewhere.unwrap_or_default() };
        }
        if demand.baked.is_none() && demand.range.is_empty() {
            return Shortage::EmptyRange;
        }
        let fits = |candidate: &Candidate| match &demand.baked {
            Some(baked) => baked.input_digest == candidate.input_digest,
            None => demand.range.contains(&candidate.version),
        };
        let usable = || package.ranked.iter().map(|ranked| &ranked.candidate);
        let offered = || usable().filter(|candidate| candidate.standing.is_offered());
        let nearly = |candidate: &&Candidate| {
            candidate.version.is_prerelease()
                && demand.range.contains(&candidate.version.without_prerelease())
                && !demand.range.names_prerelease_of(&candidate.version)
        };
        let quarantined = package
            .unusable
            .iter()
            .filter(|candidate| fits(candidate) && !candidate.standing.is_usable())
            .map(|candidate| {
                (candidate.version.clone(), candidate.reason.as_deref().unwrap_or_default().to_owned())
            });
        let elsewhere = package
            .unusable
            .iter()
            .filter(|candidate| fits(candidate) && !candidate.platform.serves(self.catalogue().platform()))
            .map(|candidate| (candidate.version.clone(), candidate.platform.clone()));
        Shortage::NoRelease {
            offered: versions(offered().filter(|candidate| !fits(candidate))),
            yanked: versions(usable().filter(|c| c.standing == Standing::Yanked && fits(c))),
            prereleases: versions(offered().filter(nearly)),
            other_platforms: Listed::newest_of(elsewhere.collect()),
            quarantined: Listed::newest_of(quarantined.collect()),
            held,
            platform: self.catalogue().platform().clone(),
        }
    }

    /// What of a package is kept out and would do; of one that nothing else is known of, whatever is kept out.
    fn held(&self, package: &Package, demand: &Demand) -> Vec<Hold> {
        let mut all = self.catalogue().view.held(&package.name);
        all.retain(|hold| hold.id.platform.serves(self.catalogue().platform()));
        let is_known = !package.ranked.is_empty() || !package.unusable.is_empty();
        let would_do = |hold: &Hold| demand.baked.is_none() && demand.range.contains(&hold.id.version);
        if is_known || all.iter().any(would_do) {
            all.retain(would_do);
        }
        all.truncate(MAX_HELD);
        all
    }

    fn conclusion(&self, terms: &[(PackageId, Term<RankSet>)]) -> Conclusion {
        let mut excluded = Vec::new();
        let mut choices = Vec::new();
        for (id, term) in terms {
            let Ok(package) = self.catalogue().package(*id) else { continue };
            match term {
                Term::Positive(set) => excluded.push(releases(&package, set)),
                Term::Negative(set) => choices.push(releases(&package, set)),
            }
        }
        if choices.is_empty() {
            Conclusion::Excluded { releases: excluded }
        } else {
            Conclusion::OnlyWith { releases: excluded, choices }
        }
    }

    /// What the steps come to, and the packages on which they clash.
    fn verdict(
        &self,
        known: &[Option<Known>],
        last: Vec<usize>,
        pivot: Option<PackageId>,
    ) -> (Verdict, Vec<PackageId>) {
        let facts = || known.iter().enumerate().filter_map(|(index, one)| Some((index + 1, one.as_ref()?)));
        if known.iter().all(Option::is_some) {
            if let Some((step, _)) = facts().find(|(_, one)| one.accepts.is_empty()) {
                return (Verdict::Unmet { step }, Vec::new());
            }
            let found = clashes(&facts().collect::<Vec<_>>());
            let clashes: Vec<Clash> =
                found.iter().filter_map(|(target, steps)| self.clash(known, *target, steps)).collect();
            if !clashes.is_empty() {
                return (Verdict::Clash { clashes }, found.into_iter().map(|(target, _)| target).collect());
            }
        }
        let name = pivot.and_then(|id| self.catalogue().package(id).ok()).map(|package| package.name.clone());
        (Verdict::Exhausted { name, steps: last }, Vec::new())
    }

    fn clash(&self, known: &[Option<Known>], target: PackageId, steps: &[usize]) -> Option<Clash> {
        let name = self.catalogue().package(target).ok()?.name.clone();
        let is_built = |step: &usize| matches!(&known[*step - 1], Some(one) if matches!(one.reason, Reason::BuiltWith { .. }));
        Some(Clash { name, steps: steps.to_vec(), built: steps.iter().all(is_built) })
    }

    fn suggest(&self, known: &[Option<&Known>], clashing: &[PackageId]) -> Vec<Suggestion> {
        let mut suggestions = Vec::new();
        for one in known.iter().flatten() {
            let Ok(package) = self.catalogue().package(one.target) else { continue };
            match one.reason.shortage() {
                Some(Shortage::NoPackage { .. }) => {
                    let similar = self.catalogue().view.similar_names(&package.name);
                    if !similar.is_empty() {
                        suggestions.push(Suggestion::SimilarName { name: package.name.clone(), similar });
                    }
                }
                Some(Shortage::NoRelease { prereleases, .. }) => {
                    if let Some(version) = prereleases.newest.last() {
                        let (name, version) = (package.name.clone(), version.clone());
                        suggestions.push(Suggestion::Prerelease { name, version });
                    }
                }
                _ => {}
            }
        }
        suggestions.extend(self.newer(known));
        for id in clashing {
            let Ok(package) = self.catalogue().package(*id) else { continue };
            let between_packages = known
                .iter()
                .flatten()
                .any(|one| one.target == *id && matches!(one.reason, Reason::Needs { overridden: None, .. }));
            if between_packages {
                suggestions.push(Suggestion::Override { name: package.name.clone() });
            }
        }
        suggestions.dedup();
        suggestions.truncate(MAX_SUGGESTIONS);
        suggestions
    }

    /// For each package that steps disagree on: its newest release, and the steps that exclude it.
    fn newer(&self, known: &[Option<&Known>]) -> Vec<Suggestion> {
        let mut suggestions = Vec::new();
        let facts = || known.iter().enumerate().filter_map(|(index, one)| Some((index + 1, (*one)?)));
        for (step, one) in facts().filter(|(_, one)| !one.accepts.is_empty()) {
            let Ok(package) = self.catalogue().package(one.target) else { continue };
            let newest = package.newest().filter(|newest| !package.version(*newest).is_prerelease());
            let Some(newest) = newest else { continue };
            let wanted =
                facts().any(|(_, other)| other.target == one.target && other.accepts.contains(&newest));
            if wanted && !one.accepts.contains(&newest) {
                let (name, version) = (package.name.clone(), package.version(newest).clone());
                suggestions.push(Suggestion::Newer { name, version, step });
            }
        }
        suggestions
    }
}

/// Adds a reason as a step, unless it was told before. The number of its step.
fn tell(one: Known, steps: &mut Vec<Step>, known: &mut Vec<Option<Known>>) -> usize {
    let told = known
        .iter()
        .take(MAX_COMPARED)
        .position(|other| other.as_ref().is_some_and(|other| other.reason == one.reason));
    if let Some(index) = told {
        return index + 1;
    }
    steps.push(Step::Because(one.reason.clone()));
    known.push(Some(one));
    steps.len()
}

/// The packages of which facts accept no release in common, and those facts, by their steps.
///
/// Two releases of one package are never used together, so what one of them needs cannot clash
/// with what the other needs.
fn clashes(facts: &[(usize, &Known)]) -> Vec<(PackageId, Vec<usize>)> {
    let mut found: Vec<(PackageId, Vec<usize>)> = Vec::new();
    for (_, one) in facts.iter().take(MAX_COMPARED) {
        if found.iter().any(|(target, _)| *target == one.target) {
            continue;
        }
        let same: Vec<_> =
            facts.iter().filter(|(_, other)| other.target == one.target).take(MAX_COMPARED).collect();
        let clashing = |a: &Known, b: &Known| {
            a.accepts.is_disjoint(&b.accepts) && !(a.by == b.by && a.releases.is_disjoint(&b.releases))
        };
        let mut steps: Vec<usize> = same
            .iter()
            .filter(|(_, a)| same.iter().any(|(_, b)| clashing(a, b)))
            .map(|(step, _)| *step)
            .collect();
        let in_common = same.iter().fold(RankSet::full(), |all, (_, other)| all.intersection(&other.accepts));
        if steps.is_empty()
            && in_common.is_empty()
            && same.iter().all(|(_, other)| other.by != one.by || other.releases == one.releases)
        {
            steps = same.iter().map(|(step, _)| *step).collect();
        }
        if !steps.is_empty() {
            found.push((one.target, steps));
        }
    }
    found
}

/// The usable ranks of a package in a set, which may be the complement of a finite one.
fn ranks<'a>(package: &'a Package, set: &'a RankSet) -> impl Iterator<Item = Rank> + 'a {
    (0..package.ranked.len() as Rank).filter(|rank| set.contains(rank))
}

fn releases(package: &Package, set: &RankSet) -> Releases {
    let chosen: Vec<Rank> = ranks(package, set).collect();
    let every = chosen.len() == package.ranked.len() && chosen.len() > 1;
    let versions = versions(chosen.iter().map(|rank| &package.ranked[*rank as usize].candidate));
    Releases { name: package.name.clone(), versions, every }
}

/// The versions of candidates in order, each once however often it was built.
fn versions<'a>(candidates: impl Iterator<Item = &'a Candidate>) -> Listed<Version> {
    let mut all: Vec<Version> = candidates.map(|candidate| candidate.version.clone()).collect();
    all.dedup();
    Listed::newest_of(all)
}
