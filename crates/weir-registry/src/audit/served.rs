//! Content behind a server: nothing there can be listed, so what the log names is asked for, object by object.

use std::io::Read;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};

use weir_log::{Source, SourceError};
use weir_model::{Hasher, Observer, Sha256, TreeDigest, of};
use weir_tree::{Limits, TreeError, Watched};

use super::{AuditStep, RegistryAudit, tell_of_bytes};
use crate::content::{
    CHUNKED_ABOVE, Chunk, ChunkList, ContentError, Delta, LARGEST_FILE, Stated, chunk_list_path, chunk_path,
    delta_path, file_path, made_as_stated, open_pack, pack_as_stated, pack_note, pack_path, remade_pack,
};
use crate::named::{Named, Use};

/// Requests at once: much of the time is waiting, and more would be a burden to a small server.
const AT_ONCE: usize = 8;

/// So many objects that no answer could be had about, and the others are not asked for: whoever is away or
/// refuses would cost a timeout for each.
const MOST_UNANSWERED: u64 = 16;

/// Asks for everything that the log names.
pub(super) struct ServedContent<'a> {
    pub(super) named: &'a Named,
    pub(super) source: &'a dyn Source,
    /// Whether bytes are read, or only asked whether they are there.
    pub(super) read: bool,
    pub(super) audit: &'a mut RegistryAudit,
    pub(super) observer: &'a dyn Observer<AuditStep>,
}

/// An object that the log names.
enum Wanted<'a> {
    /// A pack that readers may have.
    Pack { tree: &'a TreeDigest, stated: Stated, of: &'a Use, own: bool },
    /// A pack that they may not.
    Withheld { tree: &'a TreeDigest },
    /// A file that they may not.
    WithheldFile { sha256: &'a Sha256 },
    /// A file that a release promises.
    Promised { sha256: &'a Sha256, size: Option<u64>, of: &'a Use, own: bool },
    /// A file that the registry may hold, or leave where it comes from.
    Referenced { sha256: &'a Sha256, size: Option<u64> },
}

/// What was found where it should be.
enum Found {
    /// The object; all its bytes are right.
    Read(u64),
    /// The object, with so many bytes as far as the server says; none of them was read.
    There(u64),
    /// Nothing, and nothing is wrong with that.
    Nothing,
}

impl ServedContent<'_> {
    pub(super) fn run(self) {
        let wanted = wanted(self.named);
        let bytes = wanted.iter().map(Wanted::said).sum();
        self.observer.event(&AuditStep::Begin { objects: wanted.len() as u64, bytes });
        let next = AtomicUsize::new(0);
        let unanswered = AtomicU64::new(0);
        let (tell, told) = mpsc::channel();
        let (source, read, observer) = (self.source, self.read, self.observer);
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE.min(wanted.len()) {
                let (tell, wanted, next, unanswered) = (tell.clone(), &wanted, &next, &unanswered);
                scope.spawn(move || {
                    while unanswered.load(Ordering::Relaxed) < MOST_UNANSWERED {
                        let Some(one) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
                        let found = look(source, one, read.then_some(observer));
                        if found.as_ref().is_err_and(no_answer) {
                            unanswered.fetch_add(1, Ordering::Relaxed);
                        }
                        // Whoever listens does so until all of these threads are gone.
                        let _ = tell.send((one, found));
                    }
                });
            }
            drop(tell);
            note(self.audit, (!read).then_some(observer), &told, wanted.len());
        });
    }
}

