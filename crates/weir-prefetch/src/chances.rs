//! How likely something is wanted within the next months.
//!
//! The numbers are what history showed, rounded: of the projects of npm's packages over half a year, and of a third of Debian's source packages from one release
//! to the next; the other two thirds, and crates over six years, say the same (`bench/prefetch`). Only their order matters much: other numbers that were tried (0.3 to 0.6, 0 to 0.5 and 0.1 to 0.4 for the first
//! three, 0.5 to 0.85 and 0.5 to 0.9 for the two shares) moved the share of what was there in time by about a tenth of itself.

/// That a project which asks for a package comes to use the newest release in its range.
pub(crate) const UPDATE: f64 = 0.5;

/// That it comes to use the newest of all.
pub(crate) const NEWEST: f64 = 0.3;

/// That what a project uses without asking for it moves to the newest in the range of what needs it.
pub(crate) const UPDATE_BELOW: f64 = 0.3;

/// How likely a package comes to be used that no project here asks for, at most: never more than a newer release of what one does ask for.
const NEW: f64 = 0.3;

/// So many packages come to be used that were not.
const COME: f64 = 10.0;

/// The share of these that are of owners of whom something is asked for already. The others are what everybody needs.
const OF_OWNERS: f64 = 0.75;

/// The share of what comes of an owner that goes by how many packages need it. The rest may be any package of theirs.
const BY_NEED: f64 = 0.7;

/// The part of all packages that come which one of an owner is expected to be, of whom this part of all that is asked for is. It is needed by so many of
/// all the packages that need something of that owner, and one of so many of theirs that are not used here.
pub(crate) fn of_owner(asked: f64, needed: Option<f64>, packages: usize) -> f64 {
    let any = 1.0 / packages.max(1) as f64;
    OF_OWNERS * asked * (BY_NEED * needed.unwrap_or(any) + (1.0 - BY_NEED) * any)
}

/// The same for one that so many need of all the packages that need something which is not here.
pub(crate) fn popular(needed: f64) -> f64 {
    (1.0 - OF_OWNERS) * needed
}

/// That a package comes to be used which is expected to be such a part of all that come.
pub(crate) fn new(part: f64) -> f64 {
    NEW * (1.0 - (-COME / NEW * part).exp())
}

/// That one of several independent things happens, of which one has the chance `one` and the others together `others`.
pub(crate) fn either(one: f64, others: f64) -> f64 {
    1.0 - (1.0 - one) * (1.0 - others)
}

/// That something which has the chance `one` in each of so many projects happens in any of them.
pub(crate) fn of_several(one: f64, projects: usize) -> f64 {
    1.0 - (1.0 - one).powf(projects as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_is_shared_out_once() {
        // Two owners, of whom three packages and one are asked for; the one has two more, the other four of which nothing needs anything.
        let one = of_owner(0.75, Some(0.9), 2) + of_owner(0.75, Some(0.1), 2);
        let other = 4.0 * of_owner(0.25, None, 4);
        assert!((one + other - OF_OWNERS).abs() < 1e-9, "{one} {other}");
        assert!((one + other + popular(1.0) - 1.0).abs() < 1e-9, "{one} {other}");
    }

    #[test]
    fn what_nobody_asks_for_is_never_likelier_than_a_newer_release_of_what_one_does() {
        assert!(new(1.0) <= NEWEST && NEWEST <= UPDATE);
        assert!(new(0.01) > new(0.001) && new(0.0).abs() < 1e-9);
    }
}
