//! Where patterns and here-documents are in a shell text: a scanner that knows quotes, expansions, and what is nested in what.
//!
//! It is asked only about texts that the grammar cannot read, and understands no more of them than it needs. If it is wrong, the text
//! stays unread: what it leads to is used only where more can be read with it.

use std::ops::Range;

/// The longest pattern that is looked at.
const LONGEST: usize = 4096;

/// How deep quotes and expansions in a pattern may be nested.
const DEEPEST: usize = 32;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Patterns of `case`, without their parentheses.
    pub(super) patterns: Vec<Range<usize>>,
    /// In `[[ … ]]`: where an operator is, and what stands right of it.
    pub(super) operands: Vec<(usize, Range<usize>)>,
    /// Here-documents.
    pub(super) documents: Vec<Document>,
    /// Redirections of statements that are nothing but an assignment.
    pub(super) idle_redirections: Vec<Range<usize>>,
}

/// A here-document.
#[derive(Debug)]
pub(super) struct Document {
    /// `<<E`.
    pub(super) head: Range<usize>,
    /// Its lines, the one that ends it included.
    pub(super) body: Range<usize>,
    /// Whether expansions in it are none.
    pub(super) is_literal: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    /// Commands, up to this byte.
    Code(u8),
    Double,
    Braces,
    /// Behind `case`, before its `in`.
    CaseWord,
    CaseBody,
    Test,
}

struct Scanner<'b> {
    bytes: &'b [u8],
    at: usize,
    stack: Vec<In>,
    /// Here-documents of this line: head, delimiter, whether tabs before it count for nothing.
    pending: Vec<(Range<usize>, Vec<u8>, bool, bool)>,
    found: Found,
}

/// Scans a text.
pub(super) fn scan(bytes: &[u8]) -> Found {
    let mut scanner =
        Scanner { bytes, at: 0, stack: Vec::new(), pending: Vec::new(), found: Found::default() };
    while scanner.at < bytes.len() {
        let before = scanner.at;
        match scanner.stack.last() {
            Some(In::Double | In::Braces) => scanner.text(),
            _ => scanner.code(),
        }
        debug_assert!(scanner.at > before, "each step takes something");
    }
    scanner.found
}

