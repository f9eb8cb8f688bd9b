//! What the source of a module says itself of what it offers: enough to tell that a `docs.json` was made of something else.
//!
//! The compiler documents only what a module names in its first line and gives a type, so both can be compared without it. What the source calls
//! `D.Decoder`, `docs.json` calls `Json.Decode.Decoder`: which module a type may come from is read from what is imported.

use std::collections::{BTreeMap, BTreeSet};

use super::docs::{Entry, Module, Sort};
use super::tipe::Type;
use crate::module::after_comment;

/// Why `docs` cannot have been made of the module `name` with this source; nothing where it can.
pub(super) fn contradiction(docs: &Module, name: &str, source: &str) -> Option<String> {
    let code = code(source);
    let Some(exposed) = Exposed::read(&code) else {
        return Some(
            "its source does not name, one by one, what the module exposes, so it has no documentation"
                .into(),
        );
    };
    let told: BTreeSet<(bool, &str)> =
        docs.entries.keys().map(|(sort, name)| (*sort == Sort::Operator, name.as_str())).collect();
    let named = exposed.names();
    if let Some((_, name)) = told.difference(&named).next() {
        return Some(format!("it tells of `{}`, which the module does not expose", super::docs::shown(name)));
    }
    if let Some((_, name)) = named.difference(&told).next() {
        return Some(format!("it does not tell of `{}`, which the module exposes", super::docs::shown(name)));
    }
    let declared = declarations(&code);
    let scope = Scope::read(name, &code, &declared);
    docs.entries.iter().find_map(|((sort, name), entry)| {
        // Which function an operator stands for is said elsewhere, and only Elm's own packages have any.
        let is_made_of = *sort == Sort::Operator
            || declared.get(&(*sort, name.as_str())).is_some_and(|text| {
                let is_open = exposed.types.get(name.as_str()).copied().unwrap_or_default();
                scope.is_declared(entry, text, is_open).unwrap_or_default()
            });
        (!is_made_of).then(|| format!("it says `{entry}`, and the source of the module does not"))
    })
}

/// What a module names in its first line.
#[derive(Default)]
struct Exposed<'a> {
    values: BTreeSet<&'a str>,
    operators: BTreeSet<&'a str>,
    /// Types, and whether their values are exposed with them.
    types: BTreeMap<&'a str, bool>,
}

impl<'a> Exposed<'a> {
    fn read(code: &'a str) -> Option<Self> {
        let mut exposed = Self::default();
        for item in apart(in_brackets(code)?, ',').into_iter().map(str::trim) {
            match item.chars().next()? {
                '(' => {
                    exposed.operators.insert(item.trim_matches(['(', ')', ' ']));
                }
                first if first.is_uppercase() => {
                    let (name, values) = item.split_once('(').unwrap_or((item, ""));
                    exposed.types.insert(name.trim(), !values.is_empty());
                }
                first if first.is_lowercase() => {
                    exposed.values.insert(item);
                }
                _ => return None,
            }
        }
        Some(exposed)
    }

    /// All of them, each with whether it is an operator.
    fn names(&self) -> BTreeSet<(bool, &'a str)> {
        let others = self.values.iter().chain(self.types.keys()).map(|name| (false, *name));
        others.chain(self.operators.iter().map(|name| (true, *name))).collect()
    }
}

/// What stands in the brackets after the first `exposing`.
fn in_brackets(code: &str) -> Option<&str> {
    let (_, rest) = code.split_once("exposing")?;
    let inside = rest.trim_start().strip_prefix('(')?;
    let mut depth = 0_usize;
    let end = inside.char_indices().find(|(_, c)| match c {
        '(' => {
            depth += 1;
            false
        }
        ')' if depth == 0 => true,
        ')' => {
            depth -= 1;
            false
        }
        _ => false,
    })?;
    Some(&inside[..end.0])
}

