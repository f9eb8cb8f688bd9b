//! Who is told what happens on a server, what waits to be sent to them, and what came of it.
//!
//! All of it is in one SQLite file, so that what waits survives a server that ends. How far each log was read is in the same file: an entry
//! of it is queued in the same change, so it is neither left out nor queued twice. It is *sent* at least once: a server that is killed between
//! an answer and its being written down sends it again, under the same id.
//!
//! **Bounds.** There are so many webhooks, and so much waits for each; what is tried in vain is tried less and less often, and no longer than
//! [`LONGEST`]; a webhook of which nothing was delivered for so long is paused, and says so.

mod event;
mod signature;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use weir_state::{Form, OpenError};
use weir_wire::AccountName;
use weir_wire::webhooks::{
    Attempt, ChangeWebhook, Delivery, DeliveryState, NewWebhook, Webhook, WebhookData, WebhookEvent,
    WebhookMessage,
};

pub use event::{MOST_NAMED, message, told};

/// So many webhooks there can be.
pub const MOST_WEBHOOKS: usize = 100;

/// So much waits for one of them.
pub const MOST_WAITING: u64 = 10_000;

/// So much of what was delivered, or failed, is kept of one.
const MOST_KEPT: i64 = 500;

/// So many attempts of one delivery are kept.
const MOST_ATTEMPTS: usize = 50;

/// The longest address, in bytes.
const LONGEST_URL: usize = 2000;

/// What is older is no news, and what could not be delivered for so long is not tried again.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// How many seconds pass before something is tried again, and again. Up to a quarter more is chance.
const PAUSES: [i64; 9] = [2, 10, 60, 300, 1200, 3600, 10_800, 25_200, 43_200];

/// The file; it calls itself `WeiH`.
const FORM: Form = Form {
    application: 0x5765_6948,
    steps: &[TABLES],
    pragmas: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON",
};

const TABLES: &str = "
CREATE TABLE webhook(
    name TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    events TEXT NOT NULL,
    registries TEXT NOT NULL,
    who TEXT NOT NULL,
    created INTEGER NOT NULL,
    paused TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    failing_since INTEGER,
    rests_until INTEGER NOT NULL DEFAULT 0,
    missed INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE delivery(
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    webhook TEXT NOT NULL REFERENCES webhook(name) ON DELETE CASCADE,
    message TEXT NOT NULL,
    queued INTEGER NOT NULL,
    state TEXT NOT NULL,
    next INTEGER NOT NULL,
    attempts TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE INDEX delivery_webhook ON delivery(webhook, state, number);
CREATE TABLE place(registry TEXT PRIMARY KEY, read TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

/// The webhooks of a server.
pub struct Webhooks {
    connection: Mutex<Connection>,
}

/// Something to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its id.
    pub id: String,
    /// For which webhook.
    pub webhook: AccountName,
    /// Where it is sent.
    pub url: String,
    /// What is sent.
    pub body: String,
    secret: String,
}

/// Why a webhook could not be made, changed or found.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// There is none of that name.
    #[error("there is no webhook `{0}`")]
    None(String),
    /// It was told nothing of that id, or that is forgotten.
    #[error("the webhook was told nothing as `{0}`, or that is no longer kept")]
    NoDelivery(String),
    /// There is one of that name.
    #[error("there is a webhook `{0}` already")]
    Taken(AccountName),
    /// There are too many.
    #[error("there are {MOST_WEBHOOKS} webhooks already: remove one")]
    TooMany,
    /// It asks for something that cannot be.
    #[error("{0}")]
    Unusable(String),
    /// The file is something else.
    #[error("`{0}` does not hold the webhooks of a server, or those of a newer Weir")]
    Strange(String),
    /// The file cannot be read or written.
    #[error("the webhooks cannot be read or written: {0}")]
    Database(#[from] rusqlite::Error),
    /// What was kept cannot be read.
    #[error("what a webhook is told cannot be read or written: {0}")]
    Json(#[from] serde_json::Error),
    /// The system gives no random bytes.
    #[error("no secret can be made: {0}")]
    Random(getrandom::Error),
    /// The system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<getrandom::Error> for WebhookError {
    fn from(error: getrandom::Error) -> Self {
        Self::Random(error)
    }
}

impl From<OpenError> for WebhookError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Strange(file) => Self::Strange(file),
            OpenError::Database(error) => error.into(),
            OpenError::Io(error) => error.into(),
        }
    }
}

type Result<T> = std::result::Result<T, WebhookError>;

