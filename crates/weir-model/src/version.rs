//! Versions: SemVer 2.0 without build metadata.
//!
//! Build metadata (`+linux`) is refused because two versions that differ only
//! there are equal in precedence, and a release must have one place in the order.
//! Elm's and BacPack's `v1.2.3` are spellings of a *tag*, read by [`Version::from_tag`].

use std::fmt;
use std::str::FromStr;

/// A version: `1.2.3` or, for a pre-release, `1.2.3-beta.1`.
///
/// Ordered by SemVer precedence, in which a pre-release comes before its release.
/// Cloning allocates nothing unless the pre-release part is longer than eight bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(semver::Version);

/// Why a text is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Nothing was written.
    #[error("the version is empty: expected one such as `1.2.3`")]
    Empty,
    /// Longer than [`Version::MAX_LENGTH`].
    #[error("the version is {length} bytes long: at most {max} are allowed", max = Version::MAX_LENGTH)]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// A SemVer version, but with a `+build` part.
    #[error("`{text}` carries build metadata, which releases cannot have: use `{without}`")]
    BuildMetadata {
        /// What was read.
        text: String,
        /// The same version without its build metadata.
        without: String,
    },
    /// Not SemVer.
    #[error("`{text}` is not a version: {reason}{}", Suggested(suggestion))]
    Malformed {
        /// What was read, cut to a printable length.
        text: String,
        /// What is wrong with it.
        reason: String,
        /// The version that was probably meant.
        suggestion: Option<String>,
    },
}

impl Version {
    /// The longest text read as a version, in bytes.
    pub const MAX_LENGTH: usize = 128;

    /// The release `major.minor.patch`.
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self(semver::Version::new(major, minor, patch))
    }

    /// Reads the name of a tag: a version with or without a leading `v`. Numbers that are left out are zero: `v1.9` is 1.9.0.
    pub fn from_tag(tag: &str) -> Result<Self, VersionError> {
        let text = tag.strip_prefix('v').unwrap_or(tag);
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let numbers = text.split('.').count();
        if numbers < 3 && text.split('.').all(is_number) {
            return format!("{text}{}", &".0.0"[2 * (numbers - 1)..]).parse();
        }
        text.parse()
    }

    /// The first number.
    pub const fn major(&self) -> u64 {
        self.0.major
    }

    /// The second number.
    pub const fn minor(&self) -> u64 {
        self.0.minor
    }

    /// The third number.
    pub const fn patch(&self) -> u64 {
        self.0.patch
    }

    /// What follows the `-`; empty for a release.
    pub fn prerelease(&self) -> &str {
        self.0.pre.as_str()
    }

    /// Whether this is a pre-release.
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }

    /// The release that a pre-release leads to; a release itself.
    pub const fn without_prerelease(&self) -> Self {
        Self::new(self.0.major, self.0.minor, self.0.patch)
    }

    /// The same version as the `semver` crate has it.
    pub(crate) const fn as_semver(&self) -> &semver::Version {
        &self.0
    }

    /// The lowest pre-release of `major.minor.patch`: below it lies nothing of that version.
    pub(crate) fn floor_of(major: u64, minor: u64, patch: u64) -> Self {
        let mut version = semver::Version::new(major, minor, patch);
        version.pre = semver::Prerelease::new("0").expect("`0` is a pre-release identifier");
        Self(version)
    }

    /// From parts that the `semver` crate has already checked.
    pub(crate) const fn from_parts(major: u64, minor: u64, patch: u64, pre: semver::Prerelease) -> Self {
        Self(semver::Version { major, minor, patch, pre, build: semver::BuildMetadata::EMPTY })
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        if text.is_empty() {
            return Err(VersionError::Empty);
        }
        if text.len() > Self::MAX_LENGTH {
            return Err(VersionError::TooLong { length: text.len() });
        }
        let mut version = semver::Version::parse(text).map_err(|error| VersionError::Malformed {
            text: printable(text),
            reason: error.to_string(),
            suggestion: mended(text),
        })?;
        if version.build.is_empty() {
            return Ok(Self(version));
        }
        version.build = semver::BuildMetadata::EMPTY;
        Err(VersionError::BuildMetadata { text: text.to_owned(), without: version.to_string() })
    }
}

