//! What the view says: plain data, as the queries hand it out.

use jiff::Timestamp;
use serde::Serialize;
use weir_model::advisory::Advisory;
use weir_model::record::{Hold, Origin, QuotaOf, Retention, Upstream};
use weir_model::{KindName, OwnerName, PackageName, Platform, Release, ReleaseId, Sha256, Version};
use weir_rules::{Offer, Standing, newest};

/// Where in the log something was said, when, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Mark {
    /// The index of the entry in the log.
    pub index: u64,
    /// When it was appended.
    pub at: Timestamp,
    /// Who asked for it, such as `user:ann`.
    pub by: String,
    /// The batch it was appended in.
    pub batch: String,
}

/// A withdrawal that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Withdrawn {
    /// The entry that withdrew the release.
    #[serde(flatten)]
    pub mark: Mark,
    /// Why, in a person's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of a quarantine, an advisory that explains it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advisory: Option<String>,
    /// Of a removal, the release whose removal or update caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<ReleaseId>,
    /// The registry above that withdrew it, where it followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// A release and what the log says about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ReleaseView {
    /// The release, with every fact of its record.
    pub release: Release,
    /// The entry that published, admitted or promoted it.
    pub mark: Mark,
    /// Where it was admitted from; nothing if it was published here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Where it was promoted from, by the word of who did that; nothing if it was published here first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promoted: Option<Origin>,
    /// The yank in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub yanked: Option<Withdrawn>,
    /// The quarantine in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantined: Option<Withdrawn>,
    /// The removal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<Withdrawn>,
}

/// By which way a release came from another registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Came {
    /// From one above.
    Admitted(Origin),
    /// From one below.
    Promoted(Origin),
}

impl Came {
    pub(crate) const fn origin(&self) -> &Origin {
        match self {
            Self::Admitted(origin) | Self::Promoted(origin) => origin,
        }
    }

    /// Both ways, one of which it came by at most.
    pub(crate) fn split(came: Option<Self>) -> (Option<Origin>, Option<Origin>) {
        match came {
            None => (None, None),
            Some(Self::Admitted(origin)) => (Some(origin), None),
            Some(Self::Promoted(origin)) => (None, Some(origin)),
        }
    }
}

impl ReleaseView {
    /// By which way it came, if it did not begin here.
    pub(crate) fn came(&self) -> Option<Came> {
        let admitted = self.origin.clone().map(Came::Admitted);
        admitted.or_else(|| self.promoted.clone().map(Came::Promoted))
    }

    /// Whether it may be used.
    pub const fn standing(&self) -> Standing {
        match (&self.removed, &self.quarantined, &self.yanked) {
            (Some(_), _, _) => Standing::Removed,
            (None, Some(_), _) => Standing::Quarantined,
            (None, None, Some(_)) => Standing::Yanked,
            (None, None, None) => Standing::Offered,
        }
    }

    /// The withdrawal that decides its standing.
    pub fn withdrawn(&self) -> Option<&Withdrawn> {
        self.removed.as_ref().or(self.quarantined.as_ref()).or(self.yanked.as_ref())
    }
}

impl Offer for ReleaseView {
    fn version(&self) -> &Version {
        &self.release.id.version
    }

    fn platform(&self) -> &Platform {
        &self.release.id.platform
    }

    fn revision(&self) -> u32 {
        self.release.id.revision
    }

    fn standing(&self) -> Standing {
        Self::standing(self)
    }
}

/// A package and its releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct PackageView {
    /// Its name.
    pub name: PackageName,
    /// What sort of package its newest release is.
    pub kind: KindName,
    /// How many packages of this registry need it.
    pub dependents: u64,
    /// Every release that is not removed, the newest first: by version, then platform, then revision.
    pub releases: Vec<ReleaseView>,
    /// The removed releases, the newest first.
    pub removed: Vec<ReleaseView>,
}

impl PackageView {
    /// The release a person means who names no version: the newest that is offered, a pre-release
    /// only where there is nothing else.
    pub fn newest(&self) -> Option<&ReleaseView> {
        newest(&self.releases, None)
    }

    /// The highest revision that a version ever had for a platform. Removed builds keep theirs.
    pub fn highest_revision(&self, version: &Version, platform: &Platform) -> Option<u32> {
        let all = self.releases.iter().chain(&self.removed).map(|view| &view.release.id);
        let same = all.filter(|id| id.version == *version && id.platform == *platform);
        same.map(|id| id.revision).max()
    }

    /// The revision that the next build of a version for a platform gets.
    pub fn next_revision(&self, version: &Version, platform: &Platform) -> u32 {
        self.highest_revision(version, platform).map_or(0, |highest| highest.saturating_add(1))
    }
}

/// A package in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct PackageSummary {
    /// Its name.
    pub name: PackageName,
    /// What sort of package its newest release is.
    pub kind: KindName,
    /// The newest version that is offered; nothing if none is.
    pub version: Option<Version>,
    /// Where it stands: of what offers nothing, the mildest that is so of any of its releases.
    pub standing: Standing,
    /// What that version says it is, or else the newest that is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The platforms of its releases that are offered, sorted.
    pub platforms: Vec<Platform>,
    /// The licences that it names, each once, as SPDX identifiers, sorted.
    pub licenses: Vec<String>,
    /// How many of its releases are not removed.
    pub releases: u64,
    /// How many of them are yanked.
    pub yanked: u64,
    /// How many of them are quarantined.
    pub quarantined: u64,
    /// How many packages of this registry need it.
    pub dependents: u64,
}

