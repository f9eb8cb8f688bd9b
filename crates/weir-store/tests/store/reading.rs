//! Who may read a store, and what is in it.

use std::convert::Infallible;
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use weir_model::Digest;
use weir_store::{Options, Part, Readers, Store};
use weir_tree::ImportOptions;

use crate::world::{World, tarball};

fn mode(path: &Path) -> u32 {
    fs_err::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_store_is_its_users_alone_unless_it_is_made_to_be_shared() {
    let world = World::new();
    world.store();
    assert_eq!(mode(&world.root()), 0o700);
    let shared = world.folder.path().join("shared");
    Store::open(&shared, Options { readers: Readers::Everybody, ..Options::default() }).unwrap();
    assert_eq!(mode(&shared) & 0o055, 0o055);
}

/// Somebody made the folder for whom they meant it.
#[test]
fn a_folder_that_is_there_keeps_its_mode() {
    let world = World::new();
    fs_err::create_dir(world.root()).unwrap();
    fs_err::set_permissions(world.root(), std::fs::Permissions::from_mode(0o750)).unwrap();
    world.store();
    assert_eq!(mode(&world.root()), 0o750);
}

#[test]
fn what_is_the_owners_alone_is_so_as_a_file_and_unpacked() {
    let world = World::new();
    let session = world.session();
    let tar = tarball();
    let digest = Digest::of(&tar);
    let fetch = |_| Ok::<_, Infallible>(Part { offset: 0, bytes: Box::new(Cursor::new(tar.clone())) });
    let file = session.ensure_file(&digest, tar.len() as u64, Readers::Owner, fetch).unwrap();
    assert_eq!(mode(file.path()), 0o400);
    let tree = session.ensure_unpacked(&digest, &ImportOptions::default()).unwrap();
    assert_eq!(mode(tree.path()), 0o500);
}
