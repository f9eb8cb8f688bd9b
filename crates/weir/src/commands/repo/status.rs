//! `weir repo status`: how the registry compares with the recipes.

use std::process::ExitCode;

use clap::Args;
use weir_repo::{PackageStanding, Repo, StatusLine};

use crate::commands::building::{self, Pace, Place};
use crate::context::Context;
use crate::documents::building::RepoStatus;
use crate::failure::{self, Exit, Failure};
use crate::help::examples;
use crate::output::{Cell, Page};

/// Compare what the registry offers with what the recipes build
///
/// A package is `outdated` when its recipe, its source, the toolchain or something that it was built with is not
/// what it was: `weir repo update --all` builds those again.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir repo status", "weir repo status --json"))]
pub(crate) struct Arguments {
    /// End with 1 if something is missing or outdated
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let options = building::options(context, project.as_ref(), &arguments.place, &Pace::default())?;
    let status = RepoStatus { packages: Repo::open(&session, project.as_ref(), options)?.status()? };
    context.output.answer(&status, |page| show(page, &status.packages))?;
    let differs =
        |line: &StatusLine| matches!(line.standing, PackageStanding::Missing | PackageStanding::Outdated);
    Ok(if arguments.exit_code && status.packages.iter().any(differs) {
        failure::ending(Exit::Failed)
    } else {
        ExitCode::SUCCESS
    })
}

fn show(page: &mut Page, lines: &[StatusLine]) {
    if lines.is_empty() {
        page.line("There is no recipe, and no built package is offered");
        return;
    }
    let palette = page.palette;
    let row = |line: &StatusLine| {
        let (word, style) = match line.standing {
            PackageStanding::Current => ("current", palette.good),
            PackageStanding::Outdated => ("outdated", palette.notice),
            PackageStanding::Missing => ("missing", palette.bad),
            PackageStanding::WithoutRecipe => ("without recipe", palette.faint),
        };
        let offered = line.offered.as_ref().map(|id| match id.revision {
            0 => id.version.to_string(),
            revision => format!("{} revision {revision}", id.version),
        });
        // Everything is for one platform.
        let platform = line.offered.as_ref().map(|id| format!(" {}", id.platform));
        let because = line.because.clone().unwrap_or_default();
        vec![
            Cell::plain(&line.name),
            Cell::plain(line.recipe.as_ref().map(ToString::to_string).unwrap_or_default()),
            Cell::plain(offered.unwrap_or_default()),
            Cell::new(word, style),
            Cell::plain(platform.map_or(because.clone(), |platform| because.replace(&platform, ""))),
        ]
    };
    let heading = ["package", "recipe", "offered", "standing", "because"];
    page.table(&heading, lines.iter().map(row).collect());
}
