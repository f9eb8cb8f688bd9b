//! What a set decides, and why.

use std::time::{Duration, Instant};

use weir_cedar::{Cases, Facts, PolicySet, Question, RULES, SETS, find};
use weir_policy::{Principal, Verb};

use crate::{decide, files, plain, question, set, user};

#[test]
fn a_refusal_names_the_rule_and_its_reason() {
    let set = set("@id(\"all\") permit (principal, action, resource);\n\
         @id(\"no-big-ones\") @reason(\"disks are small\")\n\
         forbid (principal, action == Action::\"publish\", resource) when { resource.size > 400 };");
    let decision = decide(&set, &question(user("ann", &[]), Verb::Publish));
    assert_eq!((&*decision.policy, &*decision.reason), ("no-big-ones", "disks are small"));
    assert!(decide(&set, &question(user("ann", &[]), Verb::Yank)).allowed);
}

#[test]
fn where_nothing_permits_the_nearest_rule_is_told_with_what_of_it_does_not_hold() {
    let set = set(r#"
        @id("members") permit (principal in Group::"team", action == Action::"publish", resource)
        when { resource.size <= 100 && resource has license }
        unless { resource.confusable || resource.kind == "native" };
        @id("ann") permit (principal == User::"ann", action == Action::"publish", resource)
        when { resource.size * 9223372036854775807 > 0 };
    "#);
    let explained = |principal: Principal, facts: Facts| {
        let question = Question { facts: Some(facts), ..question(principal, Verb::Publish) };
        question.ask(|request| set.explain(request))
    };
    let told = explained(user("bob", &["team"]), plain());
    assert_eq!(told.rule, "members");
    assert_eq!(
        told.reason,
        "no rule permits it; the nearest asks for `resource.size <= 100`, which does not hold"
    );
    assert_eq!(told.nearest[0].missing[0].values, ["resource.size = 500"]);
    assert_eq!((told.nearest[0].held, told.nearest[0].line), (4, 2));

    let confusable = explained(user("bob", &["team"]), Facts { size: 1, confusable: true, ..plain() });
    assert!(confusable.reason.contains("confusable"), "{}", confusable.reason);

    // What cannot be evaluated is told as that.
    let failing = explained(user("ann", &[]), plain());
    let ann = failing.nearest.iter().find(|near| near.id == "ann");
    assert!(failing.failed.len() == 1 && !failing.allowed, "{failing:?}");
    assert!(ann.is_some_and(|ann| ann.missing[0].error.is_some()), "{failing:?}");
}

#[test]
fn a_rule_that_cannot_be_evaluated_permits_nothing_whoever_else_does() {
    let set = set(r#"
        @id("all") permit (principal, action, resource);
        @id("overflows") forbid (principal, action == Action::"publish", resource)
        when { resource.size * 9223372036854775807 < 0 };
    "#);
    let decision = decide(&set, &question(user("ann", &[]), Verb::Publish));
    assert_eq!((decision.allowed, &*decision.policy), (false, "overflows"));
    assert!(decision.reason.contains("cannot be evaluated"), "{}", decision.reason);
    assert!(decide(&set, &question(user("ann", &[]), Verb::Yank)).allowed);
}

#[test]
fn groups_of_the_set_count_like_those_of_a_server_and_own_what_groups_own() {
    let set = PolicySet::new(&files(&[
        ("team.cedar", find(&SETS, "team").unwrap().text),
        ("groups.toml", "team = [\"ann\"]\nadmins = []\n"),
    ]))
    .unwrap();
    assert!(decide(&set, &question(user("ann", &[]), Verb::Publish)).allowed);
    assert!(!decide(&set, &question(user("bob", &[]), Verb::Publish)).allowed);
    let of_team = Question {
        owner_belongs_to: Some(vec!["group:team".into()]),
        ..question(user("ann", &[]), Verb::Yank)
    };
    assert!(decide(&set, &of_team).allowed);
}

#[test]
fn workloads_are_told_by_issuer_subject_and_claims_and_facts_of_kinds_by_tags() {
    let set = set(r#"
        @id("ci") permit (principal is Workload, action == Action::"publish", resource)
        when {
          principal.issuer == "https://ci.example" &&
          principal.hasTag("ref") && principal.getTag("ref") == "refs/heads/main" &&
          resource.hasTag("abi") && resource.getTag("abi") == "gnu"
        };
    "#);
    let of = |issuer: &str, branch: &str| {
        let claims = [("ref".to_owned(), branch.to_owned())].into();
        let principal = Principal::workload(issuer, "acme", claims);
        let mut facts = plain();
        facts.kind_facts.insert("abi".into(), "gnu".into());
        facts.kind_facts.insert("list".into(), serde_json::json!([1]));
        let question = Question { facts: Some(facts), ..question(principal, Verb::Publish) };
        decide(&set, &question).allowed
    };
    assert!(of("https://ci.example", "refs/heads/main"));
    assert!(!of("https://evil.example", "refs/heads/main"));
    assert!(!of("https://ci.example", "refs/heads/x"));
}

#[test]
fn cases_say_what_a_set_must_decide() {
    let rules = find(&SETS, "team").unwrap().text;
    let cases = r#"
        [[case]]
        name = "members publish"
        principal = "user:ann"
        groups = ["team"]
        action = "publish"
        target = "acme/greet 1.0.0"
        holders = ["group:team"]
        expect = "permit"
        rule = "team-members"

        [[case]]
        name = "strangers read"
        principal = "anonymous"
        action = "read"
        expect = "permit"
    "#;
    let files = files(&[("team.cedar", rules), ("team.toml", cases)]);
    let results = Cases::read(&files).unwrap().run(&PolicySet::new(&files).unwrap());
    assert_eq!(results.iter().map(|result| result.passed).collect::<Vec<_>>(), [true, false]);
    assert_eq!((&*results[1].expected, &*results[1].decided), ("permit", "forbid by team-members"));
}

/// The time of the fastest of many decisions that permit.
fn fastest(set: &PolicySet) -> Duration {
    let mut question = question(user("ann", &["team"]), Verb::Publish);
    question.facts = Some(Facts { provenance: true, ..plain() });
    let times = (0..200).map(|_| {
        let began = Instant::now();
        assert!(decide(set, &question).allowed);
        began.elapsed()
    });
    times.min().unwrap_or_default()
}

/// With much room for machines that are busy: decision 0160 has the figures of a quiet one.
#[test]
fn a_decision_takes_microseconds() {
    let team = find(&SETS, "team").unwrap().text;
    let all: Vec<&str> = std::iter::once(team).chain(RULES.iter().map(|rule| rule.text)).collect();
    for text in [team, &all.join("\n")] {
        let set = set(text);
        let (rules, fastest) = (set.rules().count(), fastest(&set));
        println!("a decision of {rules} rules: {fastest:?}");
        assert!(fastest < Duration::from_micros(500), "{rules} rules: {fastest:?}");
    }
}
