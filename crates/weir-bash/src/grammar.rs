//! Parsing shell text with the tree-sitter grammar for Bash.
//!
//! The grammar recovers from what it cannot read: the tree is always whole, and the places it
//! did not understand are `ERROR` and missing nodes ([`first_error`]). Some of them are valid Bash
//! that the grammar does not know, so a file with an error is one that is left alone ([`read`]), not one that is refused.
//!
//! Text is hostile: its size and the effort spent on it are bounded, and trees are walked with
//! a cursor, never by recursion, whatever their depth.

mod help;
mod scan;

use std::ops::ControlFlow;

use tree_sitter::{Node, ParseOptions, Parser, Tree};

/// The largest file that is parsed, in bytes.
pub const MAX_BYTES: usize = 16 << 20;

/// The most levels of a tree that is looked at. A list `a && b && c` is as deep as it is long; no file that people keep comes
/// near it, and rules that look at what is around a place may take as long as it is deep.
pub const MAX_DEPTH: u32 = 1_000;

/// Why a file could not be parsed at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrammarError {
    /// It is larger than [`MAX_BYTES`].
    #[error("the file has {bytes} bytes: more than {MAX_BYTES} are not parsed")]
    TooLarge {
        /// The file's size.
        bytes: usize,
    },
    /// It holds a zero byte, so it is not shell text.
    #[error("the file is not text: byte {offset} is zero")]
    NotText {
        /// Where the first zero byte is.
        offset: usize,
    },
    /// The parser spent more steps on it than any honest file takes.
    #[error("the file is too tangled to parse: gave up at byte {offset}")]
    TooTangled {
        /// How far the parser came.
        offset: usize,
    },
    /// What stands in it is nested, or chained, more than [`MAX_DEPTH`] times.
    #[error("the file is nested or chained more than {MAX_DEPTH} levels deep at byte {offset}")]
    TooDeep {
        /// Where that is first so.
        offset: usize,
    },
}

/// A place that the grammar could not read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SyntaxError {
    /// Line, from 1.
    pub line: u32,
    /// Column in bytes, from 1.
    pub column: u32,
    /// The offset of its first byte.
    pub start: u32,
    /// The offset after its last byte.
    pub end: u32,
    /// What stands there, cut to a printable length.
    pub text: String,
}

/// Parses shell text.
pub fn parse(bytes: &[u8]) -> Result<Tree, GrammarError> {
    if bytes.len() > MAX_BYTES {
        return Err(GrammarError::TooLarge { bytes: bytes.len() });
    }
    if let Some(offset) = bytes.iter().position(|&byte| byte == 0) {
        return Err(GrammarError::NotText { offset });
    }
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_bash::LANGUAGE.into())
        .expect("the grammar is generated for this version of the library: a test parses with it");
    // The parser calls back every hundred steps; plain text takes about one step a byte.
    let mut budget = 20_000 + bytes.len() / 4;
    let mut reached = 0;
    let mut progress = |state: &tree_sitter::ParseState| {
        reached = state.current_byte_offset();
        budget = budget.saturating_sub(1);
        if budget == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut read = |offset: usize, _| bytes.get(offset..).unwrap_or_default();
    let options = ParseOptions::new().progress_callback(&mut progress);
    let tree = parser.parse_with_options(&mut read, None, Some(options));
    let tree = tree.ok_or(GrammarError::TooTangled { offset: reached })?;
    match too_deep(&tree) {
        Some(offset) => Err(GrammarError::TooDeep { offset }),
        None => Ok(tree),
    }
}

/// Where a tree is first deeper than [`MAX_DEPTH`].
fn too_deep(tree: &Tree) -> Option<usize> {
    let mut cursor = tree.walk();
    let mut depth = 0;
    loop {
        if cursor.goto_first_child() {
            depth += 1;
            if depth > MAX_DEPTH {
                return Some(cursor.node().start_byte());
            }
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return None;
            }
            depth -= 1;
        }
    }
}

/// Why a text could not be read whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// It could not be parsed at all.
    #[error(transparent)]
    Unparsed(#[from] GrammarError),
    /// There are places that the grammar does not know: the first one.
    #[error("{}", .0.text)]
    Syntax(SyntaxError),
}

impl Unread {
    /// The offset of the first place that could not be read.
    pub fn start(&self) -> u32 {
        match self {
            Self::Unparsed(GrammarError::TooLarge { .. }) => 0,
            Self::Unparsed(
                GrammarError::NotText { offset }
                | GrammarError::TooTangled { offset }
                | GrammarError::TooDeep { offset },
            ) => number(*offset),
            Self::Syntax(error) => error.start,
        }
    }
}

/// Reads shell text whole, with the same help as [`parse_helped`].
///
/// # Errors
///
/// When it cannot be parsed, or there is a place in it that the grammar does not know.
pub fn read(bytes: Vec<u8>) -> Result<Parsed, Unread> {
    let parsed = parse_helped(bytes)?;
    match first_error(&parsed.tree, &parsed.bytes) {
        Some(error) => Err(Unread::Syntax(error)),
        None => Ok(parsed),
    }
}

