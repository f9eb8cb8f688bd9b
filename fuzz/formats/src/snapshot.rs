//! Snapshots. The input is what is in one before compression. What is read is a view that can be told, and told again.

use weir_index::Index;

use crate::{fold, samples};

pub fn check(data: &[u8]) {
    let _ = Index::in_memory().unwrap().load_snapshot(data, fold::LIMITS).map(drop);
    let compressed = zstd::encode_all(data, 1).unwrap();
    let mut index = Index::in_memory().unwrap();
    let loaded = index.load_snapshot(&compressed[..], fold::LIMITS);
    if loaded.is_ok_and(|loaded| loaded.fold.finish(b"").is_ok()) {
        fold::survives_a_snapshot(&index);
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let mut index = Index::in_memory().unwrap();
    let mut fold = index.begin().unwrap();
    for (number, record) in samples::records().into_iter().enumerate() {
        fold.record(number as u64, record).unwrap();
    }
    fold.finish(b"state").unwrap();
    let mut snapshot = Vec::new();
    index.write_snapshot(b"frontier", &mut snapshot).unwrap();
    vec![zstd::decode_all(&snapshot[..]).unwrap()]
}
