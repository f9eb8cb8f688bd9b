//! Programs around the compiler, as their users have them: `./test` brings them where npm is, into `WEIR_TEST_ELM_TOOLS`.
//!
//! Real packages are nobody's to commit. Where a folder of them is named by `WEIR_TEST_ELM_PACKAGES`, as the compiler keeps them
//! (`author/project/version`), what is run on stubs here is run on those, too.

use std::path::{Path, PathBuf};
use std::process::Command;

use weir_testkit::Sandbox;

use crate::{
    application, compile, compiler, copy, manifest, package, sandbox, string_package, uses_str, version,
};

/// Says what is not tried, and why.
#[expect(clippy::print_stderr, reason = "whoever runs tests is to know what was not tried")]
pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

/// A folder of `node_modules`, with the tools in it; or nothing, and it is said that they are not tried.
fn tools() -> Option<PathBuf> {
    let tools = std::env::var_os("WEIR_TEST_ELM_TOOLS").map(PathBuf::from).filter(|folder| folder.is_dir());
    if tools.is_none() {
        skipped(
            "`WEIR_TEST_ELM_TOOLS` names no folder with the tools of Elm; `./test` brings them where npm is",
        );
    }
    tools
}

/// Runs a command with the folder of a tool on the `PATH`.
fn with(t: &Sandbox, folder: &str, tool: &Path, typed: &str) -> weir_testkit::Run {
    let path = format!("{}:{}", tool.display(), std::env::var("PATH").unwrap());
    crate::compile_with(t, folder, typed, &[("PATH", &path)])
}

/// An application that uses `acme/str`.
fn with_str() -> Sandbox {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    application(&t, &version(&compiler()));
    t.weir("add acme/str").succeeds();
    uses_str(&t, "trim", "\"a\"");
    t
}

#[test]
fn elm_repl_knows_the_packages_of_the_project() {
    let t = with_str();
    let repl = |line: &str| {
        let words = ["run", "--", "elm", "repl", "--no-colors"].map(str::to_owned);
        let mut command = t.command("app", &words, &[("TERM", "dumb")]);
        let mut run = command
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let lines = format!("import Str\n{line}\n:exit\n");
        std::io::Write::write_all(&mut run.stdin.take().unwrap(), lines.as_bytes()).unwrap();
        t.run(line, &run.wait_with_output().unwrap())
    };
    let mistaken = repl("Str.trim 3");
    let said = format!("{}{}", mistaken.stdout, mistaken.stderr);
    assert!(said.contains("TYPE MISMATCH") && said.contains("trim"), "{mistaken}");
    let unknown = repl("Str.nothing");
    let said = format!("{}{}", unknown.stdout, unknown.stderr);
    assert!(said.contains("NAMING ERROR") && said.contains("Str"), "{unknown}");
}

#[test]
fn elm_reactor_compiles_with_the_packages_of_the_project() {
    let t = with_str();
    uses_str(&t, "trim", "3");
    t.write(
        "look.py",
        r#"
import subprocess, sys, time, urllib.request
run = subprocess.Popen([sys.argv[1], "run", "--", "elm", "reactor", "--port", "8123"], stdout=subprocess.DEVNULL)
try:
    for _ in range(300):
        try:
            print(urllib.request.urlopen("http://127.0.0.1:8123/src/Main.elm", timeout=60).read().decode())
            break
        except OSError:
            time.sleep(0.1)
finally:
    run.kill()
"#,
    );
    // It listens for the whole network: so in one of its own.
    let look = t.path("look.py").display().to_string();
    let words = [
        "--dev-bind",
        "/",
        "/",
        "--unshare-net",
        "--die-with-parent",
        "python3",
        &look,
        env!("CARGO_BIN_EXE_weir"),
    ];
    let mut command = Command::new("bwrap");
    let run = t.command("app", &[], &[]);
    command
        .args(words)
        .current_dir(t.path("app"))
        .envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let run = t.run("elm reactor", &command.output().unwrap());
    assert!(run.stdout.contains("TYPE MISMATCH") && run.stdout.contains("trim"), "{run}");
}

