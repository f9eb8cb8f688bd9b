//! What values are made of: what variables are given, functions are called with, and commands print; and where a value is taken
//! for a name. [`trace`](super::trace) follows the ones to the others.

use std::collections::HashMap;

use tree_sitter::Node;

use super::collect::{Walk, identifier};
use super::facts::{FunctionId, Role, Scope, TOP};
use super::programs::is_filter;
use super::report::Why;
use super::text::{Text, decode_raw};

/// What an expansion stands for.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// What a variable has: `$x`.
    Variable(Vec<u8>),
    /// The elements of an array, each on its own: `"${x[@]}"`.
    Elements(Vec<u8>),
    /// Some element of an array: `${x[i]}`.
    Element(Vec<u8>),
    /// The elements of an array, joined to one word: `"${x[*]}"`.
    Joined(Vec<u8>),
    /// An argument: `$1`.
    Argument(usize),
    /// All arguments from this one on: `"$@"`.
    Arguments(usize),
    /// All arguments, joined to one word: `"$*"`.
    JoinedArguments,
    /// What commands print: `$(f)`. They are found by the place.
    Printed,
    /// One or the other: `${x:-y}`.
    Either(Box<Self>, Text),
    /// A number or a path: no name.
    Nothing,
    /// Something that is made of others: `${x^^}`.
    Made,
}

/// What a variable is given, or a command prints.
#[derive(Debug, Clone)]
pub(crate) enum Given {
    /// A word; `added` if it comes after what is there: `x+=…`.
    Word { text: Text, added: bool },
    /// Words that each are one: elements, what a loop goes through.
    Words { texts: Vec<Text>, added: bool },
    /// A format of `printf` and what goes into it.
    Format(Vec<Text>),
    /// What a command prints, by the name that it is called by.
    Call(Vec<u8>),
    /// Nothing.
    Empty,
    /// What is not followed: input, what a program prints. It stands from here to there.
    Made(u32, u32),
}

/// Something that is given, and where.
#[derive(Debug, Clone)]
pub(crate) struct Gift {
    pub(crate) file: u32,
    pub(crate) function: FunctionId,
    pub(crate) given: Given,
}

/// Where what is printed goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Printer {
    /// Into the substitution at this place, by file and offset.
    Substitution(u32, u32),
    /// Wherever the function prints.
    Function(FunctionId),
}

/// Where what is printed goes, as far as it is of interest.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Prints {
    /// Into the substitution at this offset.
    Substitution(u32),
    /// Where the function prints.
    Function,
    /// To people, into a file.
    Elsewhere,
}

/// Functions or variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Sort {
    Function,
    Variable,
}

/// What a value is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// The name of something that is there.
    Use,
    /// The name of something that is made there: a variable is given a value, a function is defined.
    Make,
    /// A number, in a sum: where it is none, it is the name of a variable that has one.
    Count,
}

impl Purpose {
    /// What the name of a variable is needed for in a role.
    pub(super) fn of(role: &Role) -> Self {
        match role {
            Role::Assign | Role::AssignDefault | Role::VariableName { assigns: true } => Self::Make,
            Role::Declare(declaration) if declaration.scope != Scope::Local => Self::Make,
            _ => Self::Use,
        }
    }
}

/// A place where a value is taken for a name.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) file: u32,
    pub(crate) function: FunctionId,
    pub(crate) sort: Sort,
    pub(crate) purpose: Purpose,
    pub(crate) value: Value,
    /// It is an index of this array: if that is associative, it is a key and no name.
    pub(crate) array: Option<Vec<u8>>,
    /// It is in code for another process, which has only what is exported.
    pub(crate) foreign: bool,
}

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// The first of these words that is none too many: a command.
    First(Vec<Text>),
    /// A word.
    Word(Text),
    /// What an expansion stands for, which is from here to there.
    Source(Source, u32, u32),
}

