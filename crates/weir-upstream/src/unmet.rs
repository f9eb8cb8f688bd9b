//! What cannot come in though no rule keeps it out itself: something that it needs is kept out, or not there. It is held for that, so that whoever
//! asks is told so, and not that there is no such package.

use std::collections::{BTreeSet, VecDeque};

use weir_model::record::{Hold, UpstreamMode};
use weir_model::{PackageName, Platform, Range, ReleaseId, Scope, record};
use weir_resolve::{Candidate, View};
use weir_rules::best;
use weir_wire::upstream::{Ask, Asked};

use crate::admission::{AdmissionError, Chosen, choose};
use crate::circle::CIRCLE;
use crate::tiers::Tiers;

/// Instead of a rule: what keeps a release out is that something it needs does not come in.
pub(crate) const UNMET: &str = "needs-what-is-held";

/// Whether a release is held for others that it needs, and not for what it is itself.
pub fn is_for_what_it_needs(hold: &Hold) -> bool {
    hold.policy == UNMET || hold.policy == CIRCLE
}

/// Where not all that is asked for can be had together, at most so much of it is looked at alone.
const MOST_ALONE: usize = 256;

/// So many needs are looked at to find the one that is not met.
const MOST_NEEDS: usize = 1_000;

/// What each requirement of an ask uses that cannot be met as a whole, and what is held because it cannot be met alone either. Whoever asked
/// finds out for themselves that the rest does not go together, and by what.
pub(crate) fn each_alone(tiers: &Tiers<'_>, ask: &Ask) -> Result<(Chosen, Vec<Hold>), AdmissionError> {
    let (mut chosen, mut held) = (Chosen::new(), Vec::new());
    for asked in ask.requirements.iter().take(MOST_ALONE) {
        // What the one below does not take is its own affair: it holds it itself.
        let alone = Ask { requirements: vec![asked.clone()], without: Vec::new(), ..ask.clone() };
        match choose(tiers, &alone)? {
            (its, Some(_)) => chosen.extend(its),
            (_, None) => held.extend(why(tiers, asked, &ask.platform)?),
        }
    }
    Ok((chosen, held))
}

/// What a hold says by now of a release that was held for what it needs; nothing once that can be had.
pub(crate) fn review(
    tiers: &Tiers<'_>,
    place: usize,
    hold: &Hold,
    platform: &Platform,
) -> Result<Option<Hold>, AdmissionError> {
    // What a mirror leaves out is found out by looking at all of it.
    if tiers.upstreams[place].mode == UpstreamMode::Mirror {
        return Ok(Some(hold.clone()));
    }
    let ReleaseId { name, version, platform: built_for, .. } = hold.id.clone();
    let platform = if built_for.is_any() { platform.clone() } else { built_for };
    let asked = Asked { name, range: Range::exact(&version), fluid: false };
    let alone = Ask { requirements: vec![asked.clone()], platform: platform.clone(), ..Ask::default() };
    match choose(tiers, &alone)? {
        (_, Some(_)) => Ok(None),
        (_, None) if hold.policy == CIRCLE => Ok(Some(hold.clone())),
        (_, None) => Ok(why(tiers, &asked, &platform)?.or_else(|| Some(hold.clone()))),
    }
}

/// What would be taken of a package that is asked for, held for the first of its needs that is not met; nothing if nothing of it is above.
fn why(tiers: &Tiers<'_>, asked: &Asked, platform: &Platform) -> Result<Option<Hold>, AdmissionError> {
    let Some(taken) = taken(tiers, &asked.name, &asked.range, platform)? else { return Ok(None) };
    let Candidate { version, platform: built_for, revision, .. } = taken.clone();
    let id = ReleaseId { name: asked.name.clone(), version, platform: built_for, revision };
    let Some((place, _)) = tiers.above(&id)? else { return Ok(None) };
    let mut waiting: VecDeque<Need> = needs(tiers, &asked.name, &taken, None)?.into();
    let mut seen = BTreeSet::new();
    let mut hold = Hold {
        id,
        registry: tiers.upstreams[place].name.clone(),
        policy: UNMET.into(),
        reason: "what it needs cannot be had together".into(),
        until: None,
    };
    while let Some(need) = waiting.pop_front() {
        if seen.len() == MOST_NEEDS {
            break;
        }
        if !seen.insert((need.name.clone(), need.range.to_string())) {
            continue;
        }
        if let Some(taken) = taken_for(tiers, &need, platform)? {
            waiting.extend(needs(tiers, &need.name, &taken, Some(&need))?);
            continue;
        }
        let kept_out = kept_out(tiers, &need, platform)?;
        hold.reason = record::reason(match &kept_out {
            Some(kept_out) => format!("{need}, and {kept_out}"),
            None => format!("{need}, of which nothing comes in"),
        });
        hold.until = kept_out.and_then(|kept_out| kept_out.until);
        break;
    }
    Ok(Some(hold))
}

/// Something that is needed.
struct Need {
    name: PackageName,
    range: Range,
    /// The first step to it, if it is not needed at once.
    by: Option<String>,
}

impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, range, by } = self;
        match by {
            None => write!(f, "it needs `{name}` {range}"),
            Some(by) => write!(f, "{by}, and by that `{name}` {range}"),
        }
    }
}

fn needs(
    tiers: &Tiers<'_>,
    name: &PackageName,
    of: &Candidate,
    by: Option<&Need>,
) -> Result<Vec<Need>, AdmissionError> {
    let by = by.map(|need| need.by.clone().unwrap_or_else(|| need.to_string()));
    let needed = tiers.dependencies(name, of)?.into_iter().filter(|needed| needed.scope == Scope::Run);
    Ok(needed.map(|needed| Need { name: needed.name, range: needed.range, by: by.clone() }).collect())
}

fn taken_for(
    tiers: &Tiers<'_>,
    need: &Need,
    platform: &Platform,
) -> Result<Option<Candidate>, AdmissionError> {
    taken(tiers, &need.name, &need.range, platform)
}

/// The release of a package that would be taken, of those that are here or may come in.
fn taken(
    tiers: &Tiers<'_>,
    name: &PackageName,
    range: &Range,
    platform: &Platform,
) -> Result<Option<Candidate>, AdmissionError> {
    let candidates = tiers.candidates(name, None)?.into_iter().flat_map(|there| there.releases);
    Ok(best(candidates, range, platform))
}

/// The newest of what would do, and is kept out here or further up.
fn kept_out(tiers: &Tiers<'_>, need: &Need, platform: &Platform) -> Result<Option<Hold>, AdmissionError> {
    let mut held = Vec::new();
    if let Some(found) = tiers.find(&need.name)? {
        held.extend(found.refused.iter().map(|refused| refused.hold.clone()));
    }
    held.extend(tiers.held_above(&need.name)?);
    held.retain(|hold| hold.id.platform.serves(platform) && need.range.contains(&hold.id.version));
    Ok(held.into_iter().max_by(|a, b| a.id.version.cmp(&b.id.version)))
}
