//! `kill -9` at every named point, and many processes at once. The processes are this test program, started
//! again with what to do in its environment.

use std::convert::Infallible;
use std::io::{Cursor, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use weir_model::{Digest, TreeDigest};
use weir_store::{Faults, Ingredient, Making, Options, POINTS, Part, Readers, Scope, Store};
use weir_tree::Limits;

use crate::world::{World, lock, numbered, with_faults};

const FOLDER: &str = "WEIR_STORE_TEST_FOLDER";
const KILL_AT: &str = "WEIR_STORE_TEST_KILL_AT";

/// Dies where it is told to, as by the kernel's hand.
struct KilledAt(String);

impl Faults for KilledAt {
    fn at(&self, point: &'static str) -> std::io::Result<()> {
        if point == self.0 {
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)?;
        }
        Ok(())
    }
}

fn child(test: &str, folder: &Path, kill_at: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored"])
        .env(FOLDER, folder)
        .env(KILL_AT, kill_at)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Everything a store does, in one life. A second life goes through all of it again.
fn whole_life(folder: &Path, options: Options) {
    let store = Store::open(&folder.join("store"), options).unwrap();
    let session = store.session().unwrap();
    let trees: Vec<TreeDigest> = (0..4).map(|number| *numbered(number).ensure(&session).digest()).collect();
    let fetch = |offset: u64| {
        let rest = &"content"[usize::try_from(offset).unwrap()..];
        Ok::<_, Infallible>(Part { offset, bytes: Box::new(Cursor::new(rest)) })
    };
    session.ensure_file(&Digest::of("content"), 7, Readers::Everybody, fetch).unwrap();
    let making = Making { inputs: Digest::of("inputs"), from: &[Ingredient::Tree(trees[0])] };
    session.derived(&making, |folder| fs_err::write(folder.join("made"), "made")).unwrap();
    let project = folder.join("app");
    fs_err::create_dir_all(&project).unwrap();
    let text = lock(&trees[..2], &[]).to_text();
    fs_err::write(project.join("weir.lock"), &text).unwrap();
    session.register_project(&project, &text).unwrap();
    session.optimise().unwrap();
    damage(session.tree(&trees[3]).unwrap().unwrap().path());
    let report = session.verify(Scope::Everything).unwrap();
    let replace = |_: &_| {
        Ok::<_, Infallible>(weir_store::Replacement::Pack { bytes: None, reader: numbered(3).reader() })
    };
    session.repair(&report, &Limits::default(), replace).unwrap();
    drop(session);
    let plan = store.gc_plan(Duration::from_hours(24)).unwrap();
    let _ = store.gc_apply(&plan).unwrap();
}

fn damage(tree: &Path) {
    fs_err::set_permissions(tree, std::fs::Permissions::from_mode(0o755)).unwrap();
    // An earlier life may have done it, and died.
    let _ = fs_err::remove_file(tree.join("README.md"));
}

fn later() -> SystemTime {
    SystemTime::now() + Duration::from_hours(72)
}

#[test]
#[ignore = "run by the other tests, as a process of its own"]
fn life_that_ends_at_a_point() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let kill_at = std::env::var(KILL_AT).unwrap();
    whole_life(&folder, Options { clock: later, ..with_faults(KilledAt(kill_at)) });
}

#[test]
fn killed_at_any_point_the_store_is_valid_and_the_next_run_ends_well() {
    for point in POINTS {
        let world = World::new();
        let status = child("crashing::life_that_ends_at_a_point", world.folder.path(), point).wait().unwrap();
        assert_eq!(status.signal(), Some(9), "`{point}` was not passed");
        let check = |when: &str| {
            let broken = world.session().verify(Scope::Everything).unwrap().broken;
            // The life damages one tree itself, to repair it.
            let own = |item: &weir_store::Item| *item == weir_store::Item::Tree(numbered(3).tree);
            assert!(broken.iter().all(|broken| own(&broken.item)), "{when} `{point}`: {broken:?}");
        };
        check("after");
        whole_life(world.folder.path(), Options { clock: later, ..Options::default() });
        check("a life after");
        assert_eq!(world.rubbish(), [""; 0], "`{point}`");
        let session = world.session();
        let has = |number| session.tree(&numbered(number).tree).unwrap().is_some();
        assert_eq!([has(0), has(1), has(2), has(3)], [true, true, false, false], "`{point}`");
    }
}

#[test]
#[ignore = "run by the other tests, as a process of its own"]
fn one_of_many() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let session = Store::open(&folder.join("store"), Options::default()).unwrap().session().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for number in 0..10 {
                    let pack = numbered(number);
                    let fetch = || {
                        let mut log =
                            fs_err::OpenOptions::new().append(true).open(folder.join("fetches")).unwrap();
                        log.write_all(b".").unwrap();
                        Ok::<_, Infallible>(pack.reader())
                    };
                    session.ensure_tree(&pack.tree, None, &Limits::default(), fetch).unwrap();
                }
            });
        }
    });
}

#[test]
fn many_processes_unpack_each_tree_once() {
    let world = World::new();
    fs_err::write(world.folder.path().join("fetches"), "").unwrap();
    let children: Vec<_> = (0..6).map(|_| child("crashing::one_of_many", world.folder.path(), "")).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(fs_err::read(world.folder.path().join("fetches")).unwrap().len(), 10);
    assert_eq!(world.rubbish(), [""; 0]);
}