/// All of that, of a package.
#[derive(Debug, Default)]
pub(crate) struct Values {
    /// By file and offset.
    pub(crate) sources: HashMap<(u32, u32), Source>,
    /// By the name of the variable.
    pub(crate) variables: HashMap<Vec<u8>, Vec<Gift>>,
    /// Arguments, by the name of what is called.
    pub(crate) calls: HashMap<Vec<u8>, Vec<Gift>>,
    /// The words of commands whose name is only known when the code runs, that name among them.
    pub(crate) calls_by_value: Vec<Gift>,
    /// Arguments that a function gives itself: `set -- …`.
    pub(crate) own_arguments: HashMap<FunctionId, Vec<Gift>>,
    pub(crate) printed: HashMap<Printer, Vec<Gift>>,
    /// What a function gives to variables whose names it was given: `printf -v "$1"`.
    pub(crate) handed_back: HashMap<FunctionId, Vec<Gift>>,
    pub(crate) taken: Vec<Taken>,
    /// Whether any function is exported to other processes.
    pub(crate) exports_functions: bool,
}

/// Whether a node stands for a value that is only known when the code runs.
pub(crate) fn is_expansion(kind: &str) -> bool {
    matches!(
        kind,
        "simple_expansion"
            | "expansion"
            | "command_substitution"
            | "arithmetic_expansion"
            | "process_substitution"
    )
}

/// The most words of a command that are looked at for being it.
const MOST_FIRST: usize = 4;

/// Longer texts are no names, and nothing that names are made of.
const MOST_BYTES: usize = 1024;

