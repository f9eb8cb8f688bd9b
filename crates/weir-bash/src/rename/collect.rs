//! One walk over each file's tree, which finds every place where a name stands.
//!
//! Strings that are code (`eval`, `trap`, `bash -c`, here-documents fed to a shell) are parsed in their turn,
//! from a work list and to a bounded depth.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use tree_sitter::{Node, Tree};

use super::expansions::{Quoting, expansions};
use super::facts::{Facts, Function, FunctionId, Occurrence, Region, Role, TOP, Unknown};
use super::report::Why;
use super::text::{Text, decode, decode_raw};
use super::values::{Prints, Purpose, Sort, is_expansion};
use crate::grammar::{self, Parsed};

/// How deeply code may be nested in strings of code.
const MAX_NESTING: u8 = 6;

/// A text to walk.
pub(super) struct Job {
    pub(super) document: Text,
    pub(super) function: FunctionId,
    pub(super) nesting: u8,
    /// It runs in another process: its variables are not ours.
    pub(super) foreign: bool,
    /// It runs where it stands, whenever that is reached: a file, or the text of an `eval` in one.
    pub(super) in_place: bool,
}

/// Adds what is in one file to the facts.
pub(crate) fn collect(facts: &mut Facts, file: u32, parsed: Parsed) {
    facts.regions.push(Vec::new());
    let mut jobs = Vec::new();
    let Parsed { tree, bytes } = parsed;
    let document = Text::file(bytes);
    Walk::new(
        facts,
        file,
        Job { document, function: TOP, nesting: 0, foreign: false, in_place: true },
        &mut jobs,
    )
    .run(&tree);
    while let Some(mut job) = jobs.pop() {
        let (start, end) = (job.document.start(), job.document.before(job.document.bytes.len()));
        match grammar::parse_helped(std::mem::take(&mut job.document.bytes)) {
            Ok(parsed) if !parsed.tree.root_node().has_error() => {
                job.document.bytes = parsed.bytes;
                Walk::new(facts, file, job, &mut jobs).run(&parsed.tree);
            }
            _ => facts.unknowns.push(Unknown { file, start, end, why: Why::UnreadCode }),
        }
    }
    facts.regions[file as usize].sort_unstable();
}

/// One node on the way from the root to where the walk is.
pub(super) struct Level<'t> {
    pub(super) node: Node<'t>,
    pub(super) field: Option<&'t str>,
    pub(super) arithmetic: bool,
    /// Inside `[[ … ]]` or `[ … ]`.
    pub(super) test: bool,
    /// Inside a function, a condition, a loop, a subshell.
    pub(super) conditional: bool,
    pub(super) function: FunctionId,
    /// Where what is printed there goes.
    pub(super) prints: Prints,
}

pub(super) struct Walk<'a, 't> {
    pub(super) facts: &'a mut Facts,
    pub(super) file: u32,
    pub(super) job: Job,
    pub(super) jobs: &'a mut Vec<Job>,
    pub(super) levels: Vec<Level<'t>>,
    /// Nodes that a rule for their parent has dealt with.
    pub(super) done: HashSet<usize>,
    /// Variables whose value is the name of a function where they stand.
    pub(super) called: HashSet<usize>,
    /// Variables whose value is only looked at for being empty.
    pub(super) probed: HashSet<usize>,
    /// What begins before this offset was dealt with as a whole.
    passed: usize,
    /// Where variables are looked at.
    looks: Looks,
    /// For loops that were asked for it: whether all that they go through are files of the package.
    pub(super) loops: HashMap<usize, bool>,
    /// Statements that were asked for it: where what is redirected goes.
    pub(super) redirected: HashMap<usize, Redirected>,
}

/// Where the redirections of a statement lead, and what it runs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Redirected {
    /// To standard error.
    pub(super) to_people: bool,
    /// Into a file.
    pub(super) to_file: bool,
    /// Into a file that is named like a shell file.
    pub(super) to_shell_file: bool,
    /// It runs a shell, or sources what it is given.
    pub(super) runs_shell: bool,
    /// It runs `cat` or `tee`.
    pub(super) copies: bool,
}

