//! Why something cannot be planned.

use std::fmt;

use weir_model::{PackageName, Range, ReleaseId, Version};

use super::Reason;

/// Why what was asked for cannot be had. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError<E> {
    /// Nobody knows a package of this name.
    #[error("`{name}` is not offered, and there is no recipe for it")]
    Unknown {
        /// What was asked for.
        name: PackageName,
        /// The package whose name is nearest.
        similar: Option<PackageName>,
    },
    /// What is not offered can be neither updated nor removed. There is a recipe for it.
    #[error("`{name}` is not offered")]
    NotOffered {
        /// What was asked for.
        name: PackageName,
    },
    /// Adding would put another version in the place of one that is offered.
    #[error("`{offered}` is offered already, and the recipe builds {recipe}")]
    OtherVersion {
        /// What is offered.
        offered: ReleaseId,
        /// The version that the recipe builds.
        recipe: Version,
    },
    /// Something must be built again, and nothing says how.
    #[error("`{id}` must be built again ({because}), and there is no recipe for it")]
    NoRecipe {
        /// What is offered.
        id: ReleaseId,
        /// Why it must be built again.
        because: Reason,
    },
    /// Something that is needed does not fit, or is not there.
    #[error("{0}")]
    Unmet(Box<Unmet>),
    /// Recipes need each other.
    #[error("recipes need each other to be built: {}", path(cycle, " needs "))]
    Cycle {
        /// The packages, each needing the next; the first is also the last.
        cycle: Vec<PackageName>,
    },
    /// Two releases of one package would be used together.
    #[error(
        "`{package}` would be used in two releases at once: {}, but {}",
        path(one, " with "),
        path(other, " with ")
    )]
    Diamond {
        /// The package.
        package: PackageName,
        /// From what is built to one of the releases, through what each was built with.
        one: Vec<ReleaseId>,
        /// From what is built to the other.
        other: Vec<ReleaseId>,
    },
    /// No revision is left for a version.
    #[error("`{name}` {version} was built so often that no number is left for another revision")]
    Revisions {
        /// The package.
        name: PackageName,
        /// Its version.
        version: Version,
    },
    /// The digest of a recipe cannot be had.
    #[error(transparent)]
    Recipe(E),
}

/// A dependency that nothing meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// Whose recipe asks.
    pub dependent: PackageName,
    /// Why that is built.
    pub because: Reason,
    /// For which package it asks.
    pub dependency: PackageName,
    /// The versions that it takes.
    pub range: Range,
    /// The version that the recipe of the dependency builds, if it has one.
    pub recipe: Option<Version>,
    /// The version that is offered, if one is.
    pub offered: Option<Version>,
    /// Where nobody knows the package: the one whose name is nearest.
    pub similar: Option<PackageName>,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dependent, dependency, range, .. } = self;
        write!(f, "`{dependent}` needs `{dependency}` {range}, and ")?;
        match (&self.recipe, &self.offered) {
            (None, None) => f.write_str("it is not offered, nor is there a recipe for it")?,
            (None, Some(offered)) => write!(f, "{offered} is offered, without a recipe for another")?,
            (Some(recipe), None) => write!(f, "its recipe builds {recipe}")?,
            (Some(recipe), Some(offered)) if recipe == offered => {
                write!(f, "{recipe} is offered and what its recipe builds")?;
            }
            (Some(recipe), Some(offered)) => {
                write!(f, "{offered} is offered and its recipe builds {recipe}")?;
            }
        }
        write!(f, " (`{dependent}`: {})", self.because)
    }
}

impl<E> PlanError<E> {
    /// What to do now, where that can be said.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Unknown { similar, .. } => similar.as_ref().map(did_you_mean),
            Self::NotOffered { name } => Some(format!("`weir repo add {name}` offers it")),
            Self::OtherVersion { offered, .. } => {
                Some(format!("`weir repo update {}` replaces it, and what was built with it", offered.name))
            }
            Self::NoRecipe { id, .. } => {
                Some(format!("write a recipe for `{0}`, or remove it first: `weir repo remove {0}`", id.name))
            }
            Self::Unmet(unmet) => Some(unmet.help()),
            Self::Cycle { .. } => Some("take one of these dependencies out of its recipe".into()),
            Self::Diamond { one, other, .. } => {
                // What is being built is right by definition: what is behind was built before.
                let behind = [other, one].into_iter().filter(|path| path.len() > 2);
                let behind = behind.min_by_key(|path| path.last())?.iter().rev().nth(1)?;
                Some(format!("bring what is behind up to date first: `weir repo update {}`", behind.name))
            }
            Self::Revisions { .. } => Some("give the recipe another version".into()),
            Self::Recipe(_) => None,
        }
    }
}

impl Unmet {
    fn help(&self) -> String {
        let Self { dependent, dependency, .. } = self;
        match (&self.recipe, &self.similar) {
            (Some(recipe), _) => {
                format!(
                    "let the recipe of `{dependent}` take `{dependency}` {recipe}, or let that of \
                     `{dependency}` build a version in the range"
                )
            }
            (None, Some(similar)) => did_you_mean(similar),
            (None, None) => format!("write a recipe for `{dependency}`"),
        }
    }
}

fn did_you_mean(name: &PackageName) -> String {
    format!("did you mean `{name}`?")
}

fn path<Item: fmt::Display>(items: &[Item], between: &str) -> String {
    items.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(between)
}
