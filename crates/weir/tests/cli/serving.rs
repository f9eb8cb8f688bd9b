//! `weir serve`: registries in a folder, over HTTP.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use weir_testkit::{Authority, Sandbox, WeirServer};

use crate::greeting;

/// A registry `org` with packages, where a server finds it.
fn served() -> (Sandbox, WeirServer) {
    let t = moved();
    let server = WeirServer::start(&t, "data", &[]);
    (t, server)
}

/// The registry of [`greeting`], moved to `data/registries/org`, where its keys sign from now on.
fn moved() -> Sandbox {
    let t = greeting();
    fs_err::create_dir_all(t.path("data/registries")).expect("the sandbox can be written");
    fs_err::rename(t.path("org"), t.path("data/registries/org")).expect("the sandbox can be written");
    t.weir_in("", "registry remove org").succeeds();
    t.weir_in("", "registry bind data/registries/org --yes").succeeds();
    t
}

/// Publishes into the registry's folder, beside whoever serves it.
fn publish(t: &Sandbox, folder: &str) {
    t.weir_in("", &format!("--registry ./data/registries/org publish {folder}")).succeeds();
}

/// Where the pack of the one package in a project is.
fn pack(t: &Sandbox) -> String {
    let lock = t.read("app/weir.lock");
    let (_, tree) = lock.split_once("tree = \"blake3:").expect("it is locked");
    format!("/org/pack/{}/{}.zst", &tree[..2], &tree[..64])
}

#[test]
fn what_is_in_the_folder_is_served_and_can_be_installed() {
    let (t, server) = served();
    t.weir_in("", &format!("registry add web {}/org --default", server.url())).succeeds();
    t.project(&["acme/greet = ^1"]);
    t.weir("install").succeeds();
    assert_eq!(t.weir("run greet").succeeds().stdout, "Hello, world\n");
    t.weir_in("", "registry verify web --content").succeeds();
}

#[test]
fn what_is_published_into_the_folder_is_offered_at_once_and_what_is_made_there_too() {
    let (t, server) = served();
    t.weir_in("", &format!("registry add web {}/org --default", server.url())).succeeds();
    t.project(&["acme/str = ^1"]);
    t.weir("lock").succeeds();
    publish(&t, &t.package("acme/str", "1.2.0").file("str.sh", "trim() { :; }; pad() { :; }\n").write());
    t.weir("update").succeeds();
    assert!(t.read("app/weir.lock").contains("1.2.0"));

    t.weir_in("", "registry init data/registries/team --name team").succeeds();
    let host = server.ask("GET", "/.well-known/weir", &[]).text();
    assert_eq!(
        host,
        r#"{"weir":1,"level":1,"sign-in":["device","password"],"registries":[{"name":"org","path":"/org"},{"name":"team","path":"/team"}]}"#
    );
    assert_eq!(server.ask("GET", "/team/checkpoint", &[]).status, 200);
}

#[test]
fn a_quarantined_pack_is_out_of_reach_although_it_was_in_memory() {
    let (t, server) = served();
    t.project(&["acme/str = ^1"]);
    t.weir_in("app", "--registry ../data/registries/org lock").succeeds();
    let pack = pack(&t);
    assert_eq!(server.ask("GET", &pack, &[]).status, 200);
    t.weir_in("", "--registry ./data/registries/org quarantine acme/str@1.0.0 --reason 'a test'").succeeds();
    // What never changes is looked at again within a second.
    let gone = (0..600).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        server.ask("GET", &pack, &[]).status == 404
    });
    assert!(gone);
}

#[test]
fn a_registry_that_was_put_in_the_place_of_another_is_the_one_that_is_served() {
    let (t, server) = served();
    let old = server.ask("GET", "/org/checkpoint", &[]).text();
    fs_err::rename(t.path("data/registries/org"), t.path("old")).expect("the sandbox can be written");
    assert_eq!(server.ask("GET", "/org/checkpoint", &[]).status, 404);
    t.weir_in("", "registry init data/registries/org --name org").succeeds();
    let new = server.ask("GET", "/org/checkpoint", &[]);
    assert_eq!((new.status, new.text() == old), (200, false));
}

