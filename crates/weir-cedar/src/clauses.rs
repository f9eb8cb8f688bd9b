//! A rule, clause by clause: what must hold for it to apply, each part a question of its own.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use cedar_policy::{
    Authorizer, Decision, Expression, Policy, PolicyId, PolicySet, PrincipalConstraint, ResourceConstraint,
    eval_expression,
};
use serde_json::{Value, json};

use crate::ask::Asked;

/// More attributes of one clause would tell nobody more.
const MAX_VALUES: usize = 4;

/// The longest text of a clause or a value that is told, in characters.
const MAX_TEXT: usize = 200;

/// What must hold for a rule to apply to an action that it is about. Found out when it is first asked.
#[derive(Debug, Default)]
pub(crate) struct Clauses(OnceLock<Vec<Clause>>);

/// One part of that.
#[derive(Debug)]
pub(crate) struct Clause {
    /// It, in Cedar.
    pub(crate) text: String,
    /// It, as a set of one rule that permits where it holds; `None` if it cannot stand alone.
    alone: Option<PolicySet>,
    /// The attributes it is about, such as `resource.size`.
    values: Vec<(String, Expression)>,
}

/// What became of a clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Held {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// It cannot be evaluated.
    Failed(String),
}

impl Clauses {
    pub(crate) fn of(&self, policy: &Policy) -> &[Clause] {
        self.0.get_or_init(|| parts(policy))
    }
}

impl Clause {
    fn new(text: String, scope: &Value, condition: Option<&Value>) -> Self {
        let conditions: Vec<Value> =
            condition.iter().map(|body| json!({"kind": "when", "body": body})).collect();
        let mut rule = json!({
            "effect": "permit", "principal": {"op": "All"}, "action": {"op": "All"}, "resource": {"op": "All"},
            "conditions": conditions,
        });
        if let (Some(rule), Some(scope)) = (rule.as_object_mut(), scope.as_object()) {
            rule.extend(scope.clone());
        }
        let policy = Policy::from_json(Some(PolicyId::new("clause")), rule).ok();
        let text = match condition {
            Some(_) => policy.as_ref().and_then(condition_text).unwrap_or(text),
            None => text,
        };
        let mut values = BTreeSet::new();
        if let Some(body) = condition {
            attributes(body, &mut values);
        }
        let values = values.into_iter().take(MAX_VALUES);
        Self {
            text: shortened(&text),
            alone: policy.and_then(|policy| PolicySet::from_policies([policy]).ok()),
            values: values.filter_map(|value| Some((value.clone(), value.parse().ok()?))).collect(),
        }
    }

    pub(crate) fn held(&self, asked: &Asked) -> Held {
        let Some(alone) = &self.alone else { return Held::Failed("it cannot be evaluated alone".into()) };
        let response = Authorizer::new().is_authorized(&asked.request, alone, &asked.entities);
        if let Some(error) = response.diagnostics().errors().next() {
            let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
            return Held::Failed(error.inner().to_string());
        }
        if response.decision() == Decision::Allow { Held::Yes } else { Held::No }
    }

    /// What it was about, in this case: `resource.size = 500`.
    pub(crate) fn values(&self, asked: &Asked) -> Vec<String> {
        let values = self.values.iter().filter_map(|(name, value)| {
            let value = eval_expression(&asked.request, &asked.entities, value).ok()?;
            Some(shortened(&format!("{name} = {value}")))
        });
        values.collect()
    }
}

/// The parts of a rule: whom it is about, what it is about, and each of its conditions.
fn parts(policy: &Policy) -> Vec<Clause> {
    let Ok(json) = policy.to_json() else { return Vec::new() };
    let mut clauses = Vec::new();
    let scope = |part: &str| json!({ part: json[part] });
    if let Some(text) = principal_text(&policy.principal_constraint()) {
        clauses.push(Clause::new(text, &scope("principal"), None));
    }
    if let Some(text) = resource_text(&policy.resource_constraint()) {
        clauses.push(Clause::new(text, &scope("resource"), None));
    }
    for condition in json["conditions"].as_array().into_iter().flatten() {
        let unless = condition["kind"] == "unless";
        let mut bodies = Vec::new();
        split(&condition["body"], if unless { "||" } else { "&&" }, &mut bodies);
        for body in bodies {
            let body = if unless { json!({"!": {"arg": body}}) } else { body.clone() };
            clauses.push(Clause::new(String::new(), &json!({}), Some(&body)));
        }
    }
    clauses
}

/// The operands of a chain of `operator`, in their order.
fn split<'a>(body: &'a Value, operator: &str, into: &mut Vec<&'a Value>) {
    match body.get(operator) {
        Some(both) => {
            split(&both["left"], operator, into);
            split(&both["right"], operator, into);
        }
        None => into.push(body),
    }
}

/// The attributes of principal, resource and context that an expression reads.
fn attributes(body: &Value, into: &mut BTreeSet<String>) {
    match body {
        Value::Object(parts) => {
            if let Some(access) = parts.get(".")
                && let (Some(of), Some(attribute)) = (access["left"]["Var"].as_str(), access["attr"].as_str())
                && attribute.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
            {
                into.insert(format!("{of}.{attribute}"));
            }
            parts.values().for_each(|part| attributes(part, into));
        }
        Value::Array(parts) => parts.iter().for_each(|part| attributes(part, into)),
        _ => {}
    }
}

fn condition_text(policy: &Policy) -> Option<String> {
    let text = policy.to_cedar()?;
    let (_, body) = text.split_once("when {")?;
    let (body, _) = body.rsplit_once('}')?;
    Some(body.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn principal_text(constraint: &PrincipalConstraint) -> Option<String> {
    Some(match constraint {
        PrincipalConstraint::Any => return None,
        PrincipalConstraint::In(of) => format!("principal in {of}"),
        PrincipalConstraint::Eq(one) => format!("principal == {one}"),
        PrincipalConstraint::Is(sort) => format!("principal is {sort}"),
        PrincipalConstraint::IsIn(sort, of) => format!("principal is {sort} in {of}"),
    })
}

fn resource_text(constraint: &ResourceConstraint) -> Option<String> {
    Some(match constraint {
        ResourceConstraint::Any => return None,
        ResourceConstraint::In(of) => format!("resource in {of}"),
        ResourceConstraint::Eq(one) => format!("resource == {one}"),
        ResourceConstraint::Is(sort) => format!("resource is {sort}"),
        ResourceConstraint::IsIn(sort, of) => format!("resource is {sort} in {of}"),
    })
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
