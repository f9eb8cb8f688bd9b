//! A package, read: what its manifest says, what its kind finds out, which files it has, and the draft of a release that
//! follows from that.
//!
//! Whoever publishes a package reads it from its folder ([`Package::read`]) and drafts a release ([`Package::draft`]). The
//! registry reads the same out of the pack that was uploaded, with the same code, and takes only a draft that says the same
//! ([`check()`]). What does not follow from the files of a package is listed in `docs/decisions/0110-drafts-are-derived.md`.
//!
//! What a tag of a repository names has whatever manifest it has; [`TagManifest`] finds it, and [`release_manifest`] makes it that of a release.
//!
//! Nothing of a package is run, and of its files only those are read that its kind wants to see.

mod check;
mod error;
mod license_files;
mod pack;
mod package;
mod secrets;
mod tag_manifest;
mod version;

pub use check::{ARCHIVE_FACT, Refused, check};
pub use error::PackageError;
pub use license_files::detect_license;
pub use package::{MAX_MANIFEST, Package, built_facts, read_manifest, selection, selection_of_commit};
pub use secrets::likely_secrets;
pub use tag_manifest::{TagManifest, parse_said, plain_address, release_manifest};
pub use version::{Files, is_compared, version_facts};
