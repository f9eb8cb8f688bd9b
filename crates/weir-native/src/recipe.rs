//! Recipes: how to build a release from source.
//!
//! A recipe is a `weir.toml` of the kind `native` with a table `[recipe]`, read by [`Recipe::parse`] and written by
//! [`Recipe::to_manifest_text`]. What of it decides what comes out is its [document](Recipe::document), whose
//! digest is one of the inputs of the release.
//!
//! A value of a recipe may become an argument of a program or a variable of its environment, and nothing
//! else: it is never part of a command line that a shell reads. Names are checked all the same, so
//! that none is taken for an option.

pub(crate) mod check;
mod document;
mod inputs;
mod limits;
mod read;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;

use weir_model::manifest::Requirement;
use weir_model::{ManifestError, PackageName, Sha256, Version};

use crate::Variant;

pub use inputs::{InputError, RecipeFile, RecipeInputs};
pub use limits::BuildLimits;

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
    /// Settings for the build system, of every variant; [`Recipe::settings`] has those of one.
    pub defines: BTreeMap<String, String>,
    /// Variables of the environment, of every variant; [`Recipe::settings`] has those of one.
    pub environment: BTreeMap<String, String>,
    /// The variants to build, sorted; at least one.
    pub variants: Vec<Variant>,
    /// What is set for one variant alone, before what is set for all. Only variants that are built, none empty.
    pub of_variant: BTreeMap<Variant, Settings>,
    /// Shared libraries of the build root that it may be bound to, beyond the runtime of C and C++. Sorted.
    pub system_libraries: Vec<String>,
    /// Programs of the build root that it is built with, beyond the compilers and build systems that every build has.
    /// Sorted.
    pub tools: Vec<String>,
    /// What a build may use.
    pub limits: BuildLimits,
}

/// What a build is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Settings for the build system.
    pub defines: BTreeMap<String, String>,
    /// Variables of the environment.
    pub environment: BTreeMap<String, String>,
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
        /// Whether its submodules are part of the source.
        submodules: bool,
    },
    /// An archive.
    Archive {
        /// Addresses, or paths relative to the recipe's folder, that hold the same bytes, in the order to try.
        mirrors: Vec<String>,
        /// The digest of the archive's bytes.
        sha256: Sha256,
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

/// A recipe that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}`: {error}", file.display())]
pub struct RecipeError {
    /// The file.
    pub file: PathBuf,
    /// Its text, to show the place in.
    pub text: String,
    /// What is wrong with it, where, and what to do about it.
    pub error: Box<ManifestError>,
}

impl Recipe {
    /// What the build of one variant is told: what is set for all, and over it what is set for this one.
    pub fn settings(&self, variant: Variant) -> Settings {
        let mut settings = Settings { defines: self.defines.clone(), environment: self.environment.clone() };
        if let Some(own) = self.of_variant.get(&variant) {
            settings.defines.extend(own.defines.clone());
            settings.environment.extend(own.environment.clone());
        }
        settings
    }
}

impl System {
    /// The names of all, as recipes write them.
    pub const NAMES: [&str; 5] = ["cmake", "meson", "autotools", "make", "script"];

    /// Its name, as recipes write it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Cmake => "cmake",
            Self::Meson => "meson",
            Self::Autotools => "autotools",
            Self::Make { .. } => "make",
            Self::Script { .. } => "script",
        }
    }

    /// How `yes` and `no` are said to it.
    pub(crate) const fn boolean(&self, value: bool) -> &'static str {
        match (self, value) {
            (Self::Cmake, true) => "ON",
            (Self::Cmake, false) => "OFF",
            (Self::Meson, true) => "true",
            (Self::Meson, false) => "false",
            (Self::Autotools, true) => "yes",
            (Self::Autotools, false) => "no",
            (_, true) => "1",
            (_, false) => "0",
        }
    }
}

impl Settings {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.defines.is_empty() && self.environment.is_empty()
    }
}

#[cfg(test)]
mod tests;
