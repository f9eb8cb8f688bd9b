//! Recomputing a whole registry: its log, its view, its content, and its promises.
//!
//! Nothing that this machine remembers is believed: the log is read from its first entry and folded
//! into an index in memory. What is wrong is listed, not thrown.

use std::collections::{BTreeMap, BTreeSet};

use weir_index::{Index, State};
use weir_log::{Source, TrustedKeys, follow};
use weir_model::{Digest, Release, ReleaseId, Scope};

use crate::content::{ContentFolder, Stored};
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
        unused: Vec::new(),
    };
    let mut index = Index::in_memory()?;
    if let Err(error) = fold_all(&mut index, source, keys) {
        audit.problems.push(format!("the log cannot be folded: {error}"));
        return Ok(audit);
    }
    let mut live: BTreeMap<ReleaseId, (Release, State)> = BTreeMap::new();
    for view in index.live_releases() {
        let view = view?;
        live.insert(view.release.id.clone(), (view.release.clone(), view.state()));
    }
    audit.releases = live.len() as u64;
    check_keys(&live, &mut audit.problems);
    if closed {
        check_closed(&live, &mut audit.problems);
    }
    if let Some(content) = content {
        check_content(&live, content, &mut audit, observer)?;
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
fn check_keys(live: &BTreeMap<ReleaseId, (Release, State)>, problems: &mut Vec<String>) {
    for (id, (release, _)) in live {
        let computed = release.compute_key();
        if computed != release.key {
            problems.push(format!("`{id}` has the key {}, but its inputs have {computed}", release.key));
        }
    }
}

/// In a closed world, everything a release was built with is there.
fn check_closed(live: &BTreeMap<ReleaseId, (Release, State)>, problems: &mut Vec<String>) {
    for (id, (release, _)) in live {
        for dependency in release.dependencies.iter().filter(|dependency| dependency.scope != Scope::Dev) {
            let Some(baked) = dependency.baked_id() else { continue };
            match (live.get(&baked), &dependency.baked) {
                (None, _) => problems.push(format!("`{id}` was built with `{baked}`, which is not there")),
                (Some((there, _)), Some(fixed)) if there.key != fixed.key => {
                    problems
                        .push(format!("`{id}` was built with another `{baked}` than the one that is there"));
                }
                _ => {}
            }
        }
    }
}

/// What is offered is held, whole; and what is held is named by the log.
fn check_content(
    live: &BTreeMap<ReleaseId, (Release, State)>,
    content: &ContentFolder,
    audit: &mut RegistryAudit,
    observer: &mut dyn FnMut(u64, u64),
) -> Result<(), ReplicaError> {
    let mut wanted: BTreeMap<Digest, (&ReleaseId, &Release, State)> = BTreeMap::new();
    let mut files: BTreeSet<Digest> = BTreeSet::new();
    for (id, (release, state)) in live {
        // A tree that anybody may have must be served, whoever else is kept from it.
        let entry = wanted.entry(release.tree).or_insert((id, release, *state));
        if *state < entry.2 {
            *entry = (id, release, *state);
        }
        files.extend(release.references.iter().filter_map(|reference| reference.sha256));
    }
    let problem = |error: &dyn std::fmt::Display| error.to_string();
    for (tree, (id, release, state)) in &wanted {
        let held = *state == State::Quarantined;
        match content.verify_pack(tree, release.size, held) {
            Ok(bytes) => {
                audit.objects += 1;
                audit.bytes += bytes;
                observer(audit.objects, audit.bytes);
            }
            Err(error) => audit.problems.push(format!("the content of `{id}`: {}", problem(&error))),
        }
    }
    for stored in content.objects().map_err(std::io::Error::other)? {
        match stored {
            Stored::Pack { tree, .. } if wanted.contains_key(&tree) => {}
            Stored::File { sha256, .. } if files.contains(&sha256) => match content.verify_file(&sha256) {
                Ok(bytes) => {
                    audit.objects += 1;
                    audit.bytes += bytes;
                    observer(audit.objects, audit.bytes);
                }
                Err(error) => audit.problems.push(format!("the file {sha256}: {}", problem(&error))),
            },
            // Chunks are read through the files that are made of them.
            Stored::Chunk { .. } => {}
            other => audit.unused.push(other.to_string()),
        }
    }
    Ok(())
}
