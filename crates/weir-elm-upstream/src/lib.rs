//! The package site of Elm as a registry above: the canonical one, or any that speaks its protocol.
//!
//! It holds lists and documents; sources are archives elsewhere, by default GitHub's, with a SHA-1 beside their address. Nobody signs any of
//! it. So a release is written down once, when it is first needed, as the package that its archive unpacks to, and what is written down
//! is what counts from then on ([`Foreign`]).
//!
//! * `site`: what is asked of it, and how large an answer may be;
//! * `told`: the list of all its releases, which only grows, or it is not the registry that it was;
//! * `offered`: that list as a resolver sees it, with what each release needs read when it is looked at;
//! * `fetch`: one release, with its archive checked;
//! * `writing`: releases are fetched and written down, each after what it needs.

mod fetch;
mod offered;
mod site;
mod told;
mod writing;

use std::collections::BTreeSet;

use weir_client::{HttpClient, Url};
use weir_fs::Folder;
use weir_model::record::{Only, UpstreamMode};
use weir_model::{PackageName, Range, ReleaseId, Version};
use weir_rules::needed_first;
use weir_upstream::{Foreign, ForeignError, Transcript, Unresolved, circle_in_words, resolve};
use weir_wire::upstream::Ask;

use crate::offered::{Offered, unusable};
use crate::site::Site;
use crate::told::Told;
use crate::writing::{MOST_NAMED, Writing, Written};

/// So many releases are looked into to find what is missing.
const MOST_NEEDS: usize = 200;

/// So many releases are left out, one after the other, before nothing more is tried.
const MOST_ROUNDS: usize = 300;

/// A package site of Elm.
pub struct ElmSite {
    site: Site,
}

impl ElmSite {
    /// The one at an address; nothing is asked yet.
    pub fn new(address: Url, client: HttpClient) -> Self {
        Self { site: Site::new(address, client) }
    }

    /// Writes down all releases. When that is done, it is told what is wrong with those that cannot be used.
    fn write_everything(&self, transcript: &Transcript<'_>, told: &Told) -> Result<u64, ForeignError> {
        let writing = Writing::new(&self.site, transcript)?;
        let Written { releases, failures } = writing.write_all(told.releases().cloned().collect())?;
        for failure in failures.iter().skip(1).take(MOST_NAMED) {
            transcript.tell(failure.to_string());
        }
        if let Some(more) = failures.len().checked_sub(1 + MOST_NAMED).filter(|more| *more > 0) {
            transcript.tell(format!("{more} more of `{}` cannot be used", self.site.address()));
        }
        failures.into_iter().next().map_or(Ok(releases), Err)
    }

    /// Writes down what a resolution of `ask` uses; in the place of what turns out not to be usable the next best that does.
    fn write_what_is_used(
        &self,
        transcript: &Transcript<'_>,
        told: &Told,
        mut ask: Ask,
    ) -> Result<u64, ForeignError> {
        let (mut written, mut worst) = (0, None);
        for _ in 0..MOST_ROUNDS {
            let chosen = match self.choose(transcript, told, &ask) {
                Ok(chosen) => chosen,
                Err(error) => return Err(worst.unwrap_or(error)),
            };
            let is_found = !chosen.is_empty();
            let done = Writing::new(&self.site, transcript)?.write_all(chosen)?;
            written += done.releases;
            // In the place of what was tampered with nothing else is given: whoever asks is to know.
            let mut failures = done.failures;
            if let Some(place) = failures.iter().position(|one| matches!(one, ForeignError::Different { .. }))
            {
                return Err(failures.swap_remove(place));
            }
            ask.without.extend(failures.iter().filter_map(ForeignError::release).cloned());
            let is_done = failures.is_empty();
            worst = worst.into_iter().chain(failures).min_by_key(|failure| !failure.is_unbelieved());
            if is_done {
                return match worst {
                    // Something else does, and nothing worse was seen than that this is gone.
                    Some(gone) if is_found && !gone.is_unbelieved() => {
                        transcript.tell(gone.to_string());
                        Ok(written)
                    }
                    worst => worst.map_or(Ok(written), Err),
                };
            }
        }
        Err(self.gave_up())
    }

