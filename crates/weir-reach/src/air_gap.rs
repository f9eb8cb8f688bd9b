//! Carrying a registry where no network leads: written into a file on one side, and followed on the other as if it had been reached.
//!
//! What is imported becomes a copy of the registry above beside the one below, in a folder that is not served, and that copy is where the
//! one above is reached from then on. So whatever asks above works as it does with a network, and each import adds to what is known.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;
use weir_fs::{Access, Durability, Folder};
use weir_index::{Index, RegistryFacts};
use weir_log::{Checkpoint, FolderSource, Found, MAX_CHECKPOINT, Source, SourceError};
use weir_model::record::UpstreamMode;
use weir_model::{PackageName, Sha256};
use weir_policy::Caller;
use weir_registry::content::pack_path;
use weir_registry::{
    Carried, CarriedError, Exported, Object, Replica, ReplicaError, SubmitError, UpstreamAddresses,
    held_beside, is_carried, unpack_carried, write_carried,
};
use weir_wire::upstream::{Answer, Ask, UpstreamChange, WantedUpstream};

use crate::connect::connect;
use crate::error::{Offline, ReachError};
use crate::lower::Lower;
use crate::observe::{Amount, Work};
use crate::policy::WhichRegistry;
use crate::registries::is_http;
use crate::session::Session;
use crate::upstream::{change_upstreams, folder_registrar};

/// The folder of a registry with the copies of those above it that were imported.
const IMPORTED: &str = ".imported";

/// What is written into a file.
#[derive(Debug, Clone, Default)]
pub struct Export {
    /// From which record on: the other side has those before it.
    pub since: u64,
    /// Whether the content of all releases since then goes along.
    pub content: bool,
    /// Packages of which the content of all releases goes along, whenever they were published.
    pub packages: Vec<PackageName>,
}

/// Removes what an import unpacks before it is believed. Whoever asks for it keeps other imports out.
fn remove_unfinished(imported: &Folder) -> Result<(), ReachError> {
    for entry in imported.entries().map_err(std::io::Error::from)? {
        let is_draft = entry.name.to_str().is_some_and(|name| name.starts_with(".weir-"));
        if entry.is_folder && is_draft {
            imported.remove_tree(&entry.name).map_err(std::io::Error::from)?;
        }
    }
    Ok(())
}

/// Takes out what imports into the registry in `root` left that were stopped, unless one is under way.
pub(crate) fn clear_imports(root: &Path) -> Result<(), ReachError> {
    let folder = Folder::open(root).map_err(std::io::Error::from)?;
    let Some(imported) = folder.find_folder(IMPORTED).map_err(std::io::Error::from)? else { return Ok(()) };
    let alone = imported.lock_file("lock").map_err(std::io::Error::from)?;
    if alone.try_lock().is_ok() {
        remove_unfinished(&imported)?;
    }
    Ok(())
}

/// Reads how many records a registry has from a checkpoint of it, or from a number.
///
/// # Errors
///
/// When it is neither.
pub fn since(text: &str) -> Result<u64, ReachError> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    if !Path::new(text).exists() {
        return Err(ReachError::NoFile { path: text.into() });
    }
    let bytes = weir_fs::read(text, MAX_CHECKPOINT).map_err(std::io::Error::from)?;
    let checkpoint = Checkpoint::parse(&bytes)
        .map_err(weir_log::WriteError::from)
        .map_err(weir_registry::SubmitError::from)?;
    Ok(checkpoint.size())
}

