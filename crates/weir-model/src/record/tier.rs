//! What a log says of releases that a registry above has and this one does not offer, and of packages of it that are kept here.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{PackageName, ReleaseId};

/// A release of an upstream that policy keeps out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "KeptOut")]
pub struct Hold {
    /// The release.
    #[serde(flatten)]
    pub id: ReleaseId,
    /// The upstream that has it.
    pub registry: String,
    /// The rule that keeps it out.
    pub policy: String,
    /// Why, in the rule's words.
    pub reason: String,
    /// When the rule would let it in, if only time has to pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A release of an upstream that is kept out no longer. One that is admitted is so without this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unhold {
    /// The release.
    #[serde(flatten)]
    pub id: ReleaseId,
    /// The upstream that had it.
    pub registry: String,
    /// Why, in words.
    pub reason: String,
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, policy, reason, until, .. } = self;
        write!(f, "`{id}` is held by the rule `{policy}`")?;
        if let Some(until) = until {
            write!(f, " until {until}")?;
        }
        write!(f, ": {reason}")
    }
}

/// A package of an upstream is kept here, or given back to where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adoption {
    /// The package.
    pub name: PackageName,
    /// Whether it is given back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub back: bool,
}
