//! Exit codes: each row of `docs/reference/exit-codes.md`, and each example in it, made to happen.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use weir_testkit::{Misbehaviour, Run, Sandbox, StaticServer};

use crate::{empty, greeting, installed, newer, over_http};

/// An example of the page and what makes it happen, with whichever commands may meet it.
type Case = (i32, &'static str, fn() -> Vec<Run>);

const CASES: &[Case] = &[
    (0, "it is done, or there is nothing to do", done),
    (1, "the disk is full", full_disk),
    (1, "a server answers 500", status_500),
    (1, "nothing comes in time", silence),
    (1, "a server or a proxy cannot be reached", nobody_there),
    (1, "a file that is imported is older than what was imported before", older_file),
    (
        1,
        "`audit`, `outdated --exit-code`, `repo status --exit-code` or `build --check` found something",
        found,
    ),
    (2, "an unknown option", unknown_option),
    (2, "an address that is none", no_address),
    (2, "a key that is none", no_key),
    (2, "a reason that is too long", long_reason),
    (3, "two ranges exclude each other", exclusive_ranges),
    (3, "a range that no version is in", unmet_range),
    (3, "a range that no version further up is in", unmet_further_up),
    (3, "packages from folders need each other in a circle", circle),
    (4, "a link where a project's file should be", link),
    (4, "the owner belongs to somebody else", other_owner),
    (4, "a rule of the registry's policies forbids it", forbidden),
    (4, "the registry takes other kinds only", other_kinds),
    (4, "a server answers 401 or 403", status_401),
    (4, "a proxy asks for a password", proxy_password),
    (4, "a file to be published is probably secret", secret),
    (5, "an unknown package, or one of which every version was removed", unknown_package),
    (5, "no registry is known", no_registry),
    (5, "a folder, a repository or a tag that a dependency names is not there", lost_dependency),
    (5, "no `weir.toml`", no_project),
    (5, "`--locked` without `weir.lock`", no_lock),
    (5, "a file that is named and not there", no_file),
    (5, "offline, and not on this machine", offline),
    (6, "a changed file", changed_file),
    (6, "a flipped byte in a pack", changed_pack),
    (6, "a registry that shortened its log", shorter_log),
    (6, "policy files that are not the set in force", other_policies),
    (7, "a compiler found an error", broken_build),
    (8, "`--locked`, and the lockfile is outdated", outdated_lock),
    (8, "the version exists with other content", other_content),
    (8, "an export is to be written where something else is", other_file),
    (9, "`audit`: an advisory says that a locked release is affected", advised),
    (130, "Ctrl-C", interrupt),
    (130, "no to a question", no),
];

#[test]
fn the_page_has_these_examples_and_no_others() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/exit-codes.md");
    let page = fs_err::read_to_string(page).expect("the page is there");
    let mut written = BTreeSet::new();
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.contains("---")).skip(1) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let code: i32 = cells[0].parse().expect("a row begins with a code");
        written.extend(cells[3].split("; ").map(|example| (code, example.to_owned())));
    }
    let tested = CASES.iter().map(|(code, example, _)| (*code, (*example).to_owned()));
    assert_eq!(tested.collect::<BTreeSet<_>>(), written);
}

/// Makes the examples happen that end with one of these codes.
#[track_caller]
fn make_happen(codes: std::ops::RangeInclusive<i32>) {
    let mut other = String::new();
    for (code, example, happens) in CASES.iter().filter(|(code, ..)| codes.contains(code)) {
        for run in happens().iter().filter(|run| run.code != *code) {
            other.push_str(&format!("{example}: not {code}, but\n{run}\n"));
        }
    }
    assert!(other.is_empty(), "{other}");
}

#[test]
fn what_is_done_ends_with_0_and_what_has_no_code_of_its_own_with_1() {
    make_happen(0..=1);
}

#[test]
fn wrong_calls_and_what_cannot_be_had_together_end_with_2_and_3() {
    make_happen(2..=3);
}

#[test]
fn refusals_end_with_4() {
    make_happen(4..=4);
}

#[test]
fn what_is_not_there_ends_with_5() {
    make_happen(5..=5);
}

#[test]
fn what_is_not_what_it_must_be_ends_with_6() {
    make_happen(6..=6);
}

#[test]
fn failed_builds_conflicts_and_interruptions_end_with_7_8_and_130() {
    make_happen(7..=130);
}

