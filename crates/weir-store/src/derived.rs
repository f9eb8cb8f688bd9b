//! Trees made from other content on this machine: a library whose functions were renamed, an archive
//! unpacked. Such a tree is content like any other; what is added is a note of which tree some inputs gave,
//! so that it is made once.
//!
//! The note, `derived/<aa>/<hex of the inputs>`:
//!
//! ```text
//! weir-derived v1
//! tree sha256:…
//! from sha256:…
//! ```
//!
//! `from` names the trees and files it was made from. The collector keeps it while all of them are used.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use weir_model::{InputDigest, Sha256, TreeDigest};
use weir_tree::{Selection, TreeManifest};

use crate::error::{AtPath as _, EnsureError, StoreError};
use crate::layout::rename_into;
use crate::readers::Readers;
use crate::session::Session;
use crate::store::Store;
use crate::tree::{Draft, StoredTree, tree_item};
use crate::{catalogue, faults, seal};

const FIRST_LINE: &str = "weir-derived v1";

/// A note is read up to here: some thousand sources.
const MAX_BYTES: u64 = 1 << 20;

/// What a derived tree is made from.
#[derive(Debug, Clone, Copy)]
pub struct Making<'a> {
    /// The digest of everything that decides what comes out: the sources, the settings, the version of the
    /// program's rules.
    pub inputs: InputDigest,
    /// The trees and files it is made from; the collector keeps the result while all of them are used. If
    /// there are none it is kept for the grace period after its last use.
    pub from: &'a [Ingredient],
}

/// Something that a derived tree was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ingredient {
    /// A tree.
    Tree(TreeDigest),
    /// A file that a reference names.
    File(Sha256),
}

/// What a note says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) tree: TreeDigest,
    pub(crate) from: Vec<Ingredient>,
}

impl Session {
    /// The tree that these inputs gave, if it was made and is in the store.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn derived_tree(&self, inputs: &InputDigest) -> Result<Option<StoredTree>, StoreError> {
        match read(self.store(), inputs)? {
            Some(record) => self.whole_tree(&record.tree),
            None => Ok(None),
        }
    }

    /// The tree that these inputs give, made by `make` in an empty folder if it is not there. Made once, however
    /// many ask at once.
    ///
    /// # Errors
    ///
    /// When `make` fails, when what it made is not a tree, or when the store cannot be written.
    pub fn derived<E>(
        &self,
        making: &Making<'_>,
        make: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<StoredTree, EnsureError<E>> {
        self.derive(making, Readers::Everybody, |folder| {
            fs_err::create_dir(folder).at(folder)?;
            make(folder).map_err(EnsureError::Source)?;
            let manifest = weir_tree::read_folder(folder, &Selection::everything());
            Ok(manifest.map_err(|source| StoreError::Derived { inputs: making.inputs, source })?)
        })
    }

    /// As [`Self::derived`], for `readers`, with `make` also making the folder and telling what is in it.
    pub(crate) fn derive<E>(
        &self,
        making: &Making<'_>,
        readers: Readers,
        make: impl FnOnce(&Path) -> Result<TreeManifest, EnsureError<E>>,
    ) -> Result<StoredTree, EnsureError<E>> {
        let store = self.store();
        if let Some(tree) = self.derived_tree(&making.inputs)? {
            return Ok(tree);
        }
        let item = format!("derived-{}", making.inputs.to_hex());
        let _lock = self.lock(&item)?;
        if let Some(tree) = self.derived_tree(&making.inputs)? {
            return Ok(tree);
        }
        let staging = store.staging(&item);
        let manifest = make(staging.path())?;
        store.pass(faults::DERIVED_MADE, staging.path())?;
        seal::files(staging.path(), &manifest)?;
        let tree = self.adopt(Draft { manifest, staging, readers })?;
        store.pass(faults::DERIVED_STORED, tree.path())?;
        let record = Record { tree: *tree.digest(), from: making.from.to_vec() };
        write(store, &item, &making.inputs, &record)?;
        Ok(tree)
    }

    /// Stores a draft that no tree's lock was taken for, since its digest was not known.
    fn adopt(&self, draft: Draft) -> Result<StoredTree, StoreError> {
        let digest = draft.manifest.digest();
        let _lock = self.lock(&tree_item(&digest))?;
        match self.tree(&digest)? {
            Some(tree) => Ok(tree),
            None => draft.store(self.store()),
        }
    }
}

/// Every note in the store that reads as one; the others are as good as absent.
pub(crate) fn records(store: &Store) -> Result<BTreeMap<InputDigest, Record>, StoreError> {
    let mut records = BTreeMap::new();
    for inputs in catalogue::derivations(store.layout())? {
        if let Some(record) = read(store, &inputs)? {
            records.insert(inputs, record);
        }
    }
    Ok(records)
}

fn read(store: &Store, inputs: &InputDigest) -> Result<Option<Record>, StoreError> {
    use io::Read as _;
    let path = store.layout().derivation(inputs);
    let file = match fs_err::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io(&path, error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).at(&path)?;
    Ok(Record::parse(&bytes))
}

fn write(store: &Store, item: &str, inputs: &InputDigest, record: &Record) -> Result<(), StoreError> {
    let place = store.layout().derivation(inputs);
    let staging = store.staging(item);
    fs_err::write(staging.path(), record.to_text()).at(staging.path())?;
    rename_into(staging.path(), &place).at(&place)?;
    store.pass(faults::DERIVED_RECORDED, &place)
}

impl Record {
    fn to_text(&self) -> String {
        let from = self.from.iter().map(|from| match from {
            Ingredient::Tree(tree) => format!("from {tree}\n"),
            Ingredient::File(file) => format!("from {file}\n"),
        });
        let from: String = from.collect();
        format!("{FIRST_LINE}\ntree {}\n{from}", self.tree)
    }

    /// Reads a note. One that was cut off is none: it ends with its last line's end.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
        let mut lines = text.split('\n');
        if lines.next()? != FIRST_LINE {
            return None;
        }
        let tree = lines.next()?.strip_prefix("tree ")?.parse().ok()?;
        let from: Option<Vec<Ingredient>> =
            lines.map(|line| Ingredient::parse(line.strip_prefix("from ")?)).collect();
        Some(Self { tree, from: from? })
    }
}

impl Ingredient {
    /// The algorithm that stands before a digest tells which it is of.
    fn parse(digest: &str) -> Option<Self> {
        digest.parse().map(Self::Tree).or_else(|_| digest.parse().map(Self::File)).ok()
    }
}

#[cfg(test)]
mod tests {
    use weir_model::Digest;

    use super::{Ingredient, Record};

    #[test]
    fn a_note_reads_back_and_a_cut_one_is_none_or_says_less_of_nothing() {
        let record = Record {
            tree: Digest::of("tree"),
            from: vec![Ingredient::Tree(Digest::of("a")), Ingredient::File(Digest::of("b"))],
        };
        let text = record.to_text();
        assert_eq!(Record::parse(text.as_bytes()), Some(record));
        assert_eq!(Record::parse(&text.as_bytes()[..text.len() - 1]), None);
        assert_eq!(Record::parse(b""), None);
    }
}
