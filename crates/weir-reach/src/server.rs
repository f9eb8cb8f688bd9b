//! Reaching a server itself: to sign in there, and to look after accounts and registries.

use std::path::Path;

use weir_client::{Credential, HttpClient, Url};
use weir_remote::{FoundServer, Server};
use weir_wire::people::WhoAmI;

use crate::connect::{address, http_client};
use crate::credentials::{bearer, credential_for, forget_token, keep_token, may_go_to, only_server};
use crate::error::{Offline, ReachError};
use crate::registries::{find, is_http};
use crate::session::Session;

/// A server that was found.
#[derive(Debug)]
pub struct ReachedServer {
    /// Its address.
    pub address: Url,
    /// The address by which others know it, as it says.
    pub known_as: Option<String>,
    /// The server, asked by whoever has signed in there from this machine, or by nobody in particular.
    pub server: Server,
    /// Whether by somebody.
    pub is_known: bool,
    /// How people sign in there.
    pub sign_in: Vec<String>,
}

impl ReachedServer {
    /// Its address, as one writes it.
    pub fn place(&self) -> String {
        self.address.to_string().trim_end_matches('/').to_owned()
    }

    /// Whether a name and a password will do there.
    pub fn takes_passwords(&self) -> bool {
        self.sign_in.iter().any(|way| way == BY_PASSWORD)
    }

    /// The page on which whoever is shown it accepts an invitation, in whichever way the server takes.
    pub fn invitation_link(&self, invitation: &str) -> String {
        let known_as = self.known_as.clone().unwrap_or_else(|| self.place());
        format!("{}/-/sign-in?invitation={invitation}", known_as.trim_end_matches('/'))
    }
}

/// The way to sign in of a server that takes passwords.
const BY_PASSWORD: &str = "password";

/// Finds the server that `named` leads to: an address of its own or of one of its registries, or a registry that is known by a name.
/// Where nothing is named it is that of the default registry, or the only one that the user has signed in to. Names are the user's own: a password is told to whoever is named so, and a clone's
/// `weir.toml` must not choose who that is.
///
/// # Errors
///
/// When nothing of that name is known, it is a folder, or no server answers there.
pub fn reach_server(session: &Session, named: Option<&str>) -> Result<ReachedServer, ReachError> {
    let client = http_client(session)?;
    let found = Server::find(&client, &address(&location(session, named)?)?)?;
    let credential = credential_for(session, found.address.origin())?;
    reached(client, found, credential)
}

/// Finds a server as [`reach_server`] does, for somebody who signs in there. It is not told who signed in before: that may be good no
/// longer, which is why somebody signs in.
///
/// # Errors
///
/// The same; and before anything is asked, where a secret would travel unencrypted.
pub fn reach_to_sign_in(session: &Session, named: Option<&str>) -> Result<ReachedServer, ReachError> {
    let address = address(&location(session, named)?)?;
    may_go_to(address.origin())?;
    let client = http_client(session)?;
    let found = Server::find(&client, &address)?;
    reached(client, found, None)
}

fn reached(
    client: HttpClient,
    found: FoundServer,
    credential: Option<Credential>,
) -> Result<ReachedServer, ReachError> {
    let FoundServer { address, known_as, sign_in } = found;
    let is_known = credential.is_some();
    let server = Server::new(client, &address, credential)?;
    Ok(ReachedServer { server, address, known_as, is_known, sign_in })
}

/// The address that `named` stands for.
fn location(session: &Session, named: Option<&str>) -> Result<String, ReachError> {
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
        return Err(ReachError::NotServed { registry: named.map_or(location, str::to_owned) });
    }
    if session.offline {
        return Err(Offline::needs(format!("asking the server {location}")).into());
    }
    Ok(location)
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
