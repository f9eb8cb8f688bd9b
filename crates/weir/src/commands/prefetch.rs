//! `weir prefetch`: fetch ahead of need.

mod timer;

use std::process::ExitCode;

use clap::Args;
use weir_model::Version;
use weir_prefetch::Why;
use weir_project::{PrefetchOptions, PrefetchReport};
use weir_reach::Offline;

use crate::arguments::DryRun;
use crate::context::Context;
use crate::documents::project::Prefetching;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, Page, bytes, count};

pub(crate) use timer::TimerInstalled;

/// Fetch what this machine is likely to want without a network
///
/// What is likely is told by what the projects of this machine use: newer releases of that, other packages of the same owners, and what most
/// packages need, with all that they need. What is likeliest for its bytes comes first. Nothing is sent anywhere; registries see which packs are fetched.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir prefetch --dry-run",
    "weir prefetch --budget 2GB",
    "weir prefetch --install-timer"
))]
pub(crate) struct Arguments {
    /// Fetch at most so much, such as `500MB` or `2GB`
    #[arg(long, value_name = "SIZE", default_value = "500MB", value_parser = size)]
    budget: u64,
    #[command(flatten)]
    dry_run: DryRun,
    /// Write a systemd timer of yours that does so once a day, when nothing else is to be done; fetch nothing now
    #[arg(long, conflicts_with = "dry_run")]
    install_timer: bool,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.install_timer {
        let session = context.session()?;
        if session.offline {
            return Err(Offline::needs("what the timer starts").into());
        }
        let installed = timer::install(arguments.budget, session.registry.as_deref())?;
        let document = Prefetching::Timer(installed);
        context.output.answer(&document, |page| show(page, &document))?;
        return Ok(ExitCode::SUCCESS);
    }
    let session = context.session()?;
    let options = PrefetchOptions { budget: arguments.budget, dry_run: arguments.dry_run.dry_run };
    let report = weir_project::prefetch(&session, &options)?;
    let document = Prefetching::Fetched(report);
    context.output.act(options.dry_run, &document, |page| show(page, &document))?;
    Ok(ExitCode::SUCCESS)
}

fn show(page: &mut Page, document: &Prefetching) {
    match document {
        Prefetching::Fetched(report) => show_fetched(page, report),
        Prefetching::Timer(installed) => timer::show(page, installed),
    }
}

fn show_fetched(page: &mut Page, report: &PrefetchReport) {
    if report.projects == 0 {
        page.line("No project was installed here yet: what may be wanted is not known");
        return;
    }
    let rows = report.releases.iter().map(|one| {
        let why = match &one.why {
            Why::Update { from, projects } => {
                format!("an update for {}{}", count(*projects, "project"), at(from.as_ref()))
            }
            Why::UpdateBelow { by } => format!("an update for `{by}`"),
            Why::Newest { from, projects } => {
                format!("the newest; {}{}", count(*projects, "project"), at(from.as_ref()))
            }
            Why::SameOwner { owner, projects } => {
                format!("{} packages of `{owner}`", uses(*projects))
            }
            Why::Popular { dependents } => format!("needed by {}", count(*dependents, "package")),
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

fn at(version: Option<&Version>) -> String {
    version.map(|version| format!(" at {version}")).unwrap_or_default()
}

fn uses(projects: usize) -> String {
    let verb = if projects == 1 { "uses" } else { "use" };
    format!("{} {verb}", count(projects, "project"))
}

/// A number of bytes, with or without a unit.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let size: Result<bytesize::ByteSize, _> = text.parse();
    size.map(|size| size.as_u64()).map_err(|_| {
        "a size is a number with a unit such as `MB`, `GB`, `MiB` or `GiB`, for example `500MB`".to_owned()
    })
}
