//! What happened on a server: who did what to what, from where, by which token, and which rule decided.
//!
//! Events are kept in one SQLite file, apart from the accounts: they are many, and losing the last moments of them in a loss
//! of power loses nothing that a registry promised (its own log says who did what). They survive a killed process. The oldest go when there
//! are more than [`MOST`].
//!
//! How often content was downloaded is kept in another file, added up: see [`Downloads`]; how the server answered in a third: see
//! [`Measures`].

mod days;
mod downloads;
mod measures;
mod table;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};
use weir_state::{Form, OpenError};
use weir_wire::activity::{Activity, ActivityQuery, Event};

pub use downloads::{Downloaded, Downloads};
pub use measures::{DayMeasures, Measure, Measured, Measures, Pace, Sum};
pub use table::table;

/// So many events are kept.
pub const MOST: i64 = 10_000_000;

/// So many are told at once, at most.
pub const PAGE: u32 = 1000;

/// So many of the newest events are looked at to count what rules decided.
pub const COUNTED: i64 = 100_000;

/// The longest text of an event that is kept, in bytes: some of it is what an asker chose.
const MAX_TEXT: usize = 1000;

/// The file; it calls itself `WeiE`.
const FORM: Form = Form {
    application: 0x5765_6945,
    steps: &[TABLES],
    pragmas: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
};

const TABLES: &str = "
CREATE TABLE event(
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    token TEXT,
    origin TEXT,
    registry TEXT,
    action TEXT NOT NULL,
    subject TEXT,
    done INTEGER NOT NULL,
    policy TEXT,
    reason TEXT
) STRICT;
CREATE INDEX event_actor ON event(actor, id);
CREATE INDEX event_subject ON event(subject, id);
";

/// The events of a server.
pub struct ActivityLog {
    connection: Mutex<Connection>,
}

/// What a rule decided, by the action that was asked for.
pub type Decided = BTreeMap<String, Times>;

/// How often something was permitted, and refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// Permitted, and done.
    pub permitted: u64,
    /// Refused.
    pub refused: u64,
}

/// Why events could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum ActivityError {
    /// The file is something else.
    #[error("`{0}` does not hold the events of a server, or those of a newer Weir")]
    Strange(String),
    /// The file cannot be read or written.
    #[error("the events cannot be read or written: {0}")]
    Database(#[from] rusqlite::Error),
    /// The system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<OpenError> for ActivityError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Strange(file) => Self::Strange(file),
            OpenError::Database(error) => error.into(),
            OpenError::Io(error) => error.into(),
        }
    }
}

impl ActivityLog {
    /// Opens the events in `file`, which is made for its owner's eyes only if it is not there.
    ///
    /// # Errors
    ///
    /// When it is something else, or cannot be opened.
    pub fn open(file: &Path) -> Result<Self, ActivityError> {
        let connection = weir_state::open(file, &FORM)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what happened. The numbers of the events are given here.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn record(&self, events: &[Event]) -> Result<(), ActivityError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        for event in events {
            transaction
                .prepare_cached(
                    "INSERT INTO event(at, actor, token, origin, registry, action, subject, done, policy, reason)
                     VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                )?
                .execute(params![
                    event.at.as_second(),
                    cut(&event.actor),
                    event.token,
                    event.from.map(|from| from.to_string()),
                    event.registry.as_deref().map(cut),
                    cut(&event.action),
                    event.subject.as_deref().map(cut),
                    i64::from(event.done),
                    event.policy.as_deref().map(cut),
                    event.reason.as_deref().map(cut),
                ])?;
        }
        let last = transaction.last_insert_rowid();
        transaction.prepare_cached("DELETE FROM event WHERE id <= ?1")?.execute([last - MOST])?;
        transaction.commit()?;
        Ok(())
    }

    /// How often each rule permitted what in a registry, and refused it, of the last [`COUNTED`] events.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn decided(&self, registry: &str) -> Result<BTreeMap<String, Decided>, ActivityError> {
        let connection = self.connection();
        let mut found = connection.prepare_cached(
            "SELECT policy, action, count(*) FILTER (WHERE done), count(*) FILTER (WHERE NOT done) FROM event
             WHERE id > (SELECT coalesce(max(id), 0) FROM event) - ?2 AND registry = ?1 AND policy IS NOT NULL
             GROUP BY policy, action",
        )?;
        let number =
            |row: &Row<'_>, column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.unsigned_abs());
        let rows = found.query_map(params![registry, COUNTED], |row| {
            let times = Times { permitted: number(row, 2)?, refused: number(row, 3)? };
            Ok((row.get(0)?, row.get(1)?, times))
        })?;
        let mut decided: BTreeMap<String, Decided> = BTreeMap::new();
        for row in rows {
            let (rule, action, times): (String, String, Times) = row?;
            decided.entry(rule).or_default().insert(action, times);
        }
        Ok(decided)
    }

    /// What happened, the newest first.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn query(&self, query: &ActivityQuery) -> Result<Activity, ActivityError> {
        let limit = query.limit.unwrap_or(PAGE).clamp(1, PAGE);
        let mut wanted = vec!["1".to_owned()];
        let mut values: Vec<Value> = Vec::new();
        let mut add = |clause: &str, value: Value| {
            values.push(value);
            wanted.push(clause.replace('?', &format!("?{}", values.len())));
        };
        let text = |value: &String| Value::Text(value.clone());
        if let Some(registry) = &query.registry {
            add("registry = ?", text(registry));
        }
        if let Some(actor) = &query.actor {
            add("actor = ?", text(actor));
        }
        if let Some(action) = &query.action {
            add("action = ?", text(action));
        }
        if let Some(subject) = &query.subject {
            add("subject >= ?", text(subject));
            // Past all that begin so: no text has this character.
            add("subject < ?", Value::Text(format!("{subject}\u{10ffff}")));
        }
        if let Some(since) = query.since {
            add("at >= ?", Value::Integer(since.as_second()));
        }
        if let Some(before) = query.before {
            add("id < ?", Value::Integer(before));
        }
        if query.refused {
            wanted.push("NOT done".to_owned());
        }
        let sql = format!(
            "SELECT id, at, actor, token, origin, registry, action, subject, done, policy, reason FROM event
             WHERE {} ORDER BY id DESC LIMIT {}",
            wanted.join(" AND "),
            limit + 1
        );
        let connection = self.connection();
        let mut found = connection.prepare_cached(&sql)?;
        let mut events = found.query_map(params_from_iter(values), event)?.collect::<Result<Vec<_>, _>>()?;
        let is_more = events.len() > limit as usize;
        events.truncate(limit as usize);
        let before = events.last().filter(|_| is_more).map(|event| event.id);
        Ok(Activity { events, before })
    }
}

