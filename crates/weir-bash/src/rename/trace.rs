//! Values that are taken for names, traced to where they come from.
//!
//! `"$f"`, `${!v}`, `printf -v "$v"` and their like take a value for a name. A name that is written somewhere is decided where it is
//! written; this looks for the others. From each such place it goes back: to what the variable is given, what the function is
//! called with, what is printed. Where that ends at a word, the word is a name that was decided, or none of the package's. Where it ends at
//! words that are put together (`"c_$n"`, `x+=_y`, a format of `printf`), that is told if a name that changes has that form. Where it
//! ends at something that is not followed (`${x^^}`, what a program prints, input), any name may be meant, and that is told.
//!
//! What comes from outside is decided there: the arguments of a function that others call, a variable that only they set.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::SourceFile;
use super::decide::{Doubt, Verdicts, is_own_process};
use super::facts::{Facts, Function, FunctionId, TOP};
use super::names::{Names, Owner};
use super::report::{Choice, Why};
use super::text::Text;
use super::values::{Gift, Given, Printer, Sort, Source, Value, is_nameless};

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
    if owners.iter().all(BTreeSet::is_empty) {
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
        gifts: gifts(facts),
        met: HashSet::new(),
        waiting: Vec::new(),
        steps: MOST_STEPS,
        forms: HashMap::new(),
        compared: MOST_COMPARED,
        doubts: Vec::new(),
    };
    for taken in facts.values.taken.iter().filter(|taken| !taken.foreign || facts.values.exports_functions) {
        let at = At { file: taken.file, function: taken.function, sort: taken.sort, all: false };
        match &taken.value {
            Value::First(words) => tracer.words(words, at),
            Value::Word(word) => tracer.word(word, at),
            Value::Source(source, start, end) => tracer.source(source, (*start, *end), at),
        }
    }
    for (id, function) in (0..).zip(&facts.functions) {
        for name in &function.unbound {
            let own = tracer.gifts.get(&name[..]).and_then(|gifts| gifts.own.get(&id)).cloned();
            for gift in own.unwrap_or_default() {
                let at = At { file: gift.file, function: id, sort: Sort::Variable, all: true };
                match &gift.given {
                    Given::Word { text, .. } => tracer.word(text, at),
                    Given::Words { texts, .. } => tracer.words(texts, at),
                    _ => {}
                }
            }
        }
    }
    while let Some((origin, at, place)) = tracer.waiting.pop() {
        tracer.steps = tracer.steps.saturating_sub(1);
        if tracer.steps == 0 {
            for sort in [Sort::Function, Sort::Variable] {
                tracer.made(place, At { sort, ..at });
            }
            break;
        }
        tracer.follow(&origin, at, place);
    }
    verdicts.doubts.append(&mut tracer.doubts);
}

/// Who calls each function by its name.
fn callers(facts: &Facts) -> HashMap<&[u8], BTreeSet<FunctionId>> {
    let calls = facts.values.calls.iter();
    calls.map(|(name, gifts)| (&name[..], gifts.iter().map(|gift| gift.function).collect())).collect()
}

/// Which functions hand something back to a variable, by the name that they are called with.
fn takers(facts: &Facts) -> HashMap<&[u8], BTreeSet<FunctionId>> {
    let mut all: HashMap<&[u8], BTreeSet<FunctionId>> = HashMap::new();
    for (id, function) in (0..).zip(&facts.functions).skip(1) {
        if function.namerefs.is_empty() && !facts.values.handed_back.contains_key(&id) {
            continue;
        }
        for gift in facts.values.calls.get(&function.name).into_iter().flatten() {
            let Given::Words { texts, .. } = &gift.given else { continue };
            for text in texts.iter().filter(|text| text.is_known()) {
                all.entry(&text.bytes).or_default().insert(id);
            }
        }
    }
    all
}

/// Where a value is looked at, and what for.
#[derive(Debug, Clone, Copy)]
struct At {
    file: u32,
    function: FunctionId,
    sort: Sort,
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

/// What the variables of one name are given.
#[derive(Debug, Default)]
struct Gifts<'a> {
    shared: Vec<&'a Gift>,
    /// In functions that have one for themselves.
    own: BTreeMap<FunctionId, Vec<&'a Gift>>,
}

fn gifts(facts: &Facts) -> HashMap<&[u8], Gifts<'_>> {
    let mut all: HashMap<&[u8], Gifts<'_>> = HashMap::new();
    for (name, gifts) in &facts.values.variables {
        let of = all.entry(name).or_default();
        for gift in gifts {
            match facts.functions[gift.function as usize].locals.contains(name) {
                true => of.own.entry(gift.function).or_default().push(gift),
                false => of.shared.push(gift),
            }
        }
    }
    all
}

fn by_name(functions: &[Function]) -> HashMap<&[u8], Vec<FunctionId>> {
    let mut all: HashMap<&[u8], Vec<FunctionId>> = HashMap::new();
    for (id, function) in (0..).zip(functions).skip(1) {
        all.entry(&function.name).or_default().push(id);
    }
    all
}

