//! Where the members of an archive go: checked, counted, written, and at the end made into a tree.

use std::collections::hash_map::Entry as Slot;
use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use weir_model::{Digest, EntryDigest, Hasher};

use super::{ImportError, ImportNote, ImportOptions, Strip, Trick};
use crate::landing::{Access, Landing};
use crate::link::LinkTarget;
use crate::manifest::{Entry, Mode, TreeManifest};
use crate::path::is_repository;
use crate::{Limits, LinkError, MAX_PATH_BYTES, PathError, TreeError, TreePath};

/// What may come out of any archive, however small.
const FREE_BYTES: u64 = 64 << 20;

/// The folder that files are kept in until it is known whether they share a folder that is to be stripped. No
/// file of a tree can have this name, as it ends with a dot.
const HOLDING: &str = "weir-import.";

/// What an archive says about a file.
pub(super) struct Member<'m> {
    pub(super) path: &'m [u8],
    /// Its Unix mode.
    pub(super) bits: u32,
    pub(super) size: u64,
}

/// The folder that an archive is read into.
pub(super) struct Sink<'a> {
    destination: &'a Path,
    holding: PathBuf,
    landing: Landing,
    strip: Strip,
    only: Option<&'static [&'static str]>,
    limits: Limits,
    files: HashMap<TreePath, Entry>,
    links: HashMap<TreePath, Vec<u8>>,
    notes: Vec<ImportNote>,
    /// The folders of repositories that were left out.
    repositories: HashSet<String>,
    members: u64,
    spent: u64,
    allowed: u64,
    /// Bytes of the names that are remembered to the end: of files and links, and in notes.
    names: u64,
    /// Bytes of links' targets, likewise.
    targets: u64,
    buffer: Box<[u8]>,
}

/// Where a member goes.
enum Place {
    At(TreePath),
    /// Nothing is left of its path.
    StrippedAway,
    /// It is in a repository that is left out, as the notes tell.
    LeftOut,
}

/// What a finished import is.
pub(super) struct Finished {
    pub(super) manifest: TreeManifest,
    pub(super) stripped: Option<String>,
    pub(super) notes: Vec<ImportNote>,
}

impl<'a> Sink<'a> {
    pub(super) fn create(
        destination: &'a Path,
        archive_bytes: u64,
        options: &ImportOptions,
    ) -> Result<Self, ImportError> {
        drop(Landing::create(destination, Access::Writable)?);
        let holding = destination.join(HOLDING);
        let landing = Landing::create(&holding, Access::Writable)?;
        let by_ratio = archive_bytes.saturating_mul(options.ratio).max(FREE_BYTES);
        Ok(Self {
            destination,
            holding,
            landing,
            strip: options.strip,
            only: options.only,
            limits: options.limits,
            files: HashMap::new(),
            links: HashMap::new(),
            notes: Vec::new(),
            repositories: HashSet::new(),
            members: 0,
            spent: 0,
            allowed: by_ratio.min(options.limits.unpacked_bytes),
            names: 0,
            targets: 0,
            buffer: vec![0; 128 << 10].into(),
        })
    }

    /// Counts a member, of whatever sort, and the bytes that it says it has, before any is read.
    pub(super) fn spend(&mut self, bytes: u64) -> Result<(), ImportError> {
        self.members += 1;
        // Folders and extended headers are members too, so some more than there may be files.
        bounded("members", self.members, self.limits.files.saturating_mul(3))?;
        self.spent = self.spent.saturating_add(bytes);
        bounded("bytes of files, for an archive of its size", self.spent, self.allowed)
    }

    pub(super) fn note(&mut self, note: ImportNote) {
        self.notes.push(note);
    }

    /// A folder: only its name matters, as a tree has no empty folders.
    pub(super) fn folder(&mut self, path: &[u8]) -> Result<(), ImportError> {
        self.place(path).map(drop)
    }

    /// A symbolic link, which is made when everything is known.
    pub(super) fn link(&mut self, path: &[u8], target: &[u8]) -> Result<(), ImportError> {
        let Some(place) = self.place_of_file(path)? else { return Ok(()) };
        let refused = |trick| Err(ImportError::refused(path, trick));
        if self.files.contains_key(&place) {
            return refused(Trick::Twice);
        }
        let bytes = target.len() as u64;
        if target.len() > MAX_PATH_BYTES {
            return refused(Trick::Link(LinkError::Length { bytes }));
        }
        match self.links.entry(place) {
            Slot::Occupied(slot) if slot.get() != target => refused(Trick::Twice),
            Slot::Occupied(slot) => {
                self.notes.push(ImportNote::Repeated { path: slot.key().to_string() });
                Ok(())
            }
            Slot::Vacant(slot) => {
                slot.insert(target.to_owned());
                self.targets += bytes;
                bounded("bytes of link targets", self.targets, self.limits.link_bytes)?;
                self.check_count()
            }
        }
    }

