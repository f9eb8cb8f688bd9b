//! Which keys a machine trusts for which registry.
//!
//! A registry's keys are trusted on first use, or given, and pinned from then on: a small file for
//! each registry, named by the digest of its location. A registry changes its key by a *rotation*: a
//! note, signed by the old key, that names the new ones. A client follows the chain of rotations from
//! the key it pinned, however long it was away.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use signed_note::{Note, Signer, StandardSigner, StandardVerifier, Verifier, VerifierList};
use weir_fs::{Access, Durability};
use weir_log::{Origin, SigningKey, TrustedKeys, VerifyingKey};
use weir_model::Sha256;

/// Bytes that the file of a pin may have.
const MAX_PIN: u64 = 1 << 20;

/// So many registries are looked through for other places of one.
const MOST_PLACES: usize = 10_000;

/// How many rotations a chain may have.
const MAX_ROTATIONS: usize = 1000;

/// The first line of a rotation's text.
const ROTATION_HEADER: &str = "weir-keys v1";

/// The registries a machine has met, each with its pinned keys.
#[derive(Debug, Clone)]
pub struct Trust {
    folder: PathBuf,
}

/// What is pinned for one registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// Where the registry is: a folder or an address.
    pub location: String,
    /// The name of its log.
    pub origin: String,
    /// Its keys, as C2SP verifier keys.
    pub keys: Vec<String>,
}

/// Why a registry is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The pin's file cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The pin's file does not read as one.
    #[error("`{}` does not read as pinned keys: {reason}", path.display())]
    BadPin {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A key is not one.
    #[error(transparent)]
    BadKey(#[from] weir_log::KeyError),
    /// The registry has another name than when it was met.
    #[error("the registry at `{location}` was `{pinned}` when it was first used, and is `{offered}` now")]
    OtherOrigin {
        /// Where it is.
        location: String,
        /// The name that is pinned.
        pinned: String,
        /// The name it has now.
        offered: String,
    },
    /// The key asked for is not the registry's.
    #[error(
        "the registry at `{location}` is not signed by the key that was given: {given}\nits own keys: {offered}"
    )]
    OtherKey {
        /// Where it is.
        location: String,
        /// The key given.
        given: String,
        /// The keys it names itself.
        offered: String,
    },
    /// The key that was given is not the one that this machine has pinned, and no rotation leads from one to the other.
    #[error(
        "the key that was given for the registry at `{location}` is not the one this machine knows it by\ngiven: {given}\npinned: {pinned}"
    )]
    GivenNotPinned {
        /// Where it is.
        location: String,
        /// The key given.
        given: String,
        /// The keys that are pinned.
        pinned: String,
    },
    /// A rotation of keys is not signed by the key before it.
    #[error(
        "the registry at `{location}` names new keys that the pinned key does not vouch for: {reason}\npinned: {pinned}\noffered: {offered}"
    )]
    BadRotation {
        /// Where it is.
        location: String,
        /// What is wrong.
        reason: String,
        /// The keys that are pinned.
        pinned: String,
        /// The keys it names now.
        offered: String,
    },
}

