//! Books of recipes: folders that say how to build many packages.
//!
//! A recipe set has one of three forms, told by what is in its folder:
//!
//! * `packages/<owner>/<name>/weir.toml`: Weir's own;
//! * `weir.toml` with a table `[recipe]`: a single recipe, alone or beside the first form;
//! * `package/<group>/*.json`: a Package Context of `BacPack`, see [`crate::bacpack`].
//!
//! All of it is read at once, and everything that is wrong with it is found at once: who wrote forty recipes
//! does not want to hear of their mistakes one by one.

mod error;
mod scan;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use weir_model::manifest::FILE_NAME;
use weir_model::{Manifest, OwnerName, PackageName, nearest};

use crate::{Recipe, bacpack};

pub use error::{RecipeSetError, RecipeSetProblem, UnknownRecipe};
pub(crate) use scan::Scan;

/// The folder of Weir's own form.
const PACKAGES: &str = "packages";
/// The most recipes of a recipe set.
const MAX_RECIPES: usize = 10_000;

/// Recipes, one a package.
#[derive(Debug, Clone)]
pub struct RecipeSet {
    folder: PathBuf,
    form: RecipeSetForm,
    recipes: BTreeMap<PackageName, Recipe>,
    warnings: Vec<String>,
}

/// In which form a recipe set is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipeSetForm {
    /// `weir.toml` files.
    Weir,
    /// A Package Context of `BacPack`.
    BacPack,
}

/// How to read what a recipe set in a form other than Weir's leaves open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecipeSetOptions {
    /// The owner of the packages of a Package Context; [`bacpack::OWNER`] where nothing is said.
    pub owner: Option<OwnerName>,
    /// Of a Package Context, only what is built for this image.
    pub image: Option<String>,
}

impl RecipeSet {
    /// Reads the recipe set in `folder`.
    ///
    /// # Errors
    ///
    /// When there is none, or with everything that is wrong with it.
    pub fn read(folder: &Path) -> Result<Self, RecipeSetError> {
        Self::read_with(folder, &RecipeSetOptions::default())
    }

    /// As [`RecipeSet::read`], told what a Package Context leaves open.
    ///
    /// # Errors
    ///
    /// As [`RecipeSet::read`].
    pub fn read_with(folder: &Path, options: &RecipeSetOptions) -> Result<Self, RecipeSetError> {
        let mut scan = Scan::new(folder)?;
        let alone = single_recipe(&mut scan, folder);
        let (form, recipes) = if alone.is_some() || scan.is_folder(PACKAGES) {
            (RecipeSetForm::Weir, own_recipes(&mut scan, folder, alone))
        } else if scan.is_folder(bacpack::PACKAGE) {
            (RecipeSetForm::BacPack, bacpack::recipes(&mut scan, options))
        } else {
            scan.finish()?;
            return Err(RecipeSetError::NotARecipeSet { folder: folder.to_owned() });
        };
        let recipes = by_name(&mut scan, recipes);
        Ok(Self { folder: folder.to_owned(), form, recipes, warnings: scan.finish()? })
    }

    /// The folder it was read from.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// In which form it is written.
    pub fn form(&self) -> RecipeSetForm {
        self.form
    }

    /// The recipe of a package.
    ///
    /// # Errors
    ///
    /// When there is none, with the name that was probably meant.
    pub fn get(&self, name: &PackageName) -> Result<&Recipe, UnknownRecipe> {
        self.recipes.get(name).ok_or_else(|| UnknownRecipe {
            name: name.clone(),
            folder: self.folder.clone(),
            nearest: self.nearest(name),
        })
    }

    /// The packages that it has recipes of, sorted.
    pub fn names(&self) -> impl Iterator<Item = &PackageName> {
        self.recipes.keys()
    }

    /// Its recipes, sorted by name.
    pub fn recipes(&self) -> impl Iterator<Item = &Recipe> {
        self.recipes.values()
    }

