//! What the source of a module says itself of what it offers: enough to tell that a `docs.json` was made of something else.
//!
//! The compiler documents only what a module names in its first line and gives a type, so both can be compared without it. What the source calls
//! `D.Decoder`, `docs.json` calls `Json.Decode.Decoder`: which module a type may come from is read from what is imported. Where that leaves more
//! than one, the modules of the package itself are looked into; of two modules of other packages either may be meant.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::docs::{Entry, Module, Sort};
use super::tipe::Type;
use crate::code::{code, name_of_module, next_block, word};

/// The modules of a package. Each is read once, however many others import it.
pub struct Sources<F> {
    /// The source of a module by its name; nothing where the package has none of that name.
    read: F,
    /// The types that a module exposes, of those that were looked into.
    types: BTreeMap<String, Option<Rc<BTreeSet<String>>>>,
}

impl<E, F: FnMut(&str) -> Result<Option<String>, E>> Sources<F> {
    /// Modules that are read by `read`.
    pub fn new(read: F) -> Self {
        Self { read, types: BTreeMap::new() }
    }

    /// The types that a module exposes; nothing where it is none of the package's, or where its first line cannot be read.
    fn types(&mut self, module: &str) -> Result<Option<Rc<BTreeSet<String>>>, E> {
        if let Some(types) = self.types.get(module) {
            return Ok(types.clone());
        }
        let types = (self.read)(module)?.and_then(|source| exposed_types(&code(&source))).map(Rc::new);
        self.types.insert(module.to_owned(), types.clone());
        Ok(types)
    }
}

/// The types that a module exposes, as its first line says.
fn exposed_types(code: &str) -> Option<BTreeSet<String>> {
    let types: Vec<&str> = if in_brackets(code)?.trim() == ".." {
        own_types(&declarations(code)).collect()
    } else {
        Exposed::read(code)?.types.into_keys().collect()
    };
    Some(types.into_iter().map(str::to_owned).collect())
}

/// Why `docs` cannot have been made of the module `name` of this package; nothing where it can.
///
/// # Errors
///
/// What keeps a module from being read.
pub(super) fn contradiction<E, F: FnMut(&str) -> Result<Option<String>, E>>(
    docs: &Module,
    name: &str,
    sources: &mut Sources<F>,
) -> Result<Option<String>, E> {
    let code = code(&(sources.read)(name)?.unwrap_or_default());
    let declared = declarations(&code);
    let mut scope = Scope::read(name, &code, &declared);
    scope.look_into(sources)?;
    Ok(contradicted(docs, &code, &declared, &scope))
}

/// As [`contradiction`], of a module that was read.
fn contradicted(
    docs: &Module,
    code: &str,
    declared: &BTreeMap<(Sort, &str), &str>,
    scope: &Scope<'_>,
) -> Option<String> {
    let Some(exposed) = Exposed::read(code) else {
        return Some(
            "its source does not name, one by one, what the module exposes, so it has no documentation"
                .into(),
        );
    };
    if scope.is_too_wide() {
        return Some(format!(
            "its source imports more than {MOST_HOMES} modules from which one name could come"
        ));
    }
    let told: BTreeSet<(bool, &str)> =
        docs.entries.keys().map(|(sort, name)| (*sort == Sort::Operator, name.as_str())).collect();
    let named = exposed.names();
    if let Some((_, name)) = told.difference(&named).next() {
        return Some(format!("it tells of `{}`, which the module does not expose", super::docs::shown(name)));
    }
    if let Some((_, name)) = named.difference(&told).next() {
        return Some(format!("it does not tell of `{}`, which the module exposes", super::docs::shown(name)));
    }
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

/// What stands behind `first` in pairs.
fn second<'a>(pairs: &BTreeSet<(&'a str, &'a str)>, first: &str) -> Vec<&'a str> {
    pairs.range((first, "")..).take_while(|(one, _)| *one == first).map(|(_, second)| *second).collect()
}

/// The types among declarations.
fn own_types<'a>(declared: &BTreeMap<(Sort, &'a str), &str>) -> impl Iterator<Item = &'a str> {
    declared.keys().filter(|(sort, _)| matches!(sort, Sort::Alias | Sort::Union)).map(|(_, name)| *name)
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

/// The most modules that are imported as `exposing (..)`, or under one name: what compares names must not take the square of a source.
const MOST_HOMES: usize = 100;

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
    /// The types that other modules of the package expose, of those that are imported.
    package: BTreeMap<&'a str, Rc<BTreeSet<String>>>,
}

