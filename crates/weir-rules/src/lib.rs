//! The rules of the domain that more than one part of Weir goes by, each written once.
//!
//! * [`Standing`] and [`Offer`]: which release may be used, which fits a range and a platform ([`best`], of very many [`Ranked`]), and which
//!   one a person means who names no version ([`newest`]).
//! * [`bake()`]: what a dependency is fixed to when a release is published.
//! * [`diamond`]: whether two releases of one package come together in a closure that may hold one only.
//! * [`is_affected`]: whether an advisory is about a version, and [`counts_as`]: how bad it counts.
//! * [`retained`]: which releases a registry keeps that does not keep everything.
//! * [`needed_first`]: the order in which each comes after what it needs.
//!
//! A resolver, a registry, the planner of built packages and every command that says "the newest" ask here, so that
//! what one of them foresees is what the other does. Nothing here does I/O or knows where releases come from.

mod advised;
mod bake;
pub mod diamond;
mod offer;
mod order;
mod ranked;
mod retention;
mod standing;

pub use advised::{counts_as, fixed_in, is_affected, worst};
pub use bake::{Need, Unmet, bake};
pub use offer::{Offer, best, fits, is_meant, newest, newest_first, preference};
pub use order::needed_first;
pub use ranked::Ranked;
pub use retention::{Kept, Stays, retained};
pub use standing::Standing;
