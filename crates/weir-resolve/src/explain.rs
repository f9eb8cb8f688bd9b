//! Why there is no resolution: numbered reasons, a verdict, and what could be done.
//!
//! The solver proves a failure as a tree of incompatibilities. The tree is flattened here into
//! steps, each a fact that a person can check in a manifest or a registry; an intermediate
//! conclusion is drawn only where two branches of the tree meet. Steps refer to earlier steps by
//! number, so nothing is nested and nothing is said twice. The text is made by `Display`.

mod case;
mod proof;
mod prose;

use std::sync::Arc;

use serde::Serialize;
use weir_model::record::Hold;
use weir_model::{KindName, PackageName, Platform, Range, ReleaseId, Version};

use crate::request::{Origin, Requirement};

pub(crate) use case::Case;

/// Why requirements cannot be met together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Explanation {
    /// What leads to the verdict; the first is step 1.
    pub steps: Vec<Step>,
    /// What follows from them.
    pub verdict: Verdict,
    /// What could be done.
    pub suggestions: Vec<Suggestion>,
    /// Packages of which other releases than those in the steps were tried, and did not help.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<PackageName>,
}

/// One step of an explanation.
#[expect(clippy::large_enum_variant, reason = "nearly every step is a fact")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum Step {
    /// A fact.
    Because(Reason),
    /// What earlier steps come to.
    So {
        /// The numbers of those steps.
        from: Vec<usize>,
        /// What they come to.
        conclusion: Conclusion,
    },
}

/// A fact of the project or of a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "reason")]
pub enum Reason {
    /// The project requires a package.
    #[serde(rename_all = "kebab-case")]
    Required {
        /// Where it says so.
        origin: Origin,
        /// The package.
        name: PackageName,
        /// The range that counts.
        range: Range,
        /// The override that put that range there.
        #[serde(skip_serializing_if = "Option::is_none")]
        overridden: Option<Origin>,
        /// Why nothing would do, if nothing would.
        #[serde(skip_serializing_if = "Option::is_none")]
        shortage: Option<Shortage>,
    },
    /// Some releases need a package in a range.
    #[serde(rename_all = "kebab-case")]
    Needs {
        /// Which releases.
        by: Releases,
        /// The package.
        name: PackageName,
        /// The ranges, usually one.
        ranges: Vec<Range>,
        /// The override that put that range there.
        #[serde(skip_serializing_if = "Option::is_none")]
        overridden: Option<Origin>,
        /// Why nothing would do, if nothing would.
        #[serde(skip_serializing_if = "Option::is_none")]
        shortage: Option<Shortage>,
    },
    /// Some releases were built or published with one release of a package.
    #[serde(rename_all = "kebab-case")]
    BuiltWith {
        /// Which releases.
        by: Releases,
        /// What sort of package they are.
        kind: KindName,
        /// What is in them; more than one if their inputs were the same.
        with: Vec<ReleaseId>,
        /// Why it cannot be had, if it cannot.
        #[serde(skip_serializing_if = "Option::is_none")]
        shortage: Option<Shortage>,
    },
    /// A name is required from another registry than the one it belongs to.
    #[serde(rename_all = "kebab-case")]
    Bound {
        /// Where the other registry is named.
        origin: Origin,
        /// The package.
        name: PackageName,
        /// The registry asked for.
        asked: Arc<str>,
        /// The registry that the name is bound to.
        bound: Arc<str>,
        /// Where that was said first.
        #[serde(skip_serializing_if = "Option::is_none")]
        first: Option<Origin>,
    },
}

/// Some releases of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Releases {
    /// The package.
    pub name: PackageName,
    /// Their versions.
    pub versions: Listed<Version>,
    /// Whether these are all that could be used.
    pub every: bool,
}

/// The newest few of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed<T> {
    /// The newest ones, in ascending order.
    pub newest: Vec<T>,
    /// How many older ones are left out.
    pub more: usize,
}

/// Why nothing meets a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "shortage")]
pub enum Shortage {
    /// No package has that name.
    NoPackage {
        /// The registry that was asked, if one was named.
        #[serde(skip_serializing_if = "Option::is_none")]
        registry: Option<Arc<str>>,
        /// Other registries that have it.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        elsewhere: Vec<Arc<str>>,
    },
    /// Only a registry further up has the package, and nothing of it is in the range.
    #[serde(rename_all = "kebab-case")]
    OnlyFurtherUp {
        /// The newest version there.
        newest: Version,
    },
    /// No version can lie in the range.
    EmptyRange,
    /// The package exists, but no release fits and may be used.
    #[serde(rename_all = "kebab-case")]
    NoRelease {
        /// What could be used, but is not in range.
        offered: Listed<Version>,
        /// In range, but yanked.
        yanked: Listed<Version>,
        /// Pre-releases of versions in range, which a range must name.
        prereleases: Listed<Version>,
        /// In range, but for other platforms.
        other_platforms: Listed<(Version, Platform)>,
        /// In range, but quarantined, with the reasons.
        quarantined: Listed<(Version, String)>,
        /// In range, but kept out by the policy of a registry that others are above, the newest first; of a package that only these
        /// are known of, any.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        held: Vec<Hold>,
        /// The platform that was wanted.
        platform: Platform,
    },
    /// A path or git dependency stands in for the package, and does not fit.
    Replaced {
        /// Its version.
        version: Version,
        /// Where it is.
        label: Arc<str>,
    },
}

