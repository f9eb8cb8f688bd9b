//! Real Bash loading real files.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::{INDEX_FILE, IndexPackage, index_script, init_script, load_order};

mod odd_shells;

struct Project {
    folder: tempfile::TempDir,
    packages: Vec<IndexPackage>,
}

impl Project {
    fn new() -> Self {
        Self {
            folder: tempfile::Builder::new().prefix("it's a $(project) ").tempdir().unwrap(),
            packages: Vec::new(),
        }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn package(
        &mut self,
        name: &str,
        direct: bool,
        files: &[(&str, &str)],
        dependencies: &[usize],
    ) -> &mut IndexPackage {
        let level = if direct { "" } else { "transitive/" };
        let path = format!("weir_packages/{level}packages/{name}@1.0.0");
        for (file, text) in files {
            let file = self.root().join(&path).join(file);
            fs_err::create_dir_all(file.parent().unwrap()).unwrap();
            fs_err::write(file, text).unwrap();
        }
        let sources = files.iter().map(|(file, _)| (*file).to_owned()).collect();
        self.packages.push(IndexPackage {
            name: name.into(),
            path,
            direct,
            sources,
            dependencies: dependencies.to_vec(),
            ..IndexPackage::default()
        });
        self.packages.last_mut().unwrap()
    }

    /// Runs a script that lies in the project: what it printed, and its errors.
    fn run(&self, script: &str) -> (String, String, bool) {
        fs_err::create_dir_all(self.root().join("weir_packages")).unwrap();
        fs_err::write(self.root().join(INDEX_FILE), index_script(&self.packages)).unwrap();
        fs_err::write(self.root().join("init.bash"), init_script(None)).unwrap();
        let head = "eval \"$(<\"${BASH_SOURCE[0]%/*}/init.bash\")\"\n";
        fs_err::write(self.root().join("main.bash"), format!("{head}{script}\n")).unwrap();
        let output = Command::new("bash")
            .arg("--norc")
            .arg(self.root().join("main.bash"))
            .current_dir("/")
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.success())
    }

    fn prints(&self, script: &str) -> String {
        let (out, err, success) = self.run(script);
        assert!(success && err.is_empty(), "{out}{err}");
        out
    }
}

#[test]
fn dependencies_come_first_and_each_package_is_loaded_once() {
    let mut project = Project::new();
    project.package("acme/low", false, &[("a.sh", "echo low; low() { echo low-called; }\n")], &[]);
    project.package("acme/one", true, &[("a.sh", "echo one-a\n"), ("b c.sh", "echo one-b; low\n")], &[0]);
    project.package("acme/two", true, &[("a.sh", "echo two\n")], &[0]);
    let out = project.prints(
        "set -euo pipefail; weir.load acme/two; weir.load acme/one; weir.load acme/one; weir.load-all",
    );
    assert_eq!(out, "low\ntwo\none-a\none-b\nlow-called\n");
}

#[test]
fn everything_loads_under_strict_settings_and_odd_ones() {
    let mut project = Project::new();
    project.package("acme/one", true, &[("a.sh", "echo \"one $#\"; declare -g x=1\n")], &[]);
    let out = project.prints(
        "set -euo pipefail; IFS=/o; shopt -s nullglob failglob extglob; set -f; weir.load-all; echo \"$x\"",
    );
    assert_eq!(out, "one 0\n1\n");
}

#[test]
fn a_cycle_is_loaded_once_each() {
    let mut project = Project::new();
    project.package("acme/a", true, &[("a.sh", "echo a\n")], &[1]);
    project.package("acme/b", false, &[("b.sh", "echo b\n")], &[0]);
    assert_eq!(project.prints("weir.load acme/a"), "b\na\n");
    assert_eq!(load_order(&project.packages, 0), [1]);
}

