//! `weir downloads`: how often a package was downloaded.

use std::process::ExitCode;

use clap::Args;
use weir_model::PackageName;
use weir_wire::downloads::{DownloadCounts, PackageDownloads};

use crate::complete;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, Format, Page, write_stdout};

/// Show how often a package was downloaded
///
/// A server counts what it sends: by version, by day (in UTC), and by whether whoever asked was nobody in particular, a user, or a program
/// that is trusted. It does not keep who it was. What comes out of a store or a mirror is not counted.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir downloads acme/str", "weir downloads acme/str --days 365 --csv"))]
pub(crate) struct Arguments {
    /// The package
    #[arg(value_name = "PACKAGE", add = complete::known_packages())]
    package: PackageName,
    /// Of the last days, today among them
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    days: u32,
    /// Print comma-separated values (RFC 4180) for a spreadsheet
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let report = weir_project::downloads(&session, project.as_ref(), &arguments.package, arguments.days)?;
    if arguments.csv && context.output.format != Format::Json {
        write_stdout(&csv_of(&report)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    context.output.answer(&report, |page| show(page, &report))?;
    Ok(ExitCode::SUCCESS)
}

fn show(page: &mut Page, report: &PackageDownloads) {
    page.line(format!("{}, since {}: {}", report.package, report.since, told(&report.total)));
    let rows = report.days.iter().map(|day| {
        let DownloadCounts { anonymous, users, workloads } = day.downloads;
        let numbers = [anonymous, users, workloads].map(|count| Cell::plain(count.to_string()));
        [Cell::plain(day.day.to_string()), Cell::plain(day.version.to_string())]
            .into_iter()
            .chain(numbers)
            .collect()
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        page.table(&["day", "version", "anonymous", "users", "programs"], rows);
    }
}

/// How often, and by whom, in a few words.
pub(super) fn told(counts: &DownloadCounts) -> String {
    let parts =
        [(counts.anonymous, "anonymous"), (counts.users, "by users"), (counts.workloads, "by programs")];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, who)| format!("{count} {who}")).collect();
    let total = crate::output::count(counts.total(), "download");
    if parts.is_empty() { total } else { format!("{total} ({})", parts.join(", ")) }
}

fn csv_of(report: &PackageDownloads) -> Result<Vec<u8>, Failure> {
    let failed = |error: csv::Error| Failure::failed(error.to_string());
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["day", "version", "anonymous", "users", "workloads"]).map_err(failed)?;
    for day in &report.days {
        let DownloadCounts { anonymous, users, workloads } = day.downloads;
        let numbers = [anonymous, users, workloads].map(|count| count.to_string());
        let texts = [day.day.to_string(), day.version.to_string()];
        table.write_record(texts.iter().chain(&numbers)).map_err(failed)?;
    }
    table.into_inner().map_err(|error| Failure::failed(error.to_string()))
}
