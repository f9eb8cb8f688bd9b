//! What proves to a server who asks: one secret for each origin, kept where only its owner can read it.
//!
//! It is looked for in this order: a variable of the environment (`WEIR_TOKEN_` and the host), the identity token of a job, exchanged
//! at the server it is meant for, the file that `weir login` writes, a program of the user's that knows credentials, and
//! the user's `netrc`. None of it is named by a project: a clone's `weir.toml` says which registries to ask, and must not be
//! able to say what they are told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weir_client::{Credential, CredentialError, Origin, Url};
use weir_fs::{Access, Durability, Folder};

use crate::error::ReachError;
use crate::helper::{self, HelperAnswers};
use crate::identity::{self, IdentityToken};
use crate::registries::http_settings;
use crate::session::Session;

/// What the variables begin with that hold tokens.
pub const TOKEN_VARIABLE: &str = "WEIR_TOKEN_";

/// The largest file of credentials that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// What a run of the program is given to prove who asks.
#[derive(Clone, Default)]
pub struct Secrets {
    /// Tokens of the environment, by the end of the variable's name: the host in capitals, `_` for all else.
    pub tokens: BTreeMap<String, String>,
    /// The user's `netrc`, if there may be one.
    pub netrc: Option<PathBuf>,
    /// The identity token of the job that runs this, if it has one.
    pub identity: Option<IdentityToken>,
    /// What the user's credential helper answered so far.
    pub helper: HelperAnswers,
}

/// The file that `weir login` writes.
#[derive(Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    #[serde(default)]
    servers: BTreeMap<String, KeptServer>,
    /// What servers gave for identity tokens.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    exchanged: BTreeMap<String, KeptExchange>,
}

/// A token that was got for an identity token, for the next command of the same job.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptExchange {
    token: String,
    /// The digest of the identity token.
    identity: String,
    /// Until when it is good.
    until: Timestamp,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptServer {
    token: String,
}

/// The credential for an origin, if there is one.
///
/// # Errors
///
/// When there is one that cannot be read, or that would travel unencrypted.
pub(crate) fn credential_for(session: &Session, origin: &Origin) -> Result<Option<Credential>, ReachError> {
    if let Some(token) = session.secrets.tokens.get(&variable_of(origin)) {
        return bearer(origin, token.trim()).map(Some);
    }
    if let Some(credential) = identity::credential(session, origin)? {
        return Ok(Some(credential));
    }
    if let Some(kept) = read(&session.home.credentials())?.servers.get(&origin.to_string()) {
        return bearer(origin, &kept.token).map(Some);
    }
    let is_safe = Credential::may_go_to(origin).is_ok();
    let settings = http_settings(session)?;
    let (helper, patience) = (settings.credential_helper, settings.credential_helper_timeout);
    if is_safe
        && !helper.is_empty()
        && let Some((user, password)) = helper::ask(&helper, patience, origin, &session.secrets.helper)?
    {
        return usable(Credential::basic(origin.clone(), &user, &password)).map(Some);
    }
    let Some(netrc) = &session.secrets.netrc else { return Ok(None) };
    match crate::netrc::find(netrc, origin.host())? {
        // Whoever wrote it did not think of this server: it is no reason to refuse what needs no credential.
        Some(_) if !is_safe => Ok(None),
        Some((user, password)) => usable(Credential::basic(origin.clone(), &user, &password)).map(Some),
        None => Ok(None),
    }
}

/// A token as the credential for an origin.
///
/// # Errors
///
/// When it can be none, or would travel unencrypted.
pub(crate) fn bearer(origin: &Origin, token: &str) -> Result<Credential, ReachError> {
    usable(Credential::bearer(origin.clone(), token))
}

/// Whether a secret may be sent to an origin.
///
/// # Errors
///
/// When it would travel unencrypted.
pub(crate) fn may_go_to(origin: &Origin) -> Result<(), ReachError> {
    usable(Credential::may_go_to(origin))
}

fn usable<T>(made: Result<T, CredentialError>) -> Result<T, ReachError> {
    made.map_err(|error| ReachError::Credential { reason: error.to_string() })
}

