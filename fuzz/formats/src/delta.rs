//! Deltas from one known tree. The input is what is *in* a delta: a manifest and the parts of large files, each behind its length, and contents. It is
//! compressed here as a delta is, and expected to give the tree its manifest says. It is also read as a delta itself. What is
//! applied is that tree, and nothing else was touched; what is refused leaves nothing.

use std::io::Write as _;

use weir_model::{Digest, TreeDigest};
use weir_tree::{DeltaParts, Expected, ExpectedDelta, PackFiles, TreeManifest, apply_delta, check_delta, write_delta};

use crate::pack::{LIMITS, is_exactly, only_folders, writable};
use crate::samples;

pub fn check(data: &[u8]) {
    let base = samples::folder();
    let manifest = samples::tree(base.path());
    let from = manifest.digest();
    apply(data, base.path(), &manifest, &ExpectedDelta { from, to: Digest::of(b"no tree"), most_bytes: 1 << 20 });
    let Some((text, rest)) = behind_length(data) else { return };
    let Some((_, contents)) = behind_length(rest) else { return };
    let head = &data[..data.len() - contents.len()];
    let to = Digest::of(text);
    for whole in [true, false] {
        let prefix = prefix(base.path(), &manifest);
        let delta = forged(&manifest, &to, head, contents, if whole { &prefix } else { &[] });
        apply(&delta, base.path(), &manifest, &ExpectedDelta { from, to, most_bytes: delta.len() as u64 });
    }
}

/// A text behind its length, and what comes after it.
fn behind_length(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = data.split_first_chunk::<8>()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX))
}

fn apply(delta: &[u8], root: &std::path::Path, base: &TreeManifest, expected: &ExpectedDelta) {
    let place = tempfile::tempdir().unwrap();
    let around = place.path().join("a/b/c");
    fs_err::create_dir_all(&around).unwrap();
    let to = around.join("tree");
    let pack = samples::pack(root, base);
    let pack_of = Expected { tree: base.digest(), pack_bytes: None };
    let checked = check_delta(delta, &mut PackFiles::open(&pack[..], &pack_of, &LIMITS).unwrap(), expected, &LIMITS);
    match apply_delta(delta, root, base, expected, &LIMITS, &to) {
        Ok(tree) => {
            assert_eq!(tree.digest(), expected.to);
            is_exactly(&to, tree.manifest());
            assert_eq!(checked.expect("what is applied is a sound delta"), delta.len() as u64);
            writable(&to);
            fs_err::remove_dir_all(&to).unwrap();
        }
        Err(error) => {
            assert!(checked.is_err(), "{error}");
            assert!(fs_err::symlink_metadata(&to).is_err(), "something is left of what was refused");
        }
    }
    only_folders(place.path());
}

/// The contents of all files, in order, each once: what a delta from a small tree is compressed with.
fn prefix(root: &std::path::Path, manifest: &TreeManifest) -> Vec<u8> {
    let mut seen = std::collections::HashSet::new();
    let files = manifest.entries().iter().filter(|entry| entry.mode != weir_tree::Mode::Link);
    let once = files.filter(|entry| seen.insert(entry.digest));
    once.flat_map(|entry| fs_err::read(root.join(&entry.path)).unwrap()).collect()
}

fn forged(base: &TreeManifest, to: &TreeDigest, manifest: &[u8], contents: &[u8], prefix: &[u8]) -> Vec<u8> {
    let mut delta = format!("weir-delta v1\n{} {}\n", base.digest().to_hex(), to.to_hex()).into_bytes();
    for (prefix, content) in [(base.to_text().as_bytes(), manifest), (prefix, contents)] {
        let mut frame = zstd::Encoder::with_ref_prefix(&mut delta, 1, prefix).unwrap();
        frame.set_pledged_src_size(Some(content.len() as u64)).unwrap();
        frame.write_all(content).unwrap();
        frame.finish().unwrap();
    }
    delta
}

pub fn seeds() -> Vec<Vec<u8>> {
    let (old, new) = (samples::folder(), samples::folder());
    fs_err::write(new.path().join("weir.toml"), "[package]\n").unwrap();
    fs_err::remove_file(new.path().join("empty")).unwrap();
    let trees = [&old, &new].map(|folder| samples::tree(folder.path()));
    let packs = [(&old, &trees[0]), (&new, &trees[1])].map(|(folder, tree)| samples::pack(folder.path(), tree));
    let open = |at: usize| {
        let expected = Expected { tree: trees[at].digest(), pack_bytes: None };
        PackFiles::open(&packs[at][..], &expected, &LIMITS).unwrap()
    };
    let mut delta = Vec::new();
    let parts = DeltaParts::between(&mut open(0), &mut open(1)).unwrap().unwrap();
    write_delta(&mut open(0), &mut open(1), parts, &mut delta).unwrap().unwrap();
    let text = trees[1].to_text();
    let mut inside = (text.len() as u64).to_le_bytes().to_vec();
    inside.extend(text.bytes());
    inside.extend(0_u64.to_le_bytes());
    inside.extend(b"[package]\n../bin/greet");
    vec![inside, delta]
}
