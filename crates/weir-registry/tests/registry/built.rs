//! Built releases: their evidence, and what was built before.

use weir_model::{
    BuildFacts, Digest, InputDigest, ReleaseId, Sha256, SourceFact, TreeDigest, WithdrawalVerb,
};
use weir_registry::content::ContentFolder;
use weir_registry::{
    BuiltBefore, Done, Draft, Evidence, Intent, Kept, Object, Objects as _, Registry, SubmitError, Withdraw,
};

use crate::world::{World, built, withdraw};

fn publish(draft: &Draft) -> Intent {
    Intent::Publish(Box::new(draft.clone()))
}

fn remove(id: &str) -> Intent {
    Intent::Withdraw(Withdraw::exactly(WithdrawalVerb::Remove, id.parse().unwrap()))
}

fn put_file(registry: &dyn Registry, text: &str) -> Sha256 {
    registry.put_file(&Sha256::of(text), &mut text.as_bytes()).unwrap();
    Digest::of(text)
}

#[test]
fn a_built_release_is_registered_only_when_all_it_was_built_from_is_held() {
    let world = World::new(true);
    let registry = world.open();
    let source = world.draft(&registry, "acme/the-source 1.0.0", &[], "source");
    let mut draft = built(&registry, "acme/a 1.0.0");
    let facts = BuildFacts {
        source: Some(SourceFact { tree: source.tree, size: source.size }),
        provenance: Some(Digest::of("provenance")),
        log: Some(Digest::of("log")),
        recipe_files: vec![Digest::of("a patch")],
        ..BuildFacts::default()
    };
    facts.insert_into(&mut draft.facts);
    world.lose_pack(&source.tree);

    let missing = || match world.submit(vec![publish(&draft)]) {
        Err(SubmitError::EvidenceNotUploaded { missing, .. }) => missing,
        other => panic!("{other:?}"),
    };
    let the_source = Evidence::Source { digest: source.tree, size: source.size };
    let provenance = Evidence::Provenance { digest: Digest::of("provenance") };
    let patch = Evidence::RecipeFile { digest: Digest::of("a patch") };
    assert_eq!(
        missing(),
        [
            Evidence::Recipe { digest: Digest::of("recipe") },
            Evidence::Toolchain { digest: Digest::of("toolchain") },
            the_source,
            provenance,
            Evidence::Log { digest: Digest::of("log") },
            patch,
        ]
    );
    for text in ["recipe", "toolchain", "log"] {
        put_file(&registry, text);
    }
    assert_eq!(missing(), [the_source, provenance, patch]);
    put_file(&registry, "a patch");
    world.draft(&registry, "acme/the-source 1.0.0", &[], "source");
    put_file(&registry, "provenance");
    world.submit(vec![publish(&draft)]).unwrap();
    let replica = world.fresh_replica();
    let view = replica.index().release(&draft.id).unwrap().unwrap();
    assert_eq!(view.release.build(), Some(facts));
}

#[test]
fn build_facts_that_do_not_read_are_refused_rather_than_passed_over() {
    let world = World::new(false);
    let mut draft = built(&world.open(), "acme/a 1.0.0");
    draft.facts.insert("build".into(), serde_json::json!({"log": "yes"}));
    let error = world.submit(vec![publish(&draft)]).unwrap_err();
    assert!(matches!(error, SubmitError::BuildFacts { .. }), "{error}");
}

#[test]
fn an_input_digest_is_bound_to_its_tree_for_ever_and_serves_other_revisions() {
    let world = World::new(true);
    let registry = world.open();
    let first = world.draft(&registry, "acme/a 1.0.0", &[], "");
    let again = |revision: u32, content: &str| {
        let mut draft = world.draft(&registry, "acme/a 1.0.0", &[], content);
        draft.id.revision = revision;
        draft
    };
    // Within one batch, too.
    let error = world.submit(vec![publish(&first), publish(&again(1, "other"))]).unwrap_err();
    assert!(matches!(error, SubmitError::SecondTree { .. }), "{error}");
    world.submit(vec![publish(&first)]).unwrap();
    world.submit(vec![remove("acme/a 1.0.0")]).unwrap();

    let error = world.submit(vec![publish(&again(1, "other"))]).unwrap_err();
    let SubmitError::SecondTree { bound, .. } = &error else { panic!("{error}") };
    assert_eq!(*bound, first.tree);
    let mut same = first.clone();
    same.id.revision = 1;
    assert_eq!(world.submit(vec![publish(&same)]).unwrap().outcomes[0].done, Done::Published);
}

