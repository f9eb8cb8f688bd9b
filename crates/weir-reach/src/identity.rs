//! The identity token of a job on a build server, exchanged for a short token of the server it is meant for.
//!
//! It is shown to no other: what it says it is meant for (`aud`) is the address of the server, and whoever else saw it could use it
//! there. It is good once, so what it was exchanged for is kept for the next command of the job.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use serde::Deserialize;
use weir_client::{Credential, Origin, Url};
use weir_model::Sha256;
use weir_model::unseen::Named as _;
use weir_remote::Server;
use weir_wire::people::WhoAmI;

use crate::connect::http_client;
use crate::credentials::{bearer, exchanged, variable_of};
use crate::error::ReachError;
use crate::session::Session;

/// The variable that holds the identity token of a job.
pub const IDENTITY_VARIABLE: &str = "WEIR_IDENTITY_TOKEN";

/// The variable that names a file with it.
pub const IDENTITY_FILE_VARIABLE: &str = "WEIR_IDENTITY_TOKEN_FILE";

/// The longest token that is read, in bytes.
const MAX_TOKEN: u64 = 16 << 10;

/// What ends so soon is not used any more.
const MARGIN: SignedDuration = SignedDuration::from_secs(20);

/// Where the identity token of a job is.
#[derive(Clone)]
pub enum IdentityToken {
    /// Itself.
    Text(String),
    /// In a file, which whoever runs the job may renew.
    File(PathBuf),
}

/// What is read of a token that is not verified: only the server it is for does that.
#[derive(Deserialize)]
struct Claims {
    aud: Audience,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// The credential that the job's identity token is exchanged for, if there is one that is meant for a server of this origin.
///
/// # Errors
///
/// When there is one that cannot be read, or that the server does not take.
pub(crate) fn credential(session: &Session, origin: &Origin) -> Result<Option<Credential>, ReachError> {
    let Some(given) = &session.secrets.identity else { return Ok(None) };
    let token = read(given)?;
    let Some(server) = meant_for(&token, origin)? else { return Ok(None) };
    let identity = Sha256::of(token.as_bytes()).to_hex();
    let soon = session.now.checked_add(MARGIN).unwrap_or(session.now);
    // Whoever has no network needs no credential.
    if session.offline {
        return Ok(None);
    }
    // The token itself is a secret as good as a credential.
    bearer(origin, &token)?;
    let token = exchanged(session, origin, &identity, soon, || {
        let given = Server::new(http_client(session)?, &server, None)?.exchange(&token)?;
        let seconds = i64::try_from(given.expires_in).unwrap_or_default().min(24 * 3600);
        let until = session.now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(session.now);
        Ok((given.access_token, until))
    })?;
    bearer(origin, &token).map(Some)
}

fn read(given: &IdentityToken) -> Result<String, ReachError> {
    let text = match given {
        IdentityToken::Text(text) => text.clone(),
        IdentityToken::File(path) => weir_fs::read_text(path, MAX_TOKEN).map_err(std::io::Error::from)?,
    };
    Ok(text.trim().to_owned())
}

/// Why the identity token of this job did not help where a server of this origin said that there is no such registry, or none for who
/// asks; nothing where there is no token, or another credential stood before it. The token is not in it.
pub(crate) fn why_not(session: &Session, origin: &Origin) -> Option<String> {
    if session.secrets.tokens.contains_key(&variable_of(origin)) || session.offline {
        return None;
    }
    let token = read(session.secrets.identity.as_ref()?).ok()?;
    let audiences = audiences(&token).ok()?;
    let Some(server) = at(&audiences, origin) else {
        let meant: Vec<String> = audiences.iter().map(|audience| format!("`{}`", audience.named())).collect();
        return Some(format!(
            "the identity token of this job was not shown to {origin}, for it is meant for {}: have its provider give one whose audience is that server's address",
            if meant.is_empty() { "nobody".to_owned() } else { meant.join(", ") }
        ));
    };
    let credential = credential(session, origin).ok()??;
    let known = Server::new(http_client(session).ok()?, &server, Some(credential)).ok()?.whoami();
    Some(match known {
        Ok(WhoAmI::Workload { workload }) if workload.grants.is_empty() => format!(
            "the identity token of this job was taken by {origin}, and no rule there lets the job do anything now: whoever made one may have removed it (`weir trust list`)"
        ),
        Ok(WhoAmI::Workload { workload }) => {
            let registries: Vec<String> =
                workload.grants.iter().map(|grant| format!("`{}`", grant.registry.named())).collect();
            format!(
                "the identity token of this job was taken by {origin}, where rules let the job into {} and into nothing else",
                registries.join(", ")
            )
        }
        Ok(WhoAmI::User { .. }) => return None,
        Err(error) => format!("what {origin} gave for the identity token of this job is not taken: {error}"),
    })
}

/// The server of this origin that a token is meant for, if it is for one.
fn meant_for(token: &str, origin: &Origin) -> Result<Option<Url>, ReachError> {
    Ok(at(&audiences(token)?, origin))
}

/// The server of this origin among those that a token is meant for.
fn at(audiences: &[String], origin: &Origin) -> Option<Url> {
    let mut servers = audiences.iter().filter_map(|audience| audience.parse::<Url>().ok());
    servers.find(|server| server.origin() == origin)
}

/// Whom a token is meant for, as it says.
fn audiences(token: &str) -> Result<Vec<String>, ReachError> {
    let bad =
        |reason: &str| ReachError::Credential { reason: format!("the identity token of this job {reason}") };
    if token.len() as u64 > MAX_TOKEN {
        return Err(bad("is longer than any"));
    }
    let payload =
        token.split('.').nth(1).ok_or_else(|| bad("is none: it has three parts with dots between them"))?;
    let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| bad("cannot be read"))?;
    let Claims { aud } =
        serde_json::from_slice(&payload).map_err(|_| bad("does not say whom it is meant for"))?;
    Ok(match aud {
        Audience::One(one) => vec![one],
        Audience::Several(several) => several,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("x.{}.y", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_is_shown_to_the_server_it_is_meant_for_and_to_no_other() {
        let origin = |text: &str| text.parse::<Url>().unwrap().origin().clone();
        let ours = origin("https://weir.example/team");
        for aud in
            [r#""https://weir.example""#, r#""https://weir.example/""#, r#"["x", "https://weir.example/a"]"#]
        {
            let token = token(&format!(r#"{{"aud":{aud}}}"#));
            assert!(meant_for(&token, &ours).unwrap().is_some(), "{aud}");
            for other in ["https://evil.example", "http://weir.example", "https://weir.example:8443"] {
                assert!(meant_for(&token, &origin(other)).unwrap().is_none(), "{aud} {other}");
            }
        }
        assert!(meant_for("no token", &ours).is_err());
        assert!(meant_for(&token("{}"), &ours).is_err());
    }
}
