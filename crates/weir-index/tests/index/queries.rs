//! Questions with one answer.

use weir_index::PackageFilter;
use weir_model::{Action, KindName, PackageName, WithdrawalVerb};
use weir_rules::Standing;

use crate::support::{Log, needing, of_kind, release, withdraw};

fn name(text: &str) -> PackageName {
    text.parse().unwrap()
}

#[test]
fn a_package_lists_its_releases_newest_first() {
    let mut log = Log::default();
    for text in
        ["a/b 1.9.0", "a/b 1.10.0", "a/b 2.0.0-beta", "a/b 1.10.0 revision 1", "a/b 1.10.0 x86-64-debian-12"]
    {
        log.publish(release(text));
    }
    let index = log.folded();
    let package = index.package(&name("a/b")).unwrap().unwrap();
    let shown: Vec<String> = package.releases.iter().map(|view| view.release.id.to_string()).collect();
    assert_eq!(
        shown,
        ["a/b 2.0.0-beta", "a/b 1.10.0 revision 1", "a/b 1.10.0", "a/b 1.10.0 x86-64-debian-12", "a/b 1.9.0"]
    );
    assert_eq!(package.newest().unwrap().release.id.to_string(), "a/b 1.10.0 x86-64-debian-12");
    assert_eq!(index.package(&name("a/c")).unwrap(), None);
}

#[test]
fn candidates_say_what_the_releases_say() {
    let mut log = Log::default();
    let base = release("a/base 1.4.2");
    log.publish(base.clone());
    let user =
        needing(needing(release("a/user 1.0.0"), "a/base", "^1.4", Some(&base)), "b/absent", "*", None);
    log.publish(user.clone());
    log.publish(needing(release("a/user 1.1.0"), "a/base", "^1.4", Some(&base)));
    log.say(withdraw(WithdrawalVerb::Quarantine, "a/user 1.1.0", "malware"));
    let index = log.folded();
    let candidates = index.candidates(&name("a/user")).unwrap().unwrap();
    assert_eq!(candidates.releases.len(), 2);
    assert_eq!(candidates.releases[0].standing, Standing::Quarantined);
    assert_eq!(candidates.releases[0].reason.as_deref(), Some("malware"));
    let oldest = &candidates.releases[1];
    assert_eq!(
        (oldest.index, oldest.input_digest, oldest.standing),
        (1, user.input_digest, Standing::Offered)
    );
    assert_eq!(index.dependencies(&candidates, oldest).unwrap(), user.dependencies);
    assert!(index.candidates(&name("b/absent")).unwrap().is_none());
    assert!(index.package(&name("b/absent")).unwrap().is_none());
}

#[test]
fn dependents_are_found_directly_and_through_others() {
    let mut log = Log::default();
    let base = release("a/base 1.4.2");
    let middle = needing(release("a/middle 1.0.0"), "a/base", "^1.4", Some(&base));
    let top = needing(release("a/top 1.0.0"), "a/middle", "^1", Some(&middle));
    let fluid = needing(release("a/fluid 1.0.0"), "a/base", "*", None);
    for release in [&base, &middle, &top, &fluid] {
        log.publish(release.clone());
    }
    let index = log.folded();
    let direct = index.dependents(&name("a/base")).unwrap();
    let shown: Vec<_> = direct
        .iter()
        .map(|dependent| (dependent.id.to_string(), dependent.dependency.range.to_string()))
        .collect();
    assert_eq!(shown, [("a/fluid 1.0.0".into(), "*".into()), ("a/middle 1.0.0".into(), "^1.4".to_owned())]);
    assert_eq!(index.package(&name("a/base")).unwrap().unwrap().dependents, 2);

    log.say(withdraw(WithdrawalVerb::Remove, "a/middle 1.0.0", ""));
    let index = log.folded();
    assert_eq!(index.package(&name("a/base")).unwrap().unwrap().dependents, 1);
}

#[test]
fn a_release_is_found_by_its_input_digest_tree_and_entry() {
    let mut log = Log::default();
    let one = release("a/b 1.0.0");
    log.publish(one.clone());
    log.publish(release("a/b 1.0.0 revision 1"));
    let index = log.folded();
    assert_eq!(index.by_input_digest(&one.input_digest).unwrap().len(), 2);
    assert_eq!(index.by_tree(&one.tree).unwrap()[1].release.id.revision, 1);
}

#[test]
fn names_that_look_alike_are_found_and_the_same_name_is_not() {
    let mut log = Log::default();
    log.publish(needing(release("acme/data-set 1.0.0"), "Other/thing", "*", None));
    log.say(Action::Claim { owner: "Some.Body".parse().unwrap(), who: vec![] });
    let index = log.folded();
    assert_eq!(index.confusable_with(&name("Acme/Data_Set")).unwrap(), Some(name("acme/data-set")));
    assert_eq!(index.confusable_with(&name("acme/data-set")).unwrap(), None);
    assert_eq!(
        index.confusable_with(&name("other/thing")).unwrap(),
        None,
        "a name that is only needed is free"
    );
    let owner =
        |text: &str| index.confusable_owner(&text.parse().unwrap()).unwrap().map(|owner| owner.to_string());
    assert_eq!(owner("ACME").as_deref(), Some("acme"));
    assert_eq!(owner("some-body").as_deref(), Some("Some.Body"));
    assert_eq!(owner("acme"), None);
    assert_eq!(owner("acm"), None);
}

#[test]
fn a_mistyped_name_finds_the_one_that_was_meant() {
    let mut log = Log::default();
    for text in ["acme/greet 1.0.0", "acme/greeter 1.0.0", "zed/unlike 1.0.0"] {
        log.publish(release(text));
    }
    let index = log.folded();
    assert_eq!(index.similar_names("acme/gret", 5).unwrap(), [name("acme/greet"), name("acme/greeter")]);
    assert_eq!(index.similar_names("gret", 1).unwrap(), [name("acme/greet")]);
    assert!(index.similar_names("completely different", 5).unwrap().is_empty());
}

#[test]
fn packages_are_listed_by_name_page_by_page() {
    let mut log = Log::default();
    for text in ["b/two 1.0.0", "a/one 1.0.0", "b/one 1.0.0", "ba/x 1.0.0"] {
        log.publish(release(text));
    }
    log.publish(of_kind(release("b/elm 1.0.0"), KindName::Elm));
    let index = log.folded();
    let list = |prefix: Option<&str>, kind, after: Option<&str>, limit| {
        let filter = PackageFilter { prefix: prefix.map(str::to_owned), kind, ..PackageFilter::default() };
        let page = index.list(&filter, after.map(name).as_ref(), limit).unwrap();
        page.into_iter().map(|summary| summary.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(list(None, None, None, 2), ["a/one", "b/elm"]);
    assert_eq!(list(None, None, Some("b/elm"), 2), ["b/one", "b/two"]);
    assert_eq!(list(Some("b/"), Some(KindName::Generic), None, 9), ["b/one", "b/two"]);
}