#[test]
fn what_was_built_before_is_found_by_its_input_digest_whatever_became_of_it() {
    let world = World::new(false);
    let registry = world.open();
    let draft = world.draft(&registry, "acme/a 1.0.0", &[], "");
    let input_digest = world.submit(vec![publish(&draft)]).unwrap().outcomes[0].input_digest.unwrap();
    let find = |content: &ContentFolder| {
        let holds = |tree: &TreeDigest| content.find(Object::Pack(*tree)).unwrap().is_some();
        BuiltBefore::find(world.fresh_replica().index(), &input_digest, holds).unwrap().unwrap()
    };
    assert_eq!(find(&world.content()).kept, Kept::Yes);
    world.submit(vec![withdraw(WithdrawalVerb::Quarantine, "acme/a 1.0.0")]).unwrap();
    assert_eq!(find(&world.content()).kept, Kept::Quarantined);
    world
        .submit(vec![withdraw(WithdrawalVerb::Unquarantine, "acme/a 1.0.0"), remove("acme/a 1.0.0")])
        .unwrap();
    let found = find(&world.content());
    assert_eq!((found.kept, found.tree), (Kept::Yes, draft.tree));
    let id: ReleaseId = "acme/a 1.0.0".parse().unwrap();
    assert_eq!(found.newest().unwrap().release.id, id);
    world.lose_pack(&draft.tree);
    assert_eq!(find(&world.content()).kept, Kept::No);
    let package = world.fresh_replica().index().package(&id.name).unwrap().unwrap();
    assert_eq!(package.next_revision(&id.version, &id.platform), 1);
    assert_eq!(package.next_revision(&"1.0.1".parse().unwrap(), &id.platform), 0);
    let none = BuiltBefore::find(world.fresh_replica().index(), &Digest::of("other"), |_| true);
    assert_eq!(none.unwrap(), None);
}

#[test]
fn what_is_quarantined_under_one_input_digest_is_not_reused_under_another() {
    let world = World::new(false);
    let registry = world.open();
    // What recipes build says nowhere which release it is.
    let first = built(&registry, "acme/a 1.0.0");
    put_file(&registry, "recipe");
    put_file(&registry, "toolchain");
    let mut second = first.clone();
    second.id = "acme/b 1.0.0".parse().unwrap();
    let outcomes = world.submit(vec![publish(&first), publish(&second)]).unwrap().outcomes;
    let input_digests: Vec<InputDigest> =
        outcomes.iter().map(|outcome| outcome.input_digest.unwrap()).collect();
    assert!(input_digests[0] != input_digests[1] && first.tree == second.tree);
    // As long as another release offers it, it may be had.
    world.submit(vec![withdraw(WithdrawalVerb::Quarantine, "acme/a 1.0.0")]).unwrap();
    let found = BuiltBefore::find(world.fresh_replica().index(), &input_digests[1], |_| true);
    assert_eq!(found.unwrap().unwrap().kept, Kept::Yes);
    world.submit(vec![remove("acme/b 1.0.0")]).unwrap();
    for input_digest in input_digests {
        let found =
            BuiltBefore::find(world.fresh_replica().index(), &input_digest, |_| panic!("it is withdrawn"));
        assert_eq!(found.unwrap().unwrap().kept, Kept::Quarantined);
    }
}

#[test]
fn what_was_built_against_one_release_is_not_published_against_another() {
    let world = World::new(true);
    let registry = world.open();
    let below = world.draft(&registry, "acme/z 1.0.0", &[], "z");
    world.submit(vec![publish(&below)]).unwrap();
    let mut draft = world.draft(&registry, "acme/a 1.0.0", &["acme/z ^1"], "a");
    draft.input_digest = Some(Digest::of("the input digest of another world"));
    let error = world.submit(vec![publish(&draft)]).unwrap_err();
    let SubmitError::UnexpectedInputs { computed, .. } = error else { panic!("{error}") };
    draft.input_digest = Some(computed);
    world.submit(vec![publish(&draft)]).unwrap();
}
