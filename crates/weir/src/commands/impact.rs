//! `weir impact`: who is affected by a release.

use std::process::ExitCode;

use clap::Args;
use weir_index::{ReachedPackage, Upgrade, Upgrading};
use weir_model::ReleaseId;
use weir_project::ImpactReport;
use weir_rules::Standing;

use crate::arguments::PackageMaybeAtVersion;
use crate::complete;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, Page, count, harmless};

/// Show what needs a release, directly or through others
///
/// Tells everything in the registry that reaches it, and by which way; and what the packages that need it directly would do about
/// that version: take it, take it when they are published anew, or refuse it by their range. The version need not be there for that.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir impact acme/str@1.4.2   who has it, if it turns out to be bad",
    "weir impact acme/str@2.0.0   who would take it, if it were published",
))]
pub(crate) struct Arguments {
    /// The package, perhaps with a version; all of its releases without one
    #[arg(value_name = "PACKAGE", add = complete::known_packages())]
    package: PackageMaybeAtVersion,
    /// How many packages to show of each sort
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    limit: usize,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let package = &arguments.package;
    let report = weir_project::impact(&session, project.as_ref(), &package.name, package.version.as_ref())?;
    context.output.answer(&report, |page| show(page, &report, arguments.limit))?;
    Ok(ExitCode::SUCCESS)
}

fn show(page: &mut Page, report: &ImpactReport, limit: usize) {
    let version = report.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    page.heading(&format!("{}{version}", report.name));
    if !report.advisories.is_empty() {
        super::advisory::table(page, &report.advisories);
    }
    show_reached(page, report, limit);
    if let Some(downloads) = &report.downloads {
        page.line(format!("In the last 30 days: {}", super::downloads::told(downloads)));
    }
    for way in &report.used {
        page.line(format!("This project uses it: {}", way_of(page, way)));
    }
    let Some(to) = report.upgrade_to.as_ref().filter(|_| !report.upgrades.is_empty()) else { return };
    page.blank();
    page.line(format!("About {to}, of the packages that need it directly:"));
    for does in [Upgrading::Refuses, Upgrading::WhenPublished, Upgrading::Takes, Upgrading::Has] {
        let those: Vec<&Upgrade> = report.upgrades.iter().filter(|upgrade| upgrade.does == does).collect();
        show_upgrades(page, does, &those, limit);
    }
}

/// How many it reaches, and which: those who have it now come first.
fn show_reached(page: &mut Page, report: &ImpactReport, limit: usize) {
    let (impact, faint) = (&report.impact, page.palette.faint);
    if impact.of.is_empty() {
        return page.line(format!("There is no such release in the registry `{}`", report.registry));
    }
    if impact.packages.is_empty() {
        return page.line(format!("Nothing in the registry `{}` needs it", report.registry));
    }
    let packages = impact.packages.len() as u64;
    page.line(format!(
        "Reaches {} of {} in the registry `{}`, the newest of {} of them",
        count(impact.releases, "release"),
        count(packages, "package"),
        report.registry,
        impact.now
    ));
    if !impact.complete {
        page.line("The registry has more than was looked at: there may be others");
    }
    let mut sorted: Vec<&ReachedPackage> = impact.packages.iter().collect();
    sorted.sort_by_key(|package| (!package.now, !package.sure, package.way.len()));
    let rows = sorted.iter().take(limit).map(|package| {
        let when = match (package.now, package.standing) {
            (true, _) => "now".to_owned(),
            (false, Standing::Offered) => "earlier".to_owned(),
            (false, standing) => standing.to_string(),
        };
        let sure = if package.sure { "baked" } else { "by ranges" };
        vec![
            Cell::plain(format!("  {}", short(&package.id))),
            Cell::new(when, if package.now { page.palette.bad } else { faint }),
            Cell::new(sure, faint),
            Cell::new(through(&package.way), faint),
        ]
    });
    let rows = rows.collect();
    page.table(&[], rows);
    more(page, sorted.len(), limit);
}

fn show_upgrades(page: &mut Page, does: Upgrading, upgrades: &[&Upgrade], limit: usize) {
    if upgrades.is_empty() {
        return;
    }
    let palette = page.palette;
    let (what, style) = match does {
        Upgrading::Refuses => ("Refused by the range of", palette.bad),
        Upgrading::WhenPublished => ("Taken, when published anew, by", palette.notice),
        Upgrading::Takes => ("Taken by", palette.good),
        Upgrading::Has => ("There already in", palette.good),
    };
    page.line(format!("{style}{what}{style:#} {}", count(upgrades.len(), "package")));
    let rows = upgrades.iter().take(limit).map(|upgrade| {
        vec![
            Cell::plain(format!("  {}", short(&upgrade.id))),
            Cell::plain(&upgrade.range),
            Cell::new(
                upgrade.baked.as_ref().map(|baked| format!("with {baked}")).unwrap_or_default(),
                palette.faint,
            ),
        ]
    });
    let rows = rows.collect();
    page.table(&[], rows);
    more(page, upgrades.len(), limit);
}

fn more(page: &mut Page, there: usize, limit: usize) {
    if let Some(more) = there.checked_sub(limit).filter(|more| *more > 0) {
        let faint = page.palette.faint;
        page.line(format!("  {faint}… and {more} more: `--limit` shows them{faint:#}"));
    }
}

fn short(id: &ReleaseId) -> String {
    format!("{} {}", id.name, super::changes::version(id))
}

/// What lies between a release and the one that was asked about; nothing of those that need it directly.
fn through(way: &[ReleaseId]) -> String {
    const SHOWN: usize = 4;
    let Some(between) = way.get(1..way.len().saturating_sub(1)).filter(|between| !between.is_empty()) else {
        return String::new();
    };
    let mut steps: Vec<String> = between.iter().take(SHOWN).map(short).collect();
    if let Some(more) = between.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        steps.push(format!("{more} more"));
    }
    format!("through {}", harmless(&steps.join(", ")))
}

fn way_of(page: &Page, way: &[ReleaseId]) -> String {
    let faint = page.palette.faint;
    way.iter().map(short).collect::<Vec<_>>().join(&format!(" {faint}→{faint:#} "))
}
