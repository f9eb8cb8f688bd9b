//! Which paths a file holds, read piece by piece: a library with debug information can have a gigabyte.

use std::collections::BTreeMap;
use std::io::{self, Read as _};

use weir_kind::{FileContent, find_path};

/// How much is read at once, in bytes.
const PIECE: usize = 1 << 20;

/// What was found in a file.
#[derive(Debug)]
pub(super) struct Scan {
    /// Whether it is text, of a size that can be rewritten.
    pub(super) is_text: bool,
    /// The paths that it holds, with the offset of the first time.
    pub(super) hits: BTreeMap<String, u64>,
}

impl Scan {
    pub(super) fn has_path(&self, path: &str) -> bool {
        self.hits.contains_key(path)
    }

    pub(super) fn first(&self, path: &str) -> Option<u64> {
        self.hits.get(path).copied()
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &String> {
        self.hits.keys()
    }
}

/// Looks for `paths` in a file. What has a zero byte, or more than `most` bytes, is not text.
pub(super) fn scan(mut file: &mut dyn FileContent, paths: &[&str], most: u64) -> io::Result<Scan> {
    file.rewind()?;
    // A path may begin in one piece and end in the next, or go on in it.
    let overlap = paths.iter().map(|path| path.len()).max().unwrap_or_default() + 1;
    let mut scan = Scan { is_text: true, hits: BTreeMap::new() };
    let mut buffer = Vec::with_capacity(PIECE + overlap);
    let (mut start, mut total) = (0_u64, 0_u64);
    loop {
        let kept = buffer.len();
        let read = (&mut file).take(PIECE as u64).read_to_end(&mut buffer)?;
        total += read as u64;
        let is_end = read < PIECE;
        scan.is_text &= total <= most && memchr::memchr(0, &buffer[kept..]).is_none();
        for path in paths {
            let certain = |at: &usize| is_end || at + path.len() < buffer.len();
            if let Some(at) = find_path(&buffer, path).find(certain) {
                scan.hits.entry((*path).to_owned()).or_insert(start + at as u64);
            }
        }
        if is_end {
            return Ok(scan);
        }
        let gone = buffer.len().saturating_sub(overlap);
        buffer.drain(..gone);
        start += gone as u64;
    }
}
