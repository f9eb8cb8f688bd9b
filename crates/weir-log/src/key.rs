//! Ed25519 keys in the C2SP note spelling, which carries the registry's name and the key's own hash:
//! `<origin>+<hash>+<base64>` for checking, `PRIVATE+KEY+<origin>+<hash>+<base64>` for signing.
//!
//! A key's name *is* the origin of the log it signs; a set of trusted keys is therefore for one
//! origin only, and a checkpoint of another registry can never pass for this one's.

use std::fmt;
use std::str::FromStr;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use signed_note::{Signer, StandardSigner, StandardVerifier, VerificationError, Verifier, Verifiers};

/// The algorithm byte of Ed25519 in a note key.
const ED25519: u8 = 1;

/// Bytes a key text may have; real ones have about a hundred.
const MAX_KEY_TEXT: usize = 1024;

/// The name of a log: that of its registry.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(String);

impl Origin {
    /// The longest origin, in bytes; C2SP's witness protocol stops there too.
    pub const MAX_LEN: usize = 255;

    /// Checks a name: not empty, no white space, no control characters, no `+`.
    pub fn new(name: &str) -> Result<Self, KeyError> {
        let sound = signed_note::is_key_name_valid(name)
            && name.len() <= Self::MAX_LEN
            && !name.chars().any(char::is_control);
        if sound { Ok(Self(name.to_owned())) } else { Err(KeyError::BadOrigin { name: shorten(name) }) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromStr for Origin {
    type Err = KeyError;

    fn from_str(name: &str) -> Result<Self, KeyError> {
        Self::new(name)
    }
}

/// What is wrong with a key or a set of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The origin is empty, too long, or has characters a note cannot carry.
    #[error("not a name that a log can have: `{name}` (no spaces, no `+`, at most 255 bytes)")]
    BadOrigin {
        /// What was given, shortened.
        name: String,
    },
    /// The text is not `<origin>+<hash>+<base64>`.
    #[error("not a public key of the form `name+hash+key`: `{text}`")]
    MalformedPublic {
        /// What was given, shortened.
        text: String,
    },
    /// The text is not `PRIVATE+KEY+<origin>+<hash>+<base64>`. It is not repeated here: it may be
    /// a secret with one letter missing.
    #[error("not a signing key of the form `PRIVATE+KEY+name+hash+key`")]
    MalformedSecret,
    /// The system gave no random bytes.
    #[error("no random bytes to make a key from: {reason}")]
    NoEntropy {
        /// What the system said.
        reason: String,
    },
    /// A set of keys without a key.
    #[error("at least one key is needed")]
    NoKeys,
    /// A set of keys for more than one log.
    #[error("keys of two logs in one set: `{first}` and `{other}`")]
    MixedOrigins {
        /// The origin of the first key.
        first: Origin,
        /// Another one.
        other: Origin,
    },
}

fn shorten(text: &str) -> String {
    text.chars().take(120).collect()
}

/// A public key of a log.
#[derive(Clone)]
pub struct VerifyingKey {
    origin: Origin,
    text: String,
    verifier: StandardVerifier,
}

impl VerifyingKey {
    /// The log it belongs to.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The hash that stands in the key's text and beside each of its signatures.
    pub fn id(&self) -> u32 {
        self.verifier.key_id()
    }
}

impl FromStr for VerifyingKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let malformed = || KeyError::MalformedPublic { text: shorten(text) };
        if text.len() > MAX_KEY_TEXT {
            return Err(malformed());
        }
        let verifier = StandardVerifier::new(text).map_err(|_| malformed())?;
        let origin = Origin::new(verifier.name())?;
        // The library reads `033DE0AE` and `+33de0ae` too; one key has one spelling here.
        if !text.contains(&format!("+{:08x}+", verifier.key_id())) {
            return Err(malformed());
        }
        Ok(Self { origin, text: text.to_owned(), verifier })
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.text)
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for VerifyingKey {}

/// A secret key of a log. There is no `Display`, and `Debug` shows the public half only.
#[derive(Clone)]
pub struct SigningKey {
    secret: String,
    public: VerifyingKey,
    signer: StandardSigner,
}

impl SigningKey {
    /// Makes a new key from the system's random bytes.
    pub fn generate(origin: &Origin) -> Result<Self, KeyError> {
        let mut seed = [0; ed25519_dalek::SECRET_KEY_LENGTH];
        getrandom::fill(&mut seed).map_err(|error| KeyError::NoEntropy { reason: error.to_string() })?;
        Self::from_seed(origin, &seed)
    }

