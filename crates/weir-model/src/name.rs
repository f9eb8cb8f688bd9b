//! Package names, `owner/name`.
//!
//! Case is kept and compared exactly; [`PackageName::confusable`] gives the form in
//! which a registry compares names so that two of them can never be mistaken for one another.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::unseen::Named as _;

/// The longest owner or name, in bytes.
pub const MAX_PART_BYTES: usize = 64;

/// The name of a package: an owner and a name, joined by `/`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName {
    text: Arc<str>,
    slash: u8,
}

/// The part of a package's name before the `/`: who the name belongs to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerName(Arc<str>);

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}: {reason}")]
pub struct NameError {
    /// `a package name` or `an owner name`.
    pub what: &'static str,
    /// What was read, cut to a printable length.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl PackageName {
    /// The part before the `/`.
    pub fn owner(&self) -> &str {
        &self.text[..usize::from(self.slash)]
    }

    /// The part after the `/`.
    pub fn name(&self) -> &str {
        &self.text[usize::from(self.slash) + 1..]
    }

    /// The whole name, `owner/name`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The owner, as a name of its own.
    pub fn owner_name(&self) -> OwnerName {
        OwnerName(self.owner().into())
    }

    /// The form in which two names that a person could mistake for each other are equal:
    /// lower case, with `-`, `_` and `.` alike.
    pub fn confusable(&self) -> String {
        confusable(&self.text)
    }
}

impl OwnerName {
    /// The owner as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As [`PackageName::confusable`].
    pub fn confusable(&self) -> String {
        confusable(&self.0)
    }
}

fn confusable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '_' | '.' => '-',
            c => c.to_ascii_lowercase(),
        })
        .collect()
}

fn check_part(part: &str) -> Result<(), String> {
    if part.is_empty() {
        return Err("a part of it is empty".into());
    }
    if part.len() > MAX_PART_BYTES {
        return Err(format!("a part of it is longer than {MAX_PART_BYTES} bytes"));
    }
    if !part.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(format!("`{part}` does not begin with a letter or a digit"));
    }
    if let Some(c) = part.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')) {
        return Err(format!("`{}` is not a letter, a digit, `-`, `_` or `.`", c.named()));
    }
    if part.ends_with('.') {
        return Err(format!("`{part}` ends with a dot"));
    }
    if is_windows_device(part) {
        return Err(format!("`{part}` is the name of a device on Windows"));
    }
    Ok(())
}

/// Whether this can be the name of a reference: it becomes a file name, so it is letters, digits, `-`, `_` and `.`, a
/// letter or digit first and no dot last, at most 64.
pub(crate) fn is_reference_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && !name.ends_with('.')
        && !is_windows_device(name)
}

/// Whether a file of this name would be a device on Windows, whatever its extension and case.
fn is_windows_device(file_name: &str) -> bool {
    let stem = file_name.split('.').next().unwrap_or(file_name).trim_end().to_ascii_lowercase();
    match stem.as_str() {
        "con" | "prn" | "aux" | "nul" | "conin$" | "conout$" => true,
        _ => match stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt")) {
            Some(digit) => {
                matches!(digit, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
            }
            None => false,
        },
    }
}

fn error(what: &'static str, text: &str, reason: impl Into<String>) -> NameError {
    NameError { what, text: text.chars().take(160).collect(), reason: reason.into() }
}

impl FromStr for PackageName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        const WHAT: &str = "a package name";
        let Some((owner, name)) = text.split_once('/') else {
            return Err(error(WHAT, text, "expected `owner/name`"));
        };
        for part in [owner, name] {
            check_part(part).map_err(|reason| error(WHAT, text, reason))?;
        }
        let slash = u8::try_from(owner.len()).map_err(|_| error(WHAT, text, "the owner is too long"))?;
        Ok(Self { text: text.into(), slash })
    }
}

impl FromStr for OwnerName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        check_part(text).map_err(|reason| error("an owner name", text, reason))?;
        Ok(Self(text.into()))
    }
}

/// What a part of a name is, as a regular expression of ECMAScript, but for the names of Windows' devices.
macro_rules! part {
    () => {
        "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?"
    };
}

/// What an owner is, as a regular expression.
const OWNER: &str = concat!("^", part!(), "$");

/// What the name of a package is.
const PACKAGE: &str = concat!("^", part!(), "/", part!(), "$");

/// What all packages of an owner are, or one.
pub(crate) const OWNER_OR_PACKAGE: &str = concat!("^", part!(), "/(?:\\*|", part!(), ")$");

macro_rules! text_form {
    ($type:ty, $what:literal, $pattern:expr) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $what, "pattern": $pattern })
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

text_form!(PackageName, "A package's name, `owner/name`.", PACKAGE);
text_form!(OwnerName, "An owner: the part of a package's name before the `/`.", OWNER);

#[cfg(test)]
mod tests {
    use super::PackageName;

    fn reason(text: &str) -> String {
        text.parse::<PackageName>().unwrap_err().reason
    }

    #[test]
    fn a_name_has_an_owner_and_a_name() {
        let name: PackageName = "acme/greet.sh".parse().unwrap();
        assert_eq!((name.owner(), name.name()), ("acme", "greet.sh"));
    }

    #[test]
    fn what_is_not_a_name_is_refused_with_the_reason() {
        assert_eq!(reason("greet"), "expected `owner/name`");
        assert_eq!(reason("acme/"), "a part of it is empty");
        assert_eq!(reason("acme/greet/more"), "`/` is not a letter, a digit, `-`, `_` or `.`");
        assert_eq!(reason("acme/.hidden"), "`.hidden` does not begin with a letter or a digit");
        assert_eq!(reason("acme/nul.txt"), "`nul.txt` is the name of a device on Windows");
        assert_eq!(reason("acme/greet."), "`greet.` ends with a dot");
        assert_eq!(reason(&format!("acme/{}", "a".repeat(65))), "a part of it is longer than 64 bytes");
    }

    #[test]
    fn names_that_look_alike_are_confusable() {
        let one: PackageName = "acme/Data_Set".parse().unwrap();
        let other: PackageName = "Acme/data-set".parse().unwrap();
        assert_ne!(one, other);
        assert_eq!(one.confusable(), other.confusable());
    }
}
