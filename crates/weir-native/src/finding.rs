//! What is noticed about a built package.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Variant;

/// How much a finding matters.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The package cannot be used as it is.
    Error,
    /// It can, and may not do what is expected of it.
    Warning,
    /// Something was done that one might want to know of.
    Note,
}

/// Something that was noticed about a file of a built package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "BuildFinding")]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// In which variant.
    pub variant: Variant,
    /// The file, relative to the variant's folder.
    pub path: String,
    /// What it is, as the end of a sentence that begins with the path.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}/{}` {}", self.variant, self.path, self.message)
    }
}
