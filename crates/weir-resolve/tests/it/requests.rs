//! Locks, yanks, pre-releases, registries and settings.

use std::sync::Arc;

use insta::assert_snapshot;
use weir_model::{KindName, Platform, ReleaseId, Version};
use weir_resolve::{Lock, Replacement, Request, Resolver, Settings, SettingsError};

use crate::world::{World, ids, name, path, replaced, requirements, shown};

#[test]
fn a_locked_choice_is_kept_while_it_satisfies_and_moves_when_forgotten() {
    for kind in ["elm", "bash"] {
        let mut world = World::new(&format!("{kind} acme/a 1.0.0"));
        let mut lock = Lock::from(&world.resolution("acme/a ^1"));
        world.add(&format!("{kind} acme/a 1.1.0"));
        world.add(&format!("{kind} acme/a 2.0.0"));
        assert_eq!(world.resolve_locked("acme/a ^1", &lock), "acme/a 1.0.0\n");
        assert_eq!(world.resolve_locked("acme/a ^2", &lock), "acme/a 2.0.0\n");
        lock.forget(&name("acme/a"));
        assert_eq!(world.resolve_locked("acme/a ^1", &lock), "acme/a 1.1.0\n");
    }
}

#[test]
fn a_yanked_release_is_used_only_from_a_lock() {
    for kind in ["elm", "bash"] {
        let before = World::new(&format!("{kind} acme/a 1.0.0\n{kind} acme/a 1.1.0"));
        let lock = Lock::from(&before.resolution("acme/a ^1"));
        let after = World::new(&format!("{kind} acme/a 1.0.0\n{kind} acme/a 1.1.0 yanked"));
        assert_eq!(after.resolve("acme/a ^1"), "acme/a 1.0.0\n");
        assert_eq!(after.resolve_locked("acme/a ^1", &lock), "acme/a 1.1.0 (yanked)\n");
        assert_eq!(after.resolve_locked("acme/a ~1.0", &lock), "acme/a 1.0.0\n");
    }
}

#[test]
fn a_yanked_release_is_kept_by_a_lock_below_the_roots_too() {
    for kind in ["elm", "bash"] {
        let before = World::new(&format!("{kind} acme/a 1.0.0\n{kind} acme/top 1.0.0 -> acme/a ^1"));
        let lock = Lock::from(&before.resolution("acme/top ^1"));
        let after = World::new(&format!("{kind} acme/a 1.0.0 yanked\n{kind} acme/top 1.0.0 -> acme/a ^1"));
        assert!(after.resolve_locked("acme/top ^1", &lock).starts_with("acme/a 1.0.0 (yanked)"));
    }
}

#[test]
fn a_quarantined_release_is_not_used_even_from_a_lock() {
    let before = World::new("bash acme/a 1.0.0\nbash acme/a 1.1.0");
    let lock = Lock::from(&before.resolution("acme/a ^1"));
    let after = World::new("bash acme/a 1.0.0\nbash acme/a 1.1.0 quarantined=malware");
    assert_eq!(after.resolve_locked("acme/a ^1", &lock), "acme/a 1.0.0\n");
}

#[test]
fn a_prerelease_is_used_only_where_the_range_names_one() {
    let world = World::new("elm acme/a 1.0.0\nelm acme/a 1.1.0-beta.1");
    assert_eq!(world.resolve("acme/a ^1"), "acme/a 1.0.0\n");
    assert_eq!(world.resolve("acme/a ^1.1.0-alpha"), "acme/a 1.1.0-beta.1\n");
}

#[test]
fn side_by_side_choices_of_a_lock_stay_apart() {
    let mut world = World::new(
        "data acme/d 1.0.0
         generic acme/x 1.0.0 -> acme/d ^1",
    );
    let first = Lock::from(&world.resolution("acme/x ^1"));
    world.add("data acme/d 1.1.0");
    world.add("generic acme/y 1.0.0 -> acme/d ^1.1");
    let requirements = requirements("acme/x ^1; acme/y ^1");
    let request = |lock| Request { requirements: &requirements, lock: Some(lock) };
    let second = world.resolver().resolve(request(&first)).unwrap();
    assert_eq!(ids(&second).iter().filter(|id| id.name == name("acme/d")).count(), 2);
    let again = world.resolver().resolve(request(&Lock::from(&second))).unwrap();
    assert_eq!(second, again);
}

