//! The members of a tar, with their long names, bounded.
//!
//! Only the framing is left to the `tar` crate: it would read a name of any length into memory.

use std::io::{self, Read};
use std::path::Path;

use tar::{Archive, Entry, EntryType};

/// The most bytes of a long name or an extended header.
const MAX_EXTENSION: u64 = 1 << 20;

/// The most bytes of a layout that is brought in from a tar.
const MAX_LAYOUT: u64 = 64 << 30;

/// A member of a tar.
pub(super) struct Member {
    /// Its path, as it is written.
    pub(super) path: Vec<u8>,
    /// Where it leads, of links.
    pub(super) target: Vec<u8>,
    pub(super) sort: EntryType,
    pub(super) mode: u32,
    pub(super) modified: u64,
    pub(super) size: u64,
}

/// What comes before a member and speaks of it.
#[derive(Default)]
struct Extensions {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
}

/// Gives each member of a tar to `each`, with its content.
pub(super) fn read<E: From<io::Error>>(
    stream: impl Read,
    mut each: impl FnMut(&Member, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let mut archive = Archive::new(stream);
    let mut extensions = Extensions::default();
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        match entry.header().entry_type() {
            EntryType::GNULongName => extensions.path = Some(long_name(&mut entry)?),
            EntryType::GNULongLink => extensions.target = Some(long_name(&mut entry)?),
            EntryType::XHeader => pax(&bounded(&mut entry)?, &mut extensions)?,
            EntryType::XGlobalHeader => {}
            _ => {
                let member = member(&entry, std::mem::take(&mut extensions))?;
                each(&member, &mut entry)?;
            }
        }
    }
    Ok(())
}

fn member<R: Read>(entry: &Entry<'_, R>, extensions: Extensions) -> io::Result<Member> {
    let header = entry.header();
    let size = header.entry_size()?;
    // Readers that disagree about a size see different members after it.
    if extensions.size.is_some_and(|other| other != size) {
        return Err(damaged("a member has two sizes"));
    }
    let target = || header.link_name_bytes().unwrap_or_default().into_owned();
    Ok(Member {
        path: extensions.path.unwrap_or_else(|| header.path_bytes().into_owned()),
        target: extensions.target.unwrap_or_else(target),
        sort: header.entry_type(),
        mode: header.mode()?,
        modified: header.mtime()?,
        size,
    })
}

fn bounded(entry: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.take(MAX_EXTENSION + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_EXTENSION {
        return Err(damaged("a name is longer than 1 MiB"));
    }
    Ok(bytes)
}

fn long_name(entry: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut name = bounded(entry)?;
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    name.truncate(end);
    Ok(name)
}

/// Reads records of pax(1): each is its own length, a space, a key, `=`, a value and a line feed.
fn pax(mut rest: &[u8], extensions: &mut Extensions) -> io::Result<()> {
    let wrong = || damaged("an extended header is damaged");
    while !rest.is_empty() {
        let digits =
            rest.iter().position(|byte| *byte == b' ').filter(|digits| *digits < 10).ok_or_else(wrong)?;
        let length: usize =
            std::str::from_utf8(&rest[..digits]).ok().and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
        let record =
            rest.get(digits + 1..length).and_then(|record| record.strip_suffix(b"\n")).ok_or_else(wrong)?;
        let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(wrong)?;
        let (key, value) = (&record[..equals], &record[equals + 1..]);
        match key {
            b"path" => extensions.path = Some(value.to_vec()),
            b"linkpath" => extensions.target = Some(value.to_vec()),
            b"size" => {
                let size = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                extensions.size = Some(size.ok_or_else(wrong)?);
            }
            _ => {}
        }
        rest = &rest[length..];
    }
    Ok(())
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Brings the files of an image layout out of a tar into the new folder `to`; everything else in it is ignored.
pub(super) fn bring_layout(tar: impl Read, to: &Path) -> io::Result<()> {
    let blobs = to.join("blobs/sha256");
    fs_err::create_dir_all(&blobs)?;
    let mut left = MAX_LAYOUT;
    read(tar, |member, content| {
        let path = member.path.strip_prefix(b"./").unwrap_or(&member.path);
        let Some(path) = std::str::from_utf8(path).ok().filter(|_| member.sort == EntryType::Regular) else {
            return Ok(());
        };
        let target = match path.strip_prefix("blobs/sha256/") {
            Some(hex) if weir_model::Sha256::from_hex(hex).is_ok() => blobs.join(hex),
            None if path == "index.json" => to.join(path),
            _ => return Ok(()),
        };
        left = left.checked_sub(member.size).ok_or_else(|| damaged("it is larger than 64 GiB"))?;
        io::copy(content, &mut fs_err::File::create(target)?)?;
        Ok(())
    })
}
