//! What is handed out of a release: files of its tree, and an archive of them.
//!
//! The archive is a function of the tree and of nothing else: the same bytes on every machine, at any time, so its SHA-1 needs no place
//! to be kept. It is not compressed, for what compresses changes from version to version.

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use serde::Serialize;
use sha1::{Digest as _, Sha1};
use weir_fs::Folder;
use weir_index::{Index, ReleaseView};
use weir_log::Source;
use weir_model::{PackageName, ReleaseId, Version};
use weir_registry::content::{PackOfRelease, open_files};
use weir_tree::{Limits, Mode, TreeManifest};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::asked::ReleaseFile;
use crate::error::ProtocolError;
use crate::listing::taken;

/// The most bytes of a file, and of all that goes into an archive: Elm packages are sources.
const MOST: u64 = 64 << 20;

/// The most files of a package.
const MOST_FILES: u64 = 20_000;

/// What an Elm package without documentation has in its place: tools fail where there is nothing.
pub const NO_DOCS: &[u8] = b"[]";

/// The release of a package that Elm is shown, if it may be used.
///
/// # Errors
///
/// When the view cannot be read.
pub fn find(
    index: &Index,
    name: &PackageName,
    version: &Version,
) -> Result<Option<ReleaseView>, ProtocolError> {
    let releases = index.releases_of_version(name, version)?;
    Ok(releases.into_iter().find(|view| view.standing().is_usable() && taken(&view.release).is_some()))
}

/// The bytes of a file of a release; `None` where the registry does not hold its pack. `ReleaseFile::Endpoint` is none of these.
///
/// # Errors
///
/// When the pack cannot be read or is damaged.
pub fn read(
    source: &dyn Source,
    view: &ReleaseView,
    file: ReleaseFile,
) -> Result<Option<Vec<u8>>, ProtocolError> {
    let Some(mut files) = open(source, view)? else { return Ok(None) };
    if file == ReleaseFile::Archive {
        return archive(&mut files, &view.release.id).map(Some);
    }
    let missing: &[u8] = if file == ReleaseFile::Docs { NO_DOCS } else { b"" };
    Ok(Some(content(&mut files, file.file_name())?.unwrap_or_else(|| missing.to_vec())))
}

/// The answer to `endpoint.json`: where the archive is, and what it must be.
pub fn endpoint(url: &str, archive: &[u8]) -> String {
    #[derive(Serialize)]
    struct Endpoint<'a> {
        url: &'a str,
        hash: String,
    }
    let hash = Sha1::digest(archive).iter().map(|byte| format!("{byte:02x}")).collect();
    serde_json::to_string(&Endpoint { url, hash }).expect("two texts are JSON")
}

fn open(source: &dyn Source, view: &ReleaseView) -> Result<Option<PackOfRelease>, ProtocolError> {
    let limits = Limits { files: MOST_FILES, manifest_bytes: MOST, ..Limits::default() };
    Ok(open_files(source, &view.release, &limits)?)
}

/// A file of the tree; `None` where there is none of the name.
fn content(files: &mut PackOfRelease, path: &str) -> Result<Option<Vec<u8>>, ProtocolError> {
    let size = files.manifest().entry(path).map_or(0, |entry| entry.size);
    if size > MOST {
        return Err(ProtocolError::TooLarge(MOST));
    }
    let mut bytes = Vec::new();
    let found = files.content(path, |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(found.then_some(bytes))
}

fn archive(files: &mut PackOfRelease, id: &ReleaseId) -> Result<Vec<u8>, ProtocolError> {
    let tree = files.manifest().clone();
    zipped(&tree, &id.name, &id.version, |path| Ok(content(files, path)?.unwrap_or_default()))
}

/// The archive of a folder in which `tree` is.
///
/// # Errors
///
/// When a file cannot be read.
pub fn archive_of(
    folder: &Path,
    tree: &TreeManifest,
    name: &PackageName,
    version: &Version,
) -> Result<Vec<u8>, ProtocolError> {
    let folder = Folder::open(folder).map_err(std::io::Error::from)?;
    zipped(tree, name, version, |path| {
        let mut bytes = Vec::new();
        let file = folder.open_file(path).map_err(std::io::Error::from)?;
        file.take(MOST + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

/// The archive that the compiler unpacks: one folder, in it `elm.json`, `LICENSE`, `README.md` and `src`, each folder before what is
/// in it. A link has no place in it.
fn zipped(
    tree: &TreeManifest,
    name: &PackageName,
    version: &Version,
    mut content: impl FnMut(&str) -> Result<Vec<u8>, ProtocolError>,
) -> Result<Vec<u8>, ProtocolError> {
    let entries = tree.entries().iter().filter(|entry| entry.mode != Mode::Link);
    let wanted = entries.filter(|entry| is_of_archive(entry.path.as_str()));
    let wanted: Vec<(String, u64)> = wanted.map(|entry| (entry.path.to_string(), entry.size)).collect();
    if wanted.iter().map(|(_, size)| *size).fold(0, u64::saturating_add) > MOST {
        return Err(ProtocolError::TooLarge(MOST));
    }
    let top = format!("{}-{}-{version}", name.owner(), name.name());
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut made = BTreeSet::new();
    zip.add_directory(format!("{top}/"), options.unix_permissions(0o755))?;
    for (path, _) in wanted {
        for (at, _) in path.match_indices('/') {
            if made.insert(path[..at].to_owned()) {
                zip.add_directory(format!("{top}/{}/", &path[..at]), options.unix_permissions(0o755))?;
            }
        }
        zip.start_file(format!("{top}/{path}"), options)?;
        zip.write_all(&content(&path)?)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// What the compiler unpacks of an archive: three files and a folder, below its top.
pub(crate) const UNPACKED: [&str; 4] = [weir_elm::FILE_NAME, "LICENSE", "README.md", "src"];

/// Whether a path of a tree is among what the compiler unpacks.
fn is_of_archive(path: &str) -> bool {
    match path.split_once('/') {
        Some((top, _)) => top == "src",
        None => path != "src" && UNPACKED.contains(&path),
    }
}
