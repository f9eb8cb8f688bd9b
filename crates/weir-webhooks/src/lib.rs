//! Who is told what happens on a server, what waits to be sent to them, and what came of it.
//!
//! All of it is in one SQLite file, so that what waits survives a server that ends. How far each log was read is in the same file: an entry
//! of it is queued in the same change, so it is neither left out nor queued twice. It is *sent* at least once: a server that is killed between
//! an answer and its being written down sends it again, under the same id.
//!
//! **Bounds.** There are so many webhooks, and so much waits for each; what is tried in vain is tried less and less often, and no longer than
//! [`LONGEST`]; a webhook of which nothing was delivered for so long is paused, and says so.

mod event;
mod keeping;
mod outcome;
mod queue;
mod rows;
mod signature;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use weir_state::{Form, OpenError};
use weir_wire::AccountName;

pub use event::{MOST_NAMED, message, told};

/// So many webhooks there can be.
pub const MOST_WEBHOOKS: usize = 100;

/// So much waits for one of them.
pub const MOST_WAITING: u64 = 10_000;

/// What is older is no news, and what could not be delivered for so long is not tried again.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24);

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
}

#[cfg(test)]
mod tests;