fn event(row: &Row<'_>) -> Result<Event, rusqlite::Error> {
    let origin: Option<String> = row.get(4)?;
    Ok(Event {
        id: row.get(0)?,
        at: jiff::Timestamp::from_second(row.get(1)?).unwrap_or(jiff::Timestamp::UNIX_EPOCH),
        actor: row.get(2)?,
        token: row.get(3)?,
        from: origin.and_then(|origin| origin.parse().ok()),
        registry: row.get(5)?,
        action: row.get(6)?,
        subject: row.get(7)?,
        done: row.get::<_, i64>(8)? != 0,
        policy: row.get(9)?,
        reason: row.get(10)?,
    })
}

/// As much of a text as is kept.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT)]
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn happened(actor: &str, action: &str, subject: &str, done: bool) -> Event {
        Event {
            id: 0,
            at: Timestamp::from_second(1_700_000_000).unwrap(),
            actor: actor.into(),
            token: None,
            from: Some("127.0.0.1".parse().unwrap()),
            registry: Some("team".into()),
            action: action.into(),
            subject: Some(subject.into()),
            done,
            policy: Some("folder-write".into()),
            reason: None,
        }
    }

    #[test]
    fn what_happened_is_found_by_who_what_and_when_and_told_in_pages() {
        let place = tempfile::tempdir().unwrap();
        let log = ActivityLog::open(&place.path().join("activity.db")).unwrap();
        let events = [
            happened("user:ann", "published", "acme/greet 1.0.0", true),
            happened("user:bob", "batch", "acme/greet 2.0.0", false),
            happened("user:ann", "yanked", "acme/greeter 1.0.0", true),
            happened("user:ann", "published", &"é".repeat(2000), true),
        ];
        log.record(&events).unwrap();
        let found = |query: ActivityQuery| {
            let Activity { events, before } = log.query(&query).unwrap();
            (events.iter().map(|event| event.id).collect::<Vec<_>>(), before)
        };
        let all = ActivityQuery::default();
        assert_eq!(found(all.clone()), (vec![4, 3, 2, 1], None));
        assert_eq!(found(ActivityQuery { limit: Some(2), ..all.clone() }), (vec![4, 3], Some(3)));
        assert_eq!(found(ActivityQuery { before: Some(3), ..all.clone() }), (vec![2, 1], None));
        assert_eq!(found(ActivityQuery { actor: Some("user:bob".into()), ..all.clone() }), (vec![2], None));
        let about = ActivityQuery { subject: Some("acme/greet ".into()), ..all.clone() };
        assert_eq!(found(about), (vec![2, 1], None));
        assert_eq!(found(ActivityQuery { refused: true, ..all.clone() }), (vec![2], None));
        let later = Timestamp::from_second(1_700_000_001).unwrap();
        assert_eq!(found(ActivityQuery { since: Some(later), ..all.clone() }), (vec![], None));
        let times = |permitted, refused| Times { permitted, refused };
        let decided: Decided = [
            ("batch".to_owned(), times(0, 1)),
            ("published".to_owned(), times(2, 0)),
            ("yanked".to_owned(), times(1, 0)),
        ]
        .into();
        assert_eq!(log.decided("team").unwrap()["folder-write"], decided);
        assert!(log.decided("other").unwrap().is_empty());
        let longest = log.query(&ActivityQuery { limit: Some(1), ..all }).unwrap().events.remove(0);
        assert_eq!(longest.subject.unwrap().len(), MAX_TEXT);
        assert_eq!(log.query(&ActivityQuery::default()).unwrap().events[3].policy, events[0].policy);
    }

    #[test]
    fn something_else_is_not_taken_for_events() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("activity.db");
        Connection::open(&file).unwrap().execute_batch("CREATE TABLE x(y)").unwrap();
        assert!(matches!(ActivityLog::open(&file), Err(ActivityError::Strange(_))));
    }
}
