//! `weir init --kind bash`, `weir test`, `weir bash check`, `weir bash bundle`, packages of others.

use std::process::Command;

use crate::{bash, library, sandbox, try_bash, two_cores};

#[test]
fn a_new_package_passes_shellcheck_and_its_test_and_can_be_published() {
    let t = sandbox();
    t.weir_in("", "init greet-me --name acme/greet-me --kind bash").succeeds();
    let files = ["src/greet-me.sh", "tests/greet-me.bats"];
    let checked = Command::new("shellcheck").args(files).current_dir(t.path("greet-me")).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    let run = t.weir_in("greet-me", "test");
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("ok 2"), "{run}");
    let run = t.weir_in("greet-me", "bash check");
    assert_eq!(run.code, 0, "{run}");
    t.weir_in("greet-me", "publish").succeeds();
    t.project(&["acme/greet-me = ^0.1"]);
    t.weir("install").succeeds();
    t.write("app/main.bash", "eval \"$(weir bash init)\"\nweir.load acme/greet-me\ngreet_me.greet Ann\n");
    assert_eq!(bash(&t, &t.path("app/main.bash")), "Hello, Ann!\n");
}

#[test]
fn a_suite_runs_with_the_dependencies_loaded_and_its_failure_is_the_commands() {
    let t = two_cores();
    t.write(
        "app/tests/a.bats",
        "@test \"each has its own core\" {\n\t[ \"$(core.say me x)\" = \"2: x for me #1\" ]\n\t[ \"$(term.say x)\" = \"1: x #1\" ]\n}\n\
         @test \"programs that a test runs are left alone\" {\n\trun bash -c 'type -t core.say'\n\t[ \"$status\" -ne 0 ]\n}\n",
    );
    let run = t.weir("test");
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("1..2") && run.stdout.contains("ok 2"), "{run}");
    let run = t.weir("test --filter 'own core'");
    assert!(run.stdout.contains("1..1"), "{run}");
    t.write("app/tests/b.bats", "@test \"no\" { false; }\n");
    let run = t.weir("test");
    assert!(run.code != 0 && run.stdout.contains("not ok"), "{run}");
}

#[test]
fn a_project_without_tests_is_told_where_they_are_looked_for() {
    let t = two_cores();
    let run = t.weir("test");
    assert!(run.code == 5 && run.stderr.contains(".bats files in `tests` or `test`"), "{run}");
}

#[test]
fn a_bundle_runs_without_weir_from_anywhere() {
    let t = two_cores();
    t.write(
        "app/main.bash",
        "#!/usr/bin/env bash\nset -euo pipefail\neval \"$(weir bash init)\"\nweir.load-all\ncore.say me \"$1\"\nterm.say \"$1\"\n",
    );
    t.weir("bash bundle main.bash -o ../tool").succeeds();
    let output = Command::new(t.path("tool"))
        .arg("it's")
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "2: it's for me #1\n1: it's #1\n");
}

#[test]
fn what_cannot_be_decided_is_told_with_its_line_before_and_after_publishing() {
    let t = sandbox();
    let text = "core.f() {\n\techo \"core.f says\"\n\teval \"$1\"\n}\n";
    let core = library(&t, "core", "1.0.0", text).write();
    let run = t.weir_in("", &format!("bash check {core}"));
    assert!(
        run.code == 0
            && run.stdout.contains("src/core.sh: 1 place: code runs here that is only known then: line 3"),
        "{run}"
    );
    t.weir_in("", &format!("publish {core}")).succeeds();
    library(&t, "term", "1.0.0", "term.f() {\n\tcore.f \"$1\"\n}\n").dependency("acme/core", "^1").publish();
    t.project(&["acme/term = ^1"]);
    let run = t.weir("install");
    assert!(run.code == 0 && run.stderr.contains("`acme/core@1.0.0` keeps its names"), "{run}");
    let report = t.read("app/weir_packages/renamed.txt");
    assert!(
        report.starts_with("# acme/core@1.0.0 keeps its names. Undecided was:\nsrc/core.sh: 1 place: "),
        "{report}"
    );
    t.write("app/main.bash", "eval \"$(weir bash init)\"\nweir.load-all\nterm.f 'echo \"$FUNCNAME\"'\n");
    assert_eq!(bash(&t, &t.path("app/main.bash")), "core.f says\ncore.f\n");
}

