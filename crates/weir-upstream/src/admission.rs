//! What is asked for is resolved, and what that uses is admitted.

use std::collections::{BTreeMap, BTreeSet};

use weir_index::{IndexError, ReleaseView};
use weir_model::record::{Hold, Unhold, UpstreamMode};
use weir_model::{OwnerName, PackageName, Platform, ReleaseId, Version, record};
use weir_policy::Caller;
use weir_registry::{Admission, Admitted, Registrar, SubmitError};
use weir_resolve::Resolution;
use weir_wire::upstream::{Answer, Ask, MOST_BOUND, MOST_NEWER, MOST_TIERS, Newer};

use crate::gatekeeper::{Gatekeeper, Refused, kept_out_with};
use crate::resolve::{Unresolved, beyond, resolve};
use crate::tiers::{Above, Tiers, TiersError};
use crate::told::{patched, why_missing};
use crate::{circle, held, mirror, unmet};

/// So often releases are left out that were built with something that policy keeps out, or that need themselves, before nothing more is tried.
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

/// Admits what a resolution of `ask` uses, and of upstreams that are mirrored all that policy allows. What cannot be had together is admitted as
/// far as each requirement can alone: whoever asked finds out for themselves what does not go with what, by that and by what the log says is held.
/// What is written is told as it is.
///
/// # Errors
///
/// When an upstream that decides was not followed, when the registry may not be read by `caller`, or cannot be written.
pub fn admit(
    registrar: &Registrar,
    caller: &Caller,
    upstreams: &[Above<'_>],
    ask: &Ask,
    tell: &mut dyn FnMut(&Admitted),
) -> Result<Answer, AdmissionError> {
    let admitting = Admitting { registrar, caller, upstreams };
    let mut answer = Answer::default();
    let mut write = |place, batch, answer: &mut Answer| admitting.write(place, batch, answer, tell);
    // First of all: what is written below says how far those above were looked through.
    let reviewed = admitting.review(&ask.platform)?;
    let mirrors = admitting.followed().filter(|place| upstreams[*place].mode == UpstreamMode::Mirror);
    let mirrors: Vec<usize> = mirrors.collect();
    // What comes from one may be what something of another needs: so each is looked at until nothing more comes.
    for _ in 0..=mirrors.len().min(MOST_TIERS) {
        let before = answer.admitted;
        for place in mirrors.iter().copied() {
            let view = registrar.view_for(caller)?;
            let tiers = Tiers::new(Gatekeeper::new(view.index(), registrar.gate(), caller), upstreams);
            let selected = mirror::select(&tiers, place, &mut |releases, held, more| {
                let batch = Batch { releases, held, pin: true, more, ..Batch::default() };
                write(place, batch, &mut answer)
            });
            match selected {
                // What is new in this one is perhaps of a nearer one that was not followed. What was withdrawn in it comes down all the same, and whoever
                // only follows is told by the other.
                Err(AdmissionError::Unreached { .. }) => {}
                selected => selected?,
            }
        }
        if answer.admitted == before || mirrors.len() < 2 {
            break;
        }
    }
    // What was withdrawn above is withdrawn before anything is chosen, or what is chosen would not be what there is afterwards; and
    // what is held no longer may be.
    for (place, batch) in reviewed {
        write(place, batch, &mut answer)?;
    }
    let view = registrar.view_for(caller)?;
    let tiers = Tiers::new(Gatekeeper::new(view.index(), registrar.gate(), caller), upstreams);
    let (mut chosen, resolution) = choose(&tiers, ask)?;
    let mut unmet = Vec::new();
    if resolution.is_none() {
        (chosen, unmet) = unmet::each_alone(&tiers, ask)?;
    }
    if let Some(wider) = beyond(ask, resolution.as_ref()) {
        chosen.extend(choose(&tiers, &wider)?.0);
    }
    let mut batches: BTreeMap<usize, Batch> = BTreeMap::new();
    let chosen: BTreeSet<(usize, ReleaseId)> = chosen.into_iter().collect();
    answer.newer = newer(&tiers, ask, resolution.as_ref(), &chosen)?;
    for (place, id) in chosen {
        batches.entry(place).or_default().releases.push(id);
    }
    for (place, hold) in holds(&tiers, ask, resolution.as_ref(), unmet)? {
        batches.entry(place).or_default().held.push(hold);
    }
    for (place, batch) in batches {
        let owners: BTreeSet<OwnerName> = batch.releases.iter().map(|id| id.name.owner_name()).collect();
        for owner in owners {
            if answer.bound.len() < MOST_BOUND && tiers.own().bound_above(&owner)?.is_none() {
                answer.bound.push(owner);
            }
        }
        write(place, batch, &mut answer)?;
    }
    let view = registrar.view_for(caller)?;
    answer.size = view.index().position()?.size;
    let asked: BTreeSet<&PackageName> = ask.requirements.iter().map(|asked| &asked.name).collect();
    for name in &asked {
        if answer.missing.len() < MOST_NEWER && view.index().kind_of(name)?.is_none() {
            answer.missing.extend(why_missing(view.index(), upstreams, name)?);
        }
    }
    let used = resolution.iter().flat_map(|resolution| &resolution.nodes).map(|node| &node.id.name);
    answer.patched = patched(view.index(), upstreams, &used.chain(asked).collect(), &ask.platform)?;
    Ok(answer)
}

/// What is written together of one registry above.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) releases: Vec<ReleaseId>,
    pub(crate) held: Vec<Hold>,
    pub(crate) over: Vec<Unhold>,
    pub(crate) pin: bool,
    pub(crate) more: bool,
}

