//! A tree that travels as a difference arrives as it left, and differences that lie are refused.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::proptest;
use proptest::test_runner::Config;
use weir_model::{Digest, EntryDigest};
use weir_tree::{
    DeltaParts, Expected, ExpectedDelta, Limits, PackFiles, TreeError, TreeManifest, VerifiedTree,
    apply_delta, check_delta, remake_pack, write_delta,
};

use crate::round_trip::files;
use crate::world::{Files, Item, LEVEL, everything, file, folder, lay_out, packed, scratch};

/// Two versions of a package, and the delta between them.
struct Versions {
    old: tempfile::TempDir,
    old_pack: Vec<u8>,
    old_tree: TreeManifest,
    new_pack: Vec<u8>,
    new_tree: TreeManifest,
    delta: Vec<u8>,
}

impl Versions {
    fn of(old: tempfile::TempDir, new: &Path) -> Self {
        let ((old_pack, old_tree), (new_pack, new_tree)) = (packed(old.path()), packed(new));
        let delta = delta(&old_pack, &old_tree, &new_pack, &new_tree);
        Self { old, old_pack, old_tree, new_pack, new_tree, delta }
    }

    fn expected(&self) -> ExpectedDelta {
        ExpectedDelta { from: self.old_tree.digest(), to: self.new_tree.digest(), most_bytes: 1 << 20 }
    }

    fn apply(&self, delta: &[u8], home: &Path) -> (PathBuf, Result<VerifiedTree, TreeError>) {
        self.apply_as(delta, &self.expected(), home)
    }

    fn apply_as(
        &self,
        delta: &[u8],
        expected: &ExpectedDelta,
        home: &Path,
    ) -> (PathBuf, Result<VerifiedTree, TreeError>) {
        let to = home.join("out");
        let (root, limits) = (self.old.path(), Limits::default());
        let applied = apply_delta(delta, root, &self.old_tree, expected, &limits, &to);
        (to, applied)
    }

    /// The new pack, made of the old one and the delta.
    fn remake(&self, delta: &[u8]) -> Result<Vec<u8>, TreeError> {
        let mut base = opened(&self.old_pack, &self.old_tree);
        let mut pack = Vec::new();
        remake_pack(delta, &mut base, &self.expected(), &Limits::default(), &mut pack, LEVEL)?;
        Ok(pack)
    }

    fn check(&self, delta: &[u8]) -> Result<u64, TreeError> {
        let mut base = opened(&self.old_pack, &self.old_tree);
        check_delta(delta, &mut base, &self.expected(), &Limits::default())
    }
}

fn opened<'p>(pack: &'p [u8], tree: &TreeManifest) -> PackFiles<&'p [u8]> {
    let expected = Expected { tree: tree.digest(), pack_bytes: None };
    PackFiles::open(pack, &expected, &Limits::default()).expect("a pack")
}

/// The delta between the trees in two packs.
pub(crate) fn delta(old: &[u8], old_tree: &TreeManifest, new: &[u8], new_tree: &TreeManifest) -> Vec<u8> {
    let mut delta = Vec::new();
    let both = || (opened(old, old_tree), opened(new, new_tree));
    let (mut from, mut to) = both();
    let parts = DeltaParts::between(&mut from, &mut to).expect("found").expect("few enough");
    let (mut from, mut to) = both();
    let summary = write_delta(&mut from, &mut to, parts, &mut delta).expect("made").expect("small enough");
    assert_eq!(summary.bytes, delta.len() as u64);
    delta
}

/// A change of each sort: a file that changed a little, one that moved, one that went, one that came, one that became executable, a link that
/// leads elsewhere; and one that stayed.
fn small() -> Versions {
    let text: String = (0..200).map(|line| format!("line {line} says {}\n", line * 7919 % 1000)).collect();
    let stays = file(&text.replace("says", "tells"));
    let old = folder(&[
        ("changed", file(&text)),
        ("d/moved", file("I move\n")),
        ("gone", file("I go\n")),
        ("run", file("#!/bin/sh\n")),
        ("link", Item::Link("changed".into())),
        ("stays", stays.clone()),
    ]);
    let new = folder(&[
        ("changed", file(&text.replace("line 77 ", "line seventy-seven "))),
        ("e/moved", file("I move\n")),
        ("new", file(&text[100..900])),
        ("run", Item::Executable(b"#!/bin/sh\n".to_vec())),
        ("link", Item::Link("new".into())),
        ("stays", stays),
    ]);
    Versions::of(old, new.path())
}

