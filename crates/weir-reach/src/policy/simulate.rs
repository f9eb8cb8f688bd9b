//! What a changed set would have said of what was published.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use weir_cedar::{PolicyFiles, PolicySet};
use weir_log::{Source, TrustedKeys};
use weir_model::advisory::{Advisory, AdvisoryId};
use weir_model::record::ReleaseRecord;
use weir_model::{Action, OwnerName, Record, ReleaseId};
use weir_policy::{Caller, Decision, Principal, ReleaseFacts, Request, Target, Verb};
use weir_registry::ReplicaError;
use weir_rules::worst;

use super::{PolicyPlace, WhichRegistry, with_groups};
use crate::connect::connect;
use crate::error::ReachError;
use crate::session::Session;

/// So many differences are listed; all are counted.
const MAX_LISTED: usize = 1000;

/// Where the log is replayed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// From the record of this number on.
    Size(u64),
    /// From this moment on.
    Time(Timestamp),
}

impl FromStr for Since {
    type Err = String;

    /// A number of records, a day (`2026-11-01`, in UTC), or a time.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(size) = text.parse() {
            return Ok(Self::Size(size));
        }
        let day = text.parse::<Date>().and_then(|day| day.to_zoned(TimeZone::UTC)).map(|day| day.timestamp());
        text.parse::<Timestamp>().or(day).map(Self::Time).map_err(|_| {
            "neither a number of records, nor a day such as `2026-11-01`, nor a time such as `2026-11-01T12:00:00Z`".into()
        })
    }
}

/// What a changed set would have said of the publications in a log.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Simulated {
    /// The name the registry is known by here.
    pub registry: String,
    /// How many publications were asked about.
    pub publications: u64,
    /// How many releases came in from registries above or below: what was known of them then is not in the log, so nobody is asked.
    pub not_replayed: u64,
    /// Of how many the changed set says what the present one says.
    pub same: u64,
    /// Of how many it says something else.
    pub different: u64,
    /// Those, at most a thousand.
    pub differences: Vec<PolicyDifference>,
}

/// A publication of which two sets say different things.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyDifference {
    /// The number of its record.
    pub index: u64,
    /// When it was published.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// The release.
    pub release: ReleaseId,
    /// Whether the changed set permits it.
    pub permitted: bool,
    /// The rule of the changed set that decides.
    pub rule: String,
    /// Why.
    pub reason: String,
    /// The rule of the present set that decides.
    pub rule_now: String,
}

/// Replays what was published since `since` against `changed`, and compares with the set `present`. What came from registries above or
/// below, what was held, withdrawn or approved is not replayed. Groups of a server are not
/// in the log: who published is in the groups that each set itself says, and a changed set without any has those of the registry.
///
/// # Errors
///
/// When the log cannot be read, or files are no set.
pub fn policy_simulate(
    session: &Session,
    which: WhichRegistry<'_>,
    present: &PolicyFiles,
    changed: &PolicyFiles,
    since: Since,
) -> Result<Simulated, ReachError> {
    let connection = connect(session, &which.find(session)?)?;
    let place = PolicyPlace::of(session, &connection.known)?;
    let changed = with_groups(changed.clone(), &place, &place.principal(session)?)?;
    let log = Log {
        registry: &connection.known.name,
        source: &*connection.source,
        keys: connection.replica.keys(),
    };
    simulate_on(log, PolicySet::new(present)?, PolicySet::new(&changed)?, since)
}

/// A log that is at hand.
#[derive(Clone, Copy)]
pub struct Log<'a> {
    /// What the registry is called.
    pub registry: &'a str,
    /// Its files.
    pub source: &'a dyn Source,
    /// Whose signatures it has.
    pub keys: &'a TrustedKeys,
}

/// Replays what was published in a log since `since`, as [`policy_simulate`] does.
///
/// # Errors
///
/// When the log cannot be read.
pub fn simulate_on(
    log: Log<'_>,
    present: PolicySet,
    changed: PolicySet,
    since: Since,
) -> Result<Simulated, ReachError> {
    let told = Simulated {
        registry: log.registry.to_owned(),
        publications: 0,
        not_replayed: 0,
        same: 0,
        different: 0,
        differences: Vec::new(),
    };
    let mut replay = Replay {
        present,
        changed,
        since,
        claims: BTreeMap::new(),
        claimed_now: Vec::new(),
        batch: String::new(),
        advisories: BTreeMap::new(),
        told,
    };
    weir_log::follow(log.source, log.keys, None, Timestamp::UNIX_EPOCH, &mut |index, bytes| {
        replay.record(index, &Record::from_bytes(bytes)?);
        Ok(())
    })
    .map_err(ReplicaError::from)?;
    Ok(replay.told)
}

struct Replay {
    present: PolicySet,
    changed: PolicySet,
    since: Since,
    claims: BTreeMap<OwnerName, Vec<String>>,
    /// What the batch has claimed: whoever publishes first under an owner is asked about before it is theirs.
    claimed_now: Vec<(OwnerName, Vec<String>)>,
    batch: String,
    advisories: BTreeMap<AdvisoryId, Advisory>,
    told: Simulated,
}

impl Replay {
    fn record(&mut self, index: u64, record: &Record) {
        if record.batch != self.batch {
            self.batch.clone_from(&record.batch);
            self.claims.extend(self.claimed_now.drain(..));
        }
        match &record.action {
            // What registries above tell is about what comes from there, and not about what is published here.
            Action::Advise(advice) if advice.from.is_none() => {
                let advisory = advice.advisory.clone();
                self.advisories.insert(advisory.id.clone(), advisory);
            }
            Action::Dismiss(dismissal) if dismissal.from.is_none() => {
                self.advisories.remove(&dismissal.id);
            }
            Action::Claim { owner, who } => self.claimed_now.push((owner.clone(), who.clone())),
            Action::Admit { .. } | Action::Promote { .. } if self.counts(index, record.at) => {
                self.told.not_replayed += 1;
            }
            Action::Publish { release } => {
                if self.counts(index, record.at) {
                    self.publication(index, record.at, &record.by, release);
                }
                self.claims.extend(self.claimed_now.drain(..));
            }
            _ => {}
        }
    }

    /// Whether a record is among those that are asked for.
    fn counts(&self, index: u64, at: Timestamp) -> bool {
        match self.since {
            Since::Size(size) => index >= size,
            Since::Time(time) => at >= time,
        }
    }

    fn publication(&mut self, index: u64, at: Timestamp, by: &str, release: &ReleaseRecord) {
        self.told.publications += 1;
        let principal = by.parse().unwrap_or(Principal::Anonymous);
        let caller = Caller::new(principal, at);
        let request = Request {
            caller: &caller,
            verb: Verb::Publish,
            target: Target::Release(release.id()),
            owner_belongs_to: self.claims.get(&release.name.owner_name()).cloned(),
            release: Some(ReleaseFacts {
                advised: worst(self.advisories.values(), &release.name, &release.version),
                ..ReleaseFacts::from(release)
            }),
        };
        let (now, then) = (self.present.decide(&request), self.changed.decide(&request));
        if now.allowed == then.allowed {
            self.told.same += 1;
            return;
        }
        self.told.different += 1;
        if self.told.differences.len() < MAX_LISTED {
            let Decision { allowed, policy, reason } = then;
            self.told.differences.push(PolicyDifference {
                index,
                at,
                by: by.to_owned(),
                release: release.id(),
                permitted: allowed,
                rule: policy.into_owned(),
                reason,
                rule_now: now.policy.into_owned(),
            });
        }
    }
}