/// To whom an owner belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Claim {
    /// The owner.
    pub owner: OwnerName,
    /// To whom it belongs.
    pub who: Vec<String>,
    /// The entry that says so.
    #[serde(flatten)]
    pub mark: Mark,
}

/// Which tier a name is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// This registry: its owner was claimed here, or it was adopted.
    Here,
    /// The registry above of this name, from which something of its owner was admitted.
    Above(String),
}

impl std::fmt::Display for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Here => f.write_str("this registry"),
            Self::Above(registry) => write!(f, "the registry `{registry}`"),
        }
    }
}

/// A release of a registry above that is kept out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct HeldRelease {
    /// Which, by which rule, and until when.
    #[serde(flatten)]
    pub hold: Hold,
    /// The entry that says so.
    pub mark: Mark,
}

/// An advisory, and who told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct KnownAdvisory {
    /// What it says.
    #[serde(flatten)]
    pub advisory: Advisory,
    /// The registry above that it came from, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The entry that says so.
    pub mark: Mark,
    /// By whom it was dismissed, if it was: it counts no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dismissed: Option<Dismissed>,
}

impl KnownAdvisory {
    /// Whether somebody decided here that it counts, or that it does not: no registry above changes that.
    pub fn is_decided_here(&self) -> bool {
        self.from.is_none() || self.dismissed.as_ref().is_some_and(|dismissed| dismissed.from.is_none())
    }
}

/// That an advisory counts no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Dismissed {
    /// Why, in a person's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The registry above that dismissed it, where that is all there is to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The entry that says so.
    #[serde(flatten)]
    pub mark: Mark,
}

/// How many bytes may be held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct SetQuota {
    /// Whom it is for.
    pub of: QuotaOf,
    /// How many.
    pub bytes: u64,
    /// The entry that says so.
    #[serde(flatten)]
    pub mark: Mark,
}

/// A package that is kept here though it came from above.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Adopted {
    /// The package.
    pub name: PackageName,
    /// The registry that it came from.
    pub registry: String,
    /// The entry that says so.
    #[serde(flatten)]
    pub mark: Mark,
}

/// How far an upstream was followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Cursor {
    /// The upstream's name.
    pub registry: String,
    /// The size of its log up to which this log has admitted.
    pub size: u64,
    /// The root hash of its log at that size.
    pub root: Sha256,
    /// The entry that says so.
    #[serde(flatten)]
    pub mark: Mark,
}

/// What the log says about the registry itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct RegistryFacts {
    /// Its name; nothing if the log never said.
    pub name: Option<String>,
    /// The keys that sign its checkpoints; nothing if the log never said.
    pub keys: Option<Vec<String>>,
    /// Whether it promises a closed world; nothing if the log never said.
    pub closed: Option<bool>,
    /// The kinds of package it takes, all kinds where the list is empty; nothing if the log never said.
    pub kinds: Option<Vec<KindName>>,
    /// For how many seconds its checkpoints are valid, 0 for ever; nothing if the log never said.
    pub validity: Option<u64>,
    /// The registries above it, nearest first; nothing if the log never said.
    pub upstreams: Option<Vec<Upstream>>,
    /// Which releases it keeps.
    #[serde(skip_serializing_if = "Retention::is_empty")]
    pub retention: Retention,
    /// The newest entry that described the registry.
    pub described: Option<Mark>,
    /// The digest of the policy set in force, and the entry that put it there.
    pub policy: Option<(Sha256, Mark)>,
    /// How far each upstream was followed, by name.
    pub cursors: Vec<Cursor>,
}

impl RegistryFacts {
    /// Whether it promises a closed world. Who never promised it does not.
    pub fn is_closed(&self) -> bool {
        self.closed == Some(true)
    }

    /// The kinds of package it takes; all kinds where it is empty.
    pub fn kinds(&self) -> &[KindName] {
        self.kinds.as_deref().unwrap_or_default()
    }

    /// Whether it takes packages of this kind.
    pub fn takes(&self, kind: KindName) -> bool {
        self.kinds().is_empty() || self.kinds().contains(&kind)
    }

    /// The registries above it, nearest first.
    pub fn upstreams(&self) -> &[Upstream] {
        self.upstreams.as_deref().unwrap_or_default()
    }

    /// How far the registry above that has this name was followed, if it ever was.
    pub fn cursor(&self, registry: &str) -> Option<&Cursor> {
        self.cursors.iter().find(|cursor| cursor.registry == registry)
    }

    /// For how many seconds its checkpoints are valid, if not for ever.
    pub fn validity(&self) -> Option<u64> {
        self.validity.filter(|seconds| *seconds > 0)
    }
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Stats {
    /// Records in the log.
    pub records: u64,
    /// Packages with a release that is not removed.
    pub packages: u64,
    /// Releases that are offered.
    pub offered: u64,
    /// Releases that are yanked.
    pub yanked: u64,
    /// Releases that are quarantined.
    pub quarantined: u64,
    /// Releases that were removed.
    pub removed: u64,
    /// Owners that were claimed.
    pub owners: u64,
    /// Bytes of the packs of all releases that are not removed.
    pub size: u64,
}
