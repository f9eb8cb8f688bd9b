//! All of an upstream that policy allows, for those that are mirrored.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use weir_index::ReleaseView;
use weir_model::record::Hold;
use weir_model::{PackageName, Range, ReleaseId, Scope, Version};

use crate::admission::{AdmissionError, BOUND, bring_with, refusal};
use crate::gatekeeper::kept_out_with;
use crate::held::Known;
use crate::tiers::{From, Tiers};
use crate::unmet::UNMET;

/// So many releases are admitted under one checkpoint: what is read of them is held in memory meanwhile.
const TOGETHER: usize = 2_000;

/// Takes releases that come in together, what is held, and whether more follow.
pub(crate) type HandOver<'h> = dyn FnMut(Vec<ReleaseId>, Vec<Hold>, bool) -> Result<(), AdmissionError> + 'h;

/// What a release that would come in needs of others that are not here.
struct Needs {
    index: u64,
    is_offered: bool,
    ranges: Vec<(PackageName, Range)>,
}

impl Needs {
    fn of(view: &ReleaseView) -> Self {
        let needed = view.release.dependencies.iter();
        let needed = needed.filter(|needed| needed.baked.is_none() && needed.scope == Scope::Run);
        let ranges = needed.map(|needed| (needed.name.clone(), needed.range.clone())).collect();
        Self { index: view.mark.index, is_offered: view.standing().is_offered(), ranges }
    }
}

/// What was held for something that it needs, and can be had by now: it came from elsewhere, in the order of the upstream's log.
fn what_is_met_by_now(
    tiers: &Tiers<'_>,
    place: usize,
    known: &Known,
) -> Result<Vec<ReleaseId>, AdmissionError> {
    if !known.something_was_said_here(tiers, place)? {
        return Ok(Vec::new());
    }
    let upstream = &tiers.upstreams[place];
    let mut coming: BTreeMap<ReleaseId, Needs> = BTreeMap::new();
    for hold in known.of_upstream(&upstream.name).filter(|hold| hold.policy == UNMET) {
        let Some(view) = upstream.index()?.release(&hold.id)? else { continue };
        if view.standing().is_offered() && bring_with(tiers, &hold.id, &mut BTreeMap::new())?.is_none() {
            coming.insert(hold.id.clone(), Needs::of(&view));
        }
    }
    // What they are held for is in the log already.
    leave_out_unmet(tiers, place, &mut coming, &mut Vec::new())?;
    let mut met: Vec<(u64, ReleaseId)> = coming.into_iter().map(|(id, needs)| (needs.index, id)).collect();
    met.sort_unstable();
    Ok(met.into_iter().map(|(_, id)| id).collect())
}