#[test]
fn a_syntax_error_names_file_and_line_and_the_others_still_load() {
    let mut project = Project::new();
    project.package("acme/bad", true, &[("bad.sh", "echo first\nif then\n")], &[]);
    project.package("acme/good", true, &[("a.sh", "echo good\n")], &[]);
    let (out, err, success) = project.run("weir.load-all; echo \"status $?\"");
    assert!(success && out.ends_with("good\nstatus 1\n"), "{out}{err}");
    assert!(err.contains("bad.sh: line 2: syntax error") && err.contains("loading failed"), "{err}");
}

#[test]
fn unknown_packages_and_files_are_told_with_what_there_is() {
    let mut project = Project::new();
    project.package("acme/one", true, &[("a.sh", "echo one\n")], &[]);
    let (_, err, success) = project.run("weir.load acme/two");
    assert!(
        !success && err.contains("`acme/two` is not a dependency of") && err.contains("it has: acme/one"),
        "{err}"
    );
    let (_, err, _) = project.run("weir.load acme/one gone.sh");
    assert!(err.contains("`acme/one` has no file `gone.sh`"), "{err}");
    let (_, err, _) = project.run("weir.load acme/one ../../x");
    assert!(err.contains("is not a path inside `acme/one`"), "{err}");
    assert!(project.run("weir.load").1.contains("expected: weir.load OWNER/NAME [FILE]"));
}

#[test]
fn line_ends_of_the_calling_script_are_named_where_they_spoil_a_name() {
    let mut project = Project::new();
    project.package("acme/one", true, &[("a.sh", "echo one\n")], &[]);
    let (_, err, success) = project.run("set -u\nweir.load acme/one\r\n");
    assert!(!success && err.contains("end in CRLF") && !err.contains("is not a dependency"), "{err}");
}

#[test]
fn one_file_of_a_package_can_be_loaded() {
    let mut project = Project::new();
    project.package("acme/low", false, &[("low.sh", "echo low\n")], &[]);
    project.package("acme/one", true, &[("a.sh", "echo a\n"), ("x/b.sh", "echo b\n")], &[0]);
    assert_eq!(project.prints("weir.load acme/one x/b.sh; weir.load acme/one x/b.sh"), "low\nb\n");
}

#[test]
fn a_package_reaches_its_own_dependencies() {
    let mut project = Project::new();
    project.package("acme/low", false, &[("low.sh", "echo low\n")], &[]);
    project.package("acme/one", true, &[("a.sh", "weir.load acme/low low.sh; weir.load acme/low\n")], &[0]);
    assert_eq!(project.prints("weir.load acme/one"), "low\nlow\n");
    assert!(!project.run("weir.load acme/low").2);
}

#[test]
fn a_command_of_a_package_loads_the_package_itself_and_all_that_it_depends_on() {
    let mut project = Project::new();
    project.package("acme/low", false, &[("low.sh", "echo low\n")], &[]);
    project.package("acme/one", true, &[("a.sh", "echo one; weir.load acme/one\n")], &[0]);
    project.package("acme/two", true, &[("two.sh", "echo two\n")], &[]);
    let bin = project.root().join("weir_packages/packages/acme/one@1.0.0/bin");
    fs_err::create_dir_all(&bin).unwrap();
    fs_err::write(bin.join("tool"), "weir.load-all; weir.load acme/one; echo tool\n").unwrap();
    let link = project.root().join("weir_packages/bin");
    fs_err::create_dir_all(&link).unwrap();
    fs_err::os::unix::fs::symlink("../packages/acme/one@1.0.0/bin/tool", link.join("tool")).unwrap();
    let out = project.prints("source \"${BASH_SOURCE[0]%/*}/weir_packages/bin/tool\"");
    assert_eq!(out, "low\none\ntool\n");
}

