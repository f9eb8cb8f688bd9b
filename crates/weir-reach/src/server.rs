//! Reaching a server itself: to sign in there, and to look after accounts and registries.

use std::path::Path;

use weir_client::Url;
use weir_remote::{FoundServer, Server};
use weir_wire::people::WhoAmI;

use crate::connect::{address, http_client};
use crate::credentials::{bearer, credential_for, forget_token, keep_token, only_server};
use crate::error::{Offline, ReachError};
use crate::registries::{find, is_http};
use crate::session::Session;

/// A server that was found.
#[derive(Debug)]
pub struct ReachedServer {
    /// Its address.
    pub address: Url,
    /// The server, asked by whoever has signed in there from this machine.
    pub server: Server,
    /// Whether anybody has.
    pub is_known: bool,
    /// How people sign in there.
    pub sign_in: Vec<String>,
}

impl ReachedServer {
    /// Its address, as one writes it.
    pub fn place(&self) -> String {
        self.address.to_string().trim_end_matches('/').to_owned()
    }
}

/// Finds the server that `named` leads to: an address of its own or of one of its registries, or a registry that is known by a name.
/// Where nothing is named it is that of the default registry, or the only one that the user has signed in to. Names are the user's own: a password is told to whoever is named so, and a clone's
/// `weir.toml` must not choose who that is.
///
/// # Errors
///
/// When nothing of that name is known, it is a folder, or no server answers there.
pub fn reach_server(session: &Session, named: Option<&str>) -> Result<ReachedServer, ReachError> {
    let location = match named {
        Some(address) if is_http(address) => address.to_owned(),
        named => match find(session, None, named, Path::new(".")) {
            Ok(known) => known.location,
            Err(ReachError::NoRegistry { .. }) => {
                only_server(session)?.ok_or_else(|| ReachError::NoRegistry { wanted: "a server".into() })?
            }
            Err(error) => return Err(error),
        },
    };
    if let Some(host) = named.filter(|named| !is_http(&location) && is_like_a_host(named)) {
        let reason = format!("a server is named with its scheme, as `https://{host}`");
        return Err(ReachError::BadAddress { address: host.to_owned(), reason });
    }
    if !is_http(&location) {
        let reason = "it is a folder: nobody signs in there".into();
        return Err(ReachError::BadAddress { address: location, reason });
    }
    if session.offline {
        return Err(Offline::needs(format!("asking the server {location}")).into());
    }
    let client = http_client(session)?;
    let FoundServer { address, sign_in } = Server::find(&client, &address(&location)?)?;
    let credential = credential_for(session, address.origin())?;
    let is_known = credential.is_some();
    Ok(ReachedServer { server: Server::new(client, &address, credential)?, address, is_known, sign_in })
}

/// Whether somebody may have meant a host, and no folder: it has a dot or a port, and nothing is there.
fn is_like_a_host(named: &str) -> bool {
    named.contains(['.', ':']) && !named.starts_with(['.', '/']) && !Path::new(named).exists()
}

/// Keeps what a server gave to who signed in. It is sent to that origin only.
///
/// # Errors
///
/// When it would travel unencrypted, or the file cannot be written.
pub fn keep_login(session: &Session, address: &Url, token: &str) -> Result<(), ReachError> {
    bearer(address.origin(), token)?;
    keep_token(session, address.origin(), token)
}

/// Forgets what a server gave; whether there was anything.
///
/// # Errors
///
/// When the file cannot be written.
pub fn forget_login(session: &Session, address: &Url) -> Result<bool, ReachError> {
    forget_token(session, address.origin())
}

/// Who a token speaks for, before it is kept.
///
/// # Errors
///
/// When it is not good, would travel unencrypted, or the server is not reached.
pub fn whoami_by(session: &Session, address: &Url, token: &str) -> Result<WhoAmI, ReachError> {
    let credential = bearer(address.origin(), token)?;
    Ok(Server::new(http_client(session)?, address, Some(credential))?.whoami()?)
}
