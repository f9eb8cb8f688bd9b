//! The files of a release, read out of its pack to be looked at: bounded, and believed only when all of a file was read and has the
//! digest that the tree says.
//!
//! A pack is read from its beginning. How far it is read to show something is bounded, and so is what of a file is kept.

use std::collections::BTreeMap;

use weir_log::Source;
use weir_model::Release;
use weir_tree::{Entry, Limits, Mode, TreeError, TreeManifest};

use super::{PackOfRelease, open_files};

/// So many unpacked bytes of a pack are read to show something.
const FAR: u64 = 64 << 20;

/// The most files of a release that are listed.
const MOST_FILES: u64 = 50_000;

/// The largest manifest of a tree that is read to be shown, in bytes.
const MOST_MANIFEST: u64 = 16 << 20;

/// Files that say what a package is, the likeliest first.
const READMES: [&str; 5] = ["readme.md", "readme.markdown", "readme", "readme.txt", "readme.rst"];

/// The files of a release, and what it says of itself.
pub struct ShownTree {
    /// Its files.
    pub manifest: TreeManifest,
    /// The path of the file that says what it is, and the beginning of its text.
    pub readme: Option<(String, String)>,
}

/// A file, or the beginning of one.
pub struct ShownFile {
    /// All of its bytes.
    pub size: u64,
    /// The first of them; nothing where it lies too far inside the pack.
    pub bytes: Option<Vec<u8>>,
}

/// What a release consists of, with at most `most` bytes of its README; `None` where the registry does not hold its pack. Whether readers
/// may have it is for the caller to know.
///
/// # Errors
///
/// When the pack cannot be read, or is not what its name says.
pub fn shown_tree(
    source: &dyn Source,
    release: &Release,
    most: usize,
) -> Result<Option<ShownTree>, TreeError> {
    let Some(mut files) = open(source, release)? else { return Ok(None) };
    let manifest = files.manifest().clone();
    let readme = match readme(&manifest) {
        Some(entry) => text(&mut files, &entry, most)?,
        None => None,
    };
    Ok(Some(ShownTree { manifest, readme }))
}

/// A file of a release and at most `most` bytes of it; `None` where there is none.
///
/// # Errors
///
/// When the pack cannot be read, or is not what its name says.
pub fn shown_file(
    source: &dyn Source,
    release: &Release,
    path: &str,
    most: usize,
) -> Result<Option<ShownFile>, TreeError> {
    let Some(mut files) = open(source, release)? else { return Ok(None) };
    let Some(entry) = files.manifest().entry(path).filter(|entry| entry.mode != Mode::Link).cloned() else {
        return Ok(None);
    };
    let bytes = beginning(&mut files, &entry, most)?;
    Ok(Some(ShownFile { size: entry.size, bytes }))
}

/// The texts of files of a release, by path: of those that are there, are text, and have at most `most` bytes.
///
/// # Errors
///
/// When the pack cannot be read, or is not what its name says.
pub fn shown_texts(
    source: &dyn Source,
    release: &Release,
    mut paths: Vec<&str>,
    most: usize,
) -> Result<BTreeMap<String, String>, TreeError> {
    let Some(mut files) = open(source, release)? else { return Ok(BTreeMap::new()) };
    // In the order in which they stand in the pack.
    paths.sort_unstable();
    let mut texts = BTreeMap::new();
    for path in paths {
        let entry = files.manifest().entry(path).filter(|entry| entry.mode != Mode::Link).cloned();
        let Some(entry) = entry.filter(|entry| entry.size <= most as u64) else { continue };
        let text = beginning(&mut files, &entry, most)?.and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(text) = text.filter(|text| !text.contains('\0')) {
            texts.insert(path.to_owned(), text);
        }
    }
    Ok(texts)
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

fn text(
    files: &mut PackOfRelease,
    entry: &Entry,
    most: usize,
) -> Result<Option<(String, String)>, TreeError> {
    // A few bytes more than are shown tell that there is more.
    let bytes = beginning(files, entry, most + 4)?;
    let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(text.filter(|text| !text.trim().is_empty()).map(|text| (entry.path.to_string(), text)))
}
