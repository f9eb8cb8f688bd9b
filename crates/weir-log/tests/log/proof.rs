//! Proofs hold for what they were made for, and for nothing else.

use weir_log::{
    ConsistencyProof, InclusionProof, LogFolder, Origin, ProofError, Signers, SigningKey, TileError,
    prove_consistency, prove_inclusion,
};

use crate::support::{Log, entries, stamp, trusting};

#[test]
fn an_inclusion_proof_holds_for_its_entry_and_for_no_other() {
    let all = entries("release", 600);
    let log = Log::of(&all);
    let (checkpoint, keys) = (log.follow(None).unwrap().0.checkpoint, trusting(&[1]));
    for index in [0, 1, 255, 256, 511, 512, 599] {
        let made = prove_inclusion(&log.source(), &checkpoint, index as u64).unwrap();
        let proof: InclusionProof = made.to_string().parse().unwrap();
        assert_eq!(proof, made);
        assert_eq!(proof.check(&all[index], &keys), Ok(checkpoint.clone()));
        assert_eq!(proof.check(b"something else", &keys), Err(ProofError::Invalid));
        assert!(matches!(proof.check(&all[index], &trusting(&[2])), Err(ProofError::Checkpoint(_))));
        let moved = made.to_string().replace(&format!("index {index}\n"), &format!("index {}\n", index ^ 2));
        assert_eq!(
            moved.parse::<InclusionProof>().unwrap().check(&all[index], &keys),
            Err(ProofError::Invalid)
        );
    }
    assert!(matches!(prove_inclusion(&log.source(), &checkpoint, 600), Err(ProofError::OutOfRange { .. })));
}

#[test]
fn a_consistency_proof_connects_two_checkpoints_of_one_log_only() {
    let log = Log::new();
    let mut checkpoints = Vec::new();
    for size in [1, 3, 252, 1, 300] {
        checkpoints.push(log.append(&entries("release", size)));
    }
    let newest = checkpoints.last().unwrap();
    for old in &checkpoints {
        let made = prove_consistency(&log.source(), newest, old.size()).unwrap();
        let proof: ConsistencyProof = made.to_string().parse().unwrap();
        assert_eq!(proof, made);
        assert_eq!(proof.check(old, newest), Ok(()));
        let other = Log::of(&entries("other", old.size() as usize)).follow(None).unwrap().0.checkpoint;
        assert_eq!(proof.check(&other, newest), Err(ProofError::Invalid));
    }
    // The same entries in the log of another registry are another log.
    let elsewhere = SigningKey::from_seed(&Origin::new("elsewhere").unwrap(), &[1; 32]).unwrap();
    let signers = Signers::from(elsewhere);
    let folder = tempfile::tempdir().unwrap();
    LogFolder::new(folder.path()).create(&signers, &stamp()).unwrap();
    let mut writer = LogFolder::new(folder.path()).writer(signers.clone(), &signers.trusted()).unwrap();
    let elsewhere = writer.append(&entries("release", 1), &stamp()).unwrap();
    assert_eq!(elsewhere.root(), checkpoints[0].root());
    let proof = prove_consistency(&log.source(), newest, 1).unwrap();
    assert_eq!(proof.check(&elsewhere, newest), Err(ProofError::Invalid));

    assert!(prove_consistency(&log.source(), newest, 0).is_err());
    assert!(prove_consistency(&log.source(), newest, newest.size() + 1).is_err());
}

#[test]
fn proofs_are_not_made_from_changed_or_missing_tiles() {
    let log = Log::of(&entries("release", 300));
    let checkpoint = log.follow(None).unwrap().0.checkpoint;
    let mut bytes = fs_err::read(log.file("tile/0/000")).unwrap();
    bytes[0] ^= 1;
    fs_err::write(log.file("tile/0/000"), bytes).unwrap();
    let refused = prove_inclusion(&log.source(), &checkpoint, 5);
    assert!(matches!(refused, Err(ProofError::Tile(TileError::NotSigned { .. }))), "{refused:?}");
    fs_err::remove_file(log.file("tile/0/000")).unwrap();
    let refused = prove_inclusion(&log.source(), &checkpoint, 5);
    assert!(
        matches!(&refused, Err(ProofError::Tile(TileError::Missing { file })) if file == "tile/0/000"),
        "{refused:?}"
    );
}

/// The example in the C2SP text, with its elisions filled: the shape is read, `extra` included.
#[test]
fn a_proof_with_extra_data_is_read() {
    let hash = weir_log::Hash::of_leaf(b"x");
    let text = format!(
        "c2sp.org/tlog-proof@v1\nextra YWdl\nindex 73894\n{hash}\n{hash}\n\n\
         example.com/fancylog\n109482\n{hash}\n\n— example.com/fancylog hI2DJwAAAAA=\n"
    );
    let proof: InclusionProof = text.parse().unwrap();
    assert_eq!((proof.index(), proof.hashes().len(), proof.checkpoint().size()), (73894, 2, 109_482));
}