    /// A hard link, which becomes a copy of an earlier file.
    pub(super) fn hard_link(&mut self, path: &[u8], target: &[u8]) -> Result<(), ImportError> {
        let unknown = || Trick::HardLink { target: String::from_utf8_lossy(target).into_owned() };
        let source = match self.place(target)? {
            Place::At(source) if self.files.contains_key(&source) => source,
            _ => return Err(ImportError::refused(path, unknown())),
        };
        let (size, mode) = self.files.get(&source).map_or((0, Mode::File), |entry| (entry.size, entry.mode));
        self.spend(size)?;
        let bits = if mode == Mode::Executable { 0o755 } else { 0o644 };
        let mut content = self.landing.read_back(&source)?;
        self.file(&Member { path, bits, size }, &mut content)?;
        let (path, target) = (String::from_utf8_lossy(path).into_owned(), source.to_string());
        self.notes.push(ImportNote::HardLink { path, target });
        Ok(())
    }

    /// A file, whose content must end exactly where it says.
    pub(super) fn file(&mut self, member: &Member<'_>, content: &mut dyn Read) -> Result<(), ImportError> {
        let Some(place) = self.place_of_file(member.path)? else { return Ok(()) };
        if member.bits & 0o6000 != 0 {
            self.notes.push(ImportNote::SetId { path: place.to_string() });
        }
        let mode = if member.bits & 0o100 == 0 { Mode::File } else { Mode::Executable };
        let refused = |trick| ImportError::refused(member.path, trick);
        if self.links.contains_key(&place) {
            return Err(refused(Trick::Twice));
        }
        if let Some(earlier) = self.files.get(&place) {
            let again = copy(member, content, &mut self.buffer, |_| Ok(()))?;
            if (again, member.size, mode) != (earlier.digest, earlier.size, earlier.mode) {
                return Err(refused(Trick::Twice));
            }
            self.notes.push(ImportNote::Repeated { path: place.to_string() });
            return Ok(());
        }
        let mut file = self.landing.file(&place, mode)?;
        let digest = copy(member, content, &mut self.buffer, |piece| file.write(piece))?;
        drop(file);
        self.files.insert(place.clone(), Entry { mode, size: member.size, digest, path: place });
        self.check_count()
    }

    fn check_count(&self) -> Result<(), ImportError> {
        bounded("files", (self.files.len() + self.links.len()) as u64, self.limits.files)
    }

    /// Strips, checks the whole as a tree, moves everything to its place, and makes the links.
    pub(super) fn finish(self) -> Result<Finished, ImportError> {
        let stripped = if self.strip == Strip::SingleFolder { self.single_folder() } else { None };
        let mut entries = Vec::with_capacity(self.files.len() + self.links.len());
        for (path, entry) in self.files {
            let path = without(path, stripped.as_deref())?;
            entries.push(Entry { path, ..entry });
        }
        let mut links = Vec::with_capacity(self.links.len());
        for (path, target) in self.links {
            let path = without(path, stripped.as_deref())?;
            let refused = |reason| ImportError::refused(path.as_str(), Trick::Link(reason));
            let checked = LinkTarget::new(&path, &target).map_err(refused)?;
            let digest = Digest::of(&target);
            entries.push(Entry { mode: Mode::Link, size: target.len() as u64, digest, path: path.clone() });
            links.push((path, checked));
        }
        let manifest = TreeManifest::from_unsorted(entries).map_err(ImportError::NotATree)?;
        move_up(&self.holding, stripped.as_deref(), self.destination)?;
        links.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let mut landing = self.landing.elsewhere(self.destination)?;
        for (path, target) in &links {
            landing.link(path, target)?;
        }
        Ok(Finished { manifest, stripped, notes: self.notes })
    }