/// Writes down what the others find, while they go on; `count` objects were to be looked at. `observer` is told of each that was
/// not read.
fn note(
    audit: &mut RegistryAudit,
    observer: Option<&dyn Observer<AuditStep>>,
    told: &Receiver<(&Wanted<'_>, Result<Found, ContentError>)>,
    count: usize,
) {
    let mut problems = Vec::new();
    let mut seen = 0;
    for (wanted, found) in told {
        seen += 1;
        match found {
            Ok(Found::Read(bytes)) => {
                audit.objects += 1;
                audit.bytes += bytes;
            }
            Ok(Found::There(bytes)) => {
                audit.present += 1;
                audit.present_bytes += bytes;
            }
            Ok(Found::Nothing) => {
                if let Wanted::Referenced { sha256, .. } = wanted {
                    audit.elsewhere.push(format!("the file {sha256}"));
                }
            }
            Err(ContentError::Absent { .. }) if wanted.may_be_above() => audit.above.push(wanted.to_string()),
            Err(error) if no_answer(&error) => audit.unanswered.push(format!("{wanted}: {error}")),
            Err(error) => problems.push(format!("{wanted}: {error}")),
        }
        if let Some(observer) = observer {
            observer.event(&AuditStep::Done { bytes: wanted.said() });
        }
    }
    // They come in the order of the network, and are told in one that is the same each time.
    problems.sort();
    audit.problems.extend(problems);
    audit.elsewhere.sort();
    audit.above.sort();
    audit.unanswered.sort();
    audit.unasked += (count - seen) as u64;
}

/// Everything to look at.
fn wanted(named: &Named) -> Vec<Wanted<'_>> {
    let packs = named.packs.iter().filter_map(|(tree, pack)| match pack.uses.first().zip(pack.stated()) {
        _ if pack.reach.is_withheld() => Some(Wanted::Withheld { tree }),
        Some((first, stated)) => Some(Wanted::Pack { tree, stated, of: &first.what, own: pack.own }),
        None => None,
    });
    let files = named.files.iter().filter_map(|(sha256, file)| match file.promised.first() {
        _ if file.reach.is_withheld() => Some(Wanted::WithheldFile { sha256 }),
        Some(of) => Some(Wanted::Promised { sha256, size: file.size, of, own: file.own }),
        None => file.referenced.then_some(Wanted::Referenced { sha256, size: file.size }),
    });
    packs.chain(files).collect()
}

impl Wanted<'_> {
    /// Whether it need not be held here yet: only releases name it that came from above.
    fn may_be_above(&self) -> bool {
        matches!(self, Self::Pack { own: false, .. } | Self::Promised { own: false, .. })
    }

    /// Bytes that the log says it has; 0 where it does not say.
    fn said(&self) -> u64 {
        match self {
            Self::Pack { stated, .. } => stated.size,
            Self::Promised { size, .. } | Self::Referenced { size, .. } => size.unwrap_or_default(),
            Self::Withheld { .. } | Self::WithheldFile { .. } => 0,
        }
    }
}

impl std::fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pack { of, .. } | Self::Promised { of, .. } => of.fmt(f),
            Self::Withheld { .. } | Self::WithheldFile { .. } => f.write_str("quarantined content"),
            Self::Referenced { .. } => f.write_str("an external file"),
        }
    }
}

/// Asks for one object; `reading`, if its bytes are to be read, is told of them.
fn look(
    source: &dyn Source,
    wanted: &Wanted<'_>,
    reading: Option<&dyn Observer<AuditStep>>,
) -> Result<Found, ContentError> {
    match wanted {
        Wanted::Pack { tree, stated, .. } => match reading {
            Some(observer) => read_pack(source, tree, stated, observer),
            None => pack_there(source, tree, stated.size),
        },
        Wanted::Withheld { tree } => match pack_there_or_made(source, tree)? {
            true => Err(ContentError::pack_still_served(tree)),
            false => Ok(Found::Nothing),
        },
        Wanted::WithheldFile { sha256 } => {
            let found = [file_path(sha256), chunk_list_path(sha256)].map(|path| source.find(&path));
            for found in found {
                if found?.is_some() {
                    return Err(ContentError::file_still_served(sha256));
                }
            }
            Ok(Found::Nothing)
        }
        Wanted::Promised { sha256, size, .. } => {
            file(source, sha256, *size, reading)?.ok_or_else(|| ContentError::no_file(sha256))
        }
        Wanted::Referenced { sha256, size } => {
            Ok(file(source, sha256, *size, reading)?.unwrap_or(Found::Nothing))
        }
    }
}

fn read_pack(
    source: &dyn Source,
    tree: &TreeDigest,
    stated: &Stated,
    observer: &dyn Observer<AuditStep>,
) -> Result<Found, ContentError> {
    let told = tell_of_bytes(observer);
    if let Some(pack) = open_pack(source, tree, 0)? {
        let verified = pack_as_stated(Watched::new(pack, &told), tree, Some(stated.size), stated.unpacked)?;
        return Ok(Found::Read(verified.bytes()));
    }
    let made = remade_pack(source, tree, &Limits::default())?.ok_or_else(|| ContentError::no_pack(tree))?;
    Ok(Found::Read(made_as_stated(Watched::new(made.pack, &told), made.note.bytes, tree, stated)?))
}

fn pack_there(source: &dyn Source, tree: &TreeDigest, size: u64) -> Result<Found, ContentError> {
    let there = match source.find(&pack_path(tree))? {
        Some(found) => found.size,
        None => Some(made_there(source, tree)?),
    };
    match there {
        Some(got) if got != size => Err(ContentError::pack_of_other_size(tree, size, got)),
        _ => Ok(Found::There(size)),
    }
}