proptest! {
    #![proptest_config(Config { cases: 8, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_delta_between_any_two_trees_gives_the_second(old in files(), new in files(), both in files()) {
        let (from, to, home) = (scratch(), scratch(), scratch());
        let with = |mut files: Files| {
            files.extend(both.clone());
            files
        };
        lay_out(from.path(), &with(old));
        lay_out(to.path(), &with(new));
        let versions = Versions::of(from, to.path());
        let (out, applied) = versions.apply(&versions.delta, home.path());
        assert_eq!(applied.expect("applied").manifest(), &versions.new_tree);
        assert_eq!(everything(&out), versions.new_tree);
        assert_eq!(versions.check(&versions.delta).expect("checked"), versions.delta.len() as u64);
        assert_eq!(versions.remake(&versions.delta).expect("made again"), versions.new_pack);
    }
}

#[test]
fn what_did_not_change_does_not_travel() {
    let versions = small();
    let (whole, delta) = (versions.new_pack.len(), versions.delta.len());
    assert!(delta * 2 < whole, "{delta} of {whole} bytes");
    let (_, applied) = versions.apply(&versions.delta, scratch().path());
    assert_eq!(applied.expect("applied").pack_bytes(), delta as u64);
}

#[test]
fn one_delta_is_made_of_two_packs_however_they_are_compressed() {
    let versions = small();
    let again = |level| {
        let mut pack = Vec::new();
        weir_tree::write_pack(versions.old.path(), &versions.old_tree, &mut pack, level).expect("packed");
        delta(&pack, &versions.old_tree, &versions.new_pack, &versions.new_tree)
    };
    assert_eq!(again(1), versions.delta);
    assert_eq!(again(19), versions.delta);
}

/// The old tree has more than 16 MiB: it is no prefix as a whole, and what is new is compressed with what is gone.
#[test]
fn of_a_large_tree_only_what_is_gone_is_looked_at() {
    let part: Vec<u8> =
        (0..300_000_u64).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect();
    let mut changed = part.clone();
    changed[150_000..150_100].fill(0);
    let kept = || Item::File(vec![7; 17 << 20]);
    let old = folder(&[("kept", kept()), ("part", Item::File(part))]);
    let new = folder(&[("kept", kept()), ("part", Item::File(changed))]);
    let versions = Versions::of(old, new.path());
    assert!(versions.delta.len() < 1000, "{} bytes", versions.delta.len());
    let home = scratch();
    let (out, applied) = versions.apply(&versions.delta, home.path());
    applied.expect("applied");
    assert_eq!(everything(&out), versions.new_tree);
}

/// Bytes that no compressor makes smaller.
fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        (state >> 33) as u8
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

/// A file of 90 MiB, more than a delta has bytes for, of which two bytes changed and some came in.
fn large() -> Versions {
    let old = noise(90 << 20, 7);
    let mut new = old.clone();
    new[10 << 20] ^= 1;
    new[70 << 20] ^= 1;
    new.splice(50 << 20..50 << 20, *b"what was put in here");
    let old = folder(&[("data", Item::File(old)), ("read me", file("one\n"))]);
    let new = folder(&[("data", Item::File(new)), ("read me", file("two\n"))]);
    Versions::of(old, new.path())
}

#[test]
fn of_a_large_file_that_changed_a_little_a_little_travels() {
    let (versions, home) = (large(), scratch());
    assert!(versions.delta.len() < 2000, "{} bytes", versions.delta.len());
    let (out, applied) = versions.apply(&versions.delta, home.path());
    applied.expect("applied");
    assert_eq!(everything(&out), versions.new_tree);
    assert_eq!(versions.check(&versions.delta).expect("checked"), versions.delta.len() as u64);

    assert_eq!(versions.remake(&versions.delta).expect("made again"), versions.new_pack);

    // What is taken from the old tree is believed as little as what travels.
    let data = versions.old.path().join("data");
    let mut damaged = fs_err::read(&data).expect("read");
    damaged[30 << 20] ^= 1;
    fs_err::write(&data, damaged).expect("written");
    let (out, applied) = versions.apply(&versions.delta, scratch().path());
    assert!(matches!(applied, Err(TreeError::WrongContent { .. })), "{applied:?}");
    assert!(!out.exists());
}

