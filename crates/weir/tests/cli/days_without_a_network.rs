//! `--offline`: what is here works, what is missing is named.

use insta::assert_snapshot;

use crate::{empty, greeting, installed};

#[test]
fn what_is_cached_is_enough() {
    let t = installed();
    fs_err::rename(t.path("org"), t.path("gone")).expect("it can be moved");
    fs_err::remove_dir_all(t.path("app/weir_packages")).expect("it is there");
    assert_snapshot!(t.weir("install --offline"), @r"
    $ weir install --offline
    Installed 3 packages
    ");
    assert_snapshot!(t.weir("search greet --offline"), @r"
    $ weir search greet --offline
    acme/greet  1.0.0  generic  The package acme/greet
    ");
    assert_snapshot!(t.weir_with("app", "outdated", &[("WEIR_OFFLINE", "1")]), @r"
    $ weir outdated
    Nothing newer is known here
    ");
}

#[test]
fn what_is_missing_is_named() {
    let t = greeting();
    t.project(&["acme/greet = ^1"]);
    t.weir("lock").succeeds();
    assert_snapshot!(t.weir("install --offline"), @r"
    $ weir install --offline
    -- stderr
      × some releases are not on this machine, which is offline: `acme/greet 1.0.0`, `acme/names 2026.1.0`, `acme/str 1.0.0`
      help: run it once without `--offline`, or bring them with `weir store import FILE`; `weir prefetch` fetches ahead what is likely to be wanted
    -- exit code 5
    ");
}

#[test]
fn a_registry_that_was_never_seen_is_not_known_offline() {
    let t = empty();
    t.project(&["acme/greet = ^1"]);
    t.weir_in("", "registry add org http://127.0.0.1:9/org --default --user --yes").succeeds();
    assert_snapshot!(t.weir("install --offline"), @r"
    $ weir install --offline
    -- stderr
      × nothing of the registry at `http://127.0.0.1:9/org` is on this machine yet
      help: run `weir install` once without `--offline`
    -- exit code 5
    ");
}
