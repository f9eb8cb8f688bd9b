//! Packages that are built from recipes, and what they are built in.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use weir_model::{Platform, ReleaseId, Sha256};
use weir_repo::{BuildReport, CheckReport, RepoPlan, RepoReport, StatusLine};

/// `weir repo add`, `update`, `remove` and `plan`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Action<'a> {
    /// What leaves and what is built, in order, and why.
    pub(crate) plan: &'a RepoPlan,
    /// What came of it, if it was carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) report: Option<&'a RepoReport>,
}

/// `weir repo status`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RepoStatus {
    /// Each package that has a recipe or is offered.
    pub(crate) packages: Vec<StatusLine>,
}

/// `weir repo log`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BuildLog {
    /// The release.
    pub(crate) release: ReleaseId,
    /// The digest of the log.
    pub(crate) digest: Sha256,
    /// What the build printed. What is not UTF-8 in it is replaced.
    pub(crate) log: String,
}

/// `weir repo provenance`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BuildProvenance {
    /// The release.
    pub(crate) release: ReleaseId,
    /// The digest of the statement, as it was written: without `--json` it is printed byte by byte.
    pub(crate) digest: Sha256,
    /// The in-toto statement.
    pub(crate) statement: serde_json::Value,
}

/// `weir build`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Build<'a> {
    /// What is built, in order, and why.
    pub(crate) plan: &'a RepoPlan,
    /// What was built.
    #[serde(flatten)]
    pub(crate) report: &'a BuildReport,
    /// With `--check`, what building a second time gave.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) check: Option<&'a CheckReport>,
}

/// `weir root create`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MadeRoot {
    /// The folder.
    #[serde(serialize_with = "weir_model::path_text::path")]
    pub(crate) folder: PathBuf,
    /// What is built for in it.
    pub(crate) platform: Platform,
    /// The digest of what builds see of it.
    pub(crate) toolchain: Sha256,
}

/// `weir root show`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ShownRoot {
    /// The folder; nothing for this machine.
    #[serde(serialize_with = "weir_model::path_text::maybe_path")]
    pub(crate) folder: Option<PathBuf>,
    /// What is built for in it.
    pub(crate) platform: Platform,
    /// The digest of what builds see of it.
    pub(crate) toolchain: Sha256,
    /// What that digest is of: the packages of its tools, what the tools say of themselves, or the digest of all files.
    pub(crate) document: serde_json::Value,
}
