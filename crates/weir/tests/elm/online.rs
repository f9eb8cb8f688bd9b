//! Commands of the compiler that ask the public registry, answered from registries of our own: the compiler itself, unmodified.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use weir_testkit::{Run, Sandbox, WeirServer};

use crate::compilers::{later, path_with};
use crate::{
    application, compile, compiler, copy_set, documented_string_package, make, manifest, package, sandbox,
    uses_str, version,
};

/// Runs the compiler in a folder. What it asks is answered with `y`.
pub(crate) fn elm(t: &Sandbox, folder: &str, typed: &str) -> Run {
    let run = t.weir_fed(folder, &format!("run -- elm {typed}"), "y\n");
    match run.stderr.contains("resource busy (file is locked)") {
        true => t.weir_fed(folder, &format!("run -- elm {typed}"), "y\n"),
        false => run,
    }
}

#[test]
fn elm_install_finds_a_private_package_and_weirs_lockfile_follows() {
    let t = sandbox();
    documented_string_package(&t, "1.0.0", "trim");
    application(&t, &version(&compiler()));
    elm(&t, "app", "install acme/str").succeeds();
    assert!(manifest(&t).contains("\"acme/str\":\"1.0.0\""), "{}", manifest(&t));
    assert!(t.read("app/weir.lock").contains("acme/str"));
    uses_str(&t, "trim", "\"a\"");
    make(&t).succeeds();
    // Nothing of it is the user's own Elm folder, and nothing is left that anybody could believe.
    assert!(!t.path("home/.elm").exists() && !t.path(".elm").exists());
    let none = elm(&t, "app", "install acme/none");
    assert!(none.code != 0 && none.stderr.contains("acme/none"), "{none}");
}

#[test]
fn of_several_compilers_that_install_at_once_each_keeps_what_the_others_added() {
    let t = sandbox();
    let names = ["one", "two", "three"];
    for name in names {
        let module = format!("module M{name} exposing (a)\n\na : Int\na =\n    1\n");
        package(&t, name, "1.0.0", &[], &module);
        t.weir_with("", &format!("publish {name}"), &[("PATH", "/nowhere")]).succeeds();
    }
    application(&t, &version(&compiler()));
    let t = &t;
    std::thread::scope(|scope| {
        for name in names {
            scope.spawn(move || elm(t, "app", &format!("install acme/{name}")).succeeds());
        }
    });
    for name in names {
        assert!(manifest(t).contains(&format!("\"acme/{name}\":\"1.0.0\"")), "{name}: {}", manifest(t));
        assert!(t.read("app/weir.lock").contains(&format!("acme/{name}")));
    }
}

#[test]
fn elm_init_begins_an_application_out_of_the_registries_of_the_user() {
    let t = Sandbox::new(env!("CARGO_BIN_EXE_weir"));
    t.registry("org");
    copy_set(&t);
    for name in ["browser", "html"] {
        let module = if name == "html" { "Html" } else { "Browser" };
        let text =
            format!("module {module} exposing (a)\n\n{{-| @docs a\n-}}\n\n\n{{-| -}}\na : Int\na =\n    1\n");
        package(&t, name, "1.0.0", &[], &text);
        t.write(format!("{name}/elm.json"), t.read(format!("{name}/elm.json")).replace("acme/", "elm/"));
    }
    t.weir_in("", "publish core json browser html").succeeds();
    t.write("new/empty", "");
    elm(&t, "new", "init").succeeds();
    let text = t.read("new/elm.json");
    assert!(text.contains("elm/browser") && t.path("new/src").is_dir(), "{text}");
    assert!(t.read("new/weir.lock").contains("elm/html"));
    t.write("new/src/Main.elm", "module Main exposing (one)\n\n\none : Int\none =\n    1\n");
    compile(&t, "new", "run -- elm make src/Main.elm --output=/dev/null").succeeds();

    // Beside other things that `weir.toml` is about, and below them.
    t.write("mono/weir.toml", "[scripts]\nhello = \"echo hello\"\n");
    t.write("mono/app/empty", "");
    elm(&t, "mono/app", "init").succeeds();
    assert!(t.read("mono/app/weir.lock").contains("elm/html") && !t.path("home/.elm").exists());
}

