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

/// A repository with a library, its page and its completion, and no manifest.
fn without_a_manifest() -> Sandbox {
    let t = repositories();
    t.write("git/rupa/jump.git/jump.sh", "jump.f() { echo \"jumped\"; }\n");
    t.write("git/rupa/jump.git/jump.1", ".TH jump 1\n");
    t.write("git/rupa/jump.git/test.sh", "#!/bin/sh\n");
    t.write("git/rupa/jump.git/jump-completion.bash", "complete -W a jump\n");
    tag(&t, "git/rupa/jump.git", "v1.9");
    t
}

const USES_JUMP: &str = "eval \"$(weir bash init)\"\nweir.load rupa/jump\njump.f\n";

#[test]
fn a_repository_without_a_manifest_is_published_as_what_its_files_look_like_and_that_is_told() {
    let t = without_a_manifest();
    let run = weir(&t, "", "publish --from-git https://git.example/rupa/jump#v1.9");
    assert!(run.code == 0 && run.stdout.contains("`rupa/jump 1.9.0`"), "{run}");
    for told in [
        "`bash.source = [\"jump.sh\"]`",
        "`bash.completion = [\"jump-completion.bash\"]`",
        "`bash.man = [\"jump.1\"]`",
    ] {
        assert!(run.stderr.contains(told), "{run}");
    }
    t.project(&["rupa/jump = ^1"]);
    t.weir("install").succeeds();
    t.write("app/main.bash", USES_JUMP);
    assert_eq!(bash(&t, &t.path("app/main.bash")), "jumped\n");
}

#[test]
fn what_a_manifest_would_say_can_be_said_when_publishing() {
    let t = without_a_manifest();
    t.write("git/rupa/jump.git/jump.sh", "echo wrong\n");
    t.write("git/rupa/jump.git/other", "jump.f() { echo other; }\n");
    tag(&t, "git/rupa/jump.git", "v2");
    let publish = "publish --from-git https://git.example/rupa/jump#v2 --name rupa/jump";
    let run = weir(&t, "", &format!("{publish} --set 'bash.source ='"));
    assert!(run.code != 0 && run.stderr.contains("no TOML"), "{run}");
    let run = weir(
        &t,
        "",
        &format!("{publish} --set 'bash.source = [\"other\"]' --set 'package.license = \"MIT\"'"),
    );
    assert!(run.code == 0 && run.stdout.contains("`rupa/jump 2.0.0`"), "{run}");
    t.project(&["rupa/jump = ^2"]);
    t.weir("install").succeeds();
    t.write("app/main.bash", USES_JUMP);
    assert_eq!(bash(&t, &t.path("app/main.bash")), "other\n");
}

#[test]
fn a_dependency_on_a_tag_without_a_manifest_says_what_it_is_in_the_projects_own() {
    let t = without_a_manifest();
    t.write("git/rupa/jump.git/other", "jump.f() { echo other; }\n");
    tag(&t, "git/rupa/jump.git", "v1.9");
    t.project(&[]);
    t.write("app/main.bash", USES_JUMP);
    let add = "add rupa/jump --git https://git.example/rupa/jump --tag v1.9";
    let run = weir(&t, "app", add);
    assert!(run.code == 0 && run.stderr.contains("`bash.source = [\"jump.sh\"]`"), "{run}");
    assert_eq!(bash(&t, &t.path("app/main.bash")), "jumped\n");
    let run = weir(&t, "app", &format!("{add} --set 'bash.source = [\"other\"]'"));
    assert_eq!(run.code, 0, "{run}");
    let manifest = t.read("app/weir.toml");
    assert!(manifest.contains("manifest = { bash = { source = [\"other\"] } }"), "{manifest}");
    assert_eq!(bash(&t, &t.path("app/main.bash")), "other\n");
    let run = weir(&t, "app", "install --locked");
    assert!(run.code == 0 && run.stdout.contains("Nothing to do"), "{run}");
}

#[test]
fn the_same_content_from_another_address_is_the_same_release() {
    let t = repositories();
    assert_eq!(weir(&t, "", PUBLISH).code, 0);
    let at = t.path("git").display().to_string();
    let both = format!(
        "[url \"file://{at}/\"]\n\tinsteadOf = https://git.example/\n\tinsteadOf = https://mirror.example/\n"
    );
    t.write("gitconfig", both);
    let run = weir(&t, "", "publish --from-git https://mirror.example/new/lib#1.0.0");
    assert!(run.code == 0 && run.stdout.contains("Already so"), "{run}");
}
