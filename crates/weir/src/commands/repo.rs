//! `weir repo …`: a repository of built packages, kept closed and consistent.

mod action;
mod evidence;
mod import;
pub(super) mod page;
mod status;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// Keep a registry of packages that are built from recipes
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Add(action::AddArguments),
    #[command(visible_alias = "up")]
    Update(action::UpdateArguments),
    #[command(visible_alias = "rm")]
    Remove(action::RemoveArguments),
    Plan(action::PlanArguments),
    Status(status::Arguments),
    Verify(verify::Arguments),
    Log(evidence::LogArguments),
    Provenance(evidence::ProvenanceArguments),
    Import(import::Arguments),
}

pub(crate) fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Add(arguments) => action::add(context, arguments),
        Command::Update(arguments) => action::update(context, arguments),
        Command::Remove(arguments) => action::remove(context, arguments),
        Command::Plan(arguments) => action::plan(context, arguments),
        Command::Status(arguments) => status::run(context, &arguments),
        Command::Verify(_) => verify::run(context),
        Command::Log(arguments) => evidence::log(context, &arguments),
        Command::Provenance(arguments) => evidence::provenance(context, &arguments),
        Command::Import(arguments) => import::run(context, &arguments),
    }
}
