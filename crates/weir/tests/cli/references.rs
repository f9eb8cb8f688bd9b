//! External files: fetched several at once, and those that may move only when they have to be.

use std::process::Stdio;
use std::time::Duration;

use weir_testkit::{Misbehaviour, Sandbox, StaticServer};

use crate::empty;

/// A web server with the folder `web`, and how many requests it had for a path.
fn web(t: &Sandbox) -> StaticServer {
    fs_err::create_dir_all(t.path("web")).expect("the sandbox can be written");
    StaticServer::serve(t.path("web")).expect("a port is free")
}

fn asked(server: &StaticServer, path: &str) -> usize {
    server.seen().iter().filter(|seen| seen.path == path).count()
}

/// A manifest with references to files of `server` that may move.
fn fluid(server: &StaticServer, names: &[&str]) -> String {
    let lines =
        names.iter().map(|name| format!("{name} = {{ url = \"{}/{name}\", fluid = true }}\n", server.url()));
    format!("[references]\n{}", lines.collect::<String>())
}

/// What the project in `folder` has for a reference.
fn installed(t: &Sandbox, folder: &str, name: &str) -> String {
    t.read(format!("{folder}/weir_packages/references/{name}"))
}

#[test]
fn references_are_fetched_several_at_once() {
    let t = empty();
    let server = web(&t);
    for name in ["one", "two", "three"] {
        t.write(format!("web/{name}"), name);
    }
    t.write("app/weir.toml", fluid(&server, &["one", "two", "three"]));
    server.misbehave_times("/one", 1, Misbehaviour::Silence);
    let mut command = t.command("app", &["install".into()], &[]);
    let mut waiting = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it can be started");
    // The others come while the first keeps its own waiting.
    while asked(&server, "/two") == 0 || asked(&server, "/three") == 0 || asked(&server, "/one") == 0 {
        assert_eq!(waiting.try_wait().expect("it was started"), None, "it did not wait");
        std::thread::sleep(Duration::from_millis(2));
    }
    waiting.kill().expect("it runs");
    waiting.wait().expect("it was started");
    t.weir("install").succeeds();
    assert_eq!(installed(&t, "app", "one"), "one");
}

#[test]
fn all_references_that_cannot_be_had_are_named() {
    let t = empty();
    let server = web(&t);
    t.write("web/there", "there");
    t.write("app/weir.toml", fluid(&server, &["gone", "there", "lost"]));
    let run = t.weir("install").fails_with(5);
    assert!(run.stderr.contains("2 things could not be fetched"), "{run}");
    assert!(
        run.stderr.contains("the reference `gone`") && run.stderr.contains("the reference `lost`"),
        "{run}"
    );
    assert!(!t.path("app/weir.lock").exists());
}

#[test]
fn what_an_address_gave_before_is_used_by_another_project_until_it_is_updated() {
    let t = empty();
    let server = web(&t);
    t.write("web/prices", "old");
    t.write("app/weir.toml", fluid(&server, &["prices"]));
    t.weir("install").succeeds();
    assert_eq!(asked(&server, "/prices"), 1);

    t.write("web/prices", "newer");
    for folder in ["other", "third", "fourth"] {
        t.write(format!("{folder}/weir.toml"), fluid(&server, &["prices"]));
    }
    t.weir_in("other", "install").succeeds();
    assert_eq!((installed(&t, "other", "prices").as_str(), asked(&server, "/prices")), ("old", 1));
    assert_eq!(t.read("other/weir.lock"), t.read("app/weir.lock"));
    t.weir_in("third", "lock --offline").succeeds();
    assert_eq!(asked(&server, "/prices"), 1);

    t.weir_in("other", "update").succeeds();
    assert_eq!((installed(&t, "other", "prices").as_str(), asked(&server, "/prices")), ("newer", 2));
    t.weir_in("fourth", "install").succeeds();
    assert_eq!((installed(&t, "fourth", "prices").as_str(), asked(&server, "/prices")), ("newer", 2));
    // What was locked stays.
    t.weir_in("app", "install").succeeds();
    assert_eq!(installed(&t, "app", "prices"), "old");
}

#[test]
fn what_is_here_is_passed_over_for_the_newest_if_that_is_preferred() {
    let t = empty();
    let server = web(&t);
    t.write("web/prices", "old");
    t.write("app/weir.toml", fluid(&server, &["prices"]));
    t.weir("install").succeeds();
    t.write("web/prices", "newer");
    t.write("other/weir.toml", format!("prefer = \"newest\"\n{}", fluid(&server, &["prices"])));
    t.weir_in("other", "install").succeeds();
    assert_eq!(installed(&t, "other", "prices"), "newer");
    // What is larger than the manifest accepts does not do.
    let small = fluid(&server, &["prices"]).replace("fluid = true", "fluid = true, size = 4");
    t.write("third/weir.toml", small);
    t.write("web/prices", "tiny");
    t.weir_in("third", "install").succeeds();
    assert_eq!(installed(&t, "third", "prices"), "tiny");
}

#[test]
fn what_did_not_change_does_not_travel_again() {
    let t = empty();
    let server = web(&t);
    t.write("web/prices", "the same for years");
    t.write("app/weir.toml", fluid(&server, &["prices"]));
    t.weir("install").succeeds();
    let (before, lock) = (server.body_bytes(), t.read("app/weir.lock"));
    t.weir("update").succeeds();
    assert_eq!((asked(&server, "/prices"), server.body_bytes()), (2, before));
    assert_eq!(t.read("app/weir.lock"), lock);
}

