//! `weir build` and `weir sysroot`: what is built without being offered, and what is laid out for compilers.

use std::process::Command;

use crate::recipes::{checkpoint, five, json, library, offered, plain, recipe_set, release, weir};

#[test]
fn building_offers_nothing_and_what_was_built_is_not_built_again() {
    let t = recipe_set();
    five(&t);
    let before = checkpoint(&t);
    weir(&t, "build base/curl").succeeds();
    assert_eq!(checkpoint(&t), before);
    assert_eq!(offered(&t), [""; 0]);
    let again = json(&t, "build base/curl");
    let how: Vec<_> = again["built"].as_array().unwrap().iter().map(|built| &built["how"]).collect();
    assert_eq!(how, ["kept", "kept"]);
    let added = json(&t, "repo add base/curl");
    assert!(crate::recipes::built_now(&added).is_empty(), "{added:#}");
}

#[test]
fn what_a_package_installs_can_be_copied_out_and_changed() {
    let t = recipe_set();
    five(&t);
    weir(&t, "build base/curl --out ../curl").succeeds();
    assert_eq!(t.read("curl/release/include/curl.h"), "int curl_number(void);\n");
    t.write("curl/release/include/curl.h", "changed");
    let refused = weir(&t, "build base/fmt --out ../curl").fails_with(8);
    assert!(!refused.stderr.contains("Built"), "better known before building: {refused}");
    weir(&t, "build --out ../all").fails_with(2);
    weir(&t, "repo add base/curl").succeeds();
    weir(&t, "repo verify").succeeds();
}

#[test]
fn building_twice_shows_what_is_not_reproducible() {
    let t = recipe_set();
    library(&t, "zlib", "1.2.13").write();
    let random =
        "mkdir -p \"$DESTDIR$PREFIX/share\"\ncat /proc/sys/kernel/random/uuid >\"$DESTDIR$PREFIX/share/id\"";
    library(&t, "curl", "7.88.1").needs("zlib", "*").first(random).write();
    let checked = json(&t, "build --check");
    let (curl, zlib) = (&checked["checked"][1], &checked["checked"][0]);
    assert_eq!(
        (release(&zlib["id"]).as_str(), &zlib["differences"]),
        ("zlib 1.2.13", &serde_json::json!([]))
    );
    assert_eq!(curl["differences"].as_array().unwrap().len(), 1, "{checked:#}");
    let said = weir(&t, "build base/curl --check").fails_with(1);
    assert!(said.stdout.contains("release/share/id"), "{}", plain(&t, &said));
    weir(&t, "build base/zlib --check").succeeds();
}

#[test]
fn a_sysroot_holds_what_was_named_and_all_that_it_needs_and_a_program_links_to_it() {
    let t = recipe_set();
    five(&t);
    weir(&t, "repo add --all").succeeds();
    t.weir_in("", "--json sysroot create sysroot base/view --variant release").succeeds();
    t.write("main.c", "#include <view.h>\nint main(void) { return view_number(); }\n");
    let sysroot = t.path("sysroot/release");
    let compiled = Command::new("cc")
        .arg(t.path("main.c"))
        .args([
            format!("-I{}", sysroot.join("include").display()),
            format!("-L{}", sysroot.join("lib").display()),
        ])
        .args([format!("-Wl,-rpath,{}", sysroot.join("lib").display()), "-lview".into(), "-o".into()])
        .arg(t.path("main"))
        .status();
    assert!(compiled.unwrap().success());
    // One of its own, two of curl with zlib, two of png with zlib.
    assert_eq!(Command::new(t.path("main")).status().unwrap().code(), Some(5));
    assert!(!sysroot.join("include/fmt.h").exists(), "nobody asked for fmt");
}

