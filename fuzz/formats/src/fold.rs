//! Logs of any records, one a line. What folds is dumped, written as a snapshot, and read back as the same view.

use weir_index::{Index, SnapshotLimits};

use crate::samples;

/// Small enough for many inputs a second.
pub const LIMITS: SnapshotLimits = SnapshotLimits { unpacked: 1 << 22, stored: 1 << 22 };

pub fn check(data: &[u8]) {
    let mut index = Index::in_memory().unwrap();
    let mut fold = index.begin().unwrap();
    for (number, line) in data.split(|byte| *byte == b'\n').enumerate() {
        if fold.entry(number as u64, line).is_err() {
            break;
        }
    }
    if fold.size() == 0 || fold.finish(b"state").is_err() {
        return;
    }
    survives_a_snapshot(&index);
}

/// The view reads back from its own snapshot as it was.
pub fn survives_a_snapshot(index: &Index) {
    let dump = index.dump().unwrap();
    let mut snapshot = Vec::new();
    index.write_snapshot(b"frontier", &mut snapshot).unwrap();
    let mut other = Index::in_memory().unwrap();
    {
        let loaded = other.load_snapshot(&snapshot[..], LIMITS).expect("what was written reads");
        assert_eq!(loaded.frontier, b"frontier");
        loaded.fold.finish(b"").unwrap();
    }
    assert_eq!(other.dump().unwrap(), dump);
}

pub fn seeds() -> Vec<Vec<u8>> {
    let lines: Vec<Vec<u8>> = samples::records().iter().map(|record| record.to_bytes().unwrap()).collect();
    vec![lines.join(&b'\n')]
}
