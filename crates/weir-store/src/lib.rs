//! The store: where releases are unpacked on a machine, once, for every project.
//!
//! # The idea
//!
//! Content is named by its digest, so a name that exists is content that is complete: everything is made
//! beside its place, in `tmp/`, and renamed into it last. Nobody needs to be asked whether something is
//! there (one `lstat` tells), no two writers can disagree about what a name holds, and a process that dies
//! leaves rubbish in `tmp/` and nothing else.
//!
//! # The layout, format 1
//!
//! ```text
//! format                     `weir-store v1`; a newer one is refused
//! tree/<aa>/<hex>/           a tree, unpacked; read-only
//! tree/<aa>/<hex>.manifest   its tree manifest, beside it, so that any tree can be checked file by file
//! file/<aa>/<hex>            a file that a reference names; read-only
//! derived/<aa>/<hex>         which tree was made from some inputs, and of what: see [`Session::derived`]
//! projects/<hex>             one for each project that uses the store: see [`Store::projects`]
//! lock/gc                    held shared by whoever uses the store, exclusively by the collector
//! lock/<item>                one for each thing being made just now
//! tmp/                       things being made, downloads to be resumed, things being deleted
//! ```
//!
//! # Invariants
//!
//! * `tree/<aa>/<hex>` exists only with all its files, `file/<aa>/<hex>` only with all its bytes.
//! * Everything under one name is made once, however many threads and processes ask at once: they wait for
//!   one lock and find it done. The lock belongs to the kernel, so a killed process holds none.
//! * Locks save work; they do not make things right. On a shared disk where they do not reach the other
//!   machine, two of them make the same thing, the second rename loses, and the loser discards its own.
//! * Content is decided upon within a [`Session`], and the collector removes nothing while one is open. Where
//!   locks do not reach, the grace period does the same: whatever a session touches is marked as used.
//!
//! # What a power cut may leave
//!
//! Nothing is synced to the disk by hand: for 20,000 small files that costs more than all the rest together. After
//! the power went (not after a crash of the program), files written in the last seconds may be short or
//! empty on some file systems, under a complete name. [`Session::verify`] finds them by their manifests and
//! [`Session::repair`] replaces them; nothing in the store is the only copy of anything.
//!
//! # Permissions
//!
//! Files are 0444 or 0555 and folders 0555, so that a program which writes beside its own files through a
//! project's link is stopped and does not change what every other project sees. It is a guard against
//! accidents: the owner can lift it, and the collector does, after it has renamed the tree away.
//!
//! The store's own folder is its owner's alone, 0700, unless it is made to be shared ([`Options::readers`]): packages of private
//! registries are in it. In a shared one, what is made of a file that others cannot read is its maker's alone
//! ([`Readers::Owner`]): 0400, and a folder 0500. For others it is not there, and who has the bytes puts them in its place.

mod catalogue;
mod derived;
mod error;
mod export;
mod faults;
mod file;
mod gc;
mod host;
mod import;
mod layout;
mod list;
mod lock;
mod observe;
mod optimise;
mod partial;
mod pipe;
mod project;
mod readers;
mod remove;
mod repair;
mod seal;
mod session;
mod staging;
mod store;
mod tree;
mod unpacked;
mod uses;
mod verify;
mod whole;

pub use derived::{Ingredient, Making};
pub use error::{EnsureError, StoreError};
pub use export::{ExportReport, Missing};
pub use faults::{Faults, NoFaults, POINTS};
pub use file::{Part, StoredFile};
pub use gc::{GcPlan, GcReport, Item, Kept, Reason, UnreadableProject};
pub use import::{ImportError, ImportReport};
pub use list::{ListedFile, ListedTree, Listing};
pub use observe::{Event, Work};
pub use optimise::OptimiseReport;
pub use project::Project;
pub use readers::Readers;
pub use repair::{Mended, RepairReport, Replacement};
pub use session::Session;
pub use store::{Options, Store};
pub use tree::StoredTree;
pub use verify::{Broken, Damage, Scope, VerifyReport};
