//! A repository of built packages: recipes on one side, a registry on the other, and the three actions that
//! bring the second to what the first says.
//!
//! Each action is a plan first ([`Repo::plan`]): what leaves, what is built, in which order, and why. Carrying
//! it out ([`Repo::carry_out`]) builds everything, and only then submits one batch: the registry shows all of
//! it or nothing. What was built is kept by its input digest, so that an interrupted action goes on where it stopped.

mod build;
mod check;
mod copy_out;
mod error;
mod evidence;
mod import;
mod offered;
mod plan;
mod provenance;
mod recipes;
mod record;
mod source;
mod status;
mod submit;
mod sysroot;
mod verify;

use std::path::{Path, PathBuf};

use weir_build::{BuildRoot, Sandbox, SandboxKind};
use weir_index::Index;
use weir_log::Source;
use weir_model::TreeDigest;
use weir_native::{RecipeSet, RecipeSetForm, RecipeSetOptions};
use weir_project::Project;
use weir_reach::{Connection, KnownRegistry, Session, connect, find, is_http};
use weir_registry::content::ContentFolder;
use weir_registry::{Object, Objects as _};

pub use build::{BuildReport, BuiltPackage, FailedBuild, How};
pub use check::{CheckReport, Checked};
pub use error::RepoError;
pub use evidence::{BuildEvidence, build_log, build_provenance};
pub use import::{ImportedRecipe, ImportedRecipes, repo_import};
pub use plan::{LeftOut, RepoPlan};
pub use status::{PackageStanding, StatusLine};
pub use submit::RepoReport;
pub use sysroot::{SysrootReport, sysroot_create};
pub use verify::repo_verify;

/// How to work on a repository.
#[derive(Debug, Clone)]
pub struct RepoOptions {
    /// The folder with the recipes: of Weir, of `BacPack`, or that of one recipe.
    pub recipes: PathBuf,
    /// What a Package Context of `BacPack` leaves open; nothing for recipes of Weir's own.
    pub of_context: RecipeSetOptions,
    /// The root file system to build in; the host's where nothing is said.
    pub root: Option<PathBuf>,
    /// What contains builds; nothing only for those who ask for it.
    pub sandbox: SandboxKind,
    /// How many builds to run at once.
    pub builds: usize,
    /// How many jobs each build may run at once.
    pub jobs: usize,
    /// What to do when a build fails.
    pub after_failure: AfterFailure,
    /// Which folders of this machine recipes may take sources from.
    pub source_folders: SourceFolders,
}

/// Which folders of this machine recipes may take sources from. What a source holds is published with what is built from it,
/// and recipes may be a stranger's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFolders {
    /// Those in the folder of the recipes, and in that of the project they belong to.
    Own,
    /// Any.
    Any,
}

/// What to do when a build fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// Start nothing more, and offer nothing.
    Stop,
    /// Go on with what does not need it, and offer nothing.
    GoOn,
    /// Go on with what does not need it, and offer as much of the plan as is whole without it.
    OfferTheRest,
}

/// A repository, opened.
pub struct Repo<'s> {
    session: &'s Session,
    options: RepoOptions,
    known: KnownRegistry,
    connection: Connection,
    /// What the registry holds, where it is a folder of this machine.
    content: Option<ContentFolder>,
    store: weir_store::Session,
    recipe_set: RecipeSet,
    root: BuildRoot,
    sandbox: Sandbox,
    /// The folder in which recipes may take sources from folders, if not anywhere.
    sources_in: Option<PathBuf>,
}

/// What of a repository is used while packages are built, by many threads at once.
#[derive(Clone, Copy)]
pub(crate) struct Workbench<'r> {
    pub(crate) session: &'r Session,
    pub(crate) options: &'r RepoOptions,
    pub(crate) files: &'r dyn Source,
    pub(crate) store: &'r weir_store::Session,
    pub(crate) root: &'r BuildRoot,
    pub(crate) sandbox: &'r Sandbox,
    /// The registry's content, where that is a folder of this machine.
    pub(crate) content: Option<&'r ContentFolder>,
    /// The folder in which recipes may take sources from folders, if not anywhere.
    pub(crate) sources_in: Option<&'r Path>,
}

/// Where recipes are read from is a folder.
fn must_be_folder(folder: &Path) -> Result<(), RepoError> {
    match folder.is_dir() {
        true => Ok(()),
        false => Err(RepoError::NotFound(format!("there is no folder `{}` with recipes", folder.display()))),
    }
}

/// The folder of the recipes, or that of the project that they are in, without any links in its path.
fn own_folder(recipes: &Path, project: Option<&Project>) -> Result<PathBuf, RepoError> {
    let recipes = fs_err::canonicalize(recipes)?;
    let project = project.map(|project| fs_err::canonicalize(&project.folder)).transpose()?;
    Ok(project.filter(|project| recipes.starts_with(project)).unwrap_or(recipes))
}

impl<'s> Repo<'s> {
    /// Reads the recipes, opens the registry, and looks at what to build with.
    ///
    /// # Errors
    ///
    /// When one of them cannot be read.
    pub fn open(
        session: &'s Session,
        project: Option<&Project>,
        options: RepoOptions,
    ) -> Result<Self, RepoError> {
        must_be_folder(&options.recipes)?;
        let recipe_set = RecipeSet::read_with(&options.recipes, &options.of_context)?;
        if recipe_set.form() == RecipeSetForm::Weir && options.of_context != RecipeSetOptions::default() {
            let place = options.recipes.display();
            let what = format!(
                "`--owner` and `--image` are for Package Contexts: the recipes in `{place}` are Weir's own"
            );
            return Err(RepoError::Usage(what));
        }
        for warning in recipe_set.warnings() {
            session.warn(warning.clone());
        }
        let sources_in = match options.source_folders {
            SourceFolders::Any => None,
            SourceFolders::Own => Some(own_folder(&options.recipes, project)?),
        };
        let known = find(session, project.map(Project::registries), None, &options.recipes)?;
        let connection = connect(session, &known)?;
        let root = match &options.root {
            Some(folder) => BuildRoot::open(folder)?,
            None => BuildRoot::host()?,
        };
        let sandbox = match options.sandbox {
            SandboxKind::Bubblewrap => Sandbox::bubblewrap()?,
            SandboxKind::None => Sandbox::none(),
        };
        if let Some(caveat) = root.caveat(&sandbox) {
            session.warn(caveat);
        }
        let store = session.open_store()?.session()?;
        let content = (!is_http(&known.location)).then(|| ContentFolder::new(&known.location));
        Ok(Self {
            session,
            options,
            known,
            connection,
            content,
            store,
            recipe_set,
            root,
            sandbox,
            sources_in,
        })
    }

    fn workbench(&self) -> Workbench<'_> {
        Workbench {
            session: self.session,
            options: &self.options,
            files: &*self.connection.source,
            store: &self.store,
            root: &self.root,
            sandbox: &self.sandbox,
            content: self.content.as_ref(),
            sources_in: self.sources_in.as_deref(),
        }
    }

    fn index(&self) -> &Index {
        self.connection.replica.index()
    }

    /// The bytes of a pack that the registry holds; nothing where that cannot be told without fetching it.
    fn held_pack(&self, tree: &TreeDigest) -> Option<u64> {
        let held = self.content.as_ref()?.find(Object::Pack(*tree)).ok()??;
        Some(held.size)
    }
}
