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

/// Whoever uses the project in `folder` names the repository `far` for it. All else of the project is as it was.
fn name(t: &Sandbox, folder: &str) {
    t.write(format!("{folder}/weir.toml"), "");
    let _ = t.weir_in(folder, "add acme/far --git ../far --tag v1.2.0 --dry-run");
    t.write(format!("{folder}/weir.toml"), BY_TAG);
}

/// A manifest that asks for it.
const BY_TAG: &str = "[dependencies]\n\"acme/far\" = { git = \"../far\", tag = \"v1.2.0\" }\n";

/// A project that uses the tag, and the commit that it names.
fn project() -> (Sandbox, String) {
    let t = empty();
    t.write("far/weir.toml", "[package]\nname = \"acme/far\"\nversion = \"1.2.0\"\n");
    t.write("far/far.txt", "far\n");
    let commit = tag(&t);
    name(&t, "app");
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
    let outdated = t.weir("outdated --exit-code").fails_with(1).stdout;
    let told = outdated
        .replace(&before, "BEFORE")
        .replace(&after, "AFTER")
        .replace(&t.path("").display().to_string(), "ROOT");
    assert_eq!(
        told,
        "`acme/far` is locked to the commit BEFORE, and the tag `v1.2.0` of ../far names AFTER by now: `weir update acme/far` takes that\n"
    );
    t.weir("update acme/far").succeeds();
    assert!(t.read("app/weir.lock").contains(&after));
    assert_eq!(t.read("app/weir_packages/packages/acme/far/far.txt"), "farther\n");
    assert_eq!(t.weir("outdated").succeeds().stdout, "Everything is at its newest\n");
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

#[test]
fn no_setting_of_git_changes_what_a_tag_gives() {
    let t = empty();
    t.write("far/weir.toml", "[package]\nname = \"acme/far\"\nversion = \"1.2.0\"\n");
    t.write("far/far.txt", "$Id$ one\ntwo $Format:%H$\n");
    t.write(
        "far/.gitattributes",
        "*.txt text eol=crlf filter=evil ident export-subst\nweir.toml export-ignore\n",
    );
    tag(&t);
    name(&t, "app");
    t.weir("install").succeeds();
    let lock = t.read("app/weir.lock");
    assert_eq!(t.read("app/weir_packages/packages/acme/far/far.txt"), "$Id$ one\ntwo $Format:%H$\n");

    let ran = t.path("ran").display().to_string();
    t.write("attributes", "*.txt filter=evil export-ignore\n");
    t.write("templates/hooks/reference-transaction", format!("#!/bin/sh\ntouch '{ran}'\n"));
    let executable = std::fs::Permissions::from_mode(0o755);
    fs_err::set_permissions(t.path("templates/hooks/reference-transaction"), executable).expect("it is ours");
    t.write(
        "gitconfig",
        format!(
            "[core]\n\tautocrlf = true\n\teol = crlf\n\tattributesFile = {}\n\tfsmonitor = touch '{ran}'\n\
             [filter \"evil\"]\n\tsmudge = touch '{ran}'; rev\n\tclean = touch '{ran}'; rev\n\trequired = true\n\
             [init]\n\ttemplateDir = {}\n\tdefaultObjectFormat = sha256\n\
             [safe]\n\tbareRepository = explicit\n",
            t.path("attributes").display(),
            t.path("templates").display(),
        ),
    );
    let config = t.path("gitconfig").display().to_string();
    let home = t.path("another-home").display().to_string();
    let settings = [
        ("GIT_CONFIG_GLOBAL", &*config),
        ("GIT_CONFIG_SYSTEM", &*config),
        ("WEIR_HOME", &*home),
        ("WEIR_TRUSTED_FOLDERS", "*"),
    ];
    t.weir_with("app", "install --locked", &settings).succeeds();
    t.write("other/weir.toml", t.read("app/weir.toml"));
    t.weir_with("other", "lock", &settings).succeeds();
    assert_eq!(t.read("other/weir.lock"), lock);
    assert!(!t.path("ran").exists(), "something of the settings ran");
}

#[test]
fn a_secret_in_an_address_is_neither_printed_nor_stored() {
    let t = empty();
    let address = "https://ann:s3cret@127.0.0.1:1/x.git";
    t.write(
        "weir.toml",
        format!("[dependencies]\n\"acme/x\" = {{ git = \"{address}\", tag = \"v1.0.0\" }}\n"),
    );
    // Another's address, by which git is told to reach a host: that is what settings are for.
    t.write("gitconfig", format!("[url \"{address}\"]\n\tinsteadOf = https://host.example/x.git\n"));
    let config = t.path("gitconfig").display().to_string();
    let settings = [("GIT_CONFIG_GLOBAL", &*config)];
    for (manifest, command) in [
        (t.read("weir.toml"), "install"),
        (t.read("weir.toml"), "--json install"),
        (format!("{}nmae = 1\n", t.read("weir.toml")), "list"),
        (String::new(), "add acme/x@^1 --git https://ann:s3cret@127.0.0.1:1/x.git --tag v1.0.0"),
        (String::new(), "add acme/x@^1 --git https://host.example/x.git --tag v1.0.0"),
        (String::new(), "publish --from-git https://ann:s3cret@127.0.0.1:1/x.git@v1.0.0"),
        (String::new(), "registry add r https://ann:s3cret@127.0.0.1:1/"),
        ("[dependencies]\n\"acme/x\" = \"1\"\n".into(), "install --registry https://ann:s3cret@127.0.0.1:1/"),
        (String::new(), "add --reference r https://ann:s3cret@127.0.0.1:1/x"),
    ] {
        t.write("app/weir.toml", manifest);
        let run = t.weir_with("app", command, &settings);
        assert_ne!(run.code, 0, "{run}");
        assert!(!run.stderr.contains("s3cret") && !run.stdout.contains("s3cret"), "{command}: {run}");
        assert!(!t.path("app/weir.lock").exists(), "{command}");
    }
    let kept = std::process::Command::new("grep").args(["-r", "s3cret"]).arg(t.path("home")).output();
    assert!(kept.expect("grep is everywhere").stdout.is_empty(), "kept at home");
}

/// A repository with what its author keeps out of the package, by each of the ways there are.
fn with_more_than_the_package() -> Sandbox {
    let t = empty();
    t.registry("org");
    t.write(
        "far/weir.toml",
        "[package]\nname=\"acme/far\"\nversion = \"1.2.0\" # the first\nlicense = \"MIT\"\nexclude = [\"big.bin\", \".env\"]\n",
    );
    t.write("far/.weirignore", "ign.txt\n");
    for (file, text) in
        [("far.txt", "far\n"), ("big.bin", "big"), (".env", "SECRET=1"), ("ign.txt", ""), ("far.txt~", "")]
    {
        t.write(format!("far/{file}"), text);
    }
    tag(&t);
    t
}

/// What belongs to a package is the same, whatever brings it: `include`, `exclude` and the ignore files of the commit decide.
#[test]
fn of_a_repository_a_package_has_what_would_be_published_from_a_clone_of_it() {
    let t = with_more_than_the_package();
    let listed = t.weir_in("far", "pack --list").succeeds().stdout;
    assert!(listed.contains("far.txt") && !listed.contains("big.bin"), "{listed}");

    // The secrets are left out, so nothing is refused; and the release is that of the checkout.
    let run = t.weir_in("", "publish --from-git far#v1.2.0 --name acme/far").succeeds();
    assert!(run.stdout.contains("`acme/far 1.2.0`"), "{run}");
    assert!(t.weir_in("", "publish far").succeeds().stdout.contains("Already so"));
    t.project(&["acme/far = ^1"]);
    t.weir("install").succeeds();
    let files = |folder: &str| {
        let entries = fs_err::read_dir(t.path(folder).join("weir_packages/packages/acme/far"))
            .expect("it is installed");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("it can be read").file_name().into_string().expect("UTF-8"))
            .collect();
        names.sort();
        names
    };
    let published = files("app");
    assert_eq!(published, [".weirignore", "far.txt", "weir.toml"]);

    // So is a dependency on the tag, which takes up nothing else of this machine; and damaged, it is made again.
    name(&t, "by-tag");
    t.weir_in("by-tag", "install").succeeds();
    assert_eq!(files("by-tag"), published);
    let tree = |folder: &str| {
        let lock = t.read(format!("{folder}/weir.lock"));
        lock.lines().find(|line| line.starts_with("tree = ")).map(str::to_owned)
    };
    assert_eq!(tree("by-tag"), tree("app"));
}

