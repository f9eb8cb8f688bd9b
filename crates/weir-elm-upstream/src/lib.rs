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

use weir_client::{HttpClient, Url};
use weir_fs::Folder;
use weir_model::record::{Only, UpstreamMode};
use weir_model::{PackageName, ReleaseId, Version};
use weir_rules::needed_first;
use weir_upstream::{Foreign, ForeignError, Transcript, Unresolved, resolve};
use weir_wire::upstream::Ask;

use crate::offered::{Offered, unusable};
use crate::site::Site;
use crate::told::Told;
use crate::writing::Writing;

/// So many releases are left out, one after the other, before nothing more is tried.
const MOST_ROUNDS: usize = 100;

/// A package site of Elm.
pub struct ElmSite {
    site: Site,
}

impl ElmSite {
    /// The one at an address; nothing is asked yet.
    pub fn new(address: Url, client: HttpClient) -> Self {
        Self { site: Site::new(address, client) }
    }

    /// What a resolution of `ask` would use, each after what it needs. What cannot be used, and what would close a circle, on which the compiler
    /// never ends, is as if it were not there.
    fn choose(
        &self,
        transcript: &Transcript<'_>,
        told: &Told,
        ask: &Ask,
    ) -> Result<Vec<(PackageName, Version)>, ForeignError> {
        let offered = Offered::new(&self.site, transcript.notes, told);
        let mut ask = ask.clone();
        let mut failures: Vec<ForeignError> = Vec::new();
        for _ in 0..MOST_ROUNDS {
            let resolution = match resolve(&offered, &ask) {
                Ok(Some(resolution)) => resolution,
                // Why it cannot be had is the first thing that was in the way.
                Ok(None) => return failures.into_iter().next().map_or(Ok(Vec::new()), Err),
                Err(Unresolved::View(error @ ForeignError::Unusable { .. })) => {
                    ask.without.extend(error.release().cloned());
                    failures.push(error);
                    continue;
                }
                Err(Unresolved::View(error)) => return Err(error),
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
                    let named: Vec<String> = circle.iter().map(ToString::to_string).collect();
                    let reason = format!(
                        "Elm's compiler never ends on packages that need one another: `{}`",
                        named.join("` needs `")
                    );
                    let unusable = unusable(&self.site, &last.name, &last.version, &reason);
                    transcript.tell(unusable.to_string());
                    ask.without.push((*last).clone());
                    failures.push(unusable);
                }
            }
        }
        Err(ForeignError::GaveUp(format!(
            "more than {MOST_ROUNDS} releases of `{}` cannot be used",
            self.site.address()
        )))
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
        let wanted = match mode == UpstreamMode::Mirror && ask.requirements.is_empty() {
            true => told.releases().cloned().collect(),
            false => self.choose(transcript, &told, ask)?,
        };
        Writing::new(&self.site, transcript)?.write_all(wanted)
    }

    fn begin_anew(&self, notes: &Folder) -> Result<(), ForeignError> {
        Told::forget(notes)
    }
}