#[test]
fn settings_are_applied() {
    let mut project = Project::new();
    let package = project.package(
        "acme/one",
        true,
        &[("a.sh", "x() { case $1 in @(a|b)) echo \"$A\" ;; esac; }\n")],
        &[],
    );
    package.options = BTreeMap::from([("noclobber".into(), true)]);
    package.shopt = BTreeMap::from([("extglob".into(), true), ("nosuchoption".into(), true)]);
    package.environment =
        BTreeMap::from([("A".into(), "it's $(x)\nhere".into()), ("B".into(), "not taken".into())]);
    let out = project
        .prints("B=mine; weir.load acme/one; x a; echo \"$B\"; [[ -o noclobber ]] && bash -c 'echo \"$A\"'");
    assert_eq!(out, "it's $(x)\nhere\nmine\nit's $(x)\nhere\n");
}

#[test]
fn a_package_that_defines_functions_with_the_names_of_commands_does_not_keep_others_from_being_loaded() {
    let mut project = Project::new();
    let names = ["source", "printf", "shopt", "set", "export", "readlink", "cd"];
    let hijack: String = names.iter().map(|name| format!("{name}() {{ echo hijacked; }}\n")).collect();
    project.package("acme/bad", true, &[("a.sh", &hijack)], &[]);
    let good =
        project.package("acme/good", true, &[("a.sh", "echo \"good $A\"\n"), ("b.sh", "false\n")], &[]);
    good.environment = BTreeMap::from([("A".into(), "b".into())]);
    good.shopt = BTreeMap::from([("extglob".into(), true)]);
    let (out, err, _) = project.run("weir.load acme/bad; weir.load acme/good; echo end");
    assert_eq!(out, "good b\nend\n", "{err}");
    assert!(err.contains("loading failed"), "{err}");
}

#[test]
fn a_bash_that_is_too_old_is_told_so_and_nothing_is_defined() {
    // No such Bash is at hand: the script looks at a variable of ours instead.
    let script = init_script(None).replace("BASH_VERSINFO", "OLD_VERSINFO");
    let run = |version: &str| {
        let script =
            format!("OLD_VERSINFO=({version})\nf() {{ {script}\n}}\nf; type -t weir.load || echo none");
        let output = Command::new("bash").args(["--norc", "-c", &script]).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (out, err) = run("4 2");
    assert!(out == "none\n" && err.contains("Bash 4.3 or later is needed"), "{out}{err}");
    assert_eq!(run("4 3"), ("function\n".into(), String::new()));
    assert_eq!(run("5 0").0, "function\n");
}

#[test]
fn moving_the_project_breaks_nothing() {
    let mut project = Project::new();
    project.package("acme/one", true, &[("a.sh", "echo one\n")], &[]);
    project.prints("weir.load-all");
    let moved = tempfile::tempdir().unwrap();
    let to = moved.path().join("elsewhere");
    fs_err::rename(project.root(), &to).unwrap();
    let output = Command::new("bash").arg(to.join("main.bash")).output().unwrap();
    assert_eq!(output.stdout, b"one\n");
}

#[test]
fn a_hostile_name_never_becomes_code() {
    let mut project = Project::new();
    let evil = "a$(touch pwned)`touch pwned`';touch pwned;'\"\n]x";
    let package = project.package("acme/one", true, &[("a.sh", "echo one\n")], &[]);
    package.sources.push(format!("{evil}.sh"));
    package.environment.insert("X".into(), evil.into());
    package.environment.insert("A[$(touch pwned)]".into(), "x".into());
    package.environment.insert(evil.into(), "x".into());
    package.options.insert(evil.into(), true);
    project.packages.push(IndexPackage {
        name: evil.into(),
        path: format!("weir_packages/{evil}"),
        direct: true,
        ..IndexPackage::default()
    });
    let (out, _, _) = project.run("cd \"$(mktemp -d)\"; weir.load-all; ls; printf '%s|' \"$X\"");
    assert_eq!(out, format!("one\n{evil}|"));
}

#[test]
fn the_generated_scripts_pass_shellcheck() {
    let mut project = Project::new();
    project.package("acme/low", false, &[("low.sh", "")], &[]);
    project.package("acme/one", true, &[("a.sh", "")], &[0]);
    project.run("");
    for file in ["init.bash", INDEX_FILE] {
        let output = Command::new("shellcheck").arg(project.root().join(file)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
