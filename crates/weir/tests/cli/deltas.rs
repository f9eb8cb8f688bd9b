//! Updating by what differs: from a folder, from the web and from a server; and everything that can be wrong with a delta.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use insta::assert_snapshot;
use weir_testkit::{Misbehaviour, Run, Sandbox, StaticServer, WeirServer};

use crate::empty;

/// A table that no compression makes small.
pub(crate) fn table(changed: &str) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut table = String::new();
    for line in 0..2000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        table.push_str(&format!("{line} {state:016x}\n"));
    }
    table.replace("\n1000 ", &format!("\n{changed} "))
}

/// Publishes `acme/maps` in this version, into the registry in `registry`.
pub(crate) fn publish(t: &Sandbox, registry: &str, version: &str) {
    let folder = t.package("acme/maps", version).kind("data").file("maps.txt", &table(version)).write();
    t.weir_in("", &format!("--registry {registry} publish {folder}")).succeeds();
}

/// A registry `org` with `acme/maps` 1.0.0, which a project has installed, and 1.1.0.
fn updated() -> Sandbox {
    let t = empty();
    t.registry("org");
    publish(&t, "org", "1.0.0");
    t.project(&["acme/maps = ^1"]);
    t.weir("install").succeeds();
    publish(&t, "org", "1.1.0");
    t
}

/// The same behind a web server.
fn on_the_web() -> (Sandbox, StaticServer) {
    let t = empty();
    t.weir_in("", "registry init org --name org").succeeds();
    publish(&t, "./org", "1.0.0");
    let server = StaticServer::serve(t.path("org")).expect("a port is free");
    t.weir_in("", &format!("registry add web {} --default --yes", server.url())).succeeds();
    t.project(&["acme/maps = ^1"]);
    t.weir("install").succeeds();
    publish(&t, "./org", "1.1.0");
    (t, server)
}

/// The digests of the trees that a project's lockfile names.
fn tree(t: &Sandbox) -> String {
    let lock = t.read("app/weir.lock");
    let (_, tree) = lock.split_once("tree = \"blake3:").expect("it is locked");
    tree[..64].to_owned()
}

/// The tree of the newest release that is offered.
fn newest(t: &Sandbox) -> String {
    let info = json(&t.weir("--json info acme/maps").succeeds());
    let tree = info["package"]["releases"][0]["release"]["tree"].as_str().expect("a digest");
    tree.trim_start_matches("blake3:").to_owned()
}

fn json(run: &Run) -> serde_json::Value {
    serde_json::from_str(&run.stdout).expect("a document")
}

fn delta(from: &str, to: &str) -> String {
    format!("/delta/{}/{to}/{from}", &to[..2])
}

fn pack(tree: &str) -> String {
    format!("/pack/{}/{tree}.zst", &tree[..2])
}

/// The project has this version, whole.
#[track_caller]
fn has(t: &Sandbox, version: &str) {
    assert_eq!(t.read("app/weir_packages/packages/acme/maps/maps.txt"), table(version));
    t.weir("verify").succeeds();
}

