//! The descriptor, `weir.json`: what a registry is and can do, readable before anything is trusted.

use serde::{Deserialize, Serialize};

use crate::{KindName, Sha256};

/// The version of the descriptor this code writes, and the newest it reads.
pub const DESCRIPTOR_VERSION: u32 = 1;

/// What a registry says it is and can do. Unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Descriptor {
    /// The version of this format.
    pub weir: u32,
    /// The level of the protocol it speaks.
    pub level: u32,
    /// Its name: the origin of its log.
    pub name: String,
    /// Where it can be reached, if it is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The C2SP verifier keys of its checkpoints. Trusted on first use only; pinned from then on.
    pub keys: Vec<String>,
    /// How it came to these keys: signed notes, each by a key before it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rotations: Vec<String>,
    /// The kinds of package it takes; all kinds where it is empty.
    #[serde(default)]
    pub kinds: Vec<KindName>,
    /// What it can do beyond being read, such as `publish` or `delta`.
    #[serde(default)]
    pub features: Vec<String>,
    /// The policy in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicySummary>,
    /// The names of the registries above it, nearest first.
    #[serde(default)]
    pub upstreams: Vec<String>,
    /// For how many seconds a checkpoint is valid, if not for ever: a copy that stands still shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<u64>,
    /// Whether it promises never to show a release whose dependency is missing.
    #[serde(default)]
    pub closed: bool,
}

/// The policy in force, in brief.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PolicySummary {
    /// The digest of the policy set.
    pub digest: Sha256,
    /// What it says, in a sentence.
    pub summary: String,
}

/// Why bytes are not a descriptor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// It is of a newer format.
    #[error(
        "the registry's `weir.json` is of format {found}, this program reads up to {DESCRIPTOR_VERSION}: a newer weir is needed"
    )]
    Newer {
        /// Its format.
        found: u32,
    },
    /// It does not read as a descriptor.
    #[error("the registry's `weir.json` cannot be read: {0}")]
    Unreadable(String),
}

impl Descriptor {
    /// Reads `weir.json`.
    ///
    /// # Errors
    ///
    /// When it is of a newer format or no descriptor.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DescriptorError> {
        /// What every format has, whatever else becomes of it.
        #[derive(Deserialize)]
        struct Format {
            weir: u32,
        }
        let unreadable = |error: serde_json::Error| DescriptorError::Unreadable(error.to_string());
        let Format { weir } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if weir > DESCRIPTOR_VERSION {
            return Err(DescriptorError::Newer { found: weir });
        }
        serde_json::from_slice(bytes).map_err(unreadable)
    }

    /// Whether the registry takes packages of this kind.
    pub fn takes(&self, kind: KindName) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// The descriptor as `weir.json` holds it: indented, for people read it too.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("strings and numbers under string keys");
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_format_is_told_whatever_else_it_has() {
        for newer in [
            r#"{"weir": 2}"#,
            r#"{"weir": 7, "kinds": ["of later times"]}"#,
            r#"{"keys": {"all": "different"}, "weir": 2}"#,
        ] {
            let found = Descriptor::from_bytes(newer.as_bytes());
            assert!(matches!(found, Err(DescriptorError::Newer { .. })), "{newer}: {found:?}");
        }
        for bad in ["", "{}", "[]", r#"{"weir": -1}"#, r#"{"weir": 1}"#] {
            let found = Descriptor::from_bytes(bad.as_bytes());
            assert!(matches!(found, Err(DescriptorError::Unreadable(_))), "{bad}: {found:?}");
        }
    }
}
