//! Reading tar strictly.
//!
//! Only the framing is left to the `tar` crate (in its raw mode); long names and extended headers are read here, bounded. Where
//! a header and an extended header give a member two sizes, readers disagree about where the next member begins, and a file can be
//! hidden from one of them ("TARmageddon", CVE-2025-62518): refused.

use std::collections::BTreeMap;
use std::io::{self, Read};

use tar::{Archive, EntryType, Header};

use super::sink::{Member, Sink};
use super::{ImportError, ImportNote, Trick};

/// The most bytes of a long name or an extended header.
const MAX_EXTENSION: u64 = 1 << 20;

const BLOCK: usize = 512;

/// The most zeros behind the end mark: several of the largest records that tapes are written in.
const MAX_PADDING: u64 = 16 << 20;

/// What extended headers say about the next member.
#[derive(Default)]
struct Extensions {
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    pax: Option<Pax>,
}

type Pax = BTreeMap<Vec<u8>, Vec<u8>>;

/// Reads every member of the tar `stream` into `sink`.
pub(super) fn read(stream: impl Read, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let mut archive = Archive::new(EndSeen { inner: stream, zeros: 0 });
    let mut extensions = Extensions::default();
    for entry in archive.entries().map_err(ImportError::damaged)?.raw(true) {
        let mut entry = entry.map_err(ImportError::damaged)?;
        let header = entry.header().clone();
        let size = header.entry_size().map_err(ImportError::damaged)?;
        sink.spend(size)?;
        let sort = header.entry_type();
        match sort {
            EntryType::GNULongName => once(&mut extensions.name, long(&mut entry, &header, size)?, &header)?,
            EntryType::GNULongLink => {
                once(&mut extensions.target, long(&mut entry, &header, size)?, &header)?;
            }
            EntryType::XHeader => {
                let pax = pax(&bounded(&mut entry, &header, size)?, &header)?;
                once(&mut extensions.pax, pax, &header)?;
            }
            EntryType::XGlobalHeader => {
                check_global(&pax(&bounded(&mut entry, &header, size)?, &header)?, &header)?;
            }
            _ => member(&header, size, std::mem::take(&mut extensions), &mut entry, sink)?,
        }
    }
    if extensions.name.is_some() || extensions.target.is_some() || extensions.pax.is_some() {
        return Err(ImportError::damaged("an extended header describes a member that does not come"));
    }
    end(archive.into_inner())
}

/// Reads to the end of the file: there are zeros alone, and there is where a compressed archive's checksum is compared.
fn end(mut stream: EndSeen<impl Read>) -> Result<(), ImportError> {
    let mut buffer = [0; 8 << 10];
    let mut padding = 0;
    loop {
        let read = match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(ImportError::damaged(error)),
        };
        if buffer[..read].iter().any(|&byte| byte != 0) {
            return Err(ImportError::damaged("there is more behind tar's end mark"));
        }
        padding += read as u64;
        if padding > MAX_PADDING {
            let what = "bytes of zeros at its end";
            return Err(ImportError::TooLarge { what, got: padding, limit: MAX_PADDING });
        }
    }
    if stream.zeros < BLOCK {
        return Err(ImportError::damaged("it ends without tar's end mark"));
    }
    Ok(())
}

fn member(
    header: &Header,
    size: u64,
    extensions: Extensions,
    content: &mut dyn Read,
    sink: &mut Sink<'_>,
) -> Result<(), ImportError> {
    let pax = extensions.pax.unwrap_or_default();
    let path = choose(header.path_bytes().as_ref(), extensions.name, pax.get(b"path".as_slice()), header)?;
    let refused = |trick| Err(ImportError::refused(&path, trick));
    if let Some(trick) = pax_trick(&pax, size) {
        return refused(trick);
    }
    let sort = header.entry_type();
    if !is_file(sort) && size > 0 && !matches!(sort, EntryType::GNUSparse) {
        return refused(Trick::UnexpectedContent { size });
    }
    if pax.keys().any(|key| is_attribute(key)) {
        sink.note(ImportNote::Attributes { path: String::from_utf8_lossy(&path).into_owned() });
    }
    let target = || {
        let in_header = header.link_name_bytes().unwrap_or_default().into_owned();
        choose(&in_header, extensions.target, pax.get(b"linkpath".as_slice()), header)
    };
    match sort {
        // Before there was a letter for folders, they were files whose names end with a slash.
        EntryType::Regular if path.ends_with(b"/") && size > 0 => refused(Trick::UnexpectedContent { size }),
        EntryType::Regular if path.ends_with(b"/") => sink.folder(&path),
        sort if is_file(sort) => {
            let bits = header.mode().map_err(ImportError::damaged)?;
            sink.file(&Member { path: &path, bits, size }, content)
        }
        EntryType::Directory => sink.folder(&path),
        EntryType::Symlink => sink.link(&path, &target()?),
        EntryType::Link => sink.hard_link(&path, &target()?),
        EntryType::Char | EntryType::Block => refused(Trick::Special { what: "device" }),
        EntryType::Fifo => refused(Trick::Special { what: "named pipe" }),
        EntryType::GNUSparse => refused(Trick::Sparse),
        other => refused(Trick::UnknownSort { sort: char::from(other.as_byte()) }),
    }
}

