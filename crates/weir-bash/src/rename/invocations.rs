//! Commands, with what their arguments and here-documents are.

use tree_sitter::Node;

use super::collect::{Redirected, Walk, identifier};
use super::commands::{Meaning, holes, is_shell, lists_names, meanings};
use super::expansions::{Quoting, backquoted};
use super::facts::{Region, Role};
use super::report::Why;
use super::text::{Text, decode_raw};
use super::values::{Given, Purpose, Sort, Source};

/// A word of a command.
struct Word<'t> {
    node: Node<'t>,
    text: Text,
}

/// Whether a command is `source /dev/stdin`.
fn sources_input(words: &[Word<'_>]) -> bool {
    let is = |index: usize, texts: &[&[u8]]| {
        words.get(index).is_some_and(|word| texts.contains(&&word.text.bytes[..]))
    };
    is(0, &[b"source", b"."]) && is(1, &[b"/dev/stdin"])
}

impl<'t> Walk<'_, 't> {
    pub(super) fn command(&mut self, node: Node<'t>) {
        let mut words = Vec::new();
        let mut assignments = Vec::new();
        let mut herestring = None;
        let mut cursor = node.walk();
        let mut more = cursor.goto_first_child();
        while more {
            let child = cursor.node();
            match (cursor.field_name(), child.kind()) {
                (_, "variable_assignment") => assignments.push(child),
                (_, "herestring_redirect") => {
                    herestring = child.named_child(child.named_child_count().saturating_sub(1) as u32);
                }
                (Some("name"), _) => words.push(child.named_child(0).unwrap_or(child)),
                (Some("argument"), "concatenation") if self.is_descriptor(child) => {
                    self.done.insert(child.id());
                    let text = self.decode(child);
                    self.push_variable(Role::Assign, text.slice(1..text.bytes.len() - 1));
                }
                (Some("argument"), kind) if child.is_named() && kind != "comment" => words.push(child),
                _ => {}
            }
            more = cursor.goto_next_sibling();
        }
        let words: Vec<Word<'t>> =
            words.into_iter().map(|node| Word { node, text: self.decode(node) }).collect();
        self.done.extend(words.iter().map(|word| word.node.id()));
        let callee = self.command_words(&words);
        for assignment in assignments {
            let name = assignment.child_by_field_name("name");
            let Some(name) = name.filter(|name| name.kind() == "variable_name") else { continue };
            self.done.insert(name.id());
            let text = self.decode(name);
            self.push_variable(Role::Environment { callee }, text);
        }
        if let Some(herestring) =
            herestring.filter(|_| words.first().is_some_and(|word| is_shell(&word.text.bytes)))
        {
            self.done.insert(herestring.id());
            let text = self.decode(herestring);
            self.code(text, true);
        } else if let Some(herestring) = herestring.filter(|_| sources_input(&words)) {
            self.done.insert(herestring.id());
            let text = self.decode(herestring);
            self.code(text, false);
        }
    }

    /// Whether an argument is the `{name}` of `{name}>file`, which the grammar takes for a word.
    fn is_descriptor(&self, node: Node<'t>) -> bool {
        let bytes = &self.job.document.bytes;
        let redirects = matches!(bytes.get(node.end_byte()), Some(b'<' | b'>'));
        let name = bytes[node.byte_range()].strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
        redirects && name.is_some_and(|name| !name.is_empty() && identifier(name) == name.len())
    }

    /// Records the words of a command; answers with the index of the command's own occurrence.
    ///
    /// What only runs another command (`time`, or `run` of Bats) is passed by.
    fn command_words(&mut self, mut words: &[Word<'t>]) -> Option<u32> {
        loop {
            let (name, arguments) = words.split_first()?;
            match &name.text.bytes[..] {
                b"time" | b"coproc" if !arguments.is_empty() => words = arguments,
                b"builtin" => {
                    let (name, arguments) = arguments.split_first()?;
                    let texts: Vec<Text> = arguments.iter().map(|word| word.text.clone()).collect();
                    if name.text.is_known() {
                        self.command_of_values(name.node.start_byte(), &name.text, &texts);
                    }
                    self.arguments(name, arguments, None);
                    return None;
                }
                b"command" => return self.external_command(arguments),
                b"run" | b"assert" | b"refute" if !arguments.is_empty() => {
                    self.push(Role::Command, name.text.clone());
                    words = arguments;
                    let is_option =
                        |word: &Word<'t>| word.text.bytes.starts_with(b"-") || word.text.bytes == b"!";
                    while words.len() > 1 && is_option(&words[0]) {
                        words = &words[1..];
                    }
                }
                _ => {
                    if name.text.known() == 0 {
                        self.runs_what_is_given(name);
                    } else if self.has_printed_part(&name.text) {
                        self.unknown(name.node, Why::UnknownCode);
                    }
                    let texts: Vec<Text> = arguments.iter().map(|word| word.text.clone()).collect();
                    self.command_of_values(name.node.start_byte(), &name.text, &texts);
                    let callee = self.push(Role::Command, name.text.clone());
                    self.arguments(name, arguments, callee);
                    return callee;
                }
            }
        }
    }

    /// A command whose name is only known when the code runs.
    fn runs_what_is_given(&mut self, name: &Word<'t>) {
        let function = self.function() as usize;
        self.facts.functions[function].takes_functions = true;
        self.names_function(name);
        // In `eval "$code"` it may be anything.
        if self.job.nesting > 0 && !self.job.foreign && name.text.bytes.len() == 1 && name.text.known() == 0 {
            self.unknown(name.node, Why::UnknownCode);
        }
    }

    /// Whether what a command prints is a part of a word of code in a string: `eval "other_$(declare -f f)"`. It may be more
    /// than a word then.
    fn has_printed_part(&self, text: &Text) -> bool {
        let is_printed = |index: usize| {
            let place = text.origin(index);
            let source = self.facts.values.sources.get(&(self.file, place.start));
            place.opaque && matches!(source, Some(Source::Printed))
        };
        self.job.nesting > 0 && !self.job.foreign && (0..text.bytes.len()).any(is_printed)
    }

    /// Notes that the value of a variable is the name of a function here.
    fn names_function(&mut self, word: &Word<'t>) {
        self.called.extend(self.sole_variable(word.node).map(|variable| variable.id()));
    }

    /// `command name …` passes functions by; `command -v name` asks for them.
    fn external_command(&mut self, arguments: &[Word<'t>]) -> Option<u32> {
        let options = arguments.iter().take_while(|word| word.text.bytes.starts_with(b"-")).count();
        let asks =
            arguments[..options].iter().any(|word| word.text.bytes.iter().any(|b| matches!(b, b'v' | b'V')));
        let (name, rest) = arguments[options..].split_first()?;
        if asks {
            self.asked_for(arguments[options..].iter().map(|word| word.text.clone()).collect());
            for word in &arguments[options..] {
                self.names_function(word);
                self.taken_for_name(Sort::Function, &word.text, Purpose::Use);
                self.push(Role::FunctionName, word.text.clone());
            }
        } else {
            if name.text.is_known() {
                let texts: Vec<Text> = rest.iter().map(|word| word.text.clone()).collect();
                self.command_of_values(name.node.start_byte(), &name.text, &texts);
            }
            self.arguments(name, rest, None);
        }
        None
    }

    fn arguments(&mut self, name: &Word<'t>, arguments: &[Word<'t>], callee: Option<u32>) {
        let texts: Vec<Text> = arguments.iter().map(|word| word.text.clone()).collect();
        let known = if name.text.is_known() { &name.text.bytes[..] } else { b"" };
        let reads = matches!(known, b"read" | b"mapfile" | b"readarray");
        if known == b"eval" || matches!(known, b"." | b"source") && arguments.len() > 1 {
            self.takes_names();
        }
        if lists_names(known, &texts) {
            let why = if known == b"caller" { Why::OwnName } else { Why::Listed };
            self.unknown(name.node, why);
        }
        if known == b"set" && texts.iter().any(|text| matches!(&text.bytes[..], b"-a" | b"allexport")) {
            self.unknown(name.node, Why::Exported);
        }
        let is_kind =
            texts.iter().any(|text| matches!(&text.bytes[..], [b'-', flags @ ..] if flags.contains(&b't')));
        let shows = known == b"type" && !is_kind && !self.is_only_asked();
        for (index, meaning) in meanings(known, &texts).into_iter().enumerate() {
            let (word, text) = (&arguments[index], &texts[index]);
            match meaning {
                Meaning::Nothing => {}
                Meaning::Plain => drop(self.push(Role::Argument { callee }, text.clone())),
                Meaning::Printed => self.printed(word, callee),
                Meaning::Function => {
                    self.names_function(word);
                    self.taken_for_name(Sort::Function, text, Purpose::Use);
                    if shows {
                        self.push(Role::ShownFunction, text.clone());
                    }
                    self.push(Role::FunctionName, text.clone());
                }
                Meaning::FunctionPrefix => drop(self.push(Role::FunctionPrefix, text.clone())),
                Meaning::Variable => self.named_variable(text, Role::Use),
                Meaning::AssignedVariable => {
                    if reads && !self.job.foreign {
                        let made = Given::Made(text.start(), text.before(text.bytes.len()));
                        if !text.is_known() {
                            self.handed_back(made.clone());
                        }
                        self.given(&text.bytes[..identifier(&text.bytes[..text.known()])], made);
                    }
                    self.named_variable(text, Role::VariableName { assigns: true });
                }
                Meaning::ValueOf(variable) => {
                    let variable = texts[variable].bytes.clone();
                    let length = identifier(&variable);
                    if index == 2 && !texts[1].is_known() && !self.job.foreign {
                        self.handed_back(Given::Format(texts[2..].to_vec()));
                    } else if index == 2 && length > 0 && !self.job.foreign {
                        self.given(&variable[..length], Given::Format(texts[2..].to_vec()));
                    }
                    self.push(Role::Value { variable }, text.clone());
                }
                Meaning::Arithmetic => self.arithmetic_text(text, &Role::Use),
                Meaning::Sourced => self.sourced(word),
                Meaning::Alias => {
                    let value = text.bytes.iter().position(|byte| *byte == b'=').map(|at| at + 1);
                    self.code(text.slice(value.unwrap_or(text.bytes.len())..text.bytes.len()), false);
                }
                Meaning::Code => self.code(text.clone(), false),
                Meaning::Words => self.expanded(text, Quoting::None),
                Meaning::ForeignCode => {
                    let code =
                        holes(known, &texts).iter().fold(text.clone(), |code, hole| code.with_holes(hole));
                    self.code(code, true);
                }
                Meaning::JoinedCode => {
                    self.begins_with_a_name(word);
                    return self.code_in_place(Text::join(&texts[index..]));
                }
            }
        }
    }

    /// In `eval "$name() { …; }"` and `eval "$name argument"` the value of `name` is a function's name.
    fn begins_with_a_name(&mut self, code: &Word<'t>) {
        let opaque = code.text.bytes.len() > 1 && code.text.known() == 0;
        let first = code.node.named_child(0).filter(|_| opaque && code.node.kind() == "string");
        self.called.extend(first.and_then(|first| self.sole_variable(first)).map(|variable| variable.id()));
    }

    /// A text that is printed: a message, unless it goes somewhere else than to people.
    fn printed(&mut self, word: &Word<'t>, callee: Option<u32>) {
        let (to_people, to_others) = self.destination();
        if to_others {
            self.push(Role::Argument { callee }, word.text.clone());
            return;
        }
        self.region(word.node, Region::Message);
        self.push(Role::Printed { to_people }, word.text.clone());
    }

    /// Whether what is walked prints to standard error; and whether it prints into a file, a pipe, or a variable.
    fn destination(&mut self) -> (bool, bool) {
        let kinds =
            || self.levels.iter().rev().take_while(|level| level.node.kind() != "function_definition");
        let goes_on = kinds().any(|level| {
            matches!(level.node.kind(), "pipeline" | "command_substitution" | "process_substitution")
        });
        let statements: Vec<Node<'t>> =
            kinds().map(|level| level.node).filter(|node| node.kind() == "redirected_statement").collect();
        let (mut to_people, mut to_others) = (false, goes_on);
        for statement in statements {
            let redirected = self.redirected(statement);
            to_people |= redirected.to_people;
            to_others |= redirected.to_file;
        }
        (to_people, to_others)
    }

    /// Where the redirections of a statement lead, and what it runs. It is asked for every part of the statement.
    pub(super) fn redirected(&mut self, statement: Node<'t>) -> Redirected {
        if let Some(known) = self.redirected.get(&statement.id()) {
            return *known;
        }
        let mut found = Redirected::default();
        self.look_at_redirections(statement, &mut found);
        if let Some(body) = statement.child_by_field_name("body").filter(|body| body.kind() == "command") {
            self.look_at_command(body, &mut found);
        }
        self.redirected.insert(statement.id(), found);
        found
    }

    /// Adds what is redirected by the children of a node, and the commands of the pipelines among them.
    fn look_at_redirections(&self, node: Node<'t>, found: &mut Redirected) {
        for child in node.named_children(&mut node.walk()) {
            if child.kind() == "pipeline" {
                for command in child.named_children(&mut child.walk()).filter(|c| c.kind() == "command") {
                    self.look_at_command(command, found);
                }
            } else if child.kind() == "file_redirect" {
                let file = self.job.document.bytes[child.byte_range()].trim_ascii();
                let is_error = matches!(file, b">&2" | b"1>&2" | b">/dev/stderr" | b">& 2");
                let digits = file.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let reads = file[digits..].starts_with(b"<") && !file[digits..].starts_with(b"<>");
                found.to_people |= is_error;
                found.to_file |= !is_error && !reads && !file.starts_with(b"2");
                let file = file.strip_suffix(b"\"").or_else(|| file.strip_suffix(b"'")).unwrap_or(file);
                found.to_shell_file |= file.ends_with(b".sh") || file.ends_with(b".bash");
            }
        }
    }

    fn look_at_command(&self, command: Node<'t>, found: &mut Redirected) {
        let Some(name) = command.child_by_field_name("name") else { return };
        let name = self.decode(name).bytes;
        found.runs_shell |= is_shell(&name) || matches!(&name[..], b"source" | b".");
        found.copies |= matches!(&name[..], b"cat" | b"tee");
    }

    /// A file that is sourced: one of the package, or one that may use and set any name.
    fn sourced(&mut self, word: &Word<'t>) {
        let bytes = &word.text.bytes;
        let is_input = word.text.is_known() && matches!(&bytes[..], b"/dev/stdin" | b"/dev/fd/0");
        // What is written there is read as code.
        if is_input && self.has_written_input(word.node) {
            return;
        }
        if self.is_file_of_package(&word.text) || self.is_one_of_package(word.node) {
            self.facts.sourcing.insert(self.file);
        } else {
            let why =
                if word.node.kind() == "process_substitution" { Why::UnknownCode } else { Why::Sourced };
            self.unknown(word.node, why);
        }
    }

    /// Whether a command, or the statement that it is in, is given a here-document or a here-string.
    fn has_written_input(&self, argument: Node<'t>) -> bool {
        let is_given = |node: Node<'t>| {
            let kinds = ["heredoc_redirect", "herestring_redirect"];
            kinds.contains(&node.kind())
                || node.named_children(&mut node.walk()).any(|child| kinds.contains(&child.kind()))
        };
        let around = self.levels.iter().rev().map(|level| level.node);
        let around = around.take_while(|node| {
            matches!(node.kind(), "redirected_statement" | "heredoc_redirect" | "pipeline" | "command")
        });
        argument.parent().into_iter().chain(around).any(is_given)
    }

    /// Whether what is sourced is a variable that a loop gives the files of a folder of the package:
    /// `for file in "$here"/lib/*.sh`.
    fn is_one_of_package(&mut self, node: Node<'t>) -> bool {
        let document = &self.job.document.bytes;
        let Some(variable) = self.sole_variable(node).map(|variable| &document[variable.byte_range()]) else {
            return false;
        };
        let mut loops = self.levels.iter().rev().filter(|level| {
            let of = level.node.child_by_field_name("variable");
            level.node.kind() == "for_statement"
                && of.is_some_and(|of| &document[of.byte_range()] == variable)
        });
        let Some(around) = loops.next().map(|level| level.node) else { return false };
        if let Some(known) = self.loops.get(&around.id()) {
            return *known;
        }
        let values: Vec<Text> = around
            .children_by_field_name("value", &mut around.walk())
            .map(|value| self.decode(value))
            .collect();
        let of_package = !values.is_empty() && values.iter().all(|value| self.is_file_of_package(value));
        self.loops.insert(around.id(), of_package);
        of_package
    }

    /// Whether a path, or a pattern of paths, ends as those of files of the package do.
    fn is_file_of_package(&self, text: &Text) -> bool {
        let known = (0..text.bytes.len()).rev().take_while(|index| !text.origin(*index).opaque).count();
        let tail = &text.bytes[text.bytes.len() - known..];
        // `/etc/x` is not of the package; of `"$folder$name.sh"` it is not known which file it is.
        if text.is_known() == tail.starts_with(b"/") {
            return false;
        }
        let Ok(tail) = std::str::from_utf8(tail) else { return false };
        let mut parts: Vec<&str> = Vec::new();
        for part in tail.split('/').filter(|part| !part.is_empty() && *part != ".") {
            match part {
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        let Some(last) = parts.pop() else { return false };
        let folder = parts.join("/");
        let is_below = |above: &str| {
            folder.is_empty()
                || above.strip_suffix(&folder).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        };
        let is_it = |path: &String| {
            let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
            let same = name == last || last.strip_prefix('*').is_some_and(|ending| name.ends_with(ending));
            same && is_below(above)
        };
        self.facts.paths.iter().any(is_it)
    }

    /// A here-document: code if it is fed to a shell or becomes a shell file.
    pub(super) fn heredoc(&mut self, node: Node<'t>) {
        let Some(body) = node.named_children(&mut node.walk()).find(|child| child.kind() == "heredoc_body")
        else {
            return;
        };
        let start = node.named_children(&mut node.walk()).find(|child| child.kind() == "heredoc_start");
        let delimiter = start.map_or(&b""[..], |start| &self.job.document.bytes[start.byte_range()]);
        let is_raw = delimiter.iter().any(|byte| b"'\"\\".contains(byte));
        let raw = decode_raw(body.byte_range(), &self.job.document);
        if self.feeds_shell(node) {
            let text = if is_raw { raw } else { self.decode(body) };
            return self.code(text, true);
        }
        let region = if self.is_message(node) { Region::Message } else { Region::HereDocument };
        self.region(body, region);
        if let Some(commands) = backquoted(&raw).filter(|_| !is_raw) {
            self.code(commands, false);
        }
    }

    /// Whether a here-document is only printed: `cat <<EOF`.
    fn is_message(&mut self, node: Node<'t>) -> bool {
        let statement = self.levels.last().filter(|level| level.node.kind() == "redirected_statement");
        let body = statement.and_then(|level| level.node.child_by_field_name("body"));
        let is_cat = body.is_some_and(|body| &self.job.document.bytes[body.byte_range()] == b"cat");
        let goes_on = node.named_children(&mut node.walk()).any(|child| child.kind() == "pipeline");
        is_cat && !goes_on && !self.destination().1
    }

    fn feeds_shell(&mut self, node: Node<'t>) -> bool {
        let statement = self.levels.last().map(|level| level.node);
        let statement = statement.filter(|node| node.kind() == "redirected_statement");
        let mut found = statement.map(|statement| self.redirected(statement)).unwrap_or_default();
        self.look_at_redirections(node, &mut found);
        found.runs_shell || found.to_shell_file && found.copies
    }
}
