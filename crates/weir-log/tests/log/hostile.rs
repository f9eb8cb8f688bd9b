//! Whatever bytes are served, reading ends in an error that names what was wrong: no panic, no belief.

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, proptest};
use proptest::sample::Index;
use weir_log::{
    Checkpoint, ConsistencyProof, FollowError, InclusionProof, LogFolder, Position, Prefix, SigningKey,
    VerifyingKey, audit, prove_consistency, prove_inclusion, read_entry,
};

use crate::support::{Log, entries, key, stamp, trusting};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_damaged_file_is_never_believed(
        which in any::<Index>(), place in any::<Index>(), cut in any::<bool>(), noise in vec(any::<u8>(), 1..40),
    ) {
        let all = entries("release", 300);
        let log = Log::of(&all);
        let files = log.files();
        let path = log.file(&files[which.index(files.len())]);
        let mut bytes = fs_err::read(&path).unwrap();
        let at = if bytes.is_empty() { 0 } else { place.index(bytes.len()) };
        bytes.truncate(if cut { at } else { bytes.len() });
        bytes.splice(at.min(bytes.len())..(at + noise.len()).min(bytes.len()), noise);
        fs_err::write(&path, bytes).unwrap();

        if let Ok((_, read)) = log.follow(None) {
            assert_eq!(read, all);
        }
        let keys = trusting(&[1]);
        let _ = audit(&log.source(), &keys);
        let _ = LogFolder::new(log.path()).writer(key(1).into(), &keys);
        if let Ok(checkpoint) = Checkpoint::verify(&fs_err::read(log.file("checkpoint")).unwrap(), &keys) {
            if let Ok(proof) = prove_inclusion(&log.source(), &checkpoint, 299) {
                assert!(proof.check(&all[299], &keys).is_ok());
            }
            if let Ok((entry, _)) = read_entry(&log.source(), &checkpoint, &keys, 299) {
                assert_eq!(entry, all[299]);
            }
            let _ = prove_consistency(&log.source(), &checkpoint, 7);
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused(bytes in vec(any::<u8>(), 0..400), text in "[ -~\n]{0,300}") {
        let _ = Checkpoint::parse(&bytes);
        let _ = Checkpoint::parse(text.as_bytes());
        let _ = text.parse::<VerifyingKey>();
        let _ = text.parse::<SigningKey>();
        for header in ["", "weir-log-prefix v1\n", "weir-log-position v1\n", "c2sp.org/tlog-proof@v1\n",
                       "weir-log-consistency v1\n"] {
            let text = format!("{header}{text}");
            let _ = text.parse::<Prefix>();
            let _ = text.parse::<Position>();
            let _ = text.parse::<InclusionProof>();
            let _ = text.parse::<ConsistencyProof>();
        }
    }

    /// One byte changed in what we wrote ourselves comes closer to the parsers' corners than noise does.
    #[test]
    fn a_changed_byte_is_parsed_or_refused(place in any::<Index>(), byte in any::<u8>()) {
        let log = Log::of(&entries("release", 5));
        let (update, _) = log.follow(None).unwrap();
        let proof = prove_inclusion(&log.source(), &update.checkpoint, 3).unwrap();
        let change = |text: String| {
            let mut bytes = text.into_bytes();
            let at = place.index(bytes.len());
            bytes[at] = byte;
            String::from_utf8(bytes)
        };
        if let Ok(text) = change(update.position.to_string())
            && let Ok(position) = text.parse::<Position>()
        {
            assert_eq!(position.to_string(), text);
            let _ = log.follow(Some(&position));
        }
        if let Ok(text) = change(proof.to_string())
            && let Ok(proof) = text.parse::<InclusionProof>()
        {
            let _ = proof.check(b"release 3 ...", &trusting(&[1]));
        }
        if let Ok(text) = change(key(1).secret_text().to_owned()) {
            let _ = text.parse::<SigningKey>();
        }
    }
}

#[test]
fn a_checkpoint_that_never_ends_is_cut_off() {
    let log = Log::new();
    fs_err::write(log.file("checkpoint"), vec![b'a'; 1 << 20]).unwrap();
    let error = log.follow(None).unwrap_err();
    assert!(matches!(error, FollowError::Source(weir_log::SourceError::TooLarge { .. })), "{error}");
}

/// The registry itself is the liar: it signs a size for which it has no tiles.
#[test]
fn a_signed_but_absurd_size_is_an_error() {
    let log = Log::of(&entries("release", 5));
    let position = log.follow(None).unwrap().0.position;
    let key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
    for size in [6, 1_u64 << 39, 1 << 40] {
        let text = format!("org\n{size}\n{}\n", position.seen().root());
        let signature = ed25519_dalek::Signer::sign(&key, text.as_bytes()).to_bytes();
        let id = crate::support::key(1).verifying_key().id();
        let mut note = signed_note::Note::new(text.as_bytes(), &[]).unwrap().to_bytes();
        note.extend(
            signed_note::Signature::new("org".to_owned(), id, signature.to_vec()).unwrap().to_bytes(),
        );
        fs_err::write(log.file("checkpoint"), note).unwrap();
        assert!(log.follow(None).is_err());
        assert!(log.follow(Some(&position)).is_err());
        assert!(!audit(&log.source(), &trusting(&[1])).unwrap().is_sound());
        assert!(LogFolder::new(log.path()).writer(crate::support::key(1).into(), &trusting(&[1])).is_err());
    }
}

/// Who may write in the folder of a log does not decide where its writer writes.
#[test]
fn an_append_is_not_led_outside_by_links_in_the_folder_of_the_log() {
    let outside = tempfile::tempdir().unwrap();
    for linked in ["tile", ".log.lock"] {
        let log = Log::new();
        let _ = fs_err::remove_file(log.file(linked));
        std::os::unix::fs::symlink(outside.path().join(linked), log.file(linked)).unwrap();
        let appended = LogFolder::new(log.path())
            .writer(key(1).into(), &trusting(&[1]))
            .and_then(|mut writer| writer.append(&entries("release", 3), &stamp()));
        let error = appended.unwrap_err().to_string();
        assert!(error.contains(linked), "{error}");
        assert_eq!(fs_err::read_dir(outside.path()).unwrap().count(), 0, "through {linked}");
    }
}
