//! A crash at each named point of an admission, and the retry after it.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use weir_log::Faults;
use weir_model::record::UpstreamMode;
use weir_registry::{Admission, Followed};

use crate::world::{TIERS, World, caller};

/// Stops at one point, as far as a test can.
struct CrashAt {
    point: String,
    passed: Mutex<BTreeSet<&'static str>>,
}

impl Faults for CrashAt {
    fn at(&self, point: &'static str) {
        self.passed.lock().unwrap().insert(point);
        if point == self.point {
            std::panic::panic_any("crash");
        }
    }
}

fn crash_at(point: &str) -> Arc<CrashAt> {
    Arc::new(CrashAt { point: point.into(), passed: Mutex::default() })
}

fn published(mode: UpstreamMode) -> World {
    let world = World::new(mode);
    for id in ["acme/app 1.0.0", "acme/lib 1.0.0"] {
        world.publish(0, id, "first").unwrap();
    }
    world
}

#[test]
fn a_crash_at_any_point_of_an_admission_leaves_all_or_nothing_and_the_retry_admits_once() {
    let recorder = crash_at("nowhere");
    let world = published(UpstreamMode::OnDemand);
    world.admit(&world.registrar_with(1, recorder.clone()), 1, &["acme/app", "acme/lib"]).unwrap();
    let points = recorder.passed.lock().unwrap().clone();
    assert!(points.contains("admit:planned") && points.contains("admit:appended"), "{points:?}");
    // The crash is this test's own doing: nobody needs to hear of it.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for mode in [UpstreamMode::OnDemand, UpstreamMode::Mirror] {
        for point in &points {
            let world = published(mode);
            let names = ["acme/app", "acme/lib"];
            let crashing = world.registrar_with(1, crash_at(point));
            let _ = catch_unwind(AssertUnwindSafe(|| world.admit(&crashing, 1, &names)));
            drop(crashing);
            let after = world.offered(1).len();
            assert!(after == 0 || after == 2, "{after} of 2 after a crash at {point}");
            world.ask(1, &names).unwrap();
            assert_eq!(world.offered(1).len(), 2, "after the retry of a crash at {point}");
            let size = world.reader(1, "counting").index().position().unwrap().size;
            world.ask(1, &names).unwrap();
            let again = world.reader(1, "counting").index().position().unwrap().size;
            assert_eq!(size, again, "admitted twice after a crash at {point} in {}", TIERS[1]);
        }
    }
    std::panic::set_hook(hook);
}

/// A mirror of many releases admits them in parts, and may be stopped between two of them.
#[test]
fn what_was_stopped_between_two_parts_of_a_mirror_is_gone_on_with() {
    let world = published(UpstreamMode::Mirror);
    let (replica, source) = (world.reader(0, "first"), world.source(0));
    let part = Admission {
        upstream: TIERS[0],
        from: Followed { replica: &replica, source: &*source, is_transcript: false },
        releases: vec!["acme/app 1.0.0".parse().unwrap()],
        held: Vec::new(),
        over: Vec::new(),
        pin: true,
        more: true,
    };
    world.registrar(1).admit(&caller(), &part).unwrap();
    assert_eq!(world.offered(1).len(), 1);
    world.ask(1, &[]).unwrap();
    assert_eq!(world.offered(1).len(), 2, "all of it was thought to be there");
}
