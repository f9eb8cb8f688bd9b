//! Packs. The input is what is *in* a pack, so that the fuzzer need not learn zstd: it is compressed here, and
//! expected to be the tree its manifest says. It is also read as a pack itself. What is
//! unpacked is that tree, and nothing else was touched; what is refused leaves nothing.

use std::path::Path;

use weir_model::Digest;
use weir_tree::{Expected, Limits, TreeManifest};

use crate::samples;

/// Small enough that a thousand inputs a second can be tried.
pub const LIMITS: Limits = Limits {
    pack_bytes: 1 << 20,
    unpacked_bytes: 4 << 20,
    files: 200,
    manifest_bytes: 1 << 20,
    link_bytes: 1 << 16,
};

pub fn check(data: &[u8]) {
    let nothing = Expected { tree: Digest::of(b"no tree"), pack_bytes: None };
    assert!(weir_tree::check_pack(data, &nothing, &LIMITS).is_err());
    unpack(data);
}

/// Unpacks the pack with this inside, and tells whether that was possible.
pub fn unpack(inside: &[u8]) -> bool {
    let Some((length, rest)) = inside.split_first_chunk::<8>() else { return false };
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let Some(manifest) = rest.get(..length) else { return false };
    let pack = zstd::encode_all(inside, 1).unwrap();
    let expected = Expected { tree: Digest::of(manifest), pack_bytes: Some(pack.len() as u64) };
    let place = tempfile::tempdir().unwrap();
    let around = place.path().join("a/b/c");
    fs_err::create_dir_all(&around).unwrap();
    let root = around.join("tree");
    match weir_tree::unpack(&pack[..], &expected, &LIMITS, &root) {
        Ok(tree) => {
            assert_eq!(tree.digest(), expected.tree);
            is_exactly(&root, tree.manifest());
            weir_tree::check_pack(&pack[..], &expected, &LIMITS).expect("what unpacks is a sound pack");
            writable(&root);
            fs_err::remove_dir_all(&root).unwrap();
            only_folders(place.path());
            true
        }
        Err(_) => {
            assert!(fs_err::symlink_metadata(&root).is_err(), "something is left of what was refused");
            only_folders(place.path());
            false
        }
    }
}

/// The folder holds this tree and nothing else.
pub fn is_exactly(root: &Path, manifest: &TreeManifest) {
    let differences = weir_tree::verify_folder(root, manifest).unwrap();
    assert!(differences.is_empty(), "{differences:?}");
}

/// Nothing was written outside: there is `a/b/c` and no more.
pub fn only_folders(place: &Path) {
    let mut folder = place.to_owned();
    for name in ["a", "b", "c"] {
        let inside: Vec<_> =
            fs_err::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(inside, [name], "in {}", folder.display());
        folder.push(name);
    }
    assert_eq!(fs_err::read_dir(folder).unwrap().count(), 0);
}

pub fn writable(root: &Path) {
    for entry in fs_err::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if fs_err::symlink_metadata(&path).unwrap().is_dir() {
            writable(&path);
        }
    }
    fs_err::set_permissions(root, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

pub fn seeds() -> Vec<Vec<u8>> {
    let folder = samples::folder();
    let pack = samples::pack(folder.path(), &samples::tree(folder.path()));
    vec![zstd::decode_all(&pack[..]).unwrap(), pack]
}
