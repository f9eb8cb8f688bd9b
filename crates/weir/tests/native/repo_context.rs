//! Package Contexts of `BacPack`: built as they are, or taken over.

use std::process::Command;

use weir_testkit::Sandbox;

use crate::recipes::{json, recipe_set, releases, weir};

/// A context of two libraries, and the git repositories that it names.
fn context(t: &Sandbox) {
    for (name, needs) in [("units", &[][..]), ("shapes", &["units"])] {
        let repository = t.path(format!("git/{name}"));
        let find: String =
            needs.iter().map(|need| format!("find_package({need} REQUIRED CONFIG)\n")).collect();
        let link: String = needs
            .iter()
            .map(|need| format!("target_link_libraries({name} PUBLIC {need}::{need})\n"))
            .collect();
        let depends: String = needs.iter().map(|need| format!("find_dependency({need} CONFIG)\n")).collect();
        t.write(
            format!("git/{name}/CMakeLists.txt"),
            format!(
                "cmake_minimum_required(VERSION 3.16)\nproject({name} C)\n{find}add_library({name} SHARED {name}.c)\n{link}\
                 target_include_directories({name} PUBLIC $<INSTALL_INTERFACE:include>)\n\
                 install(TARGETS {name} EXPORT {name} DESTINATION lib)\ninstall(FILES {name}.h DESTINATION include)\n\
                 install(EXPORT {name} FILE {name}Targets.cmake NAMESPACE {name}:: DESTINATION lib/cmake/{name})\n\
                 install(FILES {name}Config.cmake DESTINATION lib/cmake/{name})\n"
            ),
        );
        t.write(
            format!("git/{name}/{name}Config.cmake"),
            format!("include(CMakeFindDependencyMacro)\n{depends}include(${{CMAKE_CURRENT_LIST_DIR}}/{name}Targets.cmake)\n"),
        );
        let includes: String = needs.iter().map(|need| format!("#include <{need}.h>\n")).collect();
        t.write(format!("git/{name}/{name}.c"), format!("{includes}int {name}(void) {{ return 1; }}\n"));
        t.write(format!("git/{name}/{name}.h"), format!("int {name}(void);\n"));
        let git = |words: &[&str]| {
            let done = Command::new("git")
                .current_dir(&repository)
                .args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"])
                .args(words)
                .status();
            assert!(done.unwrap().success());
        };
        git(&["init", "--quiet"]);
        git(&["add", "."]);
        git(&["commit", "--quiet", "-m", "x"]);
        git(&["tag", "v1.0.0"]);
        for (config, debug) in [("release", false), ("debug", true)] {
            let kind = if debug { "Debug" } else { "Release" };
            let text = serde_json::json!({
                "Env": {},
                "DependsOn": needs,
                "Git": {"URI": format!("file://{}", repository.display()), "Revision": "v1.0.0"},
                "Build": {"CMake": {"Defines": {"CMAKE_BUILD_TYPE": kind}}},
                "Package": {
                    "Name": name, "VersionTag": "v1.0.0",
                    "PlatformString": {"Mode": "auto", "String": {"DistroName": "", "DistroRelease": "", "Machine": ""}},
                    "IsLibrary": true, "IsDevLib": true, "IsDebug": debug,
                },
                "DockerMatrix": {"ImageNames": ["debian12"]},
            });
            t.write(format!("context/package/{name}/{name}_{config}.json"), text.to_string());
        }
    }
}

#[test]
fn a_context_is_built_as_it_is() {
    let t = recipe_set();
    context(&t);
    let added = json(&t, "repo add --all --recipes ../context");
    let names: Vec<_> =
        added["plan"]["builds"].as_array().unwrap().iter().map(|step| &step["id"]["name"]).collect();
    assert_eq!(names, ["bacpack/units", "bacpack/shapes"], "{added:#}");
    t.weir_in("", "repo verify").succeeds();
    t.weir_in("", "sysroot create sysroot bacpack/shapes").succeeds();
    for path in ["release/lib/libshapes.so", "release/include/units.h", "debug/lib/libunits.so"] {
        assert!(t.path("sysroot").join(path).exists(), "no {path}");
    }
}

#[test]
fn a_context_can_be_taken_over_as_recipes_under_another_owner() {
    let t = recipe_set();
    context(&t);
    t.weir_in("", "repo import context recipes --owner base").succeeds();
    let again = t.weir_in("", "repo import context recipes --owner base").fails_with(8);
    assert!(again.stderr.contains("recipes/packages/base/shapes/weir.toml"), "{again}");
    let planned = json(&t, "repo plan add base/shapes");
    assert_eq!(releases(&planned["plan"]["builds"]), ["units 1.0.0", "shapes 1.0.0"]);
}

#[test]
fn a_context_gets_the_same_owner_whether_it_is_built_as_it_is_or_taken_over() {
    let t = recipe_set();
    context(&t);
    let names = |typed: &str| {
        let planned = json(&t, typed);
        releases(&planned["plan"]["builds"])
    };
    let as_it_is = names("repo plan add --all --recipes ../context --owner base");
    assert_eq!(as_it_is, ["units 1.0.0", "shapes 1.0.0"]);
    t.weir_in("", "repo import context recipes --owner base").succeeds();
    assert_eq!(names("repo plan add --all"), as_it_is);
    let refused = weir(&t, "repo status --owner base").fails_with(2);
    assert!(refused.stderr.contains("are Weir's own"), "{refused}");
}
