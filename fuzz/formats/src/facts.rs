//! Facts of a kind. What is accepted of them goes into a lockfile and comes back as it was.

use serde_json::{Map, Value};
use weir_model::{Lockfile, check_facts};

use crate::samples;

pub fn check(data: &[u8]) {
    let Ok(facts) = serde_json::from_slice::<Map<String, Value>>(data) else { return };
    if check_facts(&facts).is_err() {
        return;
    }
    let folder = samples::folder();
    let mut lockfile = samples::lockfile(&samples::tree(folder.path()), 500);
    lockfile.releases[0].facts = facts.clone();
    let written = lockfile.to_text();
    let read = Lockfile::parse(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
    let id = lockfile.releases[0].id();
    assert_eq!(read.release(&id).expect("it was written").facts, facts);
}

pub fn seeds() -> Vec<Vec<u8>> {
    vec![
        br#"{"bin":{"greet":"bin/greet"},"keywords":["a b","\u00e9"],"n":-1,"deep":[[{"x":true}]]}"#.to_vec(),
        br#"{"slug":["greet"],"commands":[["hi","bin/greet"]],"options":{"pipefail":true}}"#.to_vec(),
    ]
}
