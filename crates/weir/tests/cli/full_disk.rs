//! A disk without room: what there is no room for is named as its user knows it, with how much it takes, how much is free, and what helps.

use weir_testkit::{Run, Sandbox};

use crate::empty;

const MIB: usize = 1 << 20;

/// A project that needs `acme/maps`, of 4 MiB that no compression makes fewer.
fn maps() -> Sandbox {
    let t = empty();
    t.registry("org");
    publish(&t, "1.0.0", 4 * MIB);
    t.project(&["acme/maps = ^1"]);
    t
}

fn publish(t: &Sandbox, version: &str, size: usize) {
    let folder = write(t, version, size);
    t.weir_in("", &format!("publish {folder}")).succeeds();
}

fn write(t: &Sandbox, version: &str, size: usize) -> String {
    let folder = t.package("acme/maps", version).kind("data").write();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    });
    t.write(format!("{folder}/maps.bin"), noise.take(size).collect::<Vec<u8>>());
    folder
}

/// Where `place` is a disk of 3 MiB.
fn on_a_small_disk(t: &Sandbox, place: &str, folder: &str, typed: &str) -> Run {
    fs_err::create_dir_all(t.path(place)).expect("the sandbox can be written");
    let (place, size) = (t.path(place).display().to_string(), (3 * MIB).to_string());
    t.weir_under(&["bwrap", "--dev-bind", "/", "/", "--size", &size, "--tmpfs", &place], folder, typed)
}

/// Where no file may have more than 1 MiB.
fn within_a_quota(t: &Sandbox, folder: &str, typed: &str) -> Run {
    t.weir_under(&["sh", "-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\""], folder, typed)
}

/// Paths in the store mean nothing to anybody.
#[track_caller]
fn names_no_path_in_the_store(run: &Run) {
    assert!(!run.stderr.contains("store/") && !run.stderr.contains(".part"), "{run}");
}

#[test]
fn a_release_that_does_not_fit_is_named_with_what_it_takes_and_what_is_free() {
    let t = maps();
    let run = on_a_small_disk(&t, "home/weir/store", "app", "install").fails_with(1);
    assert!(run.stderr.contains("the disk is full: `acme/maps 1.0.0` takes 4.0 MiB, and "), "{run}");
    assert!(run.stderr.contains(" MiB are free where the store is\n"), "{run}");
    assert!(run.stderr.contains("`weir store gc` takes out"), "{run}");
    names_no_path_in_the_store(&run);
    assert!(!t.path("app/weir.lock").exists());
}

#[test]
fn where_a_user_may_not_have_more_the_same_is_named() {
    let t = maps();
    for typed in ["install", "add acme/maps@=1.0.0"] {
        let run = within_a_quota(&t, "app", typed).fails_with(1);
        let said = "the disk is full, or what this user may have of it: `acme/maps 1.0.0` takes 4.0 MiB\n";
        assert!(run.stderr.contains(said), "{run}");
        names_no_path_in_the_store(&run);
    }
}

#[test]
fn fetching_ahead_names_what_there_was_no_room_for() {
    let t = empty();
    t.registry("org");
    publish(&t, "1.0.0", 1000);
    t.project(&["acme/maps = ^1"]);
    t.weir("install").succeeds();
    publish(&t, "1.1.0", 4 * MIB);
    let run = within_a_quota(&t, "app", "prefetch").fails_with(1);
    assert!(run.stderr.contains("`acme/maps 1.1.0` takes 4.0 MiB"), "{run}");
    assert!(run.stderr.contains("0 of 1 releases were fetched, and stay"), "{run}");
    names_no_path_in_the_store(&run);
}

#[test]
fn a_reference_that_does_not_fit_is_named() {
    let t = maps();
    t.write("shared/large", vec![7; 4 * MIB]);
    let sha256 = weir_model::Sha256::of(vec![7; 4 * MIB]);
    let manifest = format!(
        "[references]\nlarge = {{ url = \"../shared/large\", sha256 = \"{sha256}\", size = {} }}\n",
        4 * MIB
    );
    t.write("other/weir.toml", manifest);
    let run = within_a_quota(&t, "other", "install").fails_with(1);
    assert!(run.stderr.contains("the disk is full") && run.stderr.contains("`large` takes 4.0 MiB"), "{run}");
    names_no_path_in_the_store(&run);
}

#[test]
fn who_publishes_or_packs_is_told_that_the_disk_is_full() {
    let t = maps();
    let folder = write(&t, "2.0.0", 4 * MIB);
    let run = within_a_quota(&t, "", &format!("publish {folder}")).fails_with(1);
    assert!(run.stderr.contains("the disk is full"), "{run}");
    t.weir_in("", "registry verify org").succeeds();
    let run = within_a_quota(&t, "", &format!("pack {folder} -o out.pack")).fails_with(1);
    assert!(run.stderr.contains("the disk is full: cannot write the pack"), "{run}");
    assert!(!t.path("out.pack").exists());
    t.weir_in("", &format!("publish {folder}")).succeeds();
}
