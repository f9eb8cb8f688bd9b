//! `weir outdated`: which dependencies have newer releases.

use std::process::ExitCode;

use clap::Args;
use weir_model::Version;
use weir_project::Outdated;

use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, Page};

/// Show which dependencies have newer releases
///
/// `wanted` is the newest that `weir.toml` allows, where `weir update` goes; `newest` is the newest
/// of all, where `weir update --full` goes.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir outdated", "weir outdated --exit-code"))]
pub(crate) struct Arguments {
    /// End with exit code 1 if anything is outdated
    #[arg(long)]
    exit_code: bool,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project()?;
    let outdated = weir_project::outdated(&session, &project)?;
    context.output.answer(&outdated, |page| show(page, &outdated))?;
    let exit_code = arguments.exit_code && !outdated.is_empty();
    Ok(if exit_code { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn show(page: &mut Page, outdated: &[Outdated]) {
    if outdated.is_empty() {
        page.line("Everything is at its newest");
        return;
    }
    let palette = page.palette;
    let version =
        |version: &Option<Version>| version.as_ref().map_or_else(|| "–".into(), ToString::to_string);
    let rows = outdated.iter().map(|package| {
        let moves = package.wanted != package.current;
        let current = version(&package.current);
        vec![
            Cell::plain(&package.name),
            Cell::plain(&package.range),
            Cell::new(
                if package.yanked { format!("{current} (yanked)") } else { current },
                if package.yanked { palette.bad } else { palette.faint },
            ),
            Cell::new(version(&package.wanted), if moves { palette.good } else { palette.faint }),
            Cell::new(version(&package.newest), palette.notice),
        ]
    });
    page.table(&["package", "range", "current", "wanted", "newest"], rows.collect());
}
