//! What holds below a folder, whatever a stranger put there.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use rustix::fs::{CWD, Mode, mkfifoat};
use tempfile::TempDir;
use weir_fs::{Access, Batch, BatchStep, Durability, Folder, FsError, Settled, Sort};

const LIMIT: u64 = 1000;

/// A folder `inside`, and beside it a folder `outside` with a file that must stay as it is.
struct World {
    place: TempDir,
    inside: Folder,
}

impl World {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        for folder in ["inside", "outside"] {
            fs_err::create_dir(place.path().join(folder)).unwrap();
        }
        fs_err::write(place.path().join("outside/precious"), "precious").unwrap();
        let inside = Folder::open(place.path().join("inside")).unwrap();
        Self { place, inside }
    }

    fn path(&self, below: &str) -> std::path::PathBuf {
        self.inside.path().join(below)
    }

    fn write(&self, below: &str, text: &str) {
        fs_err::write(self.path(below), text).unwrap();
    }

    /// A link to the folder outside.
    fn link(&self, below: &str) {
        symlink(self.place.path().join("outside"), self.path(below)).unwrap();
    }

    #[track_caller]
    fn outside_is_untouched(&self) {
        let outside = self.place.path().join("outside");
        assert_eq!(fs_err::read_dir(&outside).unwrap().count(), 1);
        assert_eq!(fs_err::read_to_string(outside.join("precious")).unwrap(), "precious");
    }
}