impl Scanner<'_> {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    fn is(&self, inside: In) -> bool {
        self.stack.last() == Some(&inside)
    }

    fn begins_word(&self) -> bool {
        self.at == 0 || b" \t\r\n;&|(`".contains(&self.bytes[self.at - 1])
    }

    /// Whether this word stands here.
    fn word(&self, word: &[u8]) -> bool {
        let ends = |byte: Option<&u8>| byte.is_none_or(|byte| b" \t\r\n;&|()".contains(byte));
        self.begins_word() && self.rest().starts_with(word) && ends(self.rest().get(word.len()))
    }

    /// One step in double quotes or in `${…}`.
    fn text(&mut self) {
        let (rest, is_double) = (self.rest(), self.is(In::Double));
        match rest[0] {
            b'\\' => self.at += 2,
            b'"' if is_double => self.pop(1),
            b'"' => self.push(In::Double, 1),
            b'}' if !is_double => self.pop(1),
            b'\'' if !is_double && !self.stack.contains(&In::Double) => self.at = single(self.bytes, self.at),
            _ => self.expansion(),
        }
    }

    /// One step where an expansion may begin.
    fn expansion(&mut self) {
        let rest = self.rest();
        if rest.starts_with(b"$((") {
            self.at = parentheses(self.bytes, self.at + 1);
        } else if rest.starts_with(b"$(") {
            self.push(In::Code(b')'), 2);
        } else if rest.starts_with(b"${") {
            self.push(In::Braces, 2);
        } else if rest[0] == b'`' {
            self.backtick();
        } else {
            self.at += 1;
        }
    }

    fn backtick(&mut self) {
        match self.stack.iter().rposition(|inside| *inside == In::Code(b'`')) {
            Some(open) => {
                self.stack.truncate(open);
                self.at += 1;
            }
            None => self.push(In::Code(b'`'), 1),
        }
    }

    fn push(&mut self, inside: In, length: usize) {
        self.stack.push(inside);
        self.at += length;
    }

    fn pop(&mut self, length: usize) {
        self.stack.pop();
        self.at += length;
    }

    /// One step among commands.
    fn code(&mut self) {
        if self.begins_word() && self.at_word() {
            return;
        }
        let rest = self.rest();
        match rest[0] {
            b'\n' => self.line(),
            b'\\' => self.at += 2,
            b'\'' => self.at = single(self.bytes, self.at),
            b'"' => self.push(In::Double, 1),
            b'$' if rest.starts_with(b"$'") => self.at = ansi(self.bytes, self.at),
            b'(' => self.push(In::Code(b')'), 1),
            b')' if self.is(In::Code(b')')) => self.pop(1),
            b';' if rest.starts_with(b";;") && self.is(In::CaseBody) => {
                self.at += 2;
                self.pattern();
            }
            b';' if rest.starts_with(b";&") && self.is(In::CaseBody) => {
                self.at += 2;
                self.pattern();
            }
            b'<' if rest.starts_with(b"<<<") => self.at += 3,
            b'<' if rest.starts_with(b"<<") && !self.is(In::Test) => self.document(),
            _ => self.expansion(),
        }
    }

    /// What words mean that stand where one begins; says whether one did.
    fn at_word(&mut self) -> bool {
        let is_operator = |scanner: &Self, operator: &[u8]| scanner.is(In::Test) && scanner.word(operator);
        if self.rest()[0] == b'#' {
            self.at += self.rest().iter().take_while(|byte| **byte != b'\n').count();
        } else if self.rest().starts_with(b"((") {
            self.at = parentheses(self.bytes, self.at);
        } else if self.word(b"case") {
            self.push(In::CaseWord, 4);
        } else if self.is(In::CaseWord) && self.word(b"in") {
            self.at += 2;
            self.stack.pop();
            self.stack.push(In::CaseBody);
            self.pattern();
        } else if self.is(In::CaseBody) && self.word(b"esac") {
            self.pop(4);
        } else if self.word(b"[[") {
            self.push(In::Test, 2);
        } else if self.is(In::Test) && self.word(b"]]") {
            self.pop(2);
        } else if let Some(operator) =
            [&b"="[..], b"==", b"!=", b"=~"].into_iter().find(|operator| is_operator(self, operator))
        {
            self.operand(operator.len());
        } else {
            return self.assignment();
        }
        true
    }

    /// `x=1 2>/dev/null`: an assignment with a redirection, and no command.
    fn assignment(&mut self) -> bool {
        let name =
            self.rest().iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let rest = &self.rest()[name..];
        let sign = if rest.starts_with(b"+=") { 2 } else { usize::from(rest.starts_with(b"=")) };
        if name == 0 || sign == 0 || rest.get(sign) == Some(&b'(') {
            return false;
        }
        let value = word_end(self.bytes, self.at + name + sign);
        let blank = |at: usize| self.bytes[at..].iter().take_while(|byte| b" \t".contains(byte)).count();
        let start = value + blank(value);
        let sign = self.bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let sign = start + sign;
        let signs = self.bytes[sign..].iter().take_while(|byte| b"<>&".contains(byte)).count();
        let target = sign + signs + blank(sign + signs);
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
        let end = target + self.bytes[target..].iter().take_while(|byte| is_plain(byte)).count();
        let next = end + blank(end);
        let ends = self.bytes.get(next).is_none_or(|byte| b";|&)\n}".contains(byte));
        if start > value && signs > 0 && self.bytes[sign] == b'>' && end > target && ends {
            self.found.idle_redirections.push(start..end);
            self.at = end;
            return true;
        }
        false
    }

    /// A pattern of `case`: up to the parenthesis that ends it.
    fn pattern(&mut self) {
        loop {
            let rest = self.rest();
            self.at += match rest.first() {
                Some(b' ' | b'\t' | b'\n' | b'\r' | b'&') => 1,
                Some(b'#') => rest.iter().take_while(|byte| **byte != b'\n').count(),
                _ => break,
            };
        }
        if self.word(b"esac") {
            return;
        }
        let start = self.at + usize::from(self.rest().first() == Some(&b'('));
        if let Some(end) = end_of(self.bytes, start, |rest, depth| depth == 0 && rest[0] == b')') {
            self.found.patterns.push(start..end);
            self.at = end + 1;
        }
    }

    /// What stands right of an operator of a test.
    fn operand(&mut self, operator: usize) {
        let at = self.at;
        self.at += operator;
        self.at += self.rest().iter().take_while(|byte| b" \t".contains(byte)).count();
        let ends = |rest: &[u8], depth: usize| {
            let next = rest.trim_ascii_start();
            let is_end = [&b"]]"[..], b"&&", b"||", b")"].iter().any(|end| next.starts_with(end));
            depth == 0 && (rest[0] == b'\n' || is_end && rest[0].is_ascii_whitespace() || rest[0] == b')')
        };
        let start = self.at;
        if let Some(end) = end_of(self.bytes, start, ends).filter(|end| *end > start) {
            self.found.operands.push((at, start..end));
            self.at = end;
        }
    }

    fn document(&mut self) {
        let head = self.at;
        let strip = self.rest().get(2) == Some(&b'-');
        self.at += if strip { 3 } else { 2 };
        self.at += self.rest().iter().take_while(|byte| b" \t".contains(byte)).count();
        let end = word_end(self.bytes, self.at);
        let word = &self.bytes[self.at..end];
        let is_literal = word.iter().any(|byte| b"'\"\\".contains(byte));
        let delimiter: Vec<u8> = word.iter().copied().filter(|byte| !b"'\"\\".contains(byte)).collect();
        self.at = end.max(self.at).max(head + 2);
        if !delimiter.is_empty() {
            self.pending.push((head..self.at, delimiter, strip, is_literal));
        }
    }

    /// The end of a line, behind which the here-documents are that began in it.
    fn line(&mut self) {
        self.at += 1;
        if self.is(In::CaseWord) {
            self.stack.pop();
        }
        for (head, delimiter, strip, is_literal) in std::mem::take(&mut self.pending) {
            let start = self.at;
            while self.at < self.bytes.len() {
                let line: &[u8] = self.rest().split(|byte| *byte == b'\n').next().unwrap_or_default();
                let tabs = if strip { line.iter().take_while(|byte| **byte == b'\t').count() } else { 0 };
                let ends = line[tabs..] == delimiter;
                self.at = self.bytes.len().min(self.at + line.len() + 1);
                if ends {
                    break;
                }
            }
            self.found.documents.push(Document { head, body: start..self.at, is_literal });
        }
    }
}

