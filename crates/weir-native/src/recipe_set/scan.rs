//! Looking through the folder of a recipe set: bounded, sorted, never out of it, and gathering what is wrong.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use weir_model::manifest::MAX_BYTES;

use super::{RecipeSetError, RecipeSetProblem};

/// The most entries of one folder that are looked at.
const MAX_ENTRIES: usize = 20_000;
/// The most problems that are kept.
const MAX_PROBLEMS: usize = 20;
/// The most warnings that are kept.
const MAX_WARNINGS: usize = 200;

/// A folder being looked through.
pub(crate) struct Scan {
    folder: PathBuf,
    /// Where the folder really is.
    root: PathBuf,
    problems: Vec<RecipeSetProblem>,
    left_out: usize,
    warnings: Vec<String>,
}

impl Scan {
    pub(crate) fn new(folder: &Path) -> Result<Self, RecipeSetError> {
        let failed = |source| RecipeSetError::Io { folder: folder.to_owned(), source };
        let root = fs_err::canonicalize(folder).map_err(failed)?;
        // A file would otherwise look like a folder with nothing in it.
        fs_err::read_dir(&root).map_err(failed)?;
        Ok(Self { folder: folder.to_owned(), root, problems: Vec::new(), left_out: 0, warnings: Vec::new() })
    }

    /// The folder, as it was named.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn problem(&mut self, problem: RecipeSetProblem) {
        if self.problems.len() < MAX_PROBLEMS { self.problems.push(problem) } else { self.left_out += 1 }
    }

    /// Notes a sentence, once.
    pub(crate) fn warn(&mut self, warning: String) {
        if self.warnings.len() < MAX_WARNINGS && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// The warnings, if nothing is wrong.
    pub(crate) fn finish(&mut self) -> Result<Vec<String>, RecipeSetError> {
        if self.problems.is_empty() {
            return Ok(std::mem::take(&mut self.warnings));
        }
        let problems = std::mem::take(&mut self.problems);
        Err(RecipeSetError::Problems { folder: self.folder.clone(), problems, left_out: self.left_out })
    }

    pub(crate) fn is_folder(&self, name: &str) -> bool {
        self.folder.join(name).is_dir()
    }

    pub(crate) fn is_file(&self, name: &str) -> bool {
        self.folder.join(name).is_file()
    }

    /// The folders in `folder`, sorted; those whose names begin with a dot are nobody's business.
    pub(crate) fn folders(&mut self, folder: &Path) -> Vec<PathBuf> {
        self.entries(folder, Path::is_dir)
    }

    /// The files in `folder`, sorted, but for those whose names begin with a dot.
    pub(crate) fn files(&mut self, folder: &Path) -> Vec<PathBuf> {
        self.entries(folder, |path| !path.is_dir())
    }

    fn entries(&mut self, folder: &Path, wanted: fn(&Path) -> bool) -> Vec<PathBuf> {
        if !self.is_inside(folder) {
            return Vec::new();
        }
        let listed = fs_err::read_dir(folder).and_then(|entries| {
            entries.take(MAX_ENTRIES + 1).map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>()
        });
        let mut listed = match listed {
            Ok(listed) => listed,
            Err(source) => {
                self.problem(RecipeSetProblem::Io { path: folder.to_owned(), source });
                return Vec::new();
            }
        };
        if listed.len() > MAX_ENTRIES {
            self.problem(RecipeSetProblem::TooMany { folder: folder.to_owned(), most: MAX_ENTRIES });
            return Vec::new();
        }
        listed.retain(|path| {
            let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
            !hidden && wanted(path)
        });
        listed.sort_unstable();
        listed
    }

    /// The text of a file, if it can be read.
    pub(crate) fn text(&mut self, file: &Path) -> Option<String> {
        if !self.is_inside(file) {
            return None;
        }
        match read_text(file) {
            Ok(Ok(text)) => return Some(text),
            Ok(Err(reason)) => self.problem(RecipeSetProblem::Unreadable { path: file.to_owned(), reason }),
            Err(source) => self.problem(RecipeSetProblem::Io { path: file.to_owned(), source }),
        }
        None
    }

    /// Whether a path is in the recipe set, links followed. If not, that is a problem.
    fn is_inside(&mut self, path: &Path) -> bool {
        match fs_err::canonicalize(path) {
            Ok(real) if real.starts_with(&self.root) => return true,
            Ok(target) => self.problem(RecipeSetProblem::Outside { path: path.to_owned(), target }),
            Err(source) => self.problem(RecipeSetProblem::Io { path: path.to_owned(), source }),
        }
        false
    }
}

/// The text of a file, or why it is not read.
fn read_text(file: &Path) -> std::io::Result<Result<String, String>> {
    // A pipe would never end, and some devices do not either.
    if !fs_err::metadata(file)?.is_file() {
        return Ok(Err("is not a file".into()));
    }
    let mut bytes = Vec::new();
    fs_err::File::open(file)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_BYTES {
        return Ok(Err(format!("is longer than {MAX_BYTES} bytes")));
    }
    Ok(String::from_utf8(bytes).map_err(|_| "is not UTF-8".into()))
}
