//! What an Elm developer does all day, in a folder with an `elm.json`.

use weir_testkit::Sandbox;

use crate::{
    application, compile, compiler, make, manifest, package, sandbox, string_package, uses_str, version,
};

#[test]
fn an_application_adds_a_private_package_compiles_and_is_told_mistakes_by_the_compiler() {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    package(
        &t,
        "shout",
        "1.0.0",
        &[("acme/str", "1.0.0 <= v < 2.0.0")],
        "module Shout exposing (loud)\n\n{-| Loud.\n\n@docs loud\n\n-}\n\nimport Str\n\n\n{-| -}\nloud : String -> String\nloud text =\n    Str.trim text\n",
    );
    t.weir_in("", "publish shout").succeeds();
    application(&t, &version(&compiler()));
    make(&t).succeeds();

    let added = t.weir("add acme/shout").succeeds();
    assert!(added.stdout.contains("Added acme/shout ^1.0.0"), "{added}");
    assert!(
        manifest(&t).contains(r#""direct":{"acme/shout":"1.0.0","elm/core":"1.0.5"},"indirect":{"acme/str":"1.0.0","elm/json":"1.1.3"}"#),
        "{}",
        manifest(&t)
    );
    t.write(
        "app/src/Main.elm",
        "module Main exposing (text)\n\nimport Shout\n\n\ntext : String\ntext =\n    Shout.loud \"a\"\n",
    );
    make(&t).succeeds();

    t.write(
        "app/src/Main.elm",
        "module Main exposing (text)\n\nimport Shout\n\n\ntext : String\ntext =\n    Shout.loud 3\n",
    );
    let refused = make(&t).fails_with(1);
    assert!(refused.stderr.contains("TYPE MISMATCH"), "{refused}");
    assert!(!t.path("home/.elm").exists(), "the user's own packages are not touched");
}

#[test]
fn what_a_manifest_pins_stays_until_somebody_asks_for_more() {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    application(&t, &version(&compiler()));
    t.weir("add acme/str").succeeds();
    string_package(&t, "1.1.0", "cut");
    string_package(&t, "2.0.0", "slice");
    let before = t.read("app/elm.json");
    let lock = t.read("app/weir.lock");
    t.weir("install").succeeds();
    t.weir("install --locked").succeeds();
    assert_eq!(t.read("app/elm.json"), before);
    assert_eq!(t.read("app/weir.lock"), lock);

    let outdated = t.weir("outdated").stdout;
    assert!(outdated.contains("1.0.0    1.1.0   2.0.0  2.0.0"), "{outdated}");
    t.weir("update").succeeds();
    assert!(manifest(&t).contains(r#""acme/str":"1.1.0""#), "{}", manifest(&t));
    uses_str(&t, "cut", "\"a\"");
    make(&t).succeeds();
    t.weir("update --full").succeeds();
    assert!(manifest(&t).contains(r#""acme/str":"2.0.0""#), "{}", manifest(&t));
    let refused = make(&t).fails_with(1);
    assert!(refused.stderr.contains("cut"), "{refused}");
    uses_str(&t, "slice", "\"a\"");
    make(&t).succeeds();

    let tree = t.weir("tree").succeeds().stdout;
    assert!(tree.contains("acme/str 2.0.0"), "{tree}");
    let why = t.weir("why acme/str").succeeds().stdout;
    assert_eq!(why, "elm.json → acme/str 2.0.0\n");
    t.weir("verify").succeeds();
    t.weir("remove acme/str").succeeds();
    assert!(!manifest(&t).contains("acme/str"), "{}", manifest(&t));
}

#[test]
fn what_is_missing_is_missed_by_the_line_that_asks_for_it() {
    let t = Sandbox::new(env!("CARGO_BIN_EXE_weir"));
    t.registry("org");
    application(&t, &version(&compiler()));
    let missing = t.weir("install").fails_with(5);
    assert!(missing.stderr.contains("`elm.json:") && !missing.stderr.contains("weir.toml"), "{missing}");
}

#[test]
fn with_the_registry_gone_everything_still_compiles() {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    application(&t, &version(&compiler()));
    t.weir("add acme/str").succeeds();
    fs_err::rename(t.path("org"), t.path("elsewhere")).unwrap();
    uses_str(&t, "trim", "\"a\"");
    make(&t).succeeds();
    // Nothing that was made before is needed.
    fs_err::remove_dir_all(t.path("home/weir/elm")).unwrap();
    fs_err::remove_dir_all(t.path("app/weir_packages")).unwrap();
    fs_err::remove_dir_all(t.path("app/elm-stuff")).unwrap();
    t.weir("--offline install --locked").succeeds();
    make(&t).succeeds();
}

#[test]
fn an_elm_json_by_hand_is_taken_as_it_is_and_made_whole() {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    application(&t, &version(&compiler()));
    let by_hand = t
        .read("app/elm.json")
        .replace("\"elm/core\": \"1.0.5\"", "\"elm/core\": \"1.0.5\", \"acme/str\": \"1.0.0\"");
    let by_hand = by_hand.replace("            \"elm/json\": \"1.1.3\"\n        }", "        }");
    t.write("app/elm.json", by_hand);
    uses_str(&t, "trim", "\"a\"");
    make(&t).succeeds();
    // A version that nobody offers is not silently another.
    let wrong = t.read("app/elm.json").replace("\"acme/str\": \"1.0.0\"", "\"acme/str\": \"1.0.1\"");
    t.write("app/elm.json", wrong);
    let refused = t.weir("install").fails_with(3);
    assert!(refused.stderr.contains("elm.json:"), "{refused}");
}

#[test]
fn a_version_that_nobody_asked_for_itself_and_nobody_offers_is_replaced_and_that_is_said() {
    let t = sandbox();
    application(&t, &version(&compiler()));
    t.write(
        "app/elm.json",
        t.read("app/elm.json").replace("\"elm/json\": \"1.1.3\"", "\"elm/json\": \"1.1.2\""),
    );
    let told =
        "names `elm/json` 1.1.2, which does not go with the rest, or is not offered: 1.1.3 takes its place";
    let run = t.weir("install --dry-run").succeeds();
    assert!(run.stderr.contains(told), "{run}");
    let run = t.weir("install").succeeds();
    assert!(run.stderr.contains(told) && manifest(&t).contains(r#""elm/json":"1.1.3""#), "{run}");
    let run = t.weir("install").succeeds();
    assert!(!run.stderr.contains(told), "{run}");
}

#[test]
fn a_version_that_is_added_to_an_application_is_meant_exactly() {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    string_package(&t, "1.1.0", "trim");
    application(&t, &version(&compiler()));
    t.weir("add acme/str@1.0.0").succeeds();
    assert!(manifest(&t).contains(r#""acme/str":"1.0.0""#), "{}", manifest(&t));
    t.weir("add acme/str@^1.0.0").succeeds();
    assert!(manifest(&t).contains(r#""acme/str":"1.1.0""#), "{}", manifest(&t));
    // A package asks for ranges, and a version is where one begins.
    package(&t, "loud", "1.0.0", &[], "module Loud exposing (a)\n\na : Int\na =\n    1\n");
    t.weir_in("loud", "add acme/str@1.0.0").succeeds();
    assert!(
        t.read("loud/elm.json").contains("\"acme/str\": \"1.0.0 <= v < 2.0.0\""),
        "{}",
        t.read("loud/elm.json")
    );
}

#[test]
fn packages_that_need_one_another_are_refused_to_whoever_asks_for_them() {
    let t = sandbox();
    let module = |name: &str| format!("module {name} exposing (a)\n\na : Int\na =\n    1\n");
    // Published where nobody could compile them: the registry looks itself.
    let publish = |name: &str, version: &str, needs: &[(&str, &str)]| {
        package(&t, name, version, needs, &module(if name == "one" { "One" } else { "Two" }));
        t.weir_with("", &format!("publish {name}"), &[("PATH", "/nowhere")])
    };
    publish("one", "1.0.0", &[]).succeeds();
    publish("two", "1.0.0", &[]).succeeds();
    publish("two", "1.1.0", &[("acme/one", "1.0.0 <= v < 2.0.0")]).succeeds();
    let refused = publish("one", "1.0.1", &[("acme/two", "1.0.0 <= v < 2.0.0")]).fails_with(8);
    let told = "acme/one 1.0.1 needs acme/two 1.1.0 needs acme/one 1.0.1";
    assert!(refused.stderr.contains(told), "{refused}");
    // What is not offered is not looked into, and is not offered again.
    t.weir_in("", "yank acme/two@1.1.0").succeeds();
    publish("one", "1.0.1", &[("acme/two", "1.0.0 <= v < 2.0.0")]).succeeds();
    let refused = t.weir_in("", "unyank acme/two@1.1.0").fails_with(8);
    assert!(refused.stderr.contains("acme/two 1.1.0 needs acme/one 1.0.1 needs acme/two 1.1.0"), "{refused}");
    // A folder in the place of one closes a circle, too.
    application(&t, &version(&compiler()));
    t.write("app/weir.toml", "[override]\n\"acme/two\" = { path = \"../two\" }\n");
    let before = t.read("app/elm.json");
    let refused = t.weir("add acme/one");
    assert!(
        refused.code != 0 && refused.stderr.contains("`acme/one 1.0.1` needs `acme/two 1.1.0` needs"),
        "{refused}"
    );
    assert_eq!(t.read("app/elm.json"), before);
    t.weir("add acme/one@1.0.0").succeeds();
    make(&t).succeeds();
    let itself = publish("one", "1.0.2", &[("acme/one", "1.0.0 <= v < 2.0.0")]);
    assert!(itself.code != 0 && itself.stderr.contains("needs itself"), "{itself}");
    // With a compiler it is told before there is anything to be refused.
    package(&t, "two", "1.2.0", &[("acme/one", "1.0.0 <= v < 2.0.0")], &module("Two"));
    let told = t.weir_in("", "publish two");
    assert!(
        told.code != 0 && told.stderr.contains("something that it needs needs `acme/two 1.0.0`"),
        "{told}"
    );
}

#[test]
fn a_package_is_worked_on_with_ranges_and_a_folder_of_another() {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    package(
        &t,
        "shout",
        "1.0.0",
        &[],
        "module Shout exposing (loud)\n\n{-| Loud.\n\n@docs loud\n\n-}\n\nimport Str\n\n\n{-| -}\nloud : String -> String\nloud text =\n    Str.trim text\n",
    );
    t.weir_in("shout", "add acme/str").succeeds();
    assert!(
        t.read("shout/elm.json").contains("\"acme/str\": \"1.0.0 <= v < 2.0.0\""),
        "{}",
        t.read("shout/elm.json")
    );
    compile(&t, "shout", "run -- elm make").succeeds();
    string_package(&t, "1.1.0", "cut");
    t.weir_in("shout", "update").succeeds();
    assert!(
        t.read("shout/weir.lock").contains("acme/str\"\nversion = \"1.1.0\""),
        "{}",
        t.read("shout/weir.lock")
    );
    let refused = compile(&t, "shout", "run -- elm make").fails_with(1);
    assert!(refused.stderr.contains("trim"), "{refused}");
    // A folder stands in for it while somebody works on both.
    t.write("shout/weir.toml", "[override]\n\"acme/str\" = { path = \"../str\" }\n");
    t.write("str/src/Str.elm", t.read("str/src/Str.elm").replace("cut", "trim"));
    compile(&t, "shout", "run -- elm make").succeeds();
    t.write("str/src/Str.elm", t.read("str/src/Str.elm").replace("trim", "other"));
    compile(&t, "shout", "run -- elm make").fails_with(1);
}

#[test]
fn what_only_tests_need_stands_apart() {
    let t = sandbox();
    string_package(&t, "1.0.0", "trim");
    application(&t, &version(&compiler()));
    t.weir("add --dev acme/str").succeeds();
    assert!(
        manifest(&t).contains(r#""test-dependencies":{"direct":{"acme/str":"1.0.0"},"indirect":{}}"#),
        "{}",
        manifest(&t)
    );
    make(&t).succeeds();
}

#[test]
fn a_new_application_and_a_new_package_compile() {
    let t = sandbox();
    t.weir_in("", "init shop --kind elm").succeeds();
    compile(&t, "shop", "run -- elm make src/Main.elm --output=/dev/null").succeeds();
    assert!(t.read("shop/.gitignore").contains("/elm-stuff/"));
    t.weir_in("", "init shop --kind elm").fails_with(8);

    t.weir_in("", "init elm-texts --kind elm --name acme/elm-texts --license MIT").succeeds();
    t.weir_in("elm-texts", "run -- elm make --docs=docs.json").succeeds();
    t.weir_in("elm-texts", "publish").succeeds();
    t.weir_in("shop", "add acme/elm-texts").succeeds();
    assert!(t.read("shop/elm.json").contains("\"acme/elm-texts\": \"1.0.0\""));

    // What has nothing to do with Elm is in nobody's way, and what has is left as it is.
    t.write("page/package.json", "{}\n");
    t.write("page/src/index.js", "\n");
    t.weir_in("", "init page --kind elm").succeeds();
    compile(&t, "page", "run -- elm make src/Main.elm --output=/dev/null").succeeds();
    t.write("begun/src/Page/Start.elm", "module Page.Start exposing (..)\n");
    t.weir_in("", "init begun --kind elm").succeeds();
    assert!(!t.path("begun/src/Main.elm").exists());
}

#[test]
fn what_only_a_folder_offers_is_added_and_what_elm_cannot_do_without_stays() {
    let t = sandbox();
    crate::string_package_in(&t, "1.2.0", "trim");
    application(&t, &version(&compiler()));
    t.write("app/weir.toml", "[override]\n\"acme/str\" = { path = \"../str\" }\n");
    t.weir("add acme/str").succeeds();
    assert!(manifest(&t).contains("\"acme/str\":\"1.2.0\""), "{}", manifest(&t));
    uses_str(&t, "trim", "\"a\"");
    make(&t).succeeds();
    let before = t.read("app/elm.json");
    let stays = t.weir("remove elm/core");
    assert!(stays.code != 0 && stays.stderr.contains("every `elm.json` has `elm/core`"), "{stays}");
    assert_eq!(t.read("app/elm.json"), before);
    t.weir("remove acme/str").succeeds();
    t.write("app/elm.json", before);
    let locked = t.weir("install --locked").fails_with(8);
    assert!(locked.stderr.contains("is not what `elm.json` asks for"), "{locked}");
}

#[test]
fn what_one_mirror_has_may_be_what_something_of_another_needs() {
    let t = sandbox();
    let publish = |registry: &str, owner: &str, name: &str, needs: &[(&str, &str)]| {
        let module = if name == "one" { "One" } else { "Two" };
        package(&t, name, "1.0.0", needs, &format!("module {module} exposing (a)\n\na : Int\na =\n    1\n"));
        let elm_json = t.read(format!("{name}/elm.json")).replace("\"acme/", &format!("\"{owner}/"));
        t.write(format!("{name}/elm.json"), elm_json);
        t.weir_with("", &format!("publish --registry ./{registry} {name}"), &[("PATH", "/nowhere")])
            .succeeds();
    };
    for registry in ["left", "right"] {
        t.weir_in("", &format!("registry init {registry} --name {registry}")).succeeds();
        t.weir_with("", &format!("publish --registry ./{registry} core json"), &[("PATH", "/nowhere")])
            .succeeds();
        publish(registry, "b", "two", &[]);
    }
    publish("left", "a", "one", &[("b/two", "1.0.0 <= v < 2.0.0")]);
    t.weir_in("", "registry upstream add ./left --mode mirror --only a/*").succeeds();
    // Alone it lacks something, and is held for that until it comes from elsewhere.
    t.weir_in("", "registry upstream follow").succeeds();
    let held = t.weir_in("", "registry held").succeeds().stdout;
    assert!(held.contains("a/one 1.0.0") && held.contains("needs-what-is-held"), "{held}");
    t.weir_in("", "registry upstream add ./right --mode mirror --only b/*").succeeds();
    let run = t.weir_in("", "registry upstream follow").succeeds();
    assert!(run.stdout.contains("admitted 2 releases"), "{run}");
    assert!(t.weir_in("", "info a/one@1.0.0").succeeds().stdout.contains("1.0.0"));
    // In one go as well, in whichever order they are.
    t.weir_in("", "registry init both --name both").succeeds();
    t.weir_with("", "publish --registry ./both core json", &[("PATH", "/nowhere")]).succeeds();
    for (registry, only) in [("left", "a/*"), ("right", "b/*")] {
        let add = format!("registry upstream add ./{registry} --mode mirror --only {only} --registry ./both");
        t.weir_in("", &add).succeeds();
    }
    let run = t.weir_in("", "registry upstream follow --registry ./both").succeeds();
    assert!(run.stdout.contains("admitted 2 releases"), "{run}");
    let again = t.weir_in("", "registry upstream follow --registry ./both").succeeds();
    assert!(again.stdout.contains("admitted 0 releases"), "{again}");
}

#[test]
fn what_two_registries_above_have_together_closes_no_circle() {
    let t = sandbox();
    let publish = |registry: &str, owner: &str, name: &str, version: &str, needs: &[(&str, &str)]| {
        let module = if name == "one" { "One" } else { "Two" };
        package(&t, name, version, needs, &format!("module {module} exposing (a)\n\na : Int\na =\n    1\n"));
        let elm_json = t.read(format!("{name}/elm.json")).replace("\"acme/", &format!("\"{owner}/"));
        t.write(format!("{name}/elm.json"), elm_json);
        t.weir_with("", &format!("publish --registry ./{registry} {name}"), &[("PATH", "/nowhere")])
            .succeeds();
    };
    for registry in ["left", "right"] {
        t.weir_in("", &format!("registry init {registry} --name {registry}")).succeeds();
        t.weir_with("", &format!("publish --registry ./{registry} core json"), &[("PATH", "/nowhere")])
            .succeeds();
        publish(registry, "b", "two", "1.0.0", &[]);
    }
    publish("left", "a", "one", "1.0.0", &[("b/two", "1.0.0 <= v < 2.0.0")]);
    publish("right", "a", "one", "1.0.0", &[]);
    publish("right", "b", "two", "1.1.0", &[("a/one", "1.0.0 <= v < 2.0.0")]);
    t.weir_in("", "registry upstream add ./left --only a/*").succeeds();
    t.weir_in("", "registry upstream add ./right --only b/*").succeeds();
    application(&t, &version(&compiler()));
    t.weir("add a/one").succeeds();
    assert!(manifest(&t).contains("\"b/two\":\"1.0.0\""), "{}", manifest(&t));
    make(&t).succeeds();
    let held = t.weir_in("", "registry held").succeeds().stdout;
    assert!(held.contains("b/two 1.1.0") && held.contains("needs-itself"), "{held}");
    t.weir("update").succeeds();
    assert_eq!(t.weir_in("", "registry held").succeeds().stdout, held, "it is said once");
    // Somebody ends the circle: what closed it comes.
    publish("left", "a", "one", "1.1.0", &[]);
    t.weir("update").succeeds();
    t.weir("add b/two").succeeds();
    assert!(manifest(&t).contains("\"b/two\":\"1.1.0\""), "{}", manifest(&t));
    make(&t).succeeds();
    assert!(!t.weir_in("", "registry held").succeeds().stdout.contains("b/two"));
}
