//! What a kind found out about a release, as any kind may write it.
//!
//! Facts travel as JSON in records and as TOML in lockfiles, and end up on terminals, so only what all three can hold is a
//! fact: no null, no number that is not a 64-bit integer, no text that a terminal would obey. What a kind's own facts mean is
//! the kind's to check.

use serde_json::{Map, Value};

use crate::unseen::Named as _;
use crate::unseen::{is_harmless, is_unseen};

/// The deepest that facts are nested.
const MAX_DEPTH: usize = 16;

/// Why facts are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the fact `{}` {reason}", .path.named())]
pub struct FactsError {
    /// Which one: keys, outermost first, joined by dots, and cut to a printable length.
    path: String,
    reason: &'static str,
}

/// Checks facts that came from outside.
///
/// # Errors
///
/// Names the first fact that a record, a lockfile or a terminal cannot hold.
pub fn check_facts(facts: &Map<String, Value>) -> Result<(), FactsError> {
    check_object(facts, "", 0)
}

fn check_object(object: &Map<String, Value>, above: &str, depth: usize) -> Result<(), FactsError> {
    object.iter().try_for_each(|(key, value)| {
        let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        if key.chars().any(is_unseen) {
            return Err(refused(&path, "has a name with a character that nobody sees"));
        }
        check(value, &path, depth + 1)
    })
}

fn check(value: &Value, path: &str, depth: usize) -> Result<(), FactsError> {
    if depth > MAX_DEPTH {
        return Err(refused(path, "is nested too deeply"));
    }
    match value {
        Value::Bool(_) => Ok(()),
        Value::Null => Err(refused(path, "is nothing")),
        Value::Number(number) if number.is_i64() => Ok(()),
        Value::Number(_) => Err(refused(path, "is no 64-bit integer")),
        Value::String(text) if is_harmless(text) => Ok(()),
        Value::String(_) => {
            Err(refused(path, "has a character that a terminal would obey, or that nobody sees"))
        }
        Value::Array(items) => items.iter().try_for_each(|item| check(item, path, depth + 1)),
        Value::Object(object) => check_object(object, path, depth),
    }
}

fn refused(path: &str, reason: &'static str) -> FactsError {
    FactsError { path: path.chars().take(200).collect(), reason }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::check_facts;

    fn checked(facts: Value) -> bool {
        let Value::Object(facts) = facts else { panic!("facts are an object") };
        check_facts(&facts).is_ok()
    }

    #[test]
    fn what_a_record_a_lockfile_and_a_terminal_can_hold_is_a_fact() {
        assert!(checked(json!({ "bin": { "a b\"": "x/y" }, "n": [1, -1, true, "two\nlines"], "o": {} })));
        for refused in [
            json!({ "bin": { "a\nb": "a" } }),
            json!({ "bin": { "a\u{202e}": "a" } }),
            json!({ "t": "\u{1b}[2J" }),
            json!({ "n": null }),
            json!({ "n": [1.5] }),
            json!({ "n": u64::MAX }),
        ] {
            assert!(!checked(refused.clone()), "{refused}");
        }
        let deep = (0..20).fold(json!(1), |below, _| json!([below]));
        assert!(!checked(json!({ "deep": deep })));
    }
}
