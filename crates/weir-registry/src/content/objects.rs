//! A folder as one who holds objects.

use std::io::{self, Read};

use jiff::Timestamp;
use weir_model::{ChunkDigest, TreeDigest};
use weir_policy::Authorized;

use super::error::ContentError;
use super::folder::size_of;
use super::stored::Stored;
use super::{ContentFolder, chunk_path, file_path, held_path, pack_path};
use crate::ports::{Held, Object, Objects};
use crate::replica::snapshot_path;

impl Objects for ContentFolder {
    fn put(&self, _: &Authorized, object: Object, from: &mut dyn Read) -> Result<u64, ContentError> {
        match object {
            Object::Pack(tree) => self.put_pack(from, &tree)?,
            Object::File(sha256) => self.put_file(from, &sha256)?,
            Object::Snapshot(sha256) => self.put_snapshot(from, &sha256)?,
        }
        Ok(self.find(object)?.map(|held| held.size).unwrap_or_default())
    }

    fn find(&self, object: Object) -> Result<Option<Held>, ContentError> {
        let there = |path: String, withheld| size_of(&self.at(&path)).map(|size| Held { size, withheld });
        Ok(match object {
            Object::Pack(tree) => there(pack_path(&tree), false).or_else(|| there(held_path(&tree), true)),
            Object::Snapshot(sha256) => there(snapshot_path(&sha256), false),
            Object::File(sha256) => match there(file_path(&sha256), false) {
                None => self.chunk_list(&sha256)?.map(|list| Held { size: list.size(), withheld: false }),
                whole => whole,
            },
        })
    }

    fn open(&self, object: Object, offset: u64) -> Result<Option<Box<dyn Read + Send>>, ContentError> {
        let paths = match object {
            Object::Pack(tree) => vec![pack_path(&tree), held_path(&tree)],
            Object::Snapshot(sha256) => vec![snapshot_path(&sha256)],
            Object::File(sha256) => match self.chunk_list(&sha256)? {
                Some(list) => list.chunks().iter().map(|chunk| chunk_path(&chunk.digest)).collect(),
                None => vec![file_path(&sha256)],
            },
        };
        if let Object::Pack(_) = object {
            return first_of(self, &paths, offset);
        }
        all_of(self, &paths, offset)
    }

    fn list(&self) -> Result<Vec<(Stored, Timestamp)>, ContentError> {
        let mut listed = Vec::new();
        for stored in self.objects()? {
            if let Some(written) = self.modified(&stored)? {
                listed.push((stored, written));
            }
        }
        Ok(listed)
    }

    fn parts(&self, stored: &Stored) -> Result<Vec<ChunkDigest>, ContentError> {
        Ok(self.listed_chunks(std::slice::from_ref(stored))?.into_iter().collect())
    }

    fn withhold(&self, _: &Authorized, tree: &TreeDigest) -> Result<(), ContentError> {
        ContentFolder::withhold(self, tree)
    }

    fn restore(&self, _: &Authorized, tree: &TreeDigest) -> Result<(), ContentError> {
        ContentFolder::restore(self, tree)
    }

    fn remove(&self, _: &Authorized, stored: &Stored) -> Result<(), ContentError> {
        self.remove_stored(stored)
    }

    fn remove_parts(&self, _: &Authorized) -> Result<(), ContentError> {
        self.collect_chunks().map(drop)
    }
}

fn first_of(
    content: &ContentFolder,
    paths: &[String],
    offset: u64,
) -> Result<Option<Box<dyn Read + Send>>, ContentError> {
    for path in paths {
        if let Some(stream) = all_of(content, std::slice::from_ref(path), offset)? {
            return Ok(Some(stream));
        }
    }
    Ok(None)
}

/// One after the other.
fn all_of(
    content: &ContentFolder,
    paths: &[String],
    offset: u64,
) -> Result<Option<Box<dyn Read + Send>>, ContentError> {
    let mut all: Box<dyn Read + Send> = Box::new(io::empty());
    for path in paths {
        let Some(file) = content.open_path(path)? else { return Ok(None) };
        all = Box::new(all.chain(file));
    }
    io::copy(&mut (&mut all).take(offset), &mut io::sink())?;
    Ok(Some(all))
}
