//! What each record does to the view, and which records it refuses.

use weir_index::{FoldError, Tier};
use weir_model::record::{Adoption, Description, Hold};
use weir_model::{Action, Digest, KindName, WithdrawalVerb};
use weir_rules::Standing;

use crate::support::{Log, above, fold, id, needing, release, withdraw};

fn refused(log: &Log) -> FoldError {
    let mut index = weir_index::Index::in_memory().unwrap();
    let last = log.0.len() - 1;
    fold(&mut index, log, 0..last).unwrap();
    let before = index.dump().unwrap();
    let error = fold(&mut index, log, last..log.0.len()).unwrap_err();
    assert_eq!(index.dump().unwrap(), before, "a refused entry changed the view");
    error
}

#[test]
fn a_published_release_is_offered_with_every_fact_of_its_record() {
    let mut log = Log::default();
    let greet = release("acme/greet 1.2.0");
    log.publish(greet.clone());
    let view = log.folded().release(&greet.id).unwrap().unwrap();
    assert_eq!(view.release, greet);
    assert_eq!((view.standing(), view.mark.index, view.mark.by.as_str()), (Standing::Offered, 0, "user:ann"));
    assert_eq!(view.origin, None);
}

#[test]
fn an_admitted_release_says_where_it_came_from() {
    let mut log = Log::default();
    let greet = release("acme/greet 1.2.0");
    log.admit(greet.clone());
    let view = log.folded().release(&greet.id).unwrap().unwrap();
    assert_eq!(view.origin.unwrap().registry, "up");
    assert_eq!(view.promoted, None);
}

#[test]
fn a_promoted_release_says_where_it_came_up_from_and_is_this_registrys_own() {
    let mut log = Log::default();
    let greet = release("acme/greet 1.2.0");
    log.promote(greet.clone());
    let view = log.folded().release(&greet.id).unwrap().unwrap();
    assert_eq!((view.promoted.unwrap().registry.as_str(), view.origin), ("below", None));
    assert_eq!(view.release, greet);
}

#[test]
fn withdrawals_add_up_and_the_strongest_counts() {
    let mut log = Log::default();
    log.publish(release("acme/greet 1.2.0"));
    let steps: [(Action, Standing); 6] = [
        (withdraw(WithdrawalVerb::Yank, "acme/greet 1.2.0", "slow"), Standing::Yanked),
        (withdraw(WithdrawalVerb::Quarantine, "acme/greet 1.2.0", "malware?"), Standing::Quarantined),
        (withdraw(WithdrawalVerb::Unyank, "acme/greet 1.2.0", ""), Standing::Quarantined),
        (withdraw(WithdrawalVerb::Yank, "acme/greet 1.2.0", "slow again"), Standing::Quarantined),
        (withdraw(WithdrawalVerb::Unquarantine, "acme/greet 1.2.0", ""), Standing::Yanked),
        (withdraw(WithdrawalVerb::Unyank, "acme/greet 1.2.0", ""), Standing::Offered),
    ];
    for (action, expected) in steps {
        log.say(action);
        let view = log.folded().release(&id("acme/greet 1.2.0")).unwrap().unwrap();
        assert_eq!(view.standing(), expected);
        assert_eq!(view.withdrawn().is_some(), expected != Standing::Offered);
    }
}

#[test]
fn a_removed_release_is_out_of_the_view_and_its_input_digest_stays_bound() {
    let mut log = Log::default();
    let greet = release("acme/greet 1.2.0");
    log.publish(greet.clone());
    log.say(withdraw(WithdrawalVerb::Remove, "acme/greet 1.2.0", "licence"));
    let index = log.folded();
    let package = index.package(&greet.id.name).unwrap().unwrap();
    assert!(package.releases.is_empty() && package.newest().is_none());
    assert_eq!(package.removed[0].removed.as_ref().unwrap().reason.as_deref(), Some("licence"));
    assert!(index.candidates(&greet.id.name).unwrap().unwrap().releases.is_empty());
    assert_eq!(index.live_releases().count(), 0);
    assert_eq!(index.by_input_digest(&greet.input_digest).unwrap().len(), 1);

    let mut again = greet;
    again.id.revision = 1;
    again.tree = Digest::of("another tree");
    log.publish(again);
    let FoldError::SecondTree { first: 0, index: 2, .. } = refused(&log) else {
        panic!("not refused as it should")
    };
}

