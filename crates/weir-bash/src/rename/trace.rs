//! Values that are taken for names, traced to where they come from.
//!
//! `"$f"`, `${!v}`, `printf -v "$v"` and their like take a value for a name. A name that is written somewhere is decided where it is
//! written; this looks for the others. From each such place it goes back: to what the variable is given, what the function is
//! called with, what is printed. Where that ends at a word, the word is a name that was decided, or none of the package's. Where it ends at
//! words that are put together (`"c_$n"`, `x+=_y`, a format of `printf`), that is told if a name that changes has that form. Where it
//! ends at something that is not followed (`${x^^}`, what a program prints, input), any name may be meant, and that is told.
//!
//! What is *made* by a value (`printf -v "$v"`, `eval "$f() { …; }"`) is told, too, where that is no name that is written as one: no
//! version of the library has it to itself. In a sum a value is mostly a number; there only written names count.
//!
//! What comes from outside is decided there: the arguments of a function that others call, a variable that only they set.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::SourceFile;
use super::calls::{Gifts, assignments, by_name, callers, gifts, names_by_value, takers};
use super::decide::{Doubt, Verdicts, is_own_process};
use super::facts::{Facts, FunctionId, TOP};
use super::form::{Part, alternatives, has_form, of_format, of_variable, parts};
use super::names::{Names, Owner};
use super::programs::is_nameless;
use super::report::{Choice, Why};
use super::text::Text;
use super::values::{Gift, Given, Printer, Purpose, Sort, Source, Value};
use super::variables::is_well_known;

/// The most comparisons of a form with names, for all of a package.
const MOST_COMPARED: u64 = 2_000_000;

/// The most steps back, for all of a package: of an honest one it is some thousands.
const MOST_STEPS: u64 = 1_000_000;

/// The last argument that is traced.
const MOST_ARGUMENTS: usize = 64;

/// Tells every place where a value is taken for a name, and may be a name that changes and is written nowhere.
pub(crate) fn trace(files: &[SourceFile], facts: &Facts, names: &Names, verdicts: &mut Verdicts) {
    let owners = |sort| -> BTreeSet<Owner> {
        match sort {
            Sort::Function => names.functions.values().map(|new| new.owner).collect(),
            Sort::Variable => names.variables.values().map(|new| new.owner).collect(),
        }
    };
    let decided = verdicts.changes.iter().map(|change| (change.file, change.start));
    let told = verdicts.doubts.iter().map(|doubt| (doubt.file, doubt.start));
    let owners = [owners(Sort::Function), owners(Sort::Variable)];
    if owners.iter().all(BTreeSet::is_empty) && !names.renames_own {
        return;
    }
    let mut tracer = Tracer {
        files,
        facts,
        names,
        owners,
        decided: decided.chain(told).collect(),
        own_processes: HashMap::new(),
        callers: callers(facts),
        takers: takers(facts),
        functions: by_name(&facts.functions),
        by_value: names_by_value(facts),
        gifts: gifts(facts),
        met: HashSet::new(),
        waiting: Vec::new(),
        steps: MOST_STEPS,
        forms: HashMap::new(),
        compared: MOST_COMPARED,
        doubts: Vec::new(),
    };
    for taken in facts.values.taken.iter().filter(|taken| !taken.foreign || facts.values.exports_functions) {
        if taken.array.as_ref().is_some_and(|array| names.associative.contains(array)) {
            continue;
        }
        let (sort, purpose) = (taken.sort, taken.purpose);
        let at = At { file: taken.file, function: taken.function, sort, purpose, all: false };
        match &taken.value {
            Value::First(words) => tracer.words(words, at),
            Value::Word(word) => tracer.word(word, at),
            Value::Source(source, start, end) => tracer.source(source, (*start, *end), at),
        }
    }
    tracer.references();
    while let Some((origin, at, place)) = tracer.waiting.pop() {
        tracer.steps = tracer.steps.saturating_sub(1);
        if tracer.steps == 0 {
            for sort in [Sort::Function, Sort::Variable] {
                tracer.made(place, At { sort, purpose: Purpose::Use, ..at });
            }
            break;
        }
        tracer.follow(&origin, at, place);
    }
    verdicts.doubts.append(&mut tracer.doubts);
}

/// Where a value is looked at, and what for.
#[derive(Debug, Clone, Copy)]
struct At {
    file: u32,
    function: FunctionId,
    sort: Sort,
    purpose: Purpose,
    /// Every word of it counts, and not the first alone.
    all: bool,
}

