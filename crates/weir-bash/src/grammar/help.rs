//! What the grammar does not know of Bash, replaced byte for byte by an equivalent that it does.
//!
//! It is only looked at where a text cannot be read without, and only used where more can be read with it. Closed are: `esac
//! done` (a reserved word straight after the end of a compound command), `!` before anything but a plain command, a lone
//! bracket in a pattern (`${x##*[}`, `${x%%]*}`), a comma in a parenthesis of arithmetic, a command behind the head of a
//! here-document (`cat <<EOF; next`), a group of a subshell (`{( … )}`), signs in patterns, and those of [`brackets_and_operators`] and [`expansion`].

use super::in_arithmetic;
use super::scan::{Found, part_end, scan};

/// What becomes of here-documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Documents {
    /// They stay.
    Kept,
    /// Where something else is behind one on its line, it becomes blank, if nothing in it is run. Names in it are still found by
    /// the last look for names, which reads the file itself.
    Blanked,
}

/// Blanks the head of each coprocess that is a compound command: `coproc NAME {` is a command with two arguments to the grammar, which then
/// takes the `}` at its end for that of what is around it. The name is still found by the last look for names.
pub(super) fn coprocesses(bytes: &mut [u8]) {
    const HEAD: &[u8] = b"coproc";
    const BEGINNINGS: &[&[u8]] = &[b"{", b"(", b"[[", b"while", b"until", b"for", b"if", b"case", b"select"];
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let mut from = 0;
    while let Some(found) = memchr::memmem::find(&bytes[from..], HEAD) {
        let (start, end) = (from + found, from + found + HEAD.len());
        from = end;
        let before = bytes[..start].iter().rev().find(|byte| !is_blank(byte));
        let word = bytes[..start].trim_ascii_end().rsplit(|byte| b" \t\n;&|({".contains(byte)).next();
        let begins = before.is_none_or(|byte| b"\n;&|({!".contains(byte))
            || matches!(word, Some(b"then" | b"do" | b"else"));
        let blanks = bytes[end..].iter().take_while(|byte| is_blank(byte)).count();
        if !begins || blanks == 0 {
            continue;
        }
        let begins_compound = |at: usize| {
            let rest = &bytes[at..];
            BEGINNINGS.iter().any(|word| {
                let next = rest.get(word.len());
                let ends = *word == b"(" || next.is_none_or(u8::is_ascii_whitespace);
                rest.starts_with(word) && ends
            })
        };
        let first = end + blanks;
        let name =
            bytes[first..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let second = first + name + bytes[first + name..].iter().take_while(|byte| is_blank(byte)).count();
        if begins_compound(first) {
            bytes[start..end].fill(b' ');
        } else if name > 0 && second > first + name && begins_compound(second) {
            bytes[start..first + name].fill(b' ');
        }
    }
}

/// The same text, readable by the grammar. No byte of a name changes, and no name gets one more.
pub(super) fn help(bytes: &[u8], documents: Documents) -> Vec<u8> {
    let mut helped = bytes.to_vec();
    let found = scan(bytes);
    if documents == Documents::Blanked {
        blank_documents(bytes, &found, &mut helped);
    }
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
        let is_kept = documents == Documents::Kept;
        if is_kept && byte == b';' && bytes.get(at + 1) == Some(&b' ') && ends_delimiter(&bytes[..at]) {
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
    groups_of_a_subshell(bytes, &mut helped);
    brackets_and_operators(bytes, &mut helped);
    patterns(bytes, &found, &mut helped);
    for range in found.idle_redirections {
        helped[range].fill(b' ');
    }
    for at in 0..bytes.len() {
        if bytes[at..].starts_with(b"${") {
            expansion(bytes, at + 2, &mut helped);
        }
    }
    helped
}

/// `{( … )}`, a group of nothing but a subshell: that subshell.
fn groups_of_a_subshell(bytes: &[u8], helped: &mut [u8]) {
    // Of each parenthesis that is open, the brace straight before it.
    let mut open: Vec<Option<usize>> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            quote @ (b'\'' | b'"') => {
                let escapes = quote == b'"';
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if escapes && bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'(' => {
                let brace = at.checked_sub(1).filter(|before| bytes[*before] == b'{');
                let begins = |brace: &usize| *brace == 0 || b" \t\n;&|()".contains(&bytes[*brace - 1]);
                open.push(brace.filter(begins).filter(|_| bytes.get(at + 1) != Some(&b'(')));
            }
            b')' => {
                if let Some(brace) = open.pop().flatten().filter(|_| bytes.get(at + 1) == Some(&b'}')) {
                    helped[brace] = b' ';
                    helped[at + 1] = b' ';
                }
            }
            _ => {}
        }
        at += 1;
    }
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
        if [&b" do\n"[..], b" do "].iter().any(|word| rest.starts_with(word)) && is_for(before) {
            helped[at] = b';';
        }
        // A here-string behind another redirection, or behind a compound command.
        if rest.starts_with(b"<<<") && !before.ends_with(b"<") && comes_last(before) {
            helped[at..at + 3].copy_from_slice(b"  <");
        }
        if rest.starts_with(b"<>") && before.ends_with(b"}") {
            helped[at..at + 2].copy_from_slice(b"> ");
        }
        let ends_word = rest.get(1).is_some_and(|next| b";|&)".contains(next));
        if rest.starts_with(b"$") && ends_word && before.last().is_some_and(u8::is_ascii_alphanumeric) {
            helped[at] = b',';
        }
    }
}

