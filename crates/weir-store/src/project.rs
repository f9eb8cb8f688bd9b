//! The projects that use the store, so that the collector knows what is used.
//!
//! A project's record, `projects/<digest of machine and path>`, holds the machine, the path, and the text of the
//! lockfile that was installed last:
//!
//! ```text
//! weir-project v1
//! machine <token> <name>
//! path <length in bytes>
//! <path>
//! <lockfile, to the end>
//! ```
//!
//! Why the lockfile as well as its path: a `git pull` may change the one in the project before anybody
//! installs it, while the project's links still lead to the trees of the old one; and another machine that
//! shares the store cannot see the project's folder at all.

use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use weir_model::lockfile::MAX_BYTES;
use weir_model::{Digest, Lockfile, Sha256};

use crate::error::{AtPath as _, StoreError};
use crate::faults;
use crate::host::Host;
use crate::session::Session;
use crate::store::Store;

const FIRST_LINE: &str = "weir-project v1";

/// Longer than any path a system allows.
const MAX_PATH_BYTES: usize = 64 << 10;

/// A record is read up to here.
const MAX_RECORD_BYTES: u64 = (MAX_BYTES + MAX_PATH_BYTES + 4096) as u64;

/// A project that uses the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    /// Its folder.
    pub path: PathBuf,
    /// The name of the machine it lies on.
    pub machine: String,
    /// The lockfile that was installed last, or why it cannot be read.
    pub installed: Result<Lockfile, String>,
    /// Whether this is the machine it lies on.
    pub(crate) is_here: bool,
    /// The record.
    pub(crate) record: PathBuf,
}

impl Session {
    /// Notes that the project in `folder` was installed from the lockfile `lock`. Costs one read
    /// when that is noted already. Call it before the trees are linked into the project.
    ///
    /// # Errors
    ///
    /// When `folder` is not absolute or the store cannot be written.
    pub fn register_project(&self, folder: &Path, lock: &str) -> Result<(), StoreError> {
        if !folder.is_absolute() {
            return Err(StoreError::RelativePath { path: folder.to_owned() });
        }
        let store = self.store();
        let digest = identity(store, folder);
        let record = store.layout().project(&digest);
        let text = to_bytes(store.host(), folder, lock);
        if holds(&record, &text) {
            return Ok(());
        }
        let item = format!("project-{}", digest.to_hex());
        let _lock = self.lock(&item)?;
        let staging = store.staging(&item);
        fs_err::write(staging.path(), &text).at(staging.path())?;
        store.pass(faults::PROJECT_WRITTEN, staging.path())?;
        fs_err::rename(staging.path(), &record).at(&record)
    }
}

impl Store {
    /// The projects that use the store, sorted by machine and path.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn projects(&self) -> Result<Vec<Project>, StoreError> {
        let folder = self.layout().projects();
        let mut projects = Vec::new();
        for entry in fs_err::read_dir(&folder).at(&folder)? {
            let record = entry.at(&folder)?.path();
            if let Some(project) = read(self, record)? {
                projects.push(project);
            }
        }
        projects.sort_by(|a, b| (&a.machine, &a.path).cmp(&(&b.machine, &b.path)));
        Ok(projects)
    }

    /// Forgets that the project in `folder`, on this machine, uses the store. Answers whether it was known.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub fn forget_project(&self, folder: &Path) -> Result<bool, StoreError> {
        forget(&self.layout().project(&identity(self, folder)))
    }
}

/// Removes a record. Answers whether there was one.
pub(crate) fn forget(record: &Path) -> Result<bool, StoreError> {
    match fs_err::remove_file(record) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io(record, error)),
    }
}

/// What names a project's record: one path on two machines is two projects.
fn identity(store: &Store, folder: &Path) -> Sha256 {
    Digest::of([store.host().token.as_bytes(), b"\n", folder.as_os_str().as_bytes()].concat())
}

/// Whether the file holds exactly these bytes: reads no more than it must to tell.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    let Ok(mut file) = fs_err::File::open(path) else { return false };
    let mut found = vec![0; bytes.len().saturating_add(1)];
    let mut have = 0;
    loop {
        match file.read(&mut found[have..]) {
            Ok(0) => return found[..have] == *bytes,
            Ok(got) => have += got,
            Err(_) => return false,
        }
    }
}

fn to_bytes(host: &Host, folder: &Path, lock: &str) -> Vec<u8> {
    let path = folder.as_os_str().as_bytes();
    let head = format!("{FIRST_LINE}\nmachine {} {}\npath {}\n", host.token, host.name, path.len());
    [head.as_bytes(), path, b"\n", lock.as_bytes()].concat()
}

/// Reads a record. A file that is no record of this format is nobody's project.
fn read(store: &Store, record: PathBuf) -> Result<Option<Project>, StoreError> {
    let mut bytes = Vec::new();
    match fs_err::File::open(&record) {
        Ok(file) => file.take(MAX_RECORD_BYTES).read_to_end(&mut bytes).at(&record)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io(&record, error)),
    };
    Ok(parse(&bytes).map(|(token, machine, path, lock)| Project {
        path: path.to_owned(),
        machine: machine.to_owned(),
        installed: lock.and_then(|lock| Lockfile::parse(lock).map_err(|error| error.to_string())),
        is_here: token == store.host().token,
        record,
    }))
}

type Parsed<'b> = (&'b str, &'b str, &'b Path, Result<&'b str, String>);

fn parse(bytes: &[u8]) -> Option<Parsed<'_>> {
    let (first, rest) = split_line(bytes)?;
    let (machine, rest) = split_line(rest)?;
    let (length, rest) = split_line(rest)?;
    if first != FIRST_LINE {
        return None;
    }
    let (token, machine) = machine.strip_prefix("machine ")?.split_once(' ')?;
    let length: usize = length.strip_prefix("path ")?.parse().ok()?;
    let (path, rest) = rest.split_at_checked(length)?;
    let lock = rest.strip_prefix(b"\n")?;
    let lock = str::from_utf8(lock).map_err(|error| error.to_string());
    Some((token, machine, Path::new(OsStr::from_bytes(path)), lock))
}

fn split_line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::Path;

    use proptest::prelude::{any, proptest};

    use super::{Host, parse, to_bytes};

    proptest! {
        #[test]
        fn a_record_reads_back_whatever_bytes_the_path_has(path in proptest::collection::vec(any::<u8>(), 0..80), lock in any::<String>()) {
            let host = Host { token: "0123456789ab".into(), name: "a machine".into() };
            let path = Path::new(std::ffi::OsStr::from_bytes(&path));
            let bytes = to_bytes(&host, path, &lock);
            let (token, name, read, text) = parse(&bytes).unwrap();
            assert_eq!((token, name, read, text), ("0123456789ab", "a machine", path, Ok(lock.as_str())));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
            let _ = parse(&[b"weir-project v1\nmachine a b\npath ", bytes.as_slice()].concat());
        }
    }
}