#[track_caller]
fn is_link<T: std::fmt::Debug>(result: weir_fs::Result<T>, at: &Path) {
    match result {
        Err(FsError::Link { path }) => assert_eq!(path, at),
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_done_through_a_link_on_the_way() {
    let world = World::new();
    world.link("l");
    let (inside, at) = (&world.inside, world.path("l"));
    is_link(inside.folder("l"), &at);
    is_link(inside.find_folder("l/x"), &at);
    is_link(inside.make_folder("l/x"), &at);
    is_link(inside.read("l/precious", LIMIT), &at);
    is_link(inside.look("l/precious"), &at);
    is_link(inside.replace("l/precious", "x", Access::Kept, Durability::Quick), &at);
    is_link(inside.create("l/x", "x", Access::Kept, Durability::Quick), &at);
    is_link(inside.put_link("l/x", "y"), &at);
    is_link(inside.remove_file("l/precious"), &at);
    is_link(inside.remove_empty("l/x"), &at);
    is_link(inside.remove_tree("l/precious"), &at);
    world.outside_is_untouched();
}

#[test]
fn a_link_itself_is_replaced_or_removed_and_what_it_leads_to_stays() {
    let world = World::new();
    let precious = world.place.path().join("outside/precious");
    symlink(&precious, world.path("file")).unwrap();
    world.link("folder");
    is_link(world.inside.read("file", LIMIT), &world.path("file"));
    world.inside.replace("file", "new", Access::Kept, Durability::Durable).unwrap();
    assert_eq!(world.inside.read("file", LIMIT).unwrap(), b"new");
    world.inside.remove_tree("folder").unwrap();
    assert_eq!(world.inside.look("folder").unwrap(), None);
    world.outside_is_untouched();
}

#[test]
fn a_path_that_leaves_the_folder_is_refused() {
    let world = World::new();
    for path in ["../outside/precious", "/etc/passwd", "a/../../outside/precious", "", ".", "a/.."] {
        assert!(
            matches!(world.inside.read(path, LIMIT), Err(FsError::Outside { .. } | FsError::Io { .. })),
            "{path}"
        );
        assert!(world.inside.remove_tree(path).is_err() || !path.contains("outside"), "{path}");
    }
    world.outside_is_untouched();
}

#[test]
fn a_tree_is_removed_with_its_links_and_nothing_behind_them() {
    let world = World::new();
    fs_err::create_dir_all(world.path("tree/a/b")).unwrap();
    world.write("tree/a/b/file", "x");
    world.link("tree/a/link");
    let read_only = std::fs::Permissions::from_mode(0o555);
    for folder in ["tree/a/b", "tree/a"] {
        fs_err::set_permissions(world.path(folder), read_only.clone()).unwrap();
    }
    world.inside.remove_tree("tree").unwrap();
    assert!(world.inside.entries().unwrap().is_empty());
    world.outside_is_untouched();
}

#[test]
fn only_regular_files_are_read_and_none_is_waited_for() {
    let world = World::new();
    mkfifoat(CWD, world.path("pipe"), Mode::RUSR).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(world.path("socket")).unwrap();
    fs_err::create_dir(world.path("folder")).unwrap();
    let sorts = [("pipe", Sort::Pipe), ("socket", Sort::Socket), ("folder", Sort::Folder)];
    for (name, sort) in sorts {
        for result in [world.inside.read(name, LIMIT), weir_fs::read(world.path(name), LIMIT)] {
            assert!(matches!(result, Err(FsError::Other { found, .. }) if found == sort), "{name}");
        }
    }
    assert!(matches!(weir_fs::read("/dev/zero", LIMIT), Err(FsError::Other { found: Sort::Device, .. })));
}

#[test]
fn no_more_is_read_than_is_allowed() {
    let world = World::new();
    world.write("file", "12345");
    assert_eq!(world.inside.read_text("file", 5).unwrap(), "12345");
    assert!(matches!(world.inside.read("file", 4), Err(FsError::TooLarge { limit: 4, .. })));
    let sparse = fs_err::File::create(world.path("sparse")).unwrap();
    sparse.set_len(3 << 30).unwrap();
    assert!(matches!(world.inside.read("sparse", LIMIT), Err(FsError::TooLarge { .. })));
}

#[test]
fn a_file_is_replaced_whole_with_the_mode_it_had() {
    let world = World::new();
    world.write("file", "old");
    fs_err::set_permissions(world.path("file"), std::fs::Permissions::from_mode(0o640)).unwrap();
    let old = world.inside.open_file("file").unwrap();
    world.inside.replace("file", "new", Access::Kept, Durability::Durable).unwrap();
    assert_eq!(std::io::read_to_string(old).unwrap(), "old");
    assert_eq!(world.inside.read_text("file", LIMIT).unwrap(), "new");
    assert_eq!(world.inside.look("file").unwrap().unwrap().mode, 0o640);
    for (access, mode) in [(Access::Private, 0o600), (Access::Public, 0o644)] {
        world.inside.replace("file", "new", access, Durability::Quick).unwrap();
        assert_eq!(world.inside.look("file").unwrap().unwrap().mode, mode);
    }
    assert_eq!(world.inside.entries().unwrap().len(), 1);
}

#[test]
fn a_draft_leaves_nothing_unless_it_is_named() {
    let world = World::new();
    let mut draft = world.inside.draft(Access::Usual).unwrap();
    draft.write_all(b"x").unwrap();
    drop(draft);
    drop(world.inside.draft_folder().unwrap());
    assert!(world.inside.entries().unwrap().is_empty());
}

#[test]
fn a_file_is_created_once() {
    let world = World::new();
    let create = |text: &str| world.inside.create("file", text, Access::Usual, Durability::Quick).unwrap();
    assert!(create("one"));
    assert!(!create("two"));
    assert_eq!(world.inside.read_text("file", LIMIT).unwrap(), "one");
    // Something that appears between the look and the naming is not replaced either.
    let late = world.inside.draft(Access::Usual).unwrap();
    world.write("other", "theirs");
    assert!(!late.create("other", Durability::Quick).unwrap());
    assert_eq!(world.inside.read_text("other", LIMIT).unwrap(), "theirs");
    assert_eq!(world.inside.entries().unwrap().len(), 2);
}

#[test]
fn a_folder_takes_the_place_of_whatever_was_there() {
    let world = World::new();
    fs_err::create_dir(world.path("old")).unwrap();
    world.write("old/file", "old");
    world.link("link");
    for name in ["old", "link", "new"] {
        let draft = world.inside.draft_folder().unwrap();
        draft.folder().replace("new", "new", Access::Usual, Durability::Quick).unwrap();
        draft.replace(name).unwrap();
        assert_eq!(world.inside.folder(name).unwrap().entries().unwrap().len(), 1);
        assert_eq!(world.inside.read_text(format!("{name}/new"), LIMIT).unwrap(), "new");
    }
    assert_eq!(world.inside.entries().unwrap().len(), 3);
    world.outside_is_untouched();
}

#[test]
fn a_link_is_put_once_and_replaced_but_never_put_over_a_file() {
    let world = World::new();
    world.inside.put_link("link", "a").unwrap();
    world.inside.put_link("link", "a").unwrap();
    world.inside.put_link("link", "b").unwrap();
    assert_eq!(world.inside.read_link("link").unwrap(), Path::new("b"));
    world.write("file", "mine");
    let error = world.inside.put_link("file", "a").unwrap_err();
    assert!(matches!(error, FsError::Other { found: Sort::File, wanted: Sort::Link, .. }), "{error}");
    assert_eq!(world.inside.entries().unwrap().len(), 2);
}

#[test]
fn a_folder_that_is_moved_is_the_same_and_a_copy_is_not() {
    let world = World::new();
    let a = world.inside.make_folder("a").unwrap().identity().unwrap();
    world.inside.rename("a", "b").unwrap();
    assert_eq!(world.inside.folder("b").unwrap().identity().unwrap(), a);
    assert_ne!(world.inside.make_folder("a").unwrap().identity().unwrap(), a);
}

#[test]
fn who_wants_a_lock_that_is_held_is_told_and_waits() {
    let world = World::new();
    let lock = world.inside.lock(|| panic!("nobody has it")).unwrap();
    let (told, hears) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let _lock =
                Folder::open(world.inside.path()).unwrap().lock(|| told.send("waits").unwrap()).unwrap();
            told.send("has it").unwrap();
        });
        assert_eq!(hears.recv().unwrap(), "waits");
        assert!(hears.recv_timeout(std::time::Duration::from_millis(50)).is_err());
        drop(lock);
        assert_eq!(hears.recv().unwrap(), "has it");
        waits.join().unwrap();
    });
}

