//! A registry to play with, and a way to publish into it in one line.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use weir_log::{FolderSource, Origin};
use weir_model::{KindName, ReleaseId, Scope, WithdrawalVerb};
use weir_policy::FolderGate;
use weir_registry::{
    Batch, Draft, FolderRegistry, Intent, NewRegistry, Receipt, Registry as _, Replica, ReplicaHome,
    SubmitError, Wanted, Withdraw, location_of,
};
use weir_tree::{Selection, read_folder, write_pack};

pub(crate) struct World {
    pub(crate) root: tempfile::TempDir,
}

pub(crate) fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

impl World {
    pub(crate) fn new(closed: bool) -> Self {
        let world = Self { root: tempfile::tempdir().unwrap() };
        let new = NewRegistry {
            name: Origin::new("org").unwrap(),
            closed,
            kinds: KindName::ALL.to_vec(),
            validity: None,
            key: None,
        };
        FolderRegistry::init(&world.folder(), &new, &world.home(), &world.keys(), "user:ann", now()).unwrap();
        world
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.root.path().join("registry")
    }

    pub(crate) fn home(&self) -> ReplicaHome {
        ReplicaHome::new(&self.root.path().join("home"))
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.root.path().join("keys")
    }

    pub(crate) fn open(&self) -> FolderRegistry {
        FolderRegistry::open(&self.folder(), &self.home(), &self.keys(), Box::new(FolderGate)).unwrap()
    }

    /// A release whose one file says `content`, whatever its revision, with its pack uploaded.
    pub(crate) fn draft(&self, registry: &FolderRegistry, id: &str, needs: &[&str], content: &str) -> Draft {
        let id: ReleaseId = id.parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("file"), format!("{} {} {content}", id.name, id.version)).unwrap();
        let tree = read_folder(folder.path(), &Selection::everything()).unwrap();
        let mut pack = tempfile::NamedTempFile::new().unwrap();
        let size = write_pack(folder.path(), &tree, pack.as_file_mut(), 3).unwrap().bytes;
        registry.put_pack(pack.path(), &tree.digest()).unwrap();
        let needs = needs.iter().map(|text| {
            let (text, fluid) = text.strip_prefix('~').map_or((*text, false), |text| (text, true));
            let (name, range) = text.split_once(' ').unwrap();
            Wanted { name: name.parse().unwrap(), range: range.parse().unwrap(), scope: Scope::Run, fluid }
        });
        Draft {
            id,
            kind: KindName::Generic,
            tree: tree.digest(),
            size,
            unpacked: tree.unpacked_size(),
            files: 1,
            dependencies: needs.collect(),
            references: Vec::new(),
            recipe: None,
            toolchain: None,
            input_digest: None,
            license: None,
            description: None,
            facts: serde_json::Map::new(),
        }
    }

    /// Publishes as `user:ann`.
    pub(crate) fn publish(&self, releases: &[(&str, &[&str])]) -> Result<Receipt, SubmitError> {
        let registry = self.open();
        let drafts = releases.iter().map(|(id, needs)| self.draft(&registry, id, needs, ""));
        let intents: Vec<Intent> = drafts.map(|draft| Intent::Publish(Box::new(draft))).collect();
        self.submit(intents)
    }

    pub(crate) fn submit(&self, intents: Vec<Intent>) -> Result<Receipt, SubmitError> {
        self.open().submit(&Batch { by: "user:ann".into(), intents }, now())
    }

    /// What a reader who never saw the registry makes of it.
    pub(crate) fn fresh_replica(&self) -> Replica {
        let home = tempfile::tempdir_in(self.root.path()).unwrap().keep();
        sync(&self.folder(), &ReplicaHome::new(&home)).unwrap()
    }
}

pub(crate) fn sync(folder: &Path, home: &ReplicaHome) -> Result<Replica, weir_registry::ReplicaError> {
    let source = FolderSource::new(folder);
    let mut replica = Replica::open_remembered(home, &location_of(folder).unwrap(), &source, None)?;
    replica.sync(&source, now())?;
    Ok(replica)
}

pub(crate) fn withdraw(verb: WithdrawalVerb, id: &str) -> Intent {
    Intent::Withdraw(every_build(verb, id))
}

pub(crate) fn every_build(verb: WithdrawalVerb, id: &str) -> Withdraw {
    let exactly = Withdraw::exactly(verb, id.parse().unwrap());
    Withdraw { platform: None, revision: None, reason: Some("a test".into()), ..exactly }
}