    /// Makes the key that belongs to 32 secret bytes; for tests and for keys kept elsewhere.
    pub fn from_seed(origin: &Origin, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let secret = ed25519_dalek::SigningKey::from_bytes(seed);
        let public: VerifyingKey =
            signed_note::new_ed25519_verifier_key(origin.as_str(), &secret.verifying_key()).parse()?;
        let mut material = vec![ED25519];
        material.extend_from_slice(seed);
        let text = format!("PRIVATE+KEY+{origin}+{:08x}+{}", public.id(), BASE64_STANDARD.encode(&material));
        let signer = StandardSigner::new(&text).map_err(|_| KeyError::MalformedSecret)?;
        Ok(Self { secret: text, public, signer })
    }

    /// The text to keep in a file that only its owner may read.
    pub fn secret_text(&self) -> &str {
        &self.secret
    }

    /// The half that everybody may have.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    /// The log it belongs to.
    pub fn origin(&self) -> &Origin {
        self.public.origin()
    }
}

impl FromStr for SigningKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if text.len() > MAX_KEY_TEXT {
            return Err(KeyError::MalformedSecret);
        }
        let signer = StandardSigner::new(text).map_err(|_| KeyError::MalformedSecret)?;
        // The key material itself may hold `+`: it is base64. Four separators, then all the rest.
        let material = text.splitn(5, '+').nth(4).ok_or(KeyError::MalformedSecret)?;
        let material = BASE64_STANDARD.decode(material).map_err(|_| KeyError::MalformedSecret)?;
        let seed =
            material.get(1..).and_then(|seed| seed.try_into().ok()).ok_or(KeyError::MalformedSecret)?;
        Self::from_seed(&Origin::new(signer.name())?, seed)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(for {})", self.public)
    }
}

/// The keys one log's checkpoints may be signed with; any one of them is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKeys {
    origin: Origin,
    keys: Vec<VerifyingKey>,
}

impl TrustedKeys {
    /// Trusts these keys, at least one, all of one origin.
    pub fn new(keys: impl IntoIterator<Item = VerifyingKey>) -> Result<Self, KeyError> {
        let mut distinct: Vec<VerifyingKey> = Vec::new();
        for key in keys {
            if !distinct.contains(&key) {
                distinct.push(key);
            }
        }
        let origin = distinct.first().ok_or(KeyError::NoKeys)?.origin.clone();
        one_origin(&origin, distinct.iter().map(VerifyingKey::origin))?;
        Ok(Self { origin, keys: distinct })
    }

    /// The log they are for.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The keys, in the order they were given.
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }
}

impl Verifiers for TrustedKeys {
    fn verifier(&self, name: &str, id: u32) -> Result<&dyn Verifier, VerificationError> {
        self.keys
            .iter()
            .find(|key| key.origin.as_str() == name && key.id() == id)
            .map(|key| &key.verifier as &dyn Verifier)
            .ok_or_else(|| VerificationError::UnknownKey { name: name.to_owned(), id })
    }
}

/// The keys that sign a checkpoint. While a log changes its key there are two: clients that know
/// only the old one and clients that know only the new one can then both read it.
#[derive(Debug, Clone)]
pub struct Signers {
    keys: Vec<SigningKey>,
}

