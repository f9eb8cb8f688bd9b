//! What a request demands of the file it asks for: only if it changed, only a part of it (RFC 9110, sections 13 and 14).

use axum::http::header::{IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE};
use axum::http::{HeaderMap, HeaderName};

/// How a request for a file is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// With all of it.
    Whole,
    /// With the bytes from the first to the last, both counted.
    Part(u64, u64),
    /// The asker has it.
    NotModified,
    /// The asker wanted another version.
    Failed,
    /// There are no such bytes.
    NotSatisfiable,
}

/// What a request with `headers` is answered that asks for a file of `size` bytes with the entity tag `tag`.
pub(crate) fn answer(headers: &HeaderMap, size: u64, tag: &str) -> Answer {
    if let Some(wanted) = text(headers, &IF_MATCH)
        && !names(wanted, tag, Compared::Strongly)
    {
        return Answer::Failed;
    }
    if text(headers, &IF_NONE_MATCH).is_some_and(|known| names(known, tag, Compared::Weakly)) {
        return Answer::NotModified;
    }
    let Some(range) = text(headers, &RANGE) else { return Answer::Whole };
    // A part of another version is of no use: then the whole.
    if headers.contains_key(IF_RANGE) && text(headers, &IF_RANGE) != Some(tag) {
        return Answer::Whole;
    }
    part(range, size)
}

/// A range of bytes. What is none, or several at once, is answered with the whole, as anybody may.
fn part(range: &str, size: u64) -> Answer {
    if range.contains(',') {
        return Answer::Whole;
    }
    let Ok(parsed) = http_range_header::parse_range_header(range) else { return Answer::Whole };
    match parsed.validate(size) {
        Ok(ranges) => {
            ranges.first().map_or(Answer::Whole, |range| Answer::Part(*range.start(), *range.end()))
        }
        Err(_) => Answer::NotSatisfiable,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Compared {
    Strongly,
    Weakly,
}

/// Whether a list of entity tags names `tag`, or every one.
fn names(list: &str, tag: &str, how: Compared) -> bool {
    list.split(',').map(str::trim).any(|one| {
        let known = match one.strip_prefix("W/") {
            Some(weak) if how == Compared::Weakly => weak,
            _ => one,
        };
        known == "*" || known == tag
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn asked(headers: &[(HeaderName, &'static str)]) -> Answer {
        let headers = headers.iter().map(|(name, text)| (name.clone(), HeaderValue::from_static(text)));
        answer(&headers.collect(), 10, "\"a\"")
    }

    #[test]
    fn who_has_it_gets_nothing() {
        for known in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*"] {
            assert_eq!(asked(&[(IF_NONE_MATCH, known)]), Answer::NotModified, "{known}");
        }
        assert_eq!(asked(&[(IF_NONE_MATCH, "\"b\"")]), Answer::Whole);
        assert_eq!(asked(&[(IF_MATCH, "\"b\"")]), Answer::Failed);
        assert_eq!(asked(&[(IF_MATCH, "W/\"a\"")]), Answer::Failed);
        assert_eq!(asked(&[(IF_MATCH, "*")]), Answer::Whole);
    }

    #[test]
    fn a_part_is_given_if_there_is_such_a_part_and_of_this_version() {
        for (range, expected) in [
            ("bytes=0-3", Answer::Part(0, 3)),
            ("bytes=4-", Answer::Part(4, 9)),
            ("bytes=-3", Answer::Part(7, 9)),
            ("bytes=10-", Answer::NotSatisfiable),
            ("bytes=0-1,3-4", Answer::Whole),
            ("lines=1-2", Answer::Whole),
            ("bytes=x", Answer::Whole),
        ] {
            assert_eq!(asked(&[(RANGE, range)]), expected, "{range}");
        }
        assert_eq!(asked(&[(RANGE, "bytes=0-3"), (IF_RANGE, "\"a\"")]), Answer::Part(0, 3));
        assert_eq!(asked(&[(RANGE, "bytes=0-3"), (IF_RANGE, "\"b\"")]), Answer::Whole);
    }
}
