//! Mistakes in the arguments, told as everything else is that goes wrong.

use std::error::Error as _;
use std::num::{IntErrorKind, ParseIntError};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Failure;

/// What clap found, in Weir's words.
pub(super) fn failure(error: &clap::Error) -> Failure {
    let called = called(error);
    let failure = Failure::usage(message(error, called.as_deref().unwrap_or("weir")));
    match (suggested(error), called) {
        (Some(meant), _) => failure.with_help(format!("did you mean `{meant}`?")),
        (None, Some(called)) => failure.with_help(format!("`{called} --help` says how it is called")),
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
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            format!("`{called}` needs a command")
        }
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

/// The command that was called: what its usage begins with.
fn called(error: &clap::Error) -> Option<String> {
    let ContextValue::StyledStr(usage) = error.get(ContextKind::Usage)? else { return None };
    let usage = usage.to_string();
    let words = usage.trim_start_matches("Usage:").split_whitespace();
    let names: Vec<&str> =
        words.take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase())).collect();
    (!names.is_empty()).then(|| names.join(" "))
}
