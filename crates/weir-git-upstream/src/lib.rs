//! Repositories of git as a registry above: each tag that names a version is a release, with its full source.
//!
//! A repository has no log, and nobody signs which commit a tag names. So a tag is taken at its first word: which commit it named is kept, and
//! what was written down of it stays. What a package is called is said by whoever names the repository, and never by the repository.
//!
//! * `address`: which packages an address stands for, and where each is;
//! * `told`: the tags as they were first seen, and which have moved;
//! * `prepared`: what a tag names, made into a release.

mod address;
mod prepared;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use weir_fs::Folder;
use weir_model::record::{Only, UpstreamMode};
use weir_model::{PackageName, Range, ReleaseId, Version};
use weir_rules::needed_first;
use weir_upstream::{Foreign, ForeignError, Transcript};
use weir_wire::upstream::Ask;

use crate::address::Address;
use crate::prepared::{Prepared, prepare};
use crate::told::{Tag, Told};

/// So many repositories are asked, and so many tags fetched, for one ask.
const MOST: usize = 500;

/// So many releases are written down at a time; their files are on the disk meanwhile.
const TOGETHER: usize = 20;

/// Repositories of git.
pub struct GitRepositories {
    address: Address,
}

impl GitRepositories {
    /// Those at an address; nothing is asked yet.
    ///
    /// # Errors
    ///
    /// When it does not say which packages are there.
    pub fn new(address: &str) -> Result<Self, String> {
        Ok(Self { address: Address::parse(address)? })
    }

    /// What a registry that stands for them is called.
    pub fn name(&self) -> String {
        self.address.name()
    }
}

impl Foreign for GitRepositories {
    fn trust(&self) -> String {
        let checked =
            "the commit that each tag named when it was first seen; what was taken once stays, signed here";
        match self.address.is_encrypted() {
            true => format!("nobody signs for it: the certificate of its host, and {checked}"),
            false => format!("nobody signs for it, and it is not encrypted: {checked}"),
        }
    }

    fn write_down(
        &self,
        transcript: &Transcript<'_>,
        ask: &Ask,
        mode: UpstreamMode,
        only: &Only,
    ) -> Result<u64, ForeignError> {
        let mut asking = Asking {
            address: &self.address,
            transcript,
            ask,
            told: Told::read(transcript.notes)?,
            there: transcript.releases()?,
            tags: BTreeMap::new(),
            prepared: Vec::new(),
            fetched: 0,
            first_failure: None,
        };
        let mut wanted: Vec<(PackageName, Range)> =
            ask.requirements.iter().flat_map(|asked| asking.ranges_of(asked)).collect();
        if ask.requirements.is_empty() {
            // Who only follows wants to know what has moved; a mirror wants all that there is.
            let written = asking.there.iter().map(|(name, _)| name);
            let known = self.address.only().into_iter().chain(asking.told.packages()).chain(written);
            let all: BTreeSet<PackageName> = known.cloned().collect();
            for name in all {
                let versions = asking.versions(&name)?;
                if mode == UpstreamMode::Mirror {
                    wanted.extend(
                        versions
                            .into_iter()
                            .flat_map(|tags| tags.keys().map(|one| (name.clone(), Range::exact(one)))),
                    );
                }
            }
        }
        let mut written = 0;
        for one in wanted {
            // With each comes what it needs.
            let mut waiting = vec![one];
            while let Some((name, range)) = waiting.pop() {
                if only.takes(&name) {
                    waiting.extend(asking.take(&name, &range)?);
                }
            }
            if asking.prepared.len() >= TOGETHER {
                written += asking.write();
            }
        }
        written += asking.write();
        asking.first_failure.map_or(Ok(written), Err)
    }

    fn begin_anew(&self, notes: &Folder) -> Result<(), ForeignError> {
        Told::forget(notes)
    }
}

/// An ask under way.
struct Asking<'a> {
    address: &'a Address,
    transcript: &'a Transcript<'a>,
    ask: &'a Ask,
    told: Told,
    there: BTreeSet<(PackageName, Version)>,
    /// The tags of each repository that was asked.
    tags: BTreeMap<PackageName, BTreeMap<Version, Tag>>,
    prepared: Vec<Prepared>,
    /// How many were fetched in all.
    fetched: usize,
    /// Why the first release that could not be taken was not: the others are, and it is told then.
    first_failure: Option<ForeignError>,
}

