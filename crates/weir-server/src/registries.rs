//! The registries that are served, by name.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Instant;

use weir_cedar::PolicySet;
use weir_fs::{Folder, FsError};
use weir_policy::{Caller, OtherPolicies, Request, Verb, is_permitted};
use weir_registry::{DESCRIPTOR, Registrar, SubmitError, folder_ports, location_of};

use crate::contact::LastAsked;
use crate::data::DataFolder;
use crate::elm::Lists;
use crate::gate::{ServerGate, Shared};
use crate::web::Growth;

/// Names at the root of a server that are its own.
const RESERVED: [&str; 10] =
    ["api", "assets", "favicon", "healthz", "metrics", "readyz", "robots", "sign-in", "sign-out", "static"];

/// For how many milliseconds a policy set is believed to be in force still. [`Ready`](crate::ready::Ready) looks more often.
const BELIEVED: u64 = 1000;

/// For how many milliseconds it is believed of whom it does not let read. Where a set is being read, or a disk stalls, nobody looks for as
/// long as that takes.
const REFUSED: u64 = 10_000;

/// The name of a registry that is served: a part of an address, and the name of its folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RegistryName(Arc<str>);

impl RegistryName {
    /// The most characters that one may have.
    pub(crate) const MAX_LEN: usize = 64;

    /// Checks a name. What a request says reaches a file name only through here.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let sound = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.len() <= Self::MAX_LEN
            && name.chars().all(plain)
            && !RESERVED.contains(&name);
        sound.then(|| Self(name.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RegistryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A registry that is served.
pub(crate) struct Served {
    pub(crate) name: RegistryName,
    /// Its folder, held open.
    pub(crate) folder: Folder,
    /// The number of the folder's inode, which no other has as long as it is open.
    inode: u64,
    gate: Arc<ServerGate>,
    /// When the gate was last made to decide by the set in force, in milliseconds since the server began.
    followed: AtomicU64,
    /// Held by whoever does that.
    following: Mutex<()>,
    /// Why it cannot decide, if it was found so then.
    undecided: Mutex<Option<OtherPolicies>>,
    /// The log and what describes it, as they were when it was found to decide by the set in force.
    seen: Mutex<Option<Seen>>,
    registrar: OnceLock<Arc<Registrar>>,
    /// What Elm's tools are told of it.
    pub(crate) elm: Lists,
    /// When those above it were last asked.
    pub(crate) last_asked: LastAsked,
    /// What was published in it, by day.
    pub(crate) growth: Growth,
}

/// What says which set is in force, as it lies in the folder: whoever changes it puts another in its place.
type Seen = [Option<(u64, u64, (i64, i64))>; 2];

impl Served {
    /// Has a policy set ready that is about to be put in force.
    pub(crate) fn prepare(&self, set: PolicySet) {
        self.gate.prepare(set);
    }

    /// The policy set that decides, if it has one of its own.
    pub(crate) fn policy_set(&self) -> Option<Arc<PolicySet>> {
        self.gate.set()
    }

    fn look(&self) -> Option<Seen> {
        let look = |path: &str| {
            let found = self.folder.look(path).ok()?;
            Some(found.map(|found| (found.inode, found.bytes, found.modified)))
        };
        Some([look("checkpoint")?, look(DESCRIPTOR)?])
    }

    /// Whether a caller may see it at all.
    pub(crate) fn may_read(&self, caller: &Caller) -> bool {
        is_permitted(&*self.gate, &Request::of_registry(caller, Verb::Read))
    }
}

/// All of them. One that is made while the server runs is found when it is first asked for.
pub(crate) struct Registries {
    data: DataFolder,
    folder: Folder,
    started: Instant,
    /// Held by whoever opens one.
    opening: Mutex<()>,
    /// Those that are being made: nobody is told of them before it is known who may read them.
    making: Mutex<HashSet<RegistryName>>,
    open: RwLock<HashMap<RegistryName, Arc<Served>>>,
}

impl Registries {
    /// Those of a server whose data is in `data`.
    pub(crate) fn new(data: &DataFolder) -> Result<Self, FsError> {
        let folder = Folder::open(data.registries())?;
        Ok(Self {
            data: data.clone(),
            folder,
            started: Instant::now(),
            opening: Mutex::default(),
            making: Mutex::default(),
            open: RwLock::default(),
        })
    }

    /// What writes to a registry that is served. Waits for the disk when it is first asked for.
    pub(crate) fn registrar(&self, served: &Served) -> Result<Arc<Registrar>, SubmitError> {
        if let Some(registrar) = served.registrar.get() {
            return Ok(registrar.clone());
        }
        let ports = folder_ports(served.folder.path(), &self.data.keys())?;
        let gate = Box::new(Shared(served.gate.clone()));
        let registrar = Arc::new(Registrar::open(ports, &self.data.views(), gate)?);
        Ok(served.registrar.get_or_init(|| registrar).clone())
    }

    /// Has a registry decide by the set that its log says is in force. Waits for the disk, and for whoever does the same.
    pub(crate) fn follow_policies(&self, served: &Served) -> Result<(), SubmitError> {
        let _following = served.following.lock().unwrap_or_else(PoisonError::into_inner);
        self.follow(served)
    }

    /// The same where its log has changed: looking costs next to nothing.
    pub(crate) fn follow_news(&self, served: &Served) -> Result<(), SubmitError> {
        let _following = served.following.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = served.look();
        if seen.is_some() && *served.seen.lock().unwrap_or_else(PoisonError::into_inner) == seen {
            served.followed.store(self.now(), Ordering::Relaxed);
            return Ok(());
        }
        self.follow(served)?;
        *served.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(())
    }

    /// The same where nobody did it lately.
    pub(crate) fn believe_policies(&self, served: &Served) -> Result<(), SubmitError> {
        let _following = served.following.lock().unwrap_or_else(PoisonError::into_inner);
        self.has_followed(served).unwrap_or_else(|| self.follow(served))
    }

    fn follow(&self, served: &Served) -> Result<(), SubmitError> {
        *served.seen.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let followed = self.registrar(served)?.follow_policies();
        let undecided = match &followed {
            Ok(()) => None,
            Err(SubmitError::OtherPolicies(error)) => Some(error.clone()),
            // It is not known, and found out anew by whoever asks next.
            Err(_) => return followed,
        };
        *served.undecided.lock().unwrap_or_else(PoisonError::into_inner) = undecided;
        served.followed.store(self.now(), Ordering::Relaxed);
        followed
    }

    /// Whether that was done lately enough for whom it refuses to be refused at once: whoever waited until it is done again would learn
    /// by that, that there is a registry.
    pub(crate) fn may_refuse(&self, served: &Served) -> bool {
        self.has_followed_within(served, REFUSED)
    }

    fn has_followed_within(&self, served: &Served, milliseconds: u64) -> bool {
        let followed = served.followed.load(Ordering::Relaxed);
        followed != 0 && self.now().saturating_sub(followed) < milliseconds
    }

    /// What came of that, if it was done lately enough.
    pub(crate) fn has_followed(&self, served: &Served) -> Option<Result<(), SubmitError>> {
        if !self.has_followed_within(served, BELIEVED) {
            return None;
        }
        let undecided = served.undecided.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(undecided.map_or(Ok(()), |error| Err(error.into())))
    }

    /// Milliseconds since the server began, and one more: 0 is never.
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }

    /// One that is open already and still has its name: what nearly every request finds. A registry that was moved away, or
    /// put in the place of another, is found out here.
    pub(crate) fn known(&self, name: &RegistryName) -> Option<Arc<Served>> {
        let known = self.open.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()?;
        let found = self.folder.look(name.as_str()).ok()??;
        (found.inode == known.inode).then_some(known)
    }

    /// Opens one, if it is there. Waits for the disk, and for whoever does the same.
    pub(crate) fn find(&self, name: &RegistryName) -> Result<Option<Arc<Served>>, FsError> {
        if self.is_being_made(name) {
            return Ok(None);
        }
        let folder = match self.folder.folder(name.as_str()) {
            Err(error) if error.is_not_found() => return Ok(None),
            folder => folder?,
        };
        if folder.look(DESCRIPTOR)?.is_none() {
            return Ok(None);
        }
        let _opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = self.known(name) {
            return Ok(Some(known));
        }
        let identity = folder.identity()?;
        self.forget_another(name, identity.inode);
        let served = Arc::new(Served {
            name: name.clone(),
            inode: identity.inode,
            gate: Arc::new(ServerGate::open(&folder)),
            followed: AtomicU64::new(0),
            following: Mutex::default(),
            undecided: Mutex::default(),
            seen: Mutex::default(),
            folder,
            registrar: OnceLock::new(),
            elm: Lists::default(),
            last_asked: LastAsked::default(),
            growth: Growth::default(),
        });
        self.open.write().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), served.clone());
        Ok(Some(served))
    }

