//! What a record of a log is to those who are told of it.

use weir_model::{Action, Record, WithdrawalVerb};
use weir_wire::webhooks::{WebhookData, WebhookEvent, WebhookMessage};

/// So many names are told of what is about many; the first of them.
pub const MOST_NAMED: usize = 20;

/// The longest reason that is told, in characters.
const LONGEST_REASON: usize = 500;

/// What is told of the entry `index` in the log of `registry`; nothing of what only moves a cursor.
pub fn told(registry: &str, index: u64, record: Record) -> Option<WebhookMessage> {
    let Record { at, by, action, .. } = record;
    let data = WebhookData {
        registry: Some(registry.to_owned()),
        index: Some(index),
        by: Some(by),
        ..WebhookData::default()
    };
    let (event, data) = match action {
        Action::Publish { release } => {
            (WebhookEvent::ReleasePublished, WebhookData { release: Some(release.id()), ..data })
        }
        Action::Promote { release, from } => {
            let from = Some(from.registry_name().to_owned());
            (WebhookEvent::ReleasePromoted, WebhookData { release: Some(release.id()), from, ..data })
        }
        Action::Admit { release, from } => {
            let from = Some(from.registry_name().to_owned());
            (WebhookEvent::ReleaseAdmitted, WebhookData { release: Some(release.id()), from, ..data })
        }
        Action::Hold(hold) => {
            let held = WebhookData {
                release: Some(hold.id),
                from: Some(hold.registry),
                policy: Some(hold.policy),
                reason: Some(hold.reason),
                until: hold.until,
                ..data
            };
            (WebhookEvent::ReleaseHeld, held)
        }
        Action::Withdraw(withdrawal) => {
            let advisory = withdrawal.advisory.and_then(|id| id.parse().ok());
            let withdrawn = WebhookData {
                release: Some(withdrawal.id),
                reason: withdrawal.reason,
                from: withdrawal.from,
                advisory,
                ..data
            };
            (withdrawn_as(withdrawal.verb), withdrawn)
        }
        Action::Adopt(adoption) => {
            let event =
                if adoption.back { WebhookEvent::PackageReturned } else { WebhookEvent::PackageAdopted };
            (event, WebhookData { package: Some(adoption.name), ..data })
        }
        Action::Claim { owner, who } => {
            let belongs_to = who.into_iter().take(MOST_NAMED).collect();
            (WebhookEvent::OwnerClaimed, WebhookData { owner: Some(owner), belongs_to, ..data })
        }
        Action::Advise(advice) => {
            let affected = advice.advisory.affected.into_iter().map(|affected| affected.name);
            let known = WebhookData {
                advisory: Some(advice.advisory.id),
                severity: advice.advisory.severity,
                reason: advice.advisory.summary,
                affects: affected.take(MOST_NAMED).collect(),
                from: advice.from,
                ..data
            };
            (WebhookEvent::AdvisoryKnown, known)
        }
        Action::Dismiss(dismissal) => {
            let dismissed = WebhookData {
                advisory: Some(dismissal.id),
                reason: dismissal.reason,
                from: dismissal.from,
                ..data
            };
            (WebhookEvent::AdvisoryDismissed, dismissed)
        }
        Action::Policy { digest } => {
            (WebhookEvent::PolicyChanged, WebhookData { policy: Some(digest.to_string()), ..data })
        }
        Action::Describe(_) | Action::Quota(_) | Action::Retain(_) => (WebhookEvent::RegistryChanged, data),
        // What is let go is told when it comes in, and else is withdrawn, which is told where it is offered.
        Action::Upstream { .. } | Action::Unhold(_) => return None,
    };
    Some(message(event, at, data))
}

const fn withdrawn_as(verb: WithdrawalVerb) -> WebhookEvent {
    match verb {
        WithdrawalVerb::Yank => WebhookEvent::ReleaseYanked,
        WithdrawalVerb::Unyank => WebhookEvent::ReleaseUnyanked,
        WithdrawalVerb::Quarantine => WebhookEvent::ReleaseQuarantined,
        WithdrawalVerb::Unquarantine => WebhookEvent::ReleaseUnquarantined,
        WithdrawalVerb::Remove => WebhookEvent::ReleaseRemoved,
    }
}

/// A message, of which what somebody wrote is cut where it is long.
pub fn message(event: WebhookEvent, at: jiff::Timestamp, data: WebhookData) -> WebhookMessage {
    let reason = data.reason.map(|reason| reason.chars().take(LONGEST_REASON).collect());
    WebhookMessage { r#type: event, timestamp: at, data: WebhookData { reason, ..data } }
}
