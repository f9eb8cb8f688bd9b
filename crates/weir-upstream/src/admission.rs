//! What is asked for is resolved, and what that uses is admitted.

use std::collections::{BTreeMap, BTreeSet};

use weir_index::{IndexError, ReleaseView};
use weir_model::record::{Hold, UpstreamMode};
use weir_model::{OwnerName, PackageName, ReleaseId, Version};
use weir_policy::Caller;
use weir_registry::{Admission, Admitted, Registrar, SubmitError};
use weir_resolve::Resolution;
use weir_wire::upstream::{Answer, Ask, MOST_BOUND};

use crate::gatekeeper::{Gatekeeper, Refused, kept_out_with};
use crate::mirror;
use crate::resolve::{Unresolved, resolve};
use crate::tiers::{Above, Tiers, TiersError};

/// So often releases are left out that were built with something that policy keeps out, before nothing more is tried.
const MOST_ROUNDS: usize = 100;

/// Of one package at most so many releases are told to be held: the newest.
const MOST_HELD: usize = 16;

/// Why nothing was admitted.
#[derive(Debug, thiserror::Error)]
pub enum AdmissionError {
    /// A registry above decides, and was not followed.
    #[error("the upstream `{upstream}` was not followed: {reason}")]
    Unreached {
        /// Which.
        upstream: String,
        /// Why, in words.
        reason: String,
    },
    /// The search took too long.
    #[error("{0}")]
    GaveUp(String),
    /// The registry refused, or could not do it.
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

impl From<TiersError> for AdmissionError {
    fn from(error: TiersError) -> Self {
        match error {
            TiersError::Index(error) => SubmitError::from(error).into(),
            TiersError::Unreached { upstream, reason } => Self::Unreached { upstream, reason },
        }
    }
}

impl From<IndexError> for AdmissionError {
    fn from(error: IndexError) -> Self {
        SubmitError::from(error).into()
    }
}

/// Admits what a resolution of `ask` uses, and of upstreams that are mirrored all that policy allows. What cannot be resolved admits
/// nothing: whoever asked finds out for themselves why, by what the log says is held.
///
/// # Errors
///
/// When an upstream that decides was not followed, when the registry may not be read by `caller`, or cannot be written.
pub fn admit(
    registrar: &Registrar,
    caller: &Caller,
    upstreams: &[Above<'_>],
    ask: &Ask,
) -> Result<Answer, AdmissionError> {
    let mut answer = Answer::default();
    let mut admissions: BTreeMap<usize, (BTreeSet<ReleaseId>, Vec<Hold>)> = BTreeMap::new();
    let view = registrar.view_for(caller)?;
    for (place, above) in upstreams.iter().enumerate() {
        if above.mode == UpstreamMode::Mirror && above.followed.is_ok() {
            let keeper = Gatekeeper::new(view.index(), registrar.gate(), caller);
            let tiers = Tiers::new(keeper, upstreams);
            mirror::select(&tiers, place, &mut |releases, holds| {
                told(&mut answer, write(registrar, caller, upstreams, place, releases, holds, true)?);
                Ok::<_, AdmissionError>(())
            })?;
        }
    }
    drop(view);
    // What was withdrawn above is withdrawn before anything is chosen, or what is chosen would not be what there is afterwards.
    for (place, above) in upstreams.iter().enumerate() {
        if above.followed.is_ok() {
            told(&mut answer, write(registrar, caller, upstreams, place, Vec::new(), Vec::new(), false)?);
        }
    }
    let view = registrar.view_for(caller)?;
    let keeper = Gatekeeper::new(view.index(), registrar.gate(), caller);
    let tiers = Tiers::new(keeper, upstreams);
    let (chosen, resolution) = choose(&tiers, ask)?;
    for (place, id) in chosen {
        admissions.entry(place).or_default().0.insert(id);
    }
    for (place, hold) in holds(&tiers, ask, resolution.as_ref())? {
        admissions.entry(place).or_default().1.push(hold);
    }
    for (place, (releases, holds)) in admissions {
        let owners: BTreeSet<OwnerName> = releases.iter().map(|id| id.name.owner_name()).collect();
        for owner in owners {
            if answer.bound.len() < MOST_BOUND && tiers.own().bound_above(&owner)?.is_none() {
                answer.bound.push(owner);
            }
        }
        let releases = releases.into_iter().collect();
        told(&mut answer, write(registrar, caller, upstreams, place, releases, holds, false)?);
    }
    answer.size = registrar.view_for(caller)?.index().position()?.size;
    Ok(answer)
}

fn told(answer: &mut Answer, done: Admitted) {
    answer.admitted += done.releases;
    answer.held += done.held;
    answer.withdrawn += done.withdrawn;
}

fn write(
    registrar: &Registrar,
    caller: &Caller,
    upstreams: &[Above<'_>],
    place: usize,
    releases: Vec<ReleaseId>,
    held: Vec<Hold>,
    pin: bool,
) -> Result<Admitted, AdmissionError> {
    let above = &upstreams[place];
    let Ok(from) = &above.followed else { return Ok(Admitted::default()) };
    let admission = Admission { upstream: &above.name, from: *from, releases, held, pin };
    Ok(registrar.admit(caller, &admission)?)
}

/// What of the registries above a resolution uses, and what it was built with.
type Chosen = Vec<(usize, ReleaseId)>;

fn choose(tiers: &Tiers<'_>, ask: &Ask) -> Result<(Chosen, Option<Resolution>), AdmissionError> {
    for _ in 0..MOST_ROUNDS {
        let Some(resolution) = resolve(tiers, ask)? else { return Ok((Vec::new(), None)) };
        match with_what_they_were_built_with(tiers, &resolution)? {
            Ok(chosen) => return Ok((chosen, Some(resolution))),
            Err(refused) => tiers.exclude(refused),
        }
    }
    Err(AdmissionError::GaveUp("too many releases were built with something that policy keeps out".into()))
}

impl From<Unresolved<TiersError>> for AdmissionError {
    fn from(error: Unresolved<TiersError>) -> Self {
        match error {
            Unresolved::View(error) => error.into(),
            Unresolved::GaveUp(reason) => Self::GaveUp(reason),
        }
    }
}

/// The releases of a resolution that are above, and all that they were built with, or the one of them that cannot come in.
fn with_what_they_were_built_with(
    tiers: &Tiers<'_>,
    resolution: &Resolution,
) -> Result<Result<Chosen, Refused>, AdmissionError> {
    let mut chosen: BTreeMap<ReleaseId, usize> = BTreeMap::new();
    for node in &resolution.nodes {
        let mut waiting = vec![node.id.clone()];
        while let Some(id) = waiting.pop() {
            if chosen.contains_key(&id) {
                continue;
            }
            let Some((place, view)) = tiers.above(&id)? else {
                match tiers.own().release(&id)? {
                    Some(_) => continue,
                    None => return Ok(Err(not_there(tiers, &node.id, &id)?)),
                }
            };
            if let Some(refused) = refusal(tiers, place, &view)? {
                let upstream = &tiers.upstreams[place].name;
                return Ok(Err(kept_out_with(&node.id, upstream, &refused)));
            }
            waiting.extend(view.release.dependencies.iter().filter_map(weir_model::Dependency::baked_id));
            chosen.insert(id, place);
        }
    }
    Ok(Ok(chosen.into_iter().map(|(id, place)| (place, id)).collect()))
}

pub(crate) fn refusal(
    tiers: &Tiers<'_>,
    place: usize,
    view: &ReleaseView,
) -> Result<Option<Refused>, AdmissionError> {
    if let Some(refused) = tiers.excluded(&view.release.id) {
        return Ok(Some(refused));
    }
    let upstream = &tiers.upstreams[place];
    Ok(tiers.keeper.refuses(view, &upstream.name, upstream.index()?)?)
}

/// What was built with a release that comes from nowhere: its owner is bound elsewhere.
fn not_there(tiers: &Tiers<'_>, id: &ReleaseId, missing: &ReleaseId) -> Result<Refused, AdmissionError> {
    let upstream = match tiers.above(id)? {
        Some((place, _)) => tiers.upstreams[place].name.clone(),
        None => String::new(),
    };
    let hold = Hold {
        id: id.clone(),
        registry: upstream,
        policy: BOUND.into(),
        reason: format!("it was built with `{missing}`, whose owner is bound to another registry"),
        until: None,
    };
    Ok(Refused { hold, is_kept_out: true })
}

/// Instead of a rule: what keeps a release out is to which tier names are bound.
pub(crate) const BOUND: &str = "bound-elsewhere";

/// What the log is to say is held: of the packages that were asked for, and of those that were used, what is newer than what was used.
fn holds(
    tiers: &Tiers<'_>,
    ask: &Ask,
    resolution: Option<&Resolution>,
) -> Result<Vec<(usize, Hold)>, AdmissionError> {
    let asked: BTreeSet<&PackageName> = ask.requirements.iter().map(|asked| &asked.name).collect();
    let mut used: BTreeMap<&PackageName, &Version> = BTreeMap::new();
    for node in resolution.iter().flat_map(|resolution| &resolution.nodes) {
        let newest = used.entry(&node.id.name).or_insert(&node.id.version);
        *newest = (*newest).max(&node.id.version);
    }
    let mut holds = Vec::new();
    for (name, found) in tiers.looked_at() {
        if resolution.is_some() && !asked.contains(&name) && !used.contains_key(&name) {
            continue;
        }
        let mut kept_out: Vec<Hold> =
            found.refused.iter().filter(|refused| refused.is_kept_out).map(|one| one.hold.clone()).collect();
        kept_out.extend(tiers.held_above(&name)?);
        holds.extend(newest_of(kept_out, used.get(&name).copied(), ask));
    }
    // Of what is known to nobody here, those above may know that it is held.
    for name in asked {
        if tiers.find(name)?.is_none() {
            holds.extend(newest_of(tiers.held_above(name)?, None, ask));
        }
    }
    let placed = holds.into_iter().filter_map(|hold| {
        Some((tiers.upstreams.iter().position(|above| above.name == hold.registry)?, hold))
    });
    Ok(placed.collect())
}

/// Of what is held of one package what would serve who asks and is newer than what they use: the newest, each once.
fn newest_of(mut held: Vec<Hold>, used: Option<&Version>, ask: &Ask) -> Vec<Hold> {
    held.retain(|hold| {
        (hold.id.platform.is_any() || hold.id.platform == ask.platform)
            && used.is_none_or(|used| hold.id.version > *used)
    });
    held.sort_by(|a, b| b.id.version.cmp(&a.id.version).then_with(|| a.id.cmp(&b.id)));
    held.dedup_by(|a, b| a.id == b.id);
    held.truncate(MOST_HELD);
    held
}
