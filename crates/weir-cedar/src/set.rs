//! A policy set: rules that were read, checked, and can decide.

use std::collections::{BTreeMap, HashMap};

use cedar_policy::{
    ActionConstraint, Authorizer, Decision as CedarDecision, EntityUid, Policy, PolicyId, ValidationMode,
};
use miette::Diagnostic;
use serde::Serialize;
use weir_model::unseen::is_unseen;
use weir_model::{Sha256, nearest};
use weir_policy::{Decision, Request, Verb};

use crate::ask::Asked;
use crate::bounds;
use crate::clauses::Clauses;
use crate::explain::nearest_permits;
use crate::files::PolicyFiles;
use crate::groups::Groups;
use crate::mentioned::Mentioned;
use crate::problem::{MAX_PROBLEMS, PolicyError, Problem};
use crate::schema::validator;
use weir_model::unseen::Named as _;

/// Rules that a set can have.
pub const MAX_RULES: usize = 512;

/// Longest name of a rule, in bytes.
const MAX_ID: usize = 64;

/// Longest reason of a rule, in bytes.
const MAX_REASON: usize = 400;

/// What a rule reads that asks for approvals.
const APPROVALS: [&str; 2] = ["approvals", "approvers"];

/// What a rule reads that asks what time it is.
const NOW: &str = "now";

/// What is annotated of a rule.
const ANNOTATIONS: [&str; 2] = ["id", "reason"];

/// What a rule does where it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It permits, unless another forbids.
    Permit,
    /// It forbids, whatever others permit.
    Forbid,
}

/// What a rule is called, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Rule {
    /// Its name: the annotation `@id`.
    pub id: String,
    /// What it does where it applies.
    pub effect: Effect,
    /// Why, in a person's words: the annotation `@reason`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its file.
    pub file: String,
    /// The line where it begins.
    pub line: usize,
}

/// A rule that can decide.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) rule: Rule,
    pub(crate) policy: Policy,
    pub(crate) clauses: Clauses,
    read: Mentioned,
}

impl Loaded {
    /// Whether it forbids until others have approved.
    fn asks_for_approvals(&self) -> bool {
        self.rule.effect == Effect::Forbid && APPROVALS.iter().any(|name| self.read.has(name))
    }

    /// Whether it says anything of an action.
    pub(crate) fn is_about(&self, verb: Verb) -> bool {
        let is = |action: &EntityUid| action.id().unescaped() == verb.as_str();
        match self.policy.action_constraint() {
            ActionConstraint::Any => true,
            ActionConstraint::In(actions) => actions.iter().any(is),
            ActionConstraint::Eq(action) => is(&action),
        }
    }
}

/// A policy set that decides.
#[derive(Debug)]
pub struct PolicySet {
    digest: Sha256,
    files: Vec<String>,
    groups: Groups,
    rules: Vec<Loaded>,
    positions: HashMap<PolicyId, usize>,
    /// For each action, in the order of [`Verb::ALL`].
    by_action: Vec<About>,
}

/// The rules that are about one action: the others do not apply, and finding that out costs time.
#[derive(Debug)]
struct About {
    rules: cedar_policy::PolicySet,
    /// What they read.
    read: Mentioned,
}

impl PolicySet {
    /// Reads a set.
    ///
    /// # Errors
    ///
    /// When there is anything wrong with it: all that is, as far as it can be told at once.
    pub fn new(files: &PolicyFiles) -> Result<Self, PolicyError> {
        let mut problems = Vec::new();
        let mut rules: Vec<Loaded> = Vec::new();
        for (name, text) in files.rules() {
            if problems.len() >= MAX_PROBLEMS {
                break;
            }
            match read_file(name, text) {
                Ok(read) => rules.extend(read),
                Err(found) => problems.extend(found),
            }
        }
        refuse_twins(&rules, &mut problems);
        if rules.len() > MAX_RULES {
            let told = format!("there are {} rules, {MAX_RULES} are allowed", rules.len());
            problems.push(Problem::of_file(crate::POLICY_FOLDER, told));
        }
        let groups = files.groups().map_or_else(|| Ok(Groups::default()), Groups::read);
        let groups = groups.unwrap_or_else(|problem| {
            problems.push(problem);
            Groups::default()
        });
        let digest = files.digest().filter(|_| !rules.is_empty() || !problems.is_empty());
        if digest.is_none() && problems.is_empty() {
            problems.push(Problem::of_file(crate::POLICY_FOLDER, "there is no rule"));
        }
        if let (Some(digest), true) = (digest, problems.is_empty()) {
            let files = files.rules().map(|(name, _)| name.to_owned()).collect();
            return Self::of(digest, files, groups, rules);
        }
        problems.truncate(MAX_PROBLEMS);
        Err(PolicyError { problems })
    }

