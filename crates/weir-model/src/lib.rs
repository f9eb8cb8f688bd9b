//! The nouns of Weir: names, versions, ranges, platforms, digests, manifest,
//! lockfile, release records and descriptor.
//!
//! Parsing and printing only: nothing here reads a file, a clock or the
//! environment, so every type can be used in a server, a browser or a test.

mod digest;

pub use digest::{Digest, DigestError, Hasher};
