//! The view after a batch is closed, if the policy says so; a batch that would break it is refused.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use weir_model::{Release, ReleaseId, Unobserved, WithdrawalVerb};
use weir_registry::{Intent, Look, Receipt, SubmitError, Withdraw, audit};
use weir_rules::diamond::Diamond;

use crate::world::{World, native, withdraw};

#[test]
fn what_others_were_built_with_is_removed_together_with_them_or_not_at_all() {
    let world = World::new(true);
    world.publish(&[("acme/base 1.0.0", &[]), ("acme/top 1.0.0", &["acme/base ^1"])]).unwrap();
    let base = || withdraw(WithdrawalVerb::Remove, "acme/base 1.0.0");
    let error = world.submit(vec![base()]).unwrap_err();
    let SubmitError::WouldBreak { dependents, .. } = &error else { panic!("{error}") };
    assert_eq!(dependents[0].to_string(), "acme/top 1.0.0");
    world.submit(vec![base(), withdraw(WithdrawalVerb::Remove, "acme/top 1.0.0")]).unwrap();
}

#[test]
fn an_open_registry_lets_it_happen() {
    let world = World::new(false);
    world.publish(&[("acme/base 1.0.0", &[]), ("acme/top 1.0.0", &["acme/base ^1"])]).unwrap();
    world.submit(vec![withdraw(WithdrawalVerb::Remove, "acme/base 1.0.0")]).unwrap();
}

/// A batch of native packages: `-` removes a release, `+` publishes one with what it needs.
fn batch(world: &World, changes: &[(&str, &[&str])]) -> Vec<Intent> {
    let registry = world.open();
    let change = |(what, needs): &(&str, &[&str])| match what.split_at(2) {
        ("- ", id) => Intent::Withdraw(Withdraw::exactly(WithdrawalVerb::Remove, id.parse().unwrap())),
        ("+ ", id) => Intent::Publish(Box::new(native(&registry, id, needs, &format!("{needs:?}")))),
        _ => panic!("{what}"),
    };
    changes.iter().map(change).collect()
}

fn submit(world: &World, changes: &[(&str, &[&str])]) -> Result<Receipt, SubmitError> {
    world.submit(batch(world, changes))
}

/// zlib, and curl and png that were built with it.
fn with_zlib() -> World {
    let world = World::new(true);
    let zlib: &[&str] = &["base/zlib ^1.2"];
    let all: [(&str, &[&str]); 3] =
        [("+ base/curl 7.79.1", zlib), ("+ base/zlib 1.2.11", &[]), ("+ base/png 1.6.0", zlib)];
    submit(&world, &all).unwrap();
    world
}

fn offered(world: &World) -> Vec<String> {
    let replica = world.fresh_replica();
    let mut ids: Vec<_> =
        replica.index().live_releases().map(|view| view.unwrap().release.id.to_string()).collect();
    ids.sort();
    ids
}

#[test]
fn an_update_replaces_a_package_and_all_that_was_built_with_it_in_whatever_order_it_is_told() {
    let update: [(&str, &[&str]); 6] = [
        ("+ base/curl 7.79.1 revision 1", &["base/zlib ^1.2"]),
        ("+ base/png 1.6.0 revision 1", &["base/zlib ^1.2"]),
        ("- base/png 1.6.0", &[]),
        ("+ base/zlib 1.2.12", &[]),
        ("- base/zlib 1.2.11", &[]),
        ("- base/curl 7.79.1", &[]),
    ];
    for turns in 0..update.len() {
        let mut update = update;
        update.rotate_left(turns);
        let world = with_zlib();
        let receipt = submit(&world, &update).unwrap();
        assert_eq!(
            offered(&world),
            ["base/curl 7.79.1 revision 1", "base/png 1.6.0 revision 1", "base/zlib 1.2.12"]
        );
        let baked: BTreeSet<_> =
            receipt.outcomes.iter().flat_map(|outcome| &outcome.baked).map(ToString::to_string).collect();
        assert_eq!(baked, BTreeSet::from(["base/zlib 1.2.12".to_owned()]));
    }
}