/// A registry that admits.
struct Admitting<'a> {
    registrar: &'a Registrar,
    caller: &'a Caller,
    upstreams: &'a [Above<'a>],
}

impl Admitting<'_> {
    /// The places of those above that were followed.
    fn followed(&self) -> impl Iterator<Item = usize> + use<> {
        let followed = self.upstreams.iter().enumerate().filter(|(_, above)| above.followed.is_ok());
        followed.map(|(place, _)| place).collect::<Vec<_>>().into_iter()
    }

    /// What is to be told of what is held, of each that was followed.
    fn review(&self, platform: &Platform) -> Result<Vec<(usize, Batch)>, AdmissionError> {
        let view = self.registrar.view_for(self.caller)?;
        let keeper = Gatekeeper::new(view.index(), self.registrar.gate(), self.caller);
        let tiers = Tiers::new(keeper, self.upstreams);
        let known = held::Known::of(&tiers)?;
        self.followed().map(|place| Ok((place, known.review(&tiers, place, platform)?))).collect()
    }

    fn write(
        &self,
        place: usize,
        batch: Batch,
        answer: &mut Answer,
        tell: &mut dyn FnMut(&Admitted),
    ) -> Result<(), AdmissionError> {
        let above = &self.upstreams[place];
        let Ok(from) = above.followed else { return Ok(()) };
        let Batch { releases, held, over, pin, more } = batch;
        let admission = Admission { upstream: &above.name, from, releases, held, over, pin, more };
        let done: Admitted = self.registrar.admit(self.caller, &admission)?;
        answer.admitted += done.releases.len() as u64;
        answer.held += done.held.len() as u64;
        answer.let_go += done.let_go;
        answer.withdrawn += done.withdrawn;
        tell(&done);
        Ok(())
    }
}

/// What of the registries above a resolution uses, and what it was built with.
pub(crate) type Chosen = Vec<(usize, ReleaseId)>;

pub(crate) fn choose(tiers: &Tiers<'_>, ask: &Ask) -> Result<(Chosen, Option<Resolution>), AdmissionError> {
    for _ in 0..MOST_ROUNDS {
        let Some(resolution) = resolve(tiers, ask)? else { return Ok((Vec::new(), None)) };
        if let Some(refused) = circle::closing(tiers, &resolution)? {
            tiers.exclude(refused);
            continue;
        }
        match with_what_they_were_built_with(tiers, &resolution)? {
            Ok(chosen) => return Ok((chosen, Some(resolution))),
            Err(refused) => tiers.exclude(refused),
        }
    }
    Err(AdmissionError::GaveUp(
        "too many releases need themselves, or were built with something that policy keeps out".into(),
    ))
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
        if let Some(refused) = bring_with(tiers, &node.id, &mut chosen)? {
            return Ok(Err(refused));
        }
    }
    Ok(Ok(chosen.into_iter().map(|(id, place)| (place, id)).collect()))
}

