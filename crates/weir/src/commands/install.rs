//! `weir install`: bring what the project needs, exactly as locked.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use weir_model::manifest::Source;
use weir_model::{KindName, Scope};
use weir_project::{Addition, InstallOptions, InstallReport, NewProject, Project};
use weir_reach::Session;

use super::changes;
use crate::arguments::{Installing, PackageAtRange};
use crate::complete;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Page, bytes, count};

/// Install what `weir.toml` asks for, as `weir.lock` has it
///
/// What the lockfile does not settle is resolved, and the lockfile is written last. Releases are
/// unpacked once for all projects of a machine and linked from there.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir install",
    "weir install --locked           in continuous integration: fail if weir.lock is not up to date",
    "weir install --offline          with what is cached, or a list of what is missing",
    "weir install --global acme/greet  for yourself, on the PATH: eval \"$(weir env --global)\"",
))]
pub(crate) struct Arguments {
    /// Fail if the lockfile is missing or does not match `weir.toml`, instead of changing it
    #[arg(long)]
    locked: bool,
    /// Install these packages for yourself instead of what a project asks for, besides those installed so before
    #[arg(long, value_name = "PACKAGE", num_args = 0.., conflicts_with = "locked")]
    #[arg(add = complete::known_packages())]
    global: Option<Vec<PackageAtRange>>,
    #[command(flatten)]
    installing: Installing,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut session = context.session_for(arguments.installing.platform.platform.as_ref())?;
    let options = options(&arguments.installing, arguments.locked);
    session.looks_only = options.dry_run;
    if let Some(packages) = &arguments.global {
        return install_global(context, &session, packages, &options);
    }
    let folder = context.project_folder()?;
    let report = weir_project::install(&session, &folder, &options)?;
    context.output.act(options.dry_run, &report, |page| show(page, &report))?;
    Ok(ExitCode::SUCCESS)
}

/// What is installed for the user is a project like any other, in the data folder; made when it is first needed.
pub(super) fn own_packages(session: &Session) -> Result<Project, Failure> {
    let folder = session.home.global_project();
    if !folder.join(weir_model::manifest::FILE_NAME).exists() {
        let new = NewProject {
            name: None,
            kind: KindName::Generic,
            version: None,
            license: None,
            force: false,
            tools: BTreeMap::new(),
        };
        weir_project::init(&folder, &new)?;
    }
    Ok(Project::open(&folder, &session.owners)?)
}

fn install_global(
    context: &Context,
    session: &Session,
    packages: &[PackageAtRange],
    options: &InstallOptions,
) -> Result<ExitCode, Failure> {
    let mut project = own_packages(session)?;
    let report = if packages.is_empty() {
        weir_project::install(session, &project.folder, options)?
    } else {
        let addition = |package: &PackageAtRange| Addition::Package {
            name: package.name.clone(),
            range: package.range.clone(),
            scope: Scope::Run,
            fluid: false,
            registry: None,
            source: Source::Registry,
        };
        let additions: Vec<Addition> = packages.iter().map(addition).collect();
        weir_project::add(session, &mut project, &additions, options)?.install
    };
    context.output.act(options.dry_run, &report, |page| show(page, &report))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn options(installing: &Installing, locked: bool) -> InstallOptions {
    InstallOptions { locked, dry_run: installing.dry_run.dry_run, with_dev: !installing.no_dev }
}

/// What was installed; also the end of what `add`, `remove` and `update` say.
pub(super) fn show(page: &mut Page, report: &InstallReport) {
    let packages = count(report.packages, "package");
    let (fetched, size) = (report.fetched.len(), bytes(report.fetched_bytes));
    let references = match report.fetched_references {
        0 => String::new(),
        fetched => format!(", {} fetched", count(fetched, "reference")),
    };
    page.line(match (report.nothing_to_do, report.dry_run, fetched) {
        (true, _, _) => format!("Nothing to do: {packages} in place"),
        (_, true, 0) => format!("Would use {packages}"),
        (_, true, fetched) => format!("Would use {packages}, fetching {fetched} ({size})"),
        (_, false, 0) => format!("Installed {packages}{references}"),
        (_, false, fetched) => match report.saved_bytes {
            0 => format!("Installed {packages}, {fetched} fetched ({size}){references}"),
            saved => {
                let saved = bytes(saved);
                format!("Installed {packages}, {fetched} fetched ({size}; deltas saved {saved}){references}")
            }
        },
    });
    changes::show(page, &report.changes);
}
