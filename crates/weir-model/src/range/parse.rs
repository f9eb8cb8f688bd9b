//! Reading ranges: from text to comparators, and from comparators to intervals.

use std::fmt::Write as _;
use std::ops::Bound;

use semver::{Comparator, Op};

use super::interval::Interval;
use super::{Alternative, Range, RangeError};
use crate::version::{Version, printable};

/// The comparators of one alternative; none stand for `*`. `whole` is the range it came from.
pub(super) fn comparators(part: &str, whole: &str) -> Result<Vec<Comparator>, RangeError> {
    let part = part.trim();
    if part.is_empty() {
        return Err(RangeError::Empty { text: printable(whole), suggestion: None });
    }
    if part.contains('+') && !part.ends_with(".+") {
        return Err(RangeError::BuildMetadata { text: printable(part) });
    }
    if let Some(bounds) = elm(part) {
        return bounds;
    }
    if is_wildcard(part) {
        return Ok(Vec::new());
    }
    let count = part.matches(',').count() + 1;
    if count > Range::MAX_COMPARATORS {
        return Err(RangeError::TooManyComparators { count });
    }
    part.split(',').map(|text| comparator(text.trim(), whole)).collect()
}

fn comparator(text: &str, whole: &str) -> Result<Comparator, RangeError> {
    if text.is_empty() {
        return Err(RangeError::Empty { text: printable(whole), suggestion: None });
    }
    if is_wildcard(text) {
        return Err(RangeError::Malformed {
            text: printable(text),
            reason: "`*` already means any version and cannot be joined with `,`".to_owned(),
            suggestion: None,
        });
    }
    text.parse().map_err(|error: semver::Error| RangeError::Malformed {
        text: printable(text),
        reason: error.to_string(),
        suggestion: None,
    })
}

fn is_wildcard(text: &str) -> bool {
    matches!(text, "*" | "x" | "X")
}

/// Reads `1.0.0 <= v < 2.0.0`; nothing if the text is not of that form.
fn elm(text: &str) -> Option<Result<Vec<Comparator>, RangeError>> {
    let mut words = text.split_ascii_whitespace();
    let (low, first, middle) = (words.next()?, words.next()?, words.next()?);
    if middle != "v" {
        return None;
    }
    let operators = (first, words.next()?);
    let (high, None) = (words.next()?, words.next()) else { return None };
    let (above, below) = match operators {
        ("<=", "<") => (Op::GreaterEq, Op::Less),
        ("<=", "<=") => (Op::GreaterEq, Op::LessEq),
        ("<", "<") => (Op::Greater, Op::Less),
        ("<", "<=") => (Op::Greater, Op::LessEq),
        _ => return None,
    };
    Some(bound(above, low).and_then(|low| Ok(vec![low, bound(below, high)?])))
}

fn bound(op: Op, text: &str) -> Result<Comparator, RangeError> {
    let version: Version = text.parse().map_err(|error: crate::VersionError| RangeError::Malformed {
        text: printable(text),
        reason: error.to_string(),
        suggestion: None,
    })?;
    let version = version.as_semver();
    Ok(Comparator {
        op,
        major: version.major,
        minor: Some(version.minor),
        patch: Some(version.patch),
        pre: version.pre.clone(),
    })
}

pub(super) fn write_canonical(comparators: &[Comparator], text: &mut String) {
    if comparators.is_empty() {
        text.push('*');
    }
    for (index, comparator) in comparators.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(text, "{separator}{comparator}").expect("writing to a String cannot fail");
    }
}

/// What comparators joined by `,` accept together.
pub(super) fn alternative(comparators: &[Comparator]) -> Alternative {
    let mut releases = Interval::FULL;
    let mut prereleases = Some(Interval::FULL);
    for comparator in comparators {
        let limits = limits(comparator);
        releases = releases.intersection(&limits.releases);
        prereleases = prereleases.zip(limits.prereleases).map(|(a, b)| a.intersection(&b));
    }
    let mut named: Vec<_> = comparators.iter().filter_map(named_prerelease).collect();
    named.sort_unstable();
    named.dedup();
    let prereleases = prereleases
        .map(|limit| named.into_iter().map(|version| prereleases_of(version).intersection(&limit)).collect())
        .unwrap_or_default();
    Alternative { releases, prereleases }
}

type Numbers = (u64, u64, u64);

