//! Commands, with what their arguments and here-documents are.

use tree_sitter::Node;

use super::collect::{Walk, identifier};
use super::commands::{Meaning, is_shell, meanings};
use super::expansions::backquoted;
use super::facts::{Region, Role};
use super::text::{Text, decode, decode_raw};

impl<'t> Walk<'_, 't> {
    pub(super) fn command(&mut self, node: Node<'t>) {
        let mut words = Vec::new();
        let mut assignments = Vec::new();
        let mut herestring = None;
        let mut walker = node.walk();
        for (index, child) in node.children(&mut walker).enumerate() {
            let field = node.field_name_for_child(index as u32);
            match (field, child.kind()) {
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
        }
        let texts: Vec<Text> = words.iter().map(|word| self.decode(*word)).collect();
        self.done.extend(words.iter().map(Node::id));
        let callee = self.command_words(&texts);
        for assignment in assignments {
            let name = assignment.child_by_field_name("name");
            let Some(name) = name.filter(|name| name.kind() == "variable_name") else { continue };
            self.done.insert(name.id());
            let text = self.decode(name);
            self.push_variable(Role::Environment { callee }, text);
        }
        if let Some(herestring) =
            herestring.filter(|_| texts.first().is_some_and(|text| is_shell(&text.bytes)))
        {
            self.done.insert(herestring.id());
            let text = self.decode(herestring);
            self.code(text, true);
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
    fn command_words(&mut self, mut texts: &[Text]) -> Option<u32> {
        loop {
            let (name, arguments) = texts.split_first()?;
            match &name.bytes[..] {
                b"builtin" | b"time" | b"coproc" if !arguments.is_empty() => texts = arguments,
                b"command" => return self.external_command(arguments),
                b"run" | b"assert" | b"refute" if !arguments.is_empty() => {
                    self.push(Role::Command, name.clone());
                    texts = arguments;
                    while texts.len() > 1 && (texts[0].bytes.starts_with(b"-") || texts[0].bytes == b"!") {
                        texts = &texts[1..];
                    }
                }
                _ => {
                    if name.known() == 0 {
                        let function = self.function() as usize;
                        self.facts.functions[function].takes_functions = true;
                    }
                    let callee = self.push(Role::Command, name.clone());
                    self.arguments(name, arguments, callee);
                    return callee;
                }
            }
        }
    }

    /// `command name …` passes functions by; `command -v name` asks for them.
    fn external_command(&mut self, arguments: &[Text]) -> Option<u32> {
        let options = arguments.iter().take_while(|text| text.bytes.starts_with(b"-")).count();
        let asks =
            arguments[..options].iter().any(|text| text.bytes.iter().any(|b| matches!(b, b'v' | b'V')));
        let (name, rest) = arguments[options..].split_first()?;
        if asks {
            self.push(Role::FunctionName, name.clone());
            for text in rest {
                self.push(Role::FunctionName, text.clone());
            }
        } else {
            self.arguments(name, rest, None);
        }
        None
    }

    fn arguments(&mut self, name: &Text, arguments: &[Text], callee: Option<u32>) {
        if name.bytes == b"eval" || (name.bytes == b"." || name.bytes == b"source") && arguments.len() > 1 {
            self.takes_names();
        }
        let known = if name.is_known() { &name.bytes[..] } else { b"" };
        for (index, meaning) in meanings(known, arguments).into_iter().enumerate() {
            let text = &arguments[index];
            match meaning {
                Meaning::Nothing => {}
                Meaning::Plain => drop(self.push(Role::Argument { callee }, text.clone())),
                Meaning::Function => drop(self.push(Role::FunctionName, text.clone())),
                Meaning::FunctionPrefix => drop(self.push(Role::FunctionPrefix, text.clone())),
                Meaning::Variable => self.named_variable(text, Role::Use),
                Meaning::AssignedVariable => self.named_variable(text, Role::VariableName { assigns: true }),
                Meaning::Arithmetic => self.arithmetic_text(text, &Role::Use),
                Meaning::Code => self.code(text.clone(), false),
                Meaning::ForeignCode => self.code(text.clone(), true),
                Meaning::JoinedCode => return self.code(Text::join(&arguments[index..]), false),
            }
        }
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
        self.region(body, Region::HereDocument);
        if let Some(commands) = backquoted(&raw).filter(|_| !is_raw) {
            self.code(commands, false);
        }
    }

    fn feeds_shell(&self, node: Node<'t>) -> bool {
        let bytes = &self.job.document.bytes;
        let name_of = |command: Node<'t>| {
            command.child_by_field_name("name").map(|name| decode(name, &self.job.document))
        };
        let mut destinations = Vec::new();
        let mut commands = Vec::new();
        let siblings = self.levels.last().filter(|level| level.node.kind() == "redirected_statement");
        if let Some(level) = siblings {
            commands.extend(level.node.child_by_field_name("body"));
            destinations.extend(level.node.named_children(&mut level.node.walk()));
        }
        destinations.extend(node.named_children(&mut node.walk()));
        for child in destinations.clone() {
            if child.kind() == "pipeline" {
                commands.extend(child.named_children(&mut child.walk()));
            }
        }
        let names: Vec<Text> =
            commands.into_iter().filter(|c| c.kind() == "command").filter_map(name_of).collect();
        let files = destinations.iter().filter(|child| child.kind() == "file_redirect");
        let to_shell_file = files.map(|file| &bytes[file.byte_range()]).any(|file| {
            let file = file.trim_ascii_end();
            let file = file.strip_suffix(b"\"").or_else(|| file.strip_suffix(b"'")).unwrap_or(file);
            file.ends_with(b".sh") || file.ends_with(b".bash")
        });
        names.iter().any(|name| is_shell(&name.bytes) || matches!(&name.bytes[..], b"source" | b"."))
            || (to_shell_file && names.iter().any(|name| matches!(&name.bytes[..], b"cat" | b"tee")))
    }
}
