//! Exports of the store. What is imported is there, whole; what is refused leaves the store sound.

use std::sync::OnceLock;

use weir_store::{Options, Scope, Store};

use crate::{pack, samples};

pub fn check(data: &[u8]) {
    static STORE: OnceLock<(tempfile::TempDir, Store)> = OnceLock::new();
    let (_, store) = STORE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store"), Options::default()).unwrap();
        (folder, store)
    });
    let session = store.session().unwrap();
    if let Ok(report) = session.import(data, &pack::LIMITS) {
        assert!(session.missing(&report.lock).unwrap().is_empty(), "imported, and something is missing");
        let verified = session.verify(Scope::Everything).unwrap();
        assert!(verified.broken.is_empty(), "{:?}", verified.broken);
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let folder = samples::folder();
    let tree = samples::tree(folder.path());
    let pack = samples::pack(folder.path(), &tree);
    let lock = samples::lockfile(&tree, pack.len() as u64).to_text();
    let head = format!(
        "weir-export v1\nlock {:020}\n{lock}tree {} {:020}\n",
        lock.len(),
        tree.digest().to_hex(),
        pack.len()
    );
    let file = format!("file {} {:020}\ncorpus", weir_model::Sha256::of("corpus").to_hex(), 6);
    vec![[head.as_bytes(), &pack, file.as_bytes(), b"end\n"].concat()]
}
