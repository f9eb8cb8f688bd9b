//! Text from outside reaches no terminal as it is: not in excerpts of files, not in names, not in JSON.

use crate::empty;

/// Sets a window's title, clears the screen, rings, and turns the direction of what follows.
const COMMANDS: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}2J\u{202e}\u{200b}";

fn assert_harmless(text: &str) {
    let bad = |character: &char| {
        (character.is_control() && *character != '\n') || matches!(character, '\u{200b}' | '\u{202e}')
    };
    assert_eq!(text.chars().find(bad), None, "{text:?}");
}

#[test]
fn an_excerpt_of_a_manifest_or_a_lockfile_commands_no_terminal() {
    let t = empty();
    for file in ["weir.toml", "weir.lock"] {
        for broken in
            [format!("a = [ {COMMANDS}\n"), format!("# {COMMANDS}\nb = \n"), format!("\"{COMMANDS}\" = 1")]
        {
            t.write("app/weir.toml", "[package]\n");
            t.write(format!("app/{file}"), broken);
            for command in ["list", "--json list"] {
                let run = t.weir(command);
                assert_ne!(run.code, 0, "{run}");
                assert_harmless(&run.stderr);
                assert_harmless(&run.stdout);
            }
        }
    }
}

#[test]
fn arguments_that_are_quoted_command_no_terminal() {
    let t = empty();
    for command in [format!("add {COMMANDS}"), COMMANDS.to_owned(), format!("add a/b@{COMMANDS}")] {
        let run = t.weir(&command);
        assert_ne!(run.code, 0, "{run}");
        assert_harmless(&run.stderr);
    }
}

#[test]
fn the_place_in_an_excerpt_is_still_the_right_one() {
    let t = empty();
    t.write("app/weir.toml", "# \u{202e}\u{200b}\r\n[package]\r\nnmae = \"a/b\"\r\n");
    let run = t.weir("list");
    assert!(run.stderr.contains("nmae = \"a/b\""), "{run}");
    assert!(run.stderr.contains("weir.toml:3"), "{run}");
    assert_harmless(&run.stderr);
}
