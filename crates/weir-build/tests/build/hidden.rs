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

#[test]
fn every_tool_that_the_machine_has_works() {
    let tools = "cc c++ ld ar cmake ninja meson make m4 autoconf automake libtoolize perl python3 bison flex gettext \
        patch bash sed grep tar gzip xz bzip2 find diff file pkg-config nasm gperf makeinfo swig";
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
