//! The file: what is opened, what is refused, and what several processes may do at once.

use std::path::Path;

use weir_index::{Index, IndexError, Opened};
use weir_model::WithdrawalVerb;

use crate::support::{Log, fold, needing, release, withdraw};

#[test]
fn a_view_is_there_again_when_its_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(Index::FILE_NAME);
    let mut log = Log::default();
    log.publish(release("acme/greet 1.2.0"));
    fold(&mut Index::open(&path).unwrap(), &log, 0..1).unwrap();
    for index in [Index::open(&path).unwrap(), Index::open_read_only(&path).unwrap()] {
        assert_eq!(index.position().unwrap().state, b"state 1");
        assert_eq!(index.dump().unwrap(), log.folded().dump().unwrap());
    }
}

#[test]
fn what_is_no_index_is_refused_and_can_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("view");
    fs_err::write(&path, "this is no database, and long enough to show it".repeat(50)).unwrap();
    assert!(matches!(Index::open(&path), Err(IndexError::NotAnIndex { .. })));
    assert!(matches!(Index::open_read_only(&path), Err(IndexError::NotAnIndex { .. })));
    let (index, opened) = Index::open_or_rebuild(&path).unwrap();
    assert!(matches!(opened, Opened::Rebuilt(IndexError::NotAnIndex { .. })));
    assert_eq!(index.position().unwrap().size, 0);
    assert!(matches!(Index::open_or_rebuild(&path).unwrap().1, Opened::AsItWas));
}

#[test]
fn a_database_of_somebody_else_and_an_index_of_another_version_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("foreign");
    rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t(x)").unwrap();
    assert!(matches!(Index::open(&foreign), Err(IndexError::NotAnIndex { .. })));
    let newer = folder.path().join("newer");
    drop(Index::open(&newer).unwrap());
    rusqlite::Connection::open(&newer).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    assert!(matches!(Index::open(&newer), Err(IndexError::OtherVersion { found: 99, .. })));
}

#[test]
fn a_missing_file_is_not_created_by_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("view");
    assert!(Index::open_read_only(&path).is_err());
    assert!(!path.exists());
}

#[test]
fn what_is_not_finished_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("view");
    let mut log = Log::default();
    log.publish(release("acme/greet 1.2.0"));
    let mut index = Index::open(&path).unwrap();
    let mut fold = index.begin().unwrap();
    fold.entry(0, &log.0[0]).unwrap();
    assert_eq!(Index::open_read_only(&path).unwrap().position().unwrap().size, 0);
    drop(fold);
    assert_eq!(index.stats().unwrap().offered, 0);
}

#[test]
fn several_that_fold_and_read_one_file_at_once_agree_in_the_end() {
    several_agree_in_the_end(&|path| Index::open(path).unwrap());
    several_agree_in_the_end(&|path| lasting(path));
}

fn several_agree_in_the_end(open: &(dyn Fn(&Path) -> Index + Sync)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("view");
    let mut log = Log::default();
    for number in 0..60 {
        log.publish(release(&format!("acme/package-{} 1.{}.0", number % 7, number)));
    }
    std::thread::scope(|scope| {
        for step in [1, 4, 7] {
            let (log, path) = (&log, &path);
            scope.spawn(move || {
                let mut index = open(path);
                for end in (step..=60).step_by(step) {
                    let start = usize::try_from(index.position().unwrap().size).unwrap();
                    if start < end {
                        fold(&mut index, log, start..end).unwrap();
                    }
                }
            });
        }
        let path = &path;
        scope.spawn(move || {
            for _ in 0..50 {
                let index = open(path);
                let reading = index.reading().unwrap();
                let size = index.position().unwrap().size;
                assert_eq!(index.stats().unwrap().offered, size);
                drop(reading);
            }
        });
    });
    assert_eq!(open(&path).dump().unwrap(), log.folded().dump().unwrap());
}

/// Opens a view that is kept open for long.
fn lasting(path: &Path) -> Index {
    let index = Index::open(path).unwrap();
    index.commit_without_waiting().unwrap();
    index
}

#[test]
fn a_view_that_lasts_is_folded_into_while_others_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("view");
    let mut log = Log::default();
    for number in 0..3 {
        log.publish(release(&format!("acme/greet 1.{number}.0")));
    }
    // An empty one is as it was: its first fold is one commit.
    drop(lasting(&path));
    assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 1);
    fold(&mut Index::open(&path).unwrap(), &log, 0..1).unwrap();

    let (mut index, reader) = (lasting(&path), lasting(&path));
    let still = reader.reading().unwrap();
    assert_eq!(reader.position().unwrap().size, 1);
    fold(&mut index, &log, 1..2).unwrap();
    assert_eq!(
        (reader.position().unwrap().size, Index::open(&path).unwrap().position().unwrap().size),
        (1, 2)
    );
    drop(still);
    assert_eq!(reader.position().unwrap().size, 2);

    // Whoever opens it as ever is served as well, and folds on.
    fold(&mut Index::open(&path).unwrap(), &log, 2..3).unwrap();
    assert_eq!(index.dump().unwrap(), log.folded().dump().unwrap());
}