/// A part of a form: text that is known, or anything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Part {
    Known(Vec<u8>),
    Any,
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
    met: HashSet<(Origin, Sort, bool)>,
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
        if self.met.insert((origin.clone(), at.sort, at.all)) {
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
        for gift in own.chain(calls.into_iter().flatten()) {
            self.steps = self.steps.saturating_sub(1);
            let Given::Words { texts, .. } = &gift.given else { continue };
            let at = At { file: gift.file, function: gift.function, ..at };
            for (index, text) in (1..).zip(texts).filter(|(index, _)| on || *index <= number) {
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
                    Some(source @ Source::Elements(_)) => {
                        self.source(&source, place, At { all: at.all || on || index < number, ..at });
                    }
                    _ if index >= number => self.word(text, at),
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
        let mut bytes = format.clone();
        if let Some(end) = format.bytes.windows(2).position(|pair| matches!(pair, b"\\n" | b"\\t")) {
            bytes = format.slice(0..end);
        }
        let mut form: Vec<Part> = Vec::new();
        let (mut directive, mut numbers) = (false, true);
        for part in parts(&bytes) {
            let Part::Known(known) = part else {
                form.push(Part::Any);
                numbers = false;
                continue;
            };
            let mut literal = Vec::new();
            for byte in known {
                if directive {
                    directive = !(byte.is_ascii_alphabetic() || byte == b'%');
                    numbers &= directive || b"diouxXeEfgG".contains(&byte);
                    if byte == b'%' {
                        literal.push(byte);
                    } else if !directive {
                        form.push(Part::Known(std::mem::take(&mut literal)));
                        form.push(Part::Any);
                    }
                } else if byte == b'%' {
                    directive = true;
                } else if byte == b'\\' {
                    form.push(Part::Known(std::mem::take(&mut literal)));
                    form.push(Part::Any);
                } else {
                    literal.push(byte);
                }
            }
            form.push(Part::Known(literal));
        }
        form.retain(|part| *part != Part::Known(Vec::new()));
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

    /// A name of a form: told if a name that changes has it.
    fn form(&mut self, form: &[Part], place: (u32, u32), at: At) {
        let is_known = form.iter().all(|part| *part != Part::Any);
        if form.iter().all(|part| *part == Part::Any) {
            return self.made(place, at);
        }
        if self.decided.contains(&(at.file, place.0)) {
            return;
        }
        let owners = match self.forms.get(&(at.sort, form.to_vec())) {
            Some(owners) => owners.clone(),
            None => {
                let owners = self.having(form, is_known, at.sort);
                self.forms.insert((at.sort, form.to_vec()), owners.clone());
                owners
            }
        };
        let why = match (is_known, at.sort) {
            (false, _) => Why::BuiltName,
            (true, Sort::Function) => Why::ArgumentLikeFunction,
            (true, Sort::Variable) => Why::ArgumentLikeVariable,
        };
        self.tell(owners, why, place, at.file);
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
        self.tell(self.owners[at.sort as usize].clone(), Why::BuiltName, place, at.file);
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

/// The form of a text: what is known of it, and where there may be anything.
fn parts(text: &Text) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut known = Vec::new();
    let mut at = 0;
    while at < text.bytes.len() {
        let byte = text.bytes[at];
        let braces = alternatives(&text.bytes[at..]);
        // Escapes of `$'…'` are this byte, whatever they stand for.
        if text.origin(at).opaque || byte == b'\x01' || braces.is_some() {
            if !known.is_empty() {
                parts.push(Part::Known(std::mem::take(&mut known)));
            }
            if parts.last() != Some(&Part::Any) {
                parts.push(Part::Any);
            }
        } else {
            known.push(byte);
        }
        at += braces.unwrap_or(1);
    }
    if !known.is_empty() {
        parts.push(Part::Known(known));
    }
    parts
}

/// The length of `{a,b}` or `{1..3}`.
fn alternatives(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'{') {
        return None;
    }
    let end = text.iter().take(256).position(|byte| *byte == b'}')?;
    let inner = &text[1..end];
    (inner.contains(&b',') || inner.windows(2).any(|pair| pair == b"..")).then_some(end + 1)
}

/// Whether a name has a form: each known part in its order, with whatever between them.
fn has_form(name: &[u8], form: &[Part]) -> bool {
    let mut rest = name;
    let mut anything = false;
    for (index, part) in form.iter().enumerate() {
        match part {
            Part::Any => anything = true,
            Part::Known(known) if !anything => match rest.strip_prefix(&known[..]) {
                Some(after) => rest = after,
                None => return false,
            },
            Part::Known(known) if index + 1 == form.len() => return rest.ends_with(known),
            Part::Known(known) => match memchr::memmem::find(rest, known) {
                Some(at) => {
                    rest = &rest[at + known.len()..];
                    anything = false;
                }
                None => return false,
            },
        }
    }
    anything || rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::{Part, has_form};

    #[test]
    fn a_name_has_a_form_or_not() {
        let form = |text: &str| -> Vec<Part> {
            let known = text.split('*').map(|part| Part::Known(part.into()));
            let mut parts: Vec<Part> = known.flat_map(|part| [part, Part::Any]).collect();
            parts.pop();
            parts.retain(|part| *part != Part::Known(Vec::new()));
            parts
        };
        for (name, text, has) in [
            ("c_red", "c_*", true),
            ("red_c", "*_c", true),
            ("c_red", "*_c", false),
            ("a_b_c", "*_*", true),
            ("a_b_c", "a*_c", true),
            ("ab", "a*b*", true),
            ("a", "a*a", false),
            ("cmd", "cmd_*", false),
            ("x", "*", true),
        ] {
            assert_eq!(has_form(name.as_bytes(), &form(text)), has, "{name} {text}");
        }
    }
}
