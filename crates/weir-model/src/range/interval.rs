//! Intervals of versions in SemVer precedence.

use std::cmp::Ordering;
use std::ops::{Bound, RangeBounds};

use crate::version::Version;

/// All versions between two bounds. May be empty.
#[derive(Clone)]
pub(super) struct Interval {
    pub(super) lower: Bound<Version>,
    pub(super) upper: Bound<Version>,
}

impl Interval {
    pub(super) const FULL: Self = Self { lower: Bound::Unbounded, upper: Bound::Unbounded };

    pub(super) fn contains(&self, version: &Version) -> bool {
        (self.lower.as_ref(), self.upper.as_ref()).contains(version)
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        let lower = match compare_lower(&self.lower, &other.lower) {
            Ordering::Less => &other.lower,
            _ => &self.lower,
        };
        let upper = match compare_upper(&self.upper, &other.upper) {
            Ordering::Greater => &other.upper,
            _ => &self.upper,
        };
        Self { lower: lower.clone(), upper: upper.clone() }
    }

    /// Turns `< 2.0.0` into `< 2.0.0-0`: the same releases, without the pre-releases just below the bound.
    pub(super) fn without_trailing_prereleases(&self) -> Self {
        let upper = match &self.upper {
            Bound::Excluded(version) if !version.is_prerelease() => {
                Bound::Excluded(Version::floor_of(version.major(), version.minor(), version.patch()))
            }
            other => other.clone(),
        };
        Self { lower: self.lower.clone(), upper }
    }

    pub(super) fn into_bounds(self) -> (Bound<Version>, Bound<Version>) {
        (self.lower, self.upper)
    }

    fn is_empty(&self) -> bool {
        match (&self.lower, &self.upper) {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(low), Bound::Included(high)) => low > high,
            (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) => {
                low >= high
            }
        }
    }

    /// Whether `next`, which starts no earlier, overlaps this one or starts where it ends.
    fn reaches(&self, next: &Self) -> bool {
        match (&self.upper, &next.lower) {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
            (Bound::Excluded(end), Bound::Excluded(start)) => start < end,
            (
                Bound::Included(end) | Bound::Excluded(end),
                Bound::Included(start) | Bound::Excluded(start),
            ) => start <= end,
        }
    }
}

/// The same versions as sorted, disjoint intervals, none of them empty.
pub(super) fn union(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.retain(|interval| !interval.is_empty());
    intervals.sort_by(|a, b| compare_lower(&a.lower, &b.lower));
    let mut merged: Vec<Interval> = Vec::with_capacity(intervals.len());
    for interval in intervals {
        match merged.last_mut() {
            Some(last) if last.reaches(&interval) => {
                if compare_upper(&last.upper, &interval.upper).is_lt() {
                    last.upper = interval.upper;
                }
            }
            _ => merged.push(interval),
        }
    }
    merged
}

fn compare_lower(a: &Bound<Version>, b: &Bound<Version>) -> Ordering {
    match (a, b) {
        (Bound::Unbounded, Bound::Unbounded) => Ordering::Equal,
        (Bound::Unbounded, _) => Ordering::Less,
        (_, Bound::Unbounded) => Ordering::Greater,
        (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) if a != b => {
            a.cmp(b)
        }
        (Bound::Included(_), Bound::Excluded(_)) => Ordering::Less,
        (Bound::Excluded(_), Bound::Included(_)) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

fn compare_upper(a: &Bound<Version>, b: &Bound<Version>) -> Ordering {
    match (a, b) {
        (Bound::Unbounded, Bound::Unbounded) => Ordering::Equal,
        (Bound::Unbounded, _) => Ordering::Greater,
        (_, Bound::Unbounded) => Ordering::Less,
        (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) if a != b => {
            a.cmp(b)
        }
        (Bound::Included(_), Bound::Excluded(_)) => Ordering::Greater,
        (Bound::Excluded(_), Bound::Included(_)) => Ordering::Less,
        _ => Ordering::Equal,
    }
}
