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

use crate::egress::Egress;

/// How long an answer is believed: as short as the shortest that name servers commonly say.
const BELIEVED: Duration = Duration::from_secs(60);

/// The most addresses of a host that are tried.
const MOST_ADDRESSES: usize = 16;

/// Remembers what [`DefaultResolver`] found; addresses written as numbers need no looking up.
#[derive(Debug)]
pub(crate) struct CachingResolver {
    egress: Egress,
    inner: DefaultResolver,
    known: Mutex<HashMap<String, (Instant, Vec<SocketAddr>)>>,
}

impl CachingResolver {
    /// Finds addresses that may be connected to, and no others.
    pub(crate) fn new(egress: Egress) -> Self {
        Self { egress, inner: DefaultResolver::default(), known: Mutex::default() }
    }

    fn remembered(&self, authority: &str) -> Option<Vec<SocketAddr>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(authority).filter(|(at, _)| at.elapsed() < BELIEVED).map(|(_, found)| found.clone())
    }

    /// Those of the addresses that may be connected to. A proxy was named by whoever runs this program, and is wherever it is.
    fn addresses(
        &self,
        uri: &Uri,
        config: &Config,
        found: &[SocketAddr],
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let is_proxy = config.proxy().is_some_and(|proxy| Some(proxy.host()) == uri.host());
        let mut addresses = self.empty();
        let allowed = found.iter().filter(|address| is_proxy || self.egress.allows(address.ip()));
        // It holds so many, and panics where there are more.
        allowed.take(MOST_ADDRESSES).for_each(|address| addresses.push(*address));
        match (found.first(), addresses.is_empty()) {
            (Some(refused), true) => Err(ureq::Error::Other(Box::new(Forbidden(refused.ip())))),
            _ => Ok(addresses),
        }
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
            return self.addresses(uri, config, &[address]);
        }
        let key =
            uri.authority().map(ToString::to_string).unwrap_or_default() + uri.scheme_str().unwrap_or("");
        if let Some(found) = self.remembered(&key) {
            return self.addresses(uri, config, &found);
        }
        let found = self.inner.resolve(uri, config, timeout).map_err(named)?;
        let found = found.to_vec();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key, (Instant::now(), found.clone()));
        drop(known);
        self.addresses(uri, config, &found)
    }
}

fn numeric(uri: &Uri) -> Option<SocketAddr> {
    let address = number(uri)?;
    let port = uri.port_u16().or(match uri.scheme_str()? {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    })?;
    Some(SocketAddr::new(address, port))
}

/// The address that a host is, where it is written as one.
pub(crate) fn number(uri: &Uri) -> Option<IpAddr> {
    let host = uri.host()?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok()
}

/// What a host is called leads to where nobody is to be led.
#[derive(Debug, thiserror::Error)]
#[error("it leads to {0}, which requests from here may not lead to")]
pub(crate) struct Forbidden(pub(crate) IpAddr);

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
