//! Which applications still compile with another version of a package: `weir impact --rebuild`, with the compiler itself.

use serde_json::Value;
use weir_testkit::{Sandbox, WeirServer};

use crate::{application, compiler, package, sandbox, string_package, uses_str, version};

/// An application `acme/<name>` that calls a function of `Str`, published with `acme/str` as it is then.
fn published(t: &Sandbox, name: &str, function: &str) {
    fs_err::create_dir_all(t.path("app")).unwrap();
    application(t, &version(&compiler()));
    t.write(
        "app/weir.toml",
        format!(
            "[package]\nname = \"acme/{name}\"\nversion = \"0.3.0\"\nkind = \"elm\"\nlicense = \"MIT\"\n"
        ),
    );
    uses_str(t, function, "\"a\"");
    t.write("app/src/Beside.elm", "module Beside exposing (two)\n\n\ntwo : Int\ntwo =\n    2\n");
    t.weir("add acme/str").succeeds();
    t.weir_in("", "publish app").succeeds();
    fs_err::remove_dir_all(t.path("app")).unwrap();
}

/// The package `acme/str` in the folder `str`, not published.
fn next(t: &Sandbox, number: &str, function: &str) {
    let module = format!(
        "module Str exposing ({function})\n\n{{-| Texts.\n\n@docs {function}\n\n-}}\n\n\n{{-| -}}\n{function} : String -> String\n{function} text =\n    text\n"
    );
    package(t, "str", number, &[], &module);
}

fn rebuilt(t: &Sandbox, typed: &str, code: i32) -> Value {
    let run = t.weir_in("", &format!("impact {typed} --rebuild --json"));
    assert_eq!(run.code, code, "{run}");
    serde_json::from_str::<Value>(&run.stdout).unwrap()["rebuild"].clone()
}

