//! A disk that is full, and a store that may not be written.

use std::path::PathBuf;
use std::process::Command;

use weir_store::{EnsureError, Options, POINTS, Scope, Store, StoreError};

use crate::world::{DiskFullAt, World, numbered, pack, with_faults};

const FOLDER: &str = "WEIR_STORE_TEST_FOLDER";

#[test]
fn a_full_disk_is_said_to_be_one_and_leaves_nothing_half_written() {
    for point in ["store:locked", "store:unpacked", "store:manifest"] {
        assert!(POINTS.contains(&point));
        let world = World::new();
        let session = Store::open(&world.root(), with_faults(DiskFullAt(point))).unwrap().session().unwrap();
        let pack = numbered(1);
        let error = pack.try_ensure(&session).unwrap_err();
        assert!(matches!(&error, EnsureError::Store(StoreError::DiskFull { .. })), "{point}: {error}");
        assert_eq!(session.tree(&pack.tree).unwrap(), None, "{point}");
        assert_eq!(world.rubbish(), [""; 0], "{point}");
        pack.ensure(&world.session());
        assert!(world.session().verify(Scope::Everything).unwrap().broken.is_empty());
    }
}

#[test]
fn a_store_whose_place_is_taken_by_a_file_names_it() {
    let world = World::new();
    fs_err::write(world.root(), "").unwrap();
    let error = Store::open(&world.root(), weir_store::Options::default()).unwrap_err();
    assert!(error.to_string().contains("store"), "{error}");
}

/// Runs a test of this program in a mount namespace of its own, after `mount`, which finds a folder in `$FOLDER`.
/// Answers nothing where the system forbids that, as some containers do.
fn in_namespace(world: &World, mount: &str, test: &str) -> Option<bool> {
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", script]);
        command.env("TEST", std::env::current_exe().unwrap()).env(FOLDER, world.folder.path());
        command.status().is_ok_and(|status| status.success())
    };
    let mount = format!("FOLDER=\"${FOLDER}\"; {mount}");
    unshare(&mount).then(|| unshare(&format!("{mount} && exec \"$TEST\" --exact {test} --ignored")))
}

#[test]
fn a_disk_that_is_really_full_leaves_nothing() {
    let world = World::new();
    let mount = "mount -t tmpfs -o size=512k none \"$FOLDER\"";
    assert_ne!(in_namespace(&world, mount, "full_disk::on_a_small_disk"), Some(false));
}

#[test]
#[ignore = "run by another test, on a disk of 512 kB"]
fn on_a_small_disk() {
    let root = PathBuf::from(std::env::var_os(FOLDER).unwrap()).join("store");
    let session = Store::open(&root, Options::default()).unwrap().session().unwrap();
    let small = numbered(1);
    small.ensure(&session);
    let noise: String = (0..100_000).map(|number| format!("{number}\n")).collect();
    let error = pack(&[("large", &noise)]).try_ensure(&session).unwrap_err();
    assert!(matches!(&error, EnsureError::Store(StoreError::DiskFull { .. })), "{error}");
    assert_eq!(fs_err::read_dir(root.join("tmp")).unwrap().count(), 0);
    assert!(session.verify(Scope::Everything).unwrap().broken.is_empty());
}

#[test]
fn a_store_that_may_only_be_read_serves_what_it_has() {
    let world = World::new();
    numbered(1).ensure(&world.session());
    let mount = "mount --bind \"$FOLDER\" \"$FOLDER\" && mount -o remount,bind,ro \"$FOLDER\"";
    assert_ne!(in_namespace(&world, mount, "full_disk::on_a_read_only_disk"), Some(false));
}

#[test]
#[ignore = "run by another test, on a disk that may only be read"]
fn on_a_read_only_disk() {
    let root = PathBuf::from(std::env::var_os(FOLDER).unwrap()).join("store");
    let session = Store::open(&root, Options::default()).unwrap().session().unwrap();
    numbered(1).ensure(&session);
    assert!(session.verify(Scope::Everything).unwrap().broken.is_empty());
    let error = numbered(2).try_ensure(&session).unwrap_err();
    assert!(matches!(&error, EnsureError::Store(StoreError::ReadOnly { .. })), "{error}");
}
