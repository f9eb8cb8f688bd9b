//! `weir bash bundle`: one script of an entry script and all it needs.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use weir_bash::bundle::Warning;
use weir_project::InstallOptions;

use crate::context::Context;
use crate::documents;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{bytes, count};

/// Join a script and every package it needs into one file
///
/// The result needs Bash and nothing else. Packages are in it as they are used: those below the direct
/// dependencies under names of their own. What may not work in one file is told, with file and line.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir bash bundle bin/greet -o greet"))]
pub(crate) struct Arguments {
    /// The script to begin with
    entry: PathBuf,
    /// The file to write
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    weir_project::install(&session, &context.project_folder()?, &InstallOptions::default())?;
    let project = context.project()?;
    let output = context.written(&arguments.output)?;
    let bundled = weir_project::bash_bundle(&project, &context.path(&arguments.entry)?, &output)?;
    let warning = |warning: &Warning| format!("{}: `{}`: {}", warning.place, warning.text, warning.why);
    let warnings: Vec<String> = bundled.warnings.iter().map(warning).collect();
    for warning in &warnings {
        context.output.warn(warning);
    }
    let (packages, size) = (bundled.packages, bundled.bytes);
    let document = documents::project::Bundle { file: output, packages, bytes: size, warnings };
    context.output.show(&document, |page| {
        page.line(format!(
            "Wrote `{}` with {} ({})",
            document.file.display(),
            count(packages, "package"),
            bytes(size)
        ));
    })?;
    Ok(ExitCode::SUCCESS)
}
