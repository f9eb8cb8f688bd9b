//! The people of a server, and the tokens that speak for them, as the API tells of them.

use std::collections::BTreeSet;

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use weir_model::KindName;
use weir_policy::{Principal, TokenScope};

use crate::names::{ADMINISTRATORS, AccountName};
use crate::trust::Workload;

/// A user of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct User {
    /// Its name.
    pub name: AccountName,
    /// The groups it is in.
    pub groups: BTreeSet<AccountName>,
    /// Those of them that only an identity provider says: they are what it says whenever somebody signs in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub claimed: BTreeSet<AccountName>,
    /// Since when there is such a user.
    pub created: Timestamp,
    /// Whether it may no longer sign in, nor be spoken for by a token.
    pub disabled: bool,
}

impl User {
    /// Whether it governs the server.
    pub fn is_administrator(&self) -> bool {
        !self.disabled && self.groups.iter().any(|group| group.as_str() == ADMINISTRATORS)
    }

    /// Who it is to a policy.
    pub fn principal(&self) -> Principal {
        let groups = self.groups.iter().map(ToString::to_string).collect();
        Principal::User { name: self.name.to_string(), groups }
    }
}

/// An account of an identity provider by which somebody signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LinkedIdentity {
    /// The provider.
    pub issuer: String,
    /// What it calls them.
    pub subject: String,
    /// Since when.
    pub since: Timestamp,
    /// When they last signed in by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
}

/// A token that is to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewToken {
    /// What its owner calls it: not `current`, which is the token that asks.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// What it may do.
    #[serde(default)]
    pub scope: TokenScope,
    /// The registries it may speak to, by the names they are served under; any, if none is named.
    #[serde(default)]
    pub registries: BTreeSet<String>,
    /// The networks it may be used from; any, if none is named.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub networks: Vec<IpNet>,
    /// Until when it is good: a time, or `never` where it is to have no end. For 90 days, if nothing is said.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub expires: TokenEnd,
}

/// The fewest characters that a password may have.
pub const MIN_PASSWORD: usize = 10;

/// The most characters that a password may have.
pub const MAX_PASSWORD: usize = 1024;

/// For how many days a token is good of which nothing else is said.
pub const USUAL_TOKEN_DAYS: u32 = 90;

/// Until when a token is to be good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Option<String>", into = "Option<String>")]
pub enum TokenEnd {
    /// For [`USUAL_TOKEN_DAYS`].
    #[default]
    Usual,
    /// Until it is revoked.
    Never,
    /// Until then.
    At(Timestamp),
}

impl TokenEnd {
    /// What a token has no end by, as it is written.
    const NEVER: &str = "never";

    /// When that is, of a token that is made `now`.
    pub fn of(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::At(at) => Some(at),
            Self::Usual => Some(Self::days_after(now, USUAL_TOKEN_DAYS)),
        }
    }

    /// So many days after a time.
    pub fn days_after(now: Timestamp, days: u32) -> Timestamp {
        now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX)
    }
}

impl TryFrom<Option<String>> for TokenEnd {
    type Error = jiff::Error;

    fn try_from(text: Option<String>) -> Result<Self, jiff::Error> {
        match text.as_deref() {
            None => Ok(Self::Usual),
            Some(Self::NEVER) => Ok(Self::Never),
            Some(text) => text.parse().map(Self::At),
        }
    }
}

impl From<TokenEnd> for Option<String> {
    fn from(end: TokenEnd) -> Self {
        match end {
            TokenEnd::Usual => None,
            TokenEnd::Never => Some(TokenEnd::NEVER.to_owned()),
            TokenEnd::At(at) => Some(at.to_string()),
        }
    }
}

/// A token, as its owner may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Token {
    /// What it is known by; not the secret.
    pub id: String,
    /// For whom it speaks.
    pub owner: AccountName,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scope: TokenScope,
    /// The registries it may speak to; any, if none is named.
    pub registries: BTreeSet<String>,
    /// The networks it may be used from; any, if none is named.
    #[schemars(with = "Vec<String>")]
    pub networks: Vec<IpNet>,
    /// When it was made.
    pub created: Timestamp,
    /// Until when it is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Whether it stands for its owner having signed in: only by one of these are accounts and tokens looked after.
    pub login: bool,
    /// When it was last used, to the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
}

/// Who wants to sign in.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignIn {
    /// Their name.
    pub name: String,
    /// Their password.
    pub password: String,
    /// What their machine calls itself.
    #[serde(default)]
    pub machine: String,
}

/// Who was invited.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Accept {
    /// The invitation.
    pub invitation: String,
    /// The name they choose, where the invitation is for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<AccountName>,
    /// The password they choose.
    #[schemars(length(min = MIN_PASSWORD, max = MAX_PASSWORD))]
    pub password: String,
    /// What their machine calls itself.
    #[serde(default)]
    pub machine: String,
}

/// Who signed in, and the token that says so.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// The token.
    pub token: String,
    /// Until when it is good.
    pub expires: Timestamp,
}

/// Who asks, and by which token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "it is answered once, and kept by nobody")]
pub enum WhoAmI {
    /// A user.
    User {
        /// Who.
        user: User,
        /// The token that speaks for them.
        token: Token,
    },
    /// A program that is trusted by what an identity provider says of it.
    Workload {
        /// Which.
        workload: Workload,
    },
}

impl WhoAmI {
    /// Who it is to a policy, where no registry is spoken of.
    pub fn principal(&self) -> Principal {
        match self {
            Self::User { user, .. } => user.principal(),
            Self::Workload { workload } => workload.principal(None),
        }
    }
}

/// Somebody who is to be invited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Invite {
    /// The name they get.
    pub name: AccountName,
    /// The groups they will be in.
    #[serde(default)]
    pub groups: BTreeSet<AccountName>,
    /// Whether it is somebody who was removed, and gets back the name that stands for them in logs and policies.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub returning: bool,
    /// Whether it is for a user who is there already: they choose another password, and stay in the groups they are in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Invited {
    /// For whom it is.
    pub name: AccountName,
    /// What they show.
    pub invitation: String,
    /// Until when it is good.
    pub expires: Timestamp,
    /// Whether they are a user already, who chooses another password by it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// An invitation that nobody has accepted yet: not what whoever is invited shows, which is told once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PendingInvitation {
    /// What it is known by.
    pub id: String,
    /// For whom it is; nothing where they choose a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<AccountName>,
    /// The groups they will be in; none where they are in some already.
    pub groups: BTreeSet<AccountName>,
    /// Until when it is good.
    pub expires: Timestamp,
    /// Whether they are a user already, who chooses another password by it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// What becomes of a user: what is not said stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChangeUser {
    /// The groups it is in from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<BTreeSet<AccountName>>,
    /// Whether it may no longer sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// A token that was made, with what is shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MadeToken {
    /// The token.
    pub token: Token,
    /// What whoever uses it sends.
    pub secret: String,
}

/// A registry that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WantedRegistry {
    /// The name that it is served under, and that its log has.
    #[schemars(extend("pattern" = "^[a-z][a-z0-9-]{0,63}$"))]
    pub name: String,
    /// Whether it promises a closed world.
    #[serde(default)]
    pub closed: bool,
    /// The kinds of package it takes; all where none is named.
    #[serde(default)]
    pub kinds: Vec<KindName>,
    /// For how many seconds a checkpoint is valid, if not for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<u64>,
    /// The built-in policy set that it goes by: `team` where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}
