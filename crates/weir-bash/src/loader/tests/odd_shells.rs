//! Shells in which commands mean something else, and what is loaded is the same.

use std::collections::BTreeMap;
use std::process::Command;

use super::Project;

/// Everything the loader says and asks of Bash: what it runs itself, and what people wrap.
const COMMANDS: &[&str] = &[
    "local", "return", "declare", "typeset", "source", ".", "eval", "builtin", "command", "unset", "printf",
    "echo", "[", "test", ":", "true", "false", "cd", "set", "shopt", "shift", "export", "readonly", "break",
    "continue", "exit", "trap", "read", "type", "readlink", "alias",
];

/// A project in which loading `acme/good` takes every path of the loader: settings, an environment, a dependency, a file
/// that fails and files that are not there.
fn project() -> Project {
    let mut project = Project::new();
    project.package("acme/low", false, &[("low.sh", "low loaded\n")], &[]);
    let files = [("a.sh", "low \"$A $#\"\n"), ("b.sh", "\\builtin return 3\n"), ("x/c.sh", "low c\n")];
    let good = project.package("acme/good", true, &files, &[0]);
    good.environment = BTreeMap::from([("A".into(), "b".into())]);
    good.shopt = BTreeMap::from([("extglob".into(), true), ("dotglob".into(), false)]);
    good.options = BTreeMap::from([("noclobber".into(), true), ("ignoreeof".into(), false)]);
    project.packages[1].sources.pop();
    project
}

/// Says things where no command can be trusted: all of it is printed at the end, by a program.
const LOW: &str = "log=''\nlow() { log+=\"low $*\"$'\\n'; }\n";

/// What loads it, and what that must print.
const LOAD: &str = "weir.load acme/good && low bad\nweir.load acme/good x/c.sh\nweir.load acme/good y.sh && low bad\nweir.load acme/none && low bad\nlow end";
const PRINT: &str = "/usr/bin/env printf %s \"$log\"";
const LOADED: &str = "low loaded\nlow b 0\nlow c\nlow end\n";

/// The loader tries `builtin` out once, to see whose it is.
const UNPROBED: &str = "[[ ${FUNCNAME[1]} == __weir.own ]] ||";

/// What is said, and the errors.
fn run(project: &Project, script: &str) -> (String, String) {
    let (out, err, _) = project.run(&format!("{LOW}{script}\n{PRINT}"));
    (out, err)
}

/// Runs a script that is all of `main.bash`, with a name for what `weir bash init` prints.
fn main_script(
    project: &Project,
    script: &str,
    configure: impl FnOnce(&mut Command),
) -> (String, String, bool) {
    project.run("");
    let script = script.replace("INIT", "\"$(<\"${BASH_SOURCE[0]%/*}/init.bash\")\"");
    fs_err::write(project.root().join("main.bash"), format!("{LOW}{script}\n{PRINT}\n")).unwrap();
    let mut command = Command::new("bash");
    configure(&mut command);
    let output = command.arg(project.root().join("main.bash")).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.success())
}

#[track_caller]
fn loads(project: &Project, before: &str) {
    let (out, err) = run(project, &format!("{before}\n{LOAD}"));
    assert_eq!(out, LOADED, "{before}\n{err}");
    for said in ["loading failed", "has no file `y.sh`", "`acme/none` is not a dependency"] {
        assert!(err.contains(said), "{before}\n{err}");
    }
    let known = err.lines().filter(|line| line.starts_with("  it has: ")).count();
    assert_eq!(err.lines().count(), 3 + known, "{before}\n{err}");
}

#[test]
fn a_function_with_the_name_of_any_command_changes_nothing() {
    let mut project = project();
    for name in COMMANDS {
        let hijack = format!("function {name} {{\n\t{UNPROBED} low hijacked {name}\n}}\n");
        project.package(&format!("bad/{}", project.packages.len()), true, &[("a.sh", &hijack)], &[]);
        let bad = project.packages.last().unwrap().name.clone();
        loads(&project, &format!("weir.load {bad}"));
    }
}