impl<'t> Walk<'_, 't> {
    fn gift(&self, given: Given) -> Gift {
        Gift { file: self.file, function: self.function(), given }
    }

    /// Notes that a word is taken for a name.
    pub(super) fn taken_for_name(&mut self, sort: Sort, text: &Text, purpose: Purpose) {
        if !text.is_known() {
            self.take(sort, purpose, Value::Word(text.clone()));
        }
    }

    /// Notes that a word is an index of an array, and the name of a variable if that array is not associative.
    pub(super) fn taken_for_index(&mut self, text: &Text, array: &[u8]) {
        self.take(Sort::Variable, Purpose::Use, Value::Word(text.clone()));
        if let Some(taken) = self.facts.values.taken.last_mut() {
            taken.array = Some(array.to_vec());
        }
    }

    /// Notes that a sum counts what a variable has.
    pub(super) fn taken_for_number(&mut self, variable: &Text) {
        let source = Source::Variable(variable.bytes.clone());
        let (start, end) = (variable.start(), variable.before(variable.bytes.len()));
        self.take(Sort::Variable, Purpose::Count, Value::Source(source, start, end));
    }

    /// Notes that another process is given a word for its code.
    pub(super) fn taken_elsewhere(&mut self, text: Text) {
        self.take(Sort::Function, Purpose::Use, Value::Word(text));
        if let Some(taken) = self.facts.values.taken.last_mut() {
            taken.foreign = true;
        }
    }

    fn take(&mut self, sort: Sort, purpose: Purpose, value: Value) {
        let (file, function, foreign) = (self.file, self.function(), self.job.foreign);
        // What a program makes is its own.
        let purpose = match purpose {
            Purpose::Make if foreign || self.facts.programs.contains(&file) => Purpose::Use,
            purpose => purpose,
        };
        self.facts.values.taken.push(Taken { file, function, sort, purpose, value, array: None, foreign });
    }

    /// Notes what an expansion stands for; and that it takes a value for a name, if it does: `${!x}`.
    pub(super) fn expansion_of_value(&mut self, node: Node<'t>, field: Option<&'t str>) {
        let (place, end) = self.place(node);
        let source = match node.kind() {
            "command_substitution" if self.is_arithmetic(node) => Source::Nothing,
            "simple_expansion" => self.simple_source(node),
            "expansion" => {
                let (source, named) = self.source(node);
                if let Some((named, purpose)) = named {
                    self.take(Sort::Variable, purpose, Value::Source(named, place, end));
                }
                self.expanded_as_prompt(node);
                source
            }
            "command_substitution" if self.job.document.bytes[node.byte_range()].starts_with(b"$(<") => {
                Source::Made
            }
            "command_substitution" => Source::Printed,
            _ => Source::Nothing,
        };
        let in_sum =
            self.levels.last().is_some_and(|level| level.arithmetic && level.node.kind() != "expansion");
        if self.is_assigned_in_arithmetic(node, field) {
            self.take(Sort::Variable, Purpose::Make, Value::Source(source.clone(), place, end));
        } else if in_sum {
            self.take(Sort::Variable, Purpose::Count, Value::Source(source.clone(), place, end));
        }
        self.facts.values.sources.insert((self.file, place), source);
    }

    /// `${x@P}` runs the commands in what `x` has, as a prompt does; what prompts have is read where it is assigned.
    fn expanded_as_prompt(&mut self, node: Node<'t>) {
        let text = &self.job.document.bytes[node.byte_range()];
        let is_prompt =
            [&b"${PS0"[..], b"${PS1", b"${PS2", b"${PS4"].iter().any(|prompt| text.starts_with(prompt));
        if text.ends_with(b"@P}") && !is_prompt {
            self.unknown(node, Why::UnknownCode);
        }
    }

    fn place(&self, node: Node<'t>) -> (u32, u32) {
        let document = &self.job.document;
        let start = match node.start_byte() {
            start if start < document.bytes.len() => document.origin(start).start,
            start => document.before(start),
        };
        (start, document.before(node.end_byte()))
    }

    /// `(($x = 1))` and `(($x++))` assign the variable that `x` names.
    fn is_assigned_in_arithmetic(&self, node: Node<'t>, field: Option<&'t str>) -> bool {
        let Some(level) = self.levels.last().filter(|level| level.arithmetic) else { return false };
        let after = self.job.document.bytes[node.end_byte()..].trim_ascii_start();
        let operator = after.iter().take_while(|byte| b"=+-*/%<>&^|".contains(byte)).count();
        let assigns =
            after[..operator].ends_with(b"=") && !matches!(&after[..operator], b"==" | b"<=" | b">=");
        match level.node.kind() {
            "binary_expression" | "variable_assignment" => field != Some("right") && assigns,
            "postfix_expression" => true,
            _ => false,
        }
    }

    fn simple_source(&self, node: Node<'t>) -> Source {
        let document = &self.job.document;
        let range = node.start_byte() + 1..node.end_byte();
        if range.clone().any(|at| document.origin(at).opaque) {
            return Source::Made;
        }
        let name = &document.bytes[range];
        match name.first() {
            Some(b'@') => Source::Arguments(1),
            Some(b'*') if self.is_one_word() => Source::JoinedArguments,
            Some(b'*') => Source::Arguments(1),
            Some(digit @ b'1'..=b'9') => Source::Argument(usize::from(digit - b'0')),
            Some(_) if name == b"_" => Source::Made,
            Some(_) if identifier(name) == name.len() => Source::Variable(name.to_vec()),
            _ => Source::Nothing,
        }
    }

    /// Whether an expansion is not divided into words: between quotes, or a variable's value.
    fn is_one_word(&self) -> bool {
        self.levels.last().is_some_and(|level| {
            matches!(level.node.kind(), "string" | "heredoc_body" | "variable_assignment")
        })
    }

    /// What `${…}` stands for, and what it takes for the name of a variable.
    fn source(&self, node: Node<'t>) -> (Source, Option<(Source, Purpose)>) {
        let document = &self.job.document;
        let range = node.byte_range();
        let text = &document.bytes[range.clone()];
        let inner = match text.strip_prefix(b"${").and_then(|rest| rest.strip_suffix(b"}")) {
            Some(inner) if !inner.is_empty() => inner,
            _ => return (Source::Made, None),
        };
        if inner.len() > 1 && inner[0] == b'#' {
            return (Source::Nothing, None);
        }
        let (indirect, inner) = match inner.strip_prefix(b"!") {
            Some(rest) if !rest.is_empty() => (true, rest),
            _ => (false, inner),
        };
        let digits = inner.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let length = match inner[0] {
            b'@' | b'*' => 1,
            _ if digits > 0 => digits,
            _ => identifier(inner),
        };
        if length == 0 {
            return (if inner.len() == 1 { Source::Nothing } else { Source::Made }, None);
        }
        let start = range.end - 1 - inner.len();
        if (start..start + length).any(|at| document.origin(at).opaque) {
            return (Source::Made, None);
        }
        let (name, mut rest) = inner.split_at(length);
        let mut source = match name {
            b"@" => Source::Arguments(1),
            b"*" if self.is_one_word() => Source::JoinedArguments,
            b"*" => Source::Arguments(1),
            name if digits > 0 => match std::str::from_utf8(name).ok().and_then(|text| text.parse().ok()) {
                Some(0) | None => Source::Nothing,
                Some(number) => Source::Argument(number),
            },
            name => Source::Variable(name.to_vec()),
        };
        if rest.first() == Some(&b'[') {
            let end = rest.iter().position(|byte| *byte == b']').unwrap_or(rest.len() - 1);
            let all = matches!(&rest[..=end], b"[@]" | b"[*]");
            if indirect && all {
                return (Source::Made, None);
            }
            source = match &rest[..=end] {
                b"[*]" if self.is_one_word() => Source::Joined(name.to_vec()),
                b"[@]" | b"[*]" | b"[0]" => Source::Elements(name.to_vec()),
                _ => Source::Element(name.to_vec()),
            };
            // An index with brackets of its own: what follows is not looked at.
            rest = if rest[1..=end].contains(&b'[') { b"?" } else { &rest[end + 1..] };
        }
        if indirect {
            let lists = matches!(rest, b"@" | b"*");
            let assigns = rest.strip_prefix(b":").unwrap_or(rest).starts_with(b"=");
            let purpose = if assigns { Purpose::Make } else { Purpose::Use };
            return (Source::Made, (!lists).then_some((source, purpose)));
        }
        (self.operated(node, source, rest), None)
    }

    /// What becomes of a value by what follows it in `${…}`.
    fn operated(&self, node: Node<'t>, source: Source, rest: &[u8]) -> Source {
        let after_colon = rest.strip_prefix(b":").unwrap_or(rest);
        match after_colon.first() {
            None if rest.is_empty() => source,
            Some(b'-' | b'=') => Source::Either(Box::new(source), self.other(node, after_colon.len() - 1)),
            Some(b'+') => Source::Either(Box::new(Source::Nothing), self.other(node, after_colon.len() - 1)),
            Some(b'?') => source,
            _ if rest == b"@Q" => source,
            _ if rest.starts_with(b":") => match source {
                Source::Arguments(_) => {
                    let from = rest[1..].split(|byte| *byte == b':').next().unwrap_or_default();
                    let from = std::str::from_utf8(from).ok().and_then(|from| from.trim().parse().ok());
                    Source::Arguments(from.unwrap_or(1).max(1))
                }
                // Where they begin is not looked at.
                Source::Elements(name) => Source::Element(name),
                _ => Source::Made,
            },
            _ => Source::Made,
        }
    }

    /// The word at the end of `${x:-word}`, which has this many bytes.
    fn other(&self, node: Node<'t>, length: usize) -> Text {
        let range = node.end_byte() - 1 - length..node.end_byte() - 1;
        let mut parts = Vec::new();
        for child in node.children(&mut node.walk()) {
            if child.start_byte() >= range.start && child.end_byte() <= range.end {
                parts.push(self.decode(child));
            }
        }
        match parts.len() {
            0 => decode_raw(range, &self.job.document),
            _ => Text::concat(&parts),
        }
    }

    /// Notes what a variable is given by an assignment.
    pub(super) fn assignment(&mut self, node: Node<'t>) {
        if self.job.foreign || self.levels.last().is_some_and(|level| level.arithmetic) {
            return;
        }
        let Some(name) = node.child_by_field_name("name") else { return };
        let variable = name.child_by_field_name("name").unwrap_or(name);
        self.assigned_at(variable, name.end_byte(), node);
        let named = self.decode(variable);
        let length = identifier(&named.bytes[..named.known()]);
        if length == 0 || length == named.known() && !named.is_known() {
            return;
        }
        // For one command: `IFS= read -r line`.
        if &named.bytes[..length] == b"IFS"
            && self.levels.last().is_some_and(|level| level.node.kind() == "command")
        {
            return;
        }
        let Some(value) = node.child_by_field_name("value") else {
            return self.given(&named.bytes[..length], Given::Empty);
        };
        let added = self.job.document.bytes[name.end_byte()..value.start_byte()].starts_with(b"+");
        let given = if value.kind() == "array" {
            let mut cursor = value.walk();
            let elements =
                value.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect();
            Given::Words { texts: self.words(elements), added }
        } else {
            Given::Word { text: self.decode(value), added }
        };
        self.given(&named.bytes[..length], given);
    }

    /// Words one after the other. The grammar may end one at a brace, as in `c_{a,b}`; Bash goes on to the blank.
    fn words(&self, nodes: Vec<Node<'t>>) -> Vec<Text> {
        let bytes = &self.job.document.bytes;
        let mut texts = Vec::new();
        let mut end = 0;
        for node in nodes {
            if node.start_byte() < end {
                continue;
            }
            let mut text = self.element(self.decode(node));
            let is_part = |byte: &&u8| !byte.is_ascii_whitespace() && !b";)&|<>".contains(*byte);
            let rest = bytes[node.end_byte()..].iter().take_while(is_part).count();
            end = node.end_byte() + rest;
            if rest > 0 {
                text = Text::concat(&[text, decode_raw(node.end_byte()..end, &self.job.document)]);
            }
            texts.push(text);
        }
        texts
    }

    /// An element of an array, without the index in `[index]=`.
    fn element(&self, text: Text) -> Text {
        match text.bytes.windows(2).position(|pair| pair == b"]=").filter(|_| text.bytes.starts_with(b"[")) {
            Some(end) => text.slice(end + 2..text.bytes.len()),
            None => text,
        }
    }

    pub(super) fn given(&mut self, variable: &[u8], given: Given) {
        let given = match given {
            Given::Word { text, .. } if text.bytes.is_empty() => Given::Empty,
            Given::Word { text, .. } if text.bytes.len() > MOST_BYTES => return,
            given => given,
        };
        let gift = self.gift(given);
        self.facts.values.variables.entry(variable.to_vec()).or_default().push(gift);
    }

    /// Notes what a variable is given whose name is only known when the code runs.
    pub(super) fn handed_back(&mut self, given: Given) {
        let gift = self.gift(given);
        self.facts.values.handed_back.entry(gift.function).or_default().push(gift);
    }

    /// Notes what the variable of a loop is given.
    pub(super) fn loop_over(&mut self, node: Node<'t>) {
        let Some(variable) = node.child_by_field_name("variable") else { return };
        let name = self.decode(variable);
        if self.job.foreign || !name.is_known() {
            return;
        }
        let values = node.children_by_field_name("value", &mut node.walk()).collect();
        let texts = match self.words(values) {
            // `for x; do`: the arguments.
            texts if texts.is_empty() => return,
            texts => texts,
        };
        self.given(&name.bytes, Given::Words { texts, added: false });
    }

    /// Notes a command that takes what is given to it: what it prints, what it is called with, and what it is, where that is only
    /// known when the code runs.
    pub(super) fn command_of_values(&mut self, at: usize, name: &Text, arguments: &[Text]) {
        let function = self.function();
        if !name.is_known() {
            // The grammar takes some `[ "$(f <<<x)" = y ]` for a command behind a bracket.
            let before = self.job.document.bytes[..at].trim_ascii_end();
            if before.ends_with(b"[") && before.len() < at {
                return;
            }
            let told = self.job.nesting > 0 && name.bytes.len() == 1 && !self.job.foreign;
            if !told {
                let words = std::iter::once(name).chain(arguments);
                let gift = self.gift(Given::Words { texts: words.clone().cloned().collect(), added: false });
                let first = words.take(MOST_FIRST).cloned().collect();
                self.take(Sort::Function, Purpose::Use, Value::First(first));
                if !self.job.foreign {
                    self.facts.values.calls_by_value.push(gift);
                }
            }
            let (start, end) = (name.start(), name.before(name.bytes.len()));
            return self.prints(Given::Made(start, end));
        }
        let texts =
            || arguments.iter().filter(|text| text.bytes.len() <= MOST_BYTES).cloned().collect::<Vec<_>>();
        match &name.bytes[..] {
            b"shift" => self.facts.functions[function as usize].shifts = true,
            b"set" => {
                let Some(end) = arguments.iter().position(|text| text.bytes == b"--") else { return };
                let gift = self.gift(Given::Words { texts: arguments[end + 1..].to_vec(), added: false });
                self.facts.values.own_arguments.entry(function).or_default().push(gift);
            }
            b"printf" if arguments.first().is_some_and(|text| text.bytes == b"-v") => {}
            b"printf" => {
                let options = arguments.iter().take_while(|text| text.bytes == b"--").count();
                self.prints(Given::Format(arguments[options..].to_vec()));
            }
            b"echo" => {
                let is_option = |text: &&Text| matches!(&text.bytes[..], [b'-', rest @ ..] if !rest.is_empty() && rest.iter().all(|b| b"neE".contains(b)));
                let options = arguments.iter().take_while(is_option).count();
                self.prints(Given::Words { texts: arguments[options..].to_vec(), added: false });
            }
            called => {
                let (start, end) = (name.start(), name.before(name.bytes.len()));
                let given =
                    if is_filter(called) { Given::Made(start, end) } else { Given::Call(called.to_vec()) };
                self.prints(given);
                if !self.job.foreign {
                    let gift = self.gift(Given::Words { texts: texts(), added: false });
                    self.facts.values.calls.entry(called.to_vec()).or_default().push(gift);
                }
            }
        }
    }

    /// Notes what `command -v` answers with: what it was asked for.
    pub(super) fn asked_for(&mut self, texts: Vec<Text>) {
        self.prints(Given::Words { texts, added: false });
    }

    /// Where what is printed inside of a node goes.
    pub(super) fn prints_to(&mut self, node: Node<'t>) -> Prints {
        let around = self.levels.last().map_or(Prints::Function, |level| level.prints);
        match node.kind() {
            "command_substitution" => Prints::Substitution(self.place(node).0),
            "process_substitution" => Prints::Elsewhere,
            "function_definition" => Prints::Function,
            "redirected_statement" => {
                let redirected = self.redirected(node);
                if redirected.to_people || redirected.to_file { Prints::Elsewhere } else { around }
            }
            _ => around,
        }
    }

    /// Notes what is printed, where that goes into a substitution, or may be what the function prints.
    fn prints(&mut self, given: Given) {
        let function = self.function();
        let printer = match self.levels.last().map_or(Prints::Function, |level| level.prints) {
            Prints::Substitution(place) => Printer::Substitution(self.file, place),
            Prints::Function if function != TOP => Printer::Function(function),
            Prints::Function | Prints::Elsewhere => return,
        };
        let gift = self.gift(given);
        self.facts.values.printed.entry(printer).or_default().push(gift);
    }
}
