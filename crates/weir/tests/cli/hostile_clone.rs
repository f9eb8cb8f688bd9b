//! A stranger's folder: cloned, unpacked, found. Nothing in it may make Weir touch anything outside it, run what nobody checked, or
//! wait for ever. Each test is a clone that somebody could make on purpose.

use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use weir_testkit::Sandbox;

use crate::{greeting, installed};

/// The folder of somebody who clones things: what is in it stays.
const PRECIOUS: &str = "precious";

/// A clone that asks for `acme/greet`, in the folder `app`, never installed on this machine.
fn clone() -> Sandbox {
    let t = greeting();
    t.project(&["acme/greet = ^1"]);
    t.write(format!("{PRECIOUS}/file"), "precious");
    t.write(format!("{PRECIOUS}/sub/b"), "precious");
    t
}

/// A link in the clone to the folder of whoever cloned it.
fn link(t: &Sandbox, at: &str) {
    link_to(t, at, PRECIOUS);
}

fn link_to(t: &Sandbox, at: &str, target: &str) {
    let at = t.path(at);
    fs_err::create_dir_all(at.parent().expect("it is below a folder")).expect("the sandbox can be written");
    symlink(t.path(target), at).expect("the sandbox can be written");
}

fn pipe(t: &Sandbox, at: &str) {
    let _ = fs_err::remove_file(t.path(at));
    let made = std::process::Command::new("mkfifo").arg(t.path(at)).status().expect("there is `mkfifo`");
    assert!(made.success());
}

#[track_caller]
fn precious_is_untouched(t: &Sandbox) {
    let mut found: Vec<_> = fs_err::read_dir(t.path(PRECIOUS))
        .expect("it is there")
        .map(|entry| entry.expect("it can be read").file_name())
        .collect();
    found.sort();
    assert_eq!(found, ["file", "sub"]);
    assert_eq!(t.read(format!("{PRECIOUS}/file")), "precious");
    assert_eq!(t.read(format!("{PRECIOUS}/sub/b")), "precious");
}

/// Everything that looks at a project, or changes one.
const COMMANDS: &[&str] = &[
    "install",
    "update",
    "run greet",
    "lock",
    "add acme/str",
    "remove acme/greet",
    "list",
    "tree",
    "verify",
    "outdated",
    "audit",
    "env",
    "install --locked",
];

/// What reads a project's manifest and lockfile says so at once and in so many words, whatever stands in their place.
#[track_caller]
fn all_refuse(t: &Sandbox, file: &str, what: &str) {
    for command in COMMANDS {
        let began = Instant::now();
        let run = t.weir(command).fails_with(4);
        assert!(run.stderr.contains(file) && run.stderr.contains(what), "{run}");
        assert!(began.elapsed() < Duration::from_secs(20), "{run}");
    }
}

// ---- Links where folders are expected

#[test]
fn a_link_in_the_place_of_a_folder_of_the_layout_is_refused() {
    for place in [
        "weir_packages",
        "weir_packages/.link-trees",
        "weir_packages/bin",
        "weir_packages/packages",
        "weir_packages/packages/acme",
    ] {
        for command in ["install", "update", "run greet", "add acme/str"] {
            let t = clone();
            link(&t, &format!("app/{place}"));
            let run = t.weir(command).fails_with(4);
            assert!(run.stderr.contains(&format!("{place}` is a link")), "{run}");
            precious_is_untouched(&t);
        }
    }
}

#[test]
fn a_link_that_appears_after_installing_is_refused_and_nothing_behind_it_is_removed() {
    let t = installed();
    t.write(format!("{PRECIOUS}/file"), "precious");
    t.write(format!("{PRECIOUS}/sub/b"), "precious");
    t.write(format!("{PRECIOUS}/acme/greet"), "precious");
    fs_err::remove_dir_all(t.path("app/weir_packages/packages")).expect("it was installed");
    link(&t, "app/weir_packages/packages");
    t.weir("remove acme/greet").fails_with(4);
    assert_eq!(t.read(format!("{PRECIOUS}/acme/greet")), "precious");
}

