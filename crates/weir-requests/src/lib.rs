//! Promotions that wait on a server until others have approved them.
//!
//! A request is the batch that somebody submitted, and who approved it. It is kept in one SQLite file, and nothing of it is in any
//! log until it is carried out. What it takes to be carried out is the policy's business; here is only kept who said what.
//!
//! **Bounds.** So many wait in a registry, and of one person; each has so many releases and approvals; and none waits for ever.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use weir_model::Sha256;
use weir_state::{Form, OpenError};
use weir_wire::promotion::{Approval, PromotionRequest};
use weir_wire::{Batch, Intent};

/// So many releases can wait together.
pub const MOST_RELEASES: usize = 1_000;

/// So many requests wait in one registry.
pub const MOST_WAITING: usize = 200;

/// So many of them of one person.
pub const MOST_OF_ONE: usize = 20;

/// So many approve one of them.
const MOST_APPROVALS: usize = 100;

/// After so many days nobody wants it any more.
pub const LONGEST_DAYS: i64 = 90;

/// The file; it calls itself `WeiR`.
const FORM: Form = Form {
    application: 0x5765_6952,
    steps: &[TABLES],
    // An approval that was acknowledged survives a loss of power.
    pragmas: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON",
};

const TABLES: &str = "
CREATE TABLE request(
    id TEXT PRIMARY KEY,
    registry TEXT NOT NULL,
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    digest BLOB NOT NULL,
    batch TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX request_registry ON request(registry, id);
CREATE TABLE approval(
    request TEXT NOT NULL REFERENCES request(id) ON DELETE CASCADE,
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY(request, who)
) STRICT, WITHOUT ROWID;
";

/// The requests of a server.
pub struct Requests {
    connection: Mutex<Connection>,
}

/// A request, with what it asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// What is told of it.
    pub request: PromotionRequest,
    /// What would be carried out.
    pub batch: Batch,
}

/// What became of a request, or of an approval.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// What was asked for, or approved.
    pub waiting: Waiting,
    /// Whether they had said so before, and nothing changed.
    pub already: bool,
}

/// Why a request could not be kept or changed.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// There is none of that name.
    #[error(
        "no promotion waits as `{0}`: it was carried out, taken back, or never was, or you may not approve it"
    )]
    None(String),
    /// It asks for something that is no promotion, or for too much.
    #[error("{0}")]
    Unusable(String),
    /// Too many wait.
    #[error("{most} promotions wait {whose} already: have some approved, or take them back")]
    TooMany {
        /// How many may.
        most: usize,
        /// Whose, in words.
        whose: &'static str,
    },
    /// Who asked for it cannot approve it.
    #[error("you asked for it yourself: somebody else has to approve it")]
    OwnRequest,
    /// The file is something else.
    #[error("`{0}` does not hold the requests of a server, or those of a newer Weir")]
    Strange(String),
    /// The file cannot be read or written.
    #[error("the requests cannot be read or written: {0}")]
    Database(#[from] rusqlite::Error),
    /// What was kept cannot be read.
    #[error("a request cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// The system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<OpenError> for RequestError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Strange(file) => Self::Strange(file),
            OpenError::Database(error) => error.into(),
            OpenError::Io(error) => error.into(),
        }
    }
}