#[test]
fn what_is_said_over_a_manifest_decides_too_what_of_the_commit_is_taken_and_is_locked() {
    let t = with_more_than_the_package();
    t.write("far/.npmrc", "token");
    tag(&t);
    t.weir_in("", "publish --from-git far#v1.2.0 --name acme/far").fails_with(4);
    let set = "--set 'package.exclude = [\".npmrc\", \".env\"]'";
    t.weir_in("", &format!("publish --from-git far#v1.2.0 --name acme/far {set}")).succeeds();
    t.write("app/weir.toml", "");
    t.weir(&format!("add acme/far --git ../far --tag v1.2.0 {set}")).succeeds();
    let package = t.path("app/weir_packages/packages/acme/far");
    assert!(!package.join(".npmrc").exists() && package.join("big.bin").exists());
    // On another machine the lockfile says which files those are.
    let elsewhere = [("WEIR_HOME", t.path("elsewhere").display().to_string())];
    let elsewhere: Vec<(&str, &str)> = elsewhere.iter().map(|(name, value)| (*name, &**value)).collect();
    fs_err::remove_dir_all(t.path("app/weir_packages")).expect("it is ours");
    t.weir_with("app", "install --locked", &elsewhere).succeeds();
    assert!(!package.join(".npmrc").exists() && package.join("big.bin").exists());
}

