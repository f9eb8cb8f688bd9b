//! Recomputing a whole registry: its log, its view, its content, and its promises.
//!
//! Nothing that this machine remembers is believed: the log is read from its first entry and folded
//! into an index in memory. What is wrong is listed, not thrown.

use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::rc::Rc;

use weir_index::Index;
use weir_log::{Source, TrustedKeys, follow};
use weir_model::{BuildFacts, Digest, Release, ReleaseId, Scope};

use crate::closed::{Node, diamond};
use crate::content::{ContentError, ContentFolder, Stored};
use crate::named::{Named, NamedBy, NamedPack};
use crate::replica::ReplicaError;

/// What auditing a registry found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RegistryAudit {
    /// Entries of the log that were read and hashed.
    pub entries: u64,
    /// Files of the log that were compared with what they must be.
    pub log_files: u64,
    /// Releases that are offered, yanked or quarantined.
    pub releases: u64,
    /// Objects of content that were read whole.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The signed root of the log.
    pub root: String,
    /// What is wrong; empty for a sound registry.
    pub problems: Vec<String>,
    /// Whether content was looked at, which takes a registry in a folder of this machine.
    pub content_checked: bool,
    /// Content that only removed releases name, or quarantined ones that were removed.
    pub kept: Vec<String>,
    /// Content that no release names: harmless, and what an interrupted publication leaves.
    pub unused: Vec<String>,
}

/// Audits the registry at `source`, whose log must be signed by `keys`. Content is checked where it is
/// in a folder of this machine.
///
/// # Errors
///
/// When the registry cannot be audited at all: there is no log, or none that is signed.
pub fn audit(
    source: &dyn Source,
    keys: &TrustedKeys,
    closed: bool,
    content: Option<&ContentFolder>,
    observer: &mut dyn FnMut(u64, u64),
) -> Result<RegistryAudit, ReplicaError> {
    let log = weir_log::audit(source, keys)?;
    let mut audit = RegistryAudit {
        entries: log.entries,
        log_files: log.files,
        releases: 0,
        objects: 0,
        bytes: 0,
        root: log.checkpoint.root().to_string(),
        problems: log.problems.iter().map(ToString::to_string).collect(),
        content_checked: content.is_some(),
        kept: Vec::new(),
        unused: Vec::new(),
    };
    let mut index = Index::in_memory()?;
    if let Err(error) = fold_all(&mut index, source, keys) {
        audit.problems.push(format!("the log cannot be folded: {error}"));
        return Ok(audit);
    }
    let mut live: BTreeMap<ReleaseId, Release> = BTreeMap::new();
    let mut named = Named::new(log.checkpoint.snapshot());
    for view in index.all_releases() {
        let view = view?;
        named.add(&view);
        if view.removed.is_none() {
            live.insert(view.release.id.clone(), view.release);
        }
    }
    audit.releases = live.len() as u64;
    check_keys(&live, &mut audit.problems);
    check_build_facts(&live, &mut audit.problems);
    if closed {
        check_closed(&live, &mut audit.problems);
        check_diamonds(&live, &mut audit.problems);
    }
    if let Some(content) = content {
        ContentAudit { named: &named, content, audit: &mut audit, observer }.run()?;
    }
    Ok(audit)
}

fn fold_all(index: &mut Index, source: &dyn Source, keys: &TrustedKeys) -> Result<(), ReplicaError> {
    let mut fold = index.begin()?;
    let update = follow(source, keys, None, jiff::Timestamp::UNIX_EPOCH, &mut |at, bytes| {
        fold.entry(at, bytes).map_err(Into::into)
    })?;
    fold.finish(update.position.to_string().as_bytes())?;
    Ok(())
}

/// A key is the digest of its inputs: anybody can compute it again.
fn check_keys(live: &BTreeMap<ReleaseId, Release>, problems: &mut Vec<String>) {
    for (id, release) in live {
        let computed = release.compute_key();
        if computed != release.key {
            problems.push(format!("`{id}` has the key {}, but its inputs have {computed}", release.key));
        }
    }
}

/// What a build left behind can be found only if its facts can be read.
fn check_build_facts(live: &BTreeMap<ReleaseId, Release>, problems: &mut Vec<String>) {
    for (id, release) in live {
        if let Err(error) = BuildFacts::read(&release.kind_facts) {
            problems.push(format!("`{id}`: {error}"));
        }
    }
}

