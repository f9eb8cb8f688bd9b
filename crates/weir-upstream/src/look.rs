//! What there is of a package above a registry that does not have it, and what policy would say of it. Nothing is admitted.

use weir_index::Index;
use weir_model::PackageName;
use weir_policy::{Caller, Gate};
use weir_wire::upstream::{LookedRelease, MOST_LOOKED_AT};

use crate::admission::AdmissionError;
use crate::gatekeeper::Gatekeeper;
use crate::tiers::{Above, From, Tiers};

/// Where a package is that a registry does not have.
#[derive(Debug)]
pub enum Sight {
    /// In the registry above at this place, with these releases, the newest first.
    There {
        /// The place.
        place: usize,
        /// What the newest says that it is.
        description: Option<String>,
        /// Those that are offered.
        releases: Vec<LookedRelease>,
    },
    /// Perhaps above one of the registries at these places, in this order.
    Further(Vec<usize>),
}

/// Looks for a package in the registries above one, by whom its name belongs to.
///
/// # Errors
///
/// When one above that decides was not followed, or a view cannot be read.
pub fn look(
    own: &Index,
    gate: &dyn Gate,
    caller: &Caller,
    upstreams: &[Above<'_>],
    name: &PackageName,
) -> Result<Sight, AdmissionError> {
    let tiers = Tiers::new(Gatekeeper::new(own, gate, caller), upstreams);
    let place = match tiers.from(name)? {
        From::Above(place) => place,
        From::Here if own.tier_of(name)?.is_some() => return Ok(Sight::Further(Vec::new())),
        // It is bound to none yet: whichever has something of its owner first.
        From::Here => {
            let may = |place: &usize| upstreams[*place].only.takes(name);
            return Ok(Sight::Further((0..upstreams.len()).filter(may).collect()));
        }
    };
    let upstream = &upstreams[place];
    let Some(package) = upstream.index()?.package(name)? else { return Ok(Sight::Further(vec![place])) };
    let mut releases = Vec::new();
    let offered = package.releases.iter().filter(|view| view.standing().is_offered());
    for view in offered.take(MOST_LOOKED_AT) {
        let refused = tiers.keeper.refuses(view, upstream)?;
        releases.push(LookedRelease {
            id: view.release.id.clone(),
            license: view.release.license.clone(),
            held: refused.map(|refused| refused.hold),
        });
    }
    let description = package.newest().and_then(|view| view.release.description.clone());
    Ok(Sight::There { place, description, releases })
}