#[test]
fn a_sysroot_of_what_is_not_there_names_what_was_typed() {
    let t = recipe_set();
    library(&t, "zlib", "1.2.13").write();
    weir(&t, "repo add --all").succeeds();
    let page = |typed: &str, code: i32| plain(&t, &t.weir_in("", typed).fails_with(code));
    insta::assert_snapshot!(page("sysroot create sysroot base/zlb", 5), @r#"
    $ weir sysroot create sysroot base/zlb
    -- stderr
      × `weir sysroot create` requires `base/zlb` *, but there is no such package
      help: there is no `base/zlb`; did you mean `base/zlib`?
    -- exit code 5
    "#);
    insta::assert_snapshot!(page("sysroot create sysroot base/zlib@^9", 3), @r#"
    $ weir sysroot create sysroot base/zlib@^9
    -- stderr
      × `weir sysroot create` requires `base/zlib` ^9, but it is offered only in 1.2.13
    -- exit code 3
    "#);
    t.write("file", "");
    insta::assert_snapshot!(page("sysroot create file/sysroot base/zlib", 8), @r#"
    $ weir sysroot create file/sysroot base/zlib
    -- stderr
      × `[ROOT]/file` is in the way: it was not made by weir
      help: move it away: nothing is replaced but what weir made
    -- exit code 8
    "#);
    assert!(!t.path("sysroot").exists());
}

#[test]
fn a_build_that_is_alone_gets_all_the_jobs_there_are() {
    let t = recipe_set();
    library(&t, "zlib", "1.2.13").first("echo jobs: $JOBS").write();
    weir(&t, "repo add --all --builds 2 --jobs 3").succeeds();
    let log = weir(&t, "repo log base/zlib").succeeds();
    assert!(log.stdout.contains("jobs: 3"), "{}", log.stdout);
}

#[test]
fn where_no_recipe_can_be_built_it_is_said_which_and_why() {
    let t = recipe_set();
    fs_err::create_dir(t.path("recipes/packages")).unwrap();
    let none = t.weir_in("recipes", "build --no-sandbox").fails_with(5);
    assert!(none.stderr.contains("there is no recipe in"), "{none}");
    library(&t, "lost", "1.0.0").write();
    fs_err::remove_dir_all(t.path("recipes/packages/base/lost/src")).unwrap();
    let none = t.weir_in("recipes", "build --no-sandbox").fails_with(7);
    assert!(none.stderr.contains("`base/lost`: `base/lost` takes its source from"), "{none}");
    library(&t, "there", "1.0.0").write();
    let some = t.weir_in("recipes", "build --no-sandbox").fails_with(7);
    assert!(some.stderr.contains("`base/lost` is not built: `base/lost` takes its source from"), "{some}");
    assert!(some.stdout.contains("base/there 1.0.0"), "{some}");
}

#[test]
fn a_recipe_takes_no_source_from_a_folder_of_somebody_else() {
    let t = recipe_set();
    library(&t, "thief", "1.0.0").write();
    t.write("private/id_ed25519", "secret");
    let recipe = "recipes/packages/base/thief/weir.toml";
    let text = t.read(recipe);
    for path in ["../../../../private", "link"] {
        t.write(recipe, text.replace("path = \"src\"", &format!("path = \"{path}\"")));
        let _ = std::os::unix::fs::symlink(t.path("private"), t.path("recipes/packages/base/thief/link"));
        let refused = t.weir_in("recipes", "build base/thief --no-sandbox").fails_with(4);
        assert!(refused.stderr.contains("which is not in"), "{refused}");
    }
    t.write(recipe, text.replace("path = \"src\"", "path = \"../../../../private\""));
    let allowed = t.weir_in("recipes", "build base/thief --no-sandbox --sources-anywhere");
    assert!(!allowed.stderr.contains("which is not in"), "{allowed}");
    // A project's recipes may take what is the project's.
    t.write("weir.toml", "[package]\nname = \"acme/app\"\nversion = \"1.0.0\"\n");
    let own = t.weir_in("recipes", "build base/thief --no-sandbox");
    assert!(!own.stderr.contains("which is not in"), "{own}");
}