#[test]
fn a_reference_that_has_other_bytes_by_now_is_outdated() {
    let t = empty();
    let server = web(&t);
    t.write("web/prices", "old");
    t.write("app/here", "old");
    let local = "here = { url = \"here\", fluid = true }\n";
    t.write("app/weir.toml", fluid(&server, &["prices"]) + local);
    t.weir("install").succeeds();
    let before = server.body_bytes();
    assert_eq!(t.weir("outdated").succeeds().stdout, "Everything is at its newest\n");
    assert_eq!(server.body_bytes(), before, "what did not change does not travel");

    t.write("web/prices", "newer");
    t.write("app/here", "new");
    assert_eq!(
        t.weir("outdated --exit-code").fails_with(1).stdout,
        "The reference `here` has other bytes at its address by now: `weir update` takes them\n\
         The reference `prices` has other bytes at its address by now: `weir update` takes them\n"
    );
    let told = t.weir("outdated --json").succeeds();
    assert!(told.stdout.contains("\"certain\": true"), "{told}");
    assert_eq!(t.weir("outdated --offline").succeeds().stdout, "Nothing newer is known here\n");
    t.weir("update").succeeds();
    assert_eq!(t.weir("outdated").succeeds().stdout, "Everything is at its newest\n");

    // One that does not answer hides nothing of the others.
    t.write("app/here", "newer still");
    drop(server);
    let run = t.weir("outdated").succeeds();
    assert!(run.stderr.contains("warning: ") && run.stderr.contains("the reference `prices`"), "{run}");
    assert!(run.stdout.contains("The reference `here` has other bytes"), "{run}");
}

#[test]
fn a_lockfile_that_may_not_change_is_not_filled_in() {
    let t = empty();
    let server = web(&t);
    t.write("web/one", "1");
    t.write("web/two", "2");
    t.write("app/weir.toml", fluid(&server, &["one"]));
    t.weir("lock").succeeds();
    t.write("app/weir.toml", fluid(&server, &["one", "two"]));
    let run = t.weir("install --locked").fails_with(8);
    assert!(run.stderr.contains("it does not say what the reference `two` is"), "{run}");
    assert_eq!(asked(&server, "/two"), 0, "nothing is fetched to find that out");
}

#[test]
fn a_reference_that_was_killed_goes_on_from_where_it_was() {
    let t = empty();
    let server = web(&t);
    let bytes = "0123456789abcdef".repeat(1 << 17);
    t.write("web/large", &bytes);
    t.project(&[]);
    t.weir(&format!("add --reference large {}/large", server.url())).succeeds();
    let another = t.path("another-home").display().to_string();
    let another = [("WEIR_HOME", another.as_str())];
    server.misbehave_times("/large", 1, Misbehaviour::Stall(1 << 20));
    let mut command = t.command("app", &["install".into()], &another);
    let mut killed = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it can be started");
    let here = || {
        let entries = fs_err::read_dir(t.path("another-home/store/tmp")).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.metadata().ok()).map(|found| found.len()).max().unwrap_or_default()
    };
    while here() < 1 << 20 {
        std::thread::sleep(Duration::from_millis(2));
    }
    killed.kill().expect("it runs");
    killed.wait().expect("it was started");
    let before = server.body_bytes();
    t.weir_with("app", "install", &another).succeeds();
    assert_eq!(server.body_bytes() - before, 1 << 20);
    assert_eq!(installed(&t, "app", "large"), bytes);
}

#[test]
fn a_reference_that_may_move_goes_on_too_as_long_as_it_does_not() {
    let t = empty();
    let server = web(&t);
    let bytes = "0123456789abcdef".repeat(1 << 17);
    t.write("web/large", &bytes);
    t.write("app/weir.toml", fluid(&server, &["large"]));
    let kill_after_half = |home: &str| {
        server.misbehave_times("/large", 1, Misbehaviour::Stall(1 << 20));
        let home = t.path(home);
        let mut command =
            t.command("app", &["install".into()], &[("WEIR_HOME", &home.display().to_string())]);
        let mut killed =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it can be started");
        let here = || {
            let entries = fs_err::read_dir(home.join("coming")).into_iter().flatten().flatten();
            entries
                .filter_map(|entry| entry.metadata().ok())
                .map(|found| found.len())
                .max()
                .unwrap_or_default()
        };
        while here() < 1 << 20 {
            assert_eq!(killed.try_wait().expect("it was started"), None, "it did not wait");
            std::thread::sleep(Duration::from_millis(2));
        }
        killed.kill().expect("it runs");
        killed.wait().expect("it was started");
    };
    kill_after_half("home/weir");
    let before = server.body_bytes();
    let run = t.weir("install").succeeds();
    assert!(run.stdout.contains("Installed 0 packages, 1 reference fetched"), "{run}");
    assert_eq!(server.body_bytes() - before, 1 << 20);
    assert_eq!(installed(&t, "app", "large"), bytes);
    assert_eq!(fs_err::read_dir(t.path("home/weir/coming")).expect("it was made").count(), 0);

    // One that changed meanwhile comes from its beginning: two states of a file are never joined.
    let other = "fedcba9876543210".repeat(1 << 17);
    fs_err::remove_dir_all(t.path("app/weir_packages")).expect("it is ours");
    fs_err::remove_file(t.path("app/weir.lock")).expect("it is ours");
    kill_after_half("another-home");
    t.write("web/large", &other);
    let another = t.path("another-home").display().to_string();
    t.weir_with("app", "install", &[("WEIR_HOME", &another)]).succeeds();
    assert_eq!(installed(&t, "app", "large"), other);
}

#[test]
fn a_reference_that_is_not_here_is_told_as_that_without_a_network() {
    let t = empty();
    let server = web(&t);
    t.write("app/weir.toml", fluid(&server, &["far"]));
    let run = t.weir("install --offline").fails_with(5);
    assert!(run.stderr.contains("the reference `far` is not on this machine, which is offline"), "{run}");
}
