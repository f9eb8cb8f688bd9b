//! What is taken first, and how much of it a budget allows.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use weir_model::Release;

use crate::wishes::{Why, Wish};

/// What a request costs, in bytes: without it the smallest packages would always come first.
pub const REQUEST: u64 = 16 << 10;

/// A wish with what is missing for it.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What is wished for.
    pub wish: Wish,
    /// What of it and of all that it needs is not here.
    pub missing: Vec<Release>,
}

impl Wanted {
    /// How many releases are expected to be used for each byte that comes: if one wish comes true, all that it needs is used.
    fn worth(&self) -> f64 {
        let bytes: u64 = self.missing.iter().map(|release| release.size + REQUEST).sum();
        self.wish.chance * self.missing.len() as f64 / bytes.max(1) as f64
    }

    fn most_worth_first(one: &Self, other: &Self) -> Ordering {
        let by_worth = other.worth().total_cmp(&one.worth());
        by_worth.then_with(|| one.wish.release.id.cmp(&other.wish.release.id))
    }
}

/// A release that is to be fetched.
#[derive(Debug, Clone)]
pub struct Chosen<P> {
    /// From where.
    pub from: P,
    /// Which one.
    pub release: Release,
    /// Why.
    pub why: Why,
}

/// As much of what is wanted as a budget allows, what is worth most for its bytes first, each release once; and how many wishes are beyond it.
/// `cost` is what a release takes of the budget.
pub fn within<P: Copy>(
    budget: u64,
    mut wanted: Vec<(P, Wanted)>,
    cost: impl Fn(&Release) -> u64,
) -> (Vec<Chosen<P>>, usize) {
    wanted.retain(|(_, wanted)| !wanted.missing.is_empty());
    wanted.sort_by(|(_, one), (_, other)| Wanted::most_worth_first(one, other));
    let (mut chosen, mut beyond, mut left) = (Vec::new(), 0, budget);
    let mut taken = BTreeSet::new();
    for (from, Wanted { wish, missing }) in wanted {
        let missing: Vec<_> = missing.into_iter().filter(|one| !taken.contains(&one.tree)).collect();
        let Some(rest) = left.checked_sub(missing.iter().map(&cost).sum()) else {
            beyond += 1;
            continue;
        };
        left = rest;
        for release in missing {
            taken.insert(release.tree);
            let why = match release.id == wish.release.id {
                true => wish.why.clone(),
                false => Why::NeededBy { release: wish.release.id.clone() },
            };
            chosen.push(Chosen { from, release, why });
        }
    }
    (chosen, beyond)
}
