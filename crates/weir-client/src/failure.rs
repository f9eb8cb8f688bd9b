//! What can go wrong between asking a server and having its bytes, in words.
//!
//! [`Failure`] is what the inside of this crate speaks; at its edge it becomes a
//! [`SourceError`], which adds the address.

use std::io;

use rustls::CertificateError;
use weir_log::{Distrust, ProxyProblem, SourceError};

use crate::resolver::Unresolved;

/// How many of the names of a certificate are told.
const NAMES_SHOWN: usize = 3;

/// Why a request brought no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// Nothing, or too little, came in time.
    #[error("nothing, or too little, came in time")]
    Timeout,
    /// The answer began and then nothing came for too long: the connection may be dead.
    #[error("nothing came for too long in the middle of the answer")]
    Stalled,
    /// Nobody is there to connect to. One more attempt is worth it: a server may be restarting.
    #[error("{0}")]
    Unreachable(String),
    /// The name of whoever is to be connected to leads nowhere.
    #[error("{0}")]
    NoAddress(String),
    /// The connection could not be made, or broke. Another attempt may fare better.
    #[error("{0}")]
    Connection(String),
    /// The server answered with a status that is neither success nor absence.
    #[error("the server answered with status {status}")]
    Status { status: u16, retry_after: Option<u64> },
    /// The proxy on the way is what failed.
    #[error("the proxy `{proxy}` {problem}")]
    Proxy { proxy: String, problem: ProxyProblem },
    /// The server could not show that it is the one that was asked.
    #[error(transparent)]
    Untrusted(Distrust),
    /// What came cannot be used, and asking again would bring the same.
    #[error("{0}")]
    Unusable(String),
    /// More than `limit` bytes came, or were announced.
    #[error("it is larger than the {limit} bytes it may have")]
    TooLarge { limit: u64 },
}

impl Failure {
    /// Whether the same request may succeed a moment later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Connection(_) | Self::Unreachable(_) | Self::Stalled => true,
            Self::Proxy { problem, .. } => matches!(problem, ProxyProblem::Unreachable(_)),
            Self::Status { status, .. } => *status >= 500 || matches!(*status, 408 | 429),
            // A timeout has used up the patience there was.
            Self::Timeout
            | Self::Untrusted(_)
            | Self::NoAddress(_)
            | Self::Unusable(_)
            | Self::TooLarge { .. } => false,
        }
    }

    /// The same of a request that went through `proxy`: nobody else was connected to.
    pub(crate) fn through(self, proxy: &ureq::Proxy) -> Self {
        let problem = match self {
            Self::Unreachable(reason) | Self::NoAddress(reason) => ProxyProblem::Unreachable(reason),
            other => return other,
        };
        Self::of_proxy(proxy, problem)
    }

    /// The failure of a proxy that answered. The status is in what ureq says of it, and nowhere else.
    pub(crate) fn proxy_said(proxy: &ureq::Proxy, reason: &str) -> Self {
        let numbers = reason.split(|character: char| !character.is_ascii_digit());
        let status = numbers.filter(|number| number.len() == 3).find_map(|number| number.parse().ok());
        let problem = match status {
            Some(407) => ProxyProblem::AsksForPassword,
            Some(status) if status < 500 => ProxyProblem::Refused { status },
            Some(status) => ProxyProblem::Unreachable(format!("it answered with status {status}")),
            None => ProxyProblem::Unreachable(reason.to_owned()),
        };
        Self::of_proxy(proxy, problem)
    }

    fn of_proxy(proxy: &ureq::Proxy, problem: ProxyProblem) -> Self {
        let scheme = proxy.uri().scheme_str().unwrap_or("http");
        Self::Proxy { proxy: format!("{scheme}://{}:{}", proxy.host(), proxy.port()), problem }
    }

    /// The error of the crate's edge, about `what` (a URL or a path).
    pub(crate) fn about(self, what: &(impl ToString + ?Sized)) -> SourceError {
        let what = what.to_string();
        match self {
            Self::Timeout | Self::Stalled => SourceError::Timeout { what },
            Self::Status { status: status @ (401 | 403 | 451), .. } => {
                SourceError::Refused { what, status, shown: false }
            }
            Self::Status { status, .. } => SourceError::Status { what, status },
            Self::Proxy { proxy, problem } => SourceError::Proxy { what, proxy, problem },
            Self::TooLarge { limit } => SourceError::TooLarge { what, limit },
            Self::Untrusted(why) => SourceError::Untrusted { what, why },
            Self::Connection(reason)
            | Self::Unreachable(reason)
            | Self::NoAddress(reason)
            | Self::Unusable(reason) => SourceError::NotReadable { what, reason },
        }
    }

    /// The same, as the error of a [`std::io::Read`].
    pub(crate) fn into_io(self, what: &(impl ToString + ?Sized)) -> io::Error {
        let kind = match self {
            Self::Timeout | Self::Stalled => io::ErrorKind::TimedOut,
            Self::Connection(_) | Self::Unreachable(_) | Self::NoAddress(_) | Self::Proxy { .. } => {
                io::ErrorKind::ConnectionAborted
            }
            Self::Status { .. } | Self::Untrusted(_) | Self::Unusable(_) | Self::TooLarge { .. } => {
                io::ErrorKind::InvalidData
            }
        };
        io::Error::new(kind, self.about(what))
    }

    pub(crate) fn from_io(error: io::Error) -> Self {
        match error.downcast::<ureq::Error>() {
            Ok(inner) => inner.into(),
            Err(error) => Self::from_plain_io(&error),
        }
    }

    fn from_plain_io(error: &io::Error) -> Self {
        if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Self::from_tls(error);
        }
        let reason = match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => return Self::Timeout,
            // Some of TLS's failures come this way: asking again changes nothing.
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                return Self::Unusable(format!("TLS failed: {error}"));
            }
            io::ErrorKind::ConnectionRefused => {
                return Self::Unreachable("the connection was refused: no server listens there".to_owned());
            }
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
                return Self::Unreachable("there is no network route to the host".to_owned());
            }
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => "the server closed the connection early".to_owned(),
            _ => error.to_string(),
        };
        Self::Connection(reason)
    }
}

