//! `weir why`: how a package came into the project.

use std::process::ExitCode;

use clap::Args;
use weir_model::PackageName;

use crate::arguments::Whose;
use crate::complete;
use crate::context::Context;
use crate::documents::looking::Ways;
use crate::failure::Failure;
use crate::help::examples;

/// Show how a package came into the project
#[derive(Debug, Args)]
#[command(after_help = examples!("weir why acme/str"))]
pub(crate) struct Arguments {
    /// The package
    #[arg(value_name = "PACKAGE", add = complete::used_packages())]
    name: PackageName,
    #[command(flatten)]
    whose: Whose,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let project = context.project_of(arguments.whose)?;
    let found = Ways { ways: weir_project::why(&project, &arguments.name)? };
    weir_project::warn_of_quarantined(&context.session()?, &project);
    context.output.answer(&found, |page| {
        let (faint, manifest) = (page.palette.faint, project.manifest_name());
        for path in &found.ways {
            let steps: Vec<_> = path.iter().map(ToString::to_string).collect();
            page.line(format!(
                "{manifest} {faint}→{faint:#} {}",
                steps.join(&format!(" {faint}→{faint:#} "))
            ));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
