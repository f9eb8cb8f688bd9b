//! How often what a registry holds was downloaded: on which day, and by what sort of caller.
//!
//! What is counted is content, by its digest: that is what a request asks for. Of which release it is, the registry's view says when
//! somebody wants to know, so counting costs no look at it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::civil::Date;
use rusqlite::{Connection, Row, params};
use weir_model::TreeDigest;
use weir_state::Form;
use weir_wire::downloads::{DownloadCounts, Downloader};

use crate::ActivityError;
use crate::days::{date, number};

/// So many days are kept.
const KEPT_DAYS: i32 = 10 * 366;

/// The file; it calls itself `WeiD`.
const FORM: Form = Form {
    application: 0x5765_6944,
    steps: &[TABLES],
    pragmas: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
};

const TABLES: &str = "
CREATE TABLE download(
    registry TEXT NOT NULL,
    tree BLOB NOT NULL,
    day INTEGER NOT NULL,
    class INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY(registry, tree, day, class)
) STRICT, WITHOUT ROWID;
CREATE INDEX download_day ON download(registry, day, class, count);
";

/// Something that was downloaded, of which there may have been more of the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Downloaded {
    /// The registry, by the name it is served under.
    pub registry: String,
    /// The content.
    pub tree: TreeDigest,
    /// When, in UTC.
    pub day: Date,
    /// By what sort of caller.
    pub by: Downloader,
}

/// The counts of a server.
pub struct Downloads {
    connection: Mutex<Connection>,
}

impl Downloads {
    /// Opens the counts in `file`, which is made if it is not there.
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

    /// Adds what was counted: all of it, or nothing.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn add(&self, counted: &[(Downloaded, u64)]) -> Result<(), ActivityError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        for (what, count) in counted {
            transaction
                .prepare_cached(
                    "INSERT INTO download(registry, tree, day, class, count) VALUES(?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET count = count + ?5",
                )?
                .execute(params![
                    what.registry,
                    what.tree.as_bytes(),
                    number(what.day),
                    class(what.by),
                    i64::try_from(*count).unwrap_or(i64::MAX),
                ])?;
        }
        if let Some(last) = counted.iter().map(|(what, _)| number(what.day)).max() {
            transaction.prepare_cached("DELETE FROM download WHERE day < ?1")?.execute([last - KEPT_DAYS])?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// How often a content of a registry was downloaded on each day from `since` on, the first day first.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn of_tree(
        &self,
        registry: &str,
        tree: &TreeDigest,
        since: Date,
    ) -> Result<Vec<(Date, DownloadCounts)>, ActivityError> {
        let connection = self.connection();
        let mut found = connection.prepare_cached(
            "SELECT day, class, count FROM download WHERE registry = ?1 AND tree = ?2 AND day >= ?3 ORDER BY day",
        )?;
        let rows = found.query_map(params![registry, tree.as_bytes(), number(since)], day_row)?;
        by_day(rows.collect::<Result<_, _>>()?)
    }

    /// How often anything of a registry was downloaded on each day from `since` on, the first day first.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn of_registry(
        &self,
        registry: &str,
        since: Date,
    ) -> Result<Vec<(Date, DownloadCounts)>, ActivityError> {
        let connection = self.connection();
        let mut found = connection.prepare_cached(
            "SELECT day, class, sum(count) FROM download WHERE registry = ?1 AND day >= ?2 GROUP BY day, class ORDER BY day",
        )?;
        let rows = found.query_map(params![registry, number(since)], day_row)?;
        by_day(rows.collect::<Result<_, _>>()?)
    }

    /// How often any of these contents of a registry was downloaded on each day from `since` on, the first day first.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn of_trees(
        &self,
        registry: &str,
        trees: &BTreeSet<TreeDigest>,
        since: Date,
    ) -> Result<Vec<(Date, DownloadCounts)>, ActivityError> {
        let mut days: BTreeMap<Date, DownloadCounts> = BTreeMap::new();
        for tree in trees {
            for (day, counts) in self.of_tree(registry, tree, since)? {
                let so_far = days.entry(day).or_default();
                *so_far = so_far.plus(counts);
            }
        }
        Ok(days.into_iter().collect())
    }

    /// The first day on which anything of a registry was downloaded, as far as that is known.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn first_day(&self, registry: &str) -> Result<Option<Date>, ActivityError> {
        let connection = self.connection();
        let mut first = connection.prepare_cached("SELECT min(day) FROM download WHERE registry = ?1")?;
        let first = first.query_row([registry], |row| row.get::<_, Option<i32>>(0))?;
        Ok(first.map(date))
    }

    /// What of a registry was downloaded most from `since` on, the most first: at most `limit`.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn most(
        &self,
        registry: &str,
        since: Date,
        limit: u32,
    ) -> Result<Vec<(TreeDigest, u64)>, ActivityError> {
        let connection = self.connection();
        let mut found = connection.prepare_cached(
            "SELECT tree, sum(count) AS downloads FROM download WHERE registry = ?1 AND day >= ?2
             GROUP BY tree ORDER BY downloads DESC, tree LIMIT ?3",
        )?;
        let row =
            |row: &Row<'_>| Ok((TreeDigest::from_bytes(row.get(0)?), row.get::<_, i64>(1)?.unsigned_abs()));
        Ok(found.query_map(params![registry, number(since), limit], row)?.collect::<Result<_, _>>()?)
    }
}

