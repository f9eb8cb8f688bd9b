//! `weir run`: run a command of an installed package, or a script of the project.

use std::ffi::OsString;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::ExitCode;

use clap::Args;
use weir_project::{ElmOnline, InstallOptions};

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
    let path = settings::path_variable();
    let online = ElmOnline::prepare(
        &session,
        context.project_if_any()?.as_ref(),
        &context.folder()?,
        command,
        given,
        &path,
    )?;
    if let Some(online) = online {
        drop(session);
        return run_online(context, online);
    }
    weir_project::install(&session, &context.project_folder()?, &InstallOptions::default())?;
    let project = context.project()?;
    let plan = weir_project::run_plan(&session, &project, command, given, &path)?;
    // The progress display ends with the session, and the terminal is the command's.
    drop(session);
    // The command takes the place of this process, so that signals and its exit code need no relay.
    let error = std::process::Command::new(&plan.program).args(&plan.args).envs(plan.env).exec();
    Err(Failure::failed(format!("cannot run `{}`", plan.program.display())).caused_by(&error))
}

/// Elm's compiler, with a proxy beside it that must outlive it: so it is waited for.
fn run_online(context: &Context, online: ElmOnline) -> Result<ExitCode, Failure> {
    let plan = &online.plan;
    let status = std::process::Command::new(&plan.program).args(&plan.args).envs(plan.env.clone()).status();
    let status = status.map_err(|error| {
        Failure::failed(format!("cannot run `{}`", plan.program.display())).caused_by(&error)
    })?;
    online.finish(&context.session()?, status.success())?;
    // As a shell tells that a signal ended a program.
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}
