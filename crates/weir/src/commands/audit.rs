//! `weir audit`: what has become of the releases that the lockfile names, and what is known against them.

use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use weir_model::advisory::{AdvisoryId, Severity};
use weir_project::{AdvisedRelease, Finding, KnownAgainst, LockAudit, LockedStanding};

use crate::arguments::Whose;
use crate::context::Context;
use crate::failure::{self, Exit, Failure};
use crate::help::examples;
use crate::output::{Page, count, harmless, harmless_line};

/// Ask registries what is known against releases of the lockfile
///
/// `weir install` asks nobody while nothing is missing. This does, and fails if a release of `weir.lock` was
/// quarantined or removed, or what is above a registry could not be asked (exit code 1), or if a release is not what the registry has or what is
/// above one is not believed (6), or else if an advisory of its registry says that it is affected (9). Yanked ones are told.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir audit",
    "weir audit --deny yanked        in continuous integration",
    "weir audit --severity high      pass over what is milder",
    "weir audit --offline            as this machine knew it last",
))]
pub(crate) struct Arguments {
    /// Fail because of these as well
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    /// Fail because of advisories only that are at least as bad as this; what does not say how bad it is counts as critical
    #[arg(long, value_name = "SEVERITY", value_parser = severity())]
    severity: Option<Severity>,
    /// Tell of this advisory, and do not fail because of it; may be repeated
    #[arg(long, value_name = "ADVISORY")]
    ignore: Vec<AdvisoryId>,
    #[command(flatten)]
    whose: Whose,
}

fn severity() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::ALL.map(Severity::as_str)).try_map(|word| word.parse::<Severity>())
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
    if !audit.findings.is_empty() || !audit.advised.is_empty() {
        context.output.note("`weir why NAME` tells who needs one, `weir update NAME` moves on from it");
    }
    let is_advised = || {
        let known = audit.advised.iter().flat_map(|advised| &advised.advisories);
        known.into_iter().any(|known| counts(arguments, known))
    };
    let worst = audit.findings.iter().map(|finding| finding.standing).max();
    let is_other = matches!(worst, Some(LockedStanding::Different | LockedStanding::Unknown));
    let is_bad = worst.is_some_and(|worst| worst != LockedStanding::Yanked || arguments.deny.is_some());
    Ok(if is_other || audit.unreached.iter().any(|unreached| unreached.unbelieved) {
        failure::ending(Exit::Integrity)
    } else if is_bad || !audit.unreached.is_empty() {
        failure::ending(Exit::Failed)
    } else if is_advised() {
        failure::ending(Exit::Advised)
    } else {
        ExitCode::SUCCESS
    })
}

/// Whether an advisory is a reason to fail.
fn counts(arguments: &Arguments, known: &KnownAgainst) -> bool {
    let is_bad = arguments.severity.is_none_or(|mildest| known.counts_as() >= mildest);
    is_bad && !arguments.ignore.contains(&known.advisory)
}

fn show(page: &mut Page, audit: &LockAudit, offline: bool) {
    let (good, bad, notice) = (page.palette.good, page.palette.bad, page.palette.notice);
    for finding in &audit.findings {
        let style = if finding.standing == LockedStanding::Yanked { notice } else { bad };
        page.line(format!("{style}✗{style:#} {}", harmless_line(&sentence(finding))));
        if let Some(advisory) = &finding.advisory {
            page.line(format!("  {}", harmless(advisory)));
        }
        if let Some(newest) = &finding.newest {
            page.line(format!("  newest that is offered: {newest}"));
        }
    }
    audit.advised.iter().for_each(|advised| show_advised(page, advised));
    for unreached in &audit.unreached {
        page.line(format!("{bad}✗{bad:#} {}", harmless_line(&unreached.to_string())));
    }
    let releases = count(audit.releases, "release");
    match audit.findings.len() {
        // Nothing is no good news.
        _ if audit.releases == 0 => {}
        0 if !audit.advised.is_empty() => {
            let advised = audit.advised.len();
            page.line(format!("Audited {releases}: something is known against {advised}"));
        }
        0 if !audit.unreached.is_empty() => {
            page.line(format!(
                "Audited {releases}: all were offered as they are locked when what is above was last followed"
            ));
        }
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

/// What is known against a release, used by other commands as well.
pub(super) fn show_advised(page: &mut Page, advised: &AdvisedRelease) {
    let bad = page.palette.bad;
    for known in &advised.advisories {
        let KnownAgainst { advisory, aliases, severity, summary, fixed } = known;
        let aliases = if aliases.is_empty() { String::new() } else { format!(" ({})", aliases.join(", ")) };
        let summary = summary.as_ref().map(|summary| format!(": {summary}")).unwrap_or_default();
        let severity = super::advisory::told(*severity);
        let told =
            format!("`{}` is affected by {advisory}{aliases}, severity {severity}{summary}", advised.id);
        page.line(format!("{bad}✗{bad:#} {}", harmless_line(&told)));
        if let Some(fixed) = fixed {
            page.line(format!("  mended in {fixed}"));
        }
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