/// A tree, and the text it is of: the same length as what was given, and different only where the grammar needed help.
#[derive(Debug)]
pub struct Parsed {
    /// The tree.
    pub tree: Tree,
    /// The text that was parsed.
    pub bytes: Vec<u8>,
}

/// Parses shell text; what the grammar does not know of Bash is first replaced, byte for byte, by an equivalent
/// that it does, if the text cannot be read without.
///
/// What is replaced is in `grammar/help.rs`.
pub fn parse_helped(mut bytes: Vec<u8>) -> Result<Parsed, GrammarError> {
    help::coprocesses(&mut bytes);
    let tree = parse(&bytes)?;
    if !tree.root_node().has_error() {
        return Ok(Parsed { tree, bytes });
    }
    let mut best = (broken_bytes(&tree), Parsed { tree, bytes: bytes.clone() });
    for documents in [help::Documents::Kept, help::Documents::Blanked] {
        let helped = help::help(&bytes, documents);
        let tree = parse(&helped)?;
        let broken = broken_bytes(&tree);
        if broken < best.0 {
            best = (broken, Parsed { tree, bytes: helped });
        }
        if broken == 0 {
            break;
        }
    }
    Ok(best.1)
}

/// Whether a place is behind a `((` on its line that is not closed yet, by the look of the text.
pub(crate) fn in_arithmetic(bytes: &[u8], at: usize) -> bool {
    const FARTHEST: usize = 512;
    let before = &bytes[at.saturating_sub(FARTHEST)..at];
    let line = before.iter().rposition(|byte| *byte == b'\n').map_or(before, |end| &before[end + 1..]);
    let last = |sign: &[u8]| line.windows(2).rposition(|pair| pair == sign);
    last(b"((").is_some_and(|open| last(b"))").is_none_or(|close| close < open))
}

/// How much of a text its tree could not read.
fn broken_bytes(tree: &Tree) -> usize {
    let mut cursor = tree.walk();
    let mut broken = 0;
    loop {
        let node = cursor.node();
        if node.is_error() || node.is_missing() {
            broken += node.byte_range().len() + 1;
        } else if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return broken;
            }
        }
    }
}

/// What stands for `@test "…"`: a name that no package has.
const MASKED: &[u8] = b"__at__()";

/// The form of a Bats file that the grammar can read: the same length, with every line `@test "…" {`
/// turned into the head of a function. Other text comes back as it is.
pub fn mask_bats(bytes: &[u8]) -> Vec<u8> {
    let mut masked = bytes.to_vec();
    let mut start = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let text = line.trim_ascii_end();
        let indent = text.len() - text.trim_ascii_start().len();
        let shortest = MASKED.len() + 1;
        if text[indent..].starts_with(b"@test ") && text.ends_with(b"{") && text.len() - indent >= shortest {
            let head = &mut masked[start + indent..start + text.len()];
            head.fill(b' ');
            head[..MASKED.len()].copy_from_slice(MASKED);
            head[text.len() - indent - 1] = b'{';
        }
        start += line.len();
    }
    masked
}

/// The first place in a tree that the grammar could not read.
pub fn first_error(tree: &Tree, bytes: &[u8]) -> Option<SyntaxError> {
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        if node.is_error() || node.is_missing() {
            return Some(syntax_error(node, bytes));
        }
        if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return None;
            }
        }
    }
}

/// Where an error node stops being statements that could be read.
fn first_broken<'t>(node: Node<'t>) -> Node<'t> {
    let readable = |child: &Node<'t>| child.is_named() && !child.has_error() && child.kind() != "word";
    node.children(&mut node.walk()).find(|child| !readable(child) && !child.is_extra()).unwrap_or(node)
}

