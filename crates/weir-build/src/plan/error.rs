//! Why something cannot be planned.

use std::fmt;

use weir_model::{PackageName, Range, ReleaseId, Version};

use super::reason::briefly;
use super::{Leaving, PlanReason};

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
    #[error("`{}` is offered already, and the recipe builds {recipe}", briefly(offered))]
    OtherVersion {
        /// What is offered.
        offered: ReleaseId,
        /// The version that the recipe builds.
        recipe: Version,
    },
    /// Something must be built again, and nothing says how.
    #[error("{}", no_recipe(leaving))]
    NoRecipe {
        /// What is offered, and why it must be built again. At least one.
        leaving: Vec<Leaving>,
    },
    /// What recipes need does not fit, or is not there.
    #[error("{}", join(unmet, "; "))]
    Unmet {
        /// Each of these dependencies. At least one.
        unmet: Vec<Unmet>,
    },
    /// Recipes need each other.
    #[error(
        "recipes need each other to be built: {}",
        path(cycle, ToString::to_string, " needs ", ", which needs ")
    )]
    Cycle {
        /// The packages, each needing the next; the first is also the last.
        cycle: Vec<PackageName>,
    },
    /// Two releases of one package would be used together.
    #[error(
        "{} would be used in two releases at once: {}, but {}",
        one.last().map_or_else(|| "a package".to_owned(), |id| format!("`{}`", id.name)),
        path(one, briefly, " would be built with ", ", built with "),
        path(other, briefly, " with ", ", built with ")
    )]
    Diamond {
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
    pub because: PlanReason,
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
        let Self { dependent, because, dependency, range, .. } = self;
        write!(f, "`{dependent}` ({because}) needs `{dependency}` {range}, ")?;
        match (&self.recipe, &self.offered) {
            (None, None) => f.write_str("which is not offered and has no recipe"),
            (None, Some(offered)) => write!(f, "of which {offered} is offered, and which has no recipe"),
            (Some(recipe), Some(offered)) if recipe != offered => {
                write!(f, "of which {offered} is offered and {recipe} would be built")
            }
            (Some(recipe), _) => write!(f, "whose recipe builds {recipe}"),
        }
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
            Self::NoRecipe { leaving } => {
                let names = join(leaving.iter().map(|leaving| &leaving.id.name), " ");
                Some(format!("write recipes, or let go what has none: `weir repo remove {names}`"))
            }
            Self::Unmet { unmet } => unmet.first().map(|first| first.help(unmet)),
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
    /// `all` are those that are reported together.
    fn help(&self, all: &[Self]) -> String {
        let Self { dependency, .. } = self;
        match (&self.recipe, &self.similar) {
            (Some(recipe), _) => {
                let alike = all.iter().filter(|other| other.dependency == *dependency);
                let dependents = join(alike.map(|unmet| format!("`{}`", unmet.dependent)), ", ");
                format!(
                    "let {dependents} take `{dependency}` {recipe}, or let its recipe build another version"
                )
            }
            (None, Some(similar)) => did_you_mean(similar),
            (None, None) => format!("write a recipe for `{dependency}`"),
        }
    }
}

fn no_recipe(leaving: &[Leaving]) -> String {
    let each = leaving.iter().map(|Leaving { id, because }| {
        format!("`{}` must be built again ({because}) and has no recipe", briefly(id))
    });
    join(each, "; ")
}

fn did_you_mean(name: &PackageName) -> String {
    format!("did you mean `{name}`?")
}

/// A path of things that lead to each other.
fn path<Item>(items: &[Item], shown: impl Fn(&Item) -> String, first: &str, then: &str) -> String {
    let mut text = String::new();
    for (place, item) in items.iter().enumerate() {
        text.push_str(match place {
            0 => "",
            1 => first,
            _ => then,
        });
        text.push_str(&format!("`{}`", shown(item)));
    }
    text
}

fn join<Item: fmt::Display>(items: impl IntoIterator<Item = Item>, between: &str) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(between)
}
