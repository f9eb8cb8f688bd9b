//! A registry in memory: for tests, and to show that nothing but the ports is needed to be one.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use weir_log::{
    CheckedCheckpoint, Checkpoint, Faults, Origin, Signers, SigningKey, Source, SourceError, Stamp,
    TrustedKeys, VerifyingKey, WriteError, append_to, begin_log,
};
use weir_model::descriptor::Descriptor;
use weir_model::{ChunkDigest, Sha256, TreeDigest};
use weir_policy::Authorized;
use weir_tree::{Expected, Limits, TreeError, check_pack};

use crate::content::{ContentError, Stored, delta_folder, delta_path, file_path, held_delta, pack_path};
use crate::ports::{
    Entry, Held, Keys, KeysError, Listing, Object, Objects, PortError, Ports, Sequencer, Turn,
};
use crate::replica::{DESCRIPTOR, snapshot_path};
use crate::trust::rotation;

/// An object has its name.
const PUT: &str = "memory:put";
/// The records are in the log; the checkpoint that covers them is not yet.
const WRITTEN: &str = "memory:written";

/// The most bytes that one object may have.
const LARGEST: u64 = 1 << 28;

/// A registry in memory. It lives as long as somebody holds it.
#[derive(Default)]
pub struct Memory {
    /// What readers read, by path.
    served: Mutex<BTreeMap<String, Arc<[u8]>>>,
    objects: Mutex<BTreeMap<Object, InMemory>>,
    keys: Mutex<Vec<SigningKey>>,
    /// Held by whoever has the turn.
    turn: Mutex<()>,
}

struct InMemory {
    bytes: Arc<[u8]>,
    withheld: bool,
    written: Timestamp,
}

/// The registry as its ports see it, with what interrupts it.
#[derive(Clone)]
struct Handle {
    memory: Arc<Memory>,
    faults: Arc<dyn Faults>,
}

/// Nothing is left half done under one of these locks: each change of a map is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// The ports of the registry in `memory`, which machines remember as `name`. Tells `faults` of each point that a
    /// change passes.
    pub fn ports(memory: &Arc<Self>, name: &str, faults: Arc<dyn Faults>) -> Ports {
        let handle = Arc::new(Handle { memory: memory.clone(), faults });
        let location = format!("memory:{name}");
        Ports { location, sequencer: handle.clone(), objects: handle.clone(), keys: handle }
    }
}

/// Who reads a registry in memory.
struct Reader(Arc<Memory>);

impl Source for Reader {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let Some(bytes) = lock(&self.0.served).get(path).cloned() else { return Ok(None) };
        if bytes.len() as u64 > limit {
            return Err(SourceError::TooLarge { what: path.into(), limit });
        }
        Ok(Some(bytes.to_vec()))
    }

    fn open(&self, path: &str, offset: u64) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
        Ok(lock(&self.0.served).get(path).map(|bytes| stream(bytes, offset)))
    }

    fn describe(&self) -> String {
        "memory".into()
    }
}

fn stream(bytes: &Arc<[u8]>, offset: u64) -> Box<dyn Read + Send> {
    let mut stream = Cursor::new(bytes.clone());
    stream.set_position(offset);
    Box::new(stream)
}

impl Handle {
    fn serve(&self, path: &str, bytes: &[u8]) {
        lock(&self.memory.served).insert(path.into(), bytes.into());
    }
}

impl Sequencer for Handle {
    fn source(&self) -> Arc<dyn Source> {
        Arc::new(Reader(self.memory.clone()))
    }

    fn create(&self, _: &Authorized, signers: &Signers, stamp: &Stamp) -> Result<(), PortError> {
        let _turn = lock(&self.memory.turn);
        let mut put = |path: &str, bytes: &[u8]| {
            self.serve(path, bytes);
            Ok(())
        };
        match begin_log(&*self.source(), &mut put, stamp, signers) {
            Err(WriteError::Exists { .. }) => Err(PortError::Exists),
            begun => Ok(begun?),
        }
    }

    fn turn(&self, signers: Signers, trusted: &TrustedKeys) -> Result<Box<dyn Turn + '_>, PortError> {
        let keys = trusted.keys().iter().chain(signers.trusted().keys()).cloned().collect::<Vec<_>>();
        let trusted = TrustedKeys::new(keys).map_err(io::Error::other)?;
        Ok(Box::new(MemoryTurn { handle: self, signers, trusted, _turn: lock(&self.memory.turn) }))
    }

    fn describe(&self, _: &Authorized, descriptor: &Descriptor) -> Result<(), PortError> {
        self.serve(DESCRIPTOR, descriptor.to_text().as_bytes());
        Ok(())
    }
}

