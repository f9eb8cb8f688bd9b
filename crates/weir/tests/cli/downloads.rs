//! How often a package was downloaded, as its server counts.

use serde_json::Value;
use weir_testkit::{Run, Sandbox, WeirServer};

fn sandbox() -> Sandbox {
    Sandbox::new(env!("CARGO_BIN_EXE_weir"))
}

fn json(run: Run) -> Value {
    serde_json::from_str(&run.succeeds().stdout).expect("it is JSON")
}

/// A server with `acme/str 1.0.0` in a registry that everybody reads, and the path of its pack.
fn served(t: &Sandbox) -> (WeirServer, String) {
    let server = WeirServer::with_team(t, &[]);
    t.package("acme/str", "1.0.0").file("str.sh", "trim() { :; }\n").publish();
    let packs = walk(&t.path("data/registries/team/pack"));
    let [found] = packs.as_slice() else { panic!("it has one pack: {packs:?}") };
    let path =
        found.strip_prefix(&t.path("data/registries").display().to_string()).expect("it is below").to_owned();
    (server, path)
}

fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path().is_dir() {
            true => found.extend(walk(&entry.path())),
            false => found.push(entry.path().display().to_string()),
        }
    }
    found
}

#[test]
fn a_server_counts_what_it_sends_by_version_day_and_sort_of_caller() {
    let t = sandbox();
    let (server, pack) = served(&t);
    let token = t.weir_in("", "token create mirror").succeeds().stdout.trim().to_owned();
    let bearer = format!("Authorization: Bearer {token}");
    let before = json(t.weir_in("", "downloads acme/str --json"))["total"].clone();
    for headers in [vec![], vec!["Range: bytes=0-9"], vec![bearer.as_str()]] {
        assert!(matches!(server.ask("GET", &pack, &headers).status, 200 | 206), "{pack}");
    }
    // None of these is a download: a look, the rest of one that was interrupted, what somebody has already, what is not there.
    assert_eq!(server.ask("HEAD", &pack, &[]).status, 200);
    assert_eq!(server.ask("GET", &pack, &["Range: bytes=10-"]).status, 206);
    let tag = server.ask("HEAD", &pack, &[]).header("etag").expect("it has one").to_owned();
    assert_eq!(server.ask("GET", &pack, &[&format!("If-None-Match: {tag}")]).status, 304);
    assert_eq!(server.ask("GET", &pack.replace(".zst", ".zsx"), &[]).status, 404);

    let told = json(t.weir_in("", "downloads acme/str --json"));
    let count = |who: &str| told["total"][who].as_u64().unwrap() - before[who].as_u64().unwrap();
    assert_eq!((count("anonymous"), count("users"), count("workloads")), (2, 1, 0), "{told}");
    assert_eq!(told["days"][0]["version"], "1.0.0");
    let shown = t.weir_in("", "info acme/str").succeeds().stdout;
    assert!(shown.contains("downloads (2 anonymous,") && shown.contains("in 30 days"), "{shown}");
    let impact = json(t.weir_in("", "impact acme/str@1.0.0 --json"));
    assert_eq!(impact["downloads"], told["total"]);
    let table = t.weir_in("", "downloads acme/str --csv").succeeds().stdout;
    assert_eq!(table.lines().next(), Some("day,version,anonymous,users,workloads"));
    assert_eq!(table.lines().count(), 2);

    t.weir_in("", "downloads acme/none").fails_with(5);
    t.weir_in("", "registry init plain --name plain").succeeds();
    t.weir_in("", "--registry plain downloads acme/str").fails_with(4);
}

#[test]
fn what_was_counted_survives_the_server() {
    let t = sandbox();
    let (server, pack) = served(&t);
    assert_eq!(server.ask("GET", &pack, &[]).status, 200);
    // Asking writes down what was counted; so does time, and being stopped.
    let counted = json(t.weir_in("", "downloads acme/str --json"))["total"].clone();
    assert_eq!(counted["anonymous"], 1, "{counted}");
    drop(server);
    let server = WeirServer::start(&t, "data", &[]);
    let place = format!("--registry {}/team downloads acme/str --json", server.url());
    assert_eq!(json(t.weir_in("", &place))["total"]["anonymous"], 1);

    assert_eq!(server.ask("GET", &pack, &[]).status, 200);
    let told = std::process::Command::new("kill").arg(server.id().to_string()).status();
    assert!(told.expect("`kill` can be run").success());
    assert!(server.ended().success());
    let server = WeirServer::start(&t, "data", &[]);
    let place = format!("--registry {}/team downloads acme/str --json", server.url());
    assert_eq!(json(t.weir_in("", &place))["total"]["anonymous"], 2);
}
