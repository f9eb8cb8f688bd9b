//! How much a registry stores, for whom, and how much they may.

use serde::{Deserialize, Serialize};
use weir_model::{OwnerName, PackageName};

/// What is stored. Everything is counted once in `total`; what several owners or packages name is `shared` with each of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "RegistryStorage")]
pub struct Storage {
    /// The registry.
    pub registry: String,
    /// All that is stored, by what it is.
    pub total: StoredBytes,
    /// Bytes that only removed releases name: collecting them takes them out when it is asked to.
    pub removed: u64,
    /// Bytes that nothing names: what interrupted publications left.
    pub unnamed: u64,
    /// Bytes that the registry may hold for all together, if somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<u64>,
    /// Bytes of the packs of all releases that are not removed: what that quota goes by.
    pub counted: u64,
    /// Each owner, by name.
    pub owners: Vec<OwnerStorage>,
}

/// Bytes, by what they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StoredBytes {
    /// Of packs.
    pub packs: u64,
    /// Of deltas between packs.
    pub deltas: u64,
    /// Of files: external ones that are held, evidence of builds, advisories; large ones with their chunks.
    pub files: u64,
    /// Of the snapshot of the index, and of what is being written.
    pub other: u64,
}

impl StoredBytes {
    /// All of them.
    pub const fn sum(&self) -> u64 {
        self.packs + self.deltas + self.files + self.other
    }
}

/// What is stored for an owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct OwnerStorage {
    /// The owner.
    pub owner: OwnerName,
    /// Bytes that it may hold, if somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<u64>,
    /// Bytes of the packs of its releases that are not removed: what the quota goes by.
    pub counted: u64,
    /// Bytes that nobody else names.
    pub alone: u64,
    /// Bytes that other owners name as well.
    pub shared: u64,
    /// Its packages, by name.
    pub packages: Vec<PackageStorage>,
}

/// What is stored for a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PackageStorage {
    /// The package.
    pub name: PackageName,
    /// How many releases it has that are not removed.
    pub releases: u64,
    /// Bytes of their packs, each release for itself.
    pub counted: u64,
    /// Bytes that no other package names.
    pub alone: u64,
    /// Bytes that other packages name as well.
    pub shared: u64,
}
