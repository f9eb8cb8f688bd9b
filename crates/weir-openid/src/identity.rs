//! What an identity token says of somebody, once it is believed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use weir_model::Sha256;

use crate::issuer::Issuer;

/// The most claims that are kept of a token.
const MOST_CLAIMS: usize = 64;

/// The longest claim that is kept, in bytes.
const LONGEST_CLAIM: usize = 1024;

/// The most texts of a claim that are several.
const MOST_LISTED: usize = 1000;

/// The longest subject, in bytes (OpenID Connect Core, section 2).
pub(crate) const LONGEST_SUBJECT: usize = 255;

/// What a token must be.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'e> {
    /// Whom it must be meant for: any of these.
    pub audiences: &'e [String],
    /// What it must repeat, where it was asked for with that.
    pub nonce: Option<&'e str>,
}

/// Who somebody is: what a provider says of them, in a token that was verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// Who says it.
    pub issuer: Issuer,
    /// What that calls them. No other of the issuer is ever called so.
    pub subject: String,
    /// Until when the token is good, in seconds since 1970.
    pub expires: i64,
    /// What tells this token from every other: each is to be taken once.
    pub token: Sha256,
    claims: Map<String, Value>,
}

/// What is read of a token.
#[derive(Debug, Deserialize)]
pub(crate) struct Claims {
    sub: String,
    exp: i64,
    #[serde(default)]
    jti: Option<String>,
    #[serde(default)]
    pub(crate) iat: Option<i64>,
    #[serde(default)]
    pub(crate) nonce: Option<String>,
    #[serde(default)]
    pub(crate) azp: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl Claims {
    pub(crate) fn expires(&self) -> i64 {
        self.exp
    }

    /// Whether it is meant for several.
    pub(crate) fn has_several_audiences(&self) -> bool {
        self.others.get("aud").and_then(Value::as_array).is_some_and(|several| several.len() > 1)
    }

    /// Whether the subject is one that can be written down.
    pub(crate) fn has_subject(&self) -> bool {
        let plain = !self.sub.chars().any(char::is_control) && self.sub.trim() == self.sub;
        !self.sub.is_empty() && self.sub.len() <= LONGEST_SUBJECT && plain
    }

    /// As what `issuer` says in the text `token`.
    pub(crate) fn said_by(self, issuer: Issuer, token: &str) -> Identity {
        // A provider that numbers its tokens may sign one twice; of the others the text is what there is.
        let told_by = self.jti.as_deref().unwrap_or(token);
        let token = Sha256::of(format!("{issuer}\n{told_by}").as_bytes());
        let mut claims: Map<String, Value> = self.others.into_iter().take(MOST_CLAIMS).collect();
        claims.insert("sub".to_owned(), self.sub.clone().into());
        Identity { issuer, subject: self.sub, expires: self.exp, token, claims }
    }
}

impl Identity {
    /// What is said of them under `name` in one text, a number or a yes or no.
    pub fn claim(&self, name: &str) -> Option<String> {
        self.claims.get(name).and_then(text).filter(|text| text.len() <= LONGEST_CLAIM)
    }

    /// The same, where the provider says more of them elsewhere. What it said in the token stands.
    pub(crate) fn with(mut self, more: Map<String, Value>) -> Self {
        for (name, value) in more.into_iter().take(MOST_CLAIMS) {
            self.claims.entry(name).or_insert(value);
        }
        self
    }

    /// Whether anything is said under a name.
    pub(crate) fn says(&self, name: &str) -> bool {
        self.claims.contains_key(name)
    }

    /// What is said of them in one text each: a number and a yes or no as JSON writes it. Lists and tables are not among them.
    pub fn claims(&self) -> BTreeMap<String, String> {
        self.claims
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
            .filter(|(name, value)| name.len() + value.len() <= LONGEST_CLAIM)
            .collect()
    }

    /// What is said of them under `name` in several texts: the groups they are in, say. One text is a list of one.
    pub fn list(&self, name: &str) -> Vec<String> {
        match self.claims.get(name) {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(values)) => {
                values.iter().filter_map(Value::as_str).take(MOST_LISTED).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}