#[test]
fn parts_that_do_not_add_up_or_lie_outside_are_refused() {
    let old = folder(&[("data", Item::File(noise(100, 1))), ("link", Item::Link("data".into()))]);
    let versions = Versions::of(old, folder(&[("a", file("a"))]).path());
    let (size, home) = (17_u64 << 20, scratch());
    let content = vec![0; 17 << 20];
    let manifest = format!("weir-tree v1\nf {size} {} big\n", EntryDigest::of(&content).to_hex());
    let expected = ExpectedDelta { to: Digest::of(&manifest), ..versions.expected() };
    let apply = |parts: &str| {
        let delta = forged_in_parts(&versions, &manifest, parts, &content, 25);
        let (to, applied) = versions.apply_as(&delta, &expected, home.path());
        assert_eq!(to.exists(), applied.is_ok());
        applied.map(|_| fs_err::remove_dir_all(to).expect("removed"))
    };
    apply(&format!("new {size}\n")).expect("the only right ones");
    let huge = u64::MAX;
    for wrong in [
        "".to_owned(),
        format!("new {}\n", size - 1),
        format!("new {}\n", size + 1),
        format!("new {size}\nnew 1\n"),
        format!("new 0\nnew {size}\n"),
        format!("new {huge}\nnew {}\n", size + 1),
        format!("old 0 0 101\nnew {}\n", size - 101),
        format!("old 0 {huge} 2\nnew {}\n", size - 2),
        format!("old 1 0 4\nnew {}\n", size - 4),
        format!("old 2 0 4\nnew {}\n", size - 4),
        format!("old 0 0 {size}\n"),
        format!("old 0 0\nnew {size}\n"),
        format!("new {size} 1\n"),
        format!("take {size}\n"),
        format!("new -{size}\n"),
    ] {
        let applied = apply(&wrong);
        assert!(matches!(applied, Err(TreeError::NotThatDelta { .. })), "{wrong}: {applied:?}");
    }
    let many = apply(&"new 1\n".repeat(1 << 18));
    assert!(matches!(many, Err(TreeError::TooLarge { .. })), "{many:?}");
    // Parts that are there, and are not the file.
    let other = apply(&format!("old 0 0 100\nnew {}\n", size - 100));
    assert!(other.as_ref().is_err_and(TreeError::is_integrity), "{other:?}");
}

#[test]
fn a_delta_that_is_cut_anywhere_is_refused_and_leaves_nothing() {
    let (versions, home) = (small(), scratch());
    for length in 0..versions.delta.len() {
        let (to, cut) = versions.apply(&versions.delta[..length], home.path());
        assert!(cut.as_ref().is_err_and(TreeError::is_integrity), "cut at {length}: {cut:?}");
        assert!(!to.exists());
        assert!(versions.check(&versions.delta[..length]).is_err());
        assert!(versions.remake(&versions.delta[..length]).is_err());
    }
}

