//! A registry behind a plain web server, honest and otherwise. Whatever comes is refused or right.

use insta::assert_snapshot;
use weir_testkit::{Misbehaviour, Sandbox, StaticServer};

use crate::greeting;

/// A registry on the web, a reader of it with a home of its own, and where the content of `acme/str` is.
pub(crate) fn reader() -> (Sandbox, StaticServer, String) {
    let t = greeting();
    let server = StaticServer::serve(t.path("org")).expect("a port is free");
    t.weir_in("", "registry remove org").succeeds();
    t.weir_in("", &format!("registry add web {} --default", server.url())).succeeds();
    t.project(&["acme/str = ^1"]);
    t.weir("lock").succeeds();
    let lock = t.read("app/weir.lock");
    let (_, tree) = lock.split_once("tree = \"blake3:").expect("it is locked");
    let pack = format!("/pack/{}/{}.zst", &tree[..2], &tree[..64]);
    (t, server, pack)
}

#[test]
fn a_plain_web_server_is_all_that_reading_takes() {
    let (t, server, pack) = reader();
    t.weir("install").succeeds();
    assert!(t.path("app/weir_packages/packages/acme/str/str.sh").exists());
    assert_eq!(server.seen().iter().filter(|seen| seen.path == pack).count(), 1);
    t.weir("install --locked").succeeds();
    let before = server.seen().len();
    t.weir("install").succeeds();
    t.weir("install --offline").succeeds();
    assert_eq!(server.seen().len(), before, "nothing to do asks nobody");
}