/// The parts between signs that stand in no brackets.
fn apart(text: &str, sign: char) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0_i64, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth -= 1,
            _ if c == sign && depth == 0 => {
                parts.push(&text[from..at]);
                from = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

/// What is declared at the beginning of a line, with the lines behind it that are indented: of types all of it, of values the line that says
/// their type.
fn declarations(code: &str) -> BTreeMap<(Sort, &str), &str> {
    let mut declared = BTreeMap::new();
    let mut rest = code;
    while !rest.is_empty() {
        let block;
        (block, rest) = next_block(rest);
        let (first, more) = word(block);
        let (sort, name, more) = match (first, word(more)) {
            ("type", ("alias", more)) => {
                let (name, more) = word(more);
                (Sort::Alias, name, more)
            }
            ("type", (name, more)) => (Sort::Union, name, more),
            (name, _) if more.trim_start().starts_with(':') => (Sort::Value, name, more),
            _ => continue,
        };
        declared.entry((sort, name)).or_insert(more);
    }
    declared
}

/// A line, with those behind it that are indented, and what follows.
fn next_block(code: &str) -> (&str, &str) {
    let begins = |line: &str| line.starts_with(|c: char| !c.is_whitespace());
    let mut end = 0;
    for line in code.split_inclusive('\n') {
        if end > 0 && begins(line) {
            break;
        }
        end += line.len();
    }
    code.split_at(end)
}

/// The first word, and what is behind it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_at(text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len()))
}

/// What every module imports, as if it said so: a module, what it is called, and the types that need no module before them.
const ALWAYS: [(&str, &str, &[&str]); 11] = [
    ("Basics", "Basics", &["Int", "Float", "Bool", "Order", "Never"]),
    ("List", "List", &["List"]),
    ("Maybe", "Maybe", &["Maybe"]),
    ("Result", "Result", &["Result"]),
    ("String", "String", &["String"]),
    ("Char", "Char", &["Char"]),
    ("Tuple", "Tuple", &[]),
    ("Debug", "Debug", &[]),
    ("Platform", "Platform", &["Program"]),
    ("Platform.Cmd", "Cmd", &["Cmd"]),
    ("Platform.Sub", "Sub", &["Sub"]),
];

/// From which modules the types of a source may come.
struct Scope<'a> {
    /// The module itself.
    module: &'a str,
    /// The types that it declares.
    own: BTreeSet<&'a str>,
    /// What imported modules are called.
    called: BTreeSet<(&'a str, &'a str)>,
    /// Types that need no module before them, with theirs.
    exposed: BTreeSet<(&'a str, &'a str)>,
    /// The modules of which all does.
    open: BTreeSet<&'a str>,
}