/// Where a value comes from. `list`: the elements of an array.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Origin {
    /// A variable that a function has for itself.
    Own {
        name: Vec<u8>,
        function: FunctionId,
        list: bool,
    },
    /// A variable that is no local one where it is given something; what a program gives it, other programs do not see.
    Shared {
        name: Vec<u8>,
        program: Option<u32>,
        list: bool,
    },
    /// An argument of a function; or all from this one on.
    Arguments {
        function: FunctionId,
        number: usize,
        on: bool,
    },
    Printed(Printer),
    /// What a function gives to variables whose names it is called with.
    HandedBack(FunctionId),
}

struct Tracer<'a> {
    files: &'a [SourceFile],
    facts: &'a Facts,
    names: &'a Names,
    /// Whose functions and whose variables change.
    owners: [BTreeSet<Owner>; 2],
    /// Places that were decided or told before.
    decided: HashSet<(u32, u32)>,
    own_processes: HashMap<u32, bool>,
    callers: HashMap<&'a [u8], BTreeSet<FunctionId>>,
    /// Functions that give something to a variable of this name, which they are called with.
    takers: HashMap<&'a [u8], BTreeSet<FunctionId>>,
    functions: HashMap<&'a [u8], Vec<FunctionId>>,
    gifts: HashMap<&'a [u8], Gifts<'a>>,
    /// Names of functions that may be called by value.
    by_value: HashSet<&'a [u8]>,
    met: HashSet<(Origin, Sort, Purpose, bool)>,
    waiting: Vec<(Origin, At, (u32, u32))>,
    /// How many steps may still be made.
    steps: u64,
    /// Whose names have a form that was met.
    forms: HashMap<(Sort, Vec<Part>), BTreeSet<Owner>>,
    /// How many comparisons may still be made.
    compared: u64,
    doubts: Vec<Doubt>,
}