/// Writes a registry into a file, to be imported where it cannot be reached. In the place of an earlier export it is written, and of nothing
/// else.
///
/// # Errors
///
/// When the registry is not reached, not believed or lacks a file of its log; when something else is there, or the file cannot be written. It
/// is then as it was.
pub fn registry_export(
    session: &Session,
    which: WhichRegistry<'_>,
    file: &Path,
    what: &Export,
) -> Result<Exported, ReachError> {
    refuse_something_else(file)?;
    let known = which.find(session)?;
    if session.offline && is_http(&known.location) {
        return Err(Offline::needs(format!("reading the registry {}", known.location)).into());
    }
    let connection = connect(session, &known)?;
    for name in &what.packages {
        connection.package(name)?;
    }
    let replica = &connection.replica;
    let checkpoint = replica.checkpoint().ok_or_else(|| ReplicaError::NeverSynced(known.location.clone()))?;
    if what.since > checkpoint.size() {
        let registry = replica.name().to_owned();
        return Err(ReachError::NoSuchRecord { registry, since: what.since, size: checkpoint.size() });
    }
    let carried = Carried {
        version: 1,
        registry: replica.name().to_owned(),
        since: what.since,
        size: checkpoint.size(),
    };
    let content = wanted(replica.index(), what)?;
    session.begin(Work::Publishing { releases: content.len() }, Amount::Unknown);
    let folder = file.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = file.file_name().ok_or_else(|| ReachError::NotAFile { path: file.to_owned() })?;
    let beside = Folder::open(folder).and_then(|folder| folder.draft(Access::Usual));
    let mut to = std::io::BufWriter::new(beside.map_err(std::io::Error::from)?);
    let note = checkpoint.note().as_bytes();
    let written = write_carried(&mut to, &*connection.source, note, carried, &content)
        .map_err(|error| ReachError::Carried { file: file.to_owned(), error })?;
    let written_to = to.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    written_to.replace(name, Durability::Durable).map_err(std::io::Error::from)?;
    Ok(written)
}

/// Refuses to write over what is no export of a registry.
fn refuse_something_else(file: &Path) -> Result<(), ReachError> {
    if file.is_dir() {
        return Err(ReachError::NotAFile { path: file.to_owned() });
    }
    let mut there = match weir_fs::open(file).map_err(std::io::Error::from) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        there => there?,
    };
    match there.metadata()?.len() == 0 || is_carried(&mut there)? {
        true => Ok(()),
        false => Err(ReachError::InTheWay { path: file.to_owned() }),
    }
}

/// The content that goes along: documents of advisories; of what may be used, packs, external files that the registry holds, and evidence of builds.
fn wanted(index: &Index, what: &Export) -> Result<BTreeSet<Object>, ReachError> {
    let told = index.advisories_since(what.since, usize::MAX)?;
    let mut objects: BTreeSet<Object> =
        told.into_iter().map(|known| Object::File(known.advisory.document)).collect();
    if !what.content && what.packages.is_empty() {
        return Ok(objects);
    }
    for view in index.live_releases() {
        let view = view?;
        let is_new = what.content && view.mark.index >= what.since;
        if !view.standing().is_usable() || !(is_new || what.packages.contains(&view.release.id.name)) {
            continue;
        }
        let release = &view.release;
        objects.insert(Object::Pack(release.tree));
        objects.extend(held_beside(release).map(Object::from));
    }
    Ok(objects)
}

/// What importing did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Imported {
    /// The registry, by its own name.
    pub registry: String,
    /// What was in the file.
    pub carried: Carried,
    /// What was admitted, and what is held.
    pub answer: Answer,
    /// How many packs and files were taken in.
    pub brought: u64,
}

