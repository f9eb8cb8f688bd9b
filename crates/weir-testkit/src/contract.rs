//! `--json` is a contract: whatever a program under test prints with it is held against the published schema.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The schema, as it is published.
const SCHEMA: &str = include_str!("../../../docs/reference/json-schema.json");

/// Where the schema is, for messages.
const ADDRESS: &str = "https://weir.example/json-schema.json";

/// Options before the names of commands that are followed by a value.
const WITH_VALUE: &[&str] = &["-C", "--directory", "--manifest-path", "--registry", "--color"];

/// Other names of commands.
const ALIASES: &[(&str, &str)] = &[
    ("i", "install"),
    ("ls", "list"),
    ("optimize", "optimise"),
    ("rm", "remove"),
    ("show", "info"),
    ("up", "update"),
];

/// Holds that what the program printed, called with these words, is the document that the schema describes: that of
/// its command, or a failure with this exit code. Nothing is looked at where `--json` was not asked for.
///
/// # Panics
///
/// When it is not, saying why.
#[track_caller]
pub fn check_json(words: &[impl AsRef<str>], stdout: &str, code: i32) {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let told = ["--help", "-h", "--version", "-V"].iter().any(|word| words.contains(word));
    if told || words.first() == Some(&"help") || !words.contains(&"--json") || stdout.is_empty() {
        return;
    }
    let typed = words.join(" ");
    let schema: Value = serde_json::from_str(SCHEMA).expect("the published schema is JSON");
    let command = command(&words, &schema);
    let document: Value = match (serde_json::from_str(stdout), &command) {
        (Ok(document), _) => document,
        // What it ran may have printed anything.
        (Err(_), None) => return,
        (Err(error), Some(_)) => panic!("`weir {typed}` printed no JSON: {error}\n{stdout}"),
    };
    let described = match (document.get("error"), &command) {
        (Some(error), _) => {
            assert_eq!(error["exit"], code, "`weir {typed}` names another exit code:\n{stdout}");
            &schema["failure"]
        }
        (None, Some(command)) => &schema["commands"][command.as_str()],
        (None, None) => return,
    };
    if let Err(reason) = validate(described, &schema["$defs"], &document) {
        panic!("`weir {typed}` printed what the schema does not describe: {reason}\n{stdout}");
    }
}

/// The command that words call, as the schema names it; none of those that print nothing of their own.
fn command(words: &[&str], schema: &Value) -> Option<String> {
    let mut names = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word {
            word if WITH_VALUE.contains(word) => drop(words.next()),
            word if word.starts_with('-') => {}
            word => {
                names.push(ALIASES.iter().find(|(alias, _)| alias == word).map_or(*word, |(_, name)| name));
            }
        }
    }
    let known = schema["commands"].as_object()?;
    // Only commands without others below them are named: `show` is one of those of `registry`, and `info` on its own.
    let of_several = [3, 2].map(|many| names.get(..many).map(|names| names.join(" ")));
    let of_several = of_several.map(|name| {
        let shown = ["registry", "registry upstream", "root"];
        shown.iter().fold(name, |name, above| {
            name.map(|name| name.replace(&format!("{above} info"), &format!("{above} show")))
        })
    });
    let first = names.first().map(|name| (*name).to_owned());
    of_several.into_iter().chain([first]).flatten().find(|name| known.contains_key(name))
}

/// Whether a document is what a schema describes, and has nothing that it does not.
fn validate(described: &Value, definitions: &Value, document: &Value) -> Result<(), String> {
    let mut whole = Map::new();
    whole.insert("$ref".into(), described["$ref"].clone());
    whole.insert("$defs".into(), closed(definitions));
    let mut compiler = boon::Compiler::new();
    compiler.add_resource(ADDRESS, Value::Object(whole)).map_err(|error| error.to_string())?;
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile(ADDRESS, &mut schemas).map_err(|error| format!("{error:#}"))?;
    schemas.validate(document, index).map_err(|error| format!("{error:#}"))
}

/// The definitions, taking only what they name: readers accept more, so that more may come, and a test must not.
fn closed(definitions: &Value) -> Value {
    let mut closed = definitions.clone();
    let mut shared = BTreeSet::new();
    find_shared(&closed, &mut shared);
    for (name, definition) in closed.as_object_mut().into_iter().flatten() {
        if shared.contains(name) {
            close_below(definition);
        } else {
            close(definition);
        }
    }
    closed
}

/// Definitions to which whoever refers to them adds something.
fn find_shared(value: &Value, shared: &mut BTreeSet<String>) {
    if let (Some(name), true) = (value["$ref"].as_str(), value.get("properties").is_some()) {
        shared.insert(name.trim_start_matches("#/$defs/").to_owned());
    }
    match value {
        Value::Object(object) => object.values().for_each(|value| find_shared(value, shared)),
        Value::Array(values) => values.iter().for_each(|value| find_shared(value, shared)),
        _ => {}
    }
}

/// Closes the schema of a whole value.
fn close(schema: &mut Value) {
    close_below(schema);
    let Some(object) = schema.as_object_mut() else { return };
    if object.contains_key("properties") {
        if !object.contains_key("additionalProperties") {
            object.insert("unevaluatedProperties".into(), Value::Bool(false));
        }
        return;
    }
    // One of several whole values. Beside properties, they are parts of one.
    for alternatives in ["anyOf", "oneOf"] {
        object.get_mut(alternatives).and_then(Value::as_array_mut).into_iter().flatten().for_each(close);
    }
}

/// Closes the schemas of values within a value.
fn close_below(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    for (name, below) in object {
        match (name.as_str(), below) {
            ("properties", Value::Object(properties)) => properties.values_mut().for_each(close),
            ("prefixItems", Value::Array(items)) => items.iter_mut().for_each(close),
            ("items" | "additionalProperties", below) => close(below),
            ("anyOf" | "oneOf" | "allOf", Value::Array(parts)) => parts.iter_mut().for_each(close_below),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check_json;

    const SOUND: &str = r#"{"path": "/store"}"#;

    #[test]
    fn what_the_schema_describes_passes() {
        check_json(&["--json", "-C", "x", "store", "path"], SOUND, 0);
        check_json(&["store", "path"], "/store", 0);
        check_json(&["run", "x", "--json"], "whatever", 0);
    }

    #[test]
    #[should_panic(expected = "does not describe")]
    fn a_field_that_it_does_not_name_is_found() {
        check_json(&["store", "path", "--json"], r#"{"path": "/store", "more": 1}"#, 0);
    }

    #[test]
    #[should_panic(expected = "does not describe")]
    fn a_field_that_is_missing_is_found() {
        check_json(&["store", "path", "--json"], "{}", 0);
    }

    #[test]
    #[should_panic(expected = "another exit code")]
    fn a_failure_with_another_exit_code_is_found() {
        let failure = r#"{"error": {"code": "usage", "exit": 2, "message": "no"}}"#;
        check_json(&["store", "path", "--json"], failure, 1);
    }

    #[test]
    #[should_panic(expected = "no JSON")]
    fn text_is_found() {
        check_json(&["store", "path", "--json"], "/store\n", 0);
    }
}
