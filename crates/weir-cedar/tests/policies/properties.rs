//! What holds of all sets.

use proptest::prelude::*;
use weir_cedar::{PolicySet, Question};
use weir_policy::{Principal, Verb};

use crate::{Facts, decide, plain, question, set, user};

/// Scopes and conditions that rules are put together from, some of which fail on some requests.
const PRINCIPALS: [&str; 5] = [
    "principal",
    "principal == User::\"ann\"",
    "principal in Group::\"core\"",
    "principal is Workload",
    "principal is Anonymous",
];
const ACTIONS: [&str; 4] = [
    "action",
    "action == Action::\"publish\"",
    "action in [Action::\"publish\", Action::\"yank\"]",
    "action in [Action::\"yank\", Action::\"remove\"]",
];
const CONDITIONS: [&str; 6] = [
    "true",
    "resource has size && resource.size > 100",
    "resource has license && resource.license like \"MIT*\"",
    "resource has claimed && resource.claimed",
    "resource has size && resource.size * 9223372036854775807 > 0",
    "principal.names.contains(\"user:ann\")",
];

fn rule() -> impl Strategy<Value = (usize, usize, usize, bool)> {
    (0..PRINCIPALS.len(), 0..ACTIONS.len(), 0..CONDITIONS.len(), any::<bool>())
}

fn text(
    at: usize,
    effect: &str,
    (principal, action, condition, unless): (usize, usize, usize, bool),
) -> String {
    let word = if unless { "unless" } else { "when" };
    format!(
        "@id(\"r-{at}\") {effect} ({}, {}, resource) {word} {{ {} }};\n",
        PRINCIPALS[principal], ACTIONS[action], CONDITIONS[condition]
    )
}

fn asked() -> Vec<Question> {
    let workload = Principal::workload("i", "s", Default::default());
    let principals = [Principal::Anonymous, workload, user("ann", &[]), user("bob", &["core"])];
    let mut asked = Vec::new();
    for principal in principals {
        for verb in [Verb::Publish, Verb::Yank, Verb::Remove] {
            for (size, license) in [(50, Some("MIT")), (500, None)] {
                let facts = Facts { size, license: license.map(str::to_owned), ..plain() };
                asked.push(Question { facts: Some(facts), ..question(principal.clone(), verb) });
            }
        }
    }
    asked
}

fn permitted(set: &PolicySet, asked: &[Question]) -> Vec<bool> {
    asked.iter().map(|question| decide(set, question).allowed).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_rule_that_forbids_never_permits_more(
        permits in prop::collection::vec(rule(), 1..4),
        forbids in prop::collection::vec(rule(), 0..3),
        added in rule(),
    ) {
        let permits = permits.into_iter().enumerate().map(|(at, rule)| text(at, "permit", rule));
        let forbids = forbids.into_iter().enumerate().map(|(at, rule)| text(100 + at, "forbid", rule));
        let before: String = permits.chain(forbids).collect();
        let after = format!("{before}{}", text(200, "forbid", added));
        let asked = asked();
        let (before, after) = (permitted(&set(&before), &asked), permitted(&set(&after), &asked));
        for (before, after) in before.into_iter().zip(after) {
            prop_assert!(before || !after);
        }
    }

    #[test]
    fn whatever_is_written_is_a_set_or_problems(text in "[ -~\n]{0,400}") {
        let files = crate::files(&[("rules.cedar", &text)]);
        if let Err(error) = PolicySet::new(&files) {
            prop_assert!(!error.problems.is_empty());
        }
    }
}
