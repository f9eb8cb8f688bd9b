//! What every way to keep a registry must do: each test runs on all of them.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use weir_log::{Checkpoint, Faults, NoFaults, Source, Stamp};
use weir_model::{Action, Digest, Release, TreeDigest, Unobserved, WithdrawalVerb};
use weir_policy::{Authorized, Caller, FolderGate, Principal, Request, Verb, authorize};
use weir_registry::content::{Stored, file_path, pack_path};
use weir_registry::{
    Acting, Batch, Collect, Done, Draft, Entry, Held, Intent, Look, Memory, NewRegistry, Object, PortError,
    Ports, Registrar, Registry, Replica, ReplicaHome, SubmitError, Withdraw, audit, folder_ports_with_faults,
};

use crate::crashes::faults;
use crate::world::{draft, now, withdraw};

/// Where a registry is kept.
enum Kept {
    Folder,
    Memory(Arc<Memory>),
}

pub(crate) struct Site {
    root: tempfile::TempDir,
    kept: Kept,
}

/// Each way to keep a registry.
fn sites() -> [fn() -> Kept; 2] {
    [|| Kept::Folder, || Kept::Memory(Arc::default())]
}

pub(crate) fn each(test: impl Fn(&Site)) {
    for kept in sites() {
        test(&Site::new(kept()));
    }
}

impl Site {
    fn new(kept: Kept) -> Self {
        let site = Self { root: tempfile::tempdir().unwrap(), kept };
        fs_err::create_dir(site.root.path().join("registry")).unwrap();
        let new =
            NewRegistry { name: "org".parse().unwrap(), closed: true, kinds: Vec::new(), validity: None };
        let ports = site.ports(Arc::new(NoFaults));
        Registrar::init(&ports, &site.home("own"), &FolderGate, &ann(), &new).unwrap();
        site
    }

    fn ports(&self, faults: Arc<dyn Faults>) -> Ports {
        let at = self.root.path();
        match &self.kept {
            Kept::Folder => folder_ports_with_faults(&at.join("registry"), &at.join("keys"), faults).unwrap(),
            Kept::Memory(memory) => Memory::ports(memory, &at.display().to_string(), faults),
        }
    }

    fn home(&self, name: &str) -> ReplicaHome {
        ReplicaHome::new(&self.root.path().join(name))
    }

    fn open(&self, faults: Arc<dyn Faults>) -> Acting {
        let registrar = Registrar::open(self.ports(faults.clone()), &self.home("own"), Box::new(FolderGate));
        Arc::new(registrar.unwrap().with_faults(faults)).acting_for(ann())
    }

    pub(crate) fn registry(&self) -> Acting {
        self.open(Arc::new(NoFaults))
    }

    fn source(&self) -> Arc<dyn Source> {
        self.ports(Arc::new(NoFaults)).sequencer.source()
    }

    fn draft(&self, id: &str, needs: &[&str]) -> Draft {
        draft(&self.registry(), id, needs, "")
    }

    pub(crate) fn publish(&self, id: &str, needs: &[&str]) -> TreeDigest {
        let draft = self.draft(id, needs);
        let tree = draft.tree;
        self.registry().submit(&Batch { intents: vec![Intent::Publish(Box::new(draft))] }).unwrap();
        tree
    }

    /// The records of its log.
    pub(crate) fn size(&self) -> u64 {
        self.seen().checkpoint().unwrap().size()
    }

    fn withdraw(&self, verb: WithdrawalVerb, id: &str) {
        self.registry().submit(&Batch { intents: vec![withdraw(verb, id)] }).unwrap();
    }

    fn follow(&self, home: &ReplicaHome) -> Replica {
        let (source, location) = (self.source(), self.ports(Arc::new(NoFaults)).location);
        let mut replica = Replica::open_remembered(home, &location, &*source, None).unwrap();
        replica.sync(&*source, now()).unwrap();
        replica
    }

    /// What a reader who never saw it makes of it.
    fn seen(&self) -> Replica {
        let home = tempfile::tempdir_in(self.root.path()).unwrap().keep();
        self.follow(&ReplicaHome::new(&home))
    }

    /// Appends a record that no registrar looked at.
    fn append(&self, action: Action) {
        let (ports, seen) = (self.ports(Arc::new(NoFaults)), self.seen());
        let permit = permit(Verb::Publish);
        let entry = Entry::new(&permit, "batch", action).unwrap();
        let signers = ports.keys.signers(seen.keys().keys()).unwrap();
        let mut turn = ports.sequencer.turn(signers, seen.keys()).unwrap();
        turn.append(&permit, seen.checkpoint().unwrap(), &[entry], &Stamp::new(now(), None)).unwrap();
    }

