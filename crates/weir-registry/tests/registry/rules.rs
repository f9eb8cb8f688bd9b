//! What may be published, and by whom.

use weir_log::FolderSource;
use weir_model::WithdrawalVerb;
use weir_registry::content::open_pack;
use weir_registry::{Batch, Done, Intent, Registry as _, SubmitError, Withdraw};

use crate::world::{World, every_build, now, withdraw};

#[test]
fn publishing_again_what_is_there_is_harmless_and_other_content_is_a_conflict() {
    let world = World::new(false);
    assert_eq!(world.publish(&[("acme/a 1.0.0", &[])]).unwrap().outcomes[0].done, Done::Published);
    let again = world.publish(&[("acme/a 1.0.0", &[])]).unwrap();
    assert_eq!((again.outcomes[0].done, again.batch), (Done::Already, None));
    let registry = world.open();
    let other = world.draft(&registry, "acme/a 1.0.0", &[], "changed");
    let error = world.submit(vec![Intent::Publish(Box::new(other))]).unwrap_err();
    assert!(matches!(error, SubmitError::AlreadyPublished { .. }), "{error}");
}

#[test]
fn a_record_is_never_appended_before_its_content_is_held() {
    let world = World::new(false);
    let registry = world.open();
    let draft = world.draft(&registry, "acme/a 1.0.0", &[], "");
    world.lose_pack(&draft.tree);
    let error = world.submit(vec![Intent::Publish(Box::new(draft))]).unwrap_err();
    assert!(matches!(error, SubmitError::NotUploaded { .. }), "{error}");
    assert_eq!(world.fresh_replica().index().stats().unwrap().records, 1);
}

#[test]
fn what_a_release_needs_must_be_there_and_is_fixed_to_the_newest_in_range() {
    let world = World::new(false);
    let error = world.publish(&[("acme/top 1.0.0", &["acme/base ^1"])]).unwrap_err();
    assert!(matches!(error, SubmitError::Unsatisfiable { .. }), "{error}");
    world.publish(&[("acme/base 1.0.0", &[]), ("acme/base 1.2.0", &[]), ("acme/base 2.0.0", &[])]).unwrap();
    world.submit(vec![withdraw(WithdrawalVerb::Yank, "acme/base 1.2.0")]).unwrap();
    let receipt = world.publish(&[("acme/top 1.0.0", &["acme/base ^1"])]).unwrap();
    assert_eq!(receipt.outcomes[0].baked[0].to_string(), "acme/base 1.0.0");
    let error = world.publish(&[("acme/top 1.1.0", &["acme/base ^3"])]).unwrap_err();
    assert!(error.to_string().contains("`acme/base` ^3"), "{error}");
}

#[test]
fn a_batch_may_hold_packages_that_need_each_other_in_any_order_but_not_in_a_circle() {
    let world = World::new(false);
    world.publish(&[("acme/top 1.0.0", &["acme/base ^1"]), ("acme/base 1.0.0", &[])]).unwrap();
    let error =
        world.publish(&[("acme/x 1.0.0", &["acme/y *"]), ("acme/y 1.0.0", &["acme/x *"])]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "packages cannot be built with one another: acme/x 1.0.0 needs acme/y 1.0.0 needs acme/x 1.0.0"
    );
    world.publish(&[("acme/x 1.0.0", &["acme/y *"]), ("acme/y 1.0.0", &["~acme/x *"])]).unwrap();
}

#[test]
fn one_bad_intent_keeps_the_whole_batch_out() {
    let world = World::new(false);
    let registry = world.open();
    let good = Intent::Publish(Box::new(world.draft(&registry, "acme/good 1.0.0", &[], "")));
    let bad = withdraw(WithdrawalVerb::Yank, "acme/none 1.0.0");
    assert!(matches!(world.submit(vec![good, bad]), Err(SubmitError::UnknownPackage { .. })));
    assert_eq!(world.fresh_replica().index().stats().unwrap().records, 1);
}

#[test]
fn an_owner_belongs_to_whoever_published_first_and_can_be_shared() {
    let world = World::new(false);
    world.publish(&[("acme/a 1.0.0", &[])]).unwrap();
    let registry = world.open();
    let by_bob = || Batch {
        intents: vec![Intent::Publish(Box::new(world.draft(&registry, "acme/b 1.0.0", &[], "")))],
    };
    let error = world.open_as("bob", now()).submit(&by_bob()).unwrap_err();
    assert!(matches!(error, SubmitError::Refused(_)), "{error}");
    let who = vec!["user:ann".into(), "user:bob".into()];
    world.submit(vec![Intent::Claim { owner: "acme".parse().unwrap(), who }]).unwrap();
    world.open_as("bob", now()).submit(&by_bob()).unwrap();
}

#[test]
fn names_that_can_be_mistaken_for_each_other_are_refused() {
    let world = World::new(false);
    world.publish(&[("acme/data-set 1.0.0", &[])]).unwrap();
    for name in ["acme/data_set 1.0.0", "acme/Data-Set 1.0.0", "Acme/other 1.0.0"] {
        let error = world.publish(&[(name, &[])]).unwrap_err();
        assert!(matches!(error, SubmitError::Confusable { .. }), "{name}: {error}");
    }
}

