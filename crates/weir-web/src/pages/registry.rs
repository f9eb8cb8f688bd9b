//! A registry: what is new in it, and what it promises.

use askama::Template;
use jiff::Timestamp;
use weir_index::{RegistryFacts, ReleaseView, Stats};
use weir_log::Checkpoint;
use weir_model::KindName;

use super::home::withdrawn;
use super::rows::{Fact, ReleaseRow};
use crate::frame::{Frame, Page, PageError};
use crate::{address, said};

/// What is said of the policy of a registry that has no set of its own.
pub const NO_POLICY: &str = "Whoever is in its team publishes: the set `folder`.";

/// What the page is made of.
#[derive(Debug)]
pub struct RegistryPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// How much there is.
    pub stats: &'a Stats,
    /// What it promises.
    pub facts: &'a RegistryFacts,
    /// Its policy, in a sentence.
    pub policy: &'a str,
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
    policy: &'a str,
    policy_href: String,
    queue: String,
    search: String,
    all: String,
    is_empty: bool,
    count: String,
    location: String,
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
            policy: self.policy,
            policy_href: address::policy(name),
            queue: address::queue(name),
            search: address::search(name, &[]),
            all: address::search(name, &[]),
            is_empty: self.stats.packages == 0,
            count: said::count(self.stats.packages, "package"),
            location: self.frame.location(),
        })
    }

    fn rows(&self) -> Vec<Fact> {
        let signed = self.checkpoint.and_then(Checkpoint::time);
        let records = self.checkpoint.map_or(0, Checkpoint::size);
        let last = records.checked_sub(1).map(|last| address::entry(self.frame.registry(), last));
        let upstreams = self.facts.upstreams.as_deref().unwrap_or_default().iter();
        let upstreams = upstreams.map(|upstream| upstream.name.as_str()).collect::<Vec<_>>().join(", ");
        let checkpoint = Fact::new("log", said::count(records, "entry"));
        [
            Fact::new("releases", self.stats.offered.to_string()),
            Fact::new("withdrawn", withdrawn(*self.stats)),
            Fact::new("size", said::bytes(self.stats.size)),
            Fact::new("upstreams", upstreams),
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
