//! tree, list, why, outdated, search, info.

use insta::assert_snapshot;

use crate::{greeting, installed, newer};

#[test]
fn the_tree_shows_who_needs_what() {
    let t = installed();
    let folder =
        t.package("acme/both", "1.0.0").dependency("acme/greet", "^1").dependency("acme/str", "^1").write();
    t.weir_in("", &format!("publish {folder}")).succeeds();
    t.weir("add acme/both").succeeds();
    assert_snapshot!(t.weir("tree"), @r"
    $ weir tree
    app
    ├── acme/both 1.0.0
    │   ├── acme/greet 1.0.0
    │   │   ├── acme/names 2026.1.0 (fluid)
    │   │   └── acme/str 1.0.0
    │   └── acme/str 1.0.0
    └── acme/greet 1.0.0 (*)
    ");
    assert_snapshot!(t.weir("tree --depth 1"), @r"
    $ weir tree --depth 1
    app
    ├── acme/both 1.0.0
    └── acme/greet 1.0.0 (*)
    ");
}

#[test]
fn the_tree_tells_what_only_developers_need() {
    let t = installed();
    t.weir("add acme/str --dev").succeeds();
    assert_snapshot!(t.weir("tree"), @r"
    $ weir tree
    app
    └── acme/greet 1.0.0
        ├── acme/names 2026.1.0 (fluid)
        └── acme/str 1.0.0
    [dev-dependencies]
    └── acme/str 1.0.0
    ");
}

#[test]
fn a_path_says_why_a_package_is_there() {
    let t = installed();
    assert_snapshot!(t.weir("why acme/str"), @r"
    $ weir why acme/str
    weir.toml → acme/greet 1.0.0 → acme/str 1.0.0
    ");
    assert_snapshot!(t.weir("why acme/srt"), @r"
    $ weir why acme/srt
    -- stderr
      × there is no package `acme/srt` in `weir.lock`
      help: did you mean `acme/str`?
    -- exit code 5
    ");
}

#[test]
fn what_is_used_is_listed() {
    let t = installed();
    assert_snapshot!(t.weir("list"), @r"
    $ weir list
    acme/greet  1.0.0     generic  org
    acme/names  2026.1.0  data     org
    acme/str    1.0.0     generic  org
    ");
    assert_snapshot!(t.weir("ls --direct --json"), @r#"
    $ weir ls --direct --json
    {
      "releases": [
        {
          "id": {
            "name": "acme/greet",
            "version": "1.0.0",
            "platform": "any",
            "revision": 0
          },
          "kind": "generic",
          "direct": true,
          "registry": "org",
          "tree": "blake3:[DIGEST]",
          "path": "[ROOT]/home/weir/store/tree/24/[DIGEST]"
        }
      ]
    }
    "#);
}

#[test]
fn what_is_behind_is_shown_with_where_it_could_go() {
    let t = greeting();
    t.project(&["acme/greet = ^1", "acme/str = ^1"]);
    t.weir("install").succeeds();
    assert_snapshot!(t.weir("outdated"), @r"
    $ weir outdated
    Everything is at its newest
    ");
    newer(&t);
    t.weir_in("", "yank acme/str@1.0.0").succeeds();
    assert_snapshot!(t.weir("outdated"), @r"
    $ weir outdated
    package     range  current         wanted    full      newest
    acme/greet  ^1     1.0.0           1.0.0     2.0.0     2.0.0
    acme/names         2026.1.0        2026.2.0  2026.2.0  2026.2.0
    acme/str    ^1     1.0.0 (yanked)  1.1.0     2.0.0     2.0.0
    acme/str           –               1.0.0     –         2.0.0
    ");
    assert_eq!(t.weir("outdated --exit-code").code, 1);
}

#[test]
fn packages_are_found_by_words() {
    let t = greeting();
    assert_snapshot!(t.weir("search trimmed strings"), @r"
    $ weir search trimmed strings
    acme/str  1.0.0  generic  Strings, trimmed
    ");
    assert_snapshot!(t.weir("search --kind data package"), @r"
    $ weir search --kind data package
    acme/names  2026.1.0  data  The package acme/names
    ");
    assert_snapshot!(t.weir("search nothing-like-it"), @r"
    $ weir search nothing-like-it
    Nothing found for `nothing-like-it` in the registry `org`
    ");
    assert_snapshot!(t.weir("search acme --limit 1"), @r"
    $ weir search acme --limit 1
    acme/str  1.0.0  generic  Strings, trimmed
    … and 2 packages more: `--limit` shows them
    ");
}

#[test]
fn a_page_tells_all_about_a_package() {
    let t = installed();
    newer(&t);
    t.weir_in("", "yank acme/greet@2.0.0 --reason 'greets nobody'").succeeds();
    assert_snapshot!(t.weir("info acme/greet"), @"
    $ weir info acme/greet
    acme/greet 1.0.0
    The package acme/greet

    kind       generic
    licence    MIT
    published  [DAY] by user:ann
    size       337 B packed, 263 B in 2 files
    tree       blake3:[DIGEST]
    inputs     sha256:[DIGEST]
    registry   org
    owner      user:ann
    used here  1.0.0
    needs
      acme/names  >=2026  fluid
      acme/str    ^1      1.0.0
    releases
      2.0.0  [DAY]  yanked
      1.0.0  [DAY]
    ");
    assert_snapshot!(t.weir("info acme/greet@2.0.0"), @r"
    $ weir info acme/greet@2.0.0
    acme/greet 2.0.0
    The package acme/greet
    yanked on [DAY] by user:ann: greets nobody

    kind       generic
    licence    MIT
    published  [DAY] by user:ann
    size       304 B packed, 222 B in 2 files
    tree       blake3:[DIGEST]
    inputs     sha256:[DIGEST]
    registry   org
    owner      user:ann
    used here  1.0.0
    needs
      acme/names  >=2026  fluid
      acme/str    ^2      2.0.0
    releases
      2.0.0  [DAY]  yanked
      1.0.0  [DAY]
    ");
    assert_snapshot!(t.weir("info acme/gret"), @r"
    $ weir info acme/gret
    -- stderr
      × there is no package `acme/gret` in the registry `org`
      help: did you mean `acme/greet`?
    -- exit code 5
    ");
    assert_snapshot!(t.weir("info acme/greet@3.0.0"), @r"
    $ weir info acme/greet@3.0.0
    -- stderr
      × there is no version 3.0.0 of `acme/greet` in the registry `org`
      help: there are: 2.0.0, 1.0.0
    -- exit code 5
    ");
}

#[test]
fn who_is_affected_by_a_release_is_told_with_the_way() {
    let t = installed();
    newer(&t);
    let folder = t.package("acme/site", "1.0.0").dependency("acme/greet", "^1").write();
    t.weir_in("", &format!("publish {folder}")).succeeds();
    assert_snapshot!(t.weir("impact acme/str@1.0.0"), @"
    $ weir impact acme/str@1.0.0
    acme/str 1.0.0
    Reaches 2 releases of 2 packages in the registry `org`, the newest of 1 of them
      acme/site 1.0.0   now      baked  through acme/greet 1.0.0
      acme/greet 1.0.0  earlier  baked
    This project uses it: acme/greet 1.0.0 → acme/str 1.0.0

    About 1.0.0, of the packages that need it directly:
    Refused by the range of 1 package
      acme/greet 2.0.0  ^2  with 2.0.0
    ");
    assert_snapshot!(t.weir_in("", "impact acme/str@2.1.0"), @"
    $ weir impact acme/str@2.1.0
    acme/str 2.1.0
    There is no such release in the registry `org`

    About 2.1.0, of the packages that need it directly:
    Taken, when published anew, by 1 package
      acme/greet 2.0.0  ^2  with 2.0.0
    ");
    assert_snapshot!(t.weir_in("", "impact acme/site"), @"
    $ weir impact acme/site
    acme/site
    Nothing in the registry `org` needs it
    ");
    assert_snapshot!(t.weir_in("", "impact acme/srt"), @"
    $ weir impact acme/srt
    -- stderr
      × there is no package `acme/srt` in the registry `org`
      help: did you mean `acme/str`?
    -- exit code 5
    ");
    assert_snapshot!(t.weir_in("", "quarantine acme/str@1.0.0 --reason malware --dry-run"), @"
    $ weir quarantine acme/str@1.0.0 --reason malware --dry-run
    Would leave `acme/str 1.0.0` quarantined
    It reaches 2 releases of 2 packages, the newest of 1 of them: `weir impact acme/str@1.0.0` names them
    ");
    assert_snapshot!(t.weir_in("", "quarantine acme/str@1.0.0 --reason malware"), @"
    $ weir quarantine acme/str@1.0.0 --reason malware
    Quarantined `acme/str 1.0.0`
    It reaches 2 releases of 2 packages, the newest of 1 of them: `weir impact acme/str@1.0.0` names them
    ");
    t.weir("impact acme/names --json").succeeds();
}
