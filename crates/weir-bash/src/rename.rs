//! Renaming (transmogrification): giving a release of a library names of its own, so that
//! several releases can be loaded into one shell.
//!
//! A **transitive** package's functions and global variables get its version into their names,
//! where they are defined and wherever a package that depends on *that* release uses them. A **direct**
//! dependency keeps its names, and only its uses of others are rewritten. The new names are described in
//! [`version_mark`].
//!
//! The unit is a shell word, found by the grammar. First every file is walked once and every place
//! where a name stands is noted; then it is decided what each name is; then the names are changed. Bytes
//! outside the changes stay as they are, whatever they are.
//!
//! **Silence is a bug**: a place where a use cannot be decided is in the [`Report`], with the choice made.
//! To be sure of it, every file is searched at the end for names that no rule has looked at.
//!
//! A top-level `declare` becomes `declare -g`: files are sourced from a function
//! (`weir.load`), where `declare` would make a local variable.

mod calls;
mod collect;
mod commands;
mod decide;
mod declarations;
mod expansions;
mod facts;
mod form;
mod invocations;
mod names;
mod naming;
mod programs;
mod report;
mod residue;
mod text;
mod trace;
mod values;
mod variables;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use naming::version_mark;
pub use report::{Choice, Place, Renaming, Report, Undecided, UnreadFile, What, Why, summary};
pub(crate) use variables::is_of_the_shell;

use crate::grammar::{self, Lines, Parsed, Unread};

/// The scheme's number: part of the digest of a rewritten tree's inputs, raised with every change of its rules.
pub const SCHEME: u32 = 12;

/// A shell file of a package.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its path in the package's tree, `/`-separated.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The package whose files are rewritten.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// Its slugs, the main one first.
    pub slugs: Vec<String>,
    /// Its mark ([`version_mark`]) if its own names are to change; `None` for a direct dependency.
    pub mark: Option<String>,
    /// Functions and variables whose names stay.
    pub keep: Vec<String>,
    /// Variables whose names change although a rule would keep them.
    pub state: Vec<String>,
    /// The paths of files that are run and not sourced. What such a program defines is its own, and keeps its name.
    pub programs: BTreeSet<String>,
}

/// A package that the subject depends on.
#[derive(Debug, Clone, Default)]
pub struct Dependency {
    /// What to call it in the report.
    pub name: String,
    /// Its slugs.
    pub slugs: Vec<String>,
    /// Its mark, if its names changed.
    pub mark: Option<String>,
    /// Its new names, from its own [`Output`].
    pub exports: Exports,
    /// The subject is its test suite: a function that it defines anew takes the place of the package's, as before.
    pub under_test: bool,
}

/// New names by old names: what a package's dependents need to know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exports {
    /// Functions.
    pub functions: BTreeMap<String, String>,
    /// Global variables.
    pub variables: BTreeMap<String, String>,
}

/// What renaming makes of a package.
#[derive(Debug, Clone)]
pub struct Output {
    /// The files, in the order they were given, rewritten or not.
    pub files: Vec<SourceFile>,
    /// The subject's own new names.
    pub exports: Exports,
    /// What was decided, and what could not be.
    pub report: Report,
}

/// Rewrites a package's files.
///
/// A file that cannot be read whole comes back as it is, and the report says so.
pub fn rename(files: Vec<SourceFile>, subject: &Subject, dependencies: &[Dependency]) -> Output {
    let mut facts = facts::Facts::new(&files, &subject.programs);
    let mut unread = Vec::new();
    for (index, file) in (0..).zip(&files) {
        match read(file) {
            Ok(parsed) => collect::collect(&mut facts, index, parsed),
            Err(error) => {
                facts.regions.push(Vec::new());
                unread.push((index, error));
            }
        }
    }
    let names = names::Names::new(&facts, subject, dependencies);
    let mut verdicts = decide::decide(&files, &facts, &names);
    trace::trace(&files, &facts, &names, &mut verdicts);
    residue::search(&files, &facts, &names, &mut verdicts);
    verdicts.leave_unread(&files, &unread, &names);
    let lines: Vec<Lines> = files.iter().map(|file| Lines::new(&file.bytes)).collect();
    let mut report = Report::default();
    report.fill(&files, &lines, &facts, &verdicts);
    report
        .unread
        .extend(unread.into_iter().map(|(index, error)| unread_file(&files[index as usize], &error)));
    let exports = names.exports();
    Output { files: apply(files, verdicts.edits), exports, report }
}

/// Reads a file by the grammar, whole.
///
/// # Errors
///
/// Why and where it cannot be read.
pub fn read(file: &SourceFile) -> Result<Parsed, Unread> {
    grammar::read(match file.path.ends_with(".bats") {
        true => grammar::mask_bats(&file.bytes),
        false => file.bytes.clone(),
    })
}

/// What is told of a file that could not be read.
pub fn unread_file(file: &SourceFile, error: &Unread) -> UnreadFile {
    let (line, column) = Lines::new(&file.bytes).locate(error.start());
    UnreadFile { place: Place { file: file.path.as_str().into(), line, column }, text: error.to_string() }
}

fn apply(files: Vec<SourceFile>, mut edits: Vec<decide::Edit>) -> Vec<SourceFile> {
    edits.sort_by(|a, b| (a.file, a.at, &a.text).cmp(&(b.file, b.at, &b.text)));
    edits.dedup();
    let mut edits = edits.into_iter().peekable();
    let mut written = Vec::with_capacity(files.len());
    for (index, file) in files.into_iter().enumerate() {
        let mut bytes = Vec::with_capacity(file.bytes.len());
        let mut from = 0;
        while let Some(edit) = edits.next_if(|edit| edit.file as usize == index) {
            let at = edit.at as usize;
            bytes.extend_from_slice(&file.bytes[from..at]);
            bytes.extend_from_slice(edit.text.as_bytes());
            from = at;
        }
        bytes.extend_from_slice(&file.bytes[from..]);
        written.push(SourceFile { path: file.path, bytes });
    }
    written
}

#[cfg(test)]
mod forms;
#[cfg(test)]
mod indirect;
#[cfg(test)]
mod kinds;
#[cfg(test)]
mod tests;
