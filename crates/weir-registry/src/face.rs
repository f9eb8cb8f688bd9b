//! What anybody may ask a registry for: the files of its static face, each known by its path.
//!
//! A path that is none of these is nothing, whatever lies there: what starts with a dot is the registry's own, and a folder
//! may hold things that nobody meant to publish.

use weir_model::of::Subject;
use weir_model::{ChunkDigest, Digest, Sha256, TreeDigest};

use crate::content::{Delta, chunk_list_path, chunk_path, delta_path, file_path, pack_note_path, pack_path};
use crate::replica::{DESCRIPTOR, snapshot_path};

/// A file of a registry's static face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Face {
    /// What helps to find the registry: `weir.json`.
    Descriptor,
    /// The newest signed statement of the log's size and root.
    Checkpoint,
    /// A tile of the log, hashes or entries; complete or not, its bytes never change.
    Tile,
    /// The view at some size.
    Snapshot(Sha256),
    /// The pack of a tree.
    Pack(TreeDigest),
    /// How the pack of a tree is made again that is not kept.
    PackNote(TreeDigest),
    /// The delta between two trees.
    Delta(Delta),
    /// A file that a reference names.
    File(Sha256),
    /// The list of the chunks of such a file.
    ChunkList(Sha256),
    /// A chunk.
    Chunk(ChunkDigest),
}

impl Face {
    /// Which file a path below the registry names, spelled as a writer spells it; `None` if it is none that is served.
    pub fn parse(path: &str) -> Option<Self> {
        let spelled = |expected: String, face: Self| (expected == path).then_some(face);
        let name = path.rsplit('/').next()?;
        match path.split('/').next()? {
            DESCRIPTOR if path == DESCRIPTOR => Some(Self::Descriptor),
            "checkpoint" if path == "checkpoint" => Some(Self::Checkpoint),
            "tile" => weir_log::is_tile(path).then_some(Self::Tile),
            "snapshot" => {
                let digest = digest(name.strip_suffix(".zst")?)?;
                spelled(snapshot_path(&digest), Self::Snapshot(digest))
            }
            "pack" => match name.strip_suffix(".made") {
                Some(hex) => {
                    digest(hex).and_then(|tree| spelled(pack_note_path(&tree), Self::PackNote(tree)))
                }
                None => {
                    let tree = digest(name.strip_suffix(".zst")?)?;
                    spelled(pack_path(&tree), Self::Pack(tree))
                }
            },
            "delta" => {
                let to = path.rsplit('/').nth(1)?;
                let delta = Delta { from: digest(name)?, to: digest(to)? };
                spelled(delta_path(&delta), Self::Delta(delta))
            }
            "file" => match name.strip_suffix(".chunks") {
                Some(hex) => {
                    digest(hex).and_then(|file| spelled(chunk_list_path(&file), Self::ChunkList(file)))
                }
                None => digest(name).and_then(|file| spelled(file_path(&file), Self::File(file))),
            },
            "chunk" => digest(name).and_then(|chunk| spelled(chunk_path(&chunk), Self::Chunk(chunk))),
            _ => None,
        }
    }

    /// Whether the bytes under this name are the same for ever.
    pub const fn is_fixed(&self) -> bool {
        !matches!(self, Self::Descriptor | Self::Checkpoint | Self::PackNote(_))
    }
}

fn digest<S: Subject>(hex: &str) -> Option<Digest<S>> {
    Digest::from_hex(hex).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_that_a_writer_makes_are_known_by_their_paths() {
        let sha256 = Sha256::of("x");
        let (tree, chunk) = (TreeDigest::of(b"x"), ChunkDigest::of(b"x"));
        let delta = Delta { from: TreeDigest::of(b"y"), to: tree };
        for (path, face) in [
            ("weir.json".to_owned(), Face::Descriptor),
            ("checkpoint".to_owned(), Face::Checkpoint),
            ("tile/0/x001/234.p/5".to_owned(), Face::Tile),
            ("tile/entries/000".to_owned(), Face::Tile),
            (snapshot_path(&sha256), Face::Snapshot(sha256)),
            (pack_path(&tree), Face::Pack(tree)),
            (pack_note_path(&tree), Face::PackNote(tree)),
            (delta_path(&delta), Face::Delta(delta)),
            (file_path(&sha256), Face::File(sha256)),
            (chunk_list_path(&sha256), Face::ChunkList(sha256)),
            (chunk_path(&chunk), Face::Chunk(chunk)),
        ] {
            assert_eq!(Face::parse(&path), Some(face), "{path}");
        }
    }

    #[test]
    fn nothing_else_is_served_however_it_is_spelled() {
        let hex = Sha256::of("x").to_hex();
        let (here, there) = (&hex[..2], if hex.starts_with("00") { "11" } else { "00" });
        for path in [
            String::new(),
            "/checkpoint".to_owned(),
            "checkpoint/".to_owned(),
            "./checkpoint".to_owned(),
            ".log.lock".to_owned(),
            format!(".held/{here}/{hex}.zst"),
            format!("pack/{there}/{hex}.zst"),
            format!("pack/{here}/../{here}/{hex}.zst"),
            format!("pack/{here}/{}.zst", hex.to_uppercase()),
            format!("pack/{here}/{hex}"),
            format!("pack/{there}/{hex}.made"),
            format!("file/{here}/{hex}.zst"),
            format!("delta/{here}/{hex}"),
            format!("delta/{there}/{hex}/{hex}"),
            format!("delta/{here}/{hex}/{hex}.zst"),
            format!("delta/{here}/../{here}/{hex}/{hex}"),
            "tile/0/000.p/0".to_owned(),
            "tile/0/000.p/256".to_owned(),
            "tile/0/1".to_owned(),
            "tile/0/x000/001".to_owned(),
            "tile/00/000".to_owned(),
            "tile/entries/../0/000".to_owned(),
            "policy/secret.cedar".to_owned(),
        ] {
            assert_eq!(Face::parse(&path), None, "{path}");
        }
    }
}
