//! The releases of a registry as Elm's tools count them.
//!
//! A tool remembers how many releases it was told of, and asks for those after them. So their order must never change, and it does not:
//! it is the order of the registry's log. A release that was withdrawn keeps its place and is left out of what is told, so a tool may
//! be told of a release twice, which does no harm, and never misses one.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Serialize;
use weir_index::Index;
use weir_model::{KindName, PackageName, Range, Release, ReleaseId, Version};

use crate::error::ProtocolError;

/// A release that the compiler takes as a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Which.
    pub id: ReleaseId,
    /// The compilers that it is for.
    pub compilers: Range,
    /// When it was published, in seconds since 1970.
    pub at: i64,
    /// The entry of the log that published it.
    pub index: u64,
    license: Option<String>,
    summary: Option<String>,
}

/// All of them, in the order of the log, withdrawn ones too.
#[derive(Debug, Default)]
pub struct Listing {
    /// How many entries of the log were looked at.
    size: u64,
    listed: Vec<Listed>,
    met: HashSet<(PackageName, Version)>,
    withdrawn: BTreeSet<u64>,
}

/// What the compiler looks for when it is asked for a package by words.
#[derive(Serialize)]
struct SearchEntry<'a> {
    name: &'a PackageName,
    summary: &'a str,
    license: &'a str,
    version: &'a Version,
}

impl Listing {
    /// Brings it up to date with a view; tells whether anything may have changed. A log that is shorter than it was is another one.
    ///
    /// # Errors
    ///
    /// When the view cannot be read.
    pub fn follow(&mut self, index: &Index) -> Result<bool, ProtocolError> {
        let still = index.reading()?;
        let size = index.position()?.size;
        if size == self.size {
            return Ok(false);
        }
        if size < self.size {
            *self = Self::default();
        }
        for view in index.releases_from(self.size)? {
            let view = view?;
            let Some(compilers) = taken(&view.release) else { continue };
            let Release { id, license, description, .. } = view.release;
            if self.met.insert((id.name.clone(), id.version.clone())) {
                let at = view.mark.at.as_second();
                let index = view.mark.index;
                self.listed.push(Listed { id, compilers, at, index, license, summary: description });
            }
        }
        self.withdrawn = index.withdrawn()?.iter().map(|view| view.mark.index).collect();
        self.size = size;
        drop(still);
        Ok(true)
    }

    /// The places of those that are for a compiler, in the order that they are counted in.
    pub fn of_compiler(&self, compiler: &Version) -> Vec<usize> {
        let is_for = |(place, listed): (usize, &Listed)| listed.compilers.contains(compiler).then_some(place);
        self.listed.iter().enumerate().filter_map(is_for).collect()
    }

    /// Those at `places` that may be chosen.
    pub fn offered<'a>(&'a self, places: &'a [usize]) -> impl DoubleEndedIterator<Item = &'a Listed> {
        let listed = places.iter().filter_map(|place| self.listed.get(*place));
        listed.filter(|listed| !self.withdrawn.contains(&listed.index))
    }
}

/// The answer to `all-packages`: of each package its versions, in the order they were published.
pub fn all_packages<'a>(offered: impl Iterator<Item = &'a Listed>) -> String {
    let mut packages: BTreeMap<&PackageName, Vec<&Version>> = BTreeMap::new();
    for Listed { id, .. } in offered {
        packages.entry(&id.name).or_default().push(&id.version);
    }
    to_json(&packages)
}

/// The answer to `all-packages/since/…`: the newest first.
pub fn since<'a>(offered: impl DoubleEndedIterator<Item = &'a Listed>) -> String {
    let news: Vec<String> = offered.rev().map(|one| format!("{}@{}", one.id.name, one.id.version)).collect();
    to_json(&news)
}

/// The answer to `search.json`: each package in its newest version.
pub fn search<'a>(offered: impl Iterator<Item = &'a Listed>) -> String {
    let mut newest: BTreeMap<&PackageName, &Listed> = BTreeMap::new();
    for one in offered {
        let known = newest.entry(&one.id.name).or_insert(one);
        if known.id.version < one.id.version {
            *known = one;
        }
    }
    let entries = newest.values().map(|one| SearchEntry {
        name: &one.id.name,
        summary: one.summary.as_deref().unwrap_or_default(),
        license: one.license.as_deref().unwrap_or_default(),
        version: &one.id.version,
    });
    to_json(&entries.collect::<Vec<_>>())
}

/// The answer to `releases.json`: of each version when it was published; `None` where there is none.
pub fn releases<'a>(offered: impl Iterator<Item = &'a Listed>, name: &PackageName) -> Option<String> {
    let of_it = offered.filter(|one| one.id.name == *name);
    let times: BTreeMap<&Version, i64> = of_it.map(|one| (&one.id.version, one.at)).collect();
    (!times.is_empty()).then(|| to_json(&times))
}

/// For which compilers a release is, if they take it as a package.
pub(crate) fn taken(release: &Release) -> Option<Range> {
    (release.kind == KindName::Elm).then(|| weir_elm::compilers(&release.kind_facts))?
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("names, texts and numbers are JSON")
}
