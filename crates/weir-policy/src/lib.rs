//! Decisions with reasons: the one gate that every read and every write passes.
//!
//! Whoever acts on a registry first asks its [`Gate`]; the answer is an [`Authorized`] value, which
//! nothing but [`authorize`] can make, and without which the acting functions cannot be called.
//! A refusal names the policy that decided and why. So does a permission.
//!
//! Who acts, and when, is one value, the [`Caller`], which is made by whoever authenticated them and by nobody else: what
//! a request says of itself is not asked.
//!
//! A folder without a server knows nobody's identity beyond what the file system enforces, so its
//! built-in set, [`FolderGate`], protects against mistakes: it holds that an owner's packages are
//! published by the people the owner belongs to.

mod caller;
mod facts;
mod folder;
mod token;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weir_model::unseen::Named as _;
use weir_model::{OwnerName, ReleaseId, Sha256, WithdrawalVerb};

pub use caller::{Caller, Principal};
pub use facts::{ReleaseFacts, has_provenance};
pub use folder::FolderGate;
pub use token::{Named, TokenScope};

/// What somebody wants to do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// See the index, or get content.
    Read,
    /// Bring content that a release is to name.
    Upload,
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
    /// Take out of the storage what need not be there.
    Collect,
    /// Change what the registry says of itself, such as its keys, or sign it anew.
    Describe,
    /// Say what is known against versions of packages, or that it counts no more.
    Advise,
    /// Change the policies in force.
    Govern,
    /// Offer a release of a registry above.
    Admit,
    /// Bring a release of this registry up into another.
    Promote,
    /// Approve that somebody else promotes a release into this registry.
    Approve,
}

impl Verb {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 14] = [
        Self::Read,
        Self::Upload,
        Self::Publish,
        Self::Yank,
        Self::Quarantine,
        Self::Remove,
        Self::Claim,
        Self::Collect,
        Self::Describe,
        Self::Advise,
        Self::Govern,
        Self::Admit,
        Self::Promote,
        Self::Approve,
    ];

    /// The word for it, in policies, tokens and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Upload => "upload",
            Self::Publish => "publish",
            Self::Yank => "yank",
            Self::Quarantine => "quarantine",
            Self::Remove => "remove",
            Self::Claim => "claim",
            Self::Collect => "collect",
            Self::Describe => "describe",
            Self::Advise => "advise",
            Self::Govern => "govern",
            Self::Admit => "admit",
            Self::Promote => "promote",
            Self::Approve => "approve",
        }
    }
}

/// What an action is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoneTo {
    /// The registry as a whole.
    Registry,
    /// Everything of an owner.
    Owner,
    /// One release.
    Release,
}

impl Verb {
    /// What it is done to.
    pub const fn is_done_to(self) -> DoneTo {
        match self {
            Self::Read | Self::Upload | Self::Collect | Self::Describe | Self::Advise | Self::Govern => {
                DoneTo::Registry
            }
            Self::Claim => DoneTo::Owner,
            Self::Publish
            | Self::Yank
            | Self::Quarantine
            | Self::Remove
            | Self::Admit
            | Self::Promote
            | Self::Approve => DoneTo::Release,
        }
    }
}

impl FromStr for Verb {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == word).ok_or_else(|| {
            let words: Vec<&str> = Self::ALL.into_iter().map(Self::as_str).collect();
            format!("no action is called `{}`: there are {}", word.named(), words.join(", "))
        })
    }
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

impl Target {
    /// The owner whose it is; nobody's is the registry as a whole.
    pub fn owner(&self) -> Option<OwnerName> {
        match self {
            Self::Registry => None,
            Self::Owner(owner) => Some(owner.clone()),
            Self::Release(id) => Some(id.name.owner_name()),
        }
    }
}

/// Who wants to do what to what, with the facts a policy may ask for.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Who, and when.
    pub caller: &'a Caller,
    /// What.
    pub verb: Verb,
    /// To what.
    pub target: Target,
    /// To whom the target's owner belongs; absent while nobody has claimed it.
    pub owner_belongs_to: Option<Vec<String>>,
    /// What the target is, where it is a release.
    pub release: Option<ReleaseFacts<'a>>,
}

impl<'a> Request<'a> {
    /// To do something to the registry as a whole.
    pub fn of_registry(caller: &'a Caller, verb: Verb) -> Self {
        Self { caller, verb, target: Target::Registry, owner_belongs_to: None, release: None }
    }
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Whether it may be done.
    pub allowed: bool,
    /// The policy that decided.
    pub policy: Cow<'static, str>,
    /// Why.
    pub reason: String,
}

