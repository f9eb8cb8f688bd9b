//! `bash`, `data` and `generic`: versions side by side.

use insta::assert_snapshot;
use weir_model::KindName;
use weir_resolve::{Replacement, Settings};

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
