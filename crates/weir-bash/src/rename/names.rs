//! Which names change, and how: the package's own, and those of what it uses.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::commands::is_builtin;
use super::facts::{Facts, Role};
use super::naming::{Insertion, rename_function, spelled_prefix, spelled_slug, variable_suffix};
use super::report::{Choice, Why};
use super::variables::{Fate, Variable, variables};
use super::{Dependency, Exports, Subject};

/// Whose a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Owner {
    /// The package's that is rewritten.
    Subject,
    /// That of the dependency at this place in the list.
    Dependency(usize),
}

/// A slug that names can be built from, and what it becomes.
pub(super) struct Prefix {
    pub(super) slug: String,
    pub(super) mark: String,
    owner: Owner,
}

/// What becomes of a name.
#[derive(Debug, Clone)]
pub(crate) struct NewName {
    pub(crate) insertion: Insertion,
    pub(crate) owner: Owner,
}

/// A doubt about all places of one name.
pub(super) struct NameDoubt {
    /// The occurrence to show.
    pub(super) shown: usize,
    pub(super) why: Why,
    pub(super) choice: Choice,
    pub(super) owner: Owner,
}

/// The names that change, and how.
pub(crate) struct Names {
    pub(crate) functions: BTreeMap<Vec<u8>, NewName>,
    pub(crate) variables: BTreeMap<Vec<u8>, NewName>,
    /// Functions that a program defines for itself, by file.
    of_programs: HashMap<u32, HashSet<Vec<u8>>>,
    pub(super) associative: HashSet<Vec<u8>>,
    pub(super) known_arrays: HashSet<Vec<u8>>,
    /// Functions of this package that take names of variables as arguments.
    pub(super) takers: HashSet<Vec<u8>>,
    /// Functions of this package that take names of functions as arguments.
    pub(super) callers: HashSet<Vec<u8>>,
    pub(super) own_defined: BTreeSet<Vec<u8>>,
    /// Functions and variables whose names stay, by the manifest.
    pub(super) kept: BTreeSet<Vec<u8>>,
    pub(super) prefixes: Vec<Prefix>,
    /// Whether the package's own names change.
    pub(super) renames_own: bool,
    /// Variables that are kept in doubt: the occurrence to show, and the reason.
    pub(super) doubts: Vec<NameDoubt>,
    /// What was asked for before: many places are built from the same beginning.
    beginnings: RefCell<HashMap<(u32, Vec<u8>), Beginning>>,
    functions_listed: RefCell<HashMap<Vec<u8>, BTreeSet<Owner>>>,
    variables_listed: RefCell<HashMap<Vec<u8>, BTreeSet<Owner>>>,
}

impl Names {
    pub(crate) fn new(facts: &Facts, subject: &Subject, dependencies: &[Dependency]) -> Self {
        let mut names = Self {
            functions: BTreeMap::new(),
            variables: BTreeMap::new(),
            of_programs: HashMap::new(),
            associative: HashSet::new(),
            known_arrays: HashSet::new(),
            takers: HashSet::new(),
            callers: HashSet::new(),
            own_defined: BTreeSet::new(),
            kept: subject.keep.iter().map(|name| name.clone().into_bytes()).collect(),
            prefixes: Vec::new(),
            renames_own: subject.mark.is_some(),
            doubts: Vec::new(),
            beginnings: RefCell::default(),
            functions_listed: RefCell::default(),
            variables_listed: RefCell::default(),
        };
        names.add_functions(facts, subject);
        let defined =
            facts.occurrences.iter().enumerate().filter(|(_, occurrence)| occurrence.role == Role::Define);
        let definitions = defined.map(|(index, occurrence)| (&occurrence.text.bytes[..], index)).collect();
        for (index, dependency) in dependencies.iter().enumerate() {
            names.add_exports(&definitions, dependency, Owner::Dependency(index));
        }
        names.add_variables(facts, subject, dependencies);
        names
    }

    fn add_functions(&mut self, facts: &Facts, subject: &Subject) {
        let keep: HashSet<&[u8]> = subject.keep.iter().map(String::as_bytes).collect();
        let (of_programs, of_library): (Vec<_>, Vec<_>) = facts
            .occurrences
            .iter()
            .enumerate()
            .filter(|(_, occurrence)| occurrence.role == Role::Define && occurrence.text.is_known())
            .partition(|(_, occurrence)| facts.programs.contains(&occurrence.file));
        for (index, occurrence) in of_library {
            let name = &occurrence.text.bytes;
            if !self.own_defined.insert(name.clone()) || keep.contains(&name[..]) {
                continue;
            }
            if let Some(why) = why_kept(name, facts, &subject.slugs).filter(|_| subject.mark.is_some()) {
                self.doubt(index, why, Choice::Kept, Owner::Subject);
                continue;
            }
            let insertion =
                subject.mark.as_ref().and_then(|mark| rename_function(name, &subject.slugs, mark));
            if let Some(insertion) = insertion {
                self.functions.insert(name.clone(), NewName { insertion, owner: Owner::Subject });
            }
        }
        for (_, occurrence) in of_programs {
            if !self.own_defined.contains(&occurrence.text.bytes) {
                self.of_programs.entry(occurrence.file).or_default().insert(occurrence.text.bytes.clone());
            }
        }
        for function in &facts.functions {
            if function.takes_names {
                self.takers.insert(function.name.clone());
            }
            if function.takes_functions {
                self.callers.insert(function.name.clone());
            }
        }
        self.add_prefixes(&subject.slugs, subject.mark.as_deref(), Owner::Subject);
    }

