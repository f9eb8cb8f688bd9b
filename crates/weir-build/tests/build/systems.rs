//! Each build system builds a small library, in both variants.

use weir_build::{BuildError, BuildRoot, Sandbox};
use weir_native::{System, Variant};

use crate::world::World;

const LIBRARY: &str = "int one(void) { return 1; }\n";

const CMAKE: &str = "\
cmake_minimum_required(VERSION 3.10)
project(one C)
add_library(one SHARED one.c)
include(GNUInstallDirs)
install(TARGETS one LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
";

const MESON: &str = "\
project('one', 'c')
shared_library('one', 'one.c', install : true)
pkg = import('pkgconfig')
pkg.generate(name : 'one', description : 'one', version : '1')
";

const MAKEFILE: &str = "\
CFLAGS ?= -O3
all: libone.a
libone.a: one.o
\t$(AR) rcs $@ one.o
install: all
\tmkdir -p $(DESTDIR)$(PREFIX)/lib
\tcp libone.a $(DESTDIR)$(PREFIX)/lib/
";

fn files(world: &World) -> Vec<String> {
    let tree = world.at("scratch/tree");
    let mut all = Vec::new();
    let mut folders = vec![tree.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                all.push(entry.path().strip_prefix(&tree).unwrap().display().to_string());
            }
        }
    }
    all.sort();
    all
}

#[test]
fn cmake_builds_each_variant_from_a_fresh_copy() {
    let mut world = World::new(System::Cmake).source("CMakeLists.txt", CMAKE).source("one.c", LIBRARY);
    world.recipe.variants = Variant::ALL.into();
    let built = world.built();
    assert_eq!(files(&world), ["debug/lib/libone.so", "release/lib/libone.so"]);
    assert_eq!(built.phases.len(), 8, "{:?}", built.phases);
    let phases = world.seen.phases.lock().unwrap().join(", ");
    let each = "source, release configure, release build, release install";
    assert_eq!(phases, format!("release {each}, debug {}", each.replace("release", "debug")));
    assert!(!world.at("scratch/work").exists());
}

#[test]
fn meson_builds() {
    let world = World::new(System::Meson).source("meson.build", MESON).source("one.c", LIBRARY);
    world.built();
    assert_eq!(files(&world), ["release/lib/libone.so", "release/lib/pkgconfig/one.pc"]);
}

#[test]
fn make_builds_with_a_patch_in_a_folder_of_the_source() {
    let patch = "--- a/sub/one.c\n+++ b/sub/one.c\n@@ -1 +1,2 @@\n int one(void) { return 1; }\n+int two(void) { return 2; }\n";
    let mut world = World::new(System::Make { targets: Vec::new() })
        .source("sub/Makefile", MAKEFILE)
        .source("sub/one.c", LIBRARY);
    world.recipe.subfolder = Some("sub".into());
    world.recipe.patches = vec!["two.patch".into()];
    fs_err::write(world.at("recipe/two.patch"), patch).unwrap();
    world.built();
    assert_eq!(files(&world), ["release/lib/libone.a"]);
    let archive = fs_err::read(world.at("scratch/tree/release/lib/libone.a")).unwrap();
    assert!(archive.windows(4).any(|bytes| bytes == b"two\0"));
}

#[test]
fn a_configure_script_is_told_the_prefix_and_made_where_there_is_none() {
    let world = World::new(System::Autotools)
        .source("configure.ac", "AC_INIT([one], [1])\nAM_INIT_AUTOMAKE([foreign])\nAC_PROG_CC\nAC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n")
        .source("Makefile.am", "bin_PROGRAMS = one\none_SOURCES = main.c\n")
        .source("main.c", "int main(void) { return 0; }\n");
    world.built();
    assert_eq!(files(&world), ["release/bin/one"]);
    assert!(world.log().contains("autoreconf --force --install"));
}

#[test]
fn a_script_knows_where_it_is_and_what_to_build() {
    let world = World::script(
        "mkdir -p $PREFIX && echo $PREFIX $SYSROOT $TOOLS $VARIANT $JOBS $(pwd) $(id -u) $(hostname) $TZ $HOME > $PREFIX/seen",
    );
    let seen = world.text("seen");
    assert_eq!(
        seen,
        "/weir/prefix /weir/sysroot /weir/tools release 2 /weir/source 1000 weir UTC /tmp/home\n"
    );
}

