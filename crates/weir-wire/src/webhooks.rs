//! Webhooks: who is told what happened on a server, what they are sent, and what came of it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weir_model::advisory::{AdvisoryId, Severity};
use weir_model::{OwnerName, PackageName, ReleaseId};

use crate::names::AccountName;
use weir_model::unseen::Named as _;

/// What a webhook is told of. Written as two words.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum WebhookEvent {
    /// A release was published.
    #[serde(rename = "release.published")]
    ReleasePublished,
    /// A release came up from a registry below.
    #[serde(rename = "release.promoted")]
    ReleasePromoted,
    /// A release came down from a registry above.
    #[serde(rename = "release.admitted")]
    ReleaseAdmitted,
    /// A release of a registry above is held by a rule.
    #[serde(rename = "release.held")]
    ReleaseHeld,
    /// New resolutions avoid a release.
    #[serde(rename = "release.yanked")]
    ReleaseYanked,
    /// They do so no longer.
    #[serde(rename = "release.unyanked")]
    ReleaseUnyanked,
    /// A release is served to nobody but curators.
    #[serde(rename = "release.quarantined")]
    ReleaseQuarantined,
    /// It is served again.
    #[serde(rename = "release.unquarantined")]
    ReleaseUnquarantined,
    /// A release was removed.
    #[serde(rename = "release.removed")]
    ReleaseRemoved,
    /// A package that came from above is kept here from now on.
    #[serde(rename = "package.adopted")]
    PackageAdopted,
    /// Such a package comes from above again.
    #[serde(rename = "package.returned")]
    PackageReturned,
    /// An owner belongs to somebody.
    #[serde(rename = "owner.claimed")]
    OwnerClaimed,
    /// An advisory is known, or says something else than before.
    #[serde(rename = "advisory.known")]
    AdvisoryKnown,
    /// An advisory counts no more.
    #[serde(rename = "advisory.dismissed")]
    AdvisoryDismissed,
    /// A promotion waits for approvals.
    #[serde(rename = "promotion.requested")]
    PromotionRequested,
    /// Somebody approved one that waits; what was carried out is told as `release.promoted`.
    #[serde(rename = "promotion.approved")]
    PromotionApproved,
    /// One that waited was taken back, or turned down.
    #[serde(rename = "promotion.withdrawn")]
    PromotionWithdrawn,
    /// Another policy set is in force.
    #[serde(rename = "policy.changed")]
    PolicyChanged,
    /// What a registry says of itself changed: its keys, what it takes, the registries above it, its quotas, what it keeps.
    #[serde(rename = "registry.changed")]
    RegistryChanged,
    /// Somebody tries whether the receiver is reached.
    #[serde(rename = "webhook.ping")]
    Ping,
}

impl WebhookEvent {
    /// All of them, and what each says.
    pub const ALL: [(Self, &'static str, &'static str); 20] = [
        (Self::ReleasePublished, "release.published", "a release was published"),
        (Self::ReleasePromoted, "release.promoted", "a release came up from a registry below"),
        (Self::ReleaseAdmitted, "release.admitted", "a release came down from a registry above"),
        (Self::ReleaseHeld, "release.held", "a rule holds a release of a registry above"),
        (Self::ReleaseYanked, "release.yanked", "new resolutions avoid a release"),
        (Self::ReleaseUnyanked, "release.unyanked", "they do so no longer"),
        (Self::ReleaseQuarantined, "release.quarantined", "a release is served to curators only"),
        (Self::ReleaseUnquarantined, "release.unquarantined", "it is served again"),
        (Self::ReleaseRemoved, "release.removed", "a release was removed"),
        (Self::PackageAdopted, "package.adopted", "a package that came from above is kept here"),
        (Self::PackageReturned, "package.returned", "such a package comes from above again"),
        (Self::OwnerClaimed, "owner.claimed", "an owner belongs to somebody"),
        (Self::AdvisoryKnown, "advisory.known", "an advisory is known, or says something else"),
        (Self::AdvisoryDismissed, "advisory.dismissed", "an advisory counts no more"),
        (Self::PromotionRequested, "promotion.requested", "a promotion waits for approvals"),
        (Self::PromotionApproved, "promotion.approved", "somebody approved one that waits"),
        (Self::PromotionWithdrawn, "promotion.withdrawn", "one that waited was taken back or turned down"),
        (Self::PolicyChanged, "policy.changed", "another policy set is in force"),
        (Self::RegistryChanged, "registry.changed", "what a registry says of itself changed"),
        (Self::Ping, "webhook.ping", "somebody tries whether the receiver is reached"),
    ];

    /// The words for it.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(event, ..)| *event == self).map_or("", |(_, words, _)| words)
    }
}