    fn doubt(&mut self, shown: usize, why: Why, choice: Choice, owner: Owner) {
        self.doubts.push(NameDoubt { shown, why, choice, owner });
    }

    fn add_prefixes(&mut self, slugs: &[String], mark: Option<&str>, owner: Owner) {
        let Some(mark) = mark else { return };
        self.prefixes.extend(slugs.iter().map(|slug| Prefix {
            slug: slug.clone(),
            mark: mark.to_owned(),
            owner,
        }));
    }

    fn add_exports(&mut self, definitions: &HashMap<&[u8], usize>, dependency: &Dependency, owner: Owner) {
        for (old, new) in &dependency.exports.functions {
            let Some(insertion) = Insertion::between(old.as_bytes(), new.as_bytes()) else { continue };
            let new = NewName { insertion, owner };
            if !self.own_defined.contains(old.as_bytes()) {
                self.functions.entry(old.clone().into_bytes()).or_insert(new);
            } else if dependency.under_test && !is_called_by_runners(old.as_bytes())
                || dependency.slugs.iter().any(|slug| spelled_prefix(old.as_bytes(), slug).is_some())
            {
                // With the dependency's slug, or in its own tests, it is the dependency's function that is meant to be replaced.
                self.functions.insert(old.clone().into_bytes(), new);
                if let Some(index) = definitions.get(old.as_bytes()).copied() {
                    self.doubt(index, Why::Overrides, Choice::Renamed, owner);
                }
            }
        }
        self.add_prefixes(&dependency.slugs, dependency.mark.as_deref(), owner);
    }

    fn add_variables(&mut self, facts: &Facts, subject: &Subject, dependencies: &[Dependency]) {
        let found = variables(facts, |_| true);
        for (name, variable) in &found {
            if variable.associative {
                self.associative.insert(name.as_bytes().to_vec());
            }
            if variable.is_state() || variable.local {
                self.known_arrays.insert(name.as_bytes().to_vec());
            }
        }
        self.add_variables_of(dependencies, &found);
        self.add_own_variables(facts, subject);
    }

    fn add_variables_of(&mut self, dependencies: &[Dependency], found: &BTreeMap<&str, Variable>) {
        let mut shared: HashMap<&str, usize> = HashMap::new();
        for dependency in dependencies {
            for name in dependency.exports.variables.keys() {
                *shared.entry(name).or_default() += 1;
            }
        }
        let exported = dependencies.iter().enumerate().flat_map(|(index, dependency)| {
            dependency.exports.variables.iter().map(move |(old, new)| (Owner::Dependency(index), old, new))
        });
        for (owner, old, new) in exported {
            let Some(insertion) = Insertion::between(old.as_bytes(), new.as_bytes()) else { continue };
            let own = found.get(old.as_str());
            let declared = own.filter(|own| own.declared || own.local);
            // What is declared here and given a value only elsewhere is how a dependency hands back a result.
            let handed_back = declared.is_some_and(|own| !own.assigned);
            let alone = shared.get(old.as_str()) == Some(&1);
            let renamed = alone && (declared.is_none() || handed_back);
            if renamed {
                self.variables.insert(old.clone().into_bytes(), NewName { insertion, owner });
            }
            if let Some(own) = own.filter(|_| !renamed || handed_back) {
                let choice = if renamed { Choice::Renamed } else { Choice::Kept };
                self.doubt(own.shown, Why::Shared, choice, owner);
            }
        }
    }

    fn add_own_variables(&mut self, facts: &Facts, subject: &Subject) {
        let (Some(mark), Some(slug)) = (&subject.mark, subject.slugs.first()) else { return };
        let keep: HashSet<&str> = subject.keep.iter().map(String::as_str).collect();
        let state: HashSet<&str> = subject.state.iter().map(String::as_str).collect();
        let suffix = variable_suffix(slug, mark);
        for (name, variable) in variables(facts, |file| !facts.programs.contains(&file)) {
            let bytes = name.as_bytes();
            if self.variables.contains_key(bytes) || name.ends_with(&suffix) {
                continue;
            }
            match variable.fate(name, &keep, &state) {
                Fate::Renamed => {
                    let insertion = Insertion { at: bytes.len(), text: suffix.clone() };
                    self.variables.insert(bytes.to_vec(), NewName { insertion, owner: Owner::Subject });
                }
                Fate::KeptInDoubt(why) => self.doubt(variable.shown, why, Choice::Kept, Owner::Subject),
                Fate::Kept | Fate::NotState => {}
            }
        }
    }

