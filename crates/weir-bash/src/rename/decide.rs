//! What becomes of every place where a name stands.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::SourceFile;
use super::collect::identifier;
use super::facts::{Facts, Function, Occurrence, Role, Scope, TOP, Unknown};
use super::names::{Beginning, Names, NewName, Owner, is_distinctive, is_distinctive_variable};
use super::naming::Insertion;
use super::report::{Choice, What, Why};
use super::residue::mentioned;
use super::text::Text;
use super::variables::is_well_known;
use crate::grammar::Unread;

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
    /// Whose name it is about.
    pub(crate) owner: Owner,
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

impl Verdicts {
    /// Adds a doubt for each file that could not be read, and for each owner of names that stand in it: as a whole.
    pub(crate) fn leave_unread(&mut self, files: &[SourceFile], unread: &[(u32, Unread)], names: &Names) {
        for (file, error) in unread {
            self.doubts.retain(|doubt| doubt.file != *file);
            let mut owners = mentioned(*file, &files[*file as usize].bytes, names);
            if names.renames_own {
                owners.insert(Owner::Subject);
            }
            let (file, start, text) = (*file, error.start(), error.to_string().into_bytes());
            let (why, choice) = (Why::UnreadFile, Choice::Kept);
            let doubt = |owner| Doubt { file, start, text: text.clone(), why, choice, owner };
            self.doubts.extend(owners.into_iter().map(doubt));
        }
    }
}

/// Decides every place.
pub(crate) fn decide(files: &[SourceFile], facts: &Facts, names: &Names) -> Verdicts {
    let mut verdicts = Verdicts::default();
    let uses = Uses::of(facts);
    let mut effort = MOST_COMPARED;
    for occurrence in &facts.occurrences {
        Judge { facts, names, uses: &uses, effort: &mut effort, verdicts: &mut verdicts, occurrence }.judge();
    }
    for doubt in &names.doubts {
        let occurrence = &facts.occurrences[doubt.shown];
        let (file, start, text) = (occurrence.file, occurrence.text.start(), occurrence.text.bytes.clone());
        let (why, choice, owner) = (doubt.why, doubt.choice, doubt.owner);
        verdicts.doubts.push(Doubt { file, start, text, why, choice, owner });
    }
    let mut own_processes = HashMap::new();
    for unknown in &facts.unknowns {
        let bytes = &files[unknown.file as usize].bytes;
        let own_process = *own_processes
            .entry(unknown.file)
            .or_insert_with(|| is_own_process(unknown.file, bytes, facts, names));
        verdicts.doubts.extend(unknown_place(unknown, bytes, own_process, facts, names));
    }
    for addition in &facts.additions {
        verdicts.edits.push(Edit { file: addition.file, at: addition.at, text: addition.text.into() });
    }
    verdicts
}

/// Whether a file is a program that neither sources files of the package nor has names of the package in it.
pub(crate) fn is_own_process(file: u32, bytes: &[u8], facts: &Facts, names: &Names) -> bool {
    facts.programs.contains(&file)
        && !facts.sourcing.contains(&file)
        && !mentioned(file, bytes, names).contains(&Owner::Subject)
}

/// Something that may concern any name: all of the package's own, and those of the dependencies that are named there.
///
/// `own_process`: whether the file is a program that has nothing to do with the library.
fn unknown_place(
    unknown: &Unknown,
    bytes: &[u8],
    own_process: bool,
    facts: &Facts,
    names: &Names,
) -> Vec<Doubt> {
    let (file, start, why) = (unknown.file, unknown.start, unknown.why);
    let stands = &bytes[start as usize..(unknown.end as usize).max(start as usize)];
    let mut owners = mentioned(file, stands, names);
    let own_process = own_process || why == Why::OwnName && facts.programs.contains(&file);
    if names.renames_own && !own_process {
        owners.insert(Owner::Subject);
    } else {
        owners.remove(&Owner::Subject);
    }
    let first = stands.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let text = first[..first.len().min(40)].to_vec();
    owners
        .into_iter()
        .map(|owner| Doubt { file, start, text: text.clone(), why, choice: Choice::Kept, owner })
        .collect()
}

/// The most comparisons of a text with the names of functions, for all of a package: a library of a thousand functions and
/// ten thousand such texts takes as many.
const MOST_COMPARED: u64 = 10_000_000;

