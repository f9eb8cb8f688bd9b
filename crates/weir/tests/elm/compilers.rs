//! More than one compiler, and more than one run of it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use weir_testkit::Sandbox;

use crate::{
    BUSY, application, compile_with, compiler, make, package, sandbox, string_package, uses_str, version,
};

const PLAIN: &str =
    "module Next exposing (a)\n\n{-| Next.\n\n@docs a\n\n-}\n\n\n{-| -}\na : Int\na =\n    1\n";

/// A folder with that compiler in it, and a `PATH` on which it comes first.
pub(crate) fn path_with(t: &Sandbox, compiler: &Path) -> String {
    let bin = t.path("bin");
    fs_err::create_dir(&bin).unwrap();
    fs_err::os::unix::fs::symlink(compiler, bin.join("elm")).unwrap();
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

/// A later compiler, with the other dialect of `registry.dat`: `./test` brings it where npm is.
pub(crate) fn later() -> Option<PathBuf> {
    std::env::var_os("WEIR_TEST_ELM_LATER").map(PathBuf::from).filter(|file| file.is_file())
}

#[test]
fn each_compiler_sees_what_was_written_for_it() {
    let t = sandbox();
    package(&t, "next", "1.0.0", &[], PLAIN);
    t.weir_in("", "publish next").succeeds();
    package(&t, "next", "1.1.0", &[], PLAIN);
    t.write("next/elm.json", t.read("next/elm.json").replace("0.19.0 <= v", "0.19.3 <= v"));
    t.weir_in("", "publish next").succeeds();
    for (for_compiler, taken) in [("0.19.1", "1.0.0"), ("0.19.3", "1.1.0")] {
        application(&t, for_compiler);
        let _ = fs_err::remove_file(t.path("app/weir.lock"));
        t.weir("add acme/next").succeeds();
        assert!(
            t.read("app/elm.json").contains(&format!("\"acme/next\": \"{taken}\"")),
            "{}",
            t.read("app/elm.json")
        );
    }
    application(&t, "0.19.1");
    let refused = t.weir("add acme/next@^1.1").fails_with(3);
    assert!(refused.stderr.contains("elm/compiler"), "{refused}");
}

#[test]
fn a_later_compiler_reads_what_is_made_for_it() {
    let Some(later) = later() else { return };
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    application(&t, &version(&later));
    t.weir("add acme/str").succeeds();
    uses_str(&t, "trim", "\"a\"");
    let path = path_with(&t, &later);
    let run = compile_with(&t, "app", "run -- elm make src/Main.elm --output=/dev/null", &[("PATH", &path)]);
    run.succeeds();
    uses_str(&t, "trim", "3");
    let run = compile_with(&t, "app", "run -- elm make src/Main.elm --output=/dev/null", &[("PATH", &path)]);
    assert!(run.stderr.contains("TYPE MISMATCH"), "{run}");
}

#[test]
fn tools_around_the_compiler_find_the_packages_of_the_project_and_keep_their_network() {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    application(&t, &version(&compiler()));
    t.weir("add acme/str").succeeds();
    let run =
        t.weir("run -- sh -c 'ls $ELM_HOME/*/packages/acme/str; echo proxy: $https_proxy; command -v elm'");
    let said: Vec<&str> = run.stdout.lines().collect();
    assert!(matches!(said.as_slice(), ["1.0.0", "proxy:", elm] if elm.contains("/homes/")), "{run}");
}

#[test]
fn two_runs_at_once_do_not_disturb_one_another() {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    application(&t, &version(&compiler()));
    t.weir("add acme/str").succeeds();
    uses_str(&t, "trim", "\"a\"");
    let words: Vec<String> =
        "run -- elm make src/Main.elm --output=/dev/null".split(' ').map(str::to_owned).collect();
    let begin = || {
        t.command("app", &words, &[])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let runs = [begin(), begin(), begin()];
    for run in runs {
        let output = run.wait_with_output().unwrap();
        let run = t.run("run -- elm make src/Main.elm --output=/dev/null", &output);
        // They share the notes of the application, over which the compiler may stumble: its own matter, and not Weir's.
        if run.stderr.contains(BUSY) || run.stderr.contains("Corrupt File: [ROOT]/app/elm-stuff") {
            fs_err::remove_dir_all(t.path("app/elm-stuff")).unwrap();
            make(&t).succeeds();
        } else {
            run.succeeds();
        }
    }
    assert_eq!(homes(&t), 1);
}

#[test]
fn a_changed_view_is_another_folder_and_one_that_was_damaged_is_made_again() {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    application(&t, &version(&compiler()));
    make(&t).succeeds();
    assert_eq!(homes(&t), 1);
    t.weir("add acme/str").succeeds();
    uses_str(&t, "trim", "\"a\"");
    make(&t).succeeds();
    assert_eq!(homes(&t), 2);
    let find = |name: &str| {
        let found =
            Command::new("find").arg(t.path("home/weir/elm/homes")).args(["-name", name]).output().unwrap();
        String::from_utf8(found.stdout).unwrap().lines().map(PathBuf::from).collect::<Vec<_>>()
    };
    for registry in find("registry.dat") {
        fs_err::write(registry, "broken").unwrap();
    }
    make(&t).succeeds();
    for registry in find("registry.dat") {
        let whole = fs_err::read(&registry).unwrap();
        fs_err::write(registry, &whole[..whole.len() / 2]).unwrap();
    }
    make(&t).succeeds();
    for package in find("str") {
        fs_err::remove_dir_all(package).unwrap();
    }
    make(&t).succeeds();
    for artifacts in find("artifacts.dat") {
        fs_err::write(artifacts, "half").unwrap();
    }
    fs_err::remove_dir_all(t.path("app/elm-stuff")).unwrap();
    make(&t).succeeds();
    // As a machine leaves it that stopped before its disk had everything.
    for module in find("Str.elm") {
        fs_err::write(module, "").unwrap();
    }
    for artifacts in find("artifacts.dat") {
        fs_err::remove_file(artifacts).unwrap();
    }
    fs_err::remove_dir_all(t.path("app/elm-stuff")).unwrap();
    make(&t).succeeds();
}

#[test]
fn what_a_compiler_left_that_died_half_way_is_in_nobodys_way() {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    application(&t, &version(&compiler()));
    t.weir("add acme/str").succeeds();
    uses_str(&t, "trim", "\"a\"");
    make(&t).succeeds();
    let left = Command::new("find").arg(t.path("app/elm-stuff")).args(["-type", "f"]).output().unwrap();
    let left: Vec<PathBuf> = String::from_utf8(left.stdout).unwrap().lines().map(PathBuf::from).collect();
    assert!(left.iter().any(|file| file.ends_with("d.dat")), "{left:?}");
    for file in left {
        let whole = fs_err::read(&file).unwrap();
        fs_err::write(file, &whole[..whole.len() / 2]).unwrap();
    }
    make(&t).succeeds();

    // One that dies while it installs: what it left of `elm.json` is its own, and nothing of Weir's follows it.
    let (elm_json, lock) = (t.read("app/elm.json"), t.read("app/weir.lock"));
    let script = "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 0.19.1; exit; fi\nprintf '{ \"type\": \"appl' >elm.json\nkill -9 $$\n";
    t.write("dying/elm", script);
    fs_err::set_permissions(t.path("dying/elm"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", t.path("dying").display(), std::env::var("PATH").unwrap());
    let run = t.weir_with("app", "run -- elm install acme/str", &[("PATH", &path)]);
    assert!(run.code != 0, "{run}");
    assert_eq!(t.read("app/weir.lock"), lock);
    let told = t.weir("install");
    assert!(told.code != 0 && told.stderr.contains("elm.json"), "{told}");
    t.write("app/elm.json", elm_json);
    t.weir("install --locked").succeeds();
    make(&t).succeeds();
}

#[test]
fn an_application_for_another_compiler_is_told_so_in_the_compilers_own_words() {
    let t = sandbox();
    application(&t, "0.19.0");
    let refused = make(&t).fails_with(1);
    let here = version(&compiler());
    assert!(refused.stderr.contains("ELM VERSION") && refused.stderr.contains(&here), "{refused}");
}

/// How many folders were made for compilers.
fn homes(t: &Sandbox) -> usize {
    let entries = fs_err::read_dir(t.path("home/weir/elm/homes")).unwrap();
    entries.filter(|entry| !entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.')).count()
}

#[test]
fn a_compiler_that_is_none_is_told_as_such() {
    let t = sandbox();
    application(&t, "0.19.1");
    t.weir("install").succeeds();
    t.write("bin/elm", "#!/bin/sh\nprintf '../../evil\\033[2J'\n");
    fs_err::set_permissions(t.path("bin/elm"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", t.path("bin").display());
    let run = t.weir_with("app", "run -- elm make", &[("PATH", &path)]).fails_with(2);
    assert!(run.stderr.contains("no version of Elm's compiler"), "{run}");
    t.write("bin/elm", "#!/bin/sh\nsleep 60 &\nwait\n");
    let run = t.weir_with("app", "run -- elm make", &[("PATH", &path)]).fails_with(2);
    assert!(run.stderr.contains("did not end within 10 seconds"), "{run}");
}

#[test]
fn a_compiler_that_npm_brought_for_the_project_is_the_one_that_is_meant() {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    application(&t, &version(&compiler()));
    // As npm lays it out, in a repository with the application in a folder of it; nothing of the kind is on the `PATH`.
    let bin = t.path("node_modules/.bin");
    fs_err::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(compiler(), bin.join("elm")).unwrap();
    let path = t.path("without");
    fs_err::create_dir(&path).unwrap();
    for program in ["sh", "env"] {
        std::os::unix::fs::symlink(format!("/bin/{program}"), path.join(program)).unwrap();
    }
    let variables = [("PATH", path.to_str().unwrap())];
    let run = |typed: &str| crate::compile_with(&t, "app", typed, &variables);
    run("run -- elm make src/Main.elm --output=/dev/null").succeeds();
    // `npx` finds the same one, and is not needed for that: what it would start asks the public registry.
    run("run -- npx elm make src/Main.elm --output=/dev/null").succeeds();
    t.weir_fed("app", "run -- npx elm install acme/str", "y\n").succeeds();
    assert!(crate::manifest(&t).contains(r#""acme/str":"1.0.0""#), "{}", t.read("app/elm.json"));
    uses_str(&t, "trim", "1");
    let mistaken = run("run -- npx elm make src/Main.elm --output=/dev/null");
    assert!(mistaken.stderr.contains("TYPE MISMATCH"), "{mistaken}");
    // And it documents what is published.
    let published = t.weir_with("", "publish str --dry-run --json", &variables);
    assert!(!published.stderr.contains("no `elm`"), "{published}");
    // pnpm puts a script there that starts it.
    fs_err::remove_file(bin.join("elm")).unwrap();
    t.write("node_modules/.bin/elm", "#!/bin/sh\nexec \"$(dirname \"$0\")/../elm/bin/elm\" \"$@\"\n");
    fs_err::set_permissions(bin.join("elm"), std::fs::Permissions::from_mode(0o755)).unwrap();
    fs_err::create_dir_all(t.path("node_modules/elm/bin")).unwrap();
    std::os::unix::fs::symlink(compiler(), t.path("node_modules/elm/bin/elm")).unwrap();
    std::os::unix::fs::symlink("/usr/bin/dirname", path.join("dirname")).unwrap();
    std::os::unix::fs::symlink("/usr/bin/bwrap", path.join("bwrap")).unwrap();
    t.write("str/src/Str.elm", t.read("str/src/Str.elm").replace("    text\n", "    1\n"));
    let refused = t.weir_with("", "publish str --dry-run", &variables);
    assert!(refused.code != 0 && refused.stderr.contains("TYPE MISMATCH"), "{refused}");
    fs_err::remove_file(bin.join("elm")).unwrap();
    let missing = run("run -- elm make src/Main.elm");
    assert!(missing.code == 5 && missing.stderr.contains("there is no command `elm`"), "{missing}");
}
