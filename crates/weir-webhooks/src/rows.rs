//! Webhooks, and what they are told, as they are kept.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};
use weir_model::Sha256;
use weir_wire::AccountName;
use weir_wire::webhooks::{Delivery, DeliveryState, Webhook, WebhookEvent};

use crate::{Due, Result, WebhookError};

pub(super) const WEBHOOK: &str =
    "SELECT name, url, events, registries, who, created, paused, failing_since, missed, delivered,
    (SELECT count(*) FROM delivery WHERE webhook = name AND state = 'waiting'), secret FROM webhook";

/// So many hexadecimal digits say which secret it is.
const DIGITS: usize = 12;

/// A webhook, as it is kept.
pub(super) struct Kept {
    texts: [String; 5],
    created: i64,
    paused: Option<String>,
    failing_since: Option<i64>,
    missed: i64,
    delivered: Option<i64>,
    waiting: i64,
    secret: String,
}

pub(super) fn kept(row: &Row<'_>) -> std::result::Result<Kept, rusqlite::Error> {
    Ok(Kept {
        texts: [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?],
        created: row.get(5)?,
        paused: row.get(6)?,
        failing_since: row.get(7)?,
        missed: row.get(8)?,
        delivered: row.get(9)?,
        waiting: row.get(10)?,
        secret: row.get(11)?,
    })
}

impl Kept {
    pub(super) fn read(self) -> Result<Webhook> {
        let Self { texts: [name, url, events, registries, by], paused, .. } = self;
        Ok(Webhook {
            name: account(&name)?,
            url,
            events: serde_json::from_str::<BTreeSet<WebhookEvent>>(&events)?,
            registries: serde_json::from_str(&registries)?,
            by,
            created: at(self.created),
            secret_digest: Sha256::of(&self.secret).to_hex()[..DIGITS].to_owned(),
            paused,
            failing_since: self.failing_since.map(at),
            waiting: self.waiting.unsigned_abs(),
            missed: self.missed.unsigned_abs(),
            delivered: self.delivered.map(at),
        })
    }
}

pub(super) fn find(db: &Connection, name: &str) -> Result<Webhook> {
    let mut found = db.prepare_cached(&format!("{WEBHOOK} WHERE name = ?1"))?;
    let row = found.query_row([name], kept).optional()?;
    row.ok_or_else(|| WebhookError::None(shown(name)))?.read()
}

pub(super) const DUE: &str =
    "SELECT id, webhook, url, message, secret FROM delivery JOIN webhook ON webhook.name = delivery.webhook";

/// Something that is sent, as it is kept.
pub(super) struct Sent([String; 5]);

pub(super) fn due(row: &Row<'_>) -> std::result::Result<Sent, rusqlite::Error> {
    Ok(Sent([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?]))
}

impl Sent {
    pub(super) fn read(self) -> Result<Due> {
        let Self([id, webhook, url, body, secret]) = self;
        Ok(Due { id, webhook: account(&webhook)?, url, body, secret })
    }
}

pub(super) fn due_as(db: &Connection, id: &str) -> Result<Due> {
    let row = db.query_row(&format!("{DUE} WHERE id = ?1"), [id], due).optional()?;
    row.ok_or_else(|| WebhookError::NoDelivery(shown(id)))?.read()
}

pub(super) const DELIVERY: &str = "SELECT id, message, state, next, attempts FROM delivery";

/// A delivery, as it is kept.
pub(super) struct Told {
    id: String,
    message: String,
    state: String,
    next: i64,
    attempts: String,
}

pub(super) fn told_of(row: &Row<'_>) -> std::result::Result<Told, rusqlite::Error> {
    Ok(Told {
        id: row.get(0)?,
        message: row.get(1)?,
        state: row.get(2)?,
        next: row.get(3)?,
        attempts: row.get(4)?,
    })
}

impl Told {
    pub(super) fn read(self) -> Result<Delivery> {
        let Self { id, message, state, next, attempts } = self;
        let state: DeliveryState = serde_json::from_value(state.into())?;
        let next = Timestamp::from_millisecond(next).ok().filter(|_| state == DeliveryState::Waiting);
        let message = serde_json::from_str(&message)?;
        Ok(Delivery { id, message, state, attempts: serde_json::from_str(&attempts)?, next })
    }
}

pub(super) fn delivery(db: &Connection, id: &str) -> Result<Delivery> {
    let row = db.query_row(&format!("{DELIVERY} WHERE id = ?1"), [id], told_of).optional()?;
    row.ok_or_else(|| WebhookError::NoDelivery(shown(id)))?.read()
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(super) fn account(name: &str) -> Result<AccountName> {
    name.parse().map_err(|_| WebhookError::Unusable(format!("`{}` can be no name", shown(name))))
}

/// What somebody sent as a name, fit to be shown.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() && *c != '`').take(64).collect()
}