#[test]
fn a_build_is_told_nothing_that_a_build_system_could_take_for_its_own() {
    let world = World::script("mkdir -p $PREFIX; env | cut -d= -f1 | sort | tr '\\n' ' ' >$PREFIX/seen");
    let seen = world.text("seen");
    assert_eq!(seen, "HOME LC_ALL PATH PWD SOURCE_DATE_EPOCH TMPDIR TZ ZERO_AR_DATE ");
}

#[test]
fn a_makefile_that_has_names_of_weirs_for_something_else_builds_what_it_would_anywhere() {
    let makefile = "\
LIBRARY_PATH ?= lib
INCLUDE_PATH ?= include
SYSROOT ?= none
VARIANT ?= plain
CPATH ?= own
PKG_CONFIG_LIBDIR ?= pkg
JOBS ?= many
CFLAGS ?= -Iinclude
CPPFLAGS ?= -DOWN=3
all: one.o
install: all
\tmkdir -p $(DESTDIR)$(PREFIX)/$(LIBRARY_PATH)
\tcp one.o $(DESTDIR)$(PREFIX)/$(LIBRARY_PATH)/
\techo $(SYSROOT) $(VARIANT) $(CPATH) $(PKG_CONFIG_LIBDIR) $(JOBS) >$(DESTDIR)$(PREFIX)/seen
";
    let mut world = World::new(System::Make { targets: Vec::new() })
        .source("Makefile", makefile)
        .source("include/one.h", "#define ONE OWN\n")
        .source("one.c", "#include <one.h>\n#include <dep.h>\nint one(void) { return ONE + DEP; }\n");
    let sysroot = world.at("sysroot");
    fs_err::create_dir_all(sysroot.join("include")).unwrap();
    fs_err::write(sysroot.join("include/dep.h"), "#define DEP 1\n").unwrap();
    world.sysroots.insert(Variant::Release, sysroot);
    assert_eq!(world.text("seen"), "none plain own pkg many\n");
    assert_eq!(files(&world), ["release/lib/one.o", "release/seen"]);
}

#[test]
fn what_is_optimised_is_what_the_variant_says_unless_the_source_says_otherwise() {
    let makefile = "\
FLAGS = -O1
install:
\tmkdir -p $(PREFIX)
\techo '__OPTIMIZE__' | cc -E -xc - | tail -n 1 >$(PREFIX)/seen
\techo '__OPTIMIZE__' | cc $(FLAGS) -g3 -dM -E -xc - | grep -c __OPTIMIZE__ >>$(PREFIX)/seen || true
";
    let mut world = World::new(System::Make { targets: vec!["install".into()] }).source("Makefile", makefile);
    world.recipe.variants = Variant::ALL.into();
    let tree = world.built().tree;
    let seen = |variant: &str| fs_err::read_to_string(tree.join(variant).join("seen")).unwrap();
    assert_eq!(seen("release"), "1\n1\n");
    assert_eq!(seen("debug"), "__OPTIMIZE__\n1\n");
}

#[test]
fn a_compiler_that_links_nothing_says_what_it_is() {
    let world = World::script(
        "mkdir -p $PREFIX\ncc -v 2>$PREFIX/seen\ncc --version >>$PREFIX/seen\nld -v >>$PREFIX/seen\ncpp --version >>$PREFIX/seen",
    );
    assert!(world.text("seen").contains("gcc version"));
}

