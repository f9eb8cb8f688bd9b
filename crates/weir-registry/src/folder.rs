//! A registry that is a folder: made, opened, written to.
//!
//! Writers take turns by the log's lock. Under it the view is brought up to date, the batch planned on
//! it, the records appended under one checkpoint, and only then is anything visible. Content is there
//! before: a crash before the checkpoint leaves nothing but bytes that the next upload finds again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use weir_index::RegistryFacts;
use weir_log::{FolderSource, LogFolder, LogWriter, Origin, Position, Signers, SigningKey, Snapshot, Stamp};
use weir_model::descriptor::{DESCRIPTOR_VERSION, Descriptor};
use weir_model::record::{Description, RECORD_VERSION};
use weir_model::{Action, Digest, KindName, Record, ReleaseId, Sha256, TreeDigest};
use weir_policy::{Gate, Request, Target, Verb, authorize};

use crate::batch::{Batch, Outcome, Receipt};
use crate::content::ContentFolder;
use crate::error::{OpenError, SubmitError};
use crate::plan::{Everything, Plan, Planner, refuse_kind};
use crate::registry::Registry;
use crate::replica::{DESCRIPTOR, Replica, ReplicaHome, position_of, snapshot_path};
use crate::trust::{Pin, key_path, rotation};

/// A snapshot is made when the log has grown by this many records, or by a tenth, since the last.
const SNAPSHOT_STEP: u64 = 1024;

/// Where a new key waits until it is in force.
const NEXT_KEYS: &str = "next";

/// A registry in a folder, opened for writing.
pub struct FolderRegistry {
    root: PathBuf,
    home: ReplicaHome,
    keys: PathBuf,
    gate: Box<dyn Gate>,
    content: ContentFolder,
    faults: Arc<dyn weir_log::Faults>,
}

/// What a new registry is to be.
#[derive(Debug, Clone)]
pub struct NewRegistry {
    /// Its name: the origin of its log.
    pub name: Origin,
    /// Whether it promises a closed world.
    pub closed: bool,
    /// The kinds of package it takes; all kinds where none is named.
    pub kinds: Vec<KindName>,
    /// For how many seconds a checkpoint is valid, if not for ever.
    pub validity: Option<u64>,
    /// An existing key to sign with; a new one is made where none is given.
    pub key: Option<SigningKey>,
}

impl NewRegistry {
    /// The first record of its log: what it promises.
    fn described(&self, by: &str, now: Timestamp) -> Record {
        let description = Description {
            name: Some(self.name.to_string()),
            closed: Some(self.closed),
            kinds: Some(self.kinds.clone()),
            validity: Some(self.validity.unwrap_or_default()),
            ..Description::default()
        };
        Record {
            v: RECORD_VERSION,
            batch: ulid::Ulid::generate().to_string(),
            at: now,
            by: by.to_owned(),
            action: Action::Describe(description),
        }
    }
}

