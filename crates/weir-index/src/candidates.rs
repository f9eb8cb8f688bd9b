//! Candidates: all releases of a package in the form that a resolver reads, one blob a package.
//!
//! A resolver looks at every release of a package, but at the dependencies of one or two of them.
//! So the releases come first in the blob and are read at once; the dependency lists, which many
//! releases share, lie behind them and are read when asked for:
//!
//! ```text
//! version of this layout, kind, platforms, releases (newest first),
//! names, ranges, dependency lists
//! ```

use std::collections::HashMap;

use rusqlite::OptionalExtension as _;
use weir_model::{Dependency, InputDigest, KindName, PackageName, Platform, Range, ReleaseId, Version};
use weir_rules::{Offer, Standing};

use crate::error::IndexError;
use crate::facts::{read_baked, scope, scope_code, write_baked};
use crate::index::Index;
use crate::rows::{kind, state, state_code};
use crate::view::ReleaseView;
use crate::wire::{Malformed, Reader, Writer, parse};

const LAYOUT: u8 = 1;

/// The releases of a package that are not removed.
#[derive(Debug)]
pub struct Candidates {
    /// What sort of package its newest release is.
    pub kind: KindName,
    /// The releases, the newest first: by version, then platform, then revision.
    pub releases: Vec<Candidate>,
    data: Vec<u8>,
    lists_at: usize,
}

/// A release that may be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The index of the entry that published it: names it for ever.
    pub index: u64,
    /// Its version.
    pub version: Version,
    /// Where it runs.
    pub platform: Platform,
    /// How often it was built again.
    pub revision: u32,
    /// What sort of package it is.
    pub kind: KindName,
    /// Whether it may be used; never [`Standing::Removed`].
    pub standing: Standing,
    /// Why it was yanked or quarantined.
    pub reason: Option<Box<str>>,
    /// The digest of its inputs.
    pub input_digest: InputDigest,
    /// The place of its dependencies among the lists of the package.
    pub(crate) list: usize,
}

impl Index {
    /// The releases of a package that a resolver may choose from; nothing if the registry never had the name.
    pub fn candidates(&self, name: &PackageName) -> Result<Option<Candidates>, IndexError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT data FROM candidates WHERE package = (SELECT id FROM package WHERE name = ?1)",
        )?;
        let data: Option<Vec<u8>> = statement.query_row([name.as_str()], |row| row.get(0)).optional()?;
        data.map(|data| read(data).map_err(IndexError::damaged("the candidates of a package"))).transpose()
    }

    /// What a candidate needs, in every scope. `candidates` is where it came from.
    pub fn dependencies(
        &self,
        candidates: &Candidates,
        candidate: &Candidate,
    ) -> Result<Vec<Dependency>, IndexError> {
        let mut interner = self.interner.borrow_mut();
        let read = candidates.lists().and_then(|lists| lists.read(candidate.list, &mut interner));
        read.map_err(IndexError::damaged("the dependencies of a package"))
    }
}

impl Index {
    /// Every list of dependencies that releases of a package have, each with the places of those releases.
    pub(crate) fn lists_of(&self, candidates: &Candidates) -> Result<NeedLists, IndexError> {
        let mut interner = self.interner.borrow_mut();
        let mut read = || {
            let from = candidates.lists()?;
            let mut lists = Vec::with_capacity(from.lists.len());
            for list in 0..from.lists.len() {
                lists.push((from.read(list, &mut interner)?, Vec::new()));
            }
            for (candidate, place) in candidates.releases.iter().zip(0..) {
                let missing = || Malformed::new("a dependency list is missing");
                lists.get_mut(candidate.list).ok_or_else(missing)?.1.push(place);
            }
            Ok(lists)
        };
        read().map_err(IndexError::damaged("the dependencies of a package"))
    }
}

impl Candidate {
    /// Which release it is, of the package `name`.
    pub(crate) fn id(&self, name: &PackageName) -> ReleaseId {
        ReleaseId {
            name: name.clone(),
            version: self.version.clone(),
            platform: self.platform.clone(),
            revision: self.revision,
        }
    }
}

impl Candidates {
    pub(crate) fn lists(&self) -> Result<Lists<'_>, Malformed> {
        let mut from = Reader(&self.data[self.lists_at..]);
        let mut table = || (0..from.count()?).map(|_| from.bytes()).collect::<Result<Vec<_>, _>>();
        Ok(Lists { names: table()?, ranges: table()?, lists: table()? })
    }
}

impl Offer for Candidate {
    fn version(&self) -> &Version {
        &self.version
    }

    fn platform(&self) -> &Platform {
        &self.platform
    }

    fn revision(&self) -> u32 {
        self.revision
    }

    fn standing(&self) -> Standing {
        self.standing
    }
}

/// Lists of dependencies, each with the places of the releases that have it.
pub(crate) type NeedLists = Vec<(Vec<Dependency>, Vec<u32>)>;

/// The dependency lists of a package, and the texts they refer to.
pub(crate) struct Lists<'a> {
    names: Vec<&'a [u8]>,
    ranges: Vec<&'a [u8]>,
    lists: Vec<&'a [u8]>,
}

