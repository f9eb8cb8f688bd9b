//! The same files, read by code that is not ours: `ct-merkle` for roots and proofs, `ed25519-dalek` for
//! the signature, and published vectors for both.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use ed25519_dalek::Verifier as _;
use sha2_for_ct_merkle::{Digest as _, Sha256};
use signed_note::{Note, NoteError};
use weir_log::{Frontier, Hash, TrustedKeys, VerifyingKey, prove_consistency, prove_inclusion};

use crate::support::{Log, entries, key};

type Tree = MemoryBackedTree<Sha256, Vec<u8>>;

/// Reads a log's folder with nothing of this crate: origin, size and root after checking the signature,
/// and the entries.
fn read_folder(log: &Log, public_key: &str) -> (String, u64, Vec<u8>, Vec<Vec<u8>>) {
    let unbase64 = |text: &str| base64::Engine::decode(&base64::prelude::BASE64_STANDARD, text).unwrap();
    let (name, rest) = public_key.split_once('+').unwrap();
    let (_, material) = rest.split_once('+').unwrap();
    let public: [u8; 32] = unbase64(material)[1..].try_into().unwrap();
    let public = ed25519_dalek::VerifyingKey::from_bytes(&public).unwrap();

    let note = fs_err::read_to_string(log.file("checkpoint")).unwrap();
    let (text, signatures) = note.split_once("\n\n").unwrap();
    let text = format!("{text}\n");
    let signature = signatures.strip_prefix(&format!("— {name} ")).unwrap().trim_end();
    let signature = ed25519_dalek::Signature::from_slice(&unbase64(signature)[4..]).unwrap();
    public.verify(text.as_bytes(), &signature).unwrap();

    let lines: Vec<&str> = text.lines().collect();
    let size: u64 = lines[1].parse().unwrap();
    let mut read = Vec::new();
    while (read.len() as u64) < size {
        let number = read.len() / 256;
        let width = (size - 256 * number as u64).min(256);
        let path = match width {
            256 => format!("tile/entries/{number:03}"),
            _ => format!("tile/entries/{number:03}.p/{width}"),
        };
        let bundle = fs_err::read(log.file(&path)).unwrap();
        let mut rest = bundle.as_slice();
        while let [high, low, after @ ..] = rest {
            let (entry, after) = after.split_at(usize::from(*high) * 256 + usize::from(*low));
            read.push(entry.to_vec());
            rest = after;
        }
        assert!(rest.is_empty());
    }
    (lines[0].to_owned(), size, unbase64(lines[2]), read)
}

fn their_tree(entries: &[Vec<u8>]) -> Tree {
    let mut tree = Tree::new();
    entries.iter().for_each(|entry| tree.push(entry.clone()));
    tree
}

fn concatenated(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

#[test]
fn another_library_agrees_on_signature_root_and_entries() {
    for size in [1, 2, 255, 256, 257, 600] {
        let all = entries("release", size);
        let log = Log::of(&all);
        let (origin, their_size, root, read) = read_folder(&log, &key(1).verifying_key().to_string());
        assert_eq!((origin.as_str(), their_size), ("org", size as u64));
        assert_eq!(read, all);
        assert_eq!(their_tree(&all).root().as_bytes().as_slice(), root);
    }
}

#[test]
fn another_library_accepts_our_proofs_and_makes_the_same() {
    let all = entries("release", 600);
    let log = Log::of(&all);
    let checkpoint = log.follow(None).unwrap().0.checkpoint;
    let tree = their_tree(&all);
    let root: RootHash<Sha256> = tree.root();
    for index in [0, 255, 256, 599] {
        let ours = concatenated(prove_inclusion(&log.source(), &checkpoint, index).unwrap().hashes());
        assert_eq!(ours, tree.prove_inclusion(index as usize).as_bytes());
        let theirs = InclusionProof::try_from_bytes(ours).unwrap();
        assert!(root.verify_inclusion(&all[index as usize], index, &theirs).is_ok());
        assert!(root.verify_inclusion(&b"other".to_vec(), index, &theirs).is_err());
    }
    for old in [1, 255, 256, 512, 599] {
        let ours = concatenated(prove_consistency(&log.source(), &checkpoint, old).unwrap().hashes());
        assert_eq!(ours, tree.prove_consistency(600 - old as usize).as_bytes());
        let old_root = their_tree(&all[..old as usize]).root();
        let theirs = ConsistencyProof::try_from_bytes(ours).unwrap();
        assert!(root.verify_consistency(&old_root, &theirs).is_ok());
    }
}

/// Level 1 lists the roots of level-0 tiles, computed here by RFC 6962's own recursion.
#[test]
fn hash_tiles_are_what_rfc_6962_says() {
    fn tree_hash(leaves: &[Vec<u8>]) -> Vec<u8> {
        match leaves {
            [leaf] => Sha256::new().chain_update([0]).chain_update(leaf).finalize().to_vec(),
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                Sha256::new()
                    .chain_update([1])
                    .chain_update(tree_hash(left))
                    .chain_update(tree_hash(right))
                    .finalize()
                    .to_vec()
            }
        }
    }
    let all = entries("release", 600);
    let log = Log::of(&all);
    let expected = |size: usize| all.chunks_exact(size).map(tree_hash).collect::<Vec<_>>().concat();
    let tile = |path: &str| fs_err::read(log.file(path)).unwrap();
    assert_eq!(expected(1), [tile("tile/0/000"), tile("tile/0/001"), tile("tile/0/002.p/88")].concat());
    assert_eq!(expected(256), tile("tile/1/000.p/2"));
}

/// The roots that Certificate Transparency's implementations publish for their eight test leaves.
#[test]
fn the_published_rfc_6962_roots_are_reached() {
    let unhex = |text: &str| -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    };
    let mut frontier = Frontier::new();
    for line in include_str!("../../vectors/rfc6962-roots.txt").lines().filter(|line| !line.starts_with('#'))
    {
        let (leaf, root) = line.split_once(' ').unwrap();
        frontier.push(Hash::of_leaf(&unhex(leaf.trim_start_matches('-'))));
        assert_eq!(frontier.root().as_bytes().as_slice(), unhex(root), "{line}");
    }
    assert_eq!(frontier.size(), 8);
}

/// Signed tree heads of Go's checksum database, as it published them.
#[test]
fn the_go_checksum_database_is_believed_and_a_changed_word_of_it_is_not() {
    let vectors = include_str!("../../vectors/sum.golang.org.txt");
    let (key, notes) = vectors.split_once("\n\n").unwrap();
    let key: VerifyingKey = key.lines().last().unwrap().parse().unwrap();
    assert_eq!((key.origin().as_str(), key.id()), ("sum.golang.org", 0x033d_e0ae));
    let keys = TrustedKeys::new([key]).unwrap();
    let notes: Vec<&str> = notes.split("\n===\n").collect();
    assert_eq!(notes.len(), 4);
    for note in notes {
        let note = format!("{}\n", note.trim_end());
        assert!(Note::from_bytes(note.as_bytes()).unwrap().verify(&keys).is_ok(), "{note}");
        let changed = note.replacen("tree", "free", 1);
        let refused = Note::from_bytes(changed.as_bytes()).unwrap().verify(&keys);
        assert!(matches!(refused, Err(NoteError::InvalidSignature { .. })));
    }
}
