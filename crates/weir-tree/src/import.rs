//! Bringing other people's archives into a folder.
//!
//! An archive is a program for whoever unpacks it, and two readers often disagree about what it says. So this one reads
//! strictly: what is ambiguous, leads out of the folder, or cannot be in a tree is refused with its reason; what can be made
//! harmless without changing any file's content (set-user-id bits, hard links, extended attributes) is, and is told in the report.
//! Links are made after all files, so nothing is ever written through one.

mod error;
mod format;
mod sink;
mod tar;
mod zip;

use std::io::{Read, Seek};
use std::path::Path;

pub use error::{ImportError, Trick};
pub use format::ArchiveFormat;

use crate::Limits;
use crate::manifest::TreeManifest;
use sink::Sink;

/// How an archive is to be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportOptions {
    /// What to take away from the front of every path.
    pub strip: Strip,
    /// Bounds on the archive and on what comes out of it.
    pub limits: Limits,
    /// How many times larger than the archive its files may be together; the first 64 MiB are free.
    pub ratio: u64,
    /// The names, in the one folder that everything is in, of what is taken; all where nothing is said. At the rest nothing is looked but how large
    /// it says it is: what is not taken may have any name.
    pub only: Option<&'static [&'static str]>,
}

/// What to take away from the front of every path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strip {
    /// Nothing.
    None,
    /// One folder, if everything is in it.
    #[default]
    SingleFolder,
    /// That many parts. Files with no more parts than that are left out, and told.
    Parts(usize),
}

/// What came of an import.
#[derive(Debug, Clone)]
pub struct ImportReport {
    /// What sort of archive it was.
    pub format: ArchiveFormat,
    /// What the folder holds now.
    pub manifest: TreeManifest,
    /// The single folder that was taken away from the front of every path.
    pub stripped: Option<String>,
    /// What was made harmless or left out.
    pub notes: Vec<ImportNote>,
}

/// Something that was made harmless or left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportNote {
    /// A file would have run as its owner; it is an ordinary file now.
    #[error("`{path}`: dropped its set-user-id or set-group-id bit")]
    SetId {
        /// The file.
        path: String,
    },
    /// A hard link is a copy now.
    #[error("`{path}`: a hard link, copied from `{target}`")]
    HardLink {
        /// The link.
        path: String,
        /// The file it was a link to.
        target: String,
    },
    /// Attributes such as capabilities were dropped.
    #[error("`{path}`: dropped its extended attributes")]
    Attributes {
        /// The file.
        path: String,
    },
    /// The same file, with the same content, came twice.
    #[error("`{path}`: in the archive twice, with the same content")]
    Repeated {
        /// The file.
        path: String,
    },
    /// The folder of a repository, whose settings may name programs to run.
    #[error("`{}`: left out with all that is in it, as it is the folder of a repository", .path.escape_debug())]
    Repository {
        /// The folder.
        path: String,
    },
    /// Nothing of the path is left after stripping.
    #[error("`{path}`: left out, as nothing is left of its path")]
    StrippedAway {
        /// The path.
        path: String,
    },
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { strip: Strip::default(), limits: Limits::default(), ratio: 250, only: None }
    }
}

/// Unpacks the archive at `path` into the new folder `destination`.
///
/// Knows `.tar`, alone or in gzip, xz, zstd or bzip2, and `.zip`; `.tgz`, `.crate` and `.whl` are such. What
/// the file begins with decides, its name only where that says nothing. Files get the modes 0644 or 0755.
///
/// # Errors
///
/// Names the member of the archive and the trick, or says what is damaged or too large. The folder is
/// removed again.
pub fn import_archive(
    path: &Path,
    destination: &Path,
    options: &ImportOptions,
) -> Result<ImportReport, ImportError> {
    let unreadable = |source| ImportError::Io { path: path.to_owned(), source };
    let file = fs_err::File::open(path).map_err(unreadable)?;
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    import_archive_from(file, &name, destination, options)
}

/// As [`import_archive`], from an archive that is open already; `name` is the name it came under.
///
/// # Errors
///
/// As [`import_archive`].
pub fn import_archive_from<R: Read + Seek>(
    mut archive: R,
    name: &str,
    destination: &Path,
    options: &ImportOptions,
) -> Result<ImportReport, ImportError> {
    let bytes = format::size(&mut archive, options.limits.pack_bytes)?;
    let format = format::detect(&mut archive, name)?;
    let mut sink = Sink::create(destination, bytes, options)?;
    let read = match format {
        ArchiveFormat::Zip => zip::read(archive, &mut sink),
        tar => format::decompressed(tar, archive).and_then(|stream| tar::read(stream, &mut sink)),
    };
    let finished = read.and_then(|()| sink.finish());
    match finished {
        Ok(finished) => Ok(ImportReport {
            format,
            manifest: finished.manifest,
            stripped: finished.stripped,
            notes: finished.notes,
        }),
        Err(error) => {
            // What was wrong matters more than whether the half-made folder could be removed.
            let _ = fs_err::remove_dir_all(destination);
            Err(error)
        }
    }
}
