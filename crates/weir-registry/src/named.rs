//! What the log says a registry holds, so that it can be compared with what it does hold.
//!
//! Content is *used* when a release that is not removed names it. What only removed releases name is kept
//! until somebody decides that it need not be; what nothing names is left over from a publication that
//! was interrupted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use weir_index::{KnownAdvisory, ReleaseView};
use weir_log::Snapshot;
use weir_model::advisory::AdvisoryId;
use weir_model::{Digest, ReleaseId, Sha256, TreeDigest};

use crate::content::{Delta, Stated, Stored};
use crate::within_reach::Reach;
use weir_model::evidence::{Evidence, HeldAs, evidence};

/// Everything that the log names.
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub(crate) packs: BTreeMap<TreeDigest, NamedPack>,
    pub(crate) files: BTreeMap<Sha256, NamedFile>,
    /// The snapshot that the checkpoint names.
    snapshot: Option<Sha256>,
}

/// A pack that releases name, as their content or as their source.
#[derive(Debug, Default)]
pub(crate) struct NamedPack {
    /// The releases that use it.
    pub(crate) uses: Vec<PackUse>,
    /// Whether a release uses it that was published here. All others came from above, and so may their content.
    pub(crate) own: bool,
    /// Whether readers may have it.
    pub(crate) reach: Reach,
    removed: Option<Timestamp>,
}

/// That a release uses a pack.
#[derive(Debug)]
pub(crate) struct PackUse {
    /// As what.
    pub(crate) what: Use,
    /// What the release says of it.
    pub(crate) stated: Stated,
}

/// What content is to a release.
#[derive(Debug, Clone)]
pub(crate) enum Use {
    Content(ReleaseId),
    Evidence(ReleaseId, Evidence),
    /// The document of an advisory.
    Advisory(AdvisoryId),
    /// An external file, by the name of the reference, that was held when the release was registered.
    External(ReleaseId, String),
}

impl std::fmt::Display for Use {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Content(id) => write!(f, "the content of `{id}`"),
            Self::Evidence(id, evidence) => write!(f, "{evidence} of `{id}`"),
            Self::Advisory(id) => write!(f, "the document of the advisory `{id}`"),
            Self::External(id, name) => write!(f, "the external file `{name}` of `{id}`"),
        }
    }
}

/// A file that releases name.
#[derive(Debug, Default)]
pub(crate) struct NamedFile {
    /// The releases that promise it, as evidence or because it was held when they were registered. Another reference promises
    /// nothing: the registry may hold what it names, or leave it where it comes from.
    pub(crate) promised: Vec<Use>,
    /// Whether a release names it that was published here.
    pub(crate) own: bool,
    pub(crate) referenced: bool,
    /// How many bytes it has, if a release that refers to it says so.
    pub(crate) size: Option<u64>,
    /// Whether readers may have it.
    pub(crate) reach: Reach,
    removed: Option<Timestamp>,
}

/// Who names a piece of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamedBy {
    /// A release that is not removed; of a snapshot, the checkpoint.
    Releases,
    /// Releases that are quarantined and removed: it is out of reach, and stays.
    Quarantine,
    /// Only removed releases, the last of them at this time.
    RemovedReleases(Timestamp),
    /// Some release, but it belongs where readers may have it or out of their reach, and it is in
    /// the other place: a crash left it there.
    Misplaced,
    /// Nothing.
    Nothing,
}

impl Named {
    /// Nothing but the snapshot of the checkpoint, so far.
    pub(crate) fn new(snapshot: Option<Snapshot>) -> Self {
        let snapshot = snapshot.map(|snapshot| Digest::from_bytes(snapshot.sha256));
        Self { snapshot, ..Self::default() }
    }

    /// Adds what a release names.
    pub(crate) fn add(&mut self, view: &ReleaseView) {
        let release = &view.release;
        let removed = view.removed.as_ref().map(|removed| removed.mark.at);
        let pack = self.packs.entry(release.tree).or_default();
        pack.reach.add(view.into());
        pack.own |= view.origin.is_none();
        pack.used(removed, || PackUse { what: Use::Content(release.id.clone()), stated: release.into() });
        for evidence in evidence(release) {
            let is_evidence = || Use::Evidence(release.id.clone(), evidence);
            match evidence.held() {
                HeldAs::Pack(tree, size) => {
                    let pack = self.packs.entry(tree).or_default();
                    pack.own |= view.origin.is_none();
                    pack.reach.add(view.into());
                    pack.used(removed, || PackUse { what: is_evidence(), stated: Stated::size(size) });
                }
                HeldAs::File(sha256, _) => {
                    let file = self.files.entry(sha256).or_default();
                    file.own |= view.origin.is_none();
                    file.reach.add(view.into());
                    match removed {
                        None => file.promised.push(is_evidence()),
                        Some(at) => file.removed = file.removed.max(Some(at)),
                    }
                }
            }
        }
        for reference in &release.references {
            let Some(sha256) = reference.sha256 else { continue };
            let file = self.files.entry(sha256).or_default();
            file.size = file.size.or(reference.size);
            file.own |= view.origin.is_none();
            file.reach.add(view.into());
            match removed {
                None if reference.held => {
                    file.promised.push(Use::External(release.id.clone(), reference.name.clone()));
                }
                None => file.referenced = true,
                Some(at) => file.removed = file.removed.max(Some(at)),
            }
        }
    }

