//! Decisions with reasons: the one gate that every read and every write passes.
//!
//! Whoever acts on a registry first asks its [`Gate`]; the answer is an [`Authorized`] value, which
//! nothing but [`authorize`] can make, and without which the acting functions cannot be called.
//! A refusal names the policy that decided and why. So does a permission.
//!
//! A folder without a server knows nobody's identity beyond what the file system enforces, so its
//! built-in set, [`FolderGate`], protects against mistakes: it holds that an owner's packages are
//! published by the people the owner belongs to.

mod folder;

use std::fmt;

use serde::Serialize;
use weir_model::{OwnerName, ReleaseId, WithdrawalVerb};

pub use folder::FolderGate;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// See the index, or get content.
    Read,
    /// Offer a new release.
    Publish,
    /// Have new resolutions avoid a release, or take that back.
    Yank,
    /// Withdraw a release for everyone, or take that back.
    Quarantine,
    /// Take a release out of the view.
    Remove,
    /// Say to whom an owner belongs.
    Claim,
    /// Change what the registry says of itself, such as its keys.
    Describe,
}

impl From<WithdrawalVerb> for Verb {
    fn from(verb: WithdrawalVerb) -> Self {
        match verb {
            WithdrawalVerb::Yank | WithdrawalVerb::Unyank => Self::Yank,
            WithdrawalVerb::Quarantine | WithdrawalVerb::Unquarantine => Self::Quarantine,
            WithdrawalVerb::Remove => Self::Remove,
        }
    }
}

/// What it is to be done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// The registry as a whole.
    Registry,
    /// Everything of an owner.
    Owner(OwnerName),
    /// One release.
    Release(ReleaseId),
}

/// Who wants to do what to what, with the facts a policy may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Who, such as `user:ann`.
    pub actor: String,
    /// What.
    pub verb: Verb,
    /// To what.
    pub target: Target,
    /// To whom the target's owner belongs; absent while nobody has claimed it.
    pub owner_belongs_to: Option<Vec<String>>,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Whether it may be done.
    pub allowed: bool,
    /// The policy that decided.
    pub policy: &'static str,
    /// Why.
    pub reason: String,
}

/// Decides. Implementations hold the policies in force.
pub trait Gate: Send + Sync {
    /// The decision on `request`: never an error, for what cannot be decided is refused.
    fn decide(&self, request: &Request) -> Decision;
}

/// The proof that the gate was asked and agreed. Only [`authorize`] makes one.
#[derive(Debug)]
pub struct Authorized {
    request: Request,
    decision: Decision,
}

/// The gate was asked and did not agree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` may not {} {}: {} (policy `{}`)", request.actor, request.verb, request.target, decision.reason, decision.policy)]
pub struct Refusal {
    /// What was asked.
    pub request: Box<Request>,
    /// What was answered.
    pub decision: Decision,
}

/// Asks `gate` whether `request` may be carried out.
///
/// # Errors
///
/// When it may not.
pub fn authorize(gate: &dyn Gate, request: Request) -> Result<Authorized, Refusal> {
    let decision = gate.decide(&request);
    if decision.allowed {
        Ok(Authorized { request, decision })
    } else {
        Err(Refusal { request: Box::new(request), decision })
    }
}

impl Authorized {
    /// What was permitted.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Why it was permitted.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Publish => "publish",
            Self::Yank => "yank or unyank",
            Self::Quarantine => "quarantine or unquarantine",
            Self::Remove => "remove",
            Self::Claim => "claim",
            Self::Describe => "describe",
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry => f.write_str("the registry"),
            Self::Owner(owner) => write!(f, "the owner `{owner}`"),
            Self::Release(id) => write!(f, "`{id}`"),
        }
    }
}
