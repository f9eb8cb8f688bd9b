//! The addresses of providers.

use std::fmt;

use weir_client::Url;

/// The longest address of a provider, in bytes.
const MAX_LEN: usize = 255;

/// The address of a provider, as its tokens name it. Two are the same if they are byte for byte (OpenID Connect Core, section 2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Issuer(String);

/// An address that can be no provider's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` can be no identity provider: {reason}")]
pub struct IssuerError {
    shown: String,
    reason: &'static str,
}

impl Issuer {
    /// Checks an address: `https`, or where `on_loopback` is set also `http` of this machine, which is for trying things out.
    ///
    /// # Errors
    ///
    /// When it is none, or has a query.
    pub fn parse(text: &str, on_loopback: bool) -> Result<Self, IssuerError> {
        let bad = |reason| IssuerError { shown: text.chars().take(MAX_LEN).collect(), reason };
        let url: Url = text.parse().map_err(|_| bad("it is no address that begins with `https://`"))?;
        if text.len() > MAX_LEN
            || text.contains(['?', '#'])
            || !text.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(bad("it is too long, or has a query"));
        }
        let is_private = url.origin().is_https() || (on_loopback && url.origin().is_loopback());
        if !is_private {
            return Err(bad("what it says would travel unencrypted: use `https`"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the provider says what it is (OpenID Connect Discovery, section 4).
    pub(crate) fn discovery(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.0.trim_end_matches('/'))
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Issuer;

    #[test]
    fn a_provider_is_asked_by_https_and_on_this_machine_only_where_that_is_said() {
        for good in ["https://token.actions.githubusercontent.com", "https://id.example/tenant/"] {
            assert!(Issuer::parse(good, false).is_ok(), "{good}");
        }
        for bad in [
            "http://id.example",
            "http://127.0.0.1:1",
            "https://x.example/?a=b",
            "https://u:p@x.example",
            "id",
            "",
        ] {
            assert!(Issuer::parse(bad, false).is_err(), "{bad}");
        }
        assert!(Issuer::parse("http://127.0.0.1:9", true).is_ok());
        assert!(Issuer::parse("http://10.0.0.1:9", true).is_err());
    }
}
