//! Tools that ask a server themselves, as their users have them. No package registry has them, so whoever has one names it:
//! `WEIR_TEST_ELM_WRAP` the program of elm-wrap, `WEIR_TEST_ZOKKA` that of Zokka. What each of them sends is in `protocol.rs` as well.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use weir_testkit::{Run, Sandbox, WeirServer};

use crate::clients::skipped;
use crate::protocol::{served, token};
use crate::{application, documented_string_package, string_package_in, uses_str};

/// The program that a variable names; or nothing, and it is said that it is not tried.
fn tool(variable: &str) -> Option<PathBuf> {
    let tool = std::env::var_os(variable).map(PathBuf::from).filter(|tool| tool.is_file());
    if tool.is_none() {
        skipped(&format!("`{variable}` names no program, and no package registry has it"));
    }
    tool
}

/// A registry that only those may read who have a token, with an application that is to use `acme/str` of it.
fn private() -> (Sandbox, WeirServer, String) {
    let (t, server) = served();
    t.weir_in("", "registry create secret").succeeds();
    t.weir_in("", &format!("registry add secret {}/secret --user", server.url())).succeeds();
    t.weir_in("", "--registry secret publish core json").succeeds();
    in_secret(&t, "1.0.0", "trim");
    application(&t, "0.19.1");
    uses_str(&t, "trim", "\"a\"");
    let token = token(&t);
    (t, server, token)
}

/// Publishes `acme/str` there.
fn in_secret(t: &Sandbox, version: &str, function: &str) {
    string_package_in(t, version, function);
    t.weir_in("", "--registry secret publish str").succeeds();
}

/// Runs a tool in a folder with a home of its own, and says yes to whatever it asks.
fn run(t: &Sandbox, tool: &Path, folder: &str, words: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut child = Command::new(tool)
        .args(words)
        .current_dir(t.path(folder))
        .env("ELM_HOME", t.path("elm-home"))
        .env("HOME", t.path("elm-home"))
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who asks nothing reads nothing.
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"y\n");
    t.run(&words.join(" "), &child.wait_with_output().unwrap())
}

#[test]
fn elm_wrap_installs_compiles_and_upgrades_from_a_registry_that_wants_a_token() {
    let Some(wrap) = tool("WEIR_TEST_ELM_WRAP") else { return };
    let (t, server, token) = private();
    let address = server.url().replace("http://", &format!("http://ann:{token}@"));
    let address = format!("{address}/secret/elm/0.19.1");
    let wrapped = |words: &[&str]| run(&t, &wrap, "app", words, &[("ELM_PACKAGE_REGISTRY_URL", &address)]);
    wrapped(&["package", "install", "-y", "acme/str"]).succeeds();
    assert!(crate::manifest(&t).contains(r#""acme/str":"1.0.0""#));
    wrapped(&["make", "src/Main.elm", "--output=/dev/null"]).succeeds();
    // What came since is all that it is told of.
    in_secret(&t, "1.1.0", "trim");
    wrapped(&["package", "upgrade", "-y"]).succeeds();
    assert!(crate::manifest(&t).contains(r#""acme/str":"1.1.0""#));
    wrapped(&["make", "src/Main.elm", "--output=/dev/null"]).succeeds();
    // Without one, there is nothing.
    fs_err::remove_dir_all(t.path("elm-home")).unwrap();
    let plain = format!("{}/secret/elm/0.19.1", server.url());
    let words = ["package", "install", "-y", "acme/str"];
    assert_ne!(run(&t, &wrap, "app", &words, &[("ELM_PACKAGE_REGISTRY_URL", &plain)]).code, 0);
}

/// Has Zokka know one registry.
fn known_to_zokka(t: &Sandbox, sort: &str, address: &str, token: Option<&str>) {
    let mut repository = serde_json::json!({
        "repository-type": sort, "repository-url": address, "repository-local-name": "team",
    });
    if let Some(token) = token {
        repository["repository-auth-token"] = token.into();
    }
    let known = serde_json::json!({ "repositories": [repository], "single-package-locations": [] });
    t.write("elm-home/0.19.1/zokka/custom-package-repository-config.json", known.to_string());
}

#[test]
fn zokka_installs_from_a_registry_and_publishes_into_one_that_wants_a_token() {
    let Some(zokka) = tool("WEIR_TEST_ZOKKA") else { return };
    let (t, server, token) = private();
    documented_string_package(&t, "1.0.0", "trim");
    let make = ["make", "src/Main.elm", "--output=/dev/null"];
    // As a registry of Elm's own sort, for everybody.
    let everybody = format!("{}/team/elm/0.19.1", server.url());
    known_to_zokka(&t, "package-server-with-standard-elm-v0.19-package-server-api", &everybody, None);
    run(&t, &zokka, "app", &["install", "acme/str"], &[]).succeeds();
    run(&t, &zokka, "app", &make, &[]).succeeds();
    // As one of its own, with a token.
    fs_err::remove_dir_all(t.path("elm-home")).unwrap();
    application(&t, "0.19.1");
    uses_str(&t, "trim", "\"a\"");
    let secret = format!("{}/secret/elm/0.19.1", server.url());
    let own = "package-server-with-personal-zokka-repo-v1.0-package-server-api";
    known_to_zokka(&t, own, &secret, Some(&token));
    run(&t, &zokka, "app", &["install", "acme/str"], &[]).succeeds();
    run(&t, &zokka, "app", &make, &[]).succeeds();
    crate::package(
        &t,
        "numbers",
        "1.0.0",
        &[],
        "module Numbers exposing (one)\n\n{-| Numbers.\n\n@docs one\n\n-}\n\n\n{-| It is one. -}\none : Int\none =\n    1\n",
    );
    t.write(
        "numbers/README.md",
        format!("# acme/numbers\n\n{}\n", "It has numbers of all sorts. ".repeat(20)),
    );
    t.write("numbers/LICENSE", "MIT\n");
    let published = run(&t, &zokka, "numbers", &["publish", "team"], &[]);
    assert!(published.code == 0, "{published}");
    let info = t.weir_in("", "--registry secret info acme/numbers").succeeds();
    assert!(info.stdout.contains("1.0.0"), "{info}");
    t.weir_in("", "registry verify secret --content").succeeds();
    t.weir_in("", "--registry secret -C app add acme/numbers").succeeds();
}
