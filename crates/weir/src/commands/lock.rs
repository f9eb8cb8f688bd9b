//! `weir lock`: resolve, and write `weir.lock`, without installing.

use std::process::ExitCode;

use clap::Args;
use weir_project::InstallOptions;

use super::changes;
use crate::arguments::{DryRun, ForPlatform};
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::count;

/// Resolve, and write `weir.lock`, without installing
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir lock",
    "weir lock --locked              is weir.lock up to date? Exit code 8 if not",
))]
pub(crate) struct Arguments {
    /// Fail if the lockfile is missing or does not match `weir.toml`, instead of changing it
    #[arg(long, visible_alias = "check")]
    locked: bool,
    #[command(flatten)]
    platform: ForPlatform,
    #[command(flatten)]
    dry_run: DryRun,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session_for(arguments.platform.platform.as_ref())?;
    let mut project = context.project()?;
    let dry_run = arguments.dry_run.dry_run;
    let options = InstallOptions { locked: arguments.locked, dry_run, with_dev: true };
    let report = weir_project::lock(&session, &mut project, &options)?;
    context.output.act(dry_run, &report, |page| {
        let packages = count(report.packages, "package");
        page.line(match (report.changed, dry_run) {
            (false, _) => format!("`weir.lock` is up to date: {packages}"),
            (true, false) => format!("Locked {packages}"),
            (true, true) => format!("Would lock {packages}"),
        });
        changes::show(page, &report.changes);
    })?;
    Ok(ExitCode::SUCCESS)
}
