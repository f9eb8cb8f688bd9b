//! `weir claim`: to whom an owner belongs.

use std::process::ExitCode;

use clap::Args;
use weir_model::OwnerName;
use weir_registry::Intent;

use super::receipt;
use crate::arguments::DryRun;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;

/// Say to whom an owner (the part before the `/`) belongs
///
/// Whoever publishes first under an owner has it already. The people named replace those before.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir claim acme user:ann user:bob"))]
pub(crate) struct Arguments {
    /// The owner
    owner: OwnerName,
    /// To whom it belongs from now on, such as `user:ann`
    #[arg(required = true)]
    who: Vec<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

pub(crate) fn run(context: &Context, arguments: Arguments) -> Result<ExitCode, Failure> {
    let claim = Intent::Claim { owner: arguments.owner, who: arguments.who };
    receipt::carry_out(context, vec![claim], &arguments.dry_run)
}