/// Takes in what a file holds of a registry above: its log is checked as if it had been reached, what policy permits is admitted, and the
/// content of that is brought. With `key`, the registry is named as an upstream first, if it is none yet; `mode` says what of it is
/// admitted from now on.
///
/// # Errors
///
/// When the registry is not in a folder of this machine; when the file is not what it must be, is of a registry that is not above this
/// one, or of another key, contradicts what was seen before, or begins after what is known. Nothing is changed then.
pub fn registry_import(
    session: &Session,
    which: WhichRegistry<'_>,
    file: &Path,
    key: Option<&str>,
    mode: Option<UpstreamMode>,
) -> Result<Imported, ReachError> {
    let known = which.find(session)?;
    if is_http(&known.location) {
        return Err(ReachError::KeyElsewhere { location: known.location });
    }
    let root = PathBuf::from(&known.location);
    let registrar = folder_registrar(session, &root)?;
    let caller = Caller::new(session.principal.clone(), session.now);
    let registry = registrar.facts(&caller)?.name.unwrap_or_default();
    let folder = Folder::open(&root).map_err(std::io::Error::from)?;
    let imported = folder.make_folder(IMPORTED).map_err(std::io::Error::from)?;
    let alone = imported.lock_file("lock").map_err(std::io::Error::from)?;
    alone.lock()?;
    // Nobody else is importing: what is unfinished was left by one that was stopped.
    remove_unfinished(&imported)?;
    let unpacked = imported.draft_folder().map_err(std::io::Error::from)?;
    let bad = |error: CarriedError| ReachError::Carried { file: file.to_owned(), error };
    let (carried, paths) = unpack_carried(
        std::io::BufReader::new(weir_fs::open(file).map_err(std::io::Error::from)?),
        unpacked.folder(),
    )
    .map_err(bad)?;
    let facts = registrar.facts(&caller)?;
    let upstream = facts.upstreams().iter().find(|above| above.name == carried.registry).cloned();
    let trusted = match (&upstream, key) {
        (Some(upstream), Some(key)) if upstream.key != key => {
            let reason = format!(
                "it is above already, believed by the key {}; if another registry of that name is meant, `weir registry upstream remove {}` forgets that one",
                upstream.key, upstream.name
            );
            let upstream = upstream.name.clone();
            return Err(SubmitError::NoUpstream { upstream, registry, reason }.into());
        }
        (Some(upstream), _) => upstream.key.clone(),
        (None, Some(key)) => {
            weir_registry::parse_keys(&[key.to_owned()])?;
            key.to_owned()
        }
        (None, None) => {
            return Err(ReachError::NotAbove { registry, upstream: carried.registry, file: file.to_owned() });
        }
    };
    // Any name of a registry makes a name of a folder.
    let copy =
        imported.make_folder(&Sha256::of(&carried.registry).to_hex()[..16]).map_err(std::io::Error::from)?;
    believe(session, &carried, unpacked.folder(), &copy, &trusted, &facts)?;
    take_over(&imported, unpacked.folder(), &copy, &paths).map_err(std::io::Error::from)?;
    drop(unpacked);
    let address = copy.path().display().to_string();
    let known_mode = upstream.as_ref().map(|upstream| upstream.mode);
    let mode = mode.or(known_mode).unwrap_or_default();
    let is_there =
        known_mode == Some(mode) && UpstreamAddresses::read(&root)?.of(&carried.registry) == Some(&*address);
    if !is_there {
        let only = upstream.map(|upstream| upstream.only).unwrap_or_default();
        let wanted = WantedUpstream { address, key: Some(trusted), mode, only, first: false };
        change_upstreams(session, &registrar, &root, &caller, &UpstreamChange::Add(wanted))?;
    }
    let lower = Lower { session, registrar: &registrar, root: &root, caller: &caller };
    let answer = lower.admit(&Ask::default())?;
    let brought = bring(lower, &carried.registry, &copy)?;
    Ok(Imported { registry, carried, answer, brought })
}

