//! Recomputing a whole registry: its log, its view, its content, and its promises.
//!
//! Nothing that this machine remembers is believed: the log is read from its first entry and folded
//! into an index in memory. What is wrong is listed, not thrown; what could not be looked at is told as well.

mod served;

use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::io::Read as _;

use weir_index::{Index, KnownAdvisory, RegistryFacts};
use weir_log::{Checkpoint, Source, TrustedKeys, follow};
use weir_model::{
    BuildFacts, ChunkDigest, Observer, Release, ReleaseId, Scope, Sha256, TreeDigest, Unobserved,
};
use weir_rules::diamond::{Closures, Node};
use weir_tree::Handled;

use self::served::ServedContent;
use crate::advised::{Repeats, refuse_other_than_held};
use crate::content::{ContentError, Delta, Stated, Stored, held_delta};
use crate::error::SubmitError;
use crate::named::{Named, NamedBy, NamedPack};
use crate::ports::{Listing, Object, Objects};
use crate::replica::{DESCRIPTOR, MAX_SNAPSHOT, ReplicaError, read_descriptor, snapshot_path};

/// What auditing a registry found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
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
    /// Objects of content that are there, with as many bytes as the log says, but were not read.
    pub present: u64,
    /// Their bytes.
    pub present_bytes: u64,
    /// The signed root of the log.
    pub root: String,
    /// What is wrong; empty for a sound registry.
    pub problems: Vec<String>,
    /// Whether the bytes of all content were read.
    pub content_checked: bool,
    /// Whether what is held could be listed, which takes a folder of this machine. Where it could not, nothing
    /// is known of `kept` and `unused`.
    pub content_listed: bool,
    /// Content about which no answer could be had, and why.
    pub unanswered: Vec<String>,
    /// Objects of content that were not asked for any more, after too many went without an answer.
    pub unasked: u64,
    /// Files that references name and that are not held here: whoever installs them fetches them from where the
    /// references say.
    pub elsewhere: Vec<String>,
    /// Content of releases that were admitted which is not held here: it is fetched from above when it is first needed.
    pub above: Vec<String>,
    /// Content that was damaged, and was brought again from above: it is whole now.
    pub mended: Vec<String>,
    /// Registries above that nobody signs for, each with what vouches for what was admitted from it. The audit of a log does not know them.
    pub unsigned: Vec<String>,
    /// Content that only removed releases name, or quarantined ones that were removed.
    pub kept: Vec<String>,
    /// Content that no release names: harmless, and what an interrupted publication leaves.
    pub unused: Vec<String>,
}

/// How much of the content an audit looks at.
#[derive(Clone, Copy)]
pub enum Look<'a> {
    /// None of it.
    Nothing,
    /// All of it, where it is held: what nothing names is seen too.
    Held(&'a dyn Objects),
    /// Whether all that the log names is there, and has as many bytes as it should. They are not read.
    Presence,
    /// The bytes of all that the log names.
    Bytes,
}

impl std::fmt::Debug for Look<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Held(_) => "Held",
            Self::Presence => "Presence",
            Self::Bytes => "Bytes",
        })
    }
}

/// How far an audit is with the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditStep {
    /// So much is to be looked at.
    Begin {
        /// How many objects.
        objects: u64,
        /// Their bytes, as far as the log says.
        bytes: u64,
    },
    /// More of it was looked at.
    Done {
        /// How many more bytes, as far as they are known.
        bytes: u64,
    },
}

