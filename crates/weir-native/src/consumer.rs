//! What a project's own build is told of its packages: a toolchain file and presets for `CMake`, native files for Meson,
//! and variables for everything else.
//!
//! All of them name the links to the sysroots, which stay where they are when the packages change. What is compiled
//! with other packages must be compiled again all the same, although their files may be older than what was
//! compiled before; so the options of the compiler name the link tree.

use serde_json::{Value, json};
use weir_fs::Folder;
use weir_kind::{KindError, Layout, LayoutFile, PACKAGES_FOLDER, ProjectPlace, Scaffold};
use weir_model::KindName;

use crate::Variant;

const TOOLCHAIN: &str = "cmake/toolchain.cmake";
const PRESETS: &str = "cmake/presets.json";
const ENVIRONMENT: &str = "env.sh";
/// The project's own presets.
const OWN_PRESETS: &str = "CMakePresets.json";
/// The version of presets that knows `include` (`CMake` 3.23).
const PRESETS_VERSION: u32 = 4;
/// The largest file of presets that is read, in bytes.
const MAX_PRESETS: u64 = 4 << 20;

/// The files of a new project.
pub(crate) fn scaffold(package: &str) -> Scaffold {
    // As it can be part of the name of a target and of a file.
    let name: String = package.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let name = if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name };
    let file = |path: &str, text: &str| {
        (path.replace("@NAME@", &name), text.replace("@NAME@", &name).replace("@TITLE@", package), false)
    };
    Scaffold {
        manifest: String::new(),
        files: vec![
            file("CMakeLists.txt", include_str!("scaffold/CMakeLists.txt")),
            file("include/@NAME@.h", include_str!("scaffold/library.h")),
            file("src/@NAME@.cpp", include_str!("scaffold/library.cpp")),
            file("src/main.cpp", include_str!("scaffold/main.cpp")),
            file("tests/test.cpp", include_str!("scaffold/test.cpp")),
            file("README.md", include_str!("scaffold/README.md")),
        ],
    }
}

/// Adds the files that tell builds where the sysroots are, which are in the layout already.
pub(crate) fn add(layout: &mut Layout, project: &ProjectPlace) -> Result<(), KindError> {
    let sysroots = format!("sysroot/{}", project.platform);
    let link_trees: Vec<String> = layout.link_trees.iter().map(|link_tree| link_tree.name.clone()).collect();
    let mut file = |path: &str, text: String| {
        layout.files.push(LayoutFile { path: path.into(), contents: text.into_bytes(), executable: false });
    };
    file(TOOLCHAIN, toolchain(&sysroots, &link_trees));
    file(PRESETS, pretty(&presets()));
    let folder = project.folder.join(PACKAGES_FOLDER).join(&sysroots);
    let folder = folder.to_str().filter(|path| !path.contains(['\n', '\r'])).ok_or_else(|| {
        KindError::NotAllowed(format!("`{}` cannot be written into files of Meson", folder.display()))
    })?;
    for variant in Variant::ALL {
        file(&format!("meson/{variant}.ini"), meson(&format!("{folder}/{variant}")));
    }
    file(ENVIRONMENT, environment(folder));
    if project.kind == KindName::Native {
        own_presets(layout, project)?;
    }
    Ok(())
}

fn toolchain(sysroots: &str, link_trees: &[String]) -> String {
    let link_tree = |index: usize| link_trees.get(index).map_or("none", String::as_str);
    include_str!("consumer/toolchain.cmake")
        .replace("@SYSROOTS@", sysroots)
        .replace("@RELEASE@", link_tree(0))
        .replace("@DEBUG@", link_tree(1))
}

fn presets() -> Value {
    let preset = |name: &str, shown: &str, kind: &str| {
        json!({
            "name": name,
            "displayName": shown,
            "binaryDir": format!("${{sourceDir}}/build/{name}"),
            "toolchainFile": "${fileDir}/toolchain.cmake",
            "cacheVariables": { "CMAKE_BUILD_TYPE": kind, "CMAKE_EXPORT_COMPILE_COMMANDS": "ON" },
        })
    };
    let by = |name: &str| json!({ "name": name, "configurePreset": name });
    let test =
        |name: &str| json!({ "name": name, "configurePreset": name, "output": { "outputOnFailure": true } });
    json!({
        "version": PRESETS_VERSION,
        "configurePresets": [
            preset("weir", "Optimised, with the packages of weir.lock", "RelWithDebInfo"),
            preset("weir-debug", "For a debugger, with the packages of weir.lock", "Debug"),
        ],
        "buildPresets": [by("weir"), by("weir-debug")],
        "testPresets": [test("weir"), test("weir-debug")],
    })
}

/// A native file of Meson: strings in `'…'`, with `\` before `'` and `\`.
fn meson(sysroot: &str) -> String {
    let sysroot = sysroot.replace('\\', "\\\\").replace('\'', "\\'");
    format!(
        "# Written by `weir install`: meson setup --native-file THIS build\n\
         [built-in options]\n\
         pkg_config_path = ['{sysroot}/lib/pkgconfig', '{sysroot}/share/pkgconfig']\n\
         cmake_prefix_path = ['{sysroot}']\n\
         c_args = ['-I{sysroot}/include']\n\
         cpp_args = ['-I{sysroot}/include']\n\
         c_link_args = ['-L{sysroot}/lib', '-Wl,-rpath,{sysroot}/lib']\n\
         cpp_link_args = ['-L{sysroot}/lib', '-Wl,-rpath,{sysroot}/lib']\n"
    )
}

/// Variables for `make`, `configure` and compilers. In a shell, `'…'` holds anything but `'`.
fn environment(sysroots: &str) -> String {
    let quoted = format!("'{}'", sysroots.replace('\'', "'\\''"));
    include_str!("consumer/env.sh").replace("@SYSROOTS@", &quoted)
}

/// The project's own presets, which must include those of its packages.
fn own_presets(layout: &mut Layout, project: &ProjectPlace) -> Result<(), KindError> {
    let include = format!("{PACKAGES_FOLDER}/{PRESETS}");
    let own = [OWN_PRESETS, "CMakeUserPresets.json"];
    let folder = Folder::open(&project.folder)?;
    let texts = own.iter().map(|name| folder.find(name, MAX_PRESETS)).collect::<Result<Vec<_>, _>>()?;
    if texts[0].is_none() {
        let contents = pretty(&json!({ "version": PRESETS_VERSION, "include": [include] })).into_bytes();
        layout.starters.push(LayoutFile { path: OWN_PRESETS.into(), contents, executable: false });
    } else if !texts.iter().flatten().any(|text| includes(text, &include)) {
        layout.warnings.push(format!(
            "`{OWN_PRESETS}` does not include the presets of the packages: add `\"include\": [\"{include}\"]` to it, \
             with `\"version\": {PRESETS_VERSION}` or later"
        ));
    }
    Ok(())
}

fn includes(text: &[u8], file: &str) -> bool {
    let Ok(presets) = serde_json::from_slice::<Value>(text) else { return false };
    let included = presets.get("include").and_then(Value::as_array);
    included.into_iter().flatten().filter_map(Value::as_str).any(|path| path.ends_with(file))
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
