//! Collecting: what nothing names leaves the storage, and when asked for, what only removed releases name.
//!
//! It is decided under the writers' lock, so that no batch can name something meanwhile. Who uploads does
//! not hold that lock: what is young stays, since a publication that is under way may be about to name it;
//! and if somebody counted on something old that goes now, their batch is refused and they upload again.
//! Each object goes by itself, a large file's list before its chunks: a collector that is stopped has
//! collected less, and the next goes on.
//!
//! What is quarantined stays, also when its releases are removed: it is evidence.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use weir_log::FolderSource;

use crate::content::{ContentFolder, Stored};
use crate::error::SubmitError;
use crate::folder::FolderRegistry;
use crate::named::{Named, NamedBy};
use crate::replica::Replica;

/// What nothing names stays this long, in case its publication is under way.
pub const COLLECT_GRACE: SignedDuration = SignedDuration::from_hours(24);

/// What to collect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collect {
    /// Also what only releases name that were removed before this time.
    pub removed_before: Option<Timestamp>,
    /// Whether to tell what would go and leave it.
    pub dry_run: bool,
}

/// What was collected, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Collected {
    /// Whether this is only what would go.
    pub dry_run: bool,
    /// What went, in the order of the storage.
    pub objects: Vec<CollectedObject>,
    /// Bytes of it together.
    pub bytes: u64,
    /// Packs that a crash had left in the wrong place, within readers' reach or out of it, and that are
    /// in the right one now.
    pub put_right: Vec<String>,
    /// How many objects only removed releases name, and still stay.
    pub kept: u64,
    /// Bytes of those.
    pub kept_bytes: u64,
}

/// An object that was collected, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CollectedObject {
    /// What it is.
    pub what: String,
    /// Why it need not be there.
    pub why: Why,
    /// Its bytes.
    pub bytes: u64,
}

/// Why an object need not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Its writer was stopped.
    Unfinished,
    /// Nothing names it.
    Unnamed,
    /// Only removed releases name it.
    Removed,
}

/// What is to be done, decided before anything is.
#[derive(Default)]
struct Plan {
    go: Vec<Stored>,
    put_right: Vec<Stored>,
    report: Collected,
}

impl FolderRegistry {
    /// Takes out of the storage what it need not hold.
    ///
    /// # Errors
    ///
    /// When the registry cannot be opened for writing, or the storage cannot be read or changed.
    pub fn collect(&self, what: &Collect, now: Timestamp) -> Result<Collected, SubmitError> {
        if what.dry_run {
            let source = FolderSource::new(self.root());
            let mut replica = self.replica(&source).map_err(crate::folder::open_to_submit)?;
            replica.sync_writer(&source)?;
            return Ok(plan(&replica, self.content(), what, now)?.report);
        }
        let (_lock, replica) = self.open_writer()?;
        let plan = plan(&replica, self.content(), what, now)?;
        for stored in &plan.put_right {
            if let Stored::Pack { tree, held, .. } = stored {
                let content = self.content();
                if *held { content.unhold(tree)? } else { content.hold(tree)? }
            }
        }
        for stored in plan.go.iter().filter(|stored| !matches!(stored, Stored::Chunk { .. })) {
            self.content().remove_stored(stored)?;
            self.fault("collect:removed");
        }
        // Chunks have a lock of their own: who takes in a large file names them last.
        self.content().collect_chunks()?;
        Ok(plan.report)
    }
}

fn plan(
    replica: &Replica,
    content: &ContentFolder,
    what: &Collect,
    now: Timestamp,
) -> Result<Plan, SubmitError> {
    let mut named = Named::new(replica.checkpoint().and_then(weir_log::Checkpoint::snapshot));
    for view in replica.index().all_releases() {
        named.add(&view?);
    }
    let judge = Judge {
        named,
        content,
        removed_before: what.removed_before,
        young_since: now.checked_sub(COLLECT_GRACE).unwrap_or(Timestamp::MIN),
    };
    let mut plan = Plan::default();
    plan.report.dry_run = what.dry_run;
    let (chunks, objects): (Vec<_>, Vec<_>) =
        content.objects()?.into_iter().partition(|stored| matches!(stored, Stored::Chunk { .. }));
    let mut staying = Vec::new();
    for stored in objects {
        match judge.fate(&stored)? {
            Fate::Goes(why) => plan.goes(stored, why),
            fate => {
                plan.stays(&stored, fate);
                staying.push(stored);
            }
        }
    }
    // Chunks are named by the lists of files that stay.
    let listed = content.listed_chunks(&staying)?;
    for chunk in chunks {
        if matches!(&chunk, Stored::Chunk { digest, .. } if !listed.contains(digest)) {
            plan.goes(chunk, Why::Unnamed);
        }
    }
    Ok(plan)
}

/// Who decides what becomes of an object.
struct Judge<'a> {
    named: Named,
    content: &'a ContentFolder,
    removed_before: Option<Timestamp>,
    young_since: Timestamp,
}

#[derive(Clone, Copy)]
enum Fate {
    Goes(Why),
    Stays,
    /// Although only removed releases name it.
    IsKept,
    IsPutRight,
}

impl Judge<'_> {
    fn fate(&self, stored: &Stored) -> Result<Fate, SubmitError> {
        Ok(match (self.named.who_names(stored), stored) {
            // What a keeper put there, only they can judge.
            (_, Stored::Stray { .. }) => Fate::Stays,
            (NamedBy::Nothing, _) if self.is_young(stored)? => Fate::Stays,
            (NamedBy::Nothing, Stored::Unfinished { .. }) => Fate::Goes(Why::Unfinished),
            (NamedBy::Nothing, _) => Fate::Goes(Why::Unnamed),
            (NamedBy::RemovedReleases(at), _) if self.removed_before.is_some_and(|before| at < before) => {
                Fate::Goes(Why::Removed)
            }
            (NamedBy::RemovedReleases(_), _) => Fate::IsKept,
            (NamedBy::Misplaced, _) => Fate::IsPutRight,
            (NamedBy::Releases | NamedBy::Quarantine, _) => Fate::Stays,
        })
    }

    fn is_young(&self, stored: &Stored) -> Result<bool, SubmitError> {
        Ok(self.content.modified(stored)?.is_none_or(|at| at >= self.young_since))
    }
}

impl Plan {
    fn goes(&mut self, stored: Stored, why: Why) {
        let bytes = stored.size();
        self.report.objects.push(CollectedObject { what: stored.to_string(), why, bytes });
        self.report.bytes += bytes;
        self.go.push(stored);
    }

    fn stays(&mut self, stored: &Stored, fate: Fate) {
        match fate {
            Fate::IsKept => {
                self.report.kept += 1;
                self.report.kept_bytes += stored.size();
            }
            Fate::IsPutRight => {
                self.report.put_right.push(stored.to_string());
                self.put_right.push(stored.clone());
            }
            Fate::Goes(_) | Fate::Stays => {}
        }
    }
}
