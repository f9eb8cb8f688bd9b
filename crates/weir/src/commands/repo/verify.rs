//! `weir repo verify`: is the repository what it promises to be?

use std::process::ExitCode;

use clap::Args;

use crate::commands::registry;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;

/// Prove what a repository promises: closed, consistent, whole
///
/// Recomputes the registry's log, view and content, and demands of it, whatever it says of itself, that everything a
/// package was built with is offered too, in the release that it was built with.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir repo verify"))]
pub(crate) struct Arguments {}

pub(super) fn run(context: &Context) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let audit = weir_repo::repo_verify(&session, project.as_ref(), &context.folder()?)?;
    registry::show_audit(context, &audit)
}
