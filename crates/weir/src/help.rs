//! How `--help` looks: colours, the commands in groups, and examples.

use std::fmt::Write as _;

use clap::CommandFactory as _;
use clap::builder::styling::{AnsiColor, Style, Styles};

use crate::{Weir, output};

const HEADING: Style = Style::new().bold();
const LITERAL: Style = AnsiColor::Cyan.on_default().bold();

/// The colours of help pages.
pub(crate) const STYLES: Styles = Styles::styled()
    .header(HEADING)
    .usage(HEADING)
    .literal(LITERAL)
    .placeholder(AnsiColor::Cyan.on_default());

/// What stands below the list of commands.
pub(crate) const AFTERWORD: &str = "\
`weir help COMMAND`, or `weir COMMAND --help`, says more about a command.
`weir demo` shows the whole thing at work in a temporary folder.";

/// The commands by what a person wants to do. A test holds that every command is in one group.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "A project and its dependencies",
        &["init", "add", "remove", "install", "update", "lock", "run", "env", "test", "bash", "elm"],
    ),
    ("Looking", &["tree", "list", "why", "outdated", "audit", "search", "info", "impact", "verify"]),
    (
        "Publishing",
        &[
            "pack",
            "publish",
            "promote",
            "approve",
            "import",
            "yank",
            "unyank",
            "quarantine",
            "unquarantine",
            "unpublish",
            "batch",
            "claim",
        ],
    ),
    ("Packages built from source", &["repo", "build", "sysroot", "root"]),
    ("Registries and the store", &["registry", "policy", "advisory", "storage", "store", "prefetch"]),
    (
        "A server",
        &["serve", "login", "logout", "whoami", "token", "trust", "user", "webhook", "activity", "downloads"],
    ),
    ("Weir itself", &["demo", "completions", "man"]),
];

/// The examples of a command, as they stand at the end of its help.
macro_rules! examples {
    ($($line:literal),+ $(,)?) => {
        concat!("\x1b[1mExamples:\x1b[0m", $("\n  ", $line),+)
    };
}
pub(crate) use examples;

/// Columns before what a command is about, in the overview.
const INDENT: usize = 16;
/// A narrower terminal gets what commands are about on lines of their own.
const NARROW: usize = 60;

/// The command line with all its commands, each described in whole, for a terminal of so many columns.
pub(crate) fn described(columns: usize) -> clap::Command {
    let mut command = Weir::command();
    command.build();
    grouped(command, columns)
}

/// Replaces clap's one long list of commands by groups, for a terminal of so many columns.
fn grouped(command: clap::Command, columns: usize) -> clap::Command {
    let indent = if columns < NARROW { 6 } else { INDENT };
    let mut text = String::from("{about}\n\n{usage-heading} {usage}\n");
    for (title, names) in GROUPS {
        let _ = write!(text, "\n{HEADING}{title}:{HEADING:#}\n");
        for name in *names {
            let Some(subcommand) = command.find_subcommand(name) else { continue };
            let about = subcommand.get_about().map(ToString::to_string).unwrap_or_default();
            let aliases: Vec<_> = subcommand.get_visible_aliases().collect();
            let aliases =
                if aliases.is_empty() { String::new() } else { format!(", {}", aliases.join(", ")) };
            let _ = write!(text, "  {LITERAL}{name}{LITERAL:#}{aliases}");
            let used = 2 + name.len() + aliases.len();
            let mut gap = " ".repeat(indent.saturating_sub(used).max(1));
            if columns < NARROW {
                gap = format!("\n{}", " ".repeat(indent));
            }
            for line in output::wrapped(&about, columns.saturating_sub(indent)) {
                let _ = write!(text, "{gap}{line}");
                gap = format!("\n{}", " ".repeat(indent));
            }
            text.push('\n');
        }
    }
    let _ = write!(text, "\n{HEADING}Options:{HEADING:#}\n{{options}}{{after-help}}");
    command.help_template(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::{GROUPS, described};
    use crate::Weir;

    #[test]
    fn every_command_is_in_one_group() {
        let command = Weir::command();
        let all: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
        let grouped: Vec<_> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let distinct: BTreeSet<_> = grouped.iter().copied().collect();
        assert_eq!(distinct.len(), grouped.len());
        assert_eq!(distinct, all.into_iter().collect());
    }

    #[test]
    fn the_overview_fits_a_narrow_terminal() {
        const ROOM: usize = 80 - "  completions   ".len();
        for command in described(100).get_subcommands() {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!((1..=ROOM).contains(&about.len()), "{}: {about}", command.get_name());
        }
    }

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        Weir::command().debug_assert();
    }
}