fn is_file(sort: EntryType) -> bool {
    matches!(sort, EntryType::Regular | EntryType::Continuous)
}

/// A name has one source besides the header itself; two that differ are a trick.
fn choose(
    in_header: &[u8],
    gnu: Option<Vec<u8>>,
    pax: Option<&Vec<u8>>,
    header: &Header,
) -> Result<Vec<u8>, ImportError> {
    match (gnu, pax) {
        (Some(gnu), Some(pax)) if gnu != *pax => Err(ImportError::refused(
            header.path_bytes(),
            Trick::ExtendedHeader { what: "another long name" },
        )),
        (Some(name), _) => Ok(name),
        (None, Some(name)) => Ok(name.clone()),
        (None, None) => Ok(in_header.to_owned()),
    }
}

fn pax_trick(pax: &Pax, size: u64) -> Option<Trick> {
    if pax.keys().any(|key| key.starts_with(b"GNU.sparse.")) {
        return Some(Trick::Sparse);
    }
    let stated = pax.get(b"size".as_slice())?;
    let stated = str::from_utf8(stated).ok().and_then(|digits| digits.parse::<u64>().ok());
    match stated {
        None => Some(Trick::ExtendedHeader { what: "a size that is no number" }),
        Some(other) if other != size => Some(Trick::SizesDisagree { one: size, other }),
        Some(_) => None,
    }
}

fn is_attribute(key: &[u8]) -> bool {
    key.starts_with(b"SCHILY.xattr.")
        || key.starts_with(b"LIBARCHIVE.xattr.")
        || key.starts_with(b"SCHILY.acl.")
}

/// A global header may hold remarks; what it would change of every member that follows is refused.
fn check_global(pax: &Pax, header: &Header) -> Result<(), ImportError> {
    let changes =
        |key: &[u8]| matches!(key, b"path" | b"linkpath" | b"size") || key.starts_with(b"GNU.sparse.");
    if pax.keys().any(|key| changes(key)) {
        let trick = Trick::ExtendedHeader { what: "a name or size for every file" };
        return Err(ImportError::refused(header.path_bytes(), trick));
    }
    Ok(())
}

fn once<T>(place: &mut Option<T>, new: T, header: &Header) -> Result<(), ImportError> {
    if place.replace(new).is_some() {
        let trick = Trick::ExtendedHeader { what: "another of its sort before it, for the same file" };
        return Err(ImportError::refused(header.path_bytes(), trick));
    }
    Ok(())
}

/// A GNU long name: text with a zero behind it, and nothing behind that.
fn long(content: &mut impl Read, header: &Header, size: u64) -> Result<Vec<u8>, ImportError> {
    let mut name = bounded(content, header, size)?;
    if name.last() == Some(&0) {
        name.pop();
    }
    Ok(name)
}

fn bounded(content: &mut impl Read, header: &Header, size: u64) -> Result<Vec<u8>, ImportError> {
    if size > MAX_EXTENSION {
        let what = "bytes of an extended header";
        return Err(ImportError::TooLarge { what, got: size, limit: MAX_EXTENSION });
    }
    let mut bytes = Vec::new();
    content.read_to_end(&mut bytes).map_err(ImportError::damaged)?;
    if bytes.len() as u64 != size {
        let trick = Trick::Truncated { size, got: bytes.len() as u64 };
        return Err(ImportError::refused(header.path_bytes(), trick));
    }
    Ok(bytes)
}

/// Reads the records `<length> <key>=<value>\n` of an extended header. A key that comes twice is refused: some
/// readers take the first, some the last.
fn pax(mut bytes: &[u8], header: &Header) -> Result<Pax, ImportError> {
    let wrong = |what| ImportError::refused(header.path_bytes(), Trick::ExtendedHeader { what });
    let mut records = Pax::new();
    while !bytes.is_empty() {
        let (record, rest) = pax_record(bytes).ok_or_else(|| wrong("a broken record"))?;
        let equals =
            record.iter().position(|&byte| byte == b'=').ok_or_else(|| wrong("a record without `=`"))?;
        let (key, value) = (record[..equals].to_vec(), record[equals + 1..].to_vec());
        if records.insert(key, value).is_some() {
            return Err(wrong("the same key twice"));
        }
        bytes = rest;
    }
    Ok(records)
}

/// The first record without its length and end, and what is behind it.
fn pax_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|&byte| byte == b' ')?;
    let digits =
        str::from_utf8(&bytes[..space]).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
    let length: usize = digits.parse().ok()?;
    let record = bytes.get(space + 1..length)?;
    Some((record.strip_suffix(b"\n")?, &bytes[length..]))
}

/// Notices whether a stream ended with zeros, as every tar does: one that was cut between two members would
/// look whole otherwise.
struct EndSeen<R> {
    inner: R,
    zeros: usize,
}

impl<R: Read> Read for EndSeen<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match buffer[..read].iter().rposition(|&byte| byte != 0) {
            Some(last) => self.zeros = read - last - 1,
            None => self.zeros = self.zeros.saturating_add(read),
        }
        Ok(read)
    }
}
