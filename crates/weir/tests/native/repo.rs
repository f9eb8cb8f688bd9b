//! The three actions of a repository: what is planned, what is offered afterwards, and what of it is told.

use crate::recipes::{
    built_now, checkpoint, five, json, library, offered, plain, recipe_set, release, releases, weir,
};

#[test]
fn adding_builds_what_is_needed_first_and_offers_it_all_in_one_batch() {
    let t = recipe_set();
    five(&t);
    let added = weir(&t, "repo add base/view --builds 1").succeeds();
    insta::assert_snapshot!(plain(&t, &added), @r#"
    $ weir repo add base/view --builds 1
    In the registry `org`, for [PLATFORM]:
    builds  1  base/zlib 1.2.13  needed by base/curl
            2  base/curl 7.88.1  needed by base/view
            3  base/png 1.6.39   needed by base/view
            4  base/view 2.0.0   asked for
    Done: 4 packages built, in one batch
    -- stderr
    Building `base/zlib 1.2.13`
    Built `base/zlib 1.2.13` in [TIME]
    Building `base/curl 7.88.1`
    Built `base/curl 7.88.1` in [TIME]
    Building `base/png 1.6.39`
    Built `base/png 1.6.39` in [TIME]
    Building `base/view 2.0.0`
    Built `base/view 2.0.0` in [TIME]
    "#);
    // One checkpoint for the registry itself, one for the batch.
    let sizes = json(&t, "registry show org");
    assert_eq!(sizes["stats"]["offered"], 4, "{sizes:#}");
    weir(&t, "repo verify").succeeds();
}

#[test]
fn what_is_offered_already_is_left_alone() {
    let t = recipe_set();
    five(&t);
    weir(&t, "repo add --all").succeeds();
    let before = checkpoint(&t);
    insta::assert_snapshot!(plain(&t, &weir(&t, "repo add base/curl base/fmt").succeeds()), @r#"
    $ weir repo add base/curl base/fmt
    Nothing to do in the registry `org` for [PLATFORM]
    stays    base/curl 7.88.1  offered already
             base/fmt 9.1.0    offered already
    "#);
    insta::assert_snapshot!(plain(&t, &weir(&t, "repo update --all").succeeds()), @r#"
    $ weir repo update --all
    Nothing to do in the registry `org` for [PLATFORM]
    stays    base/curl 7.88.1  nothing to do
             base/fmt 9.1.0    nothing to do
             base/png 1.6.39   nothing to do
             base/view 2.0.0   nothing to do
             base/zlib 1.2.13  nothing to do
    "#);
    assert_eq!(checkpoint(&t), before);
}

#[test]
fn an_update_builds_everything_again_that_has_it_in_its_closure_and_nothing_else() {
    let t = recipe_set();
    five(&t);
    weir(&t, "repo add --all").succeeds();
    library(&t, "zlib", "1.3.1").number(5).write();
    let planned = weir(&t, "repo plan update base/zlib").succeeds();
    insta::assert_snapshot!(plain(&t, &planned), @r#"
    $ weir repo plan update base/zlib
    In the registry `org`, for [PLATFORM]:
    leaves     base/zlib 1.2.13             asked for: version changed from 1.2.13 to 1.3.1
               base/curl 7.88.1             depends on base/zlib 1.2.13, which leaves
               base/png 1.6.39              depends on base/zlib 1.2.13, which leaves
               base/view 2.0.0              depends on base/curl 7.88.1, which leaves
    builds  1  base/zlib 1.3.1              asked for: version changed from 1.2.13 to 1.3.1
            2  base/curl 7.88.1 revision 1  depends on base/zlib 1.2.13, which leaves
            3  base/png 1.6.39 revision 1   depends on base/zlib 1.2.13, which leaves
            4  base/view 2.0.0 revision 1   depends on base/curl 7.88.1, which leaves
    "#);
    let done = json(&t, "repo update base/zlib");
    assert_eq!(
        releases(&done["plan"]["builds"]),
        ["zlib 1.3.1", "curl 7.88.1 revision 1", "png 1.6.39 revision 1", "view 2.0.0 revision 1"]
    );
    assert_eq!(
        offered(&t),
        [
            "curl 7.88.1 revision 1",
            "fmt 9.1.0",
            "png 1.6.39 revision 1",
            "view 2.0.0 revision 1",
            "zlib 1.3.1"
        ]
    );
    weir(&t, "repo verify").succeeds();
    assert!(
        json(&t, "repo status")["packages"]
            .as_array()
            .unwrap()
            .iter()
            .all(|line| line["standing"] == "current")
    );
}

#[test]
fn a_changed_source_shows_and_an_update_of_all_builds_just_what_hangs_on_it() {
    let t = recipe_set();
    five(&t);
    weir(&t, "repo add --all").succeeds();
    library(&t, "png", "1.6.39").needs("zlib", "^1").number(7).write();
    library(&t, "boost", "1.84.0").write();
    insta::assert_snapshot!(plain(&t, &weir(&t, "repo status").succeeds()), @r#"
    $ weir repo status
    package     recipe  offered  standing  because
    base/boost  1.84.0           missing
    base/curl   7.88.1  7.88.1   current
    base/fmt    9.1.0   9.1.0    current
    base/png    1.6.39  1.6.39   outdated  recipe changed
    base/view   2.0.0   2.0.0    outdated  depends on base/png 1.6.39, which leaves
    base/zlib   1.2.13  1.2.13   current
    "#);
    let done = json(&t, "repo update --all");
    assert_eq!(releases(&done["plan"]["builds"]), ["png 1.6.39 revision 1", "view 2.0.0 revision 1"]);
}

#[test]
fn an_older_version_than_a_recipe_takes_is_updated_first() {
    let t = recipe_set();
    five(&t);
    weir(&t, "repo add base/curl").succeeds();
    library(&t, "zlib", "1.3.1").write();
    library(&t, "tiff", "4.6.0").needs("zlib", ">=1.3").write();
    let planned = weir(&t, "repo add base/tiff --dry-run").succeeds();
    insta::assert_snapshot!(plain(&t, &planned), @r#"
    $ weir repo add base/tiff --dry-run
    In the registry `org`, for [PLATFORM]:
    leaves     base/zlib 1.2.13             needed by base/tiff, which takes >=1.3 and not 1.2.13
               base/curl 7.88.1             depends on base/zlib 1.2.13, which leaves
    builds  1  base/zlib 1.3.1              needed by base/tiff, which takes >=1.3 and not 1.2.13
            2  base/curl 7.88.1 revision 1  depends on base/zlib 1.2.13, which leaves
            3  base/tiff 4.6.0              asked for
    "#);
    weir(&t, "repo add base/tiff").succeeds();
    assert_eq!(offered(&t), ["curl 7.88.1 revision 1", "tiff 4.6.0", "zlib 1.3.1"]);
}

#[test]
fn a_range_that_no_recipe_meets_is_explained_before_anything_is_built() {
    let t = recipe_set();
    library(&t, "zlib", "1.2.13").write();
    library(&t, "tiff", "4.6.0").needs("zlib", ">=2").write();
    insta::assert_snapshot!(plain(&t, &weir(&t, "repo add base/tiff").fails_with(3)), @r#"
    $ weir repo add base/tiff
    -- stderr
      × `base/tiff` (asked for) needs `base/zlib` >=2, whose recipe builds 1.2.13
      help: let `base/tiff` take `base/zlib` 1.2.13, or let its recipe build another version
    -- exit code 3
    "#);
    library(&t, "tiff", "4.6.0").needs("zlob", "*").write();
    insta::assert_snapshot!(plain(&t, &weir(&t, "repo add base/tiff").fails_with(5)), @r#"
    $ weir repo add base/tiff
    -- stderr
      × `base/tiff` (asked for) needs `base/zlob` *, which is not offered and has no recipe
      help: did you mean `base/zlib`?
    -- exit code 5
    "#);
    insta::assert_snapshot!(plain(&t, &weir(&t, "repo add base/zlip").fails_with(5)), @r#"
    $ weir repo add base/zlip
    -- stderr
      × there is no package `base/zlip` in the registry `org`, nor a recipe for it
      help: did you mean `base/zlib`?
    -- exit code 5
    "#);
}

#[test]
fn removing_asks_first_and_takes_what_was_built_with_it_along() {
    let t = recipe_set();
    five(&t);
    weir(&t, "repo add --all").succeeds();
    let before = checkpoint(&t);
    insta::assert_snapshot!(plain(&t, &weir(&t, "repo remove base/curl").fails_with(2)), @r#"
    $ weir repo remove base/curl
    In the registry `org`, for [PLATFORM]:
    leaves    base/curl 7.88.1  asked for
              base/view 2.0.0   depends on base/curl 7.88.1, which leaves
    -- stderr
      × 2 packages would leave, and nobody can be asked
      help: look at the plan with `--dry-run`, and carry it out with `--yes`
    -- exit code 2
    "#);
    assert_eq!(checkpoint(&t), before);
    insta::assert_snapshot!(plain(&t, &weir(&t, "repo remove base/curl --yes").succeeds()), @r#"
    $ weir repo remove base/curl --yes
    In the registry `org`, for [PLATFORM]:
    leaves    base/curl 7.88.1  asked for
              base/view 2.0.0   depends on base/curl 7.88.1, which leaves
    Done: 2 releases left, in one batch
    "#);
    assert_eq!(offered(&t), ["fmt 9.1.0", "png 1.6.39", "zlib 1.2.13"]);
    weir(&t, "repo verify").succeeds();
    // What was built once need not be built again.
    let back = json(&t, "repo add base/view");
    assert_eq!(releases(&back["plan"]["builds"]), ["curl 7.88.1 revision 1", "view 2.0.0 revision 1"]);
    assert_eq!(built_now(&back), [""; 0]);
}

#[test]
fn a_dry_run_shows_what_the_action_then_shows_and_changes_nothing() {
    let t = recipe_set();
    five(&t);
    let before = checkpoint(&t);
    let dry = weir(&t, "repo add --all --dry-run").succeeds();
    let planned = weir(&t, "repo plan add --all").succeeds();
    assert_eq!(dry.stdout, planned.stdout);
    assert_eq!(checkpoint(&t), before);
    let added = weir(&t, "repo add --all").succeeds();
    assert!(added.stdout.starts_with(&dry.stdout), "{added}");
}

#[test]
fn for_programs_there_is_one_document_with_the_plan_and_what_came_of_it() {
    let t = recipe_set();
    five(&t);
    let planned = json(&t, "repo plan add base/curl");
    assert_eq!(planned.get("report"), None);
    assert_eq!(releases(&planned["plan"]["builds"]), ["zlib 1.2.13", "curl 7.88.1"]);
    assert_eq!(planned["plan"]["builds"][0]["because"]["why"], "needed-by");
    assert_eq!(planned["plan"]["leaves"], serde_json::json!([]));
    let done = json(&t, "repo add base/curl");
    assert_eq!(built_now(&done), ["zlib 1.2.13", "curl 7.88.1"]);
    for (step, built) in [0, 1].map(|at| (&done["plan"]["builds"][at], &done["report"]["built"][at])) {
        assert_eq!(step["input-digest"], built["input-digest"]);
        assert_eq!(release(&step["id"]), release(&built["id"]));
    }
    assert_eq!(done["report"]["receipt"]["outcomes"].as_array().unwrap().len(), 2);
}

#[test]
fn two_packages_with_one_file_cannot_be_used_together_and_both_are_named() {
    let t = recipe_set();
    let side = "mkdir -p \"$DESTDIR$PREFIX/include\"\necho '/* side */' >\"$DESTDIR$PREFIX/include/side.h\"";
    library(&t, "left", "1.0.0").first(side).write();
    library(&t, "right", "1.0.0").first(side).write();
    library(&t, "both", "1.0.0").needs("left", "*").needs("right", "*").write();
    weir(&t, "repo add base/left base/right").succeeds();
    let before = checkpoint(&t);
    let refused = weir(&t, "repo add base/both").fails_with(8);
    for word in ["base/left", "base/right", "include/side.h"] {
        assert!(refused.stderr.contains(word), "{refused}");
    }
    assert_eq!(checkpoint(&t), before);
}

#[test]
fn how_a_release_was_built_can_be_read_from_the_registry_alone() {
    let t = recipe_set();
    library(&t, "zlib", "1.2.13").first("echo compiling for $VARIANT").both_variants().write();
    weir(&t, "repo add base/zlib").succeeds();
    // Another machine: nothing is known there but the registry.
    let elsewhere = [("WEIR_HOME", t.path("elsewhere").display().to_string())];
    let elsewhere: Vec<(&str, &str)> = elsewhere.iter().map(|(name, value)| (*name, &**value)).collect();
    let log = t.weir_with("recipes", "repo log base/zlib --registry ../org", &elsewhere).succeeds();
    let at = |text: &str| log.stdout.find(text).unwrap_or_else(|| panic!("no `{text}`\n{log}"));
    assert!(at("compiling for release") < at("compiling for debug"));
    let statement = t.weir_with("recipes", "repo provenance base/zlib@1.2.13 --registry ../org", &elsewhere);
    let statement: serde_json::Value = serde_json::from_str(&statement.succeeds().stdout).unwrap();
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicateType"], "https://slsa.dev/provenance/v1");
    assert_eq!(json(&t, "repo provenance base/zlib")["statement"], statement);
    assert_eq!(json(&t, "repo log base/zlib")["log"], log.stdout);
    assert_eq!(json(&t, "repo verify")["problems"], serde_json::json!([]));
    weir(&t, "repo log base/zlip").fails_with(5);
    on_pages(&t, &log.stdout);
    weir(&t, "repo log base/zlib@3.0.0").fails_with(5);
}

/// The same in a browser: the page of the release leads to each document, which is shown as text.
fn on_pages(t: &weir_testkit::Sandbox, log: &str) {
    fs_err::create_dir_all(t.path("data/registries")).unwrap();
    fs_err::rename(t.path("org"), t.path("data/registries/org")).unwrap();
    let server = weir_testkit::WeirServer::start(t, "data", &[]);
    let text = |path: &str| {
        let reply = server.ask("GET", path, &["Accept: text/html"]);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.text()
    };
    let release = text("/org/-/packages/base/zlib/1.2.13");
    let link = |what: &str| {
        let (_, after) = release.split_once(&format!("<dt>{what}</dt>")).expect(what);
        let (_, address) = after.split_once("href=\"").expect(what);
        address.split_once('"').expect(what).0.replace("&#38;", "&").replace("&amp;", "&")
    };
    assert!(text(&link("build log")).contains("compiling for debug"));
    assert!(text(&link("recipe")).contains("1.2.13"));
    let provenance = text(&link("provenance"));
    assert!(
        provenance.contains("slsa.dev") && provenance.contains(">1\n2\n3\n"),
        "a line for each value: {provenance}"
    );
    let raw = format!("{}&raw", link("build log"));
    assert_eq!(server.ask("GET", &raw, &[]).text(), log);
    // Only what this release names: the digest of its own recipe is no document of another.
    let none = link("recipe").replace("1.2.13", "1.2.14");
    assert_eq!(server.ask("GET", &none, &[]).status, 404);
    let other = link("recipe").replace(|c: char| c.is_ascii_digit(), "1");
    assert_eq!(server.ask("GET", &other, &[]).status, 404);
}

#[test]
fn without_a_network_it_can_be_looked_planned_and_built_and_nothing_be_offered() {
    let t = recipe_set();
    five(&t);
    weir(&t, "repo add base/curl").succeeds();
    weir(&t, "--offline repo status").succeeds();
    weir(&t, "--offline repo plan add base/view").succeeds();
    weir(&t, "--offline build base/png").succeeds();
    let before = checkpoint(&t);
    weir(&t, "--offline repo add base/png").fails_with(5);
    assert_eq!(checkpoint(&t), before);
}

#[test]
fn mistakes_are_answered_with_what_to_do() {
    let t = recipe_set();
    five(&t);
    insta::assert_snapshot!(t.weir("repo status").fails_with(5), @r#"
    $ weir repo status
    -- stderr
      × there are no recipes in `[ROOT]/app`: expected `packages/<owner>/<name>/weir.toml`, a `weir.toml` with `[recipe]`, or a Package Context of BacPack
      help: name the folder with the recipes: `--recipes FOLDER`
    -- exit code 5
    "#);
    insta::assert_snapshot!(weir(&t, "repo update base/curl").fails_with(5), @r#"
    $ weir repo update base/curl
    -- stderr
      × `base/curl` is not offered
      help: `weir repo add base/curl` offers it
    -- exit code 5
    "#);
    insta::assert_snapshot!(weir(&t, "repo add").fails_with(2), @r#"
    $ weir repo add
    -- stderr
      × `weir repo add` needs `<NAME|--all>`
      help: `weir repo add --help` says how it is called
    -- exit code 2
    "#);
    insta::assert_snapshot!(weir(&t, "root create ../root --oci ../none").fails_with(5), @r#"
    $ weir root create ../root --oci ../none
    -- stderr
      × `[ROOT]/recipes/../none` is no container image: it has no `index.json`
      help: make one with `skopeo copy docker://IMAGE oci:FOLDER`, `podman save --format oci-archive -o FILE IMAGE` or `docker save -o FILE IMAGE`
    -- exit code 5
    "#);
    insta::assert_snapshot!(weir(&t, "repo status --root ../none").fails_with(5), @r#"
    $ weir repo status --root ../none
    -- stderr
      × there is no root file system at `[ROOT]/recipes/../none`
      help: `weir root create` makes one, with debootstrap or from an OCI image
    -- exit code 5
    "#);
    t.write("sysroot/release/mine", "");
    weir(&t, "repo add base/fmt").succeeds();
    insta::assert_snapshot!(t.weir_in("", "sysroot create sysroot base/fmt").fails_with(8), @r#"
    $ weir sysroot create sysroot base/fmt
    -- stderr
      × `[ROOT]/sysroot/release` is in the way: it was not made by weir
      help: move it away: nothing is replaced but what weir made
    -- exit code 8
    "#);
    assert!(t.path("sysroot/release/mine").exists());
}

#[test]
fn what_was_built_again_is_outdated_and_an_update_names_the_revision() {
    let t = recipe_set();
    library(&t, "zlib", "1.2.13").write();
    library(&t, "curl", "7.88.1").needs("zlib", "^1.2").write();
    weir(&t, "repo add --all").succeeds();
    t.write("app/weir.toml", "[package]\nkind = \"native\"\n\n[dependencies]\n\"base/curl\" = \"*\"\n");
    t.weir("install").succeeds();
    library(&t, "zlib", "1.2.13").number(7).write();
    weir(&t, "repo update --all").succeeds();
    let outdated = t.weir("outdated --exit-code --json").fails_with(1);
    let told: serde_json::Value = serde_json::from_str(&outdated.stdout).unwrap();
    let rows = told["packages"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{told:#}");
    for row in rows {
        assert_eq!(
            (&row["current"], &row["wanted-revision"]),
            (&row["wanted"], &serde_json::json!(1)),
            "{row:#}"
        );
    }
    assert!(t.weir("outdated").succeeds().stdout.contains("7.88.1 revision 1"));
    let updated = t.weir("update").succeeds();
    assert!(updated.stdout.contains("7.88.1 → 7.88.1 revision 1"), "{updated}");
    assert_eq!(t.weir("outdated").succeeds().stdout, "Everything is at its newest\n");
}
