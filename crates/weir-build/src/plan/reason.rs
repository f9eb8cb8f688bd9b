//! Why something is done, or left as it is: data for programs, and words for people.

use std::fmt;

use serde::Serialize;
use weir_model::{PackageName, Range, ReleaseId, Version};

/// Why a release leaves, or is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum PlanReason {
    /// A person asked for it by its name.
    Asked {
        /// What made it differ from what was offered, where something was.
        #[serde(skip_serializing_if = "Option::is_none")]
        change: Option<Change>,
    },
    /// A person asked for everything that changed.
    Changed {
        /// What changed.
        change: Change,
    },
    /// It was built with a release that leaves.
    DependsOn {
        /// That release.
        on: ReleaseId,
        /// Its recipe builds another version by now.
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<VersionChange>,
    },
    /// Something that is built asks for it, and nothing that is offered fits.
    NeededBy {
        /// Who asks.
        dependent: PackageName,
        /// For which versions.
        range: Range,
        /// The version that is offered, if one is.
        #[serde(skip_serializing_if = "Option::is_none")]
        offered: Option<Version>,
    },
}

/// What tells a release from what its recipe builds now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Change {
    /// The recipe builds another version.
    Version(VersionChange),
    /// The toolchain is another one.
    Toolchain,
    /// The recipe is another one, or builds from another source.
    Recipe,
    /// What it needs is another release than the one it was built with.
    Dependencies,
}

/// One version in the place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct VersionChange {
    /// The version that is offered.
    pub from: Version,
    /// The version that the recipe builds.
    pub to: Version,
}

/// Why something that was asked for stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum StayReason {
    /// It is offered already, in the version that the recipe builds.
    Offered,
    /// It is offered already, in another version: adding changes nothing that is there.
    OfferedInOtherVersion {
        /// The version that the recipe builds.
        recipe: Version,
    },
    /// Building it again would give the same: its recipe, its toolchain and what it needs are what they were.
    UpToDate,
    /// There is no recipe for it.
    NoRecipe,
}

impl fmt::Display for PlanReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked { change: None } => f.write_str("asked for"),
            Self::Asked { change: Some(change) } => write!(f, "asked for: {change}"),
            Self::Changed { change } => change.fmt(f),
            Self::DependsOn { on, version } => {
                write!(f, "depends on {}, which leaves", briefly(on))?;
                version.iter().try_for_each(|version| write!(f, "; {version}"))
            }
            Self::NeededBy { dependent, offered: None, .. } => write!(f, "needed by {dependent}"),
            Self::NeededBy { dependent, range, offered: Some(offered) } => {
                write!(f, "needed by {dependent}, which takes {range} and not {offered}")
            }
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(f),
            Self::Toolchain => f.write_str("toolchain changed"),
            Self::Recipe => f.write_str("recipe changed"),
            Self::Dependencies => f.write_str("what it needs changed"),
        }
    }
}

impl fmt::Display for VersionChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version changed from {} to {}", self.from, self.to)
    }
}

impl fmt::Display for StayReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offered => f.write_str("offered already"),
            Self::OfferedInOtherVersion { recipe } => {
                write!(f, "offered already; its recipe builds {recipe}")
            }
            Self::UpToDate => f.write_str("nothing to do"),
            Self::NoRecipe => f.write_str("has no recipe"),
        }
    }
}

/// A release without its platform: a plan is about one platform only.
pub(super) fn briefly(id: &ReleaseId) -> String {
    let ReleaseId { name, version, revision, .. } = id;
    match revision {
        0 => format!("{name} {version}"),
        revision => format!("{name} {version} revision {revision}"),
    }
}
