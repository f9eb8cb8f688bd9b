//! What a record says about an Elm package, as written when it was published and as checked when it is used.
//!
//! What is said of files and modules becomes paths and words for the compiler, so all of it is checked as if an enemy had written it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weir_kind::Facts;
use weir_model::{PackageName, Range, Version};
use weir_tree::TreePath;

use crate::module::is_module_name;

/// The most modules and folders that are believed.
const MOST: usize = 10_000;

/// The facts, in the order they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ElmFacts {
    /// The compilers that will do.
    pub(crate) elm: Range,
    /// Whether it is a whole application.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) application: bool,
    /// The modules that others see; of an application, none is hidden.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) modules: Vec<String>,
    /// The files of modules with ports: the compiler takes these in an application only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ports: Vec<String>,
    /// The folders its modules are in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sources: Vec<String>,
    /// Of an application, the exact packages it was made with.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) pins: BTreeMap<PackageName, Version>,
}

impl ElmFacts {
    /// Reads a record's facts; what belongs to others is left alone.
    pub(crate) fn read(facts: &Facts) -> Result<Self, String> {
        let facts: Self = serde_json::from_value(serde_json::Value::Object(facts.clone()))
            .map_err(|error| error.to_string())?;
        facts.check()?;
        Ok(facts)
    }

    /// Whether the compiler is handed it as a folder of the application's own modules, and not as a package.
    pub(crate) fn is_source(&self) -> bool {
        self.application || !self.ports.is_empty()
    }

    /// As the facts of a record.
    pub(super) fn into_facts(self) -> Facts {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(facts)) => facts,
            _ => Facts::new(),
        }
    }

    /// Checks what becomes paths and words.
    pub(super) fn check(&self) -> Result<(), String> {
        if [self.modules.len(), self.ports.len(), self.sources.len(), self.pins.len()].into_iter().max()
            > Some(MOST)
        {
            return Err(format!("more than {MOST} of something"));
        }
        if let Some(bad) = self.modules.iter().find(|module| !is_module_name(module)) {
            return Err(format!("`{}` is no name of a module", bad.escape_debug()));
        }
        for path in self.ports.iter().chain(&self.sources) {
            path.parse::<TreePath>().map_err(|error| format!("`{}`: {error}", path.escape_debug()))?;
        }
        Ok(())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_false(value: &bool) -> bool {
    !*value
}
