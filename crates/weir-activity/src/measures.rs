//! How a server answered, day by day: how soon, what failed, and what had to be asked of registries above.
//!
//! Numbers are added up by day, so a year of them is small. What is kept says nothing of who asked.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use rusqlite::{Connection, Row, params};
use weir_state::Form;

use crate::ActivityError;
use crate::days::{date, number};

/// So many days are kept.
const KEPT_DAYS: i32 = 10 * 366;

/// The file; it calls itself `WeiM`.
const FORM: Form = Form {
    application: 0x5765_694D,
    steps: &[TABLES],
    pragmas: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
};

const TABLES: &str = "
CREATE TABLE measure(
    registry TEXT NOT NULL,
    sort INTEGER NOT NULL,
    day INTEGER NOT NULL,
    count INTEGER NOT NULL,
    microseconds INTEGER NOT NULL,
    PRIMARY KEY(registry, sort, day)
) STRICT, WITHOUT ROWID;
";

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Requests, by how soon their answers began.
    Answered(Pace),
    /// Requests at which the server itself failed.
    Failed,
    /// Content that was brought from above, since somebody wanted it that was not here.
    Brought,
    /// The same, where it could not be brought.
    NotBrought,
    /// Times that a registry above was asked what is to be admitted.
    Asked,
    /// The same, where it did not answer or was not believed.
    NotAsked,
}

/// How soon an answer began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pace {
    /// Within a millisecond.
    Millisecond,
    /// Within ten.
    Ten,
    /// Within a hundred.
    Hundred,
    /// Within a second.
    Second,
    /// Later.
    Later,
}

/// How often, and how long that took together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// How often.
    pub count: u64,
    /// How long all of them took.
    pub microseconds: u64,
}

/// What was measured of a registry on a day; of the server as a whole, the registry has no name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Measured {
    /// The registry, by the name it is served under.
    pub registry: String,
    /// What.
    pub what: Measure,
    /// When, in UTC.
    pub day: Date,
}

/// The numbers of a day.
pub type DayMeasures = BTreeMap<Measure, Sum>;

impl Pace {
    /// All of them, the soonest first.
    pub const ALL: [Self; 5] = [Self::Millisecond, Self::Ten, Self::Hundred, Self::Second, Self::Later];

    /// How soon something was that took so long.
    pub fn of(took: Duration) -> Self {
        match took.as_micros() {
            0..=1_000 => Self::Millisecond,
            1_001..=10_000 => Self::Ten,
            10_001..=100_000 => Self::Hundred,
            100_001..=1_000_000 => Self::Second,
            _ => Self::Later,
        }
    }
}

impl Sum {
    /// One more that took so long.
    pub fn add(&mut self, took: Duration) {
        self.count = self.count.saturating_add(1);
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.microseconds = self.microseconds.saturating_add(microseconds);
    }

    /// The same with others added.
    #[must_use]
    pub fn plus(self, others: Self) -> Self {
        Self {
            count: self.count.saturating_add(others.count),
            microseconds: self.microseconds.saturating_add(others.microseconds),
        }
    }
}

/// The measures of a server.
pub struct Measures {
    connection: Mutex<Connection>,
}

