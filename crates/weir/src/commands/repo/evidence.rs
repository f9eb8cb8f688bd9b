//! `weir repo log` and `weir repo provenance`: how a release was built.

use std::process::ExitCode;

use clap::Args;
use weir_model::Platform;

use crate::arguments::{ForPlatform, PackageMaybeAtVersion};
use crate::context::Context;
use crate::documents::building::{BuildLog, BuildProvenance};
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Format, Output, harmless, write_stdout};

/// Print what a build printed
///
/// The log is kept in the registry, beside the package. That of a build that failed is where the failure said.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir repo log base/curl", "weir repo log base/curl@7.88.1 | less"))]
pub(crate) struct LogArguments {
    #[command(flatten)]
    which: Which,
}

/// Print of what, by whom and how a release was built
///
/// An in-toto statement with a SLSA provenance, exactly as it was written when the release was built.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir repo provenance base/curl > curl.intoto.json"))]
pub(crate) struct ProvenanceArguments {
    #[command(flatten)]
    which: Which,
}

/// Which release.
#[derive(Debug, Args)]
struct Which {
    /// The package, perhaps with a version; the newest that is offered where none is named
    #[arg(value_name = "PACKAGE")]
    package: PackageMaybeAtVersion,
    #[command(flatten)]
    platform: ForPlatform,
}

impl Which {
    fn platform(&self) -> Option<&Platform> {
        self.platform.platform.as_ref()
    }
}

pub(super) fn log(context: &Context, arguments: &LogArguments) -> Result<ExitCode, Failure> {
    let which = &arguments.which;
    let session = context.session_for(which.platform())?;
    let project = context.project_if_any()?;
    let package = &which.package;
    let log = weir_repo::build_log(&session, project.as_ref(), &package.name, package.version.as_ref())?;
    match context.output.format {
        Format::Json => {
            let text = String::from_utf8_lossy(&log.bytes).into_owned();
            let document = BuildLog { release: log.release, digest: log.digest, log: text };
            context.output.json(&document)?;
        }
        Format::Text => print(&context.output, &log.bytes)?,
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn provenance(context: &Context, arguments: &ProvenanceArguments) -> Result<ExitCode, Failure> {
    let which = &arguments.which;
    let session = context.session_for(which.platform())?;
    let project = context.project_if_any()?;
    let package = &which.package;
    let statement =
        weir_repo::build_provenance(&session, project.as_ref(), &package.name, package.version.as_ref())?;
    match context.output.format {
        Format::Json => {
            let parsed = serde_json::from_slice(&statement.bytes)
                .map_err(|error| Failure::integrity("the statement is no JSON").caused_by(&error))?;
            let (release, digest) = (statement.release, statement.digest);
            context.output.json(&BuildProvenance { release, digest, statement: parsed })?;
        }
        Format::Text => print(&context.output, &statement.bytes)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Into a file or a program as it is; on a terminal without what a terminal would obey, for a build wrote it.
fn print(output: &Output, bytes: &[u8]) -> Result<(), Failure> {
    use std::io::IsTerminal as _;
    output.screen.clear();
    if !std::io::stdout().is_terminal() {
        return write_stdout(bytes);
    }
    let text = String::from_utf8_lossy(bytes);
    write_stdout(harmless(&text).as_bytes())?;
    if text.ends_with('\n') { Ok(()) } else { write_stdout(b"\n") }
}
