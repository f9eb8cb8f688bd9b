//! The text a shell word stands for, each byte knowing where in the file it came from.
//!
//! Quotes and escapes are gone, expansions are one *opaque* byte each. A word of code that is
//! itself inside a string (`eval "core.x \"\$1\""`) is decoded twice, and still knows its place in the file.
//! A change of a name is always an insertion of identifier characters at one place,
//! which is safe under any quoting, so decoding never has to be undone.

use std::ops::Range;

use tree_sitter::Node;

/// What stands for an expansion in a decoded text: a character that may be part of any word.
const PLACEHOLDER: u8 = b'Q';

/// Where one decoded byte came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BytePlace {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The byte stands for an expansion: its text is not known.
    pub(crate) opaque: bool,
}

#[derive(Debug, Clone)]
enum BytePlaces {
    /// Byte `i` came from offset `start + i`.
    Contiguous(u32),
    Mapped(Vec<BytePlace>),
}

/// A decoded text.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) bytes: Vec<u8>,
    origins: BytePlaces,
}

impl Text {
    /// A whole file.
    pub(crate) fn file(bytes: Vec<u8>) -> Self {
        Self { bytes, origins: BytePlaces::Contiguous(0) }
    }

    pub(crate) fn origin(&self, index: usize) -> BytePlace {
        match &self.origins {
            BytePlaces::Contiguous(start) => {
                let start = start + index as u32;
                BytePlace { start, end: start + 1, opaque: false }
            }
            BytePlaces::Mapped(origins) => origins[index],
        }
    }

    /// Where in the file this text begins.
    pub(crate) fn start(&self) -> u32 {
        if self.bytes.is_empty() {
            return match &self.origins {
                BytePlaces::Contiguous(start) => *start,
                BytePlaces::Mapped(_) => 0,
            };
        }
        self.origin(0).start
    }

    /// The place in the file before byte `at`, or after the last.
    pub(crate) fn before(&self, at: usize) -> u32 {
        if at == 0 { self.start() } else { self.origin(at - 1).end }
    }

    /// How many bytes at its beginning are known.
    pub(crate) fn known(&self) -> usize {
        match &self.origins {
            BytePlaces::Contiguous(_) => self.bytes.len(),
            BytePlaces::Mapped(origins) => origins.iter().take_while(|origin| !origin.opaque).count(),
        }
    }

    /// Whether all of it is known.
    pub(crate) fn is_known(&self) -> bool {
        self.known() == self.bytes.len()
    }

    pub(crate) fn slice(&self, range: Range<usize>) -> Self {
        let bytes = self.bytes[range.clone()].to_vec();
        let origins = match &self.origins {
            BytePlaces::Contiguous(start) => BytePlaces::Contiguous(start + range.start as u32),
            BytePlaces::Mapped(origins) => BytePlaces::Mapped(origins[range].to_vec()),
        };
        Self { bytes, origins }
    }

    /// Bytes that are nowhere in the file, for use before byte `at` of this text.
    pub(crate) fn glue(&self, bytes: &[u8], at: usize) -> Self {
        let place = self.before(at);
        let origin = BytePlace { start: place, end: place, opaque: false };
        Self { bytes: bytes.to_vec(), origins: BytePlaces::Mapped(vec![origin; bytes.len()]) }
    }

    /// Texts one after the other.
    pub(crate) fn concat(texts: &[Self]) -> Self {
        let bytes = texts.iter().flat_map(|text| text.bytes.iter().copied()).collect();
        let origins =
            texts.iter().flat_map(|text| (0..text.bytes.len()).map(|index| text.origin(index))).collect();
        Self { bytes, origins: BytePlaces::Mapped(origins) }
    }

    /// The text with something else in all places of this: none of that is known.
    pub(crate) fn with_holes(&self, hole: &[u8]) -> Self {
        let mut pieces = Vec::new();
        let mut from = 0;
        for at in memchr::memmem::find_iter(&self.bytes, hole) {
            let place =
                BytePlace { start: self.origin(at).start, end: self.before(at + hole.len()), opaque: true };
            pieces.push(self.slice(from..at));
            pieces.push(Self { bytes: vec![PLACEHOLDER], origins: BytePlaces::Mapped(vec![place]) });
            from = at + hole.len();
        }
        if pieces.is_empty() {
            return self.clone();
        }
        pieces.push(self.slice(from..self.bytes.len()));
        Self::concat(&pieces)
    }

    /// The words of several arguments as one text, as `eval` joins them.
    pub(crate) fn join(texts: &[Self]) -> Self {
        if let [one] = texts {
            return one.clone();
        }
        let mut bytes = Vec::new();
        let mut origins = Vec::new();
        for text in texts {
            if let Some(last) = origins.last().copied() {
                let BytePlace { end, .. } = last;
                bytes.push(b' ');
                origins.push(BytePlace { start: end, end, opaque: false });
            }
            bytes.extend_from_slice(&text.bytes);
            origins.extend((0..text.bytes.len()).map(|index| text.origin(index)));
        }
        Self { bytes, origins: BytePlaces::Mapped(origins) }
    }
}

