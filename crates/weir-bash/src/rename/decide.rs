//! What becomes of every name, and of every place where one stands.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::facts::{Facts, Occurrence, Role, Scope, TOP};
use super::naming::{Insertion, rename_function, spelled_prefix, variable_suffix};
use super::report::{Choice, What, Why};
use super::variables::{Fate, variables};
use super::{Dependency, Exports, Subject};

/// A change of a file: text to put at an offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) file: u32,
    pub(crate) at: u32,
    pub(crate) text: String,
}

/// Whether a place makes a name or uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Definition,
    Use,
}

/// A name that changes at a place.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) file: u32,
    pub(crate) start: u32,
    pub(crate) what: What,
    pub(crate) target: Target,
    pub(crate) from: Vec<u8>,
    pub(crate) insertion: Insertion,
}

/// A place that could not be decided.
#[derive(Debug)]
pub(crate) struct Doubt {
    pub(crate) file: u32,
    pub(crate) start: u32,
    pub(crate) text: Vec<u8>,
    pub(crate) why: Why,
    pub(crate) choice: Choice,
}

/// All decisions.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    pub(crate) edits: Vec<Edit>,
    pub(crate) changes: Vec<Change>,
    pub(crate) doubts: Vec<Doubt>,
    /// Places that were decided, by file and offset of the name.
    pub(crate) seen: HashSet<(u32, u32)>,
}

/// A slug that names can be built from, and what it becomes.
struct Prefix {
    slug: String,
    mark: String,
}

