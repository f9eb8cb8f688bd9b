//! Packages of Elm that need one another: the compiler never ends on them, so what would close such a circle does not come in while there is
//! anything else.

use weir_model::record::Hold;
use weir_model::{KindName, ReleaseId, record};
use weir_resolve::Resolution;
use weir_rules::needed_first;

use crate::admission::AdmissionError;
use crate::gatekeeper::Refused;
use crate::tiers::Tiers;

/// Instead of a rule: what keeps a release out is that it needs itself, by way of what it needs.
pub(crate) const CIRCLE: &str = "needs-itself";

/// The release of a resolution that closes a circle: of those in it that are above, the one that was published last. Nothing where there is no
/// circle, or all of it is here: whoever uses it is told.
pub(crate) fn closing(tiers: &Tiers<'_>, resolution: &Resolution) -> Result<Option<Refused>, AdmissionError> {
    let nodes = &resolution.nodes;
    let is_elm = |place: &usize| nodes[*place].kind == KindName::Elm;
    let needs = |place: usize| {
        let edges = if is_elm(&place) { &*nodes[place].edges } else { &[] };
        edges.iter().map(|edge| edge.to).filter(is_elm).collect::<Vec<_>>()
    };
    let Err(circle) = needed_first(nodes.len(), needs) else { return Ok(None) };
    let mut last = None;
    for place in &circle {
        let Some((upstream, view)) = tiers.above(&nodes[*place].id)? else { continue };
        let when = (view.mark.at, view.mark.index);
        if last.as_ref().is_none_or(|(_, latest, _)| when > *latest) {
            last = Some((upstream, when, view.release.id));
        }
    }
    let why = in_words(circle.iter().map(|place| &nodes[*place].id));
    Ok(last.map(|(upstream, _, id)| {
        let hold = Hold {
            id,
            registry: tiers.upstreams[upstream].name.clone(),
            policy: CIRCLE.into(),
            reason: record::reason(why),
            until: None,
        };
        Refused { hold, is_kept_out: true }
    }))
}

/// Why releases that need one another do not come in; the first of them is also the last.
pub fn in_words<'i>(circle: impl Iterator<Item = &'i ReleaseId>) -> String {
    let named: Vec<String> = circle.map(ToString::to_string).collect();
    format!("Elm's compiler never ends on packages that need one another: `{}`", named.join("` needs `"))
}
