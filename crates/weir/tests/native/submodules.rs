//! Sources whose repositories have others in them.

use std::process::Command;

use serde_json::Value;
use weir_testkit::Sandbox;

use crate::recipes::{recipe_set, weir};

fn git(t: &Sandbox, folder: &str, words: &[&str]) {
    let done = Command::new("git")
        .current_dir(t.path(folder))
        .args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"])
        .args(["-c", "protocol.file.allow=always"])
        .args(words)
        .output()
        .unwrap();
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A repository `git/area`, with `git/units` as a submodule of it, and a recipe that takes its source from there.
fn area(t: &Sandbox, source: &str) {
    t.write("git/units/units.h", "enum { METRE = 1 };\n");
    t.write("git/area/area.c", "#include <units.h>\nint area(void) { return METRE; }\n");
    for folder in ["git/units", "git/area"] {
        git(t, folder, &["init", "--quiet"]);
        git(t, folder, &["add", "."]);
        git(t, folder, &["commit", "--quiet", "-m", "x"]);
    }
    git(t, "git/area", &["submodule", "--quiet", "add", "../units", "extern/units"]);
    git(t, "git/area", &["commit", "--quiet", "-m", "y"]);
    git(t, "git/area", &["tag", "v1.0.0"]);
    recipe(t, source, "");
}

fn recipe(t: &Sandbox, source: &str, defines: &str) {
    let folder = "recipes/packages/base/area";
    t.write(
        format!("{folder}/weir.toml"),
        format!(
            "[package]\nname = \"base/area\"\nversion = \"1.0.0\"\nkind = \"native\"\nlicense = \"MIT\"\n\n\
             [recipe]\nsource = {{ git = \"../../../../git/area\", tag = \"v1.0.0\"{source} }}\nsystem = \"script\"\n\
             script = \"build.sh\"\nvariants = [\"release\"]\ndefines = {{ {defines} }}\n"
        ),
    );
    t.write(
        format!("{folder}/build.sh"),
        "mkdir -p \"$DESTDIR$PREFIX/lib\"\ncc -Iextern/units -shared area.c -o \"$DESTDIR$PREFIX/lib/libarea.so\"\n",
    );
}

#[test]
fn submodules_are_part_of_a_source_only_if_the_recipe_asks_and_who_forgot_it_is_told() {
    let t = recipe_set();
    area(&t, "");
    let failed = weir(&t, "repo add base/area").fails_with(7);
    let hint = "its source lacks its submodules, `extern/units`: write `submodules = true` in `source`; all it printed";
    assert!(failed.stderr.contains("units.h") && failed.stderr.contains(hint), "{failed}");
    recipe(&t, ", submodules = true", "");
    weir(&t, "repo add base/area").succeeds();
    let statement: Value =
        serde_json::from_str(&weir(&t, "repo provenance base/area").succeeds().stdout).unwrap();
    let source = &statement["predicate"]["buildDefinition"]["resolvedDependencies"][0];
    assert_eq!(source["annotations"]["submodules"], true, "{statement:#}");
}

#[test]
fn a_source_with_its_submodules_outlives_the_repositories_that_it_came_from() {
    let t = recipe_set();
    area(&t, ", submodules = true");
    weir(&t, "repo add base/area").succeeds();
    fs_err::remove_dir_all(t.path("git")).unwrap();
    // Where it is in the store, and on a machine that has nothing yet; for a recipe that makes it be built again.
    for (home, level) in [("home/weir", 2), ("home/other", 3)] {
        recipe(&t, ", submodules = true", &format!("LEVEL = {level}"));
        let other = [("WEIR_HOME", &*t.path(home).display().to_string())];
        t.weir_with("recipes", "build base/area --registry ../org", &other).succeeds();
        recipe(&t, ", submodules = true", &format!("LEVEL = {level}0"));
        t.weir_with("recipes", "build base/area --registry ../org --offline", &other).succeeds();
    }
}
