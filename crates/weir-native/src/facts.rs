//! What the kind `native` knows about a release: in its record, and in lockfiles.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weir_kind::Facts;

use crate::Variant;

/// The prefix for which everything is built. Text files that hold it are rewritten when they are laid out.
pub const PREFIX: &str = "/weir/prefix";

/// What is known about a built release, by variant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeFacts {
    /// Each variant that the tree has, as a folder of the variant's name.
    pub variants: BTreeMap<Variant, VariantFacts>,
}

/// What is known about one variant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct VariantFacts {
    /// Text files that hold [`PREFIX`], relative to the variant's folder, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relocate: Vec<String>,
    /// Names (`DT_SONAME`) of the shared libraries that it offers, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<String>,
    /// Names of the shared libraries that it needs from elsewhere (`DT_NEEDED`), sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
}

impl NativeFacts {
    /// Under this name the facts stand in a record.
    pub const NAME: &str = "native";

    /// Reads them from a record; `None` where there are none, or where they are not what they should be.
    pub fn of(facts: &Facts) -> Option<Self> {
        serde_json::from_value(facts.get(Self::NAME)?.clone()).ok()
    }

    /// Puts them into what goes into a record.
    pub fn insert_into(&self, facts: &mut Facts) {
        let value = serde_json::to_value(self).expect("strings under string keys are JSON");
        facts.insert(Self::NAME.to_owned(), value);
    }
}