/// Audits the registry at `source`, whose log must be signed by `keys`. What it promises, its log says; `closed` demands
/// a closed world also where the log promises none.
///
/// # Errors
///
/// When the registry cannot be audited at all: there is no log, or none that is signed.
pub fn audit(
    source: &dyn Source,
    keys: &TrustedKeys,
    closed: bool,
    look: Look<'_>,
    observer: &dyn Observer<AuditStep>,
) -> Result<RegistryAudit, ReplicaError> {
    let log = weir_log::audit(source, keys)?;
    let mut audit = RegistryAudit {
        entries: log.entries,
        log_files: log.files,
        releases: 0,
        objects: 0,
        bytes: 0,
        present: 0,
        present_bytes: 0,
        root: log.checkpoint.root().to_string(),
        problems: log.problems.iter().map(ToString::to_string).collect(),
        content_checked: false,
        content_listed: false,
        unanswered: Vec::new(),
        unasked: 0,
        elsewhere: Vec::new(),
        above: Vec::new(),
        mended: Vec::new(),
        unsigned: Vec::new(),
        kept: Vec::new(),
        unused: Vec::new(),
    };
    let mut index = Index::in_memory()?;
    if let Err(error) = fold_all(&mut index, source, keys) {
        audit.problems.push(format!("the log cannot be folded: {error}"));
        return Ok(audit);
    }
    let promises = index.facts()?;
    check_descriptor(source, &promises, &mut audit.problems)?;
    let mut live: BTreeMap<ReleaseId, Release> = BTreeMap::new();
    let mut named = Named::new(log.checkpoint.snapshot());
    for view in index.all_releases() {
        let view = view?;
        named.add(&view);
        if view.removed.is_none() {
            live.insert(view.release.id.clone(), view.release);
        }
    }
    for known in index.advisories_since(0, usize::MAX)? {
        named.add_advisory(&known);
        if let Look::Held(objects) = look
            && known.dismissed.is_none()
        {
            check_advisory(objects, &known, &mut audit.problems);
        }
    }
    audit.releases = live.len() as u64;
    check_build_facts(&live, &mut audit.problems);
    if closed || promises.is_closed() {
        check_closed(&live, &mut audit.problems);
        check_diamonds(&live, &mut audit.problems);
    }
    if !matches!(look, Look::Nothing) {
        check_snapshot(source, &log.checkpoint, !matches!(look, Look::Presence), &mut audit)?;
    }
    match look {
        Look::Nothing => {}
        Look::Held(objects) => {
            ContentAudit { named: &named, objects, audit: &mut audit, observer }.run()?;
        }
        Look::Presence | Look::Bytes => {
            let read = matches!(look, Look::Bytes);
            check_sizes(&named, &mut audit.problems);
            ServedContent { named: &named, source, read, audit: &mut audit, observer }.run();
        }
    }
    let all_answered = audit.unanswered.is_empty() && audit.unasked == 0;
    audit.content_checked = matches!(look, Look::Held(_) | Look::Bytes) && all_answered;
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

/// A reader who comes late begins with the snapshot that the checkpoint names.
fn check_snapshot(
    source: &dyn Source,
    checkpoint: &Checkpoint,
    read: bool,
    audit: &mut RegistryAudit,
) -> Result<(), ReplicaError> {
    let Some(snapshot) = checkpoint.snapshot() else { return Ok(()) };
    let digest = Sha256::from_bytes(snapshot.sha256);
    let path = snapshot_path(&digest);
    let told = match (source.find(&path)?, read) {
        (None, _) => format!("the snapshot {digest}, which the checkpoint names, is not in the registry"),
        (Some(_), false) => return Ok(()),
        (Some(_), true) => {
            let mut hasher = weir_model::Hasher::new();
            if let Some(bytes) = source.open(&path, 0)? {
                audit.bytes += std::io::copy(&mut bytes.take(MAX_SNAPSHOT), &mut hasher)?;
            }
            if hasher.finish() == digest {
                audit.objects += 1;
                return Ok(());
            }
            format!("the snapshot {digest} has other bytes than the checkpoint says")
        }
    };
    // Another may have been signed meanwhile, and this one gone with its checkpoint.
    let now = source.read("checkpoint", weir_log::MAX_CHECKPOINT)?;
    if now.is_some_and(|note| note == checkpoint.note().as_bytes()) {
        audit.problems.push(told);
    }
    Ok(())
}

/// The descriptor is not signed: what it says of the registry's promises must be what the log says.
fn check_descriptor(
    source: &dyn Source,
    promises: &RegistryFacts,
    problems: &mut Vec<String>,
) -> Result<(), ReplicaError> {
    let descriptor = read_descriptor(source)?;
    let mut compare = |what: &str, said: String, signed: String| {
        if said != signed {
            problems.push(format!(
                "`{DESCRIPTOR}` says of the registry `{what}: {said}`, but its log says `{signed}`, which counts"
            ));
        }
    };
    if promises.described.is_none() {
        problems.push("the log does not say what the registry promises".into());
        return Ok(());
    }
    compare("name", descriptor.name, promises.name.clone().unwrap_or_default());
    compare("closed", descriptor.closed.to_string(), promises.is_closed().to_string());
    compare("kinds", list(&descriptor.kinds), list(promises.kinds()));
    let seconds =
        |seconds: Option<u64>| seconds.map_or_else(|| "for ever".into(), |number| number.to_string());
    compare("validity", seconds(descriptor.validity), seconds(promises.validity()));
    compare(
        "upstreams",
        list(&descriptor.upstreams),
        promises.upstreams().iter().map(|above| above.name.as_str()).collect::<Vec<_>>().join(", "),
    );
    let said = descriptor.policy.map(|policy| policy.digest.to_string());
    let signed = promises.policy.as_ref().map(|(digest, _)| digest.to_string());
    compare("policy", said.unwrap_or_else(|| "none".into()), signed.unwrap_or_else(|| "none".into()));
    if let Some(keys) = &promises.keys {
        compare("keys", list(&descriptor.keys), list(keys));
    }
    Ok(())
}

fn list<T: ToString>(texts: &[T]) -> String {
    let texts: Vec<String> = texts.iter().map(T::to_string).collect();
    texts.join(", ")
}

/// What a build left behind can be found only if its facts can be read.
fn check_build_facts(live: &BTreeMap<ReleaseId, Release>, problems: &mut Vec<String>) {
    for (id, release) in live {
        if let Err(error) = BuildFacts::read(&release.kind_facts) {
            problems.push(format!("`{id}`: {error}"));
        }
    }
}

/// What the log says of an advisory that counts is what its document says: of one from above, that the registry there says it rightly.
/// Whether the document is there, and whole, is told where content is.
fn check_advisory(objects: &dyn Objects, known: &KnownAdvisory, problems: &mut Vec<String>) {
    let repeats = if known.from.is_none() { Repeats::All } else { Repeats::SomePackages };
    let error = refuse_other_than_held(objects, &known.advisory, repeats).err();
    problems.extend(
        error.filter(|error| !matches!(error, SubmitError::Content(_))).map(|error| error.to_string()),
    );
}

/// In a closed world, everything a release was built with is there.
fn check_closed(live: &BTreeMap<ReleaseId, Release>, problems: &mut Vec<String>) {
    for (id, release) in live {
        for dependency in release.dependencies.iter().filter(|dependency| dependency.scope != Scope::Dev) {
            let Some(baked) = dependency.baked_id() else { continue };
            if !live.contains_key(&baked) {
                problems.push(format!("`{id}` was built with `{baked}`, which is not there"));
            }
        }
    }
}

/// In a closed world, what is used together was built with the same.
fn check_diamonds(live: &BTreeMap<ReleaseId, Release>, problems: &mut Vec<String>) {
    let node = |id: &ReleaseId| Ok::<_, Infallible>(live.get(id).map(Node::from));
    let Ok(closures) = Closures::of(live.keys(), node);
    for (id, diamond) in closures.diamonds() {
        problems.push(format!("`{id}` brings together two builds of one package: {diamond}"));
    }
}

/// Who names one pack agrees on how many bytes it has, and what it unpacks to.
fn check_sizes(named: &Named, problems: &mut Vec<String>) {
    for pack in named.packs.values() {
        let Some((first, others)) = pack.uses.split_first() else { continue };
        for other in others.iter().filter(|other| other.stated.size != first.stated.size) {
            let (said, size) = (other.stated.size, first.stated.size);
            problems.push(format!("{} has {said} bytes, but {}, the same, {size}", other.what, first.what));
        }
        let stated = pack.stated().and_then(|stated| stated.unpacked);
        for other in &pack.uses {
            if let (Some(said), Some(first)) = (other.stated.unpacked, stated)
                && said != first
            {
                problems
                    .push(format!("{} is said to unpack to {said}, and elsewhere to {first}", other.what));
            }
        }
    }
}

/// Comparing what is held with what is named, while counting and telling how far it is.
struct ContentAudit<'a> {
    named: &'a Named,
    objects: &'a dyn Objects,
    audit: &'a mut RegistryAudit,
    observer: &'a dyn Observer<AuditStep>,
}

