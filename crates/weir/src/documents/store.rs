//! What this machine keeps.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use weir_model::{Sha256, TreeDigest};

/// `weir store path`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StorePath {
    /// The store's folder.
    #[serde(serialize_with = "weir_model::path_text::path")]
    pub(crate) path: PathBuf,
}

/// `weir store list`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StoreList {
    /// Packages' trees.
    pub(crate) trees: Vec<StoredTree>,
    /// Files that references name.
    pub(crate) files: Vec<StoredFile>,
}

/// A tree in the store.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct StoredTree {
    /// Its digest.
    pub(crate) tree: TreeDigest,
    /// How many files it has; nothing if it is damaged.
    pub(crate) files: Option<u64>,
    /// Their bytes; nothing if it is damaged.
    pub(crate) bytes: Option<u64>,
    /// Days since it was used, if that is known.
    pub(crate) unused_days: Option<u64>,
    /// The projects that use it.
    pub(crate) projects: Vec<String>,
}

/// A file in the store.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct StoredFile {
    /// Its digest.
    pub(crate) file: Sha256,
    /// Its bytes.
    pub(crate) bytes: u64,
    /// Days since it was used, if that is known.
    pub(crate) unused_days: Option<u64>,
    /// The projects that use it.
    pub(crate) projects: Vec<String>,
}

/// `weir store verify`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StoreVerified {
    /// How many trees and files were read.
    pub(crate) items: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// What is wrong; empty if all is well.
    pub(crate) problems: Vec<String>,
}

/// `weir store repair`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StoreRepaired {
    /// What was damaged.
    pub(crate) items: Vec<RepairedItem>,
    /// Whether everything is what it should be now.
    pub(crate) sound: bool,
}

/// What became of something that was damaged.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RepairedItem {
    /// What it is.
    pub(crate) item: String,
    /// What became of it, in words.
    pub(crate) outcome: String,
}

/// `weir store optimise`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StoreOptimised {
    /// How many files were looked at.
    pub(crate) files: u64,
    /// How many of them are shared now.
    pub(crate) linked: u64,
    /// How many bytes that saved.
    pub(crate) saved: u64,
}

/// `weir store gc`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct StoreCollected {
    /// Whether this only tells what would be done.
    pub(crate) dry_run: bool,
    /// What was removed, or would be.
    pub(crate) removed: Vec<RemovedItem>,
    /// Its bytes together.
    pub(crate) bytes: u64,
    /// How much stays: trees, files and notes.
    pub(crate) kept: usize,
    /// Projects that are gone, and that are not asked for what they use any more.
    pub(crate) forgotten: Vec<String>,
}

/// What was removed from the store, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RemovedItem {
    /// What it is.
    pub(crate) item: String,
    /// Its bytes.
    pub(crate) bytes: u64,
}

/// `weir store export`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StoreExported {
    /// The file that was written.
    #[serde(serialize_with = "weir_model::path_text::path")]
    pub(crate) file: PathBuf,
    /// How many packages are in it.
    pub(crate) trees: u64,
    /// How many files that references name.
    pub(crate) files: u64,
    /// Its bytes.
    pub(crate) bytes: u64,
}

/// `weir store import`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StoreImported {
    /// The trees that are new here.
    pub(crate) trees: Vec<TreeDigest>,
    /// The files that are new here.
    pub(crate) files: Vec<Sha256>,
    /// How much was here already.
    pub(crate) present: u64,
}