/// Decides. Implementations hold the policies in force.
pub trait Gate: Send + Sync {
    /// The decision on `request`: never an error, for what cannot be decided is refused.
    fn decide(&self, request: &Request<'_>) -> Decision;

    /// Whether `request` is permitted, as [`decide`](Self::decide) says, and nothing of why: to find out what came nearest can take
    /// far longer than the answer.
    fn permits(&self, request: &Request<'_>) -> bool {
        self.decide(request).allowed
    }

    /// Whether a request that is refused is so for want of approvals only: with those that the rules ask for it would be permitted.
    fn wants_approvals(&self, _: &Request<'_>) -> bool {
        false
    }

    /// Whether a rule forbids what is asked for, so that it is kept out whoever asks. Else a refusal is about who asks: somebody else
    /// may be permitted it.
    fn forbids(&self, request: &Request<'_>) -> bool {
        let _ = request;
        false
    }

    /// Told, before a change is decided on, which set the log says is in force: from here on it decides by that set. The
    /// registrar asks it in its turn, so no change is decided on by a set that is in force no more.
    ///
    /// # Errors
    ///
    /// When it has another set, or knows none. Nothing is to be changed then.
    fn follow(&self, in_force: Option<&Sha256>) -> Result<(), OtherPolicies> {
        in_force.map_or(Ok(()), |digest| {
            let reason = "this program decides by its own policies here".into();
            Err(OtherPolicies { in_force: Some(*digest), found: None, reason })
        })
    }
}

/// The set that a gate decides by is not the one that the log says is in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} is in force by the registry's log, and {} in its folder: {reason}",
    in_force.map_or_else(|| "no policy set".to_owned(), |digest| format!("the policy set {}", digest.short())),
    found.map_or_else(|| "there is none".to_owned(), |digest| format!("there is {}", digest.short()))
)]
pub struct OtherPolicies {
    /// The digest of the set in force.
    pub in_force: Option<Sha256>,
    /// The digest of the set that was found.
    pub found: Option<Sha256>,
    /// What that means.
    pub reason: String,
}

/// The proof that the gate was asked and agreed. Only [`authorize`] makes one.
#[derive(Debug, Clone)]
pub struct Authorized {
    caller: Caller,
    verb: Verb,
    target: Target,
    decision: Decision,
}

/// The gate was asked and did not agree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{actor}` may not {verb} {target}: {} (policy `{}`)", decision.reason, decision.policy)]
pub struct Denied {
    /// Who asked.
    pub actor: String,
    /// To do what.
    pub verb: Verb,
    /// To what.
    pub target: Box<Target>,
    /// What was answered.
    pub decision: Decision,
}

/// The rule by which a program does not begin an owner.
const BEGINS_NO_OWNER: &str = "program-begins-no-owner";

/// Asks whether `request` may be carried out: first the token that speaks for the caller, if one does, then `gate`.
///
/// # Errors
///
/// When it may not.
pub fn authorize(gate: &dyn Gate, request: Request<'_>) -> Result<Authorized, Denied> {
    let decision = refused_by_token(&request).unwrap_or_else(|| gate.decide(&request));
    let Request { caller, verb, target, .. } = request;
    if decision.allowed {
        Ok(Authorized { caller: caller.clone(), verb, target, decision })
    } else {
        Err(Denied { actor: caller.actor().to_owned(), verb, target: Box::new(target), decision })
    }
}

/// Whether [`authorize`] permits `request`, and nothing of why.
pub fn is_permitted(gate: &dyn Gate, request: &Request<'_>) -> bool {
    refused_by_token(request).is_none() && gate.permits(request)
}

/// Whether `request`, which [`authorize`] refuses, is refused for want of approvals only.
pub fn wants_approvals(gate: &dyn Gate, request: &Request<'_>) -> bool {
    refused_by_token(request).is_none() && gate.wants_approvals(request)
}

/// What the token that speaks for the caller refuses, whatever a gate would say.
fn refused_by_token(request: &Request<'_>) -> Option<Decision> {
    request.caller.token()?.refuses(request)
}

impl Authorized {
    /// Who may do it.
    pub fn actor(&self) -> &str {
        self.caller.actor()
    }

    /// To whom an owner belongs that they begin by publishing under it: to them.
    ///
    /// # Errors
    ///
    /// When a program acts. Whoever says first that they trust a job of somebody else would have what that publishes first.
    pub fn begins(&self, owner: &OwnerName) -> Result<String, Denied> {
        let Principal::Workload { acts_for, .. } = self.caller.principal() else {
            return Ok(self.actor().to_owned());
        };
        let whose = acts_for.iter().find(|who| who.starts_with("user:")).map_or("user:NAME", String::as_str);
        Err(Denied {
            actor: self.actor().to_owned(),
            verb: self.verb,
            target: Box::new(self.target.clone()),
            decision: Decision {
                allowed: false,
                policy: BEGINS_NO_OWNER.into(),
                reason: format!(
                    "`{owner}` belongs to nobody yet, and a program does not begin an owner: whoever it is to belong to says so once, with `weir claim {owner} {whose}`"
                ),
            },
        })
    }

    /// When they asked.
    pub fn at(&self) -> Timestamp {
        self.caller.at()
    }

    /// What they may do.
    pub fn verb(&self) -> Verb {
        self.verb
    }

    /// To what.
    pub fn target(&self) -> &Target {
        &self.target
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
            Self::Upload => "upload to",
            Self::Publish => "publish",
            Self::Yank => "yank or unyank",
            Self::Quarantine => "quarantine or unquarantine",
            Self::Remove => "remove",
            Self::Claim => "claim",
            Self::Collect => "collect the content of",
            Self::Describe => "describe or sign",
            Self::Advise => "change the advisories of",
            Self::Govern => "change the policies of",
            Self::Admit => "admit",
            Self::Promote => "promote",
            Self::Approve => "approve the promotion of",
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
