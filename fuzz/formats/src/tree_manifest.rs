//! Tree manifests. What reads is written byte for byte as it was: one tree, one text.

use weir_model::Digest;
use weir_tree::TreeManifest;

use crate::samples;

pub fn check(data: &[u8]) {
    let Ok(manifest) = TreeManifest::parse(data) else { return };
    assert_eq!(manifest.to_text().as_bytes(), data);
    assert_eq!(manifest.digest(), Digest::of(data));
    assert_eq!(TreeManifest::from_unsorted(manifest.entries().to_vec()).expect("its own entries"), manifest);
}

pub fn seeds() -> Vec<Vec<u8>> {
    let folder = samples::folder();
    vec![samples::tree(folder.path()).to_text().into_bytes(), b"weir-tree v1\n".to_vec()]
}