impl<'a> Scope<'a> {
    fn read(module: &'a str, code: &'a str, declared: &BTreeMap<(Sort, &'a str), &'a str>) -> Self {
        let types = declared.keys().filter(|(sort, _)| matches!(sort, Sort::Alias | Sort::Union));
        let mut scope = Self {
            module,
            own: types.map(|(_, name)| *name).collect(),
            called: BTreeSet::new(),
            exposed: BTreeSet::new(),
            open: BTreeSet::new(),
        };
        for (module, name, types) in ALWAYS {
            scope.called.extend([(name, module), (module, module)]);
            scope.exposed.extend(types.iter().map(|name| (*name, module)));
        }
        let mut rest = code;
        while !rest.is_empty() {
            let block;
            (block, rest) = next_block(rest);
            if let ("import", import) = word(block) {
                scope.import(import.trim_start());
            }
        }
        scope
    }

    /// Takes in what stands behind `import`.
    fn import(&mut self, text: &'a str) {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
        let (module, more) = text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()));
        self.called.insert((module, module));
        if let ("as", more) = word(more) {
            self.called.insert((word(more).0, module));
        }
        for item in in_brackets(more).map(|inside| apart(inside, ',')).unwrap_or_default() {
            match item.trim() {
                ".." => {
                    self.open.insert(module);
                }
                item => {
                    self.exposed.insert((word(item).0, module));
                }
            }
        }
    }

    /// Whether a type that the source calls `said` may be the one that is `docs` in full.
    fn is_same_name(&self, said: &str, docs: &str) -> bool {
        let Some((module, name)) = docs.rsplit_once('.') else { return false };
        match said.rsplit_once('.') {
            Some((before, said)) => said == name && self.called.contains(&(before, module)),
            None if said != name => false,
            None if self.own.contains(said) => module == self.module,
            None => self.exposed.contains(&(said, module)) || self.open.contains(module),
        }
    }

    /// Whether what stands behind the name of a declaration declares `entry`; nothing where it cannot be read.
    fn is_declared(&self, entry: &Entry, text: &str, is_open: bool) -> Option<bool> {
        match entry {
            Entry::Value { is, .. } => {
                let said = Type::parse(text.trim_start().strip_prefix(':')?).ok()?;
                Some(self.is_same_value(&said, is))
            }
            Entry::Alias { vars, is, .. } => {
                let (before, said) = text.split_once('=')?;
                Some(before.split_whitespace().eq(vars) && self.is_same(&Type::parse(said).ok()?, is))
            }
            Entry::Union { vars, cases, .. } => {
                let (before, said) = text.split_once('=')?;
                let said: Vec<Type> =
                    apart(said, '|').into_iter().map(|case| Type::parse(case).ok()).collect::<Option<_>>()?;
                let is_case = |(said, (name, types)): (&Type, &(String, Vec<Type>))| match said {
                    Type::Named(said, given) => said == name && self.are_same(given, types),
                    _ => false,
                };
                let are_cases = if is_open {
                    said.len() == cases.len() && said.iter().zip(cases).all(is_case)
                } else {
                    cases.is_empty()
                };
                Some(before.split_whitespace().eq(vars) && are_cases)
            }
            Entry::Operator { .. } => Some(true),
        }
    }

    /// As [`Scope::is_same`], for the type of a value: where the source names the type of a function, and the function has arguments, the
    /// compiler writes out what the name stands for.
    fn is_same_value(&self, said: &Type, docs: &Type) -> bool {
        match (said, docs) {
            (Type::Function(from, to), Type::Function(docs_from, docs_to)) => {
                self.is_same(from, docs_from) && self.is_same_value(to, docs_to)
            }
            (Type::Named(..), Type::Function(..)) => true,
            _ => self.is_same(said, docs),
        }
    }

    /// Whether two types are the same.
    fn is_same(&self, said: &Type, docs: &Type) -> bool {
        match (said, docs) {
            (Type::Var(said), Type::Var(docs)) => said == docs,
            (Type::Function(from, to), Type::Function(docs_from, docs_to)) => {
                self.is_same(from, docs_from) && self.is_same(to, docs_to)
            }
            (Type::Named(said, given), Type::Named(docs, docs_given)) => {
                self.is_same_name(said, docs) && self.are_same(given, docs_given)
            }
            (Type::Record(said, fields), Type::Record(docs, docs_fields)) => {
                let is_field = |((name, is), (docs_name, docs_is)): (&(String, Type), &(String, Type))| {
                    name == docs_name && self.is_same(is, docs_is)
                };
                said == docs
                    && fields.len() == docs_fields.len()
                    && fields.iter().zip(docs_fields).all(is_field)
            }
            (Type::Tuple(said), Type::Tuple(docs)) => self.are_same(said, docs),
            _ => false,
        }
    }

    fn are_same(&self, said: &[Type], docs: &[Type]) -> bool {
        said.len() == docs.len() && said.iter().zip(docs).all(|(said, docs)| self.is_same(said, docs))
    }
}

