//! The gate of a registry in a folder: its own set, or else the one that every folder has.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use weir_model::Sha256;
use weir_policy::{Decision, FolderGate, Gate, OtherPolicies, Request, Verb};

use crate::files::PolicyFiles;
use crate::problem::PolicyError;
use crate::set::PolicySet;

/// Decides by the policy files of a folder, or as [`FolderGate`] where there are none.
pub struct FolderPolicies {
    root: PathBuf,
    now: RwLock<Arc<State>>,
    /// A set that was read already and is about to be put in force.
    prepared: Mutex<Option<Arc<State>>>,
    /// Held by whoever reads the files: one does, and nobody who only asks waits for that.
    reading: Mutex<()>,
}

/// What the folder had when it was last looked at.
struct State {
    digest: Option<Sha256>,
    by: By,
}

/// What decides.
enum By {
    /// What every folder goes by that has no set.
    Folder,
    /// The set.
    Set(Arc<PolicySet>),
    /// Nothing does: there are files, and they are no set.
    Nothing(PolicyError),
}

impl FolderPolicies {
    /// The gate of the registry in `root`. Where its files are no set, it refuses everything, and says why.
    pub fn open(root: &Path) -> Self {
        Self {
            root: root.into(),
            now: RwLock::new(State::read(root, None)),
            prepared: Mutex::default(),
            reading: Mutex::default(),
        }
    }

    /// Has a set ready that is about to be put in force: once the log names it, it is not read again, for reading one takes long.
    pub fn prepare(&self, set: PolicySet) {
        let prepared = State { digest: Some(*set.digest()), by: By::Set(Arc::new(set)) };
        *self.prepared.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(prepared));
    }

    /// Whether a rule about an action asks what time it is: where none does, what is decided lasts as long as the set.
    pub fn asks_the_time(&self, verb: Verb) -> bool {
        match &self.now().by {
            By::Set(set) => set.asks_the_time(verb),
            By::Folder | By::Nothing(_) => false,
        }
    }

    /// The set that decides, as it was read: whoever shows it need not read it again, which takes long. None where a folder has no set of its
    /// own, or what it has is none.
    pub fn set(&self) -> Option<Arc<PolicySet>> {
        match &self.now().by {
            By::Set(set) => Some(set.clone()),
            By::Folder | By::Nothing(_) => None,
        }
    }

    fn take_prepared(&self, in_force: Option<&Sha256>) -> Option<Arc<State>> {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.take_if(|prepared| prepared.is(in_force))
    }

    fn now(&self) -> Arc<State> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl State {
    /// What a folder has. Where that is what it had `before`, it is not found out again.
    fn read(root: &Path, before: Option<&Arc<Self>>) -> Arc<Self> {
        let files = match PolicyFiles::read(root) {
            Ok(files) => files,
            Err(error) => return Arc::new(Self { digest: None, by: By::Nothing(error) }),
        };
        let digest = files.digest();
        if let Some(before) = before.filter(|before| digest.is_some() && before.digest == digest) {
            return before.clone();
        }
        let by = match digest.map(|_| PolicySet::new(&files)) {
            None => By::Folder,
            Some(Ok(set)) => By::Set(Arc::new(set)),
            Some(Err(error)) => By::Nothing(error),
        };
        Arc::new(Self { digest, by })
    }

    fn is(&self, in_force: Option<&Sha256>) -> bool {
        !matches!(self.by, By::Nothing(_)) && self.digest.as_ref() == in_force
    }
}

impl Gate for FolderPolicies {
    fn decide(&self, request: &Request<'_>) -> Decision {
        match &self.now().by {
            By::Folder => FolderGate.decide(request),
            By::Set(set) => set.decide(request),
            By::Nothing(error) => Decision {
                allowed: false,
                policy: "policy-files".into(),
                reason: format!("the registry's policy files cannot be used: {error}"),
            },
        }
    }

    fn permits(&self, request: &Request<'_>) -> bool {
        match &self.now().by {
            By::Folder => FolderGate.permits(request),
            By::Set(set) => set.permits(request),
            By::Nothing(_) => false,
        }
    }

    fn wants_approvals(&self, request: &Request<'_>) -> bool {
        match &self.now().by {
            By::Set(set) => set.wants_approvals(request),
            By::Folder | By::Nothing(_) => false,
        }
    }

    fn forbids(&self, request: &Request<'_>) -> bool {
        match &self.now().by {
            By::Set(set) => set.forbids(request),
            By::Folder | By::Nothing(_) => false,
        }
    }

    /// A set that was set meanwhile is taken up, so whoever runs for long need not be started again.
    fn follow(&self, in_force: Option<&Sha256>) -> Result<(), OtherPolicies> {
        if self.now().is(in_force) {
            return Ok(());
        }
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        // Another may have read it meanwhile.
        let before = self.now();
        if before.is(in_force) {
            return Ok(());
        }
        let prepared = self.take_prepared(in_force);
        let read = prepared.unwrap_or_else(|| State::read(&self.root, Some(&before)));
        let follows = read.is(in_force);
        let found = read.digest;
        let reason = match &read.by {
            By::Nothing(error) => format!("its files cannot be used: {error}"),
            By::Folder | By::Set(_) => "its files were changed by other means than `weir policy set`".into(),
        };
        // Who asks waits for no more than this: what was in force before is cleared away afterwards.
        let replaced =
            std::mem::replace(&mut *self.now.write().unwrap_or_else(PoisonError::into_inner), read);
        drop((before, replaced));
        match follows {
            true => Ok(()),
            false => Err(OtherPolicies { in_force: in_force.copied(), found, reason }),
        }
    }
}
