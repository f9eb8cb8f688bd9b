//! Finding the parts that large files have in common, by cutting them where their content says.
//!
//! What was cut the same way in both is in both: [FastCDC 2020](https://ieeexplore.ieee.org/document/9055082), 16 KiB to 256 KiB, 64 KiB on average.
//! No reader depends on where the cuts are.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use fastcdc::v2020::FastCDC;
use weir_model::{ChunkDigest, Digest};

use super::parts::{DeltaParts, Part, Span, TEXT_BYTES, large};
use crate::TreeError;
use crate::pack::PackFiles;

/// Bytes of a chunk: least, on average, most.
const CHUNK: (usize, usize, usize) = (16 << 10, 64 << 10, 256 << 10);

/// How much is cut at once.
const BUFFER_BYTES: usize = 16 * CHUNK.2;

impl DeltaParts {
    /// Finds the parts of the large files that only the tree in the pack `to` has. Both packs are read up to the last of their large files, and must be opened
    /// again for [`write_delta`](super::write_delta). Nothing is given where the parts are too many for a delta.
    ///
    /// # Errors
    ///
    /// When a pack is damaged.
    pub fn between<A: Read, B: Read>(
        from: &mut PackFiles<A>,
        to: &mut PackFiles<B>,
    ) -> Result<Option<Self>, TreeError> {
        let (gone, new) = (large(from.manifest(), to.manifest()), large(to.manifest(), from.manifest()));
        if new.is_empty() {
            return Ok(Some(Self::default()));
        }
        let mut known: HashMap<ChunkDigest, Span> = HashMap::new();
        for entry in gone {
            cut(from, entry, |offset, chunk| {
                let span = Span { entry, offset, length: chunk.len() as u64 };
                known.entry(Digest::of(chunk)).or_insert(span);
            })?;
        }
        let mut files = BTreeMap::new();
        for entry in new {
            let mut parts = Vec::new();
            cut(to, entry, |_, chunk| {
                let part = known.get(&Digest::of(chunk)).map(|span| Part::Old(*span));
                push(&mut parts, part.unwrap_or(Part::New { length: chunk.len() as u64 }));
            })?;
            files.insert(entry, parts);
        }
        let parts = Self::new(files);
        Ok((parts.to_text().len() as u64 <= TEXT_BYTES).then_some(parts))
    }
}

/// Adds a part, as one with that before it where both are one piece.
fn push(parts: &mut Vec<Part>, next: Part) {
    match (parts.last_mut(), next) {
        (Some(Part::New { length }), Part::New { length: more }) => *length += more,
        (Some(Part::Old(before)), Part::Old(span))
            if before.entry == span.entry && before.offset + before.length == span.offset =>
        {
            before.length += span.length;
        }
        _ => parts.push(next),
    }
}

/// Cuts the content of the entry with this number, and gives each chunk with its offset to `take`.
fn cut<P: Read>(
    pack: &mut PackFiles<P>,
    entry: usize,
    mut take: impl FnMut(u64, &[u8]),
) -> Result<(), TreeError> {
    let (mut waiting, mut at) = (Vec::with_capacity(BUFFER_BYTES), 0);
    // Where the next cut is depends on no more bytes than the largest chunk has.
    let mut cut_down_to = |waiting: &mut Vec<u8>, rest: usize| {
        let mut done = 0;
        for chunk in FastCDC::new(waiting, CHUNK.0, CHUNK.1, CHUNK.2) {
            if waiting.len() - done <= rest {
                break;
            }
            take(at, &waiting[done..done + chunk.length]);
            done += chunk.length;
            at += chunk.length as u64;
        }
        waiting.drain(..done);
    };
    pack.content_at(entry, |piece| {
        waiting.extend_from_slice(piece);
        if waiting.len() >= BUFFER_BYTES {
            cut_down_to(&mut waiting, CHUNK.2);
        }
        Ok(())
    })?;
    cut_down_to(&mut waiting, 0);
    Ok(())
}
