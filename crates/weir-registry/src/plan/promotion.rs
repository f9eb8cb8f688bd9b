//! Promotions: releases that are offered as they are in the registry below that they come from.
//!
//! They are published like any other, by the same rules, but fixed to what they were fixed to there: so their inputs are the
//! same, and whoever has one locked has the one that comes down again.

use serde_json::{Map, Value};
use weir_model::{Baked, Release, ReleaseId};
use weir_policy::{Authorized, Denied, ReleaseFacts, Request, Target, Verb, authorize, wants_approvals};
use weir_rules::Standing;
use weir_wire::{Draft, Promotion, Wanted};

use super::{Planning, facts_of, need_of};
use crate::advised::advised;
use crate::error::SubmitError;
use crate::registrar::before;
use crate::replica::check_promotion;

/// What the gate says of a publication.
pub(super) enum Permit {
    /// It permits it.
    Given(Box<Authorized>),
    /// It would, had enough others approved it.
    Unapproved(Denied),
}

impl Permit {
    /// The rule that decided.
    pub(super) fn policy(&self) -> &str {
        match self {
            Self::Given(permit) => &permit.decision().policy,
            Self::Unapproved(denied) => &denied.decision.policy,
        }
    }
}

impl Planning<'_> {
    /// Asks whether a release may be published here, or promoted.
    pub(super) fn may_publish(
        &self,
        draft: &Draft,
        promotion: Option<&Promotion>,
        confusable: bool,
    ) -> Result<Permit, SubmitError> {
        // Rules go by where it comes from, so that is proven first.
        promotion.map_or(Ok(()), check_promotion)?;
        let owner_belongs_to = self.owner_of(&draft.id.name.owner_name())?;
        let kind_facts = self.kind_facts(draft)?;
        let facts = ReleaseFacts {
            kind_facts: &kind_facts,
            confusable,
            advised: advised(self.on.index, None, &draft.id)?,
            promoted: promotion.map(|promotion| promotion.from.registry.as_str()),
            approved_by: self.on.approved_by,
            ..facts_of(draft)
        };
        let request = Request {
            caller: self.on.caller,
            verb: Verb::Publish,
            target: Target::Release(draft.id.clone()),
            owner_belongs_to,
            release: Some(facts),
        };
        match authorize(self.on.gate, request.clone()) {
            Ok(permit) => Ok(Permit::Given(Box::new(permit))),
            Err(denied) if promotion.is_some() && wants_approvals(self.on.gate, &request) => {
                Ok(Permit::Unapproved(denied))
            }
            Err(denied) => Err(denied.into()),
        }
    }

    /// What the kind of a draft found out about it, and how it differs from the release before it. Another may have come between: then it is
    /// to be found out anew.
    fn kind_facts(&self, draft: &Draft) -> Result<Map<String, Value>, SubmitError> {
        let mut facts = draft.facts.clone();
        if let Some(difference) = self.on.differences.get(&draft.id) {
            let before = before(self.on.index, &draft.id, draft.kind)?.map(|(version, _)| version);
            if before != difference.before {
                return Err(SubmitError::Busy);
            }
            facts.extend(difference.facts.clone());
        }
        Ok(facts)
    }

    /// The release that is promoted, fixed to what it was fixed to where it comes from. All of that must be here by now.
    pub(super) fn bake_as(&mut self, promotion: &Promotion) -> Result<Release, SubmitError> {
        let draft = &promotion.draft;
        let mut given = promotion.baked.iter();
        let mut baked = Vec::with_capacity(draft.dependencies.len());
        for wanted in &draft.dependencies {
            baked.push(match need_of(wanted).is_baked(draft.kind) {
                true => Some(self.baked_with(draft, wanted, given.next())?),
                // Something that meets it is offered here, or comes in the same batch.
                false => self.bake_one(draft, wanted)?,
            });
        }
        if let Some(one_more) = given.next() {
            let reason = format!("it is said to be fixed to `{one_more}`, which it does not need");
            return Err(SubmitError::BadPromotion { id: draft.id.clone(), reason });
        }
        self.release(draft, baked)
    }

    /// What a dependency is fixed to, if that is offered here and is what is wanted.
    fn baked_with(
        &self,
        draft: &Draft,
        wanted: &Wanted,
        given: Option<&ReleaseId>,
    ) -> Result<Baked, SubmitError> {
        let bad = |reason: String| SubmitError::BadPromotion { id: draft.id.clone(), reason };
        let given = given.ok_or_else(|| bad(format!("what `{}` is fixed to is not said", wanted.name)))?;
        let fits = given.name == wanted.name
            && wanted.range.contains(&given.version)
            && given.platform.serves(&draft.id.platform);
        if !fits {
            return Err(bad(format!("`{given}` is not what it needs of `{}`", wanted.name)));
        }
        let missing = || SubmitError::BakedMissing { id: draft.id.clone(), baked: given.clone() };
        if self.leaving.contains(given) {
            return Err(missing());
        }
        let input_digest = match self.published.releases.get(given) {
            Some(release) => release.input_digest,
            None => {
                let view = self.on.index.release(given)?.ok_or_else(missing)?;
                // What was yanked here meanwhile still serves who has it already, and this is who has it.
                if !matches!(view.standing(), Standing::Offered | Standing::Yanked) {
                    return Err(missing());
                }
                view.release.input_digest
            }
        };
        let ReleaseId { version, platform, revision, .. } = given.clone();
        Ok(Baked { version, platform, revision, input_digest })
    }
}
