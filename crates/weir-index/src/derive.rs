//! What follows from the releases of a package: its summary, its candidates, whom it needs, and
//! what the search finds it by. Written anew for each package that a fold touched.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension as _, params};
use weir_model::{KindName, License, PackageName, Platform};
use weir_rules::Standing;

use crate::candidates::{self, Interner};
use crate::error::IndexError;
use crate::rows::{self, COLUMNS};
use crate::search::{Document, Standings};
use crate::view::ReleaseView;

/// Brings the derived rows of these packages up to date.
pub(crate) fn refresh(connection: &Connection, packages: BTreeSet<i64>) -> Result<(), IndexError> {
    let mut deriver = Deriver::new(connection);
    let mut interner = Interner::default();
    for package in packages {
        let releases = releases_of(connection, package, &mut interner)?;
        deriver.package(package, &releases)?;
    }
    deriver.finish()
}

/// Every release of a package, removed ones too, in the order of the log.
pub(crate) fn releases_of(
    connection: &Connection,
    package: i64,
    interner: &mut Interner,
) -> Result<Vec<ReleaseView>, IndexError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM release r JOIN package p ON p.id = r.package WHERE r.package = ?1 ORDER BY r.id"
    ))?;
    let mut found = statement.query([package])?;
    let mut releases = Vec::new();
    while let Some(row) = found.next()? {
        releases.push(rows::read(connection, row, interner)?);
    }
    Ok(releases)
}

/// Newest first: by version, then platform, then revision.
pub(crate) fn sort_newest_first(releases: &mut [&ReleaseView]) {
    releases.sort_by(|a, b| {
        let (a, b) = (&a.release.id, &b.release.id);
        b.version.cmp(&a.version).then_with(|| a.platform.cmp(&b.platform)).then(b.revision.cmp(&a.revision))
    });
}

/// Derives package after package, and writes at the end what they have in common.
pub(crate) struct Deriver<'a> {
    connection: &'a Connection,
    /// By how much each package has more, or fewer, dependents than before.
    dependents: BTreeMap<i64, i64>,
    standings: Standings<'a>,
    names: HashMap<PackageName, i64>,
}

impl<'a> Deriver<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            dependents: BTreeMap::new(),
            standings: Standings::new(connection),
            names: HashMap::new(),
        }
    }

    /// Derives a package from all its releases.
    pub(crate) fn package(&mut self, package: i64, releases: &[ReleaseView]) -> Result<(), IndexError> {
        let mut live: Vec<&ReleaseView> =
            releases.iter().filter(|view| view.standing() != Standing::Removed).collect();
        sort_newest_first(&mut live);
        let summary = Summary::of(releases, &live);
        self.candidates(package, summary.kind, &live)?;
        self.edges(package, &live)?;
        self.summary(package, &summary)?;
        self.standings.set_kind(package, summary.kind)
    }

    /// Writes what concerns several packages.
    pub(crate) fn finish(mut self) -> Result<(), IndexError> {
        let mut update = self.connection.prepare_cached(
            "UPDATE package SET dependents = dependents + ?2 WHERE id = ?1 RETURNING dependents",
        )?;
        for (package, change) in std::mem::take(&mut self.dependents) {
            if change != 0 {
                let dependents = update.query_row(params![package, change], |row| rows::unsigned(row, 0))?;
                self.standings.set_dependents(package, dependents)?;
            }
        }
        self.standings.write()
    }

    fn candidates(&self, package: i64, kind: KindName, live: &[&ReleaseView]) -> Result<(), IndexError> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO candidates VALUES(?1, ?2)")?
            .execute(params![package, candidates::write(kind, live)])?;
        Ok(())
    }

    fn edges(&mut self, package: i64, live: &[&ReleaseView]) -> Result<(), IndexError> {
        let mut needed = BTreeSet::new();
        for dependency in live.iter().flat_map(|view| &view.release.dependencies) {
            let id = match self.names.get(&dependency.name) {
                Some(id) => *id,
                None => {
                    let id = rows::intern_package(self.connection, &dependency.name)?;
                    self.names.insert(dependency.name.clone(), id);
                    id
                }
            };
            needed.insert(id);
        }
        let before = self
            .connection
            .prepare_cached("SELECT needed FROM edge WHERE package = ?1")?
            .query_map([package], |row| row.get(0))?
            .collect::<rusqlite::Result<BTreeSet<i64>>>()?;
        let mut insert = self.connection.prepare_cached("INSERT INTO edge VALUES(?1, ?2)")?;
        for added in needed.difference(&before) {
            insert.execute([package, *added])?;
            *self.dependents.entry(*added).or_default() += 1;
        }
        let mut delete =
            self.connection.prepare_cached("DELETE FROM edge WHERE package = ?1 AND needed = ?2")?;
        for gone in before.difference(&needed) {
            delete.execute([package, *gone])?;
            *self.dependents.entry(*gone).or_default() -= 1;
        }
        Ok(())
    }

    fn summary(&self, package: i64, summary: &Summary<'_>) -> Result<(), IndexError> {
        let (name, before) = self
            .connection
            .prepare_cached(
                "SELECT name, description, keywords, offered + yanked + quarantined FROM package WHERE id = ?1",
            )?
            .query_row([package], |row| {
                let before = Document { description: row.get(1)?, keywords: row.get(2)? };
                let live: i64 = row.get(3)?;
                Ok((row.get::<_, String>(0)?, (live > 0).then_some(before)))
            })?;
        let after = summary.document();
        if before != after {
            crate::search::replace(self.connection, package, &name, before.is_some(), after.as_ref())?;
        }
        let [offered, yanked, quarantined, removed] = summary.counts;
        let Document { description, keywords } = after.unwrap_or_default();
        let platforms: Vec<&str> = summary.platforms.iter().map(|platform| platform.as_str()).collect();
        self.connection
            .prepare_cached(
                "UPDATE package SET kind = ?2, version = ?3, description = ?4, keywords = ?5, platforms = ?6,
                 offered = ?7, yanked = ?8, quarantined = ?9, removed = ?10, size = ?11, licenses = ?12 WHERE id = ?1",
            )?
            .execute(params![
                package,
                summary.kind.code(),
                summary.newest.map(|view| view.release.id.version.to_string()),
                description,
                keywords,
                platforms.join(" "),
                offered,
                yanked,
                quarantined,
                removed,
                i64::try_from(summary.size).unwrap_or(i64::MAX),
                summary.licenses().join(","),
            ])?;
        Ok(())
    }
}

