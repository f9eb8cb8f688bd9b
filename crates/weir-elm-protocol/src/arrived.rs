//! A package that came as a zip archive: unpacked as anybody's archive, read and drafted, uploaded, and registered for whoever acts.
//!
//! From reading on it goes the way of every other release, secrets included: what `weir publish` refuses, this refuses.

use std::collections::BTreeMap;
use std::io::{Cursor, Seek as _};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use weir_fs::{Access, Durability, Folder};
use weir_model::{KindName, PackageName, Version};
use weir_package::{ARCHIVE_FACT, Package, likely_secrets};
use weir_registry::{Acting, Batch, Intent, Receipt, Registry as _, SubmitError};
use weir_tree::{
    ImportOptions, Limits, QUICK_PACK_LEVEL, Selection, Strip, import_archive_from, read_folder, write_pack,
};

use crate::asked::ReleaseFile;
use crate::files::UNPACKED;

/// The largest archive that is unpacked, in bytes.
pub const LARGEST_ARCHIVE: usize = 96 << 20;

/// What may come out of an archive.
const LIMITS: ImportOptions = ImportOptions {
    limits: Limits {
        pack_bytes: LARGEST_ARCHIVE as u64,
        unpacked_bytes: 256 << 20,
        files: 20_000,
        manifest_bytes: 16 << 20,
        link_bytes: 1 << 20,
    },
    strip: Strip::SingleFolder,
    ratio: 250,
    only: None,
};

/// Why what came makes no release.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// It is not what it must be: whose word it is, is told.
    #[error("{0}")]
    Unusable(String),
    /// The system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Which files of an archive are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All: whoever sent it made it to be published.
    All,
    /// What the compiler unpacks: it is the archive of a whole repository.
    OfPackage,
}

/// A package that came, on this machine until it is dropped.
#[derive(Debug)]
pub struct Arrived {
    folder: TempDir,
    /// What it is.
    pub package: Package,
}

impl Arrived {
    /// Unpacks an archive, puts `beside` into its folder what came beside it, and reads the package.
    ///
    /// # Errors
    ///
    /// When it is hostile or no archive, no package, or holds what is probably a secret.
    pub fn unpack(archive: &[u8], keep: Keep, beside: &[(ReleaseFile, &[u8])]) -> Result<Self, NotTaken> {
        let folder = tempfile::tempdir()?;
        let files = files_of(&folder);
        let name = ReleaseFile::Archive.file_name();
        let only = (keep == Keep::OfPackage).then_some(&UNPACKED[..]);
        import_archive_from(Cursor::new(archive), name, &files, &ImportOptions { only, ..LIMITS })
            .map_err(|error| NotTaken::Unusable(format!("`{name}` is not taken: {error}")))?;
        let root = Folder::open(&files).map_err(std::io::Error::from)?;
        let said =
            root.find(weir_elm::FILE_NAME, weir_elm::MAX_BYTES as u64).map_err(std::io::Error::from)?;
        if said.is_none() {
            return Err(NotTaken::Unusable(format!(
                "`{name}` has no `{}` in the one folder that an archive of a package consists of",
                weir_elm::FILE_NAME
            )));
        }
        for (file, bytes) in beside {
            // What its author put among the sources is what the author wants to be read.
            let is_there = root.look(file.file_name()).map_err(std::io::Error::from)?.is_some();
            if *file == ReleaseFile::Readme && is_there {
                continue;
            }
            root.replace(file.file_name(), bytes, Access::Usual, Durability::Quick)
                .map_err(std::io::Error::from)?;
        }
        let package = read(&files)?;
        Ok(Self { folder, package })
    }

    /// Whether it is the release that it is said to be.
    ///
    /// # Errors
    ///
    /// When it is another one.
    pub fn must_be(&self, name: &PackageName, version: &Version) -> Result<(), NotTaken> {
        let id = &self.package.id;
        if self.package.manifest.package.kind != KindName::Elm {
            let kind = self.package.manifest.package.kind;
            return Err(NotTaken::Unusable(format!(
                "a `weir.toml` in it says that it is of the kind `{kind}`"
            )));
        }
        match id.name == *name && id.version == *version {
            true => Ok(()),
            false => Err(NotTaken::Unusable(format!(
                "it was announced as `{name} {version}`, and its `elm.json` says `{id}`"
            ))),
        }
    }

    /// The text of its `elm.json`.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn manifest(&self) -> Result<String, std::io::Error> {
        let files = files_of(&self.folder);
        weir_fs::read_text(files.join(weir_elm::FILE_NAME), weir_elm::MAX_BYTES as u64)
            .map_err(std::io::Error::from)
    }

    /// Says where the archive was taken from.
    pub fn taken_from(&mut self, archive: BTreeMap<&str, String>) {
        let fields = archive.into_iter().map(|(field, text)| (field.to_owned(), Value::String(text)));
        self.package.facts.insert(ARCHIVE_FACT.into(), Value::Object(fields.collect()));
    }

    /// Uploads it, and has the registry offer it.
    ///
    /// # Errors
    ///
    /// When the registry refuses, or something cannot be read or written.
    pub fn submit(&self, into: &Acting) -> Result<Receipt, SubmitError> {
        let package = &self.package;
        let tree = package.tree.digest();
        let size = match into.pack_size(&tree)? {
            Some(size) => size,
            None => {
                let mut pack = tempfile::tempfile()?;
                write_pack(&files_of(&self.folder), &package.tree, &mut pack, QUICK_PACK_LEVEL)
                    .map_err(std::io::Error::other)?;
                pack.rewind()?;
                into.put_pack(&tree, &mut pack)?
            }
        };
        let intent = Intent::Publish(Box::new(package.draft(size)));
        into.submit(&Batch { intents: vec![intent] })
    }
}

/// Where its files are.
fn files_of(folder: &TempDir) -> PathBuf {
    folder.path().join("files")
}

fn read(folder: &Path) -> Result<Package, NotTaken> {
    // What is told has no paths of this machine.
    let place = format!("{}/", folder.display());
    let unusable = |error: &dyn std::error::Error| NotTaken::Unusable(error.to_string().replace(&place, ""));
    let tree = read_folder(folder, &Selection::everything()).map_err(|error| unusable(&error))?;
    let secrets = likely_secrets(folder, &tree)?;
    if let Some((path, why)) = secrets.first() {
        return Err(NotTaken::Unusable(format!(
            "`{path}` is probably a secret, which a release would show for ever: {why}"
        )));
    }
    let files = Folder::open(folder).map_err(std::io::Error::from)?;
    Package::read(&files, tree).map_err(|error| unusable(&error))
}
