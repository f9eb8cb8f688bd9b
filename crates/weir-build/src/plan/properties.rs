//! What holds of every plan, on random recipes and random sequences of requests.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::{Index, select};
use weir_model::{Baked, Dependency, Digest, InputDigest, PackageName, Scope};

use super::repository::{PLATFORM, Repository, input_digest, name};
use super::{Candidate, Plan, PlanReason, PlanRequest};

const PACKAGES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];

/// Something that happens to a repository.
#[derive(Debug, Clone)]
enum Event {
    Recipe(String),
    Edit(&'static str),
    Toolchain(u8),
    Add(BTreeSet<&'static str>),
    AddAll,
    Update(BTreeSet<&'static str>),
    UpdateAll,
    Remove(&'static str),
}

/// A recipe of one of the packages. What it needs comes before it in the alphabet, but for the rare one that
/// may close a cycle.
fn recipe(place: usize) -> impl Strategy<Value = String> {
    let range = prop_oneof![6 => Just("*"), 2 => Just("^1"), 2 => Just(">=1.1"), 1 => Just("^2")];
    let scope = prop_oneof![4 => Just(""), 1 => Just("build"), 1 => Just("dev")];
    let version = prop_oneof![4 => Just("1.0.0"), 4 => Just("1.1.0"), 1 => Just("2.0.0")];
    let needs = prop::collection::vec((any::<Index>(), range, scope), 0..4);
    (version, needs, prop::bool::weighted(0.02)).prop_map(move |(version, needs, any)| {
        let among = &PACKAGES[..if any { PACKAGES.len() } else { place }];
        let needs = needs.iter().filter(|_| !among.is_empty());
        let needs: BTreeSet<String> =
            needs.map(|(package, range, scope)| format!("{} {range} {scope}", package.get(among))).collect();
        format!("{} {version}: {}", PACKAGES[place], needs.into_iter().collect::<Vec<_>>().join("; "))
    })
}

fn request() -> impl Strategy<Value = Event> {
    let some = || prop::collection::btree_set(select(&PACKAGES[..]), 1..3);
    prop_oneof![
        3 => some().prop_map(Event::Add),
        2 => Just(Event::AddAll),
        4 => some().prop_map(Event::Update),
        2 => Just(Event::UpdateAll),
        1 => select(&PACKAGES[..]).prop_map(Event::Remove),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..PACKAGES.len()).prop_flat_map(recipe).prop_map(Event::Recipe),
        2 => select(&PACKAGES[..]).prop_map(Event::Edit),
        1 => (0_u8..3).prop_map(Event::Toolchain),
        6 => request(),
    ]
}

/// A repository with a recipe for every package. Most offer some.
fn repository() -> impl Strategy<Value = Repository> {
    let recipes: Vec<_> = (0..PACKAGES.len()).map(recipe).collect();
    let offered = prop::collection::btree_set(select(&PACKAGES[..]), 0..5);
    (recipes, offered).prop_map(|(recipes, offered)| {
        let mut repository = Repository::new(&recipes.iter().map(String::as_str).collect::<Vec<_>>());
        for package in offered {
            if let Some((_, plan)) = happen(&mut repository, Event::Add([package].into())) {
                repository.apply(&plan);
            }
        }
        repository
    })
}

fn all(packages: &BTreeSet<&str>) -> Vec<PackageName> {
    packages.iter().map(|package| name(package)).collect()
}

/// Lets something happen. Of a request, its plan, unless there is none.
fn happen(repository: &mut Repository, event: Event) -> Option<(PlanRequest, Plan)> {
    let request = match event {
        Event::Recipe(recipe) => {
            repository.recipe(&recipe);
            return None;
        }
        Event::Edit(package) => {
            repository.edit(package);
            return None;
        }
        Event::Toolchain(toolchain) => {
            repository.toolchain = Digest::of([toolchain]);
            return None;
        }
        Event::Add(packages) => PlanRequest::Add(all(&packages)),
        Event::AddAll => PlanRequest::AddAll,
        Event::Update(packages) => PlanRequest::Update(all(&packages)),
        Event::UpdateAll => PlanRequest::UpdateAll,
        Event::Remove(package) => PlanRequest::Remove(vec![name(package)]),
    };
    let plan = repository.plan(&request).ok()?;
    let mut shuffled = repository.clone();
    shuffled.offered.reverse();
    assert_eq!(shuffled.plan(&request).as_ref(), Ok(&plan), "the same input gives the same plan");
    Some((request, plan))
}

/// One release a name, closed, every input digest that of what is offered, and nothing older than what it was
/// built with.
fn check_offered(repository: &Repository) {
    let mut seen = BTreeMap::new();
    for offered in &repository.offered {
        for dependency in &offered.dependencies {
            let baked = dependency.baked.as_ref().unwrap();
            // What is offered is kept in the order of publication.
            let (id, input_digest) = seen.get(&dependency.name).expect("it is offered, and was before");
            assert_eq!(dependency.baked_id().as_ref(), Some(*id));
            assert_eq!(baked.input_digest, *input_digest);
            assert!(dependency.range.contains(&baked.version));
        }
        assert_eq!(
            offered.input_digest,
            input_digest(&offered.id, &offered.dependencies, offered.recipe, offered.toolchain)
        );
        let other = seen.insert(&offered.id.name, (&offered.id, offered.input_digest));
        assert_eq!(other, None, "one release a name");
    }
}

/// The names of what was built with one of these, however far away, and their own.
fn reverse_closure(repository: &Repository, roots: BTreeSet<PackageName>) -> BTreeSet<PackageName> {
    let mut closure = roots;
    loop {
        let touched = repository.offered.iter().filter(|offered| {
            let built_with = |dependency: &Dependency| closure.contains(&dependency.name);
            closure.contains(&offered.id.name) || offered.dependencies.iter().any(built_with)
        });
        let grown: BTreeSet<_> = touched.map(|offered| offered.id.name.clone()).collect();
        if grown == closure {
            return closure;
        }
        closure = grown;
    }
}

/// The input digests that packages would have, were all built by their recipes as these are now.
fn input_digest_by_recipe(
    repository: &Repository,
    package: &PackageName,
    known: &mut BTreeMap<PackageName, InputDigest>,
) -> InputDigest {
    if let Some(input_digest) = known.get(package) {
        return *input_digest;
    }
    let (candidate, recipe) = &repository.recipes[package];
    let mut dependencies = Vec::new();
    for dependency in candidate.dependencies.iter().filter(|dependency| dependency.scope != Scope::Dev) {
        dependencies.push(Dependency {
            name: dependency.name.clone(),
            range: dependency.range.clone(),
            scope: dependency.scope,
            baked: Some(Baked {
                version: repository.recipes[&dependency.name].0.version.clone(),
                platform: PLATFORM.parse().unwrap(),
                revision: 0,
                input_digest: input_digest_by_recipe(repository, &dependency.name, known),
            }),
        });
    }
    let Candidate { name, version, .. } = candidate.clone();
    let platform = PLATFORM.parse().unwrap();
    let id = weir_model::ReleaseId { name, version, platform, revision: 0 };
    let input_digest = input_digest(&id, &dependencies, Some(*recipe), Some(repository.toolchain));
    known.insert(package.clone(), input_digest);
    input_digest
}

/// The plan holds what it must, and nothing else.
fn check_plan(repository: &Repository, request: &PlanRequest, plan: &Plan) {
    let built: BTreeSet<PackageName> = plan.builds.iter().map(|step| step.id.name.clone()).collect();
    let leaving: BTreeSet<PackageName> = plan.leaves.iter().map(|leaving| leaving.id.name.clone()).collect();
    let offered: BTreeSet<PackageName> =
        repository.offered.iter().map(|offered| offered.id.name.clone()).collect();
    let needed: BTreeSet<PackageName> = plan
        .builds
        .iter()
        .filter(|step| matches!(step.because, PlanReason::NeededBy { .. }))
        .map(|step| step.id.name.clone())
        .collect();
    for step in &plan.builds {
        if let PlanReason::NeededBy { dependent, range, offered } = &step.because {
            assert!(built.contains(dependent));
            assert!(offered.as_ref().is_none_or(|offered| !range.contains(offered)));
        }
    }
    let roots: BTreeSet<PackageName> = match request {
        PlanRequest::Remove(names) => {
            assert_eq!(leaving, reverse_closure(repository, names.iter().cloned().collect()));
            assert!(built.is_empty());
            return;
        }
        PlanRequest::Add(names) => names.iter().filter(|name| !offered.contains(name)).cloned().collect(),
        PlanRequest::AddAll => {
            repository.recipes.keys().filter(|name| !offered.contains(name)).cloned().collect()
        }
        PlanRequest::Update(names) => names.iter().filter(|name| built.contains(name)).cloned().collect(),
        PlanRequest::UpdateAll => {
            let mut known = BTreeMap::new();
            let changed = repository.offered.iter().filter(|offered| {
                input_digest_by_recipe(repository, &offered.id.name, &mut known) != offered.input_digest
            });
            let changed: BTreeSet<_> = changed.map(|offered| offered.id.name.clone()).collect();
            assert_eq!(leaving, changed, "exactly those whose input digest would be another");
            changed
        }
    };
    let roots: BTreeSet<PackageName> = roots.union(&needed).cloned().collect();
    let again = reverse_closure(repository, roots.intersection(&offered).cloned().collect());
    assert_eq!(leaving, again);
    assert_eq!(built, again.union(&roots).cloned().collect::<BTreeSet<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn carrying_out_any_sequence_of_plans_keeps_a_repository_consistent(
        mut repository in repository(),
        events in prop::collection::vec(event(), 1..16),
    ) {
        for event in events {
            if let Some((request, plan)) = happen(&mut repository, event) {
                check_plan(&repository, &request, &plan);
                repository.apply(&plan);
                check_offered(&repository);
                if !matches!(request, PlanRequest::Remove(_)) {
                    let again = repository.plan(&request).unwrap();
                    prop_assert!(again.is_empty(), "what was done is not done again: {again:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_is_built_again_while_no_recipe_changes(
        mut repository in repository(),
        requests in prop::collection::vec(request(), 1..12),
    ) {
        for request in requests {
            if let Some((_, plan)) = happen(&mut repository, request) {
                repository.apply(&plan);
            }
            let plan = repository.plan(&PlanRequest::UpdateAll).unwrap();
            prop_assert!(plan.is_empty(), "{plan:?}");
        }
    }
}
