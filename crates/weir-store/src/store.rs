//! The store of a machine, and the sessions that use it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use weir_model::{Observer, Unobserved};

use crate::error::StoreError;
use crate::faults::{Faults, NoFaults};
use crate::host::Host;
use crate::layout::Layout;
use crate::lock::StoreLock;
use crate::observe::Event;
use crate::readers::Readers;
use crate::remove::remove;
use crate::session::Session;
use crate::staging;

/// What a store is given when it is opened.
#[derive(Clone)]
pub struct Options {
    /// Who may read a store that is made now.
    pub readers: Readers,
    /// Is told what happens.
    pub observer: Arc<dyn Observer<Event>>,
    /// Told of each point passed; for tests.
    pub faults: Arc<dyn Faults>,
    /// What time it is; for tests of the grace period.
    pub clock: fn() -> SystemTime,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: Readers::Owner,
            observer: Arc::new(Unobserved),
            faults: Arc::new(NoFaults),
            clock: SystemTime::now,
        }
    }
}

/// The store of a machine. Cheap to clone; used by many threads at once.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    layout: Layout,
    options: Options,
    host: OnceLock<Host>,
    swept: OnceLock<()>,
}

impl Store {
    /// Opens the store at `root`, making it if there is none.
    ///
    /// # Errors
    ///
    /// When it is of a newer format, when the folder holds something else, or when it cannot be made.
    pub fn open(root: &Path, options: Options) -> Result<Self, StoreError> {
        let layout = Layout::open(root, options.readers)?;
        let inner = Inner { layout, options, host: OnceLock::new(), swept: OnceLock::new() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The folder the store lies in.
    pub fn root(&self) -> &Path {
        self.layout().root()
    }

    /// How many bytes this user could still write to the disk that it is on; nothing where that cannot be told.
    pub fn free_bytes(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(self.root()).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Begins to use the store. Until the session is dropped the collector removes nothing, so what was
    /// found present stays present. Costs one open and one flock; may wait for a collector to finish.
    ///
    /// # Errors
    ///
    /// When the lock cannot be taken.
    pub fn session(&self) -> Result<Session, StoreError> {
        let waiting = || self.tell(Event::WaitingForCollector);
        let lock = StoreLock::shared(&self.layout().gc_lock(), waiting)?;
        Ok(Session::new(self.clone(), lock))
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.inner.layout
    }

    pub(crate) fn host(&self) -> &Host {
        self.inner.host.get_or_init(Host::this_machine)
    }

    pub(crate) fn now(&self) -> SystemTime {
        (self.inner.options.clock)()
    }

    pub(crate) fn tell(&self, event: Event) {
        self.inner.options.observer.event(&event);
    }

    /// Passes a point where a test may interrupt, at `path`.
    pub(crate) fn pass(&self, point: &'static str, path: &Path) -> Result<(), StoreError> {
        self.inner.options.faults.at(point).map_err(|error| StoreError::io(path, error))
    }

    /// A path in `tmp/` for making `item`, whose lock the caller holds.
    pub(crate) fn staging(&self, item: &str) -> staging::Staging {
        staging::Staging::new(self.layout(), item, &self.host().token)
    }

    /// Where `item` is downloaded to.
    pub(crate) fn part(&self, item: &str) -> PathBuf {
        staging::part(self.layout(), item, &self.host().token)
    }

    /// Removes what dead processes left, the first time something is made.
    pub(crate) fn sweep_once(&self) {
        self.inner.swept.get_or_init(|| {
            // A leftover that cannot be removed now costs space and does no harm.
            let _ = self.sweep(staging::FORGOTTEN_PART);
        });
    }

    /// Removes what dead processes left, downloads that nobody went on with for `forgotten_part` among it. Answers how much that was.
    pub(crate) fn sweep(&self, forgotten_part: Duration) -> Result<usize, StoreError> {
        let found = staging::leftovers(self.layout(), &self.host().token, self.now(), forgotten_part)?;
        for leftover in &found {
            remove(&leftover.path);
        }
        Ok(found.len())
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("root", &self.root()).finish_non_exhaustive()
    }
}
