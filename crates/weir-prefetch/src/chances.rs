//! How likely something is wanted within the next months.
//!
//! The numbers are what history showed, rounded: of the projects of npm's packages over half a year, and of Debian's source packages from one release to the next
//! (`bench/prefetch`). Only their order matters much: other numbers that were tried (0.3 to 0.6, 0 to 0.5 and 0.1 to 0.4 for the first three) moved the share of what was there in time by about a tenth of itself.

/// That a project which asks for a package comes to use the newest release in its range.
pub(crate) const UPDATE: f64 = 0.5;

/// That it comes to use the newest of all.
pub(crate) const NEWEST: f64 = 0.3;

/// That what a project uses without asking for it moves to the newest in the range of what needs it.
pub(crate) const UPDATE_BELOW: f64 = 0.3;

/// That a package comes to be used that so many packages of the registry need.
pub(crate) fn popular(dependents: u64) -> f64 {
    (dependents as f64 / 4000.0).min(0.2)
}

/// The same for a package of an owner of whom so many projects use something.
pub(crate) fn of_owner(dependents: u64, projects: usize) -> f64 {
    ((dependents + 1) as f64 / 1000.0 * projects.min(5) as f64).min(0.3)
}

/// That one of several independent things happens, of which one has the chance `one` and the others together `others`.
pub(crate) fn either(one: f64, others: f64) -> f64 {
    1.0 - (1.0 - one) * (1.0 - others)
}

/// That something which has the chance `one` in each of so many projects happens in any of them.
pub(crate) fn of_several(one: f64, projects: usize) -> f64 {
    1.0 - (1.0 - one).powf(projects as f64)
}