#[test]
fn flags_of_a_recipe_come_after_those_of_the_variant_where_configure_has_defaults() {
    let configure = "#!/bin/sh\necho \"flags = $CFLAGS\" >config.mk\n";
    let makefile = "include config.mk\nall:\ninstall:\n\tmkdir -p /weir/prefix\n\techo $(flags) / $(CFLAGS) / $$MODE >/weir/prefix/seen\n";
    let world = World::new(System::Autotools)
        .source("configure", configure)
        .source("Makefile", makefile)
        .environment("CFLAGS", "-O1 -DFAST")
        .environment("MODE", "quick");
    fs_err::set_permissions(
        world.at("source/configure"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    assert_eq!(world.text("seen"), "-O2 -g0 -O1 -DFAST / -O1 -DFAST / quick\n");
}

#[test]
fn settings_that_a_build_system_has_no_use_for_are_told() {
    let cmake = World::new(System::Cmake).source("CMakeLists.txt", CMAKE).source("one.c", LIBRARY);
    let cmake = cmake.define("BUILD_SHARD_LIBS", "ON").define("CMAKE_C_FLAGS", "-DX");
    assert_eq!(cmake.built().unused, ["BUILD_SHARD_LIBS"]);
    let make = World::new(System::Make { targets: Vec::new() })
        .source("Makefile", MAKEFILE)
        .source("one.c", LIBRARY);
    let make = make.define("CLFAGS", "-O1").define("CFLAGS", "-O1");
    assert_eq!(make.built().unused, ["CLFAGS"]);
    let meson = World::new(System::Meson).source("meson.build", MESON).source("one.c", LIBRARY);
    let failure = meson.define("fats", "true").failed();
    assert!(failure.help().starts_with("its build system has no use for `fats`; "), "{}", failure.help());
}

#[test]
fn a_tool_that_is_not_there_is_named_with_what_to_do() {
    let failure = World::new(System::Make { targets: Vec::new() })
        .source("Makefile", "all:\n\ttrue | no-such-tool x\n")
        .failed();
    assert!(failure.help().contains("name `no-such-tool` in the recipe's `tools`"), "{:?}", failure.tail);
}

#[test]
fn without_a_sandbox_the_same_is_built_through_a_destination() {
    let mut world = World::new(System::Cmake).source("CMakeLists.txt", CMAKE).source("one.c", LIBRARY);
    world.sandbox = Sandbox::none();
    world.built();
    assert_eq!(files(&world), ["release/lib/libone.so"]);
}

#[test]
fn building_twice_gives_the_same_bytes() {
    let world = World::new(System::Make { targets: Vec::new() })
        .source("Makefile", MAKEFILE)
        .source("one.c", LIBRARY);
    let read = |world: &World| {
        world.built();
        fs_err::read(world.at("scratch/tree/release/lib/libone.a")).unwrap()
    };
    assert_eq!(read(&world), read(&world));
}

#[test]
fn a_failure_says_which_step_of_which_variant_and_shows_the_last_lines() {
    let world = World::new(System::Make { targets: Vec::new() })
        .source("Makefile", "all:\n\t@printf 'one\\033[31m line\\n'; exit 3\n");
    let failure = world.failed();
    let said = failure.to_string();
    assert!(said.starts_with("base/thing 1.0.0 "), "{said}");
    assert!(said.ends_with(" failed to build: release, build: exit code 2"), "{said}");
    assert_eq!(failure.tail, ["one line", "make: *** [Makefile:2: all] Error 3"]);
    assert!(failure.log.is_file());
}

#[test]
fn a_build_that_installs_nothing_has_failed() {
    let failure = World::script("mkdir -p $PREFIX/lib").failed();
    assert_eq!(failure.reason.to_string(), "it installed nothing under the prefix");
}

#[test]
fn a_program_that_is_not_there_is_named() {
    // The view of the machine is what counts: this one is not on it, whatever else is.
    let mut world = World::new(System::Cmake).source("CMakeLists.txt", CMAKE);
    world.root = Some(root_without_cmake(&world));
    let error = world.build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "base/thing 1.0.0 x86-64-empty-1 is built by `cmake`, which the build root lacks"
    );

    world.sandbox = Sandbox::none();
    assert!(matches!(world.build().unwrap_err(), BuildError::RootWithoutSandbox { .. }));
}

/// An unpacked root of which nothing is there but what makes it one.
fn root_without_cmake(world: &World) -> BuildRoot {
    let root = world.at("root");
    fs_err::create_dir_all(root.join("bin")).unwrap();
    fs_err::create_dir_all(root.join("etc")).unwrap();
    fs_err::copy("/bin/sh", root.join("bin/sh")).unwrap();
    fs_err::write(root.join("etc/os-release"), "ID=empty\nVERSION_ID=1\n").unwrap();
    BuildRoot::open(&root).unwrap()
}
