//! `weir bash …`: what only Bash packages need.

mod bundle;
mod check;
mod init;

use std::process::ExitCode;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// Load, check and bundle Bash packages
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    Init(init::Arguments),
    Check(check::Arguments),
    Bundle(bundle::Arguments),
}

pub(crate) fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Init(arguments) => init::run(context, &arguments),
        Command::Check(arguments) => check::run(context, &arguments),
        Command::Bundle(arguments) => bundle::run(context, &arguments),
    }
}
