//! Checking what is in the store against its names: every file hashed again.

use std::io::{self, Read as _};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use weir_model::{Hasher, Sha256, TreeDigest};
use weir_tree::{Difference, Handled};

use crate::catalogue;
use crate::error::{AtPath as _, StoreError};
use crate::gc::Item;
use crate::observe::{Event, Work};
use crate::session::Session;
use crate::store::Store;

const BUFFER_BYTES: usize = 256 << 10;

/// What is to be checked.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// Every tree and every file.
    Everything,
    /// These, as far as they are in the store.
    Only(&'a [Item]),
}

/// What a check found.
#[derive(Debug, Default)]
pub struct VerifyReport {
    /// How many trees and files were checked.
    pub items: u64,
    /// The bytes that were hashed.
    pub bytes: u64,
    /// What is damaged, sorted.
    pub broken: Vec<Broken>,
}

/// Something in the store that is not what its name says.
#[derive(Debug)]
pub struct Broken {
    /// The tree or file.
    pub item: Item,
    /// What is wrong with it.
    pub damage: Damage,
}

/// What is wrong with something in the store.
#[derive(Debug)]
#[non_exhaustive]
pub enum Damage {
    /// A tree's manifest is missing or is another one, so its files cannot be checked.
    Manifest,
    /// A tree's files differ from its manifest.
    Differences(Vec<Difference>),
    /// A file has other bytes: their digest.
    Content(Sha256),
    /// It cannot be read.
    Unreadable(StoreError),
}

impl Session {
    /// Checks trees and files, on all cores, telling of each that is done.
    ///
    /// # Errors
    ///
    /// When the store's folders cannot be read. A damaged or unreadable item is part of the report.
    pub fn verify(&self, scope: Scope<'_>) -> Result<VerifyReport, StoreError> {
        let _quiet = self.quiet()?;
        let mut work = sized_items(self.store(), scope)?;
        // The largest first, so that no core is left with a long one at the end.
        work.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        let (items, bytes) = (work.len() as u64, work.iter().map(|(_, bytes)| bytes).sum());
        self.store().tell(Event::Began { work: Work::Verifying, items, bytes });
        let check = Check::new(self.store(), &work);
        let mut report = check.run();
        report.broken.sort_by_key(|broken| broken.item);
        Ok(report)
    }
}

/// What there is to check, each with its bytes as far as they are known.
fn sized_items(store: &Store, scope: Scope<'_>) -> Result<Vec<(Item, u64)>, StoreError> {
    let layout = store.layout();
    let trees = catalogue::trees(layout)?.into_iter().map(Item::Tree);
    let files = catalogue::files(layout)?.into_iter().map(Item::File);
    let wanted = |item: &Item| match scope {
        Scope::Everything => true,
        Scope::Only(items) => items.contains(item),
    };
    let size = |item: &Item| match item {
        Item::Tree(digest) => store.manifest(digest).map_or(0, |manifest| manifest.unpacked_size()),
        Item::File(digest) => fs_err::metadata(layout.file(digest)).map_or(0, |metadata| metadata.len()),
        Item::Derivation(_) => 0,
    };
    Ok(trees.chain(files).filter(wanted).map(|item| (item, size(&item))).collect())
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Whether no item is so large that a core would be left with it at the end. The largest comes first.
fn is_even(work: &[(Item, u64)]) -> bool {
    let all: u64 = work.iter().map(|(_, bytes)| bytes).sum();
    work.first().is_none_or(|(_, largest)| largest.saturating_mul(2 * cores() as u64) <= all)
}

/// A check in progress, shared by its threads.
struct Check<'s> {
    store: &'s Store,
    work: &'s [(Item, u64)],
    /// How many cores may read one tree: all of them only where there is not enough else for them to do.
    cores_a_tree: usize,
    next: AtomicUsize,
    done: AtomicU64,
    bytes: AtomicU64,
    broken: Mutex<Vec<Broken>>,
}

impl<'s> Check<'s> {
    fn new(store: &'s Store, work: &'s [(Item, u64)]) -> Self {
        Self {
            store,
            work,
            cores_a_tree: if is_even(work) { 1 } else { cores() },
            next: AtomicUsize::new(0),
            done: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            broken: Mutex::new(Vec::new()),
        }
    }

    fn run(self) -> VerifyReport {
        let threads = cores().min(self.work.len()).max(1);
        thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|| self.take_turns());
            }
            self.take_turns();
        });
        VerifyReport {
            items: self.done.into_inner(),
            bytes: self.bytes.into_inner(),
            broken: self.broken.into_inner().unwrap_or_else(PoisonError::into_inner),
        }
    }

    fn take_turns(&self) {
        let mut buffer = vec![0; BUFFER_BYTES];
        while let Some((item, _)) = self.work.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let damage = match item {
                Item::Tree(digest) => self.tree(digest),
                Item::File(digest) => self.file(digest, &mut buffer),
                Item::Derivation(_) => None,
            };
            if let Some(damage) = damage {
                let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
                broken.push(Broken { item: *item, damage });
            }
            self.done.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn tree(&self, digest: &TreeDigest) -> Option<Damage> {
        let manifest = match self.store.manifest(digest) {
            Ok(manifest) => manifest,
            Err(StoreError::DamagedManifest { .. }) => return Some(Damage::Manifest),
            Err(error) => return Some(Damage::Unreadable(error)),
        };
        self.bytes.fetch_add(manifest.unpacked_size(), Ordering::Relaxed);
        let folder = self.store.layout().tree(digest);
        let told = |handled: &Handled| self.store.tell(Event::Advanced { bytes: handled.bytes });
        match weir_tree::verify_folder_observed(&folder, &manifest, self.cores_a_tree, &told) {
            Ok(differences) if differences.is_empty() => None,
            Ok(differences) => Some(Damage::Differences(differences)),
            Err(source) => Some(Damage::Unreadable(StoreError::Tree { digest: *digest, source })),
        }
    }

    fn file(&self, digest: &Sha256, buffer: &mut [u8]) -> Option<Damage> {
        match hash_file(self.store, digest, buffer) {
            Ok((got, bytes)) => {
                self.bytes.fetch_add(bytes, Ordering::Relaxed);
                (got != *digest).then_some(Damage::Content(got))
            }
            Err(error) => Some(Damage::Unreadable(error)),
        }
    }
}

fn hash_file(store: &Store, digest: &Sha256, buffer: &mut [u8]) -> Result<(Sha256, u64), StoreError> {
    let path = store.layout().file(digest);
    let mut file = fs_err::File::open(&path).at(&path)?;
    let (mut hasher, mut bytes) = (Hasher::new(), 0);
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok((hasher.finish(), bytes)),
            Ok(got) => {
                hasher.update(&buffer[..got]);
                bytes += got as u64;
                store.tell(Event::Advanced { bytes: got as u64 });
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(StoreError::io(&path, error)),
        }
    }
}
