//! A crash at each named point of a publication, and the retry after it.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use weir_log::Faults;
use weir_model::{Unobserved, WithdrawalVerb};
use weir_policy::{Caller, FolderGate, Principal};
use weir_registry::content::open_pack;
use weir_registry::{Acting, Batch, Done, Intent, Look, Registry as _, audit};

use crate::world::{World, now, withdraw};

/// Stops the process, as far as a test can: at the given pass of the given point.
pub(crate) struct CrashAt {
    point: String,
    left: Mutex<usize>,
    passed: Mutex<BTreeSet<&'static str>>,
}

impl CrashAt {
    /// The points that were passed.
    pub(crate) fn passed(&self) -> BTreeSet<&'static str> {
        self.passed.lock().unwrap().clone()
    }
}

impl Faults for CrashAt {
    fn at(&self, point: &'static str) {
        self.passed.lock().unwrap().insert(point);
        if point == self.point {
            let mut left = self.left.lock().unwrap();
            if *left == 0 {
                drop(left);
                std::panic::panic_any("crash");
            }
            *left -= 1;
        }
    }
}

fn open(world: &World, faults: &Arc<CrashAt>) -> Acting {
    world.open_with(Box::new(FolderGate), faults.clone(), Caller::new(Principal::user("ann"), now()))
}

pub(crate) fn faults(point: &str, left: usize) -> Arc<CrashAt> {
    Arc::new(CrashAt { point: point.into(), left: Mutex::new(left), passed: Mutex::default() })
}

/// Every point that a publication passes, as it tells us itself.
fn points() -> BTreeSet<&'static str> {
    let world = World::new(false);
    let recorder = faults("nowhere", 0);
    let registry = open(&world, &recorder);
    let draft = world.draft(&registry, "acme/a 1.0.0", &[], "");
    registry.submit(&Batch { intents: vec![Intent::Publish(Box::new(draft))] }).unwrap();
    recorder.passed()
}

#[test]
fn a_crash_at_any_point_leaves_all_or_nothing_and_the_retry_succeeds() {
    let points = points();
    assert!(points.len() >= 8, "{points:?}");
    // The crash is this test's own doing: nobody needs to hear of it.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for point in points {
        for pass in 0..2 {
            let world = World::new(true);
            world.publish(&[("acme/base 1.0.0", &[])]).unwrap();
            let crashing = open(&world, &faults(point, pass));
            let attempt = || {
                let draft = world.draft(&crashing, "acme/top 1.0.0", &["acme/base ^1"], "");
                let batch = Batch { intents: vec![Intent::Publish(Box::new(draft))] };
                crashing.submit(&batch)
            };
            let _ = catch_unwind(AssertUnwindSafe(attempt));
            drop(crashing);

            let check = |what: &str| {
                let replica = world.fresh_replica();
                let source = weir_log::FolderSource::new(world.folder());
                let found =
                    audit(&source, replica.keys(), true, Look::Held(&world.content()), &Unobserved).unwrap();
                assert_eq!(found.problems, Vec::<String>::new(), "{what} a crash at {point}, pass {pass}");
            };
            check("after");
            let retried = world.publish(&[("acme/top 1.0.0", &["acme/base ^1"])]).unwrap();
            assert!(matches!(retried.outcomes[0].done, Done::Published | Done::Already));
            check("after the retry of");
        }
    }
    std::panic::set_hook(hook);
}

#[test]
fn what_the_log_calls_quarantined_is_never_served_wherever_it_is_stopped() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for takes_back in [false, true] {
        let quarantine = |world: &World, crashing: Option<&Acting>, back: bool| {
            let verb = if back { WithdrawalVerb::Unquarantine } else { WithdrawalVerb::Quarantine };
            let intent = withdraw(verb, "acme/a 1.0.0");
            let batch = Batch { intents: vec![intent] };
            let opened = world.open();
            let registry = crashing.unwrap_or(&opened);
            catch_unwind(AssertUnwindSafe(|| registry.submit(&batch).unwrap()))
        };
        let begun = || {
            let world = World::new(false);
            world.publish(&[("acme/a 1.0.0", &[])]).unwrap();
            if takes_back {
                quarantine(&world, None, false).unwrap();
            }
            world
        };
        let recorder = faults("nowhere", 0);
        let world = begun();
        quarantine(&world, Some(&open(&world, &recorder)), takes_back).unwrap();
        let points = recorder.passed();
        assert!(points.contains("submit:withheld") && points.contains("submit:appended"), "{points:?}");
        for point in points {
            let world = begun();
            let _ = quarantine(&world, Some(&open(&world, &faults(point, 0))), takes_back);
            let state = || {
                let replica = world.fresh_replica();
                let view = replica.index().release(&"acme/a 1.0.0".parse().unwrap()).unwrap().unwrap();
                let source = weir_log::FolderSource::new(world.folder());
                let is_served = open_pack(&source, &view.release.tree, 0).unwrap().is_some();
                (view.quarantined.is_some(), is_served)
            };
            assert_ne!(state(), (true, true), "after a crash at {point}");
            quarantine(&world, None, takes_back).unwrap();
            assert_eq!(state(), (!takes_back, takes_back), "after the retry of a crash at {point}");
        }
    }
    std::panic::set_hook(hook);
}
