//! storage: who holds how much, and how much they may.

use serde_json::{Value, json};
use weir_model::Sha256;
use weir_testkit::{Run, Sandbox, StaticServer, WeirServer};

use crate::empty;

fn json_of(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}\n{run}"))
}

/// Text that does not get smaller, always the same of one seed.
fn noise(seed: u64, length: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let letter = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + (state % 90) as u8)
    };
    (0..length).map(letter).collect()
}

/// A registry `org` with packages of two owners: of `acme/one` and `lib/same` the files are the same.
fn held() -> Sandbox {
    let t = empty();
    t.registry("org");
    t.package("acme/one", "1.0.0").file("data", &noise(1, 40_000)).publish();
    t.package("acme/two", "1.0.0").file("data", &noise(2, 20_000)).publish();
    t.package("lib/other", "1.0.0").file("data", &noise(3, 10_000)).publish();
    t
}

fn told(t: &Sandbox, typed: &str) -> Value {
    json_of(&t.weir_in("", typed).succeeds())["storage"].clone()
}

#[test]
fn it_is_told_who_holds_how_much() {
    let t = held();
    let all = told(&t, "storage --json");
    let owners: Vec<&str> =
        all["owners"].as_array().unwrap().iter().map(|owner| owner["owner"].as_str().unwrap()).collect();
    assert_eq!(owners, ["acme", "lib"]);
    let number = |value: &Value| value.as_u64().unwrap();
    let alone: u64 = all["owners"].as_array().unwrap().iter().map(|owner| number(&owner["alone"])).sum();
    assert_eq!(alone, number(&all["total"]["packs"]), "{all}");
    assert_eq!(number(&all["counted"]), alone);
    let acme = told(&t, "storage acme --json");
    assert_eq!(acme["owners"].as_array().unwrap().len(), 1);
    assert_eq!(acme["owners"][0]["packages"][0]["name"], "acme/one");
    let shown = t.weir_in("", "storage").succeeds();
    assert!(shown.stdout.contains("acme") && shown.stdout.contains("counted"), "{shown}");
    // What was removed is nobody's any more, and is there until it is collected.
    t.weir_in("", "unpublish acme/one@1.0.0").succeeds();
    let after = told(&t, "storage --json");
    assert!(number(&after["removed"]) > 30_000 && number(&after["counted"]) < 40_000, "{after}");
    assert_eq!(number(&after["total"]["packs"]), number(&all["total"]["packs"]));
    let nothing = t.weir_in("", "storage nobody").fails_with(5);
    assert!(nothing.stderr.contains("the registry `org` holds nothing of `nobody`"), "{nothing}");
}

#[test]
fn what_several_share_is_stored_once_and_told_of_each() {
    let t = empty();
    t.registry("org");
    let file = noise(7, 30_000);
    t.write("web/big.bin", &file);
    let server = StaticServer::serve(t.path("web")).expect("a port is free");
    let digest = Sha256::of(&file);
    for name in ["acme/one", "lib/two"] {
        let reference =
            format!("[references]\nbig = {{ url = \"{}/big.bin\", sha256 = \"{digest}\" }}\n", server.url());
        let folder = t.package(name, "1.0.0").kind("data").manifest(&reference).write();
        t.weir_in("", &format!("publish {folder} --with-references")).succeeds();
    }
    let all = told(&t, "storage --json");
    for owner in all["owners"].as_array().unwrap() {
        assert_eq!(owner["shared"], 30_000, "{all}");
    }
    assert_eq!(all["total"]["files"], 30_000);
}

#[test]
fn beyond_its_quota_an_owner_publishes_nothing_more() {
    let t = held();
    t.weir_in("", "storage acme --limit 60000B").succeeds();
    let bigger = t.package("acme/three", "1.0.0").file("data", &noise(4, 30_000)).write();
    let refused = t.weir_in("", &format!("publish {bigger}")).fails_with(4);
    for words in ["the owner `acme` holds", "may hold 58.5 KiB", "`acme/one`", "weir storage acme"] {
        assert!(refused.stderr.contains(words), "{words}: {refused}");
    }
    t.weir_in("", &format!("publish {bigger} --dry-run")).fails_with(4);
    // Others are not affected, and there is room again when something leaves.
    t.package("lib/more", "1.0.0").file("data", &noise(5, 30_000)).publish();
    t.weir_in("", "unpublish acme/one@1.0.0").succeeds();
    let near = t.weir_in("", &format!("publish {bigger}")).succeeds();
    assert!(!near.stdout.contains("may be held"), "{near}");
    let more = t.package("acme/four", "1.0.0").file("data", &noise(6, 10_000)).write();
    let near = t.weir_in("", &format!("publish {more}")).succeeds();
    assert!(
        near.stdout.contains("The owner `acme` holds") && near.stdout.contains("of the 58.5 KiB"),
        "{near}"
    );
    t.weir_in("", "registry verify org").succeeds();
}

