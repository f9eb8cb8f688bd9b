//! What happens while work goes on, and how far it is.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use weir_model::{Observer, ReleaseId, Unobserved};

use crate::session::Session;

/// What happens while work goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// Work that may take long begins; what was under way before is over.
    Began {
        /// What is done.
        work: Work,
        /// How much of it there is.
        amount: Amount,
    },
    /// More of the work is done.
    Advanced {
        /// How much more.
        by: u64,
    },
    /// Less of the work is done than was told: something of it begins anew.
    SetBack {
        /// How much less.
        by: u64,
    },
    /// There is more work than was told.
    Grown {
        /// How much more.
        by: u64,
    },
    /// The work is over.
    Ended,
    /// A registry's log was followed to its end.
    Synced {
        /// Which one.
        registry: String,
        /// Entries known before.
        before: u64,
        /// Entries known now.
        after: u64,
    },
    /// Releases were chosen.
    Resolved {
        /// How many.
        packages: usize,
    },
    /// A release is in the store.
    Fetched {
        /// Which one.
        release: ReleaseId,
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

/// What may take long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// A registry's log is followed.
    Syncing {
        /// Which one.
        registry: String,
    },
    /// Releases are chosen.
    Resolving,
    /// Packs and external files are fetched.
    Fetching {
        /// How many releases.
        releases: usize,
        /// How many external files.
        references: usize,
    },
    /// Packages are laid out in the project.
    LayingOut {
        /// How many.
        packages: usize,
    },
    /// A folder is read.
    Reading,
    /// A folder is packed.
    Packing {
        /// How many files.
        files: usize,
    },
    /// A pack or a file is uploaded.
    Uploading,
    /// A batch is submitted.
    Publishing {
        /// How many releases it offers.
        releases: usize,
    },
    /// Content is compared with its names.
    Verifying {
        /// How many trees, packs and files.
        objects: u64,
    },
    /// What nobody uses is removed.
    Collecting,
    /// Equal files are shared.
    Sharing,
    /// The packages of a project are written into one file.
    Exporting,
    /// Packages are read from one file.
    Importing,
    /// Another process is waited for.
    Waiting,
}

/// How much work there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Amount {
    /// Nobody knows.
    Unknown,
    /// So many bytes.
    Bytes(u64),
    /// So many records of a log.
    Records(u64),
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

/// How far one of the things is that a piece of work consists of. Its copies count together.
#[derive(Clone)]
pub struct Counter {
    observer: Arc<dyn Observer<Event>>,
    at: Arc<AtomicU64>,
}

impl Counter {
    /// One of which nothing is done.
    pub fn new(session: &Session) -> Self {
        Self { observer: Arc::clone(&session.observer), at: Arc::default() }
    }

    /// One that nobody is told of.
    pub fn silent() -> Self {
        Self { observer: Arc::new(Unobserved), at: Arc::default() }
    }

    /// So much more is done.
    pub fn by(&self, bytes: u64) {
        if bytes > 0 {
            self.at.fetch_add(bytes, Ordering::Relaxed);
            self.observer.event(&Event::Advanced { by: bytes });
        }
    }

    /// So much is done in all: what it was before counts no more.
    pub fn to(&self, bytes: u64) {
        let before = self.at.swap(bytes, Ordering::Relaxed);
        if let Some(by) = bytes.checked_sub(before).filter(|by| *by > 0) {
            self.observer.event(&Event::Advanced { by });
        } else if bytes < before {
            self.observer.event(&Event::SetBack { by: before - bytes });
        }
    }

    /// How much is done.
    pub fn at(&self) -> u64 {
        self.at.load(Ordering::Relaxed)
    }

    /// Counts what is read.
    pub fn read<R>(&self, reader: R) -> Counted<R> {
        Counted { inner: reader, counter: self.clone() }
    }
}

/// See [`Counter::read`].
pub struct Counted<R> {
    inner: R,
    counter: Counter,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.counter.by(read as u64);
        Ok(read)
    }
}

/// Has whoever watches a session know what its store does.
pub(crate) fn of_store(session: &Session) -> Arc<dyn Observer<weir_store::Event>> {
    let observer = Arc::clone(&session.observer);
    Arc::new(move |event: &weir_store::Event| {
        use weir_store::Event as Stored;
        let told = match *event {
            Stored::Began { work, items, bytes } => {
                let work = match work {
                    weir_store::Work::Verifying => Work::Verifying { objects: items },
                    weir_store::Work::Collecting => Work::Collecting,
                    weir_store::Work::Sharing => Work::Sharing,
                    weir_store::Work::Exporting => Work::Exporting,
                };
                Event::Began { work, amount: Amount::Bytes(bytes) }
            }
            Stored::Advanced { bytes } => Event::Advanced { by: bytes },
            Stored::WaitingForSessions | Stored::WaitingForCollector => {
                Event::Began { work: Work::Waiting, amount: Amount::Unknown }
            }
            // Somebody else makes one of many things: the others go on meanwhile.
            _ => return,
        };
        observer.event(&told);
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_counter_tells_what_is_new_and_what_is_lost() {
        let seen: Arc<Mutex<Vec<Event>>> = Arc::default();
        let into = Arc::clone(&seen);
        let observer = move |event: &Event| into.lock().unwrap().push(event.clone());
        let counter = Counter { observer: Arc::new(observer), at: Arc::default() };
        counter.to(10);
        io::copy(&mut counter.read(&b"12345"[..]), &mut io::sink()).unwrap();
        counter.to(15);
        counter.to(0);
        let told = [Event::Advanced { by: 10 }, Event::Advanced { by: 5 }, Event::SetBack { by: 15 }];
        assert_eq!(*seen.lock().unwrap(), told);
    }
}