/// The names that change, and how.
pub(crate) struct Names {
    pub(crate) functions: HashMap<Vec<u8>, Insertion>,
    pub(crate) variables: HashMap<Vec<u8>, Insertion>,
    own_functions: HashSet<Vec<u8>>,
    own_variables: HashSet<Vec<u8>>,
    associative: HashSet<Vec<u8>>,
    known_arrays: HashSet<Vec<u8>>,
    /// Functions of this package that take names of variables as arguments.
    takers: HashSet<Vec<u8>>,
    /// Functions of this package that take names of functions as arguments.
    callers: HashSet<Vec<u8>>,
    own_defined: HashSet<Vec<u8>>,
    prefixes: Vec<Prefix>,
    /// Variables that are kept in doubt: the occurrence to show, and the reason.
    doubts: Vec<(usize, Why, Choice)>,
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
        for dependency in dependencies {
            names.add_exports(facts, dependency);
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

    fn add_exports(&mut self, facts: &Facts, dependency: &Dependency) {
        for (old, new) in &dependency.exports.functions {
            let Some(insertion) = Insertion::between(old.as_bytes(), new.as_bytes()) else { continue };
            if !self.own_defined.contains(old.as_bytes()) {
                self.functions.entry(old.clone().into_bytes()).or_insert(insertion);
            } else if dependency.slugs.iter().any(|slug| spelled_prefix(old.as_bytes(), slug).is_some()) {
                // With the dependency's slug, it is the dependency's function that is meant to be replaced.
                self.own_functions.remove(old.as_bytes());
                self.functions.insert(old.clone().into_bytes(), insertion);
                let defined = |occurrence: &Occurrence| {
                    occurrence.role == Role::Define && occurrence.text.bytes == old.as_bytes()
                };
                if let Some(index) = facts.occurrences.iter().position(defined) {
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
    fn prefix(&self, name: &[u8]) -> Option<Insertion> {
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

/// Whether a name can hardly be anything but a function's: a bare `list` or `install` may be any word.
pub(crate) fn is_distinctive(name: &[u8]) -> bool {
    name.iter().skip(1).any(|byte| matches!(byte, b'.' | b':' | b'_'))
}

/// Decides every place.
pub(crate) fn decide(facts: &Facts, names: &Names) -> Verdicts {
    let mut verdicts = Verdicts::default();
    for occurrence in &facts.occurrences {
        Judge { facts, names, verdicts: &mut verdicts, occurrence }.judge();
    }
    for (index, why, choice) in &names.doubts {
        let occurrence = &facts.occurrences[*index];
        let (file, start, text) = (occurrence.file, occurrence.text.start(), occurrence.text.bytes.clone());
        verdicts.doubts.push(Doubt { file, start, text, why: *why, choice: *choice });
    }
    for addition in &facts.additions {
        verdicts.edits.push(Edit { file: addition.file, at: addition.at, text: addition.text.into() });
    }
    verdicts
}

struct Judge<'a> {
    facts: &'a Facts,
    names: &'a Names,
    verdicts: &'a mut Verdicts,
    occurrence: &'a Occurrence,
}

impl Judge<'_> {
    fn judge(&mut self) {
        match &self.occurrence.role {
            Role::Define => self.function(Target::Definition, true),
            Role::Command | Role::FunctionName => self.function(Target::Use, true),
            Role::FunctionPrefix => self.beginning(),
            Role::Argument { callee } => self.argument(*callee),
            Role::Assign | Role::AssignDefault | Role::VariableName { assigns: true } => {
                self.variable(Target::Definition);
            }
            Role::Declare(declaration) if declaration.scope != Scope::Exported => {
                self.variable(Target::Definition);
            }
            Role::Use | Role::UseWithDefault | Role::VariableName { assigns: false } | Role::Declare(_) => {
                self.variable(Target::Use);
            }
            Role::VariableOrFunction if self.names.variables.contains_key(self.bytes()) => {
                self.variable(Target::Use);
            }
            Role::VariableOrFunction => self.function(Target::Use, false),
            Role::Environment { callee } => self.environment(*callee),
            Role::Index { array } => self.index(array),
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.occurrence.text.bytes
    }

    fn change(&mut self, what: What, target: Target, insertion: &Insertion) {
        let text = &self.occurrence.text;
        let (file, start) = (self.occurrence.file, text.start());
        self.verdicts.seen.insert((file, start));
        let edit = Edit { file, at: text.before(insertion.at), text: insertion.text.clone() };
        self.verdicts.edits.push(edit);
        let (from, insertion) = (text.bytes.clone(), insertion.clone());
        self.verdicts.changes.push(Change { file, start, what, target, from, insertion });
    }

    fn doubt(&mut self, why: Why, choice: Choice) {
        let (file, start) = (self.occurrence.file, self.occurrence.text.start());
        self.verdicts.seen.insert((file, start));
        let text = self.bytes().to_vec();
        self.verdicts.doubts.push(Doubt { file, start, text, why, choice });
    }

    fn seen(&mut self) {
        self.verdicts.seen.insert((self.occurrence.file, self.occurrence.text.start()));
    }

    /// A place where a function's name must stand.
    fn function(&mut self, target: Target, prefixes: bool) {
        let text = &self.occurrence.text;
        if text.is_known() {
            if let Some(insertion) = self.names.functions.get(&text.bytes) {
                return self.change(What::Function, target, insertion);
            }
            if self.names.own_defined.contains(&text.bytes) {
                return self.seen();
            }
        }
        let known = &text.bytes[..text.known()];
        let Some(insertion) = self.names.prefix(known).filter(|_| prefixes) else { return self.built_slug() };
        let why = if text.is_known() { Why::NotDefined } else { Why::BuiltName };
        self.change(What::Function, target, &insertion);
        self.doubt(why, Choice::Renamed);
    }

    /// A word whose beginning is only known when the code runs, and whose end is that of a function: `"$slug.print"`.
    fn built_slug(&mut self) {
        let text = &self.occurrence.text;
        let known_end = (0..text.bytes.len()).rev().take_while(|index| !text.origin(*index).opaque).count();
        let end = &text.bytes[text.bytes.len() - known_end..];
        if text.is_known() || !matches!(end.first(), Some(b'.' | b':')) {
            return;
        }
        let slugs = self.names.prefixes.iter().map(|prefix| prefix.slug.as_bytes());
        if slugs.map(|slug| [slug, end].concat()).any(|name| self.names.functions.contains_key(&name)) {
            self.doubt(Why::BuiltName, Choice::Kept);
        }
    }

    /// The beginning of functions' names.
    fn beginning(&mut self) {
        let known = &self.bytes()[..self.occurrence.text.known()];
        if let Some(insertion) = self.names.prefix(known) {
            self.change(What::Function, Target::Use, &insertion);
        }
    }

    fn argument(&mut self, callee: Option<u32>) {
        let text = &self.occurrence.text;
        if !text.is_known() {
            return self.built_name();
        }
        if let Some(insertion) = self.names.functions.get(&text.bytes) {
            if self.names.prefix(&text.bytes).is_some() {
                self.change(What::Function, Target::Use, insertion);
            } else if is_distinctive(&text.bytes) || self.calls_back(callee) {
                self.change(What::Function, Target::Use, insertion);
                self.doubt(Why::ArgumentLikeFunction, Choice::Renamed);
            } else {
                self.doubt(Why::ArgumentLikeFunction, Choice::Kept);
            }
            return;
        }
        if self.names.variables.contains_key(&text.bytes) {
            return self.variable_argument(callee);
        }
        // A pattern may be of functions' names or of files'; a text that begins with a function may be code or prose.
        let is_pattern = text.bytes.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['));
        let first = text.bytes.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        if is_pattern && self.names.prefix(&text.bytes).is_some() {
            self.doubt(Why::BuiltName, Choice::Kept);
        } else if first.len() < text.bytes.len() && self.names.functions.contains_key(first) {
            self.doubt(Why::InString, Choice::Kept);
        }
    }

    /// A string whose beginning is a slug, and whose rest is made when the code runs.
    fn built_name(&mut self) {
        let text = &self.occurrence.text;
        let known = &text.bytes[..text.known()];
        let Some(insertion) = self.names.prefix(known) else { return self.built_slug() };
        let like_name = |bytes: &[u8]| {
            bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"._:-+".contains(b) || *b >= 0x80)
        };
        // A bare slug and separator is as likely the beginning of a sentence or of a file's name.
        let whole = like_name(&text.bytes) && !like_file(&text.bytes);
        if whole {
            self.change(What::Function, Target::Use, &insertion);
            self.doubt(Why::BuiltName, Choice::Renamed);
        } else {
            self.doubt(Why::BuiltName, Choice::Kept);
        }
    }

    fn callee(&self, callee: Option<u32>) -> Option<&[u8]> {
        callee.map(|index| &self.facts.occurrences[index as usize].text.bytes[..])
    }

    /// Whether a name is of a function of a dependency, which may do anything with its arguments.
    fn is_foreign(&self, name: &[u8]) -> bool {
        let known = self.names.functions.contains_key(name) || self.names.prefix(name).is_some();
        known && !self.names.own_defined.contains(name)
    }

    /// Whether a command may call a function that an argument names.
    fn calls_back(&self, callee: Option<u32>) -> bool {
        self.callee(callee).is_some_and(|name| self.names.callers.contains(name) || self.is_foreign(name))
    }

    fn variable_argument(&mut self, callee: Option<u32>) {
        if is_signal(self.bytes()) {
            return self.seen();
        }
        let takes =
            self.callee(callee).is_some_and(|name| self.names.takers.contains(name) || self.is_foreign(name));
        if takes && self.bytes().len() > 1 {
            self.variable(Target::Use);
            self.doubt(Why::ArgumentLikeVariable, Choice::Renamed);
        } else if is_distinctive_variable(self.bytes()) {
            self.doubt(Why::ArgumentLikeVariable, Choice::Kept);
        } else {
            self.seen();
        }
    }

    fn variable(&mut self, target: Target) {
        let names = self.names;
        if let Some(insertion) = names.variables.get(self.bytes()) {
            self.change(What::Variable, target, insertion);
        }
    }

    fn environment(&mut self, callee: Option<u32>) {
        if !self.names.variables.contains_key(self.bytes()) {
            return;
        }
        let callee = callee.map(|index| &self.facts.occurrences[index as usize].text.bytes);
        let ours = callee.is_some_and(|name| {
            self.names.own_defined.contains(name) || self.names.functions.contains_key(name)
        });
        if ours {
            self.variable(Target::Definition);
        } else {
            self.doubt(Why::ForOneCommand, Choice::Kept);
        }
    }

    fn index(&mut self, array: &[u8]) {
        if self.names.associative.contains(array) || !self.names.variables.contains_key(self.bytes()) {
            return self.seen();
        }
        let in_doubt = !self.names.known_arrays.contains(array)
            || self.occurrence.function != TOP
                && self.facts.functions[self.occurrence.function as usize].takes_names;
        self.variable(Target::Use);
        if in_doubt {
            self.doubt(Why::UnknownArray, Choice::Renamed);
        }
    }
}

fn like_file(name: &[u8]) -> bool {
    [&b".sh"[..], b".bash", b".txt", b".log", b".toml", b".json", b".md", b".tmp", b".conf"]
        .iter()
        .any(|end| name.ends_with(end))
}

fn is_signal(word: &[u8]) -> bool {
    let word = word.strip_prefix(b"SIG").unwrap_or(word);
    matches!(
        word,
        b"EXIT"
            | b"ERR"
            | b"DEBUG"
            | b"RETURN"
            | b"HUP"
            | b"INT"
            | b"QUIT"
            | b"ABRT"
            | b"KILL"
            | b"USR1"
            | b"USR2"
            | b"PIPE"
            | b"ALRM"
            | b"TERM"
            | b"CHLD"
            | b"CONT"
            | b"STOP"
            | b"TSTP"
            | b"TTIN"
            | b"TTOU"
            | b"WINCH"
    )
}

/// Whether a word can hardly be anything but a variable's name.
pub(crate) fn is_distinctive_variable(name: &[u8]) -> bool {
    name.len() > 2 && name.contains(&b'_')
}