    /// What is not wrong, but should be known: one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The same name of another owner, or else the one that is spelled most alike.
    fn nearest(&self, name: &PackageName) -> Option<PackageName> {
        let of_another = self.names().find(|known| known.name() == name.name());
        of_another
            .cloned()
            .or_else(|| nearest(name.as_str(), self.names().map(PackageName::as_str))?.parse().ok())
    }
}

/// The text of the `weir.toml` in `folder` itself, if it is a recipe. One that is none, such as that of a
/// project that keeps recipes in `packages`, is not looked at further.
fn single_recipe(scan: &mut Scan, folder: &Path) -> Option<String> {
    if !scan.is_file(FILE_NAME) {
        return None;
    }
    let text = scan.text(&folder.join(FILE_NAME))?;
    let is_recipe = match Manifest::parse(&text) {
        Ok(manifest) => manifest.kind_tables.contains_key("recipe"),
        // What is wrong with it is worth saying where it is all there is.
        Err(_) => !scan.is_folder(PACKAGES) && !scan.is_folder(bacpack::PACKAGE),
    };
    is_recipe.then_some(text)
}

fn own_recipes(scan: &mut Scan, folder: &Path, alone: Option<String>) -> Vec<Recipe> {
    let mut recipes = Vec::new();
    if let Some(text) = alone {
        recipes.extend(recipe(scan, folder, &text, None));
    }
    if !scan.is_folder(PACKAGES) {
        return recipes;
    }
    for owner in scan.folders(&folder.join(PACKAGES)) {
        for place in scan.folders(&owner) {
            if recipes.len() >= MAX_RECIPES {
                scan.problem(RecipeSetProblem::TooMany { folder: folder.join(PACKAGES), most: MAX_RECIPES });
                return recipes;
            }
            recipes.extend(recipe_in(scan, &owner, &place));
        }
    }
    recipes
}

fn recipe_in(scan: &mut Scan, owner: &Path, place: &Path) -> Option<Recipe> {
    let file = place.join(FILE_NAME);
    if fs_err::symlink_metadata(&file).is_err() {
        scan.warn(format!("`{}` has no `{FILE_NAME}`: it is left out", place.display()));
        return None;
    }
    let text = scan.text(&file)?;
    recipe(scan, place, &text, expected_name(owner, place))
}

/// The name that the folders say.
fn expected_name(owner: &Path, place: &Path) -> Option<String> {
    Some(format!("{}/{}", owner.file_name()?.to_string_lossy(), place.file_name()?.to_string_lossy()))
}

fn recipe(scan: &mut Scan, folder: &Path, text: &str, expected: Option<String>) -> Option<Recipe> {
    let file = folder.join(FILE_NAME);
    match (Recipe::parse(text, &file, folder), expected) {
        (Err(error), _) => scan.problem(RecipeSetProblem::Recipe(error)),
        (Ok(recipe), Some(expected)) if expected != recipe.name.as_str() => {
            scan.problem(RecipeSetProblem::Misplaced { file, name: recipe.name.to_string(), expected });
        }
        (Ok(recipe), _) => return Some(recipe),
    }
    None
}

/// A registry offers no two packages whose names could be mistaken for each other; better to know before building.
fn by_name(scan: &mut Scan, recipes: Vec<Recipe>) -> BTreeMap<PackageName, Recipe> {
    let mut alike: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut sorted = BTreeMap::new();
    for recipe in recipes {
        match alike.entry(recipe.name.confusable()) {
            Entry::Occupied(first) => {
                let (name, first) = (recipe.name, first.get().clone());
                scan.problem(RecipeSetProblem::Alike { name, first, second: recipe.file });
            }
            Entry::Vacant(free) => {
                free.insert(recipe.file.clone());
                sorted.insert(recipe.name.clone(), recipe);
            }
        }
    }
    sorted
}

#[cfg(test)]
mod tests;
