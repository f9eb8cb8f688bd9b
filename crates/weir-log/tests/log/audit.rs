//! The audit sees every changed byte of every file that a checkpoint covers.

use weir_log::audit;

use crate::support::{Log, entries, trusting};

#[test]
fn a_sound_log_has_no_problems_at_any_size() {
    for size in [0, 1, 255, 256, 257, 512, 1000] {
        let log = Log::of(&entries("release", size));
        let report = audit(&log.source(), &trusting(&[1])).unwrap();
        assert!(report.is_sound(), "{size}: {:?}", report.problems);
        assert_eq!(report.entries, size as u64);
    }
}

#[test]
fn one_changed_bit_in_any_file_is_found_and_the_file_named() {
    let log = Log::of(&entries("release", 250));
    // Leaves partial versions behind that readers may still ask for.
    (0..3).for_each(|_| drop(log.append(&entries("later", 1))));
    log.append(&entries("more", 300));
    (0..3).for_each(|_| drop(log.append(&entries("later", 1))));
    let tiles: Vec<String> = log.files().into_iter().filter(|path| path.starts_with("tile/")).collect();
    assert!(tiles.iter().any(|path| path.contains(".p/")));
    for path in tiles {
        let damaged = log.copy();
        let mut bytes = fs_err::read(damaged.file(&path)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        fs_err::write(damaged.file(&path), bytes).unwrap();
        let report = audit(&damaged.source(), &trusting(&[1])).unwrap();
        // A changed entry shows in the tile above it, too; a narrower partial tile only in itself.
        let of_entries = path.starts_with("tile/entries/");
        let named = report.problems.iter().any(|problem| problem.file == path);
        assert!(named || of_entries && !report.is_sound(), "{path}: {:?}", report.problems);
    }
}

#[test]
fn missing_and_oversized_files_are_named() {
    for path in ["tile/0/000", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"] {
        let log = Log::of(&entries("release", 300));
        let long = [fs_err::read(log.file(path)).unwrap(), vec![0; 9000]].concat();
        fs_err::write(log.file(path), long).unwrap();
        let report = audit(&log.source(), &trusting(&[1])).unwrap();
        assert!(report.problems.iter().any(|problem| problem.file == path), "{path}: {:?}", report.problems);

        fs_err::remove_file(log.file(path)).unwrap();
        let report = audit(&log.source(), &trusting(&[1])).unwrap();
        assert!(report.problems.iter().any(|problem| problem.file == path && problem.what == "is missing"));
    }
}

#[test]
fn a_log_without_a_trusted_checkpoint_cannot_be_audited() {
    let log = Log::new();
    assert!(audit(&log.source(), &trusting(&[2])).is_err());
    fs_err::remove_file(log.file("checkpoint")).unwrap();
    assert!(audit(&log.source(), &trusting(&[1])).is_err());
}
