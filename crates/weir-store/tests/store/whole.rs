//! Whether a tree is still whole, found out by a look.

use std::fs::FileTimes;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, SystemTime};

use crate::world::{World, numbered};

/// A cleaner of disks, or whoever, in the same tick of the clock in which the tree was stored.
#[test]
fn what_is_taken_away_at_once_is_noticed_and_the_tree_is_made_again() {
    let world = World::new();
    let session = world.session();
    let pack = numbered(1);
    for gone in ["lib/a/b/c.txt", "README.md"] {
        let tree = pack.ensure(&session);
        let file = tree.path().join(gone);
        let above = file.parent().unwrap();
        assert!(session.whole_tree(&pack.tree).unwrap().is_some());
        fs_err::set_permissions(above, std::fs::Permissions::from_mode(0o755)).unwrap();
        fs_err::remove_file(&file).unwrap();
        assert!(session.whole_tree(&pack.tree).unwrap().is_none(), "{gone}");
        assert!(!tree.path().exists());
    }
    pack.ensure(&session);
    assert!(session.whole_tree(&pack.tree).unwrap().is_some());
}

#[test]
fn folders_of_a_tree_have_a_time_that_no_clock_gives() {
    let world = World::new();
    let tree = numbered(1).ensure(&world.session());
    for folder in ["lib", "lib/a/b"] {
        let about = fs_err::metadata(tree.path().join(folder)).unwrap();
        assert_eq!(about.modified().unwrap(), SystemTime::UNIX_EPOCH + Duration::from_secs(1), "{folder}");
    }
}

#[test]
fn a_store_that_was_copied_without_its_times_is_whole_all_the_same() {
    let world = World::new();
    let session = world.session();
    let pack = numbered(1);
    let tree = pack.ensure(&session);
    for folder in ["lib", "lib/a"] {
        let folder = fs_err::File::open(tree.path().join(folder)).unwrap();
        folder.file().set_times(FileTimes::new().set_modified(SystemTime::now())).unwrap();
    }
    assert!(session.whole_tree(&pack.tree).unwrap().is_some());
    fs_err::set_permissions(tree.path().join("lib/a/b"), std::fs::Permissions::from_mode(0o755)).unwrap();
    fs_err::remove_file(tree.path().join("lib/a/b/c.txt")).unwrap();
    assert!(session.whole_tree(&pack.tree).unwrap().is_none());
}
