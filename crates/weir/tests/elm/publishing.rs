//! Publishing what has an `elm.json` and no `weir.toml`.

use crate::{package, sandbox, string_package};

#[test]
fn a_package_is_published_from_its_elm_json() {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    let info = t.weir_in("", "info acme/str --json").succeeds().stdout;
    for said in ["\"modules\": [", "\"Str\"", "0.19.0 <= v < 0.20.0", "\"kind\": \"elm\"", "MIT", "A test"] {
        assert!(info.contains(said), "{said}: {info}");
    }
    t.write("str/elm-stuff/0.19.1/d.dat", "what a compiler left");
    let packed = t.weir_in("", "pack str").succeeds().stdout;
    assert!(!packed.contains("elm-stuff"), "{packed}");
}

#[test]
fn what_the_compiler_could_not_read_is_not_published() {
    let t = sandbox();
    package(&t, "str", "1.0.0", &[], "module Str exposing (a)\n\na : Int\na =\n    1\n");
    let elm_json = t.read("str/elm.json");
    for (from, to, said) in [
        ("acme/str", "acme/Str", "Elm cannot read"),
        ("1.0.0\",", "1.0.0-beta\",", "three numbers"),
        ("\"Str\"", "\"Str.Missing\"", "there is no file"),
        ("\"Str\"", "\"../../Str\"", "no name of a module"),
        ("\"MIT\"", "\"my own\"", "licence"),
    ] {
        t.write("str/elm.json", elm_json.replacen(from, to, 1));
        let run = t.weir_in("", "publish str");
        assert!(run.stderr.contains(said), "{said}: {run}");
    }
}