#[test]
fn functions_with_the_names_of_all_commands_change_nothing_and_stay() {
    let mut project = project();
    let hijack: String = COMMANDS
        .iter()
        .rev()
        .map(|name| format!("function {name} {{\n\t{UNPROBED} low hijacked {name}\n}}\n"))
        .collect();
    project.package("acme/bad", true, &[("a.sh", &hijack)], &[]);
    loads(&project, "weir.load acme/bad");
    // Whoever made them, or wanted them, still has them.
    let (out, _) = run(&project, "weir.load acme/bad\nweir.load acme/good x/c.sh\nbuiltin x\nprintf x");
    assert_eq!(out, "low loaded\nlow c\nlow hijacked builtin\nlow hijacked printf\n");
    // A dependency that does so does not keep the next file from being loaded.
    let files = [("a.sh", "low a\n"), ("b.sh", "low b\n")];
    project.package("acme/needs-bad", true, &files, &[0, 2]);
    assert_eq!(run(&project, "weir.load acme/needs-bad").0, "low loaded\nlow a\nlow b\n");
}

#[test]
fn a_wrapper_around_builtin_is_put_aside_and_stays() {
    let wrapper = "builtin() { calls+=1; command builtin \"$@\"; }";
    loads(&project(), wrapper);
    let (out, err) =
        run(&project(), &format!("{wrapper}\nweir.load acme/good x/c.sh\ncalls=; builtin :; low \"$calls\""));
    assert_eq!(out, "low loaded\nlow c\nlow 1\n", "{err}");
}

#[test]
fn functions_that_the_environment_brings_change_nothing() {
    let project = project();
    let names = COMMANDS.iter().filter(|name| name.len() > 2);
    let exported: String = names.clone().map(|name| format!("{name}() {{ low hijacked; }}\n")).collect();
    let names: Vec<&str> = names.copied().collect();
    let outer = format!("\\builtin export -f {}\n{exported}", names.join(" "));
    let outer: String = outer.lines().rev().map(|line| format!("{line}\n")).collect();
    // `builtin` itself is exported with the others before it is one of them.
    let outer = outer.replace("builtin() { low hijacked; }\n", "");
    let (out, err, _) = main_script(&project, &format!("\\builtin eval INIT\n{LOAD}"), |command| {
        command.args(["--norc", "-c", &format!("{outer}\\builtin exec bash \"$1\""), "bash"]);
    });
    assert_eq!(out, LOADED, "{err}");
}

#[test]
fn every_option_of_set_changes_nothing() {
    let project = project();
    for option in [
        "allexport",
        "errtrace",
        "functrace",
        "keyword",
        "noclobber",
        "noglob",
        "nounset",
        "physical",
        "pipefail",
        "posix",
        "privileged",
    ] {
        loads(&project, &format!("set -o {option}"));
    }
    loads(&project, "set -uTEakfCPp -o pipefail -o posix");
}

#[test]
fn every_option_of_shopt_changes_nothing() {
    let project = project();
    let on = "for option in $(shopt | cut -f 1); do case $option in restricted_shell | login_shell | compat* | extdebug) ;; *) shopt -s $option ;; esac; done 2>/dev/null";
    loads(&project, on);
    for option in ["nocasematch", "extglob", "failglob", "nullglob", "nocaseglob", "localvar_inherit"] {
        loads(&project, &format!("shopt -s {option} 2>/dev/null"));
    }
    loads(&project, "shopt -u sourcepath interactive_comments extquote");
}

#[test]
fn posix_mode_and_what_it_exports_are_as_they_were() {
    let project = project();
    let main = "\\eval INIT\nweir.load acme/good x/c.sh\nlow \"${POSIXLY_CORRECT-off}\" $(/usr/bin/env printenv POSIXLY_CORRECT)";
    let said = |configure: fn(&mut Command)| {
        let (out, err, _) = main_script(&project, main, configure);
        out.strip_prefix("low loaded\nlow c\n").unwrap_or(&err).to_owned()
    };
    assert_eq!(said(|_| ()), "low off\n");
    assert_eq!(
        said(|command| {
            command.arg("--posix");
        }),
        "low y\n"
    );
    assert_eq!(
        said(|command| {
            command.env("POSIXLY_CORRECT", "1");
        }),
        "low y y\n"
    );
}

#[test]
fn a_syntax_error_ends_nothing_in_posix_mode_either() {
    let mut project = project();
    project.package("acme/broken", true, &[("a.sh", "if then\n")], &[]);
    let (out, err) = run(&project, "set -o posix; weir.load acme/broken || low failed; low end");
    assert!(err.contains("a.sh: line 1: syntax error"), "{err}");
    // Before 5.1, POSIX mode of Bash itself ends the shell there, whatever was asked to source the file.
    let (old, _) = run(&project, "((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)) || low old");
    if old.is_empty() {
        assert_eq!(out, "low failed\nlow end\n", "{err}");
    }
}

