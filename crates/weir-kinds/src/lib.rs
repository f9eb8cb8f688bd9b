//! The table of kinds. To add an ecosystem is to add a crate, a row here, and its line in `weir_model::KindName`.

use weir_kind::{BadFacts, Facts, Foreign, Generic, Kind, KindError, OwnManifest, PackageFiles};
use weir_model::KindName;
use weir_tree::TreeManifest;

/// Every kind that this program lays out and publishes.
pub static KINDS: &[&dyn Kind] =
    &[&Generic, &weir_bash::Bash, &weir_data::Data, &weir_native::Native, &weir_elm::Elm];

/// A kind that has a name and no crate in this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("packages of the kind `{name}` are not handled by this version of weir, which handles {}", names())]
pub struct NotHandled {
    /// The kind.
    pub name: KindName,
}

fn names() -> String {
    let names: Vec<String> = KINDS.iter().map(|kind| format!("`{}`", kind.name())).collect();
    names.join(", ")
}

/// The kind of that name.
///
/// # Errors
///
/// [`NotHandled`] when it is not in the table.
pub fn kind(name: KindName) -> Result<&'static dyn Kind, NotHandled> {
    KINDS.iter().copied().find(|kind| kind.name() == name).ok_or(NotHandled { name })
}

/// Checks what a record, a lockfile or a draft says that a kind found out. What kinds have in common is asked of one
/// that is not handled.
///
/// # Errors
///
/// [`BadFacts`] when it is not what inspecting a package can give.
pub fn check_facts(name: KindName, facts: &Facts) -> Result<(), BadFacts> {
    match kind(name) {
        Ok(kind) => kind.check_facts(facts),
        Err(_) => weir_kind::check_words(facts),
    }
}

/// What the first ecosystem whose own manifest is among `files` says there, as the text of a `weir.toml`.
///
/// # Errors
///
/// When there is one that cannot be understood.
pub fn read_foreign(files: &dyn PackageFiles) -> Result<Option<Foreign>, KindError> {
    KINDS.iter().find_map(|kind| kind.read_foreign(files).transpose()).transpose()
}

/// The manifests of ecosystems' own tools that stand for a `weir.toml`.
pub fn own_manifests() -> impl Iterator<Item = &'static dyn OwnManifest> {
    KINDS.iter().filter_map(|kind| kind.own_manifest())
}

/// What a folder without any manifest probably is: the first kind that finds something of its own in it, and TOML to be put below
/// `[package]`.
///
/// # Errors
///
/// When a file of it cannot be read.
pub fn guess(files: &dyn PackageFiles, tree: &TreeManifest) -> Result<Option<(KindName, String)>, KindError> {
    let guess = |kind: &&dyn Kind| kind.guess(files, tree).map(|guess| guess.map(|text| (kind.name(), text)));
    KINDS.iter().find_map(|kind| guess(kind).transpose()).transpose()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;
    use weir_model::KindName;

    use super::{KINDS, check_facts, kind};

    #[test]
    fn each_kind_is_in_the_table_once_and_one_that_is_not_is_told_from_those_that_are() {
        let names: BTreeSet<KindName> = KINDS.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), KINDS.len());
        for name in KindName::ALL {
            match kind(name) {
                Ok(kind) => assert_eq!(kind.name(), name),
                Err(error) => assert!(error.to_string().contains("`generic`, `bash`"), "{error}"),
            }
        }
    }

    #[test]
    fn no_kind_takes_a_fact_with_a_line_break() {
        let facts = json!({ "bin": { "a\nb": "a" } }).as_object().cloned().unwrap();
        for name in KindName::ALL {
            assert!(check_facts(name, &facts).is_err(), "{name}");
        }
    }
}
