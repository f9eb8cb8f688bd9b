//! Releases of a registry below, offered as they are there.

use weir_model::record::Origin;
use weir_model::{Digest, ReleaseId};
use weir_registry::{Batch, Code, Done, Draft, Intent, Promotion, Receipt, Registry as _, SubmitError};

use crate::world::{World, draft};

fn id(text: &str) -> ReleaseId {
    text.parse().unwrap()
}

fn origin() -> Origin {
    Origin { registry: "team".into(), index: 7, leaf: Digest::of("leaf") }
}

fn promote(world: &World, draft: Draft, baked: &[&str]) -> Result<Receipt, SubmitError> {
    let baked = baked.iter().map(|text| id(text)).collect();
    let promotion = Promotion { draft, baked, from: origin() };
    world.submit(vec![Intent::Promote(Box::new(promotion))])
}

/// `acme/app 1.0.0`, which was made with `acme/base 1.0.0` where it comes from, as that says.
fn app(world: &World) -> Draft {
    let below = World::new(false);
    below.publish(&[("acme/base 1.0.0", &[]), ("acme/app 1.0.0", &["acme/base ^1"])]).unwrap();
    let view = below.fresh_replica().index().release(&id("acme/app 1.0.0")).unwrap().unwrap();
    let there = draft(&world.open(), "acme/app 1.0.0", &["acme/base ^1"], "");
    Draft { input_digest: Some(view.release.input_digest), ..there }
}

#[test]
fn a_promotion_is_fixed_to_what_it_was_fixed_to_and_says_where_it_came_from() {
    let world = World::new(false);
    world.publish(&[("acme/base 1.0.0", &[]), ("acme/base 1.1.0", &[])]).unwrap();
    let app = app(&world);
    let receipt = promote(&world, app.clone(), &["acme/base 1.0.0"]).unwrap();
    assert_eq!(receipt.outcomes[0].done, Done::Promoted);
    let view = world.fresh_replica().index().release(&app.id).unwrap().unwrap();
    assert_eq!(view.promoted, Some(origin()));
    assert_eq!(Some(view.release.input_digest), app.input_digest);
    assert_eq!(view.release.dependencies[0].baked_id(), Some(id("acme/base 1.0.0")));
    let again = promote(&world, app, &["acme/base 1.0.0"]).unwrap();
    assert_eq!((again.outcomes[0].done, again.batch), (Done::Already, None));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let world = World::new(false);
    world.publish(&[("acme/base 1.0.0", &[]), ("acme/base 2.0.0", &[]), ("acme/other 1.0.0", &[])]).unwrap();
    let app = app(&world);
    let refused = |draft: &Draft, baked: &[&str]| promote(&world, draft.clone(), baked).unwrap_err().code();
    assert_eq!(refused(&app, &[]), Code::DraftDiffers, "nothing is said");
    assert_eq!(refused(&app, &["acme/base 2.0.0"]), Code::DraftDiffers, "outside its range");
    assert_eq!(refused(&app, &["acme/other 1.0.0"]), Code::DraftDiffers, "another package");
    assert_eq!(refused(&app, &["acme/base 1.0.0", "acme/other 1.0.0"]), Code::DraftDiffers, "one more");
    assert_eq!(refused(&app, &["acme/base 1.0.1"]), Code::Unsatisfiable, "it is not here");
    let other = Draft { input_digest: Some(Digest::from_bytes([7; 32])), ..app.clone() };
    assert_eq!(refused(&other, &["acme/base 1.0.0"]), Code::UnexpectedInputs);
    let license = Draft { license: Some("MIT".into()), ..app.clone() };
    assert_eq!(
        refused(&license, &["acme/base 1.0.0"]),
        Code::DraftDiffers,
        "another licence than its pack says"
    );
    let size = world.open().submit(&Batch::default()).unwrap().size;
    promote(&world, app, &["acme/base 1.0.0"]).unwrap();
    assert_eq!(world.open().submit(&Batch::default()).unwrap().size, size + 1, "nothing was written before");
}

#[test]
fn what_was_yanked_meanwhile_serves_and_what_was_quarantined_does_not() {
    let world = World::new(false);
    world.publish(&[("acme/base 1.0.0", &[])]).unwrap();
    let app = app(&world);
    let verb = weir_model::WithdrawalVerb::Quarantine;
    world.submit(vec![crate::world::withdraw(verb, "acme/base 1.0.0")]).unwrap();
    assert_eq!(promote(&world, app.clone(), &["acme/base 1.0.0"]).unwrap_err().code(), Code::Unsatisfiable);
    for verb in [weir_model::WithdrawalVerb::Unquarantine, weir_model::WithdrawalVerb::Yank] {
        world.submit(vec![crate::world::withdraw(verb, "acme/base 1.0.0")]).unwrap();
    }
    promote(&world, app, &["acme/base 1.0.0"]).unwrap();
}

#[test]
fn several_come_together_in_any_order() {
    let world = World::new(false);
    let below = World::new(false);
    below.publish(&[("acme/base 1.0.0", &[]), ("acme/app 1.0.0", &["acme/base ^1"])]).unwrap();
    let view = below.fresh_replica();
    let promotion = |text: &str, needs: &[&str], baked: &[&str]| {
        let there = draft(&world.open(), text, needs, "");
        let input_digest = view.index().release(&id(text)).unwrap().map(|view| view.release.input_digest);
        let baked = baked.iter().map(|text| id(text)).collect();
        let draft = Draft { input_digest, ..there };
        Intent::Promote(Box::new(Promotion { draft, baked, from: origin() }))
    };
    let intents = vec![
        promotion("acme/app 1.0.0", &["acme/base ^1"], &["acme/base 1.0.0"]),
        promotion("acme/base 1.0.0", &[], &[]),
    ];
    let receipt = world.submit(intents).unwrap();
    assert!(receipt.outcomes.iter().all(|outcome| outcome.done == Done::Promoted), "{receipt:?}");
}
