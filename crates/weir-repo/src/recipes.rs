//! The recipes, as the planner asks for them: what they would build, and the digest of everything that
//! decides how.

use std::cell::RefCell;
use std::collections::BTreeMap;

use weir_build::{Candidate, CandidateDependency, Toolchain};
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
    /// What it is built with.
    pub(crate) toolchain: Toolchain,
}

/// The recipes of a repository. Sources are looked for only when a digest is asked for.
pub(crate) struct Recipes<'r> {
    repo: &'r Repo<'r>,
    candidates: BTreeMap<PackageName, Candidate>,
    known: RefCell<BTreeMap<PackageName, Known>>,
    /// By the tools that recipes name.
    toolchains: RefCell<BTreeMap<Vec<String>, Toolchain>>,
    /// The recipe that was asked about last and could not be used.
    unusable: RefCell<Option<PackageName>>,
}

impl<'r> Recipes<'r> {
    pub(crate) fn new(repo: &'r Repo<'r>) -> Self {
        let recipes = repo.recipe_set.recipes();
        let candidates = recipes.map(|recipe| (recipe.name.clone(), candidate(recipe))).collect();
        Self {
            repo,
            candidates,
            known: RefCell::default(),
            toolchains: RefCell::default(),
            unusable: RefCell::default(),
        }
    }

    /// Does as if there were no recipe for a package, nor for those that need it and are not offered; gives these.
    pub(crate) fn leave_out(
        &mut self,
        name: &PackageName,
        is_offered: impl Fn(&PackageName) -> bool,
    ) -> Vec<PackageName> {
        self.candidates.remove(name);
        let mut gone = vec![name.clone()];
        let mut with_it = Vec::new();
        while let Some(name) = gone.pop().filter(|name| !is_offered(name)) {
            let needs =
                |candidate: &&Candidate| candidate.dependencies.iter().any(|needed| needed.name == name);
            let names: Vec<_> =
                self.candidates.values().filter(needs).map(|candidate| candidate.name.clone()).collect();
            for name in names {
                self.candidates.remove(&name);
                gone.push(name.clone());
                with_it.push(name);
            }
        }
        with_it
    }

    /// The package whose recipe could not be used when it was asked about last.
    pub(crate) fn take_unusable(&self) -> Option<PackageName> {
        self.unusable.take()
    }

    /// What a recipe that names these tools is built with.
    fn built_with(&self, tools: &[String]) -> Result<Toolchain, RepoError> {
        if let Some(known) = self.toolchains.borrow().get(tools) {
            return Ok(known.clone());
        }
        let toolchain = self.repo.root.toolchain(self.repo.sandbox.kind(), tools)?;
        self.toolchains.borrow_mut().insert(tools.to_vec(), toolchain.clone());
        Ok(toolchain)
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
        let toolchain = self.built_with(&recipe.tools)?;
        let known = Known { source, digest: Digest::of(&document), document, inputs, toolchain };
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
        let known = self.known(name);
        if known.is_err() {
            self.unusable.replace(Some(name.clone()));
        }
        Ok(known?.digest)
    }

    fn toolchain(&self, name: &PackageName) -> Result<Sha256, RepoError> {
        Ok(self.built_with(&self.repo.recipe_set.get(name)?.tools)?.digest)
    }
}
