//! Building without publishing, and building again what was built, to see whether the same comes out.

use serde::Serialize;
use weir_build::{Difference, PlanRequest};
use weir_model::{PackageName, ReleaseId};

use crate::Repo;
use crate::build::BuildReport;
use crate::error::RepoError;
use crate::plan::RepoPlan;

/// What building twice showed.
#[derive(Debug, Clone, Default, Serialize, schemars::JsonSchema)]
pub struct CheckReport {
    /// Each package that was built twice.
    pub checked: Vec<Checked>,
}

/// A package that was built twice.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct Checked {
    /// Which release.
    pub id: ReleaseId,
    /// What differs; nothing if it is reproducible.
    pub differences: Vec<Difference>,
}

impl Checked {
    /// Whether the same came out twice.
    pub fn is_reproducible(&self) -> bool {
        self.differences.is_empty()
    }
}

impl Repo<'_> {
    /// Plans to build packages, and what they need, by the recipes alone: as if the registry offered nothing that
    /// they build. What it offers already has the same input digest, and is not built again. No name means every
    /// recipe.
    ///
    /// # Errors
    ///
    /// When something has no recipe, a range is met by nothing, or nothing of all can be built.
    pub fn plan_from_recipes(&self, names: &[PackageName]) -> Result<RepoPlan, RepoError> {
        let mut offered = self.offered()?;
        offered.retain(|release| self.recipe_set.get(&release.id.name).is_err());
        let request = if names.is_empty() { PlanRequest::AddAll } else { PlanRequest::Add(names.to_vec()) };
        let plan = self.plan_on(offered, &request)?;
        if plan.plan.builds.is_empty() && !plan.left_out.is_empty() {
            return Err(RepoError::NoneToBuild { left_out: plan.left_out });
        }
        Ok(plan)
    }

    /// Builds the packages of a plan a second time, those of `names` or all, and compares with what the first
    /// time gave.
    ///
    /// # Errors
    ///
    /// When something cannot be fetched or built. That something differs is not an error.
    pub fn check(
        &self,
        plan: &RepoPlan,
        first: &BuildReport,
        names: &[PackageName],
    ) -> Result<CheckReport, RepoError> {
        let mut report = CheckReport::default();
        for (index, built) in first.built.iter().enumerate() {
            if !names.is_empty() && !names.contains(&built.id.name) {
                continue;
            }
            let differences = self.build_again(plan, first, index)?;
            report.checked.push(Checked { id: built.id.clone(), differences });
        }
        Ok(report)
    }
}