#[test]
fn names_of_unfinished_files_cannot_be_foreseen() {
    let t = clone();
    // What a program before this one wrote to: its name, for every process that there can be soon.
    let next: u32 = std::process::id();
    for process in next..next + 2000 {
        link_to(&t, &format!("app/weir_packages/.weir-{process}-.weir-layout"), "precious/file");
        link_to(&t, &format!("app/.weir-{process}-weir.lock"), "precious/file");
    }
    t.weir("install").succeeds();
    precious_is_untouched(&t);
}

// ---- State that came with the clone

#[test]
fn a_layout_that_came_with_the_clone_is_made_anew() {
    let t = installed();
    // The whole project as it was installed, and a command that says something else.
    let copied = std::process::Command::new("cp").arg("-a").arg(t.path("app")).arg(t.path("clone")).status();
    assert!(copied.expect("there is `cp`").success());
    t.write("clone/planted", "#!/bin/sh\necho planted\n");
    let executable = std::process::Command::new("chmod").arg("755").arg(t.path("clone/planted")).status();
    assert!(executable.expect("there is `chmod`").success());
    let bin = t.path("clone/weir_packages/bin");
    fs_err::remove_file(bin.join("greet")).expect("it was copied");
    for command in ["greet", "ls"] {
        symlink("../../planted", bin.join(command)).expect("the sandbox can be written");
    }
    let run = t.weir_in("clone", "run greet").succeeds();
    assert_eq!(run.stdout, "Hello, world\n");
    assert!(run.stderr.contains("made anew"), "{run}");
    assert!(bin.join("ls").symlink_metadata().is_err());
}

#[test]
fn a_command_that_came_with_the_clone_is_refused() {
    let t = clone();
    for command in ["greet", "ls"] {
        t.write(format!("app/weir_packages/bin/{command}"), "#!/bin/sh\necho planted\n");
        let run = t.weir(&format!("run {command}")).fails_with(8);
        assert!(run.stderr.contains(&format!("bin/{command}` is in the way")), "{run}");
        fs_err::remove_file(t.path("app/weir_packages/bin").join(command)).expect("it stays");
    }
    assert_eq!(t.weir("run greet").succeeds().stdout, "Hello, world\n");
}

/// `eval "$(weir env)"` puts them before the commands of the system.
#[test]
fn commands_that_came_with_the_clone_are_put_on_no_path() {
    let t = clone();
    t.weir("env").succeeds();
    t.write("app/weir_packages/bin/ls", "#!/bin/sh\n");
    for typed in ["env", "env --json", "env --shell fish"] {
        let run = t.weir(typed).fails_with(8);
        assert!(
            run.stderr.contains("weir_packages/bin/ls") || run.stdout.contains("weir_packages/bin/ls"),
            "{run}"
        );
        assert!(!run.stdout.contains("PATH="), "{run}");
    }
    fs_err::remove_dir_all(t.path("app/weir_packages")).expect("it is ours");
    t.weir("install").succeeds();
    assert!(t.weir("env").succeeds().stdout.contains("app/weir_packages/bin:"));

    // What was put in the place of a command, or beside it, since: by a pull, or by a build script.
    let greet = t.path("app/weir_packages/bin/greet");
    fs_err::remove_file(&greet).expect("it is there");
    fs_err::write(&greet, "#!/bin/sh\n").expect("it is ours");
    t.weir("env").fails_with(8);
    fs_err::remove_file(&greet).expect("it is there");
    t.weir("install").succeeds();
    // A manifest that asks for something else by now is no stranger's command.
    t.write("app/weir.toml", t.read("app/weir.toml") + "[scripts]\nx = \"true\"\n");
    t.weir("env").succeeds();
    link(&t, "app/weir_packages/bin/other");
    t.weir("env").fails_with(8);
}

#[test]
fn a_record_of_a_layout_that_came_with_the_clone_is_no_reason_to_remove_anything() {
    let t = clone();
    link(&t, "app/weir_packages/e");
    t.write("app/weir_packages/.weir-layout", "weir-layout v1\nfile e/sub/b\t00\ncount packages\t0\n");
    let run = t.weir("install").fails_with(8);
    assert!(run.stderr.contains(".weir-layout` is in the way"), "{run}");
    precious_is_untouched(&t);
}

