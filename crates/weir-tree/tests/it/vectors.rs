//! The test vectors in `vectors/`, which any other implementation can use too.

use serde_json::Value;
use weir_model::Digest;
use weir_tree::{Entry, LinkTarget, Mode, TreeManifest, TreePath};

fn vectors(name: &str) -> Vec<Value> {
    let path = format!("{}/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    let json: Value = serde_json::from_slice(&fs_err::read(path).expect("a file")).expect("JSON");
    json["vectors"].as_array().expect("an array").clone()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("`{key}` is text in {value}"))
}

#[test]
fn trees_have_the_manifests_and_digests_of_the_vectors() {
    for vector in vectors("trees.json") {
        let files = vector["files"].as_array().expect("files");
        let entries = files.iter().map(|file| {
            let content = text(file, "content");
            let mode = match text(file, "mode") {
                "f" => Mode::File,
                "x" => Mode::Executable,
                _ => Mode::Link,
            };
            let path = TreePath::new(text(file, "path")).expect("a path");
            Entry { mode, size: content.len() as u64, digest: Digest::of(content), path }
        });
        let manifest = TreeManifest::from_unsorted(entries.collect()).expect("a tree");
        assert_eq!(manifest.to_text(), text(&vector, "manifest"), "{}", text(&vector, "name"));
        assert_eq!(manifest.digest().to_string(), text(&vector, "digest"), "{}", text(&vector, "name"));
        assert_eq!(TreeManifest::parse(text(&vector, "manifest").as_bytes()), Ok(manifest));
    }
}

#[test]
fn what_the_vectors_refuse_is_refused() {
    for vector in vectors("refused.json") {
        let refused = match text(&vector, "what") {
            "manifest" => TreeManifest::parse(text(&vector, "text").as_bytes()).is_err(),
            "path" => TreePath::new(text(&vector, "text")).is_err(),
            "link" => {
                let path = TreePath::new(text(&vector, "path")).expect("a path");
                LinkTarget::new(&path, text(&vector, "text").as_bytes()).is_err()
            }
            other => panic!("`{other}` is not known"),
        };
        assert!(refused, "{vector}");
    }
}
