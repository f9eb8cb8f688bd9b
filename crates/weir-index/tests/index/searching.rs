//! Search: what comes first, and what is never syntax.

use weir_index::{Index, PackageFilter};
use weir_model::{KindName, WithdrawalVerb};
use weir_rules::Standing;

use crate::support::{Log, described, needing, of_kind, platform, release, withdraw};

fn found(index: &Index, query: &str) -> Vec<String> {
    let results = index.search(query, &PackageFilter::default(), 20, 0).unwrap();
    results.hits.into_iter().map(|hit| hit.name.to_string()).collect()
}

#[test]
fn the_exact_name_comes_first_then_names_that_start_so_then_names_then_descriptions() {
    let mut log = Log::default();
    log.publish(described(release("a/other 1.0.0"), "talks to curl and curl alone: curl, curl"));
    log.publish(described(release("a/my-curl 1.0.0"), "mine"));
    log.publish(described(release("a/curl-extras 1.0.0"), "more"));
    log.publish(described(release("a/curl 1.0.0"), "transfers"));
    log.publish(described(release("a/unrelated 1.0.0"), "nothing"));
    let index = log.folded();
    assert_eq!(found(&index, "curl"), ["a/curl", "a/curl-extras", "a/my-curl", "a/other"]);
    assert_eq!(found(&index, "A/Curl")[0], "a/curl");
    assert_eq!(found(&index, "curl extras"), ["a/curl-extras"]);
    assert_eq!(found(&index, "cur")[0], "a/curl");
    let results = index.search("curl", &PackageFilter::default(), 2, 1).unwrap();
    assert_eq!((results.total, results.hits.len(), results.hits[0].exact), (Some(4), 2, false));
}

#[test]
fn the_more_a_package_is_needed_the_earlier_it_comes() {
    let mut log = Log::default();
    for text in ["a/json-one 1.0.0", "a/json-two 1.0.0"] {
        log.publish(described(release(text), "reads JSON"));
    }
    for user in 0..20 {
        log.publish(described(
            needing(release(&format!("u/user-{user} 1.0.0")), "a/json-two", "^1", None),
            "a user",
        ));
    }
    assert_eq!(found(&log.folded(), "json"), ["a/json-two", "a/json-one"]);
}

#[test]
fn what_people_type_is_never_syntax() {
    let mut log = Log::default();
    log.publish(described(release("a/curl 1.0.0"), "NEAR and NOT"));
    let index = log.folded();
    let long = "x".repeat(10_000);
    for query in [
        "\"",
        "curl\"",
        "name:curl OR",
        "NOT",
        "NEAR(curl)",
        "*",
        "^curl",
        "curl -",
        "(",
        "{a b}:c",
        "é\u{0}",
        &long,
    ] {
        index.search(query, &PackageFilter::default(), 20, 0).unwrap();
    }
    assert_eq!(found(&index, "NOT"), ["a/curl"]);
    assert!(found(&index, "  ").is_empty());
}

#[test]
fn filters_leave_out_other_kinds_and_platforms() {
    let mut log = Log::default();
    log.publish(release("a/json 1.0.0"));
    log.publish(of_kind(release("b/json 1.0.0"), KindName::Bash));
    log.publish(of_kind(release("c/json 1.0.0 x86-64-debian-12"), KindName::Native));
    let index = log.folded();
    let with = |filter: PackageFilter| index.search("json", &filter, 20, 0).unwrap().hits.len();
    assert_eq!(with(PackageFilter { kind: Some(KindName::Bash), ..PackageFilter::default() }), 1);
    assert_eq!(with(PackageFilter { owner: Some("b".parse().unwrap()), ..PackageFilter::default() }), 1);
    assert_eq!(
        with(PackageFilter { platform: Some(platform("x86-64-debian-12")), ..PackageFilter::default() }),
        3
    );
    assert_eq!(
        with(PackageFilter { platform: Some(platform("x86-64-debian-13")), ..PackageFilter::default() }),
        2
    );
}

#[test]
fn what_was_withdrawn_is_found_and_says_so_until_it_is_removed() {
    let mut log = Log::default();
    log.publish(described(release("a/one 1.0.0"), "alpha"));
    log.publish(described(release("a/two 1.0.0"), "alpha"));
    log.say(withdraw(WithdrawalVerb::Quarantine, "a/two 1.0.0", ""));
    let mut index = log.folded();
    let stand = |index: &Index| {
        let found = index.search("alpha", &PackageFilter::default(), 20, 0).unwrap();
        let hits = found.hits.into_iter();
        hits.map(|hit| (hit.name.to_string(), hit.version.is_some(), hit.standing)).collect::<Vec<_>>()
    };
    let one = ("a/one".to_owned(), true, Standing::Offered);
    assert_eq!(stand(&index), [one.clone(), ("a/two".to_owned(), false, Standing::Quarantined)]);
    log.say(withdraw(WithdrawalVerb::Unquarantine, "a/two 1.0.0", ""));
    log.say(withdraw(WithdrawalVerb::Yank, "a/two 1.0.0", ""));
    crate::support::fold(&mut index, &log, 3..5).unwrap();
    assert_eq!(stand(&index), [one.clone(), ("a/two".to_owned(), false, Standing::Yanked)]);
    log.say(withdraw(WithdrawalVerb::Remove, "a/two 1.0.0", ""));
    crate::support::fold(&mut index, &log, 5..6).unwrap();
    assert_eq!(stand(&index), [one]);
}

#[test]
fn a_new_description_replaces_the_old() {
    let mut log = Log::default();
    log.publish(described(release("a/one 1.0.0"), "alpha"));
    let mut index = log.folded();
    log.publish(described(release("a/one 1.1.0"), "beta"));
    crate::support::fold(&mut index, &log, 1..2).unwrap();
    assert!(found(&index, "alpha").is_empty());
    assert_eq!(found(&index, "beta"), ["a/one"]);
}

#[test]
fn common_words_are_ranked_by_tier_and_popularity() {
    let mut log = Log::default();
    for number in 0..700 {
        log.publish(described(release(&format!("x/thing-{number} 1.0.0")), "a library of things"));
    }
    log.publish(described(release("x/base-library 1.0.0"), "in its name"));
    log.publish(described(release("x/library-tools 1.0.0"), "at the start of its name"));
    log.publish(described(release("x/library 1.0.0"), "its very name"));
    log.publish(described(needing(release("x/user 1.0.0"), "x/thing-500", "*", None), "none"));
    let index = log.folded();
    let shown = found(&index, "library");
    assert_eq!(shown[..5], ["x/library", "x/library-tools", "x/base-library", "x/thing-500", "x/thing-0"]);
    let results = index.search("library", &PackageFilter::default(), 10, 700).unwrap();
    assert_eq!((results.total, results.hits.len()), (Some(703), 3));
}
