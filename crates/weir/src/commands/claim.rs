//! `weir claim`: to whom an owner belongs.

use std::process::ExitCode;

use clap::Args;
use weir_model::OwnerName;

use super::receipt;
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
}

pub(crate) fn run(context: &Context, arguments: Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let receipt = weir_project::claim(&session, project.as_ref(), &arguments.owner, arguments.who)?;
    context.output.show(&receipt, |page| receipt::show(page, &receipt))?;
    Ok(ExitCode::SUCCESS)
}
