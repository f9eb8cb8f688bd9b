//! What is hostile costs no more than its size: four times the text takes about four times as long.

use std::time::{Duration, Instant};

use weir_bash::rename::{SourceFile, Subject, rename};

/// A shape of text that could be made to cost more than its size, `n` times over.
type Shape = (&'static str, fn(usize) -> String);

const SHAPES: &[Shape] = &[
    ("a list of commands", |n| format!("f() {{ {}true; }}\n", "t_a && ".repeat(n))),
    ("a list of assignments", |n| format!("f() {{ {}true; }}\n", "t_x=1 && ".repeat(n))),
    ("a list with tests", |n| format!("f() {{ {}true; }}\n", "[[ -n $t_x ]] && t_y=\"$t_x\" && ".repeat(n))),
    ("commands in commands", |n| format!("{}a{}\n", "t_a $(".repeat(n), ")".repeat(n))),
    ("strings in commands in strings", |n| format!("{}a{}\n", "t_a \"$(".repeat(n), ")\"".repeat(n))),
    ("blocks", |n| format!("{}t_a;{}\n", "{ ".repeat(n), " }".repeat(n))),
    ("subshells", |n| format!("{}t_a{}\n", "( ".repeat(n), " )".repeat(n))),
    ("conditions", |n| format!("{}t_a;{}\n", "if t_a; then ".repeat(n), " fi".repeat(n))),
    ("loops", |n| format!("{}source \"$x\";{}\n", "for x in a b; do ".repeat(n), " done".repeat(n))),
    ("defaults", |n| format!("t_a {}a{}\n", "${x:-".repeat(n), "}".repeat(n))),
    ("sums", |n| format!("t_a $((1{}))\n", "+t_x".repeat(n))),
    ("parentheses of sums", |n| format!("t_a $(({}1{}))\n", "(".repeat(n), ")".repeat(n))),
    ("assignments below a condition", |n| format!("if true; then\n{}fi\n", "t_x=1\n".repeat(n))),
    ("branches", |n| format!("if a; then :;\n{}fi\n", "elif b; then t_x=1\n".repeat(n))),
    ("cases", |n| format!("case $x in\n{}esac\n", "a) t_x=1 ;;\n".repeat(n))),
    ("arguments", |n| format!("t_a {}\n", "t_a ".repeat(n))),
    ("assignments of a command", |n| format!("{} t_a\n", "t_x=1 ".repeat(n))),
    ("printed arguments", |n| format!("echo {} | cat\n", "t_a_$x ".repeat(n))),
    ("elements", |n| format!("t_x=({})\n", "[a]=t_a ".repeat(n))),
    ("pipes", |n| format!("a{}\n", " | t_a".repeat(n))),
    ("declarations", |n| format!("declare {}\n", "t_x=1 ".repeat(n))),
    ("texts that are run", |n| "eval \"$x\"; t_a\n".repeat(n)),
    ("files that are sourced", |n| "source \"$x\"; t_a\n".repeat(n)),
    ("files that a loop sources", |n| {
        format!("for x in {}; do\n{}done\n", "\"$y/a.sh\" ".repeat(n), "source \"$x\"\n".repeat(n))
    }),
    ("names that are listed", |n| "compgen -A function t_\n".repeat(n)),
    ("functions that are called by value", |n| {
        (0..n).map(|i| format!("t_f{i}() {{ local v=t_f{i}; \"$v\"; t_v=t_f{i}; \"$t_v\"; }}\n")).collect()
    }),
    ("functions whose names are built", |n| {
        (0..n).map(|i| format!("t_f{i}() {{ \"$x.y_$z\"; t_f${{i}}; t_f{i}_${{x}}; }}\n")).collect()
    }),
    ("variables", |n| (0..n).map(|i| format!("t_x{i}=1; echo \"${{!t_x@}}\" \"$t_x{i}\"\n")).collect()),
    ("variables whose names are built", |n| {
        (0..n).map(|i| format!("t_x{i}=1; declare \"t_x${{i}}=1\"\n")).collect()
    }),
    ("redirections", |n| format!("{{ t_a; }} {}\n", ">a ".repeat(n))),
    ("here-documents", |n| format!("cat {}\n{}", "<<E ".repeat(n), "t_a\nE\n".repeat(n))),
    ("what never ends", |n| "t_a \"${x:-$(".repeat(n)),
    ("what the grammar does not know", |n| "[[ $x == *.@(a|b)* ]] && t_x=${x:$i:1}\n".repeat(n)),
    ("brackets", |n| format!("t_a {}\n", "[".repeat(n))),
    ("braces", |n| format!("t_a {}\n", "${".repeat(n))),
    ("quotes", |n| format!("t_a {}\n", "\"'`".repeat(n))),
    ("one word", |n| format!("t_a {}\n", "$x".repeat(n))),
    ("aliases", |n| "alias x='t_a $x'\n".repeat(n)),
    ("texts in texts", |n| format!("t_a {}\n", "\"`t_a \\\"$x\\\"`\" ".repeat(n))),
];

fn time(shape: &Shape, n: usize) -> Duration {
    let text = format!("t_a() {{ :; }}\ndeclare -g t_x=\n{}", (shape.1)(n));
    let files = vec![SourceFile { path: "a.sh".into(), bytes: text.into_bytes() }];
    let subject = Subject { slugs: vec!["t".into()], mark: Some("_1_0_0".into()), ..Subject::default() };
    let begun = Instant::now();
    let _ = rename(files, &subject, &[]);
    begun.elapsed()
}

#[test]
fn four_times_the_text_takes_about_four_times_as_long() {
    // Below and above the depth at which a file is left alone.
    for few in [225, 2_000] {
        for shape in SHAPES {
            let short = time(shape, few);
            let long = time(shape, 4 * few);
            // Four times as long is meant; the machine may have other things to do, and a quadratic rule takes sixteen times.
            let most = 9 * short + Duration::from_secs(2);
            assert!(long < most, "{few} of {}: {short:?}, four times as many: {long:?}", shape.0);
        }
    }
}

#[test]
fn a_chain_that_is_longer_than_any_that_people_write_is_told_and_left_alone() {
    let text = format!("t_a() {{ :; }}\n{}true\n", "t_a && ".repeat(40_000));
    let files = vec![SourceFile { path: "a.sh".into(), bytes: text.clone().into_bytes() }];
    let subject = Subject { slugs: vec!["t".into()], mark: Some("_1_0_0".into()), ..Subject::default() };
    let output = rename(files, &subject, &[]);
    assert_eq!(output.files[0].bytes, text.into_bytes());
    let told = output.report.unread[0].to_string();
    assert!(told.contains("nested or chained more than 1000 levels deep"), "{told}");
}
