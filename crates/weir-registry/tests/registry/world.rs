//! A registry to play with, and a way to publish into it in one line.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use weir_fs::Folder;
use weir_log::{Faults, FolderSource, NoFaults, Origin};
use weir_model::{Digest, KindName, ReleaseId, TreeDigest, WithdrawalVerb};
use weir_package::Package;
use weir_policy::{Caller, FolderGate, Gate, Principal};
use weir_registry::content::{ContentFolder, pack_path};
use weir_registry::{
    Acting, Batch, Draft, Intent, NewRegistry, Receipt, Registrar, Registry, Replica, ReplicaHome,
    SubmitError, Withdraw, folder_ports, folder_ports_with_faults, location_of,
};
use weir_tree::{Selection, TreeManifest, read_folder, write_pack};

pub(crate) struct World {
    pub(crate) root: Arc<tempfile::TempDir>,
    name: &'static str,
}

pub(crate) fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

impl World {
    pub(crate) fn new(closed: bool) -> Self {
        Self { root: Arc::new(tempfile::tempdir().unwrap()), name: "registry" }.made(closed)
    }

    /// Another registry of the same name on the same machine.
    pub(crate) fn beside(&self) -> Self {
        Self { root: self.root.clone(), name: "beside" }.made(false)
    }

    /// A copy of the registry's folder, on the same machine.
    pub(crate) fn copied(&self) -> Self {
        let copy = Self { root: self.root.clone(), name: "copy" };
        let copied =
            std::process::Command::new("cp").arg("-r").arg(self.folder()).arg(copy.folder()).status();
        assert!(copied.unwrap().success());
        copy
    }

    fn made(self, closed: bool) -> Self {
        let world = self;
        let new = NewRegistry {
            name: Origin::new("org").unwrap(),
            closed,
            kinds: KindName::ALL.to_vec(),
            validity: None,
        };
        fs_err::create_dir(world.folder()).unwrap();
        let ports = folder_ports(&world.folder(), &world.keys()).unwrap();
        Registrar::init(
            &ports,
            &world.home(),
            &FolderGate,
            &Caller::new(Principal::user("ann"), now()),
            &new,
        )
        .unwrap();
        world
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.root.path().join(self.name)
    }

    pub(crate) fn home(&self) -> ReplicaHome {
        ReplicaHome::new(&self.root.path().join("home"))
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.root.path().join("keys")
    }

    /// At work for `user:ann`.
    pub(crate) fn open(&self) -> Acting {
        self.open_as("ann", now())
    }

    pub(crate) fn open_as(&self, name: &str, at: Timestamp) -> Acting {
        self.open_with(Box::new(FolderGate), Arc::new(NoFaults), Caller::new(Principal::user(name), at))
    }

    pub(crate) fn open_with(&self, gate: Box<dyn Gate>, faults: Arc<dyn Faults>, caller: Caller) -> Acting {
        let ports = folder_ports_with_faults(&self.folder(), &self.keys(), faults.clone()).unwrap();
        let registrar = Registrar::open(ports, &self.home(), gate).unwrap().with_faults(faults);
        Arc::new(registrar).acting_for(caller)
    }

    pub(crate) fn content(&self) -> ContentFolder {
        ContentFolder::new(self.folder())
    }

    /// Loses the pack of a tree, as a disk may.
    pub(crate) fn lose_pack(&self, tree: &TreeDigest) {
        fs_err::remove_file(self.folder().join(pack_path(tree))).unwrap();
    }

    /// As [`draft`].
    pub(crate) fn draft(&self, registry: &dyn Registry, id: &str, needs: &[&str], content: &str) -> Draft {
        draft(registry, id, needs, content)
    }

    /// Publishes as `user:ann`.
    pub(crate) fn publish(&self, releases: &[(&str, &[&str])]) -> Result<Receipt, SubmitError> {
        let registry = self.open();
        let drafts = releases.iter().map(|(id, needs)| self.draft(&registry, id, needs, ""));
        let intents: Vec<Intent> = drafts.map(|draft| Intent::Publish(Box::new(draft))).collect();
        self.submit(intents)
    }

