//! What else a log and its readers keep: bundles, positions, proofs, keys. The first byte says which.

use std::sync::OnceLock;

use weir_log::{
    CheckedCheckpoint, ConsistencyProof, EntryReader, FolderSource, InclusionProof, LogFolder, Origin,
    Position, Prefix, Signers, SigningKey, Stamp, VerifyingKey, parse_bundle, prove_consistency,
    prove_inclusion,
};

/// The key that signs every log here.
pub fn key() -> SigningKey {
    SigningKey::from_seed(&Origin::new("org").unwrap(), &[1; 32]).unwrap()
}

fn entries() -> Vec<Vec<u8>> {
    (0..5_u8).map(|number| vec![number; usize::from(number)]).collect()
}

/// A log of a few entries, and its checkpoint.
pub fn log(stamp: &Stamp) -> (tempfile::TempDir, CheckedCheckpoint) {
    let folder = tempfile::tempdir().unwrap();
    let signers = || Signers::from(key());
    let log = LogFolder::new(folder.path());
    log.create(&signers(), &Stamp::new(stamp.time, None)).unwrap();
    let checkpoint = log.writer(signers(), &signers().trusted()).unwrap().append(&entries(), stamp).unwrap();
    (folder, checkpoint)
}

pub fn check(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else { return };
    match (which % 6, std::str::from_utf8(rest)) {
        (0, _) => bundle(rest),
        (1, Ok(text)) => {
            if let Ok(position) = text.parse::<Position>() {
                assert_eq!(position.to_string().parse::<Position>().as_ref(), Ok(&position));
            }
        }
        (2, Ok(text)) => {
            if let Ok(prefix) = text.parse::<Prefix>() {
                assert_eq!(prefix.to_string().parse::<Prefix>().as_ref(), Ok(&prefix));
            }
        }
        (3, Ok(text)) => {
            let Ok(proof) = text.parse::<InclusionProof>() else { return };
            assert_eq!(proof.to_string().parse::<InclusionProof>().expect("what was written reads"), proof);
            assert!(proof.check(b"never appended", &Signers::from(key()).trusted()).is_err());
        }
        (4, Ok(text)) => consistency(text),
        (5, Ok(text)) => {
            if let Ok(key) = text.parse::<VerifyingKey>() {
                assert_eq!(key.to_string().parse::<VerifyingKey>().as_ref().ok(), Some(&key));
            }
            let _ = text.parse::<SigningKey>();
        }
        _ => {}
    }
}

fn bundle(bytes: &[u8]) {
    let Some((count, bytes)) = bytes.split_first() else { return };
    let Ok(entries) = parse_bundle(bytes, u64::from(*count)) else { return };
    let mut reader = EntryReader::new(bytes);
    for entry in entries {
        assert_eq!(reader.next_entry().expect("as many entries"), entry);
    }
    assert!(reader.next_entry().is_err(), "an entry too many");
}

fn consistency(text: &str) {
    static LOG: OnceLock<CheckedCheckpoint> = OnceLock::new();
    let Ok(proof) = text.parse::<ConsistencyProof>() else { return };
    assert_eq!(proof.to_string().parse::<ConsistencyProof>().expect("what was written reads"), proof);
    let log = LOG.get_or_init(|| log(&Stamp::new(crate::samples::now(), None)).1);
    let _ = proof.check(log, log);
}

pub fn seeds() -> Vec<Vec<u8>> {
    let (folder, checkpoint) = log(&Stamp::new(crate::samples::now(), None));
    let source = FolderSource::new(folder.path());
    let mut prefix = Prefix::new();
    let mut bundle = vec![0, entries().len() as u8];
    for entry in entries() {
        prefix.push(&entry);
        bundle.extend_from_slice(&(entry.len() as u16).to_be_bytes());
        bundle.extend_from_slice(&entry);
    }
    let texts = [
        Position::new(prefix.clone(), checkpoint.clone().into_inner()).unwrap().to_string(),
        prefix.to_string(),
        prove_inclusion(&source, &checkpoint, 3).unwrap().to_string(),
        prove_consistency(&source, &checkpoint, 2).unwrap().to_string(),
        key().verifying_key().to_string(),
    ];
    let texts = texts.iter().zip(1_u8..).map(|(text, which)| [&[which], text.as_bytes()].concat());
    std::iter::once(bundle).chain(texts).collect()
}