/// The text a word of `document` stands for.
pub(crate) fn decode(node: Node<'_>, document: &Text) -> Text {
    let mut decoder = Decoder::new(document, node.start_byte());
    let mut rest = vec![node];
    while let Some(node) = rest.pop() {
        let range = node.byte_range();
        match node.kind() {
            "word" | "number" | "variable_name" | "extglob_pattern" | "regex" | "string_content" => {
                decoder.escaped(range, |_| true);
            }
            "raw_string" => decoder.plain(range.start + 1..range.end.saturating_sub(1)),
            "ansi_c_string" => decoder.ansi_c(range.start + 2..range.end.saturating_sub(1)),
            "string" => {
                decoder.with_expansions(node, range.start + 1..range.end.saturating_sub(1), b"\"$`\\\n");
            }
            "heredoc_body" => decoder.with_expansions(node, range, b"$`\\\n"),
            "concatenation" | "translated_string" | "command_name" => {
                let from = rest.len();
                rest.extend(node.children(&mut node.walk()));
                rest[from..].reverse();
            }
            "$" if node.end_byte() < document.bytes.len() && document.bytes[node.end_byte()] == b'"' => {}
            "simple_expansion" => decoder.expansion(range),
            _ if node.is_named() => decoder.opaque(range),
            _ => decoder.plain(range),
        }
    }
    decoder.finish()
}

/// The body of a here-document whose delimiter is quoted: nothing in it is special.
pub(crate) fn decode_raw(range: Range<usize>, document: &Text) -> Text {
    let mut decoder = Decoder::new(document, range.start);
    decoder.plain(range);
    decoder.finish()
}

struct Decoder<'a> {
    document: &'a Text,
    text: Text,
}

impl<'a> Decoder<'a> {
    fn new(document: &'a Text, start: usize) -> Self {
        let at =
            if start < document.bytes.len() { document.origin(start).start } else { document.before(start) };
        Self { document, text: Text { bytes: Vec::new(), origins: BytePlaces::Contiguous(at) } }
    }

    fn finish(self) -> Text {
        self.text
    }

    fn push(&mut self, byte: u8, from: Range<usize>, opaque: bool) {
        let (first, last) = (self.document.origin(from.start), self.document.origin(from.end - 1));
        let origin = BytePlace { start: first.start, end: last.end, opaque: opaque || first.opaque };
        let length = self.text.bytes.len() as u32;
        if let BytePlaces::Contiguous(start) = &mut self.text.origins {
            if length == 0 && origin.end == origin.start + 1 && !origin.opaque {
                *start = origin.start;
            } else if origin.start != *start + length || origin.end != origin.start + 1 || origin.opaque {
                let start = *start;
                let origins =
                    (start..start + length).map(|at| BytePlace { start: at, end: at + 1, opaque: false });
                self.text.origins = BytePlaces::Mapped(origins.collect());
            }
        }
        if let BytePlaces::Mapped(origins) = &mut self.text.origins {
            origins.push(origin);
        }
        self.text.bytes.push(byte);
    }

    fn plain(&mut self, range: Range<usize>) {
        for at in range {
            self.push(self.document.bytes[at], at..at + 1, false);
        }
    }

    fn opaque(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.push(PLACEHOLDER, range, true);
        }
    }

    /// An expansion. Of `$1_x` only `$1` is one, whatever the grammar says.
    fn expansion(&mut self, range: Range<usize>) {
        let of_digit = range.len() > 2
            && self.document.bytes[range.start] == b'$'
            && self.document.bytes[range.start + 1].is_ascii_digit();
        let end = if of_digit { range.start + 2 } else { range.end };
        self.opaque(range.start..end);
        self.plain(end..range.end);
    }

    /// Backslash escapes: those before a byte that `special` holds for; a continued line vanishes.
    fn escaped(&mut self, range: Range<usize>, special: impl Fn(u8) -> bool) {
        let mut at = range.start;
        while at < range.end {
            let byte = self.document.bytes[at];
            let next = (at + 1 < range.end).then(|| self.document.bytes[at + 1]);
            match next {
                Some(b'\n') if byte == b'\\' => at += 2,
                Some(next) if byte == b'\\' && special(next) => {
                    self.push(next, at..at + 2, false);
                    at += 2;
                }
                _ => {
                    self.push(byte, at..at + 1, false);
                    at += 1;
                }
            }
        }
    }

    /// A double-quoted string or a here-document: expansions are opaque.
    fn with_expansions(&mut self, node: Node<'_>, range: Range<usize>, special: &[u8]) {
        let mut at = range.start;
        for child in node.named_children(&mut node.walk()) {
            if matches!(child.kind(), "string_content" | "heredoc_content") {
                continue;
            }
            let child = child.byte_range();
            if child.start >= at && child.end <= range.end {
                self.escaped(at..child.start, |byte| special.contains(&byte));
                at = child.end;
                self.expansion(child);
            }
        }
        self.escaped(at..range.end.max(at), |byte| special.contains(&byte));
    }

    /// `$'…'`: an escape of any length is one byte; what it stands for only matters if it is plain.
    fn ansi_c(&mut self, range: Range<usize>) {
        let mut at = range.start;
        while at < range.end {
            let rest = &self.document.bytes[at..range.end];
            let (byte, length) = match rest {
                [b'\\', b'x', digits @ ..] => (b'\x01', 2 + digits_of(digits, 2, 16)),
                [b'\\', b'u', digits @ ..] => (b'\x01', 2 + digits_of(digits, 4, 16)),
                [b'\\', b'U', digits @ ..] => (b'\x01', 2 + digits_of(digits, 8, 16)),
                [b'\\', digits @ ..] if digits_of(digits, 3, 8) > 0 => (b'\x01', 1 + digits_of(digits, 3, 8)),
                [b'\\', b'n', ..] => (b'\n', 2),
                [b'\\', b't', ..] => (b'\t', 2),
                [b'\\', b'c', _, ..] => (b'\x01', 3),
                [b'\\', other, ..] if other.is_ascii_alphabetic() => (b'\x01', 2),
                [b'\\', other, ..] => (*other, 2),
                _ => (rest[0], 1),
            };
            self.push(byte, at..at + length, false);
            at += length;
        }
    }
}

fn digits_of(bytes: &[u8], most: usize, radix: u32) -> usize {
    bytes.iter().take(most).take_while(|byte| char::from(**byte).is_digit(radix)).count()
}
