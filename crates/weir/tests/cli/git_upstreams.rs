//! Repositories of git as registries above: their tags come down as releases.
//!
//! The repositories are folders; the user's git is told to look there for `https://git.example/`.

use std::process::Command;

use weir_testkit::Sandbox;

use crate::empty;

/// A registry `team`, the default one, on a machine whose git finds `https://git.example/` in the folder `repos`.
fn team() -> Sandbox {
    let t = empty();
    let config =
        format!("[url \"file://{}/\"]\n\tinsteadOf = https://git.example/\n", t.path("repos").display());
    t.write("home/.gitconfig", config);
    t.registry("team");
    t
}

/// Commits what is in the folder of a repository, and has `tag` name it, wherever that was; gives the commit.
fn tag(t: &Sandbox, repository: &str, tag: &str) -> String {
    let script = format!(
        "git init -q . && git add -A && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && git tag -f '{tag}' >/dev/null && git rev-parse HEAD"
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(t.path(format!("repos/{repository}")))
        .env("HOME", t.path(""))
        .env_remove("GIT_DIR")
        .output()
        .expect("git is everywhere");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a commit is digits").trim().to_owned()
}

/// A release of a repository: its manifest, a file, and the tag.
fn release(t: &Sandbox, name: &str, version: &str, more: &str) -> String {
    let manifest =
        format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nlicense = \"MIT\"\n{more}");
    t.write(format!("repos/{name}/weir.toml"), manifest);
    t.write(format!("repos/{name}/content.txt"), format!("{name} {version}\n"));
    tag(t, name, &format!("v{version}"))
}

fn content(t: &Sandbox, name: &str) -> String {
    t.read(format!("app/weir_packages/packages/{name}/content.txt"))
}

#[test]
fn tags_come_down_as_releases_with_their_source_and_where_it_is_from() {
    let t = team();
    release(&t, "acme/str", "1.0.0", "");
    let commit = release(&t, "acme/str", "1.1.0", "");
    tag(&t, "acme/str", "nightly");
    let added = t.weir_in("", "registry upstream add git+https://git.example/acme/str").succeeds();
    assert!(added.stdout.contains("git.example/acme/str  on-demand"), "{added}");
    t.project(&["acme/str = ^1"]);
    t.weir("install").succeeds();
    assert_eq!(content(&t, "acme/str"), "acme/str 1.1.0\n");
    let info = t.weir_in("", "info acme/str --json").succeeds().stdout;
    for told in [commit.as_str(), "\"tag\": \"v1.1.0\"", "\"url\": \"https://git.example/acme/str\""] {
        assert!(info.contains(told), "{told}: {info}");
    }
    assert!(!info.contains("1.0.0"), "nobody asked for it: {info}");
    let shown = t.weir_in("", "registry upstream show git.example/acme/str").succeeds().stdout;
    assert!(shown.contains("nobody signs for it"), "{shown}");
    // The repository is gone, and so is the store: what came down is there.
    fs_err::rename(t.path("repos"), t.path("gone")).unwrap();
    for there in ["app/weir_packages", "home/weir/store"] {
        fs_err::rename(t.path(there), t.path(there.replace('/', "-"))).unwrap();
    }
    t.weir("install").succeeds();
    t.weir_in("", "registry verify").succeeds();
    // An owner that came from there is nobody's to publish under here.
    let folder = t.package("acme/str", "2.0.0").write();
    t.weir_in("", &format!("publish {folder}")).fails_with(8);
}

