//! Releases of a registry below, offered as they are there.

use weir_log::FolderSource;
use weir_model::{Digest, ReleaseId};
use weir_registry::{Batch, Code, Done, Draft, Intent, Promotion, Receipt, Registry as _, SubmitError};

use crate::world::{World, draft};

fn id(text: &str) -> ReleaseId {
    text.parse().unwrap()
}

fn submit(world: &World, promotion: Promotion) -> Result<Receipt, SubmitError> {
    world.submit(vec![Intent::Promote(Box::new(promotion))])
}

/// A release of `below`, to be offered in `world` with what it was made with there.
fn promotion(below: &World, world: &World, text: &str, needs: &[&str], baked: &[&str]) -> Promotion {
    let replica = below.fresh_replica();
    let view = replica.index().release(&id(text)).unwrap().unwrap();
    let proven = replica.proven_record(&FolderSource::new(below.folder()), view.mark.index).unwrap();
    let there = draft(&world.open(), text, needs, "");
    Promotion {
        draft: Draft { input_digest: Some(view.release.input_digest), ..there },
        baked: baked.iter().map(|text| id(text)).collect(),
        from: proven.from,
        entry: proven.entry,
        proof: proven.proof.to_string(),
    }
}

/// `acme/app 1.0.0`, which was made with `acme/base 1.0.0` where it comes from.
fn app(world: &World) -> Promotion {
    let below = World::new(false);
    below.publish(&[("acme/base 1.0.0", &[]), ("acme/app 1.0.0", &["acme/base ^1"])]).unwrap();
    promotion(&below, world, "acme/app 1.0.0", &["acme/base ^1"], &["acme/base 1.0.0"])
}

#[test]
fn a_promotion_is_fixed_to_what_it_was_fixed_to_and_says_where_it_came_from() {
    let world = World::new(false);
    world.publish(&[("acme/base 1.0.0", &[]), ("acme/base 1.1.0", &[])]).unwrap();
    let app = app(&world);
    let receipt = submit(&world, app.clone()).unwrap();
    assert_eq!(receipt.outcomes[0].done, Done::Promoted);
    let view = world.fresh_replica().index().release(&app.draft.id).unwrap().unwrap();
    assert_eq!(view.promoted, Some(app.from.clone()));
    assert_eq!(Some(view.release.input_digest), app.draft.input_digest);
    assert_eq!(view.release.dependencies[0].baked_id(), Some(id("acme/base 1.0.0")));
    let again = submit(&world, app).unwrap();
    assert_eq!((again.outcomes[0].done, again.batch), (Done::Already, None));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let world = World::new(false);
    world.publish(&[("acme/base 2.0.0", &[]), ("acme/other 1.0.0", &[])]).unwrap();
    let app = app(&world);
    let refused = |promotion: Promotion| submit(&world, promotion).unwrap_err().code();
    let with = |baked: &[&str]| {
        refused(Promotion { baked: baked.iter().map(|text| id(text)).collect(), ..app.clone() })
    };
    assert_eq!(with(&[]), Code::DraftDiffers, "nothing is said");
    assert_eq!(with(&["acme/base 2.0.0"]), Code::DraftDiffers, "outside its range");
    assert_eq!(with(&["acme/base 1.0.0", "acme/other 1.0.0"]), Code::DraftDiffers, "one more");
    assert_eq!(refused(app.clone()), Code::Unsatisfiable, "what it was made with is not here");
    world.publish(&[("acme/base 1.0.0", &[])]).unwrap();
    let of = |draft: Draft| refused(Promotion { draft, ..app.clone() });
    let other = Draft { input_digest: Some(Digest::from_bytes([7; 32])), ..app.draft.clone() };
    assert_eq!(of(other), Code::UnexpectedInputs);
    let license = Draft { license: Some("MIT".into()), ..app.draft.clone() };
    assert_eq!(of(license), Code::DraftDiffers, "another licence than its pack says");
    let size = world.open().submit(&Batch::default()).unwrap().size;
    submit(&world, app).unwrap();
    assert_eq!(world.open().submit(&Batch::default()).unwrap().size, size + 1, "nothing was written before");
}

/// The registry below is known by its key, and nobody who promotes can say that it is another.
#[test]
fn where_it_comes_from_is_proven_and_not_said() {
    let world = World::new(false);
    let (below, other) = (World::new(false), World::new(false));
    for registry in [&below, &other] {
        registry.publish(&[("acme/base 1.0.0", &[]), ("acme/more 1.0.0", &[])]).unwrap();
    }
    let good = promotion(&below, &world, "acme/base 1.0.0", &[], &[]);
    let elsewhere = promotion(&other, &world, "acme/base 1.0.0", &[], &[]);
    let another = promotion(&below, &world, "acme/more 1.0.0", &[], &[]);
    assert_ne!(good.from.registry, elsewhere.from.registry, "both have one name, and each its own key");
    let lies = [
        ("that it is of the other", Promotion { from: elsewhere.from.clone(), ..good.clone() }),
        ("a name", {
            let from = weir_model::record::Origin { registry: "org".into(), ..good.from.clone() };
            Promotion { from, ..good.clone() }
        }),
        ("another record", Promotion { entry: another.entry.clone(), ..good.clone() }),
        ("another record, with its proof", {
            let Promotion { entry, proof, from, .. } = another.clone();
            Promotion { entry, proof, from, ..good.clone() }
        }),
        ("another place", {
            let from = weir_model::record::Origin { index: 0, ..good.from.clone() };
            Promotion { from, ..good.clone() }
        }),
        ("no proof", Promotion { proof: String::new(), ..good.clone() }),
    ];
    for (lie, promotion) in lies {
        assert_eq!(submit(&world, promotion).unwrap_err().code(), Code::DraftDiffers, "{lie}");
    }
    submit(&world, good).unwrap();
}

#[test]
fn what_was_yanked_meanwhile_serves_and_what_was_quarantined_does_not() {
    let world = World::new(false);
    world.publish(&[("acme/base 1.0.0", &[])]).unwrap();
    let app = app(&world);
    let verb = weir_model::WithdrawalVerb::Quarantine;
    world.submit(vec![crate::world::withdraw(verb, "acme/base 1.0.0")]).unwrap();
    assert_eq!(submit(&world, app.clone()).unwrap_err().code(), Code::Unsatisfiable);
    for verb in [weir_model::WithdrawalVerb::Unquarantine, weir_model::WithdrawalVerb::Yank] {
        world.submit(vec![crate::world::withdraw(verb, "acme/base 1.0.0")]).unwrap();
    }
    submit(&world, app).unwrap();
}

#[test]
fn several_come_together_in_any_order() {
    let world = World::new(false);
    let below = World::new(false);
    below.publish(&[("acme/base 1.0.0", &[]), ("acme/app 1.0.0", &["acme/base ^1"])]).unwrap();
    let promoted = |text: &str, needs: &[&str], baked: &[&str]| {
        Intent::Promote(Box::new(promotion(&below, &world, text, needs, baked)))
    };
    let intents = vec![
        promoted("acme/app 1.0.0", &["acme/base ^1"], &["acme/base 1.0.0"]),
        promoted("acme/base 1.0.0", &[], &[]),
    ];
    let receipt = world.submit(intents).unwrap();
    assert!(receipt.outcomes.iter().all(|outcome| outcome.done == Done::Promoted), "{receipt:?}");
}
