//! `weir prefetch`: what may be wanted is here before the network goes.

use insta::assert_snapshot;
use weir_testkit::{Misbehaviour, Sandbox, StaticServer};

use crate::empty;
use crate::exit_codes::on_a_full_disk;

/// A registry on the web, a project that uses `acme/greet` 1.0.0 of it, and what was published since: a newer `acme/greet`, which needs a
/// package that nobody here has, another package of that owner, and one of somebody else's.
fn used() -> (Sandbox, StaticServer) {
    let t = empty();
    t.weir_in("", "registry init org --name org").succeeds();
    let publish = |folder: String| t.weir_in("", &format!("--registry ./org publish {folder}")).succeeds();
    publish(t.package("acme/greet", "1.0.0").file("greet.txt", "hello\n").write());
    let server = StaticServer::serve(t.path("org")).expect("a port is free");
    t.weir_in("", &format!("registry add web {} --default --user --yes", server.url())).succeeds();
    t.project(&["acme/greet = ^1"]);
    t.weir("install").succeeds();
    publish(t.package("other/words", "1.0.0").file("words.txt", "hi\n").write());
    publish(t.package("other/songs", "1.0.0").file("songs.txt", "la\n").write());
    publish(
        t.package("acme/greet", "1.1.0")
            .dependency("other/words", "^1")
            .file("greet.txt", "hello, hello\n")
            .write(),
    );
    publish(t.package("acme/wave", "2.0.0").file("wave.txt", "wave\n").write());
    (t, server)
}