impl Failure {
    fn from_tls(error: &rustls::Error) -> Self {
        if let rustls::Error::InvalidMessage(_) = error {
            let reason = "what answers there speaks no TLS, or another: is its address one of `http`?";
            return Self::Unusable(reason.to_owned());
        }
        let rustls::Error::InvalidCertificate(wrong) = error else {
            return Self::Unusable(format!("TLS failed: {error}"));
        };
        Self::Untrusted(match wrong {
            CertificateError::UnknownIssuer => Distrust::UnknownIssuer,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Distrust::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Distrust::NotValidYet
            }
            CertificateError::NotValidForName => Distrust::OtherName { names: Vec::new() },
            CertificateError::NotValidForNameContext { presented, .. } => Distrust::OtherName {
                names: presented.iter().take(NAMES_SHOWN).map(|name| harmless(name)).collect(),
            },
            other => Distrust::Other(other.to_string()),
        })
    }
}

/// A name from a stranger's certificate, which rustls tells as `DnsName("…")`, fit for a terminal.
fn harmless(name: &str) -> String {
    let name = name.split_once('(').map_or(name, |(_, rest)| rest.trim_end_matches(')').trim_matches('"'));
    name.chars().filter(|character| !character.is_control()).take(100).collect()
}

impl From<ureq::Error> for Failure {
    fn from(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Timeout(_) => Self::Timeout,
            ureq::Error::Io(error) => Self::from_io(error),
            ureq::Error::Other(error) => match error.downcast::<Unresolved>() {
                Ok(unresolved) => Self::NoAddress(unresolved.to_string()),
                Err(error) => Self::Unusable(error.to_string()),
            },
            ureq::Error::HostNotFound => Self::NoAddress("the host name has no address (DNS)".to_owned()),
            ureq::Error::ConnectionFailed => Self::Connection("no connection could be made".to_owned()),
            ureq::Error::Protocol(reason) => {
                Self::Unusable(format!("the answer is not valid HTTP: {reason}"))
            }
            ureq::Error::Rustls(error) => Self::from_tls(&error),
            ureq::Error::Tls(reason) => Self::Unusable(format!("TLS failed: {reason}")),
            other => Self::Unusable(other.to_string()),
        }
    }
}
