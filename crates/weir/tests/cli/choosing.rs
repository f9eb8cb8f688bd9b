//! Which releases are chosen, and what is said of those that are not.

use insta::assert_snapshot;
use weir_testkit::Sandbox;

use crate::{empty, greeting, installed, newer};

/// Publishes a package with one file.
fn publish(t: &Sandbox, name: &str, version: &str, needs: &[(&str, &str)]) {
    let mut package = t.package(name, version).file("file", &format!("{name} {version}\n"));
    for (name, range) in needs {
        package = package.dependency(name, range);
    }
    package.publish().succeeds();
}

#[test]
fn what_is_behind_is_what_update_moves_and_what_holds_the_rest_is_told() {
    let t = installed();
    newer(&t);
    assert_snapshot!(t.weir("outdated"), @r"
    $ weir outdated
    package     range  current   wanted    full      newest
    acme/greet  ^1     1.0.0     1.0.0     2.0.0     2.0.0
    acme/names         2026.1.0  2026.2.0  2026.2.0  2026.2.0
    acme/str           1.0.0     1.0.0     2.0.0     2.0.0
    ");
    assert_snapshot!(t.weir("update --dry-run"), @"
    $ weir update --dry-run
    Would use 3 packages, fetching 1 (257 B)
     ^  acme/names  2026.1.0 → 2026.2.0
    Not at the newest: 2 packages; `weir outdated` tells what holds them
    ");
    assert_snapshot!(t.weir("update acme/str"), @r"
    $ weir update acme/str
    Nothing moves
    `acme/str` stays at 1.0.0, though 2.0.0 is offered: `acme/greet 1.0.0` was published with it
    ");
    assert_snapshot!(t.weir("update --full"), @"
    $ weir update --full
    Moved in `weir.toml`
     ~  acme/greet  ^1 → ^2
    Installed 3 packages, 3 fetched (824 B)
     ^  acme/greet  1.0.0 → 2.0.0
     ^  acme/names  2026.1.0 → 2026.2.0
     ^  acme/str    1.0.0 → 2.0.0
    ");
    assert_snapshot!(t.weir("outdated"), @r"
    $ weir outdated
    Everything is at its newest
    ");
}

#[test]
fn nothing_is_said_to_be_at_its_newest_that_was_not_looked_up() {
    let t = empty();
    t.registry("org");
    t.project(&["acme/nowhere = ^1"]);
    assert_snapshot!(t.weir("outdated"), @r"
    $ weir outdated
    -- stderr
      × `weir.toml:2` requires `acme/nowhere` ^1, but there is no such package
    -- exit code 5
    ");
    let t = installed();
    assert_snapshot!(t.weir("outdated --offline"), @r"
    $ weir outdated --offline
    Nothing newer is known here
    ");
}

#[test]
fn of_what_is_added_the_newest_that_goes_with_the_rest_is_taken() {
    let t = empty();
    t.registry("org");
    publish(&t, "acme/core", "1.0.0", &[]);
    publish(&t, "acme/tool", "1.0.0", &[("acme/core", "^1")]);
    publish(&t, "acme/core", "2.0.0", &[]);
    publish(&t, "acme/tool", "1.1.0", &[("acme/core", "^2")]);
    t.weir_in("", "quarantine acme/core@2.0.0 --reason backdoor").succeeds();
    t.project(&[]);
    assert_snapshot!(t.weir("add acme/tool"), @"
    $ weir add acme/tool
    Added acme/tool ^1.0.0
    `acme/tool` 1.1.0 is newer and does not go with the rest: `weir add acme/tool@1.1.0` tells why
    Installed 2 packages, 2 fetched (517 B)
     +  acme/core  1.0.0
     +  acme/tool  1.0.0
    ");
    t.weir_in("", "quarantine acme/core@1.0.0 --reason backdoor").succeeds();
    t.project(&[]);
    assert_snapshot!(t.weir("add acme/tool"), @r"
    $ weir add acme/tool
    -- stderr
      × the requirements cannot be met:
      │   1. `the new weir.toml:2` requires `acme/tool` *.
      │   2. `acme/tool` 1.1.0 was published with `acme/core` 2.0.0, but 2.0.0 is quarantined (backdoor).
      │ So 2 cannot be met. No other release in range of `acme/tool` helps.
    -- exit code 3
    ");
    t.weir_in("", "yank acme/tool@1.0.0").succeeds();
    t.weir_in("", "yank acme/tool@1.1.0").succeeds();
    assert_snapshot!(t.weir("add acme/tool"), @r"
    $ weir add acme/tool
    -- stderr
      × `the new weir.toml:2` requires `acme/tool` *, but 1.0.0 and 1.1.0 were yanked
    -- exit code 3
    ");
}

#[test]
fn what_is_asked_for_twice_is_one_release_in_the_first_of_its_scopes() {
    let t = greeting();
    newer(&t);
    t.write(
        "app/weir.toml",
        "[dependencies]\n\"acme/str\" = \"^1\"\n[dev-dependencies]\n\"acme/str\" = \">=1, <=2\"\n",
    );
    t.weir("install --no-dev").succeeds();
    assert_snapshot!(t.weir("tree"), @r"
    $ weir tree
    app
    └── acme/str 1.1.0
    ");
    t.write(
        "app/weir.toml",
        "[dependencies]\n\"acme/str\" = \"^1\"\n[dev-dependencies]\n\"acme/str\" = \"^2\"\n",
    );
    assert_snapshot!(t.weir("lock"), @"
    $ weir lock
    -- stderr
      × the requirements cannot be met:
      │   1. `weir.toml:2` requires `acme/str` ^1.
      │   2. `weir.toml:4` requires `acme/str` ^2.
      │ So no release of `acme/str` meets 1 and 2.
      help: `acme/str` 2.0.0 exists, but `weir.toml:2` requires `acme/str` ^1
    -- exit code 3
    ");
}

#[test]
fn offline_what_is_here_is_chosen_from_and_the_answer_says_what_is_not() {
    let t = installed();
    newer(&t);
    t.weir("outdated").succeeds();
    t.write("other/weir.toml", "[dependencies]\n\"acme/names\" = \">=2026\"\n\"acme/greet\" = \">=1\"\n");
    assert_snapshot!(t.weir_in("other", "install --offline"), @r"
    $ weir install --offline
    Installed 3 packages
     +  acme/greet  1.0.0
     +  acme/names  2026.1.0
     +  acme/str    1.0.0
    -- stderr
    warning: `acme/greet` is taken as 1.0.0, which is on this machine; with a network it would be 2.0.0
    warning: `acme/names` is taken as 2026.1.0, which is on this machine; with a network it would be 2026.1.0 and 2026.2.0
    warning: `acme/str` is taken as 1.0.0, which is on this machine; with a network it would be 2.0.0
    ");
    t.write("other/weir.toml", "[dependencies]\n\"acme/str\" = \"^2\"\n");
    assert_snapshot!(t.weir_in("other", "install --offline"), @r"
    $ weir install --offline
    -- stderr
      × a release is not on this machine, which is offline: `acme/str 2.0.0`
      help: run it once without `--offline`, or bring them with `weir store import FILE`; `weir prefetch` fetches ahead what is likely to be wanted
    -- exit code 5
    ");
}

#[test]
fn where_any_release_in_range_will_do_what_is_here_is_used_until_it_is_updated() {
    let t = installed();
    newer(&t);
    let fluid = "[dependencies]\n\"acme/names\" = { range = \">=2026\", fluid = true }\n";
    t.write("other/weir.toml", fluid);
    assert_snapshot!(t.weir_in("other", "install"), @r"
    $ weir install
    Installed 1 package
     +  acme/names  2026.1.0
    ");
    assert_snapshot!(t.weir_in("other", "update"), @"
    $ weir update
    Installed 1 package, 1 fetched (257 B)
     ^  acme/names  2026.1.0 → 2026.2.0
    ");
    t.write("third/weir.toml", format!("prefer = \"newest\"\n{fluid}"));
    t.weir_in("", "store gc").succeeds();
    t.weir_in("third", "install").succeeds();
    assert!(t.read("third/weir.lock").contains("acme/names 2026.2.0"));
}

#[test]
fn an_override_that_replaces_nothing_is_told() {
    let t = installed();
    t.write("app/weir.toml", "[dependencies]\n\"acme/greet\" = \"^1\"\n[override]\n\"acme/gret\" = \"^2\"\n");
    assert_snapshot!(t.weir("lock"), @r"
    $ weir lock
    `weir.lock` is up to date: 3 packages
    -- stderr
    warning: the override of `acme/gret` in `weir.toml:4` changes nothing: nothing here needs it
    ");
}

#[test]
fn the_registry_that_a_package_was_added_from_is_written_down_where_there_are_several() {
    let t = greeting();
    t.weir_in("", "registry init two --name two").succeeds();
    t.weir_in("", &format!("registry add two {}", t.path("two").display())).succeeds();
    let folder = t.package("acme/str", "5.0.0").file("str.sh", "\n").write();
    t.weir_in("", &format!("publish {folder} --registry two")).succeeds();
    t.weir("add acme/str --registry two").succeeds();
    assert!(t.read("app/weir.toml").contains("registry = \"two\""), "{}", t.read("app/weir.toml"));
    t.weir("lock").succeeds();
}

#[test]
fn a_pin_that_was_withdrawn_stops_nothing_else_from_moving() {
    let t = greeting();
    t.project(&["acme/names = =2026.1.0", "acme/str = ^1"]);
    t.weir("install").succeeds();
    let newer = [
        t.package("acme/names", "2026.2.0").kind("data").file("names.txt", "Bob\n").write(),
        t.package("acme/str", "1.1.0").file("str.sh", "trim() { :; }\n").write(),
    ];
    t.weir_in("", &format!("publish {}", newer.join(" "))).succeeds();
    t.weir_in("", "yank acme/names@2026.1.0").succeeds();
    assert_snapshot!(t.weir("outdated"), @r"
    $ weir outdated
    package     range      current            wanted    full      newest
    acme/names  =2026.1.0  2026.1.0 (yanked)  2026.1.0  2026.2.0  2026.2.0
    acme/str    ^1         1.0.0              1.1.0     1.1.0     1.1.0
    ");
    assert_snapshot!(t.weir("update"), @r"
    $ weir update
    Installed 2 packages, 1 fetched (263 B)
     ^  acme/str  1.0.0 → 1.1.0
    -- stderr
    warning: `acme/names 2026.1.0` was withdrawn and stays, for nothing else is in its range: `weir update --full` moves the range
    warning: `acme/names 2026.1.0` has been yanked: it stays because the lockfile or another release has it
    ");
    assert_snapshot!(t.weir("update --full"), @r"
    $ weir update --full
    Moved in `weir.toml`
     ~  acme/names  =2026.1.0 → =2026.2.0
    Installed 2 packages, 1 fetched (253 B)
     ^  acme/names  2026.1.0 → 2026.2.0
    ");
    assert!(t.read("app/weir.toml").contains("=2026.2.0"));
    assert_eq!(t.weir("outdated --exit-code").code, 0);
    t.write("app/weir.lock", "<<<<<<< ours\n");
    let broken = t.weir("outdated").fails_with(1);
    assert!(broken.stderr.contains("the lockfile cannot be read"), "{broken}");
}

#[test]
fn what_keeps_the_newest_away_is_told_where_one_looks_what_is_behind() {
    let t = empty();
    t.registry("org");
    publish(&t, "acme/base", "1.0.0", &[]);
    publish(&t, "acme/mid", "1.0.0", &[("acme/base", "^1")]);
    publish(&t, "acme/base", "1.1.0", &[]);
    publish(&t, "acme/mid", "1.1.0", &[("acme/base", "^1.1")]);
    t.weir_in("", "quarantine acme/base@1.1.0 --reason evil").succeeds();
    t.project(&["acme/mid = ^1"]);
    t.weir("install").succeeds();
    assert_snapshot!(t.weir("outdated"), @r"
    $ weir outdated
    package   range  current  wanted  full   newest
    acme/mid  ^1     1.0.0    1.0.0   1.0.0  1.1.0
    `acme/mid` stays at 1.0.0, though 1.1.0 is offered: `acme/mid` 1.1.0 was published with `acme/base` 1.1.0, but 1.1.0 is quarantined (evil)
    ");
}

#[test]
fn what_is_found_out_twice_is_told_once() {
    let t = installed();
    t.write("app/weir.toml", "[dependencies]\n\"acme/str\" = \"^1\"\n[override]\n\"acme/gret\" = \"^2\"\n");
    let run = t.weir("install").succeeds();
    assert_eq!(run.stderr.matches("warning:").count(), 1, "{run}");
}

#[test]
fn a_registry_may_be_named_by_where_it_is_though_the_manifest_names_it() {
    let t = greeting();
    t.weir_in("", "registry init two --name two").succeeds();
    let two = t.path("two").display().to_string();
    t.weir_in("", &format!("registry add two {two}")).succeeds();
    let folder = t.package("acme/own", "1.0.0").write();
    t.weir_in("", &format!("publish {folder} --registry two")).succeeds();
    t.write("app/weir.toml", "[dependencies]\n\"acme/own\" = { range = \"^1\", registry = \"two\" }\n");
    t.weir(&format!("lock --registry {two}")).succeeds();
    t.weir(&format!("add acme/own --registry {two}")).succeeds();
}