    fn of(
        digest: Sha256,
        files: Vec<String>,
        groups: Groups,
        rules: Vec<Loaded>,
    ) -> Result<Self, PolicyError> {
        let wrong = |error: &dyn std::fmt::Display| PolicyError {
            problems: vec![Problem::of_file(crate::POLICY_FOLDER, error.to_string())],
        };
        let about = |verb: Verb| {
            let about = || rules.iter().filter(|loaded| loaded.is_about(verb));
            let mut read = Mentioned::default();
            about().for_each(|loaded| read.add(&loaded.read));
            let rules = cedar_policy::PolicySet::from_policies(about().map(|loaded| loaded.policy.clone()));
            Ok(About { rules: rules.map_err(|error| wrong(&error))?, read })
        };
        let by_action = Verb::ALL.into_iter().map(about).collect::<Result<_, _>>()?;
        let positions =
            rules.iter().enumerate().map(|(at, loaded)| (loaded.policy.id().clone(), at)).collect();
        Ok(Self { digest, files, groups, rules, positions, by_action })
    }

    /// The digest of its files.
    pub fn digest(&self) -> &Sha256 {
        &self.digest
    }

    /// What it is, in a few words: its files and how many rules they have.
    pub fn summary(&self) -> String {
        let names: Vec<&str> =
            self.files.iter().map(|file| file.strip_suffix(".cedar").unwrap_or(file)).collect();
        let rules = if self.rules.len() == 1 { "rule" } else { "rules" };
        format!("{}: {} {rules}", names.join(", "), self.rules.len())
    }