impl<'a, 't> Walk<'a, 't> {
    fn new(facts: &'a mut Facts, file: u32, job: Job, jobs: &'a mut Vec<Job>) -> Self {
        let looks = Looks::of(&job.document.bytes);
        Self {
            facts,
            file,
            job,
            jobs,
            levels: Vec::new(),
            done: HashSet::new(),
            called: HashSet::new(),
            probed: HashSet::new(),
            passed: 0,
            looks,
            loops: HashMap::new(),
            redirected: HashMap::new(),
        }
    }

    fn run(mut self, tree: &'t Tree) {
        let mut cursor = tree.walk();
        loop {
            self.enter(cursor.node(), cursor.field_name());
            if cursor.goto_first_child() {
                continue;
            }
            self.levels.pop();
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
                self.levels.pop();
            }
        }
    }

    pub(super) fn function(&self) -> FunctionId {
        self.levels.last().map_or(self.job.function, |level| level.function)
    }

    fn parent(&self) -> &'t str {
        self.levels.last().map_or("", |level| level.node.kind())
    }

    fn enter(&mut self, node: Node<'t>, field: Option<&'t str>) {
        let kind = node.kind();
        let (arithmetic, test) = match kind {
            "c_style_for_statement" | "arithmetic_expansion" => (true, false),
            // Both `((…))` and the body of a function `{ …; }` are one of these.
            "compound_statement" => (self.job.document.bytes[node.start_byte()..].starts_with(b"(("), false),
            "test_command" => (false, true),
            "binary_expression"
            | "unary_expression"
            | "postfix_expression"
            | "ternary_expression"
            | "parenthesized_expression"
            | "variable_assignment" => {
                self.levels.last().map_or((false, false), |level| (level.arithmetic, level.test))
            }
            "subscript" | "expansion" => (true, false),
            _ => (false, false),
        };
        let mut function = self.function();
        if node.start_byte() >= self.passed && is_expansion(kind) {
            self.expansion_of_value(node, field);
        }
        let prints = self.prints_to(node);
        match kind {
            _ if node.start_byte() < self.passed => {}
            "command_substitution" if self.is_arithmetic(node) => {
                self.passed = node.end_byte();
                let text = decode_raw(node.byte_range(), &self.job.document);
                self.expanded(&text, Quoting::None);
            }
            "function_definition" => function = self.function_definition(node),
            "command" => self.command(node),
            "declaration_command" => self.declaration(node),
            "variable_assignment" => self.assignment(node),
            "for_statement" => self.loop_over(node),
            "unset_command" => self.unset(node),
            "heredoc_redirect" => self.heredoc(node),
            "unary_expression" | "binary_expression" if test => self.test(node),
            "variable_name" => self.variable(node, field),
            "comment" => self.region(node, Region::Comment),
            "word" | "string" | "raw_string" | "ansi_c_string" | "translated_string" | "concatenation"
            | "extglob_pattern" | "regex" => self.word(node, field),
            _ => {}
        }
        let conditional = self.levels.last().is_some_and(|level| level.conditional)
            || matches!(
                kind,
                "function_definition"
                    | "if_statement"
                    | "case_statement"
                    | "for_statement"
                    | "c_style_for_statement"
                    | "while_statement"
                    | "list"
                    | "pipeline"
                    | "subshell"
                    | "command_substitution"
                    | "process_substitution"
            );
        self.levels.push(Level { node, field, arithmetic, test, conditional, function, prints });
    }

    pub(super) fn push(&mut self, role: Role, text: Text) -> Option<u32> {
        if text.bytes.is_empty() || text.bytes.len() > 4096 {
            return None;
        }
        let function = self.function();
        let surely = self.happens_surely();
        if role == Role::Define && surely && text.is_known() && !self.facts.programs.contains(&self.file) {
            self.facts.surely_defined.insert(text.bytes.clone());
        }
        self.facts.occurrences.push(Occurrence { file: self.file, function, role, text, surely });
        u32::try_from(self.facts.occurrences.len() - 1).ok()
    }

    /// Whether what is walked happens whenever the file is sourced.
    fn happens_surely(&self) -> bool {
        self.job.nesting == 0 && self.levels.last().is_none_or(|level| !level.conditional)
    }

    /// Notes something that may concern any name.
    pub(super) fn unknown(&mut self, node: Node<'t>, why: Why) {
        let (start, end) =
            (self.job.document.before(node.start_byte()), self.job.document.before(node.end_byte()));
        self.facts.unknowns.push(Unknown { file: self.file, start, end, why });
    }

    pub(super) fn push_variable(&mut self, role: Role, text: Text) {
        if self.job.foreign {
            return;
        }
        // In `eval "$name=1"` it is not known which variable that is.
        self.taken_for_name(Sort::Variable, &text, Purpose::of(&role));
        let role = if text.is_known() { role } else { Role::BuiltVariable };
        self.push(role, text);
    }

    pub(super) fn region(&mut self, node: Node<'t>, region: Region) {
        let (start, end) =
            (self.job.document.before(node.start_byte()), self.job.document.before(node.end_byte()));
        self.facts.regions[self.file as usize].push((start, end, region));
    }

    pub(super) fn decode(&self, node: Node<'t>) -> Text {
        decode(node, &self.job.document)
    }

    fn function_definition(&mut self, node: Node<'t>) -> FunctionId {
        let Some(name) = node.child_by_field_name("name") else { return self.function() };
        self.done.insert(name.id());
        let mut text = self.decode(name);
        // The grammar ends a name at a brace, as in `function a:{b}/c {`; Bash goes on to the end of the word.
        let rest = self.job.document.bytes[name.end_byte()..].iter();
        let rest = rest.take_while(|byte| !byte.is_ascii_whitespace() && !b"()&|;<>".contains(byte)).count();
        if rest > 0 {
            text = decode_raw(name.start_byte()..name.end_byte() + rest, &self.job.document);
        }
        self.taken_for_name(Sort::Function, &text, Purpose::Make);
        self.facts.functions.push(Function { name: text.bytes.clone(), ..Function::default() });
        self.push(Role::Define, text);
        (self.facts.functions.len() - 1) as FunctionId
    }

    /// Whether the grammar took `$((…))` for a command in a subshell, as it does in here-documents and defaults.
    pub(super) fn is_arithmetic(&self, node: Node<'t>) -> bool {
        let text = &self.job.document.bytes[node.byte_range()];
        let subshell = node.named_child(0).filter(|child| child.kind() == "subshell");
        text.starts_with(b"$((")
            && text.ends_with(b"))")
            && subshell.is_some_and(|subshell| subshell.byte_range().len() + 3 == text.len())
    }

    /// Has the expansions of a text read that the grammar takes whole.
    pub(super) fn expanded(&mut self, text: &Text, quoting: Quoting) {
        if let Some(code) = expansions(text, quoting) {
            self.code(code, false);
        }
    }

    /// Whether a string is the default in `"${x:-'…'}"`: there single quotes hide nothing.
    fn is_quoted_default(&self, node: Node<'t>) -> bool {
        let operator = || node.prev_sibling().map_or("", |sibling| sibling.kind());
        let mut above = self.levels.iter().rev().map(|level| level.node.kind());
        node.kind() == "raw_string"
            && above.next() == Some("expansion")
            && matches!(operator(), ":-" | "-" | ":=" | "=" | ":+" | "+" | ":?" | "?")
            && above
                .find(|kind| *kind != "expansion")
                .is_some_and(|kind| matches!(kind, "string" | "heredoc_body"))
    }

    /// A word that no rule for its parent has dealt with.
    fn word(&mut self, node: Node<'t>, field: Option<&'t str>) {
        if matches!(node.kind(), "string" | "raw_string" | "ansi_c_string") {
            self.region(node, Region::String);
        }
        if matches!(node.kind(), "regex" | "extglob_pattern") {
            let text = decode_raw(node.byte_range(), &self.job.document);
            self.expanded(&text, Quoting::None);
        } else if self.is_quoted_default(node) {
            let text = self.decode(node);
            self.expanded(&text, Quoting::Double);
        }
        let level = self.levels.last();
        if self.done.contains(&node.id()) || matches!(self.parent(), "concatenation" | "translated_string") {
            return;
        }
        let arithmetic = level.is_some_and(|level| level.arithmetic);
        match self.parent() {
            "file_redirect" | "heredoc_redirect" => {}
            "subscript" if field == Some("index") && matches!(node.kind(), "word" | "concatenation") => {
                let array = level.and_then(|level| level.node.child_by_field_name("name"));
                let array = array.map(|array| self.job.document.bytes[array.byte_range()].to_vec());
                let text = self.decode(node);
                self.arithmetic_text(&text, &Role::Index { array: array.unwrap_or_default() });
            }
            "c_style_for_statement"
            | "binary_expression"
            | "unary_expression"
            | "postfix_expression"
            | "parenthesized_expression"
            | "ternary_expression"
            | "variable_assignment"
                if arithmetic =>
            {
                let text = self.decode(node);
                self.arithmetic_text(&text, &Role::Use);
            }
            _ => {
                let text = self.decode(node);
                self.value(text);
            }
        }
    }

    /// A word that is a variable's value, or stands on its own.
    fn value(&mut self, text: Text) {
        let Some(name) = self.assigned_name().map(<[u8]>::to_vec) else {
            self.push(Role::Argument { callee: None }, text);
            return;
        };
        let element = text.bytes.starts_with(b"[") && self.parent() == "array";
        let index_end = text.bytes.windows(2).position(|pair| pair == b"]=").filter(|_| element);
        match (&name[..], index_end) {
            (b"PROMPT_COMMAND", _) => self.code(text, false),
            (b"PS0" | b"PS1" | b"PS2" | b"PS4", _) => self.expanded(&text, Quoting::Double),
            (_, Some(end)) => {
                let index = text.slice(1..end);
                self.arithmetic_text(&index, &Role::ElementIndex { array: name.clone() });
                let value = text.slice(end + 2..text.bytes.len());
                self.push(Role::Value { variable: name }, value);
            }
            _ if self.is_integer(&name) => self.arithmetic_text(&text, &Role::Use),
            _ => drop(self.push(Role::Value { variable: name }, text)),
        }
    }

    fn is_integer(&self, name: &[u8]) -> bool {
        let of = |function: FunctionId| &self.facts.functions[function as usize];
        let (here, top) = (of(self.function()), of(TOP));
        here.integers.contains(name) || (top.integers.contains(name) && !here.locals.contains(name))
    }

    /// The variable whose value is being walked, if any.
    fn assigned_name(&self) -> Option<&[u8]> {
        let mut above = self.levels.iter().rev();
        let mut level = above.next()?;
        if level.node.kind() == "array" {
            level = above.next()?;
        }
        let name = match level.node.kind() {
            "variable_assignment" => level.node.child_by_field_name("name")?,
            "for_statement" => level.node.child_by_field_name("variable")?,
            _ => return None,
        };
        let bytes = &self.job.document.bytes[name.byte_range()];
        // Of `list[1]=word` the variable is `list`.
        Some(&bytes[..identifier(bytes)])
    }

    /// The identifiers of an arithmetic expression that the grammar sees as a word.
    pub(super) fn arithmetic_text(&mut self, text: &Text, role: &Role) {
        let mut at = 0;
        while at < text.bytes.len() {
            let length = identifier(&text.bytes[at..]);
            if length > 0 {
                let name = text.slice(at..at + length);
                at += length;
                // Of `$x` alone in a sum the value is a number; in `let "$x=1"` it is the name of a variable.
                let rest = text.bytes[at..].trim_ascii_start();
                let operator = rest.iter().take_while(|byte| b"=+-*/%<>&^|".contains(byte)).count();
                let adds = matches!(&rest[..operator.min(2)], b"++" | b"--")
                    || rest[..operator].ends_with(b"=")
                        && !matches!(&rest[..operator], b"=" | b"==" | b"<=" | b">=");
                let assigns = adds || &rest[..operator] == b"=";
                let is_index = matches!(role, Role::Index { .. } | Role::ElementIndex { .. });
                let partly = (0..name.bytes.len()).any(|index| !name.origin(index).opaque);
                if name.is_known() || !is_index && (assigns || partly) {
                    if name.is_known() && *role == Role::Use && !self.job.foreign {
                        self.taken_for_number(&name);
                    }
                    if adds {
                        self.facts.added_to.insert((self.file, name.start()));
                    }
                    self.push_variable(if assigns { assigned(role) } else { role.clone() }, name);
                } else if !self.job.foreign {
                    if let (Role::Index { array } | Role::ElementIndex { array }, true) = (role, partly) {
                        self.taken_for_index(&name, array);
                    }
                    self.push(Role::BuiltVariable, name);
                }
            } else {
                // Digits and letters that do not begin a name: skip them whole.
                let run = text.bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric()).count();
                at += run.max(1);
            }
        }
    }

    fn variable(&mut self, node: Node<'t>, field: Option<&'t str>) {
        if self.done.contains(&node.id()) {
            return;
        }
        let mut role = self.variable_role(node, field);
        let text = self.decode(node);
        let (before, after) =
            (&self.job.document.bytes[..node.start_byte()], &self.job.document.bytes[node.end_byte()..]);
        let counts = before.ends_with(b"#");
        let lists = after.starts_with(b"@}") || after.starts_with(b"*}");
        let indirect = self.parent() == "expansion" && before.ends_with(b"!");
        let shows = self.parent() == "expansion" && after.starts_with(b"@A}");
        let names_one = after.first().is_some_and(|next| !b"@*[".contains(next));
        if indirect && lists {
            role = Role::VariablePrefix;
        } else if indirect {
            self.takes_names();
            if names_one {
                let function = self.function() as usize;
                self.facts.functions[function].indirect.insert(text.bytes.clone());
            }
        }
        if shows {
            self.push(Role::ShownVariable, text.clone());
        }
        if text.bytes == b"FUNCNAME" && !counts {
            self.unknown(node, Why::OwnName);
        }
        match role {
            Role::Assign => {
                self.guard(node, &text.bytes);
                self.assigned_in_sum(node);
            }
            Role::Use | Role::UseWithDefault => {
                self.use_of(node, &text.bytes);
                self.look(node);
            }
            _ => {}
        }
        if role == Role::Use && !self.job.foreign && self.levels.last().is_some_and(|level| level.arithmetic)
        {
            self.taken_for_number(&text);
        }
        self.push_variable(role, text);
    }

    /// Notes what the value of a variable is used for.
    fn use_of(&mut self, node: Node<'t>, name: &[u8]) {
        if self.probed.contains(&node.id()) {
            return;
        }
        let function = self.function() as usize;
        let function = &mut self.facts.functions[function];
        let uses =
            if self.called.contains(&node.id()) { &mut function.called } else { &mut function.spelled };
        uses.insert(name.to_vec());
    }

    /// Notes a variable that is assigned where it was looked at before: `[[ -n $x ]] || x=…`, `if [ -z "$x" ]; then x=…`.
    fn guard(&mut self, node: Node<'t>, name: &[u8]) {
        // Of several around it the outermost holds all that the others do.
        let outermost = |kinds: &[&str]| self.levels.iter().find(|level| kinds.contains(&level.node.kind()));
        let before = outermost(&["list", "if_statement", "case_statement"])
            .map(|level| level.node.start_byte()..node.start_byte());
        let after = outermost(&["variable_assignment"]).map(|level| node.end_byte()..level.node.end_byte());
        if before.into_iter().chain(after).any(|range| self.looks.within(range, name)) {
            self.facts.guarded.insert((self.file, self.job.document.before(node.start_byte())));
        }
    }

    /// Notes where a variable that is assigned gets its value: after what is read in it, `x=$x:y`. What is added to, `x+=y`
    /// and `((x++))`, is read before. `operator` is where the `=` or `+=` begins.
    pub(super) fn assigned_at(&mut self, name: Node<'t>, operator: usize, assignment: Node<'t>) {
        let document = &self.job.document;
        let place = (self.file, document.before(name.start_byte()));
        let adds = document.bytes[operator..].starts_with(b"+=");
        self.facts.assigned_at.insert(place, document.before(assignment.end_byte()));
        if adds {
            self.facts.added_to.insert(place);
        }
    }

    /// The same in a sum, `((x = y))`; `((x += y))` and `((x++))` read it first.
    fn assigned_in_sum(&mut self, node: Node<'t>) {
        let Some(level) = self.levels.last().filter(|level| level.arithmetic) else { return };
        let document = &self.job.document;
        let place = (self.file, document.before(node.start_byte()));
        let after = document.bytes[node.end_byte()..].trim_ascii_start();
        if after.starts_with(b"=") {
            self.facts.assigned_at.insert(place, document.before(level.node.end_byte()));
        } else {
            self.facts.added_to.insert(place);
        }
    }

    /// Notes a look at a variable that only keeps a file from being read twice, or a function from being run:
    /// `[[ -n $loaded ]] && return`. It is no sign that the value may be the user's.
    fn look(&mut self, node: Node<'t>) {
        let outermost = self.levels.iter().find(|level| matches!(level.node.kind(), "list" | "if_statement"));
        if outermost.is_some_and(|level| self.only_returns(level.node)) {
            self.facts.entry_guards.insert((self.file, self.job.document.before(node.start_byte())));
        }
    }

    /// Whether all that a condition leads to is `return` or `exit`.
    fn only_returns(&self, statement: Node<'t>) -> bool {
        let returns = |node: Node<'t>| {
            let text = &self.job.document.bytes[node.byte_range()];
            let word = text.split(u8::is_ascii_whitespace).next().unwrap_or_default();
            node.kind() == "command" && matches!(word, b"return" | b"exit")
        };
        let mut cursor = statement.walk();
        let parts: Vec<Node<'t>> = statement.named_children(&mut cursor).collect();
        match (statement.kind(), &parts[..]) {
            ("list", [_, last]) => returns(*last),
            ("if_statement", [_, only]) => returns(*only),
            _ => false,
        }
    }

    /// The variable that a word is the value of: `$x`, `"$x"`, `"${x}"`.
    pub(super) fn sole_variable(&self, mut node: Node<'t>) -> Option<Node<'t>> {
        loop {
            match node.kind() {
                "variable_name" => return Some(node),
                "command_name" | "string" | "simple_expansion" | "expansion" => {
                    let length = node.byte_range().len();
                    let child = node.named_child(0).filter(|_| node.named_child_count() == 1)?;
                    let around = match node.kind() {
                        "string" => 2,
                        "simple_expansion" => 1,
                        "expansion" => 3,
                        _ => 0,
                    };
                    node = Some(child).filter(|child| child.byte_range().len() + around == length)?;
                }
                _ => return None,
            }
        }
    }

    fn variable_role(&self, node: Node<'t>, field: Option<&'t str>) -> Role {
        let Some(level) = self.levels.last() else { return Role::Use };
        let above = self.levels.len().checked_sub(2).map(|index| &self.levels[index]);
        match level.node.kind() {
            "variable_assignment" if field == Some("name") => Role::Assign,
            "subscript" if level.field == Some("name") => match above.map(|above| above.node.kind()) {
                Some("variable_assignment") => Role::Assign,
                _ => Role::Use,
            },
            "for_statement" => Role::Assign,
            "expansion" => default_operator(&self.job.document.bytes[node.end_byte()..]),
            "binary_expression" if level.arithmetic && field == Some("left") => {
                let operator = level.node.child_by_field_name("operator");
                let operator = operator.map(|operator| &self.job.document.bytes[operator.byte_range()]);
                let assigns = operator
                    .is_some_and(|o| o.ends_with(b"=") && !matches!(o, b"==" | b"!=" | b"<=" | b">="));
                if assigns { Role::Assign } else { Role::Use }
            }
            "postfix_expression" => Role::Assign,
            "unary_expression" if matches!(self.job.document.bytes[level.node.start_byte()], b'+' | b'-') => {
                Role::Assign
            }
            _ => Role::Use,
        }
    }

    pub(super) fn takes_names(&mut self) {
        let function = self.function() as usize;
        self.facts.functions[function].takes_names = true;
    }

    /// Operands of `[[ … ]]` that are names.
    fn test(&mut self, node: Node<'t>) {
        let Some(operator) = node.child_by_field_name("operator") else { return };
        let operator = &self.job.document.bytes[operator.byte_range()];
        let children: Vec<Node<'t>> = node.named_children(&mut node.walk()).collect();
        let named = |child: &Node<'t>| matches!(child.kind(), "simple_expansion" | "expansion");
        let asked = children.clone().into_iter().filter(named);
        let words = children
            .into_iter()
            .filter(|child| matches!(child.kind(), "word" | "concatenation" | "string" | "raw_string"));
        match operator {
            b"-v" | b"-R" => {
                for word in asked {
                    let text = self.decode(word);
                    self.named_variable(&text, Role::Use);
                }
                for word in words {
                    self.done.insert(word.id());
                    let text = self.decode(word);
                    self.named_variable(&text, Role::Use);
                }
            }
            b"-n" | b"-z" => {
                let child = node.named_children(&mut node.walk()).last();
                let variable = child.and_then(|child| self.sole_variable(child));
                self.probed.extend(variable.map(|variable| variable.id()));
            }
            b"-eq" | b"-ne" | b"-lt" | b"-le" | b"-gt" | b"-ge" => {
                for word in words.filter(|word| matches!(word.kind(), "word" | "concatenation")) {
                    self.done.insert(word.id());
                    let text = self.decode(word);
                    self.arithmetic_text(&text, &Role::Use);
                }
            }
            _ => {}
        }
    }

    /// A word `name`, `name[index]` or `name=value` as a variable's name.
    pub(super) fn named_variable(&mut self, text: &Text, role: Role) {
        let length = identifier(&text.bytes[..text.known()]);
        if length == 0 {
            if !text.bytes.is_empty() {
                self.takes_names();
                if !self.job.foreign {
                    self.taken_for_name(Sort::Variable, text, Purpose::of(&role));
                }
            }
            return;
        }
        if length == text.known() && !text.is_known() {
            self.takes_names();
            return self.push_variable(role, text.clone());
        }
        let ends = length == text.bytes.len()
            || (length < text.known() && matches!(text.bytes[length], b'[' | b'='));
        if ends {
            self.push_variable(role, text.slice(0..length));
        }
    }

    /// Notes a text as code that runs some time.
    pub(super) fn code(&mut self, text: Text, foreign: bool) {
        self.code_at(text, foreign, false);
    }

    /// Whether what is run is what Weir prints for loading packages, `$(weir bash init)`: it makes no name of a package.
    fn is_own_loader(&self, start: u32) -> bool {
        let document = &self.job.document;
        let words =
            document.bytes.get(start as usize..).and_then(|rest| rest.strip_prefix(b"$(weir bash init"));
        self.job.nesting == 0 && words.is_some_and(|rest| matches!(rest.first(), Some(b')' | b' ')))
    }

    /// Notes a text as code that runs where it stands.
    pub(super) fn code_in_place(&mut self, text: Text) {
        self.code_at(text, false, self.job.in_place);
    }

    fn code_at(&mut self, text: Text, foreign: bool, in_place: bool) {
        if text.bytes.is_empty() {
            return;
        }
        let (start, end) = (text.start(), text.before(text.bytes.len()));
        let unknown = |why| Unknown { file: self.file, start, end, why };
        if text.known() == 0 && text.bytes.len() == 1 {
            if foreign {
                self.taken_elsewhere(text);
            } else if !self.is_own_loader(start) {
                self.facts.unknowns.push(unknown(Why::UnknownCode));
            }
        } else if self.job.nesting >= MAX_NESTING {
            self.facts.unknowns.push(unknown(Why::TooDeep));
        } else {
            let (function, nesting) = (self.function(), self.job.nesting + 1);
            let foreign = foreign || self.job.foreign;
            self.jobs.push(Job { document: text, function, nesting, foreign, in_place });
        }
    }
}