impl Tracer<'_> {
    /// References, `local -n r=$v`: what they are declared with is a name, and so is the first thing that others are given. What is
    /// assigned after that is made by them.
    fn references(&mut self) {
        let assigned = assignments(self.facts);
        for (id, function) in (0..).zip(&self.facts.functions) {
            let times = |name: &[u8]| assigned.get(&(id, name)).copied().unwrap_or_default();
            for (file, name, text) in &function.bound {
                let purpose = if times(name) > 0 { Purpose::Make } else { Purpose::Use };
                self.word(text, At { file: *file, function: id, sort: Sort::Variable, purpose, all: false });
            }
            for name in &function.unbound {
                let purpose = if times(name) > 1 { Purpose::Make } else { Purpose::Use };
                let own = self.gifts.get(&name[..]).and_then(|gifts| gifts.own.get(&id)).cloned();
                for gift in own.unwrap_or_default() {
                    let at = At { file: gift.file, function: id, sort: Sort::Variable, purpose, all: true };
                    match &gift.given {
                        Given::Word { text, .. } => self.word(text, at),
                        Given::Words { texts, .. } => self.words(texts, at),
                        _ => {}
                    }
                }
            }
        }
    }

    /// Words of which the first is taken, or all. A variable that may be empty is no word then, and the next one is the first.
    fn words(&mut self, words: &[Text], at: At) {
        for word in words {
            self.word(word, at);
            if !at.all && !self.may_vanish(word, at.file) {
                return;
            }
        }
    }

    /// Whether a word is a variable without quotes that is given nothing somewhere: `$sudo make`.
    fn may_vanish(&self, word: &Text, file: u32) -> bool {
        let Some(Source::Variable(name)) = self.sole(word, file) else { return false };
        let before =
            word.start().checked_sub(1).and_then(|at| self.files[file as usize].bytes.get(at as usize));
        let empty = |gift: &Gift| matches!(gift.given, Given::Empty);
        before != Some(&b'"')
            && self.facts.values.variables.get(name).is_some_and(|given| given.iter().any(empty))
    }

    /// What a text stands for that is one expansion and nothing else.
    fn sole(&self, text: &Text, file: u32) -> Option<&Source> {
        (text.bytes.len() == 1 && text.known() == 0)
            .then(|| self.facts.values.sources.get(&(file, text.origin(0).start)))
            .flatten()
    }

    /// A word, or several in one text.
    fn word(&mut self, text: &Text, at: At) {
        if at.purpose == Purpose::Count {
            return self.operands(text, at);
        }
        let mut from = 0;
        for end in 0..=text.bytes.len() {
            let ends = end == text.bytes.len()
                || !text.origin(end).opaque
                    && (text.bytes[end].is_ascii_whitespace() || text.bytes[end] == b';');
            if !ends {
                continue;
            }
            if from < end {
                self.one_word(&text.slice(from..end), at);
                if !at.all {
                    return;
                }
            }
            from = end + 1;
        }
    }

    /// The names and values in a sum: `n`, `n+1`. A path or a sentence is none.
    fn operands(&mut self, text: &Text, at: At) {
        let is_part = |index: usize| {
            let byte = text.bytes[index];
            text.origin(index).opaque || byte.is_ascii_alphanumeric() || byte == b'_'
        };
        if !(0..text.bytes.len())
            .all(|index| is_part(index) || b"+-*%<>=&|^!?:,()[]".contains(&text.bytes[index]))
        {
            return;
        }
        let mut from = 0;
        for end in 0..=text.bytes.len() {
            if end < text.bytes.len() && is_part(end) {
                continue;
            }
            if from < end && !text.bytes[from].is_ascii_digit() {
                self.one_word(&text.slice(from..end), at);
            }
            from = end + 1;
        }
    }

    fn one_word(&mut self, text: &Text, at: At) {
        // Of `"$name[@]"` and `"$name=value"` the name is what comes before.
        let mut length = 0;
        while let Some(byte) = text.bytes.get(length) {
            let is_part = text.origin(length).opaque
                || at.sort == Sort::Function
                || byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'\x01');
            let braces = alternatives(&text.bytes[length..]);
            if !is_part && braces.is_none() {
                break;
            }
            length += braces.unwrap_or(1);
        }
        if length == 0 {
            return;
        }
        let text = text.slice(0..length);
        let place = (text.start(), text.before(text.bytes.len()));
        if text.bytes.len() == 1 && text.known() == 0 {
            match self.facts.values.sources.get(&(at.file, text.origin(0).start)).cloned() {
                Some(source) => self.source(&source, place, at),
                None => self.made(place, at),
            }
        } else {
            self.form(&parts(&text), place, at);
        }
    }

    fn source(&mut self, source: &Source, place: (u32, u32), at: At) {
        let function = at.function;
        let origin = match source {
            Source::Nothing => return,
            Source::Made => return self.made(place, at),
            Source::Joined(_) | Source::JoinedArguments if self.joins_to_one_word() => {
                return self.made(place, at);
            }
            Source::Joined(name) | Source::Elements(name) => return self.variable(name, true, at, place),
            Source::Element(name) => return self.variable(name, true, At { all: true, ..at }, place),
            Source::Variable(name) => return self.variable(name, false, at, place),
            // What functions are called with is a number where a number is wanted.
            Source::Argument(_) | Source::Arguments(_) | Source::JoinedArguments
                if at.purpose == Purpose::Count =>
            {
                return;
            }
            Source::Argument(number) => Origin::Arguments { function, number: *number, on: false },
            Source::Arguments(number) => Origin::Arguments { function, number: *number, on: at.all },
            Source::JoinedArguments => Origin::Arguments { function, number: 1, on: at.all },
            Source::Printed => Origin::Printed(Printer::Substitution(at.file, place.0)),
            Source::Either(one, other) => {
                self.source(one, place, at);
                return self.word(other, at);
            }
        };
        self.go(origin, at, place);
    }

    /// What a variable has where it is looked at: what the function gives it, what others give it, and what those give it
    /// that call the function.
    fn variable(&mut self, name: &[u8], list: bool, at: At, place: (u32, u32)) {
        let function = &self.facts.functions[at.function as usize];
        let top = &self.facts.functions[TOP as usize];
        let is_own = function.locals.contains(name);
        let changing = function.changing.contains(name) || !is_own && top.changing.contains(name);
        if function.namerefs.contains(name) || changing {
            return self.made(place, at);
        }
        self.handed_back(name, at, place);
        let own = |function| Origin::Own { name: name.to_vec(), function, list };
        if function.locals.contains(name) && at.function != TOP {
            self.go(own(at.function), at, place);
        } else if self.gifts.get(name).is_some_and(|gifts| !gifts.own.is_empty()) {
            let above = self.above(at.function);
            let owners: Vec<FunctionId> =
                self.gifts[name].own.keys().copied().filter(|owner| above.contains(owner)).collect();
            for owner in owners {
                self.go(own(owner), at, place);
            }
        }
        let program = Some(at.file).filter(|file| self.facts.programs.contains(file));
        self.go(Origin::Shared { name: name.to_vec(), program, list }, at, place);
    }

    /// What functions give to a variable whose name they are called with.
    fn handed_back(&mut self, name: &[u8], at: At, place: (u32, u32)) {
        for function in self.takers.get(name).cloned().unwrap_or_default() {
            self.go(Origin::HandedBack(function), at, place);
        }
    }

    /// The functions that call this one, and those that call them.
    fn above(&mut self, function: FunctionId) -> HashSet<FunctionId> {
        let mut met = HashSet::new();
        let mut next = vec![function];
        while let Some(function) = next.pop() {
            let name = &self.facts.functions[function as usize].name;
            for caller in self.callers.get(&name[..]).into_iter().flatten() {
                self.steps = self.steps.saturating_sub(1);
                if *caller != TOP && self.steps > 0 && met.insert(*caller) {
                    next.push(*caller);
                }
            }
        }
        met
    }

    /// Whether anything sets `IFS` to what is no space, for more than one command: `"${x[*]}"` may be one word then.
    fn joins_to_one_word(&self) -> bool {
        let given = self.facts.values.variables.get(&b"IFS"[..]).map_or(&[][..], Vec::as_slice);
        given.iter().any(|gift| match &gift.given {
            Given::Word { text, .. } => !text.bytes[0].is_ascii_whitespace(),
            Given::Empty => true,
            _ => false,
        })
    }

    fn go(&mut self, origin: Origin, at: At, place: (u32, u32)) {
        if self.met.insert((origin.clone(), at.sort, at.purpose, at.all)) {
            self.waiting.push((origin, at, place));
        }
    }

    fn follow(&mut self, origin: &Origin, at: At, place: (u32, u32)) {
        let facts = self.facts;
        let (gifts, list): (Vec<&Gift>, bool) = match origin {
            Origin::Own { name, function, list } => {
                let own = self.gifts.get(&name[..]).and_then(|gifts| gifts.own.get(function));
                (own.cloned().unwrap_or_default(), *list)
            }
            Origin::Shared { name, program, list } => {
                let mut shared =
                    self.gifts.get(&name[..]).map(|gifts| gifts.shared.clone()).unwrap_or_default();
                let hidden = |file| program.is_some_and(|own| own != file && facts.programs.contains(&file));
                shared.retain(|gift| !hidden(gift.file));
                (shared, *list)
            }
            Origin::Arguments { function, number, on } => {
                return self.arguments(*number, *on, At { function: *function, ..at });
            }
            Origin::HandedBack(function) => {
                let mut all: Vec<&Gift> =
                    facts.values.handed_back.get(function).into_iter().flatten().collect();
                for name in &facts.functions[*function as usize].namerefs {
                    let own = self.gifts.get(&name[..]).and_then(|gifts| gifts.own.get(function));
                    all.extend(own.into_iter().flatten());
                }
                (all, true)
            }
            Origin::Printed(printer) => {
                (facts.values.printed.get(printer).into_iter().flatten().collect(), true)
            }
        };
        let begins = gifts
            .iter()
            .any(|gift| matches!(&gift.given, Given::Words { texts, added: false } if !texts.is_empty()));
        for gift in gifts {
            self.steps = self.steps.saturating_sub(1);
            let at = At { file: gift.file, function: gift.function, ..at };
            match &gift.given {
                Given::Empty => {}
                Given::Word { text, added: false } => self.word(text, at),
                Given::Word { text, added: true } => self.added(text, at),
                // What is added to a list that is never empty is not its first word.
                Given::Words { added: true, .. } if begins && !at.all && list => {}
                // A variable that is no list is that of a loop.
                Given::Words { texts, .. } => self.words(texts, At { all: at.all || !list, ..at }),
                Given::Format(texts) => self.format(texts, at),
                Given::Call(name) => self.called(name, origin, at, place),
                Given::Made(start, end) => self.made((*start, *end), at),
            }
        }
    }

    /// What a function is called with, as an argument or as those from it on.
    fn arguments(&mut self, number: usize, on: bool, at: At) {
        let facts = self.facts;
        let function = &facts.functions[at.function as usize];
        let on = on || function.shifts;
        let own = facts.values.own_arguments.get(&at.function).into_iter().flatten();
        let calls = (at.function != TOP).then(|| facts.values.calls.get(&function.name)).flatten();
        let by_value = self.by_value.contains(&function.name[..]).then_some(&facts.values.calls_by_value);
        let written = own.chain(calls.into_iter().flatten()).map(|gift| (1, gift));
        for (first, gift) in written.chain(by_value.into_iter().flatten().map(|gift| (0, gift))) {
            self.steps = self.steps.saturating_sub(1);
            let Given::Words { texts, .. } = &gift.given else { continue };
            let at = At { file: gift.file, function: gift.function, ..at };
            for (index, text) in (first..).zip(texts).filter(|(index, _)| on || *index <= number) {
                let place = (text.start(), text.before(text.bytes.len()));
                match self.sole(text, gift.file).cloned() {
                    // The arguments that a function hands on.
                    Some(Source::Arguments(from)) => {
                        let number = from + number.saturating_sub(index);
                        // A function that calls itself with what comes later: no call has so many.
                        if number > MOST_ARGUMENTS {
                            continue;
                        }
                        self.go(Origin::Arguments { function: gift.function, number, on }, at, place);
                    }
                    Some(source @ Source::Elements(_)) if index > 0 || number > 0 => {
                        self.source(&source, place, At { all: at.all || on || index < number, ..at });
                    }
                    _ if index >= number && index > 0 => self.word(text, at),
                    _ => {}
                }
            }
        }
    }

    /// What a command prints: a function of the package what is printed in it, a program anything.
    fn called(&mut self, name: &[u8], origin: &Origin, at: At, place: (u32, u32)) {
        let functions = self.functions.get(name).cloned().unwrap_or_default();
        for function in &functions {
            self.go(Origin::Printed(Printer::Function(*function)), At { function: *function, ..at }, place);
        }
        let in_substitution = matches!(origin, Origin::Printed(Printer::Substitution(..)));
        if functions.is_empty() && in_substitution && !is_nameless(name) {
            self.made(place, at);
        }
    }

    /// What is added to what a variable has.
    fn added(&mut self, text: &Text, at: At) {
        let ends = |index: &usize| !text.origin(*index).opaque && text.bytes[*index].is_ascii_whitespace();
        let length = (0..text.bytes.len()).find(ends).unwrap_or(text.bytes.len());
        if length > 0 {
            let first = text.slice(0..length);
            let mut form = vec![Part::Any];
            form.extend(parts(&first));
            self.form(&form, (first.start(), first.before(length)), at);
        }
        if at.all && length < text.bytes.len() {
            self.word(&text.slice(length..text.bytes.len()), at);
        }
    }

    /// What `printf` makes of a format and what goes into it.
    fn format(&mut self, texts: &[Text], at: At) {
        let Some((format, arguments)) = texts.split_first() else { return };
        let line = format.bytes.strip_suffix(b"\\n").unwrap_or(&format.bytes);
        if matches!(line, b"%s" | b"%q" | b"%b") && format.is_known() {
            return self.words(arguments, At { all: true, ..at });
        }
        let place = (format.start(), format.before(format.bytes.len()));
        let (form, numbers) = of_format(format);
        let spaces =
            |part: &Part| matches!(part, Part::Known(known) if known.iter().any(u8::is_ascii_whitespace));
        match form.iter().position(spaces) {
            // `%s --option`: what comes before is the word.
            Some(1) if form[0] == Part::Any => self.words(arguments, at),
            _ if numbers && form.iter().all(|part| *part == Part::Any) => {}
            _ if !form.is_empty() => self.form(&form, place, at),
            _ => {}
        }
    }

    /// A name of a form: told if a name that changes has it, and if something is made by it that is no name of the package's.
    fn form(&mut self, form: &[Part], place: (u32, u32), at: At) {
        let form = match at.sort {
            Sort::Function => form.to_vec(),
            Sort::Variable => of_variable(form),
        };
        if form.iter().all(|part| *part == Part::Any) {
            if !form.is_empty() {
                self.made(place, at);
            }
            return;
        }
        if self.decided.contains(&(at.file, place.0)) {
            return;
        }
        let is_known = !form.contains(&Part::Any);
        let owners = match self.forms.get(&(at.sort, form.clone())) {
            Some(owners) => owners.clone(),
            None => {
                let owners = self.having(&form, is_known, at.sort);
                self.forms.insert((at.sort, form.clone()), owners.clone());
                owners
            }
        };
        if is_known && at.sort == Sort::Function && self.runs_code(&form) {
            return self.tell(self.all_owners(), Why::UnknownCode, place, at.file);
        }
        let makes = at.purpose == Purpose::Make && self.names.renames_own;
        if makes && !owners.contains(&Owner::Subject) && !self.is_told_elsewhere(&form, at) {
            self.tell(BTreeSet::from([Owner::Subject]), Why::Made, place, at.file);
        }
        let why = match (is_known, at.sort) {
            (false, _) => Why::BuiltName,
            (true, Sort::Function) => Why::ArgumentLikeFunction,
            (true, Sort::Variable) => Why::ArgumentLikeVariable,
        };
        self.tell(owners, why, place, at.file);
    }

    fn all_owners(&self) -> BTreeSet<Owner> {
        self.owners.iter().flatten().copied().collect()
    }

    /// Whether a command that is called by value runs code, whatever that is: `run source "$file"`.
    fn runs_code(&self, form: &[Part]) -> bool {
        let [Part::Known(name)] = form else { return false };
        matches!(&name[..], b"eval" | b"source" | b".") && !self.names.own_defined.contains(name)
    }

    /// Whether what has a form is no state of the library, or was decided by other rules: a local variable, a name that is kept or
    /// belongs to the shell, one that is given a value where it is written.
    fn is_told_elsewhere(&self, form: &[Part], at: At) -> bool {
        if self.names.kept.iter().any(|name| has_form(name, form)) {
            return true;
        }
        let name = match form {
            [Part::Known(name)] => name,
            _ if at.sort == Sort::Function => return false,
            _ => {
                return self.facts.functions[at.function as usize]
                    .locals
                    .iter()
                    .any(|name| has_form(name, form));
            }
        };
        match at.sort {
            Sort::Function => self.names.own_defined.contains(name),
            Sort::Variable => {
                self.names.known_arrays.contains(name) || std::str::from_utf8(name).is_ok_and(is_well_known)
            }
        }
    }

    /// Whose names have a form.
    fn having(&mut self, form: &[Part], is_known: bool, sort: Sort) -> BTreeSet<Owner> {
        let names = match sort {
            Sort::Function => &self.names.functions,
            Sort::Variable => &self.names.variables,
        };
        if is_known {
            let [Part::Known(name)] = form else { return BTreeSet::new() };
            return names.get(name).map(|new| new.owner).into_iter().collect();
        }
        let beginning = match form.first() {
            Some(Part::Known(known)) => &known[..],
            _ => b"",
        };
        let mut owners = BTreeSet::new();
        let begin = names.range(beginning.to_vec()..).take_while(|(name, _)| name.starts_with(beginning));
        for (name, new) in begin {
            self.compared = self.compared.saturating_sub(1);
            // Where too much is compared, any may have it.
            if self.compared == 0 || has_form(name, form) {
                owners.insert(new.owner);
            }
        }
        owners
    }

    /// Something that may be any name.
    fn made(&mut self, place: (u32, u32), at: At) {
        let mut owners = self.owners[at.sort as usize].clone();
        match at.purpose {
            Purpose::Count => return,
            Purpose::Make if self.names.renames_own => drop(owners.insert(Owner::Subject)),
            Purpose::Make | Purpose::Use => {}
        }
        self.tell(owners, Why::BuiltName, place, at.file);
    }

    fn tell(&mut self, mut owners: BTreeSet<Owner>, why: Why, (start, end): (u32, u32), file: u32) {
        let bytes = &self.files[file as usize].bytes;
        let (facts, names) = (self.facts, self.names);
        let own_process =
            *self.own_processes.entry(file).or_insert_with(|| is_own_process(file, bytes, facts, names));
        if own_process {
            owners.remove(&Owner::Subject);
        }
        let stands = bytes.get(start as usize..(end as usize).max(start as usize)).unwrap_or_default();
        let first = stands.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let text = first[..first.len().min(40)].to_vec();
        let doubt = |owner| Doubt { file, start, text: text.clone(), why, choice: Choice::Kept, owner };
        self.doubts.extend(owners.into_iter().map(doubt));
    }
}