/// In a closed world, everything a release was built with is there.
fn check_closed(live: &BTreeMap<ReleaseId, Release>, problems: &mut Vec<String>) {
    for (id, release) in live {
        for dependency in release.dependencies.iter().filter(|dependency| dependency.scope != Scope::Dev) {
            let Some(baked) = dependency.baked_id() else { continue };
            match (live.get(&baked), &dependency.baked) {
                (None, _) => problems.push(format!("`{id}` was built with `{baked}`, which is not there")),
                (Some(there), Some(fixed)) if there.key != fixed.key => {
                    problems
                        .push(format!("`{id}` was built with another `{baked}` than the one that is there"));
                }
                _ => {}
            }
        }
    }
}

/// In a closed world, what is used together was built with the same.
fn check_diamonds(live: &BTreeMap<ReleaseId, Release>, problems: &mut Vec<String>) {
    let nodes: BTreeMap<&ReleaseId, Rc<Node>> =
        live.iter().map(|(id, release)| (id, Rc::new(Node::of(release)))).collect();
    for id in live.keys() {
        let Ok(found) = diamond::<Infallible>(id, |id| Ok(nodes.get(id).cloned()));
        if let Some(diamond) = found {
            problems.push(format!("`{id}` brings together two builds of one package: {diamond}"));
        }
    }
}

/// Comparing what is held with what is named, while counting and telling how far it is.
struct ContentAudit<'a> {
    named: &'a Named,
    content: &'a ContentFolder,
    audit: &'a mut RegistryAudit,
    observer: &'a mut dyn FnMut(u64, u64),
}

impl ContentAudit<'_> {
    /// What is used is held, whole; and what is held is named by the log.
    fn run(mut self) -> Result<(), ReplicaError> {
        for (tree, pack) in &self.named.packs {
            self.pack(tree, pack);
        }
        for (sha256, file) in &self.named.files {
            if let Some(promised) = file.promised.first() {
                let verified = self.content.verify_file(sha256);
                self.verified(promised, verified);
            }
        }
        let objects = self.content.objects().map_err(std::io::Error::other)?;
        let listed = match self.content.listed_chunks(&objects) {
            Ok(listed) => Some(listed),
            Err(error) => {
                self.audit.problems.push(error.to_string());
                None
            }
        };
        for stored in objects {
            self.stored(&stored, listed.as_ref());
        }
        Ok(())
    }

    fn pack(&mut self, tree: &Digest, pack: &NamedPack) {
        let Some(((first, size), others)) = pack.uses.split_first() else { return };
        let verified = self.content.verify_pack(tree, *size, pack.is_withheld());
        self.verified(first, verified);
        for (other, said) in others {
            if said != size {
                self.audit.problems.push(format!("{other} has {said} bytes, but {first}, the same, {size}"));
            }
        }
    }

    fn stored(&mut self, stored: &Stored, listed: Option<&HashSet<Digest>>) {
        match (self.named.who_names(stored), stored) {
            (NamedBy::Releases, Stored::File { sha256, .. }) if !self.named.promises(sha256) => {
                let verified = self.content.verify_file(sha256);
                self.verified(stored, verified);
            }
            (NamedBy::Releases, _) => {}
            (NamedBy::Quarantine | NamedBy::RemovedReleases(_), _) => {
                self.audit.kept.push(stored.to_string());
            }
            // Chunks are read through the files that are made of them.
            (NamedBy::Nothing, Stored::Chunk { sha256, .. })
                if listed.is_none_or(|listed| listed.contains(sha256)) => {}
            (NamedBy::Misplaced, Stored::Pack { tree, held: false, .. }) => {
                // Of a pack that is used this was said already.
                if self.named.packs.get(tree).is_some_and(|pack| pack.uses.is_empty()) {
                    self.audit.problems.push(ContentError::StillServed { tree: *tree }.to_string());
                }
            }
            (NamedBy::Misplaced | NamedBy::Nothing, _) => self.audit.unused.push(stored.to_string()),
        }
    }

    fn verified(&mut self, what: &dyn std::fmt::Display, verified: Result<u64, ContentError>) {
        match verified {
            Ok(bytes) => {
                self.audit.objects += 1;
                self.audit.bytes += bytes;
                (self.observer)(self.audit.objects, self.audit.bytes);
            }
            Err(error) => self.audit.problems.push(format!("{what}: {error}")),
        }
    }
}
