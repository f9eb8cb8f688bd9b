//! `weir registry compact`: old releases kept as what differs from others.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use weir_project::Project;
use weir_registry::Compact;

use super::Which;
use crate::context::Context;
use crate::failure::{self, Exit, Failure};
use crate::help::examples;
use crate::output::{bytes, count, harmless};

/// Keep old releases as what differs from others, to save space
///
/// The pack of an old release is taken out where a delta of at most an eighth of its bytes gives it again, byte for byte, from the pack of another
/// release. Readers need not know: whoever has nothing fetches that pack and the delta, also from a plain web server.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry compact", "weir registry compact org --keep 10 --minutes 60", "weir registry compact --undo"))]
pub(crate) struct CompactArguments {
    #[command(flatten)]
    which: Which,
    /// So many of the newest releases of each package stay whole
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    keep: u16,
    /// Stop after so many minutes; what is left is for the next time
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    minutes: u16,
    /// Keep all packs whole again
    #[arg(long, conflicts_with_all = ["keep", "minutes"])]
    undo: bool,
}

pub(super) fn run(context: &Context, arguments: &CompactArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let most = Duration::from_secs(60 * u64::from(arguments.minutes));
    let what = Compact { keep: usize::from(arguments.keep), most, undo: arguments.undo };
    let done = weir_reach::registry_compact(
        &session,
        project.as_ref().map(Project::registries),
        arguments.which.which.as_deref(),
        &context.folder()?,
        &what,
    )?;
    context.output.show(&done, |page| {
        let bad = page.palette.bad;
        for failed in &done.failed {
            let releases: Vec<String> = failed.releases.iter().map(|id| format!("`{id}`")).collect();
            let what = match releases.is_empty() {
                true => format!("the tree {}", failed.tree),
                false => releases.join(", "),
            };
            let told = format!("{what}: {}", failed.reason);
            page.line(format!("{bad}✗{bad:#} {}", harmless(&told)));
        }
        page.line(match (done.packs, arguments.undo) {
            (0, true) if done.failed.is_empty() => "All packs are whole".to_owned(),
            (0, true) => "Made no packs whole".to_owned(),
            (0, false) => "Compacted nothing".to_owned(),
            (packs, true) => {
                format!("Made {} whole again ({})", count(packs, "pack"), bytes(done.pack_bytes))
            }
            (packs, false) => format!(
                "Compacted {}: {} in place of {}",
                count(packs, "pack"),
                bytes(done.delta_bytes),
                bytes(done.pack_bytes)
            ),
        });
        page.amounts(&[
            (done.there, "compacted before"),
            (done.whole, "stay whole: others need them, or too much differs"),
            (done.left, "left for the next time"),
            (done.failed.len() as u64, "stay as they are, and are not right: publish those releases again"),
        ]);
    })?;
    Ok(if done.failed.is_empty() { ExitCode::SUCCESS } else { failure::ending(Exit::Integrity) })
}