#[test]
fn what_was_removed_never_comes_back_and_what_is_quarantined_is_not_served() {
    let world = World::new(false);
    world.publish(&[("acme/a 1.0.0", &[]), ("acme/b 1.0.0", &[])]).unwrap();
    world.submit(vec![withdraw(WithdrawalVerb::Remove, "acme/a 1.0.0")]).unwrap();
    let error = world.publish(&[("acme/a 1.0.0", &[])]).unwrap_err();
    assert!(matches!(error, SubmitError::WasRemoved { .. }), "{error}");

    let registry = world.open();
    let draft = world.draft(&registry, "acme/b 1.0.0", &[], "");
    world.submit(vec![withdraw(WithdrawalVerb::Quarantine, "acme/b 1.0.0")]).unwrap();
    let source = FolderSource::new(world.folder());
    let is_served = || open_pack(&source, &draft.tree, 0).unwrap().is_some();
    assert!(!is_served());
    let mut same = draft.clone();
    same.id.version = "1.0.1".parse().unwrap();
    let error = world.submit(vec![Intent::Publish(Box::new(same))]).unwrap_err();
    assert!(matches!(error, SubmitError::QuarantinedContent { .. }), "{error}");
    world.submit(vec![withdraw(WithdrawalVerb::Unquarantine, "acme/b 1.0.0")]).unwrap();
    assert!(is_served());
}

#[test]
fn a_batch_that_takes_back_what_it_did_leaves_all_as_it_was() {
    let world = World::new(false);
    let draft = world.draft(&world.open(), "acme/a 1.0.0", &[], "");
    world.submit(vec![Intent::Publish(Box::new(draft.clone()))]).unwrap();
    let what = |verb| withdraw(verb, "acme/a 1.0.0");
    let source = FolderSource::new(world.folder());
    let is_served = || open_pack(&source, &draft.tree, 0).unwrap().is_some();
    let view = || world.fresh_replica().index().release(&"acme/a 1.0.0".parse().unwrap()).unwrap().unwrap();

    world.submit(vec![what(WithdrawalVerb::Quarantine), what(WithdrawalVerb::Unquarantine)]).unwrap();
    assert_eq!((view().quarantined.is_some(), is_served()), (false, true));
    world.submit(vec![what(WithdrawalVerb::Yank), what(WithdrawalVerb::Unyank)]).unwrap();
    assert!(view().yanked.is_none());

    world.submit(vec![what(WithdrawalVerb::Quarantine)]).unwrap();
    world.submit(vec![what(WithdrawalVerb::Unquarantine), what(WithdrawalVerb::Quarantine)]).unwrap();
    assert_eq!((view().quarantined.is_some(), is_served()), (true, false));
}

#[test]
fn a_release_states_the_size_that_its_pack_is_held_with() {
    let world = World::new(false);
    let mut draft = world.draft(&world.open(), "acme/a 1.0.0", &[], "");
    draft.size += 1;
    let error = world.submit(vec![Intent::Publish(Box::new(draft))]).unwrap_err();
    assert!(matches!(error, SubmitError::OtherSize { .. }), "{error}");
}

#[test]
fn content_is_served_as_long_as_readers_may_have_a_release_of_it() {
    let world = World::new(false);
    let registry = world.open();
    let first = world.draft(&registry, "acme/a 1.0.0", &[], "");
    let mut again = first.clone();
    again.id.revision = 1;
    let drafts = || vec![Intent::Publish(Box::new(first.clone())), Intent::Publish(Box::new(again.clone()))];
    world.submit(drafts()).unwrap();
    let source = FolderSource::new(world.folder());
    let is_served = || open_pack(&source, &first.tree, 0).unwrap().is_some();
    let one = |verb, revision: u32| {
        Intent::Withdraw(Withdraw { revision: Some(revision), ..every_build(verb, "acme/a 1.0.0") })
    };
    // Both at once, one after the other, and what is left when the other is removed.
    world.submit(vec![withdraw(WithdrawalVerb::Quarantine, "acme/a 1.0.0")]).unwrap();
    assert!(!is_served());
    world.submit(vec![one(WithdrawalVerb::Unquarantine, 0)]).unwrap();
    assert!(is_served());
    world.submit(vec![one(WithdrawalVerb::Remove, 0)]).unwrap();
    assert!(!is_served());
    world.submit(vec![one(WithdrawalVerb::Unquarantine, 1)]).unwrap();
    assert!(is_served());
    // Removing what is quarantined does not bring it back, neither as it was nor as another version.
    world.submit(vec![one(WithdrawalVerb::Quarantine, 1), one(WithdrawalVerb::Remove, 1)]).unwrap();
    assert!(!is_served());
    let mut other = first.clone();
    other.id.version = "1.0.1".parse().unwrap();
    let error = world.submit(vec![Intent::Publish(Box::new(other))]).unwrap_err();
    assert!(matches!(error, SubmitError::QuarantinedContent { .. }), "{error}");
}
