//! The policy of a registry: its rules in words and in Cedar, and what it says to a question.

use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;
use weir_activity::{COUNTED, Decided, Times};
use weir_cedar::{Effect, Explanation, Part, PolicyFile, Problem, Rule};
use weir_model::ReleaseId;
use weir_policy::Verb;

use super::registry::policy_sentence;
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

/// A set that is being changed.
#[derive(Debug)]
pub struct Changing<'a> {
    /// Its files, as they are typed.
    pub files: Vec<PolicyFile>,
    /// Which set is in force: it is this one that is changed.
    pub seen: String,
    /// The files of that set, where another was in force when those were typed.
    pub in_force: &'a [PolicyFile],
    /// What would differ, once that was asked.
    pub simulated: Option<&'a Result<Simulation, SimulationFailed>>,
}

/// What a changed set would have said of what was published.
#[derive(Debug)]
pub struct Simulation {
    /// The digest of the set that was simulated.
    pub digest: String,
    /// From which entry of the log on.
    pub since: u64,
    /// How many publications it was asked about.
    pub publications: u64,
    /// How many releases came in from registries above or below, about which it was not asked.
    pub not_replayed: u64,
    /// Of how many it says something else than the set in force.
    pub different: u64,
    /// The first of those.
    pub differs: Vec<Differs>,
}

/// A publication of which it says something else.
#[derive(Debug)]
pub struct Differs {
    /// Its entry in the log.
    pub index: u64,
    /// When it was published.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// What.
    pub release: ReleaseId,
    /// Whether the changed set permits it.
    pub permitted: bool,
    /// The rule of the changed set that decides.
    pub rule: String,
    /// Why.
    pub reason: String,
    /// The rule of the set in force that decides.
    pub rule_now: String,
}

/// Why a changed set could not be simulated, or put in force.
#[derive(Debug, Default)]
pub struct SimulationFailed {
    /// In a sentence; empty where the problems say all.
    pub reason: String,
    /// What is wrong with its files.
    pub problems: Vec<Problem>,
}

/// So many actions of a rule are told of.
const MOST_ACTIONS: usize = 8;

/// So many differences are shown.
const MOST_DIFFERENCES: usize = 100;

/// What the page is made of.
#[derive(Debug)]
pub struct PolicyPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The set in a few words.
    pub summary: &'a str,
    /// Its parts.
    pub parts: &'a [Part],
    /// The digest of its files, if it has any.
    pub digest: Option<String>,
    /// Its rules.
    pub rules: &'a [Rule],
    /// How often each of them permitted what, and refused it, as far as that is known and whoever looks may know it.
    pub decided: &'a BTreeMap<String, Decided>,
    /// Its files.
    pub files: &'a [PolicyFile],
    /// What was asked.
    pub asked: &'a Asked,
    /// And answered.
    pub answer: Option<&'a Answer>,
    /// What it is being changed to, by whoever may.
    pub changing: Option<&'a Changing<'a>>,
}

#[derive(Template)]
#[template(path = "policy.html")]
struct Policy<'a> {
    frame: &'a Frame,
    action: String,
    sentence: String,
    summary: &'a str,
    digest: String,
    rules: Vec<RuleRow>,
    files: &'a [PolicyFile],
    asked: &'a Asked,
    verbs: Vec<&'static str>,
    verdict: Option<Verdict>,
    counts: bool,
    counted: i64,
    change: Option<Change<'a>>,
    simulate: String,
    set: String,
}

struct Change<'a> {
    seen: &'a str,
    in_force: &'a [PolicyFile],
    files: Vec<ChangedFile>,
    /// The number of a file that is added.
    next: usize,
    digest: String,
    /// Whether it is none.
    failed: bool,
    /// Why, as far as it is about no file of it.
    reasons: Vec<Vec<(bool, String)>>,
    told: String,
    differs: Vec<DiffersRow>,
    more: u64,
}

struct ChangedFile {
    name: String,
    text: String,
    /// What is wrong with it, and where.
    problems: Vec<Vec<(bool, String)>>,
}

struct DiffersRow {
    release: String,
    href: String,
    by: String,
    day: String,
    permitted: bool,
    rule: String,
    reason: String,
    rule_now: String,
}

