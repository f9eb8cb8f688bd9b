//! `weir registry renew`, `rotate-key` and `bind`: what signs for a registry.

use std::process::ExitCode;

use clap::Args;
use weir_project::Project;

use super::Which;
use crate::context::Context;
use crate::documents::registry::Renewed;
use crate::failure::Failure;
use crate::help::examples;
use crate::question;

/// Sign a registry's log anew, so that it does not expire while nothing is published
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry renew org"))]
pub(crate) struct RenewArguments {
    #[command(flatten)]
    which: Which,
}

/// Give a registry a new key; the old one vouches for it
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry rotate-key org"))]
pub(crate) struct RotateKeyArguments {
    #[command(flatten)]
    which: Which,
    /// Go on without asking
    #[arg(long, short)]
    yes: bool,
}

/// Have this machine's key sign for a registry where it is now, after it was moved
///
/// A key signs for the folder that its registry was made in. A copy of that folder is not the registry: whoever
/// publishes into both makes two logs of one name, which readers refuse.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry bind /srv/moved"))]
pub(crate) struct BindArguments {
    #[command(flatten)]
    which: Which,
    /// Go on without asking
    #[arg(long, short)]
    yes: bool,
}

pub(super) fn renew(context: &Context, arguments: &RenewArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let which = arguments.which.which.as_deref();
    let renewed = weir_reach::registry_renew(
        &session,
        project.as_ref().map(Project::registries),
        which,
        &context.folder()?,
    )?;
    context.output.show(&Renewed { checkpoint: renewed }, |page| page.line("Signed anew"))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn rotate_key(context: &Context, arguments: &RotateKeyArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let which = arguments.which.which.as_deref();
    let (folder, registries) = (context.folder()?, project.as_ref().map(Project::registries));
    let shown = weir_reach::registry_show(&session, registries, which, &folder)?;
    let question = format!(
        "The registry `{}` in `{}` gets a new key in place of {}. Go on?",
        shown.descriptor.name,
        shown.location,
        shown.pinned.join(", ")
    );
    question::must_agree(&context.output, arguments.yes, &question)?;
    let descriptor = weir_reach::registry_rotate_key(&session, registries, which, &folder)?;
    context.output.show(&descriptor, |page| {
        page.line(format!(
            "The registry `{}` has a new key, and the old one vouches for it",
            descriptor.name
        ));
        for key in &descriptor.keys {
            page.line(format!("  {key}"));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn bind(context: &Context, arguments: &BindArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let which = arguments.which.which.as_deref();
    let (folder, registries) = (context.folder()?, project.as_ref().map(Project::registries));
    let binding = weir_reach::registry_binding(&session, registries, which, &folder)?;
    let question = format!(
        "The key of the registry `{}` signs for `{}`. Have it sign for `{}` instead?",
        binding.name,
        binding.before.join("`, `"),
        binding.place
    );
    question::must_agree(&context.output, arguments.yes, &question)?;
    let bound = weir_reach::registry_bind(&session, registries, which, &folder)?;
    context.output.show(&bound, |page| {
        page.line(format!("The key of the registry `{}` signs for `{}` now", bound.name, bound.place));
    })?;
    Ok(ExitCode::SUCCESS)
}
