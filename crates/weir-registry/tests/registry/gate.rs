//! Nothing acts without permission, and who acts is never what a request says.

use std::sync::{Arc, Mutex};

use weir_log::NoFaults;
use weir_model::{Digest, KindName, Sha256, WithdrawalVerb};
use weir_policy::{Caller, Decision, FolderGate, Gate, Principal, Request, Verb};
use weir_registry::{
    Acting, Batch, Code, Collect, Intent, NewRegistry, Object, Registrar, Registry, SubmitError, folder_ports,
};

use crate::world::{World, now, withdraw};

/// Refuses everything, or everything but one verb; remembers what it was asked.
#[derive(Clone, Default)]
struct Refusing {
    but: Option<Verb>,
    asked: Arc<Mutex<Vec<(Verb, String, bool)>>>,
}

impl Gate for Refusing {
    fn decide(&self, request: &Request<'_>) -> Decision {
        let told_of_release = request.release.is_some();
        self.asked.lock().unwrap().push((request.verb, request.caller.actor().to_owned(), told_of_release));
        Decision {
            allowed: self.but == Some(request.verb),
            policy: "nobody".into(),
            reason: "nobody may".into(),
        }
    }
}

/// What can be asked of a registry; each is told what was uploaded before.
type Act = fn(&Acting, &Batch) -> Result<(), SubmitError>;

const ACTS: &[(&str, Act)] = &[
    ("put_pack", |registry, _| registry.put_pack(&Digest::of("x"), &mut &b"x"[..]).map(drop)),
    ("put_file", |registry, _| registry.put_file(&Digest::of("x"), &mut &b"x"[..]).map(drop)),
    ("pack_size", |registry, _| registry.pack_size(&Digest::of("x")).map(drop)),
    ("has_file", |registry, _| registry.has_file(&Digest::of("x")).map(drop)),
    ("is_whole", |registry, _| registry.is_whole(Object::File(Sha256::of("x"))).map(drop)),
    ("mend", |registry, _| registry.mend(Object::File(Sha256::of("x")), &mut &b"x"[..]).map(drop)),
    ("check", |registry, _| registry.check(KindName::Generic)),
    ("submit", |registry, batch| registry.submit(batch).map(drop)),
    ("preview", |registry, batch| registry.preview(batch).map(drop)),
    ("renew", |registry, _| registry.renew().map(drop)),
    ("rotate_key", |registry, _| registry.rotate_key().map(drop)),
    ("collect", |registry, _| registry.collect(&Collect::default()).map(drop)),
    ("collect --dry-run", |registry, _| {
        registry.collect(&Collect { dry_run: true, removed_before: None }).map(drop)
    }),
    ("source", |registry, _| registry.source().map(drop)),
];

/// Every file of a registry and of the keys, with its bytes.
fn everything(world: &World) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![world.folder(), world.keys()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push((path.display().to_string(), fs_err::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn refused(world: &World, gate: &Refusing) -> Acting {
    world.open_with(Box::new(gate.clone()), Arc::new(NoFaults), Caller::new(Principal::user("eve"), now()))
}

#[test]
fn a_gate_that_refuses_everything_lets_nothing_through() {
    let world = World::new(false);
    world.publish(&[("acme/a 1.0.0", &[])]).unwrap();
    let draft = world.draft(&world.open(), "acme/b 1.0.0", &[], "");
    let batches = [
        vec![Intent::Publish(Box::new(draft))],
        vec![Intent::Claim { owner: "acme".parse().unwrap(), who: vec!["user:eve".into()] }],
        vec![],
    ];
    let withdrawals = WithdrawalVerb::ALL.map(|verb| vec![withdraw(verb, "acme/a 1.0.0")]);
    let before = everything(&world);
    // What may be read must not be changed either.
    for but in [None, Some(Verb::Read)] {
        for intents in batches.iter().cloned().chain(withdrawals.clone()) {
            let batch = Batch { intents };
            for (name, act) in ACTS {
                let reads = matches!(*name, "pack_size" | "has_file" | "is_whole" | "check" | "source");
                let does_nothing = batch.intents.is_empty() && matches!(*name, "submit" | "preview");
                if but.is_some() && (reads || does_nothing) {
                    continue;
                }
                let gate = Refusing { but, ..Refusing::default() };
                let error = act(&refused(&world, &gate), &batch).expect_err(name);
                assert_eq!(error.code(), Code::NotPermitted, "{name}: {error}");
                assert_eq!(error.refusal().policy.as_deref(), Some("nobody"), "{name}");
                assert!(gate.asked.lock().unwrap().iter().all(|(_, who, _)| who == "user:eve"), "{name}");
                assert!(everything(&world) == before, "{name} changed something");
            }
        }
    }
}

#[test]
fn a_registry_is_not_made_by_whom_the_gate_refuses() {
    let world = World::new(false);
    let folder = world.root.path().join("new");
    fs_err::create_dir(&folder).unwrap();
    let new = NewRegistry { name: "new".parse().unwrap(), closed: false, kinds: Vec::new(), validity: None };
    let ports = folder_ports(&folder, &world.keys()).unwrap();
    let made = Registrar::init(
        &ports,
        &world.home(),
        &Refusing::default(),
        &Caller::new(Principal::user("eve"), now()),
        &new,
    );
    assert_eq!(made.unwrap_err().code(), Code::NotPermitted);
    assert_eq!(fs_err::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn a_policy_is_told_what_a_release_is() {
    let world = World::new(false);
    let draft = world.draft(&world.open(), "acme/a 1.0.0", &[], "");
    let gate = Refusing { but: Some(Verb::Read), ..Refusing::default() };
    let batch = Batch { intents: vec![Intent::Publish(Box::new(draft))] };
    refused(&world, &gate).submit(&batch).unwrap_err();
    let asked = gate.asked.lock().unwrap();
    assert!(asked.contains(&(Verb::Publish, "user:eve".into(), true)), "{asked:?}");
}

#[test]
fn the_log_says_who_authenticated_and_when() {
    let world = World::new(false);
    let draft = world.draft(&world.open(), "acme/a 1.0.0", &[], "");
    let then = now() + jiff::SignedDuration::from_mins(3);
    let bob =
        world.open_with(Box::new(FolderGate), Arc::new(NoFaults), Caller::new(Principal::user("bob"), then));
    bob.submit(&Batch { intents: vec![Intent::Publish(Box::new(draft))] }).unwrap();
    let view = world.fresh_replica().index().release(&"acme/a 1.0.0".parse().unwrap()).unwrap().unwrap();
    assert_eq!((view.mark.by.as_str(), view.mark.at), ("user:bob", then));
}

/// What is told to others names no file of the registry's machine.
#[test]
fn a_refusal_for_others_has_a_code_and_no_paths() {
    let world = World::new(false);
    world.publish(&[("acme/a 1.0.0", &[])]).unwrap();
    for entry in fs_err::read_dir(world.keys()).unwrap() {
        fs_err::remove_file(entry.unwrap().path()).unwrap();
    }
    let error = world.publish(&[("acme/b 1.0.0", &[])]).unwrap_err();
    let place = world.root.path().display().to_string();
    assert!(error.to_string().contains(&place), "{error}");
    let refusal = error.refusal();
    assert_eq!(refusal.code, Code::Unavailable);
    assert!(!refusal.message.contains(&place), "{refusal:?}");
}
