//! What a record says about a Bash package, as written when it was published and as checked when it is installed.
//!
//! A record comes from a registry, and a registry may be anybody's: everything is checked again as if it were written by an enemy.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weir_kind::Facts;
use weir_tree::TreePath;

use crate::layout::Offers;
use crate::manifest::{
    BashManifest, MAX_ENTRIES, ManifestError, check_name, check_option, check_slug, check_value,
    check_variable,
};

/// The most files of one sort that a package may offer.
const MAX_FILES: usize = 20_000;

/// The facts, in the order they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct BashFacts {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) slug: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) source: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) bin: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) commands: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) completion: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) man: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) environment: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) options: BTreeMap<String, bool>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) shopt: BTreeMap<String, bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) keep: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) state: Vec<String>,
}

impl BashFacts {
    pub(super) fn new(manifest: &BashManifest, offers: Offers) -> Self {
        let manifest = manifest.clone();
        Self {
            slug: manifest.slugs,
            source: offers.source,
            bin: offers.bin,
            commands: offers.commands,
            completion: offers.completion,
            man: offers.man,
            environment: manifest.environment,
            options: manifest.options,
            shopt: manifest.shopt,
            keep: manifest.keep,
            state: manifest.state,
        }
    }

    /// Reads a record's facts; what belongs to others is left alone.
    pub(super) fn read(facts: &Facts) -> Result<Self, String> {
        let facts: Self = serde_json::from_value(serde_json::Value::Object(facts.clone()))
            .map_err(|error| error.to_string())?;
        facts.check()?;
        Ok(facts)
    }

    pub(super) fn into_parts(self) -> (BashManifest, Offers) {
        let manifest = BashManifest {
            slugs: self.slug,
            environment: self.environment,
            options: self.options,
            shopt: self.shopt,
            keep: self.keep,
            state: self.state,
            ..BashManifest::default()
        };
        let offers = Offers {
            source: self.source,
            bin: self.bin,
            commands: self.commands,
            completion: self.completion,
            man: self.man,
        };
        (manifest, offers)
    }

    fn check(&self) -> Result<(), String> {
        for (field, length, most) in [
            ("slug", self.slug.len(), MAX_ENTRIES),
            ("keep", self.keep.len(), MAX_ENTRIES),
            ("state", self.state.len(), MAX_ENTRIES),
            ("environment", self.environment.len(), MAX_ENTRIES),
            ("options", self.options.len(), MAX_ENTRIES),
            ("shopt", self.shopt.len(), MAX_ENTRIES),
            ("commands", self.commands.len(), MAX_FILES),
        ] {
            if length > most {
                return Err(format!("`{field}` has {length} entries: more than {most} are not read"));
            }
        }
        self.check_words().map_err(|error| error.to_string())?;
        for (field, paths) in [
            ("source", &self.source),
            ("bin", &self.bin),
            ("completion", &self.completion),
            ("man", &self.man),
        ] {
            if paths.len() > MAX_FILES {
                let count = paths.len();
                return Err(format!("`{field}` has {count} entries: more than {MAX_FILES} are not read"));
            }
            for path in paths {
                check_file(field, path)?;
            }
        }
        for (name, path) in &self.commands {
            check_file("commands", name)?;
            check_file("commands", path)?;
            if name.contains('/') {
                return Err(format!("`commands`: `{}` is not the name of a command", name.escape_debug()));
            }
        }
        Ok(())
    }

    fn check_words(&self) -> Result<(), ManifestError> {
        self.slug.iter().try_for_each(|slug| check_slug(slug))?;
        self.keep.iter().try_for_each(|name| check_name("keep", name))?;
        self.state.iter().try_for_each(|name| check_name("state", name))?;
        self.options.keys().try_for_each(|name| check_option("options", name))?;
        self.shopt.keys().try_for_each(|name| check_option("shopt", name))?;
        self.environment.iter().try_for_each(|(name, value)| {
            check_variable("environment", name)?;
            check_value("environment", value)
        })
    }
}

/// A path of a tree is one that a tree could have: relative, plain, inside.
fn check_file(field: &str, path: &str) -> Result<(), String> {
    match TreePath::new(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("`{field}`: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{BashFacts, MAX_FILES};
    use crate::manifest::MAX_ENTRIES;
    use serde_json::{Value, json};

    fn read(facts: Value) -> Result<BashFacts, String> {
        let Value::Object(facts) = facts else { panic!("facts are an object") };
        BashFacts::read(&facts)
    }

    #[test]
    fn sound_facts_are_read_as_they_were_written_and_those_of_others_are_left_alone() {
        let facts = json!({
            "slug": ["greet"], "source": ["src/a b.sh"], "bin": ["bin/greet"], "commands": [["hi", "bin/greet"]],
            "completion": ["c/greet"], "man": ["man/greet.1"], "environment": { "GREET": "$(x)" },
            "options": { "pipefail": true }, "shopt": { "extglob": false }, "keep": ["greet.hook"], "state": ["X"],
        });
        let written = serde_json::to_value(read(facts.clone()).unwrap()).unwrap();
        assert_eq!(written, facts);
        assert_eq!(read(json!({ "git": { "commit": "0" } })), Ok(BashFacts::default()));
    }

    #[test]
    fn a_path_that_no_tree_has_is_refused_wherever_it_stands() {
        let long = "a/".repeat(5_000);
        for path in [
            "../x",
            "a/../../x",
            "/etc/passwd",
            "",
            ".",
            "a//b",
            "a/",
            "a\nb",
            "a\u{1e}b",
            "a\0b",
            long.as_str(),
        ] {
            for field in ["source", "bin", "completion", "man"] {
                assert!(read(json!({ field: [path] })).is_err(), "{field} {path:?}");
            }
            assert!(read(json!({ "commands": [["fine", path]] })).is_err(), "{path:?}");
            assert!(read(json!({ "commands": [[path, "bin/fine"]] })).is_err(), "{path:?}");
        }
        assert!(read(json!({ "commands": [["a/b", "bin/fine"]] })).is_err(), "a command below a folder");
    }

    #[test]
    fn a_word_that_would_be_code_or_reach_the_loader_is_refused() {
        for facts in [
            json!({ "slug": ["a;touch pwned"] }),
            json!({ "slug": [""] }),
            json!({ "keep": ["a b"] }),
            json!({ "state": ["a\u{1e}b"] }),
            json!({ "options": { "pipefail; touch pwned": true } }),
            json!({ "shopt": { "-s extglob": true } }),
            json!({ "environment": { "LD_PRELOAD": "x" } }),
            json!({ "environment": { "BASH_ENV": "x" } }),
            json!({ "environment": { "A[$(touch pwned)]": "x" } }),
            json!({ "environment": { "A": "a\0b" } }),
            json!({ "environment": { "A": "x".repeat(5_000) } }),
        ] {
            assert!(read(facts.clone()).is_err(), "{facts}");
        }
    }

    #[test]
    fn facts_of_another_shape_or_without_measure_are_refused() {
        for facts in [json!({ "slug": "greet" }), json!({ "source": [1] }), json!({ "commands": [["a"]] })] {
            assert!(read(facts.clone()).is_err(), "{facts}");
        }
        let files: Vec<String> = (0..=MAX_FILES).map(|number| format!("f{number}")).collect();
        assert!(read(json!({ "source": files })).unwrap_err().contains("more than"));
        let names: Vec<String> = (0..=MAX_ENTRIES).map(|number| format!("f{number}")).collect();
        assert!(read(json!({ "keep": names })).unwrap_err().contains("more than"));
    }
}
