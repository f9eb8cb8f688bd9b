//! The text of a tree manifest, and reading it back.

use std::fmt::Write as _;

use weir_model::Digest;

use super::{Entry, ManifestError, Mode};
use crate::path::{PathError, TreePath};

const HEADER: &str = "weir-tree v1\n";

/// The shortest line: mode, size, digest and path of one character each, with spaces and the end.
const SHORTEST_LINE: usize = 1 + 1 + 1 + 1 + 64 + 1 + 1 + 1;

pub(super) fn print(entries: &[Entry]) -> String {
    let mut text = String::with_capacity(HEADER.len() + entries.len() * (SHORTEST_LINE + 40));
    text.push_str(HEADER);
    for entry in entries {
        let (mode, size, digest, path) =
            (entry.mode.letter(), entry.size, entry.digest.to_hex(), &entry.path);
        let written = writeln!(text, "{mode} {size} {digest} {path}");
        written.expect("writing to a string cannot fail");
    }
    text
}

pub(super) fn parse(text: &[u8]) -> Result<Vec<Entry>, ManifestError> {
    let lines = text.strip_prefix(HEADER.as_bytes()).ok_or_else(|| bad_header(text))?;
    let mut entries = Vec::with_capacity(lines.len() / (SHORTEST_LINE + 20));
    for (index, line) in lines.split_inclusive(|&byte| byte == b'\n').enumerate() {
        entries.push(parse_line(index + 2, line)?);
    }
    Ok(entries)
}

fn bad_header(text: &[u8]) -> ManifestError {
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    match line.strip_prefix(b"weir-tree v") {
        Some(version)
            if line.len() < 40 && version != b"1" && version.first().is_some_and(u8::is_ascii_digit) =>
        {
            ManifestError::Newer { version: String::from_utf8_lossy(version).into_owned() }
        }
        _ => ManifestError::NotAManifest,
    }
}

fn parse_line(number: usize, line: &[u8]) -> Result<Entry, ManifestError> {
    let wrong = |what| ManifestError::Line { line: number, what };
    let line = line.strip_suffix(b"\n").ok_or_else(|| wrong("no end"))?;
    let mut fields = line.splitn(4, |&byte| byte == b' ');
    let mut field = || fields.next().unwrap_or_default();
    let (mode, size, digest, path) = (field(), field(), field(), field());
    let mode = match mode {
        b"f" => Mode::File,
        b"x" => Mode::Executable,
        b"l" => Mode::Link,
        _ => return Err(wrong("a mode that is not `f`, `x` or `l`")),
    };
    let size = number_of(size).ok_or_else(|| wrong("a size that is not a plain number"))?;
    let digest = str::from_utf8(digest).ok().and_then(|hex| Digest::from_hex(hex).ok());
    let digest = digest.ok_or_else(|| wrong("a digest that is not 64 lower-case hex digits"))?;
    let text = str::from_utf8(path).map_err(|_| PathError::not_utf8(path));
    let path = text.and_then(TreePath::new).map_err(|source| ManifestError::Path { line: number, source })?;
    Ok(Entry { mode, size, digest, path })
}

/// Reads a number in its one spelling: digits, and no zero in front.
fn number_of(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || (digits.len() > 1 && digits[0] == b'0') {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}
