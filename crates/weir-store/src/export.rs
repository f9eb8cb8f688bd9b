//! Everything a lockfile names, as one file that carries it to a machine without a network.
//!
//! ```text
//! weir-export v1
//! lock <hex> <bytes>         SHA-256 of the lockfile
//! <lockfile>
//! tree <hex> <bytes>          one for each tree the lockfile names, sorted
//! <pack>
//! file <hex> <bytes>          one for each file its references name, sorted
//! <content>
//! end
//! ```
//!
//! Numbers are lengths in bytes, of 20 digits. The lockfile is compared with its digest, as trees and files are with theirs. Lines end with one `\n`; contents follow their line with nothing between, and nothing follows `end`. The lockfile
//! says which trees and files there are and how long the files are, so a reader knows every line before it comes, but for
//! the length of the packs, which another version of zstd may make longer or shorter.

use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

use weir_fs::{Access, Draft, Durability, Folder};
use weir_model::{Hasher, Lockfile, Sha256, TreeDigest, of};
use weir_tree::{Handled, TreeError};

use crate::error::{AtPath as _, StoreError};
use crate::observe::{Event, Work};
use crate::session::Session;
use crate::store::Store;
use crate::uses::{files_of, trees_of};

pub(crate) const FIRST_LINE: &str = "weir-export v1";
pub(crate) const LAST_LINE: &str = "end";

/// An export is made once and carried; a little time buys a smaller file.
const LEVEL: i32 = 6;

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportReport {
    /// How many trees.
    pub trees: u64,
    /// How many referenced files.
    pub files: u64,
    /// The bytes of the export.
    pub bytes: u64,
}

/// What a lockfile names and the store does not have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Missing {
    /// The trees, sorted.
    pub trees: Vec<TreeDigest>,
    /// The files that references name, sorted.
    pub files: Vec<Sha256>,
}

impl Session {
    /// What `lock` names and the store does not have.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn missing(&self, lock: &Lockfile) -> Result<Missing, StoreError> {
        let mut missing = Missing::default();
        for tree in trees_of(lock) {
            if self.tree(&tree)?.is_none() {
                missing.trees.push(tree);
            }
        }
        for (file, _) in files_of(lock) {
            if self.file(&file)?.is_none() {
                missing.files.push(file);
            }
        }
        Ok(missing)
    }

    /// Writes everything that `lock` names into the new file `out`. It appears when it is complete.
    ///
    /// # Errors
    ///
    /// When something is missing (all of it is named, and nothing is written), damaged, or `out` cannot be
    /// written.
    pub fn export(&self, lock: &Lockfile, out: &Path) -> Result<ExportReport, StoreError> {
        let missing = self.missing(lock)?;
        if !missing.is_empty() {
            return Err(StoreError::Missing { missing });
        }
        let (folder, name) = (out.parent().unwrap_or(Path::new("")), out.file_name().unwrap_or_default());
        let folder = Folder::open(folder)?;
        // What exports that were killed may have left beside their place.
        folder.remove_abandoned_drafts()?;
        let mut draft = folder.draft(Access::Usual)?;
        let report = self.write_export(lock, &mut draft, out)?;
        draft.replace(name, Durability::Durable)?;
        Ok(report)
    }

    fn write_export(
        &self,
        lock: &Lockfile,
        file: &mut Draft,
        path: &Path,
    ) -> Result<ExportReport, StoreError> {
        let _quiet = self.quiet()?;
        let (trees, files) = (trees_of(lock), files_of(lock));
        let mut out = Out { path, file };
        let text = lock.to_text();
        let what = format!("lock {}", Sha256::of(&text).to_hex());
        out.write(format!("{FIRST_LINE}\n{}{text}", line(&what, text.len() as u64)))?;
        let unpacked = |tree| self.store().manifest(tree).map_or(0, |manifest| manifest.unpacked_size());
        let bytes = trees.iter().map(unpacked).chain(files.values().copied()).sum();
        let items = (trees.len() + files.len()) as u64;
        self.store().tell(Event::Began { work: Work::Exporting, items, bytes });
        for tree in &trees {
            self.export_tree(tree, &mut out)?;
        }
        for (file, bytes) in &files {
            self.export_file(file, *bytes, &mut out)?;
        }
        out.write(format!("{LAST_LINE}\n"))?;
        let bytes = out.file.stream_position().at(path)?;
        Ok(ExportReport { trees: trees.len() as u64, files: files.len() as u64, bytes })
    }

    /// A pack's length is known when it is made, so its line is written twice: numbers have a fixed width.
    fn export_tree(&self, digest: &TreeDigest, out: &mut Out<'_>) -> Result<(), StoreError> {
        let manifest = self.store().manifest(digest)?;
        let what = format!("tree {}", digest.to_hex());
        let start = out.file.stream_position().at(out.path)?;
        out.write(line(&what, 0))?;
        let folder = self.store().layout().tree(digest);
        let told = |handled: &Handled| self.store().tell(Event::Advanced { bytes: handled.bytes });
        let buffered = BufWriter::new(&mut out.file);
        let summary =
            weir_tree::write_pack_observed(&folder, &manifest, buffered, LEVEL, &told).map_err(|source| {
                match source {
                    TreeError::PackWrite { source } => StoreError::io(out.path, source),
                    source => StoreError::tree(digest, source),
                }
            })?;
        out.file.seek(SeekFrom::Start(start)).at(out.path)?;
        out.write(line(&what, summary.bytes))?;
        out.file.seek(SeekFrom::End(0)).at(out.path)?;
        Ok(())
    }

    /// The file is hashed on its way: an export that was written is whole.
    fn export_file(&self, digest: &Sha256, bytes: u64, out: &mut Out<'_>) -> Result<(), StoreError> {
        let source = self.store().layout().file(digest);
        out.write(line(&format!("file {}", digest.to_hex()), bytes))?;
        let mut hashed = Hashed { inner: &mut out.file, hasher: Hasher::new(), store: self.store() };
        let file = fs_err::File::open(&source).at(&source)?;
        io::copy(&mut file.take(bytes), &mut hashed).at(out.path)?;
        match hashed.hasher.finish() {
            got if got == *digest => Ok(()),
            got => Err(StoreError::WrongContent { expected: *digest, got }),
        }
    }
}

/// The line that begins an entry.
pub(crate) fn line(what: &str, bytes: u64) -> String {
    format!("{what} {bytes:020}\n")
}

/// An export being written.
struct Out<'p> {
    path: &'p Path,
    file: &'p mut Draft,
}

impl Out<'_> {
    fn write(&mut self, text: impl AsRef<[u8]>) -> Result<(), StoreError> {
        self.file.write_all(text.as_ref()).at(self.path)
    }
}

impl Missing {
    /// Whether everything is there.
    pub fn is_empty(&self) -> bool {
        self.trees.is_empty() && self.files.is_empty()
    }
}

/// Hashes what goes through, and tells of it.
struct Hashed<'s, W> {
    inner: W,
    hasher: Hasher<of::Bytes>,
    store: &'s Store,
}

impl<W: Write> Write for Hashed<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.store.tell(Event::Advanced { bytes: written as u64 });
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
