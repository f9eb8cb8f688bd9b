//! Packs that lie. Whatever comes, the result is an error and no folder, or the expected tree.

use std::io::Write as _;

use weir_model::{Digest, EntryDigest};
use weir_tree::{Expected, Limits, TreeError, TreeManifest, check_pack, unpack as unpack_with};

use crate::world::{Item, everything, file, folder, forged, packed, scratch, unpack};

fn small() -> tempfile::TempDir {
    let text = "some text that repeats, some text that repeats; ";
    folder(&[
        ("a", file(text)),
        ("d/e", Item::Executable(text.repeat(3).into_bytes())),
        ("d/l", Item::Link("e".into())),
        ("empty", file("")),
    ])
}

#[test]
fn a_pack_that_is_cut_anywhere_is_refused_and_leaves_nothing() {
    let (pack, manifest) = packed(small().path());
    let home = scratch();
    for length in 0..pack.len() {
        let (to, cut) = unpack(&pack[..length], &manifest, home.path());
        assert!(matches!(cut, Err(TreeError::Truncated { .. })), "cut at {length}: {cut:?}");
        assert!(!to.exists());
    }
}

#[test]
fn a_pack_with_any_bit_flipped_is_refused_or_still_the_same_tree() {
    let (pack, manifest) = packed(small().path());
    let home = scratch();
    for bit in 0..pack.len() * 8 {
        let mut flipped = pack.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let (to, unpacked) = unpack(&flipped, &manifest, home.path());
        match unpacked {
            Ok(verified) => {
                assert_eq!(verified.manifest(), &manifest);
                assert_eq!(everything(&to), manifest, "bit {bit}");
                fs_err::remove_dir_all(&to).expect("removed");
            }
            Err(error) => {
                assert!(!to.exists(), "bit {bit}");
                assert!(!error.is_of_the_system(), "bit {bit}: {error}");
            }
        }
    }
}

#[test]
fn another_tree_than_expected_is_refused_before_anything_is_written() {
    let (pack, _) = packed(small().path());
    let other = everything(folder(&[("x", file("y"))]).path());
    let home = scratch();
    let (to, unpacked) = unpack(&pack, &other, home.path());
    assert!(matches!(unpacked, Err(TreeError::WrongTree { .. })), "{unpacked:?}");
    assert!(!to.exists());
}

#[test]
fn bytes_behind_the_tree_are_refused() {
    let (pack, manifest) = packed(small().path());
    let home = scratch();
    let mut second_frame = pack.clone();
    second_frame.extend(zstd::encode_all(&b"more"[..], 3).expect("encoded"));
    let mut skippable = pack.clone();
    skippable.extend(*b"\x50\x2a\x4d\x18\x01\0\0\0x");
    let mut byte = pack.clone();
    byte.push(0);
    let mut inside = manifest.to_text().len().to_le_bytes().to_vec();
    inside.extend(manifest.to_text().bytes());
    for longer in [second_frame, skippable, byte] {
        let (_, unpacked) = unpack(&longer, &manifest, home.path());
        assert!(matches!(unpacked, Err(TreeError::TrailingBytes)), "{unpacked:?}");
    }
    let one = everything(folder(&[("x", file("y"))]).path());
    let (_, unpacked) = unpack(&forged(&one.to_text(), b"yz"), &one, home.path());
    assert!(matches!(unpacked, Err(TreeError::TrailingBytes)), "{unpacked:?}");
}

#[test]
fn another_size_than_stated_is_refused() {
    let (pack, manifest) = packed(small().path());
    let size = pack.len() as u64;
    for stated in [size - 1, size + 1, 0, 5 * size] {
        let expected = Expected { tree: manifest.digest(), pack_bytes: Some(stated) };
        let checked = check_pack(&pack[..], &expected, &Limits::default());
        assert!(
            matches!(checked, Err(TreeError::WrongSize { expected, .. }) if expected == stated),
            "{checked:?}"
        );
    }
}

#[test]
fn a_wrong_byte_in_a_file_names_the_file() {
    let one = everything(folder(&[("d/x", file("right"))]).path());
    let home = scratch();
    let (to, unpacked) = unpack(&forged(&one.to_text(), b"wrong"), &one, home.path());
    assert!(matches!(&unpacked, Err(TreeError::WrongContent { path, .. }) if path == "d/x"), "{unpacked:?}");
    assert!(!to.exists());
}

