//! `--global`: what somebody installed for themselves is looked at and changed like a project.

use insta::assert_snapshot;

use crate::{greeting, newer};

#[test]
fn what_was_installed_for_oneself_is_looked_at_and_changed_as_a_project_is() {
    let t = greeting();
    assert_snapshot!(t.weir_in("", "list --global"), @"
    $ weir list --global
    -- stderr
      × you have installed nothing for yourself
      help: `weir install --global PACKAGE` does, for your `PATH`
    -- exit code 5
    ");
    t.weir_in("", "install --global acme/greet@^1").succeeds();
    t.weir_in("", "add --global acme/str").succeeds();
    newer(&t);
    assert_snapshot!(t.weir_in("", "list --global --direct"), @"
    $ weir list --global --direct
    acme/greet  1.0.0  generic  org
    acme/str    1.0.0  generic  org
    ");
    assert_snapshot!(t.weir_in("", "tree --global"), @"
    $ weir tree --global
    global
    ├── acme/greet 1.0.0
    │   ├── acme/names 2026.1.0 (fluid)
    │   └── acme/str 1.0.0
    └── acme/str 1.0.0
    ");
    assert_snapshot!(t.weir_in("", "outdated --global"), @"
    $ weir outdated --global
    package     range   current   wanted    full      newest
    acme/greet  ^1      1.0.0     1.0.0     2.0.0     2.0.0
    acme/names          2026.1.0  2026.2.0  2026.2.0  2026.2.0
    acme/str    ^1.0.0  1.0.0     1.1.0     2.0.0     2.0.0
    acme/str            –         1.0.0     –         2.0.0
    ");
    assert_snapshot!(t.weir_in("", "update --global"), @"
    $ weir update --global
    Installed 4 packages, 2 fetched (526 B)
     ^  acme/names  2026.1.0 → 2026.2.0
     +  acme/str    1.1.0
    Not at the newest: 2 packages; `weir outdated --global` tells what holds them
    ");
    assert_snapshot!(t.weir_in("", "why --global acme/names"), @"
    $ weir why --global acme/names
    weir.toml → acme/greet 1.0.0 → acme/names 2026.2.0
    ");
    t.weir_in("", "audit --global").succeeds();
    t.weir_in("", "verify --global").succeeds();
    assert_snapshot!(t.weir_in("", "remove --global acme/greet"), @"
    $ weir remove --global acme/greet
    Removed `acme/greet`
     -  acme/greet  1.0.0
     -  acme/names  2026.2.0
     -  acme/str    1.0.0
    ");
    // The project in `app` is no part of it.
    assert!(!t.path("app/weir.lock").exists());
}
