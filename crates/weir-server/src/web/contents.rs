//! The files of releases, read out of their packs for pages: bounded, and what is small kept by the digest of its tree.
//!
//! A pack is read from its beginning. How far a page may read is bounded, and so is what of a file is kept; a file is believed
//! only when all of it was read, and has the digest that the tree says.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use weir_index::ReleaseView;
use weir_log::Source;
use weir_model::{Release, TreeDigest};
use weir_registry::content::{PackOfRelease, open_files};
use weir_tree::{Entry, Limits, Mode, TreeError, TreeManifest};
use weir_web::MAX_README;

use crate::registries::RegistryName;

/// So many unpacked bytes of a pack are read for a page.
const FAR: u64 = 64 << 20;

/// The most files of a release whose pages list them.
const MOST_FILES: u64 = 50_000;

/// The largest manifest of a tree that is read for a page, in bytes.
const MOST_MANIFEST: u64 = 16 << 20;

/// Bytes of memory for what is kept.
const MEMORY: u64 = 32 << 20;

/// Bytes that an entry of a tree costs besides its path.
const ENTRY: usize = 80;

/// Files that say what a package is, the likeliest first.
const READMES: [&str; 5] = ["readme.md", "readme.markdown", "readme", "readme.txt", "readme.rst"];

/// What is kept of trees.
pub(crate) struct Contents {
    trees: Cache<(RegistryName, TreeDigest), Arc<Tree>, ByBytes>,
}

/// The files of a release, and what it says of itself.
pub(crate) struct Tree {
    pub(crate) manifest: TreeManifest,
    pub(crate) readme: Option<(String, String)>,
}

/// A file, or the beginning of one.
pub(crate) struct File {
    pub(crate) size: u64,
    /// Its first bytes; nothing where it lies too far inside the pack.
    pub(crate) bytes: Option<Vec<u8>>,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<(RegistryName, TreeDigest), Arc<Tree>> for ByBytes {
    fn weight(&self, _: &(RegistryName, TreeDigest), tree: &Arc<Tree>) -> u64 {
        let entries: usize =
            tree.manifest.entries().iter().map(|entry| entry.path.as_str().len() + ENTRY).sum();
        (entries + tree.readme.as_ref().map_or(0, |(_, text)| text.len()) + 256) as u64
    }
}

impl Contents {
    pub(crate) fn new() -> Self {
        Self { trees: Cache::with_weighter(1024, MEMORY, ByBytes) }
    }

    /// The files of a release, if readers may have it and its pack is there. Waits for the disk.
    pub(crate) fn tree(
        &self,
        registry: &RegistryName,
        source: &dyn Source,
        view: &ReleaseView,
    ) -> Result<Option<Arc<Tree>>, TreeError> {
        if !view.standing().is_usable() {
            return Ok(None);
        }
        let key = (registry.clone(), view.release.tree);
        if let Some(tree) = self.trees.get(&key) {
            return Ok(Some(tree));
        }
        let Some(mut files) = open(source, &view.release)? else { return Ok(None) };
        let manifest = files.manifest().clone();
        let readme = match readme(&manifest) {
            Some(entry) => text(&mut files, &entry)?,
            None => None,
        };
        let tree = Arc::new(Tree { manifest, readme });
        self.trees.insert(key, tree.clone());
        Ok(Some(tree))
    }
}

/// A file of a release and at most `most` bytes of it; `None` where there is none, or readers may not have it.
pub(crate) fn file(
    source: &dyn Source,
    view: &ReleaseView,
    path: &str,
    most: usize,
) -> Result<Option<File>, TreeError> {
    if !view.standing().is_usable() {
        return Ok(None);
    }
    let Some(mut files) = open(source, &view.release)? else { return Ok(None) };
    let Some(entry) = files.manifest().entry(path).filter(|entry| entry.mode != Mode::Link).cloned() else {
        return Ok(None);
    };
    let bytes = beginning(&mut files, &entry, most)?;
    Ok(Some(File { size: entry.size, bytes }))
}

fn open(source: &dyn Source, release: &Release) -> Result<Option<PackOfRelease>, TreeError> {
    let limits = Limits { manifest_bytes: MOST_MANIFEST, files: MOST_FILES, ..Limits::default() };
    open_files(source, release, &limits)
}

/// The first bytes of a file that all of which were checked; nothing where reading that far would cost too much.
fn beginning(files: &mut PackOfRelease, entry: &Entry, most: usize) -> Result<Option<Vec<u8>>, TreeError> {
    let before = files.manifest().entries().iter().take_while(|other| other.path != entry.path);
    let end = before.map(|other| other.size).fold(entry.size, u64::saturating_add);
    if end > FAR {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    files.content(entry.path.as_str(), |piece| {
        let room = most.saturating_sub(bytes.len()).min(piece.len());
        bytes.extend_from_slice(&piece[..room]);
        Ok(())
    })?;
    Ok(Some(bytes))
}

/// The file that says what a package is.
fn readme(manifest: &TreeManifest) -> Option<Entry> {
    let rank = |entry: &Entry| {
        let name = entry.path.as_str().to_ascii_lowercase();
        READMES.iter().position(|readme| name == *readme).filter(|_| entry.mode != Mode::Link)
    };
    manifest
        .entries()
        .iter()
        .filter_map(|entry| Some((rank(entry)?, entry)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, entry)| entry.clone())
}

fn text(files: &mut PackOfRelease, entry: &Entry) -> Result<Option<(String, String)>, TreeError> {
    // One byte more than is shown tells that there is more.
    let bytes = beginning(files, entry, MAX_README + 4)?;
    let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(text.filter(|text| !text.trim().is_empty()).map(|text| (entry.path.to_string(), text)))
}
