//! Expansions in texts that the grammar takes whole: regular expressions, patterns, prompts.
//!
//! They are found by Bash's rules of quoting and put into a text of their own that the grammar reads, each byte
//! knowing where it came from.

use std::ops::Range;

use super::text::Text;

/// How a text is read where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// As a word: quotes of all kinds hide what is in them.
    None,
    /// As between double quotes: a single quote is a character like any other.
    Double,
}

/// All expansions of a text, as the elements of an array; `None` if there are none.
pub(super) fn expansions(text: &Text, quoting: Quoting) -> Option<Text> {
    assembled(text, find(&text.bytes, quoting))
}

/// The commands between backquotes in a here-document, in which the grammar knows all other expansions.
pub(super) fn backquoted(document: &Text) -> Option<Text> {
    let mut found = find(&document.bytes, Quoting::Double);
    found.retain(|(range, _)| document.bytes[range.start] == b'`');
    assembled(document, found)
}

fn assembled(text: &Text, found: Vec<(Range<usize>, bool)>) -> Option<Text> {
    if found.is_empty() {
        return None;
    }
    // The shell's own variable: a name that never changes, and one that the grammar takes for a name, as it does not `_`.
    let mut pieces = vec![text.glue(b"READLINE_MARK=(", found[0].0.start)];
    for (range, quoted) in found {
        let quote: &[u8] = if quoted { b"\"" } else { b"" };
        pieces.push(text.glue(quote, range.start));
        pieces.push(text.slice(range.clone()));
        pieces.push(text.glue(&[quote, b" "].concat(), range.start));
    }
    pieces.push(text.glue(b")", 0));
    Some(Text::concat(&pieces))
}

/// The outermost expansions, and whether each is between double quotes.
fn find(bytes: &[u8], quoting: Quoting) -> Vec<(Range<usize>, bool)> {
    let mut found = Vec::new();
    let mut quoted = quoting == Quoting::Double;
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'\\' => at + 2,
            b'"' if quoting == Quoting::None => {
                quoted = !quoted;
                at + 1
            }
            b'\'' if !quoted => after(bytes, at + 1, b'\''),
            b'$' if !quoted && bytes.get(at + 1) == Some(&b'\'') => after_escaped(bytes, at + 2, b'\''),
            b'$' | b'`' => match expansion(bytes, at, quoted) {
                Some(end) => {
                    found.push((at..end, quoted));
                    end
                }
                None => at + 1,
            },
            _ => at + 1,
        };
        at = end;
    }
    found
}

/// Where the expansion that begins at a `$` or a backquote ends, if it is one and ends at all.
fn expansion(bytes: &[u8], at: usize, quoted: bool) -> Option<usize> {
    match bytes.get(at + 1) {
        _ if bytes[at] == b'`' => closed(bytes, at + 1, b'`', quoted),
        Some(b'{') => closed(bytes, at + 2, b'}', quoted),
        Some(b'(') => closed(bytes, at + 2, b')', quoted),
        Some(first) if first.is_ascii_alphabetic() || *first == b'_' => {
            let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
            Some(at + 1 + bytes[at + 1..].iter().take_while(is_part).count())
        }
        _ => None,
    }
}

/// The place after what closes an expansion, with all that is opened and closed in it passed by.
fn closed(bytes: &[u8], mut at: usize, closer: u8, quoted: bool) -> Option<usize> {
    let mut open = if quoted { vec![b'"', closer] } else { vec![closer] };
    let outermost = open.len();
    while let Some(&byte) = bytes.get(at) {
        let innermost = *open.last()?;
        // In `"${x:-'y'}"` the single quotes are characters.
        let in_quotes = innermost == b'"' || innermost == b'}' && open.iter().rev().nth(1) == Some(&b'"');
        match byte {
            b'\\' => at += 1,
            _ if byte == innermost => {
                if open.len() == outermost {
                    return Some(at + 1);
                }
                open.pop();
            }
            b'\'' if !in_quotes => {
                at = after(bytes, at + 1, b'\'');
                continue;
            }
            b'"' | b'`' => open.push(byte),
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                open.push(b'}');
                at += 1;
            }
            b'$' if bytes.get(at + 1) == Some(&b'(') => {
                open.push(b')');
                at += 1;
            }
            b'(' if innermost == b')' => open.push(b')'),
            _ => {}
        }
        at += 1;
    }
    None
}

fn after(bytes: &[u8], from: usize, quote: u8) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.iter().position(|byte| *byte == quote).map_or(bytes.len(), |end| from + end + 1)
}

fn after_escaped(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::{Quoting, find};

    fn found(text: &str, quoting: Quoting) -> Vec<String> {
        let one = |(range, quoted): (std::ops::Range<usize>, bool)| {
            format!("{}{}", if quoted { "\"" } else { "" }, &text[range])
        };
        find(text.as_bytes(), quoting).into_iter().map(one).collect()
    }

    #[test]
    fn expansions_are_found_by_the_rules_of_quoting() {
        for (text, expected) in [
            ("^($NAT|${A[0]})$", &["$NAT", "${A[0]}"][..]),
            (r#"\$x'$y'$'\'$z'"$a'$b'\$c"$d$1$@$"#, &["\"$a", "\"$b", "$d"]),
            (r#"${x:-"}"$(f ")" '}' (g))}y`h \` i`"#, &[r#"${x:-"}"$(f ")" '}' (g))}"#, r"`h \` i`"]),
            (r#"${x#'}'}"${x:-'}z"#, &["${x#'}'}", "\"${x:-'}"]),
            ("${x $(y `z $", &[]),
        ] {
            assert_eq!(found(text, Quoting::None), expected, "{text}");
        }
        assert_eq!(found("'$x'\"$y\"", Quoting::Double), ["\"$x", "\"$y"]);
    }
}
