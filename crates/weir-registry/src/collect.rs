//! Collecting: what nothing names leaves the storage, and when asked for, what only removed releases name.
//!
//! It is decided under the writers' lock, so that no batch can name something meanwhile. Who uploads does
//! not hold that lock: what is young stays, since a publication that is under way may be about to name it;
//! and if somebody counted on something old that goes now, their batch is refused and they upload again.
//! Each object goes by itself, a large file's list before its chunks: a collector that is stopped has
//! collected less, and the next goes on.
//!
//! What is quarantined stays, also when its releases are removed: it is evidence.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use weir_model::{ChunkDigest, TreeDigest};
use weir_policy::Authorized;

use crate::content::{Delta, Stored};
use crate::error::SubmitError;
use crate::made_of;
use crate::named::{Named, NamedBy};
use crate::ports::{Object, Objects};
use crate::registrar::Registrar;
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CollectedObject {
    /// What it is.
    pub what: String,
    /// Why it need not be there.
    pub why: Why,
    /// Its bytes.
    pub bytes: u64,
}

/// Why an object need not be there.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "WhyCollected")]
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
    /// The trees whose packs stay, by the tree whose pack they are made again of.
    made_of: HashMap<TreeDigest, Vec<TreeDigest>>,
    report: Collected,
}

impl Registrar {
    /// Takes out of the storage what it need not hold.
    pub(crate) fn collect(&self, permit: &Authorized, what: &Collect) -> Result<Collected, SubmitError> {
        let objects = &*self.ports().objects;
        if what.dry_run {
            let view = self.view()?;
            return Ok(plan(&view, objects, what, permit.at())?.report);
        }
        let writer = self.writer()?;
        let plan = plan(&writer.replica, objects, what, permit.at())?;
        for stored in &plan.put_right {
            match stored {
                Stored::Pack { tree, held: true, .. } => objects.restore(permit, Object::Pack(*tree))?,
                Stored::Pack { tree, .. } | Stored::Made { tree, .. } => {
                    let index = writer.replica.index();
                    made_of::withhold(objects, permit, index, Object::Pack(*tree))?;
                }
                Stored::File { sha256, held: true, .. } => objects.restore(permit, Object::File(*sha256))?,
                Stored::File { sha256, .. } => objects.withhold(permit, Object::File(*sha256))?,
                _ => {}
            }
        }
        for stored in plan.go.iter().filter(|stored| !matches!(stored, Stored::Chunk { .. })) {
            if let Stored::Pack { tree, .. } = stored {
                for needs in plan.made_of.get(tree).into_iter().flatten() {
                    made_of::make_whole_if_it_can_be(objects, permit, needs)?;
                }
            }
            objects.remove(permit, stored)?;
            self.fault("collect:removed");
        }
        // Whoever takes in a large file names its parts last, and orders that with this.
        objects.remove_parts(permit)?;
        Ok(plan.report)
    }
}

fn plan(
    replica: &Replica,
    objects: &dyn Objects,
    what: &Collect,
    now: Timestamp,
) -> Result<Plan, SubmitError> {
    let mut named = Named::new(replica.checkpoint().and_then(weir_log::Checkpoint::snapshot));
    for view in replica.index().all_releases() {
        named.add(&view?);
    }
    for known in replica.index().advisories_since(0, usize::MAX)? {
        named.add_advisory(&known);
    }
    let judge = Judge {
        named,
        removed_before: what.removed_before,
        young_since: now.checked_sub(COLLECT_GRACE).unwrap_or(Timestamp::MIN),
    };
    let mut plan = Plan::default();
    plan.report.dry_run = what.dry_run;
    let (chunks, whole): (Vec<_>, Vec<_>) =
        objects.list()?.whole()?.into_iter().partition(|(stored, _)| matches!(stored, Stored::Chunk { .. }));
    // A pack that stays and is made again needs its delta, whoever else does; the pack that it takes may go, for it is kept whole then.
    let needed: HashSet<Delta> =
        whole.iter().filter_map(|(stored, written)| judge.needs(stored, *written)).collect();
    for Delta { from, to } in &needed {
        plan.made_of.entry(*from).or_default().push(*to);
    }
    // Parts are named by the objects that stay.
    let mut listed: HashSet<ChunkDigest> = HashSet::new();
    for (stored, written) in whole {
        match judge.fate(&stored, written) {
            Fate::Goes(_) if matches!(&stored, Stored::Delta { delta, .. } if needed.contains(delta)) => {}
            Fate::Goes(why) => plan.goes(stored, why),
            fate => {
                plan.stays(&stored, fate);
                listed.extend(objects.parts(&stored)?);
            }
        }
    }
    for (chunk, _) in chunks {
        if matches!(&chunk, Stored::Chunk { digest, .. } if !listed.contains(digest)) {
            plan.goes(chunk, Why::Unnamed);
        }
    }
    Ok(plan)
}

/// Who decides what becomes of an object.
struct Judge {
    named: Named,
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

impl Judge {
    /// The delta that an object needs which stays.
    fn needs(&self, stored: &Stored, written: Timestamp) -> Option<Delta> {
        let Stored::Made { tree, base, .. } = stored else { return None };
        let stays = !matches!(self.fate(stored, written), Fate::Goes(_));
        stays.then_some(Delta { from: *base, to: *tree })
    }

    fn fate(&self, stored: &Stored, written: Timestamp) -> Fate {
        match (self.named.who_names(stored), stored) {
            // What a keeper put there, only they can judge.
            (_, Stored::Stray { .. }) => Fate::Stays,
            (NamedBy::Nothing, _) if written >= self.young_since => Fate::Stays,
            (NamedBy::Nothing, Stored::Unfinished { .. }) => Fate::Goes(Why::Unfinished),
            (NamedBy::Nothing, _) => Fate::Goes(Why::Unnamed),
            (NamedBy::RemovedReleases(at), _) if self.removed_before.is_some_and(|before| at < before) => {
                Fate::Goes(Why::Removed)
            }
            (NamedBy::RemovedReleases(_), _) => Fate::IsKept,
            (NamedBy::Misplaced, _) => Fate::IsPutRight,
            (NamedBy::Releases | NamedBy::Quarantine, _) => Fate::Stays,
        }
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
