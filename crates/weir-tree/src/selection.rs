//! Which files of a folder belong to its tree.

use std::fs::FileType;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::{DirEntry, WalkBuilder};
use weir_fs::{Folder, FsError};

use crate::path::is_repository;
use crate::{TreeError, file};

/// Names that never belong to a package, in any folder, beside a repository: what Weir lays out, and its own notes.
const NEVER: [&str; 2] = ["weir_packages", ".weir"];

/// The file that belongs to a package whatever the rules say: without it there is no package.
const ALWAYS: &str = "weir.toml";

/// The file with a package's own ignore rules; they win over `.gitignore`.
const IGNORE_FILE: &str = ".weirignore";

/// Git's ignore rules.
const GIT_IGNORE_FILE: &str = ".gitignore";

/// The largest file of ignore rules that is read.
const MAX_IGNORE_FILE: u64 = 1 << 20;

/// Which files of a folder belong to its tree.
#[derive(Debug, Clone)]
pub struct Selection(Rules);

#[derive(Debug, Clone)]
enum Rules {
    Everything,
    Package(Box<Lists>),
}

#[derive(Debug, Clone)]
struct Lists {
    include: Option<Gitignore>,
    exclude: Gitignore,
}

/// A file, link or other thing that was selected.
#[derive(Debug)]
pub(crate) struct Selected {
    /// Its path below the folder.
    pub(crate) path: PathBuf,
    pub(crate) sort: Sort,
    /// How large it was when it was listed: a hint for sharing out the work.
    pub(crate) size: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    File,
    Link,
    Special(&'static str),
}

impl Selection {
    /// Every file, whatever it is called.
    pub fn everything() -> Self {
        Self(Rules::Everything)
    }

    /// What belongs to a package.
    ///
    /// With an empty `include`: every file, hidden ones too, but for what `.gitignore` and `.weirignore` files inside the
    /// folder leave out. With an `include`: what it names and nothing else, ignored or not, so that built files
    /// can be published. In both cases `exclude`, repositories (`.git`, `.hg`), `weir_packages` and `.weir` are left out, and
    /// `weir.toml` at the top is kept. Patterns are written as in `.gitignore`.
    ///
    /// The user's own git settings and ignore files above the folder play no part: one folder gives one
    /// tree on every machine.
    ///
    /// # Errors
    ///
    /// When a pattern cannot be read.
    pub fn package(include: &[String], exclude: &[String]) -> Result<Self, TreeError> {
        let include = if include.is_empty() { None } else { Some(patterns(include)?) };
        Ok(Self(Rules::Package(Box::new(Lists { include, exclude: patterns(exclude)? }))))
    }

    /// Lists what is selected below `root`, in no particular order.
    pub(crate) fn list(&self, root: &Path) -> Result<Vec<Selected>, TreeError> {
        if !fs_err::metadata(root).map_err(|source| TreeError::io(root, source))?.is_dir() {
            return Err(listing_failed(root, "it is not a folder".to_owned()));
        }
        let mut found = Vec::new();
        let refused = Arc::new(Mutex::new(None));
        for entry in self.walk(root, &refused)?.build() {
            let entry = entry.map_err(|error| listing(root, error))?;
            let kind = entry.file_type();
            let Some(kind) = kind.filter(|kind| entry.depth() > 0 && !kind.is_dir()) else { continue };
            let outside = || listing_failed(root, format!("`{}` is not below it", entry.path().display()));
            let path = entry.path().strip_prefix(root).map_err(|_| outside())?.to_owned();
            if self.keeps(&path) {
                let size = if kind.is_file() { entry.metadata().map_or(0, |found| found.len()) } else { 0 };
                found.push(Selected { path, sort: sort(kind), size });
            }
        }
        if let Some(error) = refused.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(error);
        }
        if let (Rules::Package(_), Ok(manifest)) = (&self.0, fs_err::symlink_metadata(root.join(ALWAYS)))
            && manifest.is_file()
            && !found.iter().any(|selected| selected.path == Path::new(ALWAYS))
        {
            found.push(Selected { path: ALWAYS.into(), sort: Sort::File, size: manifest.len() });
        }
        Ok(found)
    }

    /// A walk below `root`; folders whose ignore files cannot be used are left out of it, and the first of them is `refused`.
    fn walk(&self, root: &Path, refused: &Arc<Mutex<Option<TreeError>>>) -> Result<WalkBuilder, TreeError> {
        let mut walk = WalkBuilder::new(root);
        walk.standard_filters(false);
        match &self.0 {
            Rules::Everything => {}
            Rules::Package(lists) => {
                let ignoring = lists.include.is_none();
                if ignoring {
                    check_ignore_files(root)?;
                    walk.add_custom_ignore_filename(IGNORE_FILE);
                }
                let refused = Arc::clone(refused);
                walk.git_ignore(ignoring).require_git(false).filter_entry(move |entry| {
                    let is_folder = ignoring && entry.file_type().is_some_and(|kind| kind.is_dir());
                    match is_folder.then(|| check_ignore_files(entry.path())) {
                        Some(Err(error)) => {
                            refused.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                            false
                        }
                        _ => !is_never(entry),
                    }
                });
            }
        }
        Ok(walk)
    }

    fn keeps(&self, path: &Path) -> bool {
        let Rules::Package(lists) = &self.0 else { return true };
        let matches = |patterns: &Gitignore| patterns.matched_path_or_any_parents(path, false).is_ignore();
        path == Path::new(ALWAYS) || (lists.include.as_ref().is_none_or(matches) && !matches(&lists.exclude))
    }
}

/// Whoever reads ignore files for us would wait for a pipe, and read a device for ever.
fn check_ignore_files(folder: &Path) -> Result<(), TreeError> {
    let refused = |error: FsError| {
        let path = error.path().to_owned();
        TreeError::io(path, error)
    };
    let folder = Folder::open(folder).map_err(refused)?;
    for name in [GIT_IGNORE_FILE, IGNORE_FILE] {
        folder.find(name, MAX_IGNORE_FILE).map_err(refused)?;
    }
    Ok(())
}

fn patterns(list: &[String]) -> Result<Gitignore, TreeError> {
    // The paths that are matched are relative to the package's folder already.
    let mut builder = GitignoreBuilder::new("");
    for pattern in list {
        let bad = |error: ignore::Error| TreeError::BadPattern {
            pattern: pattern.clone(),
            reason: error.to_string(),
        };
        builder.add_line(None, pattern).map_err(bad)?;
    }
    let bad =
        |error: ignore::Error| TreeError::BadPattern { pattern: list.join(", "), reason: error.to_string() };
    builder.build().map_err(bad)
}

fn is_never(entry: &DirEntry) -> bool {
    let is_never = |name: &str| NEVER.contains(&name) || is_repository(name);
    entry.depth() > 0 && entry.file_name().to_str().is_some_and(is_never)
}

fn sort(kind: FileType) -> Sort {
    if kind.is_symlink() {
        Sort::Link
    } else if kind.is_file() {
        Sort::File
    } else {
        Sort::Special(file::special(kind))
    }
}

fn listing(root: &Path, error: ignore::Error) -> TreeError {
    let reason = error.to_string();
    match error.into_io_error() {
        Some(source) => TreeError::io(root, source),
        None => listing_failed(root, reason),
    }
}

fn listing_failed(root: &Path, reason: String) -> TreeError {
    TreeError::Listing { path: root.to_owned(), reason }
}
