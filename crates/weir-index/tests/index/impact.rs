//! What a release reaches, and what an upgrade would find.

use weir_index::{Impact, Index, Upgrading};
use weir_model::{PackageName, Release, Scope, WithdrawalVerb};

use crate::support::{Log, needing, release, seal, withdraw};

fn name(text: &str) -> PackageName {
    text.parse().unwrap()
}

/// `acme/base` in three versions, and who needs it.
fn registry() -> Log {
    let mut log = Log::default();
    let base = release("acme/base 1.0.0");
    let newer = release("acme/base 1.1.0");
    for release in [&base, &newer, &release("acme/base 2.0.0")] {
        log.publish(release.clone());
    }
    let fixed = needing(release("acme/fixed 1.0.0"), "acme/base", "^1", Some(&base));
    log.publish(fixed.clone());
    log.publish(needing(release("acme/fixed 1.1.0"), "acme/base", "^1", Some(&newer)));
    log.publish(needing(release("acme/moving 1.0.0"), "acme/base", "^1", None));
    log.publish(needing(release("acme/program 1.0.0"), "acme/fixed", "^1", Some(&fixed)));
    log.publish(needing(release("acme/other 1.0.0"), "acme/base", "^2", None));
    log.publish(needing(release("acme/site 1.0.0"), "acme/moving", "*", None));
    log
}

fn reached(impact: &Impact) -> Vec<String> {
    let told = |package: &weir_index::ReachedPackage| {
        let way: Vec<String> = package.way.iter().map(ToString::to_string).collect();
        let words = [(package.now, "now"), (package.sure, "sure"), (package.last, "last")];
        let words: Vec<&str> = words.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
        format!("{}: {}", way.join(" > "), words.join(" "))
    };
    impact.packages.iter().map(told).collect()
}

fn impact(index: &Index, name: &str, version: &str) -> Impact {
    index.impact(&name.parse().unwrap(), Some(&version.parse().unwrap())).unwrap()
}

#[test]
fn what_was_baked_reaches_exactly_that_and_a_range_whatever_it_admits() {
    let index = registry().folded();
    let found = impact(&index, "acme/base", "1.0.0");
    assert_eq!(
        reached(&found),
        [
            "acme/fixed 1.0.0 > acme/base 1.0.0: sure",
            "acme/moving 1.0.0 > acme/base 1.0.0: now",
            "acme/program 1.0.0 > acme/fixed 1.0.0 > acme/base 1.0.0: now sure last",
            "acme/site 1.0.0 > acme/moving 1.0.0 > acme/base 1.0.0: now last",
        ]
    );
    assert_eq!((found.releases, found.now, found.complete), (4, 3, true));
    // Of all releases of a package, each reaches what it reaches.
    let all = index.impact(&name("acme/base"), None).unwrap();
    assert_eq!(all.of.len(), 3);
    assert_eq!(all.packages.len(), 5);
}

#[test]
fn what_is_gone_or_needed_to_work_on_a_package_only_is_not_reached() {
    let mut log = registry();
    let mut tested: Release = needing(release("acme/tested 1.0.0"), "acme/base", "^1", None);
    tested.dependencies[0].scope = Scope::Dev;
    seal(&mut tested);
    log.publish(tested);
    log.say(withdraw(WithdrawalVerb::Remove, "acme/program 1.0.0", "gone"));
    log.say(withdraw(WithdrawalVerb::Yank, "acme/moving 1.0.0", "yanked"));
    let found = impact(&log.folded(), "acme/base", "1.0.0");
    assert_eq!(
        reached(&found),
        [
            "acme/fixed 1.0.0 > acme/base 1.0.0: sure last",
            "acme/moving 1.0.0 > acme/base 1.0.0: ",
            "acme/site 1.0.0 > acme/moving 1.0.0 > acme/base 1.0.0: now last",
        ]
    );
}

#[test]
fn packages_that_need_each_other_end_the_walk() {
    let mut log = Log::default();
    log.publish(release("a/base 1.0.0"));
    log.publish(needing(needing(release("a/one 1.0.0"), "a/base", "*", None), "a/two", "*", None));
    log.publish(needing(release("a/two 1.0.0"), "a/one", "*", None));
    let found = impact(&log.folded(), "a/base", "1.0.0");
    assert_eq!(found.packages.len(), 2);
    assert_eq!(impact(&log.folded(), "a/one", "1.0.0").packages.len(), 1);
}

#[test]
fn a_release_for_one_platform_reaches_what_runs_there() {
    let mut log = Log::default();
    log.publish(release("a/base 1.0.0 x86-64-debian-12"));
    log.publish(needing(release("a/here 1.0.0 x86-64-debian-12"), "a/base", "*", None));
    log.publish(needing(release("a/there 1.0.0 arm64-debian-12"), "a/base", "*", None));
    log.publish(needing(release("a/anywhere 1.0.0"), "a/base", "*", None));
    let found = impact(&log.folded(), "a/base", "1.0.0");
    let names: Vec<String> = found.packages.iter().map(|package| package.id.name.to_string()).collect();
    assert_eq!(names, ["a/anywhere", "a/here"]);
}

#[test]
fn an_upgrade_is_taken_refused_or_waits_for_a_publication() {
    let index = registry().folded();
    let does = |version: &str| -> Vec<(String, Upgrading)> {
        let upgrades = index.upgrades(&name("acme/base"), &version.parse().unwrap()).unwrap();
        upgrades.into_iter().map(|upgrade| (upgrade.id.to_string(), upgrade.does)).collect()
    };
    assert_eq!(
        does("1.2.0"),
        [
            ("acme/other 1.0.0".to_owned(), Upgrading::Refuses),
            ("acme/fixed 1.1.0".to_owned(), Upgrading::WhenPublished),
            ("acme/moving 1.0.0".to_owned(), Upgrading::Takes),
        ]
    );
    assert_eq!(does("1.1.0")[2], ("acme/fixed 1.1.0".to_owned(), Upgrading::Has));
    assert!(index.upgrades(&name("acme/nobody"), &"1.0.0".parse().unwrap()).unwrap().is_empty());
}