impl Trust {
    /// Pins are kept in `folder`, which is made when the first is.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn path(&self, location: &str) -> PathBuf {
        self.folder.join(format!("{}.json", Sha256::of(location).short()))
    }

    /// What is pinned for the registry at `location`.
    ///
    /// # Errors
    ///
    /// When the pin's file is there but cannot be used: it is never taken for "not pinned".
    pub fn pin(&self, location: &str) -> Result<Option<Pin>, TrustError> {
        let path = self.path(location);
        let text = match weir_fs::read(&path, MAX_PIN) {
            Ok(text) => text,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(std::io::Error::from(error).into()),
        };
        let pin: Pin = serde_json::from_slice(&text)
            .map_err(|error| TrustError::BadPin { path: path.clone(), reason: error.to_string() })?;
        if pin.location != location {
            return Err(TrustError::BadPin { path, reason: format!("it is about `{}`", pin.location) });
        }
        Ok(Some(pin))
    }

    /// All that is pinned for registries that call themselves `origin`, wherever they are; of more than [`MOST_PLACES`] files not all are
    /// looked at.
    ///
    /// # Errors
    ///
    /// When the folder or a file cannot be read.
    pub(crate) fn pins_of(&self, origin: &str) -> Result<Vec<Pin>, TrustError> {
        let files = match fs_err::read_dir(&self.folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            files => files?,
        };
        let mut pins = Vec::new();
        for file in files.take(MOST_PLACES) {
            let path = file?.path();
            let Ok(bytes) = weir_fs::read(&path, MAX_PIN) else { continue };
            // What does not read is told by whoever asks for that registry.
            let pin = serde_json::from_slice::<Pin>(&bytes);
            pins.extend(pin.ok().filter(|pin| pin.origin == origin && self.path(&pin.location) == path));
        }
        Ok(pins)
    }

    /// Pins keys, in place of what was pinned before.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn set(&self, pin: &Pin) -> Result<(), TrustError> {
        let text = serde_json::to_vec_pretty(pin).expect("strings are JSON");
        let path = self.path(&pin.location);
        Ok(weir_fs::replace(path, text, Access::Private, Durability::Durable)
            .map_err(std::io::Error::from)?)
    }

    /// Forgets what is pinned for the registry at `location`.
    ///
    /// # Errors
    ///
    /// When the file cannot be removed.
    pub fn forget(&self, location: &str) -> Result<(), TrustError> {
        match fs_err::remove_file(self.path(location)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The keys to trust for the registry at `location`, which calls itself `origin` and names `offered` keys:
    /// the pinned ones, or those that `rotations` lead to from them; `given` ones; or, on first use, the offered ones.
    ///
    /// # Errors
    ///
    /// When the registry is not the one that was met before, or not the one that was meant.
    pub fn decide(
        &self,
        location: &str,
        origin: &str,
        offered: &[String],
        rotations: &[String],
        given: Option<&str>,
    ) -> Result<TrustedKeys, TrustError> {
        let pinned = self.pin(location)?;
        if let Some(pin) = &pinned
            && pin.origin != origin
        {
            let (pinned, offered) = (pin.origin.clone(), origin.to_owned());
            return Err(TrustError::OtherOrigin { location: location.into(), pinned, offered });
        }
        let start = match (&pinned, given) {
            (Some(pin), _) => pin.keys.clone(),
            (None, Some(key)) => vec![key.to_owned()],
            (None, None) => offered.to_vec(),
        };
        let keys = if same_set(&start, offered) {
            start
        } else {
            follow_rotations(&start, rotations).map_err(|reason| match given {
                Some(given) if pinned.is_none() => TrustError::OtherKey {
                    location: location.into(),
                    given: given.into(),
                    offered: offered.join(", "),
                },
                _ => TrustError::BadRotation {
                    location: location.into(),
                    reason,
                    pinned: start.join(", "),
                    offered: offered.join(", "),
                },
            })?
        };
        if let (Some(pin), Some(given)) = (&pinned, given)
            && !vouches(given, &keys, rotations)
        {
            return Err(not_pinned(pin, given));
        }
        let trusted = parse_keys(&keys)?;
        if trusted.origin().as_str() != origin {
            let pinned = trusted.origin().to_string();
            return Err(TrustError::OtherOrigin {
                location: location.into(),
                pinned,
                offered: origin.into(),
            });
        }
        if pinned.as_ref().is_none_or(|pin| pin.keys != keys) {
            self.set(&Pin { location: location.into(), origin: origin.into(), keys })?;
        }
        Ok(trusted)
    }
}

/// Whether a key that was given is one of `keys`, or an older one whose rotations lead to them.
pub(crate) fn vouches(given: &str, keys: &[String], rotations: &[String]) -> bool {
    keys.iter().any(|key| key == given)
        || follow_rotations(&[given.to_owned()], rotations).is_ok_and(|led_to| same_set(&led_to, keys))
}

pub(crate) fn not_pinned(pin: &Pin, given: &str) -> TrustError {
    let (location, pinned) = (pin.location.clone(), pin.keys.join(", "));
    TrustError::GivenNotPinned { location, given: given.into(), pinned }
}

fn same_set(one: &[String], other: &[String]) -> bool {
    one.iter().all(|key| other.contains(key)) && other.iter().all(|key| one.contains(key))
}

/// Reads C2SP verifier keys into a set to trust.
///
/// # Errors
///
/// When one is malformed, there is none, or they are of several origins.
pub fn parse_keys(keys: &[String]) -> Result<TrustedKeys, weir_log::KeyError> {
    TrustedKeys::new(keys.iter().map(|key| key.parse()).collect::<Result<Vec<VerifyingKey>, _>>()?)
}

/// A rotation: the text that names the new keys, signed by an old one.
///
/// # Errors
///
/// When the old key does not sign, or a new one is of another origin.
pub(crate) fn rotation(old: &SigningKey, new: &[VerifyingKey]) -> Result<String, String> {
    let mut text = format!("{ROTATION_HEADER}\n{}\n", old.origin());
    for key in new {
        text.push_str(&format!("{key}\n"));
    }
    let signer = StandardSigner::new(old.secret_text()).map_err(|error| error.to_string())?;
    let mut note = Note::new(text.as_bytes(), &[]).map_err(|error| error.to_string())?;
    note.add_sigs(&[&signer as &dyn Signer]).map_err(|error| error.to_string())?;
    String::from_utf8(note.to_bytes()).map_err(|error| error.to_string())
}

/// The keys that `rotations` lead to from `keys`, each signed by one of the keys before it.
fn follow_rotations(keys: &[String], rotations: &[String]) -> Result<Vec<String>, String> {
    if rotations.len() > MAX_ROTATIONS {
        return Err(format!("more than {MAX_ROTATIONS} rotations"));
    }
    let mut trusted = keys.to_vec();
    let mut moved = false;
    for rotation in rotations {
        if let Some(next) = keys_of_rotation(rotation, &trusted)? {
            trusted = next;
            moved = true;
        }
    }
    if moved { Ok(trusted) } else { Err("no rotation is signed by it".into()) }
}

/// The keys that a rotation names, if one of `trusted` signed it.
fn keys_of_rotation(rotation: &str, trusted: &[String]) -> Result<Option<Vec<String>>, String> {
    let note = Note::from_bytes(rotation.as_bytes()).map_err(|error| error.to_string())?;
    let mut verifiers: Vec<Box<dyn Verifier>> = Vec::new();
    for key in trusted {
        verifiers.push(Box::new(StandardVerifier::new(key).map_err(|error| error.to_string())?));
    }
    match note.verify(&VerifierList::new(verifiers)) {
        Ok((valid, _)) if !valid.is_empty() => {}
        // A rotation of before the pin: not for us to judge.
        _ => return Ok(None),
    }
    let text = std::str::from_utf8(note.text()).map_err(|error| error.to_string())?;
    let mut lines = text.lines();
    if lines.next() != Some(ROTATION_HEADER) {
        return Err("a rotation is of a format this program does not know".into());
    }
    let origin = lines.next().unwrap_or_default();
    let next: Vec<String> = lines.map(str::to_owned).collect();
    let parsed = parse_keys(&next).map_err(|error| error.to_string())?;
    let wanted = Origin::new(origin).map_err(|error| error.to_string())?;
    if parsed.origin() == &wanted {
        Ok(Some(next))
    } else {
        Err("a rotation names keys of another registry".into())
    }
}

#[cfg(test)]
mod tests {
    use super::{Trust, TrustError, rotation};
    use weir_log::{Origin, SigningKey};

    fn key() -> SigningKey {
        SigningKey::generate(&Origin::new("org").unwrap()).unwrap()
    }

    fn text(key: &SigningKey) -> Vec<String> {
        vec![key.verifying_key().to_string()]
    }

    #[test]
    fn a_key_is_trusted_on_first_use_and_pinned_from_then_on() {
        let folder = tempfile::tempdir().unwrap();
        let trust = Trust::new(folder.path());
        let (first, other) = (key(), key());
        trust.decide("/reg", "org", &text(&first), &[], None).unwrap();
        trust.decide("/reg", "org", &text(&first), &[], None).unwrap();
        let error = trust.decide("/reg", "org", &text(&other), &[], None).unwrap_err();
        assert!(matches!(error, TrustError::BadRotation { .. }), "{error}");
        let error = trust.decide("/reg", "other", &text(&first), &[], None).unwrap_err();
        assert!(matches!(error, TrustError::OtherOrigin { .. }), "{error}");
    }

    #[test]
    fn a_key_that_was_given_is_the_only_one_believed() {
        let folder = tempfile::tempdir().unwrap();
        let trust = Trust::new(folder.path());
        let (real, evil) = (key(), key());
        let given = real.verifying_key().to_string();
        let error = trust.decide("/reg", "org", &text(&evil), &[], Some(&given)).unwrap_err();
        assert!(matches!(error, TrustError::OtherKey { .. }), "{error}");
        trust.decide("/reg", "org", &text(&real), &[], Some(&given)).unwrap();
    }

    #[test]
    fn a_key_that_was_given_must_be_the_pinned_one_or_lead_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let trust = Trust::new(folder.path());
        let (first, second, other) = (key(), key(), key());
        trust.decide("/reg", "org", &text(&first), &[], None).unwrap();
        let given = other.verifying_key().to_string();
        let error = trust.decide("/reg", "org", &text(&first), &[], Some(&given)).unwrap_err();
        assert!(error.to_string().contains(&given), "{error}");
        assert!(error.to_string().contains(&text(&first)[0]), "{error}");
        let chain = vec![rotation(&first, &[second.verifying_key().clone()]).unwrap()];
        for given in [&first, &second] {
            let given = given.verifying_key().to_string();
            trust.decide("/reg", "org", &text(&second), &chain, Some(&given)).unwrap();
        }
        let error = trust.decide("/reg", "org", &text(&second), &chain, Some(&given)).unwrap_err();
        assert!(matches!(error, TrustError::GivenNotPinned { .. }), "{error}");
    }

    #[test]
    fn a_chain_of_rotations_leads_from_the_pinned_key_to_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let trust = Trust::new(folder.path());
        let (first, second, third, evil) = (key(), key(), key(), key());
        trust.decide("/reg", "org", &text(&first), &[], None).unwrap();
        let chain = vec![
            rotation(&first, &[second.verifying_key().clone()]).unwrap(),
            rotation(&second, &[third.verifying_key().clone()]).unwrap(),
        ];
        let keys = trust.decide("/reg", "org", &text(&third), &chain, None).unwrap();
        assert_eq!(keys.keys(), [third.verifying_key().clone()]);
        let forged = vec![rotation(&evil, &[evil.verifying_key().clone()]).unwrap()];
        assert!(trust.decide("/reg", "org", &text(&evil), &forged, None).is_err());
    }
}
