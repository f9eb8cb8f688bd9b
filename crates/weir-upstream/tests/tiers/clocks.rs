//! Clocks that are wrong by hours, in either direction: what comes down does not depend on whose.

use weir_model::WithdrawalVerb;
use weir_model::record::UpstreamMode;
use weir_registry::{Intent, Withdraw, published_above};

use crate::world::World;

/// By how many hours the clock of each tier is wrong: each of them is once the one before and the one behind.
const WRONG: [[i64; 3]; 6] = [[-7, 0, 9], [-7, 9, 0], [0, -7, 9], [0, 9, -7], [9, -7, 0], [9, 0, -7]];

#[test]
fn what_comes_down_and_what_is_withdrawn_does_not_depend_on_anybodys_clock() {
    for clocks in WRONG {
        for mode in [UpstreamMode::OnDemand, UpstreamMode::Mirror] {
            story(mode, clocks);
        }
    }
}

fn story(mode: UpstreamMode, clocks: [i64; 3]) {
    let world = World::with_clocks(mode, clocks);
    world.publish(0, "acme/lib 1.0.0", "first").unwrap();
    world.ask(2, &["acme/lib"]).unwrap();
    world.publish(0, "acme/lib 1.1.0", "second").unwrap();
    world.ask(2, &["acme/lib"]).unwrap();
    for tier in 0..3 {
        assert_eq!(world.offered(tier).len(), 2, "tier {tier}, {mode:?}, {clocks:?}");
    }
    let yank = |verb| Intent::Withdraw(Withdraw::exactly(verb, "acme/lib 1.0.0".parse().unwrap()));
    let is_yanked = |tier| {
        let view = world.reader(tier, "looking").index().release(&"acme/lib 1.0.0".parse().unwrap()).unwrap();
        view.is_some_and(|view| view.yanked.is_some())
    };
    world.submit(0, yank(WithdrawalVerb::Yank)).unwrap();
    world.ask(2, &["acme/lib"]).unwrap();
    assert!((0..3).all(is_yanked), "{mode:?}, {clocks:?}");
    world.submit(0, yank(WithdrawalVerb::Unyank)).unwrap();
    world.ask(2, &["acme/lib"]).unwrap();
    assert!(!(0..3).any(is_yanked), "{mode:?}, {clocks:?}");
    // Asked again, nothing is written again.
    let size = || world.reader(2, "looking").index().position().unwrap().size;
    let before = size();
    world.ask(2, &["acme/lib"]).unwrap();
    assert_eq!(size(), before, "{mode:?}, {clocks:?}");
}

/// Whoever has the key of a registry can write any time into its log, but not before the one below looked last.
#[test]
fn what_was_not_there_at_the_last_look_was_published_later_whatever_it_says() {
    for mode in [UpstreamMode::OnDemand, UpstreamMode::Mirror] {
        let world = World::with_clocks(mode, [-1000, 0, 0]);
        let published = |id: &str| {
            let above = world.reader(0, "above").index().release(&id.parse().unwrap()).unwrap().unwrap();
            published_above(world.reader(1, "below").index(), &above, "public", false).unwrap()
        };
        world.publish(0, "acme/lib 1.0.0", "first").unwrap();
        assert_eq!(published("acme/lib 1.0.0"), world.caller(0).at());
        world.ask(1, &["acme/lib"]).unwrap();
        assert_eq!(published("acme/lib 1.0.0"), world.caller(0).at(), "it was there when it was looked for");
        world.publish(0, "acme/lib 1.1.0", "second").unwrap();
        assert_eq!(published("acme/lib 1.1.0"), world.caller(1).at());
    }
}
