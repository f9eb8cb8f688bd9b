//! Publishing what has an `elm.json` and no `weir.toml`.

use crate::{documented_string_package, package, sandbox};

#[test]
fn a_package_is_published_from_its_elm_json() {
    let t = sandbox();
    documented_string_package(&t, "1.0.0", "trim");
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

#[test]
fn the_compiler_makes_the_docs_of_a_package_in_a_sandbox_and_what_it_refuses_is_not_published() {
    let t = sandbox();
    documented_string_package(&t, "1.0.0", "trim");
    let module = "module Loud exposing (loud)\n\n{-| Loud.\n\n@docs loud\n\n-}\n\nimport Str\n\n\n{-| Louder.\n-}\nloud : String -> String\nloud text =\n    Str.trim text\n";
    package(&t, "loud", "1.0.0", &[("acme/str", "1.0.0 <= v < 2.0.0")], module);
    let published = t.weir_in("", "publish loud").succeeds();
    assert!(published.stdout.contains("docs.json"), "{published}");
    assert!(
        !t.path("loud/docs.json").exists()
            && !t.path("loud/elm-stuff").exists()
            && !t.path("loud/weir.lock").exists()
    );
    t.write("app/weir.toml", "[dependencies]\n\"acme/loud\" = \"^1\"\n");
    t.weir("install").succeeds();
    assert!(t.read("app/weir_packages/elm/acme/loud/docs.json").contains("Louder"));

    package(
        &t,
        "loud",
        "1.0.1",
        &[("acme/str", "1.0.0 <= v < 2.0.0")],
        &module.replace("trim text", "trim 3"),
    );
    let refused = t.weir_in("", "publish loud");
    assert!(refused.code != 0 && refused.stderr.contains("TYPE MISMATCH"), "{refused}");
    package(
        &t,
        "loud",
        "1.0.1",
        &[("acme/str", "1.0.0 <= v < 2.0.0")],
        &module.replace("{-| Louder.\n-}\n", ""),
    );
    let refused = t.weir_in("", "publish loud");
    assert!(refused.code != 0 && refused.stderr.contains("NO DOCS"), "{refused}");

    // Two that are published at once, of which one needs the other.
    package(
        &t,
        "low",
        "1.0.0",
        &[],
        &module.replace("Loud", "Low").replace("import Str\n\n\n", "").replace("Str.trim text", "text"),
    );
    package(
        &t,
        "loud",
        "1.1.0",
        &[("acme/low", "1.0.0 <= v < 2.0.0")],
        &module.replace("import Str", "import Low").replace("Str.trim", "Low.loud"),
    );
    let published = t.weir_in("", "publish loud low").succeeds();
    assert_eq!(published.stdout.matches("docs.json").count(), 2, "{published}");
    assert!(!published.stderr.contains("gets no new"), "{published}");

    // The tests of one may need the other, which needs it: documentation has nothing of tests.
    let base =
        module.replace("Loud", "Base").replace("import Str\n\n\n", "").replace("Str.trim text", "text");
    package(&t, "base", "1.0.0", &[], &base);
    let tests = r#""test-dependencies": { "acme/helper": "1.0.0 <= v < 2.0.0" }"#;
    let elm_json = t.read("base/elm.json").replace("\"test-dependencies\": {}", tests);
    t.write("base/elm.json", &elm_json);
    let helper = module
        .replace("Loud", "Helper")
        .replace("import Str", "import Base")
        .replace("Str.trim", "Base.loud");
    package(&t, "helper", "1.0.0", &[("acme/base", "1.0.0 <= v < 2.0.0")], &helper);
    let published = t.weir_in("", "publish base helper").succeeds();
    assert_eq!(published.stdout.matches("docs.json").count(), 2, "{published}");
    t.write("app/weir.toml", "[dependencies]\n\"acme/base\" = \"^1\"\n");
    t.weir("install").succeeds();
    assert_eq!(t.read("app/weir_packages/elm/acme/base/elm.json"), elm_json, "it is published as it is");

    // What cannot be looked at by the compiler, for want of what it needs, is not published unseen.
    package(
        &t,
        "lost",
        "1.0.0",
        &[("acme/none", "1.0.0 <= v < 2.0.0")],
        "module Lost exposing (a)\n\na = 1\n",
    );
    let refused = t.weir_in("", "publish lost");
    assert!(refused.code != 0 && refused.stderr.contains("was not compiled"), "{refused}");

    // Without a compiler it is published all the same, and told so.
    package(&t, "low", "1.0.1", &[], "module Low exposing (a)\n\na : Int\na =\n    1\n");
    let published = t.weir_with("", "publish low", &[("PATH", "/nowhere")]).succeeds();
    assert!(published.stderr.contains("there is no `elm`"), "{published}");
}

#[test]
fn of_two_who_publish_one_version_at_once_one_does() {
    let t = sandbox();
    let module = |text: &str| {
        format!(
            "module Str exposing (a)\n\n{{-| A.\n\n@docs a\n\n-}}\n\n\n{{-| -}}\na : String\na =\n    \"{text}\"\n"
        )
    };
    for who in ["one", "two"] {
        package(&t, "str", "1.0.0", &[], &module(who));
        fs_err::rename(t.path("str"), t.path(who)).unwrap();
    }
    let begin = |who: &str| {
        let words = ["publish".to_owned(), who.to_owned()];
        let mut command = t.command("", &words, &[]);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let runs = [begin("one"), begin("two")].map(|run| t.run("publish", &run.wait_with_output().unwrap()));
    let lost: Vec<_> = runs.iter().filter(|run| run.code != 0).collect();
    assert_eq!(lost.len(), 1, "{} {}", runs[0], runs[1]);
    assert!(lost[0].code == 8 && lost[0].stderr.contains("a release never changes"), "{}", lost[0]);
    t.weir_in("", "registry verify org --content").succeeds();
}

#[test]
fn a_registry_may_demand_that_versions_keep_elms_promise() {
    let t = sandbox();
    t.weir_in("", "policy set --built-in folder --with elm-canonical --registry org").succeeds();
    let publish = |version: &str, functions: &[&str]| {
        let names = functions.join(", ");
        let bodies: String = functions
            .iter()
            .map(|name| format!("\n\n{{-| -}}\n{name} : String -> String\n{name} text =\n    text\n"))
            .collect();
        let module =
            format!("module Str exposing ({names})\n\n{{-| Texts.\n\n@docs {names}\n\n-}}\n{bodies}");
        package(&t, "str", version, &[], &module);
        t.weir_in("", "publish str")
    };
    let refused = |version: &str, functions: &[&str], rule: &str| {
        let run = publish(version, functions);
        assert!(run.code == 4 && run.stderr.contains(rule), "{version} {functions:?}: {run}");
    };
    refused("0.9.0", &["trim"], "elm-first-version");
    publish("1.0.0", &["trim"]).succeeds();
    assert!(publish("1.0.0", &["trim"]).succeeds().stdout.contains("Already so"));
    refused("1.0.1", &["loud", "trim"], "elm-version-bump");
    refused("2.0.0", &["loud", "trim"], "elm-version-bump");
    refused("1.2.0", &["loud", "trim"], "elm-version-bump");
    publish("1.1.0", &["loud", "trim"]).succeeds();
    publish("1.1.1", &["loud", "trim"]).succeeds();
    refused("1.2.0", &["loud"], "elm-version-bump");
    publish("2.0.0", &["loud"]).succeeds();
    // A later fix of the older line is judged by that line.
    publish("1.1.2", &["loud", "trim"]).succeeds();
    refused("1.2.0", &["trim"], "elm-version-bump");
}

#[test]
fn elms_own_packages_are_documented_also_where_one_uses_the_javascript_of_another() {
    let t = sandbox();
    let kernel = "/*\n\n*/\n\n\nvar _Inner_one = 1;\n";
    let module = |name: &str| {
        format!(
            "module {name} exposing (one)\n\n{{-| One.\n\n@docs one\n\n-}}\n\nimport Elm.Kernel.Inner\n\n\n{{-| It is one.\n-}}\none : Int\none =\n    Elm.Kernel.Inner.one\n"
        )
    };
    let of_elm = |name: &str| {
        let elm_json = t.read(format!("{name}/elm.json"));
        t.write(format!("{name}/elm.json"), elm_json.replace("acme/", "elm/"));
    };
    package(&t, "inner", "1.0.0", &[], &module("Inner"));
    t.write("inner/src/Elm/Kernel/Inner.js", kernel);
    of_elm("inner");
    let needs = [("elm/inner", "1.0.0 <= v < 2.0.0"), ("elm/json", "1.0.0 <= v < 2.0.0")];
    package(&t, "outer", "1.0.0", &needs, &module("Outer"));
    of_elm("outer");
    let published = t.weir_in("", "publish inner outer").succeeds();
    assert!(!published.stderr.contains("gets no new"), "{published}");
    t.write("app/weir.toml", "[dependencies]\n\"elm/outer\" = \"^1\"\n");
    t.weir("install").succeeds();
    assert!(t.read("app/weir_packages/elm/elm/outer/docs.json").contains("It is one."));

    // What the compiler takes in neither way is refused in its words; JavaScript of anybody else is, with a compiler or without.
    t.write("outer/elm.json", t.read("outer/elm.json").replace("\"1.0.0\",", "\"1.0.1\","));
    t.write("outer/src/Outer.elm", module("Outer").replace("one : Int", "one : Nothing"));
    let refused = t.weir_in("", "publish outer");
    assert!(refused.code != 0 && refused.stderr.contains("Elm's compiler refuses it"), "{refused}");
    package(&t, "mine", "1.0.0", &[], &module("Mine"));
    t.write("mine/src/Elm/Kernel/Inner.js", kernel);
    for path in [std::env::var("PATH").unwrap(), "/nowhere".into()] {
        let refused = t.weir_with("", "publish mine", &[("PATH", &path)]);
        assert!(refused.code != 0 && refused.stderr.contains("imports `Elm.Kernel.Inner`"), "{refused}");
    }
    // So are the other things that no compiler takes: they would be in the way of whoever uses them.
    for (module, told) in [
        (
            "effect module Mine where { command = MyCmd } exposing (a)\n\na : Int\na =\n    1\n",
            "is an effect module",
        ),
        (
            "module Other exposing (a)\n\na : Int\na =\n    1\n",
            "has to be the module `Mine`, and says that it is `Other`",
        ),
        ("a : Int\na =\n    1\n", "has to be the module `Mine`, and does not say so"),
    ] {
        t.write("mine/src/Mine.elm", module);
        let refused = t.weir_with("", "publish mine", &[("PATH", "/nowhere")]);
        assert!(refused.code != 0 && refused.stderr.contains(told), "{refused}");
    }
}
