//! Signing in, and one's own account: the tokens that speak for it.

use askama::Template;
use jiff::Timestamp;
use weir_policy::{TokenScope, Verb};
use weir_wire::people::{LinkedIdentity, Token};

use crate::frame::{Frame, Page, PageError};
use crate::{address, said};

/// What a token can be made for: what programs do.
pub(crate) const VERBS: [Verb; 5] = [Verb::Read, Verb::Publish, Verb::Yank, Verb::Quarantine, Verb::Remove];

/// What signing in is made of.
#[derive(Debug)]
pub struct SignInPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// What the form brings along.
    pub form: &'a str,
    /// Where to go after that.
    pub back: &'a str,
    /// The name that was given.
    pub name: &'a str,
    /// The invitation that was given, by a link or before; empty where none was.
    pub invitation: &'a str,
    /// Whether a name and a password will do.
    pub password: bool,
    /// The identity providers by which one can sign in.
    pub providers: Vec<SignInProvider>,
    /// Why it did not work.
    pub failed: Option<&'a str>,
}

/// An identity provider by which people sign in.
#[derive(Debug, Clone)]
pub struct SignInProvider {
    /// What it is called.
    pub title: String,
    /// Where one goes to it.
    pub address: String,
}

/// An account of an identity provider by which somebody signs in.
#[derive(Debug, Clone)]
pub struct Linked {
    /// What the provider is called.
    pub title: String,
    /// What it is by itself.
    pub identity: LinkedIdentity,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    frame: &'a Frame,
    form: &'a str,
    back: &'a str,
    name: &'a str,
    invitation: &'a str,
    password: bool,
    providers: &'a [SignInProvider],
    failed: &'a str,
    action: &'static str,
}

impl SignInPage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        Page::write(&SignIn {
            frame: self.frame,
            form: self.form,
            back: self.back,
            name: self.name,
            invitation: self.invitation,
            password: self.password,
            providers: &self.providers,
            failed: self.failed.unwrap_or_default(),
            action: address::SIGN_IN,
        })
    }
}

/// What one's own account is made of.
#[derive(Debug)]
pub struct AccountPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The groups they are in.
    pub groups: Vec<String>,
    /// The accounts of identity providers by which they sign in.
    pub linked: &'a [Linked],
    /// The identity providers by which people sign in.
    pub providers: &'a [SignInProvider],
    /// Their tokens.
    pub tokens: &'a [Token],
    /// The token by which the page is looked at, by its id.
    pub current: &'a str,
    /// The registries they may see.
    pub registries: &'a [String],
    /// Now.
    pub now: Timestamp,
}

#[derive(Template)]
#[template(path = "account.html")]
struct Account<'a> {
    frame: &'a Frame,
    groups: String,
    linked: Vec<LinkedRow>,
    providers: &'a [SignInProvider],
    unlink: &'static str,
    logins: Vec<Row>,
    tokens: Vec<Row>,
    registries: &'a [String],
    verbs: Vec<&'static str>,
    new: &'static str,
    revoke: &'static str,
    trust: &'static str,
}

struct LinkedRow {
    title: String,
    issuer: String,
    subject: String,
    shown: String,
    used: String,
}

struct Row {
    id: String,
    name: String,
    may: String,
    made: String,
    used: String,
    ends: String,
    current: bool,
}

impl AccountPage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let rows = |login| {
            let tokens = self.tokens.iter().rev().filter(|token| token.login == login);
            tokens.map(|token| self.row(token)).collect()
        };
        Page::write(&Account {
            frame: self.frame,
            groups: self.groups.join(", "),
            linked: self.linked.iter().map(|linked| self.linked_row(linked)).collect(),
            providers: self.providers,
            unlink: address::UNLINK,
            logins: rows(true),
            tokens: rows(false),
            registries: self.registries,
            verbs: VERBS.iter().map(|verb| verb.as_str()).collect(),
            new: address::NEW_TOKEN,
            revoke: address::REVOKE_TOKEN,
            trust: address::TRUST,
        })
    }

    fn linked_row(&self, Linked { title, identity }: &Linked) -> LinkedRow {
        LinkedRow {
            title: title.clone(),
            issuer: identity.issuer.clone(),
            subject: identity.subject.clone(),
            shown: said::line(&identity.subject),
            used: identity.used.map_or_else(|| "never".to_owned(), |at| said::ago(at, self.now)),
        }
    }

    fn row(&self, token: &Token) -> Row {
        Row {
            id: token.id.clone(),
            name: said::line(&token.name),
            may: narrowed(token),
            made: said::day(token.created),
            used: token.used.map_or_else(|| "never".to_owned(), |at| said::ago(at, self.now)),
            ends: token.expires.map_or_else(|| "never".to_owned(), said::day),
            current: token.id == self.current,
        }
    }
}

/// What a token may do, in a line.
fn narrowed(token: &Token) -> String {
    let mut said = vec![scope(&token.scope)];
    if !token.registries.is_empty() {
        said.push(format!("at {}", listed(token.registries.iter())));
    }
    if !token.networks.is_empty() {
        said.push(format!("from {}", listed(token.networks.iter())));
    }
    said.join(" ")
}

/// Which actions, and of what.
pub(crate) fn scope(TokenScope { verbs, names }: &TokenScope) -> String {
    let may = match verbs.is_empty() {
        true => "everything you may".to_owned(),
        false => listed(verbs.iter().map(|verb| verb.as_str())),
    };
    if names.is_empty() { may } else { format!("{may} of {}", listed(names.iter())) }
}

fn listed(words: impl Iterator<Item = impl ToString>) -> String {
    words.map(|word| word.to_string()).collect::<Vec<_>>().join(", ")
}