impl Lists<'_> {
    pub(crate) fn read(&self, list: usize, interner: &mut Interner) -> Result<Vec<Dependency>, Malformed> {
        let list = self.lists.get(list).ok_or_else(|| Malformed::new("a dependency list is missing"))?;
        let mut from = Reader(list);
        let dependencies = (0..from.count()?)
            .map(|_| {
                Ok(Dependency {
                    name: interner.name(self.names[from.index(self.names.len())?])?,
                    range: interner.range(self.ranges[from.index(self.ranges.len())?])?,
                    scope: scope(from.byte()?)?,
                    baked: from.optional(read_baked)?,
                })
            })
            .collect::<Result<_, Malformed>>()?;
        from.finish()?;
        Ok(dependencies)
    }
}

/// Names and ranges that were read before: most lists of a registry are made of the same few.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    names: HashMap<Box<[u8]>, PackageName>,
    ranges: HashMap<Box<[u8]>, Range>,
}

impl Interner {
    pub(crate) fn name(&mut self, bytes: &[u8]) -> Result<PackageName, Malformed> {
        intern(&mut self.names, bytes)
    }

    pub(crate) fn range(&mut self, bytes: &[u8]) -> Result<Range, Malformed> {
        intern(&mut self.ranges, bytes)
    }
}

fn intern<T: Clone + std::str::FromStr<Err: std::fmt::Display>>(
    known: &mut HashMap<Box<[u8]>, T>,
    bytes: &[u8],
) -> Result<T, Malformed> {
    const MOST: usize = 1 << 16;
    if let Some(value) = known.get(bytes) {
        return Ok(value.clone());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed::new("a text is not UTF-8"))?;
    let value: T = parse(text)?;
    if known.len() >= MOST {
        known.clear();
    }
    known.insert(bytes.into(), value.clone());
    Ok(value)
}

fn read(data: Vec<u8>) -> Result<Candidates, Malformed> {
    let mut from = Reader(&data);
    match from.byte()? {
        LAYOUT => {}
        other => return Err(Malformed::new(format!("they are of layout {other}"))),
    }
    let package_kind = kind(from.byte()?)?;
    let platforms = (0..from.count()?).map(|_| from.parsed()).collect::<Result<Vec<Platform>, _>>()?;
    let releases = (0..from.count()?)
        .map(|_| {
            Ok(Candidate {
                index: from.number()?,
                version: from.parsed()?,
                platform: platforms[from.index(platforms.len())?].clone(),
                revision: from.small()?,
                kind: kind(from.byte()?)?,
                standing: state(from.byte()?)?,
                reason: from.optional(Reader::text)?.map(Into::into),
                input_digest: from.digest()?,
                list: from.index(usize::MAX)?,
            })
        })
        .collect::<Result<Vec<_>, Malformed>>()?;
    let lists_at = data.len() - from.0.len();
    Ok(Candidates { kind: package_kind, releases, data, lists_at })
}

/// The blob of a package whose releases are given in the order in which they shall be read.
pub(crate) fn write(kind: KindName, releases: &[&ReleaseView]) -> Vec<u8> {
    let (mut platforms, mut names, mut ranges, mut lists) =
        (Table::default(), Table::default(), Table::default(), Table::default());
    let mut rows = Writer::default();
    for view in releases {
        let release = &view.release;
        rows.number(view.mark.index);
        rows.text(&release.id.version.to_string());
        rows.length(platforms.place(release.id.platform.as_str().as_bytes()));
        rows.number(release.id.revision.into());
        rows.byte(release.kind.code());
        rows.byte(state_code(view.standing()));
        rows.optional(view.withdrawn().and_then(|withdrawn| withdrawn.reason.as_deref()), Writer::text);
        rows.raw(release.input_digest.as_bytes());
        let mut list = Writer::default();
        list.length(release.dependencies.len());
        for dependency in &release.dependencies {
            list.length(names.place(dependency.name.as_str().as_bytes()));
            list.length(ranges.place(dependency.range.as_str().as_bytes()));
            list.byte(scope_code(dependency.scope));
            list.optional(dependency.baked.as_ref(), write_baked);
        }
        rows.length(lists.place(&list.0));
    }
    let mut out = Writer(Vec::with_capacity(rows.0.len() + 256));
    out.byte(LAYOUT);
    out.byte(kind.code());
    platforms.write(&mut out);
    out.length(releases.len());
    out.raw(&rows.0);
    for table in [names, ranges, lists] {
        table.write(&mut out);
    }
    out.0
}

/// Distinct byte strings, each with a place.
#[derive(Default)]
struct Table {
    places: HashMap<Vec<u8>, usize>,
    entries: Vec<Vec<u8>>,
}

impl Table {
    fn place(&mut self, bytes: &[u8]) -> usize {
        if let Some(place) = self.places.get(bytes) {
            return *place;
        }
        let place = self.entries.len();
        self.places.insert(bytes.to_vec(), place);
        self.entries.push(bytes.to_vec());
        place
    }

    fn write(&self, out: &mut Writer) {
        out.length(self.entries.len());
        for entry in &self.entries {
            out.bytes(entry);
        }
    }
}
