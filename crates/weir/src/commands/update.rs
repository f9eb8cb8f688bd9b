//! `weir update`: move to newer releases.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::Args;
use weir_model::PackageName;
use weir_project::Held;

use super::install;
use crate::arguments::{Installing, Whose};
use crate::complete;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, Page, count, harmless};

/// Move to the newest releases that `weir.toml` allows
///
/// With `--full`, the ranges themselves move to the newest versions first. Comments and order of
/// `weir.toml` stay.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir update",
    "weir update acme/str            leave everything else where it is, as far as possible",
    "weir update --full --dry-run    what would it take to be at the newest of everything?",
))]
pub(crate) struct Arguments {
    /// Only these packages
    #[arg(value_name = "PACKAGE", add = complete::used_packages())]
    names: Vec<PackageName>,
    /// Also move the ranges in `weir.toml` to the newest versions
    #[arg(long, short)]
    full: bool,
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    installing: Installing,
}

/// What was to move and is behind all the same: each that was named, else how many there are.
fn show_held(page: &mut Page, held: &[Held], all: bool, whose: Whose) {
    let packages: BTreeSet<&PackageName> = held.iter().map(|held| &held.name).collect();
    match packages.len() {
        0 => {}
        behind if all => {
            let packages = count(behind, "package");
            let global = if whose.global { " --global" } else { "" };
            page.line(format!(
                "Not at the newest: {packages}; `weir outdated{global}` tells what holds them"
            ));
        }
        _ => held.iter().for_each(|held| page.line(harmless(&held.to_string()))),
    }
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut session = context.session_for(arguments.installing.platform.platform.as_ref())?;
    let mut project = context.project_of(arguments.whose)?;
    let options = install::options(&arguments.installing, false);
    session.looks_only = options.dry_run;
    let report = weir_project::update(&session, &mut project, &arguments.names, arguments.full, &options)?;
    context.output.act(options.dry_run, &report, |page| {
        if !report.ranges.is_empty() {
            let verb = if options.dry_run { "Would move" } else { "Moved" };
            page.line(format!("{verb} in `{}`", project.manifest_name()));
            let notice = page.palette.notice;
            let rows = report.ranges.iter().map(|change| {
                vec![
                    Cell::new(" ~", notice),
                    Cell::plain(&change.name),
                    Cell::plain(format!("{} → {}", change.before, change.after)),
                ]
            });
            page.table(&[], rows.collect());
        }
        let is_still = report.install.changes.is_empty() && report.install.fetched.is_empty();
        if !is_still {
            install::show(page, &report.install);
        } else if report.held.is_empty() {
            page.line(if session.offline || report.unasked.is_some() {
                "Nothing newer is known here"
            } else {
                "Everything is at its newest"
            });
        } else {
            page.line("Nothing moves");
        }
        show_held(page, &report.held, arguments.names.is_empty(), arguments.whose);
        super::outdated::show_kept_out(page, &report.kept_out);
    })?;
    Ok(ExitCode::SUCCESS)
}
