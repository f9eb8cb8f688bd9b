//! Checkpoints. What reads is kept byte for byte; what is believed is what a key signed.

use std::sync::OnceLock;

use weir_log::{Checkpoint, Signers, Stamp};

use super::log_files::{key, log};

pub fn check(data: &[u8]) {
    static SIGNED: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let Ok(checkpoint) = Checkpoint::parse(data) else { return };
    assert_eq!(checkpoint.note().as_bytes(), data);
    assert!(checkpoint.size() <= weir_log::MAX_SIZE);
    if let Ok(checked) = Checkpoint::verify(data, &Signers::from(key()).trusted()) {
        let text = |note: &[u8]| note.split(|byte| *byte == 0xe2).next().map(<[u8]>::to_vec);
        let signed = SIGNED.get_or_init(seeds);
        assert!(
            signed.iter().any(|one| text(one) == text(data)),
            "believed, and nobody signed it: {checked:?}"
        );
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let now = crate::samples::now();
    let mut stamp = Stamp::new(now, None);
    stamp.snapshot = Some(weir_log::Snapshot { size: 2, sha256: [7; 32] });
    [Stamp::new(now, None), Stamp::new(now, Some(now)), stamp]
        .iter()
        .map(|stamp| log(stamp).1.note().as_bytes().to_vec())
        .collect()
}
