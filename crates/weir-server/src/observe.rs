//! What is known of every request: an id, for whom it is, how it was answered and how long that took.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Instant;

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Version};
use axum::response::{IntoResponse as _, Response};
use ipnet::IpNet;
use ulid::Ulid;

use crate::app::App;
use crate::asker::Client;
use crate::problem::{Code, Problem};
use crate::settings::Requests;

/// Carries the id of a request, in both directions.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What proxies say of a request that they pass on.
const PASSED_ON: [HeaderName; 4] = [
    FORWARDED_FOR,
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("forwarded"),
];

/// The longest id that is taken over from a proxy, in bytes.
const MAX_ID: usize = 64;

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Gives a request its id, has it answered, and tells.
pub(crate) async fn observe<F: Future<Output = Response>>(
    app: &App,
    mut request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let started = Instant::now();
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let believed = peer.is_some_and(|peer| is_trusted(&app.settings.trusted_proxies, peer));
    let id = id(request.headers(), believed);
    let client = peer.map(|peer| client(request.headers(), peer, &app.settings.trusted_proxies));
    let (method, uri) = (request.method().clone(), request.uri().clone());
    if let Some(client) = client {
        request.extensions_mut().insert(Client(client));
    }
    if let Some(peer) = peer.filter(|_| is_of_strange_proxy(app, request.headers(), request.extensions())) {
        app.tell_of_strange_proxy(peer);
    }

    let mut response = match names_one_host(&request) {
        true => answer(request).await,
        false => Problem::new(
            Code::BadRequest,
            "a request names one host, by its name or its address, and perhaps a port",
        )
        .into_response(),
    };

    let status = response.status().as_u16();
    let took = started.elapsed();
    app.metrics.answered(&method, status, took);
    app.counting.answered(status, took);
    let waits = response.extensions().get::<Problem>().is_some_and(Problem::is_of_waiting);
    // Whoever has the address of a registry looks there first whether it is that of the server.
    let looks = status == 404 && uri.path().ends_with("/.well-known/weir");
    if app.settings.log.requests == Requests::All || (status >= 400 && !waits && !looks) {
        let client = client.map(tracing::field::display);
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        // Debug spells out control characters: a path cannot write lines of its own.
        tracing::info!(id = ?id, %method, path = ?uri.path(), status, microseconds, client, "request");
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// Whether a request says which host it is for, and says it once: who is in front of the server must have read the same
/// (RFC 9112, section 3.2). In HTTP/2 it is a part of the address. Links are made of it.
fn names_one_host(request: &Request) -> bool {
    let hosts = request.headers().get_all(HOST);
    let counts = match (request.version(), hosts.iter().count()) {
        (Version::HTTP_11, sent) => sent == 1,
        (_, sent) => sent <= 1,
    };
    let named = request.uri().authority().map(Authority::as_str);
    counts && hosts.iter().map(|host| host.to_str().unwrap_or_default()).chain(named).all(is_host)
}

/// Whether it is a name of a host or an address of one, and perhaps a port. A name may have `_` in it: networks of containers and
/// configurations of proxies have such.
fn is_host(host: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    if let Some((address, port)) = host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        let has_port = port.strip_prefix(':').is_some_and(is_port);
        return address.parse::<Ipv6Addr>().is_ok() && (port.is_empty() || has_port);
    }
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = name.len() <= 253 && name.strip_suffix('.').unwrap_or(name).split('.').all(is_label);
    is_name && port.is_none_or(is_port)
}

/// The id that a proxy gave, if it is believed and can be one, or a new one.
fn id(headers: &HeaderMap, believed: bool) -> HeaderValue {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-' || *byte == b'_';
    let given = headers
        .get(REQUEST_ID)
        .filter(|id| believed && !id.is_empty() && id.len() <= MAX_ID && id.as_bytes().iter().all(plain));
    given.cloned().unwrap_or_else(|| {
        HeaderValue::from_str(&Ulid::generate().to_string()).unwrap_or(HeaderValue::from_static("none"))
    })
}

/// For whom a request is: the last of those that `X-Forwarded-For` lists who is no trusted proxy. Whatever is before that,
/// anybody can have written.
fn client(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> IpAddr {
    if !is_trusted(trusted, peer) {
        return peer;
    }
    let listed = headers.get_all(FORWARDED_FOR).into_iter().filter_map(|value| value.to_str().ok());
    let listed: Vec<&str> = listed.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut client = peer;
    for address in listed.into_iter().rev() {
        let Ok(address) = address.parse() else { break };
        client = address;
        if !is_trusted(trusted, address) {
            break;
        }
    }
    client
}

/// Whether a proxy that nobody named says that it passes on a request.
pub(crate) fn is_of_strange_proxy(app: &App, headers: &HeaderMap, extensions: &Extensions) -> bool {
    PASSED_ON.iter().any(|name| headers.contains_key(name)) && !from_trusted_proxy(app, extensions)
}

/// Whether a request came through a proxy that is believed about others.
pub(crate) fn from_trusted_proxy(app: &App, extensions: &Extensions) -> bool {
    let peer = extensions.get::<Peer>().map(|peer| peer.0.ip());
    peer.is_some_and(|peer| is_trusted(&app.settings.trusted_proxies, peer))
}

fn is_trusted(trusted: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
        for host in [
            "weir.example",
            "weir.example.",
            "localhost:7878",
            "127.0.0.1:80",
            "[::1]:7878",
            "[::1]",
            "a-b",
            "weir_server:7878",
        ] {
            assert!(is_host(host), "{host}");
        }
        for host in [
            "",
            "..",
            "a..b",
            "-",
            "-a",
            "[::zz]",
            "[::1",
            "[::1]x",
            "a b",
            "a/b",
            "weir.example/../",
            "weir.example:80/../",
            "weir.example:",
            "weir.example:99999",
            "weir.example:+80",
            "weir.example:80:80",
            "[::1]:x",
            "a@b",
            "\u{e4}",
            &"a".repeat(64),
        ] {
            assert!(!is_host(host), "{host}");
        }
    }

    fn client_of(peer: &str, forwarded: &[&'static str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let headers = forwarded.iter().map(|list| (FORWARDED_FOR, HeaderValue::from_static(list)));
        client(&headers.collect(), peer.parse().unwrap(), &trusted).to_string()
    }

    #[test]
    fn only_proxies_that_are_named_are_believed_about_others() {
        assert_eq!(client_of("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(client_of("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client_of("10.0.0.1", &["192.0.2.66, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(client_of("10.0.0.1", &["192.0.2.66", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(client_of("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(client_of("::ffff:10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn an_id_is_taken_over_from_a_proxy_and_from_nobody_else() {
        let headers = |text| HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static(text))]);
        assert_eq!(id(&headers("abc-1"), true), "abc-1");
        assert_ne!(id(&headers("abc-1"), false), "abc-1");
        assert_ne!(id(&headers("a b"), true), "a b");
    }
}