#[test]
fn a_delta_with_any_bit_flipped_is_refused_or_still_gives_the_tree() {
    let (versions, home) = (small(), scratch());
    for bit in 0..versions.delta.len() * 8 {
        let mut flipped = versions.delta.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let (to, applied) = versions.apply(&flipped, home.path());
        match applied {
            Ok(tree) => {
                assert_eq!(tree.manifest(), &versions.new_tree);
                assert_eq!(everything(&to), versions.new_tree, "bit {bit}");
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
fn a_delta_between_other_trees_is_refused() {
    let (versions, home) = (small(), scratch());
    let (expected, other) = (versions.expected(), Digest::of(b"another"));
    for wrong in [ExpectedDelta { from: other, ..expected }, ExpectedDelta { to: other, ..expected }] {
        let (_, applied) = versions.apply_as(&versions.delta, &wrong, home.path());
        assert!(matches!(applied, Err(TreeError::NotThatDelta { .. })), "{applied:?}");
    }
    // It says that it is the one, and is another.
    let mut lying = versions.delta.clone();
    lying[14 + 65..14 + 65 + 64].copy_from_slice(other.to_hex().as_bytes());
    let wrong = ExpectedDelta { to: other, ..expected };
    let (to, applied) = versions.apply_as(&lying, &wrong, home.path());
    assert!(matches!(applied, Err(TreeError::WrongTree { .. })), "{applied:?}");
    assert!(!to.exists());
}

#[test]
fn a_base_that_is_damaged_or_gone_gives_nothing() {
    for damage in [
        (|path| fs_err::remove_file(path).expect("removed")) as fn(PathBuf),
        |path| fs_err::write(path, "shorter").expect("written"),
        |path: PathBuf| {
            let size = fs_err::read(&path).expect("read").len();
            fs_err::write(path, vec![b'x'; size]).expect("written");
        },
    ] {
        for name in ["changed", "stays"] {
            let (versions, home) = (small(), scratch());
            damage(versions.old.path().join(name));
            let (to, applied) = versions.apply(&versions.delta, home.path());
            assert!(applied.is_err(), "{name}");
            assert!(!to.exists());
        }
    }
}

#[test]
fn more_bytes_than_the_pack_has_are_not_read() {
    let (versions, home) = (small(), scratch());
    let most_bytes = versions.delta.len() as u64 - 1;
    let expected = ExpectedDelta { most_bytes, ..versions.expected() };
    let (_, applied) = versions.apply_as(&versions.delta, &expected, home.path());
    assert!(matches!(applied, Err(TreeError::TooLarge { .. })), "{applied:?}");
    let mut longer = versions.delta.clone();
    longer.extend([0; 1 << 17]);
    let (_, applied) = versions.apply(&longer, home.path());
    assert!(matches!(applied, Err(TreeError::TrailingBytes)), "{applied:?}");
}

/// A delta made by hand: a manifest, and any bytes as the contents, compressed as it likes.
fn forged(versions: &Versions, manifest: &str, contents: &[u8], window_log: u32) -> Vec<u8> {
    forged_in_parts(versions, manifest, "", contents, window_log)
}

/// The same, with parts of large files as somebody may tell them.
fn forged_in_parts(
    versions: &Versions,
    manifest: &str,
    parts: &str,
    contents: &[u8],
    window_log: u32,
) -> Vec<u8> {
    let mut delta = format!(
        "weir-delta v1\n{} {}\n",
        versions.old_tree.digest().to_hex(),
        Digest::<weir_model::of::Tree>::of(manifest).to_hex()
    )
    .into_bytes();
    let old = versions.old_tree.to_text();
    let mut frame = zstd::Encoder::with_ref_prefix(&mut delta, 3, old.as_bytes()).expect("an encoder");
    for text in [manifest, parts] {
        frame.write_all(&(text.len() as u64).to_le_bytes()).expect("written");
        frame.write_all(text.as_bytes()).expect("written");
    }
    frame.finish().expect("finished");
    let mut frame = zstd::Encoder::new(&mut delta, 1).expect("an encoder");
    frame.window_log(window_log).expect("set");
    frame.write_all(contents).expect("written");
    frame.finish().expect("finished");
    delta
}

#[test]
fn a_bomb_is_refused_before_it_costs_anything() {
    let (versions, home) = (small(), scratch());
    let zeros = vec![0; 40 << 20];
    let apply = |size: u64, contents: &[u8], window_log| {
        let text = format!("weir-tree v1\nf {size} {} a\n", EntryDigest::of(contents).to_hex());
        let delta = forged(&versions, &text, contents, window_log);
        let expected = ExpectedDelta { to: Digest::of(&text), ..versions.expected() };
        let (to, applied) = versions.apply_as(&delta, &expected, home.path());
        assert!(!to.exists());
        applied
    };
    // Forty megabytes where three bytes are promised, and a window that three bytes need not have.
    let more = apply(3, &zeros, 10);
    assert!(matches!(more, Err(TreeError::TrailingBytes | TreeError::WrongContent { .. })), "{more:?}");
    let window = apply(3, b"abcd", 26);
    assert!(matches!(window, Err(TreeError::Damaged { .. })), "{window:?}");
    let huge = apply(65 << 20, b"", 10);
    assert!(matches!(huge, Err(TreeError::NotThatDelta { .. })), "{huge:?}");
}