/// Where something ends that begins at `start`, by what stands outside of quotes and expansions, and how many parentheses are
/// open; `None` where it does not.
fn end_of(bytes: &[u8], start: usize, ends: impl Fn(&[u8], usize) -> bool) -> Option<usize> {
    let (mut at, mut depth) = (start, 0_usize);
    while at < bytes.len().min(start + LONGEST) {
        if ends(&bytes[at..], depth) {
            return Some(at);
        }
        match bytes[at] {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at = part_end(bytes, at, DEEPEST);
    }
    None
}

/// Where the word ends that begins at `at`.
fn word_end(bytes: &[u8], at: usize) -> usize {
    end_of(bytes, at, |rest, _| b" \t\r\n;&|<>()".contains(&rest[0])).unwrap_or(at)
}

/// Where the byte, the quotes or the expansion ends that begins at `at`.
pub(super) fn part_end(bytes: &[u8], at: usize, depth: usize) -> usize {
    let rest = &bytes[at..];
    match rest {
        [b'\\', ..] => at + 2,
        [b'\'', ..] => single(bytes, at),
        [b'$', b'\'', ..] => ansi(bytes, at),
        [b'"', ..] => nested(bytes, at + 1, b'"', depth),
        [b'$', b'{', ..] => nested(bytes, at + 2, b'}', depth),
        [b'$', b'(', ..] => nested(bytes, at + 2, b')', depth),
        [b'`', ..] => nested(bytes, at + 1, b'`', depth),
        _ => at + 1,
    }
    .min(bytes.len())
}

/// Behind the byte that ends what is nested.
fn nested(bytes: &[u8], mut at: usize, end: u8, depth: usize) -> usize {
    let Some(depth) = depth.checked_sub(1) else { return at };
    while at < bytes.len() {
        if bytes[at] == end {
            return at + 1;
        }
        at = match bytes[at] {
            b'\'' if end == b'"' => at + 1,
            b'(' if end == b')' => nested(bytes, at + 1, b')', depth),
            _ => part_end(bytes, at, depth),
        };
    }
    at
}

fn single(bytes: &[u8], at: usize) -> usize {
    bytes[at + 1..].iter().position(|byte| *byte == b'\'').map_or(bytes.len(), |end| at + end + 2)
}

fn ansi(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 2;
    while at < bytes.len() && bytes[at] != b'\'' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    bytes.len().min(at + 1)
}

/// Behind the parenthesis that closes the one at `at`.
fn parentheses(bytes: &[u8], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, byte) in bytes.iter().enumerate().skip(at) {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    bytes.len()
}