impl fmt::Display for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for WebhookEvent {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, String> {
        let all = Self::ALL.into_iter();
        all.clone().find(|(_, known, _)| *known == words).map(|(event, ..)| event).ok_or_else(|| {
            let known: Vec<&str> = all.map(|(_, known, _)| known).collect();
            format!("`{}` is no event: there are {}", words.named(), known.join(", "))
        })
    }
}

/// A webhook that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewWebhook {
    /// What it is called on this server.
    pub name: AccountName,
    /// Where what happens is sent.
    pub url: String,
    /// What it is told of; of everything, if nothing is named.
    #[serde(default)]
    pub events: BTreeSet<WebhookEvent>,
    /// Of which registries, by the names they are served under; of all, if none is named.
    #[serde(default)]
    pub registries: BTreeSet<String>,
}

/// What is to become of a webhook. What is not said stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChangeWebhook {
    /// Where what happens is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it is told of; of everything, if nothing is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<BTreeSet<WebhookEvent>>,
    /// Of which registries; of all, if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registries: Option<BTreeSet<String>>,
    /// Whether it is told nothing for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// Whether it is to have another secret.
    #[serde(default)]
    pub new_secret: bool,
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Webhook {
    /// What it is called on this server.
    pub name: AccountName,
    /// Where what happens is sent.
    pub url: String,
    /// What it is told of; of everything, if nothing is named.
    pub events: BTreeSet<WebhookEvent>,
    /// Of which registries; of all, if none is named.
    pub registries: BTreeSet<String>,
    /// Who made it.
    pub by: String,
    /// When.
    pub created: Timestamp,
    /// How the SHA-256 of its secret begins: which one it is, and nothing of what it is.
    pub secret_digest: String,
    /// Why it is told nothing for now, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// Since when nothing was delivered that should have been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// How much waits to be delivered.
    pub waiting: u64,
    /// Of how much it was not told: since it was paused, or too much waited.
    pub missed: u64,
    /// When something was delivered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<Timestamp>,
}

/// A webhook, with its secret where that is new: it is shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MadeWebhook {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// What signs for the server: `whsec_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// What a webhook is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WebhookMessage {
    /// What happened.
    pub r#type: WebhookEvent,
    /// When.
    pub timestamp: Timestamp,
    /// To what, by whom.
    pub data: WebhookData,
}

/// What happened, in names: what is not said here is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WebhookData {
    /// The server, by its address.
    pub server: String,
    /// The registry, by the name it is served under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// The number of the entry in the log of the registry, where one says so: whoever missed something reads on in the log from the last
    /// that they know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// Who did it, such as `user:ann`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseId>,
    /// The package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageName>,
    /// The owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerName>,
    /// To whom the owner belongs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub belongs_to: Vec<String>,
    /// The advisory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisory: Option<AdvisoryId>,
    /// How bad it is, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The packages that the advisory is about, or the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affects: Vec<PackageName>,
    /// The promotion that waits, or waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<String>,
    /// What it brings up, or the first of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<ReleaseId>,
    /// The registry below or above from which it comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The rule that holds a release, or the digest of the policy set in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// When the rule would let it in, if only time has to pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why, in a person's words, or those of the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl WebhookData {
    /// What it is about, in a few words.
    pub fn about(&self) -> String {
        let named = self.release.as_ref().or(self.releases.first()).map(ToString::to_string);
        let named = named.or_else(|| self.package.as_ref().map(ToString::to_string));
        let named = named.or_else(|| self.owner.as_ref().map(ToString::to_string));
        let named = named.or_else(|| self.advisory.as_ref().map(ToString::to_string));
        named.or_else(|| self.registry.clone()).unwrap_or_default()
    }
}

/// What came of something that a webhook was to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// It is sent, or sent again, before long.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// It is not sent again.
    Failed,
}

impl DeliveryState {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// Something that a webhook was, or is to be, told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Delivery {
    /// Its id, which the receiver is told as `webhook-id`: the same however often it is sent.
    pub id: String,
    /// What is sent.
    pub message: WebhookMessage,
    /// What came of it.
    pub state: DeliveryState,
    /// Each time it was sent, the first of them first.
    pub attempts: Vec<Attempt>,
    /// When it is sent next, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
}

/// One time that something was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Attempt {
    /// When.
    pub at: Timestamp,
    /// How long that took, in milliseconds.
    pub milliseconds: u64,
    /// What the receiver answered: a status of HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why that was no delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a webhook was, or is to be, told: the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Deliveries {
    /// Each of it, as far back as it is kept.
    pub deliveries: Vec<Delivery>,
}

#[cfg(test)]
mod tests {
    use super::WebhookEvent;

    #[test]
    fn an_event_is_written_as_it_is_read() {
        for (event, words, about) in WebhookEvent::ALL {
            assert_eq!(serde_json::to_value(event).unwrap(), words);
            assert_eq!(words.parse(), Ok(event));
            assert!(!about.is_empty());
        }
        assert!("release".parse::<WebhookEvent>().unwrap_err().contains("release.published"));
    }
}
