//! Following: what is new arrives once, cheaply; each way in which a registry can lie has its name.

use jiff::SignedDuration;
use weir_log::{FollowError, Follower, LogFolder, Position, Prefix, Signers, SourceError, Stamp, follow};

use crate::support::{Log, Watched, entries, key, now, read, stamp, trusting};

#[test]
fn whatever_the_steps_every_entry_arrives_once_and_in_order() {
    let all = entries("release", 700);
    let log = Log::new();
    let mut position: Option<Position> = None;
    let mut received = Vec::new();
    let mut sent = 0;
    for step in [1, 0, 2, 252, 1, 1, 255, 1, 0, 187] {
        log.append(&all[sent..sent + step]);
        sent += step;
        let (update, new) = log.follow(position.as_ref()).unwrap();
        received.extend(new);
        // What is kept between two syncs is text.
        position = Some(update.position.to_string().parse().unwrap());
        assert_eq!(position, Some(update.position));
    }
    assert_eq!(received, all);
    assert_eq!(log.follow(None).unwrap().1, all);
}

#[test]
fn a_later_release_costs_its_own_bytes_and_one_checkpoint() {
    let log = Log::of(&entries("release", 300));
    let (update, _) = log.follow(None).unwrap();
    let checkpoint = log.append(&[vec![b'x'; 500]]);

    let source = Watched::new(&log, |_| {});
    read(&source, Some(&update.position)).unwrap();
    let bill = source.bill();
    let expected = [
        ("checkpoint".to_owned(), checkpoint.note().len() as u64),
        ("tile/entries/001.p/45".to_owned(), 502),
    ];
    assert_eq!(bill.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn nothing_new_costs_one_checkpoint() {
    let log = Log::of(&entries("release", 300));
    let (update, _) = log.follow(None).unwrap();
    let source = Watched::new(&log, |_| {});
    read(&source, Some(&update.position)).unwrap();
    assert_eq!(source.bill().into_keys().collect::<Vec<_>>(), ["checkpoint"]);
}

#[test]
fn going_back_is_a_rollback() {
    let log = Log::of(&entries("release", 10));
    let backup = log.copy();
    let older = backup.follow(None).unwrap().0.checkpoint;
    log.append(&entries("later", 5));
    let (update, _) = log.follow(None).unwrap();

    let error = backup.follow(Some(&update.position)).unwrap_err();
    let FollowError::Rollback { seen_size: 15, offered_size: 10, seen, offered, .. } = error else {
        panic!("{error}")
    };
    assert_eq!((seen.as_str(), offered.as_str()), (update.checkpoint.note(), older.note()));
}

#[test]
fn another_tree_of_the_same_size_is_a_fork() {
    let log = Log::of(&entries("release", 10));
    let other = log.copy();
    let seen = log.append(&entries("one", 5));
    let offered = other.append(&entries("two", 5));
    let position = log.follow(None).unwrap().0.position;

    let error = other.follow(Some(&position)).unwrap_err();
    let FollowError::Fork { seen: found_seen, offered: found_offered, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!((found_seen.as_str(), found_offered.as_str()), (seen.note(), offered.note()));
    assert!(error.to_string().contains(seen.note()) && error.to_string().contains(offered.note()));

    // The two checkpoints are proof enough: it does not depend on what else is served.
    fs_err::remove_dir_all(other.file("tile")).unwrap();
    let error = other.follow(Some(&position)).unwrap_err();
    assert!(matches!(error, FollowError::Fork { .. }), "{error}");
}

#[test]
fn a_larger_tree_that_does_not_continue_what_was_seen_is_a_fork() {
    for (common, seen, offered) in [(10, 5, 6), (10, 5, 300), (250, 5, 7), (250, 6, 600), (0, 256, 257)] {
        let log = Log::of(&entries("release", common));
        let other = log.copy();
        log.append(&entries("one", seen));
        other.append(&entries("two", offered));
        let position = log.follow(None).unwrap().0.position;
        let error = other.follow(Some(&position)).unwrap_err();
        assert!(matches!(error, FollowError::Fork { .. }), "{common} {seen} {offered}: {error}");
    }
}

#[test]
fn an_expired_checkpoint_is_a_freeze_even_when_nothing_changed() {
    let log = Log::of(&entries("release", 3));
    let position = log.follow(None).unwrap().0.position;
    let later = now() + SignedDuration::from_hours(31 * 24);
    let attempt = || follow(&log.source(), &trusting(&[1]), Some(&position), later, &mut |_, _| Ok(()));

    let error = attempt().unwrap_err();
    assert!(matches!(&error, FollowError::Frozen { seen: Some(_), .. }), "{error}");

    log.append_stamped(&[], &Stamp::new(later, Some(later + SignedDuration::from_hours(1))));
    assert_eq!(attempt().unwrap().checkpoint.size(), 3);
}

#[test]
fn changed_entries_are_tampering_and_not_a_fork() {
    let log = Log::of(&entries("release", 10));
    let position = log.follow(None).unwrap().0.position;
    log.append(&entries("later", 5));
    let path = log.file("tile/entries/000.p/15");
    let mut bytes = fs_err::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs_err::write(&path, bytes).unwrap();

    for previous in [None, Some(&position)] {
        let error = log.follow(previous).unwrap_err();
        assert!(matches!(error, FollowError::Tampered { .. }), "{error}");
    }
}

#[test]
fn a_key_is_changed_by_signing_with_both_for_a_while() {
    let log = Log::of(&entries("release", 3));
    let folder = LogFolder::new(log.path());
    let both = Signers::new([key(1), key(2)]).unwrap();
    folder.writer(both, &trusting(&[1])).unwrap().append(&entries("both", 1), &stamp()).unwrap();
    for known in [1, 2] {
        assert!(follow(&log.source(), &trusting(&[known]), None, now(), &mut |_, _| Ok(())).is_ok());
    }

    folder.writer(key(2).into(), &trusting(&[2])).unwrap().append(&entries("new", 1), &stamp()).unwrap();
    let error = log.follow(None).unwrap_err();
    assert!(matches!(error, FollowError::Checkpoint { .. }), "{error}");
}

#[test]
fn a_writer_that_does_not_trust_the_last_checkpoint_does_not_write() {
    let log = Log::of(&entries("release", 3));
    assert!(LogFolder::new(log.path()).writer(key(2).into(), &trusting(&[2])).is_err());
}

#[test]
fn a_failing_sink_ends_the_read_and_is_named() {
    let log = Log::of(&entries("release", 300));
    let error = follow(&log.source(), &trusting(&[1]), None, now(), &mut |index, _| match index {
        257 => Err("the disk is full".into()),
        _ => Ok(()),
    })
    .unwrap_err();
    assert!(matches!(error, FollowError::Sink { index: 257, .. }), "{error}");
}

fn prefix_of(entries: &[Vec<u8>]) -> Prefix {
    let mut prefix = Prefix::new();
    for entry in entries {
        prefix.push(entry);
    }
    prefix
}

/// What a cold sync does: the snapshot brings the prefix, the entries after it prove it.
#[test]
fn a_snapshot_is_proved_by_the_entries_after_it() {
    let all = entries("release", 600);
    let log = Log::of(&all);
    let (source, keys) = (log.source(), trusting(&[1]));
    let follower = Follower { source: &source, keys: &keys, now: now() };
    for size in [0, 1, 255, 256, 300, 600] {
        let snapshot: Prefix = prefix_of(&all[..size]).to_string().parse().unwrap();
        let forged = prefix_of(&entries("forged!", size));

        let mut new = Vec::new();
        let head = follower.head(None).unwrap();
        let update = follower.entries(head.clone(), None, snapshot, &mut |_, entry| {
            new.push(entry.to_vec());
            Ok(())
        });
        assert_eq!(update.unwrap().checkpoint, head);
        assert_eq!(new, all[size..]);
        if size > 0 {
            assert!(follower.entries(head, None, forged, &mut |_, _| Ok(())).is_err());
        }
    }
}

#[test]
fn a_snapshot_further_on_than_what_was_seen_does_not_hide_a_fork() {
    let honest = Log::of(&entries("release", 20));
    let position = honest.follow(None).unwrap().0.position;
    let all = entries("other", 300);
    let forked = Log::of(&all);
    let (source, keys) = (forked.source(), trusting(&[1]));
    let follower = Follower { source: &source, keys: &keys, now: now() };
    let snapshot = prefix_of(&all);

    let head = follower.head(Some(position.seen())).unwrap();
    let error = follower.entries(head, Some(position.seen()), snapshot, &mut |_, _| Ok(())).unwrap_err();
    assert!(matches!(error, FollowError::Fork { .. }), "{error}");
}

/// The snapshot ends where the reader left off, but it is of another history.
#[test]
fn a_start_of_the_size_that_was_seen_is_not_taken_for_what_was_seen() {
    let honest = Log::of(&entries("release", 20));
    let position = honest.follow(None).unwrap().0.position;
    let all = entries("other", 30);
    let forked = Log::of(&all);
    let (source, keys) = (forked.source(), trusting(&[1]));
    let follower = Follower { source: &source, keys: &keys, now: now() };

    let head = follower.head(Some(position.seen())).unwrap();
    let error =
        follower.entries(head, Some(position.seen()), prefix_of(&all[..20]), &mut |_, _| Ok(())).unwrap_err();
    assert!(matches!(error, FollowError::Fork { .. }), "{error}");
}

/// The registry shows an honest checkpoint first and, when the reader comes back for a newer one, that of
/// another history, of which the snapshot was.
#[test]
fn a_newer_checkpoint_taken_up_on_the_way_does_not_hide_a_fork() {
    let honest = Log::of(&entries("release", 20));
    let position = honest.follow(None).unwrap().0.position;
    let head = honest.append(&entries("release", 20));
    let all = entries("other", 100);
    let forked = Log::of(&all);
    let (source, keys) = (forked.source(), trusting(&[1]));
    fs_err::copy(honest.file("tile/0/000.p/40"), forked.file("tile/0/000.p/40")).unwrap();
    let follower = Follower { source: &source, keys: &keys, now: now() };
    let snapshot = prefix_of(&all[..30]);

    let error = follower.entries(head, Some(position.seen()), snapshot, &mut |_, _| Ok(())).unwrap_err();
    assert!(matches!(error, FollowError::Fork { .. }), "{error}");
}

/// Appends while a reader reads: the partial tile it was about to read is gone.
#[test]
fn a_reader_overtaken_by_appends_takes_up_the_newer_checkpoint() {
    let log = Log::of(&entries("release", 5));
    let appended = std::sync::atomic::AtomicBool::new(false);
    let source = Watched::new(&log, |path| {
        if path.starts_with("tile/entries") && !appended.swap(true, std::sync::atomic::Ordering::SeqCst) {
            (0..20).for_each(|_| drop(log.append(&entries("late", 1))));
        }
    });
    let (update, new) = read(&source, None).unwrap();
    assert_eq!((update.checkpoint.size(), new.len()), (25, 25));
}

#[test]
fn a_refusal_is_an_error_and_never_an_empty_log() {
    struct Refusing;
    impl weir_log::Source for Refusing {
        fn read(&self, path: &str, _: u64) -> Result<Option<Vec<u8>>, SourceError> {
            Err(SourceError::Refused { what: path.to_owned(), status: 403, shown: false })
        }
        fn open(&self, path: &str, _: u64) -> Result<Option<Box<dyn std::io::Read + Send>>, SourceError> {
            self.read(path, 0).map(|_| None)
        }
        fn describe(&self) -> String {
            "https://example.com".to_owned()
        }
    }
    let error = read(&Refusing, None).unwrap_err();
    assert!(matches!(error, FollowError::Source(SourceError::Refused { status: 403, .. })));
}
