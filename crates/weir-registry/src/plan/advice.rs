//! Advisories: one is known from now on as it says now, or counts no more.

use weir_model::Action;
use weir_model::advisory::{Advisory, AdvisoryId};
use weir_model::record::{Advice, Dismissal};
use weir_policy::{Authorized, Request, Verb, authorize};
use weir_wire::Done;

use super::Planning;
use crate::error::SubmitError;

impl Planning<'_> {
    /// Takes in an advisory. What came from above is this registry's own from now on.
    pub(super) fn advise(&mut self, advisory: &Advisory) -> Result<(), SubmitError> {
        let permit = self.may_advise()?;
        let known = self.on.index.advisory(&advisory.id)?;
        let is_so = known
            .iter()
            .any(|known| known.dismissed.is_none() && known.from.is_none() && known.advisory == *advisory);
        self.done(advisory.id.to_string(), if is_so { Done::Already } else { Done::Advised }, &permit);
        if is_so {
            return Ok(());
        }
        if !self.on.uploaded.file(&advisory.document)? {
            let (id, document) = (advisory.id.clone(), advisory.document);
            return Err(SubmitError::AdvisoryNotUploaded { id, document });
        }
        self.documents.push(advisory.document);
        let advice = Box::new(Advice { advisory: advisory.clone(), from: None });
        self.record(&permit, Action::Advise(advice))
    }

    /// Has an advisory count no more, wherever it came from.
    pub(super) fn dismiss(&mut self, id: &AdvisoryId, reason: Option<&str>) -> Result<(), SubmitError> {
        let permit = self.may_advise()?;
        let known = self.on.index.advisory(id)?;
        if known.is_empty() {
            return Err(SubmitError::UnknownAdvisory { id: id.clone() });
        }
        // What a registry above dismissed it may tell again: whoever dismisses it here decides that.
        let is_so = known
            .iter()
            .all(|known| known.dismissed.as_ref().is_some_and(|dismissed| dismissed.from.is_none()));
        self.done(id.to_string(), if is_so { Done::Already } else { Done::Dismissed }, &permit);
        if is_so {
            return Ok(());
        }
        let reason = reason.map(str::to_owned);
        self.record(&permit, Action::Dismiss(Dismissal { id: id.clone(), reason, from: None }))
    }

    fn may_advise(&self) -> Result<Authorized, SubmitError> {
        Ok(authorize(self.on.gate, Request::of_registry(self.on.caller, Verb::Advise))?)
    }
}
