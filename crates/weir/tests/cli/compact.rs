//! Old releases that are kept as what differs from others: as good as whole ones, for whoever reads.

use std::path::{Path, PathBuf};

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
        let run = t.weir_in("", "registry compact --undo").fails_with(6);
        assert!(
            run.stdout.contains("Made no packs whole") && run.stdout.contains("6 stay as they are"),
            "{run}"
        );
    }
}

fn every_file(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(folder).expect("a folder").flatten() {
        match entry.file_type().expect("a type").is_dir() {
            true => every_file(&entry.path(), into),
            false => into.push(entry.path()),
        }
    }
}

/// Where the tree of this version is: its digest in hex.
fn tree(t: &Sandbox, version: &str) -> String {
    let info = t.weir_in("", "--json info acme/maps --registry ./org").succeeds().stdout;
    let info: serde_json::Value = serde_json::from_str(&info).expect("a document");
    let releases = info["package"]["releases"].as_array().expect("a list");
    let release = releases.iter().find(|one| one["release"]["version"] == version).expect("it is there");
    release["release"]["tree"].as_str().expect("a digest").trim_start_matches("blake3:").to_owned()
}

/// A file of the tree of this version in the registry.
fn file(t: &Sandbox, version: &str, ending: &str) -> PathBuf {
    file_of(t, &tree(t, version), ending)
}

fn file_of(t: &Sandbox, tree: &str, ending: &str) -> PathBuf {
    t.path(format!("org/pack/{}/{tree}.{ending}", &tree[..2]))
}

/// Has the note of this version say another level than the one its pack was made at: other bytes come out.
fn falsified(t: &Sandbox, version: &str) {
    let note = file(t, version, "made");
    let text = fs_err::read_to_string(&note).expect("it is compacted");
    assert!(text.contains("level 12"), "{text}");
    fs_err::write(&note, text.replace("level 12", "level 9")).expect("written");
}

#[test]
fn a_compacted_release_is_promoted_out_of_a_folder() {
    let t = many();
    t.weir_in("", "registry compact").succeeds();
    t.weir_in("", "registry init up --name up").succeeds();
    t.weir_in("", "promote acme/maps@1.1.0 --to ./up --registry org").succeeds();
    t.weir_in("", "registry verify ./up").succeeds();
    t.weir_in("", "registry remove org").succeeds();
    t.weir_in("", "registry add up ./up --default").succeeds();
    installs(&t, "1.1.0");
}

#[test]
fn the_store_is_repaired_from_a_compacted_release() {
    let t = many();
    t.weir_in("", "registry compact").succeeds();
    installs(&t, "1.0.0");
    let table = t.path("app/weir_packages/packages/acme/maps/maps.txt");
    let table = fs_err::canonicalize(table).expect("a link");
    let opened = std::process::Command::new("chmod").arg("u+w").arg(&table).status();
    assert!(opened.expect("chmod").success());
    fs_err::write(&table, "something else").expect("written");
    t.weir("verify").fails_with(6);
    t.weir("store repair").succeeds();
    t.weir("verify").succeeds();
}

#[test]
fn a_registry_copied_without_its_hidden_files_loses_nothing_when_something_is_withdrawn() {
    for withdrawn in ["quarantined", "collected"] {
        let t = many();
        t.weir_in("", "registry compact").succeeds();
        for entry in fs_err::read_dir(t.path("org")).expect("a folder").flatten() {
            if entry.file_name().to_string_lossy().starts_with('.') {
                match entry.file_type().expect("a type").is_dir() {
                    true => gone(&t, &format!("org/{}", entry.file_name().to_string_lossy())),
                    false => fs_err::remove_file(entry.path()).expect("it is ours"),
                }
            }
        }
        // All six are made of the pack of 1.6.0.
        if withdrawn == "quarantined" {
            t.weir_in("", "--registry org quarantine acme/maps@1.6.0 --reason 'a test'").succeeds();
        } else {
            t.weir_in("", "--registry org unpublish acme/maps@1.6.0 --reason 'a test'").succeeds();
            t.weir_in("", "registry gc --removed-for 0").succeeds();
        }
        assert_eq!(kept(&t), (8, 0), "{withdrawn}");
        t.weir_in("", "registry verify org").succeeds();
        installs(&t, "1.3.0");
    }
}

#[test]
fn a_pack_that_would_come_out_with_other_bytes_is_told_and_never_written() {
    let t = many();
    t.weir_in("", "registry compact").succeeds();
    falsified(&t, "1.2.0");
    let run = t.weir_in("", "registry verify org").fails_with(6);
    assert!(run.stdout.contains("✗ the content of `acme/maps 1.2.0`"), "{run}");
    assert!(run.stdout.contains("the pack has the wrong size"), "{run}");

    // The others are made whole, and it is said which one is not.
    let run = t.weir_in("", "registry compact --undo").fails_with(6);
    assert!(run.stdout.contains("✗ `acme/maps 1.2.0`: ") && run.stdout.contains("wrong size"), "{run}");
    assert!(run.stdout.contains("Made 5 packs whole again"), "{run}");
    assert_eq!(kept(&t), (8, 1));

    // Whoever has the package publishes it again.
    publish(&t, "org", "1.2.0");
    t.weir_in("", "registry verify org").succeeds();
    assert_eq!(kept(&t), (9, 0));
    installs(&t, "1.2.0");
}

