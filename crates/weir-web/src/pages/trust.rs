//! Programs that are trusted by what an identity provider says of them: one's own rules, and of everybody for administrators.

use askama::Template;
use jiff::Timestamp;
use weir_policy::Verb;
use weir_wire::trust::Trust;

use super::account::{VERBS, scope};
use crate::frame::{Frame, Page, PageError};
use crate::{address, said};

/// For how many minutes a token can be good that a program gets.
const MINUTES: [u32; 4] = [5, 15, 30, 60];

/// What the page is made of.
#[derive(Debug)]
pub struct TrustPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The rules, as far as they are for whoever looks.
    pub rules: &'a [Trust],
    /// The registries they may see.
    pub registries: &'a [String],
    /// The identity providers that the server believes.
    pub issuers: &'a [String],
    /// For whom the identity tokens of jobs are to be: the address of the server.
    pub audience: &'a str,
    /// Now.
    pub now: Timestamp,
}

#[derive(Template)]
#[template(path = "trust.html")]
struct Trusted<'a> {
    frame: &'a Frame,
    rows: Vec<Row>,
    registries: &'a [String],
    issuers: &'a [String],
    audience: &'a str,
    verbs: Vec<(&'static str, bool)>,
    minutes: [u32; 4],
    add: &'static str,
    remove: &'static str,
}

struct Row {
    id: String,
    issuer: String,
    claims: Vec<String>,
    may: String,
    by: String,
    used: String,
}

impl TrustPage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        Page::write(&Trusted {
            frame: self.frame,
            rows: self.rules.iter().map(|rule| self.row(rule)).collect(),
            registries: self.registries,
            issuers: self.issuers,
            audience: self.audience,
            verbs: VERBS.iter().map(|verb| (verb.as_str(), *verb == Verb::Publish)).collect(),
            minutes: MINUTES,
            add: address::ADD_TRUST,
            remove: address::REMOVE_TRUST,
        })
    }

    fn row(&self, rule: &Trust) -> Row {
        Row {
            id: rule.id.clone(),
            issuer: said::line(&rule.issuer),
            claims: rule.claims.iter().map(|(name, value)| said::line(&format!("{name}={value}"))).collect(),
            may: format!(
                "{} at {}, for {} minutes",
                scope(&rule.scope),
                said::line(&rule.registry),
                rule.minutes
            ),
            by: rule.by.to_string(),
            used: rule.used.map_or_else(|| "never".to_owned(), |at| said::ago(at, self.now)),
        }
    }
}