    pub(crate) fn submit(&self, intents: Vec<Intent>) -> Result<Receipt, SubmitError> {
        self.open().submit(&Batch { intents })
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

/// A release with a file that says `content`, whatever its revision, with its pack uploaded. What it needs is written as
/// `owner/name RANGE`, with a `~` before it where it may move.
pub(crate) fn draft(registry: &dyn Registry, id: &str, needs: &[&str], content: &str) -> Draft {
    let text = format!("{} {content}", id.split(" revision ").next().unwrap());
    package(registry, id, "", &needs_table(needs), &[("file", &text)])
}

/// A release that a recipe built, with its pack uploaded: it has no manifest. What it was built from is not said yet.
pub(crate) fn built(registry: &dyn Registry, id: &str) -> Draft {
    let folder = folder(&[("release/share/file", id)]);
    let (tree, size) = upload(registry, folder.path());
    let facts = serde_json::json!({ "native": { "variants": { "release": {} } } });
    Draft {
        id: id.parse().unwrap(),
        kind: KindName::Native,
        tree: tree.digest(),
        size,
        unpacked: tree.unpacked_size(),
        files: tree.files(),
        dependencies: Vec::new(),
        references: Vec::new(),
        recipe: Some(Digest::of("recipe")),
        toolchain: Some(Digest::of("toolchain")),
        input_digest: None,
        license: None,
        description: None,
        facts: facts.as_object().cloned().unwrap(),
    }
}

/// The same of a package of the kind `native`.
pub(crate) fn native(registry: &dyn Registry, id: &str, needs: &[&str], content: &str) -> Draft {
    let text = format!("{} {content}", id.split(" revision ").next().unwrap());
    package(registry, id, "kind = \"native\"\n", &needs_table(needs), &[("release/share/file", &text)])
}

fn needs_table(needs: &[&str]) -> String {
    let needs = needs.iter().map(|text| {
        let (text, fluid) = text.strip_prefix('~').map_or((*text, false), |text| (text, true));
        let (name, range) = text.split_once(' ').unwrap();
        format!("\"{name}\" = {{ range = \"{range}\", fluid = {fluid} }}\n")
    });
    format!("[dependencies]\n{}", needs.collect::<String>())
}

/// A release of a folder with these files and a manifest, which says `package` in its first table and `tables` behind it;
/// with its pack uploaded.
pub(crate) fn package(
    registry: &dyn Registry,
    id: &str,
    package: &str,
    tables: &str,
    files: &[(&str, &str)],
) -> Draft {
    let id: ReleaseId = id.parse().unwrap();
    let manifest =
        format!("[package]\nname = \"{}\"\nversion = \"{}\"\n{package}\n{tables}", id.name, id.version);
    let folder = folder(&[files, &[("weir.toml", &manifest)]].concat());
    let (tree, size) = upload(registry, folder.path());
    let mut draft = Package::read(&Folder::open(folder.path()).unwrap(), tree).unwrap().draft(size);
    draft.id.revision = id.revision;
    draft
}

/// A folder with these files, those below `bin` executable.
pub(crate) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let at = folder.path().join(path);
        fs_err::create_dir_all(at.parent().unwrap()).unwrap();
        fs_err::write(&at, text).unwrap();
        if path.starts_with("bin/") {
            fs_err::set_permissions(at, Permissions::from_mode(0o755)).unwrap();
        }
    }
    folder
}

/// Uploads the pack of a folder.
pub(crate) fn upload(registry: &dyn Registry, folder: &Path) -> (TreeManifest, u64) {
    let tree = read_folder(folder, &Selection::everything()).unwrap();
    let mut pack = Vec::new();
    write_pack(folder, &tree, &mut pack, 3).unwrap();
    let size = registry.put_pack(&tree.digest(), &mut pack.as_slice()).unwrap();
    (tree, size)
}
