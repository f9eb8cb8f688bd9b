//! Releases of one package, of which the best is to be found many times.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use weir_model::{Platform, Range};

use crate::offer::{Offer, fits, preference};

/// Releases of one package in the order in which they are taken. Finding the best looks at those alone that are
/// preferred to it, where [`best`](crate::best) looks at all.
#[derive(Debug)]
pub struct Ranked<T>(BTreeSet<ByPreference<T>>);

impl<T: Offer> Ranked<T> {
    /// Adds a release, unless there is one of its version, platform and revision.
    pub fn insert(&mut self, offer: T) {
        self.0.insert(ByPreference(offer));
    }

    /// The release to take where versions in `range` are wanted on `platform`.
    pub fn best(&self, range: &Range, platform: &Platform) -> Option<&T> {
        self.iter().find(|offer| fits(offer, range, platform))
    }

    /// All of them, what is taken first before the others.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().rev().map(|ByPreference(offer)| offer)
    }
}

impl<T> Default for Ranked<T> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<T: Offer> FromIterator<T> for Ranked<T> {
    fn from_iter<I: IntoIterator<Item = T>>(offers: I) -> Self {
        Self(offers.into_iter().map(ByPreference).collect())
    }
}

/// Compares as preferred; of those for other platforms, of which no two serve one machine, by platform.
#[derive(Debug)]
struct ByPreference<T>(T);

impl<T: Offer> Ord for ByPreference<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, other) = (&self.0, &other.0);
        preference(one).cmp(&preference(other)).then_with(|| one.platform().cmp(other.platform()))
    }
}

impl<T: Offer> PartialOrd for ByPreference<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Offer> PartialEq for ByPreference<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T: Offer> Eq for ByPreference<T> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use weir_model::{Baked, Digest, Platform, Range, Version};

    use super::Ranked;
    use crate::best;

    proptest! {
        #[test]
        fn the_best_is_the_one_that_looking_at_all_gives(
            offers in proptest::collection::vec((0..3u64, 0..3u64, 0..3usize, 0..3u32), 0..20),
            range in prop::sample::select(vec!["*", "^1", "^1.1", "<1", ">=2"]),
            wanted in 0..3usize,
        ) {
            let platforms = ["any", "x86-64-debian-12", "arm-debian-12"].map(|text| text.parse::<Platform>().unwrap());
            let range: Range = range.parse().unwrap();
            let offers: Vec<Baked> = offers.into_iter().map(|(major, minor, platform, revision)| Baked {
                version: Version::new(major, minor, 0),
                platform: platforms[platform].clone(),
                revision,
                input_digest: Digest::from_bytes([0; 32]),
            }).collect();
            let ranked: Ranked<Baked> = offers.iter().cloned().collect();
            prop_assert_eq!(ranked.best(&range, &platforms[wanted]), best(&offers, &range, &platforms[wanted]));
        }
    }
}
