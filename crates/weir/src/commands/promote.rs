//! `weir promote`: bring a release up into another registry.

use std::process::ExitCode;

use clap::Args;
use weir_model::Platform;
use weir_project::Project;
use weir_promote::{Promote, PromotionReport};
use weir_registry::Done;

use crate::arguments::{DryRun, PackageAtVersion};
use crate::complete;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Page, bytes, count};

/// Bring a release, with what it needs, up into another registry
///
/// It is published there as it is here: the same content, fixed to the same, of the same input digest, so that no lockfile changes.
/// The policy of this registry says whether it may go up, that of the other whether it may come in. All of it comes in
/// together, or nothing. Repeating it is harmless, and goes on where it was cut short.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir promote acme/str@1.4.2 --to public --dry-run",
    "weir promote acme/str@1.4.2 --to public --registry team",
))]
pub(crate) struct Arguments {
    /// The release, `owner/name@version`
    #[arg(value_name = "RELEASE", add = complete::known_packages())]
    release: PackageAtVersion,
    /// The registry that it is to go into: a name, a folder or an address; the first of those above where nothing is said
    #[arg(long, value_name = "REGISTRY")]
    to: Option<String>,
    /// Only the release for this platform
    #[arg(long)]
    platform: Option<Platform>,
    /// Only this revision: 0 is the first build of a version, 1 the next
    #[arg(long, value_name = "NUMBER")]
    revision: Option<u32>,
    #[command(flatten)]
    dry_run: DryRun,
}

pub(crate) fn run(context: &Context, arguments: Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let PackageAtVersion { name, version } = arguments.release;
    let Arguments { to, platform, revision, dry_run, .. } = arguments;
    let dry_run = dry_run.dry_run;
    let what = Promote { name, version, platform, revision, to, dry_run };
    let report = weir_promote::promote(&session, project.as_ref().map(Project::registries), &what)?;
    context.output.act(dry_run, &report, |page| show(page, &report))?;
    Ok(ExitCode::SUCCESS)
}

fn show(page: &mut Page, report: &PromotionReport) {
    let palette = page.palette;
    if report.releases.is_empty() {
        for id in &report.already {
            page.line(format!("{}Already so:{:#} `{id}` in `{}`", palette.faint, palette.faint, report.to));
        }
        return;
    }
    let done = |id: &str| {
        let mut outcomes = report.receipt.iter().flat_map(|receipt| &receipt.outcomes);
        outcomes.find(|outcome| outcome.subject == id).map(|outcome| outcome.done)
    };
    for release in &report.releases {
        let (word, style) = match done(&release.id.to_string()) {
            Some(Done::Already) => ("Already so:", palette.faint),
            Some(_) => ("Promoted", palette.good),
            None => ("Would promote", palette.notice),
        };
        page.line(format!("{style}{word}{style:#} `{}`: {}", release.id, bytes(release.size)));
        page.line(format!(
            "  {}from `{}`, its record {}, into `{}`{:#}",
            palette.faint, report.from, release.from.index, report.to, palette.faint
        ));
    }
    if !report.already.is_empty() {
        let there = count(report.already.len(), "release");
        page.line(format!(
            "{}{there} that it needs in `{}` already{:#}",
            palette.faint, report.to, palette.faint
        ));
    }
    if let Some(waits) = &report.waits {
        page.line(format!(
            "{}It would wait:{:#} {}",
            palette.notice,
            palette.notice,
            crate::output::harmless(waits)
        ));
    }
}