/// What a list says about a package.
struct Summary<'a> {
    kind: KindName,
    newest: Option<&'a ReleaseView>,
    /// The release that it is described by: the newest that is offered, or else the newest that is there.
    telling: Option<&'a ReleaseView>,
    platforms: BTreeSet<&'a Platform>,
    counts: [i64; 4],
    size: u64,
}

impl<'a> Summary<'a> {
    fn of(all: &'a [ReleaseView], live: &[&'a ReleaseView]) -> Self {
        let mut counts = [0; 4];
        for view in all {
            counts[usize::from(rows::state_code(view.standing()))] += 1;
        }
        let offered = || live.iter().copied().filter(|view| view.standing().is_offered());
        let newest = weir_rules::newest(live.iter().copied(), None);
        let telling = newest.or(live.first().copied());
        let decisive = telling.or(all.last());
        Self {
            kind: decisive.map_or(KindName::default(), |view| view.release.kind),
            newest,
            telling,
            platforms: offered().map(|view| &view.release.id.platform).collect(),
            counts,
            size: live.iter().fold(0, |sum, view| sum.saturating_add(view.release.size)),
        }
    }

    /// The licences that are named by what it is described by.
    fn licenses(&self) -> Vec<String> {
        let license = self.telling.and_then(|view| view.release.license.as_deref()?.parse::<License>().ok());
        license.map(|license| license.ids().into_iter().collect()).unwrap_or_default()
    }

    /// What the search finds the package by; nothing if all of it was removed. Whoever looks for what was withdrawn is to be told so.
    fn document(&self) -> Option<Document> {
        let release = &self.telling?.release;
        let words = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Array(items) => {
                items.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(" ")
            }
            _ => String::new(),
        };
        let keywords: Vec<String> =
            ["keywords", "tags"].iter().filter_map(|key| release.kind_facts.get(*key)).map(words).collect();
        Some(Document { description: release.description.clone(), keywords: keywords.join(" ") })
    }
}

/// Whether any release of this package was ever published here.
pub(crate) fn was_published(connection: &Connection, package: i64) -> Result<bool, IndexError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM release WHERE package = ?1 LIMIT 1")?;
    Ok(statement.query_row([package], |_| Ok(())).optional()?.is_some())
}
