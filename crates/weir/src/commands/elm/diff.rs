//! `weir elm diff`: what changed in what a package offers.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use clap::Args;
use weir_elm::api::{Magnitude, ModuleDifference};
use weir_project::{ElmDiff, ElmSide};

use crate::arguments::PackageMaybeAtVersion;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::Page;

/// Show how what an Elm package offers differs from another version of it
///
/// By Elm's rules: something removed or changed is MAJOR, something added MINOR, anything else PATCH. It is read from the
/// documentation that the compiler made when a release was published; of a folder, the compiler makes it now.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir elm diff acme/str                     from its newest release to what is here",
    "weir elm diff acme/str@1.0.0 acme/str@2.0.0",
    "weir elm diff acme/str@1.0.0 ../str",
))]
pub(crate) struct Arguments {
    /// What was offered: a package, perhaps with a version, or a folder that begins with `.` or `/`
    #[arg(value_name = "FROM")]
    from: Side,
    /// What is offered; the project's own folder where nothing is said
    #[arg(value_name = "TO")]
    to: Option<Side>,
}

/// One of the two.
#[derive(Debug, Clone)]
enum Side {
    Package(PackageMaybeAtVersion),
    Folder(PathBuf),
}

impl FromStr for Side {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.starts_with(['.', '/']) {
            true => Ok(Self::Folder(text.into())),
            false => text.parse().map(Self::Package),
        }
    }
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let side = |side: &Side| -> Result<ElmSide, Failure> {
        Ok(match side {
            Side::Package(package) => ElmSide::Release(package.name.clone(), package.version.clone()),
            Side::Folder(folder) => ElmSide::Folder(context.path(folder)?),
        })
    };
    let from = side(&arguments.from)?;
    let to = match &arguments.to {
        Some(to) => side(to)?,
        None => ElmSide::Folder(context.project_folder()?),
    };
    let session = context.session()?;
    let project = context.project_if_any()?;
    let programs = context.programs(&session)?;
    let diff = weir_project::elm_diff(&session, project.as_ref(), &from, &to, &programs)?;
    context.output.answer(&diff, |page| show(page, &diff))?;
    Ok(ExitCode::SUCCESS)
}

fn show(page: &mut Page, diff: &ElmDiff) {
    let ElmDiff { from, to, difference } = diff;
    page.line(format!("From `{from}` to `{to}`: this is a {} change.", difference.magnitude));
    for (what, modules, magnitude) in [
        ("ADDED MODULES", &difference.added, Magnitude::Minor),
        ("REMOVED MODULES", &difference.removed, Magnitude::Major),
    ] {
        if !modules.is_empty() {
            page.blank();
            page.heading(&format!("---- {what} - {magnitude} ----"));
            modules.iter().for_each(|module| page.line(format!("    {module}")));
        }
    }
    for (name, module) in &difference.changed {
        page.blank();
        page.heading(&format!("---- {name} - {} ----", module.magnitude()));
        of_module(page, module);
    }
}

fn of_module(page: &mut Page, module: &ModuleDifference) {
    for (what, entries) in [("Added:", &module.added), ("Removed:", &module.removed)] {
        if !entries.is_empty() {
            page.line(format!("    {what}"));
            entries.iter().for_each(|entry| page.line(format!("        {entry}")));
        }
    }
    if !module.changed.is_empty() {
        page.line("    Changed:");
        for (before, now) in &module.changed {
            page.line(format!("      - {before}"));
            page.line(format!("      + {now}"));
        }
    }
}