struct RuleRow {
    id: String,
    effect: &'static str,
    reason: String,
    place: String,
    decided: Vec<String>,
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
            sentence: policy_sentence(self.parts, self.summary),
            summary: self.summary,
            digest: self.digest.clone().unwrap_or_default(),
            rules: self.rules.iter().map(|rule| self.row(rule)).collect(),
            files: self.files,
            asked: self.asked,
            verbs: Verb::ALL.iter().map(|verb| verb.as_str()).collect(),
            verdict: self.answer.map(verdict),
            counts: !self.decided.is_empty(),
            counted: COUNTED,
            change: self.changing.map(|changing| self.change(changing)),
            simulate: address::simulate_policy(self.frame.registry()),
            set: address::set_policy(self.frame.registry()),
        })
    }

    fn row(&self, rule: &Rule) -> RuleRow {
        RuleRow {
            id: said::line(&rule.id),
            effect: match rule.effect {
                Effect::Permit => "permits",
                Effect::Forbid => "forbids",
            },
            reason: said::line(rule.reason.as_deref().unwrap_or_default()),
            place: format!("{}:{}", rule.file, rule.line),
            decided: self.decided.get(&rule.id).map(times).unwrap_or_default(),
        }
    }

    fn change<'c>(&self, changing: &'c Changing<'_>) -> Change<'c> {
        let files = changing.files.iter().map(|PolicyFile { name, text }| ChangedFile {
            name: name.clone(),
            text: text.clone(),
            problems: Vec::new(),
        });
        let mut change = Change {
            seen: &changing.seen,
            in_force: changing.in_force,
            files: files.collect(),
            next: changing.files.len(),
            digest: String::new(),
            failed: false,
            reasons: Vec::new(),
            told: String::new(),
            differs: Vec::new(),
            more: 0,
        };
        match changing.simulated {
            None => {}
            Some(Err(failed)) => change.failed(failed),
            Some(Ok(simulation)) => {
                change.digest.clone_from(&simulation.digest);
                change.told = told(simulation);
                let shown = simulation.differs.iter().take(MOST_DIFFERENCES);
                change.differs = shown.map(|one| differs(self.frame.registry(), one)).collect();
                change.more = simulation.different - change.differs.len() as u64;
            }
        }
        change
    }
}

impl Change<'_> {
    /// Says what is wrong beside the file that it is about, or else first of all.
    fn failed(&mut self, SimulationFailed { reason, problems }: &SimulationFailed) {
        self.failed = true;
        if !reason.is_empty() {
            self.reasons.push(said::marked(reason));
        }
        for problem in problems {
            match self.files.iter_mut().find(|file| file.name == problem.file) {
                Some(file) => file.problems.push(said::marked(&said::problem(problem))),
                None => self.reasons.push(said::marked(&problem.to_string())),
            }
        }
    }
}

/// What a rule decided: each action, the most frequent first. Where a rule permits, it is named by what it did not permit as the nearest.
fn times(decided: &Decided) -> Vec<String> {
    let mut decided: Vec<(&String, &Times)> = decided.iter().collect();
    decided.sort_by_key(|(_, times)| std::cmp::Reverse(times.permitted.saturating_add(times.refused)));
    let told = |(action, times): (&String, &Times)| match *times {
        Times { permitted, refused: 0 } => format!("{} {permitted}", said::line(action)),
        Times { permitted: 0, refused } => format!("{} {refused} refused", said::line(action)),
        Times { permitted, refused } => format!("{} {permitted}, {refused} refused", said::line(action)),
    };
    decided.into_iter().take(MOST_ACTIONS).map(told).collect()
}

fn told(simulation: &Simulation) -> String {
    let asked = said::count(simulation.publications, "publication");
    let since = match simulation.since {
        0 => String::new(),
        since => format!(" since entry {since}"),
    };
    let said = match simulation.different {
        0 => format!("Of {asked}{since}, it says what the set in force says of all."),
        different => format!("Of {asked}{since}, it says something else of {different}."),
    };
    let others = said::count(simulation.not_replayed, "release");
    format!(
        "{said} Nothing else is replayed: not the {others} that came in from registries above or below, nor what was held, withdrawn or approved."
    )
}

fn differs(registry: &str, one: &Differs) -> DiffersRow {
    DiffersRow {
        release: one.release.to_string(),
        href: address::entry(registry, one.index),
        by: said::line(said::who(&one.by)),
        day: said::day(one.at),
        permitted: one.permitted,
        rule: said::line(&one.rule),
        reason: said::line(&one.reason),
        rule_now: said::line(&one.rule_now),
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