/// What is done anywhere with the values of variables that are no local ones there.
struct Uses<'a> {
    /// Their values are names of functions.
    called: HashSet<&'a [u8]>,
    /// Their values are used otherwise.
    spelled: HashSet<&'a [u8]>,
    /// Their values are names of variables, wherever that is.
    indirect: HashSet<&'a [u8]>,
    /// They are read by the library.
    read: HashSet<&'a [u8]>,
}

impl<'a> Uses<'a> {
    fn of(facts: &'a Facts) -> Self {
        let functions = &facts.functions;
        let reads = facts
            .occurrences
            .iter()
            .filter(|occurrence| occurrence.role == Role::Use && !facts.programs.contains(&occurrence.file));
        let not_local = |of: fn(&Function) -> &HashSet<Vec<u8>>| {
            let of = move |function: &'a Function| {
                of(function).iter().filter(|name| !function.locals.contains(*name)).map(Vec::as_slice)
            };
            functions.iter().flat_map(of).collect()
        };
        Self {
            called: not_local(|function| &function.called),
            spelled: not_local(|function| &function.spelled),
            indirect: functions.iter().flat_map(|of| of.indirect.iter().map(Vec::as_slice)).collect(),
            read: reads.map(|occurrence| &occurrence.text.bytes[..]).collect(),
        }
    }
}

struct Judge<'a> {
    facts: &'a Facts,
    names: &'a Names,
    uses: &'a Uses<'a>,
    /// How many comparisons may still be made.
    effort: &'a mut u64,
    verdicts: &'a mut Verdicts,
    occurrence: &'a Occurrence,
}

