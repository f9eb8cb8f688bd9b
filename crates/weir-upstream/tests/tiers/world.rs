//! Three tiers of registries in memory: `public`, `team` below it, and `laptop` below that.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use weir_fs::Folder;
use weir_log::{Faults, NoFaults, Source};
use weir_model::record::{Only, Upstream, UpstreamMode};
use weir_model::{Platform, ReleaseId, WithdrawalVerb};
use weir_package::Package;
use weir_policy::{Caller, FolderGate, Principal};
use weir_registry::{
    Batch, Followed, Intent, Memory, NewRegistry, Receipt, Registrar, Registry, Replica, ReplicaHome,
    SubmitError, Withdraw,
};
use weir_tree::{Selection, read_folder, write_pack};
use weir_upstream::{Above, AdmissionError, admit};
use weir_wire::upstream::{Answer, Ask, Asked};

/// The tiers, the highest first.
pub(crate) const TIERS: [&str; 3] = ["public", "team", "laptop"];

pub(crate) struct World {
    root: tempfile::TempDir,
    tiers: Vec<Arc<Memory>>,
    /// By how many hours the clock of each tier is wrong.
    clocks: [i64; 3],
}

/// Whoever acts, at a time that all agree on.
pub(crate) fn caller() -> Caller {
    let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    Caller::new(Principal::user("ann"), now)
}

impl World {
    pub(crate) fn new(mode: UpstreamMode) -> Self {
        Self::with_clocks(mode, [0; 3])
    }

    /// The same, with clocks that are wrong by so many hours.
    pub(crate) fn with_clocks(mode: UpstreamMode, clocks: [i64; 3]) -> Self {
        let tiers = TIERS.iter().map(|_| Arc::default()).collect();
        let world = Self { root: tempfile::tempdir().unwrap(), tiers, clocks };
        for (tier, name) in TIERS.iter().enumerate() {
            let new =
                NewRegistry { name: name.parse().unwrap(), closed: false, kinds: Vec::new(), validity: None };
            let ports = Memory::ports(&world.tiers[tier], name, Arc::new(NoFaults));
            Registrar::init(&ports, &world.home("own"), &FolderGate, &world.caller(tier), &new).unwrap();
            let Some(above) = tier.checked_sub(1) else { continue };
            let key = world.reader(above, "first").keys().keys()[0].to_string();
            let upstream = Upstream { name: TIERS[above].into(), key, mode, only: Only::default() };
            let put = |_| Ok(vec![upstream.clone()]);
            world.registrar(tier).set_upstreams(&world.caller(tier), &put, &mut |_| Ok(()), None).unwrap();
        }
        world
    }

    /// Whoever acts, by the clock of a tier.
    pub(crate) fn caller(&self, tier: usize) -> Caller {
        let wrong = SignedDuration::from_hours(self.clocks[tier]);
        caller().at_time(caller().at().checked_add(wrong).unwrap())
    }

    pub(crate) fn home(&self, whose: &str) -> ReplicaHome {
        ReplicaHome::new(&self.root.path().join(whose))
    }

    pub(crate) fn source(&self, tier: usize) -> Arc<dyn Source> {
        Memory::ports(&self.tiers[tier], TIERS[tier], Arc::new(NoFaults)).sequencer.source()
    }

    pub(crate) fn registrar(&self, tier: usize) -> Arc<Registrar> {
        self.registrar_with(tier, Arc::new(NoFaults))
    }

    pub(crate) fn registrar_with(&self, tier: usize, faults: Arc<dyn Faults>) -> Arc<Registrar> {
        let ports = Memory::ports(&self.tiers[tier], TIERS[tier], faults.clone());
        let registrar = Registrar::open(ports, &self.home("own"), Box::new(FolderGate)).unwrap();
        Arc::new(registrar.with_faults(faults))
    }

    /// What a reader makes of a tier, who is known by `whose` and remembers what was read before.
    pub(crate) fn reader(&self, tier: usize, whose: &str) -> Replica {
        let source = self.source(tier);
        let mut replica = Replica::open_remembered(&self.home(whose), TIERS[tier], &*source, None).unwrap();
        replica.sync(&*source, caller().at()).unwrap();
        replica
    }