    fn is_served(&self, tree: &TreeDigest) -> bool {
        self.source().open(&pack_path(tree), 0).unwrap().is_some()
    }

    fn problems(&self) -> Vec<String> {
        audit(&*self.source(), self.seen().keys(), false, Look::Bytes, &Unobserved).unwrap().problems
    }
}

fn ann() -> Caller {
    Caller::new(Principal::user("ann"), now())
}

fn permit(verb: Verb) -> Authorized {
    authorize(&FolderGate, Request::of_registry(&ann(), verb)).unwrap()
}

/// Must not be read.
struct Untouched;

impl Read for Untouched {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        panic!("what is there already is not asked for again")
    }
}

#[test]
fn what_is_put_is_checked_kept_once_and_read_back_from_anywhere() {
    each(|site| {
        let objects = site.ports(Arc::new(NoFaults)).objects;
        let permit = permit(Verb::Upload);
        let bytes: Vec<u8> =
            (0..18_000_000_u32).flat_map(|number| (number / 7).to_le_bytes()[..1].to_vec()).collect();
        for bytes in [&b"small"[..], &bytes] {
            let file = Object::File(Digest::of(bytes));
            let wrong = objects.put(&permit, Object::File(Digest::of("other")), &mut &*bytes);
            assert!(wrong.unwrap_err().is_integrity());
            assert_eq!(objects.find(Object::File(Digest::of("other"))).unwrap(), None);
            let size = bytes.len() as u64;
            assert_eq!(objects.put(&permit, file, &mut &*bytes).unwrap(), size);
            assert_eq!(objects.put(&permit, file, &mut Untouched).unwrap(), size);
            assert_eq!(objects.find(file).unwrap(), Some(Held { size, withheld: false, made_of: None }));
            for offset in [0, 3, size, size + 1] {
                let mut read = Vec::new();
                objects.open(file, offset).unwrap().unwrap().read_to_end(&mut read).unwrap();
                assert!(read == bytes[offset.min(size) as usize..], "from {offset}");
            }
        }
        assert!(objects.put(&permit, Object::Pack(Digest::of("x")), &mut &b"no pack"[..]).is_err());
        assert!(objects.open(Object::Pack(Digest::of("x")), 0).unwrap().is_none());
    });
}

#[test]
fn so_is_a_withheld_file() {
    each(|site| {
        let permit = permit(Verb::Upload);
        let ports = site.ports(Arc::new(NoFaults));
        let file = Object::File(Digest::of("bad news"));
        ports.objects.withhold(&permit, file).unwrap();
        ports.objects.put(&permit, file, &mut &b"bad news"[..]).unwrap();
        let is_withheld = || ports.objects.find(file).unwrap().unwrap().withheld;
        let served = || site.source().read(&file_path(&Digest::of("bad news")), 100).unwrap();
        assert!(!is_withheld() && served().is_some(), "what is not there is not withheld before it comes");
        for _ in 0..2 {
            ports.objects.withhold(&permit, file).unwrap();
            assert!(is_withheld() && served().is_none());
            ports.objects.put(&permit, file, &mut Untouched).unwrap();
        }
        let mut read = Vec::new();
        ports.objects.open(file, 4).unwrap().unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, b"news", "a curator may read it");
        let verified =
            |withheld| ports.objects.verify_file(&Digest::of("bad news"), Some(8), withheld, &Unobserved);
        assert!(verified(true).is_ok() && verified(false).is_err());
        for _ in 0..2 {
            ports.objects.restore(&permit, file).unwrap();
            assert!(!is_withheld() && served().is_some());
        }
        assert!(verified(false).is_ok() && verified(true).is_err());
    });
}

