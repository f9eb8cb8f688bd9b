//! Canonical JSON: one text for one value, so that two programs hash and sign the same bytes.
//!
//! The rules are those of RFC 8785 (JCS) for the values Weir uses: object keys sorted, no
//! insignificant white space, the shortest escapes, integers only. Keys are ASCII, for which the
//! order of bytes and the order of UTF-16 units agree.

use serde_json::Value;

/// The canonical JSON of `value`.
///
/// # Errors
///
/// When the value has a key that is not ASCII or a number that is not an integer, or cannot be
/// expressed as JSON at all.
pub fn canonical_json(value: &impl serde::Serialize) -> Result<String, CanonicalError> {
    let value = serde_json::to_value(value).map_err(|error| CanonicalError(error.to_string()))?;
    let mut out = String::new();
    write(&value, &mut out)?;
    Ok(out)
}

/// Why a value has no canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no canonical JSON: {0}")]
pub struct CanonicalError(String);

// The depth is bounded by serde_json, which refuses to read (and we never build) more than 128 levels.
fn write(value: &Value, out: &mut String) -> Result<(), CanonicalError> {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| key.as_str());
            out.push('{');
            for (index, (key, member)) in members.into_iter().enumerate() {
                if !key.is_ascii() {
                    return Err(CanonicalError(format!("the key `{key}` is not ASCII")));
                }
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(member, out)?;
            }
            out.push('}');
        }
        Value::Number(number) if number.is_f64() => {
            return Err(CanonicalError(format!("{number} is not an integer")));
        }
        scalar => out.push_str(&scalar.to_string()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::canonical_json;
    use serde_json::json;

    #[test]
    fn keys_are_sorted_and_nothing_is_added() {
        let value = json!({"b": [1, null, true], "a": {"y": "é\n\"", "x": -1}});
        assert_eq!(canonical_json(&value).unwrap(), r#"{"a":{"x":-1,"y":"é\n\""},"b":[1,null,true]}"#);
    }

    #[test]
    fn fractions_and_keys_beyond_ascii_are_refused() {
        assert!(canonical_json(&json!(1.5)).is_err());
        assert!(canonical_json(&json!({"é": 1})).is_err());
    }
}