/// What came of each application, by name.
fn outcomes(rebuild: &Value) -> Vec<(String, String)> {
    let applications = rebuild["applications"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    applications.map(|one| (text(&one["id"]["name"]), text(&one["outcome"]))).collect()
}

#[test]
fn applications_are_compiled_with_what_is_about_to_be_published_and_those_that_break_are_told_in_the_compilers_words()
 {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    published(&t, "shop", "trim");
    string_package(&t, "1.1.0", "trim");
    published(&t, "till", "trim");

    // A working copy that keeps its promise, and one that does not. Both are tried before anybody else sees them.
    next(&t, "1.1.1", "trim");
    let all_well = rebuilt(&t, "./str", 0);
    let compiles = |name: &str| (format!("acme/{name}"), "compiles".to_owned());
    assert_eq!(outcomes(&all_well), [compiles("shop"), compiles("till")], "{all_well:#}");
    next(&t, "2.0.0", "cut");
    let broken = rebuilt(&t, "./str", 7);
    assert_eq!(broken["applications"][0]["outcome"], "breaks", "{broken:#}");
    let module = &broken["applications"][0]["modules"][0];
    assert_eq!(module["module"], "Main", "{broken:#}");
    assert!(module["mistakes"][0]["said"].as_str().unwrap().contains("Str.trim"), "{broken:#}");
    assert!(!t.path("str/elm-stuff").exists() && !t.path("str/weir.lock").exists());

    // The same of a release, and as a person reads it.
    t.weir_in("", "publish str").succeeds();
    let told = t.weir_in("", "impact acme/str@2.0.0 --rebuild").fails_with(7);
    assert!(told.stdout.contains("✗ acme/shop 0.3.0 breaks in Main"), "{told}");
    assert!(told.stdout.contains("-- NAMING ERROR Main, line") && told.stdout.contains("Str.trim"), "{told}");
    assert!(!told.stdout.contains("Beside"), "what is right is not told: {told}");

    // What has nothing to do with it is no news, and what was not compiled is named.
    let one = rebuilt(&t, "acme/str@1.1.0 --limit 1", 0);
    assert_eq!(outcomes(&one), [compiles("shop")]);
    assert_eq!(one["untried"][0]["id"]["name"], "acme/till", "{one:#}");
    let none = rebuilt(&t, "acme/str@1.1.0 --minutes 0", 0);
    assert!(outcomes(&none).is_empty() && none["untried"].as_array().unwrap().len() == 2, "{none:#}");
    t.weir_in("", "impact acme/str@9.9.9 --rebuild").fails_with(7);
}

#[test]
fn what_does_not_go_together_or_did_not_compile_before_is_told_apart_from_what_breaks() {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    // One that needs another package which cannot take the next version, and one that nobody could compile.
    let module = "module Loud exposing (loud)\n\n{-| Loud.\n\n@docs loud\n\n-}\n\nimport Str\n\n\n{-| -}\nloud : String -> String\nloud text =\n    Str.trim text\n";
    package(&t, "loud", "1.0.0", &[("acme/str", "1.0.0 <= v < 2.0.0")], module);
    t.weir_in("", "publish loud").succeeds();
    fs_err::create_dir_all(t.path("app")).unwrap();
    application(&t, &version(&compiler()));
    t.write(
        "app/weir.toml",
        "[package]\nname = \"acme/shop\"\nversion = \"0.3.0\"\nkind = \"elm\"\nlicense = \"MIT\"\n",
    );
    t.weir("add acme/loud").succeeds();
    t.weir_in("", "publish app").succeeds();
    fs_err::remove_dir_all(t.path("app")).unwrap();
    published(&t, "wreck", "missing");
    next(&t, "2.0.0", "trim");
    t.weir_in("", "publish str").succeeds();
    let told = rebuilt(&t, "acme/str@2.0.0", 7);
    let name = |name: &str, outcome: &str| (format!("acme/{name}"), outcome.to_owned());
    assert_eq!(
        outcomes(&told),
        [name("shop", "does-not-go-with"), name("wreck", "broken-before")],
        "{told:#}"
    );
    assert!(told["applications"][0]["reason"].as_str().unwrap().contains("acme/loud"), "{told:#}");
}

#[test]
fn an_application_with_shared_ports_is_compiled_whole_and_what_its_weir_toml_says_is_not_followed() {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    let ports = "port module Talk exposing (said, trimmed)\n\nimport Str\n\n\nport said : String -> Cmd msg\n\n\ntrimmed : String -> String\ntrimmed text =\n    Str.trim text\n";
    package(&t, "talk", "1.0.0", &[("acme/str", "1.0.0 <= v < 3.0.0")], ports);
    t.weir_in("", "publish talk").succeeds();
    fs_err::create_dir_all(t.path("app")).unwrap();
    application(&t, &version(&compiler()));
    t.write(
        "app/weir.toml",
        "[package]\nname = \"acme/shop\"\nversion = \"0.3.0\"\nkind = \"elm\"\nlicense = \"MIT\"\n",
    );
    t.weir("add acme/talk").succeeds();
    t.write(
        "app/src/Main.elm",
        "module Main exposing (say)\n\nimport Talk\n\n\nsay : String -> Cmd msg\nsay text =\n    Talk.said (Talk.trimmed text)\n",
    );
    // Whoever compiles it for somebody else asks no registry that it names.
    let toml = t.read("app/weir.toml");
    t.write("app/weir.toml", format!("{toml}\n[registries]\nelsewhere = {{ url = \"/nowhere/at/all\" }}\n"));
    t.weir_in("", "publish app").succeeds();
    next(&t, "2.0.0", "trim");
    t.weir_in("", "publish str").succeeds();
    let told = rebuilt(&t, "acme/str@2.0.0", 0);
    assert_eq!(outcomes(&told), [("acme/shop".to_owned(), "compiles".to_owned())], "{told:#}");
    next(&t, "2.1.0", "cut");
    t.weir_in("", "publish str").succeeds();
    let told = rebuilt(&t, "acme/str@2.1.0", 7);
    assert_eq!(told["applications"][0]["modules"][0]["module"], "Talk", "{told:#}");
}

#[test]
fn without_a_compiler_or_for_another_one_it_is_said_why_nothing_was_compiled() {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    published(&t, "shop", "trim");
    let run = t.weir_with("", "impact acme/str --rebuild", &[("PATH", "/nowhere")]).fails_with(5);
    assert!(run.stderr.contains("there is no `elm`"), "{run}");
    fs_err::create_dir_all(t.path("app")).unwrap();
    application(&t, "0.19.3");
    t.write(
        "app/weir.toml",
        "[package]\nname = \"acme/till\"\nversion = \"0.3.0\"\nkind = \"elm\"\nlicense = \"MIT\"\n",
    );
    t.weir("add acme/str").succeeds();
    t.weir_in("", "publish app").succeeds();
    let told = rebuilt(&t, "acme/str", 0);
    assert_eq!(told["untried"][0]["id"]["name"], "acme/till", "{told:#}");
    assert!(told["untried"][0]["reason"].as_str().unwrap().contains("0.19.3"), "{told:#}");
    t.weir_in("", "impact elm/nothing --rebuild").fails_with(5);
}

#[test]
fn a_registry_that_is_served_is_asked_as_one_in_a_folder() {
    let t = Sandbox::new(env!("CARGO_BIN_EXE_weir"));
    let _server = WeirServer::with_team(&t, &[]);
    crate::copy_set(&t);
    t.weir_in("", "publish core json").succeeds();
    string_package(&t, "1.0.0", "trim");
    published(&t, "shop", "trim");
    next(&t, "2.0.0", "cut");
    t.weir_in("", "publish str").succeeds();
    let told = rebuilt(&t, "acme/str@2.0.0", 7);
    assert_eq!(told["applications"][0]["outcome"], "breaks", "{told:#}");
}