#[test]
fn a_withheld_pack_is_out_of_readers_reach_and_another_upload_does_not_bring_it_back() {
    each(|site| {
        let tree = site.publish("acme/a 1.0.0", &[]);
        let ports = site.ports(Arc::new(NoFaults));
        assert!(site.is_served(&tree));
        for _ in 0..2 {
            ports.objects.withhold(&permit(Verb::Quarantine), Object::Pack(tree)).unwrap();
            assert!(
                !site.is_served(&tree) && ports.objects.find(Object::Pack(tree)).unwrap().unwrap().withheld
            );
            ports.objects.put(&permit(Verb::Upload), Object::Pack(tree), &mut Untouched).unwrap();
        }
        assert!(ports.objects.open(Object::Pack(tree), 0).unwrap().is_some(), "a curator may read it");
        for _ in 0..2 {
            ports.objects.restore(&permit(Verb::Quarantine), Object::Pack(tree)).unwrap();
            assert!(site.is_served(&tree));
        }
        let stored = Stored::Pack { tree, size: 0, held: false };
        for _ in 0..2 {
            ports.objects.remove(&permit(Verb::Collect), &stored).unwrap();
            assert!(!site.is_served(&tree) && ports.objects.find(Object::Pack(tree)).unwrap().is_none());
        }
    });
}

#[test]
fn nothing_is_appended_to_a_log_that_does_not_end_where_it_was_planned() {
    each(|site| {
        let ports = site.ports(Arc::new(NoFaults));
        let before = site.seen();
        let stale: Checkpoint = before.checkpoint().unwrap().clone();
        site.publish("acme/a 1.0.0", &[]);
        let after = site.seen().checkpoint().unwrap().clone();
        let permit = permit(Verb::Claim);
        let claim = Action::Claim { owner: "acme".parse().unwrap(), who: Vec::new() };
        let entry = Entry::new(&permit, "batch", claim).unwrap();
        let signers = ports.keys.signers(before.keys().keys()).unwrap();
        let mut turn = ports.sequencer.turn(signers, before.keys()).unwrap();
        let stamp = Stamp::new(now(), None);
        let moved = turn.append(&permit, &stale, std::slice::from_ref(&entry), &stamp);
        assert!(matches!(moved, Err(PortError::Moved { .. })));
        assert_eq!(site.seen().checkpoint().unwrap().size(), after.size());
        turn.append(&permit, &after, &[entry], &stamp).unwrap();
        assert_eq!(site.seen().checkpoint().unwrap().size(), after.size() + 1);
    });
}

#[test]
fn many_at_once_all_get_their_turn() {
    each(|site| {
        let drafts: Vec<Draft> =
            (0..8).map(|number| site.draft(&format!("acme/p{number} 1.0.0"), &[])).collect();
        std::thread::scope(|scope| {
            for draft in drafts {
                scope.spawn(|| {
                    site.registry()
                        .submit(&Batch { intents: vec![Intent::Publish(Box::new(draft))] })
                        .unwrap()
                });
            }
        });
        assert_eq!(site.seen().index().stats().unwrap().offered, 8);
        assert_eq!(site.problems(), Vec::<String>::new());
    });
}

#[test]
fn a_log_of_many_tiles_is_one_that_anybody_follows() {
    each(|site| {
        for batch in 0..3 {
            let one = site.draft(&format!("acme/p{batch} 1.0.0"), &[]);
            let of = |number| Draft {
                id: format!("acme/p{batch} 1.0.0 revision {number}").parse().unwrap(),
                ..one.clone()
            };
            let drafts = (0..400).map(of);
            let intents = drafts.map(|draft| Intent::Publish(Box::new(draft))).collect();
            site.registry().submit(&Batch { intents }).unwrap();
        }
        assert!(site.seen().checkpoint().unwrap().snapshot().is_some());
        assert_eq!(site.problems(), Vec::<String>::new());
    });
}

#[test]
fn a_new_key_is_followed_and_a_log_is_signed_anew() {
    each(|site| {
        let away = site.home("away");
        let first = site.follow(&away).keys().clone();
        site.registry().rotate_key().unwrap();
        site.publish("acme/a 1.0.0", &[]);
        site.registry().renew().unwrap();
        let after = site.follow(&away);
        assert_ne!(after.keys(), &first);
        assert_eq!(site.problems(), Vec::<String>::new());
    });
}

#[test]
fn what_nothing_names_is_collected_and_nothing_else() {
    each(|site| {
        let tree = site.publish("acme/a 1.0.0", &[]);
        let gone = site.publish("acme/b 1.0.0", &[]);
        site.withdraw(WithdrawalVerb::Remove, "acme/b 1.0.0");
        let all = Collect { removed_before: Some(jiff::Timestamp::MAX), dry_run: false };
        let would = site.registry().collect(&Collect { dry_run: true, ..all }).unwrap();
        assert!(would.objects.len() == 1 && site.is_served(&gone));
        assert_eq!(site.registry().collect(&all).unwrap().objects, would.objects);
        assert!(site.is_served(&tree) && !site.is_served(&gone));
    });
}

