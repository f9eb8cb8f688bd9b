//! A project and its dependencies. What installing and changing dependencies tell is told by `weir-project` itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use weir_bash::rename::Undecided;

use crate::commands::prefetch::TimerInstalled;

/// `weir env`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Environment {
    /// The variables with which the project's packages are used, by name. What is not UTF-8 in a value is replaced.
    pub(crate) variables: BTreeMap<String, String>,
}

/// `weir bash init`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LoaderScript {
    /// What a Bash script evaluates.
    pub(crate) script: String,
}

/// `weir bash check`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BashCheck {
    /// How many files were read.
    pub(crate) files: usize,
    /// What is in the way of others, a sentence each.
    pub(crate) findings: Vec<String>,
    /// Places that renaming could not decide.
    pub(crate) undecided: Vec<Undecided>,
    /// How many names are changed where they are defined.
    pub(crate) definitions: usize,
    /// How many names are changed where they are used.
    pub(crate) uses: usize,
}

/// `weir bash bundle`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Bundle {
    /// The file that was written.
    #[serde(serialize_with = "weir_model::path_text::path")]
    pub(crate) file: PathBuf,
    /// How many packages are in it.
    pub(crate) packages: usize,
    /// Its bytes.
    pub(crate) bytes: u64,
    /// What may not work in one file, a sentence each, with file and line.
    pub(crate) warnings: Vec<String>,
}

/// `weir prefetch`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Prefetching {
    /// What was fetched, or would be.
    Fetched(weir_project::PrefetchReport),
    /// With `--install-timer`.
    Timer(TimerInstalled),
}
