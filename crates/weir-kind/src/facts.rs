//! What the facts of every kind must be, whatever they mean.

use serde_json::Value;

use crate::Facts;
use weir_model::unseen::Named as _;

/// How deep facts may be nested.
const DEEPEST: usize = 8;

/// Why facts are not those that a kind finds out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadFacts(pub String);

/// Refuses words that no lockfile can hold on a line, and that no terminal should be given: control characters, in a
/// key or in a value at any depth.
///
/// # Errors
///
/// [`BadFacts`] names the fact.
pub fn check_words(facts: &Facts) -> Result<(), BadFacts> {
    facts.iter().try_for_each(|(key, value)| {
        check_word(key)
            .and_then(|()| check_value(value, 1))
            .map_err(|reason| BadFacts(format!("the fact `{}` {reason}", key.named())))
    })
}

fn check_value(value: &Value, depth: usize) -> Result<(), String> {
    if depth > DEEPEST {
        return Err(format!("is nested more than {DEEPEST} deep"));
    }
    match value {
        Value::String(text) => check_word(text),
        Value::Array(values) => values.iter().try_for_each(|value| check_value(value, depth + 1)),
        Value::Object(fields) => fields
            .iter()
            .try_for_each(|(key, value)| check_word(key).and_then(|()| check_value(value, depth + 1))),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn check_word(text: &str) -> Result<(), String> {
    match text.chars().find(|c| c.is_control()) {
        Some(control) => Err(format!("has the control character {control:?}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check_words;

    #[test]
    fn a_line_break_is_found_wherever_it_hides() {
        let facts = |value: serde_json::Value| value.as_object().cloned().unwrap();
        assert!(check_words(&facts(json!({ "bin": { "greet": ["bin/greet"] }, "n": 3 }))).is_ok());
        for bad in
            [json!({ "a\nb": 1 }), json!({ "bin": { "a\nb": "a" } }), json!({ "man": ["x", ["\u{1b}"]] })]
        {
            assert!(check_words(&facts(bad.clone())).is_err(), "{bad}");
        }
        let mut deep = json!(1);
        for _ in 0..20 {
            deep = json!([deep]);
        }
        assert!(check_words(&facts(json!({ "deep": deep }))).is_err());
    }
}