#[test]
fn files_have_tags_and_parts_and_say_how_long_they_are_good() {
    let (t, server) = served();
    t.project(&["acme/str = ^1"]);
    t.weir_in("app", "--registry ../data/registries/org lock").succeeds();
    let pack = pack(&t);
    let whole = server.ask("GET", &pack, &[]);
    assert_eq!(whole.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(whole.header("content-type"), Some("application/zstd"));
    let tag = whole.header("etag").expect("it has a tag").to_owned();
    assert!(tag.contains(&pack[13..77]), "{tag}");

    let known = server.ask("GET", &pack, &[&format!("If-None-Match: {tag}")]);
    assert_eq!((known.status, known.body.len()), (304, 0));
    let part = server.ask("GET", &pack, &["Range: bytes=2-5", &format!("If-Range: {tag}")]);
    assert_eq!((part.status, &part.body[..]), (206, &whole.body[2..6]));
    assert_eq!(part.header("content-range"), Some(&*format!("bytes 2-5/{}", whole.body.len())));
    let other = server.ask("GET", &pack, &["Range: bytes=2-5", "If-Range: \"other\""]);
    assert_eq!((other.status, other.body.len()), (200, whole.body.len()));
    let beyond = server.ask("GET", &pack, &[&format!("Range: bytes={}-", whole.body.len())]);
    assert_eq!((beyond.status, beyond.header("content-range").is_some()), (416, true));
    let head = server.ask("HEAD", &pack, &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some(&*whole.body.len().to_string()));

    let checkpoint = server.ask("GET", "/org/checkpoint", &[]);
    assert_eq!(checkpoint.header("cache-control"), Some("no-cache"));
    assert_eq!(checkpoint.text(), t.read("data/registries/org/checkpoint"));
}

#[test]
fn a_file_larger_than_memory_takes_is_served_whole_and_in_parts() {
    let t = moved();
    // Digits of a sequence that no compression foresees: a xorshift.
    let mut state = 1_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let text: String = (0..600_000).map(|_| format!("{:016x}", next())).collect();
    publish(&t, &t.package("acme/big", "1.0.0").kind("data").file("big.txt", &text).write());
    let server = WeirServer::start(&t, "data", &[]);
    t.project(&["acme/big = ^1"]);
    t.weir_in("app", "--registry ../data/registries/org lock").succeeds();
    let pack = pack(&t);
    let whole = server.ask("GET", &pack, &[]);
    assert!(whole.body.len() > 4_000_000, "{}", whole.body.len());
    assert_eq!(whole.body, fs_err::read(t.path(format!("data/registries{pack}"))).unwrap());
    let part = server.ask("GET", &pack, &["Range: bytes=3000000-3000099"]);
    assert_eq!(&part.body[..], &whole.body[3_000_000..3_000_100]);
}

#[test]
fn nothing_but_the_face_of_a_registry_can_be_asked_for() {
    let (t, server) = served();
    t.write("data/secret", "secret");
    t.write("data/registries/org/notes", "secret");
    std::os::unix::fs::symlink(t.path("data/secret"), t.path("data/registries/org/pack/link")).unwrap();
    for path in [
        "/org/notes",
        "/org/.log.lock",
        "/org/../secret",
        "/org/%2e%2e/%2e%2e/secret",
        "/org/pack/link",
        "/org//checkpoint",
        "/org/checkpoint/",
        "/../data/secret",
        "/other/checkpoint",
        "/ORG/checkpoint",
    ] {
        let reply = server.ask("GET", path, &[]);
        assert_eq!(reply.status, 404, "{path}");
        assert!(!reply.text().contains("secret"), "{path}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let reply = server.ask(method, "/org/checkpoint", &["Content-Length: 0"]);
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    let problem = server.ask("GET", "/other/checkpoint", &[]).text();
    assert_eq!(
        problem,
        r#"{"type":"urn:weir:problem:no-registry","title":"There is no such registry","status":404,"code":"no-registry","detail":"no registry of that name is served here, or none that you may see"}"#
    );
}

#[test]
fn who_sends_no_request_or_half_of_one_is_not_waited_for() {
    let t = moved();
    let variables = [("WEIR_SERVER_LIMITS_HEADER_SECONDS", "1"), ("WEIR_SERVER_LIMITS_CONNECTIONS", "2")];
    let server = WeirServer::start(&t, "data", &variables);
    let mut slow = [server.connect(), server.connect()];
    slow[0].write_all(b"GET /org/checkpoint HTTP/1.1\r\nHost:").unwrap();
    // Both places are taken until their time is over; then who waits is answered.
    assert_eq!(server.ask("GET", "/org/checkpoint", &[]).status, 200);
    for stream in &mut slow {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
    }
}

#[test]
fn nonsense_and_heads_without_end_are_refused_and_the_next_is_served() {
    let (_t, server) = served();
    for nonsense in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"GET /org/checkpoint HTTP/1.1\r\n\r\n".to_vec(),
        b"GET /org/checkpoint HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_vec(),
        b"GET /org/checkpoint HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"
            .to_vec(),
        [b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'a'; 1 << 20]].concat(),
    ] {
        let mut stream = server.connect();
        let _ = stream.write_all(&nonsense);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!String::from_utf8_lossy(&answer).contains(" 200 "));
    }
    assert_eq!(server.ask("GET", "/org/checkpoint", &[]).status, 200);
}

