//! The test vectors in `vectors/`, which any other implementation can use too.

use serde_json::Value;
use weir_model::Digest;
use weir_tree::{Entry, ExpectedDelta, Limits, LinkTarget, Mode, TreeManifest, TreePath, apply_delta};

use crate::deltas::delta;
use crate::world::{Item, everything, lay_out, packed, scratch};

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

/// With `UPDATE_VECTORS=1` they are made anew.
#[test]
fn deltas_of_the_vectors_give_their_trees() {
    let path = format!("{}/vectors/deltas.json", env!("CARGO_MANIFEST_DIR"));
    let mut json: Value = serde_json::from_slice(&fs_err::read(&path).expect("a file")).expect("JSON");
    let makes = std::env::var_os("UPDATE_VECTORS").is_some();
    for vector in json["vectors"].as_array_mut().expect("an array") {
        let (old, new, home) = (folder(&vector["old"]), folder(&vector["new"]), scratch());
        let ((old_pack, from), (new_pack, to)) = (packed(old.path()), packed(new.path()));
        if makes {
            vector["delta"] = hex(&delta(&old_pack, &from, &new_pack, &to)).into();
        }
        let bytes = unhex(text(vector, "delta"));
        let expected = ExpectedDelta { from: from.digest(), to: to.digest(), most_bytes: bytes.len() as u64 };
        let out = home.path().join("out");
        let applied = apply_delta(&bytes[..], old.path(), &from, &expected, &Limits::default(), &out);
        let applied = applied.unwrap_or_else(|error| panic!("{}: {error}", text(vector, "name")));
        assert_eq!(applied.manifest(), &to);
        assert_eq!(everything(&out), to);
    }
    if makes {
        fs_err::write(&path, format!("{json:#}\n")).expect("written");
    }
}

fn folder(files: &Value) -> tempfile::TempDir {
    let folder = scratch();
    let items = files.as_array().expect("files").iter().map(|file| {
        let content = text(file, "content");
        let item = match text(file, "mode") {
            "f" => Item::File(content.into()),
            "x" => Item::Executable(content.into()),
            _ => Item::Link(content.to_owned()),
        };
        (text(file, "path").to_owned(), item)
    });
    lay_out(folder.path(), &items.collect());
    folder
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).expect("ASCII"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("two digits")).collect()
}
