//! What is offered again is whole, whoever is first wins for all, and what can be offered is.

use crate::recipes::{built_now, checkpoint, five, json, library, offered, recipe_set, releases, weir};

/// Every pack of the registry, but those of sources: what a tree with this text in it came in.
fn packs(t: &weir_testkit::Sandbox) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![t.path("org")];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if fs_err::read(entry.path()).unwrap().starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
                || entry.file_name().to_str().unwrap().ends_with(".pack")
            {
                found.push(entry.path());
            }
        }
    }
    found
}

fn damage(files: &[std::path::PathBuf]) {
    assert!(!files.is_empty());
    for file in files {
        let mut bytes = fs_err::read(file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        fs_err::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        fs_err::write(file, bytes).unwrap();
    }
}

#[test]
fn what_is_offered_again_is_checked_and_replaced_by_this_machines_copy() {
    let t = recipe_set();
    library(&t, "zlib", "1.2.13").write();
    weir(&t, "repo add base/zlib").succeeds();
    weir(&t, "repo remove base/zlib --yes").succeeds();
    weir(&t, "repo verify").succeeds();
    damage(&packs(&t));
    let verified = weir(&t, "repo verify").fails_with(6);
    assert!(verified.to_string().contains("offered no more"), "{verified}");
    weir(&t, "repo add base/zlib").succeeds();
    weir(&t, "repo verify").succeeds();
}

#[test]
fn what_is_damaged_and_nobody_else_has_is_built_again() {
    let t = recipe_set();
    library(&t, "zlib", "1.2.13").write();
    weir(&t, "repo add base/zlib").succeeds();
    weir(&t, "repo remove base/zlib --yes").succeeds();
    damage(&packs(&t));
    // Of this machine only the key is left, without which nothing could be offered.
    fs_err::rename(t.path("home/weir/keys"), t.path("keys")).unwrap();
    fs_err::remove_dir_all(t.path("home")).unwrap();
    fs_err::create_dir_all(t.path("home/weir")).unwrap();
    fs_err::rename(t.path("keys"), t.path("home/weir/keys")).unwrap();
    weir(&t, "registry add org ../org --default").succeeds();
    let added = json(&t, "repo add base/zlib");
    assert_eq!(built_now(&added), ["zlib 1.2.13 revision 1"], "{added:#}");
    weir(&t, "repo verify").succeeds();
}

#[test]
fn with_publish_what_is_whole_is_offered_and_the_rest_is_told() {
    let t = recipe_set();
    five(&t);
    library(&t, "curl", "7.88.1").needs("zlib", "^1").first("exit 1").write();
    let failed = json(&t, "repo add --all --keep-going --publish");
    assert_eq!(releases(&failed["error"]["builds"]["failed"]), ["curl 7.88.1"]);
    let told: Vec<_> = failed["error"]["builds"]["offered"]
        .as_array()
        .unwrap()
        .iter()
        .map(crate::recipes::release)
        .collect();
    assert_eq!(told, ["zlib 1.2.13", "fmt 9.1.0", "png 1.6.39"]);
    assert_eq!(offered(&t), ["fmt 9.1.0", "png 1.6.39", "zlib 1.2.13"]);
    weir(&t, "repo verify").succeeds();
    weir(&t, "repo add --all --publish").fails_with(2);
}

#[test]
fn all_that_failed_is_told_also_what_could_not_begin() {
    let t = recipe_set();
    five(&t);
    let side = "mkdir -p \"$DESTDIR$PREFIX/include\"\necho >\"$DESTDIR$PREFIX/include/side.h\"";
    library(&t, "curl", "7.88.1").needs("zlib", "^1").first(side).write();
    library(&t, "png", "1.6.39").needs("zlib", "^1").first(side).write();
    library(&t, "fmt", "9.1.0").first("exit 1").write();
    let failed = json(&t, "repo add --all --keep-going");
    let names: Vec<_> = releases(&failed["error"]["builds"]["failed"]);
    assert_eq!(names, ["fmt 9.1.0", "view 2.0.0"], "{failed:#}");
    assert!(failed.to_string().contains("both install `include/side.h`"), "{failed:#}");
}

#[test]
fn with_exit_code_what_is_to_be_done_is_told_by_1() {
    let t = recipe_set();
    library(&t, "zlib", "1.2.13").write();
    weir(&t, "repo status").succeeds();
    weir(&t, "repo status --exit-code").fails_with(1);
    weir(&t, "repo plan add --all --exit-code").fails_with(1);
    weir(&t, "repo add --all").succeeds();
    weir(&t, "repo status --exit-code").succeeds();
    weir(&t, "repo plan update --all --exit-code").succeeds();
    library(&t, "zlib", "1.2.14").write();
    weir(&t, "repo status --exit-code").fails_with(1);
    weir(&t, "repo plan update --all --exit-code").fails_with(1);
}

#[test]
fn of_two_updates_at_once_the_second_finds_nothing_left_to_do() {
    let t = recipe_set();
    library(&t, "zlib", "1.2.13").write();
    weir(&t, "repo add base/zlib").succeeds();
    library(&t, "zlib", "1.2.14").first("sleep 2").write();
    let update = || weir(&t, "repo update base/zlib --yes");
    let both: Vec<_> = std::thread::scope(|scope| {
        let runs = [scope.spawn(update), scope.spawn(update)];
        runs.into_iter().map(|run| run.join().unwrap().succeeds()).collect()
    });
    let said: String = both.iter().map(ToString::to_string).collect();
    assert!(said.contains("planning again") || said.contains("Nothing to do"), "{said}");
    assert_eq!(offered(&t), ["zlib 1.2.14"]);
}

#[test]
fn one_recipe_whose_source_cannot_be_had_keeps_only_those_that_need_it() {
    let t = recipe_set();
    five(&t);
    fs_err::remove_dir_all(t.path("recipes/packages/base/curl/src")).unwrap();
    let before = checkpoint(&t);
    let plan = json(&t, "repo plan add --all");
    let left_out: Vec<_> = plan["plan"]["left-out"].as_array().unwrap().to_vec();
    assert_eq!(left_out.len(), 2, "{plan:#}");
    assert_eq!((&left_out[0]["name"], &left_out[1]["name"]), (&"base/curl".into(), &"base/view".into()));
    assert_eq!(checkpoint(&t), before);
    let added = weir(&t, "repo add --all").fails_with(7);
    assert!(added.to_string().contains("left out"), "{added}");
    assert_eq!(offered(&t), ["fmt 9.1.0", "png 1.6.39", "zlib 1.2.13"]);
    // Named by its name, it is what is wrong.
    weir(&t, "repo add base/curl").fails_with(5);
}

#[test]
fn a_tool_that_is_named_and_missing_stops_it_before_anything_is_built() {
    let t = recipe_set();
    library(&t, "zlib", "1.2.13").write();
    library(&t, "curl", "7.88.1").needs("zlib", "^1").write();
    let recipe = t.read("recipes/packages/base/curl/weir.toml");
    t.write("recipes/packages/base/curl/weir.toml", recipe + "tools = [\"no-such-tool\"]\n");
    let failed = weir(&t, "repo add --all").fails_with(7);
    assert!(failed.stderr.contains("the build root lacks `no-such-tool`"), "{failed}");
    assert!(!failed.stderr.contains("Built"), "{failed}");
}

/// A generator of code, of which only its program is needed, and only while something else is built.
#[test]
fn a_packages_own_tool_is_on_the_path_of_what_is_built_with_it_and_goes_no_further() {
    let t = recipe_set();
    let tool = "recipes/packages/base/numgen";
    t.write(
        format!("{tool}/weir.toml"),
        "[package]\nname = \"base/numgen\"\nversion = \"1.0.0\"\nkind = \"native\"\nlicense = \"MIT\"\n\n\
         [recipe]\nsource = { path = \"src\" }\nsystem = \"script\"\nscript = \"build.sh\"\nvariants = [\"release\"]\n",
    );
    t.write(format!("{tool}/src/numgen"), "#!/bin/sh\necho '#define GENERATED 1'\n");
    t.write(
        format!("{tool}/build.sh"),
        "mkdir -p \"$DESTDIR$PREFIX/bin\"\ninstall -m 755 numgen \"$DESTDIR$PREFIX/bin/\"\n",
    );
    library(&t, "fmt", "9.1.0").first("numgen >generated.h && cat generated.h >>fmt.h").write();
    let recipe = t.read("recipes/packages/base/fmt/weir.toml");
    let asked = "[build-dependencies]\n\"base/numgen\" = \"^1\"\n";
    t.write("recipes/packages/base/fmt/weir.toml", recipe.replace("[dependencies]\n", asked));
    weir(&t, "repo add base/fmt").succeeds();
    weir(&t, "sysroot create ../sysroot base/fmt --variant release").succeeds();
    assert!(t.read("sysroot/release/include/fmt.h").contains("GENERATED"));
    assert!(!t.path("sysroot/release/bin/numgen").exists(), "it is no part of what was built with it");
}

#[test]
fn a_sysroot_of_copies_can_be_written_to_and_the_store_stays_as_it_is() {
    let t = recipe_set();
    library(&t, "zlib", "1.2.13").write();
    weir(&t, "repo add base/zlib").succeeds();
    weir(&t, "sysroot create ../copied base/zlib --variant release --copy").succeeds();
    let header = t.path("copied/release/include/zlib.h");
    fs_err::write(&header, "changed").unwrap();
    weir(&t, "store verify").succeeds();
    let linked = weir(&t, "sysroot create ../linked base/zlib --variant release").succeeds();
    let is_root = rustix::process::geteuid().is_root();
    assert_eq!(linked.stderr.contains("nothing keeps root from changing them"), is_root, "{linked}");
}
