//! `weir.lock`. What reads is written so that it reads the same, and is written the same again; of what does not, something
//! can be told all the same, and that is written so that it reads too.

use weir_model::Lockfile;

use crate::samples;

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lockfile = match Lockfile::parse(text) {
        Ok(lockfile) => lockfile,
        Err(_) => return remains(text),
    };
    let written = lockfile.to_text();
    let read = Lockfile::parse(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
    assert_eq!(read.to_text(), written);
}

/// Each release that remains is one that could be written down.
fn remains(text: &str) {
    for release in Lockfile::remains(text).releases {
        let alone = weir_model::lockfile::LockedRelease {
            dependencies: Vec::new(),
            facts: serde_json::Map::new(),
            references: Vec::new(),
            ..release
        };
        let id = alone.id();
        let written = Lockfile { version: 1, direct: Vec::new(), releases: vec![alone], references: Vec::new() }.to_text();
        let read = Lockfile::parse(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
        assert!(read.release(&id).is_some(), "{written}");
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let folder = samples::folder();
    let lockfile = samples::lockfile(&samples::tree(folder.path()), 500).to_text();
    let conflict = format!("<<<<<<< HEAD\n{lockfile}=======\n{lockfile}>>>>>>> other\n");
    vec![lockfile.into_bytes(), conflict.into_bytes()]
}