fn day_row(row: &Row<'_>) -> Result<(i32, i64, i64), rusqlite::Error> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

fn by_day(rows: Vec<(i32, i64, i64)>) -> Result<Vec<(Date, DownloadCounts)>, ActivityError> {
    let mut days: BTreeMap<i32, DownloadCounts> = BTreeMap::new();
    for (day, found, count) in rows {
        let counts = days.entry(day).or_default();
        let by = Downloader::ALL.into_iter().find(|by| class(*by) == found);
        if let Some(by) = by {
            counts.add(by, count.unsigned_abs());
        }
    }
    Ok(days.into_iter().map(|(day, counts)| (date(day), counts)).collect())
}

/// How a class is written: never changed.
const fn class(by: Downloader) -> i64 {
    match by {
        Downloader::Anonymous => 0,
        Downloader::User => 1,
        Downloader::Workload => 2,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date as day;
    use weir_model::Sha256;

    use super::*;

    fn tree(name: &str) -> TreeDigest {
        TreeDigest::from_bytes(*Sha256::of(name.as_bytes()).as_bytes())
    }

    fn of(name: &str, on: Date, by: Downloader) -> Downloaded {
        Downloaded { registry: "team".into(), tree: tree(name), day: on, by }
    }

    #[test]
    fn downloads_are_added_up_by_content_day_and_class_and_survive() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("downloads.db");
        let (first, second) = (day(2026, 2, 28), day(2026, 3, 1));
        let downloads = Downloads::open(&file).unwrap();
        downloads
            .add(&[
                (of("a", first, Downloader::Anonymous), 2),
                (of("a", first, Downloader::User), 1),
                (of("b", second, Downloader::Workload), 10),
            ])
            .unwrap();
        downloads.add(&[(of("a", first, Downloader::Anonymous), 3)]).unwrap();
        drop(downloads);
        let downloads = Downloads::open(&file).unwrap();
        let counts = |anonymous, users, workloads| DownloadCounts { anonymous, users, workloads };
        assert_eq!(downloads.of_tree("team", &tree("a"), first).unwrap(), [(first, counts(5, 1, 0))]);
        assert_eq!(downloads.of_tree("team", &tree("a"), second).unwrap(), []);
        assert_eq!(downloads.of_tree("other", &tree("a"), first).unwrap(), []);
        assert_eq!(
            downloads.of_registry("team", first).unwrap(),
            [(first, counts(5, 1, 0)), (second, counts(0, 0, 10))]
        );
        assert_eq!(downloads.most("team", first, 9).unwrap(), [(tree("b"), 10), (tree("a"), 6)]);
        assert_eq!(downloads.most("team", first, 1).unwrap().len(), 1);
        let both = [tree("a"), tree("b")].into();
        assert_eq!(downloads.of_trees("team", &both, second).unwrap(), [(second, counts(0, 0, 10))]);
        assert_eq!(downloads.of_trees("team", &both, first).unwrap().len(), 2);
        assert_eq!(downloads.first_day("team").unwrap(), Some(first));
        assert_eq!(downloads.first_day("other").unwrap(), None);
    }
}
