use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use weir_fs::FsError;
use weir_kind::{Layout, LayoutFile};
use weir_model::Sha256;

use super::{Before, MadeFrom, Records, apply, current, invalidate};
use crate::error::ProjectError;

/// A project, and the user who works in it.
struct World {
    place: tempfile::TempDir,
    records: Records,
    from: MadeFrom,
}

impl World {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("project");
        for name in ["project", "project/tree", "outside"] {
            fs_err::create_dir(place.path().join(name)).unwrap();
        }
        fs_err::write(place.path().join("outside/precious"), "precious").unwrap();
        fs_err::write(folder.join("weir.toml"), "a").unwrap();
        fs_err::write(folder.join("weir.lock"), "b").unwrap();
        let from = MadeFrom {
            manifests: [("weir.toml", Some(Sha256::of("a")))].into(),
            lock: Sha256::of("b"),
            choice: String::new(),
            packages: 2,
            watched: BTreeMap::new(),
            folders: BTreeMap::new(),
        };
        let records = Records::new(place.path().join("home"));
        Self { place, records, from }
    }

    fn folder(&self) -> PathBuf {
        self.place.path().join("project")
    }

    fn packages(&self) -> PathBuf {
        self.folder().join("weir_packages")
    }

    fn apply(&self, names: &[&str]) -> Result<Before, ProjectError> {
        self.apply_layout(&layout(&self.folder(), names))
    }

    fn apply_layout(&self, layout: &Layout) -> Result<Before, ProjectError> {
        apply(&self.records, &self.folder(), layout, &self.from)
    }

    fn current(&self) -> Option<usize> {
        current(&self.records, &self.folder(), "")
    }

    /// The only record there is.
    fn record(&self) -> PathBuf {
        let mut records = fs_err::read_dir(self.place.path().join("home")).unwrap();
        let record = records.next().unwrap().unwrap().path();
        assert!(records.next().is_none());
        record
    }

    fn link_to_outside(&self, below: &str) {
        let at = self.packages().join(below);
        fs_err::create_dir_all(at.parent().unwrap()).unwrap();
        symlink(self.place.path().join("outside"), at).unwrap();
    }

    #[track_caller]
    fn outside_is_untouched(&self) {
        assert_eq!(fs_err::read_dir(self.place.path().join("outside")).unwrap().count(), 1);
    }
}

fn layout(folder: &Path, names: &[&str]) -> Layout {
    let mut layout = Layout::default();
    for name in names {
        layout.link(format!("packages/{name}"), folder.join("tree"));
    }
    layout.files.push(LayoutFile { path: "map".into(), contents: b"x".to_vec(), executable: false });
    layout
}

#[test]
fn a_layout_is_current_until_anything_it_was_made_from_or_made_of_changes() {
    let world = World::new();
    let at = world.folder();
    assert_eq!(world.apply(&["a/b", "a/c"]).unwrap(), Before::Ours);
    assert_eq!(world.current(), Some(2));
    assert_eq!(current(&world.records, &at, "other"), None);
    for path in ["weir.toml", "weir.lock", "weir_packages/map", "weir_packages/packages/a/b", "tree"] {
        let (from_path, aside) = (at.join(path), at.join("aside"));
        fs_err::rename(&from_path, &aside).unwrap();
        assert_eq!(world.current(), None, "{path}");
        fs_err::rename(&aside, &from_path).unwrap();
    }
    assert_eq!(world.current(), Some(2));
    invalidate(&world.records, &at).unwrap();
    assert_eq!(world.current(), None);
}

#[test]
fn a_record_that_was_cut_short_is_not_taken_for_a_whole_one() {
    let mut world = World::new();
    world.from.packages = 12;
    world.apply(&["a/b", "a/c"]).unwrap();
    let record = world.record();
    let whole = fs_err::read(&record).unwrap();
    for length in 0..whole.len() {
        fs_err::write(&record, &whole[..length]).unwrap();
        assert_eq!(world.current(), None, "{length} bytes of {}", whole.len());
    }
    fs_err::write(&record, &whole).unwrap();
    assert_eq!(world.current(), Some(12));
}

#[test]
fn what_is_no_longer_wanted_goes_and_what_is_not_ours_stays() {
    let world = World::new();
    world.apply(&["a/b", "z/c"]).unwrap();
    fs_err::write(world.packages().join("mine"), "mine").unwrap();
    world.apply(&["a/b"]).unwrap();
    assert!(!world.packages().join("packages/z").exists());
    assert!(world.packages().join("mine").exists());
    fs_err::create_dir_all(world.packages().join("packages/q/r")).unwrap();
    let error = world.apply(&["q/r"]).unwrap_err();
    assert!(error.to_string().contains("in the way"), "{error}");
}

