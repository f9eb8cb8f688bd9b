//! The files of a commit, as git's objects have them.
//!
//! `git archive` and a checkout convert what they write: line ends, filters, encodings, `export-subst`; by settings of the user, of
//! the machine, of the repository and of the tree. One commit is to give one tree everywhere, so the objects themselves are
//! read, and nothing is asked what it would make of them.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{ChildStdout, Stdio};

use weir_tree::{Limits, LinkTarget, TreePath};

use super::program::{in_repository, run_bytes};

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) files: u64,
    pub(super) bytes: u64,
    /// Where the commit has submodules, of which nothing was written.
    pub(super) submodules: Vec<TreePath>,
}

/// What a commit has at a path.
enum Listed {
    Blob(Blob),
    Submodule(TreePath),
}

/// A file or a link of a commit.
struct Blob {
    path: TreePath,
    id: String,
    size: u64,
    sort: Sort,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    File,
    Executable,
    Link,
}

/// Writes the files and links of `commit` into the new folder `folder`. Submodules leave nothing.
pub(super) fn write_files(
    repository: &Path,
    commit: &str,
    folder: &Path,
    limits: &Limits,
) -> Result<Written, String> {
    let listed =
        run_bytes(in_repository(repository).args(["ls-tree", "-r", "-l", "-z", "--full-tree", commit]))?;
    let mut blobs = Vec::new();
    let mut written = Written::default();
    for entry in listed.split(|&byte| byte == 0).filter(|entry| !entry.is_empty()) {
        let blob = match self::listed(entry)? {
            Listed::Blob(blob) => blob,
            Listed::Submodule(path) => {
                written.submodules.push(path);
                continue;
            }
        };
        written.files += 1;
        written.bytes = written.bytes.saturating_add(blob.size);
        if written.files > limits.files || written.bytes > limits.unpacked_bytes {
            return Err(format!(
                "it has more than {} files or {} bytes",
                limits.files, limits.unpacked_bytes
            ));
        }
        blobs.push(blob);
    }
    // Links last, so that nothing is written through one.
    blobs.sort_by_key(|blob| blob.sort == Sort::Link);
    let io = |error: io::Error| format!("its files cannot be written: {error}");
    fs_err::create_dir_all(folder).map_err(io)?;
    let mut objects = Objects::ask(repository, &blobs)?;
    for blob in &blobs {
        objects.write(blob, folder)?;
    }
    Ok(written)
}

/// An entry of `git ls-tree -l -z`: `<mode> <type> <id> <size>\t<path>`.
fn listed(entry: &[u8]) -> Result<Listed, String> {
    let strange = || "git lists its files in a way that is not known".to_owned();
    let tab = entry.iter().position(|&byte| byte == b'\t').ok_or_else(strange)?;
    let what = str::from_utf8(&entry[..tab]).map_err(|_| strange())?;
    let [mode, sort, id, size] = what.split_ascii_whitespace().collect::<Vec<_>>()[..] else {
        return Err(strange());
    };
    let path = String::from_utf8_lossy(&entry[tab + 1..]);
    let path = match str::from_utf8(&entry[tab + 1..]) {
        Ok(path) => TreePath::new(path).map_err(|error| error.to_string())?,
        Err(_) => return Err(format!("`{}` is not UTF-8", path.escape_debug())),
    };
    if sort == "commit" {
        return Ok(Listed::Submodule(path));
    }
    let sort = match mode {
        "120000" => Sort::Link,
        "100755" => Sort::Executable,
        _ if mode.starts_with("100") => Sort::File,
        _ => return Err(strange()),
    };
    Ok(Listed::Blob(Blob { path, id: id.to_owned(), size: size.parse().map_err(|_| strange())?, sort }))
}

/// Objects as `git cat-file --batch` gives them, in the order asked for.
struct Objects {
    git: std::process::Child,
    stream: BufReader<ChildStdout>,
    buffer: Vec<u8>,
}

impl Objects {
    fn ask(repository: &Path, blobs: &[Blob]) -> Result<Self, String> {
        let io = |error: io::Error| format!("`git` cannot be run: {error}");
        let mut names = tempfile::tempfile().map_err(io)?;
        let list: String = blobs.iter().map(|blob| format!("{}\n", blob.id)).collect();
        names.write_all(list.as_bytes()).map_err(io)?;
        io::Seek::rewind(&mut names).map_err(io)?;
        let mut git = in_repository(repository);
        git.args(["cat-file", "--batch"]).stdin(names).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut git = git.spawn().map_err(io)?;
        let stream = git.stdout.take().ok_or("git gives nothing")?;
        Ok(Self { git, stream: BufReader::with_capacity(128 << 10, stream), buffer: Vec::new() })
    }

    /// Writes the next object, which is `blob`.
    fn write(&mut self, blob: &Blob, folder: &Path) -> Result<(), String> {
        let failed = |error: io::Error| format!("`{}`: {error}", blob.path);
        self.begin(blob)?;
        let at = folder.join(blob.path.as_str());
        if let Some(above) = at.parent() {
            fs_err::create_dir_all(above).map_err(failed)?;
        }
        let mut content = self.stream.by_ref().take(blob.size);
        if blob.sort == Sort::Link {
            let mut target = Vec::new();
            content.read_to_end(&mut target).map_err(failed)?;
            LinkTarget::new(&blob.path, &target)
                .map_err(|error| format!("the link `{}`: {error}", blob.path))?;
            let target = Path::new(std::ffi::OsStr::from_bytes(&target));
            fs_err::os::unix::fs::symlink(target, &at).map_err(failed)?;
        } else {
            let mode = if blob.sort == Sort::Executable { 0o755 } else { 0o644 };
            let mut file = fs_err::OpenOptions::new();
            file.write(true).create_new(true);
            file.options_mut().mode(mode);
            let mut file = file.open(&at).map_err(failed)?;
            let copied = io::copy(&mut content, &mut file).map_err(failed)?;
            if copied != blob.size {
                return Err(format!("git gives {copied} of {} bytes of `{}`", blob.size, blob.path));
            }
        }
        self.end()
    }

    /// Reads the line `<id> blob <size>` in front of an object.
    fn begin(&mut self, blob: &Blob) -> Result<(), String> {
        self.line()?;
        let expected = format!("{} blob {}\n", blob.id, blob.size);
        if self.buffer == expected.as_bytes() {
            return Ok(());
        }
        Err(format!("git does not give `{}`", blob.path))
    }

    /// Reads the line end behind an object.
    fn end(&mut self) -> Result<(), String> {
        self.line()?;
        if self.buffer == b"\n" { Ok(()) } else { Err("git gives more than it said".into()) }
    }

    fn line(&mut self) -> Result<(), String> {
        const LONGEST: u64 = 256;
        self.buffer.clear();
        let mut line = self.stream.by_ref().take(LONGEST);
        line.read_until(b'\n', &mut self.buffer).map(drop).map_err(|error| error.to_string())
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // It has ended, or nobody listens to it any more.
        let _ = self.git.kill();
        let _ = self.git.wait();
    }
}
