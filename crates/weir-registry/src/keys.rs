//! The keys of registries in a folder of this machine: one file a key, named by the key, readable by its owner only.
//!
//! ```text
//! <name>-<12 hex of the key's digest>.key     the key in C2SP's spelling, and on the next line the place it signs for
//! ```
//!
//! A file is made once and its key never changes: registries of one name do not share keys, and a key that was followed by
//! another stays. A key signs for one place only. A registry's folder can be copied, and whoever publishes into the
//! copy would sign a second log of the same name, which readers take for treason; so moving a registry is said
//! ([`KeyFolder::bind`]) and not guessed.

use std::path::{Path, PathBuf};

use weir_log::{Origin, Signers, SigningKey, VerifyingKey};
use weir_model::Sha256;
use weir_policy::Authorized;

use crate::ports::{Keys, KeysError};
use crate::trust::rotation;

/// The keys that a machine keeps, as the registry at one place may use them.
#[derive(Debug, Clone)]
pub struct KeyFolder {
    folder: PathBuf,
    place: String,
}

/// A key as it is kept.
struct Kept {
    key: SigningKey,
    place: String,
}

impl KeyFolder {
    /// The keys in `folder`, for the registry at `place`.
    pub fn new(folder: impl Into<PathBuf>, place: impl Into<String>) -> Self {
        Self { folder: folder.into(), place: place.into() }
    }

    /// Where a key is, or would be.
    pub fn path(&self, key: &VerifyingKey) -> PathBuf {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' };
        let name: String = key.origin().as_str().chars().map(plain).take(80).collect();
        self.folder.join(format!("{name}-{}.key", Sha256::of(key.to_string()).short()))
    }

    /// Whether one of `keys` is kept here, wherever it signs for.
    pub fn has_any(&self, keys: &[VerifyingKey]) -> bool {
        keys.iter().any(|key| self.path(key).is_file())
    }

    /// Has those of `keys` that are kept here sign for this place, and no longer for the one before. Gives the places that they
    /// signed for.
    ///
    /// # Errors
    ///
    /// When none is kept, or they cannot be written.
    pub fn bind(&self, keys: &[VerifyingKey]) -> Result<Vec<String>, KeysError> {
        let before = self.places(keys)?;
        for key in keys {
            if let Some(kept) = self.read(key)?.filter(|kept| kept.place != self.place) {
                write(&self.folder, &self.path(key), &text(&kept.key, &self.place))?;
            }
        }
        Ok(before)
    }

    /// The places that those of `keys` sign for which are kept here.
    ///
    /// # Errors
    ///
    /// When none is kept, or one cannot be read.
    pub fn places(&self, keys: &[VerifyingKey]) -> Result<Vec<String>, KeysError> {
        let mut places = Vec::new();
        for key in keys {
            places.extend(self.read(key)?.map(|kept| kept.place));
        }
        if places.is_empty() { Err(self.missing(keys)) } else { Ok(places) }
    }

    fn read(&self, key: &VerifyingKey) -> Result<Option<Kept>, KeysError> {
        let path = self.path(key);
        let text = match weir_fs::read_text(&path, MAX_KEY_FILE) {
            Err(error) if error.is_not_found() => return Ok(None),
            text => text.map_err(std::io::Error::other)?,
        };
        let kept =
            parse(&text).map_err(|reason| KeysError::Bad { place: path.display().to_string(), reason })?;
        if kept.key.verifying_key() == key {
            return Ok(Some(kept));
        }
        Err(KeysError::Bad { place: path.display().to_string(), reason: "it is another key's".into() })
    }

    /// A key that may sign here.
    fn usable(&self, key: &VerifyingKey) -> Result<Option<SigningKey>, KeysError> {
        match self.read(key)? {
            Some(kept) if kept.place != self.place => Err(KeysError::OtherPlace {
                origin: key.origin().to_string(),
                bound: kept.place,
                here: self.place.clone(),
            }),
            kept => Ok(kept.map(|kept| kept.key)),
        }
    }

    fn missing(&self, keys: &[VerifyingKey]) -> KeysError {
        KeysError::Missing {
            origin: keys.first().map(|key| key.origin().to_string()).unwrap_or_default(),
            keys: keys.iter().map(ToString::to_string).collect(),
            place: self.folder.display().to_string(),
        }
    }
}

/// The longest file of a key that is read, in bytes.
const MAX_KEY_FILE: u64 = 16 << 10;

impl Keys for KeyFolder {
    fn kept(&self, origin: &Origin) -> Result<Vec<VerifyingKey>, KeysError> {
        let entries = match fs_err::read_dir(&self.folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut kept = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "key")
                && let Ok(text) = weir_fs::read_text(&path, MAX_KEY_FILE)
                && let Ok(key) = parse(&text)
                && key.key.origin() == origin
            {
                kept.push(key.key.verifying_key().clone());
            }
        }
        Ok(kept)
    }

    fn generate(&self, _: &Authorized, origin: &Origin) -> Result<VerifyingKey, KeysError> {
        let key = SigningKey::generate(origin)?;
        write(&self.folder, &self.path(key.verifying_key()), &text(&key, &self.place))?;
        Ok(key.verifying_key().clone())
    }

    fn signers(&self, keys: &[VerifyingKey]) -> Result<Signers, KeysError> {
        let mut usable = Vec::new();
        for key in keys {
            usable.extend(self.usable(key)?);
        }
        if usable.is_empty() { Err(self.missing(keys)) } else { Ok(Signers::new(usable)?) }
    }

    fn vouch(&self, _: &Authorized, old: &VerifyingKey, new: &VerifyingKey) -> Result<String, KeysError> {
        let old = self.usable(old)?.ok_or_else(|| self.missing(std::slice::from_ref(old)))?;
        rotation(&old, std::slice::from_ref(new))
            .map_err(|reason| KeysError::Io(std::io::Error::other(reason)))
    }
}

fn text(key: &SigningKey, place: &str) -> String {
    format!("{}\nplace {place}\n", key.secret_text())
}

fn parse(text: &str) -> Result<Kept, String> {
    let (key, place) =
        text.split_once('\n').ok_or("it has no second line, which says where the key signs")?;
    let place = place.strip_suffix('\n').and_then(|place| place.strip_prefix("place "));
    Ok(Kept {
        key: key.parse().map_err(|error: weir_log::KeyError| error.to_string())?,
        place: place.ok_or("its second line is not `place …`")?.to_owned(),
    })
}

/// Keeps a key where only its owner may read it.
fn write(folder: &Path, path: &Path, text: &str) -> Result<(), std::io::Error> {
    fs_err::create_dir_all(folder)?;
    weir_fs::replace(path, text.as_bytes(), weir_fs::Access::Private, weir_fs::Durability::Durable)
        .map_err(std::io::Error::other)
}
