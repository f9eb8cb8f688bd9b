//! What of the registries above one is admitted: planned by its own policy, and written into its log.
//!
//! * An [`Above`] is a registry above, as it was followed: its log was verified, and its view is what is chosen from.
//! * [`admit`] resolves what is [asked](weir_wire::upstream::Ask) over this registry and what its policy would admit, and admits what
//!   that uses; of a mirrored upstream, all that policy allows. All of it becomes visible under one checkpoint.
//! * What policy keeps out is held: the log says which rule it is, and until when.
//! * A [`Foreign`] registry is none of Weir's: what it has is written down as one before it is followed. [`resolve()`] tells what an ask would
//!   use of it.
//!
//! A name is bound to one tier, by the log (`weir-index/src/tiers.rs`). An owner that is bound to none yet is bound to the first of the
//! upstreams that has anything of it: that one which cannot be reached is no reason to take it from the next.

mod admission;
mod circle;
mod foreign;
mod gatekeeper;
mod held;
mod look;
mod mirror;
mod resolve;
mod tiers;
mod told;
mod unmet;

pub use admission::{AdmissionError, admit};
pub use circle::in_words as circle_in_words;
pub use foreign::{Foreign, ForeignError, Transcript};
pub use look::{Sight, look};
pub use resolve::{Unresolved, resolve};
pub use tiers::Above;
pub use told::why_missing;
pub use unmet::is_for_what_it_needs;
