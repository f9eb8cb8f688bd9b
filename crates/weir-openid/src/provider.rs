//! What providers say of themselves, fetched and kept for a while, and whether a token is one of theirs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{DecodingKey, Header, Validation, decode, decode_header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use weir_client::{HttpClient, Url};

use crate::identity::{Claims, Expected, Identity};
use crate::issuer::Issuer;
use crate::signatures::{ALGORITHMS, install};

/// The longest token that is read, in bytes.
const MAX_TOKEN: usize = 16 << 10;

/// The longest document of a provider, in bytes.
const MAX_DOCUMENT: u64 = 256 << 10;

/// The most keys that a provider may publish.
const MOST_KEYS: usize = 100;

/// For so long the keys of a provider are believed to be its keys.
const FRESH: Duration = Duration::from_secs(3600);

/// For so long they are, where it cannot be asked.
const GOOD: Duration = Duration::from_secs(24 * 3600);

/// A provider is asked no more often than this: who sends tokens with keys that are none makes it no busier.
const PAUSE: Duration = Duration::from_secs(2);

/// By how much clocks may differ, in seconds.
const LEEWAY: i64 = 60;

/// The longest that a token may be good for, in seconds: it is remembered for as long, so that it is taken once.
const LONGEST_LIFE: i64 = 24 * 3600;

/// Providers that are believed.
#[derive(Debug)]
pub struct Providers {
    client: HttpClient,
    known: BTreeMap<Issuer, Arc<Mutex<Known>>>,
}

/// What is known of one.
#[derive(Debug, Default)]
struct Known {
    keys: Option<(Arc<JwkSet>, Instant)>,
    /// When it was last asked, whatever came of it.
    asked: Option<Instant>,
}

/// What is read of what a provider says it is.
#[derive(Debug, Deserialize)]
struct Configuration {
    issuer: String,
    jwks_uri: String,
}

/// Why a token proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// It is none.
    #[error("it is no identity token: {0}")]
    Malformed(String),
    /// Nobody said that its issuer is to be believed.
    #[error("the identity provider `{0}` is not one that is believed here")]
    OtherIssuer(String),
    /// It is not to be believed.
    #[error("the identity token is not good: {0}")]
    NotGood(String),
    /// What the provider says of itself is not to be had.
    #[error("the identity provider `{issuer}` cannot be asked: {reason}")]
    Unreachable {
        /// The provider.
        issuer: Issuer,
        /// What came instead.
        reason: String,
    },
}

impl Providers {
    /// Those of `issuers`, asked by `client`. Nothing is asked yet.
    pub fn new(client: HttpClient, issuers: impl IntoIterator<Item = Issuer>) -> Self {
        install();
        Self { client, known: issuers.into_iter().map(|issuer| (issuer, Arc::default())).collect() }
    }

    /// Those that are believed.
    pub fn issuers(&self) -> impl Iterator<Item = &Issuer> {
        self.known.keys()
    }

    /// Whether an issuer is one of them.
    pub fn has(&self, issuer: &str) -> bool {
        self.known.keys().any(|known| known.as_str() == issuer)
    }

    /// Who calls themselves the issuer of a token, if that is one that is believed. Nothing else of the token is, yet.
    ///
    /// # Errors
    ///
    /// When it is none, or the issuer is not believed.
    pub fn issuer_of(&self, token: &str) -> Result<Issuer, IdentityError> {
        #[derive(Deserialize)]
        struct Named {
            iss: String,
        }
        if token.len() > MAX_TOKEN {
            return Err(IdentityError::Malformed(format!("it has more than {MAX_TOKEN} bytes")));
        }
        let Named { iss } = insecure_decode_claims(token).map_err(|error| malformed(&error))?;
        let known = self.known.keys().find(|issuer| issuer.as_str() == iss).cloned();
        known.ok_or_else(|| {
            IdentityError::OtherIssuer(iss.chars().take(255).collect::<String>().escape_debug().to_string())
        })
    }

