//! `weir list`: the releases that the lockfile names.

use std::process::ExitCode;

use clap::Args;

use crate::arguments::Whose;
use crate::context::Context;
use crate::documents::looking::InstalledReleases;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::Cell;

/// List the releases that the project uses
#[derive(Debug, Args)]
#[command(after_help = examples!("weir list", "weir list --direct", "weir list --json | jq -r '.releases[].path'"))]
pub(crate) struct Arguments {
    /// Only what `weir.toml` itself names
    #[arg(long)]
    direct: bool,
    #[command(flatten)]
    whose: Whose,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_of(arguments.whose)?;
    let mut releases = weir_project::list(&session, &project)?;
    weir_project::warn_of_quarantined(&session, &project);
    if arguments.direct {
        releases.retain(|release| release.direct);
    }
    let installed = InstalledReleases { releases };
    context.output.answer(&installed, |page| {
        if installed.releases.is_empty() {
            page.line("No package is installed");
        }
        let (faint, notice) = (page.palette.faint, page.palette.notice);
        let row = |release: &weir_project::Installed| {
            vec![
                Cell::plain(&release.id.name),
                Cell::plain(super::changes::version(&release.id)),
                Cell::new(release.kind, faint),
                Cell::new(release.registry.as_deref().unwrap_or_default(), faint),
                Cell::new(
                    if release.path.is_some() { "" } else { "missing: `weir install` brings it" },
                    notice,
                ),
            ]
        };
        page.table(&[], installed.releases.iter().map(row).collect());
    })?;
    Ok(ExitCode::SUCCESS)
}
