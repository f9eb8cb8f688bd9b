//! The vectors in `vectors/` by which another implementation can check itself: records with their
//! canonical JSON, and releases with their input digests.
//!
//! `WEIR_WRITE_VECTORS=1 cargo test -p weir-model --test vectors` writes them anew, after a change of the format.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use weir_model::canonical::canonical_json;
use weir_model::record::ReleaseRecord;
use weir_model::{InputDigest, Record, Release, ReleaseId, Sha256, TreeDigest};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name)
}

#[expect(clippy::disallowed_methods, reason = "this crate does no I/O; its tests need no better errors")]
fn compare(name: &str, made: &Value) {
    // Which order maps have is a feature of `serde_json` that another crate may switch on.
    let mut made = made.clone();
    made.sort_all_objects();
    let text = format!("{}\n", serde_json::to_string_pretty(&made).unwrap());
    if std::env::var_os("WEIR_WRITE_VECTORS").is_some() {
        std::fs::write(path(name), &text).unwrap();
    }
    let kept = std::fs::read_to_string(path(name)).unwrap();
    assert_eq!(kept, text, "{name}: the format changed");
}

fn release(extra: Value) -> Value {
    let mut release = json!({
        "name": "acme/greet",
        "version": "1.2.0",
        "kind": "bash",
        "tree": TreeDigest::of("tree"),
        "size": 18342,
        "unpacked": 91136,
        "files": 14,
        "license": "MIT",
        "description": "Greets, in “many” languages\\",
    });
    if let Value::Object(extra) = extra {
        release.as_object_mut().unwrap().extend(extra);
    }
    release
}

/// The input digest of what a release was built with; in life, the one that its own record says.
fn input_digest_of_baked(baked: &ReleaseId) -> InputDigest {
    InputDigest::of(baked.to_string())
}

/// As a reader of the log has it.
fn read(release: &Value) -> Release {
    let record: ReleaseRecord = serde_json::from_value(release.clone()).unwrap();
    let release = record.clone().into_release(|baked| Ok::<_, ()>(input_digest_of_baked(baked))).unwrap();
    assert_eq!(ReleaseRecord::from(release.clone()), record);
    release
}

/// As records say them.
fn releases() -> Vec<(&'static str, Value)> {
    let baked = json!({"name": "acme/str", "range": "^1.4", "baked": "1.4.2"});
    let rebuilt = json!({"name": "acme/zlib", "range": "*", "scope": "build", "baked": "1.3.1 x86-64-debian-12 revision 2"});
    let fluid = json!({"name": "acme/names", "range": ">=2026, <2028"});
    let dev = json!({"name": "acme/check", "range": "*", "scope": "dev"});
    let fixed = json!({"name": "corpus", "sha256": Sha256::of("corpus"), "size": 1234, "fluid": false});
    let moving = json!({"name": "latest", "size": 99, "fluid": true});
    vec![
        ("nothing needed", release(json!({}))),
        ("a baked dependency", release(json!({"dependencies": [baked]}))),
        (
            "a fluid dependency, and one for development, which does not count",
            release(json!({"dependencies": [fluid, baked, dev]})),
        ),
        ("references, one of them fluid", release(json!({"references": [moving, fixed]}))),
        (
            "a built release",
            release(json!({
                "kind": "native", "platform": "x86-64-debian-12", "revision": 3, "dependencies": [rebuilt],
                "recipe": Sha256::of("recipe"), "toolchain": Sha256::of("toolchain"),
            })),
        ),
        (
            "an elm release, of which nothing is baked",
            release(json!({
                "kind": "elm",
                "dependencies": [{"name": "elm/core", "range": "1.0.0 <= v < 2.0.0"}],
            })),
        ),
    ]
}

#[test]
fn the_input_digest_of_a_release_is_what_the_vectors_say() {
    let made: Vec<Value> = releases()
        .into_iter()
        .map(|(what, release)| {
            let read = read(&release);
            let baked: serde_json::Map<String, Value> = (read.dependencies.iter())
                .filter_map(weir_model::Dependency::baked_id)
                .map(|id| (id.to_string(), json!(input_digest_of_baked(&id))))
                .collect();
            json!({"what": what, "release": release, "baked": baked, "input-digest": read.compute_input_digest()})
        })
        .collect();
    compare("input-digests.json", &json!(made));
}

