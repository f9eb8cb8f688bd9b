//! Everything that a command takes from the outside, as values.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use weir_git::Git;
use weir_model::{Observer, Platform, ReleaseId};
use weir_store::{Store, StoreError};

use crate::home::Home;
use crate::interrupt::Interrupt;
use crate::owners::Owners;

/// What holds for one run of the program.
#[derive(Clone)]
pub struct Session {
    /// Where the machine keeps things.
    pub home: Home,
    /// Another store than the home's.
    pub store: Option<PathBuf>,
    /// Whether the network, and any registry, is left alone.
    pub offline: bool,
    /// A registry by name, folder or address, in place of the default one.
    pub registry: Option<String>,
    /// Another platform than the host's.
    pub platform: Option<Platform>,
    /// A file with the certificates of the authorities that vouch for servers, in place of Mozilla's list.
    pub authorities: Option<PathBuf>,
    /// Whose projects are used.
    pub owners: Owners,
    /// Who acts, such as `user:ann`.
    pub actor: String,
    /// The time.
    pub now: Timestamp,
    /// How many things to do at once.
    pub threads: usize,
    /// Who watches.
    pub observer: Arc<dyn Observer<Event>>,
    /// What stops it.
    pub interrupt: Interrupt,
}

/// What happens while work goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A registry's log is being followed.
    Syncing {
        /// Which one.
        registry: String,
    },
    /// A registry's log was followed to its end.
    Synced {
        /// Which one.
        registry: String,
        /// Entries known before.
        before: u64,
        /// Entries known now.
        after: u64,
    },
    /// Releases are being chosen.
    Resolving,
    /// Releases were chosen.
    Resolved {
        /// How many.
        packages: usize,
    },
    /// Packs are being fetched.
    Fetching {
        /// How many.
        releases: usize,
        /// Their bytes together.
        bytes: u64,
    },
    /// Bytes of a pack arrived.
    FetchedBytes {
        /// How many.
        bytes: u64,
    },
    /// A release is in the store.
    Fetched {
        /// Which one.
        release: ReleaseId,
    },
    /// An external file is being fetched.
    Referencing {
        /// Its name.
        name: String,
        /// Its size, if it is known.
        bytes: Option<u64>,
    },
    /// Packages are being laid out in the project.
    LayingOut {
        /// How many.
        packages: usize,
    },
    /// A folder is being packed.
    Packing {
        /// How many files.
        files: usize,
        /// Their bytes together.
        bytes: u64,
    },
    /// A pack or a file is being uploaded.
    Uploading {
        /// Its bytes.
        bytes: u64,
    },
    /// A batch is being submitted.
    Publishing {
        /// How many releases it offers.
        releases: usize,
    },
    /// Content is about to be verified.
    Verifying {
        /// How many files.
        files: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// Content was verified.
    Verified {
        /// How many more files.
        files: u64,
        /// How many more bytes.
        bytes: u64,
    },
    /// Builds are about to begin.
    BuildsPlanned {
        /// Each of them, in the order of the plan.
        builds: Vec<PlannedBuild>,
    },
    /// A release is being built.
    Building {
        /// Which one.
        release: ReleaseId,
    },
    /// A build went on to something else.
    BuildPhase {
        /// Which one.
        release: ReleaseId,
        /// What it is at, such as `release: compile`.
        phase: String,
    },
    /// A build printed lines.
    BuildLines {
        /// Which one.
        release: ReleaseId,
        /// The lines, without control characters, the last of them just now.
        lines: Vec<String>,
    },
    /// A release is built.
    Built {
        /// Which one.
        release: ReleaseId,
        /// How long it took; nothing for one that was there already.
        seconds: Option<u64>,
    },
    /// A release could not be built.
    BuildFailed {
        /// Which one.
        release: ReleaseId,
        /// The releases that cannot be built because of it.
        blocks: usize,
    },
    /// Something the user should know.
    Warning {
        /// What.
        text: String,
    },
}

/// A build that is to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedBuild {
    /// Which release it is to be.
    pub release: ReleaseId,
    /// What must be built before it.
    pub needs: Vec<ReleaseId>,
}

impl Session {
    /// Opens the store.
    ///
    /// # Errors
    ///
    /// When it cannot be opened or made.
    pub fn open_store(&self) -> Result<Store, StoreError> {
        Store::open(&self.store_folder(), weir_store::Options::default())
    }

    /// Git, and what this machine remembers of the tags it fetched.
    pub fn git(&self) -> Git {
        Git::new(self.home.git_records(), self.offline)
    }

    /// Where the store is.
    pub fn store_folder(&self) -> PathBuf {
        self.store.clone().unwrap_or_else(|| self.home.store())
    }

    /// The platform to resolve for: the one asked for, or the host's.
    pub fn platform(&self) -> Platform {
        self.platform.clone().unwrap_or_else(crate::host::platform)
    }

    /// Has whoever watches know what happens.
    pub fn report(&self, event: &Event) {
        self.observer.event(event);
    }

    /// Has whoever watches know something the user should know.
    pub fn warn(&self, text: impl Into<String>) {
        self.report(&Event::Warning { text: text.into() });
    }
}