#[test]
fn of_two_registries_that_have_a_package_the_one_is_shown_that_was_locked_or_is_named() {
    let t = sandbox();
    documented_string_package(&t, "1.0.0", "trim");
    application(&t, &version(&compiler()));
    t.weir("install").succeeds();
    copy_set(&t);
    t.weir_in("", "registry init other --name other").succeeds();
    t.weir_in("", "--registry ./other publish core json").succeeds();
    t.weir_in("", "registry add other ./other --user").succeeds();
    elm(&t, "app", "install acme/str").succeeds();
    assert!(manifest(&t).contains("\"acme/str\":\"1.0.0\""), "{}", manifest(&t));

    // Without a lock the default one is meant, to which the owner belongs.
    application(&t, &version(&compiler()));
    fs_err::remove_file(t.path("app/weir.lock")).expect("it is there");
    elm(&t, "app", "install acme/str").succeeds();

    // Where none is the default, it is not said which is meant; it can be said for this once.
    let config = "home/weir/config.toml";
    t.write(config, t.read(config).replace("default = true", "default = false"));
    application(&t, &version(&compiler()));
    fs_err::remove_file(t.path("app/weir.lock")).expect("it is there");
    let unsaid = elm(&t, "app", "install acme/str");
    assert!(unsaid.code != 0 && unsaid.stderr.contains("two registries have `elm/core`"), "{unsaid}");
    t.weir_fed("app", "--registry org run -- elm install acme/str", "y\n").succeeds();
}

const TRIM: &str = "module Str exposing (trim)\n\n{-| Texts.\n\n@docs trim\n\n-}\n\n\n{-| -}\ntrim : String -> String\ntrim text =\n    text\n";

/// A package as Elm wants one that is published: with a licence, enough of a README, and a tag.
fn tagged(t: &Sandbox, module: &str, version: &str) {
    package(t, "str", version, &[], module);
    t.write("str/LICENSE", "MIT\n");
    t.write(
        "str/README.md",
        format!("# acme/str\n\n{}\n", "What it is good for, at some length. ".repeat(12)),
    );
    t.write("str/.gitignore", "elm-stuff\ndocs.json\nweir.lock\nweir_packages\n");
    tag(t, version);
}

