//! `weir bash check`: what would be in the way of others who use a package.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use weir_bash::check::{Finding, Problem};
use weir_bash::rename::summary;
use weir_project::BashCheck;

use crate::context::Context;
use crate::documents;
use crate::failure::{self, Exit, Failure};
use crate::help::examples;
use crate::output::{Page, count};

/// Tell what is in the way of sharing a shell with a Bash package
///
/// Every place that renaming could not decide, with file, line and the choice made; functions that do not
/// begin with the slug; commands that run when a file is sourced; what could not be read. Fails if the manifest
/// names what is not there or a file could not be read.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir bash check", "weir bash check libs/str"))]
pub(crate) struct Arguments {
    /// The package's folder; the current one where nothing is said
    folder: Option<PathBuf>,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let folder = match &arguments.folder {
        Some(folder) => context.path(folder)?,
        None => context.project_folder()?,
    };
    let check = weir_project::bash_check(&folder)?;
    let findings: Vec<_> = check.checked.findings.iter().map(line).collect();
    let report = &check.checked.report;
    let document = documents::project::BashCheck {
        files: check.files,
        findings,
        undecided: report.undecided.clone(),
        definitions: report.definitions.len(),
        uses: report.uses.len(),
    };
    context.output.answer(&document, |page| show(page, &check, &document.findings))?;
    let broken = |finding: &Finding| matches!(finding.what, Problem::Missing | Problem::Unread);
    let is_broken = check.checked.findings.iter().any(broken);
    Ok(if is_broken { failure::ending(Exit::Failed) } else { ExitCode::SUCCESS })
}

fn show(page: &mut Page, check: &BashCheck, findings: &[String]) {
    for line in findings {
        page.line(line);
    }
    let report = &check.checked.report;
    for line in summary(&report.undecided) {
        page.line(line);
    }
    page.line(format!(
        "{}: {} and {} get names of their own where it is not a direct dependency, {} could not be decided",
        count(check.files, "file"),
        count(report.definitions.len(), "definition"),
        count(report.uses.len(), "use"),
        count(report.undecided.len(), "place"),
    ));
    if let Some(installed) = &check.installed {
        page.line(format!("What could not be decided in its dependencies is in `{}`", installed.display()));
    }
}

fn line(finding: &Finding) -> String {
    let place = finding.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    match (finding.what, finding.text.as_str()) {
        (Problem::Missing | Problem::Idle, text) => format!("{place}{text}"),
        (what, "") => format!("{place}{what}"),
        (what, text) => format!("{place}`{text}`: {what}"),
    }
}
