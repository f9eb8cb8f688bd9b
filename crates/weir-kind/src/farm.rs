//! Farms: folders of links into the store that many packages share.
//!
//! Where a program must find the files of many packages in one folder, links to folders do not do. A farm has
//! a hard link for each file, which costs no space and one system call. Some text files must name
//! the folder that they lie in; they are written anew.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use memchr::memmem;
use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RenameFlags, linkat, mkdirat, openat, renameat_with, symlinkat,
};
use rustix::io::Errno;
use weir_model::Digest;
use weir_tree::{LinkTarget, TreePath};

/// The largest file that is written anew, in bytes.
pub const MAX_REWRITTEN: u64 = 16 << 20;

/// The first line of what a farm's digest is computed of. It grows when farms of the same plan are made otherwise.
const FORMAT: &str = "weir-farm v1";

/// A plan of a folder, file by file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Farm {
    /// The path that files which are written anew name in place of the farm's own.
    pub prefix: &'static str,
    /// The files and links, sorted by path, none twice and none below another.
    pub files: Vec<FarmFile>,
}

/// A file or link of a farm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FarmFile {
    /// Where it is, relative to the farm.
    pub path: TreePath,
    /// What it is.
    pub content: FarmContent,
}

/// What a file of a farm is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FarmContent {
    /// The same file as one elsewhere.
    Same(Original),
    /// That file, with the farm's place in it wherever it has the prefix.
    Rewritten(Original),
    /// A symbolic link that stays within the farm.
    Link(LinkTarget),
}

/// A file elsewhere, mostly in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// Where it is.
    pub file: PathBuf,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Whether it can be executed.
    pub executable: bool,
}

impl Farm {
    /// The digest of all that decides what [`Farm::make`] makes for the place `seen`.
    pub fn digest(&self, seen: &Path) -> Digest {
        let mut text = format!("{FORMAT}\n{}\n", self.prefix).into_bytes();
        text.extend_from_slice(seen.as_os_str().as_bytes());
        for file in &self.files {
            let line = match &file.content {
                FarmContent::Same(original) => {
                    format!("\nsame {} {} {}", original.executable, original.digest, file.path)
                }
                FarmContent::Rewritten(original) => {
                    format!("\nrewritten {} {} {}", original.executable, original.digest, file.path)
                }
                // A target has no line breaks, and neither has a path.
                FarmContent::Link(target) => format!("\nlink {}\n{}", target.as_str(), file.path),
            };
            text.extend_from_slice(line.as_bytes());
        }
        Digest::of(text)
    }

    /// Makes the farm at `at`, where programs see it as `seen`: an absolute path, and another than `at` where a
    /// sandbox shows it elsewhere. What was at `at` is replaced: there is all of the old or all of the new.
    ///
    /// # Errors
    ///
    /// When a file cannot be linked, read or written, or when `seen` has characters that the scripts in
    /// the farm would take for syntax.
    pub fn make(&self, at: &Path, seen: &Path) -> io::Result<()> {
        self.check_place(seen)?;
        let (folder, beside) = beside(at)?;
        fs_err::create_dir_all(&folder)?;
        let made = self.fill(&beside, seen).and_then(|()| put(&beside, at));
        // After an exchange this is what was there before.
        let removed = remove(&beside);
        made.and(removed)
    }

    fn fill(&self, beside: &Path, seen: &Path) -> io::Result<()> {
        fs_err::create_dir(beside)?;
        let top = fs_err::File::open(beside)?;
        for folder in self.folders() {
            mkdirat(&top, folder, Mode::from_raw_mode(0o755))
                .map_err(|error| at_path(beside, folder, error))?;
        }
        for file in &self.files {
            let path = file.path.as_str();
            match &file.content {
                FarmContent::Link(target) => {
                    symlinkat(target.as_str(), &top, path).map_err(|error| at_path(beside, path, error))?;
                }
                FarmContent::Same(original) => same(original, top.as_fd(), beside, path)?,
                FarmContent::Rewritten(original) => self.rewritten(original, top.as_fd(), path, seen)?,
            }
        }
        Ok(())
    }

