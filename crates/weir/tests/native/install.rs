//! Packages that somebody built by hand, and a project that is built with them.

use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use weir_testkit::{PackageBuilder, Sandbox};

fn sandbox() -> Sandbox {
    let t = Sandbox::new(env!("CARGO_BIN_EXE_weir"));
    t.registry("org");
    t
}

/// Runs a program in a folder of the sandbox; it must succeed. Gives what it said.
#[track_caller]
fn runs(t: &Sandbox, folder: &str, program: impl AsRef<std::ffi::OsStr>, words: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(words).current_dir(t.path(folder)).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", t.path("home"));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    said
}

/// A prebuilt package: its folder has `release` and `debug` with a library of one function, `<name>_version`, that gives
/// `number`, and 1000 more in the debug variant.
fn library<'t>(t: &'t Sandbox, name: &str, version: &str, number: u32) -> PackageBuilder<'t> {
    let folder = format!("packages/base-{name}-{version}");
    let header = format!("int {name}_version(void);\n#define {name}_HEADER {number}\n");
    for (variant, number) in [("release", number), ("debug", number + 1000)] {
        t.write(format!("{folder}/{variant}/include/{name}.h"), &header);
        t.write("source.c", format!("int {name}_version(void) {{ return {number}; }}\n"));
        shared(t, &folder, variant, name, &[]);
    }
    let pc = format!(
        "prefix=/weir/prefix\nName: {name}\nDescription: x\nVersion: {version}\nLibs: -L${{prefix}}/lib -l{name}\n"
    );
    let config = "#!/bin/sh\necho -L/weir/prefix/lib\n";
    t.package(&format!("base/{name}"), version)
        .kind("native")
        .file(&format!("release/lib/pkgconfig/{name}.pc"), &pc)
        .program(&format!("release/bin/{name}-config"), config)
}

/// Compiles `source.c` to a library of a package that is still a folder.
fn shared(t: &Sandbox, folder: &str, variant: &str, name: &str, words: &[&str]) {
    let lib = format!("{folder}/{variant}/lib");
    fs_err::create_dir_all(t.path(&lib)).unwrap();
    let (soname, out) = (format!("-Wl,-soname,lib{name}.so.1"), format!("{lib}/lib{name}.so.1"));
    let words =
        [&["-shared", "-fPIC", "-o", &out, "source.c", &soname, "-Wl,-rpath,$ORIGIN/../lib"], words].concat();
    runs(t, "", "cc", &words);
    fs_err::os::unix::fs::symlink(format!("lib{name}.so.1"), t.path(format!("{lib}/lib{name}.so"))).unwrap();
}

/// `base/zed`, and `base/curly`, which is bound to it.
fn two_libraries(t: &Sandbox) {
    library(t, "zed", "1.2.0", 12).publish();
    let folder = "packages/base-curly-1.0.0";
    let zed = t.path("packages/base-zed-1.2.0/release");
    t.write("source.c", "#include <zed.h>\nint curly(void) { return zed_version() * 2; }\n");
    let (include, lib) = (format!("-I{}/include", zed.display()), format!("-L{}/lib", zed.display()));
    shared(t, folder, "release", "curly", &[&include, &lib, "-Wl,--no-as-needed", "-lzed"]);
    t.package("base/curly", "1.0.0")
        .kind("native")
        .dependency("base/zed", "^1")
        .file("release/include/curly.h", "int curly(void);\n")
        .publish();
}

fn project(t: &Sandbox, dependencies: &str) {
    t.write("app/weir.toml", format!("[package]\nkind = \"native\"\n\n[dependencies]\n{dependencies}"));
}

const CMAKE: &str = r#"cmake_minimum_required(VERSION 3.23)
project(app LANGUAGES C)
find_path(CURLY_INCLUDE curly.h REQUIRED)
find_library(CURLY curly REQUIRED)
add_executable(app main.c)
target_include_directories(app PRIVATE "${CURLY_INCLUDE}")
target_link_libraries(app PRIVATE "${CURLY}")
"#;
const MAIN: &str = "#include <stdio.h>\n#include <curly.h>\n#include <zed.h>\nint main(void) { printf(\"%d %d\\n\", curly(), zed_HEADER); return 0; }\n";

fn app(t: &Sandbox) {
    project(t, "\"base/curly\" = \"^1\"\n");
    t.write("app/CMakeLists.txt", CMAKE);
    t.write("app/main.c", MAIN);
}