impl ContentAudit<'_> {
    /// What is used is held, whole; and what is held is named by the log.
    fn run(mut self) -> Result<(), ReplicaError> {
        check_sizes(self.named, &mut self.audit.problems);
        let packs = self.named.packs.values().filter_map(NamedPack::stated).map(|stated| stated.size);
        let files = self.named.files.values().filter(|file| !file.promised.is_empty());
        let sizes = packs.chain(files.map(|file| file.size.unwrap_or_default()));
        let objects = sizes.clone().count() as u64;
        self.observer.event(&AuditStep::Begin { objects, bytes: sizes.sum() });
        for (tree, pack) in &self.named.packs {
            self.pack(tree, pack);
        }
        for (sha256, file) in &self.named.files {
            if let Some(promised) = file.promised.first() {
                match self.file(sha256) {
                    Err(ContentError::Absent { .. }) if !file.own => {
                        self.audit.above.push(promised.to_string());
                    }
                    verified => self.verified(promised, verified),
                }
            } else if file.referenced && self.is_elsewhere(sha256) {
                self.audit.elsewhere.push(format!("the file {sha256}"));
            }
        }
        let listing = self.objects.list().map_err(std::io::Error::other)?;
        self.audit.unanswered.extend(listing.closed.iter().map(ToString::to_string));
        self.audit.content_listed = listing.closed.is_empty();
        let listed = self.listed_chunks(&listing);
        for (stored, _) in &listing.stored {
            self.stored(stored, listed.as_ref());
        }
        Ok(())
    }

    /// Whether a file that references name, and nobody promised to hold, is not held.
    fn is_elsewhere(&mut self, sha256: &Sha256) -> bool {
        match self.objects.find(Object::File(*sha256)) {
            Ok(held) => held.is_none(),
            // What is wrong with it is told where it is listed.
            Err(_) => false,
        }
    }

    /// The chunks that large files are made of; nothing if that cannot be known of all.
    fn listed_chunks(&mut self, listing: &Listing) -> Option<HashSet<ChunkDigest>> {
        let mut listed = HashSet::new();
        for (stored, _) in &listing.stored {
            match self.objects.parts(stored) {
                Ok(parts) => listed.extend(parts),
                Err(error) => {
                    self.failed(error.to_string(), &error);
                    return None;
                }
            }
        }
        Some(listed)
    }

    fn pack(&mut self, tree: &TreeDigest, pack: &NamedPack) {
        let Some((first, stated)) = pack.uses.first().zip(pack.stated()) else { return };
        let told = tell_of_bytes(self.observer);
        let verified = self.objects.verify_pack(tree, &stated, pack.reach.is_withheld(), &told);
        match verified {
            Err(ContentError::Absent { .. }) if !pack.own => self.audit.above.push(first.what.to_string()),
            verified => self.verified(&first.what, verified),
        }
    }

    fn file(&self, sha256: &Sha256) -> Result<u64, ContentError> {
        let (size, withheld) = (self.named.size_of(sha256), self.named.withholds(sha256));
        self.objects.verify_file(sha256, size, withheld, &tell_of_bytes(self.observer))
    }

    fn delta(&self, delta: &Delta) -> Result<u64, ContentError> {
        let bytes = self.objects.open(Object::Delta(*delta), 0)?;
        held_delta(self.objects, delta, bytes.ok_or_else(|| ContentError::no_delta(delta))?)
    }

    fn stored(&mut self, stored: &Stored, listed: Option<&HashSet<ChunkDigest>>) {
        match (self.named.who_names(stored), stored) {
            (NamedBy::Releases, Stored::File { sha256, .. }) if !self.named.promises(sha256) => {
                let verified = self.file(sha256);
                self.verified(stored, verified);
            }
            (NamedBy::Releases, Stored::Delta { delta, .. }) => {
                let verified = self.delta(delta);
                self.verified(&"a delta", verified);
            }
            (NamedBy::Releases, _) => {}
            (NamedBy::Quarantine | NamedBy::RemovedReleases(_), _) => {
                self.audit.kept.push(stored.to_string());
                self.kept(stored);
            }
            // Chunks are read through the files that are made of them.
            (NamedBy::Nothing, Stored::Chunk { digest, .. })
                if listed.is_none_or(|listed| listed.contains(digest)) => {}
            (NamedBy::Misplaced, Stored::Pack { tree, held: false, .. } | Stored::Made { tree, .. }) => {
                // Of a pack that is used this was said already.
                if self.named.packs.get(tree).is_some_and(|pack| pack.uses.is_empty()) {
                    self.audit.problems.push(ContentError::pack_still_served(tree).to_string());
                }
            }
            (NamedBy::Misplaced, Stored::File { sha256, held: false, .. }) => {
                if !self.named.promises(sha256) {
                    self.audit.problems.push(ContentError::file_still_served(sha256).to_string());
                }
            }
            (NamedBy::Misplaced | NamedBy::Nothing, _) => self.audit.unused.push(stored.to_string()),
        }
    }

    /// What nobody is offered may be offered again, so packs and files of it are read as well, chunks through their files.
    fn kept(&mut self, stored: &Stored) {
        let verified = match stored {
            Stored::Pack { tree, size, held } => {
                self.objects.verify_pack(tree, &Stated::size(*size), *held, &Unobserved)
            }
            Stored::Made { tree, .. } => self.objects.find(Object::Pack(*tree)).and_then(|held| {
                let size = held.map_or(0, |held| held.size);
                self.objects.verify_pack(tree, &Stated::size(size), false, &Unobserved)
            }),
            Stored::File { sha256, held, .. } => {
                self.objects.verify_file(sha256, self.named.size_of(sha256), *held, &Unobserved)
            }
            _ => return,
        };
        if let Err(error) = verified {
            self.failed(format!("{stored}, which is offered no more: {error}"), &error);
        }
    }

    fn verified(&mut self, what: &dyn std::fmt::Display, verified: Result<u64, ContentError>) {
        match verified {
            Ok(bytes) => {
                self.audit.objects += 1;
                self.audit.bytes += bytes;
            }
            Err(error) => self.failed(format!("{what}: {error}"), &error),
        }
    }

    /// What an audit may not look at is not known, which is not the same as wrong.
    fn failed(&mut self, told: String, error: &ContentError) {
        let told_in = if error.is_closed() { &mut self.audit.unanswered } else { &mut self.audit.problems };
        told_in.push(told);
    }
}

/// Has whoever watches an audit know of bytes that were read.
fn tell_of_bytes(observer: &dyn Observer<AuditStep>) -> impl Observer<Handled> {
    move |handled: &Handled| observer.event(&AuditStep::Done { bytes: handled.bytes })
}