/// Checks the whole log of what was unpacked, with what was imported before, and that it goes on from there, and from what was admitted of it
/// by the registry of which the log says `facts`.
fn believe(
    session: &Session,
    carried: &Carried,
    unpacked: &Folder,
    copy: &Folder,
    key: &str,
    facts: &RegistryFacts,
) -> Result<(), ReachError> {
    let known = copy.find("checkpoint", MAX_CHECKPOINT).map_err(std::io::Error::from)?;
    let known =
        known.and_then(|note| Checkpoint::parse(&note).ok()).map_or(0, |checkpoint| checkpoint.size());
    if carried.since > known {
        return Err(ReachError::Gap { upstream: carried.registry.clone(), known, since: carried.since });
    }
    if carried.size < known {
        let Carried { registry, size, .. } = carried.clone();
        return Err(ReachError::Older { upstream: registry, known, size });
    }
    let source = Layered { over: FolderSource::new(unpacked.path()), under: FolderSource::new(copy.path()) };
    let location = copy.path().display().to_string();
    let mut replica = Replica::open(&session.home.replicas(), &location, &source, Some(key))?;
    if replica.name() != carried.registry {
        let reason = format!("its log is that of `{}`", replica.name());
        let error = CarriedError::Unusable(reason);
        return Err(ReachError::Carried { file: unpacked.path().to_owned(), error });
    }
    // Following proves the entries, and here the tiles that prove them one by one are looked at as well.
    let report =
        weir_log::audit(&source, replica.keys()).map_err(|error| ReplicaError::Follow(Box::new(error)))?;
    if let Some(problem) = report.problems.first() {
        let error = CarriedError::Unusable(format!("its log is damaged: {problem}"));
        return Err(ReachError::Carried { file: unpacked.path().to_owned(), error });
    }
    replica.sync(&source, session.now)?;
    if let Some(seen) = facts.cursor(&carried.registry) {
        replica.must_go_on_from(&source, seen, facts.name.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

/// Puts what was unpacked beside what was imported before; the checkpoint last, so that it never promises what is not there yet. Both are
/// in `imported`.
fn take_over(
    imported: &Folder,
    unpacked: &Folder,
    copy: &Folder,
    paths: &[String],
) -> Result<(), weir_fs::FsError> {
    let below = |folder: &Folder| folder.path().file_name().map(PathBuf::from).unwrap_or_default();
    let (from, to) = (below(unpacked), below(copy));
    let (last, first): (Vec<&String>, Vec<&String>) = paths.iter().partition(|path| *path == "checkpoint");
    for path in first.into_iter().chain(last) {
        if let Some(above) = Path::new(path).parent().filter(|above| !above.as_os_str().is_empty()) {
            copy.make_folder(above)?;
        }
        imported.rename(from.join(path), to.join(path))?;
    }
    Ok(())
}

/// Takes in the content of what was admitted as far as it was imported. Packs are needed no more in the copy then.
fn bring(lower: Lower<'_>, upstream: &str, copy: &Folder) -> Result<u64, ReachError> {
    let source = FolderSource::new(copy.path());
    let mut brought = 0;
    for piece in lower.registrar.all_from_above(lower.caller)? {
        if piece.registry != upstream || !has(&source, piece.object)? {
            continue;
        }
        if !lower.is_here(&piece)? {
            brought += u64::from(lower.bring(&piece, false)?);
        }
        if let Object::Pack(tree) = piece.object {
            copy.remove_file(pack_path(&tree)).map_err(std::io::Error::from)?;
        }
    }
    Ok(brought)
}

fn has(source: &FolderSource, object: Object) -> Result<bool, SourceError> {
    use weir_registry::content::{chunk_list_path, file_path};
    Ok(match object {
        Object::Pack(tree) => source.find(&pack_path(&tree))?.is_some(),
        Object::File(sha256) => {
            source.find(&file_path(&sha256))?.is_some() || source.find(&chunk_list_path(&sha256))?.is_some()
        }
        Object::Delta(_) | Object::Snapshot(_) => false,
    })
}

/// Files that are in one folder, or else in another.
struct Layered {
    over: FolderSource,
    under: FolderSource,
}

impl Source for Layered {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        self.over.read(path, limit)?.map_or_else(|| self.under.read(path, limit), |bytes| Ok(Some(bytes)))
    }

    fn open(&self, path: &str, offset: u64) -> Result<Option<Box<dyn std::io::Read + Send>>, SourceError> {
        match self.over.open(path, offset)? {
            Some(found) => Ok(Some(found)),
            None => self.under.open(path, offset),
        }
    }

    fn find(&self, path: &str) -> Result<Option<Found>, SourceError> {
        match self.over.find(path)? {
            Some(found) => Ok(Some(found)),
            None => self.under.find(path),
        }
    }

    fn describe(&self) -> String {
        self.over.describe()
    }
}
