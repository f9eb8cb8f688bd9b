//! Which attributes a set reads. Only those are told to Cedar: putting a request into its words takes longer than deciding it.

use std::collections::BTreeSet;

use cedar_policy::Policy;
use serde_json::Value;

/// What the rules of a set read.
#[derive(Debug, Default)]
pub(crate) struct Mentioned {
    attributes: BTreeSet<String>,
    /// Whether any reads tags, which are looked up by names that only evaluating gives.
    pub(crate) tags: bool,
}

impl Mentioned {
    /// What a rule reads.
    ///
    /// # Errors
    ///
    /// When it cannot be looked into.
    pub(crate) fn by(policy: &Policy) -> Result<Self, cedar_policy::PolicyToJsonError> {
        let mut read = Self::default();
        read.walk(&policy.to_json()?);
        Ok(read)
    }

    /// Adds what another rule reads.
    pub(crate) fn add(&mut self, other: &Self) {
        self.attributes.extend(other.attributes.iter().cloned());
        self.tags |= other.tags;
    }

    /// Whether an attribute of this name is read, of whatever.
    pub(crate) fn has(&self, attribute: &str) -> bool {
        self.attributes.contains(attribute)
    }

    fn walk(&mut self, part: &Value) {
        match part {
            Value::Object(parts) => {
                for (key, part) in parts {
                    self.tags |= key == "hasTag" || key == "getTag";
                    match (key.as_str(), part) {
                        ("attr", Value::String(name)) => drop(self.attributes.insert(name.clone())),
                        // A path: `has a.b`.
                        ("attr", Value::Array(names)) => {
                            self.attributes.extend(names.iter().filter_map(Value::as_str).map(str::to_owned));
                        }
                        _ => {}
                    }
                    self.walk(part);
                }
            }
            Value::Array(parts) => parts.iter().for_each(|part| self.walk(part)),
            _ => {}
        }
    }
}