/// The version of which a comparator names a pre-release.
fn named_prerelease(comparator: &Comparator) -> Option<Numbers> {
    let Comparator { major, minor: Some(minor), patch: Some(patch), pre, .. } = comparator else {
        return None;
    };
    (!pre.is_empty()).then_some((*major, *minor, *patch))
}

fn prereleases_of((major, minor, patch): Numbers) -> Interval {
    Interval {
        lower: Bound::Included(Version::floor_of(major, minor, patch)),
        upper: Bound::Excluded(Version::new(major, minor, patch)),
    }
}

/// What one comparator accepts. The two differ for partial versions only:
/// `>=1.2` accepts `1.2.5` but, in Cargo's reading, no pre-release of any `1.2.x`.
struct Limits {
    releases: Interval,
    prereleases: Option<Interval>,
}

impl Limits {
    fn same(lower: Bound<Version>, upper: Bound<Version>) -> Self {
        let interval = Interval { lower, upper };
        Self { prereleases: Some(interval.clone()), releases: interval }
    }
}

fn limits(comparator: &Comparator) -> Limits {
    use Bound::{Excluded, Included, Unbounded};
    let Comparator { op, major, minor, patch, pre } = comparator;
    let (Some(minor), Some(patch)) = (*minor, *patch) else { return partial_limits(*op, *major, *minor) };
    let version = Version::from_parts(*major, minor, patch, pre.clone());
    match op {
        Op::Greater => Limits::same(Excluded(version), Unbounded),
        Op::GreaterEq => Limits::same(Included(version), Unbounded),
        Op::Less => Limits::same(Unbounded, Excluded(version)),
        Op::LessEq => Limits::same(Unbounded, Included(version)),
        Op::Tilde => Limits::same(Included(version), below_minor_after(*major, minor)),
        Op::Caret => {
            let upper = match (*major, minor) {
                (0, 0) => below_patch_after(0, 0, patch),
                (0, minor) => below_minor_after(0, minor),
                (major, _) => below_major_after(major),
            };
            Limits::same(Included(version), upper)
        }
        // `=1.2.3`, and whatever operator a later `semver` may add: the narrowest reading.
        _ => Limits::same(Included(version.clone()), Included(version)),
    }
}

fn partial_limits(op: Op, major: u64, minor: Option<u64>) -> Limits {
    use Bound::{Included, Unbounded};
    let first = Included(Version::new(major, minor.unwrap_or(0), 0));
    let floor = Version::floor_of(major, minor.unwrap_or(0), 0);
    let end = match minor {
        Some(minor) => below_minor_after(major, minor),
        None => below_major_after(major),
    };
    match op {
        Op::Greater => match end {
            Bound::Excluded(next) => Limits::same(Included(next), Unbounded),
            _ => Limits::same(Bound::Excluded(floor.clone()), Bound::Excluded(floor)),
        },
        Op::GreaterEq => Limits {
            releases: Interval { lower: first, upper: Unbounded },
            prereleases: match end {
                Bound::Excluded(next) => Some(Interval { lower: Included(next), upper: Unbounded }),
                _ => None,
            },
        },
        Op::Less => Limits::same(Unbounded, Bound::Excluded(floor)),
        Op::LessEq => Limits {
            releases: Interval { lower: Unbounded, upper: end },
            prereleases: Some(Interval { lower: Unbounded, upper: Bound::Excluded(floor) }),
        },
        Op::Caret => {
            let upper = if major > 0 { below_major_after(major) } else { end };
            Limits {
                releases: Interval { lower: first, upper: upper.clone() },
                prereleases: Some(Interval { lower: Included(floor), upper }),
            }
        }
        // `=1.2`, `~1.2` and `1.2.*` accept no pre-release at all.
        _ => Limits { releases: Interval { lower: first, upper: end }, prereleases: None },
    }
}

fn below_patch_after(major: u64, minor: u64, patch: u64) -> Bound<Version> {
    match patch.checked_add(1) {
        Some(next) => Bound::Excluded(Version::floor_of(major, minor, next)),
        None => below_minor_after(major, minor),
    }
}

fn below_minor_after(major: u64, minor: u64) -> Bound<Version> {
    match minor.checked_add(1) {
        Some(next) => Bound::Excluded(Version::floor_of(major, next, 0)),
        None => below_major_after(major),
    }
}

fn below_major_after(major: u64) -> Bound<Version> {
    match major.checked_add(1) {
        Some(next) => Bound::Excluded(Version::floor_of(next, 0, 0)),
        None => Bound::Unbounded,
    }
}
