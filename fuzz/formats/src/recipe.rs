//! Recipes: a `weir.toml` with `[recipe]`. What reads is written so that it reads the same, and has the same document.

use std::path::Path;

use weir_model::Digest;
use weir_native::{Recipe, RecipeFile, RecipeInputs};

const LARGE: &str = r#"[package]
name = "base/curl"
version = "7.79.1"
kind = "native"
license = "curl"
description = "Fetches"

[dependencies]
"base/zlib" = "^1.2.11"

[build-dependencies]
"base/tool" = { range = ">=1, <3" }

[recipe]
source = { url = "https://host.example/curl.tar.gz", mirrors = ["../curl.tar.gz"], sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", subfolder = "src" }
patches = ["fix.patch"]
system = "cmake"
defines = { SHARED = true, LEVEL = 3, NAME = "a b" }
environment = { CFLAGS = "-g" }
variants = ["release", "debug"]
system-libraries = ["libm.so.6"]
timeout = "30m"
memory = "4GiB"
disk = "1536MiB"
processes = 512

[recipe.debug]
defines = { LEVEL = 0 }
environment = { CXXFLAGS = "-O0" }
"#;

const HEAD: &str = "[package]\nname = \"a/b\"\nversion = \"1.0.0\"\nkind = \"native\"\n[recipe]\n";

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(recipe) = parse(text) {
        reads_back(recipe);
    }
}

fn parse(text: &str) -> Result<Recipe, weir_native::RecipeError> {
    Recipe::parse(text, Path::new("weir.toml"), Path::new("recipe"))
}

/// Writes a recipe and reads it again.
pub fn reads_back(recipe: Recipe) {
    let text = recipe.to_manifest_text();
    let read = Recipe::parse(&text, &recipe.file, &recipe.folder);
    let read = without_lines(read.unwrap_or_else(|error| panic!("{error}\n{text}")));
    let inputs = inputs(&recipe);
    assert_eq!(read.document(&inputs), recipe.document(&inputs));
    assert_eq!(read, without_lines(recipe), "{text}");
}

/// The lines that dependencies are on may move, and those of one scope come first.
fn without_lines(mut recipe: Recipe) -> Recipe {
    recipe.dependencies.sort_by_key(|needed| needed.scope);
    for needed in &mut recipe.dependencies {
        needed.line = 0;
    }
    recipe
}

/// Inputs with as many files as the recipe names.
fn inputs(recipe: &Recipe) -> RecipeInputs {
    let file = |name: &String| RecipeFile { name: name.clone(), digest: Digest::of(name), bytes: Vec::new() };
    RecipeInputs {
        source: Digest::of("source"),
        script: None,
        patches: recipe.patches.iter().map(file).collect(),
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let small = [
        "source = { git = \"https://h.example/a.git\", tag = \"v1\" }\nsystem = \"meson\"\n",
        "source = { path = \"../src\" }\nsystem = \"make\"\ntargets = [\"lib\"]\nvariants = [\"debug\"]\n",
        "source = { path = \"s\", subfolder = \"a/b\" }\nsystem = \"script\"\nscript = \"build.sh\"\n",
        "source = { path = \"s\" }\nsystem = \"autotools\"\n[recipe.defines]\ndisable-static = \"\"\nA = true\n",
    ];
    let small = small.iter().map(|recipe| format!("{HEAD}{recipe}").into_bytes());
    small.chain([LARGE.into()]).collect()
}
