//! Garbage, and what is none.

use std::time::Duration;

use weir_model::Digest;
use weir_store::{Item, Reason};

use crate::world::{World, numbered};

const DAY: Duration = Duration::from_hours(24);

#[test]
fn what_a_lockfile_names_is_kept_and_the_rest_is_freed() {
    let world = World::new();
    let (used, unused) = (numbered(1), numbered(2));
    let session = world.session();
    used.ensure(&session);
    unused.ensure(&session);
    drop(session);
    let project = world.project("app", &[used.tree], &[]);
    let later = world.days_later();
    let plan = later.gc_plan(DAY).unwrap();
    assert_eq!(plan.remove.iter().map(|(item, _)| *item).collect::<Vec<_>>(), [Item::Tree(unused.tree)]);
    assert_eq!(plan.bytes(), plan.remove[0].1);
    assert!(plan.bytes() > 0);
    assert_eq!(plan.keep[0].reason, Reason::UsedBy(vec![project]));
    let report = later.gc_apply(&plan).unwrap();
    assert_eq!(report.removed, plan.remove);
    let session = world.session();
    assert!(session.tree(&used.tree).unwrap().is_some());
    assert!(session.tree(&unused.tree).unwrap().is_none());
    assert_eq!(world.rubbish(), [""; 0]);
}

#[test]
fn what_was_used_within_the_grace_period_is_kept() {
    let world = World::new();
    let pack = numbered(1);
    pack.ensure(&world.session());
    let plan = world.store().gc_plan(DAY).unwrap();
    assert!(plan.remove.is_empty());
    assert!(matches!(plan.keep[0].reason, Reason::Recent(age) if age < DAY));
    let plan = world.store().gc_plan(Duration::ZERO).unwrap();
    assert_eq!(plan.remove.len(), 1);
}

#[test]
fn looking_a_tree_up_counts_as_using_it() {
    let world = World::new();
    let pack = numbered(1);
    let tree = pack.ensure(&world.session());
    let old = std::time::SystemTime::now() - 3 * DAY;
    fs_err::File::open(tree.path()).unwrap().file().set_modified(old).unwrap();
    assert_eq!(world.store().gc_plan(DAY).unwrap().remove.len(), 1);
    world.session().tree(&pack.tree).unwrap().unwrap();
    assert_eq!(world.store().gc_plan(DAY).unwrap().remove.len(), 0);
}

#[test]
fn both_the_installed_lockfile_and_the_one_in_the_folder_count() {
    let world = World::new();
    let (installed, pulled) = (numbered(1), numbered(2));
    installed.ensure(&world.session());
    pulled.ensure(&world.session());
    let folder = world.project("app", &[installed.tree], &[]);
    let text = crate::world::lock(&[pulled.tree], &[]).to_text();
    fs_err::write(folder.join("weir.lock"), text).unwrap();
    assert!(world.days_later().gc_plan(DAY).unwrap().remove.is_empty());
}

#[test]
fn a_project_that_is_gone_is_forgotten_and_its_trees_with_it() {
    let world = World::new();
    let pack = numbered(1);
    pack.ensure(&world.session());
    let folder = world.project("app", &[pack.tree], &[]);
    fs_err::remove_dir_all(&folder).unwrap();
    let later = world.days_later();
    let plan = later.gc_plan(DAY).unwrap();
    assert_eq!(plan.forget[0].path, folder);
    let report = later.gc_apply(&plan).unwrap();
    assert_eq!((report.forgotten, report.removed.len()), (vec![folder], 1));
    assert!(world.store().projects().unwrap().is_empty());
}

#[test]
fn while_a_lockfile_cannot_be_read_nothing_is_removed() {
    let world = World::new();
    let pack = numbered(1);
    pack.ensure(&world.session());
    let folder = world.project("app", &[], &[]);
    fs_err::write(folder.join("weir.lock"), "<<<<<<< HEAD").unwrap();
    let plan = world.days_later().gc_plan(DAY).unwrap();
    assert_eq!(plan.unreadable[0].path, folder);
    assert!(plan.remove.is_empty());
    assert_eq!(plan.keep[0].reason, Reason::MayBeUsed);
    assert!(world.store().forget_project(&folder).unwrap());
    assert_eq!(world.days_later().gc_plan(DAY).unwrap().remove.len(), 1);
}

#[test]
fn what_is_used_after_the_plan_was_shown_is_spared() {
    let world = World::new();
    let (one, two) = (numbered(1), numbered(2));
    one.ensure(&world.session());
    two.ensure(&world.session());
    let later = world.days_later();
    let plan = later.gc_plan(DAY).unwrap();
    assert_eq!(plan.remove.len(), 2);
    world.project("app", &[one.tree], &[]);
    let report = later.gc_apply(&plan).unwrap();
    assert_eq!(report.spared, [Item::Tree(one.tree)]);
    assert!(world.session().tree(&one.tree).unwrap().is_some());
    assert!(world.session().tree(&two.tree).unwrap().is_none());
}

#[test]
fn the_collector_waits_for_open_sessions() {
    let world = World::new();
    let pack = numbered(1);
    pack.ensure(&world.session());
    let later = world.days_later();
    let plan = later.gc_plan(DAY).unwrap();
    let session = world.session();
    let tree = session.tree(&pack.tree).unwrap().unwrap();
    std::thread::scope(|scope| {
        let collector = scope.spawn(|| later.gc_apply(&plan).unwrap());
        std::thread::sleep(Duration::from_millis(100));
        assert!(!collector.is_finished());
        assert!(tree.path().join("README.md").is_file());
        world.project("app", &[pack.tree], &[]);
        drop(session);
        assert_eq!(collector.join().unwrap().spared.len(), 1);
    });
}

#[test]
fn a_project_is_named_by_an_absolute_path_and_noted_once() {
    let world = World::new();
    let session = world.session();
    assert!(session.register_project(std::path::Path::new("app"), "").is_err());
    let folder = world.project("app", &[Digest::of("t")], &[]);
    world.project("app", &[Digest::of("t")], &[]);
    let projects = world.store().projects().unwrap();
    assert_eq!(projects.len(), 1);
    assert_eq!(projects[0].path, folder);
    assert_eq!(projects[0].installed.as_ref().unwrap().releases.len(), 1);
}
