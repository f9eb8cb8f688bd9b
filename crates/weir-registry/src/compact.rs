//! Compacting: old releases are kept as what differs from another one of their package.
//!
//! What differs is a delta, which readers who have the other release are served anyway. Who has nothing fetches the other's pack and the delta, so what is
//! kept so must be much smaller than its pack. The packs that others need stay whole, so that nothing takes two deltas: they are few, for each serves as long as
//! what differs from it is small, whether it is newer or older.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use weir_index::Index;
use weir_model::{ReleaseId, TreeDigest};
use weir_policy::Authorized;

use crate::content::{ContentError, Delta, Stored};
use crate::deltas::{DELTAS_FROM, Made, Offered, make, releases_of_packages};
use crate::error::SubmitError;
use crate::ports::{Object, Objects};
use crate::registrar::Registrar;

/// A pack is kept as a delta that has at most one of so many parts of its bytes.
const PART: u64 = 8;

/// Which packs to compact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compact {
    /// So many of the newest releases of each package stay whole.
    pub keep: usize,
    /// For how long. What is left is for the next time.
    pub most: Duration,
    /// Whether to keep all packs whole again instead.
    pub undo: bool,
}

/// What became of the packs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Compacted {
    /// How many are kept as deltas now and were not before; with `--undo`, how many are whole again.
    pub packs: u64,
    /// Their bytes.
    pub pack_bytes: u64,
    /// The bytes of the deltas in their place.
    pub delta_bytes: u64,
    /// How many were kept as deltas before.
    pub there: u64,
    /// How many stay whole: what differs is too much, or others are made again of them.
    pub whole: u64,
    /// How many are left for the next time.
    pub left: u64,
    /// Those that are damaged, or do not come out as they were. They stay as they are.
    pub failed: Vec<NotRight>,
}

/// A pack that is not right: it cannot be compacted, or be whole again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct NotRight {
    /// The tree whose pack it is.
    pub tree: TreeDigest,
    /// The releases that consist of it.
    pub releases: Vec<ReleaseId>,
    /// What is wrong with it, or with what it is made of.
    pub reason: String,
}