struct MemoryTurn<'a> {
    handle: &'a Handle,
    signers: Signers,
    trusted: TrustedKeys,
    _turn: MutexGuard<'a, ()>,
}

impl Turn for MemoryTurn<'_> {
    fn append(
        &mut self,
        _: &Authorized,
        after: &Checkpoint,
        entries: &[Entry],
        stamp: &Stamp,
    ) -> Result<CheckedCheckpoint, PortError> {
        let source = self.handle.source();
        let note = source.read("checkpoint", weir_log::MAX_CHECKPOINT).map_err(WriteError::from)?;
        let now = Checkpoint::verify(&note.unwrap_or_default(), &self.trusted).map_err(WriteError::from)?;
        if (now.size(), now.root()) != (after.size(), after.root()) {
            return Err(PortError::Moved { before: after.size(), now: now.size() });
        }
        let entries: Vec<&[u8]> = entries.iter().map(Entry::bytes).collect();
        let mut put = |path: &str, bytes: &[u8]| {
            if path == "checkpoint" {
                self.handle.faults.at(WRITTEN);
            }
            self.handle.serve(path, bytes);
            Ok(())
        };
        Ok(append_to(&*source, &mut put, &entries, stamp, &self.signers, &self.trusted)?)
    }
}

impl Objects for Handle {
    fn put(&self, permit: &Authorized, object: Object, from: &mut dyn Read) -> Result<u64, ContentError> {
        if let Some(held) = self.find(object)? {
            return Ok(held.size);
        }
        let mut bytes = Vec::new();
        from.take(LARGEST + 1).read_to_end(&mut bytes)?;
        match object {
            Object::Delta(delta) => drop(held_delta(self, &delta, &*bytes)?),
            object => check(object, &bytes)?,
        }
        let bytes: Arc<[u8]> = bytes.into();
        self.serve(&path(object), &bytes);
        let size = bytes.len() as u64;
        lock(&self.memory.objects).insert(object, InMemory { bytes, withheld: false, written: permit.at() });
        self.faults.at(PUT);
        Ok(size)
    }

    fn find(&self, object: Object) -> Result<Option<Held>, ContentError> {
        let objects = lock(&self.memory.objects);
        Ok(objects.get(&object).map(|kept| Held {
            size: kept.bytes.len() as u64,
            withheld: kept.withheld,
            made_of: None,
        }))
    }

    fn open(&self, object: Object, offset: u64) -> Result<Option<Box<dyn Read + Send>>, ContentError> {
        Ok(lock(&self.memory.objects).get(&object).map(|kept| stream(&kept.bytes, offset)))
    }

    fn list(&self) -> Result<Listing, ContentError> {
        let objects = lock(&self.memory.objects);
        let stored = |(object, kept): (&Object, &InMemory)| {
            let size = kept.bytes.len() as u64;
            let stored = match *object {
                Object::Pack(tree) => Stored::Pack { tree, size, held: kept.withheld },
                Object::Delta(delta) => Stored::Delta { delta, size },
                Object::File(sha256) => Stored::File { sha256, size, chunked: false, held: kept.withheld },
                Object::Snapshot(sha256) => Stored::Snapshot { sha256, size },
            };
            (stored, kept.written)
        };
        Ok(Listing { stored: objects.iter().map(stored).collect(), closed: Vec::new() })
    }

    fn parts(&self, _: &Stored) -> Result<Vec<ChunkDigest>, ContentError> {
        Ok(Vec::new())
    }

    fn deltas_to(&self, tree: &TreeDigest) -> Result<usize, ContentError> {
        Ok(lock(&self.memory.objects).keys().filter(|object| gives(object, tree)).count())
    }

    fn withhold(&self, _: &Authorized, object: Object) -> Result<(), ContentError> {
        if let Object::Pack(tree) = object {
            lock(&self.memory.served).retain(|path, _| !path.starts_with(&delta_folder(&tree)));
            lock(&self.memory.objects).retain(|object, _| !gives(object, &tree));
        }
        if let Some(kept) = lock(&self.memory.objects).get_mut(&object).filter(|_| can_be_withheld(object)) {
            kept.withheld = true;
            lock(&self.memory.served).remove(&path(object));
        }
        Ok(())
    }

