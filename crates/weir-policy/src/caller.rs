//! Who acts, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;

use crate::token::TokenScope;
use weir_model::unseen::Named as _;

/// Who somebody is, as far as it was proved.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Principal {
    /// Nobody proved anything.
    Anonymous,
    /// A person, or the account that stands for one.
    User {
        /// Its name.
        name: String,
        /// The groups it belongs to.
        groups: BTreeSet<String>,
    },
    /// A program that proved by an identity token where it runs.
    Workload {
        /// Who vouches for it: the address of an OpenID provider.
        issuer: String,
        /// What that calls it.
        subject: String,
        /// What else is said of it.
        claims: BTreeMap<String, String>,
        /// For whom it acts, as owners can belong to them: `user:ann`, `group:core`. Who trusts a program lends it what they are, as far as
        /// they say; nobody where it acts for itself alone.
        #[serde(skip_serializing_if = "BTreeSet::is_empty")]
        acts_for: BTreeSet<String>,
    },
}

impl Principal {
    /// A user who is in no group.
    pub fn user(name: impl Into<String>) -> Self {
        Self::User { name: name.into(), groups: BTreeSet::new() }
    }

    /// A program that acts for itself alone.
    pub fn workload(
        issuer: impl Into<String>,
        subject: impl Into<String>,
        claims: BTreeMap<String, String>,
    ) -> Self {
        Self::Workload { issuer: issuer.into(), subject: subject.into(), claims, acts_for: BTreeSet::new() }
    }

    /// Whether an owner that belongs to `who` (`user:ann`, `group:core`) belongs to it.
    pub fn is(&self, who: &str) -> bool {
        match (self, who.split_once(':')) {
            (Self::User { groups, .. }, Some(("group", group))) => groups.contains(group),
            (Self::Workload { acts_for, .. }, _) if acts_for.contains(who) => true,
            (Self::Anonymous, _) => false,
            _ => self.to_string() == who,
        }
    }
}

impl fmt::Display for Principal {
    /// As it stands in records: `user:ann`, `workload:https://ci.example acme`. What one issuer calls somebody another may call somebody
    /// else, so a workload is not named without its issuer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::User { name, .. } => write!(f, "user:{name}"),
            Self::Workload { issuer, subject, .. } if issuer.is_empty() => write!(f, "workload:{subject}"),
            Self::Workload { issuer, subject, .. } => write!(f, "workload:{issuer} {subject}"),
        }
    }
}

impl FromStr for Principal {
    type Err = String;

    /// Reads what records say: `user:ann` is in no group then, and `workload:ISSUER SUBJECT` has no claims; of `workload:SUBJECT`
    /// nobody knows who vouches for it.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "anonymous" => Ok(Self::Anonymous),
            Some(("user", name)) if !name.is_empty() => Ok(Self::user(name)),
            Some(("workload", who)) if !who.is_empty() => {
                let named = who.split_once(' ').filter(|(issuer, _)| issuer.contains("://"));
                let (issuer, subject) = named.unwrap_or(("", who));
                Ok(Self::workload(issuer, subject, BTreeMap::new()))
            }
            _ => Err(format!("`{}` is nobody: `anonymous`, `user:NAME` or `workload:SUBJECT`", text.named())),
        }
    }
}

/// Who acts, and when: known to whoever authenticated them, who makes one of these for each thing they ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    principal: Principal,
    actor: String,
    token: Option<TokenScope>,
    at: Timestamp,
}

impl Caller {
    /// `principal` acts at `at`. The log has whole seconds: nobody reads fractions in it, and they would cost every
    /// snapshot some bytes.
    pub fn new(principal: Principal, at: Timestamp) -> Self {
        let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
        Self { actor: principal.to_string(), principal, token: None, at }
    }

    /// The same by a token, which may do no more than `scope`.
    #[must_use]
    pub fn by_token(self, scope: TokenScope) -> Self {
        Self { token: Some(scope), ..self }
    }

    /// The same at another time: for asking when something will be permitted.
    #[must_use]
    pub fn at_time(self, at: Timestamp) -> Self {
        Self { at, ..self }
    }

    /// Who.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Who, as records say it: `user:ann`.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// What the token that spoke for them may do, if one did.
    pub fn token(&self) -> Option<&TokenScope> {
        self.token.as_ref()
    }

    /// When, in whole seconds.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}
