//! What people do with scripts and packages besides loading them: links to them, mistakes in them, completions.

use std::process::Command;

use weir_testkit::Sandbox;

use crate::{bash, library, sandbox, try_bash};

const HEAD: &str = "#!/usr/bin/env bash\neval \"$(weir bash init)\"\n";

/// A link of `sh`'s, as people make it.
fn link(t: &Sandbox, to: &str, at: &str) {
    let at = t.path(at);
    fs_err::create_dir_all(at.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(to, at).unwrap();
}

#[test]
fn a_script_that_is_run_through_links_finds_the_project_it_really_lies_in() {
    let t = sandbox();
    library(&t, "core", "1.0.0", "core.f() { echo \"core $1\"; }\n").publish();
    t.project(&["acme/core = ^1"]);
    t.weir("install").succeeds();
    t.write("app/bin/tool", format!("{HEAD}weir.load acme/core\ncore.f tool\n"));
    let tool = t.path("app/bin/tool").display().to_string();
    link(&t, &tool, "home/bin/absolute");
    link(&t, "../../app/bin/tool", "home/bin/relative");
    link(&t, "relative", "home/bin/twice");
    link(&t, &t.path("app/bin").display().to_string(), "home/folder");
    link(&t, &t.path("home/bin").display().to_string(), "deep/er/folder");
    for script in [
        "home/bin/absolute",
        "home/bin/relative",
        "home/bin/twice",
        "home/folder/tool",
        "deep/er/folder/relative",
        "deep/er/folder/twice",
    ] {
        assert_eq!(bash(&t, &t.path(script)), "core tool\n", "{script}");
    }
    // Where nobody knows a project, the links on the way to the file count: here it lies outside any.
    t.write("shared/tool", format!("{HEAD}weir.load acme/core\ncore.f shared\n"));
    link(&t, &t.path("shared/tool").display().to_string(), "app/linked");
    assert_eq!(bash(&t, &t.path("app/linked")), "core shared\n");
    let (_, complained, code) = try_bash(&t, &t.path("shared/tool"));
    assert!(code != 0 && complained.contains("no project was found"), "{complained}");
}

#[test]
fn a_command_of_a_package_that_is_run_through_a_link_loads_what_its_package_uses() {
    let t = sandbox();
    library(&t, "core", "1.0.0", "core.f() { echo \"core $1\"; }\n").publish();
    library(&t, "core", "2.0.0", "core.f() { echo \"other $1\"; }\n").publish();
    t.package("acme/tool", "1.0.0")
        .kind("bash")
        .manifest("[bash]\nslug = \"tool\"\nbin = [\"bin\"]\n")
        .program("bin/tool", &format!("{HEAD}weir.load acme/core\ncore.f tool\n"))
        .dependency("acme/core", "^1")
        .publish();
    t.project(&["acme/tool = ^1", "acme/core = ^2"]);
    t.weir("install").succeeds();
    link(&t, &t.path("app/weir_packages/bin/tool").display().to_string(), "home/bin/tool");
    assert_eq!(bash(&t, &t.path("home/bin/tool")), "core tool\n");
}

#[test]
fn where_there_are_no_dependencies_there_is_nothing_to_load_and_no_fault() {
    let t = sandbox();
    t.project(&[]);
    t.write("app/main.bash", format!("{HEAD}weir.load-all\necho loaded\n"));
    t.weir("install").succeeds();
    assert_eq!(bash(&t, &t.path("app/main.bash")), "loaded\n");
    // Before that nobody knows whether there is anything.
    fs_err::remove_dir_all(t.path("app/weir_packages")).unwrap();
    let (_, complained, _) = try_bash(&t, &t.path("app/main.bash"));
    assert!(complained.contains("no project was found"), "{complained}");
}

#[test]
fn a_wish_about_renaming_is_understood_before_there_is_a_package() {
    let t = sandbox();
    t.write("app/weir.toml", "[package]\n[bash]\nrename = \"alll\"\n");
    let run = t.weir("install");
    assert!(run.code != 0 && run.stderr.contains("rename"), "{run}");
}

#[test]
fn names_to_be_kept_that_the_package_does_not_have_are_refused() {
    let t = sandbox();
    let publish = |keep: &str| {
        let folder = t
            .package("acme/t", "1.0.0")
            .kind("bash")
            .manifest(&format!("[bash]\nslug = \"t\"\nsource = [\"src\"]\nkeep = [\"{keep}\"]\n"))
            .file("src/t.sh", "t_cmd_one() { :; }\n")
            .write();
        (
            t.weir_in("", &format!("bash check {folder}")),
            t.weir_in("", &format!("publish --dry-run {folder}")),
        )
    };
    for idle in ["t_not_there", "t_cmd_", "t_cmd_*"] {
        let (checked, published) = publish(idle);
        let told = format!("`keep` names `{idle}`, which stands nowhere in the package's shell files\n");
        assert!(checked.stdout.lines().any(|line| line == told.trim_end()), "{checked}");
        assert!(published.code != 0 && published.stderr.contains(&format!("`{idle}`")), "{published}");
    }
    let (_, published) = publish("t_cmd_one");
    assert_eq!(published.code, 0, "{published}");
}

#[test]
fn what_would_fail_wherever_it_is_used_is_not_published() {
    let t = sandbox();
    let crlf = library(&t, "core", "1.0.0", "core.f() {\r\n\techo it\r\n}\r\n").write();
    let run = t.weir_in("", &format!("publish {crlf}"));
    assert!(run.code != 0 && run.stderr.contains("`src/core.sh`: line 1 ends in CRLF"), "{run}");
    let tool = |manifest: &str| {
        let folder = t
            .package("acme/tool", "1.0.0")
            .kind("bash")
            .manifest(manifest)
            .file("bin/tool", "#!/bin/sh\necho it\n")
            .write();
        t.weir_in("", &format!("publish {folder}"))
    };
    for manifest in ["[bin]\ntool = \"bin/tool\"\n", "[bash]\nbin = [\"bin/tool\"]\n"] {
        let run = tool(manifest);
        assert!(run.code != 0 && run.stderr.contains("chmod +x bin/tool"), "{run}");
    }
}

#[test]
fn completions_are_taken_up_by_the_shell_that_they_are_for() {
    let t = sandbox();
    t.package("acme/tool", "1.0.0")
        .kind("bash")
        .manifest("[bash]\nslug = \"tool\"\ncompletion = [\"completions\"]\n")
        .file("completions/tool.bash", "complete -W 'one two' tool\n")
        .file("completions/tool.fish", "complete -c tool -a one\n")
        .file("completions/_tool", "#compdef tool\n")
        .publish();
    t.project(&["acme/tool = ^1"]);
    let run = t.weir("env --shell bash");
    assert!(!run.stdout.contains("source") && run.stderr.contains("weir install"), "{run}");
    t.weir("install").succeeds();
    let script = "eval \"$1\"; complete -p tool";
    let said = t.weir("env --shell bash").succeeds().stdout;
    let output = Command::new("bash").args(["--norc", "-c", script, "bash", &said]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "complete -W 'one two' tool\n", "{said}");
    let said = t.weir("env --shell fish").stdout;
    assert!(said.contains("source '") && said.contains("tool.fish") && !said.contains("tool.bash"), "{said}");
    let said = t.weir("env --shell zsh").stdout;
    assert!(said.contains("fpath=('") && said.contains("weir_packages/completion' $fpath)"), "{said}");
    assert!(!t.weir("env").stdout.contains("completion"), "sh has no completions");
    // What somebody put there afterwards is nothing to source.
    t.write("app/weir_packages/completion/other.bash", "echo owned\n");
    assert!(!t.weir("env --shell bash").stdout.contains("other.bash"));
}

#[test]
fn a_package_that_begins_where_there_is_code_says_what_is_there_and_adds_nothing() {
    let t = sandbox();
    t.write("jump/lib/jump.bash", "jump.f() { :; }\n");
    t.write("jump/LICENSE", "mine\n");
    let run = t.weir_in("jump", "init --name acme/jump --kind bash");
    assert_eq!(run.code, 0, "{run}");
    let manifest = t.read("jump/weir.toml");
    assert!(manifest.contains("source = [\"lib\"]"), "{manifest}");
    for file in ["src", "tests", "README.md"] {
        assert!(!t.path("jump").join(file).exists(), "{file}");
    }
    let run = t.weir_in("jump", "publish --dry-run");
    assert!(run.code == 0 && !run.stderr.contains("does not have"), "{run}");
}

/// What the manifest of the example names is there, and what cannot be in a package is no reason to begin none.
#[test]
fn a_package_that_begins_beside_something_else_than_code_can_be_packed() {
    let t = sandbox();
    t.write("tool/Makefile", "all:\n");
    t.write("tool/.git/HEAD", "");
    fs_err::create_dir_all(t.path("tool/venv/bin")).unwrap();
    fs_err::os::unix::fs::symlink("/usr/bin/python3", t.path("tool/venv/bin/python")).unwrap();
    let large = fs_err::File::create(t.path("tool/venv/large")).unwrap();
    large.set_len(1 << 40).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(t.path("tool/venv/pipe")).status().unwrap();
    assert!(pipe.success());
    t.weir_in("tool", "init --name acme/tool --kind bash").succeeds();
    assert!(t.read("tool/weir.toml").contains("source = [\"src\"]"));
    assert!(t.path("tool/src").is_dir());
    fs_err::remove_dir_all(t.path("tool/venv")).unwrap();
    t.weir_in("tool", "pack --list").succeeds();

    // Nothing is written where not all can be.
    fs_err::create_dir_all(t.path("new")).unwrap();
    fs_err::os::unix::fs::symlink("elsewhere", t.path("new/.gitignore")).unwrap();
    t.weir_in("new", "init --name acme/new --kind bash").fails_with(4);
    assert_eq!(fs_err::read_dir(t.path("new")).unwrap().count(), 1);
}

#[test]
fn what_bash_would_refuse_wherever_it_is_loaded_is_refused_when_published() {
    let t = sandbox();
    for (table, file, told) in [
        ("", "\u{feff}core.f() { :; }\n", "`src/core.sh` begins with a byte order mark"),
        ("", "c\0o\0r\0e\0", "`src/core.sh` is no text: byte 2 is zero"),
        (
            "options = [\"pipefial\"]\n",
            "core.f() { :; }\n",
            "`options` names `pipefial`, which Bash does not know: did you mean `pipefail`?",
        ),
        (
            "shopt = { exglob = true }\n",
            "core.f() { :; }\n",
            "`shopt` names `exglob`, which Bash does not know: did you mean `extglob`?",
        ),
        (
            "bin = [\"bin/gone\"]\n",
            "core.f() { :; }\n",
            "`bin` names `bin/gone`, which the package does not have",
        ),
    ] {
        t.write("core/src/core.sh", file);
        t.write(
            "core/weir.toml",
            format!("[package]\nname = \"acme/core\"\nversion = \"1.0.0\"\nkind = \"bash\"\n\n[bash]\nslug = \"core\"\nsource = [\"src\"]\n{table}"),
        );
        let run = t.weir_in("core", "publish");
        assert!(run.code != 0 && run.stderr.contains(told), "{run}");
    }
    t.write(
        "core/weir.toml",
        t.read("core/weir.toml").replace("source = [\"src\"]", "source = [\"lib/*.sh\"]"),
    );
    let run = t.weir_in("core", "publish");
    assert!(run.stderr.contains("`source` names `lib/*.sh`, which the package does not have"), "{run}");
}
