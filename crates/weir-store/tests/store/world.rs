//! A store in a temporary folder, and trees to put into it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::{Cursor, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use weir_model::{Lockfile, Sha256, TreeDigest};
use weir_store::{EnsureError, Faults, Options, Session, Store, StoredTree};
use weir_tree::{Limits, Selection};

/// A store and whatever a test puts beside it.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
}

/// A tree as it travels.
#[derive(Clone)]
pub(crate) struct Pack {
    pub(crate) tree: TreeDigest,
    pub(crate) bytes: Vec<u8>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&self.root(), Options::default()).unwrap()
    }

    pub(crate) fn session(&self) -> Session {
        self.store().session().unwrap()
    }

    /// A store for which it is so much later.
    pub(crate) fn days_later(&self) -> Store {
        let clock = || SystemTime::now() + Duration::from_hours(72);
        Store::open(&self.root(), Options { clock, ..Options::default() }).unwrap()
    }

    /// A project whose lockfile names these trees and files, registered.
    pub(crate) fn project(&self, name: &str, trees: &[TreeDigest], files: &[Sha256]) -> PathBuf {
        let folder = self.folder.path().join(name);
        fs_err::create_dir_all(&folder).unwrap();
        let text = lock(trees, files).to_text();
        fs_err::write(folder.join("weir.lock"), &text).unwrap();
        self.session().register_project(&folder, &text).unwrap();
        folder
    }

    /// What is in `tmp/`, and in `lock/` but for the collector's.
    pub(crate) fn rubbish(&self) -> Vec<String> {
        let names = |folder: &str| -> Vec<String> {
            let entries = fs_err::read_dir(self.root().join(folder)).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        let locks = names("lock").into_iter().filter(|name| name != "gc");
        names("tmp").into_iter().chain(locks).collect()
    }
}

impl Drop for World {
    /// Read-only folders would outlive the test of an ordinary user.
    fn drop(&mut self) {
        use std::os::unix::fs::PermissionsExt as _;
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            let _ = fs_err::set_permissions(&folder, std::fs::Permissions::from_mode(0o755));
            let entries = fs_err::read_dir(&folder).into_iter().flatten().flatten();
            folders.extend(
                entries.filter(|entry| entry.file_type().unwrap().is_dir()).map(|entry| entry.path()),
            );
        }
    }
}

/// Packs files; a name that ends with `!` is of an executable.
pub(crate) fn pack(files: &[(&str, &str)]) -> Pack {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name.trim_end_matches('!'));
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, content).unwrap();
        if name.ends_with('!') {
            fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    let manifest = weir_tree::read_folder(folder.path(), &Selection::everything()).unwrap();
    let mut bytes = Vec::new();
    weir_tree::write_pack(folder.path(), &manifest, &mut bytes, 1).unwrap();
    Pack { tree: manifest.digest(), bytes }
}

/// A small tree that is like no other number's.
pub(crate) fn numbered(number: u32) -> Pack {
    let own = format!("tree number {number}\n");
    pack(&[
        ("README.md", own.as_str()),
        ("bin/run!", "#!/bin/sh\n"),
        ("lib/a/b/c.txt", "the same everywhere\n"),
    ])
}

impl Pack {
    pub(crate) fn reader(&self) -> Box<dyn Read + Send> {
        Box::new(Cursor::new(self.bytes.clone()))
    }

    pub(crate) fn ensure(&self, session: &Session) -> StoredTree {
        let size = Some(self.bytes.len() as u64);
        session
            .ensure_tree(&self.tree, size, &Limits::default(), || Ok::<_, Infallible>(self.reader()))
            .unwrap()
    }

    pub(crate) fn try_ensure(&self, session: &Session) -> Result<StoredTree, EnsureError<Infallible>> {
        let size = Some(self.bytes.len() as u64);
        session.ensure_tree(&self.tree, size, &Limits::default(), || Ok(self.reader()))
    }
}

/// The path, content and mode of every file in a folder.
pub(crate) fn contents(folder: &Path) -> BTreeMap<String, (String, u32)> {
    use std::os::unix::fs::PermissionsExt as _;
    let manifest = weir_tree::read_folder(folder, &Selection::everything()).unwrap();
    let read = |path: &str| {
        let path = folder.join(path);
        let mode = fs_err::metadata(&path).unwrap().permissions().mode() & 0o777;
        (fs_err::read_to_string(&path).unwrap(), mode)
    };
    manifest.entries().iter().map(|entry| (entry.path.to_string(), read(entry.path.as_str()))).collect()
}

pub(crate) fn lock(trees: &[TreeDigest], files: &[Sha256]) -> Lockfile {
    let mut text = "version = 1\n".to_owned();
    for (number, tree) in trees.iter().enumerate() {
        let release = format!(
            "[[release]]\nname = \"acme/p{number}\"\nversion = \"1.0.0\"\nkind = \"generic\"\ntree = \"{tree}\"\n"
        );
        text.push_str(&release);
    }
    for (number, file) in files.iter().enumerate() {
        writeln!(text, "[[reference]]\nname = \"r{number}\"\nsha256 = \"{file}\"\nsize = 7").unwrap();
    }
    Lockfile::parse(&text).unwrap()
}

/// Fails at one point as a full disk does.
pub(crate) struct DiskFullAt(pub(crate) &'static str);

impl Faults for DiskFullAt {
    fn at(&self, point: &'static str) -> std::io::Result<()> {
        if point == self.0 { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

pub(crate) fn with_faults(faults: impl Faults + 'static) -> Options {
    Options { faults: Arc::new(faults), ..Options::default() }
}

pub(crate) fn tarball() -> Vec<u8> {
    // One ustar member, by hand: the store has no reader or writer of archives of its own.
    let mut header = [0_u8; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, "pkg-1.0/hello.txt");
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, "00000000005");
    put(136, "00000000000");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut tar = Vec::new();
    tar.write_all(&header).unwrap();
    tar.write_all(b"hello").unwrap();
    tar.resize(512 + 512 + 1024, 0);
    tar
}
