//! `weir registry deltas`: what differs between releases, so that who updates fetches no more than that.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use weir_project::Project;
use weir_registry::MakeDeltas;

use super::Which;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{bytes, count};

/// Make the deltas between releases, so that who updates fetches only what differs
///
/// They lead to the newest release of each line of compatible versions of a package, from the releases before it, and are kept where
/// they have less than half of the bytes of the pack. What was made before stays; run it after you published, or now and then.
/// A server makes them by itself, when somebody first asks.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry deltas", "weir registry deltas org --last 10 --minutes 60"))]
pub(crate) struct DeltasArguments {
    #[command(flatten)]
    which: Which,
    /// From so many releases before the newest
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    last: u16,
    /// Stop after so many minutes; what is left is made the next time
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    minutes: u16,
}

pub(super) fn run(context: &Context, arguments: &DeltasArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let most = Duration::from_secs(60 * u64::from(arguments.minutes));
    let what = MakeDeltas { last: usize::from(arguments.last), most };
    let made = weir_reach::registry_deltas(
        &session,
        project.as_ref().map(Project::registries),
        arguments.which.which.as_deref(),
        &context.folder()?,
        &what,
    )?;
    context.output.show(&made, |page| {
        page.line(match made.made {
            0 => "Made no deltas".to_owned(),
            number => format!(
                "Made {} ({}), in place of {}",
                count(number, "delta"),
                bytes(made.bytes),
                bytes(made.pack_bytes)
            ),
        });
        page.amounts(&[
            (made.there, "there before"),
            (made.not_worth, "not worth it: packs too small or too large, or too different"),
            (made.left, "left for the next time"),
        ]);
    })?;
    Ok(ExitCode::SUCCESS)
}
