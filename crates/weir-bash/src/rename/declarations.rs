//! What `declare`, `local`, `export`, `readonly` and `unset` say of variables and functions.

use tree_sitter::Node;

use super::collect::{Walk, identifier};
use super::facts::{Addition, Declaration, Role, Scope, TOP};
use super::report::Why;
use super::text::Text;
use super::values::{Purpose, Sort};

/// What the value of a declared variable means.
#[derive(Debug, Clone, Copy)]
enum Value {
    Text,
    /// `declare -n`: another variable's name.
    Name,
    /// `declare -i`: an expression, whose words are variables.
    Arithmetic,
}

impl<'t> Walk<'_, 't> {
    pub(super) fn declaration(&mut self, node: Node<'t>) {
        let keyword = node.child(0).map_or("", |child| child.kind());
        let mut flags = Vec::new();
        let mut names = Vec::new();
        for child in node.named_children(&mut node.walk()) {
            let text = &self.job.document.bytes[child.byte_range()];
            match child.kind() {
                "word" | "number" if text.starts_with(b"-") && names.is_empty() => {
                    self.done.insert(child.id());
                    flags.extend_from_slice(&text[1..]);
                }
                "comment" | "ERROR" => {}
                _ => names.push(child),
            }
        }
        let has = |flag| flags.contains(&flag);
        let nameref = has(b'n') && keyword != "export";
        if nameref {
            self.takes_names();
        }
        if names.is_empty() && matches!(keyword, "declare" | "typeset") && !flags.is_empty() {
            self.unknown(node, Why::Listed);
        }
        if has(b'f') || has(b'F') {
            self.declared_functions(keyword, has(b'x'), names);
            return;
        }
        let in_function = self.function() != TOP;
        let scope = match keyword {
            "export" => Scope::Exported,
            _ if has(b'x') => Scope::Exported,
            "local" => Scope::Local,
            "declare" | "typeset" if in_function && !has(b'g') => Scope::Local,
            _ => Scope::Global,
        };
        if matches!(keyword, "declare" | "typeset")
            && !in_function
            && self.job.in_place
            && !self.facts.programs.contains(&self.file)
            && !has(b'g')
            && !has(b'p')
            && let Some(first) = node.child(0)
        {
            let at = self.job.document.before(first.end_byte());
            self.facts.additions.push(Addition { file: self.file, at, text: " -g" });
        }
        if has(b'p') && matches!(keyword, "declare" | "typeset") && !self.is_only_asked() {
            self.shows_names(&names);
        }
        let declaration = Declaration { scope, associative: has(b'A') };
        let value = match has(b'i') {
            _ if nameref => Value::Name,
            true => Value::Arithmetic,
            false => Value::Text,
        };
        let changes = has(b'l') || has(b'u') || has(b'c');
        for parts in whole(names) {
            if parts.len() > 1 {
                self.done.extend(parts.iter().map(Node::id));
                let text = self.decode_all(&parts);
                self.named_variable(&text, Role::Declare(declaration));
                continue;
            }
            let name = parts[0];
            if changes {
                let text = self.decode(name.child_by_field_name("name").unwrap_or(name));
                let function = self.function() as usize;
                self.facts.functions[function].changing.insert(text.bytes);
            }
            self.declared(name, declaration, value);
        }
    }

    /// `declare -f f`, `export -f f`, `declare -F f`.
    fn declared_functions(&mut self, keyword: &str, exports: bool, names: Vec<Node<'t>>) {
        self.facts.values.exports_functions |= keyword == "export" || exports;
        let shown = matches!(keyword, "declare" | "typeset") && !self.is_only_asked();
        for parts in whole(names) {
            self.called.extend(self.sole_variable(parts[0]).map(|variable| variable.id()));
            self.done.extend(parts.iter().map(Node::id));
            let text = self.decode_all(&parts);
            self.taken_for_name(Sort::Function, &text, Purpose::Use);
            if shown {
                self.push(Role::ShownFunction, text.clone());
            }
            self.push(Role::FunctionName, text);
        }
    }

    fn declared(&mut self, node: Node<'t>, declaration: Declaration, kind: Value) {
        let role = Role::Declare(declaration);
        if node.kind() != "variable_assignment" {
            self.done.insert(node.id());
            let text = self.decode(node);
            if matches!(kind, Value::Name) {
                let function = self.function() as usize;
                self.facts.functions[function].unbound.insert(text.bytes.clone());
            }
            self.declare(&text, role, kind);
            return;
        }
        let Some(name) = node.child_by_field_name("name") else { return };
        let variable = if name.kind() == "subscript" { name.child_by_field_name("name") } else { Some(name) };
        if let Some(variable) = variable {
            self.done.insert(variable.id());
            let text = self.decode(variable);
            self.declare(&text, role, kind);
        }
        let Some(value) = node.child_by_field_name("value") else { return };
        match kind {
            Value::Text => {}
            Value::Name => {
                self.done.insert(value.id());
                let text = self.decode(value);
                let named = variable.map(|variable| self.decode(variable).bytes).unwrap_or_default();
                let function = self.function() as usize;
                self.facts.functions[function].bound.push((self.file, named, text.clone()));
                self.named_variable(&text, Role::VariableName { assigns: false });
            }
            Value::Arithmetic
                if matches!(value.kind(), "word" | "string" | "raw_string" | "concatenation") =>
            {
                self.done.insert(value.id());
                let text = self.decode(value);
                self.arithmetic_text(&text, &Role::Use);
            }
            Value::Arithmetic => {}
        }
    }

    fn declare(&mut self, text: &Text, role: Role, kind: Value) {
        let function = self.function() as usize;
        if matches!(kind, Value::Name) {
            let length = identifier(&text.bytes[..text.known()]);
            self.facts.functions[function].namerefs.insert(text.bytes[..length].to_vec());
        }
        if matches!(kind, Value::Arithmetic) {
            self.facts.functions[function].integers.insert(text.bytes.clone());
        }
        if let Role::Declare(Declaration { scope: Scope::Local, .. }) = role {
            let length = identifier(&text.bytes[..text.known()]);
            let whole = length < text.known() || text.is_known();
            if function != TOP as usize && length > 0 && whole {
                self.facts.functions[function].locals.insert(text.bytes[..length].to_vec());
            }
        }
        self.named_variable(text, role);
    }

    /// The text of a word that is several nodes.
    fn decode_all(&self, parts: &[Node<'t>]) -> Text {
        match parts {
            [one] => self.decode(*one),
            parts => Text::concat(&parts.iter().map(|part| self.decode(*part)).collect::<Vec<_>>()),
        }
    }

    /// Whether nobody sees what is printed where the walk is: `declare -p x >/dev/null` only asks whether there is `x`.
    pub(super) fn is_only_asked(&self) -> bool {
        let statement = self.levels.last().filter(|level| level.node.kind() == "redirected_statement");
        statement.is_some_and(|level| {
            let mut cursor = level.node.walk();
            level.node.children_by_field_name("redirect", &mut cursor).any(|redirection| {
                let text = &self.job.document.bytes[redirection.byte_range()];
                !text.starts_with(b"2") && text.ends_with(b"/dev/null")
            })
        })
    }

    /// Notes that what is printed has names of variables in it, as they are when the code runs.
    fn shows_names(&mut self, names: &[Node<'t>]) {
        for name in names {
            let text = self.decode(*name);
            if identifier(&text.bytes) == text.bytes.len() {
                self.push(Role::ShownVariable, text);
            }
        }
    }

    pub(super) fn unset(&mut self, node: Node<'t>) {
        let mut role = Role::VariableOrFunction;
        let words = node.named_children(&mut node.walk()).collect();
        for parts in whole(words) {
            self.done.extend(parts.iter().map(Node::id));
            let text = self.decode_all(&parts);
            match &text.bytes[..] {
                [b'-', flags @ ..] if flags.contains(&b'f') => role = Role::FunctionName,
                [b'-', flags @ ..] if flags.contains(&b'v') => role = Role::VariableName { assigns: false },
                [b'-', ..] => {}
                _ if role == Role::FunctionName => {
                    self.taken_for_name(Sort::Function, &text, Purpose::Use);
                    self.push(role.clone(), text);
                }
                _ if identifier(&text.bytes) == text.bytes.len() && text.is_known() => {
                    self.push_variable(role.clone(), text);
                }
                // An element of an array, which no function has. The grammar takes `a["$i"]` for two words.
                _ if parts[0].kind() == "variable_name" && parts.len() > 1 => {
                    let length = identifier(&text.bytes[..text.known()]);
                    if length < text.known() || parts.len() > 2 {
                        self.push_variable(Role::VariableName { assigns: false }, text.slice(0..length));
                    } else {
                        self.named_variable(&text, Role::VariableName { assigns: false });
                    }
                }
                _ if role == Role::VariableOrFunction && !text.bytes.contains(&b'[') => {
                    self.taken_for_name(Sort::Variable, &text, Purpose::Use);
                    self.taken_for_name(Sort::Function, &text, Purpose::Use);
                    self.push(Role::FunctionName, text);
                }
                _ => self.named_variable(&text, Role::VariableName { assigns: false }),
            }
        }
    }
}

/// Words, each of one node or of several that touch: the grammar takes `c_$n` and `c_$n=1` for several words here.
fn whole(nodes: Vec<Node<'_>>) -> Vec<Vec<Node<'_>>> {
    let mut words: Vec<Vec<Node<'_>>> = Vec::new();
    for node in nodes {
        match words.last_mut() {
            Some(word) if word.last().is_some_and(|last| last.end_byte() == node.start_byte()) => {
                word.push(node);
            }
            _ => words.push(vec![node]),
        }
    }
    words
}
