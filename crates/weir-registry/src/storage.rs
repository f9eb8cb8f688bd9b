//! Who holds how much: each stored object, by who names it.
//!
//! An object that several packages name is stored once. It is told as shared with each of them, so that what an owner would free by
//! leaving can be told from what it uses together with others.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use weir_index::{Index, ReleaseView};
use weir_model::evidence::held_beside;
use weir_model::{ChunkDigest, OwnerName, PackageName};
use weir_wire::storage::{OwnerStorage, PackageStorage, Storage};

use crate::content::Stored;
use crate::error::SubmitError;
use crate::ports::{Object, Objects};
use crate::replica::Replica;

/// Packages, by the order in which they were met.
type Namers = BTreeSet<usize>;

/// Who names what.
#[derive(Default)]
struct Names {
    packages: Vec<PackageStorage>,
    places: HashMap<PackageName, usize>,
    objects: HashMap<Object, Namers>,
    chunks: HashMap<ChunkDigest, Namers>,
    /// What removed releases name.
    removed: HashSet<Object>,
}

impl Names {
    fn release(&mut self, view: &ReleaseView) {
        let release = &view.release;
        let beside = held_beside(release).map(Object::from);
        let objects = std::iter::once(Object::Pack(release.tree)).chain(beside);
        if view.removed.is_some() {
            self.removed.extend(objects);
            return;
        }
        let next = self.packages.len();
        let place = *self.places.entry(release.id.name.clone()).or_insert(next);
        if place == next {
            let name = release.id.name.clone();
            self.packages.push(PackageStorage { name, releases: 0, counted: 0, alone: 0, shared: 0 });
        }
        self.packages[place].releases += 1;
        self.packages[place].counted += release.size;
        for object in objects {
            self.objects.entry(object).or_default().insert(place);
        }
    }

    fn of(&self, stored: &Stored) -> Option<&Namers> {
        match stored {
            Stored::Chunk { digest, .. } => self.chunks.get(digest),
            stored => self.objects.get(&object(stored)?),
        }
    }
}

/// What is named of something that is stored; a delta is there for the pack that it gives.
fn object(stored: &Stored) -> Option<Object> {
    match stored {
        Stored::Pack { tree, .. } | Stored::Made { tree, .. } => Some(Object::Pack(*tree)),
        Stored::Delta { delta, .. } => Some(Object::Pack(delta.to)),
        Stored::File { sha256, .. } => Some(Object::File(*sha256)),
        Stored::Chunk { .. } | Stored::Snapshot { .. } | Stored::Unfinished { .. } | Stored::Stray { .. } => {
            None
        }
    }
}

/// Bytes of an owner, or of all: what nobody else names, and what others name as well.
#[derive(Default, Clone, Copy)]
struct Bytes {
    alone: u64,
    shared: u64,
}

/// Tells who holds how much.
pub(crate) fn storage(view: &Replica, objects: &dyn Objects) -> Result<Storage, SubmitError> {
    let index = view.index();
    let mut names = Names::default();
    for view in index.all_releases() {
        names.release(&view?);
    }
    let advisories: HashSet<Object> = index
        .advisories_since(0, usize::MAX)?
        .into_iter()
        .map(|known| Object::File(known.advisory.document))
        .collect();
    let listed = objects.list()?.whole()?;
    let mut of_advisories: HashSet<ChunkDigest> = HashSet::new();
    for (stored, _) in &listed {
        let parts = objects.parts(stored)?;
        if let Some(namers) = names.of(stored).cloned() {
            for part in parts {
                names.chunks.entry(part).or_default().extend(&namers);
            }
        } else if object(stored).is_some_and(|object| advisories.contains(&object)) {
            of_advisories.extend(parts);
        }
    }
    let mut told =
        Storage { registry: view.name().to_owned(), counted: index.stats()?.size, ..Storage::default() };
    let mut owners: BTreeMap<OwnerName, Bytes> = BTreeMap::new();
    for (stored, _) in &listed {
        add(&mut told, stored);
        match names.of(stored).cloned() {
            Some(namers) => named(&mut names, &mut owners, &namers, stored.size()),
            None => match object(stored) {
                Some(object) if advisories.contains(&object) => {}
                Some(object) if names.removed.contains(&object) => told.removed += stored.size(),
                None if matches!(stored, Stored::Snapshot { .. }) => {}
                _ => told.unnamed += stored.size(),
            },
        }
    }
    told.owners = by_owner(index, names.packages, &owners)?;
    told.quota = index.quota_of_all()?;
    Ok(told)
}

fn add(told: &mut Storage, stored: &Stored) {
    let total = &mut told.total;
    let place = match stored {
        Stored::Pack { .. } | Stored::Made { .. } => &mut total.packs,
        Stored::Delta { .. } => &mut total.deltas,
        Stored::File { .. } | Stored::Chunk { .. } => &mut total.files,
        Stored::Snapshot { .. } | Stored::Unfinished { .. } | Stored::Stray { .. } => &mut total.other,
    };
    *place += stored.size();
}

fn named(names: &mut Names, owners: &mut BTreeMap<OwnerName, Bytes>, namers: &Namers, size: u64) {
    let of: BTreeSet<OwnerName> =
        namers.iter().map(|place| names.packages[*place].name.owner_name()).collect();
    for place in namers {
        let package = &mut names.packages[*place];
        if namers.len() == 1 { package.alone += size } else { package.shared += size }
    }
    let is_alone = of.len() == 1;
    for owner in of {
        let bytes = owners.entry(owner).or_default();
        if is_alone { bytes.alone += size } else { bytes.shared += size }
    }
}

fn by_owner(
    index: &Index,
    mut packages: Vec<PackageStorage>,
    bytes: &BTreeMap<OwnerName, Bytes>,
) -> Result<Vec<OwnerStorage>, SubmitError> {
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    let mut owners: BTreeMap<OwnerName, OwnerStorage> = BTreeMap::new();
    for package in packages {
        let owner = package.name.owner_name();
        let Bytes { alone, shared } = bytes.get(&owner).copied().unwrap_or_default();
        if !owners.contains_key(&owner) {
            let quota = index.quota_of(&owner)?;
            let new =
                OwnerStorage { owner: owner.clone(), quota, counted: 0, alone, shared, packages: Vec::new() };
            owners.insert(owner.clone(), new);
        }
        if let Some(told) = owners.get_mut(&owner) {
            told.counted += package.counted;
            told.packages.push(package);
        }
    }
    Ok(owners.into_values().collect())
}
