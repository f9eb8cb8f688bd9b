//! The OpenID providers by which people sign in, as an administrator names them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_openid::Issuer;
use weir_wire::{ADMINISTRATORS, AccountName};

use super::SettingsError;

/// What stands for the name of a provider where settings are listed.
pub(super) const ANY_NAME: &str = "NAME";

/// The most providers.
const MOST: usize = 20;

/// The longest name of one.
const LONGEST_NAME: usize = 32;

/// What stands for every group that a provider says.
const EVERY_GROUP: &str = "*";

/// An OpenID provider by which people sign in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Provider {
    /// The address of an OpenID provider, as its tokens name it. `NAME` is what its address here is called, in small letters and digits;
    /// people are sent back to `/-/sign-in/with/NAME`.
    pub issuer: String,
    /// What the provider calls this server.
    pub client_id: String,
    /// The secret that the two have in common, if they have one.
    pub client_secret: Option<ClientSecret>,
    /// A file with that secret, and nothing else. Relative to the data folder.
    pub client_secret_file: Option<PathBuf>,
    /// What people are told that it is called.
    pub title: Option<String>,
    /// What it is asked for, besides `openid`.
    pub scopes: Vec<String>,
    /// The claim with the name that somebody has here who was not invited under one: what is before an `@` of it.
    pub name_claim: String,
    /// The claim with the groups that somebody is in.
    pub groups_claim: String,
    /// Which of these count here: `core`, or `Platform Team=core` for one that is called otherwise here. `*` stands for each that can be
    /// the name of a group, but `admins`. They are made anew whenever somebody signs in.
    pub groups: Vec<String>,
    /// Whoever has a verified e-mail address of one of these domains may come in, invited or not. Where several of `admit-…` are
    /// said, all of them must hold; where none is, only who was invited comes in.
    pub admit_domains: Vec<String>,
    /// The same of whoever is in one of these groups, as the provider calls them.
    pub admit_groups: Vec<String>,
    /// The same of whoever has one of these claims, such as `hd=acme.example`.
    pub admit_claims: Vec<String>,
}

/// The secret that a provider and this server have in common. It is not printed.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct ClientSecret(pub(crate) String);

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            client_id: String::new(),
            client_secret: None,
            client_secret_file: None,
            title: None,
            scopes: vec!["profile".to_owned(), "email".to_owned()],
            name_claim: "preferred_username".to_owned(),
            groups_claim: "groups".to_owned(),
            groups: Vec::new(),
            admit_domains: Vec::new(),
            admit_groups: Vec::new(),
            admit_claims: Vec::new(),
        }
    }
}

impl Provider {
    /// Whether there is a rule by which people may come in who were not invited.
    pub(crate) fn admits_any(&self) -> bool {
        !(self.admit_domains.is_empty() && self.admit_groups.is_empty() && self.admit_claims.is_empty())
    }

    /// What a group of the provider is called here, if it counts.
    pub(crate) fn group(&self, theirs: &str) -> Option<AccountName> {
        let named = self.groups.iter().map(|rule| rule.split_once('=').unwrap_or((rule, rule)));
        let ours = named.clone().find(|(said, _)| *said == theirs).map(|(_, ours)| ours.trim().parse().ok());
        if let Some(ours) = ours {
            return ours;
        }
        let every = self.groups.iter().any(|rule| rule == EVERY_GROUP) && theirs != ADMINISTRATORS;
        every.then(|| theirs.parse().ok()).flatten()
    }

    fn check(&self, allow_loopback: bool) -> Result<(), String> {
        Issuer::parse(&self.issuer, allow_loopback).map_err(|error| error.to_string())?;
        if self.client_id.is_empty() || self.client_id.chars().any(char::is_control) {
            return Err("`client-id` is missing: it is what the provider calls this server".to_owned());
        }
        if self.client_secret.is_some() && self.client_secret_file.is_some() {
            return Err("it has a `client-secret` and a `client-secret-file`: say one of them".to_owned());
        }
        let is_word = |text: &String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !self.scopes.iter().all(is_word) || !is_word(&self.name_claim) || !is_word(&self.groups_claim) {
            return Err("a scope, or the name of a claim, is one word".to_owned());
        }
        for rule in self.groups.iter().filter(|rule| *rule != EVERY_GROUP) {
            let (theirs, ours) = rule.split_once('=').unwrap_or((rule, rule));
            if theirs.is_empty() {
                return Err(format!("`{rule}` names no group of the provider"));
            }
            ours.trim().parse::<AccountName>().map_err(|error| error.to_string())?;
        }
        if let Some(claim) = self.admit_claims.iter().find(|claim| !claim.contains('=')) {
            return Err(format!("`{claim}` is no claim with its value, such as `hd=acme.example`"));
        }
        match self.admit_domains.iter().find(|domain| domain.contains('@') || domain.is_empty()) {
            Some(domain) => Err(format!("`{domain}` is no domain, such as `acme.example`")),
            None => Ok(()),
        }
    }
}

/// Refuses providers that cannot be meant.
pub(super) fn check(
    providers: &BTreeMap<String, Provider>,
    allow_loopback: bool,
) -> Result<(), SettingsError> {
    let unusable = |reason: String| SettingsError::Unusable { setting: "sign-in.providers", reason };
    if providers.len() > MOST {
        return Err(unusable(format!("has more than {MOST} providers")));
    }
    for (name, provider) in providers {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(plain) {
            let reason = format!(
                "has a provider `{name}`: its name is of small letters and digits, at most {LONGEST_NAME}"
            );
            return Err(unusable(reason));
        }
        provider
            .check(allow_loopback)
            .map_err(|reason| unusable(format!("has a provider `{name}` that cannot be used: {reason}")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Provider;

    #[test]
    fn only_groups_that_are_named_count_and_nobody_governs_by_a_star() {
        let of = |groups: &[&str], theirs: &str| {
            let groups = groups.iter().map(|rule| (*rule).to_owned()).collect();
            Provider { groups, ..Provider::default() }.group(theirs).map(String::from)
        };
        assert_eq!(of(&[], "core"), None);
        assert_eq!(of(&["core"], "core"), Some("core".into()));
        assert_eq!(of(&["Platform Team=core"], "Platform Team"), Some("core".into()));
        assert_eq!(of(&["Platform Team=core"], "core"), None);
        assert_eq!(of(&["*"], "qa"), Some("qa".into()));
        assert_eq!(of(&["*"], "Platform Team"), None);
        assert_eq!(of(&["*"], "admins"), None);
        assert_eq!(of(&["*", "weir-admins=admins"], "weir-admins"), Some("admins".into()));
    }
}
