//! What a machine is likely to want of a registry, by what its projects use, and how much of that a budget allows.
//!
//! Pure but for the index that is asked: where projects are found and how anything is fetched is said elsewhere, so that `bench/prefetch` can replay
//! history through the same rules.

mod budget;
mod chances;
mod offers;
mod used;
mod wishes;

pub use budget::{Chosen, REQUEST, Wanted, within};
pub use offers::Offers;
pub use used::{Asked, UsedProject};
pub use wishes::{Why, Wish, wishes};