#[test]
fn elm_json_works_with_the_registries_of_the_project() {
    let Some(tools) = tools() else { return };
    let tool = tools.join("@lydell/elm-json-linux-x64");
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    string_package(&t, "1.1.0", "trim");
    application(&t, &version(&compiler()));
    let run = with(&t, "app", &tool, "run -- elm-json install acme/str@1.0.0 --yes").succeeds();
    assert!(manifest(&t).contains(r#""acme/str":"1.0.0""#), "{run}");
    assert!(t.read("app/weir.lock").contains("acme/str"), "Weir's lockfile follows");
    let tree = with(&t, "app", &tool, "run -- elm-json tree").succeeds();
    assert!(tree.stdout.contains("acme/str"), "{tree}");
    // What came since is seen at once.
    string_package(&t, "1.2.0", "trim");
    let run = with(&t, "app", &tool, "run -- elm-json upgrade --yes").succeeds();
    assert!(manifest(&t).contains(r#""acme/str":"1.2.0""#), "{run}");
    let run = with(&t, "app", &tool, "run -- elm-json uninstall acme/str --yes").succeeds();
    assert!(!manifest(&t).contains("acme/str") && !t.read("app/weir.lock").contains("acme/str"), "{run}");
}

#[test]
fn elm_format_is_run_as_any_program() {
    let Some(tools) = tools() else { return };
    let tool = tools.join("@avh4/elm-format-linux-x64");
    let t = with_str();
    with(&t, "app", &tool, "run -- elm-format --validate src").succeeds();
    let module = t.read("app/src/Main.elm");
    t.write("app/src/Main.elm", module.replace("    Str.trim", "  Str.trim"));
    let run = with(&t, "app", &tool, "run -- elm-format --validate src");
    assert!(run.code != 0, "{run}");
    with(&t, "app", &tool, "run -- elm-format --yes src").succeeds();
    assert_eq!(t.read("app/src/Main.elm"), module);
}

/// A stub of a package of `owner`, published.
fn stub(t: &Sandbox, owner: &str, name: &str, at: &str, dependencies: &[(&str, &str)], module: &str) {
    package(t, name, at, dependencies, module);
    let ours = format!("acme/{name}");
    t.write(
        format!("{name}/elm.json"),
        t.read(format!("{name}/elm.json")).replace(&ours, &format!("{owner}/{name}")),
    );
    t.weir_in("", &format!("publish {name}")).succeeds();
}

#[test]
fn elm_test_finds_all_that_it_needs_without_a_network() {
    let Some(tools) = tools() else { return };
    let tool = tools.join(".bin");
    let t = with_str();
    let empty = |name: &str| {
        format!(
            "module {name} exposing (nothing)\n\n{{-| Nothing.\n\n@docs nothing\n\n-}}\n\n\n{{-| -}}\nnothing : Int\nnothing =\n    0\n"
        )
    };
    stub(&t, "elm", "time", "1.0.0", &[], &empty("Time"));
    stub(&t, "elm", "random", "1.0.0", &[("elm/time", "1.0.0 <= v < 2.0.0")], &empty("Random"));
    let needs = [("elm/random", "1.0.0 <= v < 2.0.0"), ("elm/json", "1.1.0 <= v < 2.0.0")];
    let module = "module Test exposing (Test, test)\n\n{-| Tests.\n\n@docs Test, test\n\n-}\n\n\n{-| -}\ntype Test\n    = Test String\n\n\n{-| -}\ntest : String -> (() -> Bool) -> Test\ntest name _ =\n    Test name\n";
    stub(&t, "elm-explorations", "test", "2.2.0", &needs, module);
    t.weir("add --dev elm-explorations/test").succeeds();
    let tests = |given: &str| {
        t.write(
            "app/tests/StrTest.elm",
            format!("module StrTest exposing (suite)\n\nimport Str\nimport Test exposing (Test)\n\n\nsuite : Test\nsuite =\n    Test.test \"it trims\" (\\_ -> same (Str.trim {given}))\n\n\nsame : String -> Bool\nsame _ =\n    True\n"),
        );
        with(&t, "app", &tool, "run -- elm-test")
    };
    // The stub cannot be run, but all of it is found: the compiler gets as far as a test with a mistake in it.
    let run = tests("3");
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(run.code != 0 && said.contains("TYPE MISMATCH") && said.contains("StrTest.elm"), "{run}");
    assert!(!said.contains("package.elm-lang.org"), "nobody was asked: {run}");
}

/// The folder with a tool, if that was brought; or nothing, and it is said that it is not tried.
fn tool(name: &str) -> Option<PathBuf> {
    let folder = tools()?.join(name);
    if !folder.is_dir() {
        skipped(&format!("`WEIR_TEST_ELM_TOOLS` has no `{name}`"));
        return None;
    }
    Some(folder)
}

/// The same, of one whose program npm links.
fn linked(name: &str) -> Option<PathBuf> {
    Some(tool(name)?.parent().unwrap().join(".bin"))
}

#[test]
fn elm_test_rs_finds_all_that_it_needs_without_a_network() {
    let Some(tool) = tool("@mattpiz/elm-test-rs-linux-x64") else { return };
    let t = with_str();
    let empty = |name: &str| {
        format!(
            "module {name} exposing (nothing)\n\n{{-| Nothing.\n\n@docs nothing\n\n-}}\n\n\n{{-| -}}\nnothing : Int\nnothing =\n    0\n"
        )
    };
    let json = ("elm/json", "1.0.0 <= v < 2.0.0");
    stub(&t, "elm", "random", "1.0.0", &[json], &empty("Random"));
    stub(&t, "elm-explorations", "test", "2.0.0", &[json], &empty("Test"));
    // Exactly the one that it wants, whatever the application has.
    stub(&t, "mpizenberg", "elm-test-runner", "6.0.1", &[json], &empty("ElmTestRunner"));
    t.weir("add --dev elm-explorations/test mpizenberg/elm-test-runner elm/random").succeeds();
    t.write(
        "app/tests/StrTest.elm",
        "module StrTest exposing (suite)\n\nimport Str\n\n\nsuite : String\nsuite =\n    Str.trim 3\n",
    );
    let run = with(&t, "app", &tool, "run -- elm-test-rs --offline");
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(run.code != 0 && said.contains("TYPE MISMATCH") && said.contains("StrTest.elm"), "{run}");
}

#[test]
fn elm_watch_compiles_with_the_packages_of_the_project() {
    let Some(tool) = linked("elm-watch") else { return };
    let t = with_str();
    t.write(
        "app/elm-watch.json",
        r#"{ "targets": { "main": { "inputs": ["src/Main.elm"], "output": "main.js" } } }"#,
    );
    uses_str(&t, "trim", "3");
    let run = with(&t, "app", &tool, "run -- elm-watch make");
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(run.code != 0 && said.contains("TYPE MISMATCH") && said.contains("trim"), "{run}");
    assert!(!said.contains("package.elm-lang.org"), "nobody was asked: {run}");
}

#[test]
fn elm_doc_preview_makes_the_documentation_of_a_package_that_uses_private_ones() {
    let Some(tool) = linked("elm-doc-preview") else { return };
    let t = with_str();
    package(
        &t,
        "loud",
        "1.0.0",
        &[("acme/str", "1.0.0 <= v < 2.0.0")],
        "module Loud exposing (loud)\n\n{-| Loud.\n\n@docs loud\n\n-}\n\nimport Str\n\n\n{-| It is loud. -}\nloud : String -> String\nloud =\n    Str.trim\n",
    );
    with(&t, "loud", &tool, "run -- elm-doc-preview --output made.json").succeeds();
    assert!(t.read("loud/made.json").contains("It is loud."));
}

/// A package that is somebody's: its name, its version and where it is.
type Real = (String, String, PathBuf);

/// A registry with the real packages in it, in the order in which each finds what it needs; or nothing, and it is said that it is not tried.
fn real_packages() -> Option<(Sandbox, Vec<Real>)> {
    let Some(folder) =
        std::env::var_os("WEIR_TEST_ELM_PACKAGES").map(PathBuf::from).filter(|folder| folder.is_dir())
    else {
        skipped("`WEIR_TEST_ELM_PACKAGES` names no folder of Elm's own packages");
        return None;
    };
    let below = |folder: &Path| {
        let mut found: Vec<PathBuf> =
            fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        found.sort();
        found
    };
    let last = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut packages = Vec::new();
    for owner in below(&folder) {
        for name in below(&owner) {
            for at in below(&name) {
                packages.push((format!("{}/{}", last(&owner), last(&name)), last(&at), at));
            }
        }
    }
    let t = Sandbox::new(env!("CARGO_BIN_EXE_weir"));
    t.registry("org");
    let folders: Vec<String> = packages.iter().map(|(_, _, folder)| folder.display().to_string()).collect();
    t.weir_in("", &format!("publish {}", folders.join(" "))).succeeds();
    Some((t, packages))
}

#[test]
fn real_packages_compile_to_the_same_javascript_as_with_a_home_that_was_filled_by_hand() {
    let Some((t, packages)) = real_packages() else { return };
    let here = version(&compiler());
    application(&t, &here);
    t.write("app/elm.json", t.read("app/elm.json").replace("1.1.3", at(&packages, "elm/json")));
    t.weir("add elm/browser elm/html").succeeds();
    t.write(
        "app/src/Main.elm",
        "module Main exposing (main)\n\nimport Browser\nimport Html\nimport Html.Events\n\n\nmain : Program () Int Int\nmain =\n    Browser.sandbox { init = 0, update = (+), view = \\n -> Html.button [ Html.Events.onClick 1 ] [ Html.text (String.fromInt n) ] }\n",
    );
    for how in ["", " --optimize", " --debug"] {
        compile(&t, "app", &format!("run -- elm make src/Main.elm{how} --output=ours.js")).succeeds();
        fs_err::remove_dir_all(t.path("app/elm-stuff")).unwrap();
        plain_home(&t, &packages, &here);
        let mut words = vec!["make", "src/Main.elm", "--output=theirs.js"];
        words.extend(how.split_whitespace());
        let run = Command::new(compiler())
            .args(words)
            .current_dir(t.path("app"))
            .env("ELM_HOME", t.path("plain"))
            .env("https_proxy", "http://1")
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        fs_err::remove_dir_all(t.path("app/elm-stuff")).unwrap();
        let (ours, theirs) = (t.read("app/ours.js"), t.read("app/theirs.js"));
        assert!(ours.len() > 10_000 && ours == theirs, "{how}: {} and {} bytes", ours.len(), theirs.len());
    }
}

/// A home of the compiler in the folder `plain`, with a list of packages that another program wrote.
fn plain_home(t: &Sandbox, packages: &[Real], compiler: &str) {
    let place = t.path(format!("plain/{compiler}/packages"));
    for (name, at, from) in packages {
        copy(from, &place.join(name).join(at));
    }
    let script = "
import struct, sys
packages = {}
for word in sys.argv[2:]:
    name, version = word.split('@')
    packages.setdefault(tuple(name.split('/')), []).append(tuple(map(int, version.split('.'))))
count = sum(map(len, packages.values()))
data = struct.pack('>qq', count, len(packages))
for (author, project), versions in sorted(packages.items()):
    versions.sort(reverse=True)
    data += bytes([len(author)]) + author.encode() + bytes([len(project)]) + project.encode()
    data += bytes(versions[0]) + struct.pack('>q', len(versions) - 1) + b''.join(map(bytes, versions[1:]))
open(sys.argv[1], 'wb').write(data)";
    let words = packages.iter().map(|(name, at, _)| format!("{name}@{at}"));
    let run =
        Command::new("python3").args(["-c", script]).arg(place.join("registry.dat")).args(words).status();
    assert!(run.unwrap().success());
}

#[test]
fn elm_test_runs_a_suite_on_real_packages() {
    let (Some(tools), Some((t, packages))) = (tools(), real_packages()) else { return };
    if !packages.iter().any(|(name, ..)| name == "elm-explorations/test") {
        skipped("elm-explorations/test is not among the packages");
        return;
    }
    application(&t, &version(&compiler()));
    t.write("app/elm.json", t.read("app/elm.json").replace("1.1.3", at(&packages, "elm/json")));
    t.weir("add --dev elm-explorations/test").succeeds();
    let suite = |sum: u8| {
        t.write(
            "app/tests/SumTest.elm",
            format!("module SumTest exposing (suite)\n\nimport Expect\nimport Main\nimport Test exposing (Test)\n\n\nsuite : Test\nsuite =\n    Test.test \"a sum\" (\\_ -> Expect.equal {sum} (Main.one + 1))\n"),
        );
        with(&t, "app", &tools.join(".bin"), "run -- elm-test")
    };
    let run = suite(2).succeeds();
    assert!(run.stdout.contains("TEST RUN PASSED"), "{run}");
    let run = suite(3);
    assert!(run.code != 0 && run.stdout.contains("TEST RUN FAILED"), "{run}");
}

#[test]
fn elm_review_finds_the_packages_of_its_rules_and_what_those_of_the_project_offer() {
    let (Some(tools), Some((t, packages))) = (tools(), real_packages()) else { return };
    if !packages.iter().any(|(name, ..)| name == "jfmengels/elm-review") {
        skipped("jfmengels/elm-review is not among the packages");
        return;
    }
    let here = version(&compiler());
    application(&t, &here);
    t.write("app/elm.json", t.read("app/elm.json").replace("1.1.3", at(&packages, "elm/json")));
    t.weir("add elm/html").succeeds();
    t.write("app/review/elm.json", t.read("app/elm.json"));
    t.write(
        "app/review/src/ReviewConfig.elm",
        "module ReviewConfig exposing (config)\n\nimport Elm.Syntax.Module exposing (Module)\nimport Elm.Syntax.Node as Node exposing (Node)\nimport Review.Rule as Rule exposing (Rule)\n\n\nconfig : List Rule\nconfig =\n    [ Rule.newModuleRuleSchema \"NoModules\" ()\n        |> Rule.withSimpleModuleDefinitionVisitor visit\n        |> Rule.fromModuleRuleSchema\n    ]\n\n\nvisit : Node Module -> List (Rule.Error {})\nvisit node =\n    [ Rule.error { message = \"There is a module\", details = [ \"It is a test.\" ] } (Node.range node) ]\n",
    );
    t.weir_in("app/review", "add jfmengels/elm-review stil4m/elm-syntax elm/project-metadata-utils")
        .succeeds();
    let run = with(&t, "app", &tools.join(".bin"), "run -- elm-review");
    assert!(run.code == 1 && run.stdout.contains("There is a module"), "{run}");
    assert!(!format!("{}{}", run.stdout, run.stderr).contains("connect to the Internet"), "{run}");
}

/// The version of a package.
fn at<'p>(packages: &'p [Real], name: &str) -> &'p str {
    &packages.iter().find(|(one, ..)| one == name).unwrap().1
}