/// Adds a release that is above to what is chosen, and all that it was built with; or tells what of it cannot come in.
pub(crate) fn bring_with(
    tiers: &Tiers<'_>,
    release: &ReleaseId,
    chosen: &mut BTreeMap<ReleaseId, usize>,
) -> Result<Option<Refused>, AdmissionError> {
    let mut waiting = vec![release.clone()];
    while let Some(id) = waiting.pop() {
        if chosen.contains_key(&id) {
            continue;
        }
        let Some((place, view)) = tiers.above(&id)? else {
            match tiers.own().release(&id)? {
                Some(own) => match is_another(tiers, release, &own)? {
                    None => continue,
                    another => return Ok(another),
                },
                None => return Ok(Some(not_there(tiers, release, &id)?)),
            }
        };
        if let Some(refused) = refusal(tiers, place, &view)? {
            return Ok(Some(match id == *release {
                true => refused,
                false => kept_out_with(release, &tiers.upstreams[place].name, &refused),
            }));
        }
        waiting.extend(view.release.dependencies.iter().filter_map(weir_model::Dependency::baked_id));
        chosen.insert(id, place);
    }
    Ok(None)
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
    Ok(tiers.keeper.refuses(view, upstream)?)
}

/// What was built with a release that has other files there than here.
fn is_another(
    tiers: &Tiers<'_>,
    id: &ReleaseId,
    own: &ReleaseView,
) -> Result<Option<Refused>, AdmissionError> {
    let Some((place, _)) = tiers.above(id)? else { return Ok(None) };
    let upstream = &tiers.upstreams[place];
    let there = upstream.index()?.release(&own.release.id)?;
    if there.is_none_or(|there| there.release.tree == own.release.tree) {
        return Ok(None);
    }
    let hold = Hold {
        id: id.clone(),
        registry: upstream.name.clone(),
        policy: BOUND.into(),
        reason: format!(
            "it was built with `{}` of `{}`, and here that is another",
            own.release.id, upstream.name
        ),
        until: None,
    };
    Ok(Some(Refused { hold, is_kept_out: true }))
}

/// What was built with a release that comes from nowhere: its owner is bound elsewhere.
fn not_there(tiers: &Tiers<'_>, id: &ReleaseId, missing: &ReleaseId) -> Result<Refused, AdmissionError> {
    let above = tiers.above(id)?.map(|(place, _)| &tiers.upstreams[place]);
    let upstream = above.map(|above| above.name.clone()).unwrap_or_default();
    let why = match above.filter(|above| !above.only.takes(&missing.name)) {
        Some(above) => format!("and of `{}` only {} may come", above.name, above.only),
        None => "whose owner is bound to another registry".to_owned(),
    };
    let hold = Hold {
        id: id.clone(),
        registry: upstream,
        policy: BOUND.into(),
        reason: record::reason(format!("it was built with `{missing}`, {why}")),
        until: None,
    };
    Ok(Refused { hold, is_kept_out: true })
}

/// Instead of a rule: what keeps a release out is to which tier names are bound.
pub(crate) const BOUND: &str = "bound-elsewhere";

/// What the log is to say is held: of the packages that were asked for, and of those that were used, what is newer than what was used; with
/// what is held because something that it needs does not come in.
fn holds(
    tiers: &Tiers<'_>,
    ask: &Ask,
    resolution: Option<&Resolution>,
    unmet: Vec<Hold>,
) -> Result<Vec<(usize, Hold)>, AdmissionError> {
    let asked: BTreeSet<&PackageName> = ask.requirements.iter().map(|asked| &asked.name).collect();
    let mut used: BTreeMap<&PackageName, &Version> = BTreeMap::new();
    for node in resolution.iter().flat_map(|resolution| &resolution.nodes) {
        let newest = used.entry(&node.id.name).or_insert(&node.id.version);
        *newest = (*newest).max(&node.id.version);
    }
    let mut holds = unmet;
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

/// Of the packages that were asked for or used what above is newer than all that is here or comes now, and that nothing keeps out. It is only
/// told: what nobody uses is not admitted.
fn newer(
    tiers: &Tiers<'_>,
    ask: &Ask,
    resolution: Option<&Resolution>,
    chosen: &BTreeSet<(usize, ReleaseId)>,
) -> Result<Vec<Newer>, AdmissionError> {
    let mut newer = Vec::new();
    let used = resolution.iter().flat_map(|resolution| &resolution.nodes).map(|node| &node.id.name);
    let asked = ask.requirements.iter().map(|asked| &asked.name).chain(&ask.patched);
    let names: BTreeSet<&PackageName> = used.chain(asked).collect();
    for name in names {
        let comes = chosen.iter().filter(|(_, id)| id.name == *name).map(|(_, id)| id.version.clone()).max();
        let version = tiers.newest(name, &ask.platform)?;
        if let Some(version) = version.filter(|version| comes.is_none_or(|comes| comes < *version))
            && newer.len() < MOST_NEWER
        {
            newer.push(Newer { name: name.clone(), version });
        }
    }
    Ok(newer)
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
