//! Dependencies from tags of git repositories: locked, noticed when they move, fetched again when they are damaged.

use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;
use weir_testkit::Sandbox;

use crate::empty;

/// Commits all of the repository `far`, and has the tag `v1.2.0` name that, wherever it was; gives the commit.
fn tag(t: &Sandbox) -> String {
    let script = "git init -q . && git add -A && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x \
                  && git tag -f v1.2.0 >/dev/null && git config uploadpack.allowAnySHA1InWant true && git rev-parse HEAD";
    let output = std::process::Command::new("sh")
        .args(["-c", script])
        .current_dir(t.path("far"))
        .env("HOME", t.path(""))
        .env_remove("GIT_DIR")
        .output()
        .expect("git is everywhere");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a commit is digits").trim().to_owned()
}

/// A project that uses the tag, and the commit that it names.
fn project() -> (Sandbox, String) {
    let t = empty();
    t.write("far/weir.toml", "[package]\nname = \"acme/far\"\nversion = \"1.2.0\"\n");
    t.write("far/far.txt", "far\n");
    let commit = tag(&t);
    t.write("app/weir.toml", "[dependencies]\n\"acme/far\" = { git = \"../far\", tag = \"v1.2.0\" }\n");
    t.weir("install").succeeds();
    (t, commit)
}

/// Moves the tag to other content; gives the new commit.
fn move_tag(t: &Sandbox) -> String {
    t.write("far/far.txt", "farther\n");
    tag(t)
}

#[test]
fn a_tag_becomes_a_commit_in_the_lockfile_and_the_repository_is_needed_no_more() {
    let (t, commit) = project();
    assert!(t.read("app/weir.lock").contains(&commit));
    fs_err::rename(t.path("far"), t.path("gone")).expect("it is ours");
    fs_err::remove_dir_all(t.path("app/weir_packages")).expect("it is ours");
    t.weir("install --locked").succeeds();
    assert_eq!(t.read("app/weir_packages/packages/acme/far/far.txt"), "far\n");
    assert_snapshot!(t.weir("audit"), @r"
    $ weir audit
    Not audited: 1 release from folders and git tags, of which no registry knows
    ");
}

#[test]
fn a_tag_that_moved_is_refused_with_both_commits_until_it_is_taken() {
    let (t, before) = project();
    let after = move_tag(&t);
    // Whoever has it all needs no repository; whoever has not, or asks for the newest, is told.
    t.weir("install --locked").succeeds();
    let elsewhere = t.path("elsewhere").display().to_string();
    for run in [t.weir("update"), t.weir_with("app", "install --locked", &[("WEIR_HOME", &elsewhere)])] {
        let run = run.fails_with(6);
        assert!(run.stderr.contains(&before) && run.stderr.contains(&after), "{run}");
        assert!(run.stderr.contains("`weir update NAME` takes it"), "{run}");
    }
    t.weir("update acme/far").succeeds();
    assert!(t.read("app/weir.lock").contains(&after));
    assert_eq!(t.read("app/weir_packages/packages/acme/far/far.txt"), "farther\n");
}

#[test]
fn a_commit_may_stand_in_the_place_of_a_tag_and_a_branch_may_not() {
    let (t, before) = project();
    move_tag(&t);
    let with = |what: &str| {
        t.write("app/weir.toml", format!("[dependencies]\n\"acme/far\" = {{ git = \"../far\", {what} }}\n"));
        t.weir("install")
    };
    with(&format!("tag = \"{before}\", range = \"=1.2.0\"")).succeeds();
    assert_eq!(t.read("app/weir_packages/packages/acme/far/far.txt"), "far\n");
    assert_snapshot!(with("branch = \"main\""), @r#"
    $ weir install
    -- stderr
      × a dependency from `git` has a `tag`: a branch names something else tomorrow
       ╭─[[ROOT]/app/weir.toml:2:32]
     1 │ [dependencies]
     2 │ "acme/far" = { git = "../far", branch = "main" }
       ·                                ───────────────
       ╰────
      help: name a tag, or the whole commit in its place: `tag = "<40 digits>"` and a `range`
    -- exit code 1
    "#);
    assert!(with(&format!("rev = \"{before}\"")).fails_with(1).stderr.contains("tag = \"<40 digits>\""));
    t.write("app/weir.toml", "[dependencies]\n\"acme/near\" = { package = \"acme/far\", range = \"1\" }\n");
    assert!(t.weir("install").fails_with(1).stderr.contains("there are no aliases"));
}

/// Damages the file in the store.
fn damage(t: &Sandbox) {
    let file =
        fs_err::canonicalize(t.path("app/weir_packages/packages/acme/far/far.txt")).expect("it is there");
    fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("it is ours");
    fs_err::write(&file, "fra\n").expect("it is ours");
}

#[test]
fn a_damaged_tree_from_git_is_fetched_again() {
    let (t, _) = project();
    damage(&t);
    assert_snapshot!(t.weir("store repair --offline"), @r"
    $ weir store repair --offline
    tree [SHORT]: still damaged: offline, nothing is fetched
    -- exit code 6
    ");
    assert_snapshot!(t.weir("store repair"), @r"
    $ weir store repair
    tree [SHORT]: fetched again
    ");
    t.weir("verify").succeeds();

    // The tag names something else by now: the commit that it named is asked for.
    move_tag(&t);
    damage(&t);
    fs_err::remove_dir_all(t.path("home/weir/git")).expect("it is ours");
    t.weir("store repair").succeeds();
    assert_eq!(t.read("app/weir_packages/packages/acme/far/far.txt"), "far\n");

    damage(&t);
    fs_err::rename(t.path("far"), t.path("gone")).expect("it is ours");
    let run = t.weir("store repair").fails_with(6);
    assert!(run.stdout.contains("still damaged: `v1.2.0` of `"), "{run}");
    t.weir_in("", "store repair").fails_with(6);
}
