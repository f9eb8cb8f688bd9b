//! `weir init`: begin a package or a project.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use weir_model::{KindName, License, PackageName, Version};
use weir_project::NewProject;

use crate::arguments::handled_kind;
use crate::context::{Context, not_led_outside};
use crate::failure::Failure;
use crate::help::examples;

/// Begin a package or a project: write `weir.toml`
///
/// Of the kind `elm`, `elm.json` is written in its place, for the compiler that is on the `PATH`.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir init                       a project that is not published",
    "weir init --name acme/greet     a package",
    "weir init corpus --name acme/corpus --kind data",
    "weir init shop --kind elm       an application: an elm.json, and a module that compiles",
))]
pub(crate) struct Arguments {
    /// The folder to begin in; made if it is not there
    folder: Option<PathBuf>,
    /// The package's name, `owner/name`; a project that is never published needs none
    #[arg(long, value_name = "OWNER/NAME")]
    name: Option<PackageName>,
    /// What sort of package it is
    #[arg(long, default_value_t, value_parser = handled_kind())]
    kind: KindName,
    /// The version of its first release; 0.1.0 where nothing is said, and of Elm packages 1.0.0
    #[arg(long = "set-version", value_name = "VERSION")]
    version: Option<Version>,
    /// Its licence, an SPDX expression; that whose text is in the folder where nothing is said
    #[arg(long, value_name = "EXPRESSION")]
    license: Option<License>,
    /// Replace a manifest that is there
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(context: &Context, arguments: Arguments) -> Result<ExitCode, Failure> {
    let folder = match &arguments.folder {
        Some(folder) => context.path(folder)?,
        None => context.folder()?,
    };
    not_led_outside(&folder.join(weir_model::manifest::FILE_NAME))?;
    let new = NewProject {
        name: arguments.name,
        kind: arguments.kind,
        version: arguments.version,
        license: arguments.license,
        force: arguments.force,
        tools: tools(context, arguments.kind)?,
    };
    let report = weir_project::init(&folder, &new)?;
    context.output.show(&report, |page| {
        for file in &report.files {
            page.line(format!("Wrote `{file}`"));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The tools that are here and that a new project is for.
fn tools(context: &Context, kind: KindName) -> Result<BTreeMap<PackageName, Version>, Failure> {
    match kind {
        KindName::Elm => {
            let session = context.session()?;
            Ok(weir_project::elm_compiler(&session, &context.programs(&session)?))
        }
        _ => Ok(BTreeMap::new()),
    }
}
