//! Advisories: what is known against versions of packages.
//!
//! An advisory is a document of [OSV](https://ossf.github.io/osv-schema/), kept as it was written. What a registry goes by, and its log
//! says, is derived from it by [`Advisory::from_osv`]: which versions of which packages, how bad, since when. The two never differ, for
//! whoever keeps a registry derives it anew, and the log names the document by its digest.

mod osv;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::osv::{ECOSYSTEM, LONGEST_DOCUMENT, OsvError};
use crate::unseen::Named as _;
use crate::{PackageName, Sha256, Version};

/// What a document says of packages of Weir.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Advisory {
    /// What it is called, such as `GHSA-…` or `ACME-2026-0001`.
    pub id: AdvisoryId,
    /// The document, a file of the registry.
    pub document: Sha256,
    /// When its authors changed it last.
    pub modified: Timestamp,
    /// When its authors took it back, if they did: nothing is affected then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Timestamp>,
    /// What others call it, such as `CVE-…`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// How bad it is, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// One line that says what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The packages that are affected, and which versions of each.
    pub affected: Vec<Affected>,
}

/// Versions of a package that are affected: those in any of the ranges, and those that are named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "AffectedVersions")]
pub struct Affected {
    /// The package.
    pub name: PackageName,
    /// Ranges of versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<AffectedRange>,
    /// Single versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Version>,
}

/// A run of versions that are affected, in the order of versions: pre-releases count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
#[schemars(with = "Written")]
pub struct AffectedRange {
    /// The first of them; without one, all from the beginning.
    pub from: Option<Version>,
    /// Where it ends.
    pub end: RangeEnd,
}

/// A run of affected versions, as it is written.
#[derive(Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "AffectedRange")]
struct Written {
    /// The first version that is affected; without one, all from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Version>,
    /// The first version that is not affected any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fixed: Option<Version>,
    /// Or the last version that is known to be affected; with neither, all from the first on are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<Version>,
}

impl TryFrom<Written> for AffectedRange {
    type Error = &'static str;

    fn try_from(Written { from, fixed, last }: Written) -> Result<Self, Self::Error> {
        let end = match (fixed, last) {
            (Some(fixed), None) => RangeEnd::Fixed(fixed),
            (None, Some(last)) => RangeEnd::Last(last),
            (None, None) => RangeEnd::Open,
            (Some(_), Some(_)) => return Err("a range of affected versions ends once"),
        };
        Ok(Self { from, end })
    }
}

impl From<AffectedRange> for Written {
    fn from(range: AffectedRange) -> Self {
        let written = Self { from: range.from, ..Self::default() };
        match range.end {
            RangeEnd::Fixed(fixed) => Self { fixed: Some(fixed), ..written },
            RangeEnd::Last(last) => Self { last: Some(last), ..written },
            RangeEnd::Open => written,
        }
    }
}

/// Where a run of affected versions ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeEnd {
    /// This is the first version that is not affected any more.
    Fixed(Version),
    /// This is the last version that is known to be affected.
    Last(Version),
    /// Nowhere yet.
    Open,
}

/// How bad it is, by the names that CVSS has for its scores.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Up to 3.9 of 10.
    Low,
    /// From 4.0.
    Medium,
    /// From 7.0.
    High,
    /// From 9.0.
    Critical,
}

impl Severity {
    /// All of them, the mildest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == word).ok_or_else(|| {
            let words = Self::ALL.map(Self::as_str).join("`, `");
            format!("`{}` is no severity: there are `{words}`", word.named())
        })
    }
}

/// What an advisory is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AdvisoryId(String);

impl AdvisoryId {
    /// The longest, in bytes.
    pub const LONGEST: usize = 128;

    /// It, as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AdvisoryId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
        let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if begins && text.len() <= Self::LONGEST && text.bytes().all(plain) {
            return Ok(Self(text.to_owned()));
        }
        let told: String = text.chars().take(40).collect();
        Err(format!(
            "`{}` is no name of an advisory: it has letters, digits, `-`, `_`, `.` and `:`, at most {}, and begins with a letter or a digit",
            told.named(),
            Self::LONGEST
        ))
    }
}

impl TryFrom<String> for AdvisoryId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<AdvisoryId> for String {
    fn from(id: AdvisoryId) -> Self {
        id.0
    }
}

impl fmt::Display for AdvisoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl schemars::JsonSchema for AdvisoryId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AdvisoryId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "What an advisory is called.",
            "pattern": "^[A-Za-z0-9][-A-Za-z0-9_.:]{0,127}$",
        })
    }
}

impl fmt::Display for AffectedRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.from, &self.end) {
            (None, RangeEnd::Open) => f.write_str("all versions"),
            (None, RangeEnd::Fixed(fixed)) => write!(f, "<{fixed}"),
            (None, RangeEnd::Last(last)) => write!(f, "<={last}"),
            (Some(from), RangeEnd::Open) => write!(f, ">={from}"),
            (Some(from), RangeEnd::Fixed(fixed)) => write!(f, ">={from} <{fixed}"),
            (Some(from), RangeEnd::Last(last)) => write!(f, ">={from} <={last}"),
        }
    }
}

impl fmt::Display for Affected {
    /// The versions, as people write them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges = self.ranges.iter().map(ToString::to_string);
        let versions = self.versions.iter().map(ToString::to_string);
        f.write_str(&ranges.chain(versions).collect::<Vec<_>>().join(", "))
    }
}
