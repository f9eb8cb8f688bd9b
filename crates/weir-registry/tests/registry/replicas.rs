//! Following a registry: by steps, from a snapshot, and what is refused.

use std::io::Read;
use std::sync::Once;

use weir_log::{FolderSource, Source, SourceError};
use weir_model::WithdrawalVerb;
use weir_registry::{Intent, Registry as _, Replica, ReplicaError, ReplicaHome};

use crate::world::{World, now, sync, withdraw};

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
    world.submit(vec![withdraw(WithdrawalVerb::Yank, "acme/p1 1.0.0")]).unwrap();
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

/// Another program works with the same replica right after a file was read.
struct Overtaken<F> {
    inner: FolderSource,
    file: &'static str,
    meanwhile: F,
    once: Once,
}

impl<F: Fn() + Send + Sync> Overtaken<F> {
    fn new(world: &World, file: &'static str, meanwhile: F) -> Self {
        Self { inner: FolderSource::new(world.folder()), file, meanwhile, once: Once::new() }
    }

    fn overtake(&self, path: &str) {
        if path.starts_with(self.file) {
            self.once.call_once(&self.meanwhile);
        }
    }
}

impl<F: Fn() + Send + Sync> Source for Overtaken<F> {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let read = self.inner.read(path, limit);
        self.overtake(path);
        read
    }

    fn open(&self, path: &str, offset: u64) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
        let opened = self.inner.open(path, offset);
        self.overtake(path);
        opened
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

fn location(world: &World) -> String {
    weir_registry::location_of(&world.folder()).unwrap()
}

#[test]
fn a_first_sync_that_is_overtaken_by_another_takes_up_what_that_one_has() {
    let world = World::new(false);
    publish_many(&world, 0, 1100);
    let home = ReplicaHome::new(&world.root.path().join("reader"));
    let source = Overtaken::new(&world, "snapshot/", || drop(sync(&world.folder(), &home).unwrap()));
    let mut replica = Replica::open(&home, &location(&world), &source, None).unwrap();
    replica.sync(&source, now()).unwrap();
    assert_eq!(replica.index().stats().unwrap().offered, 1100);
}

/// The one who is late read a checkpoint of the same entries, only signed later. What the other has seen is what
/// a log that goes back is found by.
#[test]
fn a_sync_that_is_overtaken_does_not_forget_what_the_other_has_seen() {
    let world = World::new(false);
    world.publish(&[("acme/a 1.0.0", &[])]).unwrap();
    let home = ReplicaHome::new(&world.root.path().join("reader"));
    sync(&world.folder(), &home).unwrap();
    world.open_as("ann", now() + jiff::SignedDuration::from_secs(1)).renew().unwrap();
    let source = Overtaken::new(&world, "checkpoint", || {
        world.publish(&[("acme/b 1.0.0", &[])]).unwrap();
        drop(sync(&world.folder(), &home).unwrap());
    });
    let mut replica = Replica::open(&home, &location(&world), &source, None).unwrap();
    replica.sync(&source, now()).unwrap();

    let remembered = Replica::offline(&home, &location(&world), None).unwrap();
    assert_eq!(remembered.checkpoint().unwrap().size(), world.fresh_replica().checkpoint().unwrap().size());
}
