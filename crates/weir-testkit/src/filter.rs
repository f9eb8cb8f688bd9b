//! Taking out of a text what differs from run to run, so that the rest can be compared.

use std::path::Path;

/// `text` with paths below `root`, digests, times, days, batches and keys replaced by words in brackets.
pub(crate) fn filter(text: &str, root: &Path) -> String {
    let text = text.replace(&*root.to_string_lossy(), "[ROOT]");
    let mut filtered = String::with_capacity(text.len());
    let mut rest = text.as_str();
    let mut inside_word = false;
    while let Some(character) = rest.chars().next() {
        let found = if inside_word { None } else { VARYING.iter().find_map(|varying| varying.find(rest)) };
        let taken = match found {
            Some((length, word)) => {
                filtered.push_str(word);
                length
            }
            None => {
                filtered.push(character);
                character.len_utf8()
            }
        };
        inside_word = rest[..taken].ends_with(|c: char| c.is_ascii_alphanumeric());
        rest = &rest[taken..];
    }
    filtered
}

/// A pattern: `9` stands for a digit, `f` for a digit of base 16, `Z` for one of base 32, `+` for one of base 64;
/// everything else for itself. It ends where a word ends.
struct Varying {
    pattern: &'static str,
    /// How often the last character of the pattern may be repeated.
    open_ended: bool,
    word: &'static str,
}

const VARYING: &[Varying] = &[
    Varying { pattern: "9999-99-99T99:99:99", open_ended: false, word: "[TIME]" },
    Varying { pattern: "9999-99-99", open_ended: false, word: "[DAY]" },
    Varying {
        pattern: "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        open_ended: false,
        word: "[DIGEST]",
    },
    Varying { pattern: "ffffffffffff", open_ended: false, word: "[SHORT]" },
    Varying {
        pattern: "ffffffff+++++++++++++++++++++++++++++++++++++++++++++",
        open_ended: true,
        word: "[KEY]",
    },
    Varying {
        pattern: "root ++++++++++++++++++++++++++++++++++++++++++++",
        open_ended: false,
        word: "root [HASH]",
    },
    Varying { pattern: "ZZZZZZZZZZZZZZZZZZZZZZZZZZ", open_ended: false, word: "[BATCH]" },
];

impl Varying {
    fn find(&self, text: &str) -> Option<(usize, &'static str)> {
        let bytes = text.as_bytes();
        let pattern = self.pattern.as_bytes();
        let fits = |wanted: u8, byte: u8| match wanted {
            b'9' => byte.is_ascii_digit(),
            b'f' => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            b'Z' => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            b'+' => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='),
            wanted => byte == wanted,
        };
        if bytes.len() < pattern.len()
            || !pattern.iter().zip(bytes).all(|(wanted, byte)| fits(*wanted, *byte))
        {
            return None;
        }
        let mut length = pattern.len();
        if self.open_ended {
            let last = *pattern.last()?;
            length += bytes[length..].iter().take_while(|byte| fits(last, **byte)).count();
        }
        if self.word == "[TIME]" {
            // A fraction of a second, and the zone.
            length +=
                bytes[length..].iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'Z')).count();
        }
        let ends = !bytes.get(length).is_some_and(u8::is_ascii_alphanumeric);
        ends.then_some((length, self.word))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::filter;

    #[test]
    fn what_differs_from_run_to_run_is_replaced() {
        let digest = "0f".repeat(32);
        let text = format!(
            "/tmp/x/app at 2026-11-20T12:00:00.5Z, 2026-11-20: sha256:{digest} 0123456789ab 01ARZ3NDEKTSV4RRFFQ69G5FAV"
        );
        assert_eq!(
            filter(&text, Path::new("/tmp/x")),
            "[ROOT]/app at [TIME], [DAY]: sha256:[DIGEST] [SHORT] [BATCH]"
        );
        let key = format!("org+00112233+{}", "Ab1/".repeat(11));
        assert_eq!(filter(&key, Path::new("/tmp/x")), "org+[KEY]");
    }

    #[test]
    fn versions_counts_and_names_stay() {
        for text in ["acme/str 2026.1.0", "12 packages", "deadbeef", "2026-11", "cafe/babe"] {
            assert_eq!(filter(text, Path::new("/tmp/x")), text);
        }
    }
}