    fn gave_up(&self) -> ForeignError {
        ForeignError::GaveUp(format!(
            "more than {MOST_ROUNDS} releases of `{}` cannot be used",
            self.site.address()
        ))
    }

    /// What a resolution of `ask` would use, each after what it needs. What cannot be used, and what would close a circle, on which the compiler
    /// never ends, is as if it were not there.
    fn choose(
        &self,
        transcript: &Transcript<'_>,
        told: &Told,
        asked: &Ask,
    ) -> Result<Vec<(PackageName, Version)>, ForeignError> {
        let offered = Offered::new(&self.site, transcript.notes, told);
        let mut ask = asked.clone();
        let mut failures: Vec<ForeignError> = Vec::new();
        for _ in 0..MOST_ROUNDS {
            let resolution = match resolve(&offered, &ask) {
                Ok(Some(resolution)) => resolution,
                // Why it cannot be had is what the newest lacks, or else the first thing that was in the way.
                Ok(None) => {
                    let why = unmet(&offered, told, asked)?.or_else(|| failures.into_iter().next());
                    return why.map_or(Ok(Vec::new()), Err);
                }
                Err(Unresolved::View(error)) => match error.release().cloned() {
                    Some(id) => {
                        ask.without.push(id);
                        failures.push(error);
                        continue;
                    }
                    None => return Err(error),
                },
                Err(Unresolved::GaveUp(reason)) => return Err(ForeignError::GaveUp(reason)),
            };
            let nodes = &resolution.nodes;
            let needs = |place: usize| nodes[place].edges.iter().map(|edge| edge.to);
            match needed_first(nodes.len(), needs) {
                Ok(order) => {
                    let ids = order.into_iter().map(|place| nodes[place].id.clone());
                    return Ok(ids.map(|id| (id.name, id.version)).collect());
                }
                Err(circle) => {
                    let circle: Vec<&ReleaseId> = circle.into_iter().map(|place| &nodes[place].id).collect();
                    let Some(last) = circle.iter().max_by_key(|id| told.place(&id.name, &id.version)) else {
                        continue;
                    };
                    let reason = circle_in_words(circle.iter().copied());
                    let unusable = unusable(&self.site, &last.name, &last.version, &reason);
                    transcript.tell(unusable.to_string());
                    ask.without.push((*last).clone());
                    failures.push(unusable);
                }
            }
        }
        Err(self.gave_up())
    }
}

/// Of what is asked for, the first that would be taken and needs something of which the site has nothing; nothing where that is not why an ask
/// cannot be met.
fn unmet(offered: &Offered<'_>, told: &Told, ask: &Ask) -> Result<Option<ForeignError>, ForeignError> {
    let newest = |name: &PackageName, range: &Range| {
        let versions = told.versions(name).into_iter().flatten().rev();
        versions
            .filter(|version| range.contains(version))
            .find(|version| !ask.without.iter().any(|id| id.name == *name && id.version == **version))
    };
    for asked in &ask.requirements {
        let Some(taken) = newest(&asked.name, &asked.range) else { continue };
        let mut waiting = vec![(asked.name.clone(), taken.clone(), String::new())];
        let mut seen = BTreeSet::new();
        while let Some((name, version, by)) = waiting.pop() {
            if seen.len() == MOST_NEEDS || !seen.insert((name.clone(), version.clone())) {
                continue;
            }
            let needs = match offered.needs(&name, &version) {
                Err(error) if error.release().is_some() => continue,
                needs => needs?,
            };
            for (needed, range) in needs {
                let step = format!("{by}it needs `{needed}` {range}, ");
                match newest(&needed, &range) {
                    Some(next) => waiting.push((needed, next.clone(), format!("{step}by that "))),
                    None => {
                        let reason = format!("{step}of which nothing is there");
                        return Ok(Some(offered::gone(&asked.name, taken, reason)));
                    }
                }
            }
        }
    }
    Ok(None)
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
        match mode == UpstreamMode::Mirror && ask.requirements.is_empty() {
            true => self.write_everything(transcript, &told),
            false => self.write_what_is_used(transcript, &told, ask.clone()),
        }
    }

    fn begin_anew(&self, notes: &Folder) -> Result<(), ForeignError> {
        Told::forget(notes)
    }
}
