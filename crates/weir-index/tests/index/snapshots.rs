//! Snapshots that are not what they should be.

use weir_index::{Index, LoadedSnapshot, SnapshotError, SnapshotLimits};
use weir_model::WithdrawalVerb;

use crate::support::{Log, described, fold, needing, release, withdraw};

fn some_log() -> Log {
    let mut log = Log::default();
    let base = release("a/base 1.0.0");
    log.publish(base.clone());
    log.publish(described(needing(release("a/user 1.0.0"), "a/base", "^1", Some(&base)), "a user"));
    log.publish(needing(release("a/user 1.0.1"), "a/base", "^1", Some(&base)));
    log.say(withdraw(WithdrawalVerb::Yank, "a/user 1.0.0", "old"));
    log
}

fn snapshot(log: &Log) -> Vec<u8> {
    let mut bytes = Vec::new();
    log.folded().write_snapshot(b"frontier", &mut bytes).unwrap();
    bytes
}

fn load(bytes: &[u8]) -> Result<Index, SnapshotError> {
    let mut index = Index::in_memory().unwrap();
    let limits = SnapshotLimits { unpacked: 1 << 20, stored: 1 << 20 };
    let LoadedSnapshot { fold, .. } = index.load_snapshot(bytes, limits)?;
    fold.finish(b"").map_err(|error| SnapshotError::Contradiction(error.to_string()))?;
    Ok(index)
}

#[test]
fn a_snapshot_loads_only_into_an_empty_index() {
    let log = some_log();
    let mut index = log.folded();
    let before = index.dump().unwrap();
    let refused = index.load_snapshot(snapshot(&log).as_slice(), SnapshotLimits::default()).map(drop);
    assert!(matches!(refused, Err(SnapshotError::NotEmpty { size: 4 })));
    assert_eq!(index.dump().unwrap(), before);
}

#[test]
fn a_snapshot_that_is_dropped_leaves_the_index_empty_and_usable() {
    let log = some_log();
    let mut index = Index::in_memory().unwrap();
    drop(index.load_snapshot(snapshot(&log).as_slice(), SnapshotLimits::default()).unwrap());
    assert_eq!(index.position().unwrap().size, 0);
    fold(&mut index, &log, 0..4).unwrap();
    assert_eq!(index.dump().unwrap(), log.folded().dump().unwrap());
}

#[test]
fn what_is_no_snapshot_or_a_newer_one_is_refused() {
    let packed = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    assert!(matches!(load(b"not zstd"), Err(SnapshotError::Io(_))));
    assert!(matches!(load(&packed(b"something else entirely")), Err(SnapshotError::Malformed(_))));
    assert!(matches!(
        load(&packed(b"weir-snapshot\n\x09")),
        Err(SnapshotError::Newer { found: 9, known: 1 })
    ));
}

#[test]
fn a_snapshot_is_not_unpacked_beyond_the_limit() {
    let bomb = zstd::encode_all(vec![0u8; 2 << 20].as_slice(), 1).unwrap();
    assert!(matches!(load(&bomb), Err(SnapshotError::TooLarge { limit: 1_048_576 })));
    let mut index = Index::in_memory().unwrap();
    let limits = SnapshotLimits { unpacked: 1 << 20, stored: 10 };
    let loaded = index.load_snapshot(snapshot(&some_log()).as_slice(), limits);
    assert!(matches!(loaded, Err(SnapshotError::TooLarge { limit: 10 })));
}

/// Whatever one byte is changed to, the snapshot is refused or gives some view; nothing panics, and
/// what is cut short is refused.
#[test]
fn a_damaged_snapshot_is_refused_or_harmless() {
    let unpacked = zstd::decode_all(snapshot(&some_log()).as_slice()).unwrap();
    for place in 0..unpacked.len() {
        let mut damaged = unpacked.clone();
        damaged[place] ^= [0x01, 0x80, 0xff][place % 3];
        if let Ok(index) = load(&zstd::encode_all(damaged.as_slice(), 1).unwrap()) {
            index.stats().unwrap();
        }
        assert!(load(&zstd::encode_all(&unpacked[..place], 1).unwrap()).is_err(), "cut at {place}");
    }
}

#[test]
fn a_snapshot_that_breaks_a_rule_of_the_log_is_refused() {
    let mut log = Log::default();
    let one = release("a/one 1.0.0");
    log.publish(one.clone());
    log.publish(release("a/one 1.0.0 revision 1"));
    let mut unpacked = zstd::decode_all(snapshot(&log).as_slice()).unwrap();
    let place = unpacked.windows(32).position(|bytes| bytes == one.tree.as_bytes()).unwrap();
    unpacked[place] ^= 1;
    let error = load(&zstd::encode_all(unpacked.as_slice(), 1).unwrap()).unwrap_err();
    assert!(matches!(&error, SnapshotError::Contradiction(what) if what.contains("two trees")), "{error}");
}
