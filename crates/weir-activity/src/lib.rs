//! What happened on a server: who did what to what, from where, by which token, and which rule decided.
//!
//! Events are kept in one SQLite file, apart from the accounts: they are many, and losing the last moments of them in a loss
//! of power loses nothing that a registry promised (its own log says who did what). They survive a killed process. The oldest go when there
//! are more than [`MOST`].
//!
//! What is refused to those who have proved nothing is counted, by the minute and by where it comes from, in so many rows: anybody can be
//! refused as often as they like, and that takes no place of what happened.
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

/// So many rows there are of what was refused to who has proved nothing.
const MOST_STRANGERS: i64 = 100_000;

/// So many of them are of one place in one minute, and so many of all places; of what there is more of, only the number is kept.
const MOST_OF_PLACE: i64 = 10;
const MOST_A_MINUTE: i64 = 200;

/// What stands for what there is more of.
const OTHERS: &str = "(others)";

/// The longest text of an event that is kept, in bytes: some of it is what an asker chose.
const MAX_TEXT: usize = 1000;

/// The file; it calls itself `WeiE`.
const FORM: Form = Form {
    application: 0x5765_6945,
    steps: &[TABLES, STRANGERS],
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

const STRANGERS: &str = "
CREATE TABLE stranger(
    id INTEGER PRIMARY KEY,
    minute INTEGER NOT NULL,
    place TEXT NOT NULL,
    at INTEGER NOT NULL,
    origin TEXT,
    registry TEXT,
    action TEXT NOT NULL,
    subject TEXT,
    policy TEXT,
    reason TEXT,
    times INTEGER NOT NULL
) STRICT;
CREATE INDEX stranger_minute ON stranger(minute, place);
CREATE TABLE held(events INTEGER NOT NULL) STRICT;
INSERT INTO held SELECT count(*) FROM event;
";

/// Where events are read from, as if there were one table.
const SOURCES: [&str; 2] = [
    "(SELECT *, 1 AS times FROM event)",
    "(SELECT id, at, 'anonymous' AS actor, NULL AS token, origin, registry, action, subject, 0 AS done, policy, reason, times
      FROM stranger)",
];

/// The events of a server.
pub struct ActivityLog {
    connection: Mutex<Connection>,
    most: i64,
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
        Ok(Self { connection: Mutex::new(connection), most: MOST })
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
        let mut id = last_id(&transaction)?;
        for event in events {
            id += 1;
            transaction
                .prepare_cached(
                    "INSERT INTO event(id, at, actor, token, origin, registry, action, subject, done, policy, reason)
                     VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                )?
                .execute(params![
                    id,
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
        let held: i64 = transaction
            .prepare_cached("UPDATE held SET events = events + ?1 RETURNING events")?
            .query_row([i64::try_from(events.len()).unwrap_or(i64::MAX)], |row| row.get(0))?;
        if held > self.most {
            transaction
                .prepare_cached("DELETE FROM event WHERE id IN (SELECT id FROM event ORDER BY id LIMIT ?1)")?
                .execute([held - self.most])?;
            transaction.execute("UPDATE held SET events = ?1", [self.most])?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Counts what was refused to somebody who has proved nothing and comes from `place`.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn count(&self, event: &Event, place: &str) -> Result<(), ActivityError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let at = event.at.as_second();
        let minute = at.div_euclid(60);
        let rows = |sql: &str, place: &str| {
            transaction.prepare_cached(sql)?.query_row(params![minute, place], |row| row.get::<_, i64>(0))
        };
        let again = |place: &str, subject: Option<&str>| {
            transaction
                .prepare_cached(
                    "UPDATE stranger SET times = times + 1, at = ?3 WHERE minute = ?1 AND place = ?2
                     AND action = ?4 AND registry IS ?5 AND subject IS ?6",
                )?
                .execute(params![
                    minute,
                    place,
                    at,
                    cut(&event.action),
                    event.registry.as_deref().map(cut),
                    subject
                ])
        };
        let mut place = place;
        let mut subject = event.subject.as_deref().map(cut);
        let mut is_counted = again(place, subject)? > 0;
        let of_place = "SELECT count(*) FROM stranger WHERE minute = ?1 AND place = ?2";
        if !is_counted && rows(of_place, place)? >= MOST_OF_PLACE {
            subject = Some(OTHERS);
            is_counted = again(place, subject)? > 0;
        }
        let of_minute = "SELECT count(*) FROM stranger WHERE minute = ?1 AND ?2 IS NOT NULL";
        if !is_counted && rows(of_minute, place)? >= MOST_A_MINUTE {
            (place, subject) = ("", Some(OTHERS));
            is_counted = again(place, subject)? > 0;
        }
        if !is_counted {
            let from = event.from.filter(|_| !place.is_empty()).map(|from| from.to_string());
            transaction
                .prepare_cached(
                    "INSERT INTO stranger(id, minute, place, at, origin, registry, action, subject, policy, reason, times)
                     VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1)",
                )?
                .execute(params![
                    last_id(&transaction)? + 1,
                    minute,
                    place,
                    at,
                    from,
                    event.registry.as_deref().map(cut),
                    cut(&event.action),
                    subject,
                    event.policy.as_deref().map(cut),
                    event.reason.as_deref().map(cut),
                ])?;
            transaction
                .prepare_cached(
                    "DELETE FROM stranger WHERE id IN (
                         SELECT id FROM stranger ORDER BY id LIMIT max(0, (SELECT count(*) FROM stranger) - ?1))",
                )?
                .execute([MOST_STRANGERS])?;
        }
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
            "SELECT policy, action, sum(done), sum(refused) FROM (
                 SELECT policy, action, done, NOT done AS refused FROM event
                 WHERE id > (SELECT coalesce(max(id), 0) FROM event) - ?2 AND registry = ?1 AND policy IS NOT NULL
                 UNION ALL
                 SELECT policy, action, 0, times FROM stranger WHERE registry = ?1 AND policy IS NOT NULL)
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
        let connection = self.connection();
        let mut events = Vec::new();
        for source in SOURCES {
            let sql = format!(
                "SELECT id, at, actor, token, origin, registry, action, subject, done, policy, reason, times FROM {source}
                 WHERE {} ORDER BY id DESC LIMIT {}",
                wanted.join(" AND "),
                limit + 1
            );
            let mut found = connection.prepare_cached(&sql)?;
            let rows = found.query_map(params_from_iter(values.iter()), event)?;
            events.extend(rows.collect::<Result<Vec<_>, _>>()?);
        }
        events.sort_unstable_by_key(|event| std::cmp::Reverse(event.id));
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
        times: row.get::<_, i64>(11)?.unsigned_abs(),
    })
}

