//! Making deltas: off the way of whoever publishes, within bounds, and only where they are worth it.
//!
//! What a delta is worth is seen when it is made: one that has more than half of the bytes of the pack is not kept. Which ones are
//! made follows from who is likely to ask. Somebody who has an older release goes to the newest that their ranges let them
//! have, so deltas lead to the newest of each line of compatible versions, from the releases before it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use weir_index::Index;
use weir_model::{PackageName, Platform, Range, Release, TreeDigest, Version};
use weir_policy::Authorized;
use weir_tree::{DeltaParts, TreeError, write_delta};

use crate::content::{ContentError, Delta, open_held_pack};
use crate::error::SubmitError;
use crate::ports::{Object, Objects};
use crate::registrar::Registrar;

/// Packs between which a delta may be worth its request: of a smaller one it saves next to nothing.
pub const DELTAS_FROM: u64 = 8 << 10;

/// The largest pack that a delta is made to, in bytes: both packs are read twice for it.
const LARGEST_PACK: u64 = 1 << 30;

/// A delta is kept if it has at most one of so many parts of the bytes of the pack.
const WORTH: u64 = 2;

/// The most deltas to one tree that are made because somebody asked.
const MOST_ASKED: usize = 16;

/// Which deltas to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MakeDeltas {
    /// From how many releases before the newest.
    pub last: usize,
    /// For how long. What is left is for the next time.
    pub most: Duration,
}

/// What became of deltas that were to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DeltasMade {
    /// How many were made.
    pub made: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The bytes of the packs that they save.
    pub pack_bytes: u64,
    /// How many were there already.
    pub there: u64,
    /// How many were not kept: the packs are too small or too large, or differ by too much.
    pub not_worth: u64,
    /// How many are left for the next time.
    pub left: u64,
}

/// What became of a delta that somebody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedDelta {
    /// It is there.
    There,
    /// It saves too little, and that will not change.
    NotWorth,
    /// It cannot be made as things are: a pack is withheld or not here, it is between no two releases of a package, or there are enough.
    NotNow,
}

/// What became of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// It was made, and has so many bytes.
    Kept(u64),
    There,
    NotWorth,
}

