//! Weir itself.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

/// `weir completions`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Completions {
    /// What the shell evaluates.
    pub(crate) script: String,
}

/// `weir man`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Manual {
    /// A page.
    Page {
        /// The page, as `man` reads it.
        page: String,
    },
    /// With `--out`, pages that were written.
    Written {
        /// The folder.
        #[serde(serialize_with = "weir_model::path_text::path")]
        folder: PathBuf,
        /// How many pages are in it.
        pages: usize,
    },
}
