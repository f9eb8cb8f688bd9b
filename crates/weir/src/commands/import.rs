//! `weir import`: make a package of somebody's archive.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use weir_model::manifest::{Requirement, Source};
use weir_model::{KindName, PackageName, Range, Scope, Version};
use weir_project::NewPackage;

use crate::arguments::{PackageAtRange, handled_kind};
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::count;

/// Make a package folder of somebody's archive
///
/// It may be a .tar, .tar.gz, .tar.xz, .tar.zst, .tar.bz2, .tgz, .zip, .crate or .whl.
/// Nothing in the archive is run, and nothing is written outside the folder. What an archive must not
/// contain is left out or refused, and said.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir import left-pad-1.3.0.tgz --name npm/left-pad --set-version 1.3.0 --into left-pad",
    "weir import str-1.4.2.tar.gz --name acme/str --set-version 1.4.2 --license MIT --dependency acme/term@^0.6",
))]
pub(crate) struct Arguments {
    /// The archive
    archive: PathBuf,
    /// The package's name
    #[arg(long, value_name = "OWNER/NAME")]
    name: PackageName,
    /// The version of the release
    #[arg(long = "set-version", value_name = "VERSION")]
    version: Version,
    /// The folder to make, with those above it; the package's name where nothing is said
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
    /// What sort of package it is
    #[arg(long, default_value_t, value_parser = handled_kind())]
    kind: KindName,
    /// An SPDX licence expression
    #[arg(long)]
    license: Option<String>,
    /// One line that says what it is
    #[arg(long)]
    description: Option<String>,
    /// A package that it needs; may be repeated
    #[arg(long = "dependency", value_name = "PACKAGE@RANGE")]
    dependencies: Vec<PackageAtRange>,
    /// A command that it offers, and the file that is the command; may be repeated
    #[arg(long, value_name = "COMMAND=FILE", value_parser = command_and_file)]
    bin: Vec<(String, String)>,
    /// How many leading folders of the archive's paths to leave out; the one they all share where nothing is said
    #[arg(long, value_name = "LEVELS")]
    strip: Option<usize>,
}

pub(crate) fn run(context: &Context, arguments: Arguments) -> Result<ExitCode, Failure> {
    let archive = context.path(&arguments.archive)?;
    let into = match &arguments.into {
        Some(folder) => context.path(folder)?,
        None => context.folder()?.join(arguments.name.name()),
    };
    let new = NewPackage {
        name: arguments.name,
        version: arguments.version,
        kind: arguments.kind,
        license: arguments.license,
        description: arguments.description,
        dependencies: arguments.dependencies.into_iter().map(requirement).collect(),
        bin: arguments.bin,
        strip: arguments.strip,
    };
    let report = weir_project::import(&archive, &new, &into)?;
    for note in &report.notes {
        context.output.warn(note);
    }
    context.output.show(&report, |page| {
        page.line(format!("Imported {} into `{}`", count(report.files, "file"), report.folder.display()));
    })?;
    Ok(ExitCode::SUCCESS)
}

fn requirement(package: PackageAtRange) -> Requirement {
    Requirement {
        name: package.name,
        range: package.range.unwrap_or_else(Range::any),
        scope: Scope::Run,
        fluid: false,
        registry: None,
        source: Source::Registry,
        line: 0,
    }
}

fn command_and_file(text: &str) -> Result<(String, String), String> {
    let (command, file) =
        text.split_once('=').ok_or("expected `COMMAND=FILE`, as in `greet=bin/greet.sh`")?;
    Ok((command.to_owned(), file.to_owned()))
}
