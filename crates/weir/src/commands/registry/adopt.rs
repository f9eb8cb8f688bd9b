//! `weir registry adopt`: keeping a package here that came from a registry above.

use std::process::ExitCode;

use clap::Args;
use weir_model::PackageName;
use weir_registry::Intent;

use crate::arguments::DryRun;
use crate::commands::receipt;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;

/// Keep a package here that came from a registry above, to patch it
///
/// What was admitted of it stays, and releases of it can be published here; nothing more of it comes from above until it is given back.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir registry adopt lib/str",
    "weir registry adopt lib/str --registry team",
    "weir registry adopt lib/str --release",
))]
pub(crate) struct Arguments {
    /// The package
    name: PackageName,
    /// Give it back: it comes from above again, once what was published here is taken out
    #[arg(long)]
    release: bool,
    #[command(flatten)]
    dry_run: DryRun,
}

pub(crate) fn run(context: &Context, arguments: Arguments) -> Result<ExitCode, Failure> {
    let adopt = Intent::Adopt { name: arguments.name, back: arguments.release };
    receipt::carry_out(context, vec![adopt], &arguments.dry_run)
}
