//! A registry: what is new in it, and what it promises.

use askama::Template;
use jiff::Timestamp;
use weir_cedar::Part;
use weir_index::{RegistryFacts, ReleaseView, Stats};
use weir_log::Checkpoint;
use weir_model::KindName;
use weir_model::record::{Only, UpstreamMode};

use super::home::withdrawn;
use super::rows::{Fact, ReleaseRow};
use crate::frame::{Frame, Page, PageError};
use crate::{address, said};

/// What is said of the policy of a registry that has no set of its own.
pub const NO_POLICY: &str = "Whoever is in its team publishes: the set `folder`.";

/// A registry above, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AboveRegistry {
    /// Its name.
    pub name: String,
    /// What of it is admitted.
    pub mode: UpstreamMode,
    /// The packages that may come from it.
    pub only: Only,
    /// Up to which entry of its log this one has admitted, if it ever did.
    pub admitted_to: Option<u64>,
    /// How much of its log was last seen from here, and when that was signed.
    pub seen: Option<(u64, Option<Timestamp>)>,
    /// The registries above it in turn, as far as that is known.
    pub above: Vec<String>,
    /// When it was last asked.
    pub contact: Contact,
    /// Where it is reached, for those who may know that.
    pub address: Option<String>,
}

/// When a registry above was last asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contact {
    /// Nothing is known of that.
    Unknown,
    /// It answered.
    Reached(Timestamp),
    /// It did not, or was not believed; why, for those who may know that.
    Unreached(Timestamp, Option<String>),
}

impl AboveRegistry {
    /// Those that the log of a registry names, without anything else that is known of them.
    pub fn of(facts: &RegistryFacts) -> Vec<Self> {
        let above = facts.upstreams().iter().map(|upstream| Self {
            name: upstream.name.clone(),
            mode: upstream.mode,
            only: upstream.only.clone(),
            admitted_to: facts.cursor(&upstream.name).map(|cursor| cursor.size),
            seen: None,
            above: Vec::new(),
            contact: Contact::Unknown,
            address: None,
        });
        above.collect()
    }
}

/// What the page is made of.
#[derive(Debug)]
pub struct RegistryPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// How much there is.
    pub stats: &'a Stats,
    /// What it promises.
    pub facts: &'a RegistryFacts,
    /// Its policy, as its log tells of it.
    pub policy: &'a str,
    /// The parts of its policy set, as far as they are at hand.
    pub parts: &'a [Part],
    /// The registries above it, the nearest first.
    pub above: &'a [AboveRegistry],
    /// The newest signed statement of its log.
    pub checkpoint: Option<&'a Checkpoint>,
    /// The newest releases, the newest first.
    pub newest: &'a [ReleaseView],
    /// Now.
    pub now: Timestamp,
}

#[derive(Template)]
#[template(path = "registry.html")]
struct Registry<'a> {
    frame: &'a Frame,
    newest: Vec<ReleaseRow>,
    kinds: Vec<(&'static str, String)>,
    facts: Vec<Fact>,
    policy: String,
    parts: Vec<(&'a str, &'static str)>,
    above: Vec<AboveRow>,
    statistics: String,
    policy_href: String,
    queue: String,
    search: String,
    all: String,
    is_empty: bool,
    count: String,
    location: String,
}

struct AboveRow {
    name: String,
    means: String,
    address: String,
    told: String,
    above: String,
    contact: String,
    /// Why it was not reached, with the tag that says so.
    unreached: bool,
    reason: String,
}

