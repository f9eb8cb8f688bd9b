//! Kind and number of dependents of every package, packed so that thousands can be compared
//! without reading their rows.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};
use weir_model::KindName;

use crate::error::IndexError;
use crate::rows::kind_code;

/// Packages a row.
const CHUNK: i64 = 4096;
/// Bytes a package: its kind, and its dependents as a little-endian number that stops at its largest.
const ENTRY: usize = 3;

/// The rows of `standing` that were looked at or changed.
#[derive(Debug)]
pub(crate) struct Standings<'a> {
    connection: &'a Connection,
    chunks: BTreeMap<i64, Chunk>,
}

#[derive(Debug)]
struct Chunk {
    data: Vec<u8>,
    changed: bool,
}

impl<'a> Standings<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self { connection, chunks: BTreeMap::new() }
    }

    /// How many packages need this one, up to 65,535.
    pub(crate) fn dependents(&mut self, package: i64) -> Result<u16, IndexError> {
        let [_, low, high] = self.entry(package)?;
        Ok(u16::from_le_bytes([low, high]))
    }

    pub(crate) fn is_of_kind(&mut self, package: i64, kind: KindName) -> Result<bool, IndexError> {
        Ok(self.entry(package)?[0] == kind_code(kind))
    }

    pub(crate) fn set_kind(&mut self, package: i64, kind: KindName) -> Result<(), IndexError> {
        let [_, low, high] = self.entry(package)?;
        self.set(package, [kind_code(kind), low, high])
    }

    pub(crate) fn set_dependents(&mut self, package: i64, dependents: u64) -> Result<(), IndexError> {
        let [low, high] = u16::try_from(dependents).unwrap_or(u16::MAX).to_le_bytes();
        let [kind, _, _] = self.entry(package)?;
        self.set(package, [kind, low, high])
    }

    /// Writes the rows that changed.
    pub(crate) fn write(self) -> Result<(), IndexError> {
        let mut replace = self.connection.prepare_cached("INSERT OR REPLACE INTO standing VALUES(?1, ?2)")?;
        for (number, chunk) in self.chunks.into_iter().filter(|(_, chunk)| chunk.changed) {
            replace.execute(params![number, chunk.data])?;
        }
        Ok(())
    }

    fn set(&mut self, package: i64, entry: [u8; ENTRY]) -> Result<(), IndexError> {
        let place = place(package);
        let chunk = self.chunk(package)?;
        if chunk.data.len() < place + ENTRY {
            chunk.data.resize(place + ENTRY, 0);
        }
        let slot = &mut chunk.data[place..place + ENTRY];
        chunk.changed |= *slot != entry;
        slot.copy_from_slice(&entry);
        Ok(())
    }

    fn entry(&mut self, package: i64) -> Result<[u8; ENTRY], IndexError> {
        let place = place(package);
        let chunk = self.chunk(package)?;
        let entry = chunk.data.get(place..place + ENTRY).and_then(|bytes| bytes.try_into().ok());
        Ok(entry.unwrap_or_default())
    }

    fn chunk(&mut self, package: i64) -> Result<&mut Chunk, IndexError> {
        use std::collections::btree_map::Entry;
        let number = package.div_euclid(CHUNK);
        match self.chunks.entry(number) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => {
                let mut read =
                    self.connection.prepare_cached("SELECT data FROM standing WHERE chunk = ?1")?;
                let data = read.query_row([number], |row| row.get(0)).optional()?.unwrap_or_default();
                Ok(unknown.insert(Chunk { data, changed: false }))
            }
        }
    }
}

fn place(package: i64) -> usize {
    package.rem_euclid(CHUNK) as usize * ENTRY
}