#[test]
fn two_releases_with_undecided_places_are_refused_with_the_places_until_the_project_accepts_them() {
    let t = sandbox();
    for version in ["1.0.0", "2.0.0"] {
        let text = format!("core.f() {{\n\techo \"{version}\"\n\t[[ -z ${{1-}} ]] || eval \"$1\"\n}}\n");
        library(&t, "core", version, &text).publish();
    }
    library(&t, "term", "1.0.0", "term.f() {\n\tcore.f\n}\n").dependency("acme/core", "^1").publish();
    t.project(&["acme/core = ^2", "acme/term = ^1"]);
    let run = t.weir("install");
    assert_ne!(run.code, 0, "{run}");
    for told in [
        "`acme/core@1.0.0`",
        "`acme/core@2.0.0`",
        "src/core.sh: 1 place: ",
        "line 3",
        "rename = { \"acme/core\" = \"all\" }",
    ] {
        assert!(run.stderr.contains(told), "{told}: {run}");
    }
    let manifest = t.read("app/weir.toml");
    t.write("app/weir.toml", format!("{manifest}\n[bash]\nrename = {{ \"acme/core\" = \"all\" }}\n"));
    t.weir("install").succeeds();
    t.write("app/main.bash", "eval \"$(weir bash init)\"\nweir.load-all\nterm.f\ncore.f\n");
    assert_eq!(bash(&t, &t.path("app/main.bash")), "1.0.0\n2.0.0\n");
    // And with no renaming at all the release that is loaded last has the name.
    t.write("app/weir.toml", format!("{manifest}\n[bash]\nrename = \"none\"\n"));
    t.weir("install").succeeds();
    let said = bash(&t, &t.path("app/main.bash"));
    assert!(matches!(said.trim(), "1.0.0\n1.0.0" | "2.0.0\n2.0.0"), "{said}");
}

