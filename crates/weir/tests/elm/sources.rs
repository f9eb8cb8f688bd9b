//! Packages with ports, and whole applications: as folders of modules of the application that uses them.

use crate::{application, compile, compiler, make, manifest, package, sandbox, version};

const PORTS: &str = "port module Talk exposing (said)\n\n{-| Ports.\n\n@docs said\n\n-}\n\nimport Str\n\n\n{-| -}\nport said : String -> Cmd msg\n\n\nquiet : String -> String\nquiet text =\n    Str.trim text\n";

#[test]
fn a_package_with_ports_is_shared_between_applications() {
    let t = sandbox();
    crate::string_package(&t, "1.0.0", "trim");
    package(&t, "talk", "1.0.0", &[("acme/str", "1.0.0 <= v < 2.0.0")], PORTS);
    let published = t.weir_in("", "publish talk").succeeds();
    assert!(published.stderr.contains("ports (src/Talk.elm)"), "{published}");

    application(&t, &version(&compiler()));
    t.weir("add acme/talk").succeeds();
    let elm_json = manifest(&t);
    assert!(!elm_json.contains("\"acme/talk\""), "the compiler would refuse it: {elm_json}");
    assert!(
        elm_json.contains(r#""source-directories":["src","weir_packages/elm/acme/talk/src"]"#),
        "{elm_json}"
    );
    assert!(
        elm_json.contains(r#""acme/str":"1.0.0""#),
        "what it imports is the application's own: {elm_json}"
    );
    assert!(t.read("app/weir.toml").contains("acme/talk"), "{}", t.read("app/weir.toml"));
    t.write(
        "app/src/Main.elm",
        "module Main exposing (say)\n\nimport Talk\n\n\nsay : String -> Cmd msg\nsay text =\n    Talk.said text\n",
    );
    make(&t).succeeds();
    t.weir("install --locked").succeeds();
    t.weir("remove acme/talk").succeeds();
    assert!(!manifest(&t).contains("weir_packages"), "{}", manifest(&t));

    // A package cannot have it.
    package(
        &t,
        "more",
        "1.0.0",
        &[],
        "module More exposing (a)\n\n{-| More.\n\n@docs a\n\n-}\n\n\n{-| -}\na : Int\na =\n    1\n",
    );
    let refused = t.weir_in("more", "add acme/talk");
    assert!(refused.code != 0 && refused.stderr.contains("only an application can use it"), "{refused}");
    assert!(!t.read("more/elm.json").contains("acme/talk"));
}

#[test]
fn a_whole_application_is_a_folder_of_modules_of_another() {
    let t = sandbox();
    crate::string_package(&t, "1.0.0", "trim");
    application(&t, &version(&compiler()));
    fs_err::rename(t.path("app"), t.path("shop")).unwrap();
    t.write(
        "shop/weir.toml",
        "[package]\nname = \"acme/shop\"\nversion = \"0.3.0\"\nkind = \"elm\"\nlicense = \"MIT\"\n",
    );
    t.write(
        "shop/src/Shop.elm",
        "module Shop exposing (name)\n\nimport Str\n\n\nname : String\nname =\n    Str.trim \"shop\"\n",
    );
    t.weir_in("shop", "add acme/str").succeeds();
    t.weir_in("", "publish shop").succeeds();

    fs_err::create_dir(t.path("app")).unwrap();
    application(&t, &version(&compiler()));
    t.weir("add acme/shop").succeeds();
    fs_err::remove_file(t.path("app/src/Main.elm")).unwrap();
    t.write(
        "app/src/Start.elm",
        "module Start exposing (title)\n\nimport Shop\n\n\ntitle : String\ntitle =\n    Shop.name\n",
    );
    compile(&t, "app", "run -- elm make src/Start.elm --output=/dev/null").succeeds();
}
