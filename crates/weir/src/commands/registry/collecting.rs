//! `weir registry gc`: out of the storage with what it need not hold.

use std::process::ExitCode;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use weir_project::Project;
use weir_registry::{Collect, Why};

use super::Which;
use crate::arguments::DryRun;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{bytes, count, harmless};

/// Remove from a registry's storage what it need not hold
///
/// That is what interrupted publications left behind, once it is a day old, and with `--removed-for` also
/// what belongs to removed releases only. Quarantined content stays. What is removed cannot be offered
/// again, except by a build that gives the same bytes.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry gc --dry-run", "weir registry gc org --removed-for 90"))]
pub(crate) struct GcArguments {
    #[command(flatten)]
    which: Which,
    /// Also the content of releases that were removed so many days ago, or earlier
    #[arg(long, value_name = "DAYS")]
    removed_for: Option<u32>,
    #[command(flatten)]
    dry_run: DryRun,
}

pub(super) fn gc(context: &Context, arguments: &GcArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let which = arguments.which.which.as_deref();
    let ago = |days| SignedDuration::from_hours(24 * i64::from(days));
    let before = |days| session.now.checked_sub(ago(days)).unwrap_or(Timestamp::MIN);
    let removed_before = arguments.removed_for.map(before);
    let what = Collect { removed_before, dry_run: arguments.dry_run.dry_run };
    let collected = weir_reach::registry_gc(
        &session,
        project.as_ref().map(Project::registries),
        which,
        &context.folder()?,
        &what,
    )?;
    context.output.act(collected.dry_run, &collected, |page| {
        let (would, did) =
            if collected.dry_run { ("Would remove", "Would free") } else { ("Removed", "Freed") };
        for object in &collected.objects {
            let why = match object.why {
                Why::Unfinished => "its writer was stopped",
                Why::Unnamed => "named by no release",
                Why::Removed => "of removed releases only",
            };
            page.line(format!("{would} {} ({}): {why}", harmless(&object.what), bytes(object.bytes)));
        }
        for pack in &collected.put_right {
            let word = if collected.dry_run { "Would put right" } else { "Put right" };
            page.line(format!("{word} {}: a crash had left it in the wrong place", harmless(pack)));
        }
        page.line(format!("{did} {}", bytes(collected.bytes)));
        if collected.kept > 0 {
            page.line(format!(
                "Removed releases still have {} ({}): `--removed-for DAYS` takes those too",
                count(collected.kept, "object"),
                bytes(collected.kept_bytes)
            ));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