    /// The subject's own new names.
    pub(crate) fn exports(&self) -> Exports {
        let own = |all: &BTreeMap<Vec<u8>, NewName>| -> BTreeMap<String, String> {
            let own = all.iter().filter(|(_, new)| new.owner == Owner::Subject);
            let texts = own.map(|(name, new)| {
                (String::from_utf8(name.clone()), String::from_utf8(new.insertion.apply(name)))
            });
            texts.filter_map(|(old, new)| Some((old.ok()?, new.ok()?))).collect()
        };
        Exports { functions: own(&self.functions), variables: own(&self.variables) }
    }

    /// What becomes of a function that is called so in a file: a program's own functions hide those of dependencies.
    pub(super) fn function(&self, file: u32, name: &[u8]) -> Option<&NewName> {
        let new = self.functions.get(name)?;
        let is_its_own = || self.of_programs.get(&file).is_some_and(|own| own.contains(name));
        let hidden = new.owner != Owner::Subject && self.prefix(name).is_none() && is_its_own();
        (!hidden).then_some(new)
    }

    /// The slug that a name begins with, if it is one whose names change: where it ends, and what to put there.
    pub(super) fn prefix(&self, name: &[u8]) -> Option<NewName> {
        self.prefixes.iter().find_map(|prefix| {
            let at = spelled_prefix(name, &prefix.slug)?;
            let insertion = Insertion { at, text: format!("_{}", prefix.mark) };
            Some(NewName { insertion, owner: prefix.owner })
        })
    }

    /// Whose functions begin so.
    pub(super) fn functions_beginning(&self, known: &[u8]) -> BTreeSet<Owner> {
        let mut listed = self.functions_listed.borrow_mut();
        listed.entry(known.to_vec()).or_insert_with(|| beginning_so(&self.functions, known)).clone()
    }

    /// Whose variables begin so.
    pub(super) fn variables_beginning(&self, known: &[u8]) -> BTreeSet<Owner> {
        let mut listed = self.variables_listed.borrow_mut();
        listed.entry(known.to_vec()).or_insert_with(|| beginning_so(&self.variables, known)).clone()
    }

    /// Whose is the first variable that is longer than this and begins so.
    pub(super) fn variable_beginning(&self, known: &[u8]) -> Option<Owner> {
        let mut begin =
            self.variables.range(known.to_vec()..).take_while(|(name, _)| name.starts_with(known));
        begin.find(|(name, _)| name.len() > known.len()).map(|(_, new)| new.owner)
    }

    /// What becomes of all functions whose names begin so, if it is the same for all of them: where names are built when the
    /// code runs.
    pub(super) fn beginning(&self, file: u32, known: &[u8]) -> Beginning {
        let mut met_before = self.beginnings.borrow_mut();
        met_before.entry((file, known.to_vec())).or_insert_with(|| self.find_beginning(file, known)).clone()
    }

    fn find_beginning(&self, file: u32, known: &[u8]) -> Beginning {
        let mut met = Beginning::None;
        let begins = |name: &&Vec<u8>| name.starts_with(known);
        let longer = |name: &&Vec<u8>| name.len() > known.len();
        let functions = self.functions.range(known.to_vec()..).map(|(name, _)| name);
        for name in functions.take_while(begins).filter(longer) {
            let Some(new) = self.function(file, name) else { continue };
            met = match met {
                Beginning::None if new.insertion.at <= known.len() => Beginning::One(new.clone()),
                Beginning::One(one) if one.insertion == new.insertion => Beginning::One(one),
                Beginning::None | Beginning::One(_) | Beginning::Many(_) => Beginning::Many(new.owner),
            };
        }
        let mut own = self.own_defined.range(known.to_vec()..).take_while(begins).filter(longer);
        match met {
            Beginning::One(one) if own.any(|name| !self.functions.contains_key(name)) => {
                Beginning::Many(one.owner)
            }
            met => met,
        }
    }
}

fn beginning_so(names: &BTreeMap<Vec<u8>, NewName>, known: &[u8]) -> BTreeSet<Owner> {
    let begin = names.range(known.to_vec()..).take_while(|(name, _)| name.starts_with(known));
    begin.map(|(_, new)| new.owner).collect()
}

/// What becomes of the functions whose names begin in some way.
#[derive(Clone)]
pub(super) enum Beginning {
    /// There are none that change.
    None,
    /// All of them change alike.
    One(NewName),
    /// They do not.
    Many(Owner),
}

/// Why a function keeps its name, whatever the package.
fn why_kept(name: &[u8], facts: &Facts, slugs: &[String]) -> Option<Why> {
    if name == b"command_not_found_handle" {
        return Some(Why::Hook);
    }
    if is_builtin(name) {
        return Some(Why::LikeCommand);
    }
    // What is only defined now and then may be a program of the same name at other times.
    let own = is_distinctive(name) || slugs.iter().any(|slug| spelled_slug(name, slug).is_some());
    (!own && !facts.surely_defined.contains(name)).then_some(Why::LikeCommand)
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
