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
use weir_model::unseen::Named as _;

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

/// A provider whose token has another signature than its key makes is asked once more, but no more often than this.
const DOUBT: Duration = Duration::from_secs(10);

/// What is told of a provider that cannot be asked.
type Trouble = Box<dyn Fn(&Issuer, &str) + Send + Sync>;

/// Providers that are believed.
pub struct Providers {
    client: HttpClient,
    known: BTreeMap<Issuer, Provider>,
    trouble: Trouble,
}

/// One of them.
#[derive(Default)]
struct Provider {
    known: Mutex<Known>,
    /// Held by whoever asks it. Who needs nothing new waits for nobody.
    asking: Mutex<()>,
}

/// What is known of one.
#[derive(Default)]
struct Known {
    described: Option<(Arc<Described>, Instant)>,
    /// When it was last asked, whatever came of it.
    asked: Option<Instant>,
}

/// What one says of itself.
pub(crate) struct Described {
    pub(crate) configuration: Configuration,
    keys: JwkSet,
}

/// What is read of what a provider says it is.
#[derive(Debug, Deserialize)]
pub(crate) struct Configuration {
    issuer: String,
    jwks_uri: String,
    pub(crate) authorization_endpoint: Option<String>,
    pub(crate) token_endpoint: Option<String>,
    pub(crate) userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

impl Configuration {
    /// Whether a program shows its secret as the password of Basic, which is the usual way.
    pub(crate) fn takes_basic(&self) -> bool {
        let named = self.token_endpoint_auth_methods_supported.as_ref();
        named.is_none_or(|named| named.iter().any(|method| method == "client_secret_basic"))
    }
}

impl std::fmt::Debug for Providers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.known.keys()).finish()
    }
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
    /// Those of `issuers`, asked by `client`. Nothing is asked yet. `trouble` is told of each that cannot be asked, and why, also where what
    /// is known of it does for now.
    pub fn new(
        client: HttpClient,
        issuers: impl IntoIterator<Item = Issuer>,
        trouble: impl Fn(&Issuer, &str) + Send + Sync + 'static,
    ) -> Self {
        install();
        let known = issuers.into_iter().map(|issuer| (issuer, Provider::default())).collect();
        Self { client, known, trouble: Box::new(trouble) }
    }

    pub(crate) fn client(&self) -> &HttpClient {
        &self.client
    }

    pub(crate) fn tell(&self, issuer: &Issuer, reason: &str) {
        (self.trouble)(issuer, reason);
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
        known.ok_or_else(|| IdentityError::OtherIssuer(iss.named()))
    }

    /// Whether a token is worth to be verified, as far as that costs nothing: it has the form of one, and says of itself that it is of a
    /// provider that is believed, is good still, and is for whom it is shown to. Nothing of that is believed yet. Gives who it says it is of.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub fn look(&self, token: &str, expected: &Expected<'_>) -> Result<Issuer, IdentityError> {
        let issuer = self.issuer_of(token)?;
        let header = decode_header(token).map_err(|error| malformed(&error))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(IdentityError::NotGood(format!(
                "it is signed by {:?}, which anybody can",
                header.alg
            )));
        }
        worth_asking(token, expected)?;
        Ok(issuer)
    }

    /// Who somebody is by a token. May wait for the provider.
    ///
    /// # Errors
    ///
    /// When it is not to be believed, or the provider does not say by which keys it signs.
    pub fn verify(&self, token: &str, expected: &Expected<'_>) -> Result<Identity, IdentityError> {
        // What costs nothing is looked at before anybody waits for it.
        let issuer = self.look(token, expected)?;
        let header = decode_header(token).map_err(|error| malformed(&error))?;
        let described = self.with_key(&issuer, &header)?;
        let claims = match checked(token, &issuer, &header, &described.keys, expected) {
            // It may sign by another key since, and call it the same.
            Err(Refused::Signature) => {
                let renewed = self.renewed(&issuer, DOUBT)?;
                checked(token, &issuer, &header, &renewed.keys, expected)
            }
            checked => checked,
        };
        Ok(claims.map_err(IdentityError::from)?.said_by(issuer, token))
    }

    /// What a provider says of itself, not long ago.
    pub(crate) fn described(&self, issuer: &Issuer) -> Result<Arc<Described>, IdentityError> {
        match self.provider(issuer)?.fresh() {
            Some(described) => Ok(described),
            None => self.renewed(issuer, PAUSE),
        }
    }

    /// The same with the key that a token says it is signed by, if the provider has it.
    fn with_key(&self, issuer: &Issuer, header: &Header) -> Result<Arc<Described>, IdentityError> {
        match self.provider(issuer)?.fresh() {
            Some(described) if chosen(&described.keys, header).is_some() => Ok(described),
            _ => self.renewed(issuer, PAUSE),
        }
    }

    fn provider(&self, issuer: &Issuer) -> Result<&Provider, IdentityError> {
        self.known.get(issuer).ok_or_else(|| IdentityError::OtherIssuer(issuer.to_string()))
    }

    /// What a provider says of itself, asked for anew unless that was done of late. What is known does where it does not answer.
    fn renewed(&self, issuer: &Issuer, pause: Duration) -> Result<Arc<Described>, IdentityError> {
        let provider = self.provider(issuer)?;
        let came = Instant::now();
        // Who comes meanwhile waits for the one who asks: they ask the same.
        let _asking = provider.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, asked) = {
            let known = provider.known();
            (known.kept(GOOD), known.asked)
        };
        let unreachable = |reason: String| IdentityError::Unreachable { issuer: issuer.clone(), reason };
        if asked.is_some_and(|asked| asked > came || asked.elapsed() < pause) {
            return kept.ok_or_else(|| unreachable("it failed a moment ago".to_owned()));
        }
        provider.known().asked = Some(Instant::now());
        match self.fetch(issuer) {
            Ok(described) => {
                let described = Arc::new(described);
                provider.known().described = Some((described.clone(), Instant::now()));
                Ok(described)
            }
            Err(reason) => {
                self.tell(issuer, &reason);
                kept.ok_or_else(|| unreachable(reason))
            }
        }
    }

    fn fetch(&self, issuer: &Issuer) -> Result<Described, String> {
        let configuration: Configuration = self.document(&issuer.discovery())?;
        if configuration.issuer != issuer.as_str() {
            return Err("what it says it is, is another provider".to_owned());
        }
        let place = self.led_to(issuer, &configuration.jwks_uri)?;
        let keys: JwkSet = self.document(&place.to_string())?;
        match keys.keys.len() > MOST_KEYS {
            true => Err(format!("it has more than {MOST_KEYS} keys")),
            false => Ok(Described { configuration, keys }),
        }
    }

    /// An address that a provider names. Whoever wrote its document may lead elsewhere, but not by ways on which others listen.
    pub(crate) fn led_to(&self, issuer: &Issuer, named: &str) -> Result<Url, String> {
        let place: Url = named.parse().map_err(|_| "what it says of itself names no address".to_owned())?;
        let own: Url = issuer.as_str().parse().map_err(|_| "it has no address".to_owned())?;
        match place.origin().is_https() || place.origin() == own.origin() {
            true => Ok(place),
            false => Err(format!("what is asked at {} would travel unencrypted", place.origin())),
        }
    }

    fn document<T: DeserializeOwned>(&self, address: &str) -> Result<T, String> {
        let url: Url = address.parse().map_err(|error: weir_client::UrlError| error.to_string())?;
        let found = self.client.document(&url, MAX_DOCUMENT).map_err(|error| error.to_string())?;
        let bytes = found.ok_or_else(|| format!("there is nothing at {url}"))?;
        serde_json::from_slice(&bytes).map_err(|error| format!("what is at {url} cannot be read: {error}"))
    }
}

