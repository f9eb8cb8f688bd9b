//! Bash packages: manifests, layout, loading, renaming.
//!
//! [`Bash`] is the kind, as projects use it: it reads packages and keeps rewritten ones in the store. Everything
//! else here is a pure function of what the caller gives: bytes, texts and paths in, plans,
//! texts and reports out. Nothing is read from an environment or a clock, and nothing
//! of a package is ever run.
//!
//! * [`grammar`] parses shell text, within bounds;
//! * [`rename`] gives every release of a library names of its own, so that two can share a shell;
//! * [`closure`] does so for everything a project uses, where it is needed and does no harm;
//! * [`processes`] tells files that are run from those that are loaded;
//! * [`manifest`] reads what authors wrote, in Weir's form and in three older ones;
//! * [`layout`] plans the links of `weir_packages/`;
//! * [`loader`] writes the scripts that load packages, and [`quote`] keeps names from becoming code in them;
//! * [`bundle`] joins an entry script and all it needs in one file;
//! * [`check`] tells an author what would be in the way.

pub mod bundle;
pub mod check;
pub mod closure;
pub mod grammar;
mod kind;
pub mod layout;
pub mod loader;
pub mod manifest;
pub mod processes;
pub mod quote;
pub mod rename;

pub use kind::{
    Bash, MAX_SOURCED, REPORT_FILE, TEST_FILE, installed_packages, is_suite, package_files, read_manifest,
};