#[test]
fn what_a_release_is_called_built_from_and_needs_changes_its_input_digest_and_nothing_else_does() {
    let input_digest = |release: Value| read(&release).compute_input_digest();
    let plain = input_digest(release(json!({})));
    for same in [
        json!({"revision": 7}),
        json!({"size": 1}),
        json!({"description": "other"}),
        json!({"tree": TreeDigest::of("x")}),
    ] {
        assert_eq!(input_digest(release(same.clone())), plain, "{same}");
    }
    let different = [
        json!({"version": "1.2.1"}),
        json!({"name": "acme/greets"}),
        json!({"kind": "data"}),
        json!({"platform": "x86-64-debian-12"}),
        json!({"recipe": Sha256::of("x")}),
        json!({"toolchain": Sha256::of("x")}),
        json!({"dependencies": [{"name": "a/b", "range": "1"}]}),
        json!({"references": [{"name": "b", "fluid": true}]}),
    ];
    for different in different {
        assert_ne!(input_digest(release(different.clone())), plain, "{different}");
    }
}

#[test]
fn the_canonical_json_of_a_record_is_what_the_vectors_say() {
    let id = json!({"name": "acme/greet", "version": "1.2.0", "platform": "any", "revision": 0});
    let withdraw = |verb: &str, more: Value| {
        let mut record = json!({"op": "withdraw", "verb": verb});
        for part in [&id, &more] {
            record.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        }
        record
    };
    let (release, built) = (releases().remove(1).1, releases().remove(4).1);
    let actions = [
        json!({"op": "publish", "release": release}),
        json!({"op": "publish", "release": built}),
        json!({"op": "admit", "release": release, "from": {"registry": "public", "index": 7, "leaf": Sha256::of("leaf")}}),
        json!({"op": "promote", "release": release, "from": {"registry": "team", "index": 9, "leaf": Sha256::of("leaf")}}),
        withdraw("yank", json!({"reason": "it deletes too much"})),
        withdraw("unyank", json!({})),
        withdraw("quarantine", json!({"reason": "it mines", "advisory": "WSA-2026-1"})),
        withdraw("unquarantine", json!({})),
        withdraw(
            "remove",
            json!({"because": {"name": "acme/str", "version": "1.4.2", "platform": "any", "revision": 0}}),
        ),
        json!({"op": "claim", "owner": "acme", "who": ["user:ann", "user:bob"]}),
        json!({"op": "upstream", "registry": "public", "size": 12, "root": Sha256::of("root")}),
        json!({"op": "policy", "digest": Sha256::of("policy")}),
        json!({"op": "describe", "name": "org", "closed": true, "kinds": ["bash"], "validity": 86400}),
    ];
    let made: Vec<Value> = actions
        .into_iter()
        .map(|mut record| {
            let head = json!({"v": 1, "batch": "01KAFQ5V5D4F9Z0000000000AA", "at": "2026-11-20T12:00:00Z", "by": "user:ann"});
            record.as_object_mut().unwrap().extend(head.as_object().unwrap().clone());
            let read = Record::from_bytes(record.to_string().as_bytes()).unwrap();
            let bytes = read.to_bytes().unwrap();
            assert_eq!(Record::from_bytes(&bytes).unwrap(), read);
            let canonical = String::from_utf8(bytes).unwrap();
            assert_eq!(canonical, canonical_json(&record).unwrap(), "a field was lost or added");
            json!({"record": record, "canonical": canonical, "sha256": Sha256::of(&canonical)})
        })
        .collect();
    compare("records.json", &json!(made));
}

#[test]
fn a_record_of_a_newer_format_or_with_unknown_fields_is_told_from_a_broken_one() {
    let newer = br#"{"v":2,"op":"transmute","what":1}"#;
    assert!(Record::from_bytes(newer).unwrap_err().to_string().contains("a newer weir is needed"));
    let more = br#"{"v":1,"op":"claim","batch":"b","at":"2026-11-20T12:00:00Z","by":"user:a","owner":"acme","who":[],"mood":"good"}"#;
    assert!(Record::from_bytes(more).is_ok());
    assert!(Record::from_bytes(b"{\"v\":1}").unwrap_err().to_string().contains("cannot be read"));
    assert!(Record::from_bytes(&[b' '; 70_000]).unwrap_err().to_string().contains("65535"));
}

#[test]
fn a_record_of_a_release_with_three_baked_dependencies_has_less_than_600_bytes() {
    let needs = ["acme/strings", "acme/numbers", "acme/letters"]
        .map(|name| json!({"name": name, "range": "^1.4.0", "baked": "1.14.2"}));
    let release = release(json!({"description": "Greets whoever comes in", "dependencies": needs}));
    let record = json!({"v": 1, "batch": "01KAFQ5V5D4F9Z0000000000AA", "at": "2026-11-20T12:00:00.123456789Z",
        "by": "user:ann", "op": "publish", "release": release});
    let bytes = Record::from_bytes(record.to_string().as_bytes()).unwrap().to_bytes().unwrap();
    assert!(bytes.len() < 600, "{} bytes: {}", bytes.len(), String::from_utf8(bytes).unwrap());
}