fn done() -> Vec<Run> {
    let t = installed();
    vec![t.weir("install"), t.weir("tree")]
}

/// No file may grow beyond 16 KiB: a disk that is full, for whoever writes more. Keys and checkpoints fit, an index does not.
pub(crate) fn on_a_full_disk(t: &Sandbox, folder: &str, typed: &str) -> Run {
    t.weir_under(&["sh", "-c", "trap '' XFSZ; ulimit -f 32; exec \"$0\" \"$@\""], folder, typed)
}

fn full_disk() -> Vec<Run> {
    let t = greeting();
    t.project(&["acme/greet = ^1"]);
    let package = t.package("acme/late", "1.0.0").write();
    fs_err::remove_dir_all(t.path("home/weir/replicas")).expect("it was synced");
    vec![
        on_a_full_disk(&t, "app", "install"),
        on_a_full_disk(&t, "app", "search acme"),
        on_a_full_disk(&t, "app", "registry show org"),
        on_a_full_disk(&t, "app", "info acme/str"),
        on_a_full_disk(&t, "", &format!("publish {package}")),
    ]
}

fn status_500() -> Vec<Run> {
    let (t, server, pack) = over_http::reader();
    server.misbehave(&pack, Misbehaviour::Status(500));
    let mut runs = vec![t.weir("install"), t.weir("add acme/str")];
    server.misbehave("/checkpoint", Misbehaviour::Status(500));
    t.write(
        "data/weir.toml",
        format!("[references]\nfacts = {{ fluid = true, mirrors = [\"{}{pack}\"] }}\n", server.url()),
    );
    runs.extend([
        t.weir("search acme"),
        t.weir("update"),
        t.weir("registry show"),
        t.weir_in("data", "lock"),
    ]);
    runs
}

fn silence() -> Vec<Run> {
    let (t, server, pack) = over_http::reader();
    server.misbehave(&pack, Misbehaviour::Silence);
    let config = t.read("home/weir/config.toml");
    t.write("home/weir/config.toml", format!("{config}\n[http]\ntimeout = 1\n"));
    let run = t.weir("install");
    assert!(run.stderr.contains("`acme/str 1.0.0` could not be fetched from the registry `web`"), "{run}");
    assert!(run.stderr.contains("did not arrive in time"), "{run}");
    vec![run]
}

/// A port of this machine where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    format!("http://{}", listener.local_addr().expect("it is bound"))
}

fn nobody_there() -> Vec<Run> {
    let (t, _server, _) = over_http::reader();
    let proxy = nobody();
    let through = t.weir_with("app", "install", &[("HTTP_PROXY", &proxy)]);
    assert!(through.stderr.contains(&format!("the proxy `{proxy}` does not serve")), "{through}");
    assert!(through.stderr.contains("`acme/str 1.0.0` could not be fetched"), "{through}");
    vec![through, t.weir(&format!("search acme --registry {}", nobody()))]
}

fn found() -> Vec<Run> {
    let t = installed();
    newer(&t);
    let outdated = t.weir("outdated --exit-code");
    t.weir_in("", "quarantine acme/str@1.0.0").succeeds();
    recipe(&t, "cat /proc/sys/kernel/random/uuid >\"$DESTDIR$PREFIX/id\"");
    vec![
        outdated,
        t.weir("audit"),
        t.weir_in("recipes", "repo status --exit-code"),
        t.weir_in("recipes", "build --check --no-sandbox"),
    ]
}