impl Asking<'_> {
    /// The ranges of a package that somebody needs the newest of.
    fn ranges_of(&self, asked: &weir_wire::upstream::Asked) -> Vec<(PackageName, Range)> {
        let instead = self.ask.overrides.iter().find(|instead| instead.name == asked.name);
        let range = instead.map_or(&asked.range, |instead| &instead.range).clone();
        let mut ranges = vec![(asked.name.clone(), range)];
        if self.ask.beyond.contains(&asked.name) {
            ranges.push((asked.name.clone(), Range::any()));
        }
        ranges
    }

    /// The versions of a package that its repository has; nothing if it is none of these.
    fn versions(&mut self, name: &PackageName) -> Result<Option<&BTreeMap<Version, Tag>>, ForeignError> {
        let Some(url) = self.address.repository(name) else { return Ok(None) };
        if !self.tags.contains_key(name) {
            if self.tags.len() == MOST {
                return Err(ForeignError::GaveUp(format!(
                    "more than {MOST} repositories of `{}` would be asked",
                    self.address
                )));
            }
            let versions = self.told.follow(self.transcript.notes, name, &url)?;
            self.tags.insert(name.clone(), versions);
        }
        Ok(self.tags.get(name))
    }

    /// Takes the release of a package that who asks would be given: what they prefer, or else the newest of a range that can be had. Gives
    /// what that needs.
    fn take(&mut self, name: &PackageName, range: &Range) -> Result<Vec<(PackageName, Range)>, ForeignError> {
        let ask = self.ask;
        let of_it = |ids: &[ReleaseId]| -> BTreeSet<Version> {
            ids.iter().filter(|id| id.name == *name).map(|id| id.version.clone()).collect()
        };
        let (preferred, without) = (of_it(&ask.prefer), of_it(&ask.without));
        let Some(tags) = self.versions(name)? else { return Ok(Vec::new()) };
        let mut fitting: Vec<(Version, Tag)> = tags
            .iter()
            .rev()
            .filter(|(version, _)| range.contains(version) && !without.contains(version))
            .map(|(version, tag)| (version.clone(), tag.clone()))
            .collect();
        fitting.sort_by_key(|(version, _)| !preferred.contains(version));
        let url = self.address.repository(name).unwrap_or_default();
        for (version, tag) in fitting {
            let met = self
                .prepared
                .iter()
                .any(|one| one.package.id.name == *name && one.package.id.version == version);
            if met || self.there.contains(&(name.clone(), version.clone())) {
                return Ok(Vec::new());
            }
            if self.fetched == MOST && !ask.requirements.is_empty() {
                return Err(ForeignError::GaveUp(format!("more than {MOST} tags would be fetched")));
            }
            self.fetched += 1;
            match prepare(&url, name, &version, &tag) {
                Ok(prepared) => {
                    let needs = prepared.needs.clone();
                    self.prepared.push(prepared);
                    return Ok(needs);
                }
                // The next best may do; that this one did not is told when all is done.
                Err(unusable @ ForeignError::Unusable { .. }) => {
                    self.first_failure.get_or_insert(unusable);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Vec::new())
    }

    /// Writes down what was taken, each after what it needs; how many were.
    fn write(&mut self) -> u64 {
        let taken = std::mem::take(&mut self.prepared);
        let needed = |place: usize| -> Vec<usize> {
            let needs = &taken[place].needs;
            let is_needed = |(other, one): &(usize, &Prepared)| {
                let id = &one.package.id;
                *other != place
                    && needs.iter().any(|(name, range)| *name == id.name && range.contains(&id.version))
            };
            taken.iter().enumerate().filter(is_needed).map(|(other, _)| other).collect()
        };
        // In a circle none comes first, and the transcript says what is missing.
        let order = needed_first(taken.len(), needed).unwrap_or_else(|_| (0..taken.len()).rev().collect());
        let acting = self.transcript.registrar.clone().acting_for(self.transcript.caller.clone());
        let mut written = 0;
        for one in order.into_iter().map(|place| &taken[place]) {
            let ReleaseId { name, version, .. } = &one.package.id;
            self.there.insert((name.clone(), version.clone()));
            match one.submit(&acting) {
                Ok(()) => written += 1,
                Err(error) => {
                    let id = Box::new(one.package.id.clone());
                    self.first_failure.get_or_insert(ForeignError::Release { id, error: Box::new(error) });
                }
            }
        }
        written
    }
}