impl Registrar {
    /// Makes the deltas to the newest releases that are not there yet.
    pub(crate) fn make_deltas(
        &self,
        permit: &Authorized,
        what: &MakeDeltas,
    ) -> Result<DeltasMade, SubmitError> {
        let began = Instant::now();
        let wanted = wanted(self.view()?.index(), what.last)?;
        let mut report = DeltasMade::default();
        for (delta, pack_bytes) in wanted {
            if began.elapsed() >= what.most {
                report.left += 1;
                continue;
            }
            match make(&*self.ports().objects, permit, &delta) {
                Ok(Made::Kept(bytes)) => {
                    report.made += 1;
                    report.bytes += bytes;
                    report.pack_bytes += pack_bytes;
                }
                Ok(Made::There) => report.there += 1,
                // A pack may have been withdrawn since the view was read.
                Ok(Made::NotWorth) | Err(ContentError::Absent { .. }) => report.not_worth += 1,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(report)
    }

    /// Makes the delta that a reader asks for, if it is between releases of one package.
    pub(crate) fn make_delta_asked_for(
        &self,
        permit: &Authorized,
        delta: &Delta,
    ) -> Result<AskedDelta, SubmitError> {
        let objects = &*self.ports().objects;
        if objects.deltas_to(&delta.to)? >= MOST_ASKED || !is_update(self.view()?.index(), delta)? {
            return Ok(AskedDelta::NotNow);
        }
        match make(objects, permit, delta) {
            Ok(Made::Kept(_) | Made::There) => Ok(AskedDelta::There),
            Ok(Made::NotWorth) => Ok(AskedDelta::NotWorth),
            Err(ContentError::Absent { .. }) => Ok(AskedDelta::NotNow),
            Err(error) => Err(error.into()),
        }
    }
}

/// Makes one delta, unless it is there or not worth it.
pub(crate) fn make(objects: &dyn Objects, permit: &Authorized, delta: &Delta) -> Result<Made, ContentError> {
    if objects.find(Object::Delta(*delta))?.is_some() {
        return Ok(Made::There);
    }
    let pack = objects.find(Object::Pack(delta.to))?.filter(|pack| !pack.withheld);
    let pack = pack.ok_or_else(|| ContentError::no_pack(&delta.to))?;
    if delta.from == delta.to || pack.size < DELTAS_FROM || pack.size > LARGEST_PACK {
        return Ok(Made::NotWorth);
    }
    let both = || -> Result<_, ContentError> {
        Ok((open_held_pack(objects, &delta.from)?, open_held_pack(objects, &delta.to)?))
    };
    let bad = |reason| ContentError::BadDelta { delta: *delta, reason };
    let (mut from, mut to) = both()?;
    let Some(parts) = DeltaParts::between(&mut from, &mut to).map_err(bad)? else {
        return Ok(Made::NotWorth);
    };
    let (mut from, mut to) = both()?;
    let mut bytes =
        Worth { bytes: Vec::new(), most: usize::try_from(pack.size / WORTH).unwrap_or(usize::MAX) };
    match write_delta(&mut from, &mut to, parts, &mut bytes) {
        Ok(Some(_)) => {}
        Ok(None) => return Ok(Made::NotWorth),
        Err(TreeError::PackWrite { .. }) => return Ok(Made::NotWorth),
        Err(reason) => return Err(bad(reason)),
    }
    Ok(Made::Kept(objects.put(permit, Object::Delta(*delta), &mut &*bytes.bytes)?))
}

/// Takes as many bytes as a delta may have to be worth it, and fails beyond.
struct Worth {
    bytes: Vec<u8>,
    most: usize,
}

impl Write for Worth {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A release, as far as it matters here.
pub(crate) struct Offered {
    version: Version,
    revision: u32,
    pub(crate) tree: TreeDigest,
    pack_bytes: u64,
}

/// The deltas to the newest release of each line of each package, from those before it, with the bytes of the pack that each saves.
fn wanted(index: &Index, last: usize) -> Result<Vec<(Delta, u64)>, SubmitError> {
    let mut wanted = Vec::new();
    for releases in releases_of_packages(index)? {
        for (position, newest) in newest_of_lines(&releases) {
            for before in releases[..position].iter().rev().take(last) {
                wanted.push((Delta { from: before.tree, to: newest.tree }, newest.pack_bytes));
            }
        }
    }
    Ok(wanted)
}

/// What is offered of each package for each platform, the oldest first.
pub(crate) fn releases_of_packages(index: &Index) -> Result<Vec<Vec<Offered>>, SubmitError> {
    let mut packages: BTreeMap<(PackageName, Platform), Vec<Offered>> = BTreeMap::new();
    for view in index.live_releases() {
        let view = view?;
        if !view.standing().is_usable() {
            continue;
        }
        let Release { id, tree, size, .. } = view.release;
        let offered = Offered { version: id.version, revision: id.revision, tree, pack_bytes: size };
        packages.entry((id.name, id.platform)).or_default().push(offered);
    }
    let in_order = packages.into_values().map(|mut releases| {
        releases.sort_unstable_by(|one, other| {
            (&one.version, one.revision).cmp(&(&other.version, other.revision))
        });
        releases
    });
    Ok(in_order.collect())
}

/// The newest of each line of versions that are compatible with one another, with its place among all.
fn newest_of_lines(releases: &[Offered]) -> impl Iterator<Item = (usize, &Offered)> {
    let is_last = |position: usize, release: &Offered| {
        let line = Range::caret(&release.version);
        !releases[position + 1..].iter().any(|next| line.contains(&next.version))
    };
    releases.iter().enumerate().filter(move |(position, release)| is_last(*position, release))
}

/// Whether both trees are releases of one package for one platform.
fn is_update(index: &Index, delta: &Delta) -> Result<bool, SubmitError> {
    let packages = |tree| -> Result<Vec<_>, SubmitError> {
        let releases = index.by_tree(tree)?.into_iter().filter(|view| view.removed.is_none());
        Ok(releases.map(|view| (view.release.id.name, view.release.id.platform)).collect())
    };
    let from = packages(&delta.from)?;
    Ok(packages(&delta.to)?.iter().any(|package| from.contains(package)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deltas_lead_to_the_newest_of_each_line() {
        let offered = |version: &str| Offered {
            version: version.parse().unwrap(),
            revision: 0,
            tree: TreeDigest::of(version),
            pack_bytes: 0,
        };
        let releases = ["0.1.0", "0.1.7", "0.2.0", "1.0.0", "1.2.0", "1.10.0", "2.0.0-beta.1", "2.0.0"];
        let releases = releases.map(offered);
        let newest: Vec<_> = newest_of_lines(&releases).map(|(_, one)| one.version.to_string()).collect();
        assert_eq!(newest, ["0.1.7", "0.2.0", "1.10.0", "2.0.0"]);
    }
}
