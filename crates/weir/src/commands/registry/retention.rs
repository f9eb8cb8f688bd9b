//! `weir registry retention …`: what a registry keeps, and what it need not.

use std::process::ExitCode;

use clap::{ArgAction, Args, Subcommand};
use weir_model::record::Retention;
use weir_project::{ReleaseFate, RetentionReport};
use weir_registry::Intent;
use weir_rules::Stays;

use crate::arguments::DryRun;
use crate::commands::receipt;
use crate::context::Context;
use crate::documents::registry::ShownRetention;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, bytes, count, harmless};

/// Say which releases a registry keeps, and have it remove the others
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    Show(ShowArguments),
    Set(SetArguments),
    Run(RunArguments),
}

pub(super) fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Show(_) => show(context),
        Command::Set(arguments) => set(context, arguments),
        Command::Run(arguments) => carry_out(context, &arguments),
    }
}

/// Show what a registry keeps
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {}

/// Say what a registry keeps; with nothing said, everything
///
/// A release that any of these keeps stays. So does, whatever is said, one that something was built with which stays, or that what stays
/// would be resolved to; one that is quarantined; and one that came from a registry above. Nothing is removed before `run`.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir registry retention set --last 5 --days 180",
    "weir registry retention set --offered          only what was yanked may go",
    "weir registry retention set",
))]
pub(crate) struct SetArguments {
    /// Keep what is offered
    #[arg(long, action = ArgAction::SetTrue)]
    offered: bool,
    /// Keep the newest so many of each package and platform
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    last: Option<u32>,
    /// Keep what was published, or downloaded from its server, within so many days
    #[arg(long, value_name = "DAYS")]
    days: Option<u32>,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Remove what a registry does not keep
///
/// Each release goes as a removal in the log, with what the registry keeps as the reason; its version is never given again. Its content
/// goes with `weir registry gc --removed-for`.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry retention run --dry-run", "weir registry retention run"))]
pub(crate) struct RunArguments {
    #[command(flatten)]
    dry_run: DryRun,
}

fn show(context: &Context) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let (registry, rule) = weir_project::retention(&session, project.as_ref())?;
    let shown = ShownRetention { registry, rule };
    context.output.answer(&shown, |page| {
        page.line(format!("The registry `{}` keeps {}", harmless(&shown.registry), shown.rule));
    })?;
    Ok(ExitCode::SUCCESS)
}

fn set(context: &Context, arguments: SetArguments) -> Result<ExitCode, Failure> {
    let SetArguments { offered, last, days, dry_run } = arguments;
    receipt::carry_out(context, vec![Intent::Retain(Retention { offered, last, days })], &dry_run)
}

fn carry_out(context: &Context, arguments: &RunArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let dry_run = arguments.dry_run.dry_run;
    let report = weir_project::retain(&session, project.as_ref(), dry_run)?;
    context.output.act(dry_run, &report, |page| {
        let RetentionReport { registry, rule, releases, removed, bytes: size, .. } = &report;
        page.line(format!("The registry `{}` keeps {rule}", harmless(registry)));
        let (bad, faint) = (page.palette.bad, page.palette.faint);
        let shown = releases.iter().filter(|fate| dry_run || fate.stays.is_none());
        let rows = shown.map(|fate| {
            let (word, style) = if fate.stays.is_some() { ("stays", faint) } else { ("goes", bad) };
            vec![Cell::plain(&fate.id), Cell::new(word, style), Cell::new(why(fate), faint)]
        });
        let rows: Vec<_> = rows.collect();
        if !rows.is_empty() {
            page.table(&[], rows);
        }
        let would = if dry_run { "Would remove" } else { "Removed" };
        page.line(format!("{would} {}, {} of packs", count(*removed, "release"), bytes(*size)));
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Why a release stays, in a few words.
fn why(fate: &ReleaseFate) -> String {
    match &fate.stays {
        None => String::new(),
        Some(Stays::Unruled) => "everything does".into(),
        Some(Stays::Offered) => "is offered".into(),
        Some(Stays::Last) => "is among the last".into(),
        Some(Stays::Recent) => "was published or downloaded lately".into(),
        Some(Stays::Quarantined) => "is quarantined, which is evidence".into(),
        Some(Stays::FromAbove) => "came from a registry above".into(),
        Some(Stays::Needed { by }) => format!("`{by}` needs it"),
    }
}
