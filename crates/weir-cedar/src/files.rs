//! The files of a policy set, as bytes.

use std::collections::BTreeMap;
use std::path::Path;

use weir_fs::{Access, Durability, Folder, FsError};
use weir_model::{Digest, Sha256};

use crate::problem::{PolicyError, Problem};
use weir_model::unseen::Named as _;

/// Where the files of a registry's set are, below its folder.
pub const POLICY_FOLDER: &str = "policy";

/// The file that puts people into groups.
pub const GROUPS_FILE: &str = "groups.toml";

/// Files that a set can have, its cases among them.
pub const MAX_FILES: usize = 64;

/// Bytes of one of them.
pub const MAX_FILE: u64 = 64 << 10;

/// Bytes of all that decide.
pub const MAX_TOTAL: u64 = 256 << 10;

/// Names in the folder that are looked at: more are no policy set.
const MAX_NAMES: usize = 1024;

/// Longest name, in bytes.
const MAX_NAME: usize = 64;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    /// Its name, such as `team.cedar`.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// The files of a set: rules (`*.cedar`) and groups (`groups.toml`), by which it decides, and cases (other `*.toml`), by which
/// it is tested.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyFiles {
    /// What decides, by name.
    deciding: BTreeMap<String, String>,
    /// What tests it, by name.
    cases: BTreeMap<String, String>,
}

impl PolicyFiles {
    /// A set of these files.
    ///
    /// # Errors
    ///
    /// When there are too many, they are too large, or one is of no sort that a set has.
    pub fn new(files: impl IntoIterator<Item = PolicyFile>) -> Result<Self, PolicyError> {
        let mut set = Self::default();
        let mut problems = Vec::new();
        for file in files {
            if set.deciding.contains_key(&file.name) || set.cases.contains_key(&file.name) {
                problems.push(Problem::of_file(&file.name, "two files have this name"));
                continue;
            }
            let place = match sort_of(&file.name) {
                Some(Sort::Deciding) => &mut set.deciding,
                Some(Sort::Cases) => &mut set.cases,
                None => {
                    let shown = file.name.named();
                    let told = "a policy set has `*.cedar`, `groups.toml`, and cases in other `*.toml`";
                    problems.push(Problem::of_file(&shown, told));
                    continue;
                }
            };
            if file.text.len() as u64 > MAX_FILE {
                problems.push(Problem::of_file(&file.name, too_large(file.text.len() as u64)));
            }
            place.insert(file.name, file.text);
        }
        let count = set.deciding.len() + set.cases.len();
        if count > MAX_FILES {
            problems.push(Problem::of_file(
                POLICY_FOLDER,
                format!("there are {count} files, {MAX_FILES} are allowed"),
            ));
        }
        let total: u64 = set.deciding.values().map(|text| text.len() as u64).sum();
        if total > MAX_TOTAL {
            let told = format!("the rules have {total} bytes together, {MAX_TOTAL} are allowed");
            problems.push(Problem::of_file(POLICY_FOLDER, told));
        }
        if problems.is_empty() { Ok(set) } else { Err(PolicyError { problems }) }
    }

    /// The files of the registry in `root`; none if it has no set of its own. What else is in the folder is left alone.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or are more than a set can be.
    pub fn read(root: &Path) -> Result<Self, PolicyError> {
        let folder = Folder::open(root).and_then(|root| root.find_folder(POLICY_FOLDER));
        match folder {
            Ok(Some(folder)) => Self::read_folder(&folder),
            Ok(None) => Ok(Self::default()),
            Err(error) => Err(unreadable(POLICY_FOLDER, &error)),
        }
    }