#[test]
fn what_a_tag_is_published_from_git_as_is_the_same_release() {
    let t = team();
    release(&t, "acme/str", "1.0.0", "");
    t.weir_in("", "registry upstream add git+https://git.example/acme/str").succeeds();
    t.project(&["acme/str = ^1"]);
    t.weir("install").succeeds();
    t.weir_in("", "registry init other --name other").succeeds();
    t.weir_in("", "publish --from-git https://git.example/acme/str#v1.0.0 --registry ./other").succeeds();
    let tree = |registry: &str| {
        let info = t.weir_in("", &format!("info acme/str --json --registry ./{registry}")).succeeds().stdout;
        let info: serde_json::Value = serde_json::from_str(&info).expect("it is JSON");
        info["package"]["releases"][0]["release"]["tree"].to_string()
    };
    assert_eq!(tree("team"), tree("other"));
}

#[test]
fn a_tag_that_moved_is_told_with_both_commits_and_changes_nothing() {
    let t = team();
    let before = release(&t, "acme/str", "1.0.0", "");
    t.weir_in("", "registry upstream add git+https://git.example/acme/str").succeeds();
    t.project(&["acme/str = ^1"]);
    t.weir("install").succeeds();
    t.write("repos/acme/str/evil.txt", "evil\n");
    let after = release(&t, "acme/str", "1.0.0", "");
    release(&t, "acme/str", "1.1.0", "");
    let checkpoint = t.read("team/checkpoint");
    let run = t.weir_in("", "registry upstream follow").fails_with(6);
    assert!(run.stderr.contains(&before) && run.stderr.contains(&after), "{run}");
    // What is here goes on working, and nothing comes from a repository that was rewritten.
    let run = t.weir("update").succeeds();
    assert!(
        run.stderr.contains("`git.example/acme/str` does not believe what is above")
            && run.stderr.contains(&after),
        "{run}"
    );
    assert_eq!(t.read("team/checkpoint"), checkpoint);
    // Whoever has looked names it once more: what is new comes, and what was taken stays what it is.
    t.weir_in("", "registry upstream add git+https://git.example/acme/str").succeeds();
    t.weir("update").succeeds();
    assert_eq!(content(&t, "acme/str"), "acme/str 1.1.0\n");
    t.project(&["acme/str = =1.0.0"]);
    t.weir("install").succeeds();
    assert!(!t.path("app/weir_packages/packages/acme/str/evil.txt").exists());
    t.weir_in("", "registry verify").succeeds();
}

#[test]
fn all_repositories_of_an_owner_are_one_upstream_and_bring_what_they_need() {
    let t = team();
    release(&t, "acme/str", "1.0.0", "");
    release(&t, "acme/str", "2.0.0", "");
    release(
        &t,
        "acme/log",
        "1.0.0",
        "\n[dependencies]\n\"acme/str\" = { git = \"https://git.example/acme/str\", tag = \"v1.0.0\" }\n",
    );
    release(&t, "acme/app", "1.0.0", "\n[dependencies]\n\"acme/log\" = \"^1\"\n");
    t.weir_in("", "registry upstream add 'git+https://git.example/acme/*'").succeeds();
    t.project(&["acme/app = ^1"]);
    t.weir("install").succeeds();
    let lock = t.read("app/weir.lock");
    assert!(lock.contains("acme/str") && !lock.contains("2.0.0"), "{lock}");
    // A mirror has all tags of the repositories that it knows.
    t.weir_in("", "registry upstream add 'git+https://git.example/acme/*' --mode mirror").succeeds();
    t.weir_in("", "registry upstream follow").succeeds();
    let info = t.weir_in("", "info acme/str").succeeds().stdout;
    assert!(info.contains("2.0.0"), "{info}");
    // What is no repository of theirs is not there, and that is told as it is.
    let run = t.weir("add acme/none");
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("could not ask above"), "{run}");
}

#[test]
fn policy_decides_about_tags_as_about_all_that_comes() {
    let t = team();
    release(&t, "acme/str", "1.0.0", "");
    t.weir_in("", "registry upstream add git+https://git.example/acme/str").succeeds();
    t.weir_in("", "policy set --built-in folder --with cooldown").succeeds();
    t.project(&["acme/str = ^1"]);
    let run = t.weir("install").fails_with(4);
    assert!(run.stderr.contains("`acme/str 1.0.0` is held by the rule `cooldown`"), "{run}");
    // Its time counts from when it was first seen here: what a commit says of itself is anybody's word.
    t.weir_in("", "policy set --built-in folder").succeeds();
    t.weir("install").succeeds();
}