impl<'a> Scope<'a> {
    fn read(module: &'a str, code: &'a str, declared: &BTreeMap<(Sort, &'a str), &'a str>) -> Self {
        let mut scope = Self {
            module,
            own: own_types(declared).collect(),
            called: BTreeSet::new(),
            exposed: BTreeSet::new(),
            open: BTreeSet::new(),
            package: BTreeMap::new(),
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
        let (module, more) = name_of_module(text);
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

    /// Looks into those of the imported modules that are the package's.
    fn look_into<E, F: FnMut(&str) -> Result<Option<String>, E>>(
        &mut self,
        sources: &mut Sources<F>,
    ) -> Result<(), E> {
        for (_, module) in &self.called {
            // What the compiler knows by itself no source declares.
            if ALWAYS.iter().any(|(always, ..)| always == module) {
                continue;
            }
            if let Some(types) = sources.types(module)? {
                self.package.insert(module, types);
            }
        }
        Ok(())
    }

    /// Whether a type that the source calls `said` may be the one that is `docs` in full.
    fn is_same_name(&self, said: &str, docs: &str) -> bool {
        let Some((module, name)) = docs.rsplit_once('.') else { return false };
        let (before, said) =
            said.rsplit_once('.').map_or((None, said), |(before, said)| (Some(before), said));
        said == name && self.is_home(module, before, said)
    }

    /// Whether a type may come from a module. A name that could come from two does not compile: so what is exposed by name comes from no open
    /// module, and what a module of the package exposes from no other.
    fn is_home(&self, module: &str, before: Option<&str>, said: &str) -> bool {
        if before.is_none() && self.own.contains(said) {
            return module == self.module;
        }
        let exposes = |one: &str| self.package.get(one).is_some_and(|types| types.contains(said));
        let homes = match before {
            Some(before) => second(&self.called, before),
            None => match second(&self.exposed, said) {
                exposed if exposed.is_empty() => self.open.iter().copied().collect(),
                exposed => exposed,
            },
        };
        let is_of_package = homes.iter().any(|one| exposes(one));
        homes.contains(&module)
            && if is_of_package { exposes(module) } else { !self.package.contains_key(module) }
    }

    /// Whether a name could come from more modules than anybody imports so.
    fn is_too_wide(&self) -> bool {
        let mut called = BTreeMap::<&str, usize>::new();
        for (name, _) in self.called.iter().chain(&self.exposed) {
            *called.entry(name).or_default() += 1;
        }
        called.into_values().chain([self.open.len()]).any(|homes| homes > MOST_HOMES)
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

#[cfg(test)]
mod tests {
    use super::Sources;
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
        assert_eq!(contradiction(&docs(("", "")), SOURCE), None);
    }

    /// Of a package that has the module `Str` and these.
    fn beside(docs: &Api, source: &str, others: &[(&str, &str)]) -> Option<String> {
        let mut sources = Sources::new(|module: &str| {
            let mut modules = others.iter().copied().chain([("Str", source)]);
            Ok::<_, ()>(modules.find(|(name, _)| *name == module).map(|(_, source)| source.to_owned()))
        });
        docs.contradiction("Str", &mut sources).unwrap()
    }

    fn contradiction(docs: &Api, source: &str) -> Option<String> {
        beside(docs, source, &[])
    }

    #[test]
    fn a_type_comes_from_the_open_module_that_has_it() {
        let source = "module Str exposing (trim)\nimport A exposing (..)\nimport B exposing (..)\n\ntrim : Side -> X.Side\n";
        let source = source.replace("import B", "import A as X\nimport C as X\nimport B");
        let docs = |from: &str| {
            let docs = r#"[{"name":"Str","comment":"","unions":[],"aliases":[],"binops":[],
                "values":[{"name":"trim","comment":"","type":"FROM"}]}]"#;
            Api::parse(docs.replace("FROM", from).as_bytes()).unwrap()
        };
        let has = "module A exposing (Side(..), side)\n\ntype Side = Left\n";
        let has_all = "module A exposing (..)\n\ntype alias Side = ()\n";
        let has_none = "module B exposing (Other)\n\ntype Side = Left\n\ntype Other = Other\n";
        for a in [has, has_all] {
            assert_eq!(beside(&docs("A.Side -> A.Side"), &source, &[("A", a), ("B", has_none)]), None);
            for lie in ["B.Side -> A.Side", "A.Side -> C.Side"] {
                assert!(beside(&docs(lie), &source, &[("A", a), ("B", has_none)]).is_some(), "{lie}");
                assert!(beside(&docs(lie), &source, &[("A", a)]).is_some(), "{lie}");
            }
        }
        let elsewhere = [("B", has_none), ("C", has_none)];
        assert_eq!(beside(&docs("A.Side -> A.Side"), &source, &elsewhere), None);
        assert!(beside(&docs("B.Side -> A.Side"), &source, &elsewhere).is_some());
        let by_name = source.replace("import A exposing (..)", "import A exposing (Side)");
        assert_eq!(beside(&docs("A.Side -> A.Side"), &by_name, &[]), None);
        assert!(beside(&docs("B.Side -> A.Side"), &by_name, &[]).is_some());
        let wide: String = (0..101).map(|one| format!("import M{one} exposing (..)\n")).collect();
        let wide = source.replace("import A exp", &format!("{wide}import A exp"));
        assert!(beside(&docs("A.Side -> A.Side"), &wide, &[]).unwrap().contains("more than 100"));
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
            let found = contradiction(&docs((from, to)), SOURCE).unwrap();
            assert!(found.contains(told), "{told}: {found}");
        }
        let own = SOURCE.replace("type Key =", "type String = String\n\n\ntype Key =");
        assert!(contradiction(&docs(("", "")), &own).unwrap().contains("String"));
        let less = SOURCE.replace("pad, run,", "pad, run, more,");
        assert!(contradiction(&docs(("", "")), &less).unwrap().contains("not tell of `more`"));
        for text in
            ["", "module Str exposing (..)", "module Str exposing (", "\"", "{-", "module Str exposing ()"]
        {
            assert!(contradiction(&docs(("", "")), text).is_some(), "{text}");
        }
    }
}
