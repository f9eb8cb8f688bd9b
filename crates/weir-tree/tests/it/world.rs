//! Small trees on disk, and archives written byte by byte.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use weir_tree::{Expected, Limits, Selection, TreeError, TreeManifest, VerifiedTree};

/// What one path of a tree is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    File(Vec<u8>),
    Executable(Vec<u8>),
    Link(String),
}

pub(crate) type Files = BTreeMap<String, Item>;

pub(crate) fn file(content: &str) -> Item {
    Item::File(content.as_bytes().to_vec())
}

/// A new folder, gone at the end of the test.
pub(crate) fn scratch() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Writes `files` below the folder `root`.
pub(crate) fn lay_out(root: &Path, files: &Files) {
    for (path, item) in files {
        let path = root.join(path);
        fs_err::create_dir_all(path.parent().expect("a folder")).expect("folders");
        match item {
            Item::File(content) => put(&path, content, 0o644),
            Item::Executable(content) => put(&path, content, 0o755),
            Item::Link(target) => symlink(target, &path).expect("a link"),
        }
    }
}

fn put(path: &Path, content: &[u8], mode: u32) {
    fs_err::write(path, content).expect("a file");
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}

/// A folder with `files` in it.
pub(crate) fn folder(files: &[(&str, Item)]) -> TempDir {
    let root = scratch();
    lay_out(root.path(), &files.iter().map(|(path, item)| ((*path).to_owned(), item.clone())).collect());
    root
}

pub(crate) fn everything(root: &Path) -> TreeManifest {
    weir_tree::read_folder(root, &Selection::everything()).expect("a readable folder")
}

/// The level that packs here are made with.
pub(crate) const LEVEL: i32 = 3;

/// The pack of everything in `root`, and its manifest.
pub(crate) fn packed(root: &Path) -> (Vec<u8>, TreeManifest) {
    let manifest = everything(root);
    let mut pack = Vec::new();
    weir_tree::write_pack(root, &manifest, &mut pack, LEVEL).expect("a pack");
    (pack, manifest)
}

/// Unpacks into a new folder of `home`.
pub(crate) fn unpack(
    pack: &[u8],
    manifest: &TreeManifest,
    home: &Path,
) -> (PathBuf, Result<VerifiedTree, TreeError>) {
    let destination = home.join("out");
    let expected = Expected { tree: manifest.digest(), pack_bytes: None };
    let unpacked = weir_tree::unpack(pack, &expected, &Limits::default(), &destination);
    (destination, unpacked)
}

/// A pack made by hand: any text as the manifest, any bytes behind it.
pub(crate) fn forged(text: &str, contents: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("an encoder");
    encoder.write_all(&(text.len() as u64).to_le_bytes()).expect("written");
    encoder.write_all(text.as_bytes()).expect("written");
    encoder.write_all(contents).expect("written");
    encoder.finish().expect("finished")
}