    fn rewritten(&self, original: &Original, top: BorrowedFd<'_>, path: &str, seen: &Path) -> io::Result<()> {
        let mut bytes = Vec::new();
        fs_err::File::open(&original.file)?.take(MAX_REWRITTEN + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_REWRITTEN {
            let message = format!("`{}` is too large to be written anew", original.file.display());
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        let text = replace_path(&bytes, self.prefix, seen.as_os_str().as_bytes());
        let mode = Mode::from_raw_mode(if original.executable { 0o555 } else { 0o444 });
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(top, path, flags, mode).map_err(|error| at_path(Path::new(""), path, error))?;
        std::fs::File::from(file).write_all(&text)
    }

    /// The folders that it needs, those above others first.
    fn folders(&self) -> BTreeSet<&str> {
        let mut folders = BTreeSet::new();
        for file in &self.files {
            let mut path = file.path.as_str();
            while let Some((folder, _)) = path.rsplit_once('/')
                && folders.insert(folder)
            {
                path = folder;
            }
        }
        folders
    }

    /// A path that is written into scripts must mean itself to all that read them.
    fn check_place(&self, seen: &Path) -> io::Result<()> {
        let rewritten = self.files.iter().find(|file| matches!(file.content, FarmContent::Rewritten(_)));
        let Some(file) = rewritten else { return Ok(()) };
        let is_syntax = |c: &char| c.is_control() || "\"'`$\\;&|<>()*?[]{}!#".contains(*c);
        let problem = match seen.to_str() {
            None => "is not UTF-8".to_owned(),
            Some(text) if !seen.is_absolute() => format!("is not absolute: `{text}`"),
            Some(text) => match text.chars().find(is_syntax) {
                Some(character) => format!("has the character {character:?}"),
                None => return Ok(()),
            },
        };
        let message = format!(
            "`{}` must name the folder that it is in, and `{}` {problem}, which it could not be trusted to hold; \
             choose a folder with a plainer name",
            file.path,
            seen.display()
        );
        Err(io::Error::new(io::ErrorKind::InvalidInput, message))
    }
}

/// `text` with `to` in place of the path `path`, where that is a whole path or is followed by `/`, and
/// not a part of a longer name.
pub fn replace_path(text: &[u8], path: &str, to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut copied = 0;
    for at in find_path(text, path) {
        replaced.extend_from_slice(&text[copied..at]);
        replaced.extend_from_slice(to);
        copied = at + path.len();
    }
    replaced.extend_from_slice(&text[copied..]);
    replaced
}

/// Where `text` has the path `path`: alone or followed by `/`, and not as part of a longer name.
pub fn find_path<'t>(text: &'t [u8], path: &'t str) -> impl Iterator<Item = usize> + 't {
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    memmem::find_iter(text, path.as_bytes()).filter(move |at| !text.get(at + path.len()).is_some_and(goes_on))
}

/// The same file: a hard link, or a copy where there cannot be one.
fn same(original: &Original, top: BorrowedFd<'_>, beside: &Path, path: &str) -> io::Result<()> {
    match linkat(CWD, &original.file, top, path, AtFlags::empty()) {
        Ok(()) => Ok(()),
        // Another file system, too many links, a file of somebody else, or a file system without links.
        Err(
            Errno::XDEV
            | Errno::MLINK
            | Errno::PERM
            | Errno::ACCESS
            | Errno::OPNOTSUPP
            | Errno::NOSYS
            | Errno::INVAL,
        ) => {
            let copy = beside.join(path);
            // Shares the blocks where the file system can.
            fs_err::copy(&original.file, &copy)?;
            let mode = if original.executable { 0o555 } else { 0o444 };
            fs_err::set_permissions(&copy, std::fs::Permissions::from_mode(mode))
        }
        Err(error) => Err(at_path(&original.file, "", error)),
    }
}

/// Moves what was made into its place; what was there is then where it was made.
fn put(beside: &Path, at: &Path) -> io::Result<()> {
    match renameat_with(CWD, beside, CWD, at, RenameFlags::NOREPLACE) {
        Ok(()) => return Ok(()),
        Err(Errno::EXIST) => {}
        // The file system knows no flags.
        Err(_) if at.symlink_metadata().is_err() => return fs_err::rename(beside, at),
        Err(_) => {}
    }
    if renameat_with(CWD, beside, CWD, at, RenameFlags::EXCHANGE).is_ok() {
        return Ok(());
    }
    let (_, away) = self::beside(at)?;
    fs_err::rename(at, &away)?;
    fs_err::rename(beside, at)?;
    remove(&away)
}

/// Removes a farm, or whatever else is there, if anything is.
///
/// # Errors
///
/// When something cannot be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs_err::remove_dir_all(path),
        Ok(_) => fs_err::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// The folder of `at`, and a path in it that nobody uses.
fn beside(at: &Path) -> io::Result<(PathBuf, PathBuf)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let Some(name) = at.file_name() else {
        let message = format!("`{}` is not a place for a folder", at.display());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    };
    let folder = match at.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}-{count}", std::process::id()));
    let beside = folder.join(beside);
    // A process of the same number died while it made one.
    remove(&beside)?;
    Ok((folder.to_owned(), beside))
}

fn at_path(folder: &Path, path: &str, error: Errno) -> io::Error {
    let error = io::Error::from(error);
    let path = if path.is_empty() { folder.to_owned() } else { folder.join(path) };
    io::Error::new(error.kind(), format!("`{}` cannot be laid out: {error}", path.display()))
}

#[cfg(test)]
mod tests;
