//! Times, sizes and numbers, as the terminal says them.

use jiff::{SignedDuration, Timestamp};
use weir_cedar::Problem;
pub(crate) use weir_model::amounts::{bytes, count};

/// The most characters of a line that a stranger wrote.
const LINE: usize = 300;

/// Now, of a page that is kept for long and not made anew: what is told of times is the day, and not how long ago it was.
pub const UNTIMED: Timestamp = Timestamp::MAX;

/// The day, in UTC.
pub(crate) fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// Day and time, in UTC.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// How long ago, in the largest unit that says it.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    if now == UNTIMED {
        return day(at);
    }
    let seconds = now.duration_since(at).max(SignedDuration::ZERO).as_secs();
    match seconds {
        0..60 => "just now".to_owned(),
        60..3600 => format!("{} ago", count((seconds / 60).unsigned_abs(), "minute")),
        3600..86_400 => format!("{} ago", count((seconds / 3600).unsigned_abs(), "hour")),
        _ => format!("{} ago", count((seconds / 86_400).unsigned_abs(), "day")),
    }
}

/// How long something took.
pub(crate) fn microseconds(took: u64) -> String {
    match took {
        0..1_000 => format!("{took} µs"),
        1_000..10_000 => format!("{}.{} ms", took / 1_000, took % 1_000 / 100),
        10_000..1_000_000 => format!("{} ms", took / 1_000),
        _ => format!("{}.{} s", took / 1_000_000, took % 1_000_000 / 100_000),
    }
}

/// A line that a stranger wrote: cut where it is beyond all measure.
pub(crate) fn line(text: &str) -> String {
    match text.char_indices().nth(LINE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Who did something: a user by their name.
pub(crate) fn who(actor: &str) -> &str {
    actor.strip_prefix("user:").unwrap_or(actor)
}

/// What is wrong with a file of a policy set, on a page where that is beside it.
pub(crate) fn problem(problem: &Problem) -> String {
    let Problem { line, column, message, help, .. } = problem;
    let place = match (line, column) {
        (Some(line), Some(column)) => format!("Line {line}, character {column}: "),
        _ => String::new(),
    };
    let help = help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    self::line(&format!("{place}{message}{help}"))
}

/// What is wrong, as a sentence of a page.
pub(crate) fn sentence(text: &str) -> String {
    let mut said: String = text.chars().take(2000).collect();
    if let Some(first) = said.get(..1) {
        said = first.to_uppercase() + &said[1..];
    }
    if !said.ends_with(['.', '?', '`']) {
        said.push('.');
    }
    said
}

/// A text in pieces: what stands between backquotes is code, as in everything that Weir says.
pub(crate) fn marked(text: &str) -> Vec<(bool, String)> {
    let pieces = text.split('`').enumerate().map(|(at, piece)| (at % 2 == 1, piece.to_owned()));
    pieces.filter(|(_, piece)| !piece.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    #[test]
    fn times_and_sizes_are_said_as_people_say_them() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        for (at, said) in [
            ("2026-11-20T12:00:05Z", "just now"),
            ("2026-11-20T11:59:00Z", "1 minute ago"),
            ("2026-11-20T09:00:00Z", "3 hours ago"),
            ("2026-11-01T12:00:00Z", "19 days ago"),
        ] {
            assert_eq!(super::ago(at.parse().unwrap(), now), said);
        }
        let took = [950, 1_250, 25_900, 3_210_000].map(super::microseconds);
        assert_eq!(took, ["950 µs", "1.2 ms", "25 ms", "3.2 s"]);
        assert_eq!((super::bytes(1000), super::bytes(1536)), ("1000 B".into(), "1.5 KiB".into()));
        assert_eq!(
            (super::count(1, "entry"), super::count(2, "entry")),
            ("1 entry".into(), "2 entries".into())
        );
    }
}