impl Measures {
    /// Opens the measures in `file`, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// When it is something else, or cannot be opened.
    pub fn open(file: &Path) -> Result<Self, ActivityError> {
        Ok(Self { connection: Mutex::new(weir_state::open(file, &FORM)?) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what was measured: all of it, or nothing.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn add(&self, measured: &[(Measured, Sum)]) -> Result<(), ActivityError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        for (Measured { registry, what, day }, sum) in measured {
            transaction
                .prepare_cached(
                    "INSERT INTO measure(registry, sort, day, count, microseconds) VALUES(?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET count = count + ?4, microseconds = microseconds + ?5",
                )?
                .execute(params![
                    registry,
                    sort(*what),
                    number(*day),
                    whole(sum.count),
                    whole(sum.microseconds)
                ])?;
        }
        if let Some(last) = measured.iter().map(|(measured, _)| number(measured.day)).max() {
            transaction.prepare_cached("DELETE FROM measure WHERE day < ?1")?.execute([last - KEPT_DAYS])?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// What was measured of a registry, or with an empty name of the server, on each day from `since` on.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn since(&self, registry: &str, since: Date) -> Result<BTreeMap<Date, DayMeasures>, ActivityError> {
        let connection = self.connection();
        let mut found = connection.prepare_cached(
            "SELECT day, sort, count, microseconds FROM measure WHERE registry = ?1 AND day >= ?2",
        )?;
        let row = |row: &Row<'_>| {
            let amount = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.unsigned_abs());
            Ok((row.get(0)?, row.get::<_, i64>(1)?, Sum { count: amount(2)?, microseconds: amount(3)? }))
        };
        let mut days: BTreeMap<Date, DayMeasures> = BTreeMap::new();
        for found in found.query_map(params![registry, number(since)], row)? {
            let (day, found, sum) = found?;
            // What a newer server measured is nothing to this one.
            if let Some(what) = ALL.into_iter().find(|what| sort(*what) == found) {
                days.entry(date(day)).or_default().insert(what, sum);
            }
        }
        Ok(days)
    }

    /// The first day of which anything is known.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn first_day(&self) -> Result<Option<Date>, ActivityError> {
        let connection = self.connection();
        let first =
            connection.query_row("SELECT min(day) FROM measure", [], |row| row.get::<_, Option<i32>>(0))?;
        Ok(first.map(date))
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

const ALL: [Measure; 10] = [
    Measure::Answered(Pace::Millisecond),
    Measure::Answered(Pace::Ten),
    Measure::Answered(Pace::Hundred),
    Measure::Answered(Pace::Second),
    Measure::Answered(Pace::Later),
    Measure::Failed,
    Measure::Brought,
    Measure::NotBrought,
    Measure::Asked,
    Measure::NotAsked,
];

/// How what is measured is written: never changed.
const fn sort(what: Measure) -> i64 {
    match what {
        Measure::Answered(Pace::Millisecond) => 0,
        Measure::Answered(Pace::Ten) => 1,
        Measure::Answered(Pace::Hundred) => 2,
        Measure::Answered(Pace::Second) => 3,
        Measure::Answered(Pace::Later) => 4,
        Measure::Failed => 5,
        Measure::Brought => 6,
        Measure::NotBrought => 7,
        Measure::Asked => 8,
        Measure::NotAsked => 9,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date as day;

    use super::*;

    #[test]
    fn what_is_measured_is_added_up_by_day_and_survives() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("measures.db");
        let (first, second) = (day(2026, 2, 28), day(2026, 3, 1));
        let of = |registry: &str, what, day| Measured { registry: registry.into(), what, day };
        let sum = |count, microseconds| Sum { count, microseconds };
        let measures = Measures::open(&file).unwrap();
        assert_eq!(measures.first_day().unwrap(), None);
        let quick = Measure::Answered(Pace::Ten);
        measures
            .add(&[(of("", quick, first), sum(3, 900)), (of("team", Measure::Brought, second), sum(1, 5))])
            .unwrap();
        measures.add(&[(of("", quick, first), sum(2, 100))]).unwrap();
        drop(measures);
        let measures = Measures::open(&file).unwrap();
        let told = measures.since("", first).unwrap();
        assert_eq!(told, [(first, [(quick, sum(5, 1000))].into())].into());
        assert!(measures.since("", second).unwrap().is_empty());
        assert_eq!(measures.since("team", first).unwrap()[&second][&Measure::Brought], sum(1, 5));
        assert_eq!(measures.first_day().unwrap(), Some(first));
    }

    #[test]
    fn how_soon_something_was_is_told_by_its_class() {
        let paces = [0, 1_000, 1_001, 10_000, 99_999, 1_000_000, 1_000_001]
            .map(|micros| Pace::of(Duration::from_micros(micros)));
        use Pace::{Hundred, Later, Millisecond, Second, Ten};
        assert_eq!(paces, [Millisecond, Millisecond, Ten, Ten, Hundred, Second, Later]);
    }
}
