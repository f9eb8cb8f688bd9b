//! `weir registry verify`: everything that a registry claims, recomputed.

use std::process::ExitCode;

use clap::Args;
use weir_project::Project;
use weir_reach::Verify;
use weir_registry::RegistryAudit;

use super::Which;
use crate::context::Context;
use crate::failure::{self, Exit, Failure};
use crate::help::examples;
use crate::output::{Page, bytes, count, harmless};

/// Recompute everything a registry claims: its log, its view, its content and its promises
///
/// Of a registry in a folder every byte is read. One that is served over HTTP is asked whether it has all that
/// its log names, in the right sizes, and nothing that is quarantined; `--content` has all of it fetched and checked.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry verify org", "weir registry verify https://weir.example/org --content"))]
pub(crate) struct VerifyArguments {
    #[command(flatten)]
    which: Which,
    /// Read the bytes of all content also over HTTP: everything the registry offers travels
    #[arg(long)]
    content: bool,
}

pub(super) fn verify(context: &Context, arguments: &VerifyArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let which = arguments.which.which.as_deref();
    let folder = context.folder()?;
    let how = Verify { read: arguments.content, closed: false };
    let audit = weir_reach::registry_verify(
        &session,
        project.as_ref().map(Project::registries),
        which,
        &folder,
        how,
    )?;
    show_audit(context, &audit)
}

/// What an audit found, and the exit code that says whether that is well.
pub(crate) fn show_audit(context: &Context, audit: &RegistryAudit) -> Result<ExitCode, Failure> {
    context.output.answer(audit, |page| {
        let (good, bad) = (page.palette.good, page.palette.bad);
        for mended in &audit.mended {
            page.line(format!("{good}Mended{good:#} {}", harmless(mended)));
        }
        for problem in &audit.problems {
            page.line(format!("{bad}✗{bad:#} {}", harmless(problem)));
        }
        for unknown in &audit.unanswered {
            page.line(format!("{bad}?{bad:#} {}", harmless(unknown)));
        }
        let sound = audit.problems.is_empty() && audit.unanswered.is_empty();
        let sign = if sound { format!("{good}✓{good:#} Verified") } else { "Read".into() };
        let log = format!("{sign} {}, {}", count(audit.entries, "record"), count(audit.releases, "release"));
        if audit.content_listed || audit.objects > 0 {
            let objects = count(audit.objects, "object");
            page.line(format!("{log}, {objects} of content ({})", bytes(audit.bytes)));
        } else {
            page.line(log);
        }
        page.line(format!("root {}", audit.root));
        show_unread(page, audit);
        if !audit.kept.is_empty() {
            page.line(format!(
                "Removed releases still have {}: `weir registry gc --removed-for DAYS`",
                count(audit.kept.len(), "object")
            ));
        }
        if !audit.unused.is_empty() {
            page.line(format!(
                "Interrupted publications left {}, harmless: `weir registry gc`",
                count(audit.unused.len(), "object")
            ));
        }
    })?;
    Ok(if !audit.problems.is_empty() {
        failure::ending(Exit::Integrity)
    } else if !audit.unanswered.is_empty() {
        failure::ending(Exit::Failed)
    } else {
        ExitCode::SUCCESS
    })
}

/// What an audit could not see, so that nobody takes it for seen.
fn show_unread(page: &mut Page, audit: &RegistryAudit) {
    if audit.present > 0 {
        page.line(format!(
            "Content is there, {} ({}), and was not read: `--content` reads it",
            count(audit.present, "object"),
            bytes(audit.present_bytes)
        ));
    }
    if !audit.unanswered.is_empty() {
        let unanswered = count(audit.unanswered.len(), "object");
        page.line(format!("Not known of {unanswered}: no answer came, or it may not be looked at"));
    }
    if audit.unasked > 0 {
        page.line(format!("{} more were not asked for after that", audit.unasked));
    }
    for unsigned in &audit.unsigned {
        page.line(format!("Admitted from above as it came, unsigned: {}", harmless(unsigned)));
    }
    if !audit.above.is_empty() {
        page.line(format!(
            "Not held here yet, and fetched from above when it is first needed: {} of content",
            count(audit.above.len(), "object")
        ));
    }
    if !audit.elsewhere.is_empty() {
        page.line(format!(
            "Not held here, and not promised: {} that references name, which whoever needs them fetches from where those say",
            count(audit.elsewhere.len(), "file")
        ));
    }
    if !audit.content_listed {
        page.line("What else is held cannot be seen from here: that takes the registry's whole folder");
    }
}