/// The number of the newest event.
fn last_id(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection
        .prepare_cached(
            "SELECT max(coalesce((SELECT max(id) FROM event), 0), coalesce((SELECT max(id) FROM stranger), 0))",
        )?
        .query_row([], |row| row.get(0))
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
            times: 1,
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
    fn what_is_refused_to_anybody_is_counted_and_takes_no_place_of_what_happened() {
        let place = tempfile::tempdir().unwrap();
        let mut log = ActivityLog::open(&place.path().join("activity.db")).unwrap();
        log.most = 3;
        let at = |second: i64| Timestamp::from_second(1_700_000_040 + second).unwrap();
        let refused = |name: &str, second: i64| Event {
            at: at(second),
            actor: "anonymous".into(),
            policy: None,
            ..happened("anonymous", "sign-in", name, false)
        };
        for _ in 0..3 {
            log.record(&[happened("user:ann", "published", "acme/greet 1.0.0", true)]).unwrap();
        }
        for number in 0..5_000 {
            // A few thousand places, each with names of its own, within two minutes.
            let from = format!("10.0.{}.{}", number % 40, number % 50);
            log.count(&refused(&format!("user{number}"), i64::from(number % 100)), &from).unwrap();
        }
        let all = log.query(&ActivityQuery::default()).unwrap().events;
        let times: u64 = all.iter().filter(|event| !event.done).map(|event| event.times).sum();
        assert_eq!(times, 5_000, "each of it is counted");
        assert!(all.len() < 500, "{}", all.len());
        assert_eq!(all.iter().filter(|event| event.done).count(), 3, "what happened is there still");
        assert!(all.windows(2).all(|two| two[0].id > two[1].id));
        log.record(&[happened("user:bob", "yanked", "acme/greet 1.0.0", true)]).unwrap();
        let done = log.query(&ActivityQuery::default()).unwrap().events;
        let actors: Vec<_> =
            done.iter().filter(|event| event.done).map(|event| event.actor.as_str()).collect();
        assert_eq!(actors, ["user:bob", "user:ann", "user:ann"], "of what happened the oldest goes");
        let before = done[0].id;
        let query = ActivityQuery { before: Some(before), limit: Some(1), ..ActivityQuery::default() };
        assert!(log.query(&query).unwrap().events[0].id < before);

        // The same name from the same place is one row.
        log.count(&refused("eve", 600), "here").unwrap();
        log.count(&refused("eve", 601), "here").unwrap();
        let newest = log
            .query(&ActivityQuery { limit: Some(1), ..ActivityQuery::default() })
            .unwrap()
            .events
            .remove(0);
        assert_eq!((newest.subject.as_deref(), newest.times, newest.at), (Some("eve"), 2, at(601)));
        assert_eq!(newest.from, Some("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn something_else_is_not_taken_for_events() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("activity.db");
        Connection::open(&file).unwrap().execute_batch("CREATE TABLE x(y)").unwrap();
        assert!(matches!(ActivityLog::open(&file), Err(ActivityError::Strange(_))));
    }
}