fn tag(t: &Sandbox, version: &str) {
    let git = |words: &[&str]| {
        let run = Command::new("git")
            .args([
                "-c",
                "user.name=ann",
                "-c",
                "user.email=ann@example.org",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(words)
            .current_dir(t.path("str"))
            .output()
            .unwrap();
        assert!(run.status.success(), "{words:?}: {}", String::from_utf8_lossy(&run.stderr));
    };
    if !t.path("str/.git").exists() {
        git(&["init", "--quiet"]);
    }
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", version]);
    git(&["tag", version]);
}

#[test]
fn elm_publish_bump_and_diff_work_with_a_registry_of_ones_own() {
    let t = sandbox();
    tagged(&t, TRIM, "1.0.0");
    let published = elm(&t, "str", "publish").succeeds();
    assert!(published.stdout.contains("Success"), "{published}");
    let info = t.weir_in("", "info acme/str").succeeds();
    assert!(info.stdout.contains("1.0.0"), "{info}");
    t.weir_in("", "registry verify org --content").succeeds();

    // Something is added: that is a minor change, and the compiler writes the version that goes with it.
    let more =
        TRIM.replace("exposing (trim)", "exposing (loud, trim)").replace("@docs trim", "@docs trim, loud")
            + "\n\n{-| -}\nloud : String -> String\nloud text =\n    text\n";
    t.write("str/src/Str.elm", &more);
    let diff = elm(&t, "str", "diff").succeeds();
    assert!(diff.stdout.contains("MINOR") && diff.stdout.contains("loud"), "{diff}");
    elm(&t, "str", "bump").succeeds();
    assert!(t.read("str/elm.json").contains("\"version\": \"1.1.0\""), "{}", t.read("str/elm.json"));
    tag(&t, "1.1.0");
    elm(&t, "str", "publish").succeeds();
    let between = elm(&t, "str", "diff acme/str 1.0.0 1.1.0").succeeds();
    assert!(between.stdout.contains("MINOR"), "{between}");

    // The same without the compiler, whose words these are; and with it, of what is in the folder now.
    let ours = t.weir_in("", "elm diff acme/str@1.0.0 acme/str@1.1.0").succeeds().stdout;
    assert!(
        ours.contains("this is a MINOR change") && ours.contains("        loud : String -> String"),
        "{ours}"
    );
    let back = t.weir_in("", "elm diff acme/str@1.1.0 acme/str@1.0.0").succeeds().stdout;
    assert!(back.contains("MAJOR") && back.contains("Removed:"), "{back}");
    t.write("str/src/Str.elm", more.replace("trim : String -> String", "trim : a -> a"));
    let here = t.weir_in("str", "elm diff acme/str").succeeds().stdout;
    assert!(here.contains("MAJOR") && here.contains("  + trim : a -> a"), "{here}");
    t.weir_in("str", "elm diff acme/str@3.0.0").fails_with(5);
    t.write("str/src/Str.elm", &more);

    // What is not tagged, or has changed since, is not published.
    t.write("str/elm.json", t.read("str/elm.json").replace("1.1.0", "1.1.1"));
    let refused = elm(&t, "str", "publish");
    assert!(refused.code != 0 && t.weir_in("", "info acme/str@1.1.1").code != 0, "{refused}");
}

#[test]
fn a_later_compiler_installs_and_publishes_too() {
    let Some(later) = later() else { return };
    let t = sandbox();
    let path = path_with(&t, &later);
    let elm = |folder: &str, typed: &str| {
        let words: Vec<String> = format!("run -- elm {typed}").split(' ').map(str::to_owned).collect();
        let mut command = t.command(folder, &words, &[("PATH", &path)]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut run = command.spawn().unwrap();
        run.stdin.take().unwrap().write_all(b"y\n").unwrap();
        t.run(typed, &run.wait_with_output().unwrap())
    };
    tagged(&t, TRIM, "1.0.0");
    elm("str", "publish").succeeds();
    application(&t, &version(&later));
    elm("app", "install acme/str").succeeds();
    assert!(t.read("app/weir.lock").contains("acme/str"));
}

#[test]
fn the_registry_of_a_server_is_asked_and_published_to_as_whoever_signed_in() {
    let t = Sandbox::new(env!("CARGO_BIN_EXE_weir"));
    let server = WeirServer::with_team(&t, &[]);
    copy_set(&t);
    t.weir_in("", "publish core json").succeeds();
    tagged(&t, TRIM, "1.0.0");
    elm(&t, "str", "publish").succeeds();
    let docs = server.ask("GET", "/team/elm/0.19.1/packages/acme/str/1.0.0/docs.json", &[]);
    assert!(docs.text().contains("\"trim\""), "{}", docs.text());
    application(&t, &version(&compiler()));
    elm(&t, "app", "install acme/str").succeeds();
    assert!(t.read("app/weir.lock").contains("acme/str"));
    t.weir_in("", "claim acme user:bob").succeeds();
    t.write(
        "str/elm.json",
        t.read("str/elm.json").replace("\"version\": \"1.0.0\"", "\"version\": \"1.0.1\""),
    );
    tag(&t, "1.0.1");
    let refused = elm(&t, "str", "publish");
    assert!(refused.code != 0, "{refused}");
}

#[test]
fn the_proxy_is_for_the_compiler_alone_and_leads_nowhere_else() {
    let t = sandbox();
    application(&t, &version(&compiler()));
    // A compiler that asks for another place, and one of its proxy's neighbours who does not know the secret.
    let script = r#"#!/usr/bin/env python3
import os, socket, sys
from urllib.parse import urlparse
if sys.argv[1:] == ["--version"]:
    print("0.19.1"); sys.exit()
proxy = urlparse(os.environ["https_proxy"])
import base64
secret = base64.b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
def ask(line, header):
    s = socket.create_connection((proxy.hostname, proxy.port), 30)
    s.sendall(f"{line} HTTP/1.1\r\nHost: x\r\n{header}\r\n".encode())
    answer = b""
    while True:
        got = s.recv(4096)
        answer += got
        if not got or answer.startswith(b"HTTP/1.1 200"): return answer.split(b"\r\n")[0].decode()
known = f"Proxy-Authorization: Basic {secret}\r\n"
print(ask("CONNECT package.elm-lang.org:443", known))
print(ask("CONNECT package.elm-lang.org:443", ""))
print(ask("CONNECT example.org:443", known))
print(ask("GET http://example.org/", known))
print(os.stat(os.environ["SSL_CERT_FILE"]).st_size > 0, os.environ["ELM_HOME"].startswith(os.environ["WEIR_HOME"]))
"#;
    t.write("bin/elm", script);
    fs_err::set_permissions(t.path("bin/elm"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", t.path("bin").display(), std::env::var("PATH").unwrap());
    let run = t.weir_with("app", "run -- elm install acme/str", &[("PATH", &path)]).succeeds();
    assert_eq!(
        run.stdout.lines().collect::<Vec<_>>(),
        [
            "HTTP/1.1 200 Connection established",
            "HTTP/1.1 407 Proxy Authentication Required",
            "HTTP/1.1 403 Forbidden",
            "HTTP/1.1 403 Forbidden",
            "True True",
        ],
        "{run}"
    );
    assert!(run.stderr.contains("`elm` wanted to reach `example.org:443`"), "{run}");
}
