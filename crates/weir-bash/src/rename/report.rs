//! What renaming decided, for people and for machines.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::decide::{Target, Verdicts};
use super::facts::Facts;
use super::{SourceFile, Unreadable};
use crate::grammar::{Lines, SyntaxError};

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file's path in the package.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in bytes, from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A function or a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A function.
    Function,
    /// A global variable.
    Variable,
    /// A `declare` that became `declare -g`.
    Declaration,
}

/// A name that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Renaming {
    /// Function or variable.
    pub what: What,
    /// The name before.
    pub from: Arc<str>,
    /// The name after.
    pub to: Arc<str>,
    /// Where.
    pub place: Place,
}

/// What was done where it could not be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The name stays.
    Kept,
    /// The name was changed.
    Renamed,
}

/// Why a place could not be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The name is put together when the code runs.
    BuiltName,
    /// It has the slug of a package that defines no such function.
    NotDefined,
    /// An argument equals a function's name.
    ArgumentLikeFunction,
    /// An argument equals a variable's name.
    ArgumentLikeVariable,
    /// The name stands in a string that is not code.
    InString,
    /// The name stands in a here-document that is not code.
    InHereDocument,
    /// The grammar could not read this part of the file.
    Unreadable,
    /// The name stands where no rule applies.
    Elsewhere,
    /// The variable is local in one function and global in another.
    LocalAndGlobal,
    /// The variable looks like a setting from the environment.
    LikeSetting,
    /// The variable is set for one command, which may be a program.
    ForOneCommand,
    /// The function's name is one that Bash itself calls.
    Hook,
    /// A dependency's variable is also a variable of this package.
    Shared,
    /// A function of a dependency is defined anew.
    Overrides,
    /// It is not known whether the array is associative, so whether this is a variable or a key.
    UnknownArray,
    /// Code is nested in strings of code too deeply.
    TooDeep,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BuiltName => "the name is put together when the code runs",
            Self::NotDefined => "the package with this slug defines no such function",
            Self::ArgumentLikeFunction => "an argument equals the name of a function",
            Self::ArgumentLikeVariable => "an argument equals the name of a variable",
            Self::InString => "it stands in a string that is not code",
            Self::InHereDocument => "it stands in a here-document that is not code",
            Self::Unreadable => "this part of the file could not be parsed",
            Self::Elsewhere => "no rule applies to this place",
            Self::LocalAndGlobal => {
                "the variable is local in one function and assigned as a global in another"
            }
            Self::LikeSetting => "the variable looks like a setting from the environment",
            Self::ForOneCommand => "the variable is set for one command, which may be a program",
            Self::Hook => "Bash itself calls a function of this name",
            Self::Shared => "a variable of a dependency has the same name as one of this package",
            Self::Overrides => "a function of a dependency is defined anew",
            Self::UnknownArray => "the word is a variable or, if the array is associative, a key",
            Self::TooDeep => "code is nested in strings of code too deeply",
        })
    }
}

/// A place that could not be decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undecided {
    /// Where.
    pub place: Place,
    /// What stands there.
    pub text: String,
    /// Why it is not decided.
    pub why: Why,
    /// What was done.
    pub choice: Choice,
}

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let choice = match self.choice {
            Choice::Kept => "kept",
            Choice::Renamed => "renamed",
        };
        write!(f, "{}: `{}` {choice}: {}", self.place, self.text, self.why)
    }
}

/// Everything that was decided about a package.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Names changed where they are defined, declared or assigned, in order of place.
    pub definitions: Vec<Renaming>,
    /// Names changed where they are used.
    pub uses: Vec<Renaming>,
    /// Places that could not be decided.
    pub undecided: Vec<Undecided>,
    /// Places that the grammar could not read.
    pub syntax: Vec<(String, SyntaxError)>,
    /// Files that were not parsed at all, and are unchanged.
    pub unreadable: Vec<Unreadable>,
}

impl Report {
    pub(crate) fn fill(&mut self, files: &[SourceFile], lines: &[Lines], facts: &Facts, verdicts: &Verdicts) {
        let paths: Vec<Arc<str>> = files.iter().map(|file| file.path.as_str().into()).collect();
        let place = |file: u32, offset: u32| {
            let (line, column) = lines[file as usize].locate(offset);
            Place { file: paths[file as usize].clone(), line, column }
        };
        let mut texts: HashMap<Vec<u8>, Arc<str>> = HashMap::new();
        let mut text = |bytes: Vec<u8>| -> Arc<str> {
            texts.entry(bytes).or_insert_with_key(|bytes| String::from_utf8_lossy(bytes).into()).clone()
        };
        for change in &verdicts.changes {
            let renaming = Renaming {
                what: change.what,
                from: text(change.from.clone()),
                to: text(change.insertion.apply(&change.from)),
                place: place(change.file, change.start),
            };
            match change.target {
                Target::Definition => self.definitions.push(renaming),
                Target::Use => self.uses.push(renaming),
            }
        }
        for addition in &facts.additions {
            let (what, place) = (What::Declaration, place(addition.file, addition.at));
            self.definitions.push(Renaming { what, from: "declare".into(), to: "declare -g".into(), place });
        }
        for doubt in &verdicts.doubts {
            let shown = String::from_utf8_lossy(&doubt.text);
            self.undecided.push(Undecided {
                place: place(doubt.file, doubt.start),
                text: shown.chars().take(120).map(|c| if c.is_control() { ' ' } else { c }).collect(),
                why: doubt.why,
                choice: doubt.choice,
            });
        }
        for (file, start) in &facts.too_deep {
            let (why, choice) = (Why::TooDeep, Choice::Kept);
            self.undecided.push(Undecided { place: place(*file, *start), text: String::new(), why, choice });
        }
        self.definitions.sort_by(|a, b| a.place.cmp(&b.place));
        self.uses.sort_by(|a, b| a.place.cmp(&b.place));
        self.undecided.sort_by(|a, b| (&a.place, a.why).cmp(&(&b.place, b.why)));
        self.undecided.dedup();
    }
}
