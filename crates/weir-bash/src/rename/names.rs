//! Which names change, and how: the package's own, and those of what it uses.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::facts::{Facts, Role};
use super::naming::{Insertion, rename_function, spelled_prefix, variable_suffix};
use super::report::{Choice, Why};
use super::variables::{Fate, variables};
use super::{Dependency, Exports, Subject};

/// A slug that names can be built from, and what it becomes.
pub(super) struct Prefix {
    pub(super) slug: String,
    pub(super) mark: String,
}

/// The names that change, and how.
pub(crate) struct Names {
    pub(crate) functions: HashMap<Vec<u8>, Insertion>,
    pub(crate) variables: HashMap<Vec<u8>, Insertion>,
    pub(super) own_functions: HashSet<Vec<u8>>,
    pub(super) own_variables: HashSet<Vec<u8>>,
    pub(super) associative: HashSet<Vec<u8>>,
    pub(super) known_arrays: HashSet<Vec<u8>>,
    /// Functions of this package that take names of variables as arguments.
    pub(super) takers: HashSet<Vec<u8>>,
    /// Functions of this package that take names of functions as arguments.
    pub(super) callers: HashSet<Vec<u8>>,
    pub(super) own_defined: HashSet<Vec<u8>>,
    pub(super) prefixes: Vec<Prefix>,
    /// Variables that are kept in doubt: the occurrence to show, and the reason.
    pub(super) doubts: Vec<(usize, Why, Choice)>,
}

impl Names {
    pub(crate) fn new(facts: &Facts, subject: &Subject, dependencies: &[Dependency]) -> Self {
        let mut names = Self {
            functions: HashMap::new(),
            variables: HashMap::new(),
            own_functions: HashSet::new(),
            own_variables: HashSet::new(),
            associative: HashSet::new(),
            known_arrays: HashSet::new(),
            takers: HashSet::new(),
            callers: HashSet::new(),
            own_defined: HashSet::new(),
            prefixes: Vec::new(),
            doubts: Vec::new(),
        };
        names.add_functions(facts, subject);
        let defined =
            facts.occurrences.iter().enumerate().filter(|(_, occurrence)| occurrence.role == Role::Define);
        let definitions = defined.map(|(index, occurrence)| (&occurrence.text.bytes[..], index)).collect();
        for dependency in dependencies {
            names.add_exports(&definitions, dependency);
        }
        names.add_variables(facts, subject, dependencies);
        names
    }

    fn add_functions(&mut self, facts: &Facts, subject: &Subject) {
        let keep: HashSet<&[u8]> = subject.keep.iter().map(String::as_bytes).collect();
        for (index, occurrence) in facts.occurrences.iter().enumerate() {
            if occurrence.role == Role::Define && occurrence.text.is_known() {
                let name = &occurrence.text.bytes;
                if subject.mark.is_some() && is_hook(name) && !keep.contains(&name[..]) {
                    self.doubts.push((index, Why::Hook, Choice::Kept));
                }
                self.add_function(name, subject, &keep);
            }
        }
        for name in &facts.unread_definitions {
            self.add_function(name, subject, &keep);
        }
        for function in &facts.functions {
            if function.takes_names {
                self.takers.insert(function.name.clone());
            }
            if function.takes_functions {
                self.callers.insert(function.name.clone());
            }
        }
        self.add_prefixes(&subject.slugs, subject.mark.as_deref());
    }

    fn add_function(&mut self, name: &[u8], subject: &Subject, keep: &HashSet<&[u8]>) {
        if !self.own_defined.insert(name.to_vec()) || keep.contains(name) || is_hook(name) {
            return;
        }
        let insertion = subject.mark.as_ref().and_then(|mark| rename_function(name, &subject.slugs, mark));
        if let Some(insertion) = insertion {
            self.functions.insert(name.to_vec(), insertion);
            self.own_functions.insert(name.to_vec());
        }
    }

    fn add_prefixes(&mut self, slugs: &[String], mark: Option<&str>) {
        let Some(mark) = mark else { return };
        self.prefixes.extend(slugs.iter().map(|slug| Prefix { slug: slug.clone(), mark: mark.to_owned() }));
    }

    fn add_exports(&mut self, definitions: &HashMap<&[u8], usize>, dependency: &Dependency) {
        for (old, new) in &dependency.exports.functions {
            let Some(insertion) = Insertion::between(old.as_bytes(), new.as_bytes()) else { continue };
            if !self.own_defined.contains(old.as_bytes()) {
                self.functions.entry(old.clone().into_bytes()).or_insert(insertion);
            } else if dependency.under_test && !is_called_by_runners(old.as_bytes())
                || dependency.slugs.iter().any(|slug| spelled_prefix(old.as_bytes(), slug).is_some())
            {
                // With the dependency's slug, or in its own tests, it is the dependency's function that is meant to be replaced.
                self.own_functions.remove(old.as_bytes());
                self.functions.insert(old.clone().into_bytes(), insertion);
                if let Some(index) = definitions.get(old.as_bytes()).copied() {
                    self.doubts.push((index, Why::Overrides, Choice::Renamed));
                }
            }
        }
        self.add_prefixes(&dependency.slugs, dependency.mark.as_deref());
    }

