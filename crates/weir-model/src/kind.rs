//! Kinds of package.

use std::fmt;
use std::str::FromStr;

/// What the lowest crates need of a kind: everything else is in the kind's own crate.
struct Row {
    name: &'static str,
    is_unified: bool,
    bakes: bool,
    tables: &'static [&'static str],
}

/// Makes [`KindName`] and what is known of each from one line a kind.
macro_rules! kinds {
    ($($(#[$meta:meta])* $variant:ident = $code:literal, $name:literal,
        unified: $unified:literal, bakes: $bakes:literal, tables: $tables:expr;)*) => {
        /// What sort of package something is. The behaviour of each kind lives in its own crate.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[repr(u8)]
        pub enum KindName {
            $($(#[$meta])* $variant = $code,)*
        }

        const COUNT: usize = [$($code),*].len();

        impl KindName {
            /// Every kind.
            pub const ALL: [Self; COUNT] = [$(Self::$variant),*];

            const fn row(self) -> &'static Row {
                match self {
                    $(Self::$variant => {
                        &Row { name: $name, is_unified: $unified, bakes: $bakes, tables: &$tables }
                    })*
                }
            }
        }
    };
}

// A kind's number is in every view and snapshot: a new kind takes the next, and none is used again.
kinds! {
    /// Elm packages and applications.
    Elm = 0, "elm", unified: true, bakes: false, tables: ["elm"];
    /// Bash libraries and commands.
    Bash = 1, "bash", unified: false, bakes: true, tables: ["bash"];
    /// C, C++ and other code built for a platform.
    Native = 2, "native", unified: true, bakes: true, tables: ["native", "recipe"];
    /// Data sets.
    Data = 3, "data", unified: false, bakes: true, tables: ["data"];
    /// Files of any sort.
    #[default]
    Generic = 4, "generic", unified: false, bakes: true, tables: [];
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
    /// The kind as people write it.
    pub const fn as_str(self) -> &'static str {
        self.row().name
    }

    /// The kind as views and snapshots number it.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The kind of that number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Whether a closure holds one release a name only. The other kinds are *isolated*:
    /// several versions of one package may stand side by side.
    pub const fn is_unified(self) -> bool {
        self.row().is_unified
    }

    /// Whether a release's dependencies are fixed when it is published.
    pub const fn bakes(self) -> bool {
        self.row().bakes
    }

    /// The tables of a manifest that belong to the kind, and that its crate reads.
    pub const fn tables(self) -> &'static [&'static str] {
        self.row().tables
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

impl schemars::JsonSchema for KindName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "KindName".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "What sort of package it is.",
            "enum": Self::ALL.map(Self::as_str),
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