#[test]
fn a_program_keeps_its_own_functions_and_calls_its_library_by_the_new_names() {
    let t = sandbox();
    t.package("acme/tool", "1.0.0")
        .kind("bash")
        .manifest("[bash]\nslug = \"tool\"\nsource = [\"src\"]\nbin = [\"bin\"]\n")
        .file("src/tool.sh", "tool.say() {\n\techo \"said $1\"\n}\n")
        .program(
            "bin/tool",
            "#!/usr/bin/env bash\nsource \"$(dirname \"$(readlink -f \"$0\")\")/../src/tool.sh\"\ncmd_say() { tool.say \"$1\"; }\nusage() { echo usage; }\n\"cmd_$1\" \"$2\"\n",
        )
        .publish();
    library(&t, "term", "1.0.0", "term.f() {\n\ttool.say term\n}\n").dependency("acme/tool", "^1").publish();
    t.project(&["acme/term = ^1"]);
    let run = t.weir("install");
    assert!(!run.stderr.contains("keeps its names"), "{run}");
    let program = t.path("app/weir_packages/transitive/packages/acme/tool@1.0.0/bin/tool");
    assert!(fs_err::read_to_string(&program).unwrap().contains("cmd_say() { tool_1_0_0.say"));
    let output = Command::new("bash").arg(program).args(["say", "it"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "said it\n");
}

#[test]
fn a_package_of_npm_brings_its_commands_and_files() {
    let t = sandbox();
    t.write(
        "bats/package.json",
        r#"{"name":"shout","version":"1.2.0","scripts":{"test":"x"},"bin":{"shout":"bin/shout"},"files":["bin","load.bash"]}"#,
    );
    t.write("bats/bin/shout", "#!/usr/bin/env bash\necho LOUD\n");
    t.write("bats/load.bash", "shout.f() { echo loaded; }\n");
    let made = Command::new("sh")
        .args(["-c", "chmod +x bats/bin/shout && tar -czf shout.tgz bats"])
        .current_dir(t.path(""))
        .status();
    assert!(made.unwrap().success());
    t.weir_in("", "import shout.tgz --name npm/shout --set-version 1.2.0 --kind bash --into shout")
        .succeeds();
    t.weir_in("", "publish shout").succeeds();
    t.project(&["npm/shout = ^1"]);
    t.weir("install").succeeds();
    assert_eq!(t.weir("run shout").stdout, "LOUD\n");
    t.write("app/main.bash", "eval \"$(weir bash init)\"\nweir.load npm/shout\nshout.f\n");
    assert_eq!(bash(&t, &t.path("app/main.bash")), "loaded\n");
    assert!(t.path("app/weir_packages/lib/shout/load.bash").is_file());
}

#[test]
fn what_is_installed_globally_is_found_by_scripts_of_no_project() {
    let t = two_cores();
    t.weir_in("", "install --global acme/term").succeeds();
    t.weir_in("", "install --global acme/core@^2").succeeds();
    t.write("script.bash", "eval \"$(weir bash init --global)\"\nweir.load acme/term\nterm.say x\n");
    assert_eq!(bash(&t, &t.path("script.bash")), "1: x #1\n");
    let env = t.weir_in("", "env --global").stdout;
    assert!(env.contains("/global/weir_packages/bin'") && env.contains("MANPATH=':"), "{env}");
}

#[test]
fn a_script_of_no_project_is_told_so_and_nothing_else() {
    let t = sandbox();
    t.write("script.bash", "eval \"$(weir bash init)\"\nweir.load acme/term\n");
    let (_, complained, code) = try_bash(&t, &t.path("script.bash"));
    assert!(
        code == 1 && complained.lines().count() == 1 && complained.contains("no project was found"),
        "{complained}"
    );
}

#[test]
fn a_suite_passes_after_its_package_was_renamed() {
    let t = sandbox();
    library(&t, "core", "1.0.0", "core.f() {\n\techo \"f $1\"\n}\n")
        .file(
            "tests/a.bats",
            "setup() { greeting=hello; }\nhelper() { core.f \"$greeting\"; }\n@test \"f\" {\n\trun helper\n\t[ \"$output\" = \"f hello\" ]\n}\n",
        )
        .publish();
    library(&t, "core", "2.0.0", "core.f() {\n\techo other\n}\n").publish();
    library(&t, "term", "1.0.0", "term.f() {\n\tcore.f\n}\n").dependency("acme/core", "^1").publish();
    t.project(&["acme/term = ^1", "acme/core = ^2"]);
    t.weir("install").succeeds();
    let suite = "weir_packages/transitive/packages/acme/core@1.0.0/tests";
    assert!(t.read(format!("app/{suite}/a.bats")).contains("core_1_0_0.f \"$greeting\""));
    let run = t.weir(&format!("test {suite}"));
    assert!(run.code == 0 && run.stdout.contains("ok 1"), "{run}");
}

/// As much of shellspec as matters here: it runs specs as the real one does, in the shell it is told, on the standard input.
const SHELLSPEC: &str = r#"#!/bin/sh
shell=sh
while [ $# -gt 0 ]; do
    case $1 in
    --shell) shell=$2; shift ;;
    *) filter=$1 ;;
    esac
    shift
