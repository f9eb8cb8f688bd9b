//! Variants: the same library built in more than one way, in one release.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A way in which a package is built. Each variant is a folder of a release's tree.
///
/// Both are in one release, so that a repository can never offer one that is newer than the other.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// Optimised.
    Release,
    /// With what a debugger needs.
    Debug,
}

/// A word that names no variant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a variant: expected `release` or `debug`")]
pub struct VariantError(pub String);

impl Variant {
    /// Both, in the order in which they are built.
    pub const ALL: [Self; 2] = [Self::Release, Self::Debug];

    /// Its name, which is also that of its folder.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Debug => "debug",
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Variant {
    type Err = VariantError;

    fn from_str(text: &str) -> Result<Self, VariantError> {
        Self::ALL
            .into_iter()
            .find(|variant| variant.as_str() == text)
            .ok_or_else(|| VariantError(text.chars().take(40).collect()))
    }
}