#[test]
fn a_command_that_a_pull_brings_is_refused() {
    let t = installed();
    t.write("app/weir_packages/bin/ls", "#!/bin/sh\necho planted\n");
    let run = t.weir("run ls").fails_with(8);
    assert!(run.stderr.contains("weir_packages/bin/ls` is in the way"), "{run}");
}

// ---- Files that are none

#[test]
fn manifest_and_lockfile_are_read_only_as_regular_files() {
    for file in ["weir.toml", "weir.lock"] {
        let t = clone();
        t.weir("lock").succeeds();
        pipe(&t, &format!("app/{file}"));
        all_refuse(&t, file, "named pipe");
        fs_err::remove_file(t.path("app").join(file)).expect("it was made");
        symlink("/dev/zero", t.path("app").join(file)).expect("the sandbox can be written");
        all_refuse(&t, file, "is a link");
        fs_err::remove_file(t.path("app").join(file)).expect("it was made");
        fs_err::create_dir(t.path("app").join(file)).expect("the sandbox can be written");
        all_refuse(&t, file, "is a folder");
        fs_err::remove_dir(t.path("app").join(file)).expect("it was made");
        let sparse = fs_err::File::create(t.path("app").join(file)).expect("the sandbox can be written");
        sparse.set_len(3 << 30).expect("the file system knows sparse files");
        all_refuse(&t, file, "is larger than");
    }
}

#[test]
fn a_lockfile_is_read_up_to_64_mib() {
    let t = clone();
    t.weir("lock").succeeds();
    let lock = t.read("app/weir.lock");
    let padded = |bytes: usize| format!("{lock}#{}", " ".repeat(bytes - lock.len() - 1));
    t.write("app/weir.lock", padded(64 << 20));
    t.weir("list").succeeds();
    t.write("app/weir.lock", padded((64 << 20) + 1));
    let run = t.weir("list").fails_with(4);
    assert!(run.stderr.contains("weir.lock` is larger than the 67108864 bytes it may have"), "{run}");
}

#[test]
fn an_ignore_file_that_is_none_is_refused_before_anything_is_written() {
    let t = clone();
    for make in [pipe as fn(&Sandbox, &str), |t, at| link_to(t, at, "precious/file")] {
        let _ = fs_err::remove_file(t.path("new/.gitignore"));
        t.write("new/other", "");
        make(&t, "new/.gitignore");
        let run = t.weir_in("new", "init").fails_with(4);
        assert!(run.stderr.contains(".gitignore"), "{run}");
        assert!(!t.path("new/weir.toml").exists());
    }
    precious_is_untouched(&t);
}

#[test]
fn files_of_a_new_package_are_not_written_through_links() {
    let t = clone();
    fs_err::create_dir(t.path("new")).expect("the sandbox can be written");
    for folder in ["src", "tests", "lib", "include", "bin", "pkg"] {
        link(&t, &format!("new/{folder}"));
    }
    for kind in ["bash", "native", "data", "generic"] {
        let _ = t.weir_in("new", &format!("init --name acme/new --kind {kind} --force"));
        precious_is_untouched(&t);
    }
}

#[test]
fn what_is_published_is_read_only_from_regular_files_and_soon() {
    for file in ["README.md", "LICENSE", ".weirignore", ".gitignore", "weir.toml"] {
        let t = greeting();
        let folder = t.package("acme/odd", "1.0.0").file("file", "x").write();
        pipe(&t, &format!("{folder}/{file}"));
        let began = Instant::now();
        let run = t.weir_in("", &format!("publish {folder}"));
        assert!(began.elapsed() < Duration::from_secs(20), "{run}");
        assert!(run.code != 0, "{file}: {run}");
        assert!(run.stderr.contains(file), "{run}");
    }
}

// ---- Somebody else's project

