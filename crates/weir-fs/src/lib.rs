//! Files below a folder that a stranger may have made.
//!
//! A [`Folder`] is held open, and everything below it is reached from there one name at a time, never through a link: whatever
//! is in it, and whoever else writes there meanwhile, cannot lead a reader or a writer elsewhere. On top of that:
//!
//! * only regular files are read, and never more of one than its reader allows. A pipe is not waited for, a device is not read;
//! * a file is replaced in one step, from a [`Draft`] whose name nobody can foresee and which vanishes when the process does;
//!   whether that waits for the disk is said each time, by a [`Durability`];
//! * files that belong together are brought to the disk together, by a [`Batch`];
//! * what is made in a folder that several users write to is as open as the folder;
//! * trees are removed without following a link in them.
//!
//! The path of the folder itself is its caller's word: links in it are followed. So [`read()`] and [`replace()`] below are for files
//! whose folder a user named, or which are the user's own, and [`Folder`] is for everything that came from somebody else.
//!
//! Why names are walked and not handed to `openat2`: `docs/decisions/0070-every-name-is-walked.md`.

mod batch;
mod draft;
mod error;
mod file;
mod folder;
mod lock;
mod name;
mod remove;
mod replace;
mod resume;
mod shared;

pub use batch::{Batch, BatchStep, Settled};
pub use draft::{Draft, FolderDraft};
pub use error::{FsError, Sort, is_full};
pub use file::{open, read, read_text};
pub use folder::{Entry, Folder, Found, Identity};
pub use lock::Lock;
pub use replace::{Access, Durability, replace};

/// What can go wrong with a file.
pub type Result<T> = std::result::Result<T, FsError>;