    /// The files of a set that lie in `folder`.
    ///
    /// # Errors
    ///
    /// As [`PolicyFiles::read`].
    pub fn read_folder(folder: &Folder) -> Result<Self, PolicyError> {
        let entries = folder.entries().map_err(|error| unreadable(POLICY_FOLDER, &error))?;
        if entries.len() > MAX_NAMES {
            let told = format!("there are {} files, {MAX_FILES} are allowed", entries.len());
            return Err(PolicyError { problems: vec![Problem::of_file(POLICY_FOLDER, told)] });
        }
        let names = entries.iter().filter_map(|entry| entry.name.to_str()).map(str::to_owned);
        let mut names: Vec<String> = names.filter(|name| sort_of(name).is_some()).collect();
        names.sort_unstable();
        if names.len() > MAX_FILES {
            let told = format!("there are {} files, {MAX_FILES} are allowed", names.len());
            return Err(PolicyError { problems: vec![Problem::of_file(POLICY_FOLDER, told)] });
        }
        let mut files = Vec::new();
        for name in names {
            let text = folder.read_text(&name, MAX_FILE).map_err(|error| unreadable(&name, &error))?;
            files.push(PolicyFile { name, text });
        }
        Self::new(files)
    }

    /// Writes them as the set of the registry in `root`, in place of those that are there: each in one step, and all of them
    /// on the disk before this returns.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    pub fn write(&self, root: &Path) -> Result<(), FsError> {
        let root = Folder::open(root)?;
        if self.is_empty() && root.find_folder(POLICY_FOLDER)?.is_none() {
            return Ok(());
        }
        let folder = root.make_shared_folder(POLICY_FOLDER, Durability::Durable)?;
        for (name, text) in self.deciding.iter().chain(&self.cases) {
            folder.replace(name, text.as_bytes(), Access::Public, Durability::Durable)?;
        }
        for entry in folder.entries()? {
            let stale = entry.name.to_str().is_some_and(|name| {
                sort_of(name).is_some() && !self.deciding.contains_key(name) && !self.cases.contains_key(name)
            });
            if stale {
                folder.remove_file(&entry.name)?;
            }
        }
        folder.sync()
    }

    /// The SHA-256 of `weir-policy v1`, then for each file that decides, by name, a line of its name and its bytes, and its
    /// text. Cases are not among them. `None` of a set without rules, which is no set.
    pub fn digest(&self) -> Option<Sha256> {
        if self.deciding.is_empty() {
            return None;
        }
        let mut whole = String::from("weir-policy v1\n");
        for (name, text) in &self.deciding {
            whole.push_str(&format!("{name} {}\n{text}", text.len()));
        }
        Some(Digest::of(whole))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.deciding.is_empty() && self.cases.is_empty()
    }

    /// The rules, by the name of the file.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &str)> {
        self.deciding
            .iter()
            .filter(|(name, _)| *name != GROUPS_FILE)
            .map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The text of `groups.toml`.
    pub fn groups(&self) -> Option<&str> {
        self.deciding.get(GROUPS_FILE).map(String::as_str)
    }

    /// The cases, by the name of the file.
    pub fn cases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.cases.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// All of them, by name: what decides, then cases.
    pub fn all(&self) -> impl Iterator<Item = PolicyFile> {
        let files = self.deciding.iter().chain(&self.cases);
        files.map(|(name, text)| PolicyFile { name: name.clone(), text: text.clone() })
    }
}

enum Sort {
    Deciding,
    Cases,
}

fn sort_of(name: &str) -> Option<Sort> {
    let stem_and_ending = name.rsplit_once('.')?;
    let plain = |stem: &str| {
        stem.starts_with(|first: char| first.is_ascii_alphanumeric())
            && stem.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character))
    };
    match stem_and_ending {
        (stem, _) if !plain(stem) || name.len() > MAX_NAME => None,
        (_, "cedar") => Some(Sort::Deciding),
        ("groups", "toml") => Some(Sort::Deciding),
        (_, "toml") => Some(Sort::Cases),
        _ => None,
    }
}

fn too_large(bytes: u64) -> String {
    format!("it has {bytes} bytes, {MAX_FILE} are allowed")
}

fn unreadable(name: &str, error: &FsError) -> PolicyError {
    PolicyError { problems: vec![Problem::of_file(name, error.to_string())] }
}