#[test]
fn all_together_and_each_have_limits_too() {
    let t = held();
    t.weir_in("", "storage --each-owner --limit 30kB").succeeds();
    t.weir_in("", "storage acme --limit 1GiB").succeeds();
    let more = |name: &str, seed: u64| t.package(name, "1.0.0").file("data", &noise(seed, 30_000)).write();
    t.weir_in("", &format!("publish {}", more("acme/more", 11))).succeeds();
    t.weir_in("", &format!("publish {}", more("lib/more", 12))).fails_with(4);
    t.weir_in("", "storage --limit 100kB").succeeds();
    let refused = t.weir_in("", &format!("publish {}", more("acme/most", 13))).fails_with(4);
    assert!(refused.stderr.contains("all owners together hold"), "{refused}");
    let lifted = t.weir_in("", "storage --limit none").succeeds();
    assert!(lifted.stdout.contains("`all owners together` may hold as much as they like"), "{lifted}");
    t.weir_in("", "storage --limit none").succeeds();
    t.weir_in("", &format!("publish {}", more("acme/most", 13))).succeeds();
    let listed = told(&t, "storage --json");
    assert_eq!(listed["owners"][0]["quota"], json!(1u64 << 30));
}

#[test]
fn of_many_who_publish_at_once_none_goes_past_the_quota() {
    let t = empty();
    t.registry("org");
    t.package("acme/first", "1.0.0").file("data", &noise(1, 10_000)).publish();
    t.weir_in("", "storage acme --limit 36kB").succeeds();
    let folders: Vec<String> = (0..8)
        .map(|number| {
            t.package(&format!("acme/p{number}"), "1.0.0").file("data", &noise(20 + number, 10_000)).write()
        })
        .collect();
    let t = &t;
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let runs: Vec<_> = folders
            .iter()
            .map(|folder| scope.spawn(move || t.weir_in("", &format!("publish {folder}")).code))
            .collect();
        runs.into_iter().map(|run| run.join().expect("it ends")).collect()
    });
    let published = codes.iter().filter(|code| **code == 0).count();
    assert!(codes.iter().all(|code| matches!(code, 0 | 4)), "{codes:?}");
    let storage = told(t, "storage acme --json");
    let counted = storage["owners"][0]["counted"].as_u64().unwrap();
    assert!(counted <= 36_000 && (1..=3).contains(&published), "{published}: {storage}");
}

#[test]
fn a_server_refuses_before_and_after_the_upload_and_tells_whoever_looks_after_it() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    t.package("acme/one", "1.0.0").file("data", &noise(1, 40_000)).publish();
    t.weir_in("", "storage acme --limit 50kB").succeeds();
    let all = told(&t, "storage --json");
    assert_eq!((&all["owners"][0]["owner"], &all["owners"][0]["quota"]), (&json!("acme"), &json!(50_000)));
    let small = t.package("acme/two", "1.0.0").file("data", &noise(2, 40_000)).write();
    let refused = t.weir_in("", &format!("publish {small}")).fails_with(4);
    assert!(refused.stderr.contains("the owner `acme` holds"), "{refused}");
    // What is worth asking about is not sent first.
    let packs = || std::process::Command::new("find").arg(t.path("data")).args(["-name", "*.zst"]).output();
    let before = packs().expect("`find` can be run").stdout;
    let large = t.package("acme/three", "1.0.0").file("data", &noise(3, 3_000_000)).write();
    t.weir_in("", &format!("publish {large}")).fails_with(4);
    assert_eq!(packs().expect("`find` can be run").stdout, before);
    assert_eq!(server.ask("GET", "/team/api/v1/storage", &[]).status, 401);
}
