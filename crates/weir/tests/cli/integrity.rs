//! Exit code 6: what was changed is noticed, and nothing of it used.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use insta::assert_snapshot;

use crate::{greeting, installed};

/// Changes the last byte of a file in place.
fn corrupt(path: &Path) {
    let mut bytes = fs_err::read(path).expect("it is there");
    *bytes.last_mut().expect("it is not empty") ^= 1;
    let mut permissions = fs_err::metadata(path).expect("it is there").permissions();
    permissions.set_mode(0o644);
    fs_err::set_permissions(path, permissions).expect("it is ours");
    fs_err::write(path, bytes).expect("it can be written");
}

#[test]
fn a_changed_file_is_found_and_mended() {
    let t = installed();
    let file =
        fs_err::canonicalize(t.path("app/weir_packages/packages/acme/greet/greet")).expect("it is a link");
    corrupt(&file);
    assert_snapshot!(t.weir("verify"), @r"
    $ weir verify
    ✗ `acme/greet 1.0.0`: the tree [SHORT]: changed: `greet`
    -- exit code 6
    ");
    assert_snapshot!(t.weir("store verify"), @r"
    $ weir store verify
    ✗ the tree [SHORT]: changed: `greet`
    -- stderr
    `weir store repair` fetches what is damaged again
    -- exit code 6
    ");
    assert_snapshot!(t.weir("store repair"), @r"
    $ weir store repair
    tree [SHORT]: fetched again
    ");
    assert_snapshot!(t.weir("verify"), @r"
    $ weir verify
    ✓ Verified 3 releases, 547 B
    ");
    assert_snapshot!(t.weir("store repair"), @r"
    $ weir store repair
    Nothing to repair: everything is what it should be
    ");
}

#[test]
fn a_changed_pack_is_refused() {
    let t = greeting();
    t.project(&["acme/str = ^1"]);
    t.weir("lock").succeeds();
    let lock = t.read("app/weir.lock");
    let (_, tree) = lock.split_once("tree = \"blake3:").expect("it is locked");
    let tree = &tree[..64];
    corrupt(&t.path(format!("org/pack/{}/{tree}.zst", &tree[..2])));
    let run = t.weir("install").fails_with(6);
    assert!(run.stderr.contains("acme/str 1.0.0"), "{run}");
    assert!(!t.path("app/weir_packages").exists());
    assert_eq!(t.weir("registry verify").code, 6);
}

#[test]
fn what_a_lockfile_states_of_a_pack_is_what_the_registry_states() {
    let t = greeting();
    t.project(&["acme/str = ^1"]);
    t.weir("lock").succeeds();
    let lock = t.read("app/weir.lock");
    let stated = lock.lines().find(|line| line.starts_with("unpacked = ")).expect("it is locked");
    t.write("app/weir.lock", lock.replace(stated, "unpacked = 1"));
    t.weir("install --locked").fails_with(8);
    assert!(!t.path("app/weir_packages").exists());
    t.weir("install").succeeds();
    assert_eq!(t.read("app/weir.lock"), lock);
}

#[test]
fn a_rewritten_log_is_refused_by_those_who_knew_it() {
    let t = installed();
    let size = t.read("org/checkpoint").lines().nth(1).expect("a checkpoint has a size").to_owned();
    corrupt(&t.path(format!("org/tile/entries/000.p/{size}")));
    assert_eq!(t.weir("registry verify").code, 6);
    // Another registry in its place is no longer than what was seen, and signed by another key.
    fs_err::rename(t.path("org"), t.path("gone")).expect("it can be moved");
    fs_err::remove_dir_all(t.path("home/weir/keys")).expect("it is there");
    t.weir_in("", "registry init org --name org").succeeds();
    let run = t.weir("update").fails_with(6);
    assert!(run.stderr.contains("went back"), "{run}");
}