/// A source with blanks in the place of comments, of what stands in quotes, and of shaders: what is left is code, in the lines it was in.
fn code(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source.strip_prefix('\u{feff}').unwrap_or(source);
    while let Some(first) = rest.chars().next() {
        let length = length_of_text(rest);
        let (taken, after) = rest.split_at(if length == 0 { first.len_utf8() } else { length });
        if length == 0 {
            code.push_str(taken);
        } else {
            code.extend(taken.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        rest = after;
    }
    code
}

/// How many bytes a comment, a quoted text or a shader takes that `text` begins with; 0 where it begins with code.
fn length_of_text(text: &str) -> usize {
    let until = |mark: &str, from: usize| {
        text.get(from..).and_then(|rest| rest.find(mark)).map_or(text.len(), |at| from + at + mark.len())
    };
    if text.starts_with("--") {
        text.find('\n').unwrap_or(text.len())
    } else if text.starts_with("{-") {
        text.len() - after_comment(text).len()
    } else if text.starts_with("[glsl|") {
        until("|]", "[glsl|".len())
    } else if text.starts_with("\"\"\"") {
        quoted(text, "\"\"\"", false)
    } else if text.starts_with('"') {
        quoted(text, "\"", true)
    } else if text.starts_with('\'') {
        quoted(text, "'", true)
    } else {
        0
    }
}

/// How many bytes a quoted text takes, both marks included; one that may not go over lines ends with its line.
fn quoted(text: &str, mark: &str, in_line: bool) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(mark.len()) {
        if in_line && c == '\n' {
            return at;
        }
        if !is_escaped && text[at..].starts_with(mark) {
            return at + mark.len();
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use crate::api::Api;

    const SOURCE: &str = r#"module Str exposing
    ( Side(..), Key, Pair -- sides
    , trim , pad, run, (+++)
    )

{-| module Nothing exposing (..) {- nested -}
trim : Int
-}

import Dict as D


type Side a
    = Left a (Maybe { x : Int })
    | Right


type Key = Key String


type alias Pair a b =
    ( a, D.Dict String b )


infix right 5 (+++) = append


{-| -}
trim :
    String -- the text
    -> (String)
trim text =
    let quote = '"' in """
pad : Int
\""" """ ++ "\" -- {-"

pad : { a | size : Int } -> Pair a b -> ( Int, () )
pad = 1


run : Parser a
run state = state
"#;

    fn docs(change: (&str, &str)) -> Api {
        let docs = r#"[{"name":"Str","comment":"","unions":[
            {"name":"Side","comment":"","args":["a"],"cases":[["Left",["a","Maybe.Maybe { x : Basics.Int }"]],["Right",[]]]},
            {"name":"Key","comment":"","args":[],"cases":[]}],
            "aliases":[{"name":"Pair","comment":"","args":["a","b"],"type":"( a, Dict.Dict String.String b )"}],
            "values":[{"name":"trim","comment":"","type":"String.String -> String.String"},
            {"name":"pad","comment":"","type":"{ a | size : Basics.Int } -> Str.Pair a b -> ( Basics.Int, () )"},
            {"name":"run","comment":"","type":"Str.State -> ( a, Str.State )"}],
            "binops":[{"name":"+++","comment":"","type":"Int","associativity":"right","precedence":5}]}]"#;
        assert!(docs.contains(change.0), "{change:?}");
        Api::parse(docs.replacen(change.0, change.1, 1).as_bytes()).unwrap()
    }

    #[test]
    fn what_the_compiler_made_of_a_source_is_not_contradicted_by_it() {
        assert_eq!(docs(("", "")).contradiction("Str", SOURCE), None);
    }

    #[test]
    fn documentation_of_something_else_is_told() {
        for (from, to, told) in [
            (
                r#""String.String -> String.String""#,
                r#""String.String -> Basics.Int""#,
                "trim : String -> Int",
            ),
            (r#""trim""#, r#""trimmed""#, "`trimmed`, which the module does not expose"),
            (r#"["Right",[]]"#, r#"["Wrong",[]]"#, "type Side a"),
            (r#",["Right",[]]"#, "", "type Side a"),
            (r#""args":[],"cases":[]"#, r#""args":[],"cases":[["Key",["String"]]]"#, "type Key"),
            (r#""args":["a","b"]"#, r#""args":["b","a"]"#, "type alias Pair"),
            ("String.String b )", "String.String a )", "type alias Pair"),
            ("size : Basics.Int", "length : Basics.Int", "pad : "),
            ("Maybe.Maybe { x : Basics.Int }", "Str.Maybe { x : Basics.Int }", "type Side a"),
            ("-> Str.Pair a b", "-> Dict.Pair a b", "pad : "),
            ("( a, Dict.Dict", "( a, Set.Dict", "type alias Pair"),
            ("( a, Dict.Dict", "( a, Dict", "type alias Pair"),
        ] {
            let found = docs((from, to)).contradiction("Str", SOURCE).unwrap();
            assert!(found.contains(told), "{told}: {found}");
        }
        let own = SOURCE.replace("type Key =", "type String = String\n\n\ntype Key =");
        assert!(docs(("", "")).contradiction("Str", &own).unwrap().contains("String"));
        let less = SOURCE.replace("pad, run,", "pad, run, more,");
        assert!(docs(("", "")).contradiction("Str", &less).unwrap().contains("not tell of `more`"));
        for text in
            ["", "module Str exposing (..)", "module Str exposing (", "\"", "{-", "module Str exposing ()"]
        {
            assert!(docs(("", "")).contradiction("Str", text).is_some(), "{text}");
        }
    }
}
