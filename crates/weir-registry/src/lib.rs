//! A registry as a library: made, written to, followed, audited.
//!
//! * A [`Registrar`] decides what may be registered. Where a registry is kept is the business of the [`Ports`]; a folder is
//!   one way ([`folder_ports`]), memory another ([`Memory`]).
//! * [`Registry`] is what writing to a registry takes, wherever it is; [`Acting`] is a registrar at work for one caller.
//! * A [`Replica`] is what this machine knows of a registry: its view, kept up to date by following
//!   the log, every byte of it checked.
//! * A [`Batch`] says what is to be done. Planning it (checking, asking the gate, baking) changes
//!   nothing; carrying it out appends all its records under one checkpoint.
//! * [`audit()`] believes nothing and recomputes everything; [`Registry::collect`] takes out of the
//!   storage what need not be there.
//!
//! In a closed registry, what something was built with is there as long as it is, and what is used
//! together was built with the same.
//!
//! Upload comes before registration: a record is appended only when the content it names is held.

mod advised;
mod audit;
mod carried;
mod closed;
mod collect;
mod compact;
pub mod content;
mod deltas;
mod error;
mod face;
mod folder;
mod keys;
mod made_of;
mod memory;
mod named;
mod plan;
mod ports;
mod published;
mod quota;
mod refusal;
mod registrar;
mod registry;
mod replica;
mod reuse;
mod storage;
mod trust;
mod upstreams;
mod within_reach;

pub use advised::advised;
pub use audit::{AuditStep, Look, RegistryAudit, audit};
pub use carried::{Carried, CarriedError, Exported, is_carried, unpack_carried, write_carried};
pub use collect::{COLLECT_GRACE, Collect, Collected, CollectedObject, Why};
pub use compact::{Compact, Compacted, NotRight};
pub use deltas::{AskedDelta, DELTAS_FROM, DeltasMade, MakeDeltas};
pub use error::{OpenError, SubmitError};
pub use face::Face;
pub use folder::{folder_ports, folder_ports_with_faults, is_free, location_of};
pub use keys::KeyFolder;
pub use memory::Memory;
pub use plan::check_words;
pub use ports::{Entry, Held, Keys, KeysError, Listing, Object, Objects, PortError, Ports, Sequencer, Turn};
pub use published::published_above;
pub use quota::{BeyondQuota, Change};
pub use registrar::{
    Acting, Admission, Admitted, Followed, FromAbove, NewRegistry, Registrar, SetPolicy,
    was_looked_through_lately,
};
pub use registry::Registry;
pub use replica::{DESCRIPTOR, ProvenRecord, Replica, ReplicaError, ReplicaHome, SyncReport, SyncStep};
pub use reuse::{BuiltBefore, Kept, quarantined};
pub use trust::{Pin, Trust, TrustError, parse_keys};
pub use upstreams::{UPSTREAMS_FILE, UpstreamAddresses, check_upstream};
pub use weir_model::evidence::{Evidence, HeldAs, evidence, held_beside};
pub use weir_wire::{
    Batch, Code, Done, Draft, Intent, Outcome, Promotion, Receipt, Refusal, Wanted, Withdraw,
};
pub use within_reach::withheld;