impl Registrar {
    /// Keeps old releases as deltas.
    pub(crate) fn compact(&self, permit: &Authorized, what: &Compact) -> Result<Compacted, SubmitError> {
        // Nobody may name or withdraw what is being compacted.
        let writer = self.writer()?;
        let objects = &*self.ports().objects;
        if what.undo {
            return make_all_whole(writer.replica.index(), objects, permit);
        }
        let mut bases = HashSet::new();
        for (stored, _) in objects.list()?.whole()? {
            if let Stored::Made { base, .. } = stored {
                bases.insert(base);
            }
        }
        let began = Instant::now();
        let mut report = Compacted::default();
        for mut releases in releases_of_packages(writer.replica.index())? {
            releases.dedup_by_key(|release| release.tree);
            let mut package = Package { releases, bases: &mut bases };
            for old in (0..package.releases.len().saturating_sub(what.keep)).rev() {
                if began.elapsed() >= what.most {
                    report.left += 1;
                    continue;
                }
                match package.compact(objects, permit, old, what.keep) {
                    Ok(became) => report.add(became),
                    // It may be above, or out of reach.
                    Err(ContentError::Absent { .. }) => report.whole += 1,
                    Err(error) if error.is_integrity() => {
                        let tree = package.releases[old].tree;
                        report.failed.push(NotRight::of(writer.replica.index(), tree, &error)?);
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(report)
    }
}

/// The releases of one package for one platform, the oldest first.
struct Package<'a> {
    releases: Vec<Offered>,
    /// The trees whose packs others are made again of, also those of other packages: a tree may be in several.
    bases: &'a mut HashSet<TreeDigest>,
}

/// What became of one pack.
#[derive(Clone, Copy)]
enum Became {
    Delta { pack_bytes: u64, bytes: u64 },
    There,
    Whole,
}

impl Package<'_> {
    fn compact(
        &mut self,
        objects: &dyn Objects,
        permit: &Authorized,
        old: usize,
        keep: usize,
    ) -> Result<Became, ContentError> {
        let tree = self.releases[old].tree;
        let pack = objects.find(Object::Pack(tree))?.ok_or_else(|| ContentError::no_pack(&tree))?;
        if pack.made_of.is_some() {
            return Ok(Became::There);
        }
        if self.bases.contains(&tree) || pack.withheld || pack.size < DELTAS_FROM {
            return Ok(Became::Whole);
        }
        for base in self.bases_for(old, keep) {
            let delta = Delta { from: self.releases[base].tree, to: tree };
            if let Some(bytes) = keep_as(objects, permit, &delta, pack.size)? {
                self.bases.insert(delta.from);
                return Ok(Became::Delta { pack_bytes: pack.size, bytes });
            }
        }
        // The next ones resemble this one.
        self.bases.insert(tree);
        Ok(Became::Whole)
    }

    /// The nearest release that others are made again of already, and then the oldest of those that stay whole in any case.
    fn bases_for(&self, old: usize, keep: usize) -> Vec<usize> {
        let bases =
            (0..self.releases.len()).filter(|number| self.bases.contains(&self.releases[*number].tree));
        let nearest = bases.min_by_key(|base| base.abs_diff(old));
        let mut bases: Vec<_> = nearest.into_iter().chain([self.releases.len() - keep]).collect();
        bases.dedup();
        bases
    }
}

/// Keeps a pack of so many bytes as a delta, if that is small enough; tells its bytes.
fn keep_as(
    objects: &dyn Objects,
    permit: &Authorized,
    delta: &Delta,
    pack_bytes: u64,
) -> Result<Option<u64>, ContentError> {
    let made = make(objects, permit, delta)?;
    if made == Made::NotWorth {
        return Ok(None);
    }
    let bytes = objects.find(Object::Delta(*delta))?.map_or(u64::MAX, |held| held.size);
    let kept = if bytes <= pack_bytes / PART { objects.compact(permit, delta)? } else { None };
    if let (None, Made::Kept(size)) = (kept, made) {
        objects.remove(permit, &Stored::Delta { delta: *delta, size })?;
    }
    Ok(kept)
}

fn make_all_whole(
    index: &Index,
    objects: &dyn Objects,
    permit: &Authorized,
) -> Result<Compacted, SubmitError> {
    let mut report = Compacted::default();
    for (stored, _) in objects.list()?.whole()? {
        let Stored::Made { tree, base, .. } = stored else { continue };
        let said = index.by_tree(&tree)?.first().map(|view| view.release.size);
        match make_whole(objects, permit, &tree, said) {
            Ok(bytes) => {
                let delta = Delta { from: base, to: tree };
                objects.remove(permit, &Stored::Delta { delta, size: 0 })?;
                report.packs += 1;
                report.pack_bytes += bytes;
            }
            Err(error) if error.is_lost_or_wrong() => {
                report.failed.push(NotRight::of(index, tree, &error)?);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(report)
}

/// Keeps a pack whole again, if it comes out with as many bytes as a record says; tells them.
fn make_whole(
    objects: &dyn Objects,
    permit: &Authorized,
    tree: &TreeDigest,
    said: Option<u64>,
) -> Result<u64, ContentError> {
    if let (Some(held), Some(said)) = (objects.find(Object::Pack(*tree))?, said)
        && held.size != said
    {
        return Err(ContentError::pack_of_other_size(tree, said, held.size));
    }
    objects.make_whole(permit, tree)?;
    Ok(objects.find(Object::Pack(*tree))?.map_or(0, |held| held.size))
}

impl NotRight {
    fn of(index: &Index, tree: TreeDigest, error: &ContentError) -> Result<Self, SubmitError> {
        let releases = index.by_tree(&tree)?.into_iter().map(|view| view.release.id).collect();
        Ok(Self { tree, releases, reason: weir_model::chain(error) })
    }
}

impl Compacted {
    fn add(&mut self, became: Became) {
        match became {
            Became::There => self.there += 1,
            Became::Whole => self.whole += 1,
            Became::Delta { pack_bytes, bytes } => {
                self.packs += 1;
                self.pack_bytes += pack_bytes;
                self.delta_bytes += bytes;
            }
        }
    }
}