#[test]
fn files_of_a_batch_are_on_the_disk_before_they_have_names_and_replace_what_is_there() {
    let world = World::new();
    world.write("a", "old");
    let steps = std::cell::RefCell::new(Vec::new());
    let step = |step| steps.borrow_mut().push(step);
    let settled = Settled::default();
    let mut batch = Batch::new(&world.inside, &step, &settled);
    for (below, text) in [("a", "new"), ("deep/er/b", "b")] {
        let draft = world.inside.filled_draft(text.as_bytes(), Access::Public).unwrap();
        batch.add(draft, below).unwrap();
    }
    assert_eq!(world.inside.read_text("a", LIMIT).unwrap(), "old", "nothing is named before all is written");
    batch.finish().unwrap();
    assert_eq!(world.inside.read_text("a", LIMIT).unwrap(), "new");
    assert_eq!(world.inside.read_text("deep/er/b", LIMIT).unwrap(), "b");
    let (written, named) = (BatchStep::Written, BatchStep::Named);
    assert_eq!(*steps.borrow(), [written, named, written, named]);
    assert_eq!(world.inside.entries().unwrap().len(), 2, "nothing is left beside them");
}

#[test]
fn a_batch_is_not_led_outside_and_one_that_is_dropped_leaves_nothing() {
    let world = World::new();
    world.link("link");
    let draft = || world.inside.filled_draft(b"x", Access::Public).unwrap();
    let settled = Settled::default();
    let mut batch = Batch::new(&world.inside, &|_| {}, &settled);
    batch.add(draft(), "link/precious").unwrap();
    is_link(batch.finish(), &world.path("link"));
    world.outside_is_untouched();

    let mut batch = Batch::new(&world.inside, &|_| {}, &settled);
    batch.add(draft(), "never").unwrap();
    drop(batch);
    assert_eq!(world.inside.entries().unwrap().len(), 1);
}

#[test]
fn what_is_made_in_a_shared_folder_is_as_open_as_the_folder() {
    let world = World::new();
    let mode = |below: &str| world.inside.look(below).unwrap().unwrap().mode;
    fs_err::set_permissions(world.inside.path(), std::fs::Permissions::from_mode(0o770)).unwrap();
    world.inside.make_shared_folder("one/two", Durability::Durable).unwrap();
    world.inside.lock_file("lock").unwrap();
    assert_eq!([mode("one"), mode("one/two"), mode("lock")], [0o770, 0o770, 0o660]);
}

#[test]
fn a_lock_file_is_no_link() {
    let world = World::new();
    symlink(world.place.path().join("outside/made"), world.path("lock")).unwrap();
    world.inside.lock_file("lock").unwrap_err();
    world.outside_is_untouched();
}
