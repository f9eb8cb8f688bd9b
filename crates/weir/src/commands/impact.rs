//! `weir impact`: who is affected by a release.

mod rebuilt;

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use weir_index::{ReachedPackage, Upgrade, Upgrading};
use weir_model::ReleaseId;
use weir_project::{ElmSide, ImpactReport, RebuildOptions, RebuildOutcome};
use weir_rules::Standing;

use crate::arguments::PackageMaybeAtVersion;
use crate::complete;
use crate::context::Context;
use crate::failure::{Exit, Failure, ending};
use crate::help::examples;
use crate::output::{Cell, Page, count, harmless};

/// Show what needs a release, directly or through others
///
/// Tells everything in the registry that reaches it, and by which way; and what the packages that need it directly would do about
/// that version: take it, take it when they are published anew, or refuse it by their range. The version need not be there for that.
///
/// With `--rebuild`, every application of Elm whose newest release uses the package is compiled with that version, or with what is in a
/// folder: in the sandbox of builds, with the compiler that is on the `PATH`. All else that it was published with stays, or moves within
/// its major version where it must. Those that do not compile any more are told with the compiler's words, and end the command with exit
/// code 7.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir impact acme/str@1.4.2   who has it, if it turns out to be bad",
    "weir impact acme/str@2.0.0   who would take it, if it were published",
    "weir impact acme/str@2.0.0 --rebuild   which applications of Elm still compile with it",
    "weir impact ./str --rebuild            and with what is in a folder, before it is published",
))]
pub(crate) struct Arguments {
    /// The package, perhaps with a version, all of its releases without one; or a folder of one, which begins with `.` or `/`
    #[arg(value_name = "PACKAGE", add = complete::known_packages())]
    package: Which,
    /// How many packages to show of each sort, and applications to compile
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    limit: usize,
    /// Compile the applications of Elm that use the package with that version of it
    #[arg(long)]
    rebuild: bool,
    /// After how many minutes no further application is begun
    #[arg(long, default_value_t = 30, value_name = "NUMBER", requires = "rebuild")]
    minutes: u64,
}

/// What is asked about.
#[derive(Debug, Clone)]
enum Which {
    Package(PackageMaybeAtVersion),
    Folder(PathBuf),
}

impl FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.starts_with(['.', '/']) {
            true => Ok(Self::Folder(text.into())),
            false => text.parse().map(Self::Package),
        }
    }
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let (name, version, with) = match &arguments.package {
        Which::Package(package) => {
            let PackageMaybeAtVersion { name, version } = package.clone();
            (name.clone(), version.clone(), ElmSide::Release(name, version))
        }
        Which::Folder(folder) => {
            let folder = context.package_folder(folder)?;
            let id = weir_project::pack(&session, &folder, None)?.id;
            (id.name, Some(id.version), ElmSide::Folder(folder))
        }
    };
    let mut report = weir_project::impact(&session, project.as_ref(), &name, version.as_ref())?;
    if arguments.rebuild {
        let path = context.programs(&session)?;
        let options = RebuildOptions {
            programs: &path,
            most: arguments.limit,
            time: Duration::from_secs(arguments.minutes.saturating_mul(60)),
        };
        report.rebuild = Some(weir_project::elm_rebuild(&session, project.as_ref(), &name, &with, &options)?);
    }
    context.output.answer(&report, |page| show(page, &report, arguments.limit))?;
    let breaks = |outcome: &RebuildOutcome| {
        matches!(outcome, RebuildOutcome::Breaks { .. } | RebuildOutcome::DoesNotGoWith { .. })
    };
    let rebuilt = report.rebuild.iter().flat_map(|rebuild| &rebuild.applications);
    Ok(match rebuilt.into_iter().any(|application| breaks(&application.outcome)) {
        true => ending(Exit::BuildFailed),
        false => ExitCode::SUCCESS,
    })
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
    if let Some(to) = report.upgrade_to.as_ref().filter(|_| !report.upgrades.is_empty()) {
        page.blank();
        page.line(format!("About {to}, of the packages that need it directly:"));
        for does in [Upgrading::Refuses, Upgrading::WhenPublished, Upgrading::Takes, Upgrading::Has] {
            let those: Vec<&Upgrade> =
                report.upgrades.iter().filter(|upgrade| upgrade.does == does).collect();
            show_upgrades(page, does, &those, limit);
        }
    }
    if let Some(rebuild) = &report.rebuild {
        page.blank();
        rebuilt::show(page, rebuild, limit);
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
