//! Reading zip strictly.
//!
//! A zip says everything twice: before each file, and in the directory at its end. Readers that trust the one or the other see
//! different files, so the two must agree, no two entries may share bytes, and no file may be missing from the
//! directory. The check is the `zip` crate's.

use std::io::{Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::sink::{Member, Sink};
use super::{ImportError, Trick};
use crate::MAX_PATH_BYTES;

const SORT: u32 = 0o170_000;
const SORT_FILE: u32 = 0o100_000;
const SORT_FOLDER: u32 = 0o040_000;
const SORT_LINK: u32 = 0o120_000;

/// What the directory says about one entry.
struct Listed {
    name: Vec<u8>,
    bits: u32,
    size: u64,
}

/// Reads every entry of the zip `archive` into `sink`.
pub(super) fn read(archive: impl Read + Seek, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let mut archive = ZipArchive::new(archive).map_err(damaged)?;
    let mut listed = Vec::new();
    for index in 0..archive.len() {
        let entry = list(&archive, index)?;
        sink.spend(entry.size)?;
        listed.push(entry);
    }
    archive.validate_header_consistency().map_err(|error| {
        let reason = error.to_string();
        ImportError::Contradiction { reason }
    })?;
    for (index, entry) in listed.iter().enumerate() {
        let mut content = archive.by_index(index).map_err(damaged)?;
        match entry.bits & SORT {
            _ if entry.name.ends_with(b"/") => folder(entry, sink)?,
            SORT_LINK => link(entry, &mut content, sink)?,
            0 | SORT_FILE => {
                let member = Member { path: &entry.name, bits: entry.bits, size: entry.size };
                sink.file(&member, &mut content)?;
            }
            SORT_FOLDER => folder(entry, sink)?,
            _ => {
                return Err(ImportError::refused(
                    &entry.name,
                    Trick::Special { what: "device or named pipe" },
                ));
            }
        }
    }
    Ok(())
}

fn list<R>(archive: &ZipArchive<R>, index: usize) -> Result<Listed, ImportError>
where
    R: Read + Seek,
{
    let entry = archive.by_index_data(index).map_err(damaged)?;
    let name = entry.name_raw().to_vec();
    if entry.encrypted() {
        return Err(ImportError::refused(&name, Trick::Encrypted));
    }
    Ok(Listed { bits: entry.unix_mode().unwrap_or(0o644), size: entry.size(), name })
}

fn folder(entry: &Listed, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    if entry.size > 0 {
        return Err(ImportError::refused(&entry.name, Trick::UnexpectedContent { size: entry.size }));
    }
    // The folder that all of it is in, without a name: so Zokka writes it.
    if entry.name.is_empty() { Ok(()) } else { sink.folder(&entry.name) }
}

/// A link's target is its content.
fn link(entry: &Listed, content: &mut impl Read, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let mut target = Vec::new();
    let most = MAX_PATH_BYTES as u64 + 1;
    content.take(most).read_to_end(&mut target).map_err(ImportError::damaged)?;
    let other = target.len() as u64;
    if other != entry.size {
        return Err(ImportError::refused(&entry.name, Trick::SizesDisagree { one: entry.size, other }));
    }
    sink.link(&entry.name, &target)
}

fn damaged(error: ZipError) -> ImportError {
    ImportError::damaged(error)
}