/// Whether the grammar reads no here-string behind this text: in its last line there is another redirection, or a compound
/// command ends.
fn comes_last(text: &[u8]) -> bool {
    let line = text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let command = line.rsplit(|byte| b";|&".contains(byte)).next().unwrap_or_default();
    let word = command.trim_ascii().rsplit(u8::is_ascii_whitespace).next().unwrap_or_default();
    command.contains(&b'>') || word.ends_with(b")") || matches!(word, b"}" | b"done" | b"fi" | b"esac")
}

/// Signs in patterns of `case` and right of the operators of a test, between quotes and expansions, where they are more than
/// plain words.
fn patterns(bytes: &[u8], found: &Found, helped: &mut [u8]) {
    for range in &found.patterns {
        flatten(bytes, range.clone(), true, helped);
    }
    for (operator, range) in &found.operands {
        let is_changed = flatten(bytes, range.clone(), false, helped);
        // Behind a single `=` the grammar expects less.
        if is_changed && range.start == operator + 2 && bytes[*operator] == b'=' {
            helped[operator + 1] = b'=';
        }
    }
}

/// Makes a pattern a plain word with quotes and expansions in it, with the bars between alternatives if there may be some; says
/// whether it was none.
fn flatten(bytes: &[u8], range: std::ops::Range<usize>, alternatives: bool, helped: &mut [u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./:?*| \t\n".contains(byte);
    if bytes[range.clone()].iter().all(is_plain) {
        return false;
    }
    let (mut at, mut depth) = (range.start, 0_usize);
    while at < range.end {
        let end = part_end(bytes, at, 32);
        match bytes[at] {
            b'\\' if bytes.get(at + 1).is_some_and(|next| *next != b'\n') => helped[at..end].fill(b','),
            b'$' if bytes.get(at + 1) == Some(&b'\'') && !bytes[at..end - 1].ends_with(b"\\'") => {
                helped[at] = b',';
            }
            b'$' if end == at + 1
                && !bytes
                    .get(end)
                    .is_some_and(|next| next.is_ascii_alphanumeric() || b"_@*#?!-$".contains(next)) =>
            {
                helped[at] = b',';
            }
            b'(' => {
                depth += 1;
                helped[at] = b',';
            }
            b')' => {
                depth = depth.saturating_sub(1);
                helped[at] = b',';
            }
            b'|' if depth == 0 && alternatives => {}
            b' ' | b'\t' | b'\n' if depth == 0 => {}
            b'-' | b'+' | b'=' if at > range.start => {}
            b'$' | b'\'' | b'"' | b'`' | b'_' | b'.' | b'/' | b':' | b',' | b'%' => {}
            byte if byte.is_ascii_alphanumeric() || byte >= 0x80 => {}
            _ => helped[at] = b',',
        }
        at = end;
    }
    true
}

/// Here-documents with something behind them on their line, which the grammar does not expect there, become blank.
fn blank_documents(bytes: &[u8], found: &Found, helped: &mut [u8]) {
    for document in &found.documents {
        let body = &bytes[document.body.clone()];
        let line = bytes[document.head.end..].split(|byte| *byte == b'\n').next().unwrap_or_default();
        let others = |other: &super::scan::Document| {
            other.head != document.head
                && other
                    .body
                    .start
                    .abs_diff(document.body.end)
                    .min(other.body.end.abs_diff(document.body.start))
                    == 0
        };
        let is_shared = !line.trim_ascii().is_empty() || found.documents.iter().any(others);
        let is_run =
            !document.is_literal && (body.contains(&b'`') || body.windows(2).any(|pair| pair == b"$("));
        if !is_shared || is_run {
            continue;
        }
        helped[document.head.clone()].fill(b' ');
        for byte in &mut helped[document.body.clone()] {
            if *byte != b'\n' {
                *byte = b' ';
            }
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
    let mut at = from + name;
    if name > 0 && bytes.get(at) == Some(&b'[') {
        at += bytes[at..].iter().take(FARTHEST).position(|byte| *byte == b']').map_or(0, |end| end + 1);
    }
    let Some([first, second]) = bytes.get(at..at + 2) else { return };
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
            b'\\' if bytes.get(at + 1) == Some(&b'/') && open.is_empty() => changed.extend([at, at + 1]),
            // Quotes that hold one sign: `${x//'"'/…}`.
            b'\'' if bytes.get(at + 2) == Some(&b'\'') => {
                changed.extend([at, at + 1, at + 2]);
                at += 2;
            }
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
