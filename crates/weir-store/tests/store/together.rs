//! Many who ask for one thing at once.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use weir_model::Digest;
use weir_store::{Options, Store, StoreError};
use weir_tree::Limits;

use crate::world::{World, contents, numbered, pack};

#[test]
fn a_tree_is_fetched_once_however_many_threads_ask() {
    let world = World::new();
    let pack = numbered(1);
    let fetched = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let session = world.session();
                let fetch = || {
                    fetched.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, Infallible>(pack.reader())
                };
                let tree = session.ensure_tree(&pack.tree, None, &Limits::default(), fetch).unwrap();
                assert!(tree.path().join("lib/a/b/c.txt").is_file());
            });
        }
    });
    assert_eq!(fetched.into_inner(), 1);
    assert_eq!(world.rubbish(), [""; 0]);
}

#[test]
fn a_store_may_be_made_by_many_at_once() {
    for _ in 0..20 {
        let world = World::new();
        thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(|| world.session()))));
        assert_eq!(world.rubbish(), [""; 0]);
    }
}

#[test]
fn a_tree_in_the_store_is_read_only_and_exactly_what_was_packed() {
    let world = World::new();
    let pack = pack(&[("a", "one"), ("b/run!", "two")]);
    let tree = pack.ensure(&world.session());
    let files = contents(tree.path());
    assert_eq!(files["a"], ("one".into(), 0o444));
    assert_eq!(files["b/run"], ("two".into(), 0o555));
    for folder in [tree.path().to_owned(), tree.path().join("b")] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs_err::metadata(folder).unwrap().permissions().mode() & 0o777, 0o555);
    }
}

#[test]
fn a_wrong_pack_leaves_nothing_and_a_right_one_succeeds_after_it() {
    let world = World::new();
    let session = world.session();
    let (wanted, other) = (numbered(1), numbered(2));
    let fetch = || Ok::<_, Infallible>(other.reader());
    let error = session.ensure_tree(&wanted.tree, None, &Limits::default(), fetch).unwrap_err();
    assert!(error.to_string().contains("cannot be stored"), "{error}");
    assert_eq!(session.tree(&wanted.tree).unwrap(), None);
    assert_eq!(world.rubbish(), [""; 0]);
    wanted.ensure(&session);
}

#[test]
fn two_unpackers_who_do_not_see_each_others_locks_both_end_with_the_tree() {
    let world = World::new();
    let pack = numbered(1);
    let (one, two) = (world.session(), world.session());
    // The second finds the place taken at its last step, as on a disk whose locks do not reach.
    let fetch = || {
        fs_err::remove_file(world.root().join("lock").join(format!("tree-{}", pack.tree.to_hex()))).unwrap();
        pack.ensure(&two);
        Ok::<_, Infallible>(pack.reader())
    };
    let tree = one.ensure_tree(&pack.tree, None, &Limits::default(), fetch).unwrap();
    assert_eq!(contents(tree.path()).len(), 3);
    assert_eq!(world.rubbish(), [""; 0]);
}

#[test]
fn a_newer_store_and_a_folder_that_is_something_else_are_refused() {
    let world = World::new();
    world.store();
    fs_err::write(world.root().join("format"), "weir-store v2\n").unwrap();
    let error = Store::open(&world.root(), Options::default()).unwrap_err();
    assert!(matches!(&error, StoreError::Newer { found, .. } if found == "weir-store v2"), "{error}");
    let photos = world.folder.path().join("photos");
    fs_err::create_dir(&photos).unwrap();
    fs_err::write(photos.join("cat.jpg"), "").unwrap();
    let error = Store::open(&photos, Options::default()).unwrap_err();
    assert!(matches!(&error, StoreError::NotAStore { holds, .. } if holds == "cat.jpg"), "{error}");
}

#[test]
fn a_name_that_is_not_there_is_not_found() {
    let session = World::new().session();
    assert_eq!(session.tree(&Digest::of("nothing")).unwrap(), None);
    assert_eq!(session.file(&Digest::of("nothing")).unwrap(), None);
}