#[test]
fn nothing_is_baked_with_what_its_batch_takes_away_even_if_nothing_else_would_do() {
    let world = with_zlib();
    let error = submit(
        &world,
        &[
            ("+ base/curl 7.79.1 revision 1", &["base/zlib ^1.2"]),
            ("- base/curl 7.79.1", &[]),
            ("- base/png 1.6.0", &[]),
            ("- base/zlib 1.2.11", &[]),
        ],
    )
    .unwrap_err();
    assert!(matches!(error, SubmitError::Unsatisfiable { .. }), "{error}");
    let again: [(&str, &[&str]); 2] = [("+ base/zlib 1.2.11", &[]), ("- base/zlib 1.2.11", &[])];
    let error = submit(&world, &again).unwrap_err();
    assert!(matches!(error, SubmitError::WasRemoved { .. }), "{error}");
}

#[test]
fn an_update_that_forgets_a_dependent_is_refused_and_names_it() {
    let world = with_zlib();
    let before = offered(&world);
    let update: [(&str, &[&str]); 4] = [
        ("- base/zlib 1.2.11", &[]),
        ("- base/curl 7.79.1", &[]),
        ("+ base/zlib 1.2.12", &[]),
        ("+ base/curl 7.79.1 revision 1", &["base/zlib ^1.2"]),
    ];
    let error = submit(&world, &update).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`base/zlib 1.2.11` cannot be removed: this registry is closed, and `base/png 1.6.0` was built with it"
    );
    assert_eq!(offered(&world), before);
}

#[test]
fn what_would_bring_two_builds_of_one_package_together_is_refused_and_both_ways_are_shown() {
    let world = with_zlib();
    submit(&world, &[("+ base/zlib 1.2.12", &[])]).unwrap();
    let app: (&str, &[&str]) = ("+ acme/app 1.0.0", &["base/curl *", "base/zlib *"]);
    let error = submit(&world, &[app]).unwrap_err();
    let SubmitError::Diamond { diamond, .. } = &error else { panic!("{error}") };
    let path = |ids: &[&str]| ids.iter().map(|id| id.parse().unwrap()).collect::<Vec<ReleaseId>>();
    let expected = Diamond {
        one: path(&["acme/app 1.0.0", "base/zlib 1.2.12"]),
        other: path(&["acme/app 1.0.0", "base/curl 7.79.1", "base/zlib 1.2.11"]),
    };
    assert_eq!(**diamond, expected);
    assert_eq!(
        diamond.to_string(),
        "`acme/app 1.0.0` was built with `base/zlib 1.2.12`, \
         but `acme/app 1.0.0` was built with `base/curl 7.79.1`, which was built with `base/zlib 1.2.11`"
    );
    // Built again with the same, they may meet.
    let curl: (&str, &[&str]) = ("+ base/curl 7.79.1 revision 1", &["base/zlib ^1.2"]);
    submit(&world, &[app, curl]).unwrap();
    // A registry that promises nothing takes it.
    let open = World::new(false);
    submit(&open, &[("+ base/zlib 1.2.11", &[])]).unwrap();
    submit(&open, &[("+ base/curl 7.79.1", &["base/zlib *"])]).unwrap();
    submit(&open, &[("+ base/zlib 1.2.12", &[])]).unwrap();
    submit(&open, &[app]).unwrap();
    // Whoever looks at it as at a closed one is told.
    let replica = open.fresh_replica();
    let source = weir_log::FolderSource::new(open.folder());
    let problems = audit(&source, replica.keys(), true, Look::Nothing, &Unobserved).unwrap().problems;
    assert_eq!(problems, [format!("`acme/app 1.0.0` brings together two builds of one package: {diamond}")]);
}

#[test]
fn kinds_that_stand_side_by_side_may_hold_several_builds() {
    let world = with_zlib();
    submit(&world, &[("+ base/zlib 1.2.12", &[])]).unwrap();
    // Not native itself: what it holds is not laid into one place.
    world.publish(&[("acme/images 1.0.0", &["base/curl *", "base/zlib *"])]).unwrap();
    // Nothing of it is native.
    world.publish(&[("acme/base 1.0.0", &[]), ("acme/mid 1.0.0", &["acme/base *"])]).unwrap();
    world.publish(&[("acme/base 1.1.0", &[]), ("acme/top 1.0.0", &["acme/base *", "acme/mid *"])]).unwrap();
}