#[test]
fn a_repository_does_not_say_whose_name_it_has_nor_what_version_a_tag_is() {
    let t = team();
    release(&t, "acme/str", "1.0.0", "");
    // Its newest tag calls itself something else.
    t.write("repos/acme/str/weir.toml", "[package]\nname = \"lib/ssl\"\nversion = \"1.1.0\"\n");
    tag(&t, "acme/str", "v1.1.0");
    t.write("repos/acme/str/weir.toml", "[package]\nname = \"acme/str\"\nversion = \"9.9.9\"\n");
    tag(&t, "acme/str", "v1.2.0");
    t.weir_in("", "registry upstream add git+https://git.example/acme/str").succeeds();
    t.project(&["acme/str = ^1"]);
    // The newest that can be taken is, and what cannot is told.
    let run = t.weir("install").succeeds();
    assert_eq!(content(&t, "acme/str"), "acme/str 1.0.0\n");
    assert!(
        run.stderr.contains("`acme/str 1.2.0` is not taken from `https://git.example/acme/str`"),
        "{run}"
    );
    assert!(run.stderr.contains("is of the version 9.9.9"), "{run}");
    t.project(&["acme/str = =1.1.0"]);
    let run = t.weir("install").fails_with(1);
    assert!(run.stderr.contains("is of `lib/ssl`, and not of `acme/str`"), "{run}");
    assert!(run.stderr.contains("`?name=lib/ssl`"), "{run}");
    let known = t.weir_in("", "registry upstream show git.example/acme/str --json").succeeds().stdout;
    assert!(!known.contains("lib/ssl"), "{known}");
}

#[test]
fn hostile_repositories_and_addresses_are_refused() {
    let t = team();
    for bad in [
        "git+https://git.example/str",
        "git+https://git.example/*",
        "git+https://git.example/acme/str?x",
        "git+https://git.example/acme/str#v1.0.0",
        "git+https://ann:secret@git.example/acme/str",
        "git+file:///etc",
        "git+ext::sh",
        "git+https://git.example/acme/none",
    ] {
        let run = t.weir_in("", &format!("registry upstream add {bad}"));
        assert_ne!(run.code, 0, "{run}");
        assert!(!run.stderr.contains("secret"), "{run}");
    }
    assert!(t.weir_in("", "registry upstream list").succeeds().stdout.contains("Nothing is above"));
    // A link that leads out of the tree, a manifest that is none, and nothing that makes a package.
    t.write("repos/acme/str/weir.toml", "[package]\n");
    std::os::unix::fs::symlink("../../../../etc/passwd", t.path("repos/acme/str/out")).unwrap();
    tag(&t, "acme/str", "v1.0.0");
    fs_err::remove_file(t.path("repos/acme/str/out")).unwrap();
    t.write("repos/acme/str/weir.toml", "not a manifest");
    tag(&t, "acme/str", "v1.1.0");
    fs_err::remove_file(t.path("repos/acme/str/weir.toml")).unwrap();
    t.write("repos/acme/str/README", "nothing\n");
    tag(&t, "acme/str", "v1.2.0");
    tag(&t, "acme/str", "v1.3.0-$(touch-evil)");
    t.weir_in("", "registry upstream add git+https://git.example/acme/str").succeeds();
    t.project(&["acme/str = *"]);
    let run = t.weir("install").fails_with(1);
    assert!(run.stderr.contains("is not taken from"), "{run}");
    assert!(
        !run.stderr.contains(&t.path("").display().to_string()),
        "no path of this machine is told: {run}"
    );
    t.weir_in("", "registry verify").succeeds();
}
