//! Everything that a command takes from the outside, as values.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use weir_git::Git;
use weir_model::{Observer, Platform};
use weir_policy::Principal;
use weir_store::{Readers, Store, StoreError};

use crate::credentials::Secrets;
use crate::home::Home;
use crate::interrupt::Interrupt;
use crate::observe::{self, Amount, Event, Work};
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
    /// Whether nothing is to be changed, in a registry either: none is asked to admit anything from above.
    pub looks_only: bool,
    /// A registry by name, folder or address, in place of the default one.
    pub registry: Option<String>,
    /// Another platform than the host's.
    pub platform: Option<Platform>,
    /// A file with the certificates of the authorities that vouch for servers, in place of Mozilla's list.
    pub authorities: Option<PathBuf>,
    /// Whose projects are used.
    pub owners: Owners,
    /// Who acts on what is on this machine.
    pub principal: Principal,
    /// What proves to servers who asks.
    pub secrets: Secrets,
    /// The time.
    pub now: Timestamp,
    /// How many things to do at once.
    pub threads: usize,
    /// Who watches.
    pub observer: Arc<dyn Observer<Event>>,
    /// What stops it.
    pub interrupt: Interrupt,
}

impl Session {
    /// Opens the store.
    ///
    /// # Errors
    ///
    /// When it cannot be opened or made.
    pub fn open_store(&self) -> Result<Store, StoreError> {
        // One that the user put elsewhere may be for others too; the user's own is not.
        let readers = if self.store.is_some() { Readers::Everybody } else { Readers::Owner };
        let options =
            weir_store::Options { readers, observer: observe::of_store(self), ..Default::default() };
        Store::open(&self.store_folder(), options)
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

    /// Has whoever watches know that work begins.
    pub fn begin(&self, work: Work, amount: Amount) {
        self.report(&Event::Began { work, amount });
    }

    /// Has whoever watches know something the user should know.
    pub fn warn(&self, text: impl Into<String>) {
        self.report(&Event::Warning { text: text.into() });
    }
}
