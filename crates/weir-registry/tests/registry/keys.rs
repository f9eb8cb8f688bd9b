//! Changing a registry's key.

use std::collections::BTreeSet;
use std::path::PathBuf;

use weir_log::FolderSource;
use weir_model::Unobserved;
use weir_registry::{
    KeyFolder, KeysError, Look, Registry as _, ReplicaHome, SubmitError, Trust, audit, location_of,
};

use crate::world::{World, sync};

#[test]
fn a_reader_who_was_away_follows_the_old_key_to_the_new_one() {
    let world = World::new(false);
    world.publish(&[("acme/a 1.0.0", &[])]).unwrap();
    let away = ReplicaHome::new(&world.root.path().join("away"));
    let before = sync(&world.folder(), &away).unwrap();
    let first = before.keys().clone();
    drop(before);

    world.open().rotate_key().unwrap();
    world.publish(&[("acme/a 1.1.0", &[])]).unwrap();
    world.open().rotate_key().unwrap();
    world.publish(&[("acme/a 1.2.0", &[])]).unwrap();

    let after = sync(&world.folder(), &away).unwrap();
    assert_ne!(after.keys(), &first);
    assert_eq!(after.index().stats().unwrap().offered, 3);
    let source = FolderSource::new(world.folder());
    let found = audit(&source, after.keys(), false, Look::Nothing, &Unobserved).unwrap();
    assert_eq!(found.problems, Vec::<String>::new());
}

#[test]
fn the_old_key_alone_is_of_no_use_any_more() {
    let world = World::new(false);
    world.publish(&[("acme/a 1.0.0", &[])]).unwrap();
    let old = the_keys(&world);
    world.open().rotate_key().unwrap();
    for path in the_keys(&world).difference(&old) {
        fs_err::remove_file(path).unwrap();
    }
    assert!(world.publish(&[("acme/a 1.1.0", &[])]).is_err());
}

#[test]
fn a_registry_that_shows_another_key_without_a_rotation_is_refused() {
    let (world, other) = (World::new(false), World::new(false));
    let home = ReplicaHome::new(&world.root.path().join("reader"));
    sync(&world.folder(), &home).unwrap();
    for name in ["weir.json", "checkpoint"] {
        fs_err::copy(other.folder().join(name), world.folder().join(name)).unwrap();
    }
    let error = sync(&world.folder(), &home).err().unwrap();
    assert!(error.to_string().contains("does not vouch for"), "{error}");
    let pins = Trust::new(world.root.path().join("reader/trust"));
    assert!(pins.pin(&weir_registry::location_of(&world.folder()).unwrap()).unwrap().is_some());
}

/// The files of keys on this machine.
fn the_keys(world: &World) -> BTreeSet<PathBuf> {
    fs_err::read_dir(world.keys()).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn no_key_is_ever_written_over_or_shared_by_registries_of_one_name() {
    let world = World::new(false);
    let first = the_keys(&world);
    let before: Vec<_> = first.iter().map(|path| fs_err::read(path).unwrap()).collect();
    let other = world.beside();
    world.open().rotate_key().unwrap();
    world.open().rotate_key().unwrap();
    assert_eq!(the_keys(&world).len(), 4);
    assert_eq!(first.iter().map(|path| fs_err::read(path).unwrap()).collect::<Vec<_>>(), before);
    // Whoever has the other can publish there still.
    other.publish(&[("acme/a 1.0.0", &[])]).unwrap();
    world.publish(&[("acme/a 1.0.0", &[])]).unwrap();
}

#[test]
fn a_copy_of_a_registry_is_not_signed_until_it_is_said_that_it_was_moved() {
    let world = World::new(false);
    world.publish(&[("acme/a 1.0.0", &[])]).unwrap();
    let copy = world.copied();
    let error = copy.publish(&[("acme/b 1.0.0", &[])]).unwrap_err();
    assert!(matches!(error, SubmitError::Keys(KeysError::OtherPlace { .. })), "{error}");
    for acts in
        [|copy: &World| copy.open().renew().map(drop), |copy: &World| copy.open().rotate_key().map(drop)]
    {
        assert!(matches!(acts(&copy), Err(SubmitError::Keys(KeysError::OtherPlace { .. }))));
    }
    let keys = KeyFolder::new(copy.keys(), location_of(&copy.folder()).unwrap());
    keys.bind(copy.fresh_replica().keys().keys()).unwrap();
    copy.publish(&[("acme/b 1.0.0", &[])]).unwrap();
    assert!(world.publish(&[("acme/c 1.0.0", &[])]).is_err());
}
