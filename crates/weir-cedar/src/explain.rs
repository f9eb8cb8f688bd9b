//! Why: every rule that decided, and when none permitted, those that came closest and what of them was not so.

use serde::Serialize;
use weir_policy::{Decision, Request};

use crate::ask::Asked;
use crate::clauses::Held;
use crate::set::{Effect, Loaded, PolicySet, Rule};

/// So many rules that came close are told.
const MAX_NEAR: usize = 3;

/// Why a request is answered as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Explanation {
    /// Whether it is permitted.
    pub allowed: bool,
    /// The rule that the answer names.
    pub rule: String,
    /// Why, in a sentence.
    pub reason: String,
    /// Every rule that decided, in the set's order.
    pub deciding: Vec<Rule>,
    /// The rules that could not be evaluated. Nothing is permitted then.
    pub failed: Vec<Ruled>,
    /// Where no rule permitted: those that came closest, the closest first.
    pub nearest: Vec<Near>,
}

/// A rule, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Ruled {
    /// Its name.
    pub id: String,
    /// What became of it.
    pub told: String,
}

/// A rule that would have permitted, had some of it been so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Near {
    /// Its name.
    pub id: String,
    /// Why it permits, in its author's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its file.
    pub file: String,
    /// The line where it begins.
    pub line: usize,
    /// How many of its clauses hold.
    pub held: usize,
    /// Those that do not.
    pub missing: Vec<Clause>,
}

/// A clause of a rule that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Clause {
    /// It, in Cedar.
    pub clause: String,
    /// What it is about, as it is: `resource.size = 500`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Why it cannot be evaluated, if it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Near {
    /// What a refusal says of it.
    pub fn told(&self) -> String {
        let clauses: Vec<String> =
            self.missing.iter().map(|missing| format!("`{}`", missing.clause)).collect();
        let holds = if clauses.len() == 1 { "does not hold" } else { "do not hold" };
        format!("no rule permits it; the nearest asks for {}, which {holds}", clauses.join(" and "))
    }
}

impl PolicySet {
    /// Decides, and says why in full.
    pub fn explain(&self, request: &Request<'_>) -> Explanation {
        let Decision { allowed, policy, reason } = self.decide(request);
        let mut explanation = Explanation {
            allowed,
            rule: policy.into_owned(),
            reason,
            deciding: Vec::new(),
            failed: Vec::new(),
            nearest: Vec::new(),
        };
        let Ok(asked) = self.asked(request) else { return explanation };
        let answer = self.answer(request.verb, &asked);
        explanation.deciding = answer.deciding.iter().map(|rule| (*rule).clone()).collect();
        explanation.failed = answer
            .failed
            .into_iter()
            .map(|(rule, told)| Ruled { id: rule.map(|rule| rule.id.clone()).unwrap_or_default(), told })
            .collect();
        // Also where a rule forbids: who would change that wants to know that nothing permits either.
        let nearest = nearest_permits(self, request, &asked);
        if nearest.iter().all(|near| !near.missing.is_empty()) {
            explanation.nearest = nearest;
        }
        explanation
    }
}

/// The rules that permit this action to somebody, those first of which the fewest clauses do not hold.
pub(crate) fn nearest_permits(set: &PolicySet, request: &Request<'_>, asked: &Asked) -> Vec<Near> {
    let permits = set
        .loaded()
        .iter()
        .filter(|loaded| loaded.rule.effect == Effect::Permit && loaded.is_about(request.verb));
    let mut near: Vec<Near> = permits.map(|loaded| near(loaded, asked)).collect();
    near.sort_by_key(|near| (near.missing.len(), std::cmp::Reverse(near.held)));
    near.truncate(MAX_NEAR);
    near
}

fn near(loaded: &Loaded, asked: &Asked) -> Near {
    let mut near = Near {
        id: loaded.rule.id.clone(),
        reason: loaded.rule.reason.clone(),
        file: loaded.rule.file.clone(),
        line: loaded.rule.line,
        held: 0,
        missing: Vec::new(),
    };
    for clause in loaded.clauses.of(&loaded.policy) {
        let error = match clause.held(asked) {
            Held::Yes => {
                near.held += 1;
                continue;
            }
            Held::No => None,
            Held::Failed(error) => Some(error),
        };
        near.missing.push(Clause { clause: clause.text.clone(), values: clause.values(asked), error });
    }
    near
}
