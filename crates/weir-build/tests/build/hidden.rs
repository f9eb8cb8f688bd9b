//! A build sees the tools of the machine, what it declares, and nothing else.

use std::path::Path;

use weir_native::{System, Variant};

use crate::world::World;

/// Asks for zlib in every way in which builds do.
const LOOKING: &str = r"
mkdir -p $PREFIX
say() { echo $1 $2 >> $PREFIX/seen; }
try() { what=$1; shift; if $@ > /dev/null 2>&1; then say $what found; else say $what absent; fi; }
echo '#include <zlib.h>' > header.c
echo 'int main(void) { return 0; }' > main.c
printf 'cmake_minimum_required(VERSION 3.10)\nproject(x C)\nfind_package(ZLIB REQUIRED)\n' > CMakeLists.txt
try header cc -c header.c
try library cc main.c -lz
try static cc main.c /usr/lib/$(cc -dumpmachine)/libz.a
try pkg-config pkg-config --exists zlib
try cmake cmake -B b .
if find / -name zlib.h -not -path '/weir/*' 2> /dev/null | grep . ; then say anywhere found; else say anywhere absent; fi
";

/// The same library, as far as looking for it goes.
fn sysroot(world: &World) {
    let folder = world.at("sysroot");
    for (path, text) in [
        ("include/zlib.h", "#define ZLIB_VERSION \"1.2.3\"\n"),
        ("lib/libz.a", "!<arch>\n"),
        (
            "lib/pkgconfig/zlib.pc",
            "Name: zlib\nDescription: z\nVersion: 1.2.3\nLibs: -L/weir/sysroot/lib -lz\n",
        ),
    ] {
        let path = folder.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
}

#[test]
fn what_is_not_declared_is_not_there_although_the_machine_has_it() {
    assert!(
        Path::new("/usr/include/zlib.h").exists(),
        "this test needs a library to hide: apt install zlib1g-dev"
    );
    let seen = World::script(LOOKING).text("seen");
    let ways = ["header", "library", "static", "pkg-config", "cmake", "anywhere"];
    assert_eq!(seen, ways.map(|way| format!("{way} absent\n")).concat());
}

#[test]
fn what_is_declared_is_found_in_every_way() {
    let mut world = World::script(LOOKING);
    sysroot(&world);
    world.sysroots.insert(Variant::Release, world.at("sysroot"));
    let seen = world.text("seen");
    for what in ["header", "library", "pkg-config", "cmake"] {
        assert!(seen.contains(&format!("{what} found\n")), "{what}\n{seen}");
    }
    assert!(seen.contains("static absent"), "{seen}");
}

#[test]
fn cmake_and_meson_use_the_sysroot_too() {
    let cmake = "cmake_minimum_required(VERSION 3.10)\nproject(x C)\nfind_package(ZLIB REQUIRED)\n\
        file(WRITE ${CMAKE_BINARY_DIR}/seen \"${ZLIB_INCLUDE_DIRS}\")\n\
        install(FILES ${CMAKE_BINARY_DIR}/seen DESTINATION share)\n";
    let mut world = World::new(System::Cmake).source("CMakeLists.txt", cmake);
    sysroot(&world);
    world.sysroots.insert(Variant::Release, world.at("sysroot"));
    assert_eq!(world.text("share/seen"), "/weir/sysroot/include");

    let meson = "project('x', 'c')\nz = dependency('zlib')\n\
        configure_file(output : 'seen', configuration : {'version' : z.version()}, install : true, install_dir : 'share')\n";
    let mut world = World::new(System::Meson).source("meson.build", meson);
    sysroot(&world);
    world.sysroots.insert(Variant::Release, world.at("sysroot"));
    assert!(world.text("share/seen").contains("1.2.3"));
}

/// Headers and libraries that nothing names but by their names, as each build system looks for them.
#[test]
fn headers_and_libraries_are_found_by_name_alone_whatever_builds() {
    let needs = "#include <dep.h>\nint main(void) { return dep(); }\n";
    let cmake = "cmake_minimum_required(VERSION 3.10)\nproject(x C)\ninclude(CheckIncludeFile)\n\
        include(CheckLibraryExists)\ncheck_include_file(dep.h HAVE_DEP_H)\ncheck_library_exists(dep dep \"\" HAVE_DEP)\n\
        if(NOT HAVE_DEP_H OR NOT HAVE_DEP)\n  message(FATAL_ERROR \"not found\")\nendif()\n\
        add_executable(x x.c)\ntarget_link_libraries(x dep)\nadd_custom_command(TARGET x POST_BUILD COMMAND x)\n\
        install(TARGETS x DESTINATION bin)\n";
    let meson = "project('x', 'c')\ncc = meson.get_compiler('c')\nassert(cc.has_header('dep.h'))\n\
        executable('x', 'x.c', dependencies : cc.find_library('dep'), install : true)\n";
    let configure = "AC_INIT([x], [1])\nAM_INIT_AUTOMAKE([foreign])\nAC_PROG_CC\n\
        AC_CHECK_HEADER([dep.h], [], [AC_MSG_ERROR([no header])])\nAC_CHECK_LIB([dep], [dep], [], [AC_MSG_ERROR([no library])])\n\
        AC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n";
    let make =
        "x: x.c\n\tgcc x.c -ldep -o x\n\t./x\ninstall:\n\tmkdir -p $(PREFIX)/bin\n\tcp x $(PREFIX)/bin/\n";
    let worlds = [
        World::new(System::Cmake).source("CMakeLists.txt", cmake),
        World::new(System::Meson).source("meson.build", meson),
        World::new(System::Autotools)
            .source("configure.ac", configure)
            .source("Makefile.am", "bin_PROGRAMS = x\nx_SOURCES = x.c\n"),
        World::new(System::Make { targets: Vec::new() }).source("Makefile", make),
    ];
    for mut world in worlds {
        world = world.source("x.c", needs);
        let folder = world.at("sysroot");
        for sub in ["include", "lib"] {
            fs_err::create_dir_all(folder.join(sub)).unwrap();
        }
        fs_err::write(folder.join("include/dep.h"), "int dep(void);\n").unwrap();
        let source = world.at("dep.c");
        fs_err::write(&source, "int dep(void) { return 0; }\n").unwrap();
        let library = folder.join("lib/libdep.so");
        let built = std::process::Command::new("cc")
            .args(["-shared", "-fPIC", "-Wl,-soname,libdep.so.1", "-o"])
            .args([&library, &source])
            .status();
        assert!(built.unwrap().success());
        // What runs while it is built finds the library by the name that it gives itself.
        fs_err::os::unix::fs::symlink("libdep.so", folder.join("lib/libdep.so.1")).unwrap();
        world.sysroots.insert(Variant::Release, folder);
        let tree = world.built().tree;
        assert!(tree.join("release/bin/x").is_file(), "{:?}", world.recipe.system);
    }
}

#[test]
fn tools_are_on_the_path_and_what_only_runs_with_it_is_not() {
    let mut world = World::script(
        "mkdir -p $PREFIX; generate >$PREFIX/seen; command -v other >>$PREFIX/seen || true; cc -c x.c",
    );
    world = world.source("x.c", "#if __has_include(<tool.h>)\n#error a tool's header\n#endif\n");
    for (folder, program) in [("tools", "generate"), ("sysroot", "other")] {
        let program = world.at(folder).join("bin").join(program);
        fs_err::create_dir_all(program.parent().unwrap()).unwrap();
        fs_err::write(&program, "#!/bin/sh\necho $0\n").unwrap();
        fs_err::set_permissions(program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    fs_err::create_dir_all(world.at("tools/include")).unwrap();
    fs_err::write(world.at("tools/include/tool.h"), "").unwrap();
    world.tools = Some(world.at("tools"));
    world.sysroots.insert(Variant::Release, world.at("sysroot"));
    assert_eq!(world.text("seen"), "/weir/tools/bin/generate\n");
    world.sandbox = weir_build::Sandbox::none();
    fs_err::write(
        world.at("recipe/build.sh"),
        "mkdir -p $DESTDIR$PREFIX; generate >$DESTDIR$PREFIX/seen; ! command -v other",
    )
    .unwrap();
    assert!(world.text("seen").ends_with("/tools/bin/generate\n"));
}

#[test]
fn every_tool_that_the_machine_has_works() {
    let tools = "cc c++ ld ar cmake ninja meson make m4 autoconf automake libtoolize perl python3 patch bash sed grep \
        tar gzip xz bzip2 find diff file pkg-config";
    let there: Vec<&str> =
        tools.split_whitespace().filter(|tool| Path::new("/usr/bin").join(tool).exists()).collect();
    let each: String = there
        .iter()
        .map(|tool| format!("{tool} --version >/dev/null || echo {tool} >> $PREFIX/broken\n"))
        .collect();
    let world = World::script(&format!("mkdir -p $PREFIX; touch $PREFIX/broken\n{each}"));
    assert_eq!(world.text("broken"), "");
    assert!(there.len() > 15, "{there:?}");
}

#[test]
fn a_tool_that_is_named_is_there_with_all_that_it_needs_and_otherwise_it_is_not() {
    let mut world = World::script(
        "mkdir -p $PREFIX; touch $PREFIX/seen\nif command -v tclsh >/dev/null; then echo 'puts 1' | tclsh >$PREFIX/seen; fi",
    );
    assert!(
        Path::new("/usr/bin/tclsh").exists(),
        "this test needs a tool that not every build has: apt install tcl"
    );
    assert_eq!(world.text("seen"), "");
    world.recipe.tools = vec!["tclsh".into()];
    assert_eq!(world.text("seen"), "1\n");
    let root = weir_build::BuildRoot::host().unwrap();
    let kind = world.sandbox.kind();
    let digest = |tools: &[String]| root.toolchain(kind, tools).unwrap().digest;
    assert_ne!(digest(&[]), digest(&world.recipe.tools));
    assert_eq!(digest(&[]), digest(&["make".into()]), "which every build has");
    assert_eq!(root.lacks(&["tclsh".into(), "no-such-tool".into()]).unwrap(), ["no-such-tool"]);
}

#[test]
fn homes_and_what_is_not_the_systems_are_not_there() {
    let world = World::script(
        "mkdir -p $PREFIX; ls -d /root/* /home/* /opt /usr/local/* /srv /mnt 2>/dev/null > $PREFIX/seen || true\n\
         ls / >> $PREFIX/seen",
    );
    let seen = world.text("seen");
    for line in seen.lines() {
        assert!(
            [
                "bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "run", "sbin", "tmp", "usr",
                "var", "weir"
            ]
            .contains(&line),
            "{seen}"
        );
    }
}
