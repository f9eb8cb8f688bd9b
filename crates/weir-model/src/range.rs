//! Ranges: which versions a requirement accepts.
//!
//! The language is Cargo's (`^1.2`, `~1.2`, `1.2.*`, `*`, `=1.2.3`, `>=1, <3`; a
//! bare version means `^`), with alternatives joined by `||`, and Elm's
//! `1.0.0 <= v < 2.0.0` beside it.
//!
//! **Pre-releases.** A pre-release matches only where the range itself names a
//! pre-release of the same `major.minor.patch`: `>=1.0.0-beta` accepts
//! `1.0.0-rc.1` and `1.4.0`, but not `1.4.0-rc.1`. This is Cargo's rule, and
//! within Cargo's language every answer here is the `semver` crate's.
//!
//! **Equality.** Two ranges are equal when their [canonical](Range::canonical)
//! texts are, so `1.2` equals `^ 1.2` and differs from `>=1.2, <2`, which accepts
//! the same versions. Equality of meaning would make a rewritten manifest look unchanged.

mod interval;
mod parse;
mod slips;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Bound;
use std::str::FromStr;
use std::sync::Arc;

use crate::version::{Version, printable};
use interval::Interval;

/// A set of versions, as a person writes it.
///
/// Cheap to clone. Keeps its text as written for [`Display`](fmt::Display) and serde.
#[derive(Clone)]
pub struct Range {
    written: Arc<str>,
    canonical: Arc<str>,
    alternatives: Arc<[Alternative]>,
}

/// What one side of a `||` accepts.
struct Alternative {
    /// Where a version that is no pre-release must lie.
    releases: Interval,
    /// Where a pre-release must lie: one interval a version named with one.
    prereleases: Vec<Interval>,
}

/// Why a text is not a range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// Nothing was written, or nothing on one side of a `||` or `,`.
    #[error(
        "the range `{text}` has an empty part: write `*` for any version{}",
        crate::version::Suggested(suggestion)
    )]
    Empty {
        /// What was read.
        text: String,
        /// What was probably meant.
        suggestion: Option<String>,
    },
    /// Longer than [`Range::MAX_LENGTH`].
    #[error("the range is {length} bytes long: at most {max} are allowed", max = Range::MAX_LENGTH)]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// More than [`Range::MAX_ALTERNATIVES`] parts joined by `||`.
    #[error("the range has {count} alternatives: at most {max} are allowed", max = Range::MAX_ALTERNATIVES)]
    TooManyAlternatives {
        /// How many there are.
        count: usize,
    },
    /// More than [`Range::MAX_COMPARATORS`] parts joined by `,`.
    #[error("the range has {count} comparators in one alternative: at most {max} are allowed", max = Range::MAX_COMPARATORS)]
    TooManyComparators {
        /// How many there are.
        count: usize,
    },
    /// A version in the range has a `+build` part.
    #[error("`{text}` carries build metadata, which releases cannot have: remove the `+` and what follows")]
    BuildMetadata {
        /// The comparator.
        text: String,
    },
    /// A part that cannot be read.
    #[error("`{text}` is not a range: {reason}{}", crate::version::Suggested(suggestion))]
    Malformed {
        /// The comparator that cannot be read, cut to a printable length.
        text: String,
        /// What is wrong with it.
        reason: String,
        /// What was probably meant.
        suggestion: Option<String>,
    },
}

impl Range {
    /// The longest text read as a range, in bytes.
    pub const MAX_LENGTH: usize = 1024;
    /// How many alternatives a range may have.
    pub const MAX_ALTERNATIVES: usize = 32;
    /// How many comparators an alternative may have.
    pub const MAX_COMPARATORS: usize = 32;

    /// `*`: every version that is no pre-release.
    pub fn any() -> Self {
        Self::built("*".to_owned(), Alternative { releases: Interval::FULL, prereleases: Vec::new() })
    }

    /// `^version`: what is compatible with it and not older.
    pub fn caret(version: &Version) -> Self {
        Self::of_comparator(semver::Op::Caret, version)
    }

    /// `=version`: that one alone.
    pub fn exact(version: &Version) -> Self {
        Self::of_comparator(semver::Op::Exact, version)
    }

