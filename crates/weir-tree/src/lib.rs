//! Trees and packs: reading a folder, packing it, unpacking safely, checking what lies on disk, and bringing
//! in other people's archives.
//!
//! A *tree* is a set of files and symbolic links; its [`TreeManifest`] lists them, and the manifest's BLAKE3 hash is the
//! tree's name. A *pack* is a tree as one compressed stream. What comes from outside is hostile until it is checked:
//! [`unpack`] gives a [`VerifiedTree`], and nothing else can.
//!
//! | to | use |
//! | --- | --- |
//! | turn a folder into a manifest | [`read_folder`] with a [`Selection`] |
//! | see what is in a folder, unread | [`sketch_folder`] |
//! | send a tree | [`write_pack`] |
//! | receive a tree | [`unpack`], or [`check_pack`] to keep the pack as it is |
//! | read a few files of a pack | [`PackFiles`] |
//! | send what differs from a tree that is there | [`write_delta`] |
//! | receive it | [`apply_delta`], or [`check_delta`] to keep it as it is |
//! | make the pack again of which only a delta was kept | [`remake_pack`] |
//! | check a folder | [`verify_folder`] |
//! | change a tree | [`copy_tree`], and read the copy |
//! | bring in a tar or zip | [`import_archive`] |

mod copy;
mod error;
mod file;
mod folder;
mod import;
mod landing;
mod limits;
mod link;
mod manifest;
mod observe;
mod pack;
mod parallel;
mod path;
mod selection;
mod verify;

pub use copy::copy_tree;
pub use error::TreeError;
pub use folder::{read_folder, sketch_folder};
pub use import::{
    ArchiveFormat, ImportError, ImportNote, ImportOptions, ImportReport, Strip, Trick, import_archive,
    import_archive_from,
};
pub use limits::Limits;
pub use link::{LinkError, LinkTarget};
pub use manifest::{Entry, ManifestError, Mode, TreeManifest};
pub use observe::{Handled, Watched};
pub use pack::{
    DeltaParts, DeltaSummary, Expected, ExpectedDelta, PACK_LEVEL, PackFiles, PackSummary, QUICK_PACK_LEVEL,
    VerifiedPack, VerifiedTree, apply_delta, check_delta, check_pack, remake_pack, unpack, write_delta,
    write_pack, write_pack_observed,
};
pub use path::{MAX_DEPTH, MAX_PART_BYTES, MAX_PATH_BYTES, PathError, PathReason, TreePath, folded};
pub use selection::Selection;
pub use verify::{Difference, verify_folder, verify_folder_observed};