impl Provider {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fresh(&self) -> Option<Arc<Described>> {
        self.known().kept(FRESH)
    }
}

impl Known {
    /// What the provider said, unless that is longer ago.
    fn kept(&self, ago: Duration) -> Option<Arc<Described>> {
        self.described.as_ref().filter(|(_, at)| at.elapsed() < ago).map(|(described, _)| described.clone())
    }
}

/// Why a token is not believed: another signature may be that of another key.
enum Refused {
    Signature,
    Otherwise(IdentityError),
}

impl From<Refused> for IdentityError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Signature => Self::NotGood("its signature is not the provider's".to_owned()),
            Refused::Otherwise(error) => error,
        }
    }
}

/// Refuses a token that says itself that it is good no longer, or for somebody else. What it says is not believed: it is checked again
/// once its signature is.
fn worth_asking(token: &str, expected: &Expected<'_>) -> Result<(), IdentityError> {
    #[derive(Deserialize)]
    struct Said {
        exp: i64,
        aud: Audience,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Several(Vec<String>),
    }
    let bad = |reason: &str| Err(IdentityError::NotGood(reason.to_owned()));
    let Said { exp, aud } = insecure_decode_claims(token).map_err(|error| malformed(&error))?;
    let is_meant = |audience: &String| expected.audiences.contains(audience);
    let is_ours = match &aud {
        Audience::One(one) => is_meant(one),
        Audience::Several(several) => several.iter().any(is_meant),
    };
    match () {
        () if exp < now() - LEEWAY => bad("it has expired"),
        () if exp > now() + LONGEST_LIFE => bad(TOO_LONG),
        () if !is_ours => bad(OTHER_AUDIENCE),
        () => Ok(()),
    }
}

const TOO_LONG: &str =
    "it is good for more than a day, which is too long for what proves who somebody is now";

const OTHER_AUDIENCE: &str = "it is meant for somebody else (`aud`)";

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
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

