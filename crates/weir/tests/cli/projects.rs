//! init, add, install, remove, update, lock, run, env.

use insta::assert_snapshot;
use weir_testkit::StaticServer;

use crate::{empty, greeting, installed, newer};

#[test]
fn a_project_begins_with_a_manifest() {
    let t = empty();
    assert_snapshot!(t.weir_in("", "init greeter"), @r"
    $ weir init greeter
    Wrote `weir.toml`
    Wrote `.gitignore`
    ");
    assert_snapshot!(t.weir_in("", "init greeter"), @r"
    $ weir init greeter
    -- stderr
      × there is a `weir.toml` in `[ROOT]/greeter` already
      help: `weir init --force` writes a new one over it
    -- exit code 8
    ");
    assert_snapshot!(t.weir_in("", "init corpus --name acme/corpus --kind data"), @r"
    $ weir init corpus --name acme/corpus --kind data
    Wrote `weir.toml`
    Wrote `README.md`
    Wrote `.gitignore`
    ");
    assert_snapshot!(t.read("corpus/weir.toml"), @r#"
    [package]
    name = "acme/corpus"
    version = "0.1.0"
    kind = "data"
    description = ""

    [dependencies]

    # External files, fetched when the package is installed and checked by their digest:
    # `weir add --reference NAME ADDRESS` fills this in.
    #
    # [references.corpus]
    # url = "https://…"
    # sha256 = "sha256:…"
    # size = 0
    "#);
}

#[test]
fn a_package_is_added_with_everything_it_needs() {
    let t = greeting();
    assert_snapshot!(t.weir("add acme/greet"), @"
    $ weir add acme/greet
    Added acme/greet ^1.0.0
    Installed 3 packages, 3 fetched (860 B)
     +  acme/greet  1.0.0
     +  acme/names  2026.1.0
     +  acme/str    1.0.0
    ");
    assert_snapshot!(t.read("app/weir.toml"), @r#"
    [dependencies]
    "acme/greet" = "^1.0.0"
    "#);
    assert_eq!(t.read("app/weir_packages/packages/acme/greet/greet").lines().count(), 2);
}

#[test]
fn a_range_and_a_scope_are_written_as_asked() {
    let t = greeting();
    newer(&t);
    assert_snapshot!(t.weir("add acme/str@~1.0 --dev"), @"
    $ weir add acme/str@~1.0 --dev
    Added acme/str ~1.0
    Installed 1 package, 1 fetched (267 B)
     +  acme/str  1.0.0
    ");
    assert_snapshot!(t.weir("add acme/names --fluid"), @"
    $ weir add acme/names --fluid
    Added acme/names ^2026.2.0
    Installed 2 packages, 1 fetched (257 B)
     +  acme/names  2026.2.0
    ");
    assert_snapshot!(t.read("app/weir.toml"), @r#"
    [dependencies]
    "acme/names" = { range = "^2026.2.0", fluid = true }

    [dev-dependencies]
    "acme/str" = "~1.0"
    "#);
}

#[test]
fn adding_twice_changes_nothing() {
    let t = greeting();
    t.weir("add acme/greet").succeeds();
    let (manifest, lock) = (t.read("app/weir.toml"), t.read("app/weir.lock"));
    assert_snapshot!(t.weir("add acme/greet"), @r"
    $ weir add acme/greet
    Added acme/greet ^1.0.0
    Installed 3 packages
    ");
    assert_eq!((t.read("app/weir.toml"), t.read("app/weir.lock")), (manifest, lock));
}

#[test]
fn a_package_is_taken_from_a_folder() {
    let t = greeting();
    let folder = t.package("acme/near", "0.1.0").dependency("acme/str", "^1").write();
    assert_snapshot!(t.weir(&format!("add acme/near --path ../{folder}")), @"
    $ weir add acme/near --path ../packages/acme-near-0.1.0
    Added acme/near *
    Installed 2 packages, 1 fetched (267 B)
     +  acme/near  0.1.0
     +  acme/str   1.0.0
    ");
    assert_snapshot!(t.weir("list"), @r"
    $ weir list
    acme/near  0.1.0  generic
    acme/str   1.0.0  generic  org
    ");
}

#[test]
fn installing_brings_what_the_manifest_asks_for() {
    let t = greeting();
    t.project(&["acme/greet = ^1"]);
    assert_snapshot!(t.weir("install --dry-run"), @"
    $ weir install --dry-run
    Would use 3 packages, fetching 3 (860 B)
     +  acme/greet  1.0.0
     +  acme/names  2026.1.0
     +  acme/str    1.0.0
    ");
    assert_snapshot!(t.weir("install"), @"
    $ weir install
    Installed 3 packages, 3 fetched (860 B)
     +  acme/greet  1.0.0
     +  acme/names  2026.1.0
     +  acme/str    1.0.0
    ");
    assert_snapshot!(t.weir("install"), @r"
    $ weir install
    Nothing to do: 3 packages in place
    ");
    assert_snapshot!(t.weir("i --locked --quiet"), @r"
    $ weir i --locked --quiet
    ");
}

#[test]
fn a_lockfile_is_made_without_installing() {
    let t = greeting();
    t.project(&["acme/greet = ^1"]);
    assert_snapshot!(t.weir("lock --locked"), @r"
    $ weir lock --locked
    -- stderr
      × there is no `weir.lock`, and `--locked` forbids to make one
      help: run `weir lock`, look at the difference, and commit `weir.lock`
    -- exit code 5
    ");
    assert_snapshot!(t.weir("lock --dry-run"), @r"
    $ weir lock --dry-run
    Would lock 3 packages
     +  acme/greet  1.0.0
     +  acme/names  2026.1.0
     +  acme/str    1.0.0
    ");
    assert_snapshot!(t.weir("lock"), @r"
    $ weir lock
    Locked 3 packages
     +  acme/greet  1.0.0
     +  acme/names  2026.1.0
     +  acme/str    1.0.0
    ");
    assert_snapshot!(t.weir("lock"), @r"
    $ weir lock
    `weir.lock` is up to date: 3 packages
    ");
    assert!(!t.path("app/weir_packages").exists());
}

#[test]
fn removing_takes_out_what_nothing_else_needs() {
    let t = installed();
    t.weir("add acme/names").succeeds();
    assert_snapshot!(t.weir("remove acme/greet --dry-run"), @r"
    $ weir remove acme/greet --dry-run
    Would remove `acme/greet`
     -  acme/greet  1.0.0
     -  acme/str    1.0.0
    ");
    assert_snapshot!(t.weir("rm acme/greet"), @r"
    $ weir rm acme/greet
    Removed `acme/greet`
     -  acme/greet  1.0.0
     -  acme/str    1.0.0
    ");
    assert_snapshot!(t.read("app/weir.toml"), @r#"
    [dependencies]
    "acme/names" = "^2026.1.0"
    "#);
}

#[test]
fn updating_moves_within_the_ranges_and_reads_like_a_changelog() {
    let t = installed();
    newer(&t);
    assert_snapshot!(t.weir("update --dry-run"), @"
    $ weir update --dry-run
    Would use 3 packages, fetching 1 (257 B)
     ^  acme/names  2026.1.0 → 2026.2.0
    Not at the newest: 2 packages; `weir outdated` tells what holds them
    ");
    assert_snapshot!(t.weir("update"), @"
    $ weir update
    Installed 3 packages, 1 fetched (257 B)
     ^  acme/names  2026.1.0 → 2026.2.0
    Not at the newest: 2 packages; `weir outdated` tells what holds them
    ");
    assert_snapshot!(t.weir("up"), @r"
    $ weir up
    Nothing moves
    Not at the newest: 2 packages; `weir outdated` tells what holds them
    ");
}

#[test]
fn a_log_is_followed_once_however_many_packages_are_asked_for() {
    let t = greeting();
    let server = StaticServer::serve(t.path("org")).expect("a port is free");
    t.weir_in("", "registry remove org").succeeds();
    t.weir_in("", &format!("registry add web {} --default", server.url())).succeeds();
    t.project(&[]);
    // The first time there is more to ask: which registry this is.
    t.weir("search str").succeeds();
    let followed = || server.seen().iter().filter(|seen| seen.path == "/checkpoint").count();
    for command in ["add acme/greet acme/str acme/names", "update --full"] {
        let before = followed();
        t.weir(command).succeeds();
        assert_eq!(followed() - before, 1, "{command}");
    }
}

#[test]
fn a_full_update_moves_the_ranges_too_and_keeps_comments() {
    let t = greeting();
    t.write("app/weir.toml", "# what we need\n[dependencies]\n\"acme/greet\" = \"^1\" # to greet\n");
    t.weir("install").succeeds();
    newer(&t);
    assert_snapshot!(t.weir("update --full"), @"
    $ weir update --full
    Moved in `weir.toml`
     ~  acme/greet  ^1 → ^2
    Installed 3 packages, 3 fetched (824 B)
     ^  acme/greet  1.0.0 → 2.0.0
     ^  acme/names  2026.1.0 → 2026.2.0
     ^  acme/str    1.0.0 → 2.0.0
    ");
    assert_snapshot!(t.read("app/weir.toml"), @r#"
    # what we need
    [dependencies]
    "acme/greet" = "^2" # to greet
    "#);
}

#[test]
fn one_package_is_updated_and_the_others_stay() {
    let t = greeting();
    t.project(&["acme/str = *", "acme/names = *"]);
    t.weir("install").succeeds();
    newer(&t);
    assert_snapshot!(t.weir("update acme/names"), @"
    $ weir update acme/names
    Installed 2 packages, 1 fetched (257 B)
     ^  acme/names  2026.1.0 → 2026.2.0
    ");
    assert_snapshot!(t.weir("list"), @r"
    $ weir list
    acme/names  2026.2.0  data     org
    acme/str    1.0.0     generic  org
    ");
}

#[test]
fn a_command_of_a_package_runs_with_its_arguments_and_its_exit_code() {
    let t = greeting();
    t.write(
        "app/weir.toml",
        "[dependencies]\n\"acme/greet\" = \"^1\"\n\n[scripts]\nhi = \"greet everybody\"\nfail = \"exit 7; :\"\n",
    );
    assert_snapshot!(t.weir("run greet Ann"), @r"
    $ weir run greet Ann
    Hello, Ann
    ");
    assert_snapshot!(t.weir("run hi"), @r"
    $ weir run hi
    Hello, everybody
    ");
    assert_eq!(t.weir("run fail").code, 7);
    assert_snapshot!(t.weir("run gret"), @r"
    $ weir run gret
    -- stderr
      × there is no command `gret`: not a script of `weir.toml`, not of an installed package, not on the PATH
      help: did you mean `greet`?
    -- exit code 5
    ");
}

#[test]
fn the_environment_can_be_taken_over_by_a_shell() {
    let t = installed();
    let run = t.weir_with("app", "env", &[("PATH", "/usr/bin")]);
    assert_snapshot!(run, @r"
    $ weir env
    export PATH='[ROOT]/app/weir_packages/bin:/usr/bin'
    export WEIR_PACKAGES='[ROOT]/app/weir_packages'
    export WEIR_PROJECT='[ROOT]/app'
    ");
    assert_snapshot!(t.weir_with("app", "env --shell fish", &[("PATH", "/usr/bin")]), @r"
    $ weir env --shell fish
    set -gx PATH '[ROOT]/app/weir_packages/bin:/usr/bin'
    set -gx WEIR_PACKAGES '[ROOT]/app/weir_packages'
    set -gx WEIR_PROJECT '[ROOT]/app'
    ");
}

#[test]
fn a_project_is_named_by_its_folder_or_found_from_below() {
    let t = installed();
    t.write("app/src/deep/file", "");
    for (folder, typed) in
        [("app/src/deep", "list"), ("", "-C app list"), ("", "list --manifest-path app/weir.toml")]
    {
        assert_eq!(t.weir_in(folder, typed).stdout, t.weir("list").stdout, "{typed}");
    }
}
