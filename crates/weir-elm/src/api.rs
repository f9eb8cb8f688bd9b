//! What a package offers, as `docs.json` says it, and how two versions of that differ: by Elm's own rules, in Elm's own words.

mod docs;
mod documentation;
mod equal;
mod source;
mod tipe;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use weir_model::Version;

use docs::Module;
pub use docs::{Api, BadDocs};
pub use documentation::{Documentation, EntryDocs, ModuleDocs, Piece};
pub use source::Sources;

/// How much a difference asks of whoever uses the package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Magnitude {
    /// Nothing of what is offered changed.
    Patch,
    /// Something was added, and all else is as it was.
    Minor,
    /// Something was removed or changed.
    Major,
}

/// How what a package offers differs from what it offered.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Difference {
    /// How much that is.
    pub magnitude: Magnitude,
    /// Modules that are new.
    pub added: Vec<String>,
    /// Modules that are gone.
    pub removed: Vec<String>,
    /// Modules that are there still, with what is different in them.
    pub changed: BTreeMap<String, ModuleDifference>,
}

/// What is different in a module. Each thing is as it is written in Elm.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ModuleDifference {
    /// What is new.
    pub added: Vec<String>,
    /// What is not as it was: before and now.
    pub changed: Vec<(String, String)>,
    /// What is gone.
    pub removed: Vec<String>,
}

impl fmt::Display for Magnitude {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Patch => "PATCH",
            Self::Minor => "MINOR",
            Self::Major => "MAJOR",
        })
    }
}

impl Difference {
    /// From what was offered to what is offered.
    pub fn between(old: &Api, new: &Api) -> Self {
        let names = |api: &Api| api.modules.keys().cloned().collect::<BTreeSet<_>>();
        let (before, now) = (names(old), names(new));
        let changed = before.intersection(&now).filter_map(|name| {
            let difference = ModuleDifference::between(&old.modules[name], &new.modules[name]);
            (difference != ModuleDifference::default()).then(|| (name.clone(), difference))
        });
        let mut difference = Self {
            magnitude: Magnitude::Patch,
            added: now.difference(&before).cloned().collect(),
            removed: before.difference(&now).cloned().collect(),
            changed: changed.collect(),
        };
        let modules = difference.changed.values().map(ModuleDifference::magnitude);
        difference.magnitude = modules
            .chain([magnitude(&difference.added, &difference.removed)])
            .max()
            .unwrap_or(Magnitude::Patch);
        difference
    }
}

impl ModuleDifference {
    fn between(old: &Module, new: &Module) -> Self {
        let mut difference = Self::default();
        for (name, now) in &new.entries {
            match old.entries.get(name) {
                None => difference.added.push(now.to_string()),
                Some(before) if !equal::is_same(before, now) => {
                    difference.changed.push((before.to_string(), now.to_string()));
                }
                Some(_) => {}
            }
        }
        let gone = old.entries.iter().filter(|(name, _)| !new.entries.contains_key(*name));
        difference.removed = gone.map(|(_, entry)| entry.to_string()).collect();
        difference
    }

    /// How much of a change it is.
    pub fn magnitude(&self) -> Magnitude {
        if self.changed.is_empty() { magnitude(&self.added, &self.removed) } else { Magnitude::Major }
    }
}

fn magnitude(added: &[String], removed: &[String]) -> Magnitude {
    match (removed.is_empty(), added.is_empty()) {
        (false, _) => Magnitude::Major,
        (true, false) => Magnitude::Minor,
        (true, true) => Magnitude::Patch,
    }
}

/// Which step a version is from the one before: `MAJOR`, `MINOR` or `PATCH`; nothing where it is none of these.
pub fn step(before: &Version, version: &Version) -> Option<Magnitude> {
    let (major, minor, patch) = (before.major(), before.minor(), before.patch());
    let steps = [
        (Magnitude::Major, Version::new(major.saturating_add(1), 0, 0)),
        (Magnitude::Minor, Version::new(major, minor.saturating_add(1), 0)),
        (Magnitude::Patch, Version::new(major, minor, patch.saturating_add(1))),
    ];
    steps.into_iter().find(|(_, next)| next == version).map(|(step, _)| step)
}

#[cfg(test)]
mod tests;