    fn add_variables(&mut self, facts: &Facts, subject: &Subject, dependencies: &[Dependency]) {
        let keep: HashSet<&str> = subject.keep.iter().map(String::as_str).collect();
        let force: HashSet<&str> = subject.rename.iter().map(String::as_str).collect();
        let found = variables(facts);
        for (name, variable) in &found {
            if variable.associative {
                self.associative.insert(name.as_bytes().to_vec());
            }
            if variable.is_state() || variable.local {
                self.known_arrays.insert(name.as_bytes().to_vec());
            }
        }
        let mut shared: HashMap<&str, usize> = HashMap::new();
        for dependency in dependencies {
            for name in dependency.exports.variables.keys() {
                *shared.entry(name).or_default() += 1;
            }
        }
        for (old, new) in dependencies.iter().flat_map(|dependency| &dependency.exports.variables) {
            let Some(insertion) = Insertion::between(old.as_bytes(), new.as_bytes()) else { continue };
            let own = found.get(old.as_str());
            let declared = own.filter(|own| own.declared || own.local);
            // What is declared here and given a value only elsewhere is how a dependency hands back a result.
            let handed_back = declared.is_some_and(|own| !own.assigned);
            let alone = shared.get(old.as_str()) == Some(&1);
            let renamed = alone && (declared.is_none() || handed_back);
            if renamed {
                self.variables.insert(old.clone().into_bytes(), insertion);
            }
            if let Some(own) = own.filter(|_| !renamed || handed_back) {
                let choice = if renamed { Choice::Renamed } else { Choice::Kept };
                self.doubts.push((own.shown, Why::Shared, choice));
            }
        }
        let (Some(mark), Some(slug)) = (&subject.mark, subject.slugs.first()) else { return };
        let suffix = variable_suffix(slug, mark);
        for (name, variable) in &found {
            let bytes = name.as_bytes();
            if self.variables.contains_key(bytes) || name.ends_with(&suffix) {
                continue;
            }
            match variable.fate(name, &keep, &force) {
                Fate::Renamed => {
                    self.variables
                        .insert(bytes.to_vec(), Insertion { at: bytes.len(), text: suffix.clone() });
                    self.own_variables.insert(bytes.to_vec());
                }
                Fate::KeptInDoubt(why) => self.doubts.push((variable.shown, why, Choice::Kept)),
                Fate::Kept | Fate::NotState => {}
            }
        }
    }

    /// The subject's own new names.
    pub(crate) fn exports(&self) -> Exports {
        let pick = |all: &HashMap<Vec<u8>, Insertion>, own: &HashSet<Vec<u8>>| -> BTreeMap<String, String> {
            let own = all.iter().filter(|(name, _)| own.contains(*name));
            let texts = own.map(|(name, insertion)| {
                (String::from_utf8(name.clone()), String::from_utf8(insertion.apply(name)))
            });
            texts.filter_map(|(old, new)| Some((old.ok()?, new.ok()?))).collect()
        };
        Exports {
            functions: pick(&self.functions, &self.own_functions),
            variables: pick(&self.variables, &self.own_variables),
        }
    }

    /// The slug that a name begins with, if it is one whose names change: where it ends, and what to put there.
    pub(super) fn prefix(&self, name: &[u8]) -> Option<Insertion> {
        self.prefixes.iter().find_map(|prefix| {
            let at = spelled_prefix(name, &prefix.slug)?;
            Some(Insertion { at, text: format!("_{}", prefix.mark) })
        })
    }
}

/// Functions that Bash itself calls by name.
fn is_hook(name: &[u8]) -> bool {
    matches!(name, b"command_not_found_handle")
}

/// Functions that Bats and shUnit2 call by name in every suite.
fn is_called_by_runners(name: &[u8]) -> bool {
    const BATS: &[&[u8]] =
        &[b"setup", b"teardown", b"setup_file", b"teardown_file", b"setup_suite", b"teardown_suite"];
    const SHUNIT: &[&[u8]] = &[b"setUp", b"tearDown", b"oneTimeSetUp", b"oneTimeTearDown", b"suite"];
    BATS.contains(&name) || SHUNIT.contains(&name)
}

/// Whether a name can hardly be anything but a function's: a bare `list` or `install` may be any word.
pub(crate) fn is_distinctive(name: &[u8]) -> bool {
    name.iter().skip(1).any(|byte| matches!(byte, b'.' | b':' | b'_'))
}

/// Whether a word can hardly be anything but a variable's name.
pub(crate) fn is_distinctive_variable(name: &[u8]) -> bool {
    name.len() > 2 && name.contains(&b'_')
}
