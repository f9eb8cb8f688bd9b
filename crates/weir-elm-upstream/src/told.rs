//! The list of all releases of a site, as it was told here: kept, and asked for only from where it ended.
//!
//! The site counts its releases, and whoever follows it asks for those after the first so many. So the list must never shrink or be put
//! in another order. Each time the last release that is known is asked for once more: if it is not there, the site is another one, or
//! lost something, and nothing of what it says is taken.

use std::collections::{BTreeMap, BTreeSet};

use weir_fs::{Access, Durability, Folder};
use weir_model::record::Only;
use weir_model::{PackageName, Version};
use weir_upstream::ForeignError;

use crate::site::Site;

/// The file of the list, among the notes.
const FILE: &str = "told";

/// The largest list that is kept, in bytes, and the most releases.
const LARGEST: u64 = 64 << 20;
const MOST: usize = 1_000_000;

/// The releases of a site, in the order that it told them.
#[derive(Debug, Default)]
pub(crate) struct Told {
    releases: Vec<(PackageName, Version)>,
    versions: BTreeMap<PackageName, BTreeSet<Version>>,
}

impl Told {
    /// Brings the list up to date.
    pub(crate) fn follow(site: &Site, notes: &Folder) -> Result<Self, ForeignError> {
        let known = notes.find_text(FILE, LARGEST).map_err(std::io::Error::from)?.unwrap_or_default();
        let mut lines: Vec<String> = known.lines().map(str::to_owned).collect();
        // The last that is known is asked for again.
        let mut fresh = site.since(lines.len().saturating_sub(1))?;
        fresh.reverse();
        if let Some(last) = lines.last() {
            let again = fresh.first();
            if again != Some(last) {
                let changed = |reason: String| ForeignError::Changed { address: site.address(), reason };
                return Err(changed(match again {
                    None => format!("it has fewer than the {} releases that it had", lines.len()),
                    Some(other) => format!(
                        "its release {} was `{last}`, and is said to be `{}` now",
                        lines.len(),
                        other.chars().take(200).flat_map(char::escape_debug).collect::<String>()
                    ),
                }));
            }
            fresh.remove(0);
        }
        // A name of which nothing can be read counts all the same.
        let is_line = |line: &String| line.len() <= 300 && !line.contains(char::is_control);
        if lines.len() + fresh.len() > MOST || !fresh.iter().all(is_line) {
            let reason = "its list of releases is none".into();
            return Err(ForeignError::Unreadable { address: site.address(), reason });
        }
        if !fresh.is_empty() {
            lines.extend(fresh);
            let mut text = lines.join("\n");
            text.push('\n');
            notes.replace(FILE, text, Access::Usual, Durability::Durable).map_err(std::io::Error::from)?;
        }
        Ok(Self::read(&lines))
    }

    /// Forgets the list.
    pub(crate) fn forget(notes: &Folder) -> Result<(), ForeignError> {
        notes.remove_file(FILE).map(drop).map_err(|error| std::io::Error::from(error).into())
    }

    fn read(lines: &[String]) -> Self {
        let mut told = Self::default();
        for line in lines {
            let Some((name, version)) = line.split_once('@') else { continue };
            let (Ok(name), Ok(version)) = (name.parse::<PackageName>(), version.parse::<Version>()) else {
                continue;
            };
            if told.versions.entry(name.clone()).or_default().insert(version.clone()) {
                told.releases.push((name, version));
            }
        }
        told
    }

    /// The same without packages that nobody below takes.
    pub(crate) fn only(mut self, only: &Only) -> Self {
        self.releases.retain(|(name, _)| only.takes(name));
        self.versions.retain(|name, _| only.takes(name));
        self
    }

    /// All of them, in the order that they were published in.
    pub(crate) fn releases(&self) -> impl Iterator<Item = &(PackageName, Version)> {
        self.releases.iter()
    }

    /// Where a release stands among them: who was published later stands further behind.
    pub(crate) fn place(&self, name: &PackageName, version: &Version) -> Option<usize> {
        self.releases.iter().position(|one| (&one.0, &one.1) == (name, version))
    }

    /// The versions of a package; nothing where it has none.
    pub(crate) fn versions(&self, name: &PackageName) -> Option<&BTreeSet<Version>> {
        self.versions.get(name)
    }
}