/// The version that a malformed text probably meant: without a leading `v` or
/// `=`, white space and leading zeros, and with all three numbers.
fn mended(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches(['v', 'V', '=']).trim_start();
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let rest = rest.split('+').next().unwrap_or_default();
    let mut numbers: Vec<&str> = numbers.split('.').map(without_leading_zeros).collect();
    while numbers.len() < 3 {
        numbers.push("0");
    }
    let candidate = format!("{}{rest}", numbers.join("."));
    semver::Version::parse(&candidate).ok().map(|version| version.to_string())
}

fn without_leading_zeros(number: &str) -> &str {
    let stripped = number.trim_start_matches('0');
    if stripped.is_empty() && !number.is_empty() { "0" } else { stripped }
}

/// Text from outside, made safe and short enough to stand in a message.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .take(80)
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}

/// Shows a suggestion as the end of a message, or nothing.
pub(crate) struct Suggested<'a>(pub(crate) &'a Option<String>);

impl fmt::Display for Suggested<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(suggestion) => write!(f, "; did you mean `{suggestion}`?"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl schemars::JsonSchema for Version {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A version, such as `1.4.2`.",
            "pattern": r"^(?:(?:0|[1-9][0-9]{0,18})\.){2}(?:0|[1-9][0-9]{0,18})(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?$",
            "maxLength": Self::MAX_LENGTH,
        })
    }
}

impl serde::Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    fn message(text: &str) -> String {
        text.parse::<Version>().map(|version| version.to_string()).unwrap_err().to_string()
    }

    #[test]
    fn a_version_reads_back_what_it_prints() {
        for text in ["0.0.0", "1.2.3", "1.0.0-alpha.1", "18446744073709551615.0.0"] {
            assert_eq!(text.parse::<Version>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_prerelease_comes_before_its_release_and_its_floor_before_both() {
        let release = Version::new(1, 2, 3);
        let alpha: Version = "1.2.3-alpha".parse().unwrap();
        assert!(alpha < release && Version::floor_of(1, 2, 3) < alpha && Version::new(1, 2, 2) < alpha);
        assert_eq!(alpha.without_prerelease(), release);
        assert!(alpha.is_prerelease() && !release.is_prerelease());
    }

    #[test]
    fn tags_are_read_with_or_without_a_v() {
        assert_eq!(Version::from_tag("v2.1.0"), Ok(Version::new(2, 1, 0)));
        assert_eq!(Version::from_tag("2.1.0"), Ok(Version::new(2, 1, 0)));
        assert_eq!(Version::from_tag("v1.9"), Ok(Version::new(1, 9, 0)));
        assert_eq!(Version::from_tag("7"), Ok(Version::new(7, 0, 0)));
        for odd in ["vv2.1.0", "1.", ".1", "1.x", "01.2", "", "v", "main"] {
            assert!(Version::from_tag(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn errors_say_what_was_probably_meant() {
        for (text, meant) in [
            ("1.2", "1.2.0"),
            ("1", "1.0.0"),
            ("v1.2.3", "1.2.3"),
            (" 1.2.3", "1.2.3"),
            ("01.2.03", "1.2.3"),
            ("1.2-rc.1", "1.2.0-rc.1"),
        ] {
            assert!(message(text).contains(&format!("did you mean `{meant}`?")), "{text}: {}", message(text));
        }
        assert!(message("1.2.3+linux").ends_with("use `1.2.3`"));
        assert!(!message("latest").contains("did you mean"));
        assert!(!message("1.2.3.4").contains("did you mean"));
    }

    #[test]
    fn empty_and_overlong_texts_and_control_characters_are_refused_readably() {
        assert!(message("").contains("empty"));
        assert!(message(&format!("1.0.0-{}", "a".repeat(200))).contains("at most 128"));
        assert!(!message("1.0\u{1b}[31m").contains('\u{1b}'));
    }
}