#[test]
fn a_second_tree_for_an_input_digest_is_refused_with_both_entries() {
    let mut log = Log::default();
    let one = release("acme/greet 1.2.0");
    let mut other = release("acme/greet 1.2.0 revision 1");
    other.tree = Digest::of("another tree");
    log.publish(one.clone());
    log.publish(other);
    let error = refused(&log);
    assert!(error.is_integrity());
    let message = error.to_string();
    assert!(message.contains("entry 0") && message.contains("entry 1"), "{message}");
    assert!(message.contains(&one.input_digest.to_string()), "{message}");
}

#[test]
fn a_release_is_published_once() {
    let mut log = Log::default();
    log.publish(release("acme/greet 1.2.0"));
    log.publish(release("acme/greet 1.2.0"));
    assert!(matches!(refused(&log), FoldError::Duplicate { first: 0, index: 1, .. }));
}

#[test]
fn revisions_only_grow_even_after_removal() {
    let mut log = Log::default();
    log.publish(release("acme/greet 1.2.0 revision 2"));
    log.say(withdraw(WithdrawalVerb::Remove, "acme/greet 1.2.0 revision 2", ""));
    let mut lower = log.clone();
    lower.publish(release("acme/greet 1.2.0 revision 1"));
    let error = refused(&lower);
    assert!(matches!(error, FoldError::RevisionWentBack { newest: 2, first: 0, index: 2, .. }), "{error}");
    let mut same = log.clone();
    same.publish(release("acme/greet 1.2.0 revision 2"));
    assert!(matches!(refused(&same), FoldError::Duplicate { first: 0, index: 2, .. }));
    log.publish(release("acme/greet 1.2.0 revision 3"));
    log.publish(release("acme/greet 1.2.0 x86-64-debian-12 revision 1"));
    assert_eq!(log.folded().stats().unwrap().offered, 2);
}

#[test]
fn what_a_release_was_built_with_was_published_before_it() {
    let base = release("acme/base 1.0.0");
    let user = needing(release("acme/user 1.0.0"), "acme/base", "^1", Some(&base));
    let mut log = Log::default();
    log.publish(user.clone());
    let error = refused(&log);
    assert!(error.is_integrity());
    assert_eq!(
        error.to_string(),
        "entry 0 of the log publishes `acme/user 1.0.0` as built with `acme/base 1.0.0`, which was never published"
    );

    let mut log = Log::default();
    log.publish(base.clone());
    log.publish(user.clone());
    let index = log.folded();
    assert_eq!(index.release(&user.id).unwrap().unwrap().release, user);
}

#[test]
fn what_is_said_about_an_unknown_or_removed_release_is_refused() {
    let mut log = Log::default();
    log.publish(release("acme/greet 1.2.0"));
    let mut unknown = log.clone();
    unknown.say(withdraw(WithdrawalVerb::Yank, "acme/greet 1.2.1", ""));
    let error = refused(&unknown);
    assert!(
        matches!(error, FoldError::UnknownRelease { verb: WithdrawalVerb::Yank, index: 1, .. }),
        "{error}"
    );
    log.say(withdraw(WithdrawalVerb::Remove, "acme/greet 1.2.0", ""));
    log.say(withdraw(WithdrawalVerb::Quarantine, "acme/greet 1.2.0", ""));
    let error = refused(&log);
    assert!(
        matches!(error, FoldError::Removed { verb: WithdrawalVerb::Quarantine, removed: 1, index: 2, .. }),
        "{error}"
    );
}

#[test]
fn an_upstream_that_goes_back_or_changes_is_refused() {
    let seen = |size, root: &str| Action::Upstream { registry: "up".into(), size, root: Digest::of(root) };
    let mut log = Log::default();
    log.say(seen(10, "a"));
    log.say(seen(10, "a"));
    log.say(seen(12, "b"));
    let facts = log.folded().facts().unwrap();
    assert_eq!((facts.cursors[0].size, facts.cursors[0].mark.index), (12, 2));
    let mut back = log.clone();
    back.say(seen(11, "c"));
    assert!(matches!(refused(&back), FoldError::UpstreamWentBack { first: 2, first_size: 12, size: 11, .. }));
    log.say(seen(12, "c"));
    assert!(matches!(refused(&log), FoldError::UpstreamRewritten { first: 2, index: 3, .. }));
}

