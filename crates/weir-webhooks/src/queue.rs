//! What is to be told waits here: read from the logs, and taken out by whoever sends it.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use weir_wire::AccountName;
use weir_wire::webhooks::{DeliveryState, Webhook, WebhookData, WebhookEvent, WebhookMessage};

use crate::rows::{DUE, Kept, Sent, WEBHOOK, due, due_as, find, kept, shown};
use crate::{Due, LONGEST, MOST_WAITING, Result, WebhookError, Webhooks, message};

impl Webhooks {
    /// How far the log of a registry was read, in the words of who reads it.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn place(&self, registry: &str) -> Result<Option<String>> {
        let connection = self.connection();
        let mut found = connection.prepare_cached("SELECT read FROM place WHERE registry = ?1")?;
        Ok(found.query_row([registry], |row| row.get(0)).optional()?)
    }

    /// The log of a registry was read so far, and says this: it is queued for whoever is to be told.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn read(
        &self,
        registry: &str,
        place: &str,
        messages: &[WebhookMessage],
        now: Timestamp,
    ) -> Result<()> {
        self.change(|db| {
            queue(db, messages, now)?;
            db.execute(
                "INSERT INTO place(registry, read) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET read = excluded.read",
                [registry, place],
            )?;
            Ok(())
        })
    }

    /// Queues what is in no log.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn tell(&self, message: WebhookMessage, now: Timestamp) -> Result<()> {
        self.change(|db| queue(db, &[message], now))
    }

    /// Queues a ping for one webhook, also for one that is paused. Whoever asks for it sends it: nobody else does.
    ///
    /// # Errors
    ///
    /// When there is none of that name.
    pub fn ping(&self, name: &str, server: &str, by: &str, now: Timestamp) -> Result<Due> {
        let data =
            WebhookData { server: server.to_owned(), by: Some(by.to_owned()), ..WebhookData::default() };
        self.change(|db| {
            let webhook = find(db, name)?;
            let id =
                put(db, &webhook.name, &message(WebhookEvent::Ping, now, data), DeliveryState::Failed, now)?;
            due_as(db, &id)
        })
    }

    /// What was told once, to be told again by whoever asks for it.
    ///
    /// # Errors
    ///
    /// When that is not kept.
    pub fn again(&self, name: &str, id: &str) -> Result<Due> {
        let connection = self.connection();
        let webhook = find(&connection, name)?;
        let due = due_as(&connection, id)?;
        if due.webhook != webhook.name {
            return Err(WebhookError::NoDelivery(shown(id)));
        }
        Ok(due)
    }

    /// The webhooks for which something is to be sent now, and whether anything waits at all.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn due(&self, now: Timestamp) -> Result<(Vec<String>, bool)> {
        let connection = self.connection();
        let mut found = connection.prepare_cached(
            "SELECT name, rests_until <= ?1 AND EXISTS(
                 SELECT 1 FROM delivery WHERE webhook = name AND state = 'waiting' AND next <= ?1)
             FROM webhook WHERE paused IS NULL
                 AND EXISTS(SELECT 1 FROM delivery WHERE webhook = name AND state = 'waiting')",
        )?;
        let waiting = found
            .query_map([now.as_millisecond()], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<std::result::Result<Vec<(String, bool)>, _>>()?;
        let any = !waiting.is_empty();
        Ok((waiting.into_iter().filter(|(_, is_due)| *is_due).map(|(name, _)| name).collect(), any))
    }

    /// What is to be sent to a webhook now, the oldest of it.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn next(&self, name: &str, now: Timestamp) -> Result<Option<Due>> {
        let connection = self.connection();
        let mut found = connection.prepare_cached(&format!(
            "{DUE} WHERE webhook = ?1 AND state = 'waiting' AND next <= ?2
                 AND paused IS NULL AND rests_until <= ?2 ORDER BY number LIMIT 1"
        ))?;
        let row = found.query_row(params![name, now.as_millisecond()], due).optional()?;
        row.map(Sent::read).transpose()
    }
}

/// Queues messages for every webhook that is to be told of them.
pub(super) fn queue(db: &Connection, messages: &[WebhookMessage], now: Timestamp) -> Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let mut found = db.prepare_cached(WEBHOOK)?;
    let webhooks = found.query_map([], kept)?.collect::<std::result::Result<Vec<_>, _>>()?;
    for webhook in webhooks.into_iter().map(Kept::read) {
        let webhook = webhook?;
        let mut waiting = webhook.waiting;
        let mut missed = 0_u64;
        for message in messages.iter().filter(|message| is_for(&webhook, message, now)) {
            if webhook.paused.is_some() || waiting >= MOST_WAITING {
                missed += 1;
                continue;
            }
            put(db, &webhook.name, message, DeliveryState::Waiting, now)?;
            waiting += 1;
        }
        if missed > 0 {
            db.execute(
                "UPDATE webhook SET missed = missed + ?2 WHERE name = ?1",
                params![webhook.name.as_str(), i64::try_from(missed).unwrap_or(i64::MAX)],
            )?;
        }
    }
    Ok(())
}

/// Whether a webhook is to be told of something: not of what happened before it was made, nor of what is no news.
fn is_for(webhook: &Webhook, message: &WebhookMessage, now: Timestamp) -> bool {
    let is_wanted = webhook.events.is_empty() || webhook.events.contains(&message.r#type);
    let registry = message.data.registry.as_ref();
    let is_of_it =
        webhook.registries.is_empty() || registry.is_some_and(|of| webhook.registries.contains(of));
    let at = message.timestamp.as_second();
    is_wanted && is_of_it && at >= webhook.created.as_second() && at + LONGEST.as_secs() >= now.as_second()
}

/// Writes down that something is to be sent, and gives its id.
pub(super) fn put(
    db: &Connection,
    webhook: &AccountName,
    message: &WebhookMessage,
    state: DeliveryState,
    now: Timestamp,
) -> Result<String> {
    let id = format!("msg_{}", ulid::Ulid::generate().to_string().to_lowercase());
    db.prepare_cached(
        "INSERT INTO delivery(id, webhook, message, queued, state, next) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        id,
        webhook.as_str(),
        serde_json::to_string(message)?,
        now.as_second(),
        state.as_str(),
        now.as_millisecond()
    ])?;
    Ok(id)
}
