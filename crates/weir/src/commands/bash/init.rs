//! `weir bash init`: print the script that defines `weir.load` and `weir.load-all`.

use std::process::ExitCode;

use clap::Args;

use crate::context::Context;
use crate::documents::project::LoaderScript;
use crate::failure::Failure;
use crate::help::examples;

/// Print the script that defines `weir.load` and `weir.load-all`
///
/// A Bash script (4.3 or later) evaluates it once. Packages are then found by where the script lies: in the
/// nearest folder at or above it that `weir install` made a `weir_packages` in.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "eval \"$(weir bash init)\"",
    "weir.load acme/str             # and what it needs",
    "weir.load acme/str src/pad.sh  # one file of it",
    "weir.load-all                  # every direct dependency",
))]
pub(crate) struct Arguments {
    /// Let scripts that belong to no project load what `weir install --global` installed
    #[arg(long)]
    global: bool,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let global = if arguments.global { Some(context.session()?.home.global_project()) } else { None };
    let global = global.map(|folder| folder.to_string_lossy().into_owned());
    let script = weir_bash::loader::init_script(global.as_deref());
    let document = LoaderScript { script };
    context.output.answer(&document, |page| page.line(document.script.trim_end()))?;
    Ok(ExitCode::SUCCESS)
}
