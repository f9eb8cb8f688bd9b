//! `weir info`: a page about a package.

use std::process::ExitCode;

use clap::Args;
use weir_index::{HeldRelease, ReleaseView};
use weir_model::record::Origin;
use weir_project::{AboveReport, Info, InfoReport};
use weir_rules::{Standing, is_affected};
use weir_wire::downloads::DownloadCounts;

use crate::arguments::PackageMaybeAtVersion;
use crate::complete;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, Page, bytes, count, harmless, harmless_line};

/// How many versions are listed before `…`.
const VERSIONS: usize = 10;

/// Show what is known about a package
///
/// Of one that the registry does not have, those above it are asked what they have, and whether a rule would keep it out. Nothing comes in for that.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir info acme/str", "weir info acme/str@1.4.2"))]
pub(crate) struct Arguments {
    /// The package, perhaps with a version
    #[arg(value_name = "PACKAGE", add = complete::known_packages())]
    package: PackageMaybeAtVersion,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let package = &arguments.package;
    let report = weir_project::info(&session, project.as_ref(), &package.name, package.version.as_ref())?;
    context.output.answer(&report, |page| match &report {
        Info::Here(report) => show(page, report),
        Info::Above(report) => show_above(page, report),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A package that comes in when something needs it.
fn show_above(page: &mut Page, report: &AboveReport) {
    let AboveReport { registry, name, above } = report;
    page.heading(name.as_str());
    if let Some(description) = &above.description {
        page.paragraph(description);
    }
    page.blank();
    let Some((has, through)) = above.through.split_last() else { return };
    let through: Vec<String> = through.iter().map(|name| format!("`{}`", harmless(name))).collect();
    let through =
        if through.is_empty() { String::new() } else { format!(", through {}", through.join(" and ")) };
    page.facts(&[
        ("above", format!("`{}`{through}: `{}` does not have it yet", harmless(has), harmless(registry))),
        ("comes", format!("when something needs it: `weir add {name}`")),
    ]);
    let (faint, notice) = (page.palette.faint, page.palette.notice);
    page.line(format!("{faint}releases{faint:#}"));
    let rows = above.releases.iter().take(VERSIONS).map(|release| {
        let held = release.held.as_ref();
        let until =
            held.and_then(|hold| hold.until).map_or_else(String::new, |until| format!(" until {until}"));
        vec![
            Cell::plain(format!("  {}", super::changes::version(&release.id))),
            Cell::new(release.license.clone().unwrap_or_default(), faint),
            Cell::new(
                held.map_or_else(String::new, |hold| format!("would be held by {}{until}", hold.policy)),
                notice,
            ),
            Cell::new(held.map(|hold| hold.reason.clone()).unwrap_or_default(), faint),
        ]
    });
    let rows = rows.collect();
    page.table(&[], rows);
    if above.releases.len() > VERSIONS {
        page.line(format!("  {faint}… and {} older{faint:#}", above.releases.len() - VERSIONS));
    }
}

fn show(page: &mut Page, report: &InfoReport) {
    let package = &report.package;
    let chosen = report.chosen.as_ref();
    let facts = vec![
        ("registry", report.registry.clone()),
        ("owner", report.owners.join(", ")),
        (
            "needed by",
            if package.dependents == 0 { String::new() } else { count(package.dependents, "package") },
        ),
        ("downloaded", report.downloads.as_ref().map(|found| month(&found.total)).unwrap_or_default()),
        ("used here", report.used.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    ];
    match package.releases.iter().find(|view| Some(&view.release.id) == chosen) {
        Some(view) => {
            release(page, view, facts);
            advised(page, view, report);
        }
        None => {
            page.heading(package.name.as_str());
            page.facts(&facts);
        }
    }
    if !report.advisories.is_empty() {
        page.line(format!("{faint}advisories{faint:#}", faint = page.palette.faint));
        super::advisory::table(page, &report.advisories);
    }
    versions(page, &package.releases);
    held(page, &report.held);
}

/// What of the package is kept out, by which rule, why, and until when.
fn held(page: &mut Page, held: &[HeldRelease]) {
    if held.is_empty() {
        return;
    }
    let palette = page.palette;
    page.line(format!("{faint}held{faint:#}", faint = palette.faint));
    let rows = held.iter().take(VERSIONS).map(|HeldRelease { hold, .. }| {
        let until = hold.until.map_or_else(String::new, |until| format!("until {until}"));
        vec![
            Cell::plain(format!("  {}", super::changes::version(&hold.id))),
            Cell::new(hold.policy.clone(), palette.notice),
            Cell::new(until, palette.faint),
            Cell::new(hold.reason.clone(), palette.faint),
        ]
    });
    let rows = rows.collect();
    page.table(&[], rows);
    if held.len() > VERSIONS {
        page.line(format!("  {faint}… and {} older{faint:#}", held.len() - VERSIONS, faint = palette.faint));
    }
}

/// Which advisories say that the release is affected.
fn advised(page: &mut Page, view: &ReleaseView, report: &InfoReport) {
    let id = &view.release.id;
    let bad = page.palette.bad;
    for known in report.advisories.iter().filter(|known| is_affected(&known.advisory, &id.name, &id.version))
    {
        page.line(format!("{bad}✗{bad:#} {} is affected by {}", id.version, known.advisory.id));
    }
}

/// How often something was downloaded in the last thirty days.
fn month(counts: &DownloadCounts) -> String {
    format!("{} in 30 days", super::downloads::told(counts))
}

/// A release, with what is known of its package.
fn release(page: &mut Page, view: &ReleaseView, of_package: Vec<(&str, String)>) {
    let release = &view.release;
    let faint = page.palette.faint;
    page.heading(&release.id.to_string());
    if let Some(description) = &release.description {
        page.paragraph(description);
    }
    if let Some(withdrawn) = view.withdrawn() {
        let bad = page.palette.bad;
        let reason = withdrawn
            .reason
            .as_deref()
            .map_or_else(String::new, |reason| format!(": {}", harmless_line(reason)));
        page.line(format!(
            "{bad}{}{bad:#} on {} by {}{reason}",
            view.standing(),
            day(&withdrawn.mark.at),
            harmless(&withdrawn.mark.by)
        ));
    }
    page.blank();
    // Who asked for what is above is not who published it.
    let came = view.origin.as_ref().map(|origin| harmless(&origin.registry));
    let mark = format!("{} by {}", day(&view.mark.at), view.mark.by);
    let mut facts = vec![
        ("kind", release.kind.to_string()),
        ("licence", release.license.clone().unwrap_or_default()),
        match came {
            None => ("published", mark),
            Some(from) => ("admitted", format!("{mark}, from `{from}`")),
        },
        ("promoted", view.promoted.as_ref().map(promoted).unwrap_or_default()),
        (
            "size",
            format!(
                "{} packed, {} in {}",
                bytes(release.size),
                bytes(release.unpacked),
                count(release.files, "file")
            ),
        ),
        ("tree", release.tree.to_string()),
        ("inputs", release.input_digest.to_string()),
    ];
    facts.extend(of_package);
    page.facts(&facts);
    if !release.dependencies.is_empty() {
        page.line(format!("{faint}needs{faint:#}"));
        let rows = release.dependencies.iter().map(|dependency| {
            let baked = match &dependency.baked {
                Some(baked) => baked.version.to_string(),
                None => "fluid".to_owned(),
            };
            vec![
                Cell::plain(format!("  {}", dependency.name)),
                Cell::plain(&dependency.range),
                Cell::new(baked, faint),
            ]
        });
        page.table(&[], rows.collect());
    }
    if !release.references.is_empty() {
        page.line(format!("{faint}references{faint:#}"));
        let rows = release.references.iter().map(|reference| {
            let size = reference.size.map(bytes).unwrap_or_default();
            vec![Cell::plain(format!("  {}", reference.name)), Cell::new(size, faint)]
        });
        page.table(&[], rows.collect());
    }
}

/// Where a release was brought up from.
fn promoted(from: &Origin) -> String {
    format!("from {}, its record {}", harmless(from.short()), from.index)
}

fn versions(page: &mut Page, releases: &[ReleaseView]) {
    let faint = page.palette.faint;
    page.line(format!("{faint}releases{faint:#}"));
    let rows = releases.iter().take(VERSIONS).map(|view| {
        let style = match view.standing() {
            Standing::Offered => faint,
            _ => page.palette.bad,
        };
        let state =
            if view.standing() == Standing::Offered { String::new() } else { view.standing().to_string() };
        let version = format!("  {}", super::changes::version(&view.release.id));
        vec![Cell::plain(version), Cell::new(day(&view.mark.at), faint), Cell::new(state, style)]
    });
    let rows = rows.collect();
    page.table(&[], rows);
    if releases.len() > VERSIONS {
        page.line(format!("  {faint}… and {} older{faint:#}", releases.len() - VERSIONS));
    }
}

/// The day, in UTC: the clock time of a publication is in the JSON.
fn day(at: &jiff::Timestamp) -> String {
    let text = at.to_string();
    text.split_once('T').map_or(text.clone(), |(day, _)| day.to_owned())
}