#[test]
fn one_revision_of_a_release_can_be_taken_away_and_what_caused_it_is_recorded() {
    let world = with_zlib();
    submit(&world, &[("+ base/curl 7.79.1 revision 1", &["base/zlib ^1.2"])]).unwrap();
    let zlib: ReleaseId = "base/zlib 1.2.11".parse().unwrap();
    let exactly = Withdraw::exactly(WithdrawalVerb::Remove, "base/curl 7.79.1".parse().unwrap());
    let curl = Intent::Withdraw(Withdraw { because: Some(zlib.clone()), platform: None, ..exactly });
    world.submit(vec![curl.clone(), curl.clone()]).unwrap();
    assert_eq!(offered(&world), ["base/curl 7.79.1 revision 1", "base/png 1.6.0", "base/zlib 1.2.11"]);
    let replica = world.fresh_replica();
    let gone = replica.index().release(&"base/curl 7.79.1".parse().unwrap()).unwrap().unwrap();
    assert_eq!(gone.removed.unwrap().because, Some(zlib));
    let error = world.submit(vec![curl]).unwrap_err();
    assert_eq!(error.to_string(), "there is no `base/curl 7.79.1 revision 0` in this registry");
}

/// What somebody may try: publish a version that needs another package, or remove one.
#[derive(Debug, Clone)]
enum Attempt {
    Publish { package: usize, version: u64, needs: Option<usize> },
    Remove { package: usize, version: u64 },
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let package = 0..3_usize;
    prop_oneof![
        (package.clone(), 0..3_u64, proptest::option::of(package.clone()))
            .prop_map(|(package, version, needs)| Attempt::Publish { package, version, needs }),
        (package, 0..3_u64).prop_map(|(package, version)| Attempt::Remove { package, version }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_is_tried_the_registry_stays_closed_and_sound(
        batches in proptest::collection::vec(proptest::collection::vec(attempt(), 1..3), 1..6),
    ) {
        let world = World::new(true);
        let registry = world.open();
        for batch in batches {
            let intents = batch.iter().map(|attempt| match attempt {
                Attempt::Publish { package, version, needs } => {
                    let needs: Vec<String> = needs.iter().map(|needed| format!("acme/p{needed} *")).collect();
                    let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
                    let id = format!("acme/p{package} 1.0.{version}");
                    Intent::Publish(Box::new(world.draft(&registry, &id, &needs, "")))
                }
                Attempt::Remove { package, version } => {
                    withdraw(WithdrawalVerb::Remove, &format!("acme/p{package} 1.0.{version}"))
                }
            });
            // Many attempts are refused; what matters is what is there afterwards.
            let _ = world.submit(intents.collect());
            let replica = world.fresh_replica();
            let source = weir_log::FolderSource::new(world.folder());
            let found = audit(&source, replica.keys(), true, Look::Held(&world.content()), &Unobserved).unwrap();
            prop_assert_eq!(found.problems, Vec::<String>::new());
        }
    }
}

/// What somebody may try with native packages, of which each may need those with a lower number.
#[derive(Debug, Clone)]
enum Change {
    /// Build a version, for the first time or again.
    Build { package: usize, version: u64, needs: Vec<usize> },
    /// Take one release away, the newest of its package or another.
    Remove { package: usize, place: usize },
    /// Build a version and all that was built with the package again, in place of what was there.
    Update { package: usize, version: u64 },
}

fn change() -> impl Strategy<Value = Change> {
    let package = 0..4_usize;
    // Needing all is what makes two ways to one package meet.
    let all = Just(BTreeSet::from([0, 1, 2]));
    let needs = prop_oneof![all, proptest::collection::btree_set(0..3_usize, 0..3)];
    prop_oneof![
        3 => (package.clone(), 0..2_u64, needs).prop_map(|(package, version, needs)| Change::Build {
            package,
            version,
            needs: needs.into_iter().filter(|needed| *needed < package).collect(),
        }),
        1 => (package.clone(), 0..3_usize).prop_map(|(package, place)| Change::Remove { package, place }),
        2 => (package, 0..2_u64).prop_map(|(package, version)| Change::Update { package, version }),
    ]
}

/// A small build link tree: it knows what to ask for, and may ask for nonsense.
struct LinkTree<'w> {
    world: &'w World,
    live: BTreeMap<ReleaseId, Release>,
    intents: Vec<Intent>,
}

impl LinkTree<'_> {
    fn add(&mut self, change: &Change) {
        match change {
            Change::Build { package, version, needs } => {
                let needs: Vec<String> = needs.iter().map(|needed| format!("acme/p{needed} *")).collect();
                self.build(&format!("acme/p{package}"), &format!("1.0.{version}"), &needs);
            }
            Change::Remove { package, place } => {
                let name = format!("acme/p{package}");
                let of_name = self.live.keys().filter(|id| id.name.as_str() == name);
                if let Some(id) = of_name.rev().nth(*place).cloned() {
                    self.intents.push(Intent::Withdraw(Withdraw::exactly(WithdrawalVerb::Remove, id)));
                }
            }
            Change::Update { package, version } => self.update(&format!("acme/p{package}"), *version),
        }
    }

