//! The nouns of Weir: names, versions, ranges, platforms, digests, manifest,
//! lockfile, release records and descriptor.
//!
//! Parsing and printing only: nothing here reads a file, a clock or the
//! environment, so every type can be used in a server, a browser or a test.

pub mod address;
pub mod advisory;
pub mod amounts;
mod build;
pub mod canonical;
mod causes;
pub mod descriptor;
mod digest;
pub mod evidence;
mod facts;
#[cfg(test)]
mod forms;
mod kind;
mod license;
pub mod lockfile;
pub mod manifest;
pub mod name;
mod nearest;
mod observe;
pub mod path_text;
mod platform;
mod range;
pub mod record;
mod release;
pub mod unseen;
mod version;

pub use build::{BuildFacts, BuildFactsError, SourceFact};
pub use causes::{causes, chain};
pub use digest::{
    ChunkDigest, Digest, DigestError, EntryDigest, Hasher, InputDigest, Sha256, TreeDigest, of,
};
pub use facts::{FactsError, check_facts};
pub use kind::{KindError, KindName};
pub use license::{License, LicenseError};
pub use lockfile::Lockfile;
pub use manifest::{Manifest, ManifestError};
pub use name::{NameError, OwnerName, PackageName};
pub use nearest::nearest;
pub use observe::{Observer, Unobserved};
pub use platform::{Platform, PlatformError};
pub use range::{Range, RangeError};
pub use record::{Action, Record, RecordError, WithdrawalVerb};
pub use release::{Baked, BuildId, Dependency, ReferenceFact, Release, ReleaseId, ReleaseIdError, Scope};
pub use version::{Version, VersionError};
