//! Looking at a project and at what registries offer.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use weir_model::{PackageName, ReleaseId, Version};
use weir_project::{Installed, TreeNode};

/// `weir tree`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DependencyTree {
    /// The project's folder.
    #[serde(serialize_with = "weir_model::path_text::path")]
    pub(crate) folder: PathBuf,
    /// Its name, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<PackageName>,
    /// Its version, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<Version>,
    /// What it asks for, each with what that needs.
    pub(crate) dependencies: Vec<TreeNode>,
}

/// `weir list`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InstalledReleases {
    /// The releases that the lockfile names.
    pub(crate) releases: Vec<Installed>,
}

/// `weir why`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Ways {
    /// Each way from the project to the package, which stands at its end.
    pub(crate) ways: Vec<Vec<ReleaseId>>,
}
