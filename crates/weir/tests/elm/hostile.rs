//! What strangers wrote: an `elm.json`, modules, records.

use crate::{application, package, sandbox};

#[test]
fn an_elm_json_of_a_stranger_leads_nowhere() {
    let t = sandbox();
    application(&t, "0.19.1");
    let elm_json = t.read("app/elm.json");
    for (from, to) in [
        ("elm/core", "../../etc"),
        ("elm/core", "elm/.."),
        ("elm/core", "elm/core/../../.."),
        ("1.0.5", "../../1.0.5"),
        ("0.19.1", "../../0.19.1"),
        ("0.19.1", "0.19.1\\n"),
    ] {
        t.write("app/elm.json", elm_json.replace(from, to));
        let run = t.weir("install");
        assert!(run.code != 0 && run.stderr.contains("elm.json"), "{to}: {run}");
    }
    let merged = elm_json.replace("\"1.0.5\"", "<<<<<<< HEAD\n\"1.0.5\"\n=======\n\"1.0.4\"\n>>>>>>> theirs");
    t.write("app/elm.json", &merged);
    let run = t.weir("install");
    assert!(run.code != 0 && run.stderr.contains("a mark of a merge"), "{run}");
    for text in ["", "{", "[]", "<<<<<<< HEAD\n{}\n", &"[".repeat(200_000), &" ".repeat(5 << 20)] {
        t.write("app/elm.json", text);
        let run = t.weir("install");
        assert!(run.code != 0 && run.code != 101, "{run}");
    }
    fs_err::remove_file(t.path("app/elm.json")).unwrap();
    fs_err::os::unix::fs::symlink("/etc/passwd", t.path("app/elm.json")).unwrap();
    let run = t.weir("install");
    assert!(run.code != 0 && !run.stderr.contains("root:"), "{run}");
}

#[test]
fn facts_of_an_enemy_are_refused_by_whoever_reads_them() {
    let t = sandbox();
    package(&t, "str", "1.0.0", &[], "port module Str exposing (a)\n\na : Int\na =\n    1\n");
    t.weir_in("", "publish str").succeeds();
    application(&t, "0.19.1");
    t.weir("add acme/str").succeeds();
    for (from, to) in
        [("src/Str.elm", "../../../etc"), ("\"src\"", "\"../../src\""), ("\"Str\"", "\"../Str\"")]
    {
        let lock = t.read("app/weir.lock");
        assert!(lock.contains(from), "{from}: {lock}");
        t.write("app/weir.lock", lock.replace(from, to));
        t.weir("install --locked").fails_with(8);
        t.write("app/weir.lock", lock);
    }
}
