//! `weir audit`: what has become of the releases that the lockfile names.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use weir_project::{Finding, LockAudit, LockedStanding};

use crate::arguments::Whose;
use crate::context::Context;
use crate::failure::{self, Exit, Failure};
use crate::help::examples;
use crate::output::{Page, count, harmless};

/// Ask registries whether releases of the lockfile were withdrawn
///
/// `weir install` asks nobody while nothing is missing. This does, and fails if a release of `weir.lock` was
/// quarantined or removed (exit code 1), or is not what the registry has (6). Yanked ones are told.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir audit",
    "weir audit --deny yanked        in continuous integration",
    "weir audit --offline            as this machine knew it last",
))]
pub(crate) struct Arguments {
    /// Fail because of these as well
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    #[command(flatten)]
    whose: Whose,
}

/// What is told, and is no failure unless one says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    Yanked,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let audit = weir_project::audit(&session, &context.project_of(arguments.whose)?)?;
    context.output.answer(&audit, |page| show(page, &audit, session.offline))?;
    if !audit.findings.is_empty() {
        context.output.note("`weir why NAME` tells who needs one, `weir update NAME` moves on from it");
    }
    Ok(match audit.findings.iter().map(|finding| finding.standing).max() {
        None => ExitCode::SUCCESS,
        Some(LockedStanding::Yanked) if arguments.deny.is_none() => ExitCode::SUCCESS,
        Some(LockedStanding::Different | LockedStanding::Unknown) => failure::ending(Exit::Integrity),
        Some(_) => failure::ending(Exit::Failed),
    })
}

fn show(page: &mut Page, audit: &LockAudit, offline: bool) {
    let (good, bad, notice) = (page.palette.good, page.palette.bad, page.palette.notice);
    for finding in &audit.findings {
        let style = if finding.standing == LockedStanding::Yanked { notice } else { bad };
        page.line(format!("{style}✗{style:#} {}", harmless(&sentence(finding))));
        if let Some(advisory) = &finding.advisory {
            page.line(format!("  {}", harmless(advisory)));
        }
        if let Some(newest) = &finding.newest {
            page.line(format!("  newest that is offered: {newest}"));
        }
    }
    let releases = count(audit.releases, "release");
    match audit.findings.len() {
        // Nothing is no good news.
        _ if audit.releases == 0 => {}
        0 => page.line(format!("{good}✓{good:#} Audited {releases}: all are offered as they are locked")),
        findings => page.line(format!("Audited {releases}: {findings} not as they were")),
    }
    if !audit.unasked.is_empty() {
        let unasked = count(audit.unasked.len(), "release");
        page.line(format!("Not audited: {unasked} from folders and git tags, of which no registry knows"));
    }
    if offline {
        page.line("Nobody was asked: this is what was known when the registries were last synced");
    }
}

fn sentence(finding: &Finding) -> String {
    let Finding { id, registry, .. } = finding;
    let withdrawn = |word: &str| {
        let since = finding.since.map(|at| format!(" since {at}")).unwrap_or_default();
        let by = finding.by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
        let reason = finding.reason.as_deref().unwrap_or("no reason was given");
        format!("`{id}` is {word}{since}{by}: {reason}")
    };
    match finding.standing {
        LockedStanding::Yanked => withdrawn("yanked"),
        LockedStanding::Removed => withdrawn("removed"),
        LockedStanding::Quarantined => withdrawn("quarantined"),
        LockedStanding::Unknown => format!("`{id}` is not in the log of the registry `{registry}`"),
        LockedStanding::Different => {
            format!(
                "`{id}` is another release in the registry `{registry}`: its tree or its input digest differs"
            )
        }
    }
}