/// What a token says, if it is good by one of these keys.
fn checked(
    token: &str,
    issuer: &Issuer,
    header: &Header,
    keys: &JwkSet,
    expected: &Expected<'_>,
) -> Result<Claims, Refused> {
    let bad = |reason: &str| Err(Refused::Otherwise(IdentityError::NotGood(reason.to_owned())));
    let key = match chosen(keys, header) {
        Some(key) => key.map_err(Refused::Otherwise)?,
        None => return bad("it is signed by none of the provider's keys"),
    };
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[issuer.as_str()]);
    validation.set_audience(expected.audiences);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_nbf = true;
    validation.leeway = LEEWAY.unsigned_abs();
    let claims = decode::<Claims>(token, &key, &validation).map_err(|error| not_good(&error))?.claims;
    if claims.iat.is_some_and(|issued| issued > now() + LEEWAY) {
        return bad("it was issued in the future");
    }
    if claims.expires() > now() + LONGEST_LIFE {
        return bad(TOO_LONG);
    }
    if expected.nonce.is_some() && claims.nonce.as_deref() != expected.nonce {
        return bad("it answers another question than was asked");
    }
    if expected.nonce.is_some() && claims.azp.as_ref().is_some_and(|azp| !expected.audiences.contains(azp)) {
        return bad("it was given to another program");
    }
    // OpenID Connect Core, section 3.1.3.7: of a token for several, it is said which of them asked for it.
    if expected.nonce.is_some() && claims.has_several_audiences() && claims.azp.is_none() {
        return bad(
            "it is meant for several programs, and does not say which of them it was given to (`azp`)",
        );
    }
    match claims.has_subject() {
        true => Ok(claims),
        false => bad("its subject is empty, too long, or cannot be written down"),
    }
}

fn malformed(error: &Error) -> IdentityError {
    IdentityError::Malformed(error.to_string())
}

fn not_good(error: &Error) -> Refused {
    let reason = match error.kind() {
        ErrorKind::ExpiredSignature => "it has expired",
        ErrorKind::ImmatureSignature => "it is not good yet",
        ErrorKind::InvalidAudience => OTHER_AUDIENCE,
        ErrorKind::InvalidIssuer => "it is of another provider (`iss`)",
        ErrorKind::InvalidSignature => return Refused::Signature,
        ErrorKind::MissingRequiredClaim(claim) => {
            return Refused::Otherwise(IdentityError::NotGood(format!("it does not say `{claim}`")));
        }
        _ => return Refused::Otherwise(IdentityError::NotGood(error.to_string())),
    };
    Refused::Otherwise(IdentityError::NotGood(reason.to_owned()))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::decode_header;
    use jsonwebtoken::jwk::JwkSet;
    use ring::rand::SystemRandom;
    use ring::signature::{Ed25519KeyPair, KeyPair as _};
    use serde_json::{Value, json};

    use super::{Expected, IdentityError, Issuer, Refused, checked, install, now};

    /// What is told of a token that says this besides what it must.
    fn told(says: &Value, nonce: Option<&str>) -> Result<(), String> {
        install();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let x = URL_SAFE_NO_PAD.encode(pair.public_key());
        let keys =
            json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "one", "alg": "EdDSA" }] });
        let keys: JwkSet = serde_json::from_value(keys).unwrap();
        let mut claims = json!({
            "iss": "https://id.example", "sub": "ann", "aud": "weir", "exp": now() + 60, "nonce": "asked",
        });
        claims.as_object_mut().unwrap().extend(says.as_object().unwrap().clone());
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({ "alg": "EdDSA", "kid": "one" })), part(&claims));
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(pair.sign(signed.as_bytes())));
        let issuer = Issuer::parse("https://id.example", false).unwrap();
        let header = decode_header(&token).unwrap();
        let audiences = ["weir".to_owned()];
        let expected = Expected { audiences: &audiences, nonce };
        match checked(&token, &issuer, &header, &keys, &expected) {
            Ok(_) => Ok(()),
            Err(Refused::Otherwise(IdentityError::NotGood(reason))) => Err(reason),
            Err(_) => Err("another reason".to_owned()),
        }
    }

    #[test]
    fn of_a_token_for_several_it_is_said_that_this_program_asked_for_it() {
        let asked = Some("asked");
        assert_eq!(told(&json!({}), asked), Ok(()));
        assert_eq!(told(&json!({ "azp": "weir" }), asked), Ok(()));
        assert_eq!(told(&json!({ "aud": ["weir", "other"], "azp": "weir" }), asked), Ok(()));
        for (says, reason) in [
            (json!({ "azp": "other" }), "another program"),
            (json!({ "aud": ["weir", "other"] }), "several programs"),
            (json!({ "aud": ["weir", "other"], "azp": "other" }), "another program"),
            (json!({ "nonce": "other" }), "another question"),
        ] {
            let refused = told(&says, asked).unwrap_err();
            assert!(refused.contains(reason), "{says}: {refused}");
        }
        // A job of a build server asked nothing here: for whom else its token is says nothing.
        assert_eq!(told(&json!({ "aud": ["weir", "other"], "azp": "ci" }), None), Ok(()));
    }
}
