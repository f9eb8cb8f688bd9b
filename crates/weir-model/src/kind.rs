//! Kinds of package.

use std::fmt;
use std::str::FromStr;

/// What sort of package something is. The behaviour of each kind lives in its own crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum KindName {
    /// Elm packages and applications.
    Elm,
    /// Bash libraries and commands.
    Bash,
    /// C, C++ and other code built for a platform.
    Native,
    /// Data sets.
    Data,
    /// Files of any sort.
    #[default]
    Generic,
}

/// Why a text is not a kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a kind of package{}", .nearest.map(|n| format!(": did you mean `{n}`?")).unwrap_or_default())]
pub struct KindError {
    /// What was read, cut to a printable length.
    pub text: String,
    /// The kind whose name is nearest.
    pub nearest: Option<&'static str>,
}

impl KindName {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Elm, Self::Bash, Self::Native, Self::Data, Self::Generic];

    /// The kind as people write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Elm => "elm",
            Self::Bash => "bash",
            Self::Native => "native",
            Self::Data => "data",
            Self::Generic => "generic",
        }
    }

    /// Whether a closure holds one release a name only. The other kinds are *isolated*:
    /// several versions of one package may stand side by side.
    pub const fn is_unified(self) -> bool {
        matches!(self, Self::Elm | Self::Native)
    }

    /// Whether a release's dependencies are fixed when it is published.
    pub const fn bakes(self) -> bool {
        !matches!(self, Self::Elm)
    }
}

impl fmt::Display for KindName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for KindName {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| KindError {
            text: text.chars().take(80).collect(),
            nearest: crate::nearest::nearest(text, Self::ALL.iter().map(|kind| kind.as_str())),
        })
    }
}

impl serde::Serialize for KindName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for KindName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