    /// Its rules, by file and in the order in which they stand there.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|loaded| &loaded.rule)
    }

    /// The groups that it puts people into.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    pub(crate) fn loaded(&self) -> &[Loaded] {
        &self.rules
    }

    /// Decides. Where rules that permit and rules that forbid apply, it is forbidden; where none applies, too; and where one
    /// cannot be evaluated, whichever.
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        let asked = match self.asked(request) {
            Ok(asked) => asked,
            Err(reason) => return refused("not-evaluated", reason),
        };
        let answer = self.answer(request.verb, &asked);
        match (answer.allowed, answer.deciding.first(), answer.failed.first()) {
            (true, Some(rule), None) => Decision {
                allowed: true,
                policy: rule.id.clone().into(),
                reason: rule.reason.clone().unwrap_or_else(|| "a rule permits it".into()),
            },
            (false, Some(rule), _) if rule.effect == Effect::Forbid => {
                // Approvals help nobody whom another rule forbids it, or none permits it: then that is what is told.
                let other = answer.deciding.iter().find(|rule| !self.asks_for_approvals(rule));
                if other.is_none() && !self.wants_approvals(request) {
                    let near = nearest_permits(self, request, &asked).into_iter().next();
                    if let Some(near) = near.filter(|near| !near.missing.is_empty()) {
                        return refused(&near.id, near.told());
                    }
                }
                let rule = other.unwrap_or(rule);
                refused(&rule.id, rule.reason.clone().unwrap_or_else(|| "a rule forbids it".into()))
            }
            (_, _, Some((rule, error))) => {
                let id = rule.map_or("not-evaluated", |rule| rule.id.as_str());
                refused(id, format!("a rule cannot be evaluated, so nothing is permitted: {error}"))
            }
            _ => match nearest_permits(self, request, &asked).first() {
                Some(near) => refused(&near.id, near.told()),
                None => refused("no-rule", format!("no rule permits anybody to {}", request.verb.as_str())),
            },
        }
    }

    fn asks_for_approvals(&self, rule: &Rule) -> bool {
        self.rules.iter().any(|loaded| loaded.rule.id == rule.id && loaded.asks_for_approvals())
    }

    /// Whether it permits a request: what [`decide`](Self::decide) says, and nothing of why.
    pub fn permits(&self, request: &Request<'_>) -> bool {
        self.asked(request).is_ok_and(|asked| {
            let answer = self.answer(request.verb, &asked);
            answer.allowed && !answer.deciding.is_empty() && answer.failed.is_empty()
        })
    }

    /// Whether a request that is refused would be permitted if no rule asked for approvals.
    pub fn wants_approvals(&self, request: &Request<'_>) -> bool {
        let about = || self.rules.iter().filter(|loaded| loaded.is_about(request.verb));
        if !about().any(Loaded::asks_for_approvals) {
            return false;
        }
        let others =
            about().filter(|loaded| !loaded.asks_for_approvals()).map(|loaded| loaded.policy.clone());
        let (Ok(others), Ok(asked)) = (cedar_policy::PolicySet::from_policies(others), self.asked(request))
        else {
            return false;
        };
        let answer = Authorizer::new().is_authorized(&asked.request, &others, &asked.entities);
        answer.decision() == CedarDecision::Allow && answer.diagnostics().errors().next().is_none()
    }

    /// Whether a rule about an action asks what time it is: where none does, what is decided lasts.
    pub fn asks_the_time(&self, verb: Verb) -> bool {
        self.by_action[verb as usize].read.has(NOW)
    }

    /// Whether a rule forbids what is asked for.
    pub fn forbids(&self, request: &Request<'_>) -> bool {
        self.asked(request).is_ok_and(|asked| {
            let answer = self.answer(request.verb, &asked);
            answer.deciding.first().is_some_and(|rule| rule.effect == Effect::Forbid)
        })
    }

    /// A request, in Cedar's words, with all that the rules read.
    ///
    /// # Errors
    ///
    /// In words, when it cannot be put into them.
    pub(crate) fn asked(&self, request: &Request<'_>) -> Result<Asked, String> {
        Asked::new(request, &self.groups, &self.by_action[request.verb as usize].read)
    }

    pub(crate) fn answer(&self, verb: Verb, asked: &Asked) -> Answer<'_> {
        let rules = &self.by_action[verb as usize].rules;
        let response = Authorizer::new().is_authorized(&asked.request, rules, &asked.entities);
        let rule_of = |id: &PolicyId| self.positions.get(id).map(|at| (*at, &self.rules[*at].rule));
        let mut deciding: Vec<(usize, &Rule)> = response.diagnostics().reason().filter_map(rule_of).collect();
        deciding.sort_unstable_by_key(|(at, _)| *at);
        let failed = response.diagnostics().errors().map(|error| {
            let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
            (rule_of(error.policy_id()).map(|(_, rule)| rule), error.inner().to_string())
        });
        Answer {
            allowed: response.decision() == CedarDecision::Allow,
            deciding: deciding.into_iter().map(|(_, rule)| rule).collect(),
            failed: failed.collect(),
        }
    }
}

/// What Cedar says of a request.
pub(crate) struct Answer<'a> {
    pub(crate) allowed: bool,
    /// The rules that decided, in the set's order.
    pub(crate) deciding: Vec<&'a Rule>,
    /// The rules that could not be evaluated, and why.
    pub(crate) failed: Vec<(Option<&'a Rule>, String)>,
}

fn refused(policy: &str, reason: String) -> Decision {
    Decision { allowed: false, policy: policy.to_owned().into(), reason }
}

