//! What `declare`, `local`, `export`, `readonly` and `unset` say of variables and functions.

use tree_sitter::Node;

use super::collect::{Walk, identifier};
use super::facts::{Addition, Declaration, Role, Scope, TOP};
use super::report::Why;
use super::text::Text;
use super::values::Sort;

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
            self.facts.values.exports_functions |= keyword == "export" || has(b'x');
            for name in names {
                self.called.extend(self.sole_variable(name).map(|variable| variable.id()));
                self.done.insert(name.id());
                let text = self.decode(name);
                self.taken_for_name(Sort::Function, &text);
                self.push(Role::FunctionName, text);
            }
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
        let mut names = names.into_iter().peekable();
        while let Some(name) = names.next() {
            // The grammar takes `c_$n=1` for several words.
            let mut parts = vec![name];
            while let Some(part) =
                names.next_if(|next| parts[parts.len() - 1].end_byte() == next.start_byte())
            {
                parts.push(part);
            }
            if parts.len() > 1 {
                self.done.extend(parts.iter().map(Node::id));
                let texts: Vec<Text> = parts.iter().map(|part| self.decode(*part)).collect();
                self.named_variable(&Text::concat(&texts), Role::Declare(declaration));
                continue;
            }
            if changes {
                let text = self.decode(name.child_by_field_name("name").unwrap_or(name));
                let function = self.function() as usize;
                self.facts.functions[function].changing.insert(text.bytes);
            }
            self.declared(name, declaration, value);
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

    /// Whether nobody sees what is printed where the walk is: `declare -p x >/dev/null` only asks whether there is `x`.
    fn is_only_asked(&self) -> bool {
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
        let words: Vec<Node<'t>> = node.named_children(&mut node.walk()).collect();
        for (index, child) in words.iter().enumerate() {
            let text = self.decode(*child);
            self.done.insert(child.id());
            // The grammar takes `a["$i"]` for two words: an element of an array, which no function has.
            let touches =
                |other: Option<&Node<'t>>, end: usize| other.is_some_and(|other| other.start_byte() == end);
            if child.kind() != "variable_name"
                && index > 0
                && words[index - 1].end_byte() == child.start_byte()
            {
                continue;
            }
            if touches(words.get(index + 1), child.end_byte()) && role != Role::FunctionName {
                self.push_variable(Role::VariableName { assigns: false }, text);
                continue;
            }
            match &text.bytes[..] {
                [b'-', flags @ ..] if flags.contains(&b'f') => role = Role::FunctionName,
                [b'-', flags @ ..] if flags.contains(&b'v') => role = Role::VariableName { assigns: false },
                [b'-', ..] => {}
                _ if role == Role::FunctionName => {
                    self.taken_for_name(Sort::Function, &text);
                    self.push(role.clone(), text);
                }
                _ if identifier(&text.bytes) == text.bytes.len() && text.is_known() => {
                    self.push_variable(role.clone(), text);
                }
                _ if role == Role::VariableOrFunction && !text.bytes.contains(&b'[') => {
                    self.taken_for_name(Sort::Variable, &text);
                    self.taken_for_name(Sort::Function, &text);
                    self.push(Role::FunctionName, text);
                }
                _ => self.named_variable(&text, Role::VariableName { assigns: false }),
            }
        }
    }
}
