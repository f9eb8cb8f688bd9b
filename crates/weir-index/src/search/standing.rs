//! Kind and number of dependents of every package, packed so that thousands can be compared
//! without reading their rows.

use rusqlite::{Connection, OptionalExtension as _, params};
use weir_model::KindName;

use crate::error::IndexError;
use crate::query::clamp;

/// Packages a row.
const CHUNK: i64 = 4096;
/// Bytes a package: its kind, and its dependents as a little-endian number that stops at its largest.
const ENTRY: usize = 3;

/// The rows of `standing` that were looked at or changed.
#[derive(Debug)]
pub(crate) struct Standings<'a> {
    connection: &'a Connection,
    chunks: Vec<Option<Chunk>>,
}

#[derive(Debug)]
struct Chunk {
    data: Vec<u8>,
    changed: bool,
}

impl<'a> Standings<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self { connection, chunks: Vec::new() }
    }

    /// How many packages need this one, up to 65,535.
    pub(crate) fn dependents(&mut self, package: i64) -> Result<u16, IndexError> {
        let [_, low, high] = self.entry(package)?;
        Ok(u16::from_le_bytes([low, high]))
    }

    pub(crate) fn is_of_kind(&mut self, package: i64, kind: KindName) -> Result<bool, IndexError> {
        Ok(self.entry(package)?[0] == kind.code())
    }

    pub(crate) fn set_kind(&mut self, package: i64, kind: KindName) -> Result<(), IndexError> {
        let [_, low, high] = self.entry(package)?;
        self.set(package, [kind.code(), low, high])
    }

    pub(crate) fn set_dependents(&mut self, package: i64, dependents: u64) -> Result<(), IndexError> {
        let [low, high] = u16::try_from(dependents).unwrap_or(u16::MAX).to_le_bytes();
        let [kind, _, _] = self.entry(package)?;
        self.set(package, [kind, low, high])
    }

    /// Writes the rows that changed, without the zeros at their end: how far a row was once needed
    /// depends on the steps in which a log was folded.
    pub(crate) fn write(self) -> Result<(), IndexError> {
        let mut replace = self.connection.prepare_cached("INSERT OR REPLACE INTO standing VALUES(?1, ?2)")?;
        let mut delete = self.connection.prepare_cached("DELETE FROM standing WHERE chunk = ?1")?;
        for (number, chunk) in self.chunks.into_iter().enumerate() {
            let Some(mut chunk) = chunk.filter(|chunk| chunk.changed) else { continue };
            while chunk.data.ends_with(&[0; ENTRY]) {
                chunk.data.truncate(chunk.data.len() - ENTRY);
            }
            if chunk.data.is_empty() {
                delete.execute([clamp(number)])?;
            } else {
                replace.execute(params![clamp(number), chunk.data])?;
            }
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
        // Numbers of packages are given one after the other, so there is no chunk far beyond the others.
        const MOST: usize = 1 << 20;
        let number = usize::try_from(package / CHUNK).ok().filter(|number| *number < MOST);
        let number = number.ok_or_else(|| IndexError::Damaged {
            what: "its packages",
            reason: format!("one has the number {package}"),
        })?;
        if self.chunks.len() <= number {
            self.chunks.resize_with(number + 1, || None);
        }
        let slot = &mut self.chunks[number];
        if slot.is_none() {
            let mut read = self.connection.prepare_cached("SELECT data FROM standing WHERE chunk = ?1")?;
            let data = read.query_row([clamp(number)], |row| row.get(0)).optional()?.unwrap_or_default();
            *slot = Some(Chunk { data, changed: false });
        }
        Ok(slot.as_mut().expect("it was filled above"))
    }
}

fn place(package: i64) -> usize {
    package.rem_euclid(CHUNK) as usize * ENTRY
}
