//! `weir batch`: many changes of a registry, all of them or none.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use weir_project::PublishOptions;

use super::receipt;
use crate::arguments::DryRun;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;

/// Carry out many changes of a registry, all of them or none
///
/// The file is TOML: `publish` lists folders, relative to it; `yank`, `unyank`, `quarantine`, `unquarantine` and
/// `remove` list releases, as in `yank = [{ name = "acme/str", version = "1.4.2", reason = "…" }]`.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir batch changes.toml --dry-run"))]
pub(crate) struct Arguments {
    /// The file
    file: PathBuf,
    /// Also have the registry hold the data that references name
    #[arg(long)]
    with_references: bool,
    /// Publish files that are probably secrets, such as `.env` or a private key, all the same
    #[arg(long)]
    allow_secrets: bool,
    #[command(flatten)]
    dry_run: DryRun,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let file = context.path(&arguments.file)?;
    let options = PublishOptions {
        dry_run: arguments.dry_run.dry_run,
        with_references: arguments.with_references,
        allow_secrets: arguments.allow_secrets,
    };
    let report = weir_project::batch(&session, project.as_ref(), &file, &options)?;
    context.output.act(options.dry_run, &report, |page| receipt::show_publication(page, &report))?;
    Ok(ExitCode::SUCCESS)
}
