//! `weir completions`: completion of commands and options, for a shell.

use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::Weir;
use crate::context::Context;
use crate::documents::itself::Completions;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Format, write_stdout};

/// Print a script that completes `weir` in a shell
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir completions bash > ~/.local/share/bash-completion/completions/weir",
    "weir completions zsh > ~/.zfunc/_weir",
    "weir completions fish > ~/.config/fish/completions/weir.fish",
))]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Weir::command(), "weir", &mut script);
    match context.output.format {
        Format::Json => {
            let script = String::from_utf8_lossy(&script).into_owned();
            context.output.json(&Completions { script })?;
        }
        Format::Text => write_stdout(&script)?,
    }
    Ok(ExitCode::SUCCESS)
}
