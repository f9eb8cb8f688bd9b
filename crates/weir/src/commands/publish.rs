//! `weir publish`: offer releases in a registry.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use weir_project::PublishOptions;

use super::receipt;
use crate::arguments::DryRun;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;

/// Publish packages, all of them together or none
///
/// Content is uploaded first. Then the registry checks that what each package needs is there, fixes
/// the dependencies that are not fluid to what it offers now, and shows everything under one new
/// checkpoint. Repeating it is harmless.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir publish",
    "weir publish --dry-run",
    "weir publish str term greet     three packages that need each other",
))]
pub(crate) struct Arguments {
    /// The packages' folders; the project's own where nothing is said
    #[arg(value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// Also have the registry hold the data that references name
    #[arg(long)]
    with_references: bool,
    #[command(flatten)]
    dry_run: DryRun,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let mut folders = Vec::new();
    for folder in &arguments.folders {
        folders.push(context.path(folder)?);
    }
    if folders.is_empty() {
        folders.push(context.project()?.folder);
    }
    let options =
        PublishOptions { dry_run: arguments.dry_run.dry_run, with_references: arguments.with_references };
    let report = weir_project::publish(&session, &folders, &options)?;
    context.output.show(&report, |page| receipt::show_publication(page, &report))?;
    Ok(ExitCode::SUCCESS)
}