#[test]
fn what_is_lost_or_damaged_is_mended_by_publishing_it_again() {
    // What a compacted release is made of is lost.
    let t = many();
    t.weir_in("", "registry compact").succeeds();
    let (old, base) = (tree(&t, "1.0.0"), tree(&t, "1.6.0"));
    fs_err::remove_file(t.path(format!("org/delta/{}/{old}/{base}", &old[..2]))).expect("it is compacted");
    let run = t.weir_in("", "registry verify org").fails_with(6);
    assert!(run.stdout.contains("the delta to the tree"), "{run}");
    t.project(&["acme/maps = =1.0.0"]);
    let run = t.weir("install").fails_with(5);
    assert!(run.stderr.contains(&format!("the delta to the tree blake3:{old} from")), "{run}");
    let run = t.weir_in("", "registry compact --undo").fails_with(6);
    assert!(run.stdout.contains("✗ `acme/maps 1.0.0`: the delta to the tree"), "{run}");
    publish(&t, "org", "1.0.0");
    t.weir_in("", "registry verify org").succeeds();
    installs(&t, "1.0.0");

    // So is the pack that others are made of.
    t.weir_in("", "registry compact").succeeds();
    fs_err::remove_file(file(&t, "1.6.0", "zst")).expect("it is whole");
    t.weir_in("", "registry verify org").fails_with(6);
    publish(&t, "org", "1.6.0");
    t.weir_in("", "registry verify org").succeeds();
    installs(&t, "1.1.0");

    // A pack or a delta is damaged on the disk.
    for path in [file(&t, "1.6.0", "zst"), t.path(format!("org/delta/{}/{old}/{base}", &old[..2]))] {
        let mut bytes = fs_err::read(&path).expect("it is there");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs_err::write(&path, bytes).expect("written");
        t.weir_in("", "registry verify org").fails_with(6);
        publish(&t, "org", if path.ends_with(&base) { "1.0.0" } else { "1.6.0" });
        t.weir_in("", "registry verify org").succeeds();
    }
    installs(&t, "1.0.0");
}

#[test]
fn a_damaged_release_can_be_quarantined() {
    let t = many();
    t.weir_in("", "registry compact").succeeds();
    let (old, base) = (tree(&t, "1.0.0"), tree(&t, "1.6.0"));
    fs_err::remove_file(t.path(format!("org/delta/{}/{old}/{base}", &old[..2]))).expect("it is compacted");
    t.weir_in("", "--registry org quarantine acme/maps@1.0.0 --reason 'a test'").succeeds();
    assert!(!file_of(&t, &old, "made").exists());
}

#[test]
fn a_mirror_brings_all_that_is_right_and_tells_what_is_not() {
    let t = many();
    t.weir_in("", "registry compact").succeeds();
    falsified(&t, "1.2.0");
    t.weir_in("", "registry init mirror --name mirror").succeeds();
    t.weir_in("", "registry upstream add ./org --mode mirror --registry ./mirror").succeeds();
    let run = t.weir_in("", "registry upstream follow --content --registry ./mirror").fails_with(6);
    assert!(run.stderr.contains("of `acme/maps 1.2.0` could not be brought"), "{run}");
    assert!(run.stderr.contains("the pack has the wrong size"), "{run}");
    let mut packs = Vec::new();
    every_file(&t.path("mirror/pack"), &mut packs);
    assert_eq!(packs.len(), 8);
}

#[test]
fn a_pack_that_would_come_out_with_other_bytes_is_not_carried_away() {
    let t = many();
    t.weir_in("", "registry compact").succeeds();
    falsified(&t, "1.2.0");
    let run = t.weir_in("", "registry export all.weir --content --registry ./org").fails_with(6);
    assert!(run.stderr.contains(&format!("the pack of the tree blake3:{}", tree(&t, "1.2.0"))), "{run}");
    assert!(run.stderr.contains("the pack has the wrong size"), "{run}");
    assert!(!t.path("all.weir").exists(), "half an export is none");
    // Of what is right as much as is wanted can be.
    t.weir_in("", "registry export log.weir --registry ./org").succeeds();
    publish(&t, "org", "1.2.0");
    t.weir_in("", "registry export all.weir --content --registry ./org").succeeds();
}

#[test]
fn it_is_said_where_a_registry_behind_an_address_is_compacted() {
    let t = many();
    let web = StaticServer::serve(t.path("org")).expect("a port is free");
    t.weir_in("", &format!("registry add web {} --yes", web.url())).succeeds();
    let run = t.weir_in("", "registry compact web").fails_with(2);
    assert!(run.stderr.contains("is decided where its folder is"), "{run}");
    assert!(run.stderr.contains("weir registry compact FOLDER"), "{run}");
}