#[test]
fn a_project_of_another_user_is_used_only_where_that_user_is_trusted() {
    let t = clone();
    let app = t.path("app");
    let given = std::process::Command::new("chown").arg("12345").arg(app.join("weir.toml")).status();
    if !given.expect("there is `chown`").success() {
        // Only root can give a file away; the rule itself is tested where it is.
        return;
    }
    for command in COMMANDS {
        let run = t.weir(command).fails_with(4);
        assert!(
            run.stderr.contains("belongs to another user") && run.stderr.contains("trusted-folders"),
            "{run}"
        );
    }
    let trusted = app.display().to_string();
    t.weir_with("app", "install", &[("WEIR_TRUSTED_FOLDERS", &trusted)]).succeeds();
    t.weir_with("app", "list", &[("SUDO_UID", "12345")]).succeeds();
    let config = t.read("home/weir/config.toml");
    t.write("home/weir/config.toml", format!("trusted-folders = [\"{trusted}\"]\n{config}"));
    t.weir("list").succeeds();
}

// ---- Several at once

#[test]
fn what_several_add_at_once_is_all_there() {
    let t = greeting();
    let names = ["acme/str", "acme/names", "acme/greet"];
    std::thread::scope(|scope| {
        for name in names {
            let t = &t;
            scope.spawn(move || t.weir(&format!("add {name}")).succeeds());
        }
    });
    let manifest = t.read("app/weir.toml");
    for name in names {
        assert!(manifest.contains(name), "{manifest}");
    }
    t.weir("install --locked").succeeds();
    t.weir("verify").succeeds();
}

// ---- Odd places

#[test]
fn a_project_and_a_store_may_be_anywhere() {
    let t = greeting();
    for name in ["a\tb", "a\nb", "a b", "a:b", "ü", "a'b\"c"] {
        t.write(format!("{name}/weir.toml"), t.read("app/weir.toml"));
        let store = t.path(format!("store {name}")).display().to_string();
        let variables = [("WEIR_STORE", store.as_str())];
        t.weir_with(name, "add acme/greet", &variables).succeeds();
        let again = t.weir_with(name, "install", &variables).succeeds();
        assert!(again.stdout.contains("Nothing to do"), "{name:?}: {again}");
        t.weir_with(name, "run greet", &variables).succeeds();
        t.weir_with(name, "store verify", &variables).succeeds();
    }
}

// ---- A store that lost files

#[test]
fn a_tree_that_lost_its_files_is_noticed_and_fetched_again() {
    let t = installed();
    let file =
        fs_err::canonicalize(t.path("app/weir_packages/packages/acme/greet/greet")).expect("it is installed");
    let folder = file.parent().expect("it is in a folder").to_owned();
    let writable = || {
        let made = std::process::Command::new("chmod").arg("u+w").arg(&folder).status();
        assert!(made.expect("there is `chmod`").success());
    };
    writable();
    for entry in fs_err::read_dir(&folder).expect("it is there") {
        fs_err::remove_file(entry.expect("it can be read").path()).expect("it can be removed");
    }
    t.weir("install --locked").succeeds();
    assert_eq!(t.weir("run greet").succeeds().stdout, "Hello, world\n");
    // One file of many, where there is something to do anyway.
    writable();
    fs_err::remove_file(&file).expect("it was fetched again");
    t.weir("add acme/str").succeeds();
    assert_eq!(t.weir("run greet").succeeds().stdout, "Hello, world\n");
}

#[test]
fn a_line_that_nobody_can_read_is_cut_where_it_is_told() {
    let long = "x".repeat(1_000_000);
    for (manifest, lock) in [
        (format!("a = \"{long}\" !\n"), String::new()),
        (format!("{long} = 1\n"), String::new()),
        (format!("[dependencies]\n\"acme/{long}\" = \"^1\"\n"), String::new()),
        (format!("[dependencies]\n\"acme/str\" = \"{long}\"\n"), String::new()),
        (format!("[package]\nlicense = \"{long}\"\n"), String::new()),
        (format!("[package]\nkind = \"{long}\"\n"), String::new()),
        (format!("[scripts]\na = [\"{long}\"]\n"), String::new()),
        (String::new(), format!("version = 1\n{long} = 2\n")),
        (String::new(), format!("version = 1\ndirect = [\"{long} 1.0.0\"]\n")),
        (
            String::new(),
            format!("version = 1\n[[reference]]\nname = \"a b{long}\"\nsha256 = \"{long}\"\nsize = 1\n"),
        ),
    ] {
        let t = greeting();
        t.write("app/weir.toml", &manifest);
        if !lock.is_empty() {
            t.write("app/weir.lock", &lock);
        }
        for typed in ["install", "--json install", "lock", "tree", "publish --dry-run"] {
            let run = t.weir(typed);
            let told = run.stdout.len() + run.stderr.len();
            assert!(
                told < 5_000,
                "{typed}: {told} bytes are told of {} …",
                &manifest[..manifest.len().min(40)]
            );
        }
    }
}

