//! The words of the command line that more than one command reads, and reading it all.

use std::ffi::{OsStr, OsString};
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, FromArgMatches as _, ValueEnum};
use weir_model::{KindName, PackageName, Platform, Range, Version};
use weir_rules::Standing;

use crate::failure::Failure;
use crate::output::{self, Format, Output};
use crate::{Weir, failure, help};

/// What every command understands.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Shared {
    /// Use no network: only what is synced and cached already
    #[arg(long, global = true)]
    pub(crate) offline: bool,

    /// The registry to use: a name, a folder or an address
    #[arg(long, global = true, value_name = "REGISTRY")]
    pub(crate) registry: Option<String>,

    /// The project's folder, instead of the nearest one at or above here
    #[arg(long, short = 'C', alias = "manifest-path", global = true, value_name = "FOLDER")]
    pub(crate) directory: Option<PathBuf>,

    /// Print the result as one JSON document
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Print what was asked for and errors, but not what is done
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Tell what is done while it is done
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,

    /// When to use colours: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    #[arg(hide_default_value = true, hide_possible_values = true)]
    pub(crate) color: Color,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Also into files and pipes.
    Always,
    /// Not at all.
    Never,
}

/// The platform to resolve for.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ForPlatform {
    /// The platform, such as `x86-64-debian-12`, instead of this machine's
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Option<Platform>,
}

/// Whose packages a command is about.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Whose {
    /// What you installed for yourself with `weir install --global`, instead of what a project uses
    #[arg(long)]
    pub(crate) global: bool,
}

/// Of commands that change something: show the plan instead.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DryRun {
    /// Show what would be done, and do nothing
    #[arg(long, short = 'n')]
    pub(crate) dry_run: bool,
}

/// How commands that install go about it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Installing {
    /// Leave out `[dev-dependencies]`
    #[arg(long)]
    pub(crate) no_dev: bool,
    #[command(flatten)]
    pub(crate) platform: ForPlatform,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
}

/// A package, perhaps with a range: `acme/str` or `acme/str@^1.4`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PackageAtRange {
    pub(crate) name: PackageName,
    pub(crate) range: Option<Range>,
}

/// A package, perhaps with a version: `acme/str` or `acme/str@1.4.2`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PackageMaybeAtVersion {
    pub(crate) name: PackageName,
    pub(crate) version: Option<Version>,
}

/// A version of a package: `acme/str@1.4.2`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PackageAtVersion {
    pub(crate) name: PackageName,
    pub(crate) version: Version,
}

impl FromStr for PackageAtRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, range) = split_at(text);
        Ok(Self { name: parse(name)?, range: range.map(parse).transpose()? })
    }
}

impl FromStr for PackageMaybeAtVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, version) = split_at(text);
        Ok(Self { name: parse(name)?, version: version.map(parse).transpose()? })
    }
}

impl FromStr for PackageAtVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, version) = split_at(text);
        let Some(version) = version else {
            return Err(format!("a version is needed, as in `{name}@1.0.0`"));
        };
        Ok(Self { name: parse(name)?, version: parse(version)? })
    }
}

/// Reads a kind that this program handles, and offers them all to help and to completions.
pub(crate) fn handled_kind() -> impl TypedValueParser<Value = KindName> {
    let names = weir_kinds::KINDS.iter().map(|kind| kind.name().as_str());
    PossibleValuesParser::new(names.collect::<Vec<_>>()).try_map(|text| text.parse::<KindName>())
}

/// Reads any kind.
pub(crate) fn any_kind() -> impl TypedValueParser<Value = KindName> {
    PossibleValuesParser::new(KindName::ALL.map(KindName::as_str)).try_map(|text| text.parse::<KindName>())
}

/// Reads where a package that a search may find stands.
pub(crate) fn found_standing() -> impl TypedValueParser<Value = Standing> {
    PossibleValuesParser::new(Standing::FOUND.map(Standing::as_str)).map(|text| {
        Standing::FOUND.into_iter().find(|standing| standing.as_str() == text).unwrap_or(Standing::Offered)
    })
}

fn split_at(text: &str) -> (&str, Option<&str>) {
    match text.split_once('@') {
        Some((name, rest)) => (name, Some(rest)),
        None => (text, None),
    }
}

fn parse<T: FromStr<Err: ToString>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// Reads the command line. `--help`, `--version` and mistakes are answered here.
pub(crate) fn parse_command_line() -> Result<Weir, ExitCode> {
    let words: Vec<_> = std::env::args_os().collect();
    let words = help_as_a_command(words);
    read(Weir::command(), &words)
        // What is asked for, or wrong, may be about any command: only then all of them are described.
        .or_else(|error| match error.kind() {
            ErrorKind::DisplayVersion => Err(error),
            _ => read(help::described(output::help_width()), &words),
        })
        .map_err(|error| {
            // The command line could not be read, so the one word that matters here is looked for by hand.
            let json = words.iter().skip(1).any(|word| word == "--json");
            let output = Output::before_arguments(if json { Format::Json } else { Format::Text });
            failure::about_arguments(&error, &output)
        })
}

/// Only the command that the words name is described meanwhile: describing all takes longer than all else that `weir install` does
/// where there is nothing to do.
fn read(command: clap::Command, words: &[OsString]) -> Result<Weir, clap::Error> {
    // Never dropped: taking so many commands apart takes its time, and the process ends soon.
    let mut command = ManuallyDrop::new(command);
    command.try_get_matches_from_mut(words).and_then(|mut found| Weir::from_arg_matches_mut(&mut found))
}

/// `weir help add` is `weir add --help`, and `weir help` is `weir --help`; the same behind options that take no value.
fn help_as_a_command(mut words: Vec<OsString>) -> Vec<OsString> {
    const WITHOUT_VALUE: [&str; 6] = ["--json", "-q", "--quiet", "-v", "--verbose", "--offline"];
    let is_option = |word: &OsString| WITHOUT_VALUE.iter().any(|option| word == option);
    let first = words.iter().skip(1).position(|word| !is_option(word)).map(|at| at + 1);
    if let Some(first) = first.filter(|first| words[*first] == OsStr::new("help")) {
        words.remove(first);
        words.push("--help".into());
    }
    words
}

/// What the manifest of a package is to say besides, from the lines that were given.
///
/// # Errors
///
/// When one says what name and tag say.
pub(crate) fn manifest_lines(lines: &[String]) -> Result<Option<String>, Failure> {
    for line in lines {
        let field: String = line.split('=').next().unwrap_or_default().split_whitespace().collect();
        if let Some(said_otherwise) = match field.as_str() {
            "package.name" => Some("`--name`"),
            "package.version" => Some("the tag"),
            _ => None,
        } {
            return Err(Failure::usage(format!(
                "`{field}` is not what `--set` can say: {said_otherwise} says it"
            )));
        }
    }
    Ok((!lines.is_empty()).then(|| lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::{PackageAtRange, PackageAtVersion};

    #[test]
    fn a_range_follows_the_at_sign() {
        let package: PackageAtRange = "acme/str@>=1, <3".parse().unwrap();
        assert_eq!(package.name.as_str(), "acme/str");
        assert_eq!(package.range.unwrap().to_string(), ">=1, <3");
        assert_eq!("acme/str".parse::<PackageAtRange>().unwrap().range, None);
    }

    #[test]
    fn a_missing_version_is_asked_for_with_an_example() {
        let error = "acme/str".parse::<PackageAtVersion>().unwrap_err();
        assert_eq!(error, "a version is needed, as in `acme/str@1.0.0`");
    }
}
