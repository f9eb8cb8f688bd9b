//! Host names, looked up once.
//!
//! ureq looks the name up for every request, on a thread of its own if there is a time limit, even when
//! a connection is waiting to be used. A cold install makes hundreds of requests to one host.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How long an answer is believed: as short as the shortest that name servers commonly say.
const BELIEVED: Duration = Duration::from_secs(60);

/// Remembers what [`DefaultResolver`] found; addresses written as numbers need no looking up.
#[derive(Debug, Default)]
pub(crate) struct CachingResolver {
    inner: DefaultResolver,
    known: Mutex<HashMap<String, (Instant, Vec<SocketAddr>)>>,
}

impl CachingResolver {
    fn remembered(&self, authority: &str) -> Option<Vec<SocketAddr>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(authority).filter(|(at, _)| at.elapsed() < BELIEVED).map(|(_, found)| found.clone())
    }

    fn addresses(&self, found: &[SocketAddr]) -> ResolvedSocketAddrs {
        let mut addresses = self.empty();
        found.iter().for_each(|address| addresses.push(*address));
        addresses
    }
}

impl Resolver for CachingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        if let Some(address) = numeric(uri) {
            return Ok(self.addresses(&[address]));
        }
        let key =
            uri.authority().map(ToString::to_string).unwrap_or_default() + uri.scheme_str().unwrap_or("");
        if let Some(found) = self.remembered(&key) {
            return Ok(self.addresses(&found));
        }
        let found = self.inner.resolve(uri, config, timeout).map_err(named)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key, (Instant::now(), found.to_vec()));
        Ok(found)
    }
}

fn numeric(uri: &Uri) -> Option<SocketAddr> {
    let host = uri.host()?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let address: IpAddr = bare.parse().ok()?;
    let port = uri.port_u16().or(match uri.scheme_str()? {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    })?;
    Some(SocketAddr::new(address, port))
}

/// It was the name that failed: the system's own words leave that to be guessed.
#[derive(Debug, thiserror::Error)]
#[error("the host name cannot be resolved (DNS): {0}")]
pub(crate) struct Unresolved(std::io::Error);

fn named(error: ureq::Error) -> ureq::Error {
    match error {
        ureq::Error::Io(error) => ureq::Error::Other(Box::new(Unresolved(error))),
        other => other,
    }
}