/// No registrar writes such records; whoever has the key can.
#[test]
fn a_record_that_says_something_else_of_a_pack_than_is_in_it_is_told() {
    each(|site| {
        site.publish("acme/a 1.0.0", &[]);
        let seen = site.seen();
        let honest = seen.index().release(&"acme/a 1.0.0".parse().unwrap()).unwrap().unwrap().release;
        let unpacked = honest.unpacked;
        for (revision, unpacked, files) in [(1, unpacked + 1, 2), (2, unpacked - 1, 2), (3, unpacked, 3)] {
            let mut release = Release { unpacked, files, ..honest.clone() };
            release.id.revision = revision;
            site.append(Action::Publish { release: Box::new(release.into()) });
        }
        let objects = site.ports(Arc::new(NoFaults)).objects;
        for look in [Look::Held(&*objects), Look::Bytes] {
            let problems = audit(&*site.source(), seen.keys(), false, look, &Unobserved).unwrap().problems;
            for revision in 1..=3 {
                let told =
                    problems.iter().filter(|problem| problem.contains(&format!("revision {revision}`")));
                assert_eq!(told.count(), 1, "{look:?}: {problems:?}");
            }
        }
        // Alone, it is compared with the pack.
        let id = |revision| format!("acme/a 1.0.0 revision {revision}");
        for gone in ["acme/a 1.0.0 revision 0".to_owned(), id(2), id(3)] {
            let exactly = Withdraw::exactly(WithdrawalVerb::Remove, gone.parse().unwrap());
            site.registry().submit(&Batch { intents: vec![Intent::Withdraw(exactly)] }).unwrap();
        }
        for look in [Look::Held(&*objects), Look::Bytes] {
            let problems = audit(&*site.source(), seen.keys(), false, look, &Unobserved).unwrap().problems;
            assert!(problems.len() == 1 && problems[0].contains("unpacks to"), "{look:?}: {problems:?}");
        }
    });
}

/// What a publication and a quarantine pass, as they tell themselves.
fn points(site: &Site) -> BTreeSet<&'static str> {
    let recorder = faults("nowhere", 0);
    let registry = site.open(recorder.clone());
    let draft = draft(&registry, "acme/points 1.0.0", &[], "");
    registry.submit(&Batch { intents: vec![Intent::Publish(Box::new(draft))] }).unwrap();
    let quarantine = withdraw(WithdrawalVerb::Quarantine, "acme/points 1.0.0");
    registry.submit(&Batch { intents: vec![quarantine] }).unwrap();
    recorder.passed()
}

#[test]
fn a_crash_at_any_point_leaves_all_or_nothing_and_the_retry_succeeds() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for kept in sites() {
        let points = points(&Site::new(kept()));
        assert!(points.len() >= 5 && points.contains("submit:planned"), "{points:?}");
        for point in points {
            let site = Site::new(kept());
            site.publish("acme/base 1.0.0", &[]);
            let crashing = site.open(faults(point, 0));
            let publish = |registry: &Acting| -> Result<_, SubmitError> {
                let draft = draft(registry, "acme/top 1.0.0", &["acme/base ^1"], "");
                registry.submit(&Batch { intents: vec![Intent::Publish(Box::new(draft))] })
            };
            let _ = catch_unwind(AssertUnwindSafe(|| publish(&crashing)));
            assert_eq!(site.problems(), Vec::<String>::new(), "after a crash at {point}");
            let retried = publish(&site.registry()).unwrap();
            assert!(matches!(retried.outcomes[0].done, Done::Published | Done::Already));
            assert_eq!(site.problems(), Vec::<String>::new(), "after the retry of a crash at {point}");

            let crashing = site.open(faults(point, 0));
            let batch = Batch { intents: vec![withdraw(WithdrawalVerb::Quarantine, "acme/top 1.0.0")] };
            let _ = catch_unwind(AssertUnwindSafe(|| crashing.submit(&batch)));
            let view = site.seen().index().release(&"acme/top 1.0.0".parse().unwrap()).unwrap().unwrap();
            assert!(
                view.quarantined.is_none() || !site.is_served(&view.release.tree),
                "after a crash at {point}"
            );
        }
    }
    std::panic::set_hook(hook);
}
