//! What came of telling: written down, tried again, given up.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use weir_wire::webhooks::{Attempt, Delivery, DeliveryState};

use crate::rows::{DELIVERY, Told, delivery, find, told_of};
use crate::{LONGEST, Result, Webhooks};

/// So much of what was delivered, or failed, is kept of one.
pub(crate) const MOST_KEPT: i64 = 500;

/// So many attempts of one delivery are kept.
const MOST_ATTEMPTS: usize = 50;

/// How many seconds pass before something is tried again, and again. Up to a quarter more is chance.
const PAUSES: [i64; 9] = [2, 10, 60, 300, 1200, 3600, 10_800, 25_200, 43_200];

impl Webhooks {
    /// Something was sent: writes down what came of it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn sent(&self, id: &str, attempt: Attempt, now: Timestamp) -> Result<Option<Delivery>> {
        self.change(|db| {
            let found = db.query_row(
                "SELECT webhook, state, queued, attempts FROM delivery WHERE id = ?1",
                [id],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            );
            // The webhook was removed meanwhile.
            let Some((webhook, state, queued, attempts)) = found.optional()? else { return Ok(None) };
            let (webhook, state, attempts): (String, String, String) = (webhook, state, attempts);
            let mut attempts: Vec<Attempt> = serde_json::from_str(&attempts)?;
            let is_delivered = attempt.error.is_none();
            let is_gone = attempt.status == Some(410);
            attempts.push(attempt);
            attempts.drain(..attempts.len().saturating_sub(MOST_ATTEMPTS));
            let tries = attempts.len();
            let old = now.as_second().saturating_sub(queued) >= LONGEST.as_secs();
            let waits = state == DeliveryState::Waiting.as_str();
            let state = match (is_delivered, waits && !old && tries <= PAUSES.len()) {
                (true, _) => DeliveryState::Delivered,
                (false, true) => DeliveryState::Waiting,
                (false, false) => DeliveryState::Failed,
            };
            let next = after(now, tries)?;
            db.execute(
                "UPDATE delivery SET state = ?2, next = ?3, attempts = ?4 WHERE id = ?1",
                params![id, state.as_str(), next, serde_json::to_string(&attempts)?],
            )?;
            match is_delivered {
                true => {
                    db.execute(
                        "UPDATE webhook SET failures = 0, failing_since = NULL, rests_until = 0, delivered = ?2
                         WHERE name = ?1",
                        params![webhook, now.as_second()],
                    )?;
                }
                // What somebody tries out says nothing of what happens.
                false if waits => failed(db, &webhook, is_gone, now)?,
                false => {}
            }
            let told = delivery(db, id)?;
            // Where much failed at once, this may be among what is too much to keep.
            forget(db, &webhook)?;
            Ok(Some(told))
        })
    }

    /// What a webhook was, or is to be, told: the newest first, at most so much.
    ///
    /// # Errors
    ///
    /// When there is none of that name.
    pub fn deliveries(&self, name: &str, most: u32) -> Result<Vec<Delivery>> {
        let connection = self.connection();
        find(&connection, name)?;
        let mut found = connection
            .prepare_cached(&format!("{DELIVERY} WHERE webhook = ?1 ORDER BY number DESC LIMIT ?2"))?;
        let rows =
            found.query_map(params![name, most], told_of)?.collect::<std::result::Result<Vec<_>, _>>()?;
        rows.into_iter().map(Told::read).collect()
    }
}

/// When something is tried again that was tried so often, in milliseconds.
fn after(now: Timestamp, tries: usize) -> Result<i64> {
    let mut chance = [0_u8; 1];
    getrandom::fill(&mut chance)?;
    let pause = PAUSES[tries.clamp(1, PAUSES.len()) - 1] * 1000;
    Ok(now.as_millisecond() + pause + pause / 4 * i64::from(chance[0]) / 256)
}

/// A webhook was not reached: it rests, and where nothing was delivered for too long it is paused.
fn failed(db: &Connection, webhook: &str, is_gone: bool, now: Timestamp) -> Result<()> {
    let (failures, since): (i64, Option<i64>) = db.query_row(
        "UPDATE webhook SET failures = failures + 1, failing_since = coalesce(failing_since, ?2) WHERE name = ?1
         RETURNING failures, failing_since",
        params![webhook, now.as_second()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let long = since.is_some_and(|since| now.as_second() - since >= LONGEST.as_secs());
    let paused = match (is_gone, long) {
        (true, _) => "its receiver answered that it is gone (410)",
        (_, true) => "nothing could be delivered for a day",
        (false, false) => {
            let until = after(now, usize::try_from(failures).unwrap_or(usize::MAX))?;
            db.execute("UPDATE webhook SET rests_until = ?2 WHERE name = ?1", params![webhook, until])?;
            return Ok(());
        }
    };
    db.execute("UPDATE webhook SET paused = ?2 WHERE name = ?1", [webhook, paused])?;
    db.execute("UPDATE delivery SET state = 'failed' WHERE webhook = ?1 AND state = 'waiting'", [webhook])?;
    Ok(())
}

/// Forgets what is too much to keep.
fn forget(db: &Connection, webhook: &str) -> Result<()> {
    db.prepare_cached(
        "DELETE FROM delivery WHERE webhook = ?1 AND state <> 'waiting' AND number <= (
             SELECT number FROM delivery WHERE webhook = ?1 AND state <> 'waiting'
             ORDER BY number DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute(params![webhook, MOST_KEPT])?;
    Ok(())
}
