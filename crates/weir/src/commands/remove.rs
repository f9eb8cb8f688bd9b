//! `weir remove`: take dependencies out of `weir.toml`.

use std::process::ExitCode;

use clap::Args;
use weir_model::PackageName;

use super::{changes, install};
use crate::arguments::{Installing, Whose};
use crate::complete;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;

/// Take dependencies out of `weir.toml` and out of the project
///
/// What only they needed goes with them.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir remove acme/str", "weir remove --reference corpus"))]
pub(crate) struct Arguments {
    /// Packages, `owner/name`
    #[arg(required_unless_present = "reference", value_name = "PACKAGE", add = complete::used_packages())]
    names: Vec<PackageName>,
    /// A reference to take out, by its name; may be repeated
    #[arg(long, value_name = "NAME")]
    reference: Vec<String>,
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    installing: Installing,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut session = context.session_for(arguments.installing.platform.platform.as_ref())?;
    let mut project = context.project_of(arguments.whose)?;
    let options = install::options(&arguments.installing, false);
    session.looks_only = options.dry_run;
    let report =
        weir_project::remove(&session, &mut project, &arguments.names, &arguments.reference, &options)?;
    context.output.act(options.dry_run, &report, |page| {
        let verb = if options.dry_run { "Would remove" } else { "Removed" };
        for name in &report.removed {
            page.line(format!("{verb} `{name}`"));
        }
        for name in &report.references {
            page.line(format!("{verb} the reference `{name}`"));
        }
        changes::show(page, &report.install.changes);
    })?;
    Ok(ExitCode::SUCCESS)
}
