//! The whole view as text, for comparing two views in a test or an audit.

use std::fmt::Write as _;

use crate::error::IndexError;
use crate::index::Index;
use crate::query::PackageFilter;

impl Index {
    /// Everything the view says, and everything derived from it, one JSON value a line. Two views of
    /// one log have the same dump, however they were folded. What a follower saved is not part of it.
    pub fn dump(&self) -> Result<String, IndexError> {
        let _still = self.reading()?;
        let mut out = String::new();
        let mut line = |what: &str, value: &dyn erased::Json| {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{what} {}", value.text());
        };
        line("size", &self.position()?.size);
        line("stats", &self.stats()?);
        line("facts", &self.facts()?);
        for claim in self.owners()? {
            line("claim", &claim);
        }
        for bound in self.all_bound()? {
            line("bound", &bound);
        }
        for adopted in self.adopted()? {
            line("adopted", &adopted);
        }
        for held in self.held(usize::MAX)? {
            line("held", &held);
        }
        for known in self.advisories_since(0, usize::MAX)? {
            line("advisory", &known);
        }
        for set in self.quotas()? {
            line("quota", &set);
        }
        let mut every = self.connection.prepare("SELECT id, name FROM package ORDER BY id")?;
        let mut rows = every.query([])?;
        while let Some(row) = rows.next()? {
            let (id, name): (i64, String) = (row.get(0)?, row.get(1)?);
            line("package", &(id, &name));
            for view in crate::derive::releases_of(&self.connection, id, &mut self.interner.borrow_mut())? {
                line("release", &view);
            }
        }
        for summary in self.list(&PackageFilter::default(), None, usize::MAX)? {
            line("summary", &summary);
        }
        for (table, columns) in [
            ("candidates", "package || ' ' || hex(data)"),
            ("edge", "package || ' ' || needed"),
            ("standing", "chunk || ' ' || hex(data)"),
            ("package", "id || ' ' || dependents || ' ' || coalesce(keywords, '')"),
        ] {
            let mut statement =
                self.connection.prepare(&format!("SELECT {columns} FROM {table} ORDER BY 1"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                line(table, &row.get::<_, String>(0)?);
            }
        }
        Ok(out)
    }
}

mod erased {
    /// Anything that can be shown as JSON.
    pub(super) trait Json {
        fn text(&self) -> String;
    }

    impl<T: serde::Serialize> Json for T {
        fn text(&self) -> String {
            serde_json::to_string(self).unwrap_or_else(|error| format!("no JSON: {error}"))
        }
    }
}