/// The end of the name of the variable that holds the token for an origin: `REGISTRY_EXAMPLE_COM`, or `…_8443` where the port is not
/// the usual one.
pub fn variable_of(origin: &Origin) -> String {
    let text = origin.to_string();
    let (_, place) = text.split_once("://").unwrap_or(("", &text));
    place.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// The variable in which a program finds the token for the server at an address, if it is one.
pub fn token_variable(address: &str) -> Option<String> {
    let url: Url = address.parse().ok()?;
    Some(format!("{TOKEN_VARIABLE}{}", variable_of(url.origin())))
}

/// The server that the user has signed in to, if it is one alone.
///
/// # Errors
///
/// When the file cannot be read.
pub(crate) fn only_server(session: &Session) -> Result<Option<String>, ReachError> {
    let mut servers = read(&session.home.credentials())?.servers.into_keys();
    Ok(servers.next().filter(|_| servers.next().is_none()))
}

/// Keeps a token for an origin, in place of the one before.
///
/// # Errors
///
/// When the file cannot be read or written.
pub(crate) fn keep_token(session: &Session, origin: &Origin, token: &str) -> Result<(), ReachError> {
    change(session, |kept| {
        kept.servers.insert(origin.to_string(), KeptServer { token: token.to_owned() });
        Ok(())
    })
}

/// The token that a server gave for an identity token with this digest, and that is good at `at`; else what `exchange` gets for it, with
/// the time until when that is good. Everything else of the same job waits meanwhile: an identity token is good once.
pub(crate) fn exchanged(
    session: &Session,
    origin: &Origin,
    identity: &str,
    at: Timestamp,
    exchange: impl FnOnce() -> Result<(String, Timestamp), ReachError>,
) -> Result<String, ReachError> {
    let origin = origin.to_string();
    change(session, |kept| {
        let found = kept.exchanged.get(&origin);
        if let Some(found) = found.filter(|kept| kept.identity == identity && kept.until > at) {
            return Ok(found.token.clone());
        }
        let (token, until) = exchange()?;
        kept.exchanged.retain(|_, kept| kept.until > at);
        let new = KeptExchange { token: token.clone(), identity: identity.to_owned(), until };
        kept.exchanged.insert(origin, new);
        Ok(token)
    })
}

/// Forgets the token for an origin; whether there was one.
///
/// # Errors
///
/// When the file cannot be read or written.
pub(crate) fn forget_token(session: &Session, origin: &Origin) -> Result<bool, ReachError> {
    if !read(&session.home.credentials())?.servers.contains_key(&origin.to_string()) {
        return Ok(false);
    }
    change(session, |kept| {
        kept.servers.remove(&origin.to_string());
        Ok(true)
    })
}

/// One process after the other changes the file, and only its owner can ever read it.
fn change<T>(
    session: &Session,
    edit: impl FnOnce(&mut Kept) -> Result<T, ReachError>,
) -> Result<T, ReachError> {
    let path = session.home.credentials();
    let folder = Folder::make(path.parent().unwrap_or(Path::new("."))).map_err(std::io::Error::from)?;
    let _lock = folder.lock(|| {}).map_err(std::io::Error::from)?;
    let mut kept = read(&path)?;
    let before = kept.clone();
    let done = edit(&mut kept)?;
    if kept == before {
        return Ok(done);
    }
    let text = toml_edit::ser::to_string_pretty(&kept).map_err(std::io::Error::other)?;
    let name = path.file_name().unwrap_or_default();
    folder
        .replace(name, text.as_bytes(), Access::Private, Durability::Durable)
        .map_err(std::io::Error::from)?;
    Ok(done)
}

fn read(path: &Path) -> Result<Kept, ReachError> {
    let text = match weir_fs::read_text(path, MAX_FILE) {
        Err(error) if error.is_not_found() => return Ok(Kept::default()),
        text => text.map_err(std::io::Error::from)?,
    };
    // What the parser says of it repeats a line, which may hold a secret.
    toml_edit::de::from_str(&text).map_err(|_| ReachError::Config {
        path: path.into(),
        reason: "it is not what `weir login` writes; remove it and sign in again".into(),
    })
}

#[cfg(test)]
mod tests {
    use weir_client::Url;

    use super::*;

    #[test]
    fn the_name_of_a_variable_says_which_host_it_is_for() {
        for (url, name) in [
            ("https://weir.example/team", "WEIR_EXAMPLE"),
            ("https://weir.example:8443", "WEIR_EXAMPLE_8443"),
            ("http://127.0.0.1:7878/org", "127_0_0_1_7878"),
        ] {
            let url: Url = url.parse().unwrap();
            assert_eq!(variable_of(url.origin()), name);
        }
    }
}