/// The rules of one file, in their order, checked against the schema.
fn read_file(name: &str, text: &str) -> Result<Vec<Loaded>, Vec<Problem>> {
    bounds::check(name, text).map_err(|problem| vec![problem])?;
    let parsed: cedar_policy::PolicySet = text.parse().map_err(|errors: cedar_policy::ParseErrors| {
        errors
            .iter()
            .take(MAX_PROBLEMS)
            .map(|error| {
                let told = format!("it cannot be read as Cedar here: {error}");
                Problem::diagnosed(name, text, error as &dyn Diagnostic, told)
            })
            .collect::<Vec<_>>()
    })?;
    let mut problems: Vec<Problem> = parsed
        .templates()
        .map(|_| {
            Problem::of_file(name, "templates (`?principal`, `?resource`) cannot be used: nothing fills them")
        })
        .collect();
    let mut rules = Vec::new();
    for policy in parsed.policies() {
        match rule_of(name, text, policy) {
            Ok(loaded) => rules.push(loaded),
            Err(problem) => problems.push(problem),
        }
    }
    rules.sort_by_key(|loaded| loaded.rule.line);
    let checked = validator().validate(&parsed, ValidationMode::Strict);
    problems.extend(checked.validation_errors().take(MAX_PROBLEMS).map(|error| {
        Problem::diagnosed(name, text, error as &dyn Diagnostic, without_policy(&error.to_string()))
    }));
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}

/// Cedar calls a policy by its number until it has a name: the place says which it is.
fn without_policy(message: &str) -> String {
    match message.split_once("`, ") {
        Some((before, after)) if before.starts_with("for policy `") => after.to_owned(),
        _ => message.to_owned(),
    }
}

fn rule_of(name: &str, text: &str, policy: &Policy) -> Result<Loaded, Problem> {
    let offset = policy.as_ref().loc().map_or(0, |loc| loc.span.offset());
    let problem = |message: String| Problem::at(name, text, offset, message);
    for (key, _) in policy.annotations() {
        if !ANNOTATIONS.contains(&key) {
            let meant = nearest(key, ANNOTATIONS).map(|known| format!("did you mean `@{known}`?"));
            return Err(problem(format!("no annotation is called `@{key}`")).with_help(meant));
        }
    }
    let id = policy.annotation("id").unwrap_or_default();
    if id.is_empty() {
        let help = "write `@id(\"some-name\")` above it: refusals name it".to_owned();
        return Err(problem("a rule has no name".into()).with_help(Some(help)));
    }
    let is_plain =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-';
    if id.len() > MAX_ID || !id.chars().all(is_plain) {
        let told = format!(
            "`{}` is no name of a rule: lower-case letters, digits and `-`, at most {MAX_ID}",
            id.named()
        );
        return Err(problem(told));
    }
    let reason = policy.annotation("reason").filter(|reason| !reason.is_empty());
    if reason.is_some_and(|reason| reason.len() > MAX_REASON || reason.chars().any(is_unseen)) {
        let told =
            format!("the reason of `{id}` has more than {MAX_REASON} bytes, or characters that nobody sees");
        return Err(problem(told));
    }
    let effect = match policy.effect() {
        cedar_policy::Effect::Permit => Effect::Permit,
        cedar_policy::Effect::Forbid => Effect::Forbid,
    };
    let rule = Rule {
        id: id.to_owned(),
        effect,
        reason: reason.map(str::to_owned),
        file: name.to_owned(),
        line: crate::problem::place(text, offset).0,
    };
    let read = Mentioned::by(policy).map_err(|error| problem(error.to_string()))?;
    let policy = policy.new_id(PolicyId::new(id));
    Ok(Loaded { rule, policy, clauses: Clauses::default(), read })
}

fn refuse_twins(rules: &[Loaded], problems: &mut Vec<Problem>) {
    let mut seen: BTreeMap<&str, &Rule> = BTreeMap::new();
    for Loaded { rule, .. } in rules {
        if let Some(first) = seen.get(rule.id.as_str()) {
            let told = format!("a rule is called `{}` already, in {}:{}", rule.id, first.file, first.line);
            problems.push(Problem {
                line: Some(rule.line),
                column: Some(1),
                ..Problem::of_file(&rule.file, told)
            });
        }
        seen.entry(&rule.id).or_insert(rule);
    }
}