#[test]
fn it_says_how_it_is_and_counts_what_it_does() {
    let t = moved();
    give_keys(&t);
    let server = WeirServer::start(&t, "data", &[]);
    assert_eq!(server.ask("GET", "/healthz", &[]).status, 200);
    assert_eq!(server.ask("GET", "/readyz", &[]).status, 200);
    server.ask("GET", "/org/checkpoint", &[]);
    let metrics = server.ask("GET", "/metrics", &[]).text();
    assert!(metrics.contains(r#"weir_http_requests_total{method="GET",status="200"} 3"#), "{metrics}");
    fs_err::remove_file(t.path("data/registries/org/checkpoint")).unwrap();
    let told = wait_until(&server, 503);
    assert!(told.contains("the checkpoint of a registry cannot be read"), "{told}");
}

/// The keys of the user, as those of the server.
fn give_keys(t: &Sandbox) {
    fs_err::create_dir_all(t.path("data/keys")).expect("the sandbox can be written");
    for key in fs_err::read_dir(t.path("home/weir/keys")).expect("there are keys") {
        let key = key.expect("it can be read");
        fs_err::copy(key.path(), t.path("data/keys").join(key.file_name()))
            .expect("the sandbox can be written");
    }
}

#[test]
fn what_a_server_would_begin_with_is_looked_at_without_starting_it() {
    let t = moved();
    let check = || t.weir_in("", "serve data --check");
    let told = check().fails_with(1);
    assert!(told.stdout.contains("✗ nothing can be published in `org`"), "{told}");
    assert!(told.stdout.contains("help: copy the file of its key to"), "{told}");
    assert!(!t.path("data/state.db").exists() && !t.path("data/views").exists(), "nothing was made");
    give_keys(&t);
    let sound = check().succeeds();
    assert!(sound.stdout.contains("can be served: 1 registry"), "{sound}");

    // While one runs, what comes next is looked at beside it.
    let server = WeirServer::start(&t, "data", &[]);
    check().succeeds();
    let own = |text: &str| {
        t.write("data/registries/org/policy/own.cedar", text);
        check().fails_with(1).stdout
    };
    let other = own("@id(\"all\") @reason(\"a test\")\npermit (principal, action, resource);\n");
    assert!(other.contains("the files of its policy are not those in force"), "{other}");
    let none = own("permit (\n");
    assert!(none.contains("its policy cannot be used: own.cedar"), "{none}");
    fs_err::remove_dir_all(t.path("data/registries/org/policy")).unwrap();
    t.write("data/registries/org/checkpoint", "org\n");
    assert!(check().fails_with(1).stdout.contains("the registry `org` cannot be served as it is"));
    drop(server);

    t.write("data/weir-server.toml", "[tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\n");
    assert!(check().fails_with(1).stdout.contains("cannot be used for TLS"));
    t.write("data/weir-server.toml", "listn = \"127.0.0.1:1\"\n");
    assert!(check().fails_with(2).stderr.contains("listn"));
    // A folder that is not there yet is made at the start.
    let new = t.weir_in("", "serve new --check").succeeds().stdout;
    assert!(new.contains("0 registries") && new.contains("/new` is not there: the start makes it"), "{new}");
    assert!(!t.path("new").exists());
}

#[test]
fn a_registry_that_everybody_may_read_is_named_with_what_to_do() {
    let t = moved();
    give_keys(&t);
    let open = "the registry `org` has no policy set of its own: everybody may read it, and whoever has signed in may publish into it";
    let told = t.weir_in("", "serve data --check").succeeds().stdout;
    assert!(told.contains(&format!("! {open}\n")) && told.contains("can be served: 1 registry"), "{told}");
    let data = fs_err::canonicalize(t.path("data")).unwrap().display().to_string();
    let command =
        format!("WEIR_HOME={data} weir --registry {data}/registries/org policy set --built-in team");
    assert!(told.contains(&format!("help: `{command}`")), "{told}");
    let (server, log) = WeirServer::start_logged(&t, "data", &[]);
    wait_until(&server, 200);
    let said = fs_err::read_to_string(&log).unwrap();
    assert_eq!(said.matches(open).count(), 1, "{said}");
    assert!(said.contains(&format!("`weir --registry {}/org policy set", server.url())), "{said}");
    assert_eq!(server.ask("GET", "/org/checkpoint", &[]).status, 200);

    // The step of the guide, while it runs or before.
    let home = [("WEIR_HOME", &*data)];
    t.weir_with("", &command[command.find("--registry").unwrap()..], &home).succeeds();
    let mut status = 200;
    for _ in 0..100 {
        status = server.ask("GET", "/org/checkpoint", &[]).status;
        if status != 200 {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(status, 404, "to strangers it does not exist");
    drop(server);
    assert!(!t.weir_in("", "serve data --check").succeeds().stdout.contains(open));
    let (server, log) = WeirServer::start_logged(&t, "data", &[]);
    wait_until(&server, 200);
    assert!(!fs_err::read_to_string(&log).unwrap().contains(open));
}

#[test]
fn half_of_a_registry_is_named_and_the_next_create_goes_on_with_it() {
    let t = moved();
    give_keys(&t);
    fs_err::create_dir_all(t.path("data/registries/half")).unwrap();
    fs_err::copy(t.path("data/registries/org/checkpoint"), t.path("data/registries/half/checkpoint"))
        .unwrap();
    let told = t.weir_in("", "serve data --check").fails_with(1).stdout;
    assert!(told.contains("/registries/half` is half of a registry and is not served"), "{told}");
    assert!(
        told.contains("if `weir registry create half` was cut short, the same command goes on"),
        "{told}"
    );
}

#[test]
fn a_log_that_no_reader_would_believe_is_not_ready() {
    let t = moved();
    give_keys(&t);
    let (server, log) = WeirServer::start_logged(&t, "data", &[]);
    let (_, address) = server.url().split_once("://").expect("it is an address");
    let ready = || t.weir_in("", &format!("serve data --ready --listen {address}"));
    let check = || t.weir_in("", "serve data --check");
    wait_until(&server, 200);

    let checkpoint = t.read("data/registries/org/checkpoint");
    t.write("data/registries/org/checkpoint", "junk\n");
    assert!(wait_until(&server, 503).contains("the log of a registry is broken"));
    ready().fails_with(1);
    let said = fs_err::read_to_string(&log).unwrap();
    assert!(
        said.contains("the registry `org` cannot be served as it is: its `checkpoint` cannot be used"),
        "{said}"
    );
    assert!(said.contains("/registries/org` says what else is broken"), "{said}");
    check().fails_with(1);
    t.write("data/registries/org/checkpoint", checkpoint);
    wait_until(&server, 200);

    fs_err::rename(t.path("data/registries/org/tile"), t.path("tile")).unwrap();
    assert!(wait_until(&server, 503).contains("the log of a registry is broken"));
    ready().fails_with(1);
    let told = check().fails_with(1).stdout;
    assert!(told.contains("`tile/0/000.p/") && told.contains("is missing"), "{told}");
    fs_err::rename(t.path("tile"), t.path("data/registries/org/tile")).unwrap();
    wait_until(&server, 200);
    check().succeeds();
}

#[test]
fn whoever_watches_a_server_asks_it_by_the_program_itself() {
    let t = moved();
    give_keys(&t);
    let authority = Authority::new("an organisation");
    let (certificate, key) = authority.vouch_for("weir.example").to_pem();
    t.write("data/server.pem", certificate);
    t.write("data/server.key", key);
    for settings in ["", "[tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\n"] {
        t.write("data/weir-server.toml", settings);
        let server = WeirServer::start(&t, "data", &[]);
        let (_, address) = server.url().split_once("://").expect("it is an address");
        let ready = || t.weir_in("", &format!("serve data --ready --listen {address}"));
        let told = ready().succeeds();
        assert_eq!(told.stdout, format!("The server at {} is ready\n", server.url()));
        let checkpoint = t.read("data/registries/org/checkpoint");
        fs_err::remove_file(t.path("data/registries/org/checkpoint")).unwrap();
        // What was found is told to everybody for a second.
        std::thread::sleep(Duration::from_millis(1200));
        let told = ready().fails_with(1);
        assert!(told.stderr.contains("is not ready: the checkpoint of a registry cannot be read"), "{told}");
        t.write("data/registries/org/checkpoint", checkpoint);
        let address = address.to_owned();
        drop(server);
        let told = t.weir_in("", &format!("serve data --ready --listen {address}")).fails_with(1);
        assert!(told.stderr.contains("no server answers at"), "{told}");
    }
}

/// Waits until `/readyz` answers so: what it found is believed for some seconds.
fn wait_until(server: &WeirServer, status: u16) -> String {
    for _ in 0..300 {
        let reply = server.ask("GET", "/readyz", &[]);
        if reply.status == status {
            return reply.text();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("it never answered {status}: {}", server.ask("GET", "/readyz", &[]).text());
}

#[test]
fn ready_is_who_can_sign_for_its_registries_and_write_to_its_disk() {
    let t = moved();
    let (server, log) = WeirServer::start_logged(&t, "data", &[]);
    assert!(wait_until(&server, 503).contains("a registry cannot be signed for"));
    let data = fs_err::canonicalize(t.path("data")).unwrap().display().to_string();
    let said = fs_err::read_to_string(&log).unwrap();
    assert!(
        said.contains("nothing can be published in `org`: the key of the registry `org` is not on this"),
        "{said}"
    );
    assert!(said.contains(&format!("WEIR_HOME={data} weir registry bind {data}/registries/org")), "{said}");
    give_keys(&t);
    wait_until(&server, 200);
    fs_err::create_dir(t.path("data/server.probe")).unwrap();
    assert!(wait_until(&server, 503).contains("cannot be written"));
    fs_err::remove_dir(t.path("data/server.probe")).unwrap();
    wait_until(&server, 200);
    drop(server);

    fs_err::rename(t.path("data"), t.path("elsewhere")).unwrap();
    let (server, log) = WeirServer::start_logged(&t, "elsewhere", &[]);
    wait_until(&server, 503);
    let said = fs_err::read_to_string(&log).unwrap();
    assert!(said.contains(&format!("signs for `{data}/registries/org`, not for")), "{said}");
    let home = [("WEIR_HOME", "elsewhere")];
    t.weir_with("", "registry bind elsewhere/registries/org --yes", &home).succeeds();
    wait_until(&server, 200);
}

/// Who may read a registry its policy says, and not the mode of a folder that a shell with easy habits made.
#[test]
fn a_data_folder_that_the_server_makes_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let t = greeting();
    let mode = |path: &str| fs_err::metadata(t.path(path)).unwrap().permissions().mode() & 0o777;
    drop(WeirServer::start(&t, "srv/weir", &[]));
    assert_eq!(mode("srv/weir"), 0o700);
    assert_ne!(mode("srv"), 0o700, "what is above it is nobody's secret");
    fs_err::create_dir(t.path("shared")).unwrap();
    fs_err::set_permissions(t.path("shared"), std::fs::Permissions::from_mode(0o751)).unwrap();
    drop(WeirServer::start(&t, "shared", &[]));
    assert_eq!(mode("shared"), 0o751);
}

#[test]
fn what_a_copy_brought_back_for_all_to_read_is_for_the_server_alone_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let t = moved();
    give_keys(&t);
    drop(WeirServer::start(&t, "data", &[]));
    let key = fs_err::read_dir(t.path("data/keys")).unwrap().next().unwrap().unwrap().path();
    let private = [(t.path("data/state.db"), 0o644), (t.path("data/keys"), 0o755), (key, 0o640)];
    for (path, mode) in &private {
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(*mode)).unwrap();
    }
    let (_server, log) = WeirServer::start_logged(&t, "data", &[]);
    let said = fs_err::read_to_string(&log).unwrap();
    for (path, _) in &private {
        assert_eq!(fs_err::metadata(path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
        let path = fs_err::canonicalize(path).unwrap().display().to_string();
        assert!(
            said.lines().any(|line| line.contains("others could read this") && line.contains(&path)),
            "{path}: {said}"
        );
    }
}

#[test]
fn a_hang_up_has_a_certificate_read_again_and_nothing_else() {
    let (t, plain) = served();
    hang_up(&plain);
    assert_eq!(plain.ask("GET", "/healthz", &[]).status, 200);
    drop(plain);

    let (first, second) = (Authority::new("first"), Authority::new("second"));
    let put = |authority: &Authority| {
        let (certificate, key) = authority.vouch_for("127.0.0.1").to_pem();
        t.write("data/server.pem", certificate);
        t.write("data/server.key", key);
    };
    put(&first);
    t.write("data/weir-server.toml", "[tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\n");
    t.write("first.pem", first.pem());
    t.write("second.pem", second.pem());
    let (server, log) = WeirServer::start_logged(&t, "data", &[]);
    let believes = |authority: &str| {
        let authority = t.path(authority).display().to_string();
        let show = format!("whoami {}", server.url());
        let answer = t.weir_with("", &show, &[("SSL_CERT_FILE", &authority)]);
        answer.stderr.contains("wants to know who asks")
    };
    let hung_up = |told: &str| {
        hang_up(&server);
        let said = || fs_err::read_to_string(&log).unwrap();
        let is_told = (0..300).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            said().contains(told)
        });
        assert!(is_told, "{}", said());
    };
    assert!(believes("first.pem") && !believes("second.pem"));
    t.write("data/server.pem", "nonsense");
    hung_up("the certificate stays the one from before");
    assert!(believes("first.pem"));
    put(&second);
    hung_up("the certificate and its key were read again");
    assert!(believes("second.pem") && !believes("first.pem"));
}

fn hang_up(server: &WeirServer) {
    let told = std::process::Command::new("kill").args(["-HUP", &server.id().to_string()]).status();
    assert!(told.expect("it can be run").success());
}

#[test]
fn a_proxy_that_is_not_named_is_told_of_once_and_gets_no_metrics() {
    let t = moved();
    let (server, log) = WeirServer::start_logged(&t, "data", &[]);
    assert_eq!(server.ask("GET", "/metrics", &[]).status, 200);
    for _ in 0..2 {
        assert_eq!(server.ask("GET", "/metrics", &["X-Forwarded-For: 203.0.113.9"]).status, 403);
    }
    let form = ["Origin: https://weir.example", "Content-Type: application/x-www-form-urlencoded"];
    assert_eq!(server.say("POST", "/-/sign-in", &form, b"name=ann").status, 403);
    let said = fs_err::read_to_string(&log).unwrap();
    assert_eq!(said.matches("`trusted-proxies` does not name it").count(), 1, "{said}");
    assert!(said.contains(r#"it is of the page "https://weir.example", and the host that was asked is "http://registry.example""#), "{said}");
}

#[test]
fn metrics_are_for_this_machine_or_for_who_has_their_token() {
    let t = moved();
    let behind_proxy = [("WEIR_SERVER_TRUSTED_PROXIES", "127.0.0.0/8")];
    let server = WeirServer::start(&t, "data", &behind_proxy);
    assert_eq!(server.ask("GET", "/metrics", &[]).status, 200);
    assert_eq!(server.ask("GET", "/metrics", &["X-Forwarded-For: 203.0.113.9"]).status, 403);
    drop(server);
    let server = WeirServer::start(&t, "data", &[("WEIR_SERVER_METRICS_TOKEN", "watched-by-prometheus")]);
    assert_eq!(server.ask("GET", "/metrics", &[]).status, 401);
    assert_eq!(server.ask("GET", "/metrics", &["Authorization: Bearer watched-by-nobody"]).status, 401);
    assert_eq!(server.ask("GET", "/metrics", &["Authorization: Bearer watched-by-prometheus"]).status, 200);
}

#[test]
fn metrics_can_have_an_address_of_their_own() {
    let t = moved();
    let server = WeirServer::start(&t, "data", &[("WEIR_SERVER_METRICS_LISTEN", "127.0.0.1:0")]);
    assert_eq!(server.ask("GET", "/metrics", &[]).status, 404);
}

#[test]
fn asked_to_stop_it_ends_well() {
    let (_t, server) = served();
    let idle = server.connect();
    let stopped = std::process::Command::new("kill").args(["-TERM", &server.id().to_string()]).status();
    assert!(stopped.unwrap().success());
    assert_eq!(server.ended().code(), Some(0));
    drop(idle);
}

#[test]
fn it_can_speak_tls_itself() {
    let t = moved();
    let authority = Authority::new("an organisation");
    t.write("ca.pem", authority.pem());
    let (certificate, key) = authority.vouch_for("127.0.0.1").to_pem();
    t.write("data/server.pem", certificate);
    t.write("data/server.key", key);
    t.write("data/weir-server.toml", "[tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\n");
    let server = WeirServer::start(&t, "data", &[]);
    assert!(server.url().starts_with("https://"), "{}", server.url());
    let trusting = [("SSL_CERT_FILE", t.path("ca.pem").display().to_string())];
    let trusting: Vec<(&str, &str)> = trusting.iter().map(|(name, value)| (*name, &**value)).collect();
    let added = format!("registry add web {}/org --default", server.url());
    t.weir_with("", &added, &trusting).succeeds();
    t.project(&["acme/str = ^1"]);
    t.weir_with("app", "install", &trusting).succeeds();
}

#[test]
fn settings_and_folders_that_cannot_be_meant_are_told() {
    let t = moved();
    t.write("full/thesis.txt", "x");
    let run = t.weir_in("", "serve full").fails_with(8);
    assert!(run.stderr.contains("is not empty, and holds no server's data"), "{}", run.stderr);
    t.write("data/weir-server.toml", "[limits]\nconnectons = 5\n");
    let run = t.weir_in("", "serve data").fails_with(2);
    assert!(run.stderr.contains("connectons"), "{}", run.stderr);
    t.write("data/weir-server.toml", "");
    let run = t.weir_with("", "serve data", &[("WEIR_SERVER_LISTN", "127.0.0.1:1")]).fails_with(2);
    assert!(run.stderr.contains("WEIR_SERVER_LISTEN"), "{}", run.stderr);
    let run = t.weir_in("", "serve data --listen 192.0.2.1:1").fails_with(1);
    assert!(run.stderr.contains("192.0.2.1:1"), "{}", run.stderr);
    assert!(run.stderr.contains("this machine does not have the address 192.0.2.1"), "{}", run.stderr);
    assert!(!run.stderr.contains("another program"), "{}", run.stderr);
    let run = t.weir_with("", "serve data", &[("WEIR_SERVER_LISTEN", "localhost:1")]).fails_with(2);
    let why = "the variable `WEIR_SERVER_LISTEN` cannot be used as it is, `localhost:1`: ";
    assert!(run.stderr.contains(why) && !run.stderr.contains("weir-server.toml"), "{}", run.stderr);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let run = t.weir_in("", &format!("serve data --listen {address}")).fails_with(1);
    assert!(run.stderr.contains("another program has it"), "{}", run.stderr);

    for text in [
        "[sign-in]\ndays = 0\n",
        "[limits]\nupload-megabytes = 0\n",
        "listen = \"127.0.0.1:9\"\nmetrics-listen = \"127.0.0.1:9\"\n",
    ] {
        t.write("data/weir-server.toml", text);
        t.weir_in("", "serve data --check").fails_with(2);
    }
    t.write("data/empty.pem", "");
    t.write("data/weir-server.toml", "[tls]\ncertificate = \"empty.pem\"\nkey = \"empty.pem\"\n");
    let run = t.weir_in("", "serve data").fails_with(2);
    let why = "data/empty.pem` cannot be used for TLS: there is no certificate in it";
    assert!(run.stderr.contains(why), "{}", run.stderr);
    t.write("data/weir-server.toml", "");
}

#[test]
fn a_database_that_is_none_is_named_with_what_to_do() {
    let t = moved();
    for file in ["state.db", "activity.db", "requests.db", "webhooks.db"] {
        drop(WeirServer::start(&t, "data", &[]));
        for beside in ["-wal", "-shm"] {
            let _ = fs_err::remove_file(t.path(format!("data/{file}{beside}")));
        }
        t.write(format!("data/{file}"), "not a database at all\n".repeat(100));
        let run = t.weir_in("", "serve data").fails_with(1);
        assert!(run.stderr.contains(&format!("/data/{file}` does not hold")), "{file}: {}", run.stderr);
        assert!(run.stderr.contains("back from a copy"), "{file}: {}", run.stderr);
        fs_err::remove_file(t.path(format!("data/{file}"))).unwrap();
    }
}
