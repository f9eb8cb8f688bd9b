//! Following a registry: by steps, from a snapshot, and what is refused.

use weir_registry::{Intent, ReplicaError, ReplicaHome};

use crate::world::{World, sync, withdraw};

fn publish_many(world: &World, from: usize, count: usize) {
    let registry = world.open();
    let drafts = (from..from + count).map(|number| {
        let id = format!("acme/p{} 1.0.{}", number % 40, number / 40);
        Intent::Publish(Box::new(world.draft(&registry, &id, &[], "")))
    });
    world.submit(drafts.collect()).unwrap();
}

#[test]
fn a_reader_who_comes_late_takes_up_a_snapshot_and_sees_what_one_who_followed_sees() {
    let world = World::new(false);
    let early = ReplicaHome::new(&world.root.path().join("early"));
    publish_many(&world, 0, 10);
    sync(&world.folder(), &early).unwrap();
    publish_many(&world, 10, 1100);
    world.submit(vec![Intent::Yank(withdraw("acme/p1 1.0.0"))]).unwrap();
    assert!(world.folder().join("snapshot").is_dir());

    let followed = sync(&world.folder(), &early).unwrap();
    let late = world.fresh_replica();
    assert_eq!(late.index().dump().unwrap(), followed.index().dump().unwrap());
    assert!(late.checkpoint().unwrap().snapshot().is_some());
}

#[test]
fn a_snapshot_that_is_not_the_signed_one_is_refused() {
    let world = World::new(false);
    publish_many(&world, 0, 1100);
    let snapshot = fs_err::read_dir(world.folder().join("snapshot")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs_err::read(&snapshot).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs_err::write(&snapshot, bytes).unwrap();
    let home = ReplicaHome::new(&world.root.path().join("reader"));
    let error = sync(&world.folder(), &home).err().unwrap();
    assert!(matches!(error, ReplicaError::Snapshot { .. }), "{error}");
}

#[test]
fn a_registry_that_goes_back_is_refused_with_both_checkpoints() {
    let world = World::new(false);
    world.publish(&[("acme/a 1.0.0", &[])]).unwrap();
    let old = fs_err::read(world.folder().join("checkpoint")).unwrap();
    world.publish(&[("acme/b 1.0.0", &[])]).unwrap();
    let home = ReplicaHome::new(&world.root.path().join("reader"));
    sync(&world.folder(), &home).unwrap();
    fs_err::write(world.folder().join("checkpoint"), old).unwrap();
    let error = sync(&world.folder(), &home).err().unwrap().to_string();
    assert!(error.contains("went back") && error.matches("\u{2014} org").count() == 2, "{error}");
}
