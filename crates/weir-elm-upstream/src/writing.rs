//! Releases are fetched and written down, each after what it needs: a transcript, like every registry, takes nothing that needs what it lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use weir_elm::{ElmJson, Package};
use weir_model::{PackageName, Range, Version};
use weir_upstream::{ForeignError, Transcript};

use crate::fetch::{FIRST, Fetched, fetch, is_older};
use crate::offered::noted;
use crate::site::Site;

/// So many releases are fetched at a time; their archives are in memory meanwhile.
const TOGETHER: usize = 6;

/// So many releases are named that are not taken, before the rest is counted.
pub(crate) const MOST_NAMED: usize = 10;

/// A release of the site.
type One = (PackageName, Version);

/// What came of writing releases down.
pub(crate) struct Written {
    /// How many were.
    pub(crate) releases: u64,
    /// What is wrong with those that were not, the worst first.
    pub(crate) failures: Vec<ForeignError>,
}

/// Releases on their way into a transcript.
pub(crate) struct Writing<'a> {
    site: &'a Site,
    transcript: &'a Transcript<'a>,
    /// What is written down.
    there: BTreeMap<PackageName, BTreeSet<Version>>,
    times: Times,
    written: u64,
    /// How many are for compilers that did not know `elm.json`.
    older: usize,
    /// What is wrong with releases that cannot be used: the others come, and this is told then.
    failures: Vec<ForeignError>,
}

impl<'a> Writing<'a> {
    pub(crate) fn new(site: &'a Site, transcript: &'a Transcript<'a>) -> Result<Self, ForeignError> {
        let mut there: BTreeMap<PackageName, BTreeSet<Version>> = BTreeMap::new();
        for (name, version) in transcript.releases()? {
            there.entry(name).or_default().insert(version);
        }
        Ok(Self {
            site,
            transcript,
            there,
            times: Times::default(),
            written: 0,
            older: 0,
            failures: Vec::new(),
        })
    }

    /// Fetches releases and writes them down, as they stand but each after what it needs. What needs something that is not there is told, and waits
    /// for it.
    ///
    /// # Errors
    ///
    /// When the site is not reached or the transcript cannot be written.
    pub(crate) fn write_all(mut self, wanted: Vec<One>) -> Result<Written, ForeignError> {
        let mut waiting = wanted;
        waiting.retain(|(name, version)| !self.is_there(name, version));
        loop {
            let before = self.written;
            waiting = self.write_what_can_be(waiting)?;
            if waiting.is_empty() || self.written == before {
                break;
            }
        }
        self.tell_what_is_not_taken(&waiting)?;
        // What is not believed counts for more than what is only gone.
        self.failures.sort_by_key(|failure| !failure.is_unbelieved());
        Ok(Written { releases: self.written, failures: self.failures })
    }

    fn is_there(&self, name: &PackageName, version: &Version) -> bool {
        self.there.get(name).is_some_and(|there| there.contains(version))
    }