fn pack_there_or_made(source: &dyn Source, tree: &TreeDigest) -> Result<bool, ContentError> {
    Ok(source.find(&pack_path(tree))?.is_some() || pack_note(source, tree)?.is_some())
}

/// The bytes of a pack that is made again, if there is what it takes.
fn made_there(source: &dyn Source, tree: &TreeDigest) -> Result<u64, ContentError> {
    let note = pack_note(source, tree)?.ok_or_else(|| ContentError::no_pack(tree))?;
    let delta = Delta { from: note.base, to: *tree };
    source.find(&pack_path(&note.base))?.ok_or_else(|| ContentError::no_base(&delta))?;
    source.find(&delta_path(&delta))?.ok_or_else(|| ContentError::no_delta(&delta))?;
    Ok(note.bytes)
}

/// A file of `size` bytes, if that is known, whole or in chunks, if it is there.
fn file(
    source: &dyn Source,
    sha256: &Sha256,
    size: Option<u64>,
    reading: Option<&dyn Observer<AuditStep>>,
) -> Result<Option<Found>, ContentError> {
    let whole = file_path(sha256);
    if reading.is_none()
        && let Some(found) = source.find(&whole)?
    {
        return match (size, found.size) {
            (Some(expected), Some(actual)) if expected != actual => {
                Err(ContentError::BadSize { sha256: *sha256, expected, actual })
            }
            _ => Ok(Some(Found::There(found.size.or(size).unwrap_or_default()))),
        };
    }
    if let Some(observer) = reading
        && let Some(bytes) = source.open(&whole, 0)?
    {
        let mut hasher = Hasher::new();
        let size = feed(&mut hasher, bytes, CHUNKED_ABOVE, source, &whole, observer)?;
        let actual = hasher.finish();
        return if actual == *sha256 {
            Ok(Some(Found::Read(size)))
        } else {
            Err(ContentError::BadFile { expected: *sha256, actual })
        };
    }
    let longest = ChunkList::longest(size.unwrap_or(LARGEST_FILE));
    let Some(text) = source.read(&chunk_list_path(sha256), longest)? else { return Ok(None) };
    let list = ChunkList::parse(&text, sha256, size)?;
    match reading {
        Some(observer) => read_chunks(source, sha256, &list, observer),
        None => chunks_there(source, &list),
    }
    .map(Some)
}

fn read_chunks(
    source: &dyn Source,
    sha256: &Sha256,
    list: &ChunkList,
    observer: &dyn Observer<AuditStep>,
) -> Result<Found, ContentError> {
    let mut all = Hasher::new();
    for chunk in list.chunks() {
        let path = chunk_path(&chunk.digest);
        let bytes = source.open(&path, 0)?.ok_or_else(|| ContentError::no_chunk(&chunk.digest))?;
        feed(&mut all, bytes, chunk.size.into(), source, &path, observer)?;
    }
    // What is wrong with one chunk is wrong with all of it.
    let actual = all.finish();
    if actual != *sha256 {
        return Err(ContentError::BadFile { expected: *sha256, actual });
    }
    Ok(Found::Read(list.size()))
}

fn chunks_there(source: &dyn Source, list: &ChunkList) -> Result<Found, ContentError> {
    for Chunk { digest, size, .. } in list.chunks() {
        let found = source.find(&chunk_path(digest))?.ok_or_else(|| ContentError::no_chunk(digest))?;
        if let Some(actual) = found.size.filter(|actual| *actual != u64::from(*size)) {
            return Err(ContentError::BadChunkSize { chunk: *digest, expected: u64::from(*size), actual });
        }
    }
    Ok(Found::There(list.size()))
}

/// Hashes what `bytes` brings, which may be at most `most`.
fn feed(
    hasher: &mut Hasher<of::Bytes>,
    bytes: impl Read,
    most: u64,
    source: &dyn Source,
    path: &str,
    observer: &dyn Observer<AuditStep>,
) -> Result<u64, ContentError> {
    let what = || format!("{}/{path}", source.describe());
    let told = tell_of_bytes(observer);
    let size = std::io::copy(&mut Watched::new(bytes, &told).take(most.saturating_add(1)), hasher)
        .map_err(|error| SourceError::from_io(what(), &error))?;
    if size > most {
        return Err(SourceError::TooLarge { what: what(), limit: most }.into());
    }
    Ok(size)
}

/// Whether it is not known how things stand, since nobody could be asked.
fn no_answer(error: &ContentError) -> bool {
    match error {
        ContentError::Source(SourceError::TooLarge { .. }) => false,
        ContentError::Source(_) | ContentError::Io(_) => true,
        ContentError::BadPack { reason, .. } => matches!(reason, TreeError::PackRead { .. }),
        _ => false,
    }
}
