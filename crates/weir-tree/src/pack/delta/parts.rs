//! Large files that are new, told in parts: what the old tree has as well, somewhere in a file, and what travels.
//!
//! A text, one line for each part, file after file in the new tree's order. The parts of a file add up to it.
//!
//! ```text
//! old <entry> <offset> <length>   bytes of a file of the old tree, by the place of its entry in that tree's manifest, from 0
//! new <length>                    bytes that the delta brings
//! ```
//!
//! How parts are found is the affair of whoever [makes](super::shared) the delta: the reader carries them out, and sees by the file's digest
//! whether they were right.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Read;
use std::ops::Range;

use weir_model::Hasher;

use super::change::{contents, is_file};
use crate::TreeError;
use crate::manifest::{Entry, TreeManifest};
use crate::pack::stream::{PackStream, check_digest};

/// New files of more bytes than this are told in parts.
const LARGE: u64 = 16 << 20;

/// The most bytes of the text.
pub(super) const TEXT_BYTES: u64 = 1 << 20;

/// Bytes of a file of the old tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// The number of its entry.
    pub(super) entry: usize,
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl Span {
    fn range(self) -> Range<u64> {
        self.offset..self.offset + self.length
    }
}

/// A part of a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// It is in the old tree.
    Old(Span),
    /// It travels.
    New { length: u64 },
}

/// Of which parts the large files consist that one tree has and another has not.
#[derive(Debug, Clone, Default)]
pub struct DeltaParts {
    /// By the number of the file's entry in the new tree.
    files: BTreeMap<usize, Vec<Part>>,
}

impl DeltaParts {
    pub(super) fn new(files: BTreeMap<usize, Vec<Part>>) -> Self {
        Self { files }
    }

    /// The parts of the file with this number, if it is told in parts.
    pub(super) fn of(&self, entry: usize) -> Option<&[Part]> {
        self.files.get(&entry).map(Vec::as_slice)
    }

    /// The files of the old tree of which parts are taken.
    pub(super) fn taken_from(&self) -> BTreeSet<usize> {
        self.spans().map(|span| span.entry).collect()
    }

    /// What no part takes of the file of the old tree that has this number and size.
    pub(super) fn left_of(&self, entry: usize, size: u64) -> Vec<Range<u64>> {
        let mut taken: Vec<_> = self.spans().filter(|span| span.entry == entry).map(Span::range).collect();
        taken.sort_unstable_by_key(|range| range.start);
        let (mut left, mut at) = (Vec::new(), 0);
        for range in taken {
            left.push(at..range.start.max(at));
            at = at.max(range.end);
        }
        left.push(at..size);
        left.retain(|range| !range.is_empty());
        left
    }

    fn spans(&self) -> impl Iterator<Item = Span> {
        self.files.values().flatten().filter_map(|part| match part {
            Part::Old(span) => Some(*span),
            Part::New { .. } => None,
        })
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        for part in self.files.values().flatten() {
            // Writing to a string does not fail.
            let _ = match part {
                Part::Old(Span { entry, offset, length }) => {
                    writeln!(text, "old {entry} {offset} {length}")
                }
                Part::New { length } => writeln!(text, "new {length}"),
            };
        }
        text
    }

    /// Reads the parts of the files that are large in `next` and not in `base`. Nothing if they are not those.
    pub(super) fn parse(text: &[u8], base: &TreeManifest, next: &TreeManifest) -> Option<Self> {
        let mut lines = str::from_utf8(text).ok()?.split_terminator('\n');
        let mut files = BTreeMap::new();
        for number in large(next, base) {
            let mut left = next.entries()[number].size;
            let mut parts = Vec::new();
            while left > 0 {
                let part = Part::parse(lines.next()?, base)?;
                left = left.checked_sub(part.length()).filter(|_| part.length() > 0)?;
                parts.push(part);
            }
            files.insert(number, parts);
        }
        lines.next().is_none().then_some(Self { files })
    }
}

impl Part {
    /// How many bytes of it the delta brings.
    pub(super) fn travels(&self) -> u64 {
        match self {
            Self::Old(_) => 0,
            Self::New { length } => *length,
        }
    }

    fn length(self) -> u64 {
        match self {
            Self::Old(span) => span.length,
            Self::New { length } => length,
        }
    }

    fn parse(line: &str, base: &TreeManifest) -> Option<Self> {
        let mut words = line.split(' ');
        let what = words.next()?;
        let mut number = || words.next()?.parse::<u64>().ok();
        let part = match what {
            "new" => Self::New { length: number()? },
            "old" => {
                let (entry, offset, length) = (usize::try_from(number()?).ok()?, number()?, number()?);
                let old = base.entries().get(entry).filter(|entry| is_file(entry))?;
                offset.checked_add(length).filter(|end| *end <= old.size)?;
                Self::Old(Span { entry, offset, length })
            }
            _ => return None,
        };
        words.next().is_none().then_some(part)
    }
}

/// The large files of `tree` that `other` does not have, by their numbers.
pub(super) fn large(tree: &TreeManifest, other: &TreeManifest) -> Vec<usize> {
    let known = contents(other);
    let is_large = |entry: &Entry| is_file(entry) && entry.size > LARGE && !known.contains(&entry.digest);
    let entries = tree.entries().iter().enumerate();
    entries.filter(|(_, entry)| is_large(entry)).map(|(number, _)| number).collect()
}

/// Whoever takes bytes as they come.
pub(super) type Take<'t> = dyn FnMut(&[u8]) -> Result<(), TreeError> + 't;

/// Gives the content of the new file `entry`, which is told in `parts`, to `take`, and checks its digest at the end. `old` reads what is in the old tree.
pub(super) fn content_in_parts<R: Read>(
    stream: &mut PackStream<'_, R>,
    entry: &Entry,
    parts: &[Part],
    mut old: impl FnMut(&Span, &mut Take<'_>) -> Result<(), TreeError>,
    mut take: impl FnMut(&[u8]) -> Result<(), TreeError>,
) -> Result<(), TreeError> {
    let mut hasher = Hasher::new();
    let mut hashed = |piece: &[u8]| {
        hasher.update(piece);
        take(piece)
    };
    for part in parts {
        match part {
            Part::Old(span) => old(span, &mut hashed)?,
            Part::New { length } => stream.next(*length, &mut hashed)?,
        }
    }
    check_digest(entry, hasher.finish())
}

/// Lets through those bytes of a content that comes in pieces that lie in some ranges.
pub(super) struct Sieve<'r> {
    /// In order, apart from one another; without those that were passed.
    ranges: &'r [Range<u64>],
    at: u64,
}

impl<'r> Sieve<'r> {
    pub(super) fn new(ranges: &'r [Range<u64>]) -> Self {
        Self { ranges, at: 0 }
    }

    /// Gives what of the next `piece` is in the ranges to `take`.
    pub(super) fn pass(
        &mut self,
        piece: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), TreeError>,
    ) -> Result<(), TreeError> {
        let (start, end) = (self.at, self.at + piece.len() as u64);
        self.at = end;
        let within = |at: u64| usize::try_from(at.clamp(start, end) - start).unwrap_or(piece.len());
        while let Some((range, behind)) = self.ranges.split_first().filter(|(range, _)| range.start < end) {
            take(&piece[within(range.start)..within(range.end)])?;
            if range.end > end {
                break;
            }
            self.ranges = behind;
        }
        Ok(())
    }
}