fn advised() -> Vec<Run> {
    let t = installed();
    let affected = r#"[{"package": {"ecosystem": "Weir", "name": "acme/str"}, "versions": ["1.0.0"]}]"#;
    let told = format!(r#"{{"id": "ACME-1", "modified": "2026-01-01T00:00:00Z", "affected": {affected}}}"#);
    t.write("advisory.json", told);
    t.weir_in("", "advisory import advisory.json").succeeds();
    vec![t.weir("audit"), t.weir("audit --offline"), t.weir("audit --json")]
}

fn older_file() -> Vec<Run> {
    let t = empty();
    t.weir_in("", "registry init public --name public").succeeds();
    t.registry("team");
    for version in ["1.0.0", "1.1.0"] {
        let folder = t.package("lib/str", version).write();
        t.weir_in("", &format!("--registry ./public publish {folder}")).succeeds();
        t.weir_in("", &format!("--registry ./public registry export {version}.weir")).succeeds();
    }
    let shown = t.weir_in("", "registry show ./public --json").succeeds().stdout;
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("it is JSON");
    let key = shown["pinned"][0].as_str().expect("it has a key");
    t.weir_in("", &format!("registry import 1.1.0.weir --key {key}")).succeeds();
    vec![t.weir_in("", "registry import 1.0.0.weir"), t.weir_in("", "registry import 1.0.0.weir --json")]
}

fn unknown_option() -> Vec<Run> {
    let t = empty();
    vec![t.weir("install --lokced"), t.weir("install --lokced --json"), t.weir("instal")]
}

fn no_address() -> Vec<Run> {
    let t = empty();
    vec![
        t.weir("registry add org ftp://packages.example/org"),
        t.weir("search x --registry ftp://packages.example"),
    ]
}

fn no_key() -> Vec<Run> {
    let t = greeting();
    t.weir_in("", "registry init above --name above").succeeds();
    ["registry add above ./above --key garbage", "registry upstream add ./above --key garbage"]
        .map(|typed| t.weir_in("", typed))
        .into()
}

fn long_reason() -> Vec<Run> {
    let t = greeting();
    let reason = "long".repeat(300);
    ["yank acme/str@1.0.0", "quarantine acme/str@1.0.0", "unpublish acme/str@1.0.0"]
        .map(|typed| t.weir_in("", &format!("{typed} --reason {reason}")))
        .into()
}

fn exclusive_ranges() -> Vec<Run> {
    let t = greeting();
    t.project(&["acme/greet = ^1", "acme/str = ^2"]);
    vec![t.weir("install"), t.weir("lock"), t.weir("update"), t.weir("install --json")]
}

fn unmet_range() -> Vec<Run> {
    let t = greeting();
    let package = t.package("acme/needy", "1.0.0").dependency("acme/str", "^7").write();
    t.project(&["acme/str = ^7"]);
    vec![
        t.weir_in("", &format!("publish {package}")),
        t.weir_in("", &format!("publish {package} --dry-run")),
        t.weir("install"),
        t.weir("lock"),
        t.weir("update"),
        t.weir("outdated"),
    ]
}

fn unmet_further_up() -> Vec<Run> {
    let t = greeting();
    t.registry("laptop");
    t.weir_in("", "registry upstream add ./org").succeeds();
    t.project(&["acme/str = ^7"]);
    ["install", "lock", "update", "outdated", "add acme/names@^7"].map(|typed| t.weir(typed)).into()
}

fn circle() -> Vec<Run> {
    let t = empty();
    for (name, needs) in [("app", "one"), ("one", "two"), ("two", "one")] {
        let text = format!(
            "[package]\nname = \"acme/{name}\"\nversion = \"1.0.0\"\n[dependencies]\n\"acme/{needs}\" = {{ path = \"../{needs}\" }}\n"
        );
        t.write(format!("{name}/weir.toml"), text);
    }
    let run = t.weir("install");
    assert_snapshot!(run, @"
    $ weir install
    -- stderr
      × packages from folders need each other in a circle: `../one` → `../two` → `../one`
      help: take one of these dependencies out: what both sides need can be a package of its own
    -- exit code 3
    ");
    vec![run, t.weir("lock"), t.weir_in("two", "install")]
}

fn link() -> Vec<Run> {
    let t = empty();
    t.write("other.toml", "");
    fs_err::os::unix::fs::symlink(t.path("other.toml"), t.path("app/weir.toml")).expect("it is ours");
    vec![t.weir("install"), t.weir("tree"), t.weir("add acme/str")]
}

fn other_owner() -> Vec<Run> {
    let t = greeting();
    let package = t.package("acme/more", "1.0.0").write();
    let eve: &[(&str, &str)] = &[("USER", "eve")];
    vec![
        t.weir_with("", &format!("publish {package}"), eve),
        t.weir_with("", "yank acme/str@1.0.0", eve),
        t.weir_with("", "claim acme user:eve", eve),
    ]
}

fn forbidden() -> Vec<Run> {
    let t = greeting();
    t.weir_in("", "policy set --built-in curated").succeeds();
    vec![t.weir_in("", "yank acme/str@1.0.0")]
}

fn other_policies() -> Vec<Run> {
    let t = greeting();
    t.weir_in("", "policy set --built-in open").succeeds();
    t.write("org/policy/more.cedar", "");
    vec![
        t.weir_in("", "yank acme/str@1.0.0"),
        t.weir_in("", "policy show"),
        t.weir_in("", "registry renew"),
        t.weir_in("", "registry verify"),
    ]
}

fn other_kinds() -> Vec<Run> {
    let t = empty();
    t.weir_in("", "registry init org --name org --kind bash --default").succeeds();
    let package = t.package("acme/more", "1.0.0").kind("data").write();
    vec![t.weir_in("", &format!("publish {package}"))]
}

fn status_401() -> Vec<Run> {
    let mut runs = Vec::new();
    for status in [401, 403] {
        let (t, server, pack) = over_http::reader();
        server.misbehave(&pack, Misbehaviour::Status(status));
        runs.extend([t.weir("install"), t.weir("add acme/str")]);
        server.misbehave("/checkpoint", Misbehaviour::Status(status));
        t.write(
            "data/weir.toml",
            format!("[references]\nfacts = {{ fluid = true, mirrors = [\"{}{pack}\"] }}\n", server.url()),
        );
        runs.extend([
            t.weir("search acme"),
            t.weir("update"),
            t.weir("registry show"),
            t.weir_in("data", "lock"),
        ]);
        assert_eq!(runs.iter().filter(|run| run.stderr.contains("credential")).count(), 0);
    }
    assert!(
        runs[0].stderr.contains("`acme/str 1.0.0` could not be fetched from the registry `web`"),
        "{}",
        runs[0]
    );
    assert!(runs[0].stderr.contains("the server asks for a password, status 401"), "{}", runs[0]);
    runs
}

fn proxy_password() -> Vec<Run> {
    let (t, server, _) = over_http::reader();
    let proxy = StaticServer::serve(t.path("org")).expect("a port is free");
    // What a proxy is asked to connect to stands where the path stands otherwise.
    proxy.misbehave(server.url().trim_start_matches("http://"), Misbehaviour::Status(407));
    let url = proxy.url();
    let runs: Vec<Run> = ["install", "search acme", "add acme/str"]
        .into_iter()
        .map(|typed| t.weir_with("app", typed, &[("HTTP_PROXY", &url)]))
        .collect();
    for run in &runs {
        assert!(run.stderr.contains(&format!("the proxy `{url}` asks for a password, status 407")), "{run}");
        assert!(run.stderr.contains("write `USER:PASSWORD@` before the host"), "{run}");
    }
    runs
}

fn secret() -> Vec<Run> {
    let t = greeting();
    let package = t.package("acme/leaky", "1.0.0").file(".env", "TOKEN=1\n").write();
    vec![t.weir_in("", &format!("publish {package}"))]
}

fn unknown_package() -> Vec<Run> {
    let t = greeting();
    let mut runs = vec![
        t.weir("info acme/nothing"),
        t.weir("yank acme/nothing@1.0.0"),
        t.weir("info acme/nothing --json"),
        t.weir("add acme/nothing"),
    ];
    for needed in ["acme/nothing", "acme/gone"] {
        if needed == "acme/gone" {
            let package = t.package(needed, "1.0.0").write();
            t.weir_in("", &format!("publish {package}")).succeeds();
            t.write("gone.toml", "remove = [{ name = \"acme/gone\", version = \"1.0.0\" }]\n");
            t.weir_in("", "batch gone.toml").succeeds();
        }
        t.project(&[&format!("{needed} = ^1")]);
        runs.extend([t.weir("install"), t.weir("lock"), t.weir("update"), t.weir("outdated")]);
        let package = t.package("acme/needy", "1.0.0").dependency(needed, "^1").write();
        runs.extend([
            t.weir_in("", &format!("publish {package}")),
            t.weir_in("", &format!("publish {package} --dry-run")),
        ]);
    }
    runs
}

fn no_registry() -> Vec<Run> {
    let t = empty();
    t.project(&["acme/str = ^1"]);
    let mut runs: Vec<Run> =
        ["install", "lock", "update", "update --full", "outdated", "add acme/greet", "search x"]
            .map(|typed| t.weir(typed))
            .into();
    let t = installed();
    fs_err::remove_file(t.path("home/weir/config.toml")).expect("it names the registry");
    fs_err::remove_dir_all(t.path("home/weir/replicas")).expect("it was synced");
    fs_err::remove_dir_all(t.path("app/weir_packages")).expect("it was installed");
    runs.extend(
        [
            "install",
            "install --locked",
            "lock",
            "update",
            "update --full",
            "outdated",
            "add acme/greet",
            "audit",
            "search x",
            "registry show",
        ]
        .map(|typed| t.weir(typed)),
    );
    runs.extend(
        ["registry show", "registry verify"]
            .map(|typed| t.weir(&format!("{typed} {}", t.path("nowhere").display()))),
    );
    runs
}

fn lost_dependency() -> Vec<Run> {
    let t = empty();
    fs_err::create_dir(t.path("repository")).expect("the sandbox can be written");
    let git = |typed: &str| {
        let mut command = Command::new("git");
        command.current_dir(t.path("repository")).args(typed.split(' '));
        assert!(command.output().expect("there is git").status.success());
    };
    git("init -q");
    git("-c user.name=a -c user.email=a@b.example commit -q --allow-empty -m x");
    let repository = t.path("repository").display().to_string();
    let nowhere = t.path("nowhere").display().to_string();
    t.write("app/weir.toml", "");
    let mut runs = vec![t.weir(&format!("add acme/x --git {repository} --tag v1.0.0"))];
    for source in [
        "path = \"../nowhere\"".to_owned(),
        format!("git = \"{repository}\", tag = \"v1.0.0\""),
        format!("git = \"{nowhere}\", tag = \"v1.0.0\""),
    ] {
        t.write("app/weir.toml", format!("[dependencies]\n\"acme/x\" = {{ {source} }}\n"));
        runs.extend([t.weir("install"), t.weir("lock"), t.weir("update")]);
    }
    t.write("app/weir.toml", "");
    runs.push(t.weir("add acme/x --path ../nowhere"));
    runs
}

fn no_project() -> Vec<Run> {
    let t = empty();
    vec![t.weir("install"), t.weir("tree"), t.weir("verify"), t.weir("publish")]
}

fn no_lock() -> Vec<Run> {
    let t = greeting();
    t.project(&["acme/str = ^1"]);
    vec![t.weir("install --locked"), t.weir("lock --locked")]
}

fn no_file() -> Vec<Run> {
    let t = greeting();
    [
        "import nothing.tgz --name acme/x --set-version 1.0.0",
        "store import nothing.weir",
        "registry import nothing.weir",
        "batch nothing.toml",
        "root create root --oci nothing.tar",
        "publish nothing",
        "repo import nothing recipes",
    ]
    .map(|typed| t.weir(typed))
    .into()
}

fn offline() -> Vec<Run> {
    let t = greeting();
    t.project(&["acme/str = ^1"]);
    t.weir("lock").succeeds();
    let locked = t.weir("install --offline");
    fs_err::remove_dir_all(t.path("home/weir/replicas")).expect("it was synced");
    fs_err::remove_dir_all(t.path("home/weir/trust")).expect("it was synced");
    vec![locked, t.weir("search acme --offline")]
}

fn changed_file() -> Vec<Run> {
    let t = installed();
    flip(&fs_err::canonicalize(t.path("app/weir_packages/packages/acme/greet/greet")).expect("it is a link"));
    vec![t.weir("verify"), t.weir("store verify")]
}

fn changed_pack() -> Vec<Run> {
    let (t, server, pack) = over_http::reader();
    flip(&t.path(format!("org{pack}")));
    vec![
        t.weir("install"),
        t.weir("add acme/str"),
        t.weir("registry verify --content"),
        t.weir(&format!("registry verify {}", t.path("org").display())),
        t.weir(&format!("install --registry {}", server.url())),
    ]
}

/// Changes a byte in the middle of a file.
fn flip(path: &Path) {
    let mut bytes = fs_err::read(path).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs_err::remove_file(path).expect("it is ours");
    fs_err::write(path, bytes).expect("it is ours");
}

fn shorter_log() -> Vec<Run> {
    let (t, _server, _) = over_http::reader();
    let before = fs_err::read(t.path("org/checkpoint")).expect("it is there");
    let org = t.path("org").display().to_string();
    t.weir_in("", &format!("yank acme/str@1.0.0 --registry {org}")).succeeds();
    t.weir("search acme").succeeds();
    fs_err::write(t.path("org/checkpoint"), before).expect("it is ours");
    vec![t.weir("update"), t.weir("search acme"), t.weir("registry show")]
}

/// A recipe whose build is a line of shell.
fn recipe(t: &Sandbox, line: &str) {
    let manifest = "[package]\nname = \"base/x\"\nversion = \"1.0.0\"\nkind = \"native\"\nlicense = \"MIT\"\n\n\
                    [recipe]\nsource = { path = \"src\" }\nsystem = \"script\"\nscript = \"build.sh\"\nvariants = [\"release\"]\n";
    t.write("recipes/packages/base/x/weir.toml", manifest);
    t.write("recipes/packages/base/x/build.sh", format!("mkdir -p \"$DESTDIR$PREFIX\"\n{line}\n"));
    t.write("recipes/packages/base/x/src/x.c", "this is no C\n");
}

fn broken_build() -> Vec<Run> {
    let t = greeting();
    recipe(&t, "cc -c x.c");
    vec![
        t.weir_in("recipes", "build --no-sandbox"),
        t.weir_in("recipes", "repo add --all --no-sandbox --json"),
    ]
}

fn outdated_lock() -> Vec<Run> {
    let t = installed();
    t.project(&["acme/str = ^1"]);
    vec![t.weir("install --locked"), t.weir("lock --locked")]
}

fn other_content() -> Vec<Run> {
    let t = greeting();
    let package = t.package("acme/str", "1.0.0").file("str.sh", "other\n").write();
    vec![t.weir_in("", &format!("publish {package}")), t.weir_in("", &format!("publish {package} --dry-run"))]
}

fn other_file() -> Vec<Run> {
    let t = greeting();
    t.write("notes.txt", "mine");
    vec![t.weir_in("", "registry export notes.txt")]
}

fn interrupt() -> Vec<Run> {
    // A registry that accepts and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = silent.local_addr().expect("it is bound");
    let t = empty();
    t.project(&["acme/greet = ^1"]);
    t.weir_in("", &format!("registry add org http://{address}/org --default --user")).succeeds();
    let child = t
        .command("app", &["install".into()], &[])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let _connection = silent.accept().expect("it asks the registry");
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupted.expect("kill runs").success());
    let output = child.wait_with_output().expect("it ends");
    assert!(!t.path("app/weir.lock").exists());
    vec![t.run("install", &output)]
}

fn no() -> Vec<Run> {
    let t = greeting();
    ["registry add org ../other", "registry init ../org2 --name org", "registry rotate-key org"]
        .into_iter()
        .map(|typed| t.weir_on_a_terminal("app", typed, "n\n"))
        .collect()
}

/// One thing, one code: whichever command takes a server, of a registry that is a folder.
#[test]
fn what_takes_a_server_says_so_of_a_folder_by_one_code() {
    let t = crate::greeting();
    for command in
        ["whoami", "login", "logout", "token list", "activity", "trust list", "user list", "webhook list"]
    {
        let server = if matches!(command, "login" | "logout" | "whoami") { "" } else { " --registry org" };
        let run = t.weir(&format!("{command}{server}"));
        let run = if server.is_empty() { t.weir(&format!("{command} org")) } else { run };
        assert!(run.code == 4 && run.stderr.contains("and this takes a server"), "{run}");
    }
    t.weir("downloads acme/greet").fails_with(4);
}

#[test]
fn an_archive_whose_checksum_does_not_fit_is_not_what_it_must_be() {
    let t = crate::empty();
    t.write("files/a", "one two three");
    let made = std::process::Command::new("tar")
        .args(["-czf", "a.tar.gz", "files"])
        .current_dir(t.path(""))
        .status();
    assert!(made.expect("there is `tar`").success());
    let mut archive = fs_err::read(t.path("a.tar.gz")).expect("it was made");
    let checksum = archive.len() - 8;
    archive[checksum] ^= 1;
    t.write("a.tar.gz", archive);
    let run = t.weir_in("", "import a.tar.gz --name acme/a --set-version 1.0.0 --into a");
    assert!(run.code == 6, "{run}");
}

#[test]
fn a_folder_that_cannot_be_on_a_path_is_told() {
    let t = crate::greeting();
    t.write("a:b/weir.toml", "[dependencies]\n\"acme/greet\" = \"^1\"\n");
    for command in ["run greet", "env"] {
        let run = t.weir_in("a:b", command).succeeds();
        assert!(run.stderr.contains("no folder can be that has a `:` in its name"), "{run}");
    }
}
