//! A registry above another, as the lower one's log names it: whom to trust for it, and what comes down. Where it is reached is
//! no business of the log's: addresses move.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A registry above this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Upstream {
    /// Its name: the origin of its log.
    pub name: String,
    /// The C2SP verifier key that its checkpoints were signed with when it was named here, or one that its rotations lead to.
    pub key: String,
    /// What of it is admitted.
    pub mode: UpstreamMode,
}

/// What of an upstream is admitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpstreamMode {
    /// What a resolution needs.
    #[default]
    OnDemand,
    /// All that policy allows, as its log grows.
    Mirror,
}

impl UpstreamMode {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Mirror => "mirror",
        }
    }

    /// What it means, in words.
    pub const fn told(self) -> &'static str {
        match self {
            Self::OnDemand => "what is asked for is admitted",
            Self::Mirror => "all that policy allows is admitted",
        }
    }
}

impl fmt::Display for UpstreamMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for UpstreamMode {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [Self::OnDemand, Self::Mirror].into_iter().find(|mode| mode.as_str() == word).ok_or_else(|| {
            format!("`{}` is no mode of an upstream: there are `on-demand` and `mirror`", word.escape_debug())
        })
    }
}