    /// Whether the range accepts `version`.
    pub fn contains(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|alternative| alternative.contains(version))
    }

    /// Whether the range names a pre-release of the version that `version` is or leads to. Those are then in the range
    /// or not like any other version; otherwise none of them is.
    pub fn names_prerelease_of(&self, version: &Version) -> bool {
        let leads_to_it = |interval: &Interval| match &interval.lower {
            Bound::Included(named) | Bound::Excluded(named) => {
                named.without_prerelease() == version.without_prerelease()
            }
            Bound::Unbounded => false,
        };
        self.alternatives.iter().flat_map(|alternative| &alternative.prereleases).any(leads_to_it)
    }

    /// Whether no version can match, as in `>=2, <1`.
    pub fn is_empty(&self) -> bool {
        self.intervals().is_empty()
    }

    /// The range as intervals in version order: sorted, disjoint, none empty.
    ///
    /// Every version that the range contains lies in one of them. The converse
    /// holds for releases; a pre-release in one of them still needs [`contains`](Self::contains).
    pub fn intervals(&self) -> Vec<(Bound<Version>, Bound<Version>)> {
        let all = self.alternatives.iter().flat_map(|alternative| {
            std::iter::once(alternative.releases.without_trailing_prereleases())
                .chain(alternative.prereleases.iter().cloned())
        });
        interval::union(all.collect()).into_iter().map(Interval::into_bounds).collect()
    }

    /// The range in one spelling: operators written out, `, ` and ` || ` between
    /// parts, Elm's form as `>=1.0.0, <2.0.0`. The order of the parts is kept.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The range as it was written, without surrounding white space.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    fn of_comparator(op: semver::Op, version: &Version) -> Self {
        let version = version.as_semver();
        let comparator = semver::Comparator {
            op,
            major: version.major,
            minor: Some(version.minor),
            patch: Some(version.patch),
            pre: version.pre.clone(),
        };
        Self::built(comparator.to_string(), parse::alternative(&[comparator]))
    }

    fn built(text: String, alternative: Alternative) -> Self {
        let text: Arc<str> = text.into();
        Self { written: text.clone(), canonical: text, alternatives: Arc::from([alternative]) }
    }
}

impl RangeError {
    /// The same, with what `whole`, the range it is about, was probably meant to be.
    fn mended(mut self, whole: &str) -> Self {
        if let Self::Malformed { suggestion, .. } | Self::Empty { suggestion, .. } = &mut self {
            let meant = slips::meant(whole);
            let reads = meant != whole && meant.len() <= Range::MAX_LENGTH && reads(&meant);
            *suggestion = reads.then_some(meant);
        }
        self
    }
}

/// Whether a text is a range, without asking what it means if it is not.
fn reads(text: &str) -> bool {
    let mut parts = text.split("||");
    parts.clone().count() <= Range::MAX_ALTERNATIVES
        && parts.all(|part| parse::comparators(part, text).is_ok())
}

impl Alternative {
    fn contains(&self, version: &Version) -> bool {
        if version.is_prerelease() {
            self.prereleases.iter().any(|interval| interval.contains(version))
        } else {
            self.releases.contains(version)
        }
    }
}

impl FromStr for Range {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        if text.len() > Self::MAX_LENGTH {
            return Err(RangeError::TooLong { length: text.len() });
        }
        let written = text.trim();
        if written.is_empty() {
            return Err(RangeError::Empty { text: printable(text), suggestion: None });
        }
        let count = written.matches("||").count() + 1;
        if count > Self::MAX_ALTERNATIVES {
            return Err(RangeError::TooManyAlternatives { count });
        }
        let mut canonical = String::with_capacity(written.len() + 2);
        let mut alternatives = Vec::with_capacity(count);
        for part in written.split("||") {
            let comparators = parse::comparators(part, written).map_err(|error| error.mended(written))?;
            if !canonical.is_empty() {
                canonical.push_str(" || ");
            }
            parse::write_canonical(&comparators, &mut canonical);
            alternatives.push(parse::alternative(&comparators));
        }
        let written: Arc<str> = written.into();
        let canonical = if *written == *canonical { written.clone() } else { canonical.into() };
        Ok(Self { written, canonical, alternatives: alternatives.into() })
    }
}

impl PartialEq for Range {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for Range {}

impl Hash for Range {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical.hash(state);
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.written)
    }
}

impl fmt::Debug for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Range({})", self.written)
    }
}

impl schemars::JsonSchema for Range {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Range".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "Versions that would do, such as `^1.4` or `>=1, <3`."
        })
    }
}

impl serde::Serialize for Range {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

impl<'de> serde::Deserialize<'de> for Range {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
