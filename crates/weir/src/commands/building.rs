//! How commands that build go about it: their common options.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use weir_build::SandboxKind;
use weir_model::OwnerName;
use weir_native::RecipeSetOptions;
use weir_project::Project;
use weir_repo::{AfterFailure, RepoOptions, SourceFolders};

use crate::context::Context;
use crate::failure::Failure;

/// What a Package Context leaves open; the same wherever one is read.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct OfContext {
    /// Of a Package Context, the owner that its packages get; `bacpack` where nothing is said
    #[arg(long, value_name = "OWNER")]
    owner: Option<OwnerName>,
    /// Of a Package Context, only what it builds for this Docker image
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
}

impl OfContext {
    /// As the library takes them.
    pub(super) fn options(&self) -> RecipeSetOptions {
        RecipeSetOptions { owner: self.owner.clone(), image: self.image.clone() }
    }
}

/// Where recipes are and what they are built in.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Recipes and build root")]
pub(crate) struct Place {
    /// The folder with the recipes, of Weir or of BacPack; the project's or the current one where nothing is said
    #[arg(long, value_name = "FOLDER")]
    recipes: Option<PathBuf>,
    #[command(flatten)]
    of_context: OfContext,
    /// Build in this unpacked root file system, instead of with the tools of this machine
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,
    /// Contain nothing: builds see and can change whatever you can, and undeclared dependencies go unnoticed
    #[arg(long)]
    no_sandbox: bool,
    /// Let recipes take sources from folders that are neither theirs nor the project's
    #[arg(long)]
    sources_anywhere: bool,
}

/// How much at once, and what after a failure.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Building")]
pub(crate) struct Pace {
    /// How many packages to build at once; as many as there are cores where nothing is said
    #[arg(long, value_name = "NUMBER", value_parser = at_least_one)]
    builds: Option<NonZeroUsize>,
    /// How many jobs all builds together may run at once; as many as there are cores where nothing is said
    #[arg(long, short, value_name = "NUMBER", value_parser = at_least_one)]
    jobs: Option<NonZeroUsize>,
    /// When a build fails, go on with what does not need it
    #[arg(long, short)]
    keep_going: bool,
    /// With `--keep-going`: offer what could be built and needs nothing that could not
    #[arg(long, requires = "keep_going")]
    publish: bool,
}

fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected a whole number, at least 1".into())
}

/// Both together, as the library takes them.
pub(super) fn options(
    context: &Context,
    project: Option<&Project>,
    place: &Place,
    pace: &Pace,
) -> Result<RepoOptions, Failure> {
    let recipes = match (&place.recipes, project) {
        (Some(folder), _) => context.path(folder)?,
        (None, Some(project)) => project.folder.clone(),
        (None, None) => context.folder()?,
    };
    let root = place.root.as_deref().map(|folder| context.path(folder)).transpose()?;
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Ok(RepoOptions {
        recipes,
        of_context: place.of_context.options(),
        root,
        sandbox: if place.no_sandbox { SandboxKind::None } else { SandboxKind::Bubblewrap },
        source_folders: if place.sources_anywhere { SourceFolders::Any } else { SourceFolders::Own },
        builds: pace.builds.unwrap_or(cores).get(),
        jobs: pace.jobs.unwrap_or(cores).get(),
        after_failure: match (pace.keep_going, pace.publish) {
            (false, _) => AfterFailure::Stop,
            (true, false) => AfterFailure::GoOn,
            (true, true) => AfterFailure::OfferTheRest,
        },
    })
}
