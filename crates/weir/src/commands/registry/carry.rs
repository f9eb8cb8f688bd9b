//! `weir registry export` and `import`: a registry, carried where no network leads.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use weir_model::PackageName;
use weir_model::record::UpstreamMode;
use weir_reach::Export;

use super::upstream::{mode, with_registry};
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{bytes, count, harmless};

/// Write a registry into a file, to be imported where it cannot be reached
///
/// The file has its log from a record on, signed as it is, and the content that is asked for. Whoever imports it believes it as if they
/// had reached the registry. An earlier export is written over, and nothing else.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir registry export public.weir --content --registry public",
    "weir registry export more.weir --since 1200 --content --registry public",
    "weir registry export str.weir --package acme/str",
))]
pub(crate) struct ExportArguments {
    /// The file that is written
    file: PathBuf,
    /// The other side has the records before this one: their number, as an import tells it, or a file with the checkpoint of that time
    #[arg(long, value_name = "RECORDS", default_value = "0")]
    since: String,
    /// Also write the content of all releases since then
    #[arg(long)]
    content: bool,
    /// Also write the content of all releases of this package; may be repeated
    #[arg(long = "package", value_name = "PACKAGE")]
    packages: Vec<PackageName>,
}

/// Take in what a file holds of a registry above, as if that had been reached
///
/// Its log is checked from its first record, and what policy permits is admitted: of a mirrored registry all, else what is asked for.
/// What it has of the content of that is brought. Nothing is changed where anything about the file is not as it must be.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir registry import public.weir --key public+1f2e3d4c+AZ… --mode mirror",
    "weir registry import more.weir --registry team",
))]
pub(crate) struct ImportArguments {
    /// The file, as `weir registry export` wrote it
    file: PathBuf,
    /// Name the registry as an upstream if it is none yet, believed by this key: `weir registry show` tells it there
    #[arg(long)]
    key: Option<String>,
    /// What of it is admitted from now on: as before, or `on-demand`, if nothing is said
    #[arg(long, value_name = "MODE", value_parser = mode())]
    mode: Option<UpstreamMode>,
}

pub(super) fn export(context: &Context, arguments: ExportArguments) -> Result<ExitCode, Failure> {
    let ExportArguments { file: named, since, content, packages } = arguments;
    let file = context.written(&named)?;
    let what = Export { since: weir_reach::since(&since)?, content, packages };
    let written = with_registry(context, |session, which| {
        Ok(weir_reach::registry_export(session, which, &file, &what)?)
    })?;
    context.output.show(&written, |page| {
        let carried = &written.carried;
        page.line(format!(
            "Wrote records {} to {} of the registry `{}`, and {} of content ({}), into `{}`",
            carried.since,
            carried.size,
            harmless(&carried.registry),
            count(written.objects, "object"),
            bytes(written.bytes),
            harmless(&named.display().to_string())
        ));
        for lacking in &written.lacking {
            page.line(format!("The registry does not have {lacking}"));
        }
        page.line(format!("The next time: `--since {}`", carried.size));
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn import(context: &Context, arguments: &ImportArguments) -> Result<ExitCode, Failure> {
    let file = context.file(&arguments.file)?;
    let imported = with_registry(context, |session, which| {
        Ok(weir_reach::registry_import(session, which, &file, arguments.key.as_deref(), arguments.mode)?)
    })?;
    context.output.show(&imported, |page| {
        page.line(format!(
            "The registry `{}` knows `{}` up to its record {}: admitted {}, newly holds {}, brought {} of content",
            harmless(&imported.registry),
            harmless(&imported.carried.registry),
            imported.carried.size,
            count(imported.answer.admitted, "release"),
            imported.answer.held,
            count(imported.brought, "object")
        ));
    })?;
    Ok(ExitCode::SUCCESS)
}
