//! `weir elm …`: what only Elm packages need.

mod diff;

use std::process::ExitCode;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// Compare what Elm packages offer
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    Diff(diff::Arguments),
}

pub(crate) fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Diff(arguments) => diff::run(context, &arguments),
    }
}
