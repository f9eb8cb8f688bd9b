//! Appending: batches are atomic, writers queue, the cost is that of the batch.

use std::time::Duration;

use weir_log::{LogFolder, MAX_ENTRY, Signers, Snapshot, Stamp, WriteError, audit};

use crate::support::{Log, entries, key, stamp, trusting};

#[test]
fn the_files_of_a_log_are_where_c2sp_says() {
    let log = Log::of(&entries("release", 300));
    assert_eq!(
        log.files(),
        [
            ".log.lock",
            "checkpoint",
            "tile/0/000",
            "tile/0/001.p/44",
            "tile/1/000.p/1",
            "tile/entries/000",
            "tile/entries/001.p/44",
        ]
    );
}

#[test]
fn ten_writers_at_once_lose_nothing() {
    let log = Log::new();
    std::thread::scope(|scope| {
        for writer in 0..10 {
            let log = &log;
            scope.spawn(move || {
                for round in 0..5 {
                    log.append(&entries(&format!("writer {writer} round {round}"), 7));
                }
            });
        }
    });
    let (update, mut all) = log.follow(None).unwrap();
    assert_eq!(update.checkpoint.size(), 350);
    // Batches were not mixed.
    for batch in all.chunks(7) {
        let first = String::from_utf8(batch[0].clone()).unwrap();
        let (whose, _) = first.rsplit_once(" 0 ").unwrap();
        assert_eq!(batch, entries(whose, 7));
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 350);
    assert!(audit(&log.source(), &trusting(&[1])).unwrap().is_sound());
}

#[test]
fn a_writer_that_waits_too_long_says_so() {
    let log = Log::new();
    let folder = LogFolder::new(log.path()).with_lock_wait(Duration::from_millis(20));
    let first = folder.writer(key(1).into(), &trusting(&[1])).unwrap();
    let second = folder.writer(key(1).into(), &trusting(&[1])).map(drop);
    assert!(matches!(second, Err(WriteError::Locked { .. })));
    drop(first);
    assert!(folder.writer(key(1).into(), &trusting(&[1])).is_ok());
}

#[test]
fn an_entry_too_long_refuses_the_whole_batch() {
    let log = Log::of(&entries("release", 3));
    let folder = LogFolder::new(log.path());
    let mut writer = folder.writer(key(1).into(), &trusting(&[1])).unwrap();
    let refused = writer.append(&[vec![0; MAX_ENTRY], vec![0; MAX_ENTRY + 1]], &stamp());
    assert!(matches!(refused, Err(WriteError::EntryTooLong { length: 65536 })));
    assert_eq!(writer.append(&[vec![0; MAX_ENTRY]], &stamp()).unwrap().size(), 4);
    assert_eq!(log.follow(None).unwrap().1[3], vec![0; MAX_ENTRY]);
}

#[test]
fn a_log_is_made_once() {
    let log = Log::of(&entries("release", 3));
    let again = LogFolder::new(log.path()).create(&key(1).into(), &stamp());
    assert!(matches!(again, Err(WriteError::Exists { .. })));
    assert_eq!(log.follow(None).unwrap().1.len(), 3);

    let empty = tempfile::tempdir().unwrap();
    let folder = LogFolder::new(empty.path());
    assert!(matches!(folder.writer(key(1).into(), &trusting(&[1])).map(drop), Err(WriteError::NoLog { .. })));
}

#[test]
fn partial_tiles_do_not_pile_up() {
    let log = Log::new();
    for number in 0..300 {
        log.append(&entries(&number.to_string(), 1));
    }
    let files = log.files();
    assert!(files.len() < 40, "{files:#?}");
    assert!(!files.iter().any(|path| path.starts_with("tile/entries/000.p")), "{files:#?}");
    assert!(audit(&log.source(), &trusting(&[1])).unwrap().is_sound());
}

#[test]
fn a_snapshot_stays_named_until_a_newer_one_is() {
    let log = Log::of(&entries("release", 3));
    let snapshot = |size| Some(Snapshot { size, sha256: [7; 32] });
    let with = |size| Stamp { snapshot: snapshot(size), ..stamp() };
    assert_eq!(log.append_stamped(&[], &with(3)).snapshot(), snapshot(3));
    assert_eq!(log.append(&entries("later", 2)).snapshot(), snapshot(3));
    assert_eq!(log.append_stamped(&[], &with(5)).snapshot(), snapshot(5));
}

#[test]
fn a_writer_refuses_to_build_on_damaged_files() {
    for path in ["tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44"] {
        let break_it: [fn(&std::path::Path); 3] = [
            |file| fs_err::remove_file(file).unwrap(),
            |file| fs_err::write(file, b"").unwrap(),
            |file| {
                let mut bytes = fs_err::read(file).unwrap();
                *bytes.last_mut().unwrap() ^= 1;
                fs_err::write(file, bytes).unwrap();
            },
        ];
        for damage in break_it {
            let log = Log::of(&entries("release", 300));
            damage(&log.file(path));
            let refused = LogFolder::new(log.path()).writer(key(1).into(), &trusting(&[1])).map(drop);
            assert!(matches!(refused, Err(WriteError::Damaged { .. })), "{path}: {refused:?}");
        }
    }
}

#[test]
fn signers_of_another_log_are_refused() {
    let log = Log::new();
    let other = weir_log::Origin::new("other").unwrap();
    let other = Signers::from(weir_log::SigningKey::from_seed(&other, &[1; 32]).unwrap());
    assert!(LogFolder::new(log.path()).writer(other, &trusting(&[1])).is_err());
}

#[test]
fn what_cannot_be_written_is_reported_and_nothing_changes() {
    let log = Log::of(&entries("release", 3));
    let before = fs_err::read(log.file("checkpoint")).unwrap();
    // A folder where the next hash tile belongs: no rename can put a file there, also for root.
    fs_err::create_dir_all(log.file("tile/0/000.p/4")).unwrap();
    let folder = LogFolder::new(log.path());
    let mut writer = folder.writer(key(1).into(), &trusting(&[1])).unwrap();
    let refused = writer.append(&entries("later", 1), &stamp());
    assert!(matches!(refused, Err(WriteError::Io { .. })), "{refused:?}");
    assert_eq!(fs_err::read(log.file("checkpoint")).unwrap(), before);

    fs_err::remove_dir(log.file("tile/0/000.p/4")).unwrap();
    assert_eq!(writer.append(&entries("later", 1), &stamp()).unwrap().size(), 4);
    assert_eq!(log.follow(None).unwrap().1.len(), 4);
}
