//! Trees made on this machine.

use std::convert::Infallible;
use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use weir_model::Digest;
use weir_store::{EnsureError, Ingredient, Making, Part, Readers, StoreError};
use weir_tree::{ImportOptions, Limits, Selection};

use crate::world::{World, contents, numbered, tarball};

const DAY: Duration = Duration::from_hours(24);

fn write_one(folder: &Path) -> Result<(), Infallible> {
    fs_err::create_dir(folder.join("sub")).unwrap();
    fs_err::write(folder.join("sub/made.sh"), "made").unwrap();
    Ok(())
}

#[test]
fn a_tree_is_made_once_for_its_inputs_and_read_only() {
    let world = World::new();
    let session = world.session();
    let making = Making { inputs: Digest::of("inputs"), from: &[] };
    assert_eq!(session.derived_tree(&making.inputs).unwrap(), None);
    let tree = session.derived(&making, write_one).unwrap();
    assert_eq!(contents(tree.path())["sub/made.sh"], ("made".into(), 0o444));
    let again = session.derived(&making, |_| -> Result<(), Infallible> { panic!("it is made") }).unwrap();
    assert_eq!(again, tree);
    assert_eq!(world.rubbish(), [""; 0]);
}

#[test]
fn what_fails_to_be_made_leaves_nothing() {
    let world = World::new();
    let making = Making { inputs: Digest::of("inputs"), from: &[] };
    let fails = |folder: &Path| {
        write_one(folder).unwrap();
        Err("no rule for that")
    };
    let error = world.session().derived(&making, fails).unwrap_err();
    assert!(matches!(error, EnsureError::Source("no rule for that")));
    assert_eq!(world.rubbish(), [""; 0]);
    assert_eq!(world.session().derived_tree(&making.inputs).unwrap(), None);
}

#[test]
fn a_made_tree_is_kept_while_its_sources_are_used_and_freed_with_them() {
    let world = World::new();
    let source = numbered(1);
    let session = world.session();
    source.ensure(&session);
    let making = Making { inputs: Digest::of("inputs"), from: &[Ingredient::Tree(source.tree)] };
    session.derived(&making, write_one).unwrap();
    drop(session);
    world.project("app", &[source.tree], &[]);
    let later = world.days_later();
    assert!(later.gc_plan(DAY).unwrap().remove.is_empty());
    world.project("app", &[], &[]);
    let plan = later.gc_plan(DAY).unwrap();
    assert_eq!(plan.remove.len(), 3, "source, made tree and note: {:?}", plan.remove);
    let _ = later.gc_apply(&plan).unwrap();
    assert_eq!(world.session().derived_tree(&making.inputs).unwrap(), None);
}

#[test]
fn a_folder_becomes_the_tree_it_is() {
    let world = World::new();
    let folder = world.folder.path().join("checkout");
    fs_err::create_dir(&folder).unwrap();
    write_one(&folder).unwrap();
    let session = world.session();
    let tree = session.add_folder(&folder, &Selection::everything(), &Limits::default()).unwrap();
    assert_eq!(contents(tree.path())["sub/made.sh"].0, "made");
    assert!(folder.join("sub/made.sh").is_file());
}

#[test]
fn an_archive_is_unpacked_once_and_kept_while_its_file_is_used() {
    let world = World::new();
    let session = world.session();
    let tar = tarball();
    let digest = Digest::of(&tar);
    let options = ImportOptions::default();
    let error = session.ensure_unpacked(&digest, &options).unwrap_err();
    assert!(matches!(error, EnsureError::Store(StoreError::Missing { .. })), "{error}");
    let fetch = |_| Ok::<_, Infallible>(Part { offset: 0, bytes: Box::new(Cursor::new(tar.clone())) });
    session.ensure_file(&digest, tar.len() as u64, Readers::Everybody, fetch).unwrap();
    let tree = session.ensure_unpacked(&digest, &options).unwrap();
    assert_eq!(contents(tree.path())["hello.txt"], ("hello".into(), 0o444));
    assert_eq!(session.ensure_unpacked(&digest, &options).unwrap(), tree);
    drop(session);
    world.project("app", &[], &[digest]);
    assert!(world.days_later().gc_plan(DAY).unwrap().remove.is_empty());
}
