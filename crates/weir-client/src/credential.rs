//! A secret and the one origin that may see it.

use std::fmt;

use crate::url::Origin;

/// What proves to one server who asks. It is sent to its [`Origin`] and never anywhere else, whatever
/// a server redirects to.
#[derive(Clone)]
pub struct Credential {
    origin: Origin,
    header: String,
}

/// Why a credential cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Plain `http` to another machine: whoever is on the way would read the secret.
    #[error("a credential for `{origin}` would travel unencrypted: use `https`")]
    Unencrypted {
        /// Where it would have gone.
        origin: Origin,
    },
    /// It holds a character that no header can carry.
    #[error("the credential for `{origin}` holds a character that cannot be sent")]
    NotSendable {
        /// Whom it is for.
        origin: Origin,
    },
}

impl Credential {
    /// A token, sent as `Authorization: Bearer`.
    pub fn bearer(origin: Origin, token: &str) -> Result<Self, CredentialError> {
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CredentialError::NotSendable { origin });
        }
        Self::new(origin, format!("Bearer {token}"))
    }

    /// A user and password, sent as `Authorization: Basic`.
    pub fn basic(origin: Origin, user: &str, password: &str) -> Result<Self, CredentialError> {
        if user.contains(':') || format!("{user}{password}").chars().any(char::is_control) {
            return Err(CredentialError::NotSendable { origin });
        }
        Self::new(origin, format!("Basic {}", base64(format!("{user}:{password}").as_bytes())))
    }

    fn new(origin: Origin, header: String) -> Result<Self, CredentialError> {
        Self::may_go_to(&origin)?;
        Ok(Self { origin, header })
    }

    /// Whether a secret may be sent to `origin`, also one that is no header, as a password is with which somebody signs in.
    pub fn may_go_to(origin: &Origin) -> Result<(), CredentialError> {
        match origin.is_https() || origin.is_loopback() {
            true => Ok(()),
            false => Err(CredentialError::Unencrypted { origin: origin.clone() }),
        }
    }

    /// The value of `Authorization` for a request to `origin`; `None` for every origin but its own.
    pub(crate) fn header_for(&self, origin: &Origin) -> Option<&str> {
        (self.origin == *origin).then_some(&self.header)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential for {}", self.origin)
    }
}

/// RFC 4648, section 4, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut padded = [0; 4];
        padded[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(padded);
        for place in 0..4 {
            let sextet = bits >> (18 - 6 * place) & 63;
            out.push(if place <= group.len() { ALPHABET[sextet as usize].into() } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Credential, CredentialError, base64};
    use crate::url::{Origin, Url};

    fn origin(text: &str) -> Origin {
        text.parse::<Url>().unwrap().origin().clone()
    }

    #[test]
    fn base64_agrees_with_the_vectors_of_rfc_4648() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn a_credential_is_for_its_own_origin_only_and_never_shown() {
        let credential = Credential::bearer(origin("https://h"), "t0ken").unwrap();
        assert_eq!(credential.header_for(&origin("https://h/x")), Some("Bearer t0ken"));
        for other in ["http://h", "https://h:444", "https://h.evil", "https://evil"] {
            assert_eq!(credential.header_for(&origin(other)), None, "{other}");
        }
        assert!(!format!("{credential:?}").contains("t0ken"));
    }

    #[test]
    fn a_credential_that_could_be_overheard_or_split_a_header_is_refused() {
        let plain = Credential::bearer(origin("http://h"), "t");
        assert!(matches!(plain, Err(CredentialError::Unencrypted { .. })));
        assert!(Credential::bearer(origin("http://127.0.0.1:8080"), "t").is_ok());
        let split = Credential::bearer(origin("https://h"), "t\r\nX: y");
        assert!(matches!(split, Err(CredentialError::NotSendable { .. })));
    }
}
