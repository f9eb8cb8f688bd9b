//! What of a text is comment, and what is text within quotes, by the language that the name of its file tells.
//!
//! It is told apart by how comments and texts begin and end, and by nothing else that a language has: so it is small, knows many languages
//! alike, takes each character once, and can be wrong where a language is strange (a `#` within `${…}`), which costs a colour. No part of the
//! text is lost or changed, whatever it is ([0232](../../../docs/decisions/0232-colours-tell-comments-and-texts.md)).

/// A piece of a text, and the class that its colour goes by; empty where it has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece<'t> {
    pub(crate) class: &'static str,
    pub(crate) text: &'t str,
}

/// How a language writes what is no code.
struct Language {
    line: &'static [&'static str],
    block: Option<(&'static str, &'static str)>,
    /// Whether a block can be inside another.
    nests: bool,
    quotes: &'static [char],
    /// Whether a text within quotes goes on in the next line.
    lines: bool,
}

const SHELL: Language =
    Language { line: &["#"], block: None, nests: false, quotes: &['"', '\''], lines: true };
const TABLES: Language = Language { lines: false, ..SHELL };
const C: Language =
    Language { line: &["//"], block: Some(("/*", "*/")), nests: false, quotes: &['"', '\''], lines: false };
const ELM: Language =
    Language { line: &["--"], block: Some(("{-", "-}")), nests: true, quotes: &['"'], lines: false };
const SCRIPT: Language = Language { quotes: &['"', '\'', '`'], ..C };
const STYLE: Language = Language { line: &[], ..C };
const DOCUMENT: Language =
    Language { line: &[], block: Some(("<!--", "-->")), nests: false, quotes: &[], lines: false };
const JSON: Language = Language { line: &[], block: None, nests: false, quotes: &['"'], lines: false };

fn language(path: &str) -> Option<&'static Language> {
    let name = path.rsplit('/').next().unwrap_or_default();
    Some(match name.rsplit_once('.').map_or(name, |(_, ending)| ending) {
        "sh" | "bash" | "bats" | "ksh" | "zsh" | "Makefile" | "Dockerfile" => &SHELL,
        "py" | "toml" | "yaml" | "yml" | "cmake" | "mk" | "conf" | "cfg" | "rb" | "pl" | "R" => &TABLES,
        "c" | "h" | "cc" | "cpp" | "cxx" | "hh" | "hpp" | "hxx" | "java" | "rs" | "go" | "cedar"
        | "proto" => &C,
        "js" | "mjs" | "ts" => &SCRIPT,
        "elm" | "hs" | "lua" | "sql" => &ELM,
        "css" => &STYLE,
        "html" | "xml" | "svg" => &DOCUMENT,
        "json" | "geojson" => &JSON,
        _ => return None,
    })
}

/// The pieces of the text of the file `path`: together they are the text.
pub(crate) fn pieces<'t>(path: &str, text: &'t str) -> Vec<Piece<'t>> {
    let Some(language) = language(path) else { return vec![Piece { class: "", text }] };
    let mut pieces = Vec::new();
    let (mut plain, mut at) = (0, 0);
    while let Some(character) = text[at..].chars().next() {
        let rest = &text[at..];
        let found = comment(language, &text[..at], rest).map(|length| ("comment", length));
        match found.or_else(|| quoted(language, character, rest).map(|length| ("text", length))) {
            Some((class, length)) => {
                push(&mut pieces, "", &text[plain..at]);
                push(&mut pieces, class, &rest[..length]);
                at += length;
                plain = at;
            }
            None => {
                // What is escaped begins nothing.
                let next = rest.chars().nth(1).filter(|_| character == '\\');
                at += character.len_utf8() + next.map_or(0, char::len_utf8);
            }
        }
    }
    push(&mut pieces, "", &text[plain..]);
    pieces
}

fn push<'t>(pieces: &mut Vec<Piece<'t>>, class: &'static str, text: &'t str) {
    if !text.is_empty() {
        pieces.push(Piece { class, text });
    }
}

/// How long a comment is that begins here.
fn comment(language: &Language, before: &str, rest: &str) -> Option<usize> {
    // A `#` within a word, as in `$#`, begins none.
    let begins_word = before.chars().next_back().is_none_or(|c| c.is_whitespace() || ";({[,|&".contains(c));
    let is_line = |mark: &&str| rest.starts_with(*mark) && (begins_word || **mark != *"#");
    if language.line.iter().any(is_line) {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    let (begin, end) = language.block.filter(|(begin, _)| rest.starts_with(begin))?;
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (1_usize, begin.len());
    while depth > 0 && at < bytes.len() {
        let here = &bytes[at..];
        if here.starts_with(end.as_bytes()) {
            depth -= 1;
            at += end.len();
        } else if language.nests && here.starts_with(begin.as_bytes()) {
            depth += 1;
            at += begin.len();
        } else {
            at += 1;
        }
    }
    // The marks are ASCII: where one ended, a character ended.
    Some(at)
}

/// How long a text within quotes is that begins here; nothing where it does not end.
fn quoted(language: &Language, quote: char, rest: &str) -> Option<usize> {
    if !language.quotes.contains(&quote) {
        return None;
    }
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '\n' if !language.lines => return None,
            character if character == quote => return Some(at + quote.len_utf8()),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::pieces;

    fn told(path: &str, text: &str) -> Vec<String> {
        let pieces = pieces(path, text);
        assert_eq!(pieces.iter().map(|piece| piece.text).collect::<String>(), text, "nothing is lost");
        let coloured = pieces.iter().filter(|piece| !piece.class.is_empty());
        coloured.map(|piece| format!("{} {}", piece.class, piece.text)).collect()
    }

    #[test]
    fn comments_and_texts_are_told_apart_by_the_language_of_a_file() {
        assert_eq!(
            told("src/a.sh", "echo \"a # b\" $# # why\nx='c\nd'\n"),
            ["text \"a # b\"", "comment # why", "text 'c\nd'"]
        );
        assert_eq!(
            told("a.h", "int a; // \"x\"\n/* b\n */ char c = '\\'';"),
            ["comment // \"x\"", "comment /* b\n */", "text '\\''"]
        );
        assert_eq!(
            told("A.elm", "{- a {- b -} c -}\nx = \"y\" -- z"),
            ["comment {- a {- b -} c -}", "text \"y\"", "comment -- z"]
        );
        assert_eq!(told("a.json", "{\"a\": 1}"), ["text \"a\""]);
        assert_eq!(told("README", "it's # nothing"), Vec::<String>::new());
    }

    #[test]
    fn what_does_not_end_is_not_searched_again_and_again() {
        let began = std::time::Instant::now();
        for (path, text) in [
            ("a.c", "/*".repeat(40_000)),
            ("a.elm", "{-".repeat(40_000)),
            ("b.elm", "{-".repeat(20_000) + &"-}".repeat(20_000)),
            ("a.c", "\"\\\n".repeat(20_000)),
        ] {
            told(path, &text);
        }
        told("a.sh", &"\"é".repeat(30_001));
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }
}
