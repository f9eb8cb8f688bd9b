//! What a registry did with a batch, or would do.

use std::process::ExitCode;

use weir_model::WithdrawalVerb;
use weir_project::{Affected, PackReport, PublishReport};
use weir_registry::{Done, Intent, Outcome, Receipt};

use crate::arguments::DryRun;
use crate::context::Context;
use crate::documents::publishing::Submission;
use crate::failure::Failure;
use crate::output::{Cell, Page, bytes, count, harmless};

/// Has the registry do something that needs no content, or tells what it would do.
pub(super) fn carry_out(
    context: &Context,
    intents: Vec<Intent>,
    dry_run: &DryRun,
) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let asked = intents.clone();
    let mut submission = Submission { receipt: None, preview: Vec::new(), affected: Vec::new() };
    if dry_run.dry_run {
        submission.preview = weir_project::preview(&session, project.as_ref(), intents)?;
    } else {
        submission.receipt = Some(weir_project::submit(&session, project.as_ref(), intents)?);
    }
    match weir_project::affected(&session, project.as_ref(), &asked) {
        Ok(affected) => submission.affected = affected,
        // What was asked for is done: that nobody can say whom it affects is no failure of it.
        Err(error) => session.warn(format!("who is affected is not known: {error}")),
    }
    context.output.act(dry_run.dry_run, &submission, |page| {
        match &submission.receipt {
            Some(receipt) => show(page, receipt),
            None => show_preview(page, &submission.preview),
        }
        submission.affected.iter().for_each(|affected| show_affected(page, affected));
    })?;
    Ok(ExitCode::SUCCESS)
}

/// How many are affected by a quarantine, and who tells more.
fn show_affected(page: &mut Page, affected: &Affected) {
    let Affected { name, version, releases, packages, now } = affected;
    let (releases, packages) = (count(*releases, "release"), count(*packages, "package"));
    page.line(format!(
        "It reaches {releases} of {packages}, the newest of {now} of them: `weir impact {name}@{version}` names them"
    ));
}

/// One line an outcome, then where the log stands.
pub(super) fn show(page: &mut Page, receipt: &Receipt) {
    show_with_files(page, receipt, &[]);
}

/// The same, with the files of what was published.
fn show_with_files(page: &mut Page, receipt: &Receipt, releases: &[PackReport]) {
    let palette = page.palette;
    for outcome in &receipt.outcomes {
        let (word, style) = match outcome.done {
            Done::Published => ("Published", palette.good),
            Done::Promoted => ("Promoted", palette.good),
            Done::Already => ("Already so:", palette.faint),
            Done::Withdrawn(WithdrawalVerb::Yank) => ("Yanked", palette.notice),
            Done::Withdrawn(WithdrawalVerb::Unyank) => ("Unyanked", palette.good),
            Done::Withdrawn(WithdrawalVerb::Quarantine) => ("Quarantined", palette.bad),
            Done::Withdrawn(WithdrawalVerb::Unquarantine) => ("Unquarantined", palette.good),
            Done::Withdrawn(WithdrawalVerb::Remove) => ("Unpublished", palette.bad),
            Done::Claimed => ("Claimed", palette.good),
            Done::Adopted => ("Adopted", palette.good),
            Done::GivenBack => ("Given back", palette.good),
            Done::Advised => ("Imported", palette.notice),
            Done::Dismissed => ("Removed", palette.good),
            Done::Limited => ("Limited", palette.notice),
            Done::Ruled => ("From now on it keeps", palette.notice),
        };
        page.line(format!("{style}{word}{style:#} `{}`", outcome.subject));
        for baked in &outcome.baked {
            page.line(format!("  {}with `{baked}`{:#}", palette.faint, palette.faint));
        }
        let published = releases.iter().find(|release| release.id.to_string() == outcome.subject);
        if let Some(release) = published.filter(|_| outcome.done == Done::Published) {
            show_files(page, release);
        }
    }
    for warning in &receipt.warnings {
        let notice = palette.notice;
        page.line(format!("{notice}!{notice:#} {}", harmless(warning)));
    }
    if receipt.batch.is_none() {
        page.line("Nothing was appended to the log");
    }
}

/// The files that become public, and how much they come to.
fn show_files(page: &mut Page, release: &PackReport) {
    const SHOWN: usize = 30;
    let faint = page.palette.faint;
    let rows =
        release.files.iter().take(SHOWN).map(|(path, size)| {
            vec![Cell::new(format!("  {:>9}", bytes(*size)), faint), Cell::new(path, faint)]
        });
    page.table(&[], rows.collect());
    if let Some(more) = release.files.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        page.line(format!("  {faint}and {more} more: `weir pack --list` names them all{faint:#}"));
    }
    let total = count(release.files.len(), "file");
    page.line(format!("  {faint}{total}, {}{faint:#}", bytes(release.unpacked)));
}

/// What was published, or would be.
pub(super) fn show_publication(page: &mut Page, report: &PublishReport) {
    if let Some(receipt) = &report.receipt {
        return show_with_files(page, receipt, &report.releases);
    }
    let palette = page.palette;
    for release in &report.releases {
        let size = release.size.map_or_else(String::new, |size| format!(": {} packed", bytes(size)));
        page.line(format!("Would publish `{}` in the registry `{}`{size}", release.id, report.registry));
        show_files(page, release);
        let subject = release.id.to_string();
        let outcomes = report.preview.iter().filter(|outcome| outcome.subject == subject);
        for baked in outcomes.flat_map(|outcome| &outcome.baked) {
            page.line(format!("  {}with `{baked}`{:#}", palette.faint, palette.faint));
        }
    }
    show_preview(page, &report.preview);
}

/// What would become of everything but publications, of which more is to be told.
fn show_preview(page: &mut Page, preview: &[Outcome]) {
    for outcome in preview.iter().filter(|outcome| outcome.done != Done::Published) {
        page.line(format!("Would leave `{}` {}", outcome.subject, word(outcome.done)));
    }
}

/// What would become of a release or an owner.
const fn word(done: Done) -> &'static str {
    match done {
        Done::Already => "as it is",
        Done::Withdrawn(WithdrawalVerb::Unyank) => "no longer yanked",
        Done::Withdrawn(WithdrawalVerb::Unquarantine) => "no longer quarantined",
        Done::Withdrawn(WithdrawalVerb::Remove) => "unpublished",
        done => done.as_str(),
    }
}