    fn update(&mut self, name: &str, version: u64) {
        let mut leaving: BTreeSet<ReleaseId> =
            self.live.keys().filter(|id| id.name.as_str() == name).cloned().collect();
        self.build(name, &format!("1.0.{version}"), &[]);
        loop {
            let needs_one = |release: &Release| {
                release.dependencies.iter().any(|d| d.baked_id().is_some_and(|id| leaving.contains(&id)))
            };
            let more: Vec<Release> = self
                .live
                .values()
                .filter(|release| needs_one(release) && !leaving.contains(&release.id))
                .cloned()
                .collect();
            if more.is_empty() {
                break;
            }
            for release in more {
                let needs: Vec<String> =
                    release.dependencies.iter().map(|dependency| format!("{} *", dependency.name)).collect();
                self.build(release.id.name.as_str(), &release.id.version.to_string(), &needs);
                leaving.insert(release.id);
            }
        }
        self.intents.extend(
            leaving.into_iter().map(|id| Intent::Withdraw(Withdraw::exactly(WithdrawalVerb::Remove, id))),
        );
    }

    fn build(&mut self, name: &str, version: &str, needs: &[String]) {
        let replica = crate::world::sync(&self.world.folder(), &self.world.home()).unwrap();
        let package = replica.index().package(&name.parse().unwrap()).unwrap();
        let (number, any) = (version.parse().unwrap(), "any".parse().unwrap());
        let next = package.map_or(0, |package| package.next_revision(&number, &any));
        let again = self.intents.iter().filter_map(Intent::published);
        let again = again.filter(|id| id.name.as_str() == name && id.version == number).count();
        let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
        let registry = self.world.open();
        let id = format!("{name} {version} revision {}", next + u32::try_from(again).unwrap());
        self.intents.push(Intent::Publish(Box::new(native(&registry, &id, &needs, ""))));
    }
}

fn live(world: &World) -> BTreeMap<ReleaseId, Release> {
    let replica = crate::world::sync(&world.folder(), &world.home()).unwrap();
    let views = replica.index().live_releases().map(Result::unwrap);
    views.map(|view| (view.release.id.clone(), view.release)).collect()
}

/// Every release that is in the closure of `id`, found in the plainest way.
fn closure(live: &BTreeMap<ReleaseId, Release>, id: &ReleaseId) -> BTreeSet<ReleaseId> {
    let mut closure = BTreeSet::from([id.clone()]);
    for dependency in &live[id].dependencies {
        closure.extend(self::closure(live, &dependency.baked_id().unwrap()));
    }
    closure
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_is_added_updated_and_removed_everything_fits_together_or_nothing_has_changed(
        batches in proptest::collection::vec(proptest::collection::vec(change(), 1..3), 1..9),
        turn in 0..8_usize,
    ) {
        let world = World::new(true);
        let first = [vec![], vec![0], vec![0], vec![1, 2]].into_iter().enumerate();
        let first = first.map(|(package, needs)| Change::Build { package, version: 0, needs }).collect();
        let checkpoint = || fs_err::read_to_string(world.folder().join("checkpoint")).unwrap();
        for batch in std::iter::once(first).chain(batches) {
            let (before, signed) = (live(&world), checkpoint());
            let mut link_tree = LinkTree { world: &world, live: before.clone(), intents: Vec::new() };
            batch.iter().for_each(|change| link_tree.add(change));
            let mut intents = link_tree.intents;
            let turn = turn % intents.len().max(1);
            intents.rotate_left(turn);
            let accepted = world.submit(intents);
            let after = live(&world);
            if accepted.is_err() {
                prop_assert_eq!(&before, &after);
                prop_assert_eq!(signed, checkpoint());
            }
            for (id, release) in &after {
                for dependency in &release.dependencies {
                    let there = after.get(&dependency.baked_id().unwrap());
                    prop_assert_eq!(there.map(|there| there.input_digest), dependency.baked.as_ref().map(|b| b.input_digest));
                }
                let closure = closure(&after, id);
                let names: BTreeSet<_> = closure.iter().map(|id| &id.name).collect();
                prop_assert_eq!(names.len(), closure.len(), "{:?}", closure);
            }
        }
    }
}
