//! The build systems whose programs and libraries would look for others where they were built: Meson, and
//! autotools with libtool.

use weir_testkit::Sandbox;

use crate::recipes::{recipe_set, weir};

/// A package with a library and a program that uses it, both of which need `number` from `base/number`.
fn number_and(t: &Sandbox, system: &str, files: &[(&str, &str)]) {
    let recipe = |name: &str, needs: &str, system: &str| {
        format!(
            "[package]\nname = \"base/{name}\"\nversion = \"1.0.0\"\nkind = \"native\"\nlicense = \"MIT\"\n\n\
             [dependencies]\n{needs}\n[recipe]\nsource = {{ path = \"src\" }}\nsystem = \"{system}\"\n\
             variants = [\"release\"]\n"
        )
    };
    let number = "recipes/packages/base/number";
    t.write(format!("{number}/weir.toml"), recipe("number", "", "meson"));
    t.write(
        format!("{number}/src/meson.build"),
        "project('number', 'c', version: '1.0.0')\n\
         library = shared_library('number', 'number.c', install: true, version: '1.0.0')\n\
         install_headers('number.h')\nimport('pkgconfig').generate(library)\n",
    );
    t.write(format!("{number}/src/number.h"), "int number(void);\n");
    t.write(format!("{number}/src/number.c"), "int number(void) { return 21; }\n");

    let twice = "recipes/packages/base/twice";
    t.write(format!("{twice}/weir.toml"), recipe("twice", "\"base/number\" = \"*\"\n", system));
    t.write(format!("{twice}/src/twice.h"), "int twice(void);\n");
    t.write(
        format!("{twice}/src/twice.c"),
        "#include <number.h>\nint twice(void) { return 2 * number(); }\n",
    );
    t.write(format!("{twice}/src/main.c"), "#include \"twice.h\"\nint main(void) { return twice(); }\n");
    for (path, text) in files {
        t.write(format!("{twice}/src/{path}"), *text);
    }
}

/// What was built finds its libraries in a sysroot, wherever that is.
fn runs_in_a_sysroot(t: &Sandbox) {
    weir(t, "repo add --all").succeeds();
    weir(t, "sysroot create ../sysroot base/twice --variant release").succeeds();
    fs_err::rename(t.path("sysroot"), t.path("elsewhere")).unwrap();
    let program = t.path("elsewhere/release/bin/twice");
    assert_eq!(std::process::Command::new(program).status().unwrap().code(), Some(42));
}

#[test]
fn meson_builds_what_finds_its_libraries() {
    let t = recipe_set();
    let build = "project('twice', 'c', version: '1.0.0')\nnumber = dependency('number')\n\
                 library = shared_library('twice', 'twice.c', install: true, dependencies: number)\n\
                 executable('twice', 'main.c', link_with: library, install: true)\ninstall_headers('twice.h')\n";
    number_and(&t, "meson", &[("meson.build", build)]);
    runs_in_a_sysroot(&t);
}

#[test]
fn autotools_with_libtool_build_what_finds_its_libraries() {
    let t = recipe_set();
    let configure = "AC_INIT([twice],[1.0.0])\nAM_INIT_AUTOMAKE([foreign])\nAC_PROG_CC\nAM_PROG_AR\nLT_INIT\n\
                     AC_CHECK_LIB([number],[number],,[AC_MSG_ERROR([there is no number])])\n\
                     AC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n";
    let makefile = "lib_LTLIBRARIES = libtwice.la\nlibtwice_la_SOURCES = twice.c\ninclude_HEADERS = twice.h\n\
                    bin_PROGRAMS = twice\ntwice_SOURCES = main.c\ntwice_LDADD = libtwice.la\n";
    number_and(&t, "autotools", &[("configure.ac", configure), ("Makefile.am", makefile)]);
    runs_in_a_sysroot(&t);
}
