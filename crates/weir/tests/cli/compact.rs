//! Old releases that are kept as what differs from others: as good as whole ones, for whoever reads.

use insta::assert_snapshot;
use weir_testkit::{Sandbox, StaticServer};

use crate::deltas::{publish, table};
use crate::empty;

/// A registry in `org` with nine releases of `acme/maps`.
fn many() -> Sandbox {
    let t = empty();
    t.registry("org");
    for minor in 0..9 {
        publish(&t, "org", &format!("1.{minor}.0"));
    }
    t
}

fn gone(t: &Sandbox, folder: &str) {
    if t.path(folder).exists() {
        let opened = std::process::Command::new("chmod").args(["-R", "u+w"]).arg(t.path(folder)).status();
        assert!(opened.expect("chmod").success());
        fs_err::remove_dir_all(t.path(folder)).expect("it is ours");
    }
}

/// How many packs the registry keeps whole, and how many notes it has.
fn kept(t: &Sandbox) -> (usize, usize) {
    let shards = fs_err::read_dir(t.path("org/pack")).expect("a folder").flatten();
    let files = shards.flat_map(|shard| fs_err::read_dir(shard.path()).expect("a folder").flatten());
    let names: Vec<_> = files.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
    let ending = |ending: &str| names.iter().filter(|name| name.ends_with(ending)).count();
    (ending(".zst"), ending(".made"))
}

/// A project on a machine that has nothing installs this version, and it is right.
#[track_caller]
fn installs(t: &Sandbox, version: &str) {
    gone(t, "home/weir/store");
    gone(t, "app");
    t.project(&[&format!("acme/maps = ={version}")]);
    t.weir("install").succeeds();
    assert_eq!(t.read("app/weir_packages/packages/acme/maps/maps.txt"), table(version));
}

#[test]
fn old_releases_take_little_space_and_are_read_as_before() {
    let t = many();
    assert_eq!(kept(&t), (9, 0));
    assert_snapshot!(t.weir_in("", "registry compact"), @"
    $ weir registry compact
    Compacted 6 packs: 1.6 KiB in place of 137.8 KiB
    ");
    assert_eq!(kept(&t), (3, 6));
    t.weir_in("", "registry verify org").succeeds();
    installs(&t, "1.0.0");
    installs(&t, "1.8.0");
    assert_snapshot!(t.weir_in("", "registry compact"), @"
    $ weir registry compact
    Compacted nothing
      6 compacted before
    ");

    // A machine that has a release goes to another as before.
    t.write("app/weir.toml", t.read("app/weir.toml").replace("=1.8.0", "=1.2.0"));
    t.weir("update").succeeds();
    assert_eq!(t.read("app/weir_packages/packages/acme/maps/maps.txt"), table("1.2.0"));

    assert_snapshot!(t.weir_in("", "registry compact --undo"), @"
    $ weir registry compact --undo
    Made 6 packs whole again (137.8 KiB)
    ");
    assert_eq!(kept(&t), (9, 0));
    t.weir_in("", "registry verify org").succeeds();
}

#[test]
fn a_release_at_a_time_the_packs_that_others_need_stay_few() {
    let t = empty();
    t.registry("org");
    for minor in 0..12 {
        publish(&t, "org", &format!("1.{minor}.0"));
        t.weir_in("", "registry compact").succeeds();
    }
    assert_eq!(kept(&t), (4, 8));
    t.weir_in("", "registry verify org").succeeds();
    installs(&t, "1.5.0");
}

#[test]
fn any_web_server_serves_them() {
    let t = many();
    t.weir_in("", "registry compact").succeeds();
    let web = StaticServer::serve(t.path("org")).expect("a port is free");
    t.weir_in("", "registry remove org").succeeds();
    t.weir_in("", &format!("registry add web {} --default --yes", web.url())).succeeds();
    installs(&t, "1.1.0");
    assert!(web.seen().iter().any(|seen| seen.path.ends_with(".made")));
    t.weir_in("", "registry verify web --content").succeeds();
}

#[test]
fn what_others_need_can_be_withdrawn() {
    let t = many();
    t.weir_in("", "registry compact").succeeds();
    // All six are made of the pack of 1.6.0.
    t.weir_in("", "--registry org quarantine acme/maps@1.6.0 --reason 'a test'").succeeds();
    assert_eq!(kept(&t), (8, 0));
    t.weir_in("", "registry verify org").succeeds();
    installs(&t, "1.3.0");

    // One that is compacted itself is as much out of reach as another.
    t.weir_in("", "registry compact").succeeds();
    let (whole, notes) = kept(&t);
    assert!(notes > 0);
    t.weir_in("", "--registry org quarantine acme/maps@1.2.0 --reason 'a test'").succeeds();
    assert_eq!(kept(&t), (whole, notes - 1));
    t.weir_in("", "registry verify org").succeeds();
    t.weir_in("", "--registry org unquarantine acme/maps@1.2.0").succeeds();
    installs(&t, "1.2.0");
}

#[test]
fn what_was_removed_and_collected_takes_nobody_with_it() {
    let t = many();
    t.weir_in("", "registry compact").succeeds();
    t.weir_in("", "--registry org unpublish acme/maps@1.6.0 --reason 'a test'").succeeds();
    t.weir_in("", "registry gc --removed-for 0").succeeds();
    t.weir_in("", "registry verify org").succeeds();
    installs(&t, "1.3.0");
}

#[test]
fn whatever_is_damaged_is_told() {
    for what in ["pack", "delta"] {
        let t = many();
        t.weir_in("", "registry compact").succeeds();
        let mut files = Vec::new();
        every_file(&t.path(format!("org/{what}")), &mut files);
        files.retain(|file| file.extension().is_none_or(|ending| ending != "made"));
        for file in files {
            let mut bytes = fs_err::read(&file).expect("read");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs_err::write(&file, bytes).expect("written");
        }
        t.weir_in("", "registry verify org").fails_with(6);
        t.project(&["acme/maps = =1.0.0"]);
        t.weir("install").fails_with(6);
        assert!(!t.path("app/weir_packages").exists());
    }
}

fn every_file(folder: &std::path::Path, into: &mut Vec<std::path::PathBuf>) {
    for entry in fs_err::read_dir(folder).expect("a folder").flatten() {
        match entry.file_type().expect("a type").is_dir() {
            true => every_file(&entry.path(), into),
            false => into.push(entry.path()),
        }
    }
}
