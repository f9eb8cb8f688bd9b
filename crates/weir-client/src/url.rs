//! Addresses of registries and mirrors: `http` and `https` only, and the *origin* that decides who may
//! see a credential.
//!
//! A URL here never holds a user, a password or a fragment: a secret in an address ends up in logs, so
//! it is refused, and a [`Credential`](crate::Credential) takes its place.

use std::fmt;
use std::str::FromStr;

use ureq::http::Uri;
use ureq::http::uri::Scheme;

/// Longest accepted URL, in bytes. Servers refuse longer request lines at about this length.
const MAX_URL: usize = 8 * 1024;

/// An absolute `http` or `https` address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    uri: Uri,
    origin: Origin,
}

/// Scheme, host and port: what a credential is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    https: bool,
    host: String,
    port: u16,
}

/// Why a text is not a URL that Weir reads from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is not a URL at all.
    #[error("`{text}` is not a URL: {reason}")]
    Malformed {
        /// What was read, cut to a printable length.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Another scheme than `http` and `https`.
    #[error("`{text}` is neither `http://` nor `https://`")]
    OtherScheme {
        /// What was read.
        text: String,
    },
    /// A user or password stands in the URL. The text is not repeated: it holds a secret.
    #[error(
        "a URL of `{host}` holds a user or a password, which everybody who sees the URL would know: leave it out"
    )]
    HoldsCredential {
        /// The host it was meant for.
        host: String,
    },
}

impl Url {
    /// The address of the file at the relative, `/`-separated `path` below this one, whether or not
    /// this one ends in `/`. What a URL's path may not hold is percent-encoded.
    pub fn below(&self, path: &str) -> Result<Self, UrlError> {
        let base = self.uri.path().trim_end_matches('/');
        format!("{}{base}/{}", self.origin, encoded(path)).parse()
    }

    /// The address above this one: without the last part of its path. `None` at the root of a host.
    pub fn above(&self) -> Option<Self> {
        let (above, _) = self.uri.path().trim_end_matches('/').rsplit_once('/')?;
        format!("{}{above}", self.origin).parse().ok()
    }

    /// What `Location: <location>` means in an answer from this address.
    pub(crate) fn redirected(&self, location: &str) -> Result<Self, UrlError> {
        let location = location.split('#').next().unwrap_or_default();
        if location.contains("://") {
            return location.parse();
        }
        if let Some(rest) = location.strip_prefix("//") {
            return format!("{}://{rest}", self.origin.scheme()).parse();
        }
        if location.starts_with('/') {
            return format!("{}{location}", self.origin).parse();
        }
        let folder = self.uri.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{}{folder}/{location}", self.origin).parse()
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let shown = || text.chars().take(200).collect::<String>();
        let malformed = |reason: &str| UrlError::Malformed { text: shown(), reason: reason.to_owned() };
        if text.len() > MAX_URL {
            return Err(malformed("it is too long"));
        }
        let uri: Uri =
            text.parse().map_err(|error: ureq::http::uri::InvalidUri| malformed(&error.to_string()))?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(malformed("it has no scheme or no host"));
        };
        let https = *scheme == Scheme::HTTPS;
        if !https && *scheme != Scheme::HTTP {
            return Err(UrlError::OtherScheme { text: shown() });
        }
        let host = authority.host().to_ascii_lowercase();
        if authority.as_str().contains('@') {
            return Err(UrlError::HoldsCredential { host });
        }
        if host.is_empty() {
            return Err(malformed("it has no host"));
        }
        if authority.as_str().len() != authority.host().len() && authority.port().is_none() {
            return Err(malformed("its port is not a number"));
        }
        let port = authority.port_u16().unwrap_or(if https { 443 } else { 80 });
        let origin = Origin { https, host, port };
        // Written out again, so that a fragment and a port that says nothing are gone.
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let uri = format!("{origin}{path}").parse::<Uri>().map_err(|error| malformed(&error.to_string()))?;
        Ok(Self { uri, origin })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uri, f)
    }
}

impl Origin {
    /// Whether what travels to it is encrypted.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The host name or address, in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether it is this machine, so that nothing sent there can be overheard.
    pub fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.host)?;
        match (self.https, self.port) {
            (true, 443) | (false, 80) => Ok(()),
            (_, port) => write!(f, ":{port}"),
        }
    }
}

/// Percent-encodes everything but RFC 3986's unreserved characters and `/`.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(byte.into());
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Url, UrlError};

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn a_file_stands_below_the_base_with_or_without_a_slash_at_its_end() {
        for base in ["http://h/reg", "http://h/reg/", "http://H:80/reg"] {
            assert_eq!(url(base).below("tile/0/x001").unwrap().to_string(), "http://h/reg/tile/0/x001");
        }
        assert_eq!(
            url("https://h").below("a b/%?#é").unwrap().to_string(),
            "https://h/a%20b/%25%3F%23%C3%A9"
        );
    }

    #[test]
    fn above_an_address_is_the_one_without_its_last_part() {
        let above = |text: &str| url(text).above().map(|above| above.to_string());
        assert_eq!(above("https://h/a/b/"), Some("https://h/a".into()));
        assert_eq!(above("https://h/a"), Some("https://h/".into()));
        assert_eq!(above("https://h/"), None);
    }

    #[test]
    fn a_location_is_absolute_or_relative_to_the_answering_address() {
        let from = url("https://h:8443/a/b?c");
        for (location, expected) in [
            ("http://other/x#part", "http://other/x"),
            ("//other/x", "https://other/x"),
            ("/x", "https://h:8443/x"),
            ("x", "https://h:8443/a/x"),
        ] {
            assert_eq!(from.redirected(location).unwrap().to_string(), expected, "{location}");
        }
        assert!(matches!(from.redirected("ftp://h/x"), Err(UrlError::OtherScheme { .. })));
    }

    #[test]
    fn origins_differ_by_scheme_host_and_port_and_by_nothing_else() {
        let origin = |text: &str| url(text).origin().clone();
        assert_eq!(origin("https://H/a"), origin("https://h:443/b?c"));
        for other in ["http://h", "https://h:444", "https://h2", "http://h:443"] {
            assert_ne!(origin("https://h"), origin(other), "{other}");
        }
    }

    #[test]
    fn secrets_other_schemes_and_nonsense_are_refused() {
        let refused = |text: &str| text.parse::<Url>().unwrap_err();
        let secret = refused("https://ann:hunter2@h/");
        assert!(matches!(&secret, UrlError::HoldsCredential { host } if host == "h"));
        assert!(!secret.to_string().contains("hunter2"));
        assert!(matches!(refused("ftp://h/x"), UrlError::OtherScheme { .. }));
        for nonsense in ["", "h", "/x", "http://", "http://h:port/", "http://h:99999/", "http:///x"] {
            assert!(matches!(refused(nonsense), UrlError::Malformed { .. }), "{nonsense}");
        }
    }
}