done
[ ! -f .shellspec ] || ! grep -q -- "--shell sh" .shellspec || shell=sh
export SHELLSPEC_ROOT="$PWD"
cat spec/*_spec.sh | $shell
echo "only: ${filter-all}"
"#;

#[test]
fn a_suite_of_shellspec_runs_in_bash_with_the_dependencies_loaded_where_specs_run_and_nowhere_else() {
    let t = two_cores();
    t.package("acme/shellspec", "0.28.1")
        .kind("bash")
        .manifest("[bash]\nslug = \"shellspec\"\nbin = [\"shellspec\"]\n")
        .program("shellspec", SHELLSPEC)
        .publish();
    t.write(
        "app/weir.toml",
        "[dependencies]\n\"acme/core\" = \"^2\"\n\"acme/term\" = \"^1\"\n[dev-dependencies]\n\"acme/shellspec\" = \"*\"\n",
    );
    t.write("app/.shellspec", "--require spec_helper\n");
    t.write(
        "app/spec/a_spec.sh",
        "term.say x; core.say me y; declare -A z=()\nbash -c 'type -t core.say || echo not here'\necho 'type -t core.say || echo nor here' | bash\n",
    );
    let run = t.weir("test");
    assert_eq!(
        (run.stdout.as_str(), run.code),
        ("1: x #1\n2: y for me #1\nnot here\nnor here\nonly: all\n", 0),
        "{run}"
    );
    assert!(t.weir("test spec/a_spec.sh").stdout.ends_with("only: spec/a_spec.sh\n"));
    // Whoever says another shell has it.
    t.write("app/.shellspec", "--shell sh\n");
    t.write("app/spec/a_spec.sh", "echo \"${BASH_VERSION-none}\"\n");
    let dash = t.weir("test").stdout;
    let sh = std::process::Command::new("sh").args(["-c", "echo ${BASH_VERSION-none}"]).output().unwrap();
    assert!(dash.starts_with(&*String::from_utf8_lossy(&sh.stdout)), "{dash}");
}

#[test]
fn a_bundle_has_the_packages_own_files_and_nothing_that_only_developing_it_takes() {
    let t = sandbox();
    library(&t, "low", "1.0.0", "low.say() {\n\techo \"low $1\"\n}\n").publish();
    library(&t, "probe", "1.0.0", "probe.f() {\n\t:\n}\n").publish();
    t.write(
        "app/weir.toml",
        "[package]\nname = \"acme/app\"\nversion = \"0.1.0\"\nkind = \"bash\"\n\n[dependencies]\n\"acme/low\" = \"^1\"\n\n\
         [dev-dependencies]\n\"acme/probe\" = \"*\"\n\n[bash]\nslug = \"app\"\nsource = [\"src\"]\n",
    );
    t.write("app/src/app.sh", "app.main() {\n\tlow.say \"$1\"\n}\n");
    t.write(
        "app/bin/app",
        "#!/usr/bin/env bash\neval \"$(weir bash init)\"\nweir.load-all\nsource \"${BASH_SOURCE[0]%/*}/../src/app.sh\"\napp.main \"$@\"\n",
    );
    t.weir("bash bundle bin/app -o ../tool").succeeds();
    let bundle = t.read("tool");
    assert!(!bundle.contains("probe.f") && bundle.matches("app.main() {").count() == 1, "{bundle}");
    let output = Command::new(t.path("tool"))
        .arg("x")
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output();
    assert_eq!(output.unwrap().stdout, b"low x\n");
}

#[test]
fn a_suite_is_the_folder_itself_has_its_libraries_and_is_run_by_the_runner_that_a_dependency_offers() {
    let t = sandbox();
    t.package("acme/bats", "1.0.0")
        .kind("bash")
        .manifest("[bash]\nslug = \"bats\"\nbin = [\"bats\"]\n")
        .program("bats", "#!/usr/bin/env bash\necho \"run by acme/bats\"\nPATH=${PATH#*:} exec bats \"$@\"\n")
        .publish();
    t.package("acme/check", "1.0.0")
        .kind("bash")
        .manifest("[bash]\nslug = \"check\"\n")
        .file("load.bash", "check.yes() { [ \"$1\" = yes ]; }\n")
        .publish();
    t.write("app/weir.toml", "[dev-dependencies]\n\"acme/bats\" = \"*\"\n\"acme/check\" = \"*\"\n");
    t.write("app/tests/a.bats", "bats_load_library check\n@test \"a library\" { check.yes yes; }\n");
    t.write("app/tests/fixtures/meant.bats", "@test \"meant to fail\" { false; }\n");
    let run = t.weir("test");
    assert!(run.code == 0 && run.stdout.starts_with("run by acme/bats\n1..1\n"), "{run}");
    // A folder with nothing but folders of tests is a suite of them all.
    fs_err::remove_file(t.path("app/tests/a.bats")).unwrap();
    let run = t.weir("test");
    assert!(run.code != 0 && run.stdout.contains("not ok 1 meant to fail"), "{run}");
}
