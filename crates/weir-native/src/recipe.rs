//! Recipes: how to build a release from source.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use weir_model::manifest::Requirement;
use weir_model::{Digest, PackageName, Version};

use crate::Variant;

/// How to build one release.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// The package.
    pub name: PackageName,
    /// Which version it builds.
    pub version: Version,
    /// An SPDX licence expression.
    pub license: Option<String>,
    /// One line that says what it is.
    pub description: Option<String>,
    /// What it needs: of scope `run`, seen by those who use it too; of scope `build`, only while it is built.
    pub dependencies: Vec<Requirement>,
    /// The folder that the recipe is in, to which paths are relative.
    pub folder: PathBuf,
    /// The file that it was read from, for messages.
    pub file: PathBuf,
    /// Where the source comes from.
    pub source: SourceSpec,
    /// The folder of the source that is built, `/`-separated; the whole where nothing is said.
    pub subfolder: Option<String>,
    /// Patches in `folder`, in the order in which they are applied.
    pub patches: Vec<String>,
    /// What builds it.
    pub system: System,
    /// Settings for the build system.
    pub defines: BTreeMap<String, String>,
    /// Variables of the environment.
    pub environment: BTreeMap<String, String>,
    /// The variants to build, sorted; at least one.
    pub variants: Vec<Variant>,
    /// Shared libraries of the build root that it may be bound to, beyond the runtime of C and C++.
    pub system_libraries: Vec<String>,
    /// What a build may use.
    pub limits: BuildLimits,
}

/// Where a source comes from. What it was is kept as content by whoever builds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceSpec {
    /// A tag of a git repository.
    Git {
        /// The repository's address; a folder is relative to the recipe's.
        url: String,
        /// The tag.
        tag: String,
    },
    /// An archive.
    Archive {
        /// Addresses, or paths relative to the recipe's folder, that hold the same bytes, in the order to try.
        mirrors: Vec<String>,
        /// The digest of the archive's bytes.
        sha256: Digest,
    },
    /// A folder, relative to the recipe's.
    Path(String),
}

/// What builds a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum System {
    /// `CMake`.
    Cmake,
    /// Meson.
    Meson,
    /// `./configure`, `make`, `make install`.
    Autotools,
    /// `make` alone.
    Make {
        /// What to make before `install`; the default target where nothing is said.
        targets: Vec<String>,
    },
    /// A script beside the recipe, run by `sh -eu`.
    Script {
        /// Its name.
        file: String,
    },
}

/// What a build may use before it is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuildLimits {
    /// How long it may take, on the clock.
    pub time: Duration,
    /// Bytes of memory that one process may have.
    pub memory: u64,
    /// Bytes that it may write to the disk.
    pub disk: u64,
    /// How many processes it may have at once.
    pub processes: u32,
}

impl Default for BuildLimits {
    fn default() -> Self {
        Self { time: Duration::from_hours(2), memory: 16 << 30, disk: 32 << 30, processes: 2048 }
    }
}
