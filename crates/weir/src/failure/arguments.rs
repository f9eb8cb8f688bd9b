//! Mistakes in the arguments, told as everything else is that goes wrong.

use std::error::Error as _;
use std::num::{IntErrorKind, ParseIntError};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Failure;
use crate::{help, output};

/// What clap found, in Weir's words.
pub(super) fn failure(error: &clap::Error) -> Failure {
    let called = called(error);
    let failure = Failure::usage(message(error, called.as_deref().unwrap_or("weir")));
    match (suggested(error), called) {
        (Some(meant), _) => failure.with_help(format!("did you mean `{meant}`?")),
        (None, Some(called)) => {
            let help = format!("`{called} --help` says how it is called");
            let commands = if is_without_command(error) { commands_of(&called) } else { Vec::new() };
            failure.with_help(match commands.is_empty() {
                true => help,
                false => format!("there are: {}; {help}", commands.join(", ")),
            })
        }
        // A value that is refused says itself why.
        (None, None) => failure,
    }
}

fn message(error: &clap::Error, called: &str) -> String {
    let argument = text(error, ContextKind::InvalidArg).unwrap_or_default();
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            format!("`{called}` has no option `{argument}`")
        }
        ErrorKind::UnknownArgument => format!("`{called}` has no use for `{argument}`"),
        ErrorKind::InvalidSubcommand => {
            let command = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("`{called}` has no command `{command}`")
        }
        _ if is_without_command(error) => format!("`{called}` needs a command"),
        ErrorKind::MissingRequiredArgument => format!("`{called}` needs `{argument}`"),
        ErrorKind::InvalidValue if value.is_empty() => format!("`{argument}` needs a value"),
        ErrorKind::InvalidValue => {
            let known = text(error, ContextKind::ValidValue);
            let known =
                known.map(|known| format!("; there are: {}", known.replace('`', ""))).unwrap_or_default();
            format!("`{value}` is no value of `{argument}`{known}")
        }
        ErrorKind::ValueValidation => {
            let why = error.source().map(|why| format!(": {}", why_not(why))).unwrap_or_default();
            format!("`{value}` is no value of `{argument}`{why}")
        }
        ErrorKind::ArgumentConflict => match text(error, ContextKind::PriorArg) {
            Some(other) if other == argument => format!("`{argument}` is given twice"),
            Some(other) => format!("`{argument}` does not go with `{other}`"),
            None => format!("`{argument}` does not go with the rest"),
        },
        ErrorKind::TooManyValues => format!("`{argument}` has no use for `{value}`"),
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".into(),
        _ => first_paragraph(error),
    }
}

/// Why a value is none, with what is wanted: what the standard library says of numbers names only what it stumbled over.
fn why_not(error: &(dyn std::error::Error + 'static)) -> String {
    match error.downcast_ref::<ParseIntError>().map(ParseIntError::kind) {
        Some(IntErrorKind::PosOverflow) => "the number is too large".to_owned(),
        Some(_) => "a whole number is wanted, such as `3`".to_owned(),
        None => error.to_string(),
    }
}

/// What clap has to say where it says nothing of it in parts.
fn first_paragraph(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    text.split("\n\n").next().unwrap_or(text).trim().replace('\'', "`")
}

/// What was probably meant. Of several, clap has the nearest last.
fn suggested(error: &clap::Error) -> Option<String> {
    let kinds = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    kinds.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::Strings(all) => all.last().cloned(),
        ContextValue::String(one) => Some(one.clone()),
        _ => None,
    })
}

/// A part of what clap knows; several things stand in one pair of backticks each.
fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(one) => Some(one.clone()),
        ContextValue::Strings(all) if !all.is_empty() => Some(all.join("`, `")),
        _ => None,
    }
}

/// Whether nobody said what of a group of commands to do.
fn is_without_command(error: &clap::Error) -> bool {
    let kinds = [ErrorKind::MissingSubcommand, ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand];
    kinds.contains(&error.kind())
}

/// The commands of a group; nothing of the program itself, which has so many that its help groups them.
fn commands_of(group: &str) -> Vec<String> {
    let all = help::described(output::help_width());
    let group = group.split(' ').skip(1).try_fold(&all, |group, name| group.find_subcommand(name));
    let is_all = group.is_none_or(|group| group.get_name() == all.get_name());
    let commands = group.filter(|_| !is_all).into_iter().flat_map(clap::Command::get_subcommands);
    commands.filter(|command| !command.is_hide_set()).map(|command| command.get_name().to_owned()).collect()
}

/// The command that was called: what its usage begins with. Where nobody said what of a group to do, clap has that in its text alone.
fn called(error: &clap::Error) -> Option<String> {
    let usage = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => usage.to_string(),
        _ if is_without_command(error) => {
            error.to_string().lines().find(|line| line.starts_with("Usage:"))?.to_owned()
        }
        _ => return None,
    };
    let words = usage.trim_start_matches("Usage:").split_whitespace();
    let names: Vec<&str> =
        words.take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase())).collect();
    (!names.is_empty()).then(|| names.join(" "))
}