#[test]
fn what_a_description_leaves_out_stays_as_it_was() {
    let mut log = Log::default();
    let keys = Some(vec!["org+1234+key".to_owned()]);
    log.say(Action::Describe(Description {
        keys: keys.clone(),
        closed: Some(true),
        ..Description::default()
    }));
    log.say(Action::Describe(Description {
        closed: Some(false),
        upstreams: Some(vec![above("up")]),
        kinds: Some(vec![KindName::Bash]),
        name: Some("org".into()),
        validity: Some(60),
        ..Description::default()
    }));
    log.say(Action::Policy { digest: Digest::of("policy") });
    log.say(Action::Claim { owner: "acme".parse().unwrap(), who: vec!["user:ann".into()] });
    log.say(Action::Claim { owner: "acme".parse().unwrap(), who: vec!["user:bob".into()] });
    let index = log.folded();
    let facts = index.facts().unwrap();
    assert_eq!((&facts.keys, facts.is_closed()), (&keys, false));
    assert_eq!((facts.name.as_deref(), facts.validity()), (Some("org"), Some(60)));
    assert!(facts.takes(KindName::Bash) && !facts.takes(KindName::Data));
    assert_eq!(facts.described.unwrap().index, 1);
    assert_eq!(facts.policy.unwrap().0, Digest::of("policy"));
    assert_eq!(index.owner(&"acme".parse().unwrap()).unwrap().unwrap().who, ["user:bob"]);
}

#[test]
fn entries_come_in_order_and_known_ones_are_skipped() {
    let mut log = Log::default();
    for version in 0..4 {
        log.publish(release(&format!("acme/greet 1.{version}.0")));
    }
    let mut index = weir_index::Index::in_memory().unwrap();
    fold(&mut index, &log, 0..3).unwrap();
    let gap = fold(&mut index, &Log([log.0.clone(), log.0.clone()].concat()), 4..5).unwrap_err();
    assert!(matches!(gap, FoldError::Gap { expected: 3, found: 4 }) && !gap.is_integrity());
    // Someone who lags behind changes nothing, not even the saved state.
    fold(&mut index, &log, 0..2).unwrap();
    let position = index.position().unwrap();
    assert_eq!((position.size, position.state.as_slice()), (3, b"state 3".as_slice()));
    fold(&mut index, &log, 1..4).unwrap();
    assert_eq!(index.position().unwrap().size, 4);
}

#[test]
fn after_an_error_a_fold_can_only_be_dropped() {
    let mut log = Log::default();
    log.publish(release("acme/greet 1.2.0"));
    let mut index = weir_index::Index::in_memory().unwrap();
    let mut fold = index.begin().unwrap();
    assert!(matches!(fold.entry(0, b"{}"), Err(FoldError::Record { index: 0, .. })));
    assert!(matches!(fold.entry(0, &log.0[0]), Err(FoldError::Failed)));
    assert!(matches!(fold.finish(b""), Err(FoldError::Failed)));
    assert_eq!(index.position().unwrap().size, 0);
}

#[test]
fn of_entries_that_go_together_all_are_folded_or_none_and_the_fold_goes_on() {
    let (a, b, c) = (release("acme/a 1.0.0"), release("acme/b 1.0.0"), release("acme/c 1.0.0"));
    let mut log = Log::default();
    log.publish(a.clone());
    log.publish(c.clone());
    let mut broken = Log::default();
    broken.say(Action::Claim { owner: "acme".parse().unwrap(), who: Vec::new() });
    broken.publish(needing(b.clone(), "other/new", "^1", None));
    broken.publish(a.clone());

    let mut index = weir_index::Index::in_memory().unwrap();
    let mut fold = index.begin().unwrap();
    fold.all_or_none([log.0[0].as_slice()]).unwrap();
    assert!(fold.view().unwrap().candidates(&a.id.name).unwrap().is_some(), "what was folded is seen");
    let refused = fold.all_or_none(broken.0.iter().map(Vec::as_slice)).unwrap_err();
    assert!(matches!(refused, FoldError::Duplicate { first: 0, index: 3, .. }), "{refused}");
    assert!(fold.view().unwrap().release(&b.id).unwrap().is_none());
    fold.all_or_none([log.0[1].as_slice()]).unwrap();
    fold.finish(b"state 2").unwrap();
    assert_eq!(index.dump().unwrap(), log.folded().dump().unwrap());
}

fn claim(owner: &str) -> Action {
    Action::Claim { owner: owner.parse().unwrap(), who: vec!["user:ann".into()] }
}

fn adopt(name: &str, back: bool) -> Action {
    Action::Adopt(Adoption { name: name.parse().unwrap(), back })
}