impl Requests {
    /// Opens the requests in `file`, which is made for its owner's eyes only if it is not there.
    ///
    /// # Errors
    ///
    /// When it is something else, or cannot be opened.
    pub fn open(file: &Path) -> Result<Self, RequestError> {
        let connection = weir_state::open(file, &FORM)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, RequestError>,
    ) -> Result<T, RequestError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Keeps a batch of promotions that `by` asked a registry for. The same that waits already stays as it is.
    ///
    /// # Errors
    ///
    /// When it is no batch of promotions, or too much waits.
    pub fn keep(
        &self,
        registry: &str,
        by: &str,
        batch: &Batch,
        now: Timestamp,
    ) -> Result<Kept, RequestError> {
        check(batch)?;
        let text = serde_json::to_string(batch)?;
        let digest = Sha256::of(&text);
        self.change(|connection| {
            forget_old(connection, now)?;
            let same = connection
                .prepare_cached("SELECT id FROM request WHERE registry = ?1 AND who = ?2 AND digest = ?3")?
                .query_row(params![registry, by, digest.as_bytes()], |row| row.get::<_, String>(0))
                .optional()?;
            if let Some(same) = same {
                return Ok(Kept { waiting: find(connection, registry, &same)?, already: true });
            }
            refuse_too_many(connection, registry, by)?;
            let id = ulid::Ulid::generate().to_string();
            connection
                .prepare_cached("INSERT INTO request VALUES(?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![id, registry, by, now.as_second(), digest.as_bytes(), text])?;
            Ok(Kept { waiting: find(connection, registry, &id)?, already: false })
        })
    }

    /// Those that wait in a registry, the oldest first.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub fn waiting(&self, registry: &str) -> Result<Vec<Waiting>, RequestError> {
        let connection = self.connection();
        let mut ids = connection.prepare_cached("SELECT id FROM request WHERE registry = ?1 ORDER BY id")?;
        let ids = ids.query_map([registry], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        ids.iter().map(|id| find(&connection, registry, id)).collect()
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// When there is none of that name in that registry.
    pub fn find(&self, registry: &str, id: &str) -> Result<Waiting, RequestError> {
        find(&self.connection(), registry, id)
    }

    /// Notes that `by` approves one; once, however often they say so.
    ///
    /// # Errors
    ///
    /// When there is none, or they asked for it themselves.
    pub fn approve(&self, registry: &str, id: &str, by: &str, now: Timestamp) -> Result<Kept, RequestError> {
        self.change(|connection| {
            let waiting = find(connection, registry, id)?;
            let request = &waiting.request;
            if request.by == by {
                return Err(RequestError::OwnRequest);
            }
            if request.is_approved_by(by) {
                return Ok(Kept { waiting, already: true });
            }
            if request.approvals.len() >= MOST_APPROVALS {
                return Err(RequestError::Unusable(format!("{MOST_APPROVALS} have approved it already")));
            }
            connection.prepare_cached("INSERT INTO approval VALUES(?1, ?2, ?3)")?.execute(params![
                id,
                by,
                now.as_second()
            ])?;
            Ok(Kept { waiting: find(connection, registry, id)?, already: false })
        })
    }

    /// Ends one: it was carried out, or nobody wants it any more. Gives what it was.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn end(&self, registry: &str, id: &str) -> Result<Waiting, RequestError> {
        self.change(|connection| {
            let waiting = find(connection, registry, id)?;
            connection.prepare_cached("DELETE FROM request WHERE id = ?1")?.execute([id])?;
            Ok(waiting)
        })
    }
}

/// Whether a batch can wait: it is of promotions only, and not of too many.
///
/// # Errors
///
/// When it cannot.
pub fn check(batch: &Batch) -> Result<(), RequestError> {
    if !batch.intents.iter().all(|intent| matches!(intent, Intent::Promote(_))) || batch.intents.is_empty() {
        return Err(RequestError::Unusable("only promotions wait for approvals".into()));
    }
    if batch.intents.len() > MOST_RELEASES {
        let told = format!("{} releases cannot wait together, {MOST_RELEASES} can", batch.intents.len());
        return Err(RequestError::Unusable(told));
    }
    Ok(())
}

fn forget_old(connection: &Connection, now: Timestamp) -> Result<(), RequestError> {
    let oldest = now.checked_sub(SignedDuration::from_hours(24 * LONGEST_DAYS)).unwrap_or(Timestamp::MIN);
    connection.prepare_cached("DELETE FROM request WHERE at < ?1")?.execute([oldest.as_second()])?;
    Ok(())
}

fn refuse_too_many(connection: &Connection, registry: &str, by: &str) -> Result<(), RequestError> {
    let (all, own): (i64, i64) = connection
        .prepare_cached("SELECT count(*), count(*) FILTER (WHERE who = ?2) FROM request WHERE registry = ?1")?
        .query_row(params![registry, by], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (all, own) = (usize::try_from(all).unwrap_or(usize::MAX), usize::try_from(own).unwrap_or(usize::MAX));
    if own >= MOST_OF_ONE {
        return Err(RequestError::TooMany { most: MOST_OF_ONE, whose: "of you" });
    }
    if all >= MOST_WAITING {
        return Err(RequestError::TooMany { most: MOST_WAITING, whose: "in this registry" });
    }
    Ok(())
}

fn find(connection: &Connection, registry: &str, id: &str) -> Result<Waiting, RequestError> {
    let found = connection
        .prepare_cached("SELECT who, at, batch FROM request WHERE id = ?1 AND registry = ?2")?
        .query_row(params![id, registry], |row| {
            Ok((row.get::<_, String>(0)?, moment(row, 1)?, row.get::<_, String>(2)?))
        })
        .optional()?;
    let shown = || id.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    let (by, at, text) = found.ok_or_else(|| RequestError::None(shown()))?;
    let batch: Batch = serde_json::from_str(&text)?;
    let mut approvals =
        connection.prepare_cached("SELECT who, at FROM approval WHERE request = ?1 ORDER BY at, who")?;
    let approvals = approvals
        .query_map([id], |row| Ok(Approval { by: row.get(0)?, at: moment(row, 1)? }))?
        .collect::<Result<_, _>>()?;
    let promotions = || {
        batch.intents.iter().filter_map(|intent| match intent {
            Intent::Promote(promotion) => Some(promotion),
            _ => None,
        })
    };
    let from = || promotions().next().map(|promotion| &promotion.from);
    let request = PromotionRequest {
        id: id.to_owned(),
        registry: registry.to_owned(),
        from: from().map(|from| from.registry_name().to_owned()).unwrap_or_default(),
        key: from().map(|from| from.registry.clone()).unwrap_or_default(),
        releases: promotions().map(|promotion| promotion.draft.id.clone()).collect(),
        trees: promotions().map(|promotion| promotion.draft.tree).collect(),
        by,
        at,
        approvals,
    };
    Ok(Waiting { request, batch })
}

fn moment(row: &Row<'_>, column: usize) -> Result<Timestamp, rusqlite::Error> {
    Ok(Timestamp::from_second(row.get(column)?).unwrap_or(Timestamp::UNIX_EPOCH))
}
