//! Platforms: where a release runs, `any` or `<machine>-<distribution>-<release>`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Where a release runs: `any`, or a machine, distribution and release such as `x86-64-debian-12`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform(Arc<str>);

/// Why a text is not a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a platform: expected `any` or `<machine>-<distribution>-<release>`, lower case, such as `x86-64-debian-12`"
)]
pub struct PlatformError {
    /// What was read, cut to a printable length.
    pub text: String,
}

impl Platform {
    /// The platform of what runs everywhere.
    pub fn any() -> Self {
        Self("any".into())
    }

    /// Whether this is `any`.
    pub fn is_any(&self) -> bool {
        &*self.0 == "any"
    }

    /// The platform string of a build root: `uname -m`, and `ID` and `VERSION_ID` of its os-release.
    /// Upper case becomes lower case and `_` becomes `-`.
    pub fn from_parts(machine: &str, distribution: &str, release: &str) -> Result<Self, PlatformError> {
        let part = |text: &str| text.to_ascii_lowercase().replace('_', "-");
        let mut text = format!("{}-{}", part(machine), part(distribution));
        if !release.is_empty() {
            text = format!("{text}-{}", part(release));
        }
        text.parse()
    }

    /// The platform as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a release for this platform may be used where `wanted` is asked for.
    pub fn serves(&self, wanted: &Platform) -> bool {
        self.is_any() || self == wanted
    }
}

impl Default for Platform {
    fn default() -> Self {
        Self::any()
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let word = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.')
        };
        let fits = text == "any" || (text.contains('-') && text.len() <= 128 && text.split('-').all(word));
        if !fits || text.contains("..") || text.ends_with('.') {
            return Err(PlatformError { text: text.chars().take(160).collect() });
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl schemars::JsonSchema for Platform {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Platform".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A platform, such as `x86-64-debian-12`; `any` for all.",
            "pattern": r"^(?:any|[a-z0-9]+(?:\.[a-z0-9]+)*(?:-[a-z0-9]+(?:\.[a-z0-9]+)*)+)$",
            "maxLength": 128,
        })
    }
}

impl serde::Serialize for Platform {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Platform {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Platform;

    #[test]
    fn a_platform_is_made_of_what_the_build_root_says() {
        let platform = Platform::from_parts("x86_64", "debian", "12").unwrap();
        assert_eq!(platform.as_str(), "x86-64-debian-12");
        assert_eq!(Platform::from_parts("x86_64", "arch", "").unwrap().as_str(), "x86-64-arch");
    }

    #[test]
    fn upper_case_and_lone_words_are_refused() {
        for text in ["", "linux", "X86-64-debian-12", "x86_64-debian-12", "a--b", "a-b.", "../x-y"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }
}
