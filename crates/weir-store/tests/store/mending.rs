//! Damage, found and mended.

use std::convert::Infallible;
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use weir_model::Digest;
use weir_store::{Damage, Ingredient, Item, Making, Mended, Part, Readers, Replacement, Scope};
use weir_tree::Limits;

use crate::world::{World, numbered};

fn overwrite(path: &Path, content: &str) {
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    fs_err::write(path, content).unwrap();
}

#[test]
fn a_changed_file_is_found_and_its_tree_replaced() {
    let world = World::new();
    let session = world.session();
    let (good, bad) = (numbered(1), numbered(2));
    good.ensure(&session);
    let tree = bad.ensure(&session);
    let report = session.verify(Scope::Everything).unwrap();
    assert_eq!((report.items, report.broken.len()), (2, 0));
    overwrite(&tree.path().join("README.md"), "tampered");
    let report = session.verify(Scope::Everything).unwrap();
    assert_eq!(report.broken[0].item, Item::Tree(bad.tree));
    assert!(matches!(&report.broken[0].damage, Damage::Differences(found) if found.len() == 1));
    let fetch = |item: &Item| {
        assert_eq!(*item, Item::Tree(bad.tree));
        Ok::<_, Infallible>(Replacement::Pack { bytes: None, reader: bad.reader() })
    };
    let repair = session.repair(&report, &Limits::default(), fetch).unwrap();
    assert!(matches!(repair.items[0].1, Mended::Replaced));
    assert!(session.verify(Scope::Everything).unwrap().broken.is_empty());
    assert_eq!(fs_err::read_to_string(tree.path().join("README.md")).unwrap(), "tree number 2\n");
    assert_eq!(world.rubbish(), [""; 0]);
}

#[test]
fn a_missing_manifest_is_made_again_from_its_tree() {
    let world = World::new();
    let session = world.session();
    let pack = numbered(1);
    let tree = pack.ensure(&session);
    fs_err::remove_file(tree.path().with_extension("manifest")).unwrap();
    let report = session.verify(Scope::Only(&[Item::Tree(pack.tree)])).unwrap();
    assert!(matches!(report.broken[0].damage, Damage::Manifest));
    let fetch = |_: &Item| -> Result<Replacement, Infallible> { panic!("nothing needs to be fetched") };
    let repair = session.repair(&report, &Limits::default(), fetch).unwrap();
    assert!(matches!(repair.items[0].1, Mended::ManifestRestored));
    assert!(session.verify(Scope::Everything).unwrap().broken.is_empty());
}

#[test]
fn what_nobody_has_stays_but_what_was_made_here_is_removed_to_be_made_again() {
    let world = World::new();
    let session = world.session();
    let pack = numbered(1);
    let fetched = pack.ensure(&session);
    let making = Making { inputs: Digest::of("inputs"), from: &[Ingredient::Tree(pack.tree)] };
    let make = |folder: &Path| fs_err::write(folder.join("made"), "made");
    let made = session.derived(&making, make).unwrap();
    overwrite(&fetched.path().join("README.md"), "tampered");
    overwrite(&made.path().join("made"), "tampered");
    let report = session.verify(Scope::Everything).unwrap();
    assert_eq!(report.broken.len(), 2);
    let nowhere = |_: &Item| Ok::<_, Infallible>(Replacement::Nowhere);
    let repair = session.repair(&report, &Limits::default(), nowhere).unwrap();
    for (item, mended) in &repair.items {
        match item {
            Item::Tree(tree) if *tree == pack.tree => assert!(matches!(mended, Mended::Kept)),
            _ => assert!(matches!(mended, Mended::Removed)),
        }
    }
    let again = session.derived(&making, make).unwrap();
    assert_eq!(fs_err::read_to_string(again.path().join("made")).unwrap(), "made");
}

#[test]
fn a_replacement_that_is_wrong_itself_replaces_nothing() {
    let world = World::new();
    let session = world.session();
    let (pack, other) = (numbered(1), numbered(2));
    let tree = pack.ensure(&session);
    overwrite(&tree.path().join("README.md"), "tampered");
    let report = session.verify(Scope::Everything).unwrap();
    let wrong = |_: &Item| Ok::<_, Infallible>(Replacement::Pack { bytes: None, reader: other.reader() });
    let repair = session.repair(&report, &Limits::default(), wrong).unwrap();
    assert!(matches!(repair.items[0].1, Mended::Failed(_)));
    assert!(tree.path().join("bin/run").is_file());
}

#[test]
fn a_changed_referenced_file_is_replaced() {
    let world = World::new();
    let session = world.session();
    let digest = Digest::of("content");
    let reader = || Box::new(Cursor::new("content"));
    let fetch = |offset| Ok::<_, Infallible>(Part { offset, bytes: reader() });
    let file = session.ensure_file(&digest, 7, Readers::Everybody, fetch).unwrap();
    overwrite(file.path(), "tampered");
    let report = session.verify(Scope::Everything).unwrap();
    assert!(matches!(report.broken[0].damage, Damage::Content(got) if got == Digest::of("tampered")));
    let fetch = |_: &Item| Ok::<_, Infallible>(Replacement::File { bytes: 7, reader: reader() });
    session.repair(&report, &Limits::default(), fetch).unwrap();
    assert_eq!(fs_err::read_to_string(file.path()).unwrap(), "content");
}
