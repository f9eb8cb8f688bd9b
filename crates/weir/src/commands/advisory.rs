//! `weir advisory …`: what is known against releases of a registry.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::styling::Style;
use clap::{Args, Subcommand};
use weir_index::KnownAdvisory;
use weir_model::PackageName;
use weir_model::advisory::{AdvisoryId, Severity};
use weir_project::{ImportedAdvisories, RegistryAdvisories, ShownAdvisory};
use weir_registry::Intent;

use super::receipt;
use crate::arguments::DryRun;
use crate::complete;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, Page, Palette, count, harmless, harmless_line};

/// Say what is known against releases, and look at it
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    Import(ImportArguments),
    #[command(visible_alias = "ls")]
    List(ListArguments),
    Show(ShowArguments),
    #[command(visible_alias = "rm")]
    Remove(RemoveArguments),
}

pub(crate) fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Import(arguments) => import(context, &arguments),
        Command::List(arguments) => list(context, &arguments),
        Command::Show(arguments) => show(context, &arguments),
        Command::Remove(arguments) => remove(context, arguments),
    }
}

/// Bring advisories into a registry
///
/// They are documents of OSV (schema 1, of the Open Source Security Foundation), which call the ecosystem of these packages `Weir`; what they say of
/// others is passed over. Those that the registry has as they are stay so. If one cannot be understood, none is brought in.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir advisory import ACME-2026-0001.json", "weir advisory import advisories --dry-run"))]
pub(crate) struct ImportArguments {
    /// Files, or folders with `*.json` below them
    #[arg(required = true, value_name = "PATH")]
    from: Vec<PathBuf>,
    #[command(flatten)]
    dry_run: DryRun,
}

/// List the advisories of a registry
#[derive(Debug, Args)]
#[command(after_help = examples!("weir advisory list", "weir advisory list acme/str --all"))]
pub(crate) struct ListArguments {
    /// Only those on this package
    #[arg(value_name = "PACKAGE", add = complete::known_packages())]
    package: Option<PackageName>,
    /// Also those that were removed
    #[arg(long)]
    all: bool,
}

/// Show an advisory: what it says, which releases are affected, who brought it in
#[derive(Debug, Args)]
#[command(after_help = examples!("weir advisory show ACME-2026-0001", "weir advisory show ACME-2026-0001 --json"))]
pub(crate) struct ShowArguments {
    /// What it is called
    id: AdvisoryId,
}

/// Have an advisory count no more
///
/// It is kept, and `weir advisory list --all` shows it. One that came from a registry above does not come again; importing it does.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir advisory remove ACME-2026-0001 --reason 'it is about another package'"))]
pub(crate) struct RemoveArguments {
    /// What it is called
    id: AdvisoryId,
    /// Why, for those who relied on it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

fn import(context: &Context, arguments: &ImportArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let dry_run = arguments.dry_run.dry_run;
    let report = weir_project::advisory_import(&session, project.as_ref(), &arguments.from, dry_run)?;
    context.output.act(dry_run, &report, |page| show_import(page, &report))?;
    Ok(ExitCode::SUCCESS)
}

fn show_import(page: &mut Page, report: &ImportedAdvisories) {
    const SHOWN: usize = 20;
    let (faint, bad) = (page.palette.faint, page.palette.bad);
    let word = if report.dry_run { "Would import" } else { "Imported" };
    let advisories = |number: usize| match number {
        1 => "1 advisory".to_owned(),
        number => format!("{number} advisories"),
    };
    page.line(format!(
        "{word} {} into the registry `{}`",
        advisories(report.imported.len()),
        harmless(&report.registry)
    ));
    let rest = [
        (report.unchanged, "known as it is", "known as they are"),
        (report.passed_over, "about other ecosystems only", "about other ecosystems only"),
    ];
    for (number, one, many) in rest.into_iter().filter(|(number, ..)| *number > 0) {
        let of = count(number, "document");
        page.line(format!("{faint}{of} {}{faint:#}", if number == 1 { one } else { many }));
    }
    for affected in report.affected.iter().take(SHOWN) {
        page.line(format!("{bad}✗{bad:#} `{}` is affected by {}", affected.id, affected.advisory));
    }
    if let Some(more) = report.affected.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        page.line(format!("  {faint}… and {more} more{faint:#}"));
    }
}

