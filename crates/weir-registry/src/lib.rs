//! A registry as a library: made, written to, followed, audited.
//!
//! * A [`FolderRegistry`] is a registry in a folder; [`Registry`] is what writing to one takes,
//!   wherever it is.
//! * A [`Replica`] is what this machine knows of a registry: its view, kept up to date by following
//!   the log, every byte of it checked.
//! * A [`Batch`] says what is to be done. Planning it (checking, asking the gate, baking) changes
//!   nothing; carrying it out appends all its records under one checkpoint.
//! * [`audit()`] believes nothing and recomputes everything; [`FolderRegistry::collect`] takes out of the
//!   storage what need not be there.
//!
//! In a closed registry, what something was built with is there as long as it is, and what is used
//! together was built with the same.
//!
//! Upload comes before registration: a record is appended only when the content it names is held.

mod audit;
mod batch;
mod closed;
mod collect;
pub mod content;
mod error;
mod evidence;
mod folder;
mod named;
mod plan;
mod registry;
mod replica;
mod reuse;
mod trust;

pub use audit::{AuditStep, Look, RegistryAudit, audit};
pub use batch::{Batch, Done, Draft, Intent, Outcome, Receipt, Wanted, Withdraw};
pub use collect::{COLLECT_GRACE, Collect, Collected, CollectedObject, Why};
pub use error::{OpenError, SubmitError};
pub use evidence::{Evidence, evidence};
pub use folder::{FolderRegistry, NewRegistry, location_of};
pub use registry::Registry;
pub use replica::{DESCRIPTOR, Replica, ReplicaError, ReplicaHome, SyncReport};
pub use reuse::{BuiltBefore, Kept, quarantined};
pub use trust::{Pin, Trust, TrustError, key_path, parse_keys};
