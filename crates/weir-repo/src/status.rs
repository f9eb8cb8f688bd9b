//! How the registry compares with the recipes.

use std::collections::BTreeMap;

use serde::Serialize;
use weir_build::PlanRequest;
use weir_model::{PackageName, ReleaseId, Version};

use crate::Repo;
use crate::error::RepoError;

/// A package, as recipes and registry have it.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StatusLine {
    /// The package.
    pub name: PackageName,
    /// The version that the recipe builds, if there is a recipe.
    pub recipe: Option<Version>,
    /// What is offered, if anything is.
    pub offered: Option<ReleaseId>,
    /// How the two compare.
    pub standing: PackageStanding,
    /// Why it would be built again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// How a recipe and what is offered compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PackageStanding {
    /// What is offered is what the recipe builds.
    Current,
    /// What is offered is not what the recipe builds now.
    Outdated,
    /// Nothing is offered.
    Missing,
    /// No recipe builds it.
    WithoutRecipe,
}

impl Repo<'_> {
    /// Compares every recipe with what is offered.
    ///
    /// # Errors
    ///
    /// When a recipe or its source cannot be read.
    pub fn status(&self) -> Result<Vec<StatusLine>, RepoError> {
        let plan = self.plan(&PlanRequest::UpdateAll)?;
        let mut lines: BTreeMap<PackageName, StatusLine> = BTreeMap::new();
        for recipe in self.recipe_set.recipes() {
            lines.insert(
                recipe.name.clone(),
                StatusLine {
                    name: recipe.name.clone(),
                    recipe: Some(recipe.version.clone()),
                    offered: None,
                    standing: PackageStanding::Missing,
                    because: None,
                },
            );
        }
        for release in plan.offered {
            let name = release.id.name.clone();
            let line = lines.entry(name.clone()).or_insert_with(|| StatusLine {
                name,
                recipe: None,
                offered: None,
                standing: PackageStanding::WithoutRecipe,
                because: None,
            });
            if line.recipe.is_some() {
                line.standing = PackageStanding::Current;
            }
            line.offered = Some(release.id);
        }
        for step in &plan.plan.builds {
            if let Some(line) = lines.get_mut(&step.id.name)
                && line.standing == PackageStanding::Current
            {
                line.standing = PackageStanding::Outdated;
                line.because = Some(step.because.to_string());
            }
        }
        Ok(lines.into_values().collect())
    }
}
