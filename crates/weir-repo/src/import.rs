//! Recipes of somebody else's form, written as recipes of our own.

use std::path::{Component, Path, PathBuf};

use serde::Serialize;
use weir_model::{PackageName, manifest};
use weir_native::{Recipe, RecipeSet, RecipeSetError, RecipeSetForm, RecipeSetOptions, SourceSpec};

use crate::error::RepoError;
use crate::must_be_folder;
use weir_reach::replace;

/// What importing did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ImportedRecipes {
    /// The recipes that were written.
    pub recipes: Vec<ImportedRecipe>,
    /// What was taken over otherwise than it stood there, or left out: a sentence each.
    pub notes: Vec<String>,
}

/// A recipe that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ImportedRecipe {
    /// The package.
    pub name: PackageName,
    /// The file.
    #[serde(serialize_with = "weir_model::path_text::path")]
    pub file: PathBuf,
}

/// Writes the packages of a Package Context of `BacPack` as recipes, `packages/<owner>/<name>/weir.toml` in `folder`.
/// The context stays as it is.
///
/// # Errors
///
/// When the context cannot be read, or a recipe is there already: nothing is written then.
pub fn repo_import(
    context: &Path,
    folder: &Path,
    options: &RecipeSetOptions,
) -> Result<ImportedRecipes, RepoError> {
    must_be_folder(context)?;
    let recipe_set = RecipeSet::read_with(context, options).map_err(|error| match error {
        RecipeSetError::NotARecipeSet { folder } => {
            let folder = folder.display();
            RepoError::NotFound(format!("`{folder}` is no Package Context: it has no folder `package`"))
        }
        error => error.into(),
    })?;
    if recipe_set.form() == RecipeSetForm::Weir {
        let what = format!("`{}` has recipes of Weir's own already", context.display());
        return Err(RepoError::Usage(what));
    }
    let mut imported = ImportedRecipes { recipes: Vec::new(), notes: recipe_set.warnings().to_vec() };
    for recipe in recipe_set.recipes() {
        let place = folder.join("packages").join(recipe.name.owner()).join(recipe.name.name());
        let file = place.join(manifest::FILE_NAME);
        if file.exists() {
            return Err(RepoError::InTheWay { path: file });
        }
        imported.recipes.push(ImportedRecipe { name: recipe.name.clone(), file });
    }
    for (recipe, imported) in recipe_set.recipes().zip(&imported.recipes) {
        let Some(place) = imported.file.parent() else { continue };
        fs_err::create_dir_all(place)?;
        let text = moved(recipe, place)?.to_manifest_text();
        replace(&imported.file, text.as_bytes())?;
    }
    Ok(imported)
}

/// The recipe as it reads in another folder: sources that are near it are named from there.
fn moved(recipe: &Recipe, place: &Path) -> Result<Recipe, RepoError> {
    let place = fs_err::canonicalize(place)?;
    let renamed = |path: &str| -> String {
        let target = recipe.folder.join(path);
        let target = fs_err::canonicalize(&target).unwrap_or(target);
        relative(&place, &target).display().to_string()
    };
    let is_near = |address: &str| !address.contains("://") && Path::new(address).is_relative();
    let mut recipe = recipe.clone();
    match &mut recipe.source {
        SourceSpec::Path(path) => *path = renamed(path),
        // `host:path` is an address too, of a machine reached by ssh.
        SourceSpec::Git { url, .. } if is_near(url) && !url.contains(':') => *url = renamed(url),
        SourceSpec::Git { .. } => {}
        SourceSpec::Archive { mirrors, .. } => {
            for mirror in mirrors.iter_mut().filter(|mirror| is_near(mirror)) {
                *mirror = renamed(mirror);
            }
        }
    }
    Ok(recipe)
}

/// The way from one folder to another place; both are absolute.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::relative;

    #[test]
    fn a_relative_path_leads_from_one_place_to_the_other() {
        let way = |from: &str, to: &str| relative(Path::new(from), Path::new(to)).display().to_string();
        assert_eq!(way("/a/b/c", "/a/x/y"), "../../x/y");
        assert_eq!(way("/a", "/a/b"), "b");
        assert_eq!(way("/a/b", "/a/b"), "");
    }
}
