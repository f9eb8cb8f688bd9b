//! `weir.toml`. A manifest that reads can be edited, and reads afterwards as it was, but for the edit.

use weir_model::manifest::edit::Editor;
use weir_model::{Manifest, Version};

/// A manifest of a package.
pub const SMALL: &str = "[package]\nname = \"acme/greet\"\nversion = \"1.0.0\"\n";

const LARGE: &str = r#"# what it is
[package]
name = "acme/greet"
version = "1.2.0"
kind = "bash"
platform = "any"
license = "MIT OR Apache-2.0"
description = "Says hello"
authors = ["Ann <ann@example.org>"]
homepage = "https://greet.example"
repository = "https://git.example/greet"
keywords = ["hello", "greet"]
include = ["src/**"]
exclude = ["*.log"]

[dependencies]
"acme/str" = "^1.4"   # a comment
"acme/moves" = { range = ">=1, <3 || 4.*", fluid = true }
"acme/near" = { path = "../near" }
"acme/far" = { git = "https://git.example/far", tag = "v1.0.0" }
"acme/other" = { range = "1", registry = "org" }

[dev-dependencies]
"acme/bats" = "~1.2"

[build-dependencies]
"acme/make" = "=4.0.1"

[references]
corpus = { url = "https://host.example/c.tar.gz", sha256 = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", size = 10, unpack = true }
moving = { mirrors = ["https://a.example/m", "https://b.example/m"], fluid = true }

[registries]
org = { url = "https://registry.example/org", default = true }

[override]
"acme/str" = "1.4.2"

[bin]
greet = "bin/greet"

[scripts]
check = "bats tests"

[bash]
slug = "greet"
"#;

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(before) = Manifest::parse(text) else { return };
    let edited = |edit: &dyn Fn(&mut Editor)| {
        let mut editor = Editor::new(text).expect("what reads as a manifest is TOML");
        edit(&mut editor);
        let text = editor.into_text();
        Manifest::parse(&text).unwrap_or_else(|error| panic!("after an edit: {error}\n{text}"))
    };
    assert_eq!(edited(&|_| ()), before);
    let version = Version::new(9, 8, 7);
    assert_eq!(edited(&|editor| editor.set_version(&version)).package.version, Some(version.clone()));
    if let Some(first) = before.dependencies.first() {
        edited(&|editor| editor.set_dependency(first));
        let after = edited(&|editor| {
            editor.remove_dependency(&first.name);
        });
        assert!(after.dependencies.iter().all(|left| left.name != first.name), "`{}` is left", first.name);
    }
    if let Some(first) = before.references.first() {
        edited(&|editor| editor.set_reference(first));
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    vec![SMALL.into(), LARGE.into()]
}
