//! One tree, one text.

use proptest::prelude::{any, prop, proptest};
use weir_model::{Digest, EntryDigest};
use weir_tree::{Entry, ManifestError, Mode, TreeManifest, TreePath};

fn entry(mode: Mode, size: u64, path: &str) -> Entry {
    Entry { mode, size, digest: Digest::of(path), path: TreePath::new(path).expect("a path") }
}

fn tree(paths: &[&str]) -> Result<TreeManifest, ManifestError> {
    TreeManifest::from_unsorted(paths.iter().map(|path| entry(Mode::File, 1, path)).collect())
}

proptest! {
    #[test]
    fn parsing_what_was_printed_gives_it_back(
        names in prop::collection::btree_set("[a-z0-9.]{0,3}[a-z](/[a-z]{1,2}-){0,2}", 0..20), size in any::<u32>(),
    ) {
        // Chance makes names of devices, such as `con`, now and then.
        let names = names.iter().filter(|name| TreePath::new(name).is_ok());
        let entries = names.map(|name| entry(Mode::File, size.into(), name)).collect();
        if let Ok(manifest) = TreeManifest::from_unsorted(entries) {
            let text = manifest.to_text();
            let again = TreeManifest::parse(text.as_bytes()).expect("a manifest");
            assert_eq!(again, manifest);
            assert_eq!(again.digest(), Digest::of(&text));
        }
    }

    #[test]
    fn what_is_accepted_is_printed_as_it_was(at in 0..200_usize, byte in any::<u8>()) {
        let mut text = tree(&["a", "b/c", "d"]).expect("a tree").to_text().into_bytes();
        let at = at % text.len();
        text[at] = byte;
        if let Ok(manifest) = TreeManifest::parse(&text) {
            assert_eq!(manifest.to_text().as_bytes(), text);
        }
    }
}

#[test]
fn other_spellings_of_a_line_are_refused() {
    let hex = EntryDigest::of("x").to_hex();
    let good = format!("weir-tree v1\nf 1 {hex} a\n");
    TreeManifest::parse(good.as_bytes()).expect("the one spelling");
    for bad in [
        String::new(),
        "weir-tree v1".into(),
        good.replace("v1\n", "v1\r\n"),
        good.replace("f 1", "f 01"),
        good.replace("f 1", "f +1"),
        good.replace("f 1", "f  1"),
        good.replace("f 1", "d 1"),
        good.replace("f 1", "f 99999999999999999999"),
        good.replace(&hex, &hex.to_uppercase()),
        good.replace(&hex, &hex[1..]),
        good.replace(" a\n", " a"),
        good.replace(" a\n", " a\n\n"),
        good.replace(" a\n", " \n"),
        good.replace(" a\n", " /a\n"),
        format!("\u{feff}{good}"),
    ] {
        assert!(TreeManifest::parse(bad.as_bytes()).is_err(), "{bad:?}");
    }
}

#[test]
fn a_newer_format_is_told_from_something_else() {
    let newer = TreeManifest::parse(b"weir-tree v2\nwhatever");
    assert_eq!(newer, Err(ManifestError::Newer { version: "2".into() }));
    assert_eq!(TreeManifest::parse(b"PK\x03\x04"), Err(ManifestError::NotAManifest));
}

#[test]
fn paths_that_clash_are_refused_with_both_names() {
    let collision =
        |first: &str, second: &str| ManifestError::Collision { first: first.into(), second: second.into() };
    assert_eq!(tree(&["README", "readme"]), Err(collision("README", "readme")));
    assert_eq!(tree(&["a/x", "A/y"]), Err(collision("A", "a")));
    assert_eq!(tree(&["A", "a/b"]), Err(collision("A", "a")));
    assert_eq!(tree(&["d/STRASSE", "d/straße"]), Err(collision("d/STRASSE", "d/straße")));
    let below = ManifestError::Below { path: "a/b".into(), above: "a".into() };
    assert_eq!(tree(&["a", "a-b", "a/b"]), Err(below));
    assert_eq!(tree(&["a", "a"]), Err(ManifestError::Twice { path: "a".into() }));
    tree(&["a/b", "a-b", "a.b", "ab"]).expect("no clash");
}

#[test]
fn entries_out_of_order_are_refused() {
    let entries = vec![entry(Mode::File, 1, "a/b"), entry(Mode::File, 1, "a-b")];
    assert!(matches!(TreeManifest::from_entries(entries), Err(ManifestError::Order { .. })));
}

#[test]
fn a_link_has_a_target_of_a_possible_size_and_sizes_can_be_added() {
    for size in [0, 4097] {
        let refused = TreeManifest::from_entries(vec![entry(Mode::Link, size, "l")]);
        assert!(matches!(refused, Err(ManifestError::LinkSize { .. })));
    }
    let huge = vec![entry(Mode::File, u64::MAX, "a"), entry(Mode::File, 1, "b")];
    assert_eq!(TreeManifest::from_entries(huge), Err(ManifestError::Overflow));
}
