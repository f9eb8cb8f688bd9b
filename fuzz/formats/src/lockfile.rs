//! `weir.lock`. What reads is written so that it reads the same, and is written the same again.

use weir_model::Lockfile;

use crate::samples;

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(lockfile) = Lockfile::parse(text) else { return };
    let written = lockfile.to_text();
    let read = Lockfile::parse(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
    assert_eq!(read.to_text(), written);
}

pub fn seeds() -> Vec<Vec<u8>> {
    let folder = samples::folder();
    vec![samples::lockfile(&samples::tree(folder.path()), 500).to_text().into_bytes()]
}
