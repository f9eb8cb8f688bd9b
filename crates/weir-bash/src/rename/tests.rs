//! Each rule of renaming, and real Bash running what comes out.

use std::process::Command;

use super::{Choice, Dependency, Output, SourceFile, Subject, Why, rename, version_mark};

fn file(text: &str) -> Vec<SourceFile> {
    vec![SourceFile { path: "lib.sh".into(), bytes: text.as_bytes().to_vec() }]
}

fn subject(slug: &str, version: Option<&str>) -> Subject {
    Subject { slugs: vec![slug.into()], mark: version.map(version_mark), ..Subject::default() }
}

fn transitive(text: &str) -> Output {
    rename(file(text), &subject("core", Some("1.0.0")), &[])
}

fn text(output: &Output) -> String {
    String::from_utf8(output.files[0].bytes.clone()).unwrap()
}

/// What becomes of a text in a transitive `core` 1.0.0 that also defines `core.f`, `core.g` and `helper`.
fn renamed(code: &str) -> String {
    const KNOWN: &str = "core.f() { :; }; core.g() { :; }; helper() { :; }; my_helper() { :; }; ___state___=; declare -gA ___map___=()\n";
    let output = transitive(&format!("{KNOWN}{code}"));
    text(&output).split_once('\n').unwrap().1.to_owned()
}

/// The doubts of the same, as `(text, why, choice)`.
fn doubts(code: &str) -> Vec<(String, Why, Choice)> {
    const KNOWN: &str = "core.f() { :; }; core.g() { :; }; helper() { :; }; my_helper() { :; }; ___state___=; declare -gA ___map___=()\n";
    let output = transitive(&format!("{KNOWN}{code}"));
    output.report.undecided.into_iter().map(|doubt| (doubt.text, doubt.why, doubt.choice)).collect()
}