impl RegistryPage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let name = self.frame.registry();
        let takes = |kind: &KindName| self.facts.takes(*kind);
        let kinds = KindName::ALL.into_iter().filter(takes);
        let kinds = kinds.map(|kind| (kind.as_str(), address::search(name, &[("kind", kind.as_str())])));
        Page::write(&Registry {
            frame: self.frame,
            newest: self.newest.iter().map(|view| ReleaseRow::new(name, view, self.now)).collect(),
            kinds: kinds.collect(),
            facts: self.rows(),
            policy: policy_sentence(self.parts, self.policy),
            parts: self
                .parts
                .iter()
                .map(|part| (part.name.as_str(), part.summary.unwrap_or_default()))
                .collect(),
            above: self.above.iter().map(|above| self.above(above)).collect(),
            statistics: address::statistics(name, 30),
            policy_href: address::policy(name),
            queue: address::queue(name),
            search: address::search(name, &[]),
            all: address::search(name, &[]),
            is_empty: self.stats.packages == 0,
            count: said::count(self.stats.packages, "package"),
            location: self.frame.location(),
        })
    }

    fn above(&self, above: &AboveRegistry) -> AboveRow {
        let told = match (above.admitted_to, above.seen) {
            (None, _) => "Nothing of it was admitted yet.".to_owned(),
            (Some(admitted), None) => format!("Admitted up to entry {admitted} of its log."),
            (Some(admitted), Some((seen, signed))) => {
                let signed = signed.map(|at| format!(", signed {}", said::ago(at, self.now)));
                format!(
                    "Admitted up to entry {admitted} of the {seen} that are known{}.",
                    signed.unwrap_or_default()
                )
            }
        };
        let (contact, unreached, reason) = match &above.contact {
            Contact::Unknown => (String::new(), false, ""),
            Contact::Reached(at) => (format!("answered {}", said::ago(*at, self.now)), false, ""),
            Contact::Unreached(at, reason) => (
                format!("not reached {}", said::ago(*at, self.now)),
                true,
                reason.as_deref().unwrap_or_default(),
            ),
        };
        AboveRow {
            name: said::line(&above.name),
            means: match above.only.is_all() {
                true => above.mode.told().to_owned(),
                false => {
                    let only: Vec<String> = above.only.taken().iter().map(ToString::to_string).collect();
                    format!("{}, and nothing but {}", above.mode.told(), said::line(&only.join(", ")))
                }
            },
            address: said::line(above.address.as_deref().unwrap_or_default()),
            told,
            above: said::line(&above.above.join(", ")),
            contact,
            unreached,
            reason: said::line(reason),
        }
    }

    fn rows(&self) -> Vec<Fact> {
        let signed = self.checkpoint.and_then(Checkpoint::time);
        let records = self.checkpoint.map_or(0, Checkpoint::size);
        let last = records.checked_sub(1).map(|last| address::entry(self.frame.registry(), last));
        let checkpoint = Fact::new("log", said::count(records, "entry"));
        [
            Fact::new("releases", self.stats.offered.to_string()),
            Fact::new("withdrawn", withdrawn(*self.stats)),
            Fact::new("size", said::bytes(self.stats.size)),
            checkpoint.map(|fact| fact.to(last.unwrap_or_default())),
            Fact::new("signed", signed.map(|at| said::ago(at, self.now)).unwrap_or_default()),
            Fact::new(
                "good until",
                self.checkpoint.and_then(Checkpoint::expires).map(said::time).unwrap_or_default(),
            ),
            Fact::new(
                "promises",
                if self.facts.is_closed() {
                    "closed: what something was built with is there as long as it is"
                } else {
                    ""
                },
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A policy in a sentence: what its parts say of themselves, where nobody changed them, or else `otherwise`.
pub(super) fn policy_sentence(parts: &[Part], otherwise: &str) -> String {
    let said: Vec<&str> = parts.iter().filter_map(|part| part.summary).collect();
    match said.len() {
        0 => said::line(otherwise),
        all if all == parts.len() => sentence(&said.join("; ")),
        _ => format!("{} Its other rules are its own.", sentence(&said.join("; "))),
    }
}

/// Words as a sentence, without the backquotes that are code in a terminal.
fn sentence(words: &str) -> String {
    let words = words.replace('`', "");
    let mut characters = words.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}
