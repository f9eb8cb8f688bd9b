//! What waits for a decision: releases that are held, promotions, quarantines.

use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;
use weir_index::{HeldRelease, ReleaseView};
use weir_wire::promotion::PromotionRequest;

use super::release::build;
use super::rows::ReleaseRow;
use crate::frame::{Frame, Page, PageError};
use crate::{address, said, seen};

/// So many releases that are held, and so many that are quarantined, are told of: whoever makes the page asks for one more.
pub const MOST_QUEUED: usize = 100;

/// So many releases of one promotion are named.
const NAMED: usize = 20;

/// A promotion that waits.
#[derive(Debug)]
pub struct WaitingPromotion {
    /// What is told of it.
    pub request: PromotionRequest,
    /// Whether whoever looks may approve it.
    pub approvable: bool,
    /// Whether they did.
    pub approved: bool,
    /// What has become of it in the registry that it comes from.
    pub below: BelowIt,
}

/// What has become of a promotion in the registry that it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BelowIt {
    /// It was not asked.
    Unasked,
    /// All of it is offered there still.
    Offered,
    /// Something of it is not, for this reason.
    Withdrawn(String),
    /// Nobody can tell from here.
    Unknown,
}

/// What the page is made of.
#[derive(Debug)]
pub struct QueuePage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// What policy keeps out, by name.
    pub held: &'a [HeldRelease],
    /// The keys of registries above, by the name they have in this one's log.
    pub above: &'a BTreeMap<String, String>,
    /// Registries that the same server shows to whoever looks: by a key of theirs, the name they have there.
    pub shown_here: &'a BTreeMap<String, String>,
    /// The promotions that wait, as far as they are for whoever looks.
    pub promotions: &'a [WaitingPromotion],
    /// What is quarantined, and whether whoever looks may take that back.
    pub quarantined: &'a [(ReleaseView, bool)],
    /// Now.
    pub now: Timestamp,
}

#[derive(Template)]
#[template(path = "queue.html")]
struct Queue<'a> {
    frame: &'a Frame,
    held: Vec<HeldRow>,
    more_held: bool,
    admit: String,
    promotions: Vec<PromotionRow>,
    approve: String,
    refuse: String,
    quarantined: Vec<QuarantinedRow>,
    more_quarantined: bool,
}

struct HeldRow {
    id: String,
    name: String,
    href: String,
    build: String,
    from: String,
    policy: String,
    reason: String,
    until: String,
    since: String,
    seen: String,
}

struct PromotionRow {
    id: String,
    from: String,
    by: String,
    ago: String,
    releases: Vec<PromotedRow>,
    more: usize,
    approved_by: String,
    approvable: bool,
    approved: bool,
    seen: String,
    withdrawn: Vec<(bool, String)>,
    is_unknown: bool,
}

struct PromotedRow {
    id: String,
    /// Its page where it comes from; nothing where whoever looks is not shown that.
    href: String,
    tree: String,
}

struct QuarantinedRow {
    release: ReleaseRow,
    impact: String,
    withdraw: String,
    seen: String,
    may: bool,
}

impl QueuePage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let registry = self.frame.registry();
        Page::write(&Queue {
            frame: self.frame,
            held: self.held.iter().take(MOST_QUEUED).map(|held| self.held(held)).collect(),
            more_held: self.held.len() > MOST_QUEUED,
            admit: address::admit(registry),
            promotions: self.promotions.iter().map(|one| self.promotion(one)).collect(),
            approve: address::approve(registry),
            refuse: address::refuse(registry),
            quarantined: self.quarantined.iter().take(MOST_QUEUED).map(|one| self.quarantined(one)).collect(),
            more_quarantined: self.quarantined.len() > MOST_QUEUED,
        })
    }

    fn held(&self, held: &HeldRelease) -> HeldRow {
        let HeldRelease { hold, mark } = held;
        HeldRow {
            id: hold.id.to_string(),
            name: hold.id.name.to_string(),
            href: self
                .above
                .get(&hold.registry)
                .and_then(|key| self.shown_here.get(key))
                .map_or_else(String::new, |above| address::release(above, &hold.id)),
            build: build(&hold.id),
            from: said::line(&hold.registry),
            policy: said::line(&hold.policy),
            reason: said::line(&hold.reason),
            until: hold.until.map(said::time).unwrap_or_default(),
            since: said::ago(mark.at, self.now),
            seen: seen::hold(held),
        }
    }

    fn promotion(&self, waiting: &WaitingPromotion) -> PromotionRow {
        let WaitingPromotion { request, approvable, approved, below } = waiting;
        // What waits is not here yet: it is looked at where it comes from.
        let from = self.shown_here.get(&request.key);
        let named = request.releases.iter().zip(&request.trees).take(NAMED);
        let named = named.map(|(id, tree)| PromotedRow {
            id: id.to_string(),
            href: from.map(|from| address::release(from, id)).unwrap_or_default(),
            tree: tree.to_string(),
        });
        let approved_by: Vec<&str> =
            request.approvals.iter().map(|approval| said::who(&approval.by)).collect();
        PromotionRow {
            id: request.id.clone(),
            from: said::line(&request.from),
            by: said::who(&request.by).to_owned(),
            ago: said::ago(request.at, self.now),
            releases: named.collect(),
            more: request.releases.len().saturating_sub(NAMED),
            approved_by: approved_by.join(", "),
            approvable: *approvable,
            approved: *approved,
            seen: seen::promotion(request),
            withdrawn: match below {
                BelowIt::Withdrawn(reason) => said::marked(&said::line(reason)),
                BelowIt::Unasked | BelowIt::Offered | BelowIt::Unknown => Vec::new(),
            },
            is_unknown: *below == BelowIt::Unknown,
        }
    }

    fn quarantined(&self, (view, may): &(ReleaseView, bool)) -> QuarantinedRow {
        let registry = self.frame.registry();
        let id = &view.release.id;
        QuarantinedRow {
            release: ReleaseRow::new(registry, view, self.now),
            impact: address::impact(registry, &id.name, &id.version),
            withdraw: address::withdraw(registry, id),
            seen: seen::release(view),
            may: *may,
        }
    }
}
