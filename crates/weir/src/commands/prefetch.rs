//! `weir prefetch`: fetch ahead of need.

use std::process::ExitCode;

use clap::Args;
use weir_project::{PrefetchOptions, PrefetchReport, Why};

use crate::arguments::DryRun;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, Page, bytes, count};

/// Fetch what this machine is likely to want without a network
///
/// That is guessed from what the projects of this machine use: newer releases of that, and other packages of the same owners, with all that they
/// need. What is wanted most for its bytes comes first. Nothing is sent anywhere; registries see which packs are fetched.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir prefetch --dry-run", "weir prefetch --budget 2GB"))]
pub(crate) struct Arguments {
    /// Fetch at most so much, such as `500MB` or `2GB`
    #[arg(long, value_name = "SIZE", default_value = "500MB", value_parser = size)]
    budget: u64,
    #[command(flatten)]
    dry_run: DryRun,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let options = PrefetchOptions { budget: arguments.budget, dry_run: arguments.dry_run.dry_run };
    let report = weir_project::prefetch(&session, &options)?;
    context.output.act(options.dry_run, &report, |page| show(page, &report))?;
    Ok(ExitCode::SUCCESS)
}

fn show(page: &mut Page, report: &PrefetchReport) {
    if report.projects == 0 {
        page.line("No project was installed here yet: what may be wanted is not known");
        return;
    }
    let rows = report.releases.iter().map(|one| {
        let why = match &one.why {
            Why::Update { from, projects } => {
                format!("{} at {from}", count(*projects, "project"))
            }
            Why::Newest { from, projects } => {
                format!("the newest; {}, at most at {from}", count(*projects, "project"))
            }
            Why::SameOwner { owner, projects } => {
                format!("{} packages of `{owner}`", uses(*projects))
            }
            Why::NeededBy { release } => format!("needed by `{release}`"),
        };
        vec![Cell::plain(one.release.to_string()), Cell::plain(bytes(one.bytes)), Cell::plain(why)]
    });
    page.table(&[], rows.collect());
    let (number, size) = (count(report.releases.len(), "release"), bytes(report.bytes));
    page.line(match (report.releases.len(), report.dry_run) {
        (0, _) if report.beyond > 0 => "Nothing to fetch within the budget".to_owned(),
        (0, _) => "Nothing to fetch: what is likely to be wanted is here".to_owned(),
        (_, true) => format!("Would fetch {number} ({size})"),
        (_, false) => format!("Fetched {number} ({size})"),
    });
    if report.beyond > 0 {
        page.line(format!("{} more would not fit into {}", report.beyond, bytes(report.budget)));
    }
}

fn uses(projects: usize) -> String {
    let verb = if projects == 1 { "uses" } else { "use" };
    format!("{} {verb}", count(projects, "project"))
}

/// A number of bytes, with or without a unit.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || "a size is a number and `kB`, `MB` or `GB`, such as `500MB`".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).ok_or_else(wrong)
}