#[test]
fn what_is_written_at_a_name_in_a_clone_is_not_led_outside() {
    let t = clone();
    t.write("app/package/weir.toml", "[package]\nname = \"acme/new\"\nversion = \"1.0.0\"\n");
    t.write("app/script", "#!/bin/bash\n");
    t.weir("install").succeeds();
    link(&t, "app/out");
    link_to(&t, "app/deep/out", "precious/sub");
    for typed in [
        "pack package --out out/new",
        "pack package --out deep/out/new",
        "pack package --out ./deep/../out/new",
        "bash bundle script -o out/new",
        "init out",
        "-C out init",
        "init out/further",
    ] {
        let refused = t.weir(typed).fails_with(4);
        assert!(refused.stderr.contains("is a link"), "{refused}");
    }
    let mut there = fs_err::read_dir(t.path(PRECIOUS)).expect("it stays");
    assert!(there.all(|entry| {
        ["file", "sub"].iter().any(|name| entry.as_ref().expect("it is read").file_name() == *name)
    }));
    // What is meant to be elsewhere is.
    t.weir("pack package --out ../new").succeeds();
}

// ---- Private files

/// The files that the store of the sandbox holds for references, each with its mode.
fn kept_files(t: &Sandbox) -> Vec<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let folders = fs_err::read_dir(t.path("home/weir/store/file")).into_iter().flatten();
    let files = folders
        .flat_map(|folder| fs_err::read_dir(folder.expect("it can be read").path()).expect("a folder"));
    files
        .map(|file| {
            file.expect("it can be read").metadata().expect("it is there").permissions().mode() & 0o777
        })
        .collect()
}

fn is_private(t: &Sandbox, path: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::set_permissions(t.path(path), std::fs::Permissions::from_mode(0o600)).expect("it is ours");
}

/// What is in a private repository is its user's, wherever a clone says that it wants it from.
#[test]
fn a_repository_of_this_machine_is_taken_by_its_commit_or_because_its_user_says_so() {
    let t = crate::empty();
    t.write("private/weir.toml", "[package]\nname = \"acme/private\"\nversion = \"1.0.0\"\n");
    t.write("private/secret", "secret");
    let script = "git init -q . && git add -A && git -c user.name=a -c user.email=a@b commit -q -m x && git tag v1.0.0 \
                  && git config uploadpack.allowAnySHA1InWant true && git rev-parse HEAD";
    let git = std::process::Command::new("sh").args(["-c", script]).current_dir(t.path("private")).output();
    let commit = String::from_utf8(git.expect("git is everywhere").stdout).expect("a commit is digits");
    let asks =
        |url: &str, more: &str| format!("[dependencies]\n\"acme/private\" = {{ git = \"{url}\", {more} }}\n");
    let repository = t.path("private").display().to_string();
    let spelt = repository.replacen("private", "priv%61te", 1);
    symlink(&repository, t.path("app/near")).expect("the sandbox can be written");
    for url in
        ["../private", "near", &repository, &format!("file://{repository}"), &format!("file://{spelt}")]
    {
        t.write("app/weir.toml", asks(url, "tag = \"v1.0.0\""));
        for command in ["install", "lock", "update", "add acme/other"] {
            let run = t.weir(command).fails_with(4);
            assert!(run.stderr.contains("from a repository of this machine"), "{run}");
            assert!(run.stderr.contains(&format!("weir add acme/private --git {url} --tag v1.0.0")), "{run}");
        }
    }
    assert!(!t.path("app/weir.lock").exists());
    let kept = std::process::Command::new("grep").args(["-rq", "secret"]).arg(t.path("home")).status();
    assert!(!kept.expect("grep is everywhere").success(), "nothing was copied");

    // Whoever names it has said so, for this project; so has who trusts the folder, and who knows the commit has what is in it.
    t.write("app/weir.toml", "");
    t.weir("add acme/private --git ../private --tag v1.0.0").succeeds();
    t.write("app/weir.toml", asks("../private", "tag = \"v1.0.0\""));
    t.weir("install").succeeds();
    t.write("other/weir.toml", asks("../private", "tag = \"v1.0.0\""));
    t.weir_in("other", "install").fails_with(4);
    let trusted = t.path("other").display().to_string();
    t.weir_with("other", "install", &[("WEIR_TRUSTED_FOLDERS", &trusted)]).succeeds();
    t.write(
        "third/weir.toml",
        asks("../private", &format!("tag = \"{}\", range = \"=1.0.0\"", commit.trim())),
    );
    t.weir_in("third", "install").succeeds();
}

