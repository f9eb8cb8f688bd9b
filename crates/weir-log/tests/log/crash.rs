//! A crash at every point of an append leaves the old log or the new one, and the retry succeeds.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use weir_log::{Faults, LogFolder, POINTS, audit};

use crate::support::{Log, Watched, entries, key, read, stamp, trusting};

/// Ends the append when it passes any point for the `n`th time, and notes which points it passed.
struct DieAt {
    countdown: AtomicUsize,
    passed: Mutex<Vec<&'static str>>,
}

struct Death;

impl Faults for DieAt {
    fn at(&self, point: &'static str) {
        self.passed.lock().unwrap().push(point);
        if self.countdown.fetch_sub(1, Ordering::SeqCst) == 1 {
            resume_unwind(Box::new(Death));
        }
    }
}

/// Appends to `log` and dies at the `n`th point; `None` when the append was over before that.
fn append_and_die(log: &Log, batch: &[Vec<u8>], n: usize) -> Option<Vec<&'static str>> {
    let faults = Arc::new(DieAt { countdown: AtomicUsize::new(n), passed: Mutex::default() });
    let folder = LogFolder::new(log.path()).with_faults(faults.clone());
    let result = catch_unwind(AssertUnwindSafe(|| {
        folder.writer(key(1).into(), &trusting(&[1])).unwrap().append(batch, &stamp()).unwrap();
    }));
    let passed = faults.passed.lock().unwrap().clone();
    result.is_err().then_some(passed)
}

#[test]
fn a_crash_anywhere_leaves_the_old_log_or_the_new_and_another_batch_goes_in() {
    let old = entries("old", 250);
    let crashed = entries("crashed", 20);
    let retried = entries("retried", 9);
    let mut seen_points = Vec::new();
    for n in 1.. {
        let log = Log::of(&old);
        let Some(passed) = append_and_die(&log, &crashed, n) else { break };
        let last = *passed.last().unwrap();
        seen_points.extend(passed);

        let visible = log.follow(None).unwrap().1;
        let committed = ["append:after-checkpoint", "append:pruned"].contains(&last);
        let mut expected = old.clone();
        expected.extend(if committed { crashed.clone() } else { Vec::new() });
        assert_eq!(visible, expected, "after {last}");
        assert!(audit(&log.source(), &trusting(&[1])).unwrap().is_sound(), "after {last}");

        // Half of what it wrote lies about, under names that the retry uses for other bytes.
        log.append(&retried);
        log.append(&crashed);
        expected.extend(retried.iter().chain(&crashed).cloned());
        assert_eq!(log.follow(None).unwrap().1, expected, "retried after {last}");
        let report = audit(&log.source(), &trusting(&[1])).unwrap();
        assert!(report.is_sound(), "retried after {last}: {:?}", report.problems);
    }
    seen_points.sort_unstable();
    seen_points.dedup();
    let mut all = POINTS.to_vec();
    all.sort_unstable();
    assert_eq!(seen_points, all, "every named point was tried");
}

/// Wide leftovers of a crash must not push the tile in use out of what is kept.
#[test]
fn many_crashes_in_a_row_lose_no_covered_file() {
    let log = Log::of(&entries("old", 3));
    for width in 0..20 {
        append_and_die(&log, &entries("crashed", 100 + width), 4).unwrap();
    }
    for _ in 0..12 {
        log.append(&entries("small", 1));
        assert!(audit(&log.source(), &trusting(&[1])).unwrap().is_sound());
    }
    assert!(log.files().len() < 40, "{:#?}", log.files());
}

/// A full tile that a crash left behind begins differently from the one that grows in its place, and a
/// reader whose partial tile was cleared away looks for the full one.
#[test]
fn a_full_tile_left_by_a_crash_is_never_read_for_the_one_that_grows() {
    let log = Log::of(&entries("old", 100));
    let points_until_synced = 7;
    let passed = append_and_die(&log, &entries("crashed", 200), points_until_synced).unwrap();
    assert!(log.files().contains(&"tile/entries/000".to_owned()), "{passed:?}");
    log.append(&entries("retried", 1));

    let overtaken = std::sync::Once::new();
    let source = Watched::new(&log, |path| {
        if path.starts_with("tile/entries") {
            overtaken.call_once(|| (0..20).for_each(|_| drop(log.append(&entries("late", 1)))));
        }
    });
    let (update, _) = read(&source, None).unwrap();
    assert_eq!(update.checkpoint.size(), 121);
}

/// The checkpoint is on the disk, and the writer was told otherwise: had it gone on from what it
/// remembers, it would have signed a second history.
#[test]
fn a_writer_whose_last_step_failed_looks_before_it_appends_again() {
    for n in 1.. {
        let log = Log::of(&entries("old", 3));
        let faults = Arc::new(DieAt { countdown: AtomicUsize::new(usize::MAX), passed: Mutex::default() });
        let folder = LogFolder::new(log.path()).with_faults(faults.clone());
        let mut writer = folder.writer(key(1).into(), &trusting(&[1])).unwrap();
        faults.countdown.store(n, Ordering::SeqCst);
        let first =
            catch_unwind(AssertUnwindSafe(|| writer.append(&entries("first", 2), &stamp()).map(drop)));
        if first.is_ok() {
            break;
        }
        let seen = log.follow(None).unwrap().0.position;
        writer.append(&entries("second", 1), &stamp()).unwrap();
        let (update, _) = log.follow(Some(&seen)).unwrap();
        assert_eq!(update.checkpoint.size(), seen.size() + 1);
    }
}
