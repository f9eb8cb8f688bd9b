//! `weir run`: run a command of an installed package, or a script of the project.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;

use clap::Args;
use weir_project::InstallOptions;

use crate::complete;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::settings;

/// Run a script of `weir.toml` or a command of an installed package
///
/// Installs first if something is missing. Everything after the command is given to it unchanged.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir run greet --loudly Ann",
    "weir run build                  a line of [scripts]",
))]
pub(crate) struct Arguments {
    /// The command, and what it is given
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    #[arg(add = complete::scripts())]
    command: Vec<OsString>,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Some((command, given)) = arguments.command.split_first() else {
        return Err(Failure::usage("no command was given"));
    };
    let session = context.session()?;
    weir_project::install(&session, &context.project_folder()?, &InstallOptions::default())?;
    let project = context.project()?;
    let plan = weir_project::run_plan(&session, &project, command, given, &settings::path_variable())?;
    // The progress display ends with the session, and the terminal is the command's.
    drop(session);
    // The command takes the place of this process, so that signals and its exit code need no relay.
    let error = std::process::Command::new(&plan.program).args(&plan.args).envs(plan.env).exec();
    Err(Failure::failed(format!("cannot run `{}`", plan.program.display())).caused_by(&error))
}
