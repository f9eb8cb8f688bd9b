//! Ranges against vectors and against the `semver` crate.