#[test]
fn a_link_that_leads_out_is_refused_although_its_digest_is_right() {
    let target = "../../etc/passwd";
    let text = format!("weir-tree v1\nl {} {} d/l\n", target.len(), EntryDigest::of(target).to_hex());
    let manifest = TreeManifest::parse(text.as_bytes()).expect("the manifest alone does not show it");
    let home = scratch();
    let (to, unpacked) = unpack(&forged(&text, target.as_bytes()), &manifest, home.path());
    assert!(matches!(&unpacked, Err(TreeError::Link { path, .. }) if path == "d/l"), "{unpacked:?}");
    assert!(!to.exists());
}

#[test]
fn claims_of_huge_sizes_are_refused_before_they_cost_anything() {
    let empty = TreeManifest::from_entries(Vec::new()).expect("an empty tree");
    let home = scratch();
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("an encoder");
    encoder.write_all(&u64::MAX.to_le_bytes()).expect("written");
    let (_, unpacked) = unpack(&encoder.finish().expect("finished"), &empty, home.path());
    assert!(matches!(unpacked, Err(TreeError::TooLarge { what: "bytes of manifest", .. })), "{unpacked:?}");

    let zeros = EntryDigest::of("").to_hex();
    let text = format!("weir-tree v1\nf 9000000000000000000 {zeros} a\n");
    let manifest = TreeManifest::parse(text.as_bytes()).expect("a manifest");
    let (_, unpacked) = unpack(&forged(&text, b""), &manifest, home.path());
    assert!(matches!(unpacked, Err(TreeError::TooLarge { what: "bytes of files", .. })), "{unpacked:?}");
}

#[test]
fn every_limit_holds() {
    let from = small();
    let (pack, manifest) = packed(from.path());
    let expected = Expected { tree: manifest.digest(), pack_bytes: None };
    let all = Limits::default();
    for limits in [
        Limits { pack_bytes: pack.len() as u64 - 1, ..all },
        Limits { unpacked_bytes: manifest.unpacked_size() - 1, ..all },
        Limits { files: manifest.files() - 1, ..all },
        Limits { manifest_bytes: manifest.to_text().len() as u64 - 1, ..all },
        Limits { link_bytes: 0, ..all },
    ] {
        let checked = check_pack(&pack[..], &expected, &limits);
        assert!(matches!(checked, Err(TreeError::TooLarge { .. })), "{limits:?}: {checked:?}");
    }
    check_pack(&pack[..], &expected, &all).expect("within the usual limits");
    let (bytes, files) = (manifest.unpacked_size(), manifest.files());
    check_pack(&pack[..], &expected, &Limits::stated(bytes, Some(files))).expect("as stated");
    for stated in [Limits::stated(bytes - 1, Some(files)), Limits::stated(bytes, Some(files - 1))] {
        let refused = check_pack(&pack[..], &expected, &stated);
        assert!(matches!(refused, Err(TreeError::TooLarge { .. })), "{refused:?}");
    }
}

#[test]
fn a_window_larger_than_promised_is_refused() {
    let noise: Vec<u8> =
        (0..20_000_000_u64).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect();
    let text = format!("weir-tree v1\nf {} {} a\n", noise.len(), EntryDigest::of(&noise).to_hex());
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
    encoder.window_log(26).expect("set");
    encoder.write_all(&(text.len() as u64).to_le_bytes()).expect("written");
    encoder.write_all(text.as_bytes()).expect("written");
    encoder.write_all(&noise).expect("written");
    let pack = encoder.finish().expect("finished");
    let manifest = TreeManifest::parse(text.as_bytes()).expect("a manifest");
    let (_, unpacked) = unpack(&pack, &manifest, scratch().path());
    assert!(matches!(unpacked, Err(TreeError::Damaged { .. })), "{unpacked:?}");
}

#[test]
fn nothing_is_unpacked_into_a_folder_that_exists_and_it_is_left_alone() {
    let (pack, manifest) = packed(small().path());
    let home = folder(&[("out/mine", file("kept"))]);
    let expected = Expected { tree: manifest.digest(), pack_bytes: None };
    let unpacked = unpack_with(&pack[..], &expected, &Limits::default(), &home.path().join("out"));
    assert!(matches!(unpacked, Err(TreeError::DestinationExists { .. })), "{unpacked:?}");
    assert_eq!(fs_err::read(home.path().join("out/mine")).expect("kept"), b"kept");
}

#[test]
fn a_source_that_fails_is_told_from_a_pack_that_is_damaged() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the cable was pulled"))
        }
    }
    let expected = Expected { tree: Digest::of("x"), pack_bytes: None };
    let checked = check_pack(Broken, &expected, &Limits::default());
    assert!(matches!(checked, Err(TreeError::PackRead { .. })), "{checked:?}");
}
