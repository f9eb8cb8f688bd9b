//! The code of a module, as far as it can be read without a parser: what is no code is blanked out, and what begins a line begins something.

use crate::module::after_comment;

/// A source with blanks in the place of comments, of what stands in quotes, and of shaders: what is left is code, in the lines it was in.
pub(crate) fn code(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source.strip_prefix('\u{feff}').unwrap_or(source);
    while let Some(first) = rest.chars().next() {
        let length = length_of_text(rest);
        let (taken, after) = rest.split_at(if length == 0 { first.len_utf8() } else { length });
        if length == 0 {
            code.push_str(taken);
        } else {
            code.extend(taken.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        rest = after;
    }
    code
}

/// How many bytes a comment, a quoted text or a shader takes that `text` begins with; 0 where it begins with code.
fn length_of_text(text: &str) -> usize {
    let until = |mark: &str, from: usize| {
        text.get(from..).and_then(|rest| rest.find(mark)).map_or(text.len(), |at| from + at + mark.len())
    };
    if text.starts_with("--") {
        text.find('\n').unwrap_or(text.len())
    } else if text.starts_with("{-") {
        text.len() - after_comment(text).len()
    } else if text.starts_with("[glsl|") {
        until("|]", "[glsl|".len())
    } else if text.starts_with("\"\"\"") {
        quoted(text, "\"\"\"", false)
    } else if text.starts_with('"') {
        quoted(text, "\"", true)
    } else if text.starts_with('\'') {
        quoted(text, "'", true)
    } else {
        0
    }
}

/// How many bytes a quoted text takes, both marks included; one that may not go over lines ends with its line.
fn quoted(text: &str, mark: &str, in_line: bool) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(mark.len()) {
        if in_line && c == '\n' {
            return at;
        }
        if !is_escaped && text[at..].starts_with(mark) {
            return at + mark.len();
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    text.len()
}

/// A line, with those behind it that are indented, and what follows.
pub(crate) fn next_block(code: &str) -> (&str, &str) {
    let begins = |line: &str| line.starts_with(|c: char| !c.is_whitespace());
    let mut end = 0;
    for line in code.split_inclusive('\n') {
        if end > 0 && begins(line) {
            break;
        }
        end += line.len();
    }
    code.split_at(end)
}

/// The first word, and what is behind it.
pub(crate) fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_at(text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len()))
}

/// The name that a module says it has.
pub(crate) fn named(code: &str) -> Option<&str> {
    let (mut first, mut rest) = word(code);
    if matches!(first, "port" | "effect") {
        (first, rest) = word(rest);
    }
    (first == "module").then(|| name_of_module(rest.trim_start()).0)
}

/// The modules that code imports, in its order.
pub(crate) fn imports(code: &str) -> impl Iterator<Item = &str> {
    let mut rest = code;
    let blocks = std::iter::from_fn(move || {
        let block;
        (block, rest) = next_block(rest);
        (!block.is_empty()).then_some(block)
    });
    let import = |block| match word(block) {
        ("import", import) => Some(name_of_module(import.trim_start()).0),
        _ => None,
    };
    blocks.filter_map(import)
}

/// The name of a module that a text begins with, and what is behind it.
pub(crate) fn name_of_module(text: &str) -> (&str, &str) {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()))
}
