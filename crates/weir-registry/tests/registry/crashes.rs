//! A crash at each named point of a publication, and the retry after it.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use weir_log::Faults;
use weir_model::{Unobserved, WithdrawalVerb};
use weir_policy::FolderGate;
use weir_registry::content::open_pack;
use weir_registry::{Batch, Done, FolderRegistry, Intent, Look, Registry as _, audit};

use crate::world::{World, now, withdraw};

/// Stops the process, as far as a test can: at the given pass of the given point.
struct CrashAt {
    point: String,
    left: Mutex<usize>,
    passed: Mutex<BTreeSet<&'static str>>,
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

fn open(world: &World, faults: &Arc<CrashAt>) -> FolderRegistry {
    FolderRegistry::open(&world.folder(), &world.home(), &world.keys(), Box::new(FolderGate))
        .unwrap()
        .with_faults(faults.clone())
}

fn faults(point: &str, left: usize) -> Arc<CrashAt> {
    Arc::new(CrashAt { point: point.into(), left: Mutex::new(left), passed: Mutex::default() })
}

/// Every point that a publication passes, as it tells us itself.
fn points() -> BTreeSet<&'static str> {
    let world = World::new(false);
    let recorder = faults("nowhere", 0);
    let registry = open(&world, &recorder);
    let draft = world.draft(&registry, "acme/a 1.0.0", &[], "");
    registry
        .submit(&Batch { by: "user:ann".into(), intents: vec![Intent::Publish(Box::new(draft))] }, now())
        .unwrap();
    recorder.passed.lock().unwrap().clone()
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
                let batch = Batch { by: "user:ann".into(), intents: vec![Intent::Publish(Box::new(draft))] };
                crashing.submit(&batch, now())
            };
            let _ = catch_unwind(AssertUnwindSafe(attempt));
            drop(crashing);

            let check = |what: &str| {
                let replica = world.fresh_replica();
                let source = weir_log::FolderSource::new(world.folder());
                let content = world.open();
                let found =
                    audit(&source, replica.keys(), true, Look::Folder(content.content()), &Unobserved)
                        .unwrap();
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
        let quarantine = |world: &World, crashing: Option<&FolderRegistry>, back: bool| {
            let verb = if back { WithdrawalVerb::Unquarantine } else { WithdrawalVerb::Quarantine };
            let intent = withdraw(verb, "acme/a 1.0.0");
            let batch = Batch { by: "user:ann".into(), intents: vec![intent] };
            let opened = world.open();
            let registry = crashing.unwrap_or(&opened);
            catch_unwind(AssertUnwindSafe(|| registry.submit(&batch, now()).unwrap()))
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
        let points = recorder.passed.lock().unwrap().clone();
        assert!(points.contains("submit:held") && points.contains("submit:appended"), "{points:?}");
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
