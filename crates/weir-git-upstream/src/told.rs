//! The tags of repositories as they were first seen: which commit each named. That never changes, whatever a repository says later.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weir_fs::{Access, Durability, Folder};
use weir_model::{PackageName, Version};
use weir_upstream::ForeignError;

/// The file, among the notes.
const FILE: &str = "tags.json";

/// The largest such file, in bytes.
const LARGEST: u64 = 64 << 20;

/// The most tags of versions that a repository may have.
const MOST: usize = 20_000;

/// A tag that names a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    /// As it is written.
    pub(crate) name: String,
    /// The commit that it named when it was first seen.
    pub(crate) commit: String,
}

/// What was seen of all repositories.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Told {
    repositories: BTreeMap<PackageName, BTreeMap<String, String>>,
}

impl Told {
    pub(crate) fn read(notes: &Folder) -> Result<Self, ForeignError> {
        let known = notes.find(FILE, LARGEST).map_err(std::io::Error::from)?;
        let known = known.map(|bytes| serde_json::from_slice(&bytes)).transpose();
        Ok(known.map_err(std::io::Error::other)?.unwrap_or_default())
    }

    /// The packages of which anything was seen.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &PackageName> {
        self.repositories.keys()
    }

    /// Asks a repository for its tags; gives those that name versions and that it still has. One that names another commit than it did is
    /// told, and nothing is noted.
    pub(crate) fn follow(
        &mut self,
        notes: &Folder,
        name: &PackageName,
        url: &str,
    ) -> Result<BTreeMap<Version, Tag>, ForeignError> {
        let now: BTreeMap<String, String> = weir_git::tags(url).map_err(|error| unreadable(url, &error))?;
        let mut versions: BTreeMap<Version, Tag> = BTreeMap::new();
        let known = self.repositories.entry(name.clone()).or_default();
        let mut seen = known.clone();
        for (tag, commit) in now {
            // What names no version is nobody's release.
            let Ok(version) = Version::from_tag(&tag) else { continue };
            let first = seen.entry(tag.clone()).or_insert_with(|| commit.clone());
            if *first != commit {
                let reason = format!(
                    "the tag `{tag}` named the commit {first} when it was first seen, and names {commit} now"
                );
                return Err(ForeignError::Changed { address: url.to_owned(), reason });
            }
            // Of `1.0.0` and `v1.0.0` the first counts.
            versions.entry(version).or_insert(Tag { name: tag, commit });
        }
        if seen.len() > MOST {
            let reason = format!("it has more than {MOST} tags that name versions");
            return Err(ForeignError::Unreadable { address: url.to_owned(), reason });
        }
        if seen != *known {
            *known = seen;
            let text = serde_json::to_vec(self).map_err(std::io::Error::other)?;
            notes.replace(FILE, text, Access::Usual, Durability::Durable).map_err(std::io::Error::from)?;
        }
        Ok(versions)
    }

    pub(crate) fn forget(notes: &Folder) -> Result<(), ForeignError> {
        notes.remove_file(FILE).map(drop).map_err(|error| std::io::Error::from(error).into())
    }
}

pub(crate) fn unreadable(url: &str, error: &dyn std::error::Error) -> ForeignError {
    ForeignError::Unreadable { address: url.to_owned(), reason: error.to_string() }
}
