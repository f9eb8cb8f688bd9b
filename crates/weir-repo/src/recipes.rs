//! The recipes, as the planner asks for them: what they would build, and the digest of everything that
//! decides how.

use std::cell::RefCell;
use std::collections::BTreeMap;

use weir_build::{Candidate, CandidateDependency};
use weir_model::{Digest, PackageName, Sha256};
use weir_native::{Recipe, RecipeInputs};

use crate::Repo;
use crate::error::RepoError;
use crate::source::{self, SourceTree};

/// What was found out about a recipe.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// Its source.
    pub(crate) source: SourceTree,
    /// Everything that decides what it builds, as canonical JSON.
    pub(crate) document: Vec<u8>,
    /// The digest of that.
    pub(crate) digest: Sha256,
    /// What it is carried out on: its source, patches and script.
    pub(crate) inputs: RecipeInputs,
}

/// The recipes of a repository. Sources are looked for only when a digest is asked for.
pub(crate) struct Recipes<'r> {
    repo: &'r Repo<'r>,
    candidates: BTreeMap<PackageName, Candidate>,
    known: RefCell<BTreeMap<PackageName, Known>>,
}

impl<'r> Recipes<'r> {
    pub(crate) fn new(repo: &'r Repo<'r>) -> Self {
        let recipes = repo.recipe_set.recipes();
        let candidates = recipes.map(|recipe| (recipe.name.clone(), candidate(recipe))).collect();
        Self { repo, candidates, known: RefCell::default() }
    }

    /// What there is to know about a recipe that the recipe set has.
    pub(crate) fn known(&self, name: &PackageName) -> Result<Known, RepoError> {
        if let Some(known) = self.known.borrow().get(name) {
            return Ok(known.clone());
        }
        let recipe = self.repo.recipe_set.get(name)?;
        let source = source::find(self.repo, recipe)?;
        let inputs = RecipeInputs::read(recipe, source.tree)?;
        let document = recipe.document(&inputs);
        let known = Known { source, digest: Digest::of(&document), document, inputs };
        self.known.borrow_mut().insert(name.clone(), known.clone());
        Ok(known)
    }
}

fn candidate(recipe: &Recipe) -> Candidate {
    let dependencies = recipe.dependencies.iter().map(|requirement| CandidateDependency {
        name: requirement.name.clone(),
        range: requirement.range.clone(),
        scope: requirement.scope,
    });
    Candidate {
        name: recipe.name.clone(),
        version: recipe.version.clone(),
        dependencies: dependencies.collect(),
    }
}

impl weir_build::Recipes for Recipes<'_> {
    type Error = RepoError;

    fn candidate(&self, name: &PackageName) -> Option<&Candidate> {
        self.candidates.get(name)
    }

    fn names(&self) -> Vec<PackageName> {
        self.candidates.keys().cloned().collect()
    }

    fn digest(&self, name: &PackageName) -> Result<Sha256, RepoError> {
        Ok(self.known(name)?.digest)
    }
}