    /// Where a member goes. A `./` in front and a `/` behind mean nothing.
    fn place(&mut self, path: &[u8]) -> Result<Place, ImportError> {
        self.names += path.len() as u64;
        bounded("bytes of names", self.names, self.limits.manifest_bytes)?;
        if !self.is_taken(path) {
            return Ok(Place::LeftOut);
        }
        let refused = |error| ImportError::refused(path, Trick::Path(error));
        let text = str::from_utf8(path).map_err(|_| refused(PathError::not_utf8(path)))?;
        let mut text = text.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(text);
        while let Some(rest) = text.strip_prefix("./") {
            text = rest;
        }
        if text == "." {
            return Ok(Place::StrippedAway);
        }
        if let Some(repository) = repository(text) {
            if self.repositories.insert(repository.to_owned()) {
                self.notes.push(ImportNote::Repository { path: repository.to_owned() });
            }
            return Ok(Place::LeftOut);
        }
        let whole = TreePath::new(text).map_err(refused)?;
        let Strip::Parts(parts) = self.strip else { return Ok(Place::At(whole)) };
        match text.splitn(parts.saturating_add(1), '/').nth(parts) {
            Some(rest) => TreePath::new(rest).map(Place::At).map_err(refused),
            None => Ok(Place::StrippedAway),
        }
    }

    /// Whether a member is among what is taken.
    fn is_taken(&self, mut path: &[u8]) -> bool {
        let Some(only) = self.only else { return true };
        while let Some(rest) = path.strip_prefix(b"./") {
            path = rest;
        }
        let below = path.split(|byte| *byte == b'/').nth(1).unwrap_or_default();
        only.iter().any(|name| name.as_bytes() == below)
    }

    /// As [`Sink::place`], and tells of a file that is left out.
    fn place_of_file(&mut self, path: &[u8]) -> Result<Option<TreePath>, ImportError> {
        Ok(match self.place(path)? {
            Place::At(place) => Some(place),
            Place::StrippedAway => {
                let path = String::from_utf8_lossy(path).into_owned();
                self.notes.push(ImportNote::StrippedAway { path });
                None
            }
            Place::LeftOut => None,
        })
    }

    /// The folder that everything is in, if there is one.
    fn single_folder(&self) -> Option<String> {
        let mut tops = self.files.keys().chain(self.links.keys()).map(|path| path.as_str().split_once('/'));
        let (top, _) = tops.next()??;
        tops.all(|other| other.is_some_and(|(other, _)| other == top)).then(|| top.to_owned())
    }
}

/// The folder of the outermost repository that `path` is or is in.
fn repository(path: &str) -> Option<&str> {
    let mut start = 0;
    for part in path.split('/') {
        let end = start + part.len();
        if is_repository(part) {
            return Some(&path[..end]);
        }
        start = end + 1;
    }
    None
}

fn bounded(what: &'static str, got: u64, limit: u64) -> Result<(), ImportError> {
    if got > limit { Err(ImportError::TooLarge { what, got, limit }) } else { Ok(()) }
}

/// Passes the content of `member` on, and gives its digest.
fn copy(
    member: &Member<'_>,
    content: &mut dyn Read,
    buffer: &mut [u8],
    mut take: impl FnMut(&[u8]) -> Result<(), TreeError>,
) -> Result<EntryDigest, ImportError> {
    let mut hasher = Hasher::new();
    let mut got = 0_u64;
    loop {
        // The end is always read too: that is where a zip's checksum is compared.
        let read = match content.read(buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(ImportError::damaged(error)),
        };
        got += read as u64;
        if got > member.size {
            return Err(ImportError::refused(
                member.path,
                Trick::SizesDisagree { one: member.size, other: got },
            ));
        }
        hasher.update(&buffer[..read]);
        take(&buffer[..read])?;
    }
    if got < member.size {
        return Err(ImportError::refused(member.path, Trick::Truncated { size: member.size, got }));
    }
    Ok(hasher.finish())
}

fn without(path: TreePath, folder: Option<&str>) -> Result<TreePath, ImportError> {
    let Some(folder) = folder else { return Ok(path) };
    let rest =
        path.as_str().strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path.as_str());
    TreePath::new(rest).map_err(|error| ImportError::refused(path.as_str(), Trick::Path(error)))
}

/// Moves what is in `holding`, or in its one folder, up into `destination`.
fn move_up(holding: &Path, folder: Option<&str>, destination: &Path) -> Result<(), ImportError> {
    let from = folder.map_or_else(|| holding.to_owned(), |folder| holding.join(folder));
    let failed = |source| TreeError::io(destination, source);
    // An archive of links alone has made no folder yet.
    if from.is_dir() {
        for item in fs_err::read_dir(&from).map_err(failed)? {
            let item = item.map_err(failed)?;
            fs_err::rename(item.path(), destination.join(item.file_name())).map_err(failed)?;
        }
    }
    fs_err::remove_dir_all(holding).map_err(failed)?;
    Ok(())
}
