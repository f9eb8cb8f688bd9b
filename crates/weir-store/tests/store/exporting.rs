//! One file that carries a lockfile's closure.

use std::convert::Infallible;
use std::io::Cursor;
use std::sync::LazyLock;

use proptest::prelude::{ProptestConfig, any, proptest};
use weir_model::{Digest, Lockfile};
use weir_store::{ImportError, Part, Readers, Scope, StoreError};
use weir_tree::Limits;

use crate::world::{World, contents, lock, numbered};

/// A store with two trees and a file, exported.
fn exported() -> (Lockfile, Vec<u8>) {
    static EXPORTED: LazyLock<(Lockfile, Vec<u8>)> = LazyLock::new(export);
    EXPORTED.clone()
}

fn export() -> (Lockfile, Vec<u8>) {
    let world = World::new();
    let session = world.session();
    let trees: Vec<_> = (0..2).map(|number| *numbered(number).ensure(&session).digest()).collect();
    let fetch = |offset| Ok::<_, Infallible>(Part { offset, bytes: Box::new(Cursor::new("content")) });
    let file = session.ensure_file(&Digest::of("content"), 7, Readers::Everybody, fetch).unwrap();
    let lock = lock(&trees, &[*file.digest()]);
    let out = world.folder.path().join("closure.weir");
    let report = session.export(&lock, &out).unwrap();
    let bytes = fs_err::read(out).unwrap();
    assert_eq!((report.trees, report.files, report.bytes), (2, 1, bytes.len() as u64));
    (lock, bytes)
}

fn import(bytes: &[u8]) -> Result<World, ImportError> {
    let world = World::new();
    let result = world.session().import(bytes, &Limits::default());
    assert_eq!(world.rubbish(), [""; 0]);
    assert!(world.session().verify(Scope::Everything).unwrap().broken.is_empty());
    result.map(|_| world)
}

#[test]
fn an_export_brings_the_whole_closure_to_another_store_and_twice_is_once() {
    let (lock, bytes) = exported();
    let world = World::new();
    let session = world.session();
    let report = session.import(bytes.as_slice(), &Limits::default()).unwrap();
    assert_eq!((report.trees.len(), report.files.len(), report.present), (2, 1, 0));
    assert_eq!(report.lock, lock);
    assert!(session.missing(&lock).unwrap().is_empty());
    let tree = session.tree(&numbered(1).tree).unwrap().unwrap();
    assert_eq!(contents(tree.path())["README.md"].0, "tree number 1\n");
    let report = session.import(bytes.as_slice(), &Limits::default()).unwrap();
    assert_eq!((report.trees.len(), report.files.len(), report.present), (0, 0, 3));
}

#[test]
fn an_export_names_all_that_is_missing_and_writes_nothing() {
    let world = World::new();
    let out = world.folder.path().join("closure.weir");
    let lock = lock(&[Digest::of("a"), Digest::of("b")], &[Digest::of("c")]);
    let error = world.session().export(&lock, &out).unwrap_err();
    let StoreError::Missing { missing } = error else { panic!("{error}") };
    assert_eq!((missing.trees.len(), missing.files.len()), (2, 1));
    assert!(!out.exists());
}

#[test]
fn an_export_that_is_cut_anywhere_is_refused() {
    let (_, bytes) = exported();
    for cut in (0..bytes.len()).step_by(29).chain([bytes.len() - 1]) {
        assert!(import(&bytes[..cut]).is_err(), "cut to {cut} of {}", bytes.len());
    }
}

#[test]
fn an_export_that_goes_on_or_begins_otherwise_is_refused() {
    let (_, bytes) = exported();
    let more = [bytes.as_slice(), b"x"].concat();
    assert!(matches!(import(&more).err(), Some(ImportError::TrailingBytes)));
    assert!(matches!(import(b"PK\x03\x04").err(), Some(ImportError::NotAnExport)));
    assert!(matches!(import(b"weir-export v2\n").err(), Some(ImportError::Newer { .. })));
    let huge = format!("weir-export v1\nlock {} 18446744073709551615\n", "0".repeat(64));
    assert!(matches!(import(huge.as_bytes()).err(), Some(ImportError::BadLockfile { .. })));
}

#[test]
fn a_tree_that_the_lockfile_does_not_name_is_refused() {
    let (_, bytes) = exported();
    let first = format!("tree {}", numbered(0).tree.min(numbered(1).tree).to_hex());
    let at = bytes.windows(first.len()).position(|window| window == first.as_bytes()).unwrap();
    let mut other = bytes.clone();
    other[at + 5] = if other[at + 5] == b'0' { b'1' } else { b'0' };
    assert!(matches!(import(&other).err(), Some(ImportError::Unexpected { .. })));
}

#[test]
fn a_bit_that_flipped_in_the_lockfile_of_an_export_is_noticed_wherever_it_is() {
    let (lock, bytes) = exported();
    let text = lock.to_text();
    let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
    for position in at..at + text.len() {
        let mut other = bytes.clone();
        other[position] ^= 1;
        let refused = import(&other).err();
        assert!(matches!(refused, Some(ImportError::BadLockfile { .. })), "{position}: {refused:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_changed_byte_never_leaves_a_damaged_store(at in any::<proptest::sample::Index>(), flip in 1..=255_u8) {
        let (_, mut bytes) = exported();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        // Nearly all are refused: some bytes of a pack say nothing of what is in it. The store is right in any case.
        let _ = import(&bytes);
    }
}