impl Judge<'_> {
    fn judge(&mut self) {
        match &self.occurrence.role {
            Role::Define => self.function(Target::Definition, true),
            Role::Command | Role::FunctionName => self.function(Target::Use, true),
            Role::FunctionPrefix => self.beginning(),
            Role::VariablePrefix => self.listed(self.names.variables_beginning(self.bytes())),
            Role::Printed { to_people } => self.printed(*to_people),
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
            Role::ShownVariable => {
                if let Some(owner) = self.names.variables.get(self.bytes()).map(|new| new.owner) {
                    self.doubt(Why::Shown, Choice::Renamed, owner);
                }
            }
            Role::ShownFunction => {
                if let Some(owner) = self.known_function(self.bytes()).map(|new| new.owner) {
                    self.doubt(Why::Shown, Choice::Renamed, owner);
                }
            }
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

    fn doubt(&mut self, why: Why, choice: Choice, owner: Owner) {
        let (file, start) = (self.occurrence.file, self.occurrence.text.start());
        self.verdicts.seen.insert((file, start));
        let text = self.bytes().to_vec();
        self.verdicts.doubts.push(Doubt { file, start, text, why, choice, owner });
    }

    fn seen(&mut self) {
        self.verdicts.seen.insert((self.occurrence.file, self.occurrence.text.start()));
    }

    fn known_function(&self, name: &[u8]) -> Option<&NewName> {
        self.names.function(self.occurrence.file, name)
    }

    /// A place where a function's name must stand.
    fn function(&mut self, target: Target, prefixes: bool) {
        let names = self.names;
        let text = &self.occurrence.text;
        if !text.is_known() {
            return self.built_function(target);
        }
        if let Some(new) = names.function(self.occurrence.file, &text.bytes) {
            return self.change(What::Function, target, &new.insertion);
        }
        if names.own_defined.contains(&text.bytes) {
            return self.seen();
        }
        if let Some(new) = names.prefix(&text.bytes).filter(|_| prefixes) {
            self.change(What::Function, target, &new.insertion);
            self.doubt(Why::NotDefined, Choice::Renamed, new.owner);
        }
    }

    /// A function's name that is put together when the code runs: `"core.$x"`, `t_cmd_${c}`.
    fn built_function(&mut self, target: Target) {
        let text = &self.occurrence.text;
        let known = &text.bytes[..text.known()];
        if known.is_empty() {
            return self.built_otherwise();
        }
        match self.names.beginning(self.occurrence.file, known) {
            Beginning::One(new) => {
                // Where functions are defined so, others may be called that are written nowhere else.
                let defines = target == Target::Definition && self.names.prefix(known).is_none();
                let alone = is_distinctive(known) && !defines;
                self.change(What::Function, target, &new.insertion);
                if !alone {
                    self.doubt(Why::BuiltName, Choice::Renamed, new.owner);
                }
            }
            Beginning::Many(owner) => self.doubt(Why::BuiltName, Choice::Kept, owner),
            Beginning::None => {
                // Wherever a function's name begins with the slug it changes, and so does this one, which code may define.
                if let Some(new) = self.names.prefix(known) {
                    self.change(What::Function, target, &new.insertion);
                }
            }
        }
    }

    /// A word whose beginning is only known when the code runs, and whose rest fits the name of a function: `"$slug.print"`,
    /// `"${prefix}_$c"`.
    fn built_otherwise(&mut self) {
        let text = &self.occurrence.text;
        let pieces: Vec<&[u8]> = known_pieces(text);
        let telling =
            pieces.iter().any(|piece| piece.iter().any(|byte| matches!(byte, b'_' | b'.' | b':' | b'-')));
        if !telling {
            return;
        }
        let file = self.occurrence.file;
        *self.effort = self.effort.saturating_sub(self.names.functions.len() as u64);
        // Where too much is compared, anything may fit.
        let spent = *self.effort == 0;
        let fits =
            |name: &[u8]| spent || fits(name, &pieces, text) && self.names.function(file, name).is_some();
        let owner = self.names.functions.iter().find(|(name, _)| fits(name)).map(|(_, new)| new.owner);
        if let Some(owner) = owner {
            self.doubt(Why::BuiltName, Choice::Kept, owner);
        }
    }

    /// The beginning of functions' names, which are listed.
    fn beginning(&mut self) {
        let names = self.names;
        let occurrence = self.occurrence;
        let known = &occurrence.text.bytes[..occurrence.text.known()];
        if let Beginning::One(new) = names.beginning(occurrence.file, known) {
            self.change(What::Function, Target::Use, &new.insertion);
        }
        self.listed(names.functions_beginning(known));
    }

    /// Names are listed by their beginning, and who asked may look at them.
    fn listed(&mut self, owners: BTreeSet<Owner>) {
        for owner in owners {
            self.doubt(Why::Listed, Choice::Kept, owner);
        }
    }

    /// A text that is printed. A name that is all of it may be meant for code that reads it.
    fn printed(&mut self, to_people: bool) {
        let names = self.names;
        let text = &self.occurrence.text;
        let function =
            names.function(self.occurrence.file, &text.bytes).filter(|_| is_distinctive(&text.bytes));
        let variable = names.variables.get(&text.bytes).filter(|_| is_distinctive_variable(&text.bytes));
        if let Some(new) = function.or(variable).filter(|_| text.is_known() && !to_people) {
            return self.doubt(Why::Printed, Choice::Kept, new.owner);
        }
        if !to_people {
            self.begins_names();
        }
    }

    /// A word that is the beginning of functions' names, with a place for the rest or without: `t_cmd_`, `"term_%s"`,
    /// `"term_$x"`.
    fn begins_names(&mut self) {
        let text = &self.occurrence.text;
        let known = &text.bytes[..text.known()];
        let end = known.iter().position(|byte| *byte == b'%').unwrap_or(known.len());
        let open = end < text.bytes.len() || known.last().is_some_and(|byte| b"._:-".contains(byte));
        let is_word = !text.bytes.iter().any(u8::is_ascii_whitespace);
        if !open || !is_word || !is_distinctive(&known[..end]) {
            return;
        }
        match self.names.beginning(self.occurrence.file, &known[..end]) {
            Beginning::None => {}
            Beginning::One(NewName { owner, .. }) | Beginning::Many(owner) => {
                self.doubt(Why::BuiltName, Choice::Kept, owner);
            }
        }
    }

    /// A variable's value: the name of a function, where nothing else is done with it than to call it; another variable's
    /// name, where `${!x}` makes one of it.
    fn value(&mut self, variable: &[u8]) {
        let function = self.occurrence.function;
        let is_name = self.facts.functions[function as usize].indirect.contains(variable)
            || (function == TOP && self.uses.indirect.contains(variable));
        if is_name
            && self.occurrence.text.is_known()
            && let Some(new) = self.names.variables.get(self.bytes())
        {
            self.variable(Target::Use);
            return self.doubt(Why::ArgumentLikeVariable, Choice::Renamed, new.owner);
        }
        if self.is_only_called(variable) {
            return self.function(Target::Use, false);
        }
        self.argument(None);
    }

    /// Whether a variable's value is called, and nothing else done with it, wherever it can be seen.
    fn is_only_called(&self, variable: &[u8]) -> bool {
        let here = &self.facts.functions[self.occurrence.function as usize];
        (here.called.contains(variable) || self.uses.called.contains(variable))
            && !(here.spelled.contains(variable) || self.uses.spelled.contains(variable))
    }

    fn argument(&mut self, callee: Option<u32>) {
        let text = &self.occurrence.text;
        if !text.is_known() {
            return self.built_name();
        }
        if let Some(NewName { insertion, owner }) = self.known_function(&text.bytes).cloned() {
            let like_name = self.names.prefix(&text.bytes).is_some() || is_distinctive(&text.bytes);
            if like_name || self.calls_back(callee) {
                self.change(What::Function, Target::Use, &insertion);
                self.doubt(Why::ArgumentLikeFunction, Choice::Renamed, owner);
            } else {
                self.doubt(Why::ArgumentLikeFunction, Choice::Kept, owner);
            }
            return;
        }
        if self.names.variables.contains_key(&text.bytes) {
            return self.variable_argument(callee);
        }
        if self.is_handed_to_a_dependency(callee) {
            return self.doubt(Why::Made, Choice::Kept, Owner::Subject);
        }
        // A pattern may be of functions' names or of files'; a text that begins with a function may be code or prose.
        let is_pattern = text.bytes.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['));
        let first = text.bytes.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        if self.calls_in_text() {
        } else if let Some(new) = self.names.prefix(&text.bytes).filter(|_| is_pattern) {
            self.doubt(Why::BuiltName, Choice::Kept, new.owner);
        } else if first.len() < text.bytes.len()
            && let Some(owner) = self.known_function(first).map(|new| new.owner)
        {
            self.doubt(Why::InString, Choice::Kept, owner);
        } else {
            self.begins_names();
        }
    }

    /// Whether an argument of a dependency's function is the name of a variable that the library reads and gives no value: the
    /// function may, as in `core.parse result; echo "$result"`.
    fn is_handed_to_a_dependency(&self, callee: Option<u32>) -> bool {
        let name = self.bytes();
        self.names.renames_own
            && self.uses.read.contains(name)
            && self.callee(callee).is_some_and(|callee| self.is_foreign(callee))
            && !self.facts.programs.contains(&self.occurrence.file)
            && !self.names.known_arrays.contains(name)
            && !self.names.kept.contains(name)
            && !std::str::from_utf8(name).is_ok_and(is_well_known)
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
                && let Some(new) = self.known_function(name)
            {
                found.push((at..end, new.clone()));
            }
        }
        for (range, NewName { insertion, owner }) in &found {
            let name = text.slice(range.clone());
            let (file, start, at) = (self.occurrence.file, name.start(), name.before(insertion.at));
            self.verdicts.seen.insert((file, start));
            self.verdicts.edits.push(Edit { file, at, text: insertion.text.clone() });
            let (why, choice) = (Why::InString, Choice::Renamed);
            self.verdicts.doubts.push(Doubt { file, start, text: name.bytes, why, choice, owner: *owner });
        }
        !found.is_empty()
    }

    /// A name whose beginning is that of a variable that changes, and whose rest is made when the code runs: `"STATE_$key"`.
    fn built_variable(&mut self) -> bool {
        let text = &self.occurrence.text;
        let known = &text.bytes[..text.known()];
        let begins = !text.is_known() && is_distinctive_variable(known) && identifier(known) == known.len();
        let owner = self.names.variable_beginning(known).filter(|_| begins);
        if let Some(owner) = owner {
            self.doubt(Why::BuiltName, Choice::Kept, owner);
        }
        owner.is_some()
    }

    /// A string whose beginning is that of functions' names, and whose rest is made when the code runs.
    fn built_name(&mut self) {
        let text = &self.occurrence.text;
        let known = &text.bytes[..text.known()];
        let owner = match self.names.beginning(self.occurrence.file, known) {
            Beginning::One(NewName { owner, .. }) | Beginning::Many(owner) if is_distinctive(known) => {
                Some(owner)
            }
            _ => None,
        };
        let Some(new) = self.names.prefix(known) else {
            match owner {
                Some(owner) => self.doubt(Why::BuiltName, Choice::Kept, owner),
                None if !self.built_variable() && ends_like_name(text) => self.built_otherwise(),
                None => {}
            }
            return;
        };
        let like_name = |bytes: &[u8]| {
            bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"._:-+".contains(b) || *b >= 0x80)
        };
        // A bare slug and separator is as likely the beginning of a sentence or of a file's name.
        let whole = like_name(&text.bytes) && !like_file(&text.bytes);
        let choice = if whole { Choice::Renamed } else { Choice::Kept };
        if whole {
            self.change(What::Function, Target::Use, &new.insertion);
        }
        self.doubt(Why::BuiltName, choice, new.owner);
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
        let Some(owner) = self.names.variables.get(self.bytes()).map(|new| new.owner) else { return };
        let takes =
            self.callee(callee).is_some_and(|name| self.names.takers.contains(name) || self.is_foreign(name));
        if takes && self.bytes().len() > 1 {
            self.variable(Target::Use);
            self.doubt(Why::ArgumentLikeVariable, Choice::Renamed, owner);
        } else if is_distinctive_variable(self.bytes()) {
            self.doubt(Why::ArgumentLikeVariable, Choice::Kept, owner);
        } else {
            self.seen();
        }
    }

    fn variable(&mut self, target: Target) {
        let names = self.names;
        if let Some(new) = names.variables.get(self.bytes()) {
            self.change(What::Variable, target, &new.insertion);
        }
    }

    fn environment(&mut self, callee: Option<u32>) {
        let Some(owner) = self.names.variables.get(self.bytes()).map(|new| new.owner) else { return };
        let callee = callee.map(|index| &self.facts.occurrences[index as usize].text.bytes);
        let ours = callee.is_some_and(|name| {
            self.names.own_defined.contains(name) || self.names.functions.contains_key(name)
        });
        if ours {
            self.variable(Target::Definition);
        } else {
            self.doubt(Why::ForOneCommand, Choice::Kept, owner);
        }
    }

    /// Words in `([word]=…)` are keys, unless the array is known not to be associative.
    fn element_index(&mut self, array: &[u8]) {
        let taken = self.facts.functions[self.occurrence.function as usize].takes_names;
        let Some(new) =
            self.names.variables.get(self.bytes()).filter(|_| !self.names.associative.contains(array))
        else {
            return self.index(array);
        };
        if self.names.known_arrays.contains(array) && !taken {
            self.variable(Target::Use);
        } else {
            self.doubt(Why::UnknownArray, Choice::Kept, new.owner);
        }
    }

    fn index(&mut self, array: &[u8]) {
        let Some(new) =
            self.names.variables.get(self.bytes()).filter(|_| !self.names.associative.contains(array))
        else {
            // A function of this name is told of by the last look.
            if !self.names.functions.contains_key(self.bytes()) {
                self.seen();
            }
            return;
        };
        let in_doubt = !self.names.known_arrays.contains(array)
            || self.occurrence.function != TOP
                && self.facts.functions[self.occurrence.function as usize].takes_names;
        self.variable(Target::Use);
        if in_doubt {
            self.doubt(Why::UnknownArray, Choice::Renamed, new.owner);
        }
    }
}

/// The parts of a text that are known, in order.
fn known_pieces(text: &Text) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for at in 0..=text.bytes.len() {
        if at == text.bytes.len() || text.origin(at).opaque {
            if from < at {
                pieces.push(&text.bytes[from..at]);
            }
            from = at + 1;
        }
    }
    pieces
}

/// Whether a name may be what a text, whose beginning is not known, becomes.
fn fits(name: &[u8], pieces: &[&[u8]], text: &Text) -> bool {
    let mut from = 0;
    for piece in pieces {
        let Some(at) = name[from..].windows(piece.len()).position(|window| window == *piece) else {
            return false;
        };
        from += at + piece.len();
    }
    let ends = text.bytes.len().checked_sub(1).is_some_and(|last| !text.origin(last).opaque);
    !ends || pieces.last().is_some_and(|last| name.ends_with(last))
}

/// Whether a text ends as functions' names with a slug do: `"$slug.print"`.
fn ends_like_name(text: &Text) -> bool {
    known_pieces(text).last().is_some_and(|last| {
        matches!(last.first(), Some(b'.' | b':')) && text.bytes.ends_with(last) && !last.contains(&b' ')
    })
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