/// Whatever comes first, the releases of a name are one owner's.
#[test]
fn a_name_is_bound_to_the_tier_that_had_its_owner_first() {
    // Claimed here: nothing is admitted.
    let mut log = Log::default();
    log.say(claim("acme"));
    log.publish(release("acme/greet 1.0.0"));
    log.admit(release("acme/other 1.0.0"));
    assert!(matches!(refused(&log), FoldError::OtherTier { to: Tier::Here, .. }));
    // Admitted: nothing is published, nor claimed, nor admitted from another.
    let mut above = Log::default();
    above.admit(release("acme/greet 1.0.0"));
    assert_eq!(
        above.folded().tier_of(&"acme/other".parse().unwrap()).unwrap(),
        Some(Tier::Above("up".into()))
    );
    let mut log = above.clone();
    log.publish(release("acme/other 1.0.0"));
    assert!(matches!(refused(&log), FoldError::OtherTier { to: Tier::Above(_), .. }));
    let mut log = above.clone();
    log.say(claim("acme"));
    assert!(matches!(refused(&log), FoldError::ClaimedAbove { .. }));
    let mut log = above.clone();
    log.admit_from("other", release("acme/other 1.0.0"));
    assert!(matches!(refused(&log), FoldError::OtherTier { to: Tier::Above(_), .. }));
    // Once nothing is offered of it, it can be claimed.
    let mut log = above;
    log.say(withdraw(WithdrawalVerb::Remove, "acme/greet 1.0.0", "gone"));
    log.say(claim("acme"));
    log.publish(release("acme/greet 1.1.0"));
    let index = log.folded();
    assert_eq!(index.tier_of(&"acme/greet".parse().unwrap()).unwrap(), Some(Tier::Here));
}

#[test]
fn a_package_is_adopted_and_given_back() {
    let mut log = Log::default();
    log.say(adopt("acme/greet", false));
    assert!(matches!(refused(&log), FoldError::NotAdopted { .. }));
    let mut log = Log::default();
    log.admit(release("acme/greet 1.0.0"));
    log.say(adopt("acme/greet", false));
    let mut again = log.clone();
    again.admit(release("acme/greet 1.1.0"));
    assert!(matches!(refused(&again), FoldError::OtherTier { to: Tier::Here, .. }));
    // What else its owner has still comes from above.
    log.admit(release("acme/other 1.0.0"));
    log.publish(release("acme/greet 1.0.1"));
    let mut back = log.clone();
    back.say(adopt("acme/greet", true));
    assert!(matches!(refused(&back), FoldError::NotAdopted { .. }));
    log.say(withdraw(WithdrawalVerb::Remove, "acme/greet 1.0.1", "gone"));
    log.say(adopt("acme/greet", true));
    log.admit(release("acme/greet 1.1.0"));
    assert!(log.folded().adopted().unwrap().is_empty());
}

#[test]
fn what_is_held_is_told_until_it_is_admitted() {
    let mut log = Log::default();
    let hold = |reason: &str| {
        Action::Hold(Hold {
            id: id("acme/greet 1.0.0"),
            registry: "up".into(),
            policy: "cooldown".into(),
            reason: reason.into(),
            until: None,
        })
    };
    log.say(hold("too young"));
    log.say(hold("still too young"));
    let held = log.folded().held_of(&"acme/greet".parse().unwrap()).unwrap();
    assert_eq!(held.iter().map(|held| held.hold.reason.as_str()).collect::<Vec<_>>(), ["still too young"]);
    log.admit(release("acme/greet 1.0.0"));
    assert!(log.folded().held(10).unwrap().is_empty());
    log.say(hold("too late"));
    assert!(matches!(refused(&log), FoldError::HeldHere { .. }));
}

/// Whoever keeps a registry above can write a reason as long as an entry: below nobody has to read it.
#[test]
fn a_reason_that_no_registry_would_take_is_cut() {
    let mut log = Log::default();
    let long = "é".repeat(20_000);
    log.publish(release("acme/greet 1.0.0"));
    log.say(withdraw(WithdrawalVerb::Quarantine, "acme/greet 1.0.0", &long));
    log.say(Action::Hold(Hold {
        id: id("acme/greet 2.0.0"),
        registry: "up".into(),
        policy: "cooldown".into(),
        reason: long.clone(),
        until: None,
    }));
    let folded = log.folded();
    let name = "acme/greet".parse().unwrap();
    let quarantined = folded.release(&id("acme/greet 1.0.0")).unwrap().unwrap().quarantined.unwrap();
    let held = folded.held_of(&name).unwrap().remove(0).hold;
    for reason in [quarantined.reason.unwrap(), held.reason] {
        assert_eq!(reason.chars().count(), weir_model::record::LONGEST_REASON);
        assert!(reason.ends_with("é…"));
        assert_eq!(weir_model::record::reason(reason.clone()), reason);
    }
    assert_eq!(weir_model::record::reason("é".repeat(1000)).chars().filter(|c| *c == 'é').count(), 1000);
}
