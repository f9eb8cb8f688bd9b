//! What a registry holds about how a release was built: the build facts of its record.
//!
//! They stand under `build` among the facts of the kind, so that a program that knows nothing of
//! building keeps them as they are. The recipe and the toolchain are not among them: they shape
//! the input digest and have fields of their own, see [`Release::recipe`](crate::Release::recipe).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Sha256, TreeDigest};

/// Where the evidence of a build is: content that the registry holds beside the package itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BuildFacts {
    /// What it was built from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceFact>,
    /// Where that source came from, in a form that can be compared: `git+<url>@<tag>`, with
    /// `?submodules` after it where they are part of it, or `archive+<sha256>`.
    /// The same origin is the same source, so nobody need ask there again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Of a source from a tag, the commit that the tag named: a tag that has moved shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The patches and the script that the recipe names, each the SHA-256 of a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipe_files: Vec<Sha256>,
    /// The in-toto statement of what was built from what, by whom and where: the SHA-256 of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Sha256>,
    /// What the build printed, compressed with zstd: the SHA-256 of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Sha256>,
}

/// A source that was built from, held as a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SourceFact {
    /// The digest of its tree.
    pub tree: TreeDigest,
    /// Bytes of its pack, as the registry holds it.
    pub size: u64,
}

/// Build facts that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the build facts cannot be read: {0}")]
pub struct BuildFactsError(String);

impl BuildFacts {
    /// Under this name they stand among the facts of a kind.
    pub const NAME: &str = "build";

    /// Reads the build facts among the facts of a kind, if there are any. Unknown fields are ignored.
    ///
    /// # Errors
    ///
    /// When there are some and a field that is known has no value of its type.
    pub fn read(facts: &Map<String, Value>) -> Result<Option<Self>, BuildFactsError> {
        let Some(value) = facts.get(Self::NAME) else { return Ok(None) };
        Self::deserialize(value).map(Some).map_err(|error| BuildFactsError(error.to_string()))
    }

    /// Puts them among the facts of a kind, in place of any that are there.
    pub fn insert_into(&self, facts: &mut Map<String, Value>) {
        let value = serde_json::to_value(self).expect("digests and a number can be written");
        facts.insert(Self::NAME.into(), value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{BuildFacts, SourceFact};
    use crate::{Digest, Sha256};

    fn facts(build: Value) -> Map<String, Value> {
        Map::from_iter([("build".into(), build), ("soname".into(), json!("libz.so.1"))])
    }

    #[test]
    fn what_was_inserted_is_read_back_and_the_kinds_own_facts_stay() {
        let built = BuildFacts {
            source: Some(SourceFact { tree: Digest::of("source"), size: 7 }),
            provenance: Some(Digest::of("provenance")),
            ..BuildFacts::default()
        };
        let mut map = facts(json!({"log": Sha256::of("an older log")}));
        built.insert_into(&mut map);
        assert_eq!(BuildFacts::read(&map), Ok(Some(built)));
        assert_eq!(map["soname"], "libz.so.1");
        assert_eq!(BuildFacts::read(&Map::new()), Ok(None));
    }

    #[test]
    fn fields_of_the_future_are_ignored_and_nonsense_in_known_ones_is_not() {
        let log = Digest::of("log");
        let read = BuildFacts::read(&facts(json!({"log": log, "witness": [1, 2]})));
        assert_eq!(read, Ok(Some(BuildFacts { log: Some(log), ..BuildFacts::default() })));
        for wrong in
            [json!("x"), json!({"log": 5}), json!({"source": {"tree": log}}), json!({"provenance": "sha1:0"})]
        {
            BuildFacts::read(&facts(wrong)).unwrap_err();
        }
    }
}