    /// Has nobody be told of a registry until what is given is dropped.
    pub(crate) fn making(&self, name: &RegistryName) -> Making<'_> {
        self.making.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        Making { registries: self, name: name.clone() }
    }

    fn is_being_made(&self, name: &RegistryName) -> bool {
        self.making.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    /// Where another registry had the name before, what is known of that one is forgotten: whoever runs the server put this one there.
    fn forget_another(&self, name: &RegistryName, inode: u64) {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let Some(other) = open.get(name).filter(|other| other.inode != inode) else { return };
        let forgotten = location_of(other.folder.path())
            .map_err(weir_registry::ReplicaError::from)
            .and_then(|location| self.data.views().forget(&location));
        if let Err(error) = forgotten {
            tracing::error!(%name, %error, "what is known of a registry that was replaced could not be forgotten");
        }
    }

    /// When a folder came to them or left them last.
    pub(crate) fn modified(&self) -> Option<(i64, i64)> {
        self.folder.modified().ok()
    }

    /// The names of all that are there, sorted. Waits for the disk.
    pub(crate) fn names(&self) -> Result<Vec<RegistryName>, FsError> {
        let mut names = Vec::new();
        for entry in self.folder.entries()? {
            let name = entry.name.to_str().and_then(RegistryName::parse);
            if let Some(name) = name.filter(|name| entry.is_folder && !self.is_being_made(name))
                && self.folder.look(Path::new(name.as_str()).join(DESCRIPTOR))?.is_some()
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}

/// A registry that is being made.
pub(crate) struct Making<'a> {
    registries: &'a Registries,
    name: RegistryName,
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        self.registries.making.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::RegistryName;

    #[test]
    fn a_name_is_a_plain_word_and_none_of_the_servers_own() {
        for name in ["org", "team-2", "a"] {
            assert!(RegistryName::parse(name).is_some(), "{name}");
        }
        for name in
            ["", ".", "..", "a/b", "Org", "2fast", "-a", "api", "healthz", "a_b", "ä", &"a".repeat(65)]
        {
            assert!(RegistryName::parse(name).is_none(), "{name}");
        }
    }
}
