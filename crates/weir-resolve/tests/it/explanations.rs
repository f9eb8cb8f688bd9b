//! What a person is told when there is no resolution.

use insta::assert_snapshot;
use weir_resolve::{Replacement, Request, ResolveError, Settings};

use crate::world::{World, range, replaced, requirements, shown};

#[test]
fn an_unknown_package_is_named_with_what_was_probably_meant() {
    let world = World::new("bash acme/greet 1.0.0");
    assert_snapshot!(world.resolve("acmee/greet ^1"), @r"
    `weir.toml:1` requires `acmee/greet` ^1, but there is no such package
    help: there is no `acmee/greet`; did you mean `acme/greet`?
    ");
}

#[test]
fn a_range_that_nothing_meets_shows_what_there_is() {
    let world = World::new("bash acme/a 1.0.0\nbash acme/a 1.1.0");
    assert_snapshot!(world.resolve("acme/a ^2"), @r"`weir.toml:1` requires `acme/a` ^2, but it is offered only in 1.0.0 and 1.1.0");
}

#[test]
fn yanked_quarantined_foreign_and_prereleased_versions_are_told_apart() {
    let world = World::new(
        "native acme/a 0.9.0
         native acme/a 1.0.0 yanked
         native acme/a 1.1.0 quarantined=CVE-2026-1
         native acme/a 1.2.0 platform=arm64-debian-12
         native acme/a 1.3.0-rc.1",
    );
    assert_snapshot!(world.resolve("acme/a ^1"), @r"
    `weir.toml:1` requires `acme/a` ^1, but 1.0.0 was yanked; 1.1.0 is quarantined (CVE-2026-1); 1.2.0 is for `arm64-debian-12`, not for `x86-64-debian-12`; 1.3.0-rc.1 is a pre-release, which a range must name
    help: to accept the pre-release `acme/a` 1.3.0-rc.1, name it: `^1.3.0-rc.1`
    ");
}

#[test]
fn a_plain_conflict_is_three_facts() {
    let world = World::new(
        "elm acme/y 1.3.0 -> acme/x ^1
         elm acme/y 1.4.0 -> acme/x ^1
         elm acme/x 1.0.0
         elm acme/x 2.0.0",
    );
    assert_snapshot!(world.resolve("acme/y ^1; acme/x ^2"), @r"
    the requirements cannot be met:
      1. `weir.toml:1` requires `acme/y` ^1.
      2. `weir.toml:2` requires `acme/x` ^2.
      3. Every release of `acme/y` needs `acme/x` ^1.
    So no release of `acme/x` meets 2 and 3.
    help: `acme/x` 2.0.0 exists, but every release of `acme/y` needs `acme/x` ^1
    help: if one release of `acme/x` serves them all, name it under `[override]`
    ");
}

#[test]
fn packages_built_apart_are_both_named() {
    let world = World::new(
        "native acme/z 1.2.0
         native acme/z 1.3.0
         native acme/a 1.0.0 -> acme/z @1.2.0
         native acme/b 2.0.0 -> acme/z @1.3.0",
    );
    assert_snapshot!(world.resolve("acme/a ^1; acme/b ^2"), @r"
    the requirements cannot be met:
      1. `weir.toml:1` requires `acme/a` ^1.
      2. `weir.toml:2` requires `acme/b` ^2.
      3. `acme/a` 1.0.0 was built with `acme/z` 1.2.0.
      4. `acme/b` 2.0.0 was built with `acme/z` 1.3.0.
    So 3 and 4 cannot be used together: only one `acme/z` can be present.
    help: `acme/z` 1.3.0 exists, but `acme/a` 1.0.0 was built with `acme/z` 1.2.0
    ");
}

#[test]
fn what_was_built_with_something_quarantined_says_so() {
    let world = World::new(
        "native acme/z 1.2.0 quarantined=backdoor
         native acme/a 1.0.0 -> acme/z @1.2.0",
    );
    assert_snapshot!(world.resolve("acme/a ^1"), @r"
    the requirements cannot be met:
      1. `weir.toml:1` requires `acme/a` ^1.
      2. `acme/a` 1.0.0 was built with `acme/z` 1.2.0, but 1.2.0 is quarantined (backdoor).
    So 2 cannot be met.
    ");
}

#[test]
fn a_failure_deep_in_a_baked_closure_shows_the_way_there() {
    let world = World::new(
        "bash acme/core 0.9.0
         bash acme/term 1.0.0 -> acme/core @1.0.0
         bash acme/tool 2.0.0 -> acme/term @1.0.0",
    );
    assert_snapshot!(world.resolve("acme/tool *"), @r"
    the requirements cannot be met:
      1. `weir.toml:1` requires `acme/tool` *.
      2. `acme/tool` 2.0.0 was published with `acme/term` 1.0.0.
      3. `acme/term` 1.0.0 was published with `acme/core` 1.0.0, but that is no longer offered.
    So 3 cannot be met.
    ");
}

#[test]
fn branches_of_a_proof_are_concluded_one_by_one() {
    let world = World::new(
        "elm acme/app 1.0.0 -> acme/a ^1; acme/b ^1
         elm acme/app 1.1.0 -> acme/c ^1; acme/d ^1
         elm acme/a 1.0.0 -> acme/x ^1
         elm acme/b 1.0.0 -> acme/x ^2
         elm acme/c 1.0.0 -> acme/y ^1
         elm acme/d 1.0.0 -> acme/y ^2
         elm acme/x 1.0.0
         elm acme/x 2.0.0
         elm acme/y 1.0.0
         elm acme/y 2.0.0",
    );
    assert_snapshot!(world.resolve("acme/app ^1"), @r"
    the requirements cannot be met:
      1. `weir.toml:1` requires `acme/app` ^1.
      2. `acme/app` 1.0.0 needs `acme/a` ^1.
      3. `acme/a` 1.0.0 needs `acme/x` ^1.
      4. `acme/app` 1.0.0 needs `acme/b` ^1.
      5. `acme/b` 1.0.0 needs `acme/x` ^2.
      6. So, from 2, 3, 4 and 5, `acme/app` 1.0.0 cannot be used.
      7. `acme/app` 1.1.0 needs `acme/c` ^1.
      8. `acme/c` 1.0.0 needs `acme/y` ^1.
      9. `acme/app` 1.1.0 needs `acme/d` ^1.
      10. `acme/d` 1.0.0 needs `acme/y` ^2.
      11. So, from 7, 8, 9 and 10, `acme/app` 1.1.0 cannot be used.
    So, from 1, 6 and 11, no release of `acme/app` is left to choose.
    help: `acme/x` 2.0.0 exists, but `acme/a` 1.0.0 needs `acme/x` ^1
    help: `acme/y` 2.0.0 exists, but `acme/c` 1.0.0 needs `acme/y` ^1
    ");
}

#[test]
fn a_way_around_a_clash_that_ends_in_another_is_shown() {
    let world = World::new(
        "elm acme/app 1.0.0 -> acme/easter ^1; acme/date ^3; acme/elm ~0.18
         elm acme/easter 1.0.0 -> acme/date ^2
         elm acme/easter 1.1.0 -> acme/elm ~0.19
         elm acme/date 2.0.0
         elm acme/date 3.0.0
         elm acme/elm 0.18.0
         elm acme/elm 0.19.0",
    );
    assert_snapshot!(world.resolve("acme/app ^1"), @r"
    the requirements cannot be met:
      1. `weir.toml:1` requires `acme/app` ^1.
      2. `acme/app` 1.0.0 needs `acme/easter` ^1.
      3. `acme/easter` 1.0.0 needs `acme/date` ^2.
      4. `acme/easter` 1.1.0 needs `acme/elm` ~0.19.
      5. `acme/app` 1.0.0 needs `acme/date` ^3.
      6. `acme/app` 1.0.0 needs `acme/elm` ~0.18.
    So no release of `acme/date` meets 3 and 5, and no release of `acme/elm` meets 4 and 6.
    help: `acme/date` 3.0.0 exists, but `acme/easter` 1.0.0 needs `acme/date` ^2
    help: `acme/elm` 0.19.0 exists, but `acme/app` 1.0.0 needs `acme/elm` ~0.18
    help: if one release of `acme/date` serves them all, name it under `[override]`
    help: if one release of `acme/elm` serves them all, name it under `[override]`
    ");
}

#[test]
fn an_override_is_named_where_it_counts() {
    let world = World::new("elm acme/a 1.0.0 -> acme/b ^1\nelm acme/b 1.0.0");
    let overrides = vec![replaced("acme/b", Replacement::Range(range("^3")))];
    let resolver = world.resolver_with(Settings { overrides, ..Settings::default() });
    assert_snapshot!(shown(&resolver, "acme/a *", None), @r"
    the requirements cannot be met:
      1. `weir.toml:1` requires `acme/a` *.
      2. `acme/a` 1.0.0 needs `acme/b` ^3 (overridden in `weir.toml:20`), but it is offered only in 1.0.0.
    So 2 cannot be met.
    ");
}

#[test]
fn what_a_tool_needs_clashes_with_what_the_project_requires() {
    let world = World::new(
        "native acme/z 1.2.0
         native acme/z 1.3.0
         bash acme/tool 1.0.0 -> acme/z @1.2.0",
    );
    assert_snapshot!(world.resolve("acme/tool ^1; acme/z ^1.3"), @r"
    the requirements cannot be met:
      1. `weir.toml:1` requires `acme/tool` ^1.
      2. `acme/tool` 1.0.0 was published with `acme/z` 1.2.0.
      3. `weir.toml:2` requires `acme/z` ^1.3.
    So no release of `acme/z` meets 2 and 3.
    help: `acme/z` 1.3.0 exists, but `acme/tool` 1.0.0 was published with `acme/z` 1.2.0
    ");
}

#[test]
fn many_versions_are_not_all_listed() {
    let world = World::new(&(0..40).map(|minor| format!("bash acme/a 1.{minor}.0\n")).collect::<String>());
    assert_snapshot!(world.resolve("acme/a ^2"), @r"`weir.toml:1` requires `acme/a` ^2, but it is offered only in 1.39.0, 1.38.0, 1.37.0, 1.36.0, 1.35.0, and 35 older");
}

#[test]
fn a_proof_of_thousands_of_steps_is_explained_without_exhausting_the_stack() {
    let chain: String = (0..5_000)
        .map(|link| format!("elm acme/p{link} 1.0.0 -> acme/p{} ^1; acme/q ^1\n", link + 1))
        .collect();
    let world = World::new(&format!("{chain}\nelm acme/q 1.0.0"));
    let text = world.resolve("acme/p0 ^1");
    assert!(
        text.contains("`acme/p4998` 1.0.0 needs `acme/p4999` ^1") && text.contains("more steps"),
        "{text}"
    );
}

#[test]
fn an_explanation_is_plain_data() {
    let world = World::new("bash acme/a 1.0.0");
    let requirements = requirements("acme/a ^2");
    let failed = world.resolver().resolve(Request { requirements: &requirements, lock: None });
    let Err(ResolveError::Impossible(explanation)) = failed else { panic!("there is no such release") };
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["verdict"], serde_json::json!({"verdict": "unmet", "step": 1}));
    assert_eq!(json["steps"][0]["origin"], "weir.toml:1");
    assert_eq!(json["steps"][0]["shortage"]["offered"]["newest"], serde_json::json!(["1.0.0"]));
}

#[test]
fn a_range_in_which_no_version_can_be_is_called_that() {
    assert_snapshot!(World::new("bash acme/a 1.0.0").resolve("acme/a >=2, <2"), @r"`weir.toml:1` requires `acme/a` >=2, <2, but no version can be in that range");
}

#[test]
fn a_prerelease_below_the_one_that_a_range_names_is_just_not_in_it() {
    assert_snapshot!(World::new("bash acme/a 1.0.0-beta.1").resolve("acme/a ^1.0.0-beta.2"), @r"`weir.toml:1` requires `acme/a` ^1.0.0-beta.2, but it is offered only in 1.0.0-beta.1");
}

#[test]
fn another_registry_that_has_the_name_is_told() {
    let mut asked = requirements("acme/elsewhere ^1");
    asked[0].registry = Some("org".into());
    let world = World::new("bash acme/a 1.0.0");
    let failed = world.resolver().resolve(Request { requirements: &asked, lock: None }).unwrap_err();
    assert_snapshot!(failed, @r"`weir.toml:1` requires `acme/elsewhere` ^1, but `org` has no such package; `two` has one");
}

/// Only in another version further up: that is no missing package, as it would be none if this registry had it.
#[test]
fn what_is_only_further_up_in_other_versions_is_not_told_to_be_missing() {
    let failed = |range: &str| {
        let asked = requirements(&format!("acme/above {range}"));
        let world = World::new("bash acme/a 1.0.0");
        match world.resolver().resolve(Request { requirements: &asked, lock: None }) {
            Err(ResolveError::Impossible(why)) => *why,
            other => panic!("{other:?}"),
        }
    };
    assert_snapshot!(failed("^9"), @"`weir.toml:1` requires `acme/above` ^9, but nothing in that range is offered: further up the newest is 2.0.0");
    assert!(!failed("^9").is_of_something_missing());
    assert!(failed("^2").is_of_something_missing());
}

#[test]
fn a_long_way_is_shortened_in_its_middle_and_ends_with_what_decides() {
    let chain = (0..100).map(|at| format!("bash acme/p{at} 1.0.0 -> acme/p{} @1.0.0\n", at + 1));
    let text = format!("{}bash acme/p100 1.0.0 quarantined=malware", chain.collect::<String>());
    let text = World::new(&text).resolve("acme/p0 ^1");
    assert!(text.contains("1. `weir.toml:1` requires `acme/p0` ^1.\n"), "{text}");
    assert!(text.contains("\n  … 61 more steps …\n"), "{text}");
    let last = "101. `acme/p99` 1.0.0 was published with `acme/p100` 1.0.0, but 1.0.0 is quarantined (malware).\nSo 101 cannot be met.";
    assert!(text.contains(last), "{text}");
}
