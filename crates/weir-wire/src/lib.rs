//! What travels between those who write to a registry and the registry: batches and drafts one way, receipts and
//! refusals the other. Plain data that can be written as JSON and read back; no logic.
//!
//! What a registry reads has no field that it does not know: a misspelt one is refused, not passed over. Nothing here
//! says who asks or when: that is known to whoever authenticated them, and to nobody else.

pub mod activity;
pub mod api;
mod batch;
pub mod device;
pub mod downloads;
mod draft;
mod names;
pub mod people;
pub mod policy;
pub mod promotion;
mod receipt;
mod refusal;
pub mod storage;
pub mod trust;
pub mod upstream;
pub mod webhooks;

pub use batch::{Batch, Intent, Promotion, Withdraw};
pub use draft::{Draft, Wanted};
pub use names::{ADMINISTRATORS, AccountName, BadName};
pub use receipt::{Done, Outcome, Receipt};
pub use refusal::{Code, Refusal};

#[cfg(test)]
mod tests;
