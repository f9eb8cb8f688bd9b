//! Policy sets: what they decide, what is refused as one, and what it costs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod built_in;
mod deciding;
mod gate;
mod hostile;
mod properties;

use jiff::Timestamp;
use weir_cedar::{Facts, PolicyFile, PolicyFiles, PolicySet, Problem, Question};
use weir_model::KindName;
use weir_policy::{Decision, Principal, Target, Verb};

/// A set of one file.
fn set(text: &str) -> PolicySet {
    PolicySet::new(&files(&[("rules.cedar", text)])).unwrap()
}

fn files(files: &[(&str, &str)]) -> PolicyFiles {
    let files = files.iter().map(|(name, text)| PolicyFile { name: (*name).into(), text: (*text).into() });
    PolicyFiles::new(files).unwrap()
}

fn problems(text: &str) -> Vec<Problem> {
    PolicySet::new(&files(&[("rules.cedar", text)])).unwrap_err().problems
}

/// A release of no special sort.
fn plain() -> Facts {
    Facts {
        kind: KindName::Generic,
        license: Some("MIT OR Apache-2.0".into()),
        size: 500,
        unpacked: 2000,
        files: 3,
        built: false,
        provenance: false,
        confusable: false,
        advised: None,
        published: None,
        upstream: None,
        promoted: None,
        approved_by: Vec::new(),
        kind_facts: serde_json::Map::new(),
    }
}

fn user(name: &str, groups: &[&str]) -> Principal {
    Principal::User { name: name.into(), groups: groups.iter().map(|&group| group.into()).collect() }
}

/// May `principal` do it to `acme/greet 1.0.0`, its owner, or the registry, whichever the action is about?
fn question(principal: Principal, verb: Verb) -> Question {
    let target = match verb {
        Verb::Read | Verb::Upload | Verb::Collect | Verb::Describe | Verb::Advise | Verb::Govern => {
            Target::Registry
        }
        Verb::Claim => Target::Owner("acme".parse().unwrap()),
        _ => Target::Release("acme/greet 1.0.0".parse().unwrap()),
    };
    let facts = matches!(target, Target::Release(_)).then(plain);
    let at: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    Question { principal, verb, target, owner_belongs_to: None, facts, at }
}

fn decide(set: &PolicySet, question: &Question) -> Decision {
    question.ask(|request| set.decide(request))
}
