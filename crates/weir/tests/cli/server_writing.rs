//! Writing to a registry that a server serves: the same commands as for a folder.

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use insta::assert_snapshot;
use weir_testkit::{Reply, Sandbox, WeirServer};

fn with_team() -> (Sandbox, WeirServer) {
    let t = Sandbox::new(env!("CARGO_BIN_EXE_weir"));
    let server = WeirServer::with_team(&t, &[]);
    (t, server)
}

/// The header line with which ann speaks, as a program would.
fn ann(t: &Sandbox) -> String {
    let token = t.weir_in("", "token create test").succeeds().stdout;
    format!("Authorization: Bearer {}", token.trim())
}

fn code(reply: &Reply) -> String {
    let problem: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    problem["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn every_command_works_as_on_a_folder() {
    let (t, server) = with_team();
    let str = t.package("acme/str", "1.0.0").file("str.sh", "trim() { :; }\n").write();
    let greet =
        t.package("acme/greet", "1.0.0").dependency("acme/str", "^1").file("greet", "hello\n").write();
    assert_snapshot!(t.weir_in("", &format!("publish {str} {greet} --dry-run")), @"
    $ weir publish packages/acme-str-1.0.0 packages/acme-greet-1.0.0 --dry-run
    Would publish `acme/str 1.0.0` in the registry `team`: 265 B packed
           14 B  str.sh
          133 B  weir.toml
      2 files, 147 B
    Would publish `acme/greet 1.0.0` in the registry `team`: 261 B packed
            6 B  greet
          155 B  weir.toml
      2 files, 161 B
      with `acme/str 1.0.0`
    ");
    t.weir_in("", &format!("publish {str} {greet}")).succeeds();
    assert!(t.weir_in("", &format!("publish {greet}")).succeeds().stdout.contains("Already so"));
    t.weir_in("", "yank acme/str@1.0.0 --reason 'a test'").succeeds();
    t.weir_in("", "unyank acme/str@1.0.0").succeeds();
    t.weir_in("", "quarantine acme/str@1.0.0 --reason 'a test'").succeeds();
    t.weir_in("", "unquarantine acme/str@1.0.0").succeeds();
    assert!(t.weir_in("", "registry show").succeeds().stdout.contains("writable  yes"));
    t.weir_in("", "registry renew").succeeds();
    t.weir_in("", "registry gc --dry-run").succeeds();
    t.weir_in("", "registry rotate-key --yes").succeeds();
    t.weir_in("", "unpublish acme/greet@1.0.0 --reason 'a test'").succeeds();
    t.weir_in("", "claim acme user:ann user:bob").succeeds();

    t.project(&["acme/str = ^1"]);
    t.weir("install").succeeds();
    t.weir_in("", "registry verify team --content").succeeds();
    // Byte for byte it is a folder like any other.
    drop(server);
    t.weir_in("", "registry verify ./data/registries/team").succeeds();
}

#[test]
fn what_a_registry_refuses_is_told_as_if_it_were_here() {
    let (t, _server) = with_team();
    let one = t.package("acme/one", "1.0.0").file("a", "a").write();
    t.weir_in(&one, "publish").succeeds();
    let other = t.package("acme/one", "1.0.0").file("a", "other").write();
    let conflict = t.weir_in(&other, "publish").fails_with(8);
    assert!(conflict.stderr.contains("a release never changes"), "{conflict}");
    let needs = t.package("acme/two", "1.0.0").dependency("acme/none", "^1").write();
    let missing = t.weir_in(&needs, "publish").fails_with(5);
    assert!(missing.stderr.contains("`acme/none`"), "{missing}");
    t.weir_in("", "yank acme/none@1.0.0").fails_with(5);
    t.weir_in("", "claim acme user:bob").succeeds();
    let refused = t.weir_in("", "yank acme/one@1.0.0").fails_with(4);
    assert!(refused.stderr.contains("the owner belongs to user:bob (policy `owner-claim`)"), "{refused}");
}

#[test]
fn nobody_changes_anything_who_has_not_signed_in() {
    let (t, server) = with_team();
    let folder = t.package("acme/one", "1.0.0").file("a", "a").write();
    t.weir_in("", "logout").succeeds();
    let refused = t.weir_in(&folder, "publish").fails_with(4);
    assert!(refused.stderr.contains("wants to know who asks"), "{refused}");
    assert!(
        refused.stderr.contains(&format!("`weir login {}/team` signs you in", server.url())),
        "{refused}"
    );
    for (method, path) in [
        ("POST", "/team/api/v1/batches"),
        ("POST", "/team/api/v1/batches?dry-run"),
        ("PUT", "/team/api/v1/packs/0000000000000000000000000000000000000000000000000000000000000000"),
        ("PATCH", "/team/api/v1/files/0000000000000000000000000000000000000000000000000000000000000000"),
        (
            "POST",
            "/team/api/v1/packs/0000000000000000000000000000000000000000000000000000000000000000/verification",
        ),
        ("GET", "/team/api/v1/checks/publish?kind=generic"),
        ("POST", "/team/api/v1/checkpoint"),
        ("POST", "/team/api/v1/keys"),
        ("POST", "/team/api/v1/collections"),
        ("GET", "/api/v1/whoami"),
        ("GET", "/api/v1/users"),
        ("POST", "/api/v1/users"),
        ("POST", "/api/v1/users/ann"),
        ("GET", "/api/v1/tokens"),
        ("POST", "/api/v1/tokens"),
        ("DELETE", "/api/v1/tokens/current"),
        ("POST", "/api/v1/registries"),
    ] {
        let body = match path {
            "/api/v1/users" => r#"{"name":"eve"}"#,
            "/api/v1/tokens" | "/api/v1/registries" => r#"{"name":"x"}"#,
            "/team/api/v1/batches" | "/team/api/v1/batches?dry-run" => {
                r#"{"intents":[{"claim":{"owner":"acme","who":["user:eve"]}}]}"#
            }
            _ => "{}",
        };
        let headers = [
            "Content-Type: application/json",
            "Idempotency-Key: 1",
            "Upload-Offset: 0",
            "Upload-Complete: ?1",
        ];
        let body = if method == "POST" || method.starts_with('P') { body.as_bytes() } else { &[] };
        let reply = server.say(method, path, &headers, body);
        assert_eq!(reply.status, 401, "{method} {path}: {}", reply.text());
        assert!(reply.header("www-authenticate").is_some(), "{method} {path}");
    }
    drop(server);
    t.weir_in("", "registry verify ./data/registries/team").succeeds();
}

#[test]
fn an_upload_goes_on_where_it_stopped() {
    let (t, server) = with_team();
    let ann = ann(&t);
    let file = b"what is uploaded in three parts";
    let path = format!("/team/api/v1/files/{}", weir_model::Sha256::of(file).to_hex());
    let send = |offset: usize, end: usize, complete: &str| {
        let (offset_line, complete) =
            (format!("Upload-Offset: {offset}"), format!("Upload-Complete: {complete}"));
        server.say("PATCH", &path, &[&ann, &offset_line, &complete], &file[offset..end])
    };
    let state = || {
        let reply = server.ask("HEAD", &path, &[&ann]);
        let header = |name| reply.header(name).unwrap_or_default().to_owned();
        (reply.status, header("upload-offset"), header("upload-complete"))
    };
    assert_eq!(state(), (204, "0".into(), "?0".into()));
    assert_eq!(send(0, 10, "?0").status, 204);
    assert_eq!(state(), (204, "10".into(), "?0".into()));
    let elsewhere = send(20, 25, "?0");
    assert_eq!((elsewhere.status, code(&elsewhere).as_str()), (409, "other-offset"));
    assert_eq!(elsewhere.header("upload-offset"), Some("10"));
    assert_eq!(send(10, 20, "?0").status, 204);
    assert_eq!(send(20, file.len(), "?1").status, 200);
    assert_eq!(state(), (204, file.len().to_string(), "?1".into()));
    assert!(fs_err::read_dir(t.path("data/uploads")).unwrap().next().is_none(), "nothing is left over");
}

#[test]
fn what_is_uploaded_is_what_its_name_says_or_nothing() {
    let (t, server) = with_team();
    let ann = ann(&t);
    let digest = weir_model::Sha256::of(b"something").to_hex();
    for kind in ["files", "packs"] {
        let path = format!("/team/api/v1/{kind}/{digest}");
        let wrong = server.say("PUT", &path, &[&ann], b"something else");
        assert_eq!((wrong.status, code(&wrong).as_str()), (422, "bad-content"), "{}", wrong.text());
        let parts = server.say("PATCH", &path, &[&ann, "Upload-Offset: 0", "Upload-Complete: ?0"], b"some");
        assert_eq!(parts.status, 204);
        let wrong = server.say("PATCH", &path, &[&ann, "Upload-Offset: 4", "Upload-Complete: ?1"], b"other");
        assert_eq!((wrong.status, code(&wrong).as_str()), (422, "bad-content"), "{}", wrong.text());
        let reply = server.ask("HEAD", &path, &[&ann]);
        assert_eq!(reply.header("upload-offset"), Some("0"), "what was wrong is not gone on with");
    }
    for path in ["/team/api/v1/files/abc", "/team/api/v1/packs/..%2f..%2fx", "/team/api/v1/files/"] {
        let reply = server.say("PUT", path, &[&ann], b"x");
        assert!(matches!(reply.status, 400 | 404 | 405), "{path}: {}", reply.status);
    }
    drop(server);
    t.weir_in("", "registry verify ./data/registries/team").succeeds();
}

#[test]
fn a_batch_that_is_sent_twice_is_carried_out_once() {
    let (t, server) = with_team();
    let ann = ann(&t);
    let batch = |key: &str, owner: &str| {
        let batch = format!(r#"{{"intents":[{{"claim":{{"owner":"{owner}","who":["user:ann"]}}}}]}}"#);
        let key = format!("Idempotency-Key: {key}");
        server.say("POST", "/team/api/v1/batches", &[&ann, &key], batch.as_bytes())
    };
    let first = batch("one", "acme");
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(batch("one", "acme").body, first.body);
    assert!(batch("two", "acme").text().contains("already"));
    let other = batch("one", "other");
    assert_eq!((other.status, code(&other).as_str()), (409, "conflict"));
    let none = server.say("POST", "/team/api/v1/batches", &[&ann], b"{\"intents\":[]}");
    assert_eq!((none.status, code(&none).as_str()), (400, "bad-request"));
}

#[test]
fn documents_that_are_none_are_told_and_bounded() {
    let (t, server) = with_team();
    let ann = ann(&t);
    let big = vec![b' '; 300 << 10];
    for (path, body, status) in [
        ("/team/api/v1/batches", &b"{"[..], 400),
        ("/team/api/v1/batches", br#"{"intents":[],"by":"user:eve"}"#, 422),
        ("/team/api/v1/collections", br#"{"dry-run":1}"#, 422),
        ("/team/api/v1/collections", &big, 413),
        ("/api/v1/sign-in", &big, 413),
        // A list of values is no document, though each of them might stand for a field.
        ("/api/v1/users/ann", b"[null, null]", 422),
        ("/api/v1/activity", b"[]", 422),
        ("/none/api/v1/batches", b"{}", 404),
    ] {
        let headers = [&*ann, "Content-Type: application/json", "Idempotency-Key: x"];
        let reply = server.say("POST", path, &headers, body);
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
        assert!(reply.text().len() < 2000);
    }
}

#[test]
fn who_asks_in_another_way_is_told_in_which_an_address_can_be_asked() {
    let (_t, server) = with_team();
    for (path, allowed) in [
        ("/api/v1/device", "POST"),
        ("/api/v1/users", "GET,HEAD,POST"),
        ("/api/v1/tokens/x", "DELETE"),
        ("/team/api/v1/ask", "POST"),
    ] {
        let reply = server.ask("OPTIONS", path, &[]);
        assert_eq!((reply.status, reply.header("allow")), (405, Some(allowed)), "{path}: {}", reply.head);
    }
    let form = ["Content-Type: application/x-www-form-urlencoded"];
    let begun = server.say("POST", "/api/v1/device", &form, b"machine=x");
    assert_eq!(begun.status, 422, "a terminal says which program asks: {}", begun.text());
}

#[test]
fn who_sends_a_byte_now_and_then_keeps_no_place() {
    let t = Sandbox::new(env!("CARGO_BIN_EXE_weir"));
    let server = WeirServer::start(&t, "data", &[("WEIR_SERVER_LIMITS_DOCUMENT_SECONDS", "1")]);
    for (path, kind) in [
        ("/api/v1/sign-in", "application/json"),
        ("/api/v1/device/token", "application/x-www-form-urlencoded"),
        ("/-/sign-in", "application/x-www-form-urlencoded"),
    ] {
        let mut slow = server.connect();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: 1000\r\n\r\n"
        );
        slow.write_all(head.as_bytes()).unwrap();
        let mut dripping = slow.try_clone().unwrap();
        std::thread::spawn(move || {
            while dripping.write_all(b" ").is_ok() {
                std::thread::sleep(std::time::Duration::from_millis(200));
            }
        });
        let mut answer = [0; 12];
        slow.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 400", "{path}");
        // The server may have closed it already.
        let _ = slow.shutdown(std::net::Shutdown::Both);
    }
}

#[test]
fn what_is_said_for_ever_has_nothing_in_it_that_nobody_sees() {
    let (t, server) = with_team();
    let ann = ann(&t);
    t.package("acme/one", "1.0.0").file("a", "a").publish();
    let batches = std::cell::Cell::new(0);
    let said = |intent: serde_json::Value| {
        let body = serde_json::json!({ "intents": [intent] }).to_string();
        batches.set(batches.get() + 1);
        let key = format!("Idempotency-Key: {}", batches.get());
        let headers = [&*ann, "Content-Type: application/json", &key];
        server.say("POST", "/team/api/v1/batches", &headers, body.as_bytes())
    };
    let yank = |reason: &str| {
        let (name, version) = ("acme/one", "1.0.0");
        said(
            serde_json::json!({ "withdraw": { "verb": "yank", "name": name, "version": version, "reason": reason } }),
        )
    };
    for reason in ["\u{1b}]0;owned\u{7}", "gnp.exe\u{202e}", "a\u{0}b", &"long".repeat(300)] {
        let reply = yank(reason);
        assert_eq!(reply.status, 422, "{reason:?}: {}", reply.text());
        assert!(reply.text().contains("a reason has at most 1000 characters"), "{}", reply.text());
    }
    // Whoever types it is told so as of any other mistake, of a registry here as of one there.
    t.weir_in("", "registry init plain --name plain").succeeds();
    let folder = t.package("acme/one", "1.0.0").write();
    t.weir_in("", &format!("publish {folder} --registry ./plain")).succeeds();
    for registry in ["team", "./plain"] {
        let typed = format!("yank acme/one@1.0.0 --reason {} --registry {registry}", "long".repeat(300));
        let run = t.weir_in("", &typed).fails_with(2);
        assert!(run.stderr.contains("a reason has at most 1000 characters"), "{run}");
    }
    let claim = said(serde_json::json!({ "claim": { "owner": "acme", "who": ["user:a\u{202e}nn"] } }));
    assert_eq!(claim.status, 422, "{}", claim.text());
    assert_eq!(yank("größer,\nund kaputt").status, 200);
}

#[test]
fn many_publish_at_once_and_nothing_is_lost() {
    const PACKAGES: usize = 24;
    let (t, server) = with_team();
    let folders: Vec<String> = (0..PACKAGES)
        .map(|n| t.package(&format!("acme/p{n}"), "1.0.0").file("a", &n.to_string()).write())
        .collect();
    std::thread::scope(|scope| {
        for part in folders.chunks(PACKAGES / 4) {
            scope.spawn(|| part.iter().for_each(|folder| drop(t.weir_in(folder, "publish").succeeds())));
        }
    });
    let found = t.weir_in("", "search acme --json").succeeds().stdout;
    assert!(found.contains(&format!("\"total\": {PACKAGES}")), "{found}");
    drop(server);
    t.weir_in("", "registry verify ./data/registries/team").succeeds();
}

/// How often the server is killed: few times in each run, and more when somebody wants to know (`WEIR_KILLS`).
fn kills() -> u64 {
    std::env::var("WEIR_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(8)
}

#[test]
fn a_server_that_is_killed_has_all_that_it_acknowledged() {
    let (t, server) = with_team();
    let token = t.weir_in("", "token create killer").succeeds().stdout.trim().to_owned();
    let (mut server, mut acknowledged) = (Some(server), Vec::new());
    for round in 0..kills() {
        let name = format!("acme/p{round}");
        let folder = t.package(&name, "1.0.0").file("a", &"x".repeat(2000)).write();
        let running = server.take().unwrap_or_else(|| WeirServer::start(&t, "data", &[]));
        let variable =
            format!("WEIR_TOKEN_{}", running.url().trim_start_matches("http://").replace(['.', ':'], "_"));
        let typed = ["--registry", &format!("{}/team", running.url()), "publish"].map(str::to_owned);
        let publishing = t
            .command(&folder, &typed, &[(&variable, &token)])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        // The moments are spread over what a publication takes here.
        std::thread::sleep(std::time::Duration::from_millis(20 + 173 * round % 250));
        drop(running);
        if publishing.expect("the program can be run").wait().expect("it ends").success() {
            acknowledged.push(name);
        }
    }
    t.weir_in("", "registry verify ./data/registries/team").succeeds();
    for name in &acknowledged {
        t.weir_in("", &format!("--registry ./data/registries/team info {name}")).succeeds();
    }
    // Nothing that a kill left behind is in the way of who tries again.
    let running = WeirServer::start(&t, "data", &[]);
    let variable =
        format!("WEIR_TOKEN_{}", running.url().trim_start_matches("http://").replace(['.', ':'], "_"));
    for round in 0..kills() {
        let typed = format!("--registry {}/team publish packages/acme-p{round}-1.0.0", running.url());
        t.weir_with("", &typed, &[(&variable, &token)]).succeeds();
    }
    drop(running);
    t.weir_in("", "registry verify ./data/registries/team").succeeds();
}

#[test]
fn nobody_publishes_into_an_older_copy_who_published_what_it_lacks() {
    let (t, server) = with_team();
    let publish = |version: &str| {
        let folder = t.package("acme/one", version).file("a", version).write();
        t.weir_in(&folder, "publish")
    };
    publish("1.0.0").succeeds();
    let copy = |from: &str, to: &str| {
        let copied = std::process::Command::new("cp").arg("-a").args([t.path(from), t.path(to)]).status();
        assert!(copied.expect("it can be run").success());
    };
    copy("data", "copy");
    publish("1.1.0").succeeds();
    fs_err::rename(t.path("data"), t.path("lost")).expect("it is there");
    copy("copy", "data");
    let _server = server.killed_and_started(&t, "data");
    let refused = publish("1.2.0").fails_with(6);
    assert!(refused.stderr.contains("went back: it offers"), "{refused}");
}

#[test]
fn on_the_machine_of_a_server_a_key_is_made_whatever_the_policy_says_and_nothing_else_is_done() {
    let t = Sandbox::new(env!("CARGO_BIN_EXE_weir"));
    let server = WeirServer::with_team(&t, &[]);
    t.weir_in("", "registry create closed --policy team").succeeds();
    t.weir_in("", &format!("registry add closed {}/closed --user", server.url())).succeeds();
    let keys = |told: &weir_testkit::Run| {
        let told: serde_json::Value = serde_json::from_str(&told.stdout).expect("it is JSON");
        told["pinned"].to_string()
    };
    let before = keys(&t.weir_in("", "registry show closed --json").succeeds());
    // The user of the machine is nobody to the policy, and has the key.
    let home = t.path("data").display().to_string();
    let here = |typed: &str| {
        let typed = format!("{typed} {}", t.path("data/registries/closed").display());
        t.weir_with("", &typed, &[("WEIR_HOME", &home), ("USER", "weir")])
    };
    let refused = here("registry renew").fails_with(4);
    assert!(refused.stderr.contains("user:weir"), "{refused}");
    here("registry rotate-key --yes").succeeds();
    let after = keys(&t.weir_in("", "registry show closed --json").succeeds());
    assert_ne!(before, after, "readers follow it");
    let bob = t.package("acme/bob", "1.0.0").file("a", "a").write();
    t.weir_in(&bob, "--registry closed publish").succeeds();
    t.weir_in("", "registry verify closed").succeeds();
}
