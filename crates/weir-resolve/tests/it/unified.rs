//! `elm` and `native`: one release a name.

use insta::assert_snapshot;

use crate::world::World;

#[test]
fn the_newest_releases_that_fit_together_are_chosen() {
    let world = World::new(
        "elm acme/app 1.0.0 -> acme/lib ^1; acme/ui ^1
         elm acme/ui 1.0.0 -> acme/lib ^1
         elm acme/ui 1.1.0 -> acme/lib ^2
         elm acme/lib 1.0.0
         elm acme/lib 1.5.0
         elm acme/lib 2.0.0",
    );
    assert_snapshot!(world.resolve("acme/app ^1"), @r"
    acme/app 1.0.0 -> acme/lib 1.5.0 (^1), acme/ui 1.0.0 (^1)
    acme/lib 1.5.0
    acme/ui 1.0.0 -> acme/lib 1.5.0 (^1)
    ");
}

#[test]
fn a_cycle_of_unified_packages_is_resolved() {
    let world = World::new(
        "elm acme/a 1.0.0 -> acme/b ^1
         elm acme/b 1.0.0 -> acme/a ^1; acme/b ^1",
    );
    assert_snapshot!(world.resolve("acme/a ^1"), @r"
    acme/a 1.0.0 -> acme/b 1.0.0 (^1)
    acme/b 1.0.0 -> acme/a 1.0.0 (^1), acme/b 1.0.0 (^1)
    ");
}

#[test]
fn baked_keys_of_native_packages_agree() {
    let world = World::new(
        "native acme/z 1.2.0
         native acme/z 1.3.0
         native acme/a 1.0.0 -> acme/z @1.2.0
         native acme/a 1.1.0 -> acme/z @1.3.0
         native acme/b 1.0.0 -> acme/z @1.2.0",
    );
    assert_snapshot!(world.resolve("acme/a ^1; acme/b ^1"), @r"
    acme/a 1.0.0 -> acme/z 1.2.0
    acme/b 1.0.0 -> acme/z 1.2.0
    acme/z 1.2.0
    ");
}

#[test]
fn an_older_revision_is_chosen_where_only_it_agrees() {
    let world = World::new(
        "native acme/z 1.2.0
         native acme/z 1.2.0+1
         native acme/a 1.0.0 -> acme/z @1.2.0
         native acme/a 1.0.0+1 -> acme/z @1.2.0+1
         native acme/b 1.0.0 -> acme/z @1.2.0",
    );
    assert_snapshot!(world.resolve("acme/a ^1"), @r"
    acme/a 1.0.0 revision 1 -> acme/z 1.2.0 revision 1
    acme/z 1.2.0 revision 1
    ");
    assert_snapshot!(world.resolve("acme/a ^1; acme/b ^1"), @r"
    acme/a 1.0.0 -> acme/z 1.2.0
    acme/b 1.0.0 -> acme/z 1.2.0
    acme/z 1.2.0
    ");
}

#[test]
fn a_release_for_the_platform_is_preferred_to_one_for_any_and_others_are_not_used() {
    let world = World::new(
        "native acme/a 1.0.0+3
         native acme/a 1.0.0 platform=x86-64-debian-12
         native acme/a 1.0.0+1 platform=x86-64-debian-12
         native acme/a 1.1.0 platform=arm64-debian-12",
    );
    assert_snapshot!(world.resolve("acme/a ^1"), @r"acme/a 1.0.0 x86-64-debian-12 revision 1");
}

#[test]
fn what_an_isolated_release_needs_of_a_unified_package_binds_the_project() {
    let world = World::new(
        "native acme/z 1.2.0
         native acme/z 1.3.0
         bash acme/tool 1.0.0 -> acme/z @1.2.0
         native acme/a 1.0.0 -> acme/z @1.3.0; acme/tool @1.0.0
         native acme/b 1.0.0 -> acme/tool @1.0.0",
    );
    assert_snapshot!(world.resolve("acme/b ^1; acme/z ^1"), @r"
    acme/b 1.0.0 -> acme/tool 1.0.0
    acme/tool 1.0.0 -> acme/z 1.2.0
    acme/z 1.2.0
    ");
    assert_snapshot!(world.resolve("acme/a ^1"), @r"
    the requirements cannot be met:
      1. `weir.toml:1` requires `acme/a` ^1.
      2. `acme/a` 1.0.0 was built with `acme/z` 1.3.0.
      3. `acme/a` 1.0.0 was built with `acme/tool` 1.0.0.
      4. `acme/tool` 1.0.0 was published with `acme/z` 1.2.0.
    So 2 and 4 cannot be used together: only one `acme/z` can be present.
    help: `acme/z` 1.3.0 exists, but `acme/tool` 1.0.0 was published with `acme/z` 1.2.0
    ");
}

#[test]
fn what_isolated_releases_need_counts_only_for_the_unified_release_that_brings_them_along() {
    let mut world = World::new(
        "native acme/app 1.0.0 -> acme/reader ^1
         native acme/app 2.0.0 -> acme/writer ^1
         generic acme/writer 1.0.0 -> acme/lib ^1
         generic acme/reader 1.0.0 -> acme/lib ^2
         native acme/lib 1.0.0 -> acme/app ^1
         native acme/lib 2.0.0",
    );
    assert_snapshot!(world.resolve("acme/app *"), @r"
    acme/app 1.0.0 -> acme/reader 1.0.0 (^1)
    acme/lib 2.0.0
    acme/reader 1.0.0 -> acme/lib 2.0.0 (^2)
    ");

    world.add("native acme/other 1.0.0 -> acme/lib ^1");
    assert_snapshot!(world.resolve("acme/app *; acme/other *"), @r"
    the requirements cannot be met:
      1. `weir.toml:2` requires `acme/other` *.
      2. `acme/other` 1.0.0 needs `acme/lib` ^1.
      3. `acme/lib` 1.0.0 needs `acme/app` ^1.
      4. `acme/app` 1.0.0 needs `acme/reader` ^1.
      5. `acme/reader` 1.0.0 needs `acme/lib` ^2.
    So no release of `acme/lib` meets 2 and 5.
    help: `acme/lib` 2.0.0 exists, but `acme/other` 1.0.0 needs `acme/lib` ^1
    help: if one release of `acme/lib` serves them all, name it under `[override]`
    ");
}
