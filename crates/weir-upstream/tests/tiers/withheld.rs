//! What a tier keeps its readers from does not come back from above.

use weir_model::record::UpstreamMode;
use weir_model::{Digest, Sha256, WithdrawalVerb};
use weir_registry::{Intent, Registry as _, Withdraw};

use crate::world::World;

#[test]
fn a_release_from_above_with_content_that_is_quarantined_here_is_held_and_nothing_else_is() {
    for mode in [UpstreamMode::OnDemand, UpstreamMode::Mirror] {
        let world = World::new(mode);
        let bad: Sha256 = Digest::of("bad news");
        let names = format!("[references.news]\nurl = \"https://host.example/news\"\nsha256 = \"{bad}\"\n");
        for tier in [0, 1] {
            let registry = world.registrar(tier).acting_for(world.caller(tier));
            registry.put_file(&bad, &mut &b"bad news"[..]).unwrap();
        }
        let withdraw = |verb| Intent::Withdraw(Withdraw::exactly(verb, "own/news 1.0.0".parse().unwrap()));
        world.publish_with(1, "own/news 1.0.0", "of our own", &names).unwrap();
        world.submit(1, withdraw(WithdrawalVerb::Quarantine)).unwrap();
        world.publish_with(0, "acme/news 1.0.0", "from above", &names).unwrap();
        world.publish(0, "acme/good 1.0.0", "from above").unwrap();

        let asked = ["acme/news", "acme/good"];
        world.ask(1, &asked).unwrap();
        let offered = || world.offered(1).keys().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(offered(), ["acme/good 1.0.0", "own/news 1.0.0"], "{mode:?}");
        let held = world.reader(1, "looking").index().held_of(&"acme/news".parse().unwrap()).unwrap();
        assert_eq!(held.len(), 1, "{mode:?}");
        let hold = &held[0].hold;
        assert_eq!(hold.policy, "quarantined");
        assert!(hold.reason.contains("`own/news 1.0.0`"), "{}", hold.reason);
        let is_served = || {
            let path = weir_registry::content::file_path(&bad);
            world.source(1).read(&path, 100).unwrap().is_some()
        };
        assert!(!is_served(), "{mode:?}");

        // It comes once nobody is kept from it any more.
        world.submit(1, withdraw(WithdrawalVerb::Unquarantine)).unwrap();
        world.ask(1, &asked).unwrap();
        assert_eq!(offered(), ["acme/good 1.0.0", "acme/news 1.0.0", "own/news 1.0.0"], "{mode:?}");
        assert!(is_served(), "{mode:?}");
    }
}