#[test]
fn who_updates_fetches_what_differs() {
    let t = updated();
    assert_snapshot!(t.weir_in("", "registry deltas"), @"
    $ weir registry deltas
    Made 1 delta (288 B), in place of 22.9 KiB
    ");
    assert_snapshot!(t.weir_in("", "registry deltas"), @"
    $ weir registry deltas
    Made no deltas
      1 there before
    ");
    assert_snapshot!(t.weir("update"), @"
    $ weir update
    Installed 1 package, 1 fetched (288 B; deltas saved 22.6 KiB)
     ^  acme/maps  1.0.0 → 1.1.0
    ");
    has(&t, "1.1.0");
    t.weir_in("", "registry verify").succeeds();

    publish(&t, "org", "1.2.0");
    t.weir_in("", "registry deltas").succeeds();
    let said = json(&t.weir("--json update").succeeds());
    let (fetched, saved) = (&said["install"]["fetched-bytes"], &said["install"]["saved-bytes"]);
    let (fetched, saved) = (fetched.as_u64().expect("a number"), saved.as_u64().expect("a number"));
    assert!(fetched * 20 < saved, "{fetched} of {saved}");
    has(&t, "1.2.0");
}

#[test]
fn over_the_web_a_delta_is_one_request_and_one_that_is_not_there_is_one_too() {
    let (t, server) = on_the_web();
    let first = tree(&t);
    let before = server.seen().len();
    t.weir("update").succeeds();
    let second = tree(&t);
    let asked: Vec<String> = server.seen().drain(before..).map(|seen| seen.path).collect();
    assert_eq!(asked[asked.len() - 2..], [delta(&first, &second), pack(&second)]);
    has(&t, "1.1.0");

    publish(&t, "./org", "1.2.0");
    t.weir_in("", "registry deltas ./org").succeeds();
    let (before, bytes) = (server.seen().len(), server.body_bytes());
    let run = t.weir("update").succeeds();
    let third = tree(&t);
    let asked: Vec<String> = server.seen().drain(before..).map(|seen| seen.path).collect();
    assert_eq!(asked.last(), Some(&delta(&second, &third)), "{run}");
    assert!(server.body_bytes() - bytes < 4000, "{} bytes", server.body_bytes() - bytes);
    has(&t, "1.2.0");
}

#[test]
fn a_delta_that_lies_is_refused_and_the_pack_fetched() {
    for lie in [Misbehaviour::WrongBytes, Misbehaviour::Oversized(1 << 20), Misbehaviour::Status(403)] {
        let (t, server) = on_the_web();
        t.weir_in("", "registry deltas ./org").succeeds();
        let first = tree(&t);
        let second = newest(&t);
        server.misbehave(&delta(&first, &second), lie.clone());
        let run = t.weir("update").succeeds();
        let tells = !matches!(lie, Misbehaviour::Status(_));
        assert_eq!(run.stderr.contains("is not what it must be"), tells, "{lie:?}: {run}");
        assert!(server.seen().iter().any(|seen| seen.path == pack(&second)), "{lie:?}");
        has(&t, "1.1.0");
    }
}

#[test]
fn without_a_sound_base_the_pack_is_fetched() {
    // It was collected meanwhile.
    let (t, server) = on_the_web();
    t.weir_in("", "registry deltas ./org").succeeds();
    let first = tree(&t);
    let folder = t.path(format!("home/weir/store/tree/{}", &first[..2]));
    fs_err::rename(folder.join(&first), t.path("collected")).expect("it is ours");
    t.weir("update").succeeds();
    assert!(!server.seen().iter().any(|seen| seen.path.starts_with("/delta")));
    has(&t, "1.1.0");

    // Its file was written to.
    let (t, server) = on_the_web();
    t.weir_in("", "registry deltas ./org").succeeds();
    let first = tree(&t);
    let file = t.path(format!("home/weir/store/tree/{}/{first}/maps.txt", &first[..2]));
    fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("it is ours");
    fs_err::write(&file, table("oops!")).expect("it is ours");
    let run = t.weir("update").succeeds();
    assert!(server.seen().iter().any(|seen| seen.path == delta(&first, &tree(&t))), "{run}");
    has(&t, "1.1.0");
}

#[test]
fn what_is_quarantined_is_not_to_be_had_as_a_delta_either() {
    let t = updated();
    t.weir_in("", "registry deltas").succeeds();
    let deltas = || {
        fs_err::read_dir(t.path("org/delta")).map_or(0, |shards| {
            shards.flatten().flat_map(|shard| fs_err::read_dir(shard.path()).expect("a folder")).count()
        })
    };
    assert_eq!(deltas(), 1);
    t.weir_in("", "quarantine acme/maps@1.1.0 --reason 'a test'").succeeds();
    assert_eq!(deltas(), 0);
    assert_snapshot!(t.weir_in("", "registry deltas"), @"
    $ weir registry deltas
    Made no deltas
    ");
    t.weir_in("", "registry verify").succeeds();
}

#[test]
fn verifying_a_registry_reads_its_deltas() {
    let t = updated();
    let first = tree(&t);
    t.weir_in("", "registry deltas").succeeds();
    t.weir("update").succeeds();
    let path = format!("org{}", delta(&first, &tree(&t)));
    let mut bytes = fs_err::read(t.path(&path)).expect("it was made");
    let last = bytes.len() - 40;
    bytes[last] ^= 1;
    t.write(&path, bytes);
    assert_snapshot!(t.weir_in("", "registry verify"), @"
    $ weir registry verify
    ✗ a delta: the delta to the tree blake3:[DIGEST] from blake3:[DIGEST] is not what it must be: the delta is damaged: it cannot be decompressed: Data corruption detected
    Read 4 records, 2 releases, 2 objects of content (45.9 KiB)
    root [HASH]
    -- exit code 6
    ");
}

#[test]
fn a_server_makes_a_delta_when_it_is_first_asked_for() {
    let t = empty();
    fs_err::create_dir_all(t.path("data/registries")).expect("the sandbox can be written");
    t.weir_in("", "registry init data/registries/org --name org").succeeds();
    publish(&t, "./data/registries/org", "1.0.0");
    let server = WeirServer::start(&t, "data", &[]);
    t.weir_in("", &format!("registry add web {}/org --default --yes", server.url())).succeeds();
    t.project(&["acme/maps = ^1"]);
    t.weir("install").succeeds();
    let first = tree(&t);
    publish(&t, "./data/registries/org", "1.1.0");
    let second = newest(&t);

    let there = |from: &str, to: &str| server.ask("GET", &format!("/org{}", delta(from, to)), &[]).status;
    let becomes = |status: u16| {
        (0..600).any(|_| {
            there(&first, &second) == status || {
                std::thread::sleep(Duration::from_millis(50));
                false
            }
        })
    };
    // It is made while somebody asks for it, or soon afterwards.
    assert!(becomes(200));
    let org = "--registry ./data/registries/org";
    t.weir_in("", &format!("{org} quarantine acme/maps@1.1.0 --reason 'a test'")).succeeds();
    // What never changes is believed to be there still for a second.
    assert!(becomes(404));
    assert_eq!(there(&first, &second), 404, "and it is not made");
    t.weir_in("", &format!("{org} unquarantine acme/maps@1.1.0")).succeeds();
    assert!(becomes(200), "what was withheld is made again once it may be had");
    let run = t.weir("update").succeeds();
    assert!(run.stdout.contains("deltas saved"), "{run}");
    has(&t, "1.1.0");
    // Between other trees there is none, and nothing is made.
    let nothing = "0".repeat(64);
    assert_eq!((there(&first, &nothing), there(&nothing, &second), there(&second, &second)), (404, 404, 404));
}

#[test]
fn a_server_makes_everything_that_is_asked_for_at_once() {
    let t = empty();
    fs_err::create_dir_all(t.path("data/registries")).expect("the sandbox can be written");
    t.weir_in("", "registry init data/registries/org --name org").succeeds();
    for minor in 0..8 {
        publish(&t, "./data/registries/org", &format!("1.{minor}.0"));
    }
    let server = WeirServer::start(&t, "data", &[]);
    t.weir_in("", &format!("registry add web {}/org --default --yes", server.url())).succeeds();
    let info = json(&t.weir("--json info acme/maps").succeeds());
    let releases = info["package"]["releases"].as_array().expect("a list").iter();
    let trees = releases.map(|release| release["release"]["tree"].as_str().expect("a digest"));
    let trees: Vec<_> = trees.map(|tree| tree.trim_start_matches("blake3:")).collect();
    let (newest, old) = trees.split_first().expect("there are some");
    assert_eq!(old.len(), 7);

    // Each is asked for once, all at the same time.
    let server = &server;
    std::thread::scope(|scope| {
        for from in old {
            scope.spawn(move || server.ask("GET", &format!("/org{}", delta(from, newest)), &[]));
        }
    });
    let made = || {
        let folder = t.path(format!("data/registries/org/delta/{}/{newest}", &newest[..2]));
        fs_err::read_dir(folder).map_or(0, Iterator::count)
    };
    let all = (0..600).any(|_| {
        made() == old.len() || {
            std::thread::sleep(Duration::from_millis(50));
            false
        }
    });
    assert!(all, "{} of {}", made(), old.len());
}