/// The role of a name in a sum that is assigned there: `let x=1`.
fn assigned(role: &Role) -> Role {
    match role {
        Role::Use => Role::Assign,
        role => role.clone(),
    }
}

/// Where in a text each variable is expanded, or asked for by `-v`.
#[derive(Default)]
struct Looks(HashMap<Vec<u8>, Vec<usize>>);

impl Looks {
    fn of(text: &[u8]) -> Self {
        let mut looks = Self::default();
        for sign in [&b"$"[..], b"${", b"-v "] {
            for at in memchr::memmem::find_iter(text, sign).map(|at| at + sign.len()) {
                let length = identifier(&text[at..]);
                if length > 0 {
                    looks.0.entry(text[at..at + length].to_vec()).or_default().push(at);
                }
            }
        }
        looks.0.values_mut().for_each(|places| places.sort_unstable());
        looks
    }

    fn within(&self, range: Range<usize>, name: &[u8]) -> bool {
        let places = self.0.get(name).map_or(&[][..], Vec::as_slice);
        let next = places.partition_point(|at| *at < range.start);
        places.get(next).is_some_and(|at| *at < range.end)
    }
}

/// The length of the identifier that a text begins with.
pub(crate) fn identifier(text: &[u8]) -> usize {
    match text.first() {
        Some(first) if first.is_ascii_alphabetic() || *first == b'_' => {
            text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
        }
        _ => 0,
    }
}

/// What follows a variable in `${…}`: an empty default only guards against `set -u`.
fn default_operator(rest: &[u8]) -> Role {
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    match rest {
        [b'=', ..] => Role::AssignDefault,
        [b'-', b'}', ..] => Role::Use,
        [b'-' | b'?', ..] => Role::UseWithDefault,
        _ => Role::Use,
    }
}
