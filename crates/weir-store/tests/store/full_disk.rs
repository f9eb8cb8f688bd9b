//! A disk that is full, and a store that may not be written.

use weir_store::{EnsureError, POINTS, Scope, Store, StoreError};

use crate::world::{DiskFullAt, World, numbered, with_faults};

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
