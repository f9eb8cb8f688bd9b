//! Which policy set is in force is in the log, and who does not decide by it changes nothing.

use std::sync::{Arc, Mutex};

use weir_log::NoFaults;
use weir_model::descriptor::PolicySummary;
use weir_model::{Sha256, WithdrawalVerb};
use weir_policy::{Caller, Decision, FolderGate, Gate, OtherPolicies, Principal, Request, Verb};
use weir_registry::{Batch, Registrar, Registry as _, SubmitError, folder_ports};

use crate::world::{World, now, withdraw};

/// Has a set of one digest, which permits everything but, if it says so, to govern.
#[derive(Clone)]
struct One {
    has: Arc<Mutex<Option<Sha256>>>,
    governed: bool,
}

impl Gate for One {
    fn decide(&self, request: &Request<'_>) -> Decision {
        let allowed = request.verb != Verb::Govern || self.governed;
        Decision { allowed, policy: "one".into(), reason: "so it is".into() }
    }

    fn follow(&self, in_force: Option<&Sha256>) -> Result<(), OtherPolicies> {
        let found = *self.has.lock().unwrap();
        if found.as_ref() == in_force {
            return Ok(());
        }
        Err(OtherPolicies { in_force: in_force.copied(), found, reason: "it differs".into() })
    }
}

fn one(has: Option<&str>, governed: bool) -> One {
    One { has: Arc::new(Mutex::new(has.map(Sha256::of))), governed }
}

fn caller() -> Caller {
    Caller::new(Principal::user("ann"), now())
}

/// Sets the set of a name, as whoever writes its files would.
fn set(world: &World, gate: &One, name: &str) -> Result<weir_registry::SetPolicy, SubmitError> {
    let ports = folder_ports(&world.folder(), &world.keys()).unwrap();
    let registrar = Registrar::open(ports, &world.home(), Box::new(gate.clone())).unwrap();
    let summary = PolicySummary { digest: Sha256::of(name), summary: name.into() };
    registrar.set_policy(&caller(), &summary, &mut || {
        *gate.has.lock().unwrap() = Some(Sha256::of(name));
        Ok(())
    })
}

fn yank(world: &World, gate: impl Gate + 'static, verb: WithdrawalVerb) -> Result<(), SubmitError> {
    let registry = world.open_with(Box::new(gate), Arc::new(NoFaults), caller());
    registry.submit(&Batch { intents: vec![withdraw(verb, "acme/base 1.0.0")] }).map(drop)
}

#[test]
fn a_set_is_in_force_by_the_log_and_is_told_by_the_descriptor() {
    let world = World::new(false);
    world.publish(&[("acme/base 1.0.0", &[])]).unwrap();
    let gate = one(None, true);
    let done = set(&world, &gate, "first").unwrap();
    assert_eq!((done.before, done.changed, &*done.policy), (None, true, "one"));
    let again = set(&world, &gate, "first").unwrap();
    assert_eq!((again.before, again.changed), (Some(Sha256::of("first")), false));
    let replica = world.fresh_replica();
    let (digest, mark) = replica.index().facts().unwrap().policy.unwrap();
    assert_eq!((digest, &*mark.by), (Sha256::of("first"), "user:ann"));
    assert_eq!(replica.descriptor().policy.as_ref().map(|policy| &*policy.summary), Some("first"));
    yank(&world, gate, WithdrawalVerb::Yank).unwrap();
}

#[test]
fn whoever_does_not_decide_by_the_set_in_force_changes_nothing() {
    let world = World::new(false);
    world.publish(&[("acme/base 1.0.0", &[])]).unwrap();
    set(&world, &one(None, true), "first").unwrap();
    let other = |refused: Result<(), SubmitError>| {
        let error = refused.unwrap_err();
        assert!(matches!(error, SubmitError::OtherPolicies(_)), "{error}");
    };
    // Another set, none, and a gate that knows of none.
    other(yank(&world, one(Some("second"), true), WithdrawalVerb::Yank));
    other(yank(&world, one(None, true), WithdrawalVerb::Yank));
    other(yank(&world, FolderGate, WithdrawalVerb::Yank));
    let renew = world.open_with(Box::new(FolderGate), Arc::new(NoFaults), caller()).renew();
    other(renew.map(drop));
    yank(&world, one(Some("first"), true), WithdrawalVerb::Yank).unwrap();
}

#[test]
fn who_may_change_it_says_the_set_in_force_and_if_that_is_lost_whoever_has_the_key() {
    let world = World::new(false);
    let gate = one(None, false);
    assert!(matches!(set(&world, &gate, "first").unwrap_err(), SubmitError::Refused(_)));
    assert_eq!(world.fresh_replica().index().facts().unwrap().policy, None);
    let lost = one(Some("what somebody wrote into the folder"), false);
    assert!(set(&world, &lost, "first").unwrap().changed);
    assert!(matches!(set(&world, &lost, "second").unwrap_err(), SubmitError::Refused(_)));
}

#[test]
fn files_that_cannot_be_written_leave_the_set_before_in_force() {
    let world = World::new(false);
    let ports = folder_ports(&world.folder(), &world.keys()).unwrap();
    let registrar = Registrar::open(ports, &world.home(), Box::new(one(None, true))).unwrap();
    let summary = PolicySummary { digest: Sha256::of("first"), summary: "first".into() };
    let full = registrar.set_policy(&caller(), &summary, &mut || Err(std::io::ErrorKind::StorageFull.into()));
    assert!(matches!(full.unwrap_err(), SubmitError::Io(_)));
    assert_eq!(world.fresh_replica().index().facts().unwrap().policy, None);
}
