//! Collecting garbage: a plan that can be shown, then carried out.
//!
//! What a project's lockfile names is kept, and what was made from only such things, and whatever was used
//! within the grace period. If some project's lockfile cannot be read nobody knows what it uses, so
//! everything is kept until it is mended or the project is forgotten.
//!
//! # Against an install at the same time
//!
//! An install decides "that tree is here" and links it a moment later. Between the two it holds a
//! [`Session`](crate::Session), and removing takes the store's lock exclusively: it waits for the sessions to end, works out
//! the plan anew, and removes only what both plans agree on. Removing is renaming into `tmp/`, so the lock
//! is held shortly; deleting what was renamed comes after. A collector killed anywhere leaves a valid
//! store and some rubbish in `tmp/`, which the next sweep deletes.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use weir_model::{InputDigest, Sha256, TreeDigest};

use crate::derived::Ingredient;
use crate::error::{AtPath as _, StoreError};
use crate::lock::StoreLock;
use crate::observe::{Event, Work};
use crate::project::{Project, forget};
use crate::remove::{remove, rename_away};
use crate::staging::{TRASH, age, remove_free_locks};
use crate::store::Store;
use crate::uses::Uses;
use crate::{catalogue, derived, faults};

pub use crate::uses::UnreadableProject;

/// Something in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// A tree.
    Tree(TreeDigest),
    /// A file that a reference names.
    File(Sha256),
    /// The note of which tree was made from these inputs. The tree itself is an item of its own.
    Derivation(InputDigest),
}

/// Something in the store and why it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What is kept.
    pub item: Item,
    /// The bytes of its files together.
    pub bytes: u64,
    /// Why.
    pub reason: Reason,
}

/// Why something is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// These projects' lockfiles name it.
    UsedBy(Vec<PathBuf>),
    /// It was made from things that are all used, under these inputs.
    MadeFromUsed(InputDigest),
    /// It was used this short a time ago.
    Recent(Duration),
    /// A project's lockfile cannot be read, and may name it.
    MayBeUsed,
}

/// What the collector would do, and why.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a plan does nothing until it is applied"]
pub struct GcPlan {
    /// What would be removed, with the bytes of its files: at most this is freed, less where files are shared.
    pub remove: Vec<(Item, u64)>,
    /// What would stay, and why.
    pub keep: Vec<Kept>,
    /// The projects whose folders are gone, which would be forgotten.
    pub forget: Vec<Project>,
    /// The projects whose lockfiles cannot be read: if there is one, nothing is removed.
    pub unreadable: Vec<UnreadableProject>,
    grace: Duration,
}

/// What the collector did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GcReport {
    /// What was removed, with the bytes of its files.
    pub removed: Vec<(Item, u64)>,
    /// The projects that were forgotten.
    pub forgotten: Vec<PathBuf>,
    /// What the plan would have removed and an install used in the meantime.
    pub spared: Vec<Item>,
    /// How many things that dead processes had left were deleted.
    pub leftovers: usize,
}

impl GcPlan {
    /// The bytes of everything that would be removed.
    pub fn bytes(&self) -> u64 {
        self.remove.iter().map(|(_, bytes)| bytes).sum()
    }
}

impl Store {
    /// Works out what can be removed. What was used less than `grace` ago stays: it covers what another
    /// machine does whose locks are not seen, and what is wanted again tomorrow.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn gc_plan(&self, grace: Duration) -> Result<GcPlan, StoreError> {
        let survey = Survey::take(self, grace)?;
        let mut plan = GcPlan {
            remove: Vec::new(),
            keep: Vec::new(),
            forget: Vec::new(),
            unreadable: Vec::new(),
            grace,
        };
        for (item, bytes) in survey.items()? {
            match survey.reason(&item) {
                Some(reason) => plan.keep.push(Kept { item, bytes, reason }),
                None => plan.remove.push((item, bytes)),
            }
        }
        plan.forget = survey.uses.gone;
        plan.unreadable = survey.uses.unreadable;
        Ok(plan)
    }

    /// Removes what `plan` says, except for what an install used since. Waits until no session is open, so
    /// a thread that holds one must not call it.
    ///
    /// # Errors
    ///
    /// When the store cannot be written. What was removed by then is removed.
    pub fn gc_apply(&self, plan: &GcPlan) -> Result<GcReport, StoreError> {
        let waiting = || self.tell(Event::WaitingForSessions);
        let lock = StoreLock::exclusive(&self.layout().gc_lock(), waiting)?;
        self.pass(faults::GC_LOCKED, &self.layout().gc_lock())?;
        let now = self.gc_plan(plan.grace)?;
        let still: HashSet<Item> = now.remove.iter().map(|(item, _)| *item).collect();
        let mut report = GcReport::default();
        for project in now.forget.iter().filter(|project| plan.forget.contains(project)) {
            forget(&project.record)?;
            report.forgotten.push(project.path.clone());
        }
        let mut trash = Vec::new();
        for (item, bytes) in &plan.remove {
            if !still.contains(item) {
                report.spared.push(*item);
                continue;
            }
            trash.push((self.put_away(item)?, *bytes));
            report.removed.push((*item, *bytes));
        }
        self.put_away_lone_manifests(plan.grace)?;
        drop(lock);
        let (items, bytes) = (trash.len() as u64, trash.iter().map(|(_, bytes)| bytes).sum());
        self.tell(Event::Began { work: Work::Collecting, items, bytes });
        for (paths, bytes) in trash {
            for path in paths {
                remove(&path);
                self.pass(faults::GC_DELETED, &path)?;
            }
            self.tell(Event::Advanced { bytes });
        }
        report.leftovers = self.sweep(plan.grace)?;
        remove_free_locks(self.layout())?;
        Ok(report)
    }

    /// Renames something into `tmp/`, so that a reader sees all of it or nothing.
    fn put_away(&self, item: &Item) -> Result<Vec<PathBuf>, StoreError> {
        let layout = self.layout();
        let places = match item {
            Item::Tree(digest) => vec![layout.tree(digest), layout.manifest(digest)],
            Item::File(digest) => vec![layout.file(digest)],
            Item::Derivation(inputs) => vec![layout.derivation(inputs)],
        };
        places.iter().map(|place| self.trash(place)).filter_map(Result::transpose).collect()
    }

    /// Renames one thing into `tmp/`; nothing, if it is gone already.
    pub(crate) fn trash(&self, place: &Path) -> Result<Option<PathBuf>, StoreError> {
        let target = self.staging(TRASH).into_trash();
        match rename_away(place, &target) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io(place, error)),
        }
        self.pass(faults::GC_RENAMED, place)?;
        Ok(Some(target))
    }

    /// A manifest without its tree is what a killed collector or unpacker left.
    fn put_away_lone_manifests(&self, grace: Duration) -> Result<(), StoreError> {
        let layout = self.layout();
        let trees: HashSet<TreeDigest> = catalogue::trees(layout)?.into_iter().collect();
        for digest in catalogue::manifests(layout)? {
            let path = layout.manifest(&digest);
            if !trees.contains(&digest) && age(&path, self.now()) >= grace {
                fs_err::remove_file(&path).at(&path)?;
            }
        }
        Ok(())
    }
}

