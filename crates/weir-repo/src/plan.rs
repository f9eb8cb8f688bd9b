//! Planning an action: what leaves, what is built, and what need not be built because it was once.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde::Serialize;
use weir_build::{Plan, PlanError, PlanRequest, World};
use weir_model::{PackageName, Platform, Release, ReleaseId, Version, chain};
use weir_reach::ReachError;
use weir_registry::{Kept, quarantined};

use crate::Repo;
use crate::error::RepoError;
use crate::offered::for_planner;
use crate::recipes::{Known, Recipes};
use crate::record::Records;

/// An action, planned.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RepoPlan {
    /// The registry that is changed.
    pub registry: String,
    /// What is built for.
    pub platform: Platform,
    /// What leaves and what is built.
    #[serde(flatten)]
    pub plan: Plan,
    /// Of what is to be built, what need not be: it was built before, here or by whoever published it.
    pub ready: Vec<ReleaseId>,
    /// Of what was asked for by `--all`, what cannot be planned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// What the recipes say of what is built.
    #[serde(skip)]
    pub(crate) known: BTreeMap<PackageName, Known>,
    /// For each step, a release that had its input digest once, and whose content can be had.
    #[serde(skip)]
    pub(crate) before: Vec<Option<Release>>,
    /// Of what is to be built, what cannot be: it was built before, and the content of that is quarantined now. Each with
    /// the release that is quarantined.
    #[serde(skip)]
    pub(crate) withheld: Vec<(ReleaseId, ReleaseId)>,
    /// What the registry offers.
    #[serde(skip)]
    pub(crate) offered: Vec<Release>,
}

/// A package that a plan for all leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct LeftOut {
    /// The package.
    pub name: PackageName,
    /// Why, in words.
    pub reason: String,
}

impl RepoPlan {
    /// Whether everything is as it was asked to be.
    pub fn is_empty(&self) -> bool {
        self.plan.is_empty()
    }
}

/// Whether nobody named the packages one by one.
const fn is_for_all(request: &PlanRequest) -> bool {
    matches!(request, PlanRequest::AddAll | PlanRequest::UpdateAll)
}

impl Repo<'_> {
    /// Plans an action. Sources whose content is not known yet are fetched, since it decides what is built.
    ///
    /// # Errors
    ///
    /// When what is asked for cannot be: a package that nothing builds, a range that nothing meets, a cycle.
    pub fn plan(&self, request: &PlanRequest) -> Result<RepoPlan, RepoError> {
        self.plan_on(self.offered()?, request)
    }

    /// As [`Self::plan`], on what is `offered`.
    pub(crate) fn plan_on(
        &self,
        offered: Vec<Release>,
        request: &PlanRequest,
    ) -> Result<RepoPlan, RepoError> {
        if is_for_all(request) && self.recipe_set.names().next().is_none() {
            let folder = self.recipe_set.folder().display();
            return Err(RepoError::NotFound(format!("there is no recipe in `{folder}`")));
        }
        let mut recipes = Recipes::new(self);
        let mut left_out = Vec::new();
        let plan = loop {
            match self.plan_with(&recipes, &offered, request) {
                Ok(plan) => break plan,
                // One recipe whose source cannot be had must not keep all others from being built.
                Err(error) if is_for_all(request) && !matches!(error, RepoError::Interrupted) => {
                    let Some(name) = recipes.take_unusable() else { return Err(error) };
                    let is_offered =
                        |name: &PackageName| offered.iter().any(|release| release.id.name == *name);
                    let with_it = recipes.leave_out(&name, is_offered);
                    let because = format!("it needs `{name}`, which is left out");
                    left_out.push(LeftOut { name, reason: chain(&error) });
                    left_out
                        .extend(with_it.into_iter().map(|name| LeftOut { name, reason: because.clone() }));
                }
                Err(error) => return Err(error),
            }
        };
        let mut planned = RepoPlan {
            registry: self.known.name.clone(),
            platform: self.root.platform().clone(),
            ready: Vec::new(),
            known: BTreeMap::new(),
            before: Vec::with_capacity(plan.builds.len()),
            withheld: Vec::new(),
            left_out,
            offered,
            plan,
        };
        let records = Records::new(self.session);
        for step in &planned.plan.builds {
            let name = &step.id.name;
            planned.known.insert(name.clone(), recipes.known(name)?);
            let before = self.built_before(&step.input_digest)?;
            let kept = match records.provenance(&step.input_digest).exists() {
                true => self.store.derived_tree(&step.input_digest)?.map(|stored| *stored.digest()),
                false => None,
            };
            let tree = before.as_ref().map(|before| before.tree).or(kept);
            let before = before.filter(|before| before.kept == Kept::Yes);
            let before = before.and_then(|before| Some(before.newest()?.release.clone()));
            match tree.map(|tree| quarantined(self.index(), &tree)).transpose()?.flatten() {
                Some(view) => planned.withheld.push((step.id.clone(), view.release.id)),
                None if before.is_some() || kept.is_some() => planned.ready.push(step.id.clone()),
                None => {}
            }
            planned.before.push(before);
        }
        Ok(planned)
    }

    fn plan_with(
        &self,
        recipes: &Recipes<'_>,
        offered: &[Release],
        request: &PlanRequest,
    ) -> Result<Plan, RepoError> {
        // The planner asks a question that cannot fail; what failed all the same is told afterwards.
        let failed = RefCell::new(None);
        let revisions = |name: &PackageName, version: &Version| {
            self.highest_revision(name, version).unwrap_or_else(|error| {
                failed.borrow_mut().get_or_insert(error);
                None
            })
        };
        let world = World {
            platform: self.root.platform().clone(),
            offered: &for_planner(offered),
            revisions: &revisions,
        };
        let plan = weir_build::plan(&world, recipes, request).map_err(|error| match error {
            PlanError::Recipe(error) => error,
            PlanError::Unknown { name, similar } => {
                let place = format!("the registry `{}`, nor a recipe for it", self.known.name);
                ReachError::UnknownPackage { name, place, similar: similar.map(|name| name.to_string()) }
                    .into()
            }
            PlanError::NotOffered { .. } => {
                // Who wants it gone does not want to be told how to offer it.
                let help = if matches!(request, PlanRequest::Remove(_)) { None } else { error.help() };
                RepoError::NotOffered { reason: error.to_string(), help }
            }
            PlanError::Unmet { unmet }
                if unmet.iter().all(|one| one.recipe.is_none() && one.offered.is_none()) =>
            {
                let error = PlanError::<RepoError>::Unmet { unmet };
                RepoError::NotOffered { reason: error.to_string(), help: error.help() }
            }
            error => RepoError::Plan { reason: error.to_string(), help: error.help() },
        });
        match failed.into_inner() {
            Some(error) => Err(error),
            None => plan,
        }
    }
}