/// Finds all that may come in, and hands it over in the order of the upstream's log: what something was built with comes before it.
pub(crate) fn select(
    tiers: &Tiers<'_>,
    place: usize,
    hand_over: &mut HandOver<'_>,
) -> Result<(), AdmissionError> {
    let known = Known::of(tiers)?;
    if known.is_up_to_date(tiers, place)? {
        let met = what_is_met_by_now(tiers, place, &known)?;
        // That nothing new is there is said now and then.
        return if met.is_empty() && known.was_looked_through(tiers, place) {
            Ok(())
        } else {
            hand_over(met, Vec::new(), false)
        };
    }
    let upstream = &tiers.upstreams[place];
    let mut coming: BTreeMap<ReleaseId, Needs> = BTreeMap::new();
    let mut holds = Vec::new();
    let mut from: HashMap<PackageName, From> = HashMap::new();
    let mut kept_out = HashMap::new();
    for view in upstream.index()?.live_releases() {
        let view = view?;
        let id = &view.release.id;
        if !view.standing().is_usable() {
            continue;
        }
        if tiers.own().release(id)?.is_some() {
            continue;
        }
        let tier = match from.get(&id.name) {
            Some(known) => *known,
            None => {
                let tier = tiers.from(&id.name)?;
                from.insert(id.name.clone(), tier);
                tier
            }
        };
        if tier != From::Above(place) {
            continue;
        }
        let mut refused = refusal(tiers, place, &view)?;
        for baked in view.release.dependencies.iter().filter_map(weir_model::Dependency::baked_id) {
            if refused.is_some() || coming.contains_key(&baked) || tiers.own().release(&baked)?.is_some() {
                continue;
            }
            refused = kept_out.get(&baked).map(|other| kept_out_with(id, &upstream.name, other));
            if refused.is_none() {
                refused = Some(bound_elsewhere(id, &upstream.name, &baked));
            }
        }
        if let Some(refused) = refused {
            if refused.is_kept_out {
                holds.push(refused.hold.clone());
            }
            kept_out.insert(id.clone(), refused);
            continue;
        }
        coming.insert(id.clone(), Needs::of(&view));
    }
    leave_out_unmet(tiers, place, &mut coming, &mut holds)?;
    // From here on it is told by where it stands in the other's log, and read once more.
    let coming: BTreeSet<u64> = coming.into_values().map(|needs| needs.index).collect();
    let mut together = Vec::new();
    for view in upstream.index()?.live_releases() {
        let view = view?;
        if !coming.contains(&view.mark.index) {
            continue;
        }
        if together.len() == TOGETHER {
            hand_over(std::mem::take(&mut together), Vec::new(), true)?;
        }
        together.push(view.release.id);
    }
    hand_over(together, holds, false)
}

fn bound_elsewhere(id: &ReleaseId, upstream: &str, missing: &ReleaseId) -> crate::gatekeeper::Refused {
    crate::gatekeeper::Refused {
        hold: Hold {
            id: id.clone(),
            registry: upstream.to_owned(),
            policy: BOUND.into(),
            reason: format!("it was built with `{missing}`, which does not come from the same registry"),
            until: None,
        },
        is_kept_out: true,
    }
}

/// Leaves out what needs something of which nothing is here or comes, until nothing more is left out: whoever installs from a mirror
/// finds what things need.
fn leave_out_unmet(
    tiers: &Tiers<'_>,
    place: usize,
    coming: &mut BTreeMap<ReleaseId, Needs>,
    holds: &mut Vec<Hold>,
) -> Result<(), AdmissionError> {
    let mut own: HashMap<PackageName, Vec<Version>> = HashMap::new();
    loop {
        let mut versions: HashMap<&PackageName, BTreeSet<&Version>> = HashMap::new();
        for id in coming.keys() {
            versions.entry(&id.name).or_default().insert(&id.version);
        }
        let mut unmet: Vec<(ReleaseId, String)> = Vec::new();
        let mut met: HashSet<(&PackageName, &str)> = HashSet::new();
        for (id, needs) in &*coming {
            for (name, range) in &needs.ranges {
                if met.contains(&(name, range.as_str())) {
                    continue;
                }
                if !own.contains_key(name) {
                    let candidates = tiers.own().candidates(name)?;
                    let there = candidates.into_iter().flat_map(|candidates| candidates.releases);
                    own.insert(name.clone(), there.map(|there| there.version).collect());
                }
                let here = own.get(name).into_iter().flatten().any(|version| range.contains(version));
                let comes =
                    || versions.get(name).is_some_and(|there| there.iter().any(|v| range.contains(v)));
                if here || comes() {
                    met.insert((name, range.as_str()));
                } else {
                    unmet.push((id.clone(), format!("it needs `{name}` {range}, of which nothing comes in")));
                    break;
                }
            }
        }
        drop(met);
        if unmet.is_empty() {
            return Ok(());
        }
        for (id, reason) in unmet {
            if coming.remove(&id).is_none_or(|needs| !needs.is_offered) {
                continue;
            }
            let registry = tiers.upstreams[place].name.clone();
            holds.push(Hold { id, registry, policy: UNMET.into(), reason, until: None });
        }
    }
}