#[test]
fn an_audit_over_the_web_asks_for_what_the_log_names_and_reads_it_if_it_is_told_to() {
    let (t, server, pack) = reader();
    assert_snapshot!(t.weir("registry verify"), @"
    $ weir registry verify
    ✓ Verified 5 records, 3 releases
    root [HASH]
    Content is there, 3 objects (860 B), and was not read: `--content` reads it
    What else is held cannot be seen from here: that takes the registry's whole folder
    ");
    assert!(server.seen().iter().all(|seen| seen.method == "HEAD" || !seen.path.starts_with("/pack")));
    assert_snapshot!(t.weir("registry verify --content"), @"
    $ weir registry verify --content
    ✓ Verified 5 records, 3 releases, 3 objects of content (860 B)
    root [HASH]
    What else is held cannot be seen from here: that takes the registry's whole folder
    ");

    server.misbehave(&pack, Misbehaviour::WrongBytes);
    t.weir("registry verify").succeeds();
    assert_snapshot!(t.weir("registry verify --content"), @"
    $ weir registry verify --content
    ✗ the content of `acme/str 1.0.0`: the pack of the tree blake3:[DIGEST] is not what it must be: the pack is damaged: it cannot be decompressed: Unknown frame descriptor
    Read 5 records, 3 releases, 2 objects of content (593 B)
    root [HASH]
    What else is held cannot be seen from here: that takes the registry's whole folder
    -- exit code 6
    ");
    server.misbehave(&pack, Misbehaviour::Oversized(7));
    assert_snapshot!(t.weir("registry verify"), @"
    $ weir registry verify
    ✗ the content of `acme/str 1.0.0`: the pack of the tree blake3:[DIGEST] is not what it must be: the pack has the wrong size: expected 267 bytes, got 274
    Read 5 records, 3 releases
    root [HASH]
    Content is there, 2 objects (593 B), and was not read: `--content` reads it
    What else is held cannot be seen from here: that takes the registry's whole folder
    -- exit code 6
    ");
    server.misbehave(&pack, Misbehaviour::Status(404));
    assert_snapshot!(t.weir("registry verify"), @"
    $ weir registry verify
    ✗ the content of `acme/str 1.0.0`: the pack of the tree blake3:[DIGEST] is not in the registry
    Read 5 records, 3 releases
    root [HASH]
    Content is there, 2 objects (593 B), and was not read: `--content` reads it
    What else is held cannot be seen from here: that takes the registry's whole folder
    -- exit code 6
    ");
    server.misbehave(&pack, Misbehaviour::Status(405));
    t.weir("registry verify").fails_with(1);
    server.misbehave_times(&pack, 1, Misbehaviour::Status(405));
    t.weir("registry verify").succeeds();
}

#[test]
fn what_an_audit_could_not_ask_for_is_no_proof_of_anything() {
    let (t, server, pack) = reader();
    server.misbehave(&pack, Misbehaviour::Status(403));
    let run = t.weir("registry verify").fails_with(1);
    assert!(run.stdout.contains("was refused: status 403"), "{run}");
    assert!(run.stdout.contains("Not known of 1 object: no answer came"), "{run}");
    let run = t.weir("registry verify --json").fails_with(1);
    let audit: serde_json::Value = serde_json::from_str(&run.stdout).expect("it is JSON");
    assert_eq!(audit["present"], 2);
    assert_eq!(audit["unanswered"].as_array().map(Vec::len), Some(1));
    assert_eq!((&audit["content-checked"], &audit["content-listed"]), (&false.into(), &false.into()));
    assert_eq!(audit["problems"], serde_json::json!([]));
}

#[test]
fn an_audit_over_the_web_finds_quarantined_content_that_is_served() {
    let (t, _server, pack) = reader();
    let served = t.path(format!("org{pack}"));
    let bytes = fs_err::read(&served).expect("it is there");
    let quarantine = format!("quarantine acme/str@1.0.0 --registry {}", t.path("org").display());
    t.weir_in("", &quarantine).succeeds();
    t.weir("registry verify").succeeds();
    fs_err::write(&served, bytes).expect("it is ours");
    assert_snapshot!(t.weir("registry verify"), @"
    $ weir registry verify
    ✗ quarantined content: the pack of the tree blake3:[DIGEST] is quarantined and served all the same: `weir registry gc` takes it out of reach
    Read 6 records, 3 releases
    root [HASH]
    Content is there, 2 objects (593 B), and was not read: `--content` reads it
    What else is held cannot be seen from here: that takes the registry's whole folder
    -- exit code 6
    ");
}

#[test]
fn publishing_to_a_web_server_that_only_reads_is_told() {
    let (t, _server, _) = reader();
    let folder = t.package("acme/new", "1.0.0").write();
    let run = t.weir_in(&folder, "publish");
    assert_ne!(run.code, 0);
    assert!(run.stderr.contains("can only be read"), "{run}");
}

#[test]
fn content_that_is_not_what_the_lockfile_names_is_never_used() {
    for (misbehaviour, code) in [
        (Misbehaviour::WrongBytes, 6),
        (Misbehaviour::Oversized(1 << 20), 6),
        (Misbehaviour::Truncate(40), 6),
        (Misbehaviour::Endless, 6),
        (Misbehaviour::Status(403), 4),
        (Misbehaviour::Status(404), 5),
        (Misbehaviour::Redirect("http://127.0.0.1:9/elsewhere".into()), 1),
    ] {
        let (t, server, pack) = reader();
        server.misbehave(&pack, misbehaviour.clone());
        let run = t.weir("install");
        assert!(
            run.code == code || (code == 6 && run.code == 1),
            "{misbehaviour:?} ended with {}, not {code}:\n{run}",
            run.code
        );
        assert!(!t.path("app/weir_packages/packages/acme/str").exists(), "{misbehaviour:?}");
        server.behave(&pack);
        t.weir("install").succeeds();
        t.weir("verify").succeeds();
    }
}

#[test]
fn a_mirror_that_stands_still_goes_back_or_lies_about_the_log_is_refused_with_code_6() {
    let (t, server, _) = reader();
    let old = fs_err::read(t.path("org/checkpoint")).expect("it is there");
    // The publisher works on the folder itself; the reader sees it through the server only.
    let publisher = |version: &str| {
        let folder = t.package("acme/str", version).file("str.sh", version).write();
        let registry = t.path("org");
        t.weir_in(&folder, &format!("publish --registry {}", registry.display())).succeeds();
    };
    publisher("1.5.0");
    t.weir("update").succeeds();
    let newer = fs_err::read(t.path("org/checkpoint")).expect("it is there");

    fs_err::write(t.path("org/checkpoint"), &old).expect("it is ours");
    let run = t.weir("update").fails_with(6);
    assert!(run.stderr.contains("went back"), "{run}");
    fs_err::write(t.path("org/checkpoint"), &newer).expect("it is ours");

    publisher("1.6.0");
    server.misbehave("/checkpoint", Misbehaviour::WrongBytes);
    t.weir("update").fails_with(6);
    server.behave("/checkpoint");
    let entries = fs_err::read_dir(t.path("org/tile/entries/000.p")).expect("it is there");
    for entry in entries.flatten() {
        let path = format!("/tile/entries/000.p/{}", entry.file_name().to_string_lossy());
        server.misbehave(&path, Misbehaviour::WrongBytes);
    }
    t.weir("update").fails_with(6);
    assert!(t.read("app/weir.lock").contains("1.5.0"), "the lockfile is as it was");
}

#[test]
fn a_later_release_costs_its_own_bytes_and_a_checkpoint() {
    let (t, server, _) = reader();
    t.weir("outdated").succeeds();
    let folder = t.package("acme/str", "1.5.0").file("str.sh", "x").write();
    t.weir_in(&folder, &format!("publish --registry {}", t.path("org").display())).succeeds();
    let before = server.body_bytes();
    t.weir("outdated").succeeds();
    let checkpoint = fs_err::metadata(t.path("org/checkpoint")).expect("it is there").len();
    let cost = server.body_bytes() - before;
    assert!(cost < 600 + checkpoint, "{cost} bytes, of which {checkpoint} are the checkpoint");
}

/// Bytes that look random and are the same every time.
fn noise(count: usize, mut seed: u64) -> Vec<u8> {
    let step = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 56) as u8
    };
    std::iter::repeat_with(step).take(count).collect()
}

#[test]
fn a_new_version_of_a_large_data_set_transfers_its_difference() {
    let t = greeting();
    let server = StaticServer::serve(t.path("org")).expect("a port is free");
    let registry = t.path("org").display().to_string();
    let publish = |version: &str, bytes: &[u8]| {
        t.write("set/data.bin", bytes);
        let manifest = format!(
            "[package]\nname = \"acme/set\"\nversion = \"{version}\"\nkind = \"data\"\nlicense = \"MIT\"\n"
        );
        t.write("set/weir.toml", manifest);
        t.weir_in("set", "add --reference data data.bin").succeeds();
        // The bytes stay out of the package: they are what the reference is for.
        t.write("set/.weirignore", "data.bin\n");
        t.weir_in("set", &format!("publish --with-references --registry {registry}")).succeeds();
        fs_err::remove_file(t.path("set/data.bin")).expect("it is ours");
    };
    let mut bytes = noise(18 << 20, 7);
    publish("1.0.0", &bytes);
    t.weir_in("", "registry remove org").succeeds();
    t.weir_in("", &format!("registry add web {} --default", server.url())).succeeds();
    t.project(&["acme/set = *"]);
    // A reader of its own: what the publisher's store has does not count.
    let reader = [("WEIR_STORE", t.path("reader").display().to_string())];
    let reader = [(reader[0].0, reader[0].1.as_str())];
    t.weir_with("app", "install", &reader).succeeds();
    let first = server.body_bytes();
    assert!(first > 18 << 20, "{first}");

    bytes.splice(10_000_000..10_000_000, *b"a few bytes more in the middle");
    publish("1.1.0", &bytes);
    t.weir_with("app", "update", &reader).succeeds();
    let second = server.body_bytes() - first;
    assert!(second < 8 << 20, "{second} bytes of {}", bytes.len());
    let installed = fs_err::read(t.path("app/weir_packages/references/acme/set@1.1.0/data"));
    assert_eq!(installed.expect("it is a link"), bytes);
}

#[test]
fn a_fluid_reference_moves_when_it_is_asked_to_and_the_lockfile_says_to_what() {
    let t = greeting();
    let server = StaticServer::serve(t.path("web")).expect("a port is free");
    t.write("web/latest.csv", "1\n");
    t.weir(&format!("add --reference latest {}/latest.csv --fluid", server.url())).succeeds();
    let link = t.path("app/weir_packages/references/latest");
    assert_eq!(fs_err::read_to_string(&link).expect("it is a link"), "1\n");
    let locked = t.read("app/weir.lock");
    assert!(locked.contains("fluid = true"), "{locked}");

    t.write("web/latest.csv", "2\n");
    t.weir("install").succeeds();
    assert_eq!(fs_err::read_to_string(&link).expect("it is a link"), "1\n", "nobody asked");
    t.weir("update").succeeds();
    assert_eq!(fs_err::read_to_string(&link).expect("it is a link"), "2\n");
    assert_ne!(t.read("app/weir.lock"), locked);
    t.weir("remove --reference latest").succeeds();
    assert!(!link.exists());
}

#[test]
fn of_all_that_could_not_be_fetched_it_is_told_why() {
    let (t, server, _) = reader();
    t.project(&["acme/str = ^1", "acme/names = *"]);
    t.weir("lock").succeeds();
    let lock = t.read("app/weir.lock");
    for (_, tree) in lock.match_indices("tree = \"blake3:").map(|(at, found)| (at, &lock[at + found.len()..]))
    {
        server.misbehave(&format!("/pack/{}/{}.zst", &tree[..2], &tree[..64]), Misbehaviour::Status(500));
    }
    let run = t.weir("install").fails_with(1);
    assert!(run.stderr.contains("things could not be fetched"), "{run}");
    assert_eq!(run.stderr.matches("status 500").count(), 2, "{run}");
}
