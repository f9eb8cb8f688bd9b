//! The view: a registry's log folded into one SQLite file, with look-up, search and dependents.
//!
//! The log is the truth; everything here can be deleted and folded again. What makes it worth
//! keeping is that it opens without being read: a look-up costs a few pages, whatever the size
//! of the registry.
//!
//! * [`Index`] opens the file and answers questions.
//! * [`Fold`] takes the log's entries, in order, in one transaction: either all of them and the
//!   follower's position are in the view, or none. It is also the check that a batch obeys the
//!   rules of the log: fold it, and drop the fold.
//! * A [snapshot](Index::write_snapshot) is the whole view in columns, for a cold sync.
//!
//! **Invariants.** A release never changes and never leaves: a removed one keeps its row, so that
//! its input digest stays bound to its tree and its revision stays taken. Everything but the rows of
//! releases, withdrawals, claims and facts is derived from them, package by package, at the end of
//! a fold; so the view depends on the log alone and not on the steps in which it was folded.

mod advice;
mod candidates;
mod closure;
mod dependents;
mod derive;
mod dump;
mod error;
mod facts;
mod fold;
mod impact;
mod index;
mod names;
mod query;
mod quotas;
mod rows;
mod schema;
mod search;
mod snapshot;
mod tiers;
mod view;
mod wire;

pub use candidates::{Candidate, Candidates};
pub use closure::{Closure, WithdrawnNeed};
pub use dependents::Dependent;
pub use error::{FoldError, IndexError, SnapshotError};
pub use fold::Fold;
pub use impact::{Impact, ReachedPackage, Upgrade, Upgrading};
pub use index::{Index, Opened, Position, Reading};
pub use query::{PackageFilter, Releases};
pub use search::{SearchHit, SearchResults};
pub use snapshot::{LoadedSnapshot, SnapshotLimits, SnapshotSummary};
pub use view::{
    Adopted, Claim, Cursor, Dismissed, HeldRelease, KnownAdvisory, Mark, PackageSummary, PackageView,
    RegistryFacts, ReleaseView, SetQuota, Stats, Tier, Withdrawn,
};