    fn restore(&self, _: &Authorized, object: Object) -> Result<(), ContentError> {
        if let Some(kept) = lock(&self.memory.objects).get_mut(&object) {
            kept.withheld = false;
            self.serve(&path(object), &kept.bytes);
        }
        Ok(())
    }

    fn remove(&self, _: &Authorized, stored: &Stored) -> Result<(), ContentError> {
        let object = match stored {
            Stored::Pack { tree, .. } => Object::Pack(*tree),
            Stored::Delta { delta, .. } => Object::Delta(*delta),
            Stored::File { sha256, .. } => Object::File(*sha256),
            Stored::Snapshot { sha256, .. } => Object::Snapshot(*sha256),
            Stored::Made { .. } | Stored::Chunk { .. } | Stored::Unfinished { .. } | Stored::Stray { .. } => {
                return Ok(());
            }
        };
        lock(&self.memory.objects).remove(&object);
        lock(&self.memory.served).remove(&path(object));
        Ok(())
    }

    fn remove_parts(&self, _: &Authorized) -> Result<(), ContentError> {
        Ok(())
    }
}

fn can_be_withheld(object: Object) -> bool {
    matches!(object, Object::Pack(_) | Object::File(_))
}

/// Whether it is a delta that gives `tree`.
fn gives(object: &Object, tree: &TreeDigest) -> bool {
    matches!(object, Object::Delta(delta) if delta.to == *tree)
}

fn path(object: Object) -> String {
    match object {
        Object::Pack(tree) => pack_path(&tree),
        Object::Delta(delta) => delta_path(&delta),
        Object::File(sha256) => file_path(&sha256),
        Object::Snapshot(sha256) => snapshot_path(&sha256),
    }
}

fn check(object: Object, bytes: &[u8]) -> Result<(), ContentError> {
    match object {
        Object::Pack(tree) if bytes.len() as u64 > LARGEST => {
            let reason =
                TreeError::TooLarge { what: "bytes of pack", got: bytes.len() as u64, limit: LARGEST };
            Err(ContentError::BadPack { tree, reason })
        }
        Object::Pack(tree) => {
            let checked = check_pack(bytes, &Expected { tree, pack_bytes: None }, &Limits::default());
            checked.map(drop).map_err(|reason| ContentError::BadPack { tree, reason })
        }
        Object::Delta(_) => Ok(()),
        Object::File(sha256) | Object::Snapshot(sha256) => {
            let actual = Sha256::of(bytes);
            if actual == sha256 { Ok(()) } else { Err(ContentError::BadFile { expected: sha256, actual }) }
        }
    }
}

impl Keys for Handle {
    fn kept(&self, origin: &Origin) -> Result<Vec<VerifyingKey>, KeysError> {
        let keys = lock(&self.memory.keys);
        Ok(keys.iter().filter(|key| key.origin() == origin).map(|key| key.verifying_key().clone()).collect())
    }

    fn generate(&self, _: &Authorized, origin: &Origin) -> Result<VerifyingKey, KeysError> {
        let key = SigningKey::generate(origin)?;
        let public = key.verifying_key().clone();
        lock(&self.memory.keys).push(key);
        Ok(public)
    }

    fn signers(&self, keys: &[VerifyingKey]) -> Result<Signers, KeysError> {
        let kept = lock(&self.memory.keys);
        let usable = kept.iter().filter(|key| keys.contains(key.verifying_key())).cloned();
        Signers::new(usable).map_err(|_| missing(keys))
    }

    fn vouch(&self, _: &Authorized, old: &VerifyingKey, new: &VerifyingKey) -> Result<String, KeysError> {
        let kept = lock(&self.memory.keys);
        let found = kept.iter().find(|key| key.verifying_key() == old);
        let old = found.ok_or_else(|| missing(std::slice::from_ref(old)))?;
        rotation(old, std::slice::from_ref(new)).map_err(|reason| KeysError::Io(io::Error::other(reason)))
    }
}

fn missing(keys: &[VerifyingKey]) -> KeysError {
    KeysError::Missing {
        origin: keys.first().map(|key| key.origin().to_string()).unwrap_or_default(),
        keys: keys.iter().map(ToString::to_string).collect(),
        place: "memory".into(),
    }
}