    /// Goes through releases once; gives those that need what is not there yet.
    fn write_what_can_be(&mut self, releases: Vec<One>) -> Result<Vec<One>, ForeignError> {
        let mut waiting = Vec::new();
        let mut releases = releases.into_iter();
        loop {
            let mut some: Vec<One> = Vec::new();
            while some.len() < TOGETHER
                && let Some(one) = releases.next()
            {
                // What it needs is known once it was looked at: then nothing is fetched in vain.
                match self.seen(&one)? {
                    Some(seen) if is_older(&seen) => self.older += 1,
                    Some(seen) if self.lacks(&seen, &some).is_some() => waiting.push(one),
                    _ => some.push(one),
                }
            }
            if some.is_empty() {
                return Ok(waiting);
            }
            self.times.learn(self.site, &some)?;
            let fetched = self.fetch_some(&some);
            for (one, fetched) in some.into_iter().zip(fetched) {
                let written = match fetched {
                    Ok(Some(fetched)) => self.write(&one, &fetched),
                    Ok(None) => {
                        self.older += 1;
                        continue;
                    }
                    Err(error) => Err(error),
                };
                match written {
                    Ok(()) => {
                        self.there.entry(one.0).or_default().insert(one.1);
                        self.written += 1;
                    }
                    Err(error) if error.is_unsatisfied() => waiting.push(one),
                    Err(error) if error.release().is_some() => self.failures.push(error),
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// What the `elm.json` of a release says, if it was seen and is one of a package.
    fn seen(&self, (name, version): &One) -> Result<Option<Package>, ForeignError> {
        let text = noted(self.transcript.notes, name, version)?;
        Ok(text.and_then(|text| match ElmJson::parse(&text) {
            Ok(ElmJson::Package(said)) => Some(said),
            _ => None,
        }))
    }

    /// What a release needs that is neither written down nor about to be.
    fn lacks(&self, seen: &Package, coming: &[One]) -> Option<(PackageName, Range)> {
        let is_met = |name: &PackageName, range: &Range| {
            let there = self.there.get(name).into_iter().flatten();
            let coming = coming.iter().filter(|(coming, _)| coming == name).map(|(_, version)| version);
            there.chain(coming).any(|version| range.contains(version))
        };
        let mut needs = seen.dependencies.iter();
        needs.find(|(name, range)| !is_met(name, range)).map(|(name, range)| (name.clone(), range.clone()))
    }

    /// Fetches some releases at the same time; an answer for each.
    fn fetch_some(&self, some: &[One]) -> Vec<Result<Option<Fetched>, ForeignError>> {
        let next = AtomicUsize::new(0);
        let fetched: Mutex<Vec<_>> = Mutex::new(some.iter().map(|_| None).collect());
        let (site, notes) = (self.site, self.transcript.notes);
        std::thread::scope(|scope| {
            for _ in some {
                scope.spawn(|| {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some((name, version)) = some.get(place) else { return };
                    let came = fetch(site, notes, name, version);
                    fetched.lock().unwrap_or_else(PoisonError::into_inner)[place] = Some(came);
                });
            }
        });
        let fetched = fetched.into_inner().unwrap_or_else(PoisonError::into_inner);
        fetched.into_iter().map(|one| one.expect("each place was taken by one thread")).collect()
    }

    /// Has the transcript offer a release, as of when the site says that it was published.
    fn write(&self, (name, version): &One, fetched: &Fetched) -> Result<(), ForeignError> {
        let now = self.transcript.caller.at();
        let at = self.times.of(name, version).unwrap_or(now).min(now);
        let caller = self.transcript.caller.clone().at_time(at);
        let acting = self.transcript.registrar.clone().acting_for(caller);
        let id = fetched.arrived.package.id.clone();
        let written = fetched.arrived.submit(&acting).map(drop);
        written.map_err(|error| ForeignError::Release { id: Box::new(id), error: Box::new(error) })
    }

    fn tell_what_is_not_taken(&self, waiting: &[One]) -> Result<(), ForeignError> {
        if self.older > 0 {
            self.transcript.tell(format!(
                "{} of the releases of `{}` are for compilers before {FIRST}, and not taken",
                self.older,
                self.site.address()
            ));
        }
        for one in waiting.iter().take(MOST_NAMED) {
            let (name, version) = one;
            let needed = self.seen(one)?.and_then(|seen| self.lacks(&seen, &[]));
            let needed = needed.map(|(name, range)| format!("`{name}` {range}"));
            let needed = needed.unwrap_or_else(|| "something".into());
            self.transcript.tell(format!(
                "`{name} {version}` of `{}` is not taken: it needs {needed}, of which nothing is there",
                self.site.address()
            ));
        }
        if let Some(more) = waiting.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
            self.transcript.tell(format!("{more} more of `{}` need what is not there", self.site.address()));
        }
        Ok(())
    }
}

/// When releases were published, by the word of the site.
#[derive(Default)]
struct Times(BTreeMap<PackageName, BTreeMap<Version, Timestamp>>);

impl Times {
    fn learn(&mut self, site: &Site, releases: &[One]) -> Result<(), ForeignError> {
        for (name, _) in releases {
            if !self.0.contains_key(name) {
                self.0.insert(name.clone(), site.times(name)?);
            }
        }
        Ok(())
    }

    fn of(&self, name: &PackageName, version: &Version) -> Option<Timestamp> {
        self.0.get(name)?.get(version).copied()
    }
}
