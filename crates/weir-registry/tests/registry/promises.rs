//! What a registry promises is in its log; the descriptor only helps to find it.

use weir_log::FolderSource;
use weir_model::WithdrawalVerb;
use weir_registry::{Look, SubmitError, audit};

use crate::world::{World, withdraw};

/// Somebody without the key edits the descriptor.
fn edit(world: &World, from: &str, to: &str) {
    let path = world.folder().join("weir.json");
    let text = fs_err::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs_err::write(&path, text.replace(from, to)).unwrap();
}

fn problems(world: &World) -> Vec<String> {
    let replica = world.fresh_replica();
    let source = FolderSource::new(world.folder());
    audit(&source, replica.keys(), false, Look::Nothing, &weir_model::Unobserved).unwrap().problems
}

#[test]
fn a_closed_registry_stays_closed_whatever_its_descriptor_says_and_the_audit_tells() {
    let world = World::new(true);
    world.publish(&[("acme/base 1.0.0", &[])]).unwrap();
    world.publish(&[("acme/top 1.0.0", &["acme/base ^1"])]).unwrap();
    assert_eq!(problems(&world), Vec::<String>::new());
    edit(&world, "\"closed\": true", "\"closed\": false");
    let error = world.submit(vec![withdraw(WithdrawalVerb::Remove, "acme/base 1.0.0")]).unwrap_err();
    assert!(matches!(error, SubmitError::WouldBreak { .. }), "{error}");
    let told = problems(&world);
    assert!(told.len() == 1 && told[0].contains("`closed: false`, but its log says `true`"), "{told:?}");
}

#[test]
fn every_promise_that_the_descriptor_tells_otherwise_is_told() {
    let world = World::new(false);
    edit(&world, "\"upstreams\": []", "\"upstreams\": [\"other\"], \"validity\": 60");
    edit(&world, "\"elm\",", "");
    let told = problems(&world);
    for what in ["`kinds: ", "`validity: 60`", "`upstreams: other`"] {
        assert!(told.iter().any(|problem| problem.contains(what)), "{what} in {told:?}");
    }
}