    /// Adds what an advisory names. What is said of one that was dismissed is kept like what only removed releases name.
    pub(crate) fn add_advisory(&mut self, known: &KnownAdvisory) {
        let file = self.files.entry(known.advisory.document).or_default();
        file.own |= known.from.is_none();
        file.reach.served = true;
        match &known.dismissed {
            None => file.promised.push(Use::Advisory(known.advisory.id.clone())),
            Some(dismissed) => file.removed = file.removed.max(Some(dismissed.mark.at)),
        }
    }

    /// How many bytes a file has, if a release says so.
    pub(crate) fn size_of(&self, sha256: &Sha256) -> Option<u64> {
        self.files.get(sha256)?.size
    }

    /// Whether readers are kept from a file.
    pub(crate) fn withholds(&self, sha256: &Sha256) -> bool {
        self.files.get(sha256).is_some_and(|file| file.reach.is_withheld())
    }

    /// Whether a file is held on the word of a release.
    pub(crate) fn promises(&self, sha256: &Sha256) -> bool {
        self.files.get(sha256).is_some_and(|file| !file.promised.is_empty())
    }

    /// Who names a stored object. Chunks are named by the lists of files, not by releases.
    pub(crate) fn who_names(&self, stored: &Stored) -> NamedBy {
        match stored {
            Stored::Pack { tree, held, .. } => match self.packs.get(tree) {
                Some(pack) if pack.reach.is_withheld() != *held => NamedBy::Misplaced,
                Some(pack) => pack.named_by(),
                None => NamedBy::Nothing,
            },
            Stored::Made { tree, .. } => match self.packs.get(tree) {
                Some(pack) if pack.reach.is_withheld() => NamedBy::Misplaced,
                Some(pack) => pack.named_by(),
                None => NamedBy::Nothing,
            },
            Stored::Delta { delta, .. } => self.who_names_delta(delta),
            Stored::File { sha256, held, .. } => match self.files.get(sha256) {
                Some(file) if file.reach.is_withheld() != *held => NamedBy::Misplaced,
                Some(file) => file.named_by(),
                None => NamedBy::Nothing,
            },
            Stored::Snapshot { sha256, .. } if self.snapshot == Some(*sha256) => NamedBy::Releases,
            Stored::Snapshot { .. }
            | Stored::Chunk { .. }
            | Stored::Unfinished { .. }
            | Stored::Stray { .. } => NamedBy::Nothing,
        }
    }
}

impl Named {
    /// A delta stands beside the pack that it gives, for those who have what it is from: also a release that was quarantined since.
    fn who_names_delta(&self, delta: &Delta) -> NamedBy {
        let gives =
            self.packs.get(&delta.to).is_some_and(|pack| !pack.uses.is_empty() && !pack.reach.is_withheld());
        let is_from = self.packs.get(&delta.from).is_some_and(|pack| !pack.uses.is_empty());
        if gives && is_from { NamedBy::Releases } else { NamedBy::Nothing }
    }
}

impl NamedPack {
    fn used(&mut self, removed: Option<Timestamp>, how: impl FnOnce() -> PackUse) {
        match removed {
            None => self.uses.push(how()),
            Some(at) => self.removed = self.removed.max(Some(at)),
        }
    }

    /// What is said of it, by a release of which it is the content if there is one.
    pub(crate) fn stated(&self) -> Option<Stated> {
        let says_more = |one: &&PackUse| one.stated.unpacked.is_some();
        self.uses.iter().find(says_more).or(self.uses.first()).map(|one| one.stated)
    }

    fn named_by(&self) -> NamedBy {
        match self.removed {
            _ if !self.uses.is_empty() => NamedBy::Releases,
            _ if self.reach.quarantined => NamedBy::Quarantine,
            Some(at) => NamedBy::RemovedReleases(at),
            None => NamedBy::Nothing,
        }
    }
}

impl NamedFile {
    fn named_by(&self) -> NamedBy {
        match self.removed {
            _ if self.referenced || !self.promised.is_empty() => NamedBy::Releases,
            _ if self.reach.quarantined => NamedBy::Quarantine,
            Some(at) => NamedBy::RemovedReleases(at),
            None => NamedBy::Nothing,
        }
    }
}