fn list(context: &Context, arguments: &ListArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let report =
        weir_project::advisory_list(&session, project.as_ref(), arguments.package.as_ref(), arguments.all)?;
    context.output.answer(&report, |page| show_list(page, &report))?;
    Ok(ExitCode::SUCCESS)
}

fn show_list(page: &mut Page, report: &RegistryAdvisories) {
    if report.advisories.is_empty() {
        return page.line(format!("The registry `{}` knows no advisories", harmless(&report.registry)));
    }
    table(page, &report.advisories);
}

/// Advisories, one a line.
pub(super) fn table(page: &mut Page, advisories: &[KnownAdvisory]) {
    let palette = page.palette;
    let rows = advisories.iter().map(|known| {
        let advisory = &known.advisory;
        let affected = advisory.affected.iter().map(|affected| format!("{} {affected}", affected.name));
        let state = match (&known.dismissed, &advisory.withdrawn) {
            (Some(_), _) => "removed",
            (None, Some(_)) => "withdrawn",
            (None, None) => "",
        };
        vec![
            Cell::new(&advisory.id, palette.name),
            Cell::new(told(advisory.severity), style(palette, advisory.severity)),
            Cell::plain(affected.collect::<Vec<_>>().join("; ")),
            Cell::new(state, palette.notice),
            Cell::new(advisory.summary.as_deref().unwrap_or_default(), palette.faint),
        ]
    });
    let rows = rows.collect();
    page.table(&[], rows);
}

/// How bad it is, in a word.
pub(super) fn told(severity: Option<Severity>) -> &'static str {
    severity.map_or("unknown", Severity::as_str)
}

fn style(palette: Palette, severity: Option<Severity>) -> Style {
    match severity {
        None | Some(Severity::Critical | Severity::High) => palette.bad,
        Some(Severity::Medium) => palette.notice,
        Some(Severity::Low) => palette.faint,
    }
}

fn show(context: &Context, arguments: &ShowArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let report = weir_project::advisory_show(&session, project.as_ref(), &arguments.id)?;
    context.output.answer(&report, |page| show_one(page, &report))?;
    Ok(ExitCode::SUCCESS)
}

fn show_one(page: &mut Page, report: &ShownAdvisory) {
    let known = &report.advisory;
    let advisory = &known.advisory;
    page.heading(advisory.id.as_str());
    if let Some(summary) = &advisory.summary {
        page.paragraph(summary);
    }
    if let Some(dismissed) = &known.dismissed {
        let reason = dismissed.reason.as_deref().unwrap_or("no reason was given");
        page.line(format!(
            "It counts no more, by {}: {}",
            harmless(&dismissed.mark.by),
            harmless_line(reason)
        ));
    } else if let Some(at) = &advisory.withdrawn {
        page.line(format!("Its authors took it back on {at}"));
    }
    page.blank();
    let from = known.from.as_ref().map(|from| format!(", from the registry `{from}`")).unwrap_or_default();
    let mut facts = vec![
        ("severity", told(advisory.severity).to_owned()),
        ("aliases", advisory.aliases.join(", ")),
        ("modified", advisory.modified.to_string()),
        ("imported", format!("{} by {}{from}", known.mark.at, known.mark.by)),
        ("document", advisory.document.to_string()),
    ];
    let affected = advisory.affected.iter().map(|affected| format!("{} {affected}", affected.name));
    facts.push(("affected", affected.collect::<Vec<_>>().join("; ")));
    page.facts(&facts);
    let bad = page.palette.bad;
    for id in &report.affected {
        page.line(format!("{bad}✗{bad:#} `{id}`"));
    }
    if report.affected.is_empty() {
        page.line("No release of the registry is affected");
    }
}

fn remove(context: &Context, arguments: RemoveArguments) -> Result<ExitCode, Failure> {
    let dismiss = Intent::Dismiss { id: arguments.id, reason: arguments.reason };
    receipt::carry_out(context, vec![dismiss], &arguments.dry_run)
}
