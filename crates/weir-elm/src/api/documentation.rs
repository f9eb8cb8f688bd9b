//! `docs.json`, to be read by people: what each module says of itself, with what it offers where it says so.
//!
//! The comment of a module names what it offers in lines that begin with `@docs`; what it does not name comes at the end, as on the site
//! of Elm's packages. Comments are CommonMark, and not to be trusted.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::docs::{Api, BadDocs, Sort};

/// What a package says of its modules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Documentation {
    /// Each, by name.
    pub modules: Vec<ModuleDocs>,
}

/// What a module says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleDocs {
    /// Its name.
    pub name: String,
    /// Its text, and what it offers.
    pub pieces: Vec<Piece>,
}

/// A piece of what a module says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text.
    Text(String),
    /// Something that it offers.
    Entry(EntryDocs),
}

/// Something that a module offers, and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryDocs {
    /// Its name.
    pub name: String,
    /// It, as it is written in Elm.
    pub written: String,
    /// What is said of it.
    pub comment: String,
}

#[derive(Deserialize)]
struct RawModule {
    name: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    unions: Vec<RawEntry>,
    #[serde(default)]
    aliases: Vec<RawEntry>,
    #[serde(default)]
    values: Vec<RawEntry>,
    #[serde(default)]
    binops: Vec<RawEntry>,
}

#[derive(Deserialize)]
struct RawEntry {
    name: String,
    #[serde(default)]
    comment: String,
}

impl Documentation {
    /// Reads a `docs.json`.
    ///
    /// # Errors
    ///
    /// The first thing that the compiler would not have written.
    pub fn parse(text: &[u8]) -> Result<Self, BadDocs> {
        // What is strange in it is found by who reads what it offers.
        let api = Api::parse(text)?;
        let raw: Vec<RawModule> = serde_json::from_slice(text).map_err(|error| BadDocs(error.to_string()))?;
        let mut modules: Vec<ModuleDocs> = raw.into_iter().filter_map(|raw| module(&api, raw)).collect();
        modules.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { modules })
    }
}

fn module(api: &Api, raw: RawModule) -> Option<ModuleDocs> {
    let offered = &api.modules.get(&raw.name)?.entries;
    let mut comments: BTreeMap<(Sort, String), String> = BTreeMap::new();
    for (sort, entries) in [
        (Sort::Union, raw.unions),
        (Sort::Alias, raw.aliases),
        (Sort::Value, raw.values),
        (Sort::Operator, raw.binops),
    ] {
        comments.extend(entries.into_iter().map(|entry| ((sort, entry.name), entry.comment)));
    }
    let mut take = |name: &str| {
        let sorts: &[Sort] = match name.strip_prefix('(') {
            Some(_) => &[Sort::Operator],
            None => &[Sort::Union, Sort::Alias, Sort::Value],
        };
        let name = name.trim_matches(['(', ')']);
        let key = sorts.iter().map(|sort| (*sort, name.to_owned())).find(|key| comments.contains_key(key))?;
        let (comment, written) = (comments.remove(&key)?, offered.get(&key)?.to_string());
        Some(Piece::Entry(EntryDocs { name: name.to_owned(), written, comment }))
    };
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut goes_on = false;
    for line in raw.comment.lines() {
        let names = match line.trim_start().strip_prefix("@docs") {
            Some(names) if names.is_empty() || names.starts_with(char::is_whitespace) => Some(names),
            _ if goes_on => Some(line),
            _ => None,
        };
        let Some(names) = names else {
            text.push_str(line);
            text.push('\n');
            continue;
        };
        // A comma at the end of a line has more in the next.
        goes_on = names.trim_end().ends_with(',') || (names.trim().is_empty() && !goes_on);
        push_text(&mut pieces, &mut text);
        pieces.extend(names.split(',').map(str::trim).filter_map(&mut take));
    }
    push_text(&mut pieces, &mut text);
    let rest: Vec<(Sort, String)> = comments.keys().cloned().collect();
    for key in rest {
        let (Some(comment), Some(entry)) = (comments.remove(&key), offered.get(&key)) else { continue };
        pieces.push(Piece::Entry(EntryDocs { name: key.1, written: entry.to_string(), comment }));
    }
    Some(ModuleDocs { name: raw.name, pieces })
}

fn push_text(pieces: &mut Vec<Piece>, text: &mut String) {
    let text = std::mem::take(text);
    if !text.trim().is_empty() {
        pieces.push(Piece::Text(text));
    }
}

#[cfg(test)]
mod tests {
    use super::{Documentation, Piece};

    #[test]
    fn what_a_module_offers_stands_where_its_comment_names_it_and_the_rest_at_the_end() {
        let docs = r#"[{"name":"Str","comment":" Strings.\n\n# Blanks\n@docs trim,\n  pad\n\n# Sums\n@docs (+++), nothing\n",
            "unions":[{"name":"Side","comment":" A side.","args":[],"cases":[["Left",[]],["Right",[]]]}],"aliases":[],
            "values":[{"name":"trim","comment":" Cuts.","type":"String.String -> String.String"},{"name":"pad","comment":"","type":"Int"}],
            "binops":[{"name":"+++","comment":" Adds.","type":"Int -> Int","associativity":"left","precedence":6}]}]"#;
        let docs = Documentation::parse(docs.as_bytes()).unwrap();
        let told: Vec<String> = docs.modules[0]
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.trim().to_owned(),
                Piece::Entry(entry) => format!("{} | {}", entry.written, entry.comment.trim()),
            })
            .collect();
        let expected = [
            "Strings.\n\n# Blanks",
            "trim : String -> String | Cuts.",
            "pad : Int | ",
            "# Sums",
            "(+++) : Int -> Int | Adds.",
            "type Side = Left | Right | A side.",
        ];
        assert_eq!(told, expected);
        assert!(Documentation::parse(b"{}").is_err());
    }
}
