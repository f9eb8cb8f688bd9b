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

mod collect;
mod commands;
mod decide;
mod declarations;
mod expansions;
mod facts;
mod invocations;
mod names;
mod naming;
mod report;
mod residue;
mod text;
mod variables;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use naming::version_mark;
pub use report::{Choice, Place, Renaming, Report, Undecided, What, Why};

use crate::grammar::{self, GrammarError, Lines};

/// The scheme's number: part of the digest of a rewritten tree's inputs, raised with every change of its rules.
pub const SCHEME: u32 = 4;

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
    pub rename: Vec<String>,
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
/// A file that cannot be parsed at all (a binary, a giant) comes back as it is, and the report says so.
pub fn rename(files: Vec<SourceFile>, subject: &Subject, dependencies: &[Dependency]) -> Output {
    let mut facts = facts::Facts::new();
    let mut report = Report::default();
    for (index, file) in files.iter().enumerate() {
        collect_file(&mut facts, &mut report, index as u32, file);
    }
    let names = names::Names::new(&facts, subject, dependencies);
    let mut verdicts = decide::decide(&facts, &names);
    residue::search(&files, &facts, &names, &mut verdicts);
    let lines: Vec<Lines> = files.iter().map(|file| Lines::new(&file.bytes)).collect();
    report.fill(&files, &lines, &facts, &verdicts);
    let exports = names.exports();
    Output { files: apply(files, verdicts.edits), exports, report }
}

fn collect_file(facts: &mut facts::Facts, report: &mut Report, index: u32, file: &SourceFile) {
    let masked =
        if file.path.ends_with(".bats") { grammar::mask_bats(&file.bytes) } else { file.bytes.clone() };
    match grammar::parse_helped(masked) {
        Ok(parsed) => {
            for error in grammar::syntax_errors(&parsed.tree, &parsed.bytes) {
                report.syntax.push((file.path.clone(), error));
            }
            collect::collect(facts, index, parsed);
        }
        Err(error) => {
            facts.regions.push(Vec::new());
            facts.damaged.push(false);
            report.unreadable.push((file.path.clone(), error));
        }
    }
}

/// Files that could not be parsed, with the reason.
pub type Unreadable = (String, GrammarError);

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
mod tests;
