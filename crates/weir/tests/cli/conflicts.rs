//! Exit codes 3 (no resolution), 4 (refused) and 8 (conflict).

use insta::assert_snapshot;

use crate::{empty, greeting, installed, newer};

#[test]
fn requirements_that_cannot_be_met_are_explained_with_the_line_they_come_from() {
    let t = greeting();
    t.project(&["acme/str = ^7", "acme/greet = ^1"]);
    assert_snapshot!(t.weir("install"), @r"
    $ weir install
    -- stderr
      × `weir.toml:2` requires `acme/str` ^7, but it is offered only in 1.0.0
    -- exit code 3
    ");
    assert_snapshot!(t.weir("install --json"), @r#"
    $ weir install --json
    {
      "error": {
        "code": "no-resolution",
        "exit": 3,
        "message": "`weir.toml:2` requires `acme/str` ^7, but it is offered only in 1.0.0",
        "explanation": {
          "steps": [
            {
              "number": 1,
              "text": "`weir.toml:2` requires `acme/str` ^7, but it is offered only in 1.0.0",
              "package": "acme/str",
              "file": "weir.toml",
              "line": 2
            }
          ],
          "decisive": [
            1
          ],
          "help": []
        }
      }
    }
    -- exit code 3
    "#);
}

#[test]
fn a_locked_project_is_not_changed() {
    let t = installed();
    newer(&t);
    t.project(&["acme/greet = ^2"]);
    assert_snapshot!(t.weir("install --locked"), @r"
    $ weir install --locked
    -- stderr
      × `weir.lock` is not what `weir.toml` asks for, and `--locked` forbids to change it: `acme/greet` would move from 1.0.0 to 2.0.0
      help: run `weir lock`, look at the difference, and commit `weir.lock`
    -- exit code 8
    ");
    assert_snapshot!(t.weir("lock --check"), @r"
    $ weir lock --check
    -- stderr
      × `weir.lock` is not what `weir.toml` asks for, and `--locked` forbids to change it: `acme/greet` would move from 1.0.0 to 2.0.0
      help: run `weir lock`, look at the difference, and commit `weir.lock`
    -- exit code 8
    ");
}

#[test]
fn a_release_never_changes() {
    let t = greeting();
    t.write("packages/acme-str-1.0.0/str.sh", "trim() { true; }\n");
    assert_snapshot!(t.weir_in("", "publish packages/acme-str-1.0.0"), @r"
    $ weir publish packages/acme-str-1.0.0
    -- stderr
      × `acme/str 1.0.0` is already published with other content, and a release never changes
      help: raise `version` in `weir.toml` and publish that
    -- exit code 8
    ");
}

#[test]
fn a_closed_registry_keeps_what_others_were_built_with() {
    let t = empty();
    t.weir_in("", "registry init org --name org --closed --default").succeeds();
    t.package("acme/str", "1.0.0").publish();
    t.package("acme/greet", "1.0.0").dependency("acme/str", "^1").publish();
    assert_snapshot!(t.weir_in("", "unpublish acme/str@1.0.0"), @r"
    $ weir unpublish acme/str@1.0.0
    -- stderr
      × `acme/str 1.0.0` cannot be removed: this registry is closed, and `acme/greet 1.0.0` was built with it
      help: remove them in the same batch, or `weir yank` it instead
    -- exit code 8
    ");
    assert_snapshot!(t.weir_in("", "unpublish acme/str@1.0.0 acme/greet@1.0.0"), @r"
    $ weir unpublish acme/str@1.0.0 acme/greet@1.0.0
    Unpublished `acme/str 1.0.0`
    Unpublished `acme/greet 1.0.0`
    ");
}

#[test]
fn an_owner_keeps_others_out() {
    let t = greeting();
    let run = t.weir_with("", "yank acme/str@1.0.0", &[("USER", "eve")]);
    assert_snapshot!(run, @r"
    $ weir yank acme/str@1.0.0
    -- stderr
      × `user:eve` may not yank or unyank `acme/str 1.0.0`: the owner belongs to user:ann (policy `owner-claim`)
      help: somebody the owner belongs to can add you: `weir claim OWNER PEOPLE`
    -- exit code 4
    ");
}

#[test]
fn what_is_in_the_way_stays() {
    let t = greeting();
    t.project(&["acme/greet = ^1"]);
    t.write("app/weir_packages/packages/acme/greet", "mine\n");
    let run = t.weir("install").fails_with(8);
    assert!(run.stderr.contains("is in the way"), "{run}");
    assert_eq!(t.read("app/weir_packages/packages/acme/greet"), "mine\n");
}
