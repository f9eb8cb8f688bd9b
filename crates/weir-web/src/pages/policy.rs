//! The policy of a registry: its rules in words and in Cedar, and what it says to a question.

use askama::Template;
use weir_cedar::{Effect, Explanation, PolicyFile, Rule};
use weir_policy::Verb;

use crate::frame::{Frame, Page, PageError};
use crate::{address, said};

/// May somebody do something, as it was asked.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Who: `user:ann`.
    pub who: String,
    /// What.
    pub verb: String,
    /// To what: a release, an owner, or nothing for the registry.
    pub what: String,
}

/// What was answered.
#[derive(Debug)]
pub enum Answer {
    /// By the set.
    Decided(Box<Explanation>),
    /// The question was none.
    Unclear(String),
}

/// What the page is made of.
#[derive(Debug)]
pub struct PolicyPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The set in a sentence.
    pub summary: &'a str,
    /// The digest of its files, if it has any.
    pub digest: Option<String>,
    /// Its rules.
    pub rules: &'a [Rule],
    /// Its files.
    pub files: &'a [PolicyFile],
    /// What was asked.
    pub asked: &'a Asked,
    /// And answered.
    pub answer: Option<&'a Answer>,
}

#[derive(Template)]
#[template(path = "policy.html")]
struct Policy<'a> {
    frame: &'a Frame,
    action: String,
    summary: &'a str,
    digest: String,
    rules: Vec<RuleRow>,
    files: &'a [PolicyFile],
    asked: &'a Asked,
    verbs: Vec<&'static str>,
    verdict: Option<Verdict>,
}

struct RuleRow {
    id: String,
    effect: &'static str,
    reason: String,
    place: String,
}

struct Verdict {
    allowed: bool,
    rule: String,
    reason: Vec<(bool, String)>,
    nearest: Vec<(String, Vec<String>)>,
    unclear: bool,
}

impl PolicyPage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        Page::write(&Policy {
            frame: self.frame,
            action: address::policy(self.frame.registry()),
            summary: self.summary,
            digest: self.digest.clone().unwrap_or_default(),
            rules: self.rules.iter().map(row).collect(),
            files: self.files,
            asked: self.asked,
            verbs: Verb::ALL.iter().map(|verb| verb.as_str()).collect(),
            verdict: self.answer.map(verdict),
        })
    }
}

fn row(rule: &Rule) -> RuleRow {
    RuleRow {
        id: said::line(&rule.id),
        effect: match rule.effect {
            Effect::Permit => "permits",
            Effect::Forbid => "forbids",
        },
        reason: said::line(rule.reason.as_deref().unwrap_or_default()),
        place: format!("{}:{}", rule.file, rule.line),
    }
}

fn verdict(answer: &Answer) -> Verdict {
    match answer {
        Answer::Unclear(reason) => Verdict {
            allowed: false,
            rule: String::new(),
            reason: said::marked(&said::line(reason)),
            nearest: Vec::new(),
            unclear: true,
        },
        Answer::Decided(explanation) => Verdict {
            allowed: explanation.allowed,
            rule: said::line(&explanation.rule),
            reason: said::marked(&said::line(&explanation.reason)),
            nearest: explanation
                .nearest
                .iter()
                .map(|near| {
                    let missing = near.missing.iter().map(|clause| match clause.values.is_empty() {
                        true => said::line(&clause.clause),
                        false => format!(
                            "{} (here {})",
                            said::line(&clause.clause),
                            said::line(&clause.values.join(", "))
                        ),
                    });
                    (said::line(&near.id), missing.collect())
                })
                .collect(),
            unclear: false,
        },
    }
}
