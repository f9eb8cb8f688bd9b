//! Programs that are trusted by what an identity provider says of them, as the API tells of them.
//!
//! A job of a build server has no secret: its provider gives it an identity token, which is exchanged for a short token of the
//! server (RFC 8693). Whoever trusts a program lends it what they are themselves, for the packages, the actions and the registry
//! that they name.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weir_policy::{Principal, TokenScope};

use crate::names::AccountName;
use crate::people::User;

/// What an exchange is (RFC 8693, section 2.1).
pub const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// What is given for a token of the server: an identity token.
pub const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// The same, as those call it who know only what it is made of.
pub const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// What comes back.
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The longest that a token is good that a program gets, in minutes.
pub const LONGEST_MINUTES: u32 = 60;

/// A program that is to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewTrust {
    /// Who says which program it is: the address of an identity provider.
    pub issuer: String,
    /// What that must say of it: each claim with its value, or with what its value begins with, and a `*`.
    pub claims: BTreeMap<String, String>,
    /// The registry it may speak to, by the name it is served under.
    pub registry: String,
    /// What it may do there, and to which owners and packages; at least one is named.
    pub scope: TokenScope,
    /// For how many minutes a token is good that it gets.
    #[schemars(range(min = 1, max = LONGEST_MINUTES))]
    pub minutes: u32,
}

/// A program that is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Trust {
    /// What it is known by.
    pub id: String,
    /// Who trusts it: it acts for them.
    pub by: AccountName,
    /// Who says which program it is.
    pub issuer: String,
    /// What that must say of it.
    pub claims: BTreeMap<String, String>,
    /// The registry it may speak to.
    pub registry: String,
    /// What it may do there.
    pub scope: TokenScope,
    /// For how many minutes a token is good that it gets.
    pub minutes: u32,
    /// Since when.
    pub created: Timestamp,
    /// When it last got one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
}

/// An identity token, to be exchanged; a form, as RFC 8693 has it.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Exchange {
    /// `urn:ietf:params:oauth:grant-type:token-exchange`.
    #[schemars(extend("const" = TOKEN_EXCHANGE))]
    pub grant_type: String,
    /// The identity token.
    pub subject_token: String,
    /// `urn:ietf:params:oauth:token-type:id_token`, or `…:jwt`.
    #[schemars(extend("enum" = [ID_TOKEN, JWT]))]
    pub subject_token_type: String,
}

/// What it was exchanged for, as RFC 8693 has it.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Exchanged {
    /// The token.
    pub access_token: String,
    /// What it is: `urn:ietf:params:oauth:token-type:access_token`.
    pub issued_token_type: String,
    /// How it is sent: `Bearer`.
    pub token_type: String,
    /// For how many seconds it is good.
    pub expires_in: u64,
}

/// A program that asks, by a token that it got for an identity token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Workload {
    /// Who says which program it is.
    pub issuer: String,
    /// What that calls it.
    pub subject: String,
    /// What else it says of it.
    pub claims: BTreeMap<String, String>,
    /// Until when its token is good.
    pub expires: Timestamp,
    /// What it may, in each registry it may speak to.
    pub grants: Vec<Grant>,
}

/// What a program may in a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Grant {
    /// The registry, by the name it is served under.
    pub registry: String,
    /// Who trusts it: it acts for them.
    pub by: AccountName,
    /// What it may do.
    pub scope: TokenScope,
}

impl Workload {
    /// Who it is to a policy: for itself alone, or acting for who trusts it.
    pub fn principal(&self, acting_for: Option<&User>) -> Principal {
        let names = |user: &User| {
            let groups = user.groups.iter().map(|group| format!("group:{group}"));
            groups.chain([format!("user:{}", user.name)]).collect()
        };
        Principal::Workload {
            issuer: self.issuer.clone(),
            subject: self.subject.clone(),
            claims: self.claims.clone(),
            acts_for: acting_for.map(names).unwrap_or_default(),
        }
    }
}