impl FolderRegistry {
    /// Makes a registry in a folder that is empty or not there yet. Its key is kept in `keys`.
    ///
    /// # Errors
    ///
    /// When there is something in the folder already, or files cannot be written.
    pub fn init(
        root: &Path,
        new: &NewRegistry,
        home: &ReplicaHome,
        keys: &Path,
        by: &str,
        now: Timestamp,
    ) -> Result<Descriptor, OpenError> {
        if root.join(DESCRIPTOR).exists() {
            return Err(OpenError::Exists(root.into()));
        }
        // What a `registry init` that was cut short left behind is no obstacle to the next.
        let leftovers = ["checkpoint", ".log.lock", "tile"];
        let strange = |entry: &std::io::Result<fs_err::DirEntry>| {
            entry.as_ref().is_ok_and(|entry| !leftovers.iter().any(|name| entry.file_name() == *name))
        };
        if fs_err::read_dir(root).is_ok_and(|mut entries| entries.any(|entry| strange(&entry))) {
            return Err(OpenError::NotEmpty(root.into()));
        }
        fs_err::create_dir_all(root)?;
        let key = match &new.key {
            Some(key) => key.clone(),
            None => match read_key(&key_path(keys, new.name.as_str())) {
                Err(OpenError::NoKey { .. }) => SigningKey::generate(&new.name)?,
                key => key?,
            },
        };
        write_key(keys, &key)?;
        let signers = Signers::new([key])?;
        let log = LogFolder::new(root);
        let stamp = stamp(now, &RegistryFacts { validity: new.validity, ..RegistryFacts::default() });
        match log.create(&signers, &stamp) {
            Ok(_) | Err(weir_log::WriteError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        // The promises are in the log before there is a descriptor, by which the registry is found. One that was
        // cut short may have said them before: what is said last counts.
        let record = new.described(by, now);
        let record = record.to_bytes().map_err(std::io::Error::other)?;
        log.writer(signers.clone(), &signers.trusted())?.append(&[record], &stamp)?;
        let descriptor = Descriptor {
            weir: DESCRIPTOR_VERSION,
            level: 1,
            name: new.name.to_string(),
            url: None,
            keys: signers.trusted().keys().iter().map(ToString::to_string).collect(),
            rotations: Vec::new(),
            kinds: new.kinds.clone(),
            features: Vec::new(),
            policy: None,
            upstreams: Vec::new(),
            closed: new.closed,
            validity: new.validity,
        };
        write_durably(&root.join(DESCRIPTOR), descriptor.to_text().as_bytes())?;
        let location = location_of(root)?;
        let pin = Pin { location, origin: descriptor.name.clone(), keys: descriptor.keys.clone() };
        home.trust.set(&pin).map_err(crate::ReplicaError::from)?;
        Ok(descriptor)
    }

    /// Opens the registry in a folder for writing; its key is looked for in `keys`.
    ///
    /// # Errors
    ///
    /// When there is no registry.
    pub fn open(
        root: &Path,
        home: &ReplicaHome,
        keys: &Path,
        gate: Box<dyn Gate>,
    ) -> Result<Self, OpenError> {
        let location = location_of(root)?;
        if !root.join(DESCRIPTOR).exists() {
            return Err(crate::ReplicaError::NoRegistry(location).into());
        }
        Ok(Self {
            root: root.into(),
            home: home.clone(),
            keys: keys.into(),
            gate,
            content: ContentFolder::new(root),
            faults: Arc::new(weir_log::NoFaults),
        })
    }

    /// Tells `faults` of each point that a change passes, for tests that interrupt it.
    #[must_use]
    pub fn with_faults(mut self, faults: Arc<dyn weir_log::Faults>) -> Self {
        self.content = self.content.with_faults(faults.clone());
        self.faults = faults;
        self
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What the registry holds beside its log.
    pub fn content(&self) -> &ContentFolder {
        &self.content
    }

    /// Tells whoever interrupts it for a test that it has come to `point`.
    pub(crate) fn fault(&self, point: &'static str) {
        self.faults.at(point);
    }

    pub(crate) fn replica(&self, source: &FolderSource) -> Result<Replica, OpenError> {
        Ok(Replica::open(&self.home, &location_of(&self.root)?, source, None)?)
    }

    fn signing_key(&self, origin: &str) -> Result<SigningKey, OpenError> {
        read_key(&key_path(&self.keys, origin))
    }

    /// The key that readers believe now. A change of key that was cut short left it beside the old one.
    fn key_in_force(&self, replica: &Replica) -> Result<SigningKey, OpenError> {
        let trusted = |key: &SigningKey| replica.keys().keys().contains(key.verifying_key());
        let key = self.signing_key(replica.name())?;
        if trusted(&key) {
            return Ok(key);
        }
        match read_key(&key_path(&self.keys.join(NEXT_KEYS), replica.name())) {
            Ok(next) if trusted(&next) => {
                write_key(&self.keys, &next)?;
                Ok(next)
            }
            _ => Err(OpenError::OldKey {
                origin: replica.name().to_owned(),
                path: key_path(&self.keys, replica.name()),
                trusted: replica.keys().keys().iter().map(ToString::to_string).collect(),
            }),
        }
    }

    /// Finds out whether this machine has the key that signs for the registry: better before hours of work than after.
    ///
    /// # Errors
    ///
    /// When it has not, or the registry cannot be read.
    pub fn check_key(&self) -> Result<(), OpenError> {
        let replica = self.replica(&FolderSource::new(&self.root))?;
        self.key_in_force(&replica).map(drop)
    }

    /// Finds out whether the registry takes packages of a kind, of which `id` is one: better before hours of work than after.
    ///
    /// # Errors
    ///
    /// When it does not, or cannot be read.
    pub fn check_takes(&self, id: &ReleaseId, kind: KindName) -> Result<(), SubmitError> {
        let replica = self.replica(&FolderSource::new(&self.root)).map_err(open_to_submit)?;
        refuse_kind(&replica.index().facts()?, id, kind)
    }

    /// Becomes the writer, and brings the view up to date under the lock.
    fn writer(&self) -> Result<(LogWriter, Replica), OpenError> {
        let source = FolderSource::new(&self.root);
        let mut replica = self.replica(&source)?;
        let key = self.key_in_force(&replica)?;
        let log = LogFolder::new(&self.root).with_faults(self.faults.clone());
        let writer = log.writer(Signers::new([key])?, replica.keys())?;
        replica.sync_writer(&source)?;
        Ok((writer, replica))
    }

    /// Signs the log anew, so that it does not expire while nothing is published.
    ///
    /// # Errors
    ///
    /// When the log cannot be written.
    pub fn renew(&self, now: Timestamp) -> Result<weir_log::CheckedCheckpoint, OpenError> {
        let (mut writer, replica) = self.writer()?;
        let promises = replica.index().facts().map_err(crate::ReplicaError::from)?;
        Ok(writer.append(&[], &stamp(now, &promises))?)
    }

    /// Gives the registry a new key. The old one signs for it, once, and is then of no use.
    ///
    /// # Errors
    ///
    /// When the old key is not here, or files cannot be written.
    pub fn rotate_key(&self, by: &str, now: Timestamp) -> Result<Descriptor, SubmitError> {
        let (mut writer, mut replica) = self.open_writer()?;
        let request = Request {
            actor: by.to_owned(),
            verb: Verb::Describe,
            target: Target::Registry,
            owner_belongs_to: None,
        };
        authorize(&*self.gate, request)?;
        let old = self.signing_key(replica.name()).map_err(open_to_submit)?;
        let origin = old.origin().clone();
        let new = SigningKey::generate(&origin)?;
        let keys = vec![new.verifying_key().to_string()];
        let note =
            rotation(&old, std::slice::from_ref(new.verifying_key())).map_err(std::io::Error::other)?;
        let record = Record {
            v: RECORD_VERSION,
            batch: ulid::Ulid::generate().to_string(),
            at: now,
            by: by.to_owned(),
            action: Action::Describe(Description { keys: Some(keys.clone()), ..Description::default() }),
        };
        let mut descriptor = replica.descriptor().clone();
        let promises = replica.index().facts()?;
        // The order matters for a crash in between: a key that the log names, or that signs the present
        // checkpoint, is always on this machine, and readers always find a chain from their key to it.
        write_key_beside(&self.keys, &new)?;
        self.append(&mut writer, &mut replica, &promises, &[record], now)?;
        descriptor.keys = keys;
        descriptor.rotations.push(note);
        drop(writer);
        let log = LogFolder::new(&self.root).with_faults(self.faults.clone());
        let trusted = Signers::new([old.clone()])?.trusted();
        let mut writer = log.writer(Signers::new([old, new.clone()])?, &trusted)?;
        writer.append(&[], &stamp(now, &promises))?;
        write_durably(&self.root.join(DESCRIPTOR), descriptor.to_text().as_bytes())?;
        write_key(&self.keys, &new)?;
        fs_err::remove_file(key_path(&self.keys.join(NEXT_KEYS), replica.name()))?;
        Ok(descriptor)
    }

    /// As [`writer`](Self::writer), for those who submit.
    pub(crate) fn open_writer(&self) -> Result<(LogWriter, Replica), SubmitError> {
        self.writer().map_err(open_to_submit)
    }

    /// Appends records and folds them: both, or neither.
    fn append(
        &self,
        writer: &mut LogWriter,
        replica: &mut Replica,
        promises: &RegistryFacts,
        records: &[Record],
        now: Timestamp,
    ) -> Result<(), SubmitError> {
        let entries = records.iter().map(Record::to_bytes).collect::<Result<Vec<_>, _>>()?;
        let known = position_of(replica.index())?;
        let mut prefix = known.map(|position| position.prefix().clone()).unwrap_or_default();
        let stamp = stamp(now, promises);
        let mut fold = replica.index_mut().begin()?;
        for entry in &entries {
            let index = prefix.push(entry);
            fold.entry(index, entry)?;
        }
        // The fold was the check that the log's rules are kept: nothing is appended that breaks one.
        let checkpoint = writer.append(&entries, &stamp)?;
        let position = Position::new(prefix, (*checkpoint).clone()).map_err(std::io::Error::other)?;
        fold.finish(position.to_string().as_bytes())?;
        replica.set_checkpoint(checkpoint.into_inner());
        Ok(())
    }

    fn hold(&self, plan: &Plan) -> Result<(), SubmitError> {
        for tree in &plan.hold {
            self.content.hold(tree)?;
        }
        Ok(())
    }

    fn unhold(&self, plan: &Plan) -> Result<(), SubmitError> {
        for tree in &plan.unhold {
            self.content.unhold(tree)?;
        }
        Ok(())
    }

    /// Makes a snapshot when the log has grown enough since the last. What fails here is no failure of
    /// the batch, which is in the log: the next batch tries again.
    fn snapshot_if_due(
        &self,
        writer: &mut LogWriter,
        replica: &Replica,
        promises: &RegistryFacts,
        now: Timestamp,
    ) -> Result<(), SubmitError> {
        let checkpoint = writer.checkpoint();
        let size = checkpoint.size();
        let covered = checkpoint.snapshot().map_or(0, |snapshot| snapshot.size);
        if size < covered + SNAPSHOT_STEP.max(covered / 10) {
            return Ok(());
        }
        let Some(position) = position_of(replica.index())? else { return Ok(()) };
        fs_err::create_dir_all(self.root.join("snapshot"))?;
        let mut beside = tempfile::NamedTempFile::new_in(self.root.join("snapshot"))?;
        replica.index().write_snapshot(position.prefix().to_string().as_bytes(), beside.as_file_mut())?;
        let digest = digest_of_file(beside.path())?;
        beside.as_file().sync_all()?;
        weir_log::make_readable(beside.as_file());
        beside.persist(self.root.join(snapshot_path(&digest))).map_err(|error| error.error)?;
        let old = checkpoint.snapshot();
        let snapshot = Snapshot { size, sha256: *digest.as_bytes() };
        let stamp = Stamp { snapshot: Some(snapshot), ..stamp(now, promises) };
        writer.append(&[], &stamp)?;
        if let Some(old) = old.filter(|old| old.sha256 != snapshot.sha256) {
            // A reader that was about to fetch it reads the checkpoint again.
            let _ = fs_err::remove_file(self.root.join(snapshot_path(&Digest::from_bytes(old.sha256))));
        }
        Ok(())
    }
}

impl Registry for FolderRegistry {
    fn submit(&self, batch: &Batch, now: Timestamp) -> Result<Receipt, SubmitError> {
        // Whole seconds: nobody reads fractions in a log, and they would cost every snapshot some bytes.
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let (mut writer, mut replica) = self.open_writer()?;
        let id = ulid::Ulid::generate().to_string();
        let promises = replica.index().facts()?;
        let planner = Planner {
            index: replica.index(),
            gate: &*self.gate,
            promises: &promises,
            uploaded: &self.content,
            batch: id.clone(),
            at: now,
        };
        let plan = planner.plan(batch)?;
        self.faults.at("submit:planned");
        // Withdrawn content must not be served once the log says so, nor before the log says that it may
        // be again. What a crash leaves in between, the same batch puts right: nothing of it is new then.
        self.hold(&plan)?;
        self.faults.at("submit:held");
        if !plan.records.is_empty() {
            self.append(&mut writer, &mut replica, &promises, &plan.records, now)?;
            self.faults.at("submit:appended");
        }
        self.unhold(&plan)?;
        if !plan.records.is_empty() {
            self.snapshot_if_due(&mut writer, &replica, &promises, now)?;
        }
        let checkpoint = writer.checkpoint();
        Ok(Receipt {
            outcomes: plan.outcomes,
            batch: (!plan.records.is_empty()).then_some(id),
            size: checkpoint.size(),
            checkpoint: checkpoint.note().to_owned(),
        })
    }

    fn preview(&self, batch: &Batch, now: Timestamp) -> Result<Vec<Outcome>, SubmitError> {
        let source = FolderSource::new(&self.root);
        let mut replica = self.replica(&source).map_err(open_to_submit)?;
        replica.sync_writer(&source)?;
        let promises = replica.index().facts()?;
        let planner = Planner {
            index: replica.index(),
            gate: &*self.gate,
            promises: &promises,
            uploaded: &Everything,
            batch: String::new(),
            at: now,
        };
        Ok(planner.plan(batch)?.outcomes)
    }

    fn put_pack(&self, pack: &Path, tree: &TreeDigest) -> Result<(), SubmitError> {
        Ok(self.content.put_pack(pack, tree)?)
    }

    fn put_file(&self, file: &Path, sha256: &Sha256) -> Result<(), SubmitError> {
        Ok(self.content.put_file(file, sha256)?)
    }

    fn has_pack(&self, tree: &TreeDigest) -> Result<bool, SubmitError> {
        Ok(self.content.has_pack(tree))
    }

    fn has_file(&self, sha256: &Sha256) -> Result<bool, SubmitError> {
        Ok(self.content.has_file(sha256))
    }
}

/// How a folder is named in what this machine remembers: absolute, links resolved.
///
/// # Errors
///
/// When the folder is not there.
pub fn location_of(root: &Path) -> Result<String, std::io::Error> {
    Ok(fs_err::canonicalize(root)?.display().to_string())
}

pub(crate) fn open_to_submit(error: OpenError) -> SubmitError {
    match error {
        OpenError::Write(error) => error.into(),
        OpenError::Key(error) => error.into(),
        OpenError::Replica(error) => error.into(),
        OpenError::Io(error) => error.into(),
        other => SubmitError::Open(Box::new(other)),
    }
}

fn stamp(now: Timestamp, promises: &RegistryFacts) -> Stamp {
    let seconds = promises.validity().map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
    let validity = seconds.map(SignedDuration::from_secs);
    Stamp::new(now, validity.and_then(|validity| now.checked_add(validity).ok()))
}

fn read_key(path: &Path) -> Result<SigningKey, OpenError> {
    let text = match fs_err::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let origin = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            return Err(OpenError::NoKey { origin, path: path.into() });
        }
        text => text?,
    };
    text.trim().parse().map_err(|error| OpenError::BadKey { path: path.into(), error })
}

/// Keeps a key where only its owner may read it.
fn write_key(keys: &Path, key: &SigningKey) -> Result<(), std::io::Error> {
    fs_err::create_dir_all(keys)?;
    // A named temporary file is readable by its owner only from the start.
    let beside = tempfile::NamedTempFile::new_in(keys)?;
    fs_err::write(beside.path(), format!("{}\n", key.secret_text()))?;
    beside.as_file().sync_all()?;
    beside.persist(key_path(keys, key.origin().as_str())).map_err(|error| error.error)?;
    Ok(())
}

/// Keeps a key that is not in force yet, so that a crash while keys change loses none.
fn write_key_beside(keys: &Path, key: &SigningKey) -> Result<(), std::io::Error> {
    write_key(&keys.join(NEXT_KEYS), key)
}

fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), std::io::Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let beside = tempfile::NamedTempFile::new_in(folder)?;
    fs_err::write(beside.path(), bytes)?;
    beside.as_file().sync_all()?;
    weir_log::make_readable(beside.as_file());
    beside.persist(path).map_err(|error| error.error)?;
    fs_err::File::open(folder)?.sync_all()
}

fn digest_of_file(path: &Path) -> Result<Sha256, std::io::Error> {
    let mut hasher = weir_model::Hasher::new();
    std::io::copy(&mut fs_err::File::open(path)?, &mut hasher)?;
    Ok(hasher.finish())
}
