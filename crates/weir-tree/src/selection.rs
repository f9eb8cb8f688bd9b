//! Which files of a folder belong to its tree.

use std::collections::BTreeSet;
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

/// The file that belongs to every package whatever the rules say: without it there is no package.
const ALWAYS: &str = "weir.toml";

/// The file with a package's own ignore rules; they win over `.gitignore`.
const IGNORE_FILE: &str = ".weirignore";

/// Git's ignore rules.
const GIT_IGNORE_FILE: &str = ".gitignore";

/// The folder of git's own things.
const GIT_FOLDER: &str = ".git";

/// Git's ignore rules that are nobody else's, in its folder.
const GIT_EXCLUDE_FILE: &str = "info/exclude";

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
    /// The patterns of `include` as they were written: what one of them names outright is meant.
    named: Vec<String>,
    exclude: Gitignore,
    /// What belongs to it whatever the rules say.
    kept: Vec<String>,
    of: Of,
    /// Whether git's ignore files count.
    obeys_git: bool,
}

/// What the files of a package are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// A folder of which nobody knows what made it.
    Folder,
    /// A folder that somebody works in: see [`Selection::of_working_folder`].
    WorkingFolder,
    /// A commit: see [`Selection::of_commit`].
    Commit,
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
    /// The user's own git settings play no part, and neither do ignore files above the folder, unless
    /// [`of_working_folder`](Self::of_working_folder) says so: one folder gives one tree on every machine.
    ///
    /// # Errors
    ///
    /// When a pattern cannot be read.
    pub fn package(include: &[String], exclude: &[String]) -> Result<Self, TreeError> {
        let named = include.iter().map(|pattern| pattern.trim_start_matches('/').to_owned()).collect();
        let include = if include.is_empty() { None } else { Some(patterns(include)?) };
        let (exclude, kept) = (patterns(exclude)?, vec![ALWAYS.to_owned()]);
        let lists = Lists { include, named, exclude, kept, of: Of::Folder, obeys_git: true };
        Ok(Self(Rules::Package(Box::new(lists))))
    }

    /// The same for a folder that somebody works in. What editors and systems leave behind is left out, unless `include` names the very
    /// file. Where the folder is part of a git repository, what git leaves out there is left out: by the ignore files above it, up to
    /// the repository's top, by `.git/info/exclude`, and by the user's own `core.excludesFile`; not if they leave out the folder
    /// itself, for whoever names it wants it.
    #[must_use]
    pub fn of_working_folder(mut self) -> Self {
        if let Rules::Package(lists) = &mut self.0 {
            lists.of = Of::WorkingFolder;
        }
        self
    }

    /// The same for a commit's files: what would belong to the package in a folder that nobody did anything in but check the commit out.
    /// What editors and systems leave behind is left out here too; what is one user's own, of git's settings, plays no part.
    #[must_use]
    pub fn of_commit(mut self) -> Self {
        if let Rules::Package(lists) = &mut self.0 {
            lists.of = Of::Commit;
        }
        self
    }

    /// The same with the file `name`, at the top, whatever the rules say.
    #[must_use]
    pub fn keeping(mut self, name: &str) -> Self {
        if let Rules::Package(lists) = &mut self.0 {
            lists.kept.push(name.to_owned());
        }
        self
    }

    /// The files below `root` that would belong to its tree, did `.gitignore` files not leave them out; sorted.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn ignored_by_git(&self, root: &Path) -> Result<Vec<PathBuf>, TreeError> {
        let Rules::Package(lists) = &self.0 else { return Ok(Vec::new()) };
        let without = Self(Rules::Package(Box::new(Lists { obeys_git: false, ..(**lists).clone() })));
        let kept: BTreeSet<PathBuf> = self.list(root)?.into_iter().map(|selected| selected.path).collect();
        let mut ignored: Vec<PathBuf> =
            without.list(root)?.into_iter().map(|selected| selected.path).collect();
        ignored.retain(|path| !kept.contains(path));
        ignored.sort_unstable();
        Ok(ignored)
    }

    /// Whether what the lists of the manifest say leaves a path in.
    pub fn has(&self, path: &Path) -> bool {
        self.lists(path)
    }

    /// The files below `root` that would belong to its tree, were they not what editors and systems leave behind; sorted.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn leftovers(&self, root: &Path) -> Result<Vec<PathBuf>, TreeError> {
        let mut left = Vec::new();
        for Selected { path, .. } in self.walked(root)? {
            if self.lists(&path) && self.is_left_over(&path) {
                left.push(path);
            }
        }
        left.sort_unstable();
        Ok(left)
    }

    /// Lists what is selected below `root`, in no particular order.
    pub(crate) fn list(&self, root: &Path) -> Result<Vec<Selected>, TreeError> {
        if !fs_err::metadata(root).map_err(|source| TreeError::io(root, source))?.is_dir() {
            return Err(listing_failed(root, "it is not a folder".to_owned()));
        }
        let mut found = self.walked(root)?;
        found.retain(|selected| self.keeps(&selected.path));
        let Rules::Package(lists) = &self.0 else { return Ok(found) };
        for kept in &lists.kept {
            if let Ok(there) = fs_err::symlink_metadata(root.join(kept))
                && there.is_file()
                && !found.iter().any(|selected| selected.path == Path::new(kept))
            {
                found.push(Selected { path: kept.into(), sort: Sort::File, size: there.len() });
            }
        }
        Ok(found)
    }

    /// Everything below `root` that no ignore file leaves out.
    fn walked(&self, root: &Path) -> Result<Vec<Selected>, TreeError> {
        let in_repository = matches!(&self.0, Rules::Package(lists) if lists.of == Of::WorkingFolder && lists.include.is_none());
        if in_repository && let Some((top, root)) = repository_above(root) {
            let (found, came_there) = self.walked_from(&top, &root)?;
            if came_there {
                return Ok(found);
            }
        }
        Ok(self.walked_from(root, root)?.0)
    }

    /// Everything below `root` that no ignore file from `top` on leaves out, and whether `root` itself is not left out.
    fn walked_from(&self, top: &Path, root: &Path) -> Result<(Vec<Selected>, bool), TreeError> {
        let mut found = Vec::new();
        let mut came_there = false;
        let refused = Arc::new(Mutex::new(None));
        for entry in self.walk(top, root, &refused)?.build() {
            let entry = entry.map_err(|error| listing(root, error))?;
            let Ok(path) = entry.path().strip_prefix(root) else { continue };
            came_there = true;
            let Some(kind) = entry.file_type().filter(|kind| !kind.is_dir()) else { continue };
            let size = if kind.is_file() { entry.metadata().map_or(0, |found| found.len()) } else { 0 };
            found.push(Selected { path: path.to_owned(), sort: sort(kind), size });
        }
        match refused.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok((found, came_there)),
        }
    }

    /// A walk from `top` to `root` and below it; folders whose ignore files cannot be used are left out of it, and the first of them is
    /// `refused`.
    fn walk(
        &self,
        top: &Path,
        root: &Path,
        refused: &Arc<Mutex<Option<TreeError>>>,
    ) -> Result<WalkBuilder, TreeError> {
        let mut walk = WalkBuilder::new(top);
        walk.standard_filters(false);
        match &self.0 {
            Rules::Everything => {}
            Rules::Package(lists) => {
                let ignoring = lists.include.is_none();
                if ignoring {
                    check_ignore_files(top)?;
                    walk.add_custom_ignore_filename(IGNORE_FILE);
                }
                let (refused, root) = (Arc::clone(refused), root.to_owned());
                let as_git_does = ignoring && lists.of == Of::WorkingFolder;
                walk.git_exclude(as_git_does).git_global(as_git_does);
                walk.git_ignore(ignoring && lists.obeys_git).require_git(false).filter_entry(move |entry| {
                    if !entry.path().starts_with(&root) && !root.starts_with(entry.path()) {
                        return false;
                    }
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
        self.lists(path) && !self.is_left_over(path)
    }

    /// Whether an editor or a system left it behind, and nobody asks for it by its name.
    fn is_left_over(&self, path: &Path) -> bool {
        let Rules::Package(lists) = &self.0 else { return false };
        if lists.of == Of::Folder {
            return false;
        }
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        is_leftover(name) && !lists.named.iter().any(|named| Path::new(named) == path)
    }

    /// Whether the lists of the manifest name it.
    fn lists(&self, path: &Path) -> bool {
        let Rules::Package(lists) = &self.0 else { return true };
        let matches = |patterns: &Gitignore| patterns.matched_path_or_any_parents(path, false).is_ignore();
        lists.kept.iter().any(|kept| path == Path::new(kept))
            || (lists.include.as_ref().is_none_or(matches) && !matches(&lists.exclude))
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
    // Of a work tree beside its repository, `.git` is a file.
    if folder.look(GIT_FOLDER).map_err(refused)?.is_some_and(|git| git.sort == weir_fs::Sort::Folder) {
        folder.find(Path::new(GIT_FOLDER).join(GIT_EXCLUDE_FILE), MAX_IGNORE_FILE).map_err(refused)?;
    }
    Ok(())
}

/// The top of the git repository that `root` is in, if that is above it and of the same user, and `root` as it is seen from there.
fn repository_above(root: &Path) -> Option<(PathBuf, PathBuf)> {
    let root = fs_err::canonicalize(root).ok()?;
    let top = root.ancestors().find(|folder| folder.join(".git").exists())?;
    let owner = |folder: &Path| Folder::open(folder).and_then(|folder| folder.owner()).ok();
    (top != root && owner(top)? == owner(&root)?).then(|| (top.to_owned(), root.clone()))
}

/// What editors, and systems that show folders, leave in them: swap files of Vim, backups, autosaves and locks of Emacs, notes of macOS and
/// Windows.
fn is_leftover(name: &str) -> bool {
    let is_swap = |name: &str| {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        name.starts_with('.') && ending.is_some_and(|ending| matches!(ending, "swp" | "swo" | "swn" | "swx"))
    };
    let is_autosave = |name: &str| name.len() > 2 && name.starts_with('#') && name.ends_with('#');
    (name.len() > 1 && name.ends_with('~'))
        || is_swap(name)
        || name.ends_with(".swp")
        || is_autosave(name)
        || name.starts_with(".#")
        || matches!(name, ".DS_Store" | "Thumbs.db" | "desktop.ini")
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
