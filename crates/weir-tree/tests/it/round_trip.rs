//! A tree that travels arrives as it left.

use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use proptest::test_runner::Config;
use weir_tree::{Expected, Limits, check_pack, verify_folder, write_pack};

use crate::world::{Files, Item, everything, file, folder, lay_out, packed, scratch, unpack};

/// Trees whose files and folders never clash: names of folders and of files begin differently.
pub(crate) fn files() -> impl Strategy<Value = Files> {
    let name = prop_oneof![Just("a"), Just("b-c"), Just(".h"), Just("ö x"), Just("a.b"), Just("zz")];
    let folders = prop::collection::vec(name.clone(), 0..4);
    let path = (folders, name, 0..20_u8).prop_map(|(folders, name, number)| {
        let above: String = folders.iter().map(|folder| format!("d{folder}/")).collect();
        format!("{above}{name}{number}")
    });
    let content = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        (any::<u8>(), 0..600_000_usize).prop_map(|(byte, size)| vec![byte; size]),
    ];
    let item = prop_oneof![
        4 => content.clone().prop_map(Item::File),
        1 => content.prop_map(Item::Executable),
        1 => "[a-z]{1,8}(/[a-z]{1,3})?".prop_map(Item::Link),
    ];
    prop::collection::btree_map(path, item, 0..25)
}

proptest! {
    #![proptest_config(Config { cases: 24, failure_persistence: None, ..Config::default() })]

    #[test]
    fn reading_back_a_tree_that_was_written_to_disk_gives_the_manifest_it_was_written_from(files in files()) {
        let (from, home) = (scratch(), scratch());
        lay_out(from.path(), &files);
        let (pack, manifest) = packed(from.path());
        let (to, verified) = unpack(&pack, &manifest, home.path());
        assert_eq!(verified.expect("unpacked").manifest(), &manifest);
        assert_eq!(everything(&to), manifest);
        assert_eq!(verify_folder(&to, &manifest).expect("verified"), []);
        assert_eq!(manifest.entries().len(), files.len());
    }
}

#[test]
fn one_tree_gives_one_pack_and_the_summary_describes_it() {
    let from = folder(&[
        ("a", file("x")),
        ("d/e", Item::Executable(b"y".repeat(1000))),
        ("l", Item::Link("d/e".into())),
    ]);
    let manifest = everything(from.path());
    let mut packs = [Vec::new(), Vec::new()];
    let summaries = packs.each_mut().map(|pack| write_pack(from.path(), &manifest, pack, 9).expect("packed"));
    assert_eq!(packs[0], packs[1]);
    assert_eq!(summaries[0].bytes, packs[0].len() as u64);
    assert_eq!(summaries[0].tree, manifest.digest());
}

#[test]
fn files_arrive_read_only_and_executable_where_they_were() {
    let from = folder(&[("a", file("x")), ("run", Item::Executable(b"y".to_vec()))]);
    let (pack, manifest) = packed(from.path());
    let home = scratch();
    let (to, verified) = unpack(&pack, &manifest, home.path());
    verified.expect("unpacked");
    let mode = |name| fs_err::metadata(to.join(name)).expect("a file").permissions().mode() & 0o7777;
    assert_eq!((mode("a"), mode("run"), mode("")), (0o444, 0o555, 0o755));
}

#[test]
fn a_file_that_is_not_what_the_manifest_says_is_noticed_when_packing() {
    let from = folder(&[("a", file("same size 1"))]);
    let manifest = everything(from.path());
    fs_err::write(from.path().join("a"), "same size 2").expect("written");
    let packed = write_pack(from.path(), &manifest, Vec::new(), 3);
    assert!(matches!(packed, Err(weir_tree::TreeError::ChangedWhileRead { .. })), "{packed:?}");
}

#[test]
fn packs_at_the_highest_level_can_be_read_with_the_bounded_window() {
    let noise: Vec<u8> =
        (0..12_000_000_u64).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect();
    let from = folder(&[("big", Item::File(noise))]);
    let manifest = everything(from.path());
    let mut pack = Vec::new();
    write_pack(from.path(), &manifest, &mut pack, 20).expect("packed");
    let expected = Expected { tree: manifest.digest(), pack_bytes: None };
    check_pack(&pack[..], &expected, &Limits::default()).expect("readable");
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    let this = std::env::current_exe().expect("a test program");
    let script = r#"umask 077; exec "$0" --exact round_trip::files_arrive_read_only_and_executable_where_they_were \
        archives::folders_can_be_read_by_everybody_also_those_of_links_alone"#;
    let run = std::process::Command::new("sh").args(["-c", script]).arg(this).output().expect("sh runs");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("2 passed"), "{said}");
}

/// Registries keep packs as notes of how they are made again, with the length that their records say. Where this fails because zstd packs in another way,
/// packs that are made again have other lengths than the records: readers of ours accept that, and registries above do not.
#[test]
fn this_zstd_packs_as_those_before_it_did() {
    let lines =
        |from: u64| -> String { (from..from + 4000).map(|n| format!("{} {n}\n", n * n % 7919)).collect() };
    let root = folder(&[("one", file(&lines(0))), ("two", file(&lines(3000)))]);
    let manifest = everything(root.path());
    for (level, digest) in [
        (12, "486321c9d39bbd936b415fdbc91e689c66fc733b5c723bea4dd2000c0c5f0f9e"),
        (9, "a858d96729c64883990511fcc4a107d14a7b913b35a56728d2cc6e84cc3048d8"),
    ] {
        let mut pack = Vec::new();
        weir_tree::write_pack(root.path(), &manifest, &mut pack, level).expect("packed");
        assert_eq!(weir_model::Sha256::of(&pack).to_hex(), digest, "{level}");
    }
}
