//! Equal files of different trees.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use weir_store::{OptimiseReport, Scope};

use crate::world::{World, contents, numbered, pack};

#[test]
fn equal_files_become_one_and_every_tree_stays_what_it_was() {
    let world = World::new();
    let session = world.session();
    let trees: Vec<_> = (0..5).map(|number| numbered(number).ensure(&session)).collect();
    let before: Vec<_> = trees.iter().map(|tree| contents(tree.path())).collect();
    let report = session.optimise().unwrap();
    let shared = ("#!/bin/sh\n".len() + "the same everywhere\n".len()) as u64;
    assert_eq!(report, OptimiseReport { files: 15, linked: 8, saved: 4 * shared });
    let after: Vec<_> = trees.iter().map(|tree| contents(tree.path())).collect();
    assert_eq!(before, after);
    assert_eq!(fs_err::metadata(trees[3].path().join("bin/run")).unwrap().nlink(), 5);
    assert!(session.verify(Scope::Everything).unwrap().broken.is_empty());
    assert_eq!(session.optimise().unwrap(), OptimiseReport { files: 15, linked: 0, saved: 0 });
    assert_eq!(world.rubbish(), [""; 0]);
}

#[test]
fn files_of_different_modes_are_not_shared() {
    let world = World::new();
    let session = world.session();
    pack(&[("a", "same"), ("b!", "same")]).ensure(&session);
    assert_eq!(session.optimise().unwrap().linked, 0);
}

#[test]
fn a_damaged_file_is_not_what_the_others_become() {
    let world = World::new();
    let session = world.session();
    let mut trees: Vec<_> = (0..3).map(|number| numbered(number).ensure(&session)).collect();
    // The first is what the others would be linked to.
    trees.sort_by_key(|tree| *tree.digest());
    let damaged = trees[0].path().join("lib/a/b/c.txt");
    fs_err::set_permissions(&damaged, std::fs::Permissions::from_mode(0o644)).unwrap();
    fs_err::write(&damaged, "damaged").unwrap();
    fs_err::set_permissions(&damaged, std::fs::Permissions::from_mode(0o444)).unwrap();
    session.optimise().unwrap();
    for tree in &trees[1..] {
        assert_eq!(contents(tree.path())["lib/a/b/c.txt"].0, "the same everywhere\n");
    }
}

#[test]
fn sharing_is_not_using() {
    let world = World::new();
    let session = world.session();
    let trees: Vec<_> =
        (0..2).map(|number| pack(&[("a", "same"), ("n", &number.to_string())]).ensure(&session)).collect();
    let times =
        || trees.iter().map(|tree| fs_err::metadata(tree.path()).unwrap().mtime()).collect::<Vec<_>>();
    let old = std::time::SystemTime::now() - std::time::Duration::from_hours(48);
    for tree in &trees {
        fs_err::File::open(tree.path()).unwrap().file().set_modified(old).unwrap();
    }
    let before = times();
    assert_eq!(session.optimise().unwrap().linked, 1);
    assert_eq!(times(), before);
}
