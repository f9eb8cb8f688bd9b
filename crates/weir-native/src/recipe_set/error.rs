//! What can be wrong with a recipe set.

use std::fmt;
use std::io;
use std::path::PathBuf;

use weir_model::PackageName;

use crate::RecipeError;

/// A recipe set that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecipeSetError {
    /// The folder cannot be read.
    #[error("the recipes in `{}` cannot be read", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// The folder holds no recipes.
    #[error(
        "there are no recipes in `{}`: expected `packages/<owner>/<name>/weir.toml`, a `weir.toml` with `[recipe]`, or a Package Context of BacPack",
        folder.display()
    )]
    NotARecipeSet {
        /// The folder.
        folder: PathBuf,
    },
    /// Some of its recipes are wrong.
    #[error("{} wrong with the recipes in `{}`:{}", Things(problems.len() + left_out), folder.display(), Listed(problems, *left_out))]
    Problems {
        /// The folder.
        folder: PathBuf,
        /// What is wrong, in the order of the files; at least one, and no more than a person would read.
        problems: Vec<RecipeSetProblem>,
        /// How many more there are.
        left_out: usize,
    },
}

/// One thing that is wrong with a recipe set.
#[derive(Debug, thiserror::Error)]
pub enum RecipeSetProblem {
    /// A recipe is wrong.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A file cannot be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("`{}` {reason}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why it is not read.
        reason: String,
    },
    /// A link leads out of the recipe set.
    #[error("`{}` leads out of the recipes, to `{}`", path.display(), target.display())]
    Outside {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A recipe is in the folder of another.
    #[error("`{}` is the recipe of `{name}`, and its folder is that of `{expected}`", file.display())]
    Misplaced {
        /// The recipe.
        file: PathBuf,
        /// The package that it names.
        name: String,
        /// The package that its folders name.
        expected: String,
    },
    /// Two recipes build one package, or two whose names could be mistaken for each other.
    #[error("`{}` builds `{name}`, and `{}` a package of this name or of one that looks like it", second.display(), first.display())]
    Alike {
        /// The package.
        name: PackageName,
        /// The first recipe.
        first: PathBuf,
        /// The second.
        second: PathBuf,
    },
    /// More than a recipe set may have.
    #[error("`{}` holds more than {most} entries", folder.display())]
    TooMany {
        /// The folder.
        folder: PathBuf,
        /// How many it may hold.
        most: usize,
    },
    /// A config of a Package Context says what Weir cannot take over.
    #[error("`{}`: `{field}` {reason}", file.display())]
    Config {
        /// The config.
        file: PathBuf,
        /// The field, with those around it: `Build.CMake.Defines.NAME`.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A package that a recipe set has no recipe of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no recipe of `{name}` in `{}`{}", folder.display(), nearest.as_ref().map(|nearest| format!(": did you mean `{nearest}`?")).unwrap_or_default())]
pub struct UnknownRecipe {
    /// The package.
    pub name: PackageName,
    /// The folder of the recipe set.
    pub folder: PathBuf,
    /// The package that was probably meant.
    pub nearest: Option<PackageName>,
}

/// How many things are wrong.
struct Things(usize);

impl fmt::Display for Things {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("one thing is"),
            count => write!(f, "{count} things are"),
        }
    }
}

/// Problems, one a line.
struct Listed<'a>(&'a [RecipeSetProblem], usize);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in self.0 {
            write!(f, "\n  {problem}")?;
            if let RecipeSetProblem::Recipe(error) = problem {
                write!(f, " (line {})", error.error.line)?;
            }
        }
        match self.1 {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}
