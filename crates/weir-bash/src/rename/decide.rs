//! What becomes of every place where a name stands.

use std::collections::HashSet;

use super::collect::identifier;
use super::facts::{Facts, Occurrence, Role, Scope, TOP};
use super::names::{Names, is_distinctive, is_distinctive_variable};
use super::naming::Insertion;
use super::report::{Choice, What, Why};

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
            Role::Value { variable } => self.value(variable),
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
            Role::BuiltVariable => drop(self.built_variable()),
            Role::Environment { callee } => self.environment(*callee),
            Role::Index { array } => self.index(array),
            Role::ElementIndex { array } => self.element_index(array),
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

    /// A variable's value: another variable's name, where `${!x}` makes one of it.
    fn value(&mut self, variable: &[u8]) {
        let of = |function: u32| &self.facts.functions[function as usize].indirect;
        let function = self.occurrence.function;
        let is_name = of(function).contains(variable)
            || (function == TOP && self.facts.functions.iter().any(|of| of.indirect.contains(variable)));
        if is_name && self.occurrence.text.is_known() && self.names.variables.contains_key(self.bytes()) {
            self.variable(Target::Use);
            return self.doubt(Why::ArgumentLikeVariable, Choice::Renamed);
        }
        self.argument(None);
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
        if self.calls_in_text() {
        } else if is_pattern && self.names.prefix(&text.bytes).is_some() {
            self.doubt(Why::BuiltName, Choice::Kept);
        } else if first.len() < text.bytes.len() && self.names.functions.contains_key(first) {
            self.doubt(Why::InString, Choice::Kept);
        }
    }

    /// A text such as `'core.f "$_"'`, whose lines begin with calls: kept in a variable to be run later, or compared with
    /// one that was. A `$` that is not expanded where it stands says that it is code and no prose.
    fn calls_in_text(&mut self) -> bool {
        let text = &self.occurrence.text;
        let is_first = |at: usize| at == 0 || matches!(text.bytes[at - 1], b'\n' | b'*');
        let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == b';';
        if !text.bytes.windows(2).any(|pair| pair == b" \"") || !text.bytes.contains(&b'$') {
            return false;
        }
        let mut found = Vec::new();
        for at in (0..text.bytes.len()).filter(|at| is_first(*at)) {
            let end = text.bytes[at..].iter().position(is_blank).map_or(text.bytes.len(), |end| at + end);
            let name = &text.bytes[at..end];
            if is_distinctive(name)
                && let Some(insertion) = self.names.functions.get(name)
            {
                found.push((at..end, insertion));
            }
        }
        for (range, insertion) in &found {
            let name = text.slice(range.clone());
            let (file, start, at) = (self.occurrence.file, name.start(), name.before(insertion.at));
            self.verdicts.seen.insert((file, start));
            self.verdicts.edits.push(Edit { file, at, text: insertion.text.clone() });
            let (why, choice) = (Why::InString, Choice::Renamed);
            self.verdicts.doubts.push(Doubt { file, start, text: name.bytes, why, choice });
        }
        !found.is_empty()
    }

    /// A name whose beginning is that of a variable that changes, and whose rest is made when the code runs: `"STATE_$key"`.
    fn built_variable(&mut self) -> bool {
        let text = &self.occurrence.text;
        let known = &text.bytes[..text.known()];
        let begins = !text.is_known()
            && is_distinctive_variable(known)
            && identifier(known) == known.len()
            && self.names.variables.keys().any(|name| name.len() > known.len() && name.starts_with(known));
        if begins {
            self.doubt(Why::BuiltName, Choice::Kept);
        }
        begins
    }

    /// A string whose beginning is a slug, and whose rest is made when the code runs.
    fn built_name(&mut self) {
        let text = &self.occurrence.text;
        let known = &text.bytes[..text.known()];
        let Some(insertion) = self.names.prefix(known) else {
            if !self.built_variable() {
                self.built_slug();
            }
            return;
        };
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

    /// Words in `([word]=…)` are keys, unless the array is known not to be associative.
    fn element_index(&mut self, array: &[u8]) {
        let taken = self.facts.functions[self.occurrence.function as usize].takes_names;
        if self.names.associative.contains(array) || !self.names.variables.contains_key(self.bytes()) {
            return self.index(array);
        }
        if self.names.known_arrays.contains(array) && !taken {
            self.variable(Target::Use);
        } else {
            self.doubt(Why::UnknownArray, Choice::Kept);
        }
    }

    fn index(&mut self, array: &[u8]) {
        if self.names.associative.contains(array) || !self.names.variables.contains_key(self.bytes()) {
            // A function of this name is told of by the last look.
            if !self.names.functions.contains_key(self.bytes()) {
                self.seen();
            }
            return;
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