    /// Who somebody is by a token. May wait for the provider.
    ///
    /// # Errors
    ///
    /// When it is not to be believed, or the provider does not say by which keys it signs.
    pub fn verify(&self, token: &str, expected: &Expected<'_>) -> Result<Identity, IdentityError> {
        let issuer = self.issuer_of(token)?;
        let header = decode_header(token).map_err(|error| malformed(&error))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(IdentityError::NotGood(format!(
                "it is signed by {:?}, which anybody can",
                header.alg
            )));
        }
        let key = self.key(&issuer, &header)?;
        let claims = checked(token, &issuer, &header, &key, expected)?;
        Ok(claims.said_by(issuer, token))
    }

    /// The key that a token says it is signed by: of those that the provider publishes, no other is tried.
    fn key(&self, issuer: &Issuer, header: &Header) -> Result<DecodingKey, IdentityError> {
        let known = self.known.get(issuer).ok_or_else(|| IdentityError::OtherIssuer(issuer.to_string()))?;
        // Who comes meanwhile waits for the one who asks: they ask the same.
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((keys, at)) = &known.keys
            && at.elapsed() < FRESH
            && let Some(key) = chosen(keys, header)
        {
            return key;
        }
        let keys = self.renewed(issuer, &mut known)?;
        chosen(&keys, header).unwrap_or_else(|| {
            Err(IdentityError::NotGood("it is signed by none of the provider's keys".to_owned()))
        })
    }

    /// The keys of a provider, asked for anew unless that was just done. Those that are known do where it does not answer.
    fn renewed(
        &self,
        issuer: &Issuer,
        known: &mut MutexGuard<'_, Known>,
    ) -> Result<Arc<JwkSet>, IdentityError> {
        let kept = known.keys.as_ref().filter(|(_, at)| at.elapsed() < GOOD).map(|(keys, _)| keys.clone());
        let unreachable = |reason: String| IdentityError::Unreachable { issuer: issuer.clone(), reason };
        if known.asked.is_some_and(|asked| asked.elapsed() < PAUSE) {
            return kept.ok_or_else(|| unreachable("it failed a moment ago".to_owned()));
        }
        known.asked = Some(Instant::now());
        match self.fetch(issuer) {
            Ok(keys) => {
                let keys = Arc::new(keys);
                known.keys = Some((keys.clone(), Instant::now()));
                Ok(keys)
            }
            Err(reason) => kept.ok_or_else(|| unreachable(reason)),
        }
    }

    fn fetch(&self, issuer: &Issuer) -> Result<JwkSet, String> {
        let configuration: Configuration = self.document(&issuer.discovery())?;
        if configuration.issuer != issuer.as_str() {
            return Err("what it says it is, is another provider".to_owned());
        }
        let place: Url =
            configuration.jwks_uri.parse().map_err(|_| "its keys are at no address".to_owned())?;
        let own: Url = issuer.as_str().parse().map_err(|_| "it has no address".to_owned())?;
        // Whoever wrote its document may lead elsewhere, but not to what only this machine or its network can ask.
        if !place.origin().is_https() && place.origin() != own.origin() {
            return Err("its keys would travel unencrypted".to_owned());
        }
        let keys: JwkSet = self.document(&configuration.jwks_uri)?;
        match keys.keys.len() > MOST_KEYS {
            true => Err(format!("it has more than {MOST_KEYS} keys")),
            false => Ok(keys),
        }
    }

    fn document<T: DeserializeOwned>(&self, address: &str) -> Result<T, String> {
        let url: Url = address.parse().map_err(|error: weir_client::UrlError| error.to_string())?;
        let found = self.client.document(&url, MAX_DOCUMENT).map_err(|error| error.to_string())?;
        let bytes = found.ok_or_else(|| format!("there is nothing at {url}"))?;
        serde_json::from_slice(&bytes).map_err(|error| format!("what is at {url} cannot be read: {error}"))
    }
}

/// The key for a token, if there is one: by its name, or where the token names none, the only one.
fn chosen(keys: &JwkSet, header: &Header) -> Option<Result<DecodingKey, IdentityError>> {
    let signs =
        |key: &&Jwk| key.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    let mut named = keys.keys.iter().filter(signs).filter(|key| match &header.kid {
        Some(name) => key.common.key_id.as_ref() == Some(name),
        None => true,
    });
    let key = named.next()?;
    if header.kid.is_none() && named.next().is_some() {
        let reason = "it does not say which of the provider's keys it is signed by";
        return Some(Err(IdentityError::NotGood(reason.to_owned())));
    }
    let other = key
        .common
        .key_algorithm
        .is_some_and(|algorithm| algorithm.to_string() != format!("{:?}", header.alg));
    if other {
        return Some(Err(IdentityError::NotGood(
            "the provider's key is not for how it is signed".to_owned(),
        )));
    }
    Some(DecodingKey::from_jwk(key).map_err(|error| IdentityError::NotGood(error.to_string())))
}

/// What a token says, if it is good.
fn checked(
    token: &str,
    issuer: &Issuer,
    header: &Header,
    key: &DecodingKey,
    expected: &Expected<'_>,
) -> Result<Claims, IdentityError> {
    let bad = |reason: &str| Err(IdentityError::NotGood(reason.to_owned()));
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[issuer.as_str()]);
    validation.set_audience(expected.audiences);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_nbf = true;
    validation.leeway = LEEWAY.unsigned_abs();
    let claims = decode::<Claims>(token, key, &validation).map_err(|error| not_good(&error))?.claims;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
    if claims.iat.is_some_and(|issued| issued > now + LEEWAY) {
        return bad("it was issued in the future");
    }
    if claims.expires() > now + LONGEST_LIFE {
        return bad("it is good for more than a day, which is too long for what proves who somebody is now");
    }
    if expected.nonce.is_some() && claims.nonce.as_deref() != expected.nonce {
        return bad("it answers another question than was asked");
    }
    if expected.nonce.is_some() && claims.azp.as_ref().is_some_and(|azp| !expected.audiences.contains(azp)) {
        return bad("it was given to another program");
    }
    match claims.has_subject() {
        true => Ok(claims),
        false => bad("its subject is empty, too long, or cannot be written down"),
    }
}

fn malformed(error: &Error) -> IdentityError {
    IdentityError::Malformed(error.to_string())
}

fn not_good(error: &Error) -> IdentityError {
    let reason = match error.kind() {
        ErrorKind::ExpiredSignature => "it has expired",
        ErrorKind::ImmatureSignature => "it is not good yet",
        ErrorKind::InvalidAudience => "it is meant for somebody else (`aud`)",
        ErrorKind::InvalidIssuer => "it is of another provider (`iss`)",
        ErrorKind::InvalidSignature => "its signature is not the provider's",
        ErrorKind::MissingRequiredClaim(claim) => {
            return IdentityError::NotGood(format!("it does not say `{claim}`"));
        }
        _ => return IdentityError::NotGood(error.to_string()),
    };
    IdentityError::NotGood(reason.to_owned())
}
