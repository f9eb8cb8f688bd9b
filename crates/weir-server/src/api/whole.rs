//! Whole numbers, however they are written.
//!
//! JSON knows no integers, and a schema takes `80.0` and `8e1` for one as much as `80`: some languages write nothing else. What reads
//! documents here would take them for no integer.

/// The largest that is one number only, whoever reads it (RFC 8259, section 6).
const LARGEST: f64 = 9_007_199_254_740_991.0;

/// A document with every whole number written as such. What is no JSON stays none.
pub(super) fn numbers(text: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.first() {
        let length = match first {
            b'"' => string(rest),
            b'-' | b'0'..=b'9' => number(rest),
            _ => 1,
        };
        let (word, after) = rest.split_at(length);
        match whole(word) {
            Some(number) => written.extend(number.bytes()),
            None => written.extend(word),
        }
        rest = after;
    }
    written
}

/// How long the text is that begins here, with its quotes; to the end where it has none.
fn string(rest: &[u8]) -> usize {
    let mut is_escaped = false;
    let end = rest.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    });
    end.map_or(rest.len(), |end| end + 2)
}

/// How long the number is that begins here.
fn number(rest: &[u8]) -> usize {
    let of_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    rest.iter().position(|byte| !of_number(byte)).unwrap_or(rest.len())
}

/// A number that is whole and was written as if it were not.
fn whole(word: &[u8]) -> Option<String> {
    let is_number = word.first().is_some_and(|first| *first != b'"');
    if !is_number || !word.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        return None;
    }
    let number: f64 = serde_json::from_slice(word).ok()?;
    // Nothing is lost by it, and `-0` is no integer of its own.
    (number.fract() == 0.0 && number.abs() <= LARGEST).then(|| format!("{:.0}", number + 0.0))
}

#[cfg(test)]
mod tests {
    use super::numbers;

    fn written(text: &str) -> String {
        String::from_utf8(numbers(text.as_bytes())).unwrap()
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        let text = r#"{"limit": 80.0, "before":-1.50e1, "of":[8e1,-0.0,1.0E+2], "name":"80.0 \\"}"#;
        assert_eq!(written(text), r#"{"limit": 80, "before":-15, "of":[80,0,100], "name":"80.0 \\"}"#);
    }

    #[test]
    fn all_else_stays_as_it_is() {
        for text in
            ["0.5", "1e300", "1e-1", "01.0", "1.", "1.0.0", "true", r#""a\"80.0"#, "\"80.0", "", "-", "1e400"]
        {
            assert_eq!(written(text), text);
        }
    }
}
