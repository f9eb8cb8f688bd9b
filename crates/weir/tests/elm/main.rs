//! Elm packages and applications through the real program and the real compiler, on a package set of our own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod asking;
mod clients;
mod compilers;
mod everyday;
mod hostile;
mod online;
mod package_site;
mod protocol;
mod publishing;
mod rebuild;
mod sources;

use std::path::{Path, PathBuf};
use std::process::Command;

use weir_testkit::{Run, Sandbox};

/// Elm's core and JSON packages as stubs: eleven tiny modules with what every module imports, and two more.
const SET: [&str; 2] = ["core", "json"];

/// An empty folder with a home, a registry and the package set in it.
fn sandbox() -> Sandbox {
    let t = Sandbox::new(env!("CARGO_BIN_EXE_weir"));
    t.registry("org");
    copy_set(&t);
    // Nobody reads the documentation of these, and it takes a second to make.
    t.weir_with("", "publish core json", &[("PATH", "/nowhere")]).succeeds();
    t
}

/// Puts the folders `core` and `json` there.
fn copy_set(t: &Sandbox) {
    for name in SET {
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/elm/set").join(name), &t.path(name));
    }
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs_err::copy(entry.path(), to).unwrap();
        }
    }
}

/// An Elm package `acme/<name>` of one module, in the folder `<name>`.
fn package(t: &Sandbox, name: &str, version: &str, dependencies: &[(&str, &str)], module: &str) {
    let file = module.split_whitespace().skip_while(|word| *word != "module").nth(1).unwrap();
    let lines: Vec<String> = [("elm/core", "1.0.0 <= v < 2.0.0")]
        .iter()
        .chain(dependencies)
        .map(|(name, range)| format!("        \"{name}\": \"{range}\""))
        .collect();
    let manifest = format!(
        "{{\n    \"type\": \"package\",\n    \"name\": \"acme/{name}\",\n    \"summary\": \"A test\",\n    \"license\": \"MIT\",\n    \
         \"version\": \"{version}\",\n    \"exposed-modules\": [\n        \"{file}\"\n    ],\n    \
         \"elm-version\": \"0.19.0 <= v < 0.20.0\",\n    \"dependencies\": {{\n{}\n    }},\n    \"test-dependencies\": {{}}\n}}\n",
        lines.join(",\n")
    );
    t.write(format!("{name}/elm.json"), manifest);
    t.write(format!("{name}/README.md"), format!("# acme/{name}\n"));
    t.write(format!("{name}/src/{}.elm", file.replace('.', "/")), module);
}

/// `acme/str`, published without documentation, which few want: a function from texts to texts.
fn string_package(t: &Sandbox, version: &str, function: &str) {
    string_package_in(t, version, function);
    t.weir_with("", "publish str", &[("PATH", "/nowhere")]).succeeds();
}

/// The same with documentation, which the compiler makes.
fn documented_string_package(t: &Sandbox, version: &str, function: &str) {
    string_package_in(t, version, function);
    t.weir_in("", "publish str").succeeds();
}

/// Its files.
fn string_package_in(t: &Sandbox, version: &str, function: &str) {
    let module = format!(
        "module Str exposing ({function})\n\n{{-| Texts.\n\n@docs {function}\n\n-}}\n\n\n{{-| -}}\n{function} : String -> String\n{function} text =\n    text\n"
    );
    package(t, "str", version, &[], &module);
}

/// An application in the folder `app`, for a compiler, that uses nothing but Elm's own.
fn application(t: &Sandbox, compiler: &str) {
    t.write(
        "app/elm.json",
        format!(
            "{{\n    \"type\": \"application\",\n    \"source-directories\": [\n        \"src\"\n    ],\n    \"elm-version\": \"{compiler}\",\n    \
             \"dependencies\": {{\n        \"direct\": {{\n            \"elm/core\": \"1.0.5\"\n        }},\n        \"indirect\": {{\n            \
             \"elm/json\": \"1.1.3\"\n        }}\n    }},\n    \"test-dependencies\": {{\n        \"direct\": {{}},\n        \"indirect\": {{}}\n    }}\n}}\n"
        ),
    );
    t.write("app/src/Main.elm", "module Main exposing (one)\n\n\none : Int\none =\n    1\n");
}

/// A module of the application that imports `Str` and calls a function of it with this.
fn uses_str(t: &Sandbox, function: &str, given: &str) {
    t.write(
        "app/src/Main.elm",
        format!("module Main exposing (text)\n\nimport Str\n\n\ntext : String\ntext =\n    Str.{function} {given}\n"),
    );
}

/// Type-checks the application with the compiler that is found on the `PATH`.
fn make(t: &Sandbox) -> Run {
    compile(t, "app", "run -- elm make src/Main.elm --output=/dev/null")
}

fn compile(t: &Sandbox, folder: &str, typed: &str) -> Run {
    compile_with(t, folder, typed, &[])
}

/// What the compiler says when it stumbles over its own lock.
const BUSY: &str = "resource busy (file is locked)";

/// Has the compiler called. It writes its notes (`d.dat`) behind its own back, and on a slow disk stumbles over the lock that it
/// has on them itself: then, as a person would, once more.
fn compile_with(t: &Sandbox, folder: &str, typed: &str, variables: &[(&str, &str)]) -> Run {
    let run = t.weir_with(folder, typed, variables);
    match run.stderr.contains(BUSY) {
        true => t.weir_with(folder, typed, variables),
        false => run,
    }
}

/// What `elm.json` of the application has, without white space.
fn manifest(t: &Sandbox) -> String {
    t.read("app/elm.json").split_whitespace().collect()
}

/// The compiler that is on the `PATH`: Debian's, which `./test` installs.
fn compiler() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .map(|folder| folder.join("elm"))
        .find(|file| file.is_file())
        .expect("`elm` is installed")
}

/// The version of a compiler.
fn version(compiler: &Path) -> String {
    let said = Command::new(compiler).arg("--version").output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}
