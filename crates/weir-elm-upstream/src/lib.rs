//! The package site of Elm as a registry above: the canonical one, or any that speaks its protocol.
//!
//! It holds lists and documents; sources are archives elsewhere, by default GitHub's, with a SHA-1 beside their address. Nobody signs any of
//! it. So a release is written down once, when it is first needed, as the package that its archive unpacks to, and what is written down
//! is what counts from then on ([`Foreign`]).
//!
//! * `site`: what is asked of it, and how large an answer may be;
//! * `told`: the list of all its releases, which only grows, or it is not the registry that it was;
//! * `offered`: that list as a resolver sees it, with what each release needs read when it is looked at;
//! * `fetch`: one release, with its archive checked.

mod fetch;
mod offered;
mod site;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use weir_client::{HttpClient, Url};
use weir_fs::Folder;
use weir_model::record::{Only, UpstreamMode};
use weir_model::{PackageName, Version};
use weir_upstream::{Foreign, ForeignError, Transcript, Unresolved, resolve};
use weir_wire::upstream::Ask;

use crate::fetch::{Fetched, fetch};
use crate::offered::Offered;
use crate::site::Site;
use crate::told::Told;

/// So many releases are fetched at a time; their archives are in memory meanwhile.
const TOGETHER: usize = 6;

/// A package site of Elm.
pub struct ElmSite {
    site: Site,
}

impl ElmSite {
    /// The one at an address; nothing is asked yet.
    pub fn new(address: Url, client: HttpClient) -> Self {
        Self { site: Site::new(address, client) }
    }

    /// Fetches releases and writes them down, in the order that they are given in.
    fn write_all(
        &self,
        transcript: &Transcript<'_>,
        releases: &[(PackageName, Version)],
    ) -> Result<u64, ForeignError> {
        let mut times = Times::default();
        for some in releases.chunks(TOGETHER) {
            times.learn(&self.site, some)?;
            for ((name, version), fetched) in some.iter().zip(self.fetch_some(transcript.notes, some)) {
                self.write(transcript, &fetched?, times.of(name, version))?;
            }
        }
        Ok(releases.len() as u64)
    }

    /// Fetches some releases at the same time; an answer for each.
    fn fetch_some(
        &self,
        notes: &Folder,
        some: &[(PackageName, Version)],
    ) -> Vec<Result<Fetched, ForeignError>> {
        let next = AtomicUsize::new(0);
        let fetched: Mutex<Vec<_>> = Mutex::new(some.iter().map(|_| None).collect());
        std::thread::scope(|scope| {
            for _ in some {
                scope.spawn(|| {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some((name, version)) = some.get(place) else { return };
                    let came = fetch(&self.site, notes, name, version);
                    fetched.lock().unwrap_or_else(PoisonError::into_inner)[place] = Some(came);
                });
            }
        });
        let fetched = fetched.into_inner().unwrap_or_else(PoisonError::into_inner);
        fetched.into_iter().map(|one| one.expect("each place was taken by one thread")).collect()
    }

    /// Has the transcript offer a release, as of when the site says that it was published.
    fn write(
        &self,
        transcript: &Transcript<'_>,
        fetched: &Fetched,
        at: Option<Timestamp>,
    ) -> Result<(), ForeignError> {
        let now = transcript.caller.at();
        let caller = transcript.caller.clone().at_time(at.unwrap_or(now).min(now));
        let acting = transcript.registrar.clone().acting_for(caller);
        let id = fetched.arrived.package.id.clone();
        let written = fetched.arrived.submit(&acting).map(drop);
        written.map_err(|error| ForeignError::Release { id: Box::new(id), error: Box::new(error) })
    }
}

impl Foreign for ElmSite {
    fn trust(&self) -> String {
        let checked = "the SHA-1 that it gives for an archive; what was taken once stays, signed here";
        match self.site.is_encrypted() {
            true => format!("nobody signs for it: its certificate, and {checked}"),
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
        let told = Told::follow(&self.site, transcript.notes)?.only(only);
        let there = transcript.releases()?;
        let mut wanted: BTreeSet<(PackageName, Version)> = BTreeSet::new();
        if mode == UpstreamMode::Mirror && ask.requirements.is_empty() {
            wanted.extend(told.releases().cloned());
        }
        let offered = Offered::new(&self.site, transcript.notes, &told);
        let resolution = resolve(&offered, ask).map_err(|error| match error {
            Unresolved::View(error) => error,
            Unresolved::GaveUp(reason) => ForeignError::GaveUp(reason),
        })?;
        let chosen = resolution.into_iter().flat_map(|resolution| resolution.nodes);
        wanted.extend(chosen.map(|node| (node.id.name, node.id.version)));
        // In the order that they were published there: what something needs comes before it.
        let missing: Vec<(PackageName, Version)> =
            told.releases().filter(|one| wanted.contains(*one) && !there.contains(*one)).cloned().collect();
        self.write_all(transcript, &missing)
    }

    fn begin_anew(&self, notes: &Folder) -> Result<(), ForeignError> {
        Told::forget(notes)
    }
}

/// When releases were published, by the word of the site.
#[derive(Default)]
struct Times(BTreeMap<PackageName, BTreeMap<Version, Timestamp>>);

impl Times {
    fn learn(&mut self, site: &Site, releases: &[(PackageName, Version)]) -> Result<(), ForeignError> {
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