/// What the project prints when it is built by a preset.
#[track_caller]
fn built(t: &Sandbox, folder: &str, preset: &str) -> String {
    runs(t, folder, "cmake", &["--preset", preset]);
    runs(t, folder, "cmake", &["--build", "--preset", preset]);
    runs(t, folder, t.path(folder).join("build").join(preset).join("app"), &[])
}

fn sysroot(t: &Sandbox, folder: &str, variant: &str) -> std::path::PathBuf {
    let platforms = fs_err::read_dir(t.path(folder).join("weir_packages/sysroot")).unwrap();
    let [platform] = &platforms.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()[..] else {
        panic!("one platform is laid out")
    };
    platform.join(variant)
}

#[test]
fn a_project_is_built_with_its_packages_by_a_preset() {
    let t = sandbox();
    two_libraries(&t);
    app(&t);
    t.weir("install").succeeds();
    assert_eq!(built(&t, "app", "weir"), "24 12\n");
    assert_eq!(
        built(&t, "app", "weir-debug"),
        "2024 12\n",
        "`curly` has no debug variant and lends its other"
    );
    assert_snapshot!(t.weir("install"), @r"
    $ weir install
    Nothing to do: 2 packages in place
    ");

    library(&t, "zed", "1.3.0", 13).publish();
    let folder = "packages/base-curly-1.0.0";
    t.write(format!("{folder}/release/include/curly.h"), "int curly(void);\n/* again */\n");
    let manifest = t.read(format!("{folder}/weir.toml")).replace("1.0.0", "1.1.0");
    t.write(format!("{folder}/weir.toml"), manifest);
    t.weir_in("", &format!("publish {folder}")).succeeds();
    t.weir("update").succeeds();
    assert_eq!(built(&t, "app", "weir"), "26 13\n");
    let link_trees = fs_err::read_dir(t.path("app/weir_packages/.link-trees")).unwrap().count();
    assert_eq!(link_trees, 2, "the link trees of before are gone");

    // Back again: the files of the store are older than what was compiled, which must be compiled anew all the same.
    project(&t, "\"base/curly\" = \"=1.0.0\"\n");
    t.weir("install").succeeds();
    assert_eq!(built(&t, "app", "weir"), "24 12\n");
}

#[test]
fn a_new_project_is_built_and_tested_at_once() {
    let t = sandbox();
    t.weir("init --kind native --name acme/hello-you").succeeds();
    t.weir("install").succeeds();
    runs(&t, "app", "cmake", &["--preset", "weir"]);
    runs(&t, "app", "cmake", &["--build", "--preset", "weir"]);
    runs(&t, "app", "ctest", &["--preset", "weir"]);
    assert_eq!(runs(&t, "app", t.path("app/build/weir/hello_you-hello"), &[]), "Hello, world!\n");
}

#[test]
fn make_and_pkg_config_find_the_packages_too() {
    let t = sandbox();
    two_libraries(&t);
    app(&t);
    t.weir("install").succeeds();
    let script = ". weir_packages/env.sh; cc -o app main.c -lcurly -lzed && ./app; zed-config; pkg-config --variable=prefix zed";
    let said = runs(&t, "app", "sh", &["-ec", script]);
    let root = sysroot(&t, "app", "release");
    let [numbers, config, prefix] = &said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
    assert_eq!(*numbers, "24 12");
    assert_eq!(*config, format!("-L{}/lib", root.display()));
    assert_eq!(fs_err::canonicalize(prefix).unwrap(), fs_err::canonicalize(root).unwrap());
}

#[test]
fn what_is_built_anew_in_a_folder_is_in_the_sysroot_after_the_next_install() {
    let t = sandbox();
    let folder = library(&t, "zed", "1.2.0", 12).write();
    project(&t, &format!("\"base/zed\" = {{ path = \"../{folder}\" }}\n"));
    t.weir("install").succeeds();
    t.write(format!("{folder}/release/include/new.h"), "#define NEW\n");
    t.weir("install").succeeds();
    assert_eq!(
        fs_err::read_to_string(sysroot(&t, "app", "release").join("include/new.h")).unwrap(),
        "#define NEW\n"
    );
}

#[test]
fn a_project_that_was_moved_names_its_new_place_after_the_next_install() {
    let t = sandbox();
    two_libraries(&t);
    app(&t);
    t.weir("install").succeeds();
    fs_err::rename(t.path("app"), t.path("moved")).unwrap();
    t.weir_in("moved", "install").succeeds();
    let root = sysroot(&t, "moved", "release");
    assert_eq!(runs(&t, "moved", root.join("bin/zed-config"), &[]), format!("-L{}/lib\n", root.display()));
    assert_eq!(built(&t, "moved", "weir"), "24 12\n");
}

#[test]
fn presets_of_ones_own_are_left_alone_and_told_of_the_line_they_lack() {
    let t = sandbox();
    two_libraries(&t);
    app(&t);
    t.write("app/CMakePresets.json", "{ \"version\": 4 }\n");
    let run = t.weir("install").succeeds();
    assert!(run.stderr.contains("add `\"include\": [\"weir_packages/cmake/presets.json\"]`"), "{run}");
    assert_eq!(t.read("app/CMakePresets.json"), "{ \"version\": 4 }\n");
}

#[test]
fn presets_that_are_no_file_are_refused_and_not_waited_for() {
    let t = sandbox();
    two_libraries(&t);
    app(&t);
    let presets = t.path("app/CMakePresets.json");
    assert!(std::process::Command::new("mkfifo").arg(&presets).status().unwrap().success());
    let run = t.weir("install").fails_with(4);
    assert!(run.stderr.contains("CMakePresets.json") && run.stderr.contains("named pipe"), "{run}");
}

#[test]
fn two_packages_with_one_file_are_refused_with_both_names() {
    let t = sandbox();
    for name in ["one", "two"] {
        t.package(&format!("base/{name}"), "1.0.0")
            .kind("native")
            .file("release/include/config.h", "")
            .publish();
    }
    project(&t, "\"base/one\" = \"^1\"\n\"base/two\" = \"^1\"\n");
    let run = t.weir("install").fails_with(8);
    assert!(run.stderr.contains("base/one 1.0.0") && run.stderr.contains("base/two 1.0.0"), "{run}");
    assert!(run.stderr.contains("include/config.h"), "{run}");
}

#[test]
fn a_diamond_of_two_versions_is_refused_and_explained() {
    let t = sandbox();
    let headers = |name: &str, version: &str| {
        t.package(&format!("base/{name}"), version)
            .kind("native")
            .file(&format!("release/include/{name}.h"), &format!("/* {version} */"))
    };
    headers("zed", "1.2.0").publish();
    headers("left", "1.0.0").dependency("base/zed", "^1").publish();
    headers("zed", "1.3.0").publish();
    headers("right", "1.0.0").dependency("base/zed", "^1").publish();
    project(&t, "\"base/left\" = \"^1\"\n\"base/right\" = \"^1\"\n");
    let run = t.weir("install").fails_with(3);
    for word in ["base/left", "base/right", "1.2.0", "1.3.0"] {
        assert!(run.stderr.contains(word), "{run}");
    }
}

#[test]
fn why_and_tree_follow_what_packages_were_built_with() {
    let t = sandbox();
    two_libraries(&t);
    app(&t);
    t.weir("install").succeeds();
    assert_snapshot!(t.weir("tree"), @r"
    $ weir tree
    app
    └── base/curly 1.0.0
        └── base/zed 1.2.0
    ");
    assert_snapshot!(t.weir("why base/zed"), @r"
    $ weir why base/zed
    weir.toml → base/curly 1.0.0 → base/zed 1.2.0
    ");
}

#[test]
fn a_package_that_holds_nothing_built_is_refused() {
    let t = sandbox();
    let folder = t.package("base/x", "1.0.0").kind("native").file("src/x.c", "").write();
    assert_snapshot!(t.weir_in("", &format!("publish {folder}")), @r"
    $ weir publish packages/base-x-1.0.0
    -- stderr
      × a package of the kind `native` is what was built, in a folder `release`, a folder `debug`, or both; here is neither
    -- exit code 1
    ");
}

#[test]
fn another_platform_is_laid_out_beside_nothing_of_this_one() {
    let t = sandbox();
    t.package("base/x", "1.0.0").kind("native").file("release/include/x.h", "").publish();
    project(&t, "\"base/x\" = \"^1\"\n");
    t.weir("install").succeeds();
    t.weir("install --platform riscv64-debian-13").succeeds();
    assert!(sysroot(&t, "app", "release").ends_with("riscv64-debian-13/release"));
    assert!(sysroot(&t, "app", "release").join("include/x.h").is_file());
}

#[test]
fn a_store_that_cannot_be_written_serves_all_the_same() {
    let t = sandbox();
    two_libraries(&t);
    app(&t);
    t.weir("install").succeeds();
    fs_err::remove_dir_all(t.path("app/weir_packages")).unwrap();
    let status = Command::new("chmod").args(["-R", "a-w"]).arg(t.path("home/weir/store")).status().unwrap();
    assert!(status.success());
    let run = t.weir("install");
    let status = Command::new("chmod").args(["-R", "u+w"]).arg(t.path("home/weir/store")).status().unwrap();
    assert!(status.success());
    run.succeeds();
    assert!(Path::new(&sysroot(&t, "app", "release")).join("lib/libcurly.so.1").is_file());
}

#[test]
fn machine_code_for_every_platform_is_doubted_until_its_platform_is_named() {
    let t = sandbox();
    let said = library(&t, "zed", "1.2.0", 12).publish();
    // Where it was published, its files are listed: how large they are is the compiler's matter.
    assert_snapshot!(said.stderr, @r#"
    warning: `release/lib/libzed.so.1` is machine code, and the package goes out as one for every platform: say in `[package]` which one it was built for, as in `platform = "x86-64-debian-12"`
    "#);
    let manifest = t.read("packages/base-zed-1.2.0/weir.toml");
    let named = manifest.replace("kind =", "platform = \"x86-64-debian-12\"\nkind =");
    t.write("packages/base-zed-1.2.0/weir.toml", named);
    let said = t.weir_in("", "publish packages/base-zed-1.2.0").succeeds();
    assert!(!said.stderr.contains("machine code"), "{}", said.stderr);

    t.package("base/head", "1.0.0").kind("native").file("release/include/head.h", "int x;\n").publish();
    let said = t.weir_in("", "publish packages/base-head-1.0.0").succeeds();
    assert_eq!(said.stderr, "");
}

#[test]
fn headers_and_libraries_are_found_by_their_names_alone_and_several_configurations_are_refused() {
    let t = sandbox();
    two_libraries(&t);
    project(&t, "\"base/zed\" = \"*\"\n");
    t.write(
        "app/CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.23)\nproject(app C)\ninclude(CheckIncludeFile)\n\
         check_include_file(zed.h HAVE_ZED)\nif(NOT HAVE_ZED)\n  message(FATAL_ERROR \"no zed.h\")\nendif()\n\
         add_executable(app main.c)\ntarget_link_libraries(app zed)\n",
    );
    t.write("app/main.c", "#include <stdio.h>\n#include <zed.h>\nint main(void) { printf(\"%d\\n\", zed_version()); return 0; }\n");
    t.weir_in("app", "install").succeeds();
    assert_eq!(built(&t, "app", "weir"), "12\n");

    let toolchain =
        ["--toolchain", "weir_packages/cmake/toolchain.cmake", "-G", "Ninja Multi-Config", "-B", "multi"];
    let refused = Command::new("cmake").current_dir(t.path("app")).args(toolchain).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("-DWEIR_VARIANT=release"), "{refused:?}");
    fs_err::remove_dir_all(t.path("app/multi")).unwrap();
    runs(&t, "app", "cmake", &[&toolchain[..], &["-DWEIR_VARIANT=release"]].concat());
}

/// As of every kind: the commands of direct dependencies, and no others, are in `bin`.
#[test]
fn commands_of_packages_that_the_project_asks_for_itself_are_run_by_their_names() {
    let t = sandbox();
    two_libraries(&t);
    project(&t, "\"base/curly\" = \"^1\"\n");
    t.weir("install").succeeds();
    assert!(!t.path("app/weir_packages/bin/zed-config").exists());
    project(&t, "\"base/zed\" = \"^1\"\n");
    let run = t.weir("run zed-config").succeeds();
    assert!(run.stdout.contains("/sysroot/") && run.stdout.contains("/release/lib"), "{run}");
    assert!(t.path("app/weir_packages/bin/zed-config").exists());
    t.weir("verify").succeeds();
    project(&t, "");
    t.weir("install").succeeds();
    assert!(t.path("app/weir_packages/bin/zed-config").symlink_metadata().is_err());
}
