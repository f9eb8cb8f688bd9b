//! `weir pack`: what would be published, without publishing it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, bytes, count};

/// Make the pack that `weir publish` would upload
#[derive(Debug, Args)]
#[command(after_help = examples!("weir pack --list", "weir pack --out greet.zst"))]
pub(crate) struct Arguments {
    /// The package's folder
    folder: Option<PathBuf>,
    /// Where to write the pack
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Only list the files that belong to it
    #[arg(long, short, conflicts_with = "out")]
    list: bool,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let folder = match &arguments.folder {
        Some(folder) => context.package_folder(folder)?,
        None => context.project()?.folder,
    };
    let out = arguments.out.as_deref().map(|out| context.written(out)).transpose()?;
    let report = weir_project::pack(&context.session()?, &folder, out.as_deref())?;
    for warning in &report.warnings {
        context.output.warn(warning);
    }
    context.output.answer(&report, |page| {
        if arguments.list {
            let faint = page.palette.faint;
            let rows = report.files.iter().map(|(path, size)| {
                vec![Cell::new(format!("{:>9}", bytes(*size)), faint), Cell::plain(path)]
            });
            page.table(&[], rows.collect());
        }
        let files = count(report.files.len(), "file");
        page.line(format!("`{}`: {files}, {}", report.id, bytes(report.unpacked)));
        page.line(format!("tree {}", report.tree));
        if let (Some(out), Some(size)) = (&arguments.out, report.size) {
            page.line(format!("Wrote `{}` ({})", out.display(), bytes(size)));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
