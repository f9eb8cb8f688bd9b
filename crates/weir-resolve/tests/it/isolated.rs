//! `bash`, `data` and `generic`: versions side by side.

use insta::assert_snapshot;
use weir_model::KindName;
use weir_resolve::{Here, Replacement, Settings};

use crate::world::{World, path, range, replaced, shown};

#[test]
fn below_a_direct_dependency_stands_what_was_baked() {
    let world = World::new(
        "bash acme/core 0.6.0
         bash acme/core 0.11.0
         bash acme/core 0.12.0
         bash acme/term 0.6.3 -> acme/core @0.11.0
         bash acme/toml 0.3.1 -> acme/core @0.6.0
         bash acme/woof 0.5.1 -> acme/core @0.12.0; acme/term @0.6.3",
    );
    assert_snapshot!(world.resolve("acme/woof ^0.5; acme/toml *"), @r"
    acme/core 0.6.0
    acme/core 0.11.0
    acme/core 0.12.0
    acme/term 0.6.3 -> acme/core 0.11.0
    acme/toml 0.3.1 -> acme/core 0.6.0
    acme/woof 0.5.1 -> acme/core 0.12.0, acme/term 0.6.3
    ");
}

#[test]
fn a_fluid_edge_takes_the_newest_in_range() {
    let world = World::new(
        "data acme/corpus 1.0.0
         data acme/corpus 1.9.0
         data acme/corpus 2.0.0
         generic acme/reader 1.0.0 -> acme/corpus ^1",
    );
    assert_snapshot!(world.resolve("acme/reader *; acme/corpus *"), @r"
    acme/corpus 1.9.0
    acme/corpus 2.0.0
    acme/reader 1.0.0 -> acme/corpus 1.9.0 (^1)
    ");
}

#[test]
fn a_cycle_through_a_fluid_edge_ends() {
    let world = World::new(
        "bash acme/a 1.0.0
         bash acme/b 1.0.0 -> acme/a ^1
         bash acme/a 1.1.0 -> acme/b @1.0.0",
    );
    assert_snapshot!(world.resolve("acme/b ^1"), @r"
    acme/a 1.1.0 -> acme/b 1.0.0
    acme/b 1.0.0 -> acme/a 1.1.0 (^1)
    ");
}

#[test]
fn a_baked_release_is_used_though_it_was_yanked() {
    let world = World::new(
        "bash acme/core 1.0.0 yanked
         bash acme/core 1.1.0
         bash acme/tool 1.0.0 -> acme/core @1.0.0",
    );
    assert_snapshot!(world.resolve("acme/tool ^1"), @r"
    acme/core 1.0.0 (yanked)
    acme/tool 1.0.0 -> acme/core 1.0.0
    ");
}

#[test]
fn a_path_dependency_is_used_by_the_project_and_not_by_its_dependencies() {
    let world = World::new(
        "bash acme/core 1.0.0
         bash acme/tool 1.0.0 -> acme/core @1.0.0",
    );
    let fixed = vec![path(KindName::Bash, "acme/core 0.9.0 -> acme/tool ^1")];
    let resolver = world.resolver_with(Settings { fixed, ..Settings::default() });
    assert_snapshot!(shown(&resolver, "acme/core *; acme/tool *", None), @r"
    acme/core 0.9.0 from ../core -> acme/tool 1.0.0 (^1)
    acme/core 1.0.0
    acme/tool 1.0.0 -> acme/core 1.0.0
    ");
}

#[test]
fn an_override_replaces_what_was_baked_and_what_was_asked_for() {
    let world = World::new(
        "bash acme/core 1.0.0
         bash acme/core 2.0.0
         bash acme/tool 1.0.0 -> acme/core @1.0.0",
    );
    let overrides = vec![replaced("acme/core", Replacement::Range(range("^2")))];
    let resolver = world.resolver_with(Settings { overrides, ..Settings::default() });
    assert_snapshot!(shown(&resolver, "acme/core ^1; acme/tool *", None), @r"
    acme/core 2.0.0
    acme/tool 1.0.0 -> acme/core 2.0.0 (^2)
    ");

    let fixed = vec![path(KindName::Bash, "acme/core 9.0.0")];
    let overrides = vec![replaced("acme/core", Replacement::Fixed)];
    let resolver = world.resolver_with(Settings { overrides, fixed, ..Settings::default() });
    assert_snapshot!(shown(&resolver, "acme/tool *", None), @r"
    acme/core 9.0.0 from ../core
    acme/tool 1.0.0 -> acme/core 9.0.0 (^1.0.0)
    ");
}

#[test]
fn where_the_newest_leads_to_what_cannot_be_had_an_older_release_is_taken() {
    let world = World::new(
        "bash acme/core 1.0.0
         bash acme/core 1.1.0 quarantined=backdoor
         bash acme/term 1.0.0 -> acme/core @1.0.0
         bash acme/term 1.1.0 -> acme/core @1.1.0
         bash acme/tool 1.0.0 -> acme/term ^1
         bash acme/tool 1.1.0 -> acme/term =1.1.0",
    );
    assert_snapshot!(world.resolve("acme/term ^1"), @r"
    acme/core 1.0.0
    acme/term 1.0.0 -> acme/core 1.0.0
    ");
    assert_snapshot!(world.resolve("acme/tool ^1"), @r"
    acme/core 1.0.0
    acme/term 1.0.0 -> acme/core 1.0.0
    acme/tool 1.0.0 -> acme/term 1.0.0 (^1)
    ");
}

#[test]
fn where_nothing_in_range_helps_it_is_said_of_what_was_tried() {
    let world = World::new(
        "bash acme/core 1.1.0 quarantined=backdoor
         bash acme/term 1.0.0 -> acme/core @1.1.0
         bash acme/term 1.1.0 -> acme/core @1.1.0",
    );
    assert_snapshot!(world.resolve("acme/term ^1"), @r"
    the requirements cannot be met:
      1. `weir.toml:1` requires `acme/term` ^1.
      2. `acme/term` 1.1.0 was published with `acme/core` 1.1.0, but 1.1.0 is quarantined (backdoor).
    So 2 cannot be met. No other release in range of `acme/term` helps.
    ");
    assert_snapshot!(world.resolve("acme/term =1.1.0"), @r"
    the requirements cannot be met:
      1. `weir.toml:1` requires `acme/term` =1.1.0.
      2. `acme/term` 1.1.0 was published with `acme/core` 1.1.0, but 1.1.0 is quarantined (backdoor).
    So 2 cannot be met.
    ");
}

#[test]
fn an_older_release_is_taken_where_what_the_newest_needs_does_not_go_with_the_rest() {
    let world = World::new(
        "native acme/ssl 1.0.0
         native acme/ssl 2.0.0
         bash acme/a 1.0.0 -> acme/ssl @1.0.0
         bash acme/a 1.1.0 -> acme/ssl @2.0.0
         bash acme/b 1.0.0 -> acme/ssl @1.0.0",
    );
    assert_snapshot!(world.resolve("acme/a ^1; acme/b ^1"), @r"
    acme/a 1.0.0 -> acme/ssl 1.0.0
    acme/b 1.0.0 -> acme/ssl 1.0.0
    acme/ssl 1.0.0
    ");
}

#[test]
fn what_the_project_asks_for_twice_is_one_release_that_meets_both() {
    let world = World::new("bash acme/a 1.0.0\nbash acme/a 1.1.0\nbash acme/a 2.0.0");
    assert_snapshot!(world.resolve("acme/a *; acme/a <2, >=1"), @r"acme/a 1.1.0");
    assert_snapshot!(world.resolve("acme/a ^2; acme/a ^1"), @r"
    the requirements cannot be met:
      1. `weir.toml:1` requires `acme/a` ^2.
      2. `weir.toml:2` requires `acme/a` ^1.
    So no release of `acme/a` meets 1 and 2.
    help: `acme/a` 2.0.0 exists, but `weir.toml:2` requires `acme/a` ^1
    ");
}

#[test]
fn what_is_here_is_taken_first_if_any_release_in_range_will_do() {
    let world = World::new(
        "data acme/corpus 1.0.0 here
         data acme/corpus 1.9.0
         generic acme/reader 1.0.0 -> acme/corpus ^1",
    );
    let with = |here: Here, newest: &[&str]| {
        let newest = newest.iter().map(|name| name.parse().unwrap()).collect();
        world.resolver_with(Settings { here, newest, ..Settings::default() })
    };
    let asked = "fluid acme/corpus ^1; acme/reader *";
    assert_snapshot!(shown(&with(Here::FirstIfFluid, &[]), asked, None), @r"
    acme/corpus 1.0.0
    acme/reader 1.0.0 -> acme/corpus 1.0.0 (^1)
    ");
    assert_snapshot!(shown(&with(Here::FirstIfFluid, &[]), "acme/corpus ^1", None), @r"acme/corpus 1.9.0");
    assert_snapshot!(shown(&with(Here::First, &[]), "acme/corpus ^1", None), @r"acme/corpus 1.0.0");
    assert_snapshot!(shown(&with(Here::FirstIfFluid, &["acme/corpus"]), "fluid acme/corpus ^1", None), @r"acme/corpus 1.9.0");
    assert_snapshot!(shown(&with(Here::FirstIfFluid, &[]), "fluid acme/corpus >=1.5", None), @r"acme/corpus 1.9.0");
}

#[test]
fn of_what_is_not_here_nothing_is_taken_if_only_what_is_here_may_be() {
    let world = World::new(
        "bash acme/core 1.0.0 here
         bash acme/core 1.1.0
         bash acme/term 1.0.0 here -> acme/core @1.0.0
         bash acme/term 1.1.0 here -> acme/core @1.1.0
         native acme/lib 1.0.0 here
         native acme/lib 1.1.0
         native acme/app 1.0.0 here -> acme/lib ^1",
    );
    let resolver = world.resolver_with(Settings { here: Here::Only, ..Settings::default() });
    assert_snapshot!(shown(&resolver, "acme/term ^1; acme/app ^1", None), @r"
    acme/app 1.0.0 -> acme/lib 1.0.0 (^1)
    acme/core 1.0.0
    acme/lib 1.0.0
    acme/term 1.0.0 -> acme/core 1.0.0
    ");
}
