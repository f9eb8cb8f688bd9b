//! Secrets that are made here, shown once, and kept as a digest only.

use std::fmt;

use weir_model::Sha256;

/// Random bytes in a secret: more than anybody can try.
const BYTES: usize = 32;

/// A secret with the name it is looked up by: `weir_<id>_<secret>`. What begins so is found by those who look for secrets that
/// were published by mistake.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// What every secret begins with.
    const PREFIX: &str = "weir_";

    /// A new one, and the id by which it is known.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes.
    pub(crate) fn generate() -> Result<(String, Self), getrandom::Error> {
        let id = ulid::Ulid::generate().to_string().to_lowercase();
        let mut bytes = [0_u8; BYTES];
        getrandom::fill(&mut bytes)?;
        let hex = Sha256::from_bytes(bytes).to_hex();
        Ok((id.clone(), Self(format!("{}{id}_{hex}", Self::PREFIX))))
    }

    /// What somebody sent in place of one. Nothing is said of whether it is one.
    pub fn given(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id in it, if it has the form of a secret.
    pub(crate) fn id(&self) -> Option<&str> {
        let (id, secret) = self.0.strip_prefix(Self::PREFIX)?.split_once('_')?;
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
        (id.len() == 26 && secret.len() == 2 * BYTES && plain(id) && plain(secret)).then_some(id)
    }

    /// What is kept of it.
    pub(crate) fn digest(&self) -> Sha256 {
        Sha256::of(self.0.as_bytes())
    }

    /// The secret, for whoever is to have it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