/// Runs a script in real Bash and answers with what it printed.
fn bash(script: &str) -> String {
    let output = Command::new("bash").args(["--norc", "-c", script]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n{script}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn both_forms_of_definition_are_renamed() {
    assert_eq!(text(&transitive("core.a() { :; }\n")), "core_1_0_0.a() { :; }\n");
    assert_eq!(text(&transitive("function core.a { :; }\n")), "function core_1_0_0.a { :; }\n");
    assert_eq!(text(&transitive("function core.a() { :; }\n")), "function core_1_0_0.a() { :; }\n");
    assert_eq!(text(&transitive("core.a() ( :; )\n")), "core_1_0_0.a() ( :; )\n");
}

#[test]
fn odd_names_of_functions_are_renamed() {
    for name in ["core.a-b", "core::a::b", "core.a.b", "core.a+b", "core.λ", "core-x", "core.private.util.x"]
    {
        let expected = name.replacen("core", "core_1_0_0", 1);
        assert_eq!(
            text(&transitive(&format!("{name}() {{ {name}; }}\n"))),
            format!("{expected}() {{ {expected}; }}\n")
        );
    }
    for name in ["a-b", "a::b", "a.b", "a+b", "λ", "core_x", "score.f"] {
        let expected = format!("core_1_0_0__{name}");
        assert_eq!(
            text(&transitive(&format!("{name}() {{ {name}; }}\n"))),
            format!("{expected}() {{ {expected}; }}\n")
        );
    }
}

#[test]
fn commands_are_renamed_wherever_they_stand() {
    assert_eq!(
        renamed("core.f a | core.g && ! core.f\n"),
        "core_1_0_0.f a | core_1_0_0.g && ! core_1_0_0.f\n"
    );
    assert_eq!(renamed("if core.f; then helper; fi\n"), "if core_1_0_0.f; then core_1_0_0__helper; fi\n");
    assert_eq!(
        renamed("x=$(core.f)\"$(core.g)\"; `helper`\n"),
        "x_core_1_0_0=$(core_1_0_0.f)\"$(core_1_0_0.g)\"; `core_1_0_0__helper`\n"
    );
    assert_eq!(renamed("diff <(core.f) <(core.g)\n"), "diff <(core_1_0_0.f) <(core_1_0_0.g)\n");
    assert_eq!(
        renamed("time core.f; builtin eval core.g\n"),
        "time core_1_0_0.f; builtin eval core_1_0_0.g\n"
    );
    assert_eq!(renamed("'core.f' \"core\".g \\core.f\n"), "'core_1_0_0.f' \"core_1_0_0\".g \\core_1_0_0.f\n");
}

#[test]
fn arguments_that_name_functions_are_renamed() {
    for (before, after) in [
        ("declare -f helper core.f", "declare -f core_1_0_0__helper core_1_0_0.f"),
        ("declare -F core.f", "declare -F core_1_0_0.f"),
        ("declare -fx core.f", "declare -fx core_1_0_0.f"),
        ("typeset -f helper", "typeset -f core_1_0_0__helper"),
        ("export -f helper", "export -f core_1_0_0__helper"),
        ("readonly -f core.f", "readonly -f core_1_0_0.f"),
        ("unset -f helper core.f", "unset -f core_1_0_0__helper core_1_0_0.f"),
        ("unset helper", "unset core_1_0_0__helper"),
        ("type -t helper", "type -t core_1_0_0__helper"),
        ("command -v helper", "command -v core_1_0_0__helper"),
        ("command helper", "command helper"),
        ("hash helper", "hash core_1_0_0__helper"),
        ("complete -F helper tool", "complete -F core_1_0_0__helper tool"),
        ("complete -o default -F core.f tool", "complete -o default -F core_1_0_0.f tool"),
        ("compgen -A function core.", "compgen -A function core_1_0_0."),
        ("mapfile -C helper -c 1 lines", "mapfile -C core_1_0_0__helper -c 1 lines_core_1_0_0"),
    ] {
        assert_eq!(renamed(before), after);
    }
}

#[test]
fn traps_are_code_or_functions() {
    assert_eq!(renamed("trap core.f EXIT"), "trap core_1_0_0.f EXIT");
    assert_eq!(
        renamed("trap 'helper \"$x\"; core.g' INT TERM"),
        "trap 'core_1_0_0__helper \"$x\"; core_1_0_0.g' INT TERM"
    );
    assert_eq!(renamed("trap -- helper EXIT"), "trap -- core_1_0_0__helper EXIT");
    assert_eq!(renamed("trap - EXIT; trap '' INT"), "trap - EXIT; trap '' INT");
}

#[test]
fn strings_of_code_are_parsed() {
    assert_eq!(renamed("eval 'core.f \"$___state___\"'"), "eval 'core_1_0_0.f \"$___state____core_1_0_0\"'");
    assert_eq!(
        renamed("eval \"helper \\\"\\$___state___\\\"\""),
        "eval \"core_1_0_0__helper \\\"\\$___state____core_1_0_0\\\"\""
    );
    assert_eq!(renamed("eval core.f \"$x\" ';' helper"), "eval core_1_0_0.f \"$x\" ';' core_1_0_0__helper");
    assert_eq!(renamed("bash -c 'core.f'"), "bash -c 'core_1_0_0.f'");
    assert_eq!(renamed("run env A=b bash -ec 'helper'"), "run env A=b bash -ec 'core_1_0_0__helper'");
    assert_eq!(renamed("bash <<< 'helper'"), "bash <<< 'core_1_0_0__helper'");
    assert_eq!(renamed("eval \"eval 'core.f'\""), "eval \"eval 'core_1_0_0.f'\"");
    assert_eq!(renamed("PROMPT_COMMAND='helper; true'"), "PROMPT_COMMAND='core_1_0_0__helper; true'");
    assert_eq!(renamed("PROMPT_COMMAND+=(helper)"), "PROMPT_COMMAND+=(core_1_0_0__helper)");
}

#[test]
fn here_documents_are_code_when_a_shell_reads_them() {
    for (before, after) in [
        ("bash <<'EOF'\ncore.f\nEOF\n", "bash <<'EOF'\ncore_1_0_0.f\nEOF\n"),
        ("bash <<EOF\nhelper \\$x $y\nEOF\n", "bash <<EOF\ncore_1_0_0__helper \\$x $y\nEOF\n"),
        ("source /dev/stdin <<'EOF'\ncore.f\nEOF\n", "source /dev/stdin <<'EOF'\ncore_1_0_0.f\nEOF\n"),
        ("cat > x.sh <<'EOF'\ncore.f\nEOF\n", "cat > x.sh <<'EOF'\ncore_1_0_0.f\nEOF\n"),
        ("cat <<'EOF' > \"$d/x.bash\"\ncore.f\nEOF\n", "cat <<'EOF' > \"$d/x.bash\"\ncore_1_0_0.f\nEOF\n"),
        ("cat <<'EOF'\nCall core.f now\nEOF\n", "cat <<'EOF'\nCall core.f now\nEOF\n"),
    ] {
        assert_eq!(renamed(before), after);
    }
    assert_eq!(
        doubts("cat >x.txt <<'EOF'\nCall core.f now\nEOF\n"),
        [("core.f".into(), Why::InHereDocument, Choice::Kept)]
    );
}

#[test]
fn names_that_are_built_are_renamed_by_their_beginning() {
    assert_eq!(
        renamed("printf -v name '%q' \"core.private.h_${s}\""),
        "printf -v name_core_1_0_0 '%q' \"core_1_0_0.private.h_${s}\""
    );
    assert_eq!(renamed("\"core.$x\" a"), "\"core_1_0_0.$x\" a");
    assert_eq!(renamed("core.\"$x\""), "core_1_0_0.\"$x\"");
    assert_eq!(renamed("cat \"core.$x.txt\""), "cat \"core.$x.txt\"");
    assert!(doubts("\"core.$x\" a").is_empty());
    assert_eq!(doubts("cat \"core.$x.txt\"")[0].1, Why::BuiltName);
}

#[test]
fn names_kept_in_variables_and_arrays_are_renamed() {
    assert_eq!(
        renamed("f() { local fn=core.f; \"$fn\"; }"),
        "core_1_0_0__f() { local fn=core_1_0_0.f; \"$fn\"; }"
    );
    assert_eq!(
        renamed("f() { local -a all=(core.f 'core.g'); }"),
        "core_1_0_0__f() { local -a all=(core_1_0_0.f 'core_1_0_0.g'); }"
    );
    assert_eq!(renamed("case $fn in core.f) ;; esac"), "case $fn in core_1_0_0.f) ;; esac");
    assert_eq!(renamed("[[ $fn == core.f ]]"), "[[ $fn == core_1_0_0.f ]]");
}

#[test]
fn what_only_looks_like_a_name_is_left_alone() {
    for code in [
        "# core.f in prose, and helper\n",
        "score.f core.txt /path/core.sh core.f/x x.core.f core.ff\n",
        "source ./core.f\n",
        "cat core.txt > core.f\n",
        "other.f core_x.f core-x.f\n",
        "echo \"$core.f\" list\n",
    ] {
        assert_eq!(renamed(code), code);
    }
}

#[test]
fn a_part_of_a_string_that_a_function_assigns_is_no_variable() {
    let code = "items=()\nf() {\n\tREPLY=\"$1/items/$2\"\n\twhere=a/items\n\t((items += 1))\n\t{ list=\"items\"; }\n}\n";
    let output = text(&transitive(code));
    for kept in ["\"$1/items/$2\"", "=a/items\n", "=\"items\"; }"] {
        assert!(output.contains(kept), "{output}");
    }
    assert!(output.contains("((items_core_1_0_0 += 1))"), "{output}");
}

#[test]
fn the_value_of_an_integer_is_an_expression() {
    let code = "count=1\ncore.f() {\n\tlocal -i n=count+1\n\tdeclare -gi m=\"count * 2\"\n\tlocal w=count\n\techo \"$n $m $w\"\n}\n";
    let output = text(&transitive(code));
    assert_eq!(bash(&format!("count=100\n{output}\ncore_1_0_0.f")), "2 2 count\n", "{output}");
}

#[test]
fn a_message_keeps_the_names_that_people_know() {
    for code in [
        "echo \"The function 'core.f' is deprecated\"",
        "echo core.f >&2",
        "cat <<'EOF'\nCall core.f now\nEOF\n",
    ] {
        assert_eq!((renamed(code), doubts(code)), (code.to_owned(), Vec::new()));
    }
    // What may be read by code is told.
    for code in ["x=\"see core.f\"", "echo \"see core.f\" | sh", "echo core.f", "echo \"see core.f\" >file"] {
        assert_eq!(doubts(code).len(), 1, "{code}");
    }
}

#[test]
fn a_call_that_is_kept_in_a_string_is_renamed_and_told_and_prose_is_kept() {
    let kept = r#"hook='my_helper "$_"'; [[ $PROMPT_COMMAND == *'my_helper "$_"'* ]]"#;
    let expected = kept.replace("my_helper", "core_1_0_0__my_helper").replace("hook=", "hook_core_1_0_0=");
    assert_eq!(renamed(kept), expected);
    assert!(doubts(kept).iter().all(|doubt| (doubt.1, doubt.2) == (Why::InString, Choice::Renamed)));
    for prose in ["echo 'my_helper costs $5'", "echo 'helper \"$x\"'", "echo 'see my_helper \"$x\"'"] {
        assert_eq!(renamed(prose), prose);
    }
}

#[test]
fn what_may_name_a_function_in_a_roundabout_way_is_told() {
    for code in [
        "\"$slug.f\" a",
        "cb=\"${slug}.g\"",
        "case ${FUNCNAME[1]} in core.*) ;; esac",
        "cmd='helper a'",
        "cmd='echo $STATE'; STATE=1",
    ] {
        assert!(
            doubts(code).iter().any(|(_, _, choice)| *choice == Choice::Kept),
            "{code} {:?} {}",
            doubts(code),
            renamed(code)
        );
    }
    assert!(doubts("echo \"$x.f2\" 'a helper' core.txt").is_empty());
}

#[test]
fn a_plain_word_that_equals_a_function_is_kept_and_told() {
    assert_eq!(renamed("git helper; on_exit my_helper"), "git helper; on_exit core_1_0_0__my_helper");
    let told = doubts("git helper; on_exit my_helper");
    assert!(told.contains(&("helper".into(), Why::ArgumentLikeFunction, Choice::Kept)));
    assert!(told.contains(&("my_helper".into(), Why::ArgumentLikeFunction, Choice::Renamed)));
}

#[test]
fn a_plain_word_for_a_function_that_calls_back_is_renamed_and_told() {
    let code = "core.each() { \"$1\" x; }\ncore.say() { echo \"$1\"; }\nhandler() { echo \"got $1\"; }\ncore.run() { core.each 'handler'; core.say handler; }\n";
    let output = transitive(code);
    assert_eq!(bash(&format!("{}core_1_0_0.run", text(&output))), "got x\nhandler\n");
    let choices: Vec<Choice> = output.report.undecided.iter().map(|doubt| doubt.choice).collect();
    assert_eq!(choices, [Choice::Renamed, Choice::Kept]);
}

#[test]
fn state_is_renamed_in_every_form_of_use() {
    for (before, after) in [
        ("echo $___state___", "echo $___state____core_1_0_0"),
        (
            "echo \"${___state___:-a}${#___map___[@]}\"",
            "echo \"${___state____core_1_0_0:-a}${#___map____core_1_0_0[@]}\"",
        ),
        (
            "echo \"${___map___[$k]}${!___map___[@]}\"",
            "echo \"${___map____core_1_0_0[$k]}${!___map____core_1_0_0[@]}\"",
        ),
        ("___map___[x]=1; ___map___+=([y]=2)", "___map____core_1_0_0[x]=1; ___map____core_1_0_0+=([y]=2)"),
        (
            "(( ___state___ += 1, ___state___++ ))",
            "(( ___state____core_1_0_0 += 1, ___state____core_1_0_0++ ))",
        ),
        ("echo $((___state___ + 1))", "echo $((___state____core_1_0_0 + 1))"),
        ("let ___state___=___state___+1", "let ___state____core_1_0_0=___state____core_1_0_0+1"),
        (
            "for ((___state___=0; ___state___<3; ___state___++)); do :; done",
            "for ((___state____core_1_0_0=0; ___state____core_1_0_0<3; ___state____core_1_0_0++)); do :; done",
        ),
        ("for ___state___ in a; do :; done", "for ___state____core_1_0_0 in a; do :; done"),
        (
            "[[ -v ___state___ && -v ___map___[a] ]]",
            "[[ -v ___state____core_1_0_0 && -v ___map____core_1_0_0[a] ]]",
        ),
        ("[[ ! -v '___map___[--a]' ]]", "[[ ! -v '___map____core_1_0_0[--a]' ]]"),
        ("[ -v ___state___ ]", "[ -v ___state____core_1_0_0 ]"),
        ("[[ ___state___ -eq 3 ]]", "[[ ___state____core_1_0_0 -eq 3 ]]"),
        ("test -v ___state___", "test -v ___state____core_1_0_0"),
        (
            "unset ___state___; unset -v '___map___[a]'",
            "unset ___state____core_1_0_0; unset -v '___map____core_1_0_0[a]'",
        ),
        (
            "read -r ___state___ <<< a; read -ra ___state___",
            "read -r ___state____core_1_0_0 <<< a; read -ra ___state____core_1_0_0",
        ),
        ("printf -v ___state___ a", "printf -v ___state____core_1_0_0 a"),
        ("mapfile -t ___state___", "mapfile -t ___state____core_1_0_0"),
        ("getopts ab: ___state___", "getopts ab: ___state____core_1_0_0"),
        ("f() { local -n ref=___state___; }", "core_1_0_0__f() { local -n ref=___state____core_1_0_0; }"),
        ("declare -p ___state___", "declare -p ___state____core_1_0_0"),
        ("readonly ___state___", "readonly ___state____core_1_0_0"),
        ("echo \"${list[___state___]}\"", "echo \"${list[___state____core_1_0_0]}\""),
        ("___map___[___state___]=1", "___map____core_1_0_0[___state___]=1"),
        ("cat <<EOF\n$___state___\nEOF\n", "cat <<EOF\n$___state____core_1_0_0\nEOF\n"),
        ("echo \"${x:___state___:1}\"", "echo \"${x:___state____core_1_0_0:1}\""),
        ("echo '$___state___'", "echo '$___state___'"),
    ] {
        assert_eq!(renamed(before), after);
    }
}

#[test]
fn a_global_made_in_a_function_is_state_too() {
    let output = transitive("core.set() { ERRCODE=$1; }\ncore.get() { echo \"$ERRCODE\"; }\n");
    assert_eq!(
        text(&output),
        "core_1_0_0.set() { ERRCODE_core_1_0_0=$1; }\ncore_1_0_0.get() { echo \"$ERRCODE_core_1_0_0\"; }\n"
    );
    assert_eq!(output.exports.variables["ERRCODE"], "ERRCODE_core_1_0_0");
}

#[test]
fn interfaces_and_the_shells_own_variables_keep_their_names() {
    for code in [
        "core.set() { REPLY=1; REPLY1=2; REPLY_SHIFT=3; IFS=x; PATH=y; OPTIND=1; XDG_DATA_HOME=z; }\n",
        "export ACME_HOME=/x; echo \"$ACME_HOME\"; ACME_HOME=/y\n",
        "ACME_ROOT=/x; declare -gx ACME_ROOT\n",
        "echo \"$DEBUG\" \"$NO_COLOR\" $1 $@ $# $?\n",
        "x() { local a=1; echo \"$a\"; }\n",
    ] {
        let code = code.replacen("x()", "core.x()", 1);
        let output = transitive(&code);
        assert_eq!(text(&output), code.replace("core.", "core_1_0_0."));
    }
}

#[test]
fn a_setting_with_a_default_is_kept_and_told() {
    let output = transitive(": \"${CORE_LEVEL:=3}\"; CORE_LEVEL=4\n");
    assert_eq!(text(&output), ": \"${CORE_LEVEL:=3}\"; CORE_LEVEL=4\n");
    assert_eq!(output.report.undecided[0].why, Why::LikeSetting);
}

#[test]
fn a_guard_against_unset_variables_does_not_make_state_a_setting() {
    let output = transitive(
        "core.f() { ERR=1; }\ncore.g() { [ -n \"${ERR-}\" ] || [[ -v ERR ]] || echo \"${ERR:+x}\"; }\n",
    );
    assert!(output.report.undecided.is_empty() && output.exports.variables.contains_key("ERR"));
}

#[test]
fn a_variable_whose_name_the_caller_gives_is_left_alone() {
    let code = "core.set() { eval \"$1=1\"; eval \"$1\"=\\\"\\$2\\\"; eval \"${1}_x=1\"; eval \"echo \\$\"$1\"\"; let \"$1=$2\"; }\n";
    assert_eq!(text(&transitive(code)), code.replace("core.", "core_1_0_0."));
}

#[test]
fn a_variables_name_that_is_built_is_told_where_its_beginning_is_that_of_one() {
    for code in [
        "core.f() { printf -v \"STATE_$1\" x; }",
        "core.f() { declare -g \"STATE_$1=x\"; }",
        "core.f() { eval \"STATE_$1=x\"; }",
        "core.f() { local name=\"STATE_$1\"; echo \"${!name}\"; }",
    ] {
        let output = transitive(&format!("STATE_a=1\n{code}\n"));
        let told: Vec<(Why, Choice)> =
            output.report.undecided.iter().map(|doubt| (doubt.why, doubt.choice)).collect();
        assert_eq!(told, [(Why::BuiltName, Choice::Kept)], "{code}");
        // Where no such variable is written, one that is made has one name in all versions, and one that is read is somebody else's.
        let told = transitive(&format!("OTHER_a=1\n{code}\n")).report.undecided;
        let whys: Vec<Why> = told.iter().map(|doubt| doubt.why).collect();
        assert_eq!(whys, if code.contains("${!name}") { vec![] } else { vec![Why::Made] }, "{code}");
    }
}

#[test]
fn a_callers_local_stays_a_callers_local() {
    let code = "core.a() { local flag=; core.b; echo \"$flag\"; }\ncore.b() { flag=yes; }\n";
    let output = transitive(code);
    assert!(text(&output).contains("local flag=;") && text(&output).contains("{ flag=yes; }"));
    assert_eq!(output.report.undecided[0].why, Why::LocalAndGlobal);
    assert_eq!(bash(&format!("{}core_1_0_0.a", text(&output))), "yes\n");
}

#[test]
fn a_local_of_the_same_name_as_a_global_is_renamed_with_it() {
    let code = "level=1\ncore.a() { local level=2; core.b; }\ncore.b() { echo \"$level\"; }\n";
    assert_eq!(bash(&format!("{}core_1_0_0.a; core_1_0_0.b", text(&transitive(code)))), "2\n1\n");
}

#[test]
fn a_list_in_the_manifest_keeps_and_forces_names() {
    let mut subject = subject("core", Some("1.0.0"));
    subject.keep = vec!["core.hook".into(), "SHARED".into()];
    subject.state = vec!["REPLY_X".into()];
    let output = rename(file("core.hook() { SHARED=1; REPLY_X=2; }\n"), &subject, &[]);
    assert_eq!(text(&output), "core.hook() { SHARED=1; REPLY_X_core_1_0_0=2; }\n");
}

#[test]
fn a_variable_for_one_command_is_told_unless_the_command_is_ours() {
    assert_eq!(renamed("___state___=1 core.f"), "___state____core_1_0_0=1 core_1_0_0.f");
    assert_eq!(renamed("___state___=1 make"), "___state___=1 make");
    assert_eq!(doubts("___state___=1 make")[0].1, Why::ForOneCommand);
}

#[test]
fn a_direct_dependency_keeps_its_names_and_reaches_its_own_version() {
    let core = transitive("core.f() { ERR=$1; }\n");
    let dependency = Dependency {
        name: "acme/core".into(),
        slugs: vec!["core".into()],
        mark: Some(version_mark("1.0.0")),
        exports: core.exports,
        under_test: false,
    };
    let code = "term.a() { core.f x; echo \"$ERR\"; core.gone; \"core.$x\"; core_x.f; }\n";
    let output = rename(file(code), &subject("term", None), &[dependency]);
    assert_eq!(
        text(&output),
        "term.a() { core_1_0_0.f x; echo \"$ERR_core_1_0_0\"; core_1_0_0.gone; \"core_1_0_0.$x\"; core_x.f; }\n"
    );
    let whys: Vec<Why> = output.report.undecided.iter().map(|doubt| doubt.why).collect();
    assert_eq!(whys, [Why::NotDefined]);
    assert!(output.exports.functions.is_empty());
}

#[test]
fn a_variable_that_a_dependency_fills_for_its_caller_is_renamed_with_it() {
    let code = "core.parse() { args=([a]=\"$1\"); line=x; }\n";
    let core = transitive(code);
    let dependency = Dependency {
        name: "acme/core".into(),
        slugs: vec!["core".into()],
        mark: Some(version_mark("1.0.0")),
        exports: core.exports.clone(),
        under_test: false,
    };
    let code =
        "term.a() { local -A args=(); local line; line=mine; core.parse 7; echo \"${args[a]} $line\"; }\n";
    let output = rename(file(code), &subject("term", None), &[dependency]);
    assert_eq!(bash(&format!("{}{}term.a", text(&core), text(&output))), "7 mine\n");
    let told: Vec<(Why, Choice)> =
        output.report.undecided.iter().map(|doubt| (doubt.why, doubt.choice)).collect();
    assert_eq!(told, [(Why::Shared, Choice::Renamed), (Why::Shared, Choice::Kept)]);
}

#[test]
fn a_function_of_a_dependency_that_is_defined_anew_replaces_it_as_before() {
    let core = transitive("core.f() { echo core; }\ncore.g() { core.f; }\n");
    let dependency = Dependency {
        name: "acme/core".into(),
        slugs: vec!["core".into()],
        mark: Some(version_mark("1.0.0")),
        exports: core.exports.clone(),
        under_test: false,
    };
    let output = rename(file("core.f() { echo mine; }\ncore.g\n"), &subject("term", None), &[dependency]);
    assert_eq!(bash(&format!("{}{}", text(&core), text(&output))), "mine\n");
    assert_eq!(output.report.undecided[0].why, Why::Overrides);
}

#[test]
fn a_suite_that_defines_a_function_of_its_package_anew_replaces_it_as_before() {
    let core = transitive("setup() { :; }\nfetch() { echo real; }\ncore.f() { fetch; }\n");
    let dependency = Dependency {
        name: "acme/core".into(),
        slugs: vec!["core".into()],
        mark: Some(version_mark("1.0.0")),
        exports: core.exports.clone(),
        under_test: true,
    };
    let suite = "setup() { fetch() { echo mock; }; }\nsetup; core.f\n";
    let output = rename(file(suite), &subject("weir_suite", None), &[dependency]);
    assert_eq!(bash(&format!("{}{}", text(&core), text(&output))), "mock\n", "{}", text(&output));
    // A test in Bats is no function of any name.
    let dependency =
        Dependency { exports: transitive("t() { :; }\n").exports, under_test: true, ..Dependency::default() };
    let bats = SourceFile { path: "tests/a.bats".into(), bytes: b"@test \"t\" {\n\tt\n}\n".to_vec() };
    let suite = rename(vec![bats], &subject("weir_suite", None), &[dependency]);
    assert_eq!(text(&suite), "@test \"t\" {\n\tcore_1_0_0__t\n}\n");
    // What the runner calls keeps its name.
    assert!(text(&output).starts_with("setup() {"), "{}", text(&output));
    assert_eq!(output.report.undecided[0].why, Why::Overrides);
}

#[test]
fn an_element_that_is_unset_is_no_function() {
    let code = "core.list() { :; }\nlist() { :; }\nf() { local -A list=([a]=1 [b]=2); local k=a; unset list[\"$k\"]; unset list[$k]; echo \"${!list[@]}\"; }\n";
    assert_eq!(bash(&format!("{}core_1_0_0__f", text(&transitive(code)))), "b\n");
}

#[test]
fn a_name_with_braces_is_one_name() {
    let output = transitive("function core/a:{b}/c { echo c; }\nf() { core/a:{b}/c; }\n");
    assert_eq!(bash(&format!("{}core_1_0_0__f", text(&output))), "c\n", "{}", text(&output));
}

#[test]
fn a_name_that_ends_in_punctuation_is_told_where_it_cannot_be_decided() {
    let told = transitive("var:() { :; }\nx=\"use var: it\"\n").report.undecided;
    let told: Vec<&str> = told.iter().map(|doubt| doubt.text.as_str()).collect();
    assert_eq!(told, ["var:"]);
}

#[test]
fn a_command_that_runs_another_is_passed_by() {
    assert_eq!(
        renamed("run helper a; run ! -1 helper; assert core.f"),
        "run core_1_0_0__helper a; run ! -1 core_1_0_0__helper; assert core_1_0_0.f"
    );
}

#[test]
fn a_dependency_that_keeps_its_names_changes_nothing() {
    let dependency =
        Dependency { name: "acme/core".into(), slugs: vec!["core".into()], ..Dependency::default() };
    let code = "term.a() { core.f x; \"core.$x\"; }\r\n# é\n";
    let output = rename(file(code), &subject("term", None), &[dependency]);
    assert_eq!(text(&output), code);
}

#[test]
fn bytes_outside_the_changes_stay_as_they_are() {
    let bytes = b"core.f() {\r\n\techo \"\xff\xfe\" # \xe9\r\n}\r\ncore.f\r\n".to_vec();
    let files = vec![SourceFile { path: "a.sh".into(), bytes }];
    let output = rename(files, &subject("core", Some("1.0.0")), &[]);
    assert_eq!(
        output.files[0].bytes,
        b"core_1_0_0.f() {\r\n\techo \"\xff\xfe\" # \xe9\r\n}\r\ncore_1_0_0.f\r\n"
    );
}

#[test]
fn a_binary_among_scripts_is_left_and_told() {
    let files = vec![SourceFile { path: "tool".into(), bytes: b"\x7fELF\0core.f".to_vec() }];
    let output = rename(files.clone(), &subject("core", Some("1.0.0")), &[]);
    assert_eq!(output.files[0].bytes, files[0].bytes);
    assert_eq!(output.report.unread.len(), 1);
}

#[test]
fn renaming_twice_is_renaming_once() {
    let once = transitive("core.f() { helper; }\nhelper() { STATE=1; }\n");
    let twice = rename(once.files.clone(), &subject("core", Some("1.0.0")), &[]);
    assert_eq!(twice.files[0].bytes, once.files[0].bytes);
}

#[test]
fn a_program_defines_for_itself_and_what_it_does_counts_only_where_the_library_is() {
    let told = |program: &str| {
        let file = |path: &str, text: &str| SourceFile { path: path.into(), bytes: text.as_bytes().to_vec() };
        let files = vec![file("lib/core.sh", "core.f() { :; }\nhelper() { :; }\n"), file("run", program)];
        let subject = Subject { programs: ["run".to_owned()].into(), ..subject("core", Some("1.0.0")) };
        let output = rename(files, &subject, &[]);
        let whys: Vec<Why> = output.report.undecided.iter().map(|doubt| doubt.why).collect();
        (String::from_utf8(output.files[1].bytes.clone()).unwrap(), whys)
    };
    let alone = "usage() { echo \"$FUNCNAME\"; }\nSTATE=1\ndeclare x\nsource ~/.config\neval \"$1\"\n\"cmd_$2\"; usage\n";
    assert_eq!(told(alone), (alone.to_owned(), vec![]));
    let (after, whys) = told("usage() { core.f; helper; }\nusage; eval \"$1\"\n");
    assert_eq!(after, "usage() { core_1_0_0.f; core_1_0_0__helper; }\nusage; eval \"$1\"\n");
    assert_eq!(whys, [Why::UnknownCode]);
    assert_eq!(told("source \"$here/lib/core.sh\"; eval \"$1\"\n").1, [Why::UnknownCode]);
}

#[test]
fn definitions_are_found_across_files() {
    let file = |path: &str, text: &str| SourceFile { path: path.into(), bytes: text.as_bytes().to_vec() };
    let files = vec![file("a.sh", "helper\n"), file("b.sh", "helper() { :; }\n")];
    let output = rename(files, &subject("core", Some("1.0.0")), &[]);
    assert_eq!(output.files[0].bytes, b"core_1_0_0__helper\n");
}

#[test]
fn a_top_level_declare_becomes_global_even_when_sourced_in_a_function() {
    let output = rename(
        file("declare -A map=([a]=1)\nterm.a() { declare x=1; echo \"${map[a]}\"; }\n"),
        &subject("term", None),
        &[],
    );
    assert_eq!(text(&output), "declare -g -A map=([a]=1)\nterm.a() { declare x=1; echo \"${map[a]}\"; }\n");
    assert_eq!(bash(&format!("load() {{\n{}\n}}\nload; term.a", text(&output))), "1\n");
}

#[test]
fn a_file_that_cannot_be_read_whole_is_left_alone_and_one_line_tells_so() {
    let code = "core.f() { :; }\ncore.f\nif then )\necho ((\n";
    let output = transitive(code);
    assert_eq!(text(&output), code);
    assert_eq!((output.report.unread.len(), output.report.unread[0].place.line), (1, 3));
    let told: Vec<(Why, Choice)> =
        output.report.undecided.iter().map(|doubt| (doubt.why, doubt.choice)).collect();
    assert_eq!(told, [(Why::UnreadFile, Choice::Kept)]);
}

const COUNTER: &str = r#"
declare -A ___table___=()
core.init() { COUNT=0; ___stack___=(); }
core.add() {
	COUNT=$((COUNT + $1)); ___stack___+=("$1"); ___table___["$1"]=VERSION
	local name=; printf -v name '%q' "core.private.handler_${1}"
	eval "$name() { core.show \"\$1\"; }"
	"$name" "VERSION"
}
core.show() { local -n all=___stack___; printf '%s %s %s %s\n' "$1" "$COUNT" "${#all[@]}" "${___table___[3]+3}${___table___[4]+4}${___table___[9]+9}"; }
core.each() { local fn; for fn in core.show; do "$fn" each; done; }
"#;

#[test]
fn two_versions_in_one_shell_keep_their_functions_and_their_state_apart() {
    let at = |version: &str| {
        let code = COUNTER.replace("VERSION", &format!("v{version}"));
        text(&rename(file(&code), &subject("core", Some(version)), &[]))
    };
    let script = format!(
        "set -euo pipefail\n{}\n{}\n{}\n",
        at("1.0.0"),
        at("2.0.0"),
        "core_1_0_0.init; core_2_0_0.init; core_1_0_0.add 3; core_1_0_0.add 4; core_2_0_0.add 9; core_1_0_0.each; ! declare -F core.show"
    );
    assert_eq!(bash(&script), "v1.0.0 3 1 3\nv1.0.0 7 2 34\nv2.0.0 9 1 9\neach 7 2 34\n");
}

mod any_text {
    use super::{SourceFile, subject};
    use crate::rename::rename;
    use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

    const TOKENS: &[&str] = &[
        "core.f",
        "core.f() {",
        "helper",
        "STATE",
        "STATE=1",
        "$STATE",
        "${STATE",
        "${#STATE[@]}",
        "}",
        "{",
        "(",
        ")",
        "((",
        "))",
        "[[",
        "]]",
        "\"",
        "'",
        "$'",
        "`",
        "$(",
        "\\",
        "\n",
        " ",
        ";",
        "|",
        "<<EOF",
        "<<'EOF'",
        "EOF",
        "\nEOF\n",
        "eval",
        "trap",
        "bash -c",
        "local",
        "declare -A",
        "declare -n",
        "unset",
        "read",
        "if",
        "then",
        "fi",
        "for",
        "do",
        "done",
        "case",
        "in",
        "esac",
        "#",
        "=",
        "+=",
        "[",
        "]",
        "é",
        "\r\n",
        "-v",
        "!",
        "printf -v",
        "\\\n",
        "<(",
        "$((",
        "@test \"x\" {",
        "function core.g",
        "&&",
        "\u{1f600}",
    ];

    /// Whether `short` is `long` with some bytes left out.
    fn is_within(short: &[u8], long: &[u8]) -> bool {
        let mut rest = short.iter();
        let mut next = rest.next();
        for byte in long {
            if Some(byte) == next {
                next = rest.next();
            }
        }
        next.is_none()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn is_never_lost_and_never_a_panic(tokens in proptest::collection::vec(0..TOKENS.len(), 0..60), odd in any::<Vec<u8>>(), place in any::<prop::sample::Index>()) {
            let mut bytes = b"STATE=0; helper() { :; }; core.f() { :; }\n".to_vec();
            for (index, token) in tokens.iter().enumerate() {
                bytes.extend_from_slice(TOKENS[*token].as_bytes());
                if index % 3 == 0 {
                    bytes.push(b' ');
                }
            }
            let at = place.index(bytes.len());
            bytes.splice(at..at, odd.into_iter().filter(|byte| *byte != 0).take(8));
            let files = ["a.sh", "a.bats"].map(|path| SourceFile { path: path.into(), bytes: bytes.clone() });
            let output = rename(files.to_vec(), &subject("core", Some("1.0.0")), &[]);
            for file in output.files {
                prop_assert!(is_within(&bytes, &file.bytes), "{}", String::from_utf8_lossy(&bytes));
            }
        }
    }

    use proptest::prelude::prop;
}

#[test]
fn what_the_grammar_does_not_know_is_told_and_nothing_in_it_changes() {
    for code in [
        "core::ab() { :; }; export -f core::ab",
        "core::ab() { :; }; A=1 core::ab",
        "core.a() { :; }; t_b=1; declare -gA t_m=(); t_m[${t_a}_$t_b]=3; core.a",
        "core.a() { :; }; t_b=1; echo $((${t_b}$t_b)); core.a",
        "core.a() { :; }; t_b=1; echo $(( $t_b$t_b )); core.a",
        "core.a() { :; }; t_b=1; (( t_b${t_n} = 3 )); core.a",
    ] {
        let output = transitive(code);
        assert_eq!(text(&output), code, "no file is half renamed");
        assert_eq!(output.report.unread.len(), 1, "{code}");
        let kept = output.report.undecided.iter().filter(|doubt| doubt.why == Why::UnreadFile);
        assert_eq!(kept.count(), 1, "{code}: {:?}", output.report.undecided);
    }
}