impl Due {
    /// What is said besides the body: its id, when it is sent, and what proves both and the body.
    pub fn headers(&self, now: Timestamp) -> [(&'static str, String); 3] {
        let signature = signature::signature(&self.secret, &self.id, now.as_second(), &self.body);
        [
            ("webhook-id", self.id.clone()),
            ("webhook-timestamp", now.as_second().to_string()),
            ("webhook-signature", signature),
        ]
    }
}

impl Webhooks {
    /// Opens the webhooks in `file`, which is made for its owner's eyes only if it is not there.
    ///
    /// # Errors
    ///
    /// When it is something else, or cannot be opened; so with all that follow.
    pub fn open(file: &Path) -> Result<Self> {
        Ok(Self { connection: Mutex::new(weir_state::open(file, &FORM)?) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Makes one, and gives the secret that signs for the server.
    ///
    /// # Errors
    ///
    /// When there is one of that name, or there are too many.
    pub fn add(&self, new: &NewWebhook, by: &str, now: Timestamp) -> Result<(Webhook, String)> {
        check_url(&new.url)?;
        let secret = signature::new_secret()?;
        self.change(|db| {
            let many: i64 = db.query_row("SELECT count(*) FROM webhook", [], |row| row.get(0))?;
            if many >= MOST_WEBHOOKS as i64 {
                return Err(WebhookError::TooMany);
            }
            let made = db.execute(
                "INSERT INTO webhook(name, url, secret, events, registries, who, created)
                 VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
                params![
                    new.name.as_str(),
                    new.url,
                    secret,
                    serde_json::to_string(&new.events)?,
                    serde_json::to_string(&new.registries)?,
                    by,
                    now.as_second()
                ],
            )?;
            if made == 0 {
                return Err(WebhookError::Taken(new.name.clone()));
            }
            Ok((find(db, new.name.as_str())?, secret))
        })
    }

    /// All of them, by name.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub fn all(&self) -> Result<Vec<Webhook>> {
        let connection = self.connection();
        let mut found = connection.prepare_cached(&format!("{WEBHOOK} ORDER BY name"))?;
        let rows = found.query_map([], kept)?.collect::<std::result::Result<Vec<_>, _>>()?;
        rows.into_iter().map(Kept::read).collect()
    }

    /// The one of that name.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn find(&self, name: &str) -> Result<Webhook> {
        find(&self.connection(), name)
    }

    /// Changes one, and gives its secret if that is new.
    ///
    /// # Errors
    ///
    /// When there is none of that name.
    pub fn alter(&self, name: &str, change: &ChangeWebhook) -> Result<(Webhook, Option<String>)> {
        if let Some(url) = &change.url {
            check_url(url)?;
        }
        let secret = change.new_secret.then(signature::new_secret).transpose()?;
        self.change(|db| {
            find(db, name)?;
            let set = |what: &str, value: &dyn rusqlite::ToSql| {
                db.execute(&format!("UPDATE webhook SET {what} WHERE name = ?1"), params![name, value])
            };
            if let Some(url) = &change.url {
                set("url = ?2", url)?;
            }
            if let Some(events) = &change.events {
                set("events = ?2", &serde_json::to_string(events)?)?;
            }
            if let Some(registries) = &change.registries {
                set("registries = ?2", &serde_json::to_string(registries)?)?;
            }
            if let Some(secret) = &secret {
                set("secret = ?2", secret)?;
            }
            match change.paused {
                Some(true) => drop(set("paused = coalesce(paused, ?2)", &"an administrator paused it")?),
                Some(false) => {
                    set("paused = ?2, failures = 0, failing_since = NULL, rests_until = 0", &None::<&str>)?;
                }
                None => {}
            }
            Ok((find(db, name)?, secret.clone()))
        })
    }

    /// Removes one, and what waits for it.
    ///
    /// # Errors
    ///
    /// When there is none of that name.
    pub fn remove(&self, name: &str) -> Result<()> {
        self.change(|db| {
            if db.execute("DELETE FROM webhook WHERE name = ?1", [name])? == 0 {
                return Err(WebhookError::None(shown(name)));
            }
            // Whoever is told nothing reads nothing: the next is told of what happens then.
            db.execute("DELETE FROM place WHERE NOT EXISTS (SELECT 1 FROM webhook)", [])?;
            Ok(())
        })
    }

    /// Whether there is any.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn is_any(&self) -> Result<bool> {
        let any = "SELECT EXISTS(SELECT 1 FROM webhook)";
        Ok(self.connection().prepare_cached(any)?.query_row([], |row| row.get(0))?)
    }

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

/// Queues messages for every webhook that is to be told of them.
fn queue(db: &Connection, messages: &[WebhookMessage], now: Timestamp) -> Result<()> {
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
fn put(
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

const WEBHOOK: &str =
    "SELECT name, url, events, registries, who, created, paused, failing_since, missed, delivered,
    (SELECT count(*) FROM delivery WHERE webhook = name AND state = 'waiting') FROM webhook";

/// A webhook, as it is kept.
struct Kept {
    texts: [String; 5],
    created: i64,
    paused: Option<String>,
    failing_since: Option<i64>,
    missed: i64,
    delivered: Option<i64>,
    waiting: i64,
}

fn kept(row: &Row<'_>) -> std::result::Result<Kept, rusqlite::Error> {
    Ok(Kept {
        texts: [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?],
        created: row.get(5)?,
        paused: row.get(6)?,
        failing_since: row.get(7)?,
        missed: row.get(8)?,
        delivered: row.get(9)?,
        waiting: row.get(10)?,
    })
}

impl Kept {
    fn read(self) -> Result<Webhook> {
        let Self { texts: [name, url, events, registries, by], paused, .. } = self;
        Ok(Webhook {
            name: account(&name)?,
            url,
            events: serde_json::from_str::<BTreeSet<WebhookEvent>>(&events)?,
            registries: serde_json::from_str(&registries)?,
            by,
            created: at(self.created),
            paused,
            failing_since: self.failing_since.map(at),
            waiting: self.waiting.unsigned_abs(),
            missed: self.missed.unsigned_abs(),
            delivered: self.delivered.map(at),
        })
    }
}

fn find(db: &Connection, name: &str) -> Result<Webhook> {
    let mut found = db.prepare_cached(&format!("{WEBHOOK} WHERE name = ?1"))?;
    let row = found.query_row([name], kept).optional()?;
    row.ok_or_else(|| WebhookError::None(shown(name)))?.read()
}

const DUE: &str =
    "SELECT id, webhook, url, message, secret FROM delivery JOIN webhook ON webhook.name = delivery.webhook";

/// Something that is sent, as it is kept.
struct Sent([String; 5]);

fn due(row: &Row<'_>) -> std::result::Result<Sent, rusqlite::Error> {
    Ok(Sent([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?]))
}

impl Sent {
    fn read(self) -> Result<Due> {
        let Self([id, webhook, url, body, secret]) = self;
        Ok(Due { id, webhook: account(&webhook)?, url, body, secret })
    }
}

fn due_as(db: &Connection, id: &str) -> Result<Due> {
    let row = db.query_row(&format!("{DUE} WHERE id = ?1"), [id], due).optional()?;
    row.ok_or_else(|| WebhookError::NoDelivery(shown(id)))?.read()
}

const DELIVERY: &str = "SELECT id, message, state, next, attempts FROM delivery";

/// A delivery, as it is kept.
struct Told {
    id: String,
    message: String,
    state: String,
    next: i64,
    attempts: String,
}

fn told_of(row: &Row<'_>) -> std::result::Result<Told, rusqlite::Error> {
    Ok(Told {
        id: row.get(0)?,
        message: row.get(1)?,
        state: row.get(2)?,
        next: row.get(3)?,
        attempts: row.get(4)?,
    })
}

impl Told {
    fn read(self) -> Result<Delivery> {
        let Self { id, message, state, next, attempts } = self;
        let state: DeliveryState = serde_json::from_value(state.into())?;
        let next = Timestamp::from_millisecond(next).ok().filter(|_| state == DeliveryState::Waiting);
        let message = serde_json::from_str(&message)?;
        Ok(Delivery { id, message, state, attempts: serde_json::from_str(&attempts)?, next })
    }
}

fn delivery(db: &Connection, id: &str) -> Result<Delivery> {
    let row = db.query_row(&format!("{DELIVERY} WHERE id = ?1"), [id], told_of).optional()?;
    row.ok_or_else(|| WebhookError::NoDelivery(shown(id)))?.read()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn account(name: &str) -> Result<AccountName> {
    name.parse().map_err(|_| WebhookError::Unusable(format!("`{}` can be no name", shown(name))))
}

fn check_url(url: &str) -> Result<()> {
    match url.len() <= LONGEST_URL {
        true => Ok(()),
        false => Err(WebhookError::Unusable(format!("an address has at most {LONGEST_URL} bytes"))),
    }
}

/// What somebody sent as a name, fit to be shown.
fn shown(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() && *c != '`').take(64).collect()
}

#[cfg(test)]
mod tests;