#[test]
fn a_name_belongs_to_one_registry() {
    let world = World::new("bash acme/a 1.0.0");
    let mut wanted = requirements("acme/a ^1; acme/a *");
    wanted[0].registry = Some(Arc::from("org"));
    wanted[1].registry = Some(Arc::from("public"));
    let error = world.resolver().resolve(Request { requirements: &wanted, lock: None }).unwrap_err();
    assert_snapshot!(error.to_string(), @r"`weir.toml:2` requires `acme/a` from the registry `public`, but `weir.toml:1` requires it from `org`, and a name belongs to one registry");
}

#[test]
fn a_unified_path_dependency_stands_in_for_the_package_where_it_fits() {
    let world = World::new(
        "elm acme/lib 1.0.0
         elm acme/app 1.0.0 -> acme/lib ^1
         elm acme/old 1.0.0 -> acme/lib ^0.9",
    );
    let fixed = vec![path(KindName::Elm, "acme/lib 1.5.0")];
    let resolver = world.resolver_with(Settings { fixed, ..Settings::default() });
    assert_snapshot!(shown(&resolver, "acme/lib *; acme/app *", None), @r"
    acme/app 1.0.0 -> acme/lib 1.5.0 (^1)
    acme/lib 1.5.0 from ../lib
    ");
    assert_snapshot!(shown(&resolver, "acme/lib *; acme/old *", None), @r"
    the requirements cannot be met:
      1. `weir.toml:2` requires `acme/old` *.
      2. `acme/old` 1.0.0 needs `acme/lib` ^0.9, but `../lib` stands in for it with 1.5.0.
    So 2 cannot be met.
    ");
}

#[test]
fn settings_that_contradict_themselves_are_refused() {
    let world = World::default();
    let twice = vec![path(KindName::Elm, "acme/a 1.0.0"), path(KindName::Elm, "acme/a 2.0.0")];
    let settings = Settings { fixed: twice, ..Settings::default() };
    assert!(matches!(Resolver::new(&world, settings), Err(SettingsError::FixedTwice { .. })));
    let overrides = vec![replaced("acme/a", Replacement::Fixed)];
    let settings = Settings { overrides, ..Settings::default() };
    assert!(matches!(Resolver::new(&world, settings), Err(SettingsError::NothingFixed { .. })));
}

#[test]
fn what_is_needed_only_to_build_or_to_develop_is_not_followed() {
    for kind in ["elm", "bash"] {
        let world = World::new(&format!(
            "{kind} acme/a 1.0.0 -> dev acme/test ^1; build acme/make ^1; acme/b ^1
             {kind} acme/b 1.0.0"
        ));
        assert_eq!(world.resolve("acme/a ^1"), "acme/a 1.0.0 -> acme/b 1.0.0 (^1)\nacme/b 1.0.0\n");
    }
}

#[test]
fn a_resolver_answers_many_requests_from_what_it_asked_once() {
    let world = World::new("elm acme/a 1.0.0 -> acme/b ^1\nelm acme/b 1.0.0\nelm acme/b 1.1.0");
    let resolver = world.resolver();
    let lock = Lock::from(&World::new("elm acme/b 1.0.0").resolution("acme/b *"));
    assert!(shown(&resolver, "acme/a *", None).contains("acme/b 1.1.0"));
    assert!(!shown(&resolver, "acme/a *", Some(&lock)).contains("acme/b 1.1.0"));
    assert!(shown(&resolver, "acme/a *", None).contains("acme/b 1.1.0"));
}

#[test]
fn a_locked_package_that_nothing_needs_any_more_is_not_asked_for() {
    let world = World::new("bash acme/a 1.0.0");
    let mut lock = Lock::from(&world.resolution("acme/a ^1"));
    lock.add_release(ReleaseId {
        name: name("acme/broken"),
        version: Version::new(1, 0, 0),
        platform: Platform::any(),
        revision: 0,
    });
    assert_eq!(world.resolve_locked("acme/a ^1", &lock), "acme/a 1.0.0\n");
}
