//! Changing a registry's key.

use weir_log::FolderSource;
use weir_model::Unobserved;
use weir_registry::{Look, ReplicaHome, Trust, audit};

use crate::world::{World, now, sync};

#[test]
fn a_reader_who_was_away_follows_the_old_key_to_the_new_one() {
    let world = World::new(false);
    world.publish(&[("acme/a 1.0.0", &[])]).unwrap();
    let away = ReplicaHome::new(&world.root.path().join("away"));
    let before = sync(&world.folder(), &away).unwrap();
    let first = before.keys().clone();
    drop(before);

    world.open().rotate_key("user:ann", now()).unwrap();
    world.publish(&[("acme/a 1.1.0", &[])]).unwrap();
    world.open().rotate_key("user:ann", now()).unwrap();
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
    let old: Vec<_> = fs_err::read_dir(world.keys())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (fs_err::read(&path).unwrap(), path))
        .collect();
    world.open().rotate_key("user:ann", now()).unwrap();
    for (bytes, path) in old {
        fs_err::write(path, bytes).unwrap();
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