/// What is in the store, and everything that speaks for keeping it.
struct Survey<'s> {
    store: &'s Store,
    uses: Uses,
    derivations: BTreeMap<InputDigest, derived::Record>,
    /// The trees made from used things only, and the inputs they were made under.
    made: BTreeMap<TreeDigest, InputDigest>,
    /// The inputs whose trees are in [`Self::made`].
    live: BTreeSet<InputDigest>,
    grace: Duration,
    now: SystemTime,
}

impl<'s> Survey<'s> {
    fn take(store: &'s Store, grace: Duration) -> Result<Self, StoreError> {
        let mut survey = Self {
            store,
            uses: Uses::gather(store)?,
            derivations: derived::records(store)?,
            made: BTreeMap::new(),
            live: BTreeSet::new(),
            grace,
            now: store.now(),
        };
        survey.follow_derivations();
        Ok(survey)
    }

    /// Marks what was made from used things, until nothing new is found: a tree may be made from a made one.
    fn follow_derivations(&mut self) {
        loop {
            let before = self.live.len();
            for (inputs, record) in &self.derivations {
                let is_used = |from: &Ingredient| match from {
                    Ingredient::Tree(tree) => {
                        self.uses.of_tree(tree).is_some() || self.made.contains_key(tree)
                    }
                    Ingredient::File(file) => self.uses.of_file(file).is_some(),
                };
                if !record.from.is_empty() && record.from.iter().all(is_used) {
                    self.made.insert(record.tree, *inputs);
                    self.live.insert(*inputs);
                }
            }
            if self.live.len() == before {
                return;
            }
        }
    }

    fn items(&self) -> Result<Vec<(Item, u64)>, StoreError> {
        let layout = self.store.layout();
        let mut items = Vec::new();
        for digest in catalogue::trees(layout)? {
            let bytes = self.store.manifest(&digest).map_or(0, |manifest| manifest.unpacked_size());
            items.push((Item::Tree(digest), bytes));
        }
        for digest in catalogue::files(layout)? {
            let bytes = fs_err::metadata(layout.file(&digest)).map_or(0, |metadata| metadata.len());
            items.push((Item::File(digest), bytes));
        }
        items.extend(self.derivations.keys().map(|inputs| (Item::Derivation(*inputs), 0)));
        Ok(items)
    }

    /// Why an item is kept, if it is.
    fn reason(&self, item: &Item) -> Option<Reason> {
        let users = match item {
            Item::Tree(digest) => self.uses.of_tree(digest),
            Item::File(digest) => self.uses.of_file(digest),
            Item::Derivation(_) => None,
        };
        if let Some(users) = users {
            return Some(Reason::UsedBy(users.iter().map(|path| path.to_path_buf()).collect()));
        }
        if let Item::Tree(digest) = item
            && let Some(inputs) = self.made.get(digest)
        {
            return Some(Reason::MadeFromUsed(*inputs));
        }
        if let Item::Derivation(inputs) = item
            && self.live.contains(inputs)
        {
            return Some(Reason::MadeFromUsed(*inputs));
        }
        let age = age(&self.place(item), self.now);
        if age < self.grace {
            return Some(Reason::Recent(age));
        }
        (!self.uses.unreadable.is_empty()).then_some(Reason::MayBeUsed)
    }

    /// What shows when an item was last used. A derivation is as young as its tree; without one it is old.
    fn place(&self, item: &Item) -> PathBuf {
        let layout = self.store.layout();
        match item {
            Item::Tree(digest) => layout.tree(digest),
            Item::File(digest) => layout.file(digest),
            Item::Derivation(inputs) => match self.derivations.get(inputs) {
                Some(record) => layout.tree(&record.tree),
                None => layout.derivation(inputs),
            },
        }
    }
}
