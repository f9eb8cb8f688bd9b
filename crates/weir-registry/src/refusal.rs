//! What a registry tells those who are not on its machine: a code, a sentence, whom it is about.

use weir_wire::{Code, Refusal};

use crate::error::SubmitError;

impl SubmitError {
    /// What happened, for programs.
    pub fn code(&self) -> Code {
        match self {
            Self::Remote(refusal) => refusal.code,
            Self::Refused(_) => Code::NotPermitted,
            Self::NeedsApproval { .. } => Code::NeedsApproval,
            Self::BeyondQuota(_) => Code::BeyondQuota,
            Self::BadPromotion { .. } => Code::DraftDiffers,
            Self::BakedMissing { .. } => Code::Unsatisfiable,
            Self::AlreadyPublished { .. } => Code::AlreadyPublished,
            Self::WasRemoved { .. } => Code::WasRemoved,
            Self::OtherKind { .. } => Code::OtherKind,
            Self::KindNotTaken { .. } => Code::KindNotTaken,
            Self::Confusable { .. } => Code::Confusable,
            Self::NotUploaded { .. }
            | Self::EvidenceNotUploaded { .. }
            | Self::AdvisoryNotUploaded { .. } => Code::NotUploaded,
            Self::DraftDiffers { .. }
            | Self::AdvisoryDiffers { .. }
            | Self::OtherSize { .. }
            | Self::Facts { .. }
            | Self::BuildFacts { .. } => Code::DraftDiffers,
            Self::NoRelease { .. } | Self::NoAdvisory { .. } => Code::NotPublishable,
            Self::UnexpectedInputs { .. } => Code::UnexpectedInputs,
            Self::QuarantinedContent { .. } => Code::Quarantined,
            Self::SecondTree { .. } => Code::SecondTree,
            Self::Unsatisfiable { versions, .. } if versions.is_empty() => Code::NotFound,
            Self::Unsatisfiable { .. } => Code::Unsatisfiable,
            Self::BakedCycle { .. } => Code::BakedCycle,
            Self::Diamond { .. } => Code::Diamond,
            Self::WouldBreak { .. } => Code::WouldBreak,
            Self::UnknownPackage { .. } | Self::UnknownVersion { .. } | Self::UnknownBuild { .. } => {
                Code::NotFound
            }
            Self::Record(_)
            | Self::Fold(_)
            | Self::Nobody { .. }
            | Self::TooManyHolders { .. }
            | Self::BadWords { .. } => Code::BadRecord,
            Self::Content(error) if error.is_integrity() => Code::BadContent,
            Self::OtherTier { .. }
            | Self::ClaimedAbove { .. }
            | Self::NotAdopted { .. }
            | Self::BuiltWithOther { .. } => Code::OtherTier,
            Self::NotProven { .. } | Self::Proof(_) => Code::BadRecord,
            Self::NoUpstream { .. } => Code::NoUpstream,
            Self::UnknownUpstream { .. } | Self::UnknownAdvisory { .. } => Code::NotFound,
            Self::Busy => Code::Busy,
            Self::OtherPolicies(_)
            | Self::Content(_)
            | Self::Snapshot(_)
            | Self::Replica(_)
            | Self::Index(_)
            | Self::Write(_)
            | Self::Key(_)
            | Self::Keys(_)
            | Self::Port(_)
            | Self::Open(_)
            | Self::Unreachable(_)
            | Self::Elsewhere(_)
            | Self::Io(_) => Code::Unavailable,
        }
    }

    /// The same for somebody elsewhere. What went wrong on the registry's own machine is for its keeper's eyes: errors
    /// name files there.
    pub fn refusal(&self) -> Refusal {
        if let Self::Remote(refusal) = self {
            return refusal.clone();
        }
        let code = self.code();
        let message = match code {
            Code::Unavailable => "the registry could not do it; its keeper can see why".to_owned(),
            _ => self.to_string(),
        };
        Refusal { code, message, subject: self.subject(), policy: self.policy() }
    }

    fn policy(&self) -> Option<String> {
        match self {
            Self::Refused(denied) => Some(denied.decision.policy.clone().into_owned()),
            Self::NeedsApproval { denied } => {
                denied.first().map(|denied| denied.decision.policy.clone().into_owned())
            }
            _ => None,
        }
    }

    fn subject(&self) -> Option<String> {
        match self {
            Self::Refused(denied) => match &*denied.target {
                weir_policy::Target::Registry => None,
                weir_policy::Target::Owner(owner) => Some(owner.to_string()),
                weir_policy::Target::Release(id) => Some(id.to_string()),
            },
            Self::NeedsApproval { denied } => {
                denied.first().map(|denied| denied.target.to_string().trim_matches('`').to_owned())
            }
            Self::BadPromotion { id, .. }
            | Self::BakedMissing { id, .. }
            | Self::AlreadyPublished { id, .. }
            | Self::WasRemoved { id }
            | Self::NotUploaded { id, .. }
            | Self::EvidenceNotUploaded { id, .. }
            | Self::DraftDiffers { id, .. }
            | Self::NoRelease { id, .. }
            | Self::OtherSize { id, .. }
            | Self::BuildFacts { id, .. }
            | Self::UnexpectedInputs { id, .. }
            | Self::QuarantinedContent { id, .. }
            | Self::SecondTree { id, .. }
            | Self::Unsatisfiable { id, .. }
            | Self::Diamond { id, .. }
            | Self::NotProven { id, .. }
            | Self::BuiltWithOther { id, .. }
            | Self::WouldBreak { id, .. } => Some(id.to_string()),
            Self::ClaimedAbove { owner, .. } => Some(owner.to_string()),
            Self::KindNotTaken { id, .. } => id.as_ref().map(ToString::to_string),
            Self::OtherKind { name, .. }
            | Self::Confusable { name, .. }
            | Self::OtherTier { name, .. }
            | Self::NotAdopted { name, .. }
            | Self::UnknownPackage { name, .. }
            | Self::UnknownVersion { name, .. } => Some(name.to_string()),
            Self::UnknownBuild { wanted, .. } => Some(wanted.clone()),
            Self::NoUpstream { upstream: name, .. } | Self::UnknownUpstream { name, .. } => {
                Some(name.clone())
            }
            Self::BeyondQuota(beyond) => beyond.owner.as_ref().map(ToString::to_string),
            Self::AdvisoryNotUploaded { id, .. }
            | Self::AdvisoryDiffers { id }
            | Self::NoAdvisory { id, .. }
            | Self::UnknownAdvisory { id } => Some(id.to_string()),
            _ => None,
        }
    }
}