impl Signers {
    /// Signs with all of these keys, at least one, all of one origin.
    pub fn new(keys: impl IntoIterator<Item = SigningKey>) -> Result<Self, KeyError> {
        let keys: Vec<SigningKey> = keys.into_iter().collect();
        let origin = keys.first().ok_or(KeyError::NoKeys)?.origin();
        one_origin(origin, keys.iter().map(SigningKey::origin))?;
        Ok(Self { keys })
    }

    /// The log they sign.
    pub fn origin(&self) -> &Origin {
        self.keys.first().expect("a set of signers is never empty").origin()
    }

    /// The public halves, as a set to trust.
    pub fn trusted(&self) -> TrustedKeys {
        let keys = self.keys.iter().map(|key| key.public.clone()).collect();
        TrustedKeys { origin: self.origin().clone(), keys }
    }

    pub(crate) fn as_note_signers(&self) -> Vec<&dyn Signer> {
        self.keys.iter().map(|key| &key.signer as &dyn Signer).collect()
    }
}

impl From<SigningKey> for Signers {
    fn from(key: SigningKey) -> Self {
        Self { keys: vec![key] }
    }
}

fn one_origin<'a>(first: &Origin, all: impl Iterator<Item = &'a Origin>) -> Result<(), KeyError> {
    match all.into_iter().find(|&origin| origin != first) {
        None => Ok(()),
        Some(other) => Err(KeyError::MixedOrigins { first: first.clone(), other: other.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(origin: &str, seed: u8) -> SigningKey {
        SigningKey::from_seed(&Origin::new(origin).unwrap(), &[seed; 32]).unwrap()
    }

    #[test]
    fn keys_read_back_from_their_own_text() {
        for seed in 0..64 {
            let made = key("org", seed);
            let read: SigningKey = made.secret_text().parse().unwrap();
            assert_eq!(read.secret_text(), made.secret_text());
            assert_eq!(read.verifying_key(), made.verifying_key());
            assert_eq!(made.verifying_key().to_string().parse(), Ok(made.verifying_key().clone()));
        }
    }

    #[test]
    fn two_generated_keys_differ() {
        let origin = Origin::new("org").unwrap();
        let [one, two] = [(); 2].map(|()| SigningKey::generate(&origin).unwrap());
        assert_ne!(one.verifying_key(), two.verifying_key());
    }

    #[test]
    fn the_secret_is_in_neither_debug_nor_errors() {
        let key = key("org", 7);
        let material = key.secret_text().rsplit('+').next().unwrap();
        assert!(!format!("{key:?}").contains(material));
        let broken = key.secret_text().replace("PRIVATE+KEY", "PRIVATE+KEX");
        assert!(!broken.parse::<SigningKey>().unwrap_err().to_string().contains(material));
    }

    #[test]
    fn an_altered_key_text_is_refused() {
        let text = key("org", 1).verifying_key().to_string();
        let (name, rest) = text.split_once('+').unwrap();
        let (id, material) = rest.split_once('+').unwrap();
        let upper = id.to_uppercase();
        for bad in [
            String::new(),
            "+".repeat(2000),
            format!("other+{id}+{material}"),
            format!("{name}+00000000+{material}"),
            format!("{name}+{upper}+{material}"),
            format!("{name}+{id}+"),
            format!("{name}+{id}+{}", &material[..20]),
            format!("{text}\n"),
        ] {
            assert!(bad.parse::<VerifyingKey>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_origin_is_a_word_a_note_can_carry() {
        assert!(Origin::new("example.com/team").is_ok());
        for bad in ["", "two words", "a+b", "line\n", "\u{7f}", "nbsp\u{a0}", &"x".repeat(256)] {
            assert!(Origin::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_set_of_keys_is_for_one_log() {
        let public = |name, seed| key(name, seed).verifying_key().clone();
        assert_eq!(TrustedKeys::new([]), Err(KeyError::NoKeys));
        assert!(matches!(
            TrustedKeys::new([public("a", 1), public("b", 1)]),
            Err(KeyError::MixedOrigins { .. })
        ));
        assert_eq!(TrustedKeys::new([public("a", 1), public("a", 1)]).unwrap().keys().len(), 1);
    }
}
