//! Sets of releases of one package, for the solver.
//!
//! A package's usable releases are sorted and numbered; a release is its *rank*, a range is a set
//! of ranks, and the solver's set operations become a few bit operations instead of version
//! comparisons. It also means that a set never holds a version that does not exist, so the solver
//! never has to discover that there is no version in some gap.

use std::fmt;
use std::sync::Arc;

use pubgrub::VersionSet;

/// The number of a release among the sorted usable releases of its package.
pub(crate) type Rank = u32;

/// A set of ranks. The complement of a finite set is possible, as the solver needs it.
///
/// Invariant (so that equality is structural): the last word of `high` differs from `fill`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct RankSet {
    /// Ranks 0 to 63.
    low: u64,
    /// Ranks from 64 on, as far as they differ from `fill`. Most packages have none.
    high: Option<Arc<[u64]>>,
    /// What all further words are: 0 or `u64::MAX`.
    fill: u64,
}

impl RankSet {
    const EMPTY: Self = Self { low: 0, high: None, fill: 0 };

    /// The ranks `0..count` for which `accepts` holds.
    pub(crate) fn of(count: usize, mut accepts: impl FnMut(usize) -> bool) -> Self {
        let mut low = 0;
        let mut high = vec![0; count.saturating_sub(1) / 64];
        for rank in (0..count).filter(|rank| accepts(*rank)) {
            match rank / 64 {
                0 => low |= 1 << rank,
                word => high[word - 1] |= 1 << (rank % 64),
            }
        }
        Self::from_words(low, high, 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// How many ranks a finite set has.
    pub(crate) fn count(&self) -> u32 {
        self.low.count_ones() + self.high_words().iter().map(|word| word.count_ones()).sum::<u32>()
    }

    /// Whether there is more than one rank in it.
    pub(crate) fn count_is_above_one(&self) -> bool {
        self.fill != 0 || self.count() > 1
    }

    /// The highest rank of a finite set.
    pub(crate) fn highest(&self) -> Option<Rank> {
        for (index, word) in self.high_words().iter().enumerate().rev() {
            if *word != 0 {
                return Some((index as Rank + 1) * 64 + word.ilog2());
            }
        }
        (self.low != 0).then(|| self.low.ilog2())
    }

    fn high_words(&self) -> &[u64] {
        self.high.as_deref().unwrap_or_default()
    }

    fn high_word(&self, index: usize) -> u64 {
        self.high_words().get(index).copied().unwrap_or(self.fill)
    }

    fn from_words(low: u64, mut high: Vec<u64>, fill: u64) -> Self {
        while high.last() == Some(&fill) {
            high.pop();
        }
        Self { low, high: (!high.is_empty()).then(|| high.into()), fill }
    }

    fn combine(&self, other: &Self, operation: impl Fn(u64, u64) -> u64) -> Self {
        let low = operation(self.low, other.low);
        let fill = operation(self.fill, other.fill);
        if self.high.is_none() && other.high.is_none() {
            return Self { low, high: None, fill };
        }
        let length = self.high_words().len().max(other.high_words().len());
        let high = (0..length).map(|i| operation(self.high_word(i), other.high_word(i))).collect();
        Self::from_words(low, high, fill)
    }

    /// Whether `operation` gives no bits on any word.
    fn gives_nothing(&self, other: &Self, operation: impl Fn(u64, u64) -> u64) -> bool {
        operation(self.low, other.low) == 0
            && operation(self.fill, other.fill) == 0
            && (0..self.high_words().len().max(other.high_words().len()))
                .all(|i| operation(self.high_word(i), other.high_word(i)) == 0)
    }
}

impl VersionSet for RankSet {
    type V = Rank;

    fn empty() -> Self {
        Self::EMPTY
    }

    fn full() -> Self {
        Self { low: u64::MAX, high: None, fill: u64::MAX }
    }

    fn singleton(rank: Rank) -> Self {
        if rank < 64 {
            return Self { low: 1 << rank, high: None, fill: 0 };
        }
        let mut high = vec![0; (rank / 64) as usize];
        if let Some(last) = high.last_mut() {
            *last = 1 << (rank % 64);
        }
        Self::from_words(0, high, 0)
    }

    fn complement(&self) -> Self {
        self.combine(&Self::EMPTY, |word, _| !word)
    }

    fn intersection(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a & b)
    }

    fn union(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a | b)
    }

    fn difference(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a & !b)
    }

    fn contains(&self, rank: &Rank) -> bool {
        let word = match (*rank / 64) as usize {
            0 => self.low,
            index => self.high_word(index - 1),
        };
        word >> (rank % 64) & 1 == 1
    }

    fn is_disjoint(&self, other: &Self) -> bool {
        self.gives_nothing(other, |a, b| a & b)
    }

    fn subset_of(&self, other: &Self) -> bool {
        self.gives_nothing(other, |a, b| a & !b)
    }
}

impl fmt::Display for RankSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.low)?;
        for word in self.high_words() {
            write!(f, ":{word:x}")?;
        }
        if self.fill == 0 { Ok(()) } else { f.write_str("…") }
    }
}

impl fmt::Debug for RankSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::{Strategy, prop_assert_eq, proptest};
    use pubgrub::VersionSet;

    use super::RankSet;

    const UNIVERSE: u32 = 300;

    fn sets() -> impl Strategy<Value = (BTreeSet<u32>, bool)> {
        let rank = proptest::prop_oneof![3 => 0..64_u32, 1 => 0..200_u32];
        (proptest::collection::btree_set(rank, 0..8), proptest::bool::ANY)
    }

    fn real((ranks, complement): &(BTreeSet<u32>, bool)) -> RankSet {
        let set = RankSet::of(200, |rank| ranks.contains(&(rank as u32)));
        if *complement { set.complement() } else { set }
    }

    fn model((ranks, complement): &(BTreeSet<u32>, bool)) -> BTreeSet<u32> {
        (0..UNIVERSE).filter(|rank| ranks.contains(rank) != *complement).collect()
    }

    fn listed(set: &RankSet) -> BTreeSet<u32> {
        (0..UNIVERSE).filter(|rank| set.contains(rank)).collect()
    }

    proptest! {
        #[test]
        fn rank_sets_behave_as_sets(a in sets(), b in sets()) {
            let (x, y) = (real(&a), real(&b));
            let (p, q) = (model(&a), model(&b));
            prop_assert_eq!(listed(&x.intersection(&y)), p.intersection(&q).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(listed(&x.union(&y)), p.union(&q).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(listed(&x.difference(&y)), p.difference(&q).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(x.is_disjoint(&y), p.is_disjoint(&q));
            prop_assert_eq!(x.subset_of(&y), p.is_subset(&q));
            prop_assert_eq!(x == y, p == q);
            prop_assert_eq!(x.complement().complement(), x);
        }

        #[test]
        fn finite_sets_know_their_size_and_their_highest_rank(a in sets()) {
            let set = real(&(a.0.clone(), false));
            prop_assert_eq!(set.count() as usize, a.0.len());
            prop_assert_eq!(set.highest(), a.0.last().copied());
            let singles = a.0.iter().fold(RankSet::empty(), |all, rank| all.union(&RankSet::singleton(*rank)));
            prop_assert_eq!(singles, set);
        }
    }
}
