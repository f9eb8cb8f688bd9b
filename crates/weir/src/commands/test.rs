//! `weir test`: run a package's test suite with its dependencies at hand.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;

use clap::Args;
use weir_project::InstallOptions;

use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::settings;

/// Run the package's test suite, with its dependencies loaded
///
/// A suite is a folder `tests` or `test` with .bats files, run by `bats`, or a folder `spec` with a `.shellspec`
/// beside it, run by `shellspec`: as a dependency offers them or, failing that, as they are on the PATH. Installs first if
/// something is missing. In the tests, everything that the package depends on is loaded.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir test",
    "weir test tests/parse.bats",
    "weir test --filter 'greeted' --jobs 4",
))]
pub(crate) struct Arguments {
    /// What the test runner is given, unchanged: files to run, options
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    given: Vec<OsString>,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    weir_project::install(&session, &context.project_folder()?, &InstallOptions::default())?;
    let project = context.project()?;
    let plan = weir_project::bash_test_plan(&project, &arguments.given, &settings::path_variable())?;
    // The progress display ends with the session, and the terminal is the runner's.
    drop(session);
    let mut command = std::process::Command::new(&plan.program);
    command.args(&plan.args).envs(plan.env);
    if arguments.given.is_empty() {
        command.current_dir(&project.folder);
    }
    let error = command.exec();
    Err(Failure::failed(format!("cannot run `{}`", plan.program.display())).caused_by(&error))
}
