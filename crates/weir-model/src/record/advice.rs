//! What a log says of advisories: that one is known, and that it does not count here any more.

use serde::{Deserialize, Serialize};

use crate::advisory::{Advisory, AdvisoryId};

/// Something is known against versions of packages. What was said before under the same name counts no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// What is known.
    pub advisory: Advisory,
    /// The registry above that says so, where that is all there is to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// An advisory counts no more here, until it is told anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dismissal {
    /// Which.
    pub id: AdvisoryId,
    /// Why, in a person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The registry above that dismissed it, where that is all there is to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}
