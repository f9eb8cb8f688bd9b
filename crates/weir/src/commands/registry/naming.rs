//! `weir registry list`, `add` and `remove`: the names by which this machine knows registries.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use weir_model::manifest::RegistryAddress;
use weir_project::Project;
use weir_reach::KnownRegistry;

use super::must_be_free;
use crate::context::Context;
use crate::documents::registry::KnownRegistries;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::Cell;

/// List the registries that are known here
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry list"))]
pub(crate) struct ListArguments {}

/// Name a registry, for the project or, with `--user`, for this user
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir registry add org https://weir.example/org --default",
    "weir registry add local ../registry --key org+1c2d3e4f+AbC…",
))]
pub(crate) struct AddArguments {
    /// The name
    name: String,
    /// A folder, or an address
    #[arg(value_name = "FOLDER-OR-ADDRESS")]
    url: String,
    /// The key that must sign for it; trusted on first use where nothing is said
    #[arg(long)]
    key: Option<String>,
    /// Make it the one that unmarked dependencies come from
    #[arg(long)]
    default: bool,
    /// Name it in this user's configuration, for all projects
    #[arg(long)]
    user: bool,
    /// Go on without asking where another registry has the name
    #[arg(long, short)]
    yes: bool,
}

/// Forget a registry's name, and what is known of it here
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry remove org"))]
pub(crate) struct RemoveArguments {
    /// The name
    name: String,
}

pub(super) fn list(context: &Context) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let registries = weir_reach::registries(&session, project.as_ref().map(Project::registries))?;
    let known = KnownRegistries { registries };
    context.output.answer(&known, |page| {
        if known.registries.is_empty() {
            page.line("No registry is known: `weir registry add NAME FOLDER-OR-ADDRESS`");
        }
        let (faint, name) = (page.palette.faint, page.palette.name);
        let row = |registry: &KnownRegistry| {
            vec![
                Cell::new(&registry.name, name),
                Cell::plain(&registry.location),
                Cell::new(if registry.default { "default" } else { "" }, faint),
                Cell::new(&registry.from, faint),
            ]
        };
        page.table(&[], known.registries.iter().map(row).collect());
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn add(context: &Context, arguments: AddArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let mut project = if arguments.user { None } else { context.project_if_any()? };
    let address = RegistryAddress { url: arguments.url, key: arguments.key, default: arguments.default };
    let folder = context.folder()?;
    must_be_free(context, &arguments.name, &address.url, arguments.yes)?;
    must_be_there(&address.url, &folder)?;
    let added = weir_project::registry_add(&session, project.as_mut(), &arguments.name, &address, &folder)?;
    context.output.show(&added, |page| {
        page.line(format!("`{}` is `{}` now, in `{}`", added.name, added.location, added.from));
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A registry that is a folder is one.
fn must_be_there(address: &str, folder: &Path) -> Result<(), Failure> {
    let location = weir_reach::location(address, folder);
    if address.contains("://") && !address.starts_with("file://") || Path::new(&location).is_dir() {
        return Ok(());
    }
    Err(Failure::not_found(format!("there is no folder `{location}`"))
        .with_help(format!("to make a registry there: `weir registry init {address}`")))
}

pub(super) fn remove(context: &Context, arguments: &RemoveArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let mut project = context.project_if_any()?;
    let removed = weir_project::registry_remove(&session, project.as_mut(), &arguments.name)?;
    context.output.show(&removed, |page| {
        page.line(format!(
            "`{}` is no longer known, nor what was known of `{}`",
            removed.name, removed.location
        ));
    })?;
    Ok(ExitCode::SUCCESS)
}
