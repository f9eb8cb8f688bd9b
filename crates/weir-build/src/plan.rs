//! Planning: from what is offered, what the recipes would build, and what a person asks for, to what leaves
//! and what is built, in which order and why.
//!
//! A plan is worked out on names. Those that are to be built grow from what was asked for, in both
//! directions, until nothing is added: everything that was built with something that leaves is built again,
//! and what a recipe needs is used as it is offered, or built first where nothing that is offered fits. So
//! what is offered after a plan was carried out is closed, and no package in it is older than what it was
//! built with.
//!
//! Everything here is plain data; the same input gives the same plan, byte for byte.

mod diamond;
mod error;
mod offers;
mod reason;
mod resolved;
mod whole;
mod work;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod repository;
#[cfg(test)]
mod tests;

use serde::Serialize;
use weir_model::{Dependency, InputDigest, PackageName, Platform, Range, ReleaseId, Scope, Sha256, Version};
use weir_rules::{Offer, Standing};

pub use error::{PlanError, Unmet};
pub use reason::{Change, PlanReason, StayReason, VersionChange};
pub use whole::Whole;

use offers::Offers;
use work::Work;

/// What a registry offers of a kind `native` package for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Which release it is.
    pub id: ReleaseId,
    /// Its input digest.
    pub input_digest: InputDigest,
    /// The recipe it was built by, if it was built.
    pub recipe: Option<Sha256>,
    /// The toolchain it was built with, if it was built.
    pub toolchain: Option<Sha256>,
    /// What it was built with: its dependencies, baked.
    pub dependencies: Vec<Dependency>,
}

impl Offer for Offered {
    fn version(&self) -> &Version {
        &self.id.version
    }

    fn platform(&self) -> &Platform {
        &self.id.platform
    }

    fn revision(&self) -> u32 {
        self.id.revision
    }

    fn standing(&self) -> Standing {
        Standing::Offered
    }
}

/// What a recipe would build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The package.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// What it asks for. Dependencies of scope `dev` play no part in building.
    pub dependencies: Vec<CandidateDependency>,
}

/// What a recipe asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateDependency {
    /// The package.
    pub name: PackageName,
    /// The versions that would do.
    pub range: Range,
    /// What it is needed for.
    pub scope: Scope,
}

/// Where the planner looks for recipes.
pub trait Recipes {
    /// Why a digest cannot be had.
    type Error;

    /// What the recipe of a package would build, if there is one.
    fn candidate(&self, name: &PackageName) -> Option<&Candidate>;

    /// The names of all packages that have a recipe.
    fn names(&self) -> Vec<PackageName>;

    /// The digest of everything in a recipe that decides what is built. Asked for late, and only of what is
    /// built or compared, because the source must be fetched for it.
    ///
    /// # Errors
    ///
    /// When it cannot be worked out.
    fn digest(&self, name: &PackageName) -> Result<Sha256, Self::Error>;

    /// The digest of what its recipe builds it with.
    ///
    /// # Errors
    ///
    /// When it cannot be worked out.
    fn toolchain(&self, name: &PackageName) -> Result<Sha256, Self::Error>;
}

/// What is there before anything is done.
#[derive(Clone)]
pub struct World<'a> {
    /// The platform that is built for.
    pub platform: Platform,
    /// What is offered. What is for another platform is passed over.
    pub offered: &'a [Offered],
    /// The highest revision that a version ever had on this platform, of removed releases too.
    pub revisions: &'a dyn Fn(&PackageName, &Version) -> Option<u32>,
}

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanRequest {
    /// Offer these packages.
    Add(Vec<PackageName>),
    /// Offer every package that has a recipe.
    AddAll,
    /// Build these packages by their recipes as they are now, and what was built with them.
    Update(Vec<PackageName>),
    /// Build again whatever the recipes or the toolchain changed.
    UpdateAll,
    /// Take these packages away, and what was built with them.
    Remove(Vec<PackageName>),
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// What is offered no more. What was asked for comes first, what hangs on it after it.
    pub leaves: Vec<Leaving>,
    /// What is built, each after everything that it needs.
    pub builds: Vec<BuildStep>,
    /// What was asked for, but is to stay as it is.
    pub untouched: Vec<Untouched>,
}

/// A release that leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Leaving {
    /// Which one.
    pub id: ReleaseId,
    /// Why.
    pub because: PlanReason,
}

/// A release that is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BuildStep {
    /// What it will be. The revision has never been used before.
    pub id: ReleaseId,
    /// The input digest it will have.
    pub input_digest: InputDigest,
    /// The digest of its recipe.
    pub recipe: Sha256,
    /// What it is built with, by name and scope.
    pub dependencies: Vec<StepDependency>,
    /// Why it is built.
    pub because: PlanReason,
}

/// What a release is built with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StepDependency {
    /// The package.
    pub name: PackageName,
    /// The versions that the recipe takes.
    pub range: Range,
    /// What it is needed for: to be used, or only to be built.
    pub scope: Scope,
    /// Where it is taken from.
    pub on: On,
    /// Its input digest.
    pub input_digest: InputDigest,
}

/// Where a dependency is taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "BuiltOn")]
pub enum On {
    /// It is built before: the place among the steps of the plan, from 0.
    Step(usize),
    /// It is offered, and stays.
    Offered(ReleaseId),
}

/// A package that was asked for and stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Untouched {
    /// What is offered.
    pub id: ReleaseId,
    /// Why it stays.
    pub because: StayReason,
}

impl Plan {
    /// Whether there is nothing to do.
    pub const fn is_empty(&self) -> bool {
        self.leaves.is_empty() && self.builds.is_empty()
    }
}

/// Plans what is asked for.
///
/// # Errors
///
/// When it cannot be had: a package that nothing builds, a range that nothing meets, recipes that need each
/// other, or two releases of one package that would have to be used together. And when the digest of a
/// recipe cannot be had.
pub fn plan<R: Recipes>(
    world: &World<'_>,
    recipes: &R,
    request: &PlanRequest,
) -> Result<Plan, PlanError<R::Error>> {
    let offers = Offers::new(world);
    let mut work = Work::new(world, &offers, recipes);
    match request {
        PlanRequest::Add(names) => work.add(names)?,
        PlanRequest::AddAll => work.add_all(),
        PlanRequest::Update(names) => work.update(names)?,
        PlanRequest::UpdateAll => work.update_all()?,
        PlanRequest::Remove(names) => return work.remove(names),
    }
    work.finish()
}
