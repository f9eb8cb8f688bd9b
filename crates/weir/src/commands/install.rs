//! `weir install`: bring what the project needs, exactly as locked.

use std::process::ExitCode;

use clap::Args;
use weir_project::{InstallOptions, InstallReport};

use super::changes;
use crate::arguments::Installing;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Page, bytes, count};

/// Install what `weir.toml` asks for, as `weir.lock` has it
///
/// What the lockfile does not settle is resolved, and the lockfile is written last. Releases are
/// unpacked once for all projects of a machine and linked from there.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir install",
    "weir install --locked           in continuous integration: fail if weir.lock is not up to date",
    "weir install --offline          with what is cached, or a list of what is missing",
))]
pub(crate) struct Arguments {
    /// Fail if the lockfile is missing or does not match `weir.toml`, instead of changing it
    #[arg(long)]
    locked: bool,
    #[command(flatten)]
    installing: Installing,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session_for(arguments.installing.platform.platform.as_ref())?;
    let options = options(&arguments.installing, arguments.locked);
    let folder = context.project_folder()?;
    let report = weir_project::install(&session, &folder, &options)?;
    context.output.show(&report, |page| show(page, &report))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn options(installing: &Installing, locked: bool) -> InstallOptions {
    InstallOptions { locked, dry_run: installing.dry_run.dry_run, with_dev: !installing.no_dev }
}

/// What was installed; also the end of what `add`, `remove` and `update` say.
pub(super) fn show(page: &mut Page, report: &InstallReport) {
    let packages = count(report.packages, "package");
    let (fetched, size) = (report.fetched.len(), bytes(report.fetched_bytes));
    page.line(match (report.nothing_to_do, report.dry_run, fetched) {
        (true, _, _) => format!("Nothing to do: {packages} in place"),
        (_, true, 0) => format!("Would use {packages}"),
        (_, true, fetched) => format!("Would use {packages}, fetching {fetched} ({size})"),
        (_, false, 0) => format!("Installed {packages}"),
        (_, false, fetched) => format!("Installed {packages}, {fetched} fetched ({size})"),
    });
    changes::show(page, &report.changes);
}