impl Shortage {
    /// Whether there is nothing of the package at all, in any version: its name is wrong, or all of it was taken back.
    fn is_of_everything(&self) -> bool {
        match self {
            Self::NoPackage { .. } => true,
            Self::NoRelease { offered, yanked, prereleases, other_platforms, quarantined, held, .. } => {
                offered.count() + yanked.count() + prereleases.count() == 0
                    && other_platforms.count() + quarantined.count() + held.len() == 0
            }
            Self::OnlyFurtherUp { .. } | Self::EmptyRange | Self::Replaced { .. } => false,
        }
    }
}

/// What some steps come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "conclusion")]
pub enum Conclusion {
    /// These releases cannot be in one resolution.
    Excluded {
        /// Which ones, one package each.
        releases: Vec<Releases>,
    },
    /// These releases (or the project, if there are none) need one of those.
    OnlyWith {
        /// What needs something.
        releases: Vec<Releases>,
        /// What is needed: one of them.
        choices: Vec<Releases>,
    },
}

/// What an explanation ends with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    /// One step alone cannot be met.
    Unmet {
        /// Its number.
        step: usize,
    },
    /// Steps ask for different releases of one package; of several packages, where a way around
    /// the first clash ends in another.
    Clash {
        /// The packages.
        clashes: Vec<Clash>,
    },
    /// Taken together, some steps leave nothing of a package.
    Exhausted {
        /// The package, where one can be named.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<PackageName>,
        /// The numbers of the steps.
        steps: Vec<usize>,
    },
}

/// Steps that no release of a package meets together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clash {
    /// The package.
    pub name: PackageName,
    /// The numbers of the steps.
    pub steps: Vec<usize>,
    /// Whether all these steps say what releases were built with.
    pub built: bool,
}

/// What could be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "suggestion")]
pub enum Suggestion {
    /// Another name was probably meant.
    SimilarName {
        /// The name that does not exist.
        name: PackageName,
        /// Names that do.
        similar: Vec<PackageName>,
    },
    /// A newer release exists, which a step excludes.
    Newer {
        /// The package.
        name: PackageName,
        /// The newest version that could be used.
        version: Version,
        /// The step that excludes it.
        step: usize,
    },
    /// A pre-release would do, if the range named it.
    Prerelease {
        /// The package.
        name: PackageName,
        /// The pre-release.
        version: Version,
    },
    /// An override would settle which release of a package is used.
    Override {
        /// The package.
        name: PackageName,
    },
}

impl<T> Listed<T> {
    /// How many are listed by name.
    const SHOWN: usize = 5;

    /// The newest of `all`, which are in ascending order.
    pub(crate) fn newest_of(mut all: Vec<T>) -> Self {
        let more = all.len().saturating_sub(Self::SHOWN);
        Self { newest: all.split_off(more), more }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.newest.len() + self.more
    }
}

impl Explanation {
    /// Whether all there is to it is that something asked for is not there, in any version.
    pub fn is_of_something_missing(&self) -> bool {
        self.only_shortage().is_some_and(Shortage::is_of_everything)
    }

    /// Whether all there is to it is that something asked for is kept out by a rule.
    pub fn is_of_something_held(&self) -> bool {
        self.only_shortage()
            .is_some_and(|shortage| matches!(shortage, Shortage::NoRelease { held, .. } if !held.is_empty()))
    }

    /// Why nothing would do for one step, if that alone decides.
    fn only_shortage(&self) -> Option<&Shortage> {
        let Verdict::Unmet { step } = self.verdict else { return None };
        match self.steps.get(step.checked_sub(1)?)? {
            Step::Because(reason) => reason.shortage(),
            Step::So { .. } => None,
        }
    }

    pub(crate) fn two_registries(
        requirement: &Requirement,
        asked: &Arc<str>,
        bound: Arc<str>,
        first: Option<Origin>,
    ) -> Self {
        let reason = Reason::Bound {
            origin: requirement.origin.clone(),
            name: requirement.name.clone(),
            asked: asked.clone(),
            bound,
            first,
        };
        Self {
            steps: vec![Step::Because(reason)],
            verdict: Verdict::Unmet { step: 1 },
            suggestions: Vec::new(),
            tried: Vec::new(),
        }
    }
}
