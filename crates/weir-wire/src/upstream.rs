//! The registries above one that a server serves, as its API tells of them.

use serde::{Deserialize, Serialize};
use weir_model::record::{Hold, Only, UpstreamMode};
use weir_model::{OwnerName, PackageName, Platform, Range, ReleaseId, Version};

/// A registry above another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct UpstreamDocument {
    /// Its name: the origin of its log.
    pub name: String,
    /// Where it is reached; nothing where whoever keeps the registry has yet to say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The key that signs for it, or one that its rotations lead from.
    pub key: String,
    /// What of it is admitted.
    pub mode: UpstreamMode,
    /// The packages that may come from it, each `owner/*` or `owner/name`; all where nothing is said.
    #[serde(default, skip_serializing_if = "Only::is_all")]
    pub only: Only,
}

/// All of them, the nearest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct UpstreamList {
    /// They.
    pub upstreams: Vec<UpstreamDocument>,
}

/// A registry that is to be above another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WantedUpstream {
    /// Where it is reached.
    pub address: String,
    /// The key that must sign for it; trusted on first use where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What of it is admitted.
    #[serde(default)]
    pub mode: UpstreamMode,
    /// The packages that may come from it, each `owner/*` or `owner/name`; all where nothing is said.
    #[serde(default, skip_serializing_if = "Only::is_all")]
    pub only: Only,
    /// Whether it comes before those that are there, and not after them.
    #[serde(default)]
    pub first: bool,
}

/// What becomes of the registries above one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum UpstreamChange {
    /// One is named, or named anew with another address, key or mode.
    Add(WantedUpstream),
    /// One is named no longer. What was admitted from it stays.
    Remove {
        /// Its name.
        name: String,
    },
}

/// The most registries that an ask goes through, one above the other.
pub const MOST_TIERS: usize = 16;

/// What somebody's resolution requires, so that the registry can have admitted what that would use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ask {
    /// The packages that must be there.
    pub requirements: Vec<Asked>,
    /// Ranges in the place of those that are asked for, wherever they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<AskedInstead>,
    /// Where it is to run.
    #[serde(default)]
    pub platform: Platform,
    /// What is preferred while it satisfies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefer: Vec<ReleaseId>,
    /// Packages of which the newest is wanted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub newest: Vec<PackageName>,
    /// Packages of which whoever asks may leave the range behind: the newest that would go with the rest is wanted as well, and to know of
    /// what is newer still.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beyond: Vec<PackageName>,
    /// Releases that who asks does not take: their policy keeps them out. The newest of what is left is of more use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<ReleaseId>,
    /// Packages that are patched below: of these nothing comes, and only what is newer is to be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patched: Vec<PackageName>,
    /// How many entries of the registry's log whoever asks knows: the files that lead on from there are answered, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<u64>,
    /// The registries below that ask for somebody, the lowest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<String>,
}

/// One package that must be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The package.
    pub name: PackageName,
    /// The versions that would do.
    pub range: Range,
    /// Whether it may move within the range afterwards.
    #[serde(default)]
    pub fluid: bool,
}

/// A range in the place of those that are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedInstead {
    /// The package.
    pub name: PackageName,
    /// The versions that would do.
    pub range: Range,
}

/// What came of an ask. It is only told: whoever asked follows the log, and goes by what that says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Answer {
    /// How many releases were admitted.
    pub admitted: u64,
    /// How many are newly held.
    pub held: u64,
    /// How many are held no longer, without having been admitted.
    #[serde(default)]
    pub let_go: u64,
    /// How many withdrawals followed, or were taken back.
    #[serde(default)]
    pub withdrawn: u64,
    /// Entries of the log afterwards.
    pub size: u64,
    /// Owners that are bound to a registry above from now on, because something of them was admitted; at most [`MOST_BOUND`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bound: Vec<OwnerName>,
    /// What is newer above than all that is here, of the packages that were asked for and what they need, and nothing keeps
    /// out; at most [`MOST_NEWER`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub newer: Vec<Newer>,
    /// Of packages that were asked for or used and are patched in a registry on the way, what is newer above that; at most [`MOST_NEWER`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patched: Vec<Patched>,
    /// Why packages that were asked for do not come from above, where a registry on the way says so; at most [`MOST_NEWER`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<WhyMissing>,
    /// Registries further up that could not be asked; at most [`MOST_TIERS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreached: Vec<Unreached>,
    /// Why releases of a registry above that is none of Weir's do not come, in words; at most [`MOST_NOTES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The most notes that an answer has.
