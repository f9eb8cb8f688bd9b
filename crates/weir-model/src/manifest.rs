//! The manifest, `weir.toml`: what a person writes about a package or a project.
//!
//! [`Manifest::parse`] reads it strictly (an unknown field is an error that names the nearest known
//! one, with its place in the file); [`edit`] changes a text while keeping its comments and order.

pub mod edit;
mod error;
mod fields;
mod read;

use std::collections::BTreeMap;

pub use error::ManifestError;
pub use fields::Fields;

use crate::unseen::Named as _;
use crate::{KindName, PackageName, Platform, Range, Scope, Sha256, Version};

/// The name of the file.
pub const FILE_NAME: &str = "weir.toml";

/// The longest manifest that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// What a package or a project says about itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifest {
    /// `[package]`.
    pub package: Package,
    /// `prefer`: what is taken where any release in range will do, if it says so.
    pub prefer: Option<Prefer>,
    /// `platforms`: those that the lockfile is made for, besides the one where it is made. None is `any`, none is there twice.
    pub platforms: Vec<Platform>,
    /// `[dependencies]`, `[build-dependencies]` and `[dev-dependencies]`, in the order written.
    pub dependencies: Vec<Requirement>,
    /// `[references]`, in the order written.
    pub references: Vec<Reference>,
    /// `[registries]`: names for registries, and where they are.
    pub registries: BTreeMap<String, RegistryAddress>,
    /// `[aliases]`: owners of git repositories that were renamed, old to new.
    pub aliases: BTreeMap<String, String>,
    /// `[override]`: what replaces a dependency wherever it is needed in this project.
    pub overrides: Vec<Requirement>,
    /// `[bin]`: the commands the package offers, and the files they are.
    pub bin: BTreeMap<String, String>,
    /// `[scripts]`: command lines for `weir run`.
    pub scripts: BTreeMap<String, String>,
    /// The text of the tables that belong to a kind, such as `[bash]`, read by it.
    pub kind_tables: BTreeMap<String, String>,
}

/// What is taken where any release in range will do: for fluid dependencies and references.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Prefer {
    /// What is on this machine, if it will do.
    #[default]
    Here,
    /// The newest.
    Newest,
}

/// The `[package]` table. A project that is never published needs no name and no version.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Package {
    /// Under which releases are published.
    pub name: Option<PackageName>,
    /// Of the next release.
    pub version: Option<Version>,
    /// What sort of package it is; `generic` where nothing is said.
    pub kind: KindName,
    /// Where it runs.
    pub platform: Platform,
    /// An SPDX licence expression.
    pub license: Option<String>,
    /// One line that says what it is.
    pub description: Option<String>,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// Where to read about it.
    pub homepage: Option<String>,
    /// Where it is developed.
    pub repository: Option<String>,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// Globs of the files that belong to it; all, where nothing is said.
    pub include: Vec<String>,
    /// Globs of files that do not.
    pub exclude: Vec<String>,
}

/// One dependency as the manifest asks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    /// The package.
    pub name: PackageName,
    /// The versions that would do.
    pub range: Range,
    /// What it is needed for.
    pub scope: Scope,
    /// Whether it may move within the range without a new release of this package.
    pub fluid: bool,
    /// The registry it comes from, by its name in `[registries]`; the default one where nothing is said.
    pub registry: Option<String>,
    /// Where it comes from when not from a registry.
    pub source: Source,
    /// The line of the manifest that asks for it, from 1.
    pub line: usize,
}

/// Where a dependency comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Source {
    /// From a registry.
    #[default]
    Registry,
    /// From a folder, relative to the manifest's.
    Path(String),
    /// From a tag of a git repository.
    Git {
        /// The tag.
        tag: GitTag,
        /// What the package's manifest is to say besides what the repository's does, if that has one: TOML.
        manifest: Option<String>,
    },
}

/// A tag of a git repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitTag {
    /// The repository's address.
    pub url: String,
    /// The tag.
    pub tag: String,
}

/// An external file that a package or a project names.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// Its name, by which it is found after installing.
    pub name: String,
    /// Addresses that hold the same bytes, in the order to try.
    pub mirrors: Vec<String>,
    /// The digest of its bytes; only a fluid reference may leave it out.
    pub sha256: Option<Sha256>,
    /// How many bytes it has; of a fluid reference, the most that is acceptable.
    pub size: Option<u64>,
    /// Whether it is an archive to be unpacked.
    pub unpack: bool,
    /// Whether it may move without a new release.
    pub fluid: bool,
    /// The line of the manifest that names it, from 1.
    pub line: usize,
}

/// Checks the addresses of a reference of a package that others install: each is reached over HTTP(S), or is the path of a file
/// of the package. Anything else would be a file of whoever installs it.
///
/// # Errors
///
/// The first address that is neither.
pub fn check_published(reference: &str, addresses: &[String]) -> Result<(), UnpublishableAddress> {
    let is_inside = |address: &str| {
        !address.contains([':', '\\']) && !address.split('/').any(|part| matches!(part, "" | "." | ".."))
    };
    match addresses.iter().find(|address| !is_web(address) && !is_inside(address)) {
        None => Ok(()),
        Some(address) => {
            Err(UnpublishableAddress { reference: reference.to_owned(), address: address.clone() })
        }
    }
}

/// Whether an address is reached over HTTP(S).
pub fn is_web(address: &str) -> bool {
    let scheme = address.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web)))
}

/// Where a registry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryAddress {
    /// A folder, or an `http(s)://` address.
    pub url: String,
    /// The C2SP verifier key its checkpoints must be signed with, if it is given and not trusted on first use.
    pub key: Option<String>,
    /// Whether it is the one that unmarked dependencies come from.
    pub default: bool,
}

/// A reference of a package that others install to something of their own machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the reference `{reference}` is at `{}`, which is neither an `https://` or `http://` address nor a file of the package",
    .address.named()
)]
pub struct UnpublishableAddress {
    /// Its name.
    pub reference: String,
    /// The address.
    pub address: String,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its place and, where a word was mistyped, the nearest known one.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        read::manifest(text)
    }
}

#[cfg(test)]
mod tests;