fn syntax_error(node: Node<'_>, bytes: &[u8]) -> SyntaxError {
    let node = first_broken(node);
    let range = node.byte_range();
    let text = String::from_utf8_lossy(bytes.get(range.clone()).unwrap_or_default());
    let text = if node.is_missing() { format!("missing `{}`", node.kind()) } else { text.into_owned() };
    SyntaxError {
        line: number(node.start_position().row + 1),
        column: number(node.start_position().column + 1),
        start: number(range.start),
        end: number(range.end),
        text: text.lines().next().unwrap_or_default().chars().take(80).collect(),
    }
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Where in a file something is: turns byte offsets into lines and columns.
#[derive(Debug)]
pub struct Lines {
    starts: Vec<u32>,
}

impl Lines {
    /// Finds the lines of a text.
    pub fn new(bytes: &[u8]) -> Self {
        let after = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(i, _)| number(i + 1));
        Self { starts: std::iter::once(0).chain(after).collect() }
    }

    /// Line and column of an offset, both from 1, the column in bytes.
    pub fn locate(&self, offset: u32) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        (number(line), offset - self.starts[line - 1] + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::{GrammarError, Lines, first_error, mask_bats, parse, parse_helped};

    #[test]
    fn a_syntax_error_is_told_with_line_and_column() {
        let text = b"ok() { :; }\nif then fi )\n";
        assert_eq!(first_error(&parse(text).unwrap(), text).unwrap().line, 2);
        assert_eq!(first_error(&parse(b"a() { b; }\n").unwrap(), b""), None);
    }

    #[test]
    fn binaries_and_giants_are_refused() {
        assert_eq!(parse(b"\x7fELF\0").unwrap_err(), GrammarError::NotText { offset: 4 });
        let giant = vec![b'a'; super::MAX_BYTES + 1];
        assert!(matches!(parse(&giant), Err(GrammarError::TooLarge { .. })));
    }

    #[test]
    fn depth_does_not_overflow_the_stack() {
        let text = [b"$(".repeat(100_000), b")".repeat(100_000)].concat();
        if let Ok(tree) = parse(&text) {
            first_error(&tree, &text);
        }
    }

    #[test]
    fn a_bats_test_reads_as_a_function_of_the_same_length() {
        let text = b"@test \"a b\" {\n\ttrue\n}\n";
        let masked = mask_bats(text);
        assert_eq!(masked.len(), text.len());
        assert_eq!(first_error(&parse(&masked).unwrap(), &masked), None);
    }

    #[test]
    fn gaps_of_the_grammar_are_closed_without_moving_a_byte() {
        for text in [
            "f() {\n\tfor a; do case $a in x) ;; esac done; unset a\n}\n",
            "f() {\n\tlocal a=\"${b##*[}\"; a=\"${a%%]*}\"\n\tlocal c=\"${b##*<}\"; c=\"${c%%>*}\"\n}\n",
            "f() {\n\tif ((c)); then\n\t\t((n<i?(b=n,e=i):(b=i,e=n)))\n\tfi\n}\n",
            "f() {\n\tcat <<'EOF'; g\n$x\nEOF\n\tcat <<-EOF; h\n$x\n\tEOF\n}\n",
            "f() {\n\techo \"${x:$i:1}\" \"${x:$i}\" \"${x:1:$i}\"\n}\n",
            "f() {\n\tfor x do\n\t\techo \"$x\"\n\tdone\n}\n",
            "f() {\n\techo $((10#$x)) $((8#${y}))\n}\n",
            "f() {\n\tif [ a \\> b ] && [ \"$2\" = - ]; then :; fi\n}\n",
            "f() {\n\tx=\"${o:+${o};}1\" y=\"${REPLY:+ ($REPLY) }\" z=\"${P:+$P; }true\"\n}\n",
            "f() {\n\tx=${1//&/\\&amp;}\n}\n",
            "f() {\n\tcase $x in (*\\]) ;; esac; x=${x%\\]}\n}\n",
            "f() {\n\tif ! (( A[0] >= 5 || (B[0] >= 4 && C) )); then exit; fi\n}\n",
            "f() {\n\tcase $x in *\"$n\"$'\\n'*) ;; *\": line \"[0-9]*) ;; esac\n}\n",
            "f() {\n\tcase $x in @(a|b)) ;; *.@(x|y)) ;; ([!${T}]*) ;; (*${L}$1:*) ;; esac\n}\n",
            "f() {\n\tif [[ $c = -* && $b != exec ]]; then :; fi\n}\n",
            "f() {\n\t[[ $l == *'b'*big*@(no|off)* || $w == [\"$b\"]* ]]\n}\n",
            "f() {\n\t{ read -r x; } <<<\"$r\"\n\tcat >a <<<\"x\"\n}\n",
            "f() {\n\tx=-1 2>/dev/null || true\n\tif s+=\"c\" 2> /dev/null; then :; fi\n}\n",
            "f() {\n\techo \"${a[@]:$i}\" \"${a[1]:$l:1}\" \"${a[@]:1:$i+0}\"\n}\n",
            "f() {\n\tif cat <<E; then\na $x\nE\n\t\t:\n\tfi\n}\n",
            "f() {\n\tcat <<A - <<B\na\nA\nb\nB\n}\n",
            "f() {\n\tfor i do printf %s \"$i\"; done\n}\n",
            "f() {\n\tgrep foo$; exec {fd}<>\"$T\"\n}\n",
            "f() {(\n\tx=\")\" y=')' z=$(g \\); (a))\n)}\n{(f)} | g\n",
            "f() {\n\to=${o//'\"'/\\&quot;} p=${p//${s}\\/${c}/x}\n}\n",
        ] {
            assert!(parse(text.as_bytes()).unwrap().root_node().has_error(), "no gap: {text}");
            let parsed = parse_helped(text.as_bytes().to_vec()).unwrap();
            assert!(!parsed.tree.root_node().has_error(), "{}", parsed.tree.root_node().to_sexp());
            assert_eq!(parsed.bytes.len(), text.len());
        }
    }

    #[test]
    fn offsets_become_lines_and_columns() {
        let lines = Lines::new(b"ab\ncd");
        assert_eq!((lines.locate(0), lines.locate(2), lines.locate(4)), ((1, 1), (1, 3), (2, 2)));
    }
}
