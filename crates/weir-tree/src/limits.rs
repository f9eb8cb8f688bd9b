//! How much a tree or an archive from somebody else may ask for.

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Bounds on what is read from outside. What exceeds one is refused before it costs that much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of a pack, or of a foreign archive as it lies on disk.
    pub pack_bytes: u64,
    /// The most bytes of all files of a tree together.
    pub unpacked_bytes: u64,
    /// The most files and links of a tree.
    pub files: u64,
    /// The most bytes of a tree manifest, and of the names in a foreign archive. They are held in memory: all
    /// lines of a manifest must be known before the first file is written.
    pub manifest_bytes: u64,
    /// The most bytes of all link targets of a tree together. They are held in memory, as links are made last.
    pub link_bytes: u64,
}

impl Limits {
    /// The usual limits, and no more than a record states: a pack that holds more is not the one it describes.
    /// `files` is not known to everybody who knows of a release.
    pub fn stated(unpacked_bytes: u64, files: Option<u64>) -> Self {
        let usual = Self::default();
        Self {
            unpacked_bytes: usual.unpacked_bytes.min(unpacked_bytes),
            files: files.map_or(usual.files, |files| usual.files.min(files)),
            ..usual
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pack_bytes: 16 * GIB,
            unpacked_bytes: 64 * GIB,
            files: 1_000_000,
            manifest_bytes: 256 * MIB,
            link_bytes: 8 * MIB,
        }
    }
}
