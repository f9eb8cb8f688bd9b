//! How patient the client is, and with how many connections.

use std::path::PathBuf;
use std::time::Duration;

use crate::egress::Egress;

/// Limits of an [`HttpClient`](crate::HttpClient). The defaults suit a person who waits.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// For finding the host, for connecting and for the TLS handshake, each.
    pub connect_timeout: Duration,
    /// From the request being sent to the last byte of the answer's header.
    pub response_timeout: Duration,
    /// Longest silence in the middle of an answer.
    pub stall_timeout: Duration,
    /// Bytes a second that must arrive, on average over each `rate_window` of waiting.
    pub minimum_rate: u64,
    /// Over how much waiting the rate is taken.
    pub rate_window: Duration,
    /// How often a request, or a piece of a long answer, is tried in all before it counts as failed.
    pub attempts: u32,
    /// Pause before the second attempt; it doubles with each, and half of it is chance.
    pub first_pause: Duration,
    /// Longest pause between attempts.
    pub longest_pause: Duration,
    /// Connections to one server that are kept for the next request. As many as downloads run at once.
    pub connections: usize,
    /// Through whom requests go.
    pub proxy: ProxyChoice,
    /// Whose word is taken for who a server is.
    pub authorities: Authorities,
    /// Which addresses may be connected to. What a proxy connects to for a request is its matter, unless the request names an address by
    /// its number.
    pub egress: Egress,
    /// Bytes that the answer to an exchange may have.
    pub longest_reply: u64,
    /// For all of an exchange, from finding the host to the last byte of the answer. Where nothing is said, its parts have their own.
    pub whole_exchange: Option<Duration>,
}

/// Whose word is taken for who a server is: files with PEM certificates, read by the first request to
/// `https`. Without any, that of the authorities on Mozilla's list, which is compiled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Authorities {
    /// A file with authorities in place of Mozilla's list.
    pub instead: Option<PathBuf>,
    /// A file with authorities besides those: an organisation's own.
    pub besides: Option<PathBuf>,
}

/// Through whom requests go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ProxyChoice {
    /// Straight to the server.
    #[default]
    Direct,
    /// What `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say when the first request is made.
    Environment,
    /// Through this proxy: `http://host:port`.
    Url(String),
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(20),
            minimum_rate: 1024,
            rate_window: Duration::from_secs(30),
            attempts: 4,
            first_pause: Duration::from_millis(150),
            longest_pause: Duration::from_secs(4),
            connections: 16,
            proxy: ProxyChoice::Direct,
            authorities: Authorities::default(),
            egress: Egress::default(),
            longest_reply: 64 << 20,
            whole_exchange: None,
        }
    }
}
