//! Tags of git repositories made into releases, with everything they need.

use std::process::Command;

use weir_testkit::{Run, Sandbox};

use crate::{bash, sandbox};

/// Commits all of a folder, and gives that commit a tag, moving it if it is there.
fn tag(t: &Sandbox, folder: &str, name: &str) {
    let script = "git init -q . && git add -A && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && git tag -f \"$1\"";
    let output = Command::new("sh").args(["-ec", script, "sh", name]).current_dir(t.path(folder)).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Weir with `https://git.example/` standing for the folder `git`.
fn weir(t: &Sandbox, folder: &str, typed: &str) -> Run {
    let config = t.path("gitconfig").display().to_string();
    t.weir_with(folder, typed, &[("GIT_CONFIG_GLOBAL", &config)])
}

/// `app` needs `lib` of an owner that has been renamed, whose tag has no `v`.
fn repositories() -> Sandbox {
    let t = sandbox();
    t.write(
        "gitconfig",
        format!("[url \"file://{}/\"]\n\tinsteadOf = https://git.example/\n", t.path("git").display()),
    );
    t.write(
        "git/new/lib.git/basalt.toml",
        "[package]\nname = 'lib'\nslug = ['lib']\n\n[run]\nsourceDirs = ['src']\n",
    );
    t.write("git/new/lib.git/src/lib.sh", "lib.f() { echo \"lib $1\"; }\n");
    tag(&t, "git/new/lib.git", "1.0.0");
    t.write(
        "git/new/app.git/basalt.toml",
        "[package]\nname = 'app'\nslug = 'app'\n\n[run]\nsourceDirs = ['src']\ndependencies = ['https://git.example/old/lib.git@v1.0.0']\n",
    );
    t.write("git/new/app.git/src/app.sh", "app.f() { lib.f app; }\n");
    tag(&t, "git/new/app.git", "v2.0.0");
    t
}

const PUBLISH: &str = "publish --from-git https://git.example/new/app#v2.0.0 --alias old=new";

#[test]
fn a_tag_and_what_it_needs_become_releases_that_need_no_git_host() {
    let t = repositories();
    let run = weir(&t, "", PUBLISH);
    assert_eq!(run.code, 0, "{run}");
    for expected in ["`new/lib 1.0.0`", "`new/app 2.0.0`"] {
        assert!(run.stdout.contains(expected), "{run}");
    }
    assert!(weir(&t, "", PUBLISH).stdout.contains("Already so"));
    fs_err::rename(t.path("git"), t.path("gone")).unwrap();
    t.project(&["new/app = ^2"]);
    t.weir("install").succeeds();
    t.write("app/main.bash", "eval \"$(weir bash init)\"\nweir.load new/app\napp.f\n");
    assert_eq!(bash(&t, &t.path("app/main.bash")), "lib app\n");
    assert!(t.read("app/weir.lock").contains("commit"), "the commit is not in the record");
}

#[test]
fn a_tag_that_moved_is_noticed() {
    let t = repositories();
    assert_eq!(weir(&t, "", PUBLISH).code, 0);
    t.write("git/new/lib.git/src/lib.sh", "lib.f() { echo changed; }\n");
    tag(&t, "git/new/lib.git", "1.0.0");
    let run = weir(&t, "", PUBLISH);
    assert!(run.code != 0 && run.stderr.contains("1.0.0"), "{run}");
}

#[test]
fn a_tag_that_is_not_there_is_named_with_who_asks_for_it() {
    let t = repositories();
    let run = weir(&t, "", "publish --from-git https://git.example/new/app#v2.0.0");
    assert!(
        run.code != 0 && run.stderr.contains("`old/lib`") && run.stderr.contains("new/app 2.0.0"),
        "{run}"
    );
}

#[test]
fn an_owner_that_was_renamed_can_be_told_once_for_a_registry() {
    let t = repositories();
    let config = t.read("home/weir/config.toml");
    let told = |new: &str| {
        let org = t.path("org").display().to_string();
        t.write(
            "home/weir/config.toml",
            format!("[registries.org]\nurl = \"{org}\"\ndefault = true\naliases = {{ old = \"{new}\" }}\n"),
        );
    };
    assert!(config.contains("org"), "{config}");
    told("new");
    let publish = "publish --from-git https://git.example/new/app#v2.0.0";
    let run = weir(&t, "", publish);
    assert!(run.code == 0 && run.stdout.contains("`new/lib 1.0.0`"), "{run}");
    // What is said on the command line wins, and naming the registry again keeps what was told.
    told("nobody");
    let run = weir(&t, "", publish);
    assert!(run.code != 0 && run.stderr.contains("`nobody/lib`"), "{run}");
    assert!(weir(&t, "", &format!("{publish} --alias old=new")).stdout.contains("Already so"));
    told("new");
    t.weir_in("", "registry add org org --default").succeeds();
    assert!(t.read("home/weir/config.toml").contains("old = \"new\""));
    told("no owner");
    let run = weir(&t, "", publish);
    assert!(run.code != 0 && run.stderr.contains("`no owner` is no owner"), "{run}");
}

#[test]
fn an_owner_that_was_renamed_can_be_told_in_the_projects_manifest_for_all_who_work_on_it() {
    let t = repositories();
    let publish = "publish --from-git https://git.example/new/app#v2.0.0";
    t.write("team/weir.toml", "[aliases]\nold = \"new\"\n");
    let run = weir(&t, "team", publish);
    assert!(run.code == 0 && run.stdout.contains("`new/lib 1.0.0`"), "{run}");
    // The project wins over what one user told for a registry, and the command line over both.
    let org = t.path("org").display().to_string();
    t.write(
        "home/weir/config.toml",
        format!("[registries.org]\nurl = \"{org}\"\ndefault = true\naliases = {{ old = \"nobody\" }}\n"),
    );
    assert!(weir(&t, "team", publish).stdout.contains("Already so"));
    t.write("team/weir.toml", "[aliases]\nold = \"somebody\"\n");
    let run = weir(&t, "team", publish);
    assert!(run.code != 0 && run.stderr.contains("`somebody/lib`"), "{run}");
    assert!(weir(&t, "team", &format!("{publish} --alias old=new")).stdout.contains("Already so"));
    t.write("team/weir.toml", "[aliases]\nold = \"no owner\"\n");
    let run = weir(&t, "team", publish);
    assert!(run.code != 0 && run.stderr.contains("`no owner` in `[aliases]` is no owner"), "{run}");
    // What a package says of itself counts for nobody else.
    t.write("team/weir.toml", "");
    t.write("home/weir/config.toml", format!("[registries.org]\nurl = \"{org}\"\ndefault = true\n"));
    t.write("git/new/app.git/weir.toml", "[package]\nkind = \"bash\"\n[aliases]\nold = \"new\"\n[dependencies]\n\"old/lib\" = { git = \"https://git.example/old/lib.git\", tag = \"v1.0.0\" }\n");
    tag(&t, "git/new/app.git", "v2.1.0");
    let run = weir(&t, "team", "publish --from-git https://git.example/new/app#v2.1.0");
    assert!(run.code != 0 && run.stderr.contains("`old/lib`"), "{run}");
}

#[test]
fn a_dependency_that_is_skipped_is_not_asked_for() {
    let t = repositories();
    let publish = "publish --from-git https://git.example/new/app#v2.0.0";
    for skipped in ["old/lib --alias old=new", "new/lib --alias old=new", "old/lib"] {
        let run = weir(&t, "", &format!("{publish} --skip {skipped} --dry-run"));
        assert!(run.code == 0 && !run.stdout.contains("lib"), "{run}");
    }
}