#[test]
fn any_ifs_changes_nothing() {
    let project = project();
    for ifs in ["''", "/", "'a b'", "$'\\x1e'", "low:", "$'\\n'", "0123456789", "_", "="] {
        loads(&project, &format!("IFS={ifs}; low() {{ local IFS=' '; log+=\"low $*\"$'\\n'; }}"));
    }
}

#[test]
fn traps_see_no_failure_and_do_not_get_in_the_way() {
    let project = project();
    for trace in ["", "set -T -E;"] {
        loads(&project, &format!("{trace} trap 'x=1; y=2; false' DEBUG RETURN"));
    }
    let (out, err) = run(
        &project,
        "set -euETo pipefail\ntrap 'low ERR' ERR\nweir.load acme/good a.sh\nweir.load acme/good a.sh\nweir.load acme/good x/c.sh\nlow end",
    );
    assert_eq!(out, LOADED, "{err}");
}

#[test]
fn aliases_of_commands_and_of_keywords_change_nothing_and_stay() {
    let project = project();
    let words = ["if", "then", "while", "for", "case", "do", "done", "esac", "[[", "!", "{"];
    let names = COMMANDS.iter().filter(|name| !matches!(**name, "alias" | "[")).chain(&words);
    let aliases: String = names.map(|name| format!("alias '{name}=low hijacked {name}'\n")).collect();
    // Aliases count from the line after the next command on.
    for (before, after) in [
        ("shopt -s expand_aliases", "low hijacked true\n"),
        ("\\set -o posix", "low hijacked true\n"),
        ("\\:", ""),
    ] {
        let script = format!("{before}\n{aliases}\n\\eval INIT\n{LOAD}\ntrue");
        let (out, err, _) = main_script(&project, &script, |_| ());
        assert_eq!(out, format!("{LOADED}{after}"), "{before}\n{err}");
    }
}

#[test]
fn any_locale_changes_nothing() {
    let mut project = project();
    project.package("acme/\u{e9}\u{1f600}", true, &[("\u{fc} \u{4e2d}.sh", "low utf\n")], &[0]);
    for locale in ["C", "POSIX", "C.UTF-8", "tr_TR.UTF-8", "ja_JP.SJIS", "xx_YY.nothing"] {
        let before = format!("{{ export LC_ALL={locale}; }} 2>/dev/null");
        loads(&project, &before);
        let (out, err) =
            run(&project, &format!("{before}\nweir.load $'acme/\\xc3\\xa9\\xf0\\x9f\\x98\\x80'"));
        assert_eq!(out, "low loaded\nlow utf\n", "{locale}{err}");
    }
}

#[test]
fn a_read_only_variable_of_the_loaders_is_named() {
    let project = project();
    for name in ["__weir_item", "__weir_k", "__weir_found", "__weir_own"] {
        let (out, err, success) =
            main_script(&project, &format!("readonly {name}=x; eval INIT\nlow went on"), |_| ());
        assert!(!success && out.is_empty(), "{name} {out}{err}");
        assert!(err.contains("read-only variable") && err.contains(&format!("{name}=\"x\"")), "{name} {err}");
    }
}

#[test]
fn a_script_in_a_relative_path_is_found_with_any_cdpath() {
    let project = project();
    let (out, err, _) = main_script(&project, &format!("eval INIT\n{LOAD}"), |command| {
        command.current_dir(project.root().parent().unwrap()).env("CDPATH", "/usr:/:..");
        let name = project.root().file_name().unwrap().to_str().unwrap();
        command.args(["-c", ". \"$0\"/main.bash", name]);
    });
    assert_eq!(out, LOADED, "{err}");
}

#[test]
fn a_program_that_inherits_everything_begins_anew() {
    let project = project();
    let script = "set -a; \\eval INIT\nweir.load acme/good x/c.sh\n[[ ${INNER-} ]] || INNER=1 bash \"${BASH_SOURCE[0]}\"";
    let (out, err, _) = main_script(&project, script, |_| ());
    assert_eq!(out, "low loaded\nlow c\nlow loaded\nlow c\n", "{err}");
}

#[test]
fn evaluating_the_script_again_while_something_is_loaded_changes_nothing() {
    let mut project = project();
    let init = "\\eval \"$(<\"${BASH_SOURCE[0]%/*}/../../../../init.bash\")\"\nlow again\n";
    project.package("acme/again", true, &[("a.sh", init), ("b.sh", "low b\n")], &[0]);
    let (out, err) = run(&project, "weir.load acme/again; weir.load acme/again");
    assert_eq!(out, "low loaded\nlow again\nlow b\n", "{err}");
}