#[test]
fn a_view_that_lasts_is_whole_after_whoever_had_it_open_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("view"), folder.path().join("copy"));
    let mut log = Log::default();
    for number in 0..40 {
        log.publish(release(&format!("acme/greet 1.{number}.0")));
    }
    fold(&mut Index::open(&path).unwrap(), &log, 0..1).unwrap();
    let mut index = lasting(&path);
    for end in 2..=40 {
        fold(&mut index, &log, end - 1..end).unwrap();
    }
    // As a power cut may leave it: of what was not synced, only a part is there.
    let ahead = fs_err::read(folder.path().join("view-wal")).unwrap();
    for kept in [0, 1, ahead.len() / 3, ahead.len() / 2, ahead.len() - 1, ahead.len()] {
        fs_err::copy(&path, &copy).unwrap();
        fs_err::write(folder.path().join("copy-wal"), &ahead[..kept]).unwrap();
        let _ = fs_err::remove_file(folder.path().join("copy-shm"));
        let mut view = Index::open(&copy).unwrap();
        let size = usize::try_from(view.position().unwrap().size).unwrap();
        assert_eq!(view.stats().unwrap().offered, size as u64);
        assert!(kept < ahead.len() || size == 40, "{size} of 40");
        fold(&mut view, &log, size..40).unwrap();
        assert_eq!(view.dump().unwrap(), log.folded().dump().unwrap());
    }
}

#[test]
fn what_lies_beside_a_view_that_is_replaced_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("view");
    let mut log = Log::default();
    log.publish(release("acme/greet 1.2.0"));
    log.publish(release("acme/greet 1.3.0"));
    fold(&mut Index::open(&path).unwrap(), &log, 0..1).unwrap();
    let mut index = lasting(&path);
    fold(&mut index, &log, 1..2).unwrap();
    let ahead = fs_err::read(folder.path().join("view-wal")).unwrap();
    drop(index);
    fs_err::write(&path, "this is no database, and long enough to show it".repeat(50)).unwrap();
    fs_err::write(folder.path().join("view-wal"), ahead).unwrap();
    let (index, opened) = Index::open_or_rebuild(&path).unwrap();
    assert!(matches!(opened, Opened::Rebuilt(_)));
    assert_eq!(index.position().unwrap().size, 0);
}

#[test]
fn a_file_that_another_is_creating_is_blank_or_an_index_and_never_foreign() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..100 {
        let path = folder.path().join(format!("view-{round}"));
        let start = std::sync::Barrier::new(3);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    start.wait();
                    Index::open(&path).unwrap();
                });
            }
        });
    }
}

/// Each batch takes a release away and offers the next build of it, so that at every moment there is
/// one; beside it stand more releases than a page holds.
#[test]
fn every_answer_is_of_one_moment_while_another_process_folds() {
    const BESIDE: usize = 600;
    const BATCHES: usize = 60;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("view");
    let moving = |build: usize| needing(release(&format!("acme/app 1.0.0-r{build}")), "acme/low", "^1", None);
    let mut log = Log::default();
    log.publish(moving(0));
    for number in 0..BESIDE {
        log.publish(release(&format!("acme/beside 1.{number}.0")));
    }
    let begun = log.0.len();
    for build in 1..=BATCHES {
        log.say(withdraw(WithdrawalVerb::Remove, &format!("acme/app 1.0.0-r{}", build - 1), "built again"));
        log.publish(moving(build));
    }
    fold(&mut Index::open(&path).unwrap(), &log, 0..begun).unwrap();

    let app = "acme/app".parse().unwrap();
    let low = "acme/low".parse().unwrap();
    let is_over = |index: &Index| index.position().unwrap().size == log.0.len() as u64;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut index = Index::open(&path).unwrap();
            for start in (begun..log.0.len()).step_by(2) {
                fold(&mut index, &log, start..start + 2).unwrap();
            }
        });
        let reads: [fn(&Index, &_, &_); 4] = [
            |index, app, _| {
                let live = index.live_releases().map(Result::unwrap);
                assert_eq!(live.filter(|view| view.release.id.name == *app).count(), 1);
            },
            |index, _, low| assert_eq!(index.dependents(low).unwrap().len(), 1),
            |index, app, _| {
                let package = index.package(app).unwrap().unwrap();
                assert_eq!((package.releases.len(), package.dependents), (1, 0));
            },
            |index, _, _| {
                let stats = index.stats().unwrap();
                assert_eq!(stats.records, stats.offered + 2 * stats.removed);
            },
        ];
        for read in reads {
            let (path, app, low, is_over) = (&path, &app, &low, &is_over);
            scope.spawn(move || {
                let index = Index::open(path).unwrap();
                while !is_over(&index) {
                    read(&index, app, low);
                }
            });
        }
    });
}