pub const MOST_NOTES: usize = 64;

/// A package that somebody looks for above a registry. Nothing is admitted for that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Look {
    /// The package.
    pub name: PackageName,
    /// The registries below that look for somebody, the lowest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<String>,
}

/// What there is of a package above a registry. It is only told: what comes in is decided when somebody needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Looked {
    /// The registries that it would come through, the nearest first; the last of them has it. None where nothing is known of it.
    pub through: Vec<String>,
    /// What the newest says that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The releases that are offered there, the newest first; at most [`MOST_LOOKED_AT`].
    pub releases: Vec<LookedRelease>,
    /// Registries that could not be asked, and may have it; at most [`MOST_TIERS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreached: Vec<Unreached>,
    /// Why it does not come from further up, where a registry on the way says so; at most [`MOST_TIERS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<WhyMissing>,
}

/// The most releases that are told of one package.
pub const MOST_LOOKED_AT: usize = 100;

/// A release of a package above a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LookedRelease {
    /// Which one.
    #[serde(flatten)]
    pub id: ReleaseId,
    /// Its licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// What keeps it out of the registry below the one that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Hold>,
}

/// What a server answers an ask.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Answered {
    /// What came of it.
    #[serde(flatten)]
    pub answer: Answer,
    /// Files of the registry's log that whoever asked will read next: they are read as if they had been asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<LogFile>,
}

/// A file of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LogFile {
    /// Where it is below the registry.
    pub path: String,
    /// Its bytes, in Base64.
    pub bytes: String,
}

/// The most owners that an answer tells are bound.
pub const MOST_BOUND: usize = 100;

/// The most newer releases that an answer tells of.
pub const MOST_NEWER: usize = 1000;

/// A version of a package that a registry further up has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Newer {
    /// The package.
    pub name: PackageName,
    /// The version.
    pub version: Version,
}

/// A package that is patched in a registry, and what there is by now of where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "PatchedPackage")]
pub struct Patched {
    /// The package.
    pub name: PackageName,
    /// The registry that patches it.
    pub registry: String,
    /// The newest version that came from above.
    pub from: Version,
    /// The registry above.
    pub above: String,
    /// The newest version there.
    pub newest: Version,
}

impl std::fmt::Display for Patched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, registry, from, above, newest } = self;
        write!(
            f,
            "`{name}` is patched in `{registry}`, and the newest that came from `{above}` is {from}: there it is at {newest} by now"
        )
    }
}

/// Why a package does not come from above a registry, by what that one says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WhyMissing {
    /// The package.
    pub name: PackageName,
    /// The registry.
    pub registry: String,
    /// What it says.
    pub because: Because,
}

/// What a registry says of a package that does not come from above it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// The owner belongs to the registry.
    Owned,
    /// Of one above it only some packages may come.
    #[serde(rename_all = "kebab-case")]
    Only {
        /// The one above.
        above: String,
        /// What may come.
        only: Only,
    },
}

impl std::fmt::Display for WhyMissing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, registry, because } = self;
        match because {
            Because::Owned => {
                let owner = name.owner_name();
                write!(f, "`{owner}` belongs to `{registry}`: none of its packages comes from above")
            }
            Because::Only { above, only } => write!(f, "of `{above}`, `{registry}` takes only {only}"),
        }
    }
}

/// A registry above another that could not ask further up: it was not reached there, or not believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Unreached {
    /// The registry that could not ask what is above it.
    pub registry: String,
    /// Why not, in words.
    pub reason: String,
    /// Whether one further up was reached and is not believed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unbelieved: bool,
}

impl std::fmt::Display for Unreached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.unbelieved {
            false => write!(f, "`{}` could not ask above: {}", self.registry, self.reason),
            true => write!(f, "`{}` does not believe what is above: {}", self.registry, self.reason),
        }
    }
}
