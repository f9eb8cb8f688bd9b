//! `weir repo import`: recipes of a BacPack Package Context as recipes of our own.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::commands::building::OfContext;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::count;

/// Write a BacPack Package Context as recipes
///
/// A Context can be built as it is, with `--recipes`; this is for those who move over. One `weir.toml` is written for
/// each package, in `packages/OWNER/NAME` of the folder; nothing that is there is written over.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir repo import ~/context recipes --owner base"))]
pub(crate) struct Arguments {
    /// The Package Context
    context: PathBuf,
    /// The folder for the recipes
    folder: PathBuf,
    #[command(flatten)]
    of_context: OfContext,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let from = context.path(&arguments.context)?;
    let folder = context.path(&arguments.folder)?;
    let report = weir_repo::repo_import(&from, &folder, &arguments.of_context.options())?;
    for note in &report.notes {
        context.output.warn(note);
    }
    context.output.show(&report, |page| {
        for recipe in &report.recipes {
            page.line(format!("Wrote `{}`", recipe.file.display()));
        }
        page.line(format!("Imported {} into `{}`", count(report.recipes.len(), "recipe"), folder.display()));
    })?;
    Ok(ExitCode::SUCCESS)
}
