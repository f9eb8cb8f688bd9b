//! Asking the gate whether a release may come in, why not, and from when on.

use std::cell::RefCell;
use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use weir_index::{Index, ReleaseView};
use weir_model::advisory::Severity;
use weir_model::record::Hold;
use weir_model::{ReleaseId, record};
use weir_policy::{Caller, Gate, ReleaseFacts, Request, Target, Verb};
use weir_registry::{advised, published_above, withheld};

use crate::tiers::{Above, TiersError};

/// Beyond this many days nobody waits for a release: then it is not time alone that has to pass.
const LONGEST_WAIT: i64 = 3650;

/// A rule that no policy set can lift: one name is not let in beside another that looks like it.
const CONFUSABLE: &str = "confusable";

/// The other one: what readers are kept from does not come back with another release.
const QUARANTINED: &str = "quarantined";

/// Why a release does not come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// What the log would say of it.
    pub(crate) hold: Hold,
    /// Whether a rule forbids the release. Else it is who asks that may not.
    pub(crate) is_kept_out: bool,
}

/// Decides for one caller what may come into one registry.
pub(crate) struct Gatekeeper<'a> {
    pub(crate) own: &'a Index,
    pub(crate) gate: &'a dyn Gate,
    pub(crate) caller: &'a Caller,
    /// From when on a rule lets in what was published at some time.
    waits: RefCell<HashMap<(String, Timestamp), Option<Timestamp>>>,
}

impl<'a> Gatekeeper<'a> {
    pub(crate) fn new(own: &'a Index, gate: &'a dyn Gate, caller: &'a Caller) -> Self {
        Self { own, gate, caller, waits: RefCell::default() }
    }

    /// Why a release of a registry above does not come in; nothing if it may.
    pub(crate) fn refuses(
        &self,
        view: &ReleaseView,
        above: &Above<'_>,
    ) -> Result<Option<Refused>, TiersError> {
        let upstream = above.name.as_str();
        let is_transcript = above.followed.as_ref().is_ok_and(|followed| followed.is_transcript);
        let above = above.index()?;
        let name = &view.release.id.name;
        let hold = |policy: &str, reason: String, until: Option<Timestamp>| Hold {
            id: view.release.id.clone(),
            registry: upstream.to_owned(),
            policy: policy.to_owned(),
            reason: record::reason(reason),
            until,
        };
        let is_new = self.own.kind_of(name)?.is_none();
        if let Some(existing) = is_new.then(|| self.own.mistaken_for(name)).transpose()?.flatten() {
            let reason = format!("its name can be mistaken for `{existing}`, which is here");
            return Ok(Some(Refused { hold: hold(CONFUSABLE, reason, None), is_kept_out: true }));
        }
        if let Some(other) = withheld(self.own, &view.release)? {
            let reason = format!("it has content of `{}`, which is quarantined here", other.release.id);
            return Ok(Some(Refused { hold: hold(QUARANTINED, reason, None), is_kept_out: true }));
        }
        let advised = advised(self.own, Some(above), &view.release.id)?;
        let published = published_above(self.own, view, upstream, is_transcript)?;
        let asked = |caller: &Caller| {
            let decision = self.gate.decide(&request(view, published, advised, caller, upstream));
            (!decision.allowed).then_some(decision)
        };
        let Some(decision) = asked(self.caller) else { return Ok(None) };
        // What was withdrawn there would not be taken by anybody who has to be told why.
        let is_kept_out = view.standing().is_offered()
            && self.gate.forbids(&request(view, published, advised, self.caller, upstream));
        let until = if is_kept_out {
            let key = (decision.policy.clone().into_owned(), published);
            let known = self.waits.borrow().get(&key).copied();
            known.unwrap_or_else(|| {
                let until = self.first_time(&|caller| asked(caller).is_none());
                self.waits.borrow_mut().insert(key, until);
                until
            })
        } else {
            None
        };
        Ok(Some(Refused { hold: hold(&decision.policy, decision.reason, until), is_kept_out }))
    }

    /// When something is permitted first that is not now, if it ever is: rules that ask for the time ask whether enough of it has passed.
    fn first_time(&self, permitted: &dyn Fn(&Caller) -> bool) -> Option<Timestamp> {
        let now = self.caller.at().as_second();
        let at = |seconds: i64| {
            Timestamp::from_second(seconds).is_ok_and(|at| permitted(&self.caller.clone().at_time(at)))
        };
        let mut late = now.checked_add(SignedDuration::from_hours(24 * LONGEST_WAIT).as_secs())?;
        if !at(late) {
            return None;
        }
        let mut early = now;
        while late - early > 1 {
            let middle = early + (late - early) / 2;
            if at(middle) { late = middle } else { early = middle }
        }
        Timestamp::from_second(late).ok()
    }
}

fn request<'r>(
    view: &'r ReleaseView,
    published: Timestamp,
    advised: Option<Severity>,
    caller: &'r Caller,
    upstream: &'r str,
) -> Request<'r> {
    let facts = ReleaseFacts::from(&view.release).published_at(published);
    Request {
        caller,
        verb: Verb::Admit,
        target: Target::Release(view.release.id.clone()),
        // What is claimed here is not admitted, whatever the rules say.
        owner_belongs_to: None,
        release: Some(ReleaseFacts { upstream: Some(upstream), advised, ..facts }),
    }
}

/// A release that is kept out because of another one that it cannot do without.
pub(crate) fn kept_out_with(id: &ReleaseId, upstream: &str, other: &Refused) -> Refused {
    let reason = record::reason(format!("it was built with `{}`: {}", other.hold.id, other.hold.reason));
    Refused {
        hold: Hold {
            id: id.clone(),
            registry: upstream.to_owned(),
            policy: other.hold.policy.clone(),
            reason,
            until: other.hold.until,
        },
        is_kept_out: other.is_kept_out,
    }
}