#[test]
fn on_a_plane_a_project_that_was_never_seen_is_resolved_and_installed() {
    let (t, server) = used();
    assert_snapshot!(t.weir("prefetch --dry-run"), @"
    $ weir prefetch --dry-run
    acme/greet 1.1.0   276 B  an update for 1 project at 1.0.0
    other/words 1.0.0  252 B  needed by `acme/greet 1.1.0`
    acme/wave 2.0.0    254 B  1 project uses packages of `acme`
    Would fetch 3 releases (782 B)
    ");
    assert!(
        server.seen().iter().filter(|seen| seen.path.starts_with("/pack")).count() == 1,
        "of the install"
    );
    assert!(t.weir("prefetch").succeeds().stdout.ends_with("Fetched 3 releases (782 B)\n"));
    assert_snapshot!(t.weir("prefetch"), @"
    $ weir prefetch
    Nothing to fetch: what is likely to be wanted is here
    ");

    drop(server);
    t.write("plane/weir.toml", "[dependencies]\n\"acme/greet\" = \"^1.1\"\n\"acme/wave\" = \"^2\"\n");
    assert_snapshot!(t.weir_in("plane", "install --offline"), @"
    $ weir install --offline
    Installed 3 packages
     +  acme/greet   1.1.0
     +  acme/wave    2.0.0
     +  other/words  1.0.0
    ");
    assert_eq!(t.read("plane/weir_packages/packages/acme/greet/greet.txt"), "hello, hello\n");
    // Of somebody whose packages nobody here uses, nothing was fetched.
    t.write("plane/weir.toml", "[dependencies]\n\"other/songs\" = \"^1\"\n");
    t.weir_in("plane", "install --offline").fails_with(5);
}

#[test]
fn no_more_is_fetched_than_the_budget_allows() {
    let (t, server) = used();
    let before = server.seen().len();
    assert_snapshot!(t.weir("prefetch --budget 300"), @"
    $ weir prefetch --budget 300
    acme/wave 2.0.0  254 B  1 project uses packages of `acme`
    Fetched 1 release (254 B)
    2 more would not fit into 300 B
    ");
    let packs = server.seen().iter().skip(before).filter(|seen| seen.path.starts_with("/pack")).count();
    assert_eq!(packs, 1);
    assert_snapshot!(t.weir("prefetch --budget lots"), @r"
    $ weir prefetch --budget lots
    -- stderr
      × `lots` is no value of `--budget <SIZE>`: a size is a number with a unit such as `MB`, `GB`, `MiB` or `GiB`, for example `500MB`
    -- exit code 2
    ");
}

#[test]
fn without_a_network_or_without_projects_nothing_is_fetched() {
    let (t, server) = used();
    assert_snapshot!(t.weir("prefetch --offline"), @r"
    $ weir prefetch --offline
    -- stderr
      × fetching ahead needs a network, and this machine is offline
      help: run it without `--offline`
    -- exit code 5
    ");
    drop(server);
    t.weir("prefetch").fails_with(1);

    let t = empty();
    assert_snapshot!(t.weir_in("", "prefetch"), @"
    $ weir prefetch
    No project was installed here yet: what may be wanted is not known
    ");
}

#[test]
fn a_registry_that_is_away_is_in_no_others_way() {
    let (t, _server) = used();
    t.weir_in("", "registry add gone http://127.0.0.1:9/x --user --yes").succeeds();
    let run = t.weir("prefetch").succeeds();
    assert!(run.stdout.ends_with("Fetched 3 releases (782 B)\n"), "{run}");
    assert!(run.stderr.contains("nothing is fetched from the registry `gone`"), "{run}");
}

/// Where the pack of a release of the registry `org` is, for whoever asks its server.
fn pack(t: &Sandbox, name: &str, version: &str) -> String {
    let info = t.weir_in("", &format!("--json info {name} --registry ./org")).succeeds().stdout;
    let info: serde_json::Value = serde_json::from_str(&info).expect("a document");
    let releases = info["package"]["releases"].as_array().expect("a list");
    let release = releases.iter().find(|one| one["release"]["version"] == version).expect("it is there");
    let tree = release["release"]["tree"].as_str().expect("a digest").trim_start_matches("blake3:");
    format!("/pack/{}/{tree}.zst", &tree[..2])
}

#[test]
fn what_came_before_something_failed_stays_and_is_counted() {
    let (t, server) = used();
    let words = pack(&t, "other/words", "1.0.0");
    server.misbehave(&words, Misbehaviour::WrongBytes);
    let run = t.weir("prefetch").fails_with(6);
    assert!(run.stderr.contains("warning: 2 of 3 releases were fetched, and stay\n"), "{run}");
    assert!(run.stderr.contains("the content of `other/words 1.0.0` from"), "{run}");
    server.behave(&words);
    assert_snapshot!(t.weir("prefetch"), @"
    $ weir prefetch
    other/words 1.0.0  252 B  needed by `acme/greet 1.1.0`
    Fetched 1 release (252 B)
    ");
}

#[test]
fn where_there_is_no_room_it_is_said_for_what() {
    let (t, _server) = used();
    let large = "what does not fit ".repeat(4000);
    let folder = t.package("acme/atlas", "1.0.0").file("atlas.txt", &large).write();
    t.weir_in("", &format!("--registry ./org publish {folder}")).succeeds();
    // What is known of the registry is written while there is room.
    t.weir("prefetch --dry-run").succeeds();
    assert_snapshot!(on_a_full_disk(&t, "app", "prefetch"), @"
    $ weir prefetch
    -- stderr
    warning: 3 of 4 releases were fetched, and stay
      × the disk is full, or what this user may have of it: `acme/atlas 1.0.0` takes 70.4 KiB
      help: make room on that disk (`weir store gc` takes out what no project uses), or keep the store, which is `[ROOT]/home/weir/store`, on another one: `WEIR_STORE`
    -- exit code 1
    ");
    let run = t.weir("prefetch").succeeds();
    assert!(run.stdout.starts_with("acme/atlas 1.0.0") && run.stdout.contains("Fetched 1 release"), "{run}");
}

#[test]
fn what_is_missing_on_a_plane_could_have_been_fetched_ahead() {
    let (t, server) = used();
    t.weir("prefetch --dry-run").succeeds();
    drop(server);
    t.write("app/weir.toml", "[dependencies]\n\"acme/greet\" = \"^1.1\"\n");
    let run = t.weir("install").fails_with(1);
    assert!(run.stderr.contains("most commands go by what this machine knows and has: `--offline`"), "{run}");
    assert_snapshot!(t.weir("install --offline"), @"
    $ weir install --offline
    -- stderr
      × some releases are not on this machine, which is offline: `acme/greet 1.1.0`, `other/words 1.0.0`
      help: run it once without `--offline`, or bring them with `weir store import FILE`; `weir prefetch` fetches ahead what is likely to be wanted
    -- exit code 5
    ");
}

#[test]
fn a_timer_of_systemd_is_written_and_not_started() {
    let t = empty();
    let config = t.path("config").display().to_string();
    let home: &[(&str, &str)] = &[("XDG_CONFIG_HOME", &config)];
    let told = t.weir_with("", "prefetch --install-timer --budget 1.5GB", home).succeeds().stdout;
    assert!(told.contains("systemctl --user enable --now weir-prefetch.timer"), "{told}");
    let service = t.read("config/systemd/user/weir-prefetch.service");
    assert!(service.contains("weir\" --quiet prefetch --budget 1500000000B\n"), "{service}");
    assert!(
        service.contains("\nEnvironment=\"WEIR_HOME=/"),
        "a unit has an environment of its own: {service}"
    );
    // Twice is as good as once.
    t.weir_with("", "prefetch --install-timer --budget 2GiB --json", home).succeeds();
    assert!(t.read("config/systemd/user/weir-prefetch.service").contains("--budget 2147483648B"));
    // What counts of the environment is written down, secrets are not.
    let store = t.path("a store").display().to_string();
    let more = [
        home[0],
        ("WEIR_STORE", &*store),
        ("WEIR_REGISTRY", "org"),
        ("SSL_CERT_FILE", "/etc/ours.pem"),
        ("NO_PROXY", "localhost,127.0.0.1"),
        ("HTTPS_PROXY", "http://ann:secret@proxy.example:3128"),
        ("HTTP_PROXY", "http://proxy.example:3128"),
    ];
    let told = t.weir_with("", "prefetch --install-timer", &more).succeeds().stdout;
    assert!(told.contains("`HTTPS_PROXY` has a secret in it and is not written"), "{told}");
    let service = t.read("config/systemd/user/weir-prefetch.service");
    for line in [
        &format!("Environment=\"WEIR_STORE={store}\""),
        "Environment=\"SSL_CERT_FILE=/etc/ours.pem\"",
        "Environment=\"NO_PROXY=localhost,127.0.0.1\"",
        "Environment=\"HTTP_PROXY=http://proxy.example:3128\"",
    ] {
        assert!(service.lines().any(|written| written == line), "{line}: {service}");
    }
    assert!(service.contains("prefetch --budget 500000000B --registry \"org\"\n"), "{service}");
    assert!(!service.contains("secret"), "{service}");
    t.weir_with("", "prefetch --install-timer --offline", home).fails_with(5);

    // A timer that somebody has changed is theirs.
    let timer = t.read("config/systemd/user/weir-prefetch.timer").replace("daily", "Sun 03:00");
    t.write("config/systemd/user/weir-prefetch.timer", &timer);
    let told = t.weir_with("", "prefetch --install-timer", home).succeeds().stdout;
    assert!(told.contains("weir-prefetch.timer`, which somebody has changed"), "{told}");
    assert_eq!(t.read("config/systemd/user/weir-prefetch.timer"), timer);
    // Where systemd is, it says whether it understands that.
    let units =
        ["weir-prefetch.service", "weir-prefetch.timer"].map(|unit| t.path("config/systemd/user").join(unit));
    if let Ok(told) =
        std::process::Command::new("systemd-analyze").args(["--user", "verify"]).args(units).output()
    {
        let said = String::from_utf8_lossy(&told.stderr);
        assert!(!said.contains("weir-prefetch"), "{said}");
    }
}
