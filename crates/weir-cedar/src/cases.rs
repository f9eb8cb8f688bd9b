//! Cases: what a set must decide, written beside it, so that whoever changes it sees what they break.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weir_model::KindName;
use weir_model::advisory::Severity;
use weir_policy::{Principal, Target, Verb};

use crate::ask::{Facts, Question};
use crate::files::PolicyFiles;
use crate::problem::{MAX_PROBLEMS, PolicyError, Problem};
use crate::set::PolicySet;
use weir_model::unseen::Named as _;

/// Cases that a set can have.
pub const MAX_CASES: usize = 4096;

/// The cases of a set.
#[derive(Debug, Default)]
pub struct Cases(Vec<Case>);

/// One of them.
#[derive(Debug)]
pub struct Case {
    /// Its file.
    pub file: String,
    /// What it is about, in its author's words.
    pub name: String,
    /// What is asked.
    pub question: Question,
    /// Whether it must be permitted.
    pub permitted: bool,
    /// The rule that must decide, if it says one.
    pub rule: Option<String>,
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CaseResult {
    /// Its file.
    pub file: String,
    /// What it is about.
    pub name: String,
    /// Whether it came out as it must.
    pub passed: bool,
    /// What must be decided: `permit` or `forbid`, and by which rule.
    pub expected: String,
    /// What is decided.
    pub decided: String,
    /// Why.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    case: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    name: String,
    /// `anonymous`, `user:ann` or `workload:…`.
    principal: String,
    #[serde(default)]
    groups: BTreeSet<String>,
    #[serde(default)]
    issuer: String,
    #[serde(default)]
    claims: BTreeMap<String, String>,
    action: String,
    /// A release (`acme/greet 1.0.0`), an owner (`acme`), or the registry.
    #[serde(default)]
    target: Option<String>,
    /// To whom the owner belongs.
    #[serde(default)]
    holders: Option<Vec<String>>,
    #[serde(default)]
    at: Option<String>,
    #[serde(default)]
    release: Option<WrittenFacts>,
    expect: Expected,
    #[serde(default)]
    rule: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Permit,
    Forbid,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct WrittenFacts {
    kind: Option<KindName>,
    license: Option<String>,
    size: u64,
    unpacked: u64,
    files: u64,
    built: bool,
    provenance: bool,
    confusable: bool,
    /// How bad the worst is that is known against it: `low`, `medium`, `high`, `critical`.
    advised: Option<Severity>,
    published: Option<String>,
    upstream: Option<String>,
    promoted: Option<String>,
    approved_by: Vec<String>,
    facts: serde_json::Map<String, serde_json::Value>,
}

impl Cases {
    /// Reads the cases among `files`.
    ///
    /// # Errors
    ///
    /// When one cannot be read, or there are too many.
    pub fn read(files: &PolicyFiles) -> Result<Self, PolicyError> {
        let mut cases = Vec::new();
        let mut problems = Vec::new();
        for (name, text) in files.cases() {
            let file: File = match toml_edit::de::from_str(text) {
                Ok(file) => file,
                Err(error) => {
                    let at = error.span().map_or(0, |span| span.start);
                    problems.push(Problem::at(
                        name,
                        text,
                        at,
                        format!("it is no list of cases: {}", error.message()),
                    ));
                    continue;
                }
            };
            for written in file.case {
                let told = format!("the case \"{}\"", written.name.named());
                match written.case(name) {
                    Ok(case) => cases.push(case),
                    Err(error) => problems.push(Problem::of_file(name, format!("{told}: {error}"))),
                }
            }
        }
        if cases.len() > MAX_CASES {
            let told = format!("there are {} cases, {MAX_CASES} are allowed", cases.len());
            problems.push(Problem::of_file(crate::POLICY_FOLDER, told));
        }
        problems.truncate(MAX_PROBLEMS);
        if problems.is_empty() { Ok(Self(cases)) } else { Err(PolicyError { problems }) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Has `set` decide each.
    pub fn run(&self, set: &PolicySet) -> Vec<CaseResult> {
        self.0.iter().map(|case| case.run(set)).collect()
    }
}

impl Case {
    fn run(&self, set: &PolicySet) -> CaseResult {
        let decision = self.question.ask(|request| set.decide(request));
        let word = |permitted: bool| if permitted { "permit" } else { "forbid" };
        let rule_fits = self.rule.as_ref().is_none_or(|rule| *rule == decision.policy);
        let expected = match &self.rule {
            Some(rule) => format!("{} by {rule}", word(self.permitted)),
            None => word(self.permitted).to_owned(),
        };
        CaseResult {
            file: self.file.clone(),
            name: self.name.clone(),
            passed: decision.allowed == self.permitted && rule_fits,
            expected,
            decided: format!("{} by {}", word(decision.allowed), decision.policy),
            reason: decision.reason,
        }
    }
}

impl Written {
    fn case(self, file: &str) -> Result<Case, String> {
        let time = |text: Option<String>| text.map(|text| text.parse::<Timestamp>()).transpose();
        let told = |error: &dyn std::fmt::Display| error.to_string();
        let verb: Verb = self.action.parse()?;
        let target = match self.target.as_deref() {
            None => Target::Registry,
            Some(text) if text.contains('/') => {
                Target::Release(text.parse().map_err(|error: weir_model::ReleaseIdError| told(&error))?)
            }
            Some(text) => Target::Owner(text.parse().map_err(|error: weir_model::NameError| told(&error))?),
        };
        let facts = match (self.release, &target) {
            (None, Target::Release(_)) => Some(WrittenFacts::default()),
            (facts, _) => facts,
        };
        let facts = facts.map(|facts| {
            Ok::<_, String>(Facts {
                kind: facts.kind.unwrap_or(KindName::Generic),
                license: facts.license,
                size: facts.size,
                unpacked: facts.unpacked,
                files: facts.files,
                built: facts.built,
                provenance: facts.provenance,
                confusable: facts.confusable,
                advised: facts.advised,
                published: time(facts.published).map_err(|error| told(&error))?,
                upstream: facts.upstream,
                promoted: facts.promoted,
                approved_by: facts.approved_by,
                kind_facts: facts.facts,
            })
        });
        Ok(Case {
            file: file.to_owned(),
            name: self.name,
            question: Question {
                principal: principal(&self.principal, self.groups, self.issuer, self.claims)?,
                verb,
                target,
                owner_belongs_to: self.holders,
                facts: facts.transpose()?,
                at: time(self.at).map_err(|error| told(&error))?.unwrap_or(Timestamp::UNIX_EPOCH),
            },
            permitted: matches!(self.expect, Expected::Permit),
            rule: self.rule,
        })
    }
}

fn principal(
    text: &str,
    in_groups: BTreeSet<String>,
    vouching: String,
    said: BTreeMap<String, String>,
) -> Result<Principal, String> {
    Ok(match text.parse()? {
        Principal::User { name, .. } => Principal::User { name, groups: in_groups },
        Principal::Workload { issuer, subject, .. } => {
            let acts_for = in_groups.iter().map(|group| format!("group:{group}")).collect();
            let issuer = if vouching.is_empty() { issuer } else { vouching };
            Principal::Workload { issuer, subject, claims: said, acts_for }
        }
        Principal::Anonymous => Principal::Anonymous,
    })
}
