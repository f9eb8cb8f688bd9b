//! What renaming decided, for people and for machines.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::SourceFile;
use super::decide::{Target, Verdicts};
use super::facts::Facts;
use super::names::Owner;
use crate::grammar::Lines;

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[schemars(rename = "PlaceInScript")]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "ChoiceOfName")]
pub enum Choice {
    /// The name stays.
    Kept,
    /// The name was changed.
    Renamed,
}

/// Why a place could not be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "WhyUndecided")]
pub enum Why {
    /// The name is put together when the code runs.
    BuiltName,
    /// It has the slug of a package that defines no such function.
    NotDefined,
    /// An argument equals a function's name.
    ArgumentLikeFunction,
    /// An argument equals a variable's name.
    ArgumentLikeVariable,
    /// The name is printed on its own, and may be meant for code that reads it.
    Printed,
    /// The name stands in a string that is not code.
    InString,
    /// The name stands in a here-document that is not code.
    InHereDocument,
    /// The file could not be read whole, so nothing in it is changed.
    UnreadFile,
    /// Code in a string could not be read.
    UnreadCode,
    /// Code is run that is only known then.
    UnknownCode,
    /// A file is sourced that is not one of the package.
    Sourced,
    /// Names of functions or variables are listed, or found by their beginnings, when the code runs.
    Listed,
    /// Code looks at the name of the function that runs.
    OwnName,
    /// It is printed with its name.
    Shown,
    /// A function or a variable is made by a name that is only known when the code runs, so every version in the shell shares it.
    Made,
    /// The variable is exported, so every version in the shell shares it.
    Exported,
    /// The function has the name of a command.
    LikeCommand,
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
            Self::Printed => "the name is printed, maybe for code that reads it",
            Self::InString => "it stands in a string that is not code",
            Self::InHereDocument => "it stands in a here-document that is not code",
            Self::UnreadFile => "the file could not be read whole, so nothing in it changes",
            Self::UnreadCode => "this code in a string could not be read",
            Self::UnknownCode => "code runs here that is only known then",
            Self::Sourced => "a file is sourced that is not found in the package",
            Self::Listed => "names are listed when the code runs",
            Self::OwnName => "the code looks at the name of the function that runs",
            Self::Shown => "it is printed with its name, which is the new one then",
            Self::Made => {
                "something is made by a name that is only known then, so all versions of the package share it"
            }
            Self::Exported => "the variable is exported, so all versions of the package share it",
            Self::LikeCommand => "the function has the name of a command",
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Undecided {
    /// Where.
    pub place: Place,
    /// What stands there.
    pub text: String,
    /// Why it is not decided.
    pub why: Why,
    /// What was done.
    pub choice: Choice,
    /// The dependency whose names it is about, by its place in the list; none where they are the package's own.
    pub dependency: Option<usize>,
}

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let choice = match self.choice {
            Choice::Kept => "kept",
            Choice::Renamed => "renamed",
        };
        match self.text.as_str() {
            "" => write!(f, "{}: {}", self.place, self.why),
            text => write!(f, "{}: `{text}` {choice}: {}", self.place, self.why),
        }
    }
}

/// A file that could not be read whole, and so is not changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct UnreadFile {
    /// The first place that could not be read.
    pub place: Place,
    /// What stands there, or what is wrong with the file.
    pub text: String,
}

impl fmt::Display for UnreadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: the file could not be read whole, so nothing in it changes: `{}`",
            self.place, self.text
        )
    }
}

/// How many places a line of [`summary`] names.
const PLACES_NAMED: usize = 6;

/// Undecided places for people: a line for each file and kind of doubt, with how many there are and where the first ones
/// stand.
pub fn summary<'a>(undecided: impl IntoIterator<Item = &'a Undecided>) -> Vec<String> {
    let mut groups: BTreeMap<(&str, Why), Vec<&Undecided>> = BTreeMap::new();
    for doubt in undecided {
        groups.entry((&doubt.place.file, doubt.why)).or_default().push(doubt);
    }
    let line = |((file, why), doubts): ((&str, Why), Vec<&Undecided>)| {
        let named = |doubt: &&Undecided| match doubt.text.as_str() {
            "" => doubt.place.line.to_string(),
            text => format!("{} `{text}`", doubt.place.line),
        };
        let mut places: Vec<String> = doubts.iter().map(named).collect();
        places.dedup();
        let count = places.len();
        places.truncate(PLACES_NAMED);
        let more = if count > PLACES_NAMED { ", …" } else { "" };
        let count = if count == 1 { "1 place".to_owned() } else { format!("{count} places") };
        format!("{file}: {count}: {why}: line {}{more}", places.join(", "))
    };
    groups.into_iter().map(line).collect()
}

/// Everything that was decided about a package.
#[derive(Debug, Clone, Default, Serialize, schemars::JsonSchema)]
pub struct Report {
    /// Names changed where they are defined, declared or assigned, in order of place.
    pub definitions: Vec<Renaming>,
    /// Names changed where they are used.
    pub uses: Vec<Renaming>,
    /// Places that could not be decided.
    pub undecided: Vec<Undecided>,
    /// Files that could not be read whole, and are unchanged.
    pub unread: Vec<UnreadFile>,
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
                dependency: match doubt.owner {
                    Owner::Subject => None,
                    Owner::Dependency(index) => Some(index),
                },
            });
        }
        self.definitions.sort_by(|a, b| a.place.cmp(&b.place));
        self.uses.sort_by(|a, b| a.place.cmp(&b.place));
        self.undecided.sort_by(|a, b| (&a.place, a.why).cmp(&(&b.place, b.why)));
        self.undecided.dedup();
    }
}
