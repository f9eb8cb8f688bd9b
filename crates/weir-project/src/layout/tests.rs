use super::{MadeFrom, apply, current, invalidate};
use std::collections::BTreeMap;
use std::path::Path;
use weir_kind::{Layout, LayoutFile};
use weir_model::Digest;

fn project() -> (tempfile::TempDir, MadeFrom) {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("weir.toml"), "a").unwrap();
    fs_err::write(folder.path().join("weir.lock"), "b").unwrap();
    fs_err::create_dir(folder.path().join("tree")).unwrap();
    let (manifest, lock) = (Digest::of("a"), Digest::of("b"));
    let from = MadeFrom {
        manifest,
        lock,
        choice: String::new(),
        packages: 2,
        watched: BTreeMap::new(),
        folders: BTreeMap::new(),
    };
    (folder, from)
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
    let (folder, from) = project();
    let at = folder.path();
    apply(at, &layout(at, &["a/b", "a/c"]), &from).unwrap();
    assert_eq!(current(at, ""), Some(2));
    assert_eq!(current(at, "other"), None);
    for path in ["weir.toml", "weir.lock", "weir_packages/map", "weir_packages/packages/a/b", "tree"] {
        let (from_path, aside) = (at.join(path), at.join("aside"));
        fs_err::rename(&from_path, &aside).unwrap();
        assert_eq!(current(at, ""), None, "{path}");
        fs_err::rename(&aside, &from_path).unwrap();
    }
    assert_eq!(current(at, ""), Some(2));
    invalidate(at).unwrap();
    assert_eq!(current(at, ""), None);
}

#[test]
fn a_record_that_was_cut_short_is_not_taken_for_a_whole_one() {
    let (folder, from) = project();
    let at = folder.path();
    apply(at, &layout(at, &["a/b", "a/c"]), &MadeFrom { packages: 12, ..from }).unwrap();
    let record = at.join("weir_packages/.weir-layout");
    let whole = fs_err::read(&record).unwrap();
    for length in 0..whole.len() {
        fs_err::write(&record, &whole[..length]).unwrap();
        assert_eq!(current(at, ""), None, "{length} bytes of {}", whole.len());
    }
    fs_err::write(&record, &whole).unwrap();
    assert_eq!(current(at, ""), Some(12));
}

#[test]
fn what_is_no_longer_wanted_goes_and_what_is_not_ours_stays() {
    let (folder, from) = project();
    let at = folder.path();
    apply(at, &layout(at, &["a/b", "z/c"]), &from).unwrap();
    fs_err::write(at.join("weir_packages/mine"), "mine").unwrap();
    apply(at, &layout(at, &["a/b"]), &from).unwrap();
    assert!(!at.join("weir_packages/packages/z").exists());
    assert!(at.join("weir_packages/mine").exists());
    fs_err::create_dir_all(at.join("weir_packages/packages/q/r")).unwrap();
    let error = apply(at, &layout(at, &["q/r"]), &from).unwrap_err();
    assert!(error.to_string().contains("in the way"), "{error}");
}