/// Its digest is known to nobody who has not got it, so a manifest with the digest asks for nothing that its author has not.
#[test]
fn a_file_outside_of_a_project_is_taken_by_its_digest_or_because_its_user_says_so() {
    let t = crate::empty();
    t.write(format!("{PRECIOUS}/key"), "secret");
    is_private(&t, &format!("{PRECIOUS}/key"));
    let reference = |url: &str| format!("[references]\nkey = {{ url = \"{url}\", fluid = true }}\n");

    // By its path, or by a link that came with the clone.
    t.write("app/weir.toml", reference("../precious/key"));
    let run = t.weir("install").fails_with(4);
    assert!(run.stderr.contains("names a file outside of") && run.stderr.contains("precious/key"), "{run}");
    assert!(run.stderr.contains("`weir add --reference key ../precious/key --fluid`"), "{run}");
    t.write("other/weir.toml", reference("data"));
    link_to(&t, "other/data", &format!("{PRECIOUS}/key"));
    t.weir_in("other", "install").fails_with(4);
    assert_eq!(kept_files(&t), [0; 0], "nothing was copied");
    assert!(!t.path("app/weir.lock").exists());

    // Whoever names it has said so, for this project; and what is kept of it is as private as it is.
    t.weir("add --reference key ../precious/key --fluid").succeeds();
    assert_eq!(t.read("app/weir_packages/references/key"), "secret");
    assert_eq!(kept_files(&t), [0o400]);
    t.write(format!("{PRECIOUS}/key"), "newer");
    t.weir("update").succeeds();
    assert_eq!(t.read("app/weir_packages/references/key"), "newer");
    t.weir_in("other", "update").fails_with(4);

    // So has who trusts the folder.
    let trusted = t.path("other").display().to_string();
    t.weir_with("other", "install", &[("WEIR_TRUSTED_FOLDERS", &trusted)]).succeeds();
    assert_eq!(t.read("other/weir_packages/references/key"), "newer");

    // What is in the project, and what has its digest in the manifest, needs nobody's word.
    t.write("third/data", "here");
    t.write("third/weir.toml", reference("data"));
    t.weir_in("third", "install").succeeds();
    let sha256 = weir_model::Sha256::of("public");
    t.write("shared/data", "public");
    let fixed = |url: &str| format!("[references]\nx = {{ url = \"{url}\", sha256 = \"{sha256}\" }}\n");
    t.write("fourth/weir.toml", fixed("../shared/data"));
    t.weir_in("fourth", "install").succeeds();
    // Other bytes than those are not kept.
    let before = kept_files(&t).len();
    t.write(
        "fifth/weir.toml",
        fixed("../precious/file")
            .replace("public", "other")
            .replace(&sha256.to_string(), &weir_model::Sha256::of("unknown").to_string()),
    );
    t.write(format!("{PRECIOUS}/file"), "precious");
    t.weir_in("fifth", "install").fails_with(6);
    assert_eq!(kept_files(&t).len(), before);
}

#[test]
fn the_store_is_its_users_alone_unless_it_was_put_elsewhere() {
    use std::os::unix::fs::PermissionsExt as _;
    let t = crate::installed();
    let mode = |path: &str| t.path(path).metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode("home/weir/store"), 0o700);
    let shared = t.path("shared").display().to_string();
    t.weir_with("app", "install", &[("WEIR_STORE", &shared)]).succeeds();
    assert_ne!(mode("shared") & 0o055, 0);
}