#[test]
fn what_of_a_commit_is_left_out_though_nobody_said_so_is_told() {
    let t = empty();
    t.write("far/weir.toml", "[package]\nname = \"acme/far\"\nversion = \"1.2.0\"\n");
    t.write("far/.gitignore", "built\n");
    t.write("far/built", "all the same");
    let commit = tag(&t);
    let script = format!(
        "git add -f built && git update-index --add --cacheinfo 160000,{commit},lib/other && git -c user.name=a -c user.email=a@b commit -qm y && git tag -f v1.2.0"
    );
    let done = std::process::Command::new("sh").args(["-ec", &script]).current_dir(t.path("far")).output();
    assert!(done.expect("git is everywhere").status.success());
    name(&t, "app");
    let run = t.weir("install").succeeds();
    assert!(run.stderr.contains("its submodules are not in it: `lib/other`"), "{run}");
    assert!(run.stderr.contains("its `.gitignore` leaves out what is in the commit: `built`"), "{run}");
    assert!(!t.path("app/weir_packages/packages/acme/far/built").exists());
    assert!(!t.weir("install").succeeds().stderr.contains("submodules"), "it is told once");
}

#[test]
fn who_cannot_be_reached_what_is_no_address_and_what_cannot_be_kept_end_with_their_own_codes() {
    let t = empty();
    let by_git = |url: &str| {
        t.write(
            "app/weir.toml",
            format!("[dependencies]\n\"acme/far\" = {{ git = \"{url}\", tag = \"v1.2.0\" }}\n"),
        );
    };
    by_git("http://127.0.0.1:9/a/b");
    t.weir("install").fails_with(1);
    for none in ["ext::sh -c true", "fd::17"] {
        by_git(none);
        t.weir("install").fails_with(2);
    }
    by_git("../nowhere");
    t.weir("install").fails_with(5);
    // A link that leads out of the package.
    fs_err::create_dir_all(t.path("far")).expect("the sandbox can be written");
    fs_err::os::unix::fs::symlink("../../x", t.path("far/out")).expect("the sandbox can be written");
    tag(&t);
    name(&t, "app");
    let run = t.weir("install").fails_with(1);
    assert!(run.stderr.contains("the link `out`"), "{run}");
}
