//! `weir completions`: the script by which a shell asks [`complete`] what there is to type.

use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;
use clap_complete::env::Shells;

use crate::complete;
use crate::context::Context;
use crate::documents::itself::Completions;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Format, write_stdout};

/// Print a script that completes `weir` in a shell
///
/// It completes commands and options, packages of the project and of registries that this machine knows, and scripts. It
/// calls `weir` for that, which must be on the PATH.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir completions bash > ~/.local/share/bash-completion/completions/weir",
    "source <(weir completions zsh)     in ~/.zshrc, below compinit",
    "weir completions fish > ~/.config/fish/completions/weir.fish",
))]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    let shells = Shells::builtins();
    let shell = arguments.shell.to_string();
    let known = shells
        .completer(&shell)
        .ok_or_else(|| Failure::usage(format!("`{shell}` is no shell that is known")))?;
    known.write_registration(complete::VARIABLE, "weir", "weir", "weir", &mut script)?;
    match context.output.format {
        Format::Json => {
            let script = String::from_utf8_lossy(&script).into_owned();
            context.output.json(&Completions { script })?;
        }
        Format::Text => write_stdout(&script)?,
    }
    Ok(ExitCode::SUCCESS)
}