    pub(crate) fn submit(&self, tier: usize, intent: Intent) -> Result<Receipt, SubmitError> {
        self.registrar(tier).acting_for(self.caller(tier)).submit(&Batch { intents: vec![intent] })
    }

    /// Publishes a release whose one file says `text`.
    pub(crate) fn publish(&self, tier: usize, id: &str, text: &str) -> Result<Receipt, SubmitError> {
        self.publish_with(tier, id, text, "")
    }

    /// The same with `tables` in its manifest.
    pub(crate) fn publish_with(
        &self,
        tier: usize,
        id: &str,
        text: &str,
        tables: &str,
    ) -> Result<Receipt, SubmitError> {
        let id: ReleaseId = id.parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let manifest = format!("[package]\nname = \"{}\"\nversion = \"{}\"\n{tables}", id.name, id.version);
        fs_err::write(folder.path().join("weir.toml"), manifest).unwrap();
        fs_err::write(folder.path().join("file"), text).unwrap();
        let tree = read_folder(folder.path(), &Selection::everything()).unwrap();
        let mut pack = Vec::new();
        write_pack(folder.path(), &tree, &mut pack, 1).unwrap();
        let registry = self.registrar(tier).acting_for(self.caller(tier));
        let size = registry.put_pack(&tree.digest(), &mut pack.as_slice()).unwrap();
        let draft = Package::read(&Folder::open(folder.path()).unwrap(), tree).unwrap().draft(size);
        self.submit(tier, Intent::Publish(Box::new(draft)))
    }

    pub(crate) fn remove(&self, tier: usize, id: &str) -> Result<Receipt, SubmitError> {
        self.submit(tier, Intent::Withdraw(Withdraw::exactly(WithdrawalVerb::Remove, id.parse().unwrap())))
    }

    /// Has a tier admit what a package needs, after those above it have.
    pub(crate) fn ask(&self, tier: usize, names: &[&str]) -> Result<Answer, AdmissionError> {
        let mut answer = Ok(Answer::default());
        for below in 1..=tier {
            answer = self.admit(&self.registrar(below), below, names);
        }
        answer
    }

    /// Has one tier admit, by `registrar`.
    pub(crate) fn admit(
        &self,
        registrar: &Registrar,
        tier: usize,
        names: &[&str],
    ) -> Result<Answer, AdmissionError> {
        let above = tier - 1;
        let mode = registrar.facts(&caller())?.upstreams()[0].mode;
        let (replica, source) = (self.reader(above, &format!("of-{tier}")), self.source(above));
        let followed = Ok(Followed { replica: &replica, source: &*source, is_transcript: false });
        let (name, only) = (TIERS[above].into(), Only::default());
        let upstreams = [Above { name, mode, only, followed, newer: Vec::new() }];
        let asked =
            |name: &&str| Asked { name: name.parse().unwrap(), range: "*".parse().unwrap(), fluid: false };
        let ask = Ask {
            requirements: names.iter().map(asked).collect(),
            platform: Platform::any(),
            newest: names.iter().map(|name| name.parse().unwrap()).collect(),
            ..Ask::default()
        };
        admit(registrar, &self.caller(tier), &upstreams, &ask, &mut |_| {})
    }

    /// What a tier offers, as somebody reads it who never saw it: each release, with the registry that it came from, and its tree.
    pub(crate) fn offered(&self, tier: usize) -> BTreeMap<ReleaseId, (Option<String>, String)> {
        let home = tempfile::tempdir_in(self.root.path()).unwrap();
        let source = self.source(tier);
        let mut replica = Replica::open(&ReplicaHome::new(home.path()), TIERS[tier], &*source, None).unwrap();
        replica.sync(&*source, caller().at()).unwrap();
        let live = replica.index().live_releases().map(Result::unwrap);
        let live = live.map(|view| {
            let from = view.origin.map(|origin| origin.registry);
            (view.release.id, (from, view.release.tree.to_string()))
        });
        live.collect()
    }
}
