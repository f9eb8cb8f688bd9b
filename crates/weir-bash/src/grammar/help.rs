//! What the grammar does not know of Bash, replaced byte for byte by an equivalent that it does.
//!
//! It is only looked at where a text cannot be read without, and only used where more can be read with it. Closed are: `esac
//! done` (a reserved word straight after the end of a compound command), `!` before anything but a plain command, a lone
//! bracket in a pattern (`${x##*[}`, `${x%%]*}`), a comma in a parenthesis of arithmetic, a command behind the head of a
//! here-document (`cat <<EOF; next`), and those of [`brackets_and_operators`] and [`expansion`].

use super::in_arithmetic;

/// The same text, readable by the grammar. No byte of a name changes, and no name gets one more.
pub(super) fn help(bytes: &[u8]) -> Vec<u8> {
    let mut helped = bytes.to_vec();
    let is_blank = |byte: u8| matches!(byte, b' ' | b'\t');
    let ends_word = |at: usize| bytes.get(at).is_none_or(|byte| b" \t\r\n;&|)".contains(byte));
    let mut word = 0;
    for at in 0..bytes.len() {
        let byte = bytes[at];
        let begins = at == 0 || b" \t\r\n;&|(".contains(&bytes[at - 1]);
        if begins {
            word = at;
        }
        if byte == b'!' && begins && bytes.get(at + 1).is_some_and(|next| is_blank(*next)) {
            helped[at] = b' ';
        }
        // `((a ? (b = 1, c = 2) : d))`: an expression of its own in parentheses.
        if byte == b',' && in_arithmetic(bytes, at) {
            helped[at] = b'+';
        }
        let lone = (byte == b'[' && bytes.get(at + 1) == Some(&b'}'))
            || (byte == b']' && bytes[..at].ends_with(b"%"));
        if lone {
            helped[at] = b'_';
        }
        let after_end = matches!(&bytes[word..at], b"esac" | b"fi" | b"done" | b"}");
        if byte == b';' && bytes.get(at + 1) == Some(&b' ') && ends_delimiter(&bytes[..at]) {
            // The grammar ends a delimiter without quotes at a blank only.
            let quoted = matches!(bytes[at - 1], b'\'' | b'"');
            helped[at..at + 2].copy_from_slice(if quoted { b"||" } else { b" |" });
        }
        if is_blank(byte) && after_end {
            let next = at + bytes[at..].iter().take_while(|byte| is_blank(**byte)).count();
            let closes = [&b"done"[..], b"fi", b"esac", b"then", b"do", b"else", b"elif", b"}"]
                .iter()
                .any(|close| bytes[next..].starts_with(close) && ends_word(next + close.len()));
            if closes {
                helped[at] = b';';
            }
        }
    }
    brackets_and_operators(bytes, &mut helped);
    for at in 0..bytes.len() {
        if bytes[at..].starts_with(b"${") {
            expansion(bytes, at + 2, &mut helped);
        }
    }
    helped
}

/// `\\]` in a pattern and `\\>` in a test, which are characters; `[ x = - ]`, a word; `10#$x`, a number; `for x do`.
fn brackets_and_operators(bytes: &[u8], helped: &mut [u8]) {
    for at in 0..bytes.len() {
        let rest = &bytes[at..];
        let before = &bytes[..at];
        if rest.starts_with(b"\\]") && !before.ends_with(b"\\") {
            helped[at..at + 2].copy_from_slice(b",,");
        }
        if [&b" \\> "[..], b" \\< "].iter().any(|operator| rest.starts_with(operator)) {
            helped[at + 1..at + 3].copy_from_slice(b"==");
        }
        let is_word = before.ends_with(b" = ") || before.ends_with(b" == ") || before.ends_with(b" != ");
        if rest.starts_with(b"-") && is_word && !in_arithmetic(bytes, at) {
            helped[at] = b',';
        }
        let number = before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let is_base = number > 0 && (rest.starts_with(b"#$") || rest.starts_with(b"#\""));
        if is_base && in_arithmetic(bytes, at) {
            helped[at] = b'+';
        }
        if rest.starts_with(b" do\n") && is_for(before) {
            helped[at] = b';';
        }
    }
}

/// Whether a text ends with `for name`.
fn is_for(text: &[u8]) -> bool {
    let name = text.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let head = text[..text.len() - name].trim_ascii_end();
    name > 0
        && head
            .strip_suffix(b"for")
            .is_some_and(|rest| rest.last().is_none_or(|byte| b" \t\n;".contains(byte)))
}

/// How far an expansion is looked through for its end.
const FARTHEST: usize = 1024;

/// An expansion, from behind its `${`: in `${x:$i:1}` a `$` that may as well not be there; in `${x:+($y);}` and `${x//&/;}`
/// characters that are no operators.
fn expansion(bytes: &[u8], from: usize, helped: &mut [u8]) {
    let name = bytes[from..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let Some([first, second]) = bytes.get(from + name..from + name + 2) else { return };
    let at = from + name;
    match (first, second) {
        (b':', b'-' | b'+' | b'=' | b'?') if name > 0 => characters(bytes, at + 2, helped),
        (b'-' | b'+' | b'=' | b'?' | b'/', _) if name > 0 => characters(bytes, at + 1, helped),
        (b':', _) if name > 0 => offsets(bytes, at, helped),
        _ => {}
    }
}

fn offsets(bytes: &[u8], from: usize, helped: &mut [u8]) {
    for at in from..bytes.len().min(from + FARTHEST) {
        match bytes[at] {
            b'}' | b'\n' => return,
            b'$' if matches!(bytes[at - 1], b':') => {
                let plain =
                    bytes.get(at + 1).is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'_');
                if plain {
                    helped[at] = b' ';
                }
            }
            _ => {}
        }
    }
}

fn characters(bytes: &[u8], from: usize, helped: &mut [u8]) {
    let (mut at, mut open) = (from, Vec::new());
    let end = bytes.len().min(from + FARTHEST);
    let mut changed = Vec::new();
    while at < end {
        match bytes[at] {
            b'\\' if bytes.get(at + 1) == Some(&b'&') && open.is_empty() => changed.push(at + 1),
            b'\\' | b'$'
                if open.is_empty() && matches!(bytes.get(at + 1), Some(b'\\' | b'"' | b'$' | b'`')) => {}
            b'`' | b'\'' | b'\n' => return,
            b'$' if bytes.get(at + 1) == Some(&b'(') => {
                open.push(b')');
                at += 1;
            }
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                open.push(b'}');
                at += 1;
            }
            b'(' if open.last() == Some(&b')') => open.push(b')'),
            byte if open.last() == Some(&byte) => drop(open.pop()),
            b'}' if open.is_empty() => {
                changed.into_iter().for_each(|at: usize| helped[at] = b',');
                return;
            }
            b';' | b'(' | b')' | b'&' | b'|' if open.is_empty() => changed.push(at),
            _ => {}
        }
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
}

/// Whether a text ends with the head of a here-document.
fn ends_delimiter(text: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_'\"\\".contains(byte);
    let text = &text[..text.len() - text.iter().rev().take_while(|byte| is_part(byte)).count()];
    let text = text.trim_ascii_end();
    let text = text.strip_suffix(b"-").unwrap_or(text);
    text.ends_with(b"<<") && !text.ends_with(b"<<<")
}