#[test]
fn a_layout_that_came_with_the_folder_is_worth_nothing() {
    let world = World::new();
    world.apply(&["a/b"]).unwrap();
    let (ours, theirs) = (world.packages(), world.folder().join("theirs"));
    // The same in every byte, but copied.
    let copied = std::process::Command::new("cp").arg("-a").arg(&ours).arg(&theirs).status().unwrap();
    assert!(copied.success());
    fs_err::remove_dir_all(&ours).unwrap();
    fs_err::rename(&theirs, &ours).unwrap();
    symlink("/planted", ours.join("packages/a/planted")).unwrap();
    assert_eq!(world.current(), None);
    assert_eq!(world.apply(&["a/b"]).unwrap(), Before::Strange);
    assert!(ours.join("packages/a/planted").symlink_metadata().is_err());
    assert_eq!(world.current(), Some(2));
    world.record();
}

#[test]
fn a_file_that_came_with_the_folder_is_not_lost() {
    let world = World::new();
    fs_err::create_dir_all(world.packages().join("packages/a")).unwrap();
    fs_err::write(world.packages().join("packages/a/mine"), "mine").unwrap();
    let error = world.apply(&["a/b"]).unwrap_err();
    assert!(
        matches!(&error, ProjectError::InTheWay { path } if path.ends_with("packages/a/mine")),
        "{error}"
    );
    fs_err::rename(world.packages().join("packages/a/mine"), world.packages().join("map")).unwrap();
    assert_eq!(world.apply(&["a/b"]).unwrap(), Before::Strange, "a file that is made anew");
}

#[test]
fn a_layout_that_is_moved_with_its_project_is_still_known() {
    let world = World::new();
    world.apply(&["a/b"]).unwrap();
    let moved = world.place.path().join("moved");
    fs_err::rename(world.folder(), &moved).unwrap();
    fs_err::create_dir_all(world.folder().join("tree")).unwrap();
    assert_eq!(current(&world.records, &moved, ""), Some(2));
}

#[test]
fn nothing_is_written_or_removed_through_a_link() {
    for path in ["bin", "packages", ".link-trees", "packages/a"] {
        for known in [false, true] {
            let world = World::new();
            if known {
                world.apply(&[]).unwrap();
            }
            world.link_to_outside(path);
            let error = world.apply(&["a/b"]).unwrap_err();
            assert!(
                matches!(&error, ProjectError::File(FsError::Link { path: at }) if at.ends_with(path)),
                "{error}"
            );
            world.outside_is_untouched();
        }
    }
}

#[test]
fn nothing_is_removed_where_a_link_took_the_place_of_a_folder_later() {
    let world = World::new();
    fs_err::create_dir(world.place.path().join("outside/a")).unwrap();
    fs_err::rename(world.place.path().join("outside/precious"), world.place.path().join("outside/a/b"))
        .unwrap();
    world.apply(&["a/b"]).unwrap();
    fs_err::remove_dir_all(world.packages().join("packages")).unwrap();
    world.link_to_outside("packages");
    assert_eq!(world.current(), None);
    world.apply(&[]).unwrap_err();
    assert!(world.place.path().join("outside/a/b").exists());
}

#[test]
fn a_folder_of_packages_that_is_a_link_is_refused() {
    let world = World::new();
    symlink(world.place.path().join("outside"), world.packages()).unwrap();
    assert!(matches!(world.apply(&["a/b"]), Err(ProjectError::File(FsError::Link { .. }))));
    world.outside_is_untouched();
}

#[test]
fn a_command_that_appeared_is_noticed_and_never_kept() {
    let world = World::new();
    let mut layout = layout(&world.folder(), &["a/b"]);
    layout.link("bin/b", world.folder().join("tree"));
    world.apply_layout(&layout).unwrap();
    assert_eq!(world.current(), Some(2));
    fs_err::write(world.packages().join("bin/ls"), "planted").unwrap();
    assert_eq!(world.current(), None);
    let error = world.apply_layout(&layout).unwrap_err();
    assert!(matches!(&error, ProjectError::InTheWay { path } if path.ends_with("bin/ls")), "{error}");
}

#[test]
fn paths_with_tabs_and_line_breaks_and_other_bytes_are_recorded_as_they_are() {
    let world = World::new();
    let odd = world.folder().join(OsStr::from_bytes(b"a\tb\nc\xff"));
    fs_err::create_dir(&odd).unwrap();
    let mut layout = Layout::default();
    layout.link("packages/a/b", &odd);
    world.apply_layout(&layout).unwrap();
    assert_eq!(world.current(), Some(2));
}
