//! Questions with one answer: releases, packages, owners, facts, numbers.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use weir_model::{InputDigest, KindName, OwnerName, PackageName, Platform, ReleaseId, TreeDigest, Version};
use weir_rules::Standing;

use crate::derive::{releases_of, sort_newest_first};
use crate::error::IndexError;
use crate::facts::read_marked;
use crate::index::{Index, Reading};
use crate::rows::{self, COLUMNS, digest, package_id, row_id, unsigned};
use crate::view::{Claim, Cursor, Mark, PackageSummary, PackageView, RegistryFacts, ReleaseView, Stats};
use crate::wire::{Malformed, parse};

/// Which packages to look among.
#[derive(Debug, Clone, Default)]
pub struct PackageFilter {
    /// Those whose name starts so, such as `acme/`.
    pub prefix: Option<String>,
    /// Those of this owner.
    pub owner: Option<OwnerName>,
    /// Those of this kind.
    pub kind: Option<KindName>,
    /// Those with a release that serves this platform.
    pub platform: Option<Platform>,
    /// Those that name this licence, by its SPDX identifier, in whichever case.
    pub license: Option<String>,
    /// Those with a release that stands so.
    pub standing: Option<Standing>,
}

impl PackageFilter {
    /// Whether the row of a package must be read to know if it is among them.
    pub(crate) const fn reads_rows(&self) -> bool {
        self.prefix.is_some()
            || self.owner.is_some()
            || self.platform.is_some()
            || self.license.is_some()
            || self.standing.is_some()
    }

    /// Whether a package is among them.
    pub(crate) fn admits(&self, package: &PackageSummary) -> bool {
        let name = package.name.as_str();
        self.prefix.as_deref().is_none_or(|prefix| name.starts_with(prefix))
            && self.owner.as_ref().is_none_or(|owner| package.name.owner() == owner.as_str())
            && self.kind.is_none_or(|kind| package.kind == kind)
            && self.standing.is_none_or(|standing| has(package, standing))
            && self
                .platform
                .as_ref()
                .is_none_or(|wanted| package.platforms.iter().any(|one| one.serves(wanted)))
            && self.license.as_deref().is_none_or(|wanted| {
                package.licenses.iter().any(|license| license.eq_ignore_ascii_case(wanted))
            })
    }

    /// What the name of each begins with.
    fn beginning(&self) -> String {
        match &self.owner {
            Some(owner) => format!("{owner}/"),
            None => self.prefix.clone().unwrap_or_default(),
        }
    }
}

/// Whether a package has a release that stands so.
fn has(package: &PackageSummary, standing: Standing) -> bool {
    match standing {
        Standing::Offered => package.version.is_some(),
        Standing::Yanked => package.yanked > 0,
        Standing::Quarantined => package.quarantined > 0,
        Standing::Removed => package.standing == Standing::Removed,
    }
}

impl Index {
    /// A package with all its releases; nothing if none was ever published here.
    pub fn package(&self, name: &PackageName) -> Result<Option<PackageView>, IndexError> {
        let _still = self.reading()?;
        let mut statement =
            self.connection.prepare_cached("SELECT id, kind, dependents FROM package WHERE name = ?1")?;
        let row = statement
            .query_row([name.as_str()], |row| Ok((row.get(0)?, row.get(1)?, unsigned(row, 2)?)))
            .optional()?;
        let Some((id, kind, dependents)) = row else { return Ok(None) };
        let mut views = releases_of(&self.connection, id, &mut self.interner.borrow_mut())?;
        if views.is_empty() {
            return Ok(None);
        }
        let order = newest_first_order(&views);
        let mut slots: Vec<Option<ReleaseView>> = views.drain(..).map(Some).collect();
        let (removed, releases) = order
            .into_iter()
            .filter_map(|place| slots[place].take())
            .partition(|view| view.standing() == Standing::Removed);
        let kind = rows::kind(kind).map_err(IndexError::damaged("a package"))?;
        Ok(Some(PackageView { name: name.clone(), kind, dependents, releases, removed }))
    }

    /// One release, whatever its state; nothing if it was never published here.
    pub fn release(&self, id: &ReleaseId) -> Result<Option<ReleaseView>, IndexError> {
        let Some(package) = package_id(&self.connection, id.name.as_str())? else { return Ok(None) };
        let identity = params![package, id.version.to_string(), id.platform.as_str(), id.revision];
        let condition = "r.package = ?1 AND r.version = ?2 AND r.platform = ?3 AND r.revision = ?4";
        Ok(self.releases_where(condition, identity)?.pop())
    }

    /// What sort of package the newest release of a package is; nothing if none was ever published here.
    pub fn kind_of(&self, name: &PackageName) -> Result<Option<KindName>, IndexError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT kind FROM package WHERE name = ?1 AND offered + yanked + quarantined + removed > 0",
        )?;
        let code = statement.query_row([name.as_str()], |row| row.get(0)).optional()?;
        code.map(|code| rows::kind(code).map_err(IndexError::damaged("a package"))).transpose()
    }

    /// The releases of one version that are not removed, by platform, the latest build first.
    pub fn releases_of_version(
        &self,
        name: &PackageName,
        version: &Version,
    ) -> Result<Vec<ReleaseView>, IndexError> {
        let Some(package) = package_id(&self.connection, name.as_str())? else { return Ok(Vec::new()) };
        let removed = rows::state_code(Standing::Removed);
        let condition =
            "r.package = ?1 AND r.version = ?2 AND r.state < ?3 ORDER BY r.platform, r.revision DESC";
        self.releases_where(condition, params![package, version.to_string(), removed])
    }

    /// Every release of these inputs, removed ones too, in the order of the log. They share one tree.
    pub fn by_input_digest(&self, input_digest: &InputDigest) -> Result<Vec<ReleaseView>, IndexError> {
        self.releases_where("r.input_digest = ?1 ORDER BY r.id", [input_digest.as_bytes()])
    }

    /// Every release that consists of this tree, removed ones too, in the order of the log.
    pub fn by_tree(&self, tree: &TreeDigest) -> Result<Vec<ReleaseView>, IndexError> {
        self.releases_where("r.tree = ?1 ORDER BY r.id", [tree.as_bytes()])
    }

    /// Every release that names content of this digest beside its own tree, removed ones too, in the order of the log.
    ///
    /// # Errors
    ///
    /// When it cannot be looked up.
    pub fn by_named_beside(&self, digest: &[u8; 32]) -> Result<Vec<ReleaseView>, IndexError> {
        self.releases_where("r.id IN (SELECT release FROM beside WHERE object = ?1) ORDER BY r.id", [digest])
    }

    /// The version and the tree of every release of a package for one platform, removed ones too, in the order of the log.
    pub fn trees(
        &self,
        name: &PackageName,
        platform: &Platform,
    ) -> Result<Vec<(Version, TreeDigest)>, IndexError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT version, tree FROM release
             WHERE package = (SELECT id FROM package WHERE name = ?1) AND platform = ?2 ORDER BY id",
        )?;
        let mut rows = statement.query([name.as_str(), platform.as_str()])?;
        let mut trees = Vec::new();
        while let Some(row) = rows.next()? {
            let version = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            let version = parse(version).map_err(IndexError::damaged("a release"))?;
            trees.push((version, digest(row, 1)?));
        }
        Ok(trees)
    }

    /// The releases that were published last and are not removed, the newest first: at most `limit`.
    pub fn newest_releases(&self, limit: usize) -> Result<Vec<ReleaseView>, IndexError> {
        let removed = rows::state_code(Standing::Removed);
        self.releases_where("r.state < ?1 ORDER BY r.id DESC LIMIT ?2", params![removed, clamp(limit)])
    }

    /// Every release that is yanked, quarantined or removed, in the order of the log.
    pub fn withdrawn(&self) -> Result<Vec<ReleaseView>, IndexError> {
        self.releases_where("r.id IN (SELECT release FROM withdrawal) ORDER BY r.id", [])
    }

    /// Releases that are quarantined, those that were published last first: at most `limit`.
    pub fn quarantined_releases(&self, limit: usize) -> Result<Vec<ReleaseView>, IndexError> {
        let quarantined = rows::state_code(Standing::Quarantined);
        self.releases_where(
            "r.id IN (SELECT release FROM withdrawal WHERE what = ?1) AND r.state = ?1 ORDER BY r.id DESC LIMIT ?2",
            params![quarantined, clamp(limit)],
        )
    }

    /// The trees of releases that are quarantined, those that were published last first: at most `limit`.
    pub fn quarantined_trees(&self, limit: usize) -> Result<Vec<TreeDigest>, IndexError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT r.tree FROM release r WHERE r.id IN (SELECT release FROM withdrawal WHERE what = ?1) AND r.state = ?1
             ORDER BY r.id DESC LIMIT ?2",
        )?;
        let quarantined = rows::state_code(Standing::Quarantined);
        let trees = statement.query_map(params![quarantined, clamp(limit)], |row| digest(row, 0))?;
        Ok(trees.collect::<rusqlite::Result<_>>()?)
    }

    /// Every release that is not removed, in the order of the log.
    pub fn live_releases(&self) -> Releases<'_> {
        Releases::new(self, rows::state_code(Standing::Removed))
    }

    /// Every release, removed ones too, in the order of the log.
    pub fn all_releases(&self) -> Releases<'_> {
        Releases::new(self, rows::state_code(Standing::Removed) + 1)
    }

    /// Every release that an entry from `index` on published, removed ones too, in the order of the log.
    pub fn releases_from(&self, index: u64) -> Result<Releases<'_>, IndexError> {
        Ok(Releases { after: row_id(index)? - 1, ..self.all_releases() })
    }

    fn releases_where(
        &self,
        condition: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<ReleaseView>, IndexError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM release r JOIN package p ON p.id = r.package WHERE {condition}"
        ))?;
        let mut found = statement.query(parameters)?;
        let mut interner = self.interner.borrow_mut();
        let mut releases = Vec::new();
        while let Some(row) = found.next()? {
            releases.push(rows::read(&self.connection, row, &mut interner)?);
        }
        Ok(releases)
    }

    /// To whom an owner belongs, if it was claimed.
    pub fn owner(&self, owner: &OwnerName) -> Result<Option<Claim>, IndexError> {
        let mut statement =
            self.connection.prepare_cached("SELECT owner, facts FROM claim WHERE owner = ?1")?;
        let mut found = statement.query([owner.as_str()])?;
        found.next()?.map(read_claim).transpose()
    }

    /// Every claim, by owner.
    pub fn owners(&self) -> Result<Vec<Claim>, IndexError> {
        let mut statement =
            self.connection.prepare_cached("SELECT owner, facts FROM claim ORDER BY owner")?;
        let mut found = statement.query([])?;
        let mut claims = Vec::new();
        while let Some(row) = found.next()? {
            claims.push(read_claim(row)?);
        }
        Ok(claims)
    }

    /// Packages with a release that is not removed, by name: at most `limit` of those that come after `after`.
    pub fn list(
        &self,
        filter: &PackageFilter,
        after: Option<&PackageName>,
        limit: usize,
    ) -> Result<Vec<PackageSummary>, IndexError> {
        let beginning = filter.beginning();
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {SUMMARY_COLUMNS} FROM package WHERE name > ?1 AND name >= ?2 AND substr(name, 1, ?3) = ?2
             AND name < ?2 || char(0x10ffff) AND (?4 IS NULL OR kind = ?4) AND offered + yanked + quarantined > 0
             ORDER BY name"
        ))?;
        let mut found = statement.query(params![
            after.map_or("", PackageName::as_str),
            beginning,
            clamp(beginning.chars().count()),
            filter.kind.map(KindName::code),
        ])?;
        let mut packages = Vec::new();
        while packages.len() < limit
            && let Some(row) = found.next()?
        {
            let package = read_summary(row)?;
            if filter.admits(&package) {
                packages.push(package);
            }
        }
        Ok(packages)
    }

    /// The packages with a release that is offered that most others need: at most `limit`, those that the most need first.
    pub fn most_needed(&self, limit: usize) -> Result<Vec<PackageSummary>, IndexError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {SUMMARY_COLUMNS} FROM package WHERE offered > 0 AND dependents > 0 ORDER BY dependents DESC, name LIMIT ?1"
        ))?;
        let mut found = statement.query([clamp(limit)])?;
        let mut packages = Vec::new();
        while let Some(row) = found.next()? {
            packages.push(read_summary(row)?);
        }
        Ok(packages)
    }

    /// The keywords of a package, as a search finds it by them: separated by blanks.
    pub fn keywords(&self, name: &PackageName) -> Result<String, IndexError> {
        let mut statement = self.connection.prepare_cached("SELECT keywords FROM package WHERE name = ?1")?;
        Ok(statement.query_row([name.as_str()], |row| row.get(0)).optional()?.unwrap_or_default())
    }

    /// How much there is.
    pub fn stats(&self) -> Result<Stats, IndexError> {
        let _still = self.reading()?;
        let owners: i64 = self.connection.query_row("SELECT count(*) FROM claim", [], |row| row.get(0))?;
        let mut statement = self.connection.prepare_cached(
            "SELECT total(offered + yanked + quarantined > 0), total(offered), total(yanked), total(quarantined),
             total(removed), total(size) FROM package",
        )?;
        let number = |row: &Row<'_>, column| row.get::<_, f64>(column).map(|total| total as u64);
        let records = self.position()?.size;
        Ok(statement.query_row([], |row| {
            Ok(Stats {
                records,
                packages: number(row, 0)?,
                offered: number(row, 1)?,
                yanked: number(row, 2)?,
                quarantined: number(row, 3)?,
                removed: number(row, 4)?,
                owners: owners.unsigned_abs(),
                size: number(row, 5)?,
            })
        })?)
    }

    /// What the log says about the registry itself.
    pub fn facts(&self) -> Result<RegistryFacts, IndexError> {
        let _still = self.reading()?;
        let mut facts = RegistryFacts { cursors: cursors(&self.connection)?, ..RegistryFacts::default() };
        let mut statement = self.connection.prepare_cached("SELECT name, value FROM fact")?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            let name: String = row.get(0)?;
            let (mark, values) = read_blob(row, 1, "a fact")?;
            let value = values.first().map_or("null", String::as_str);
            match name.as_str() {
                "keys" => facts.keys = json(value)?,
                "name" => facts.name = json(value)?,
                "closed" => facts.closed = json(value)?,
                "kinds" => facts.kinds = json(value)?,
                "validity" => facts.validity = json(value)?,
                "upstreams" => facts.upstreams = json(value)?,
                "policy" => facts.policy = Some((json(value)?, mark)),
                "retention" => facts.retention = json(value)?,
                "described" => facts.described = Some(mark),
                _ => {}
            }
        }
        Ok(facts)
    }
}

/// Releases in the order of the log, see [`Index::live_releases`] and [`Index::all_releases`]. They are
/// of one moment: a [`Reading`] is held from the first to the last.
#[derive(Debug)]
pub struct Releases<'index> {
    index: &'index Index,
    still: Option<Reading<'index>>,
    page: std::vec::IntoIter<ReleaseView>,
    after: i64,
    /// Up to which code of a state they are wanted.
    below: u8,
}

impl<'index> Releases<'index> {
    fn new(index: &'index Index, below: u8) -> Self {
        Self { index, still: None, page: Vec::new().into_iter(), after: -1, below }
    }

    fn turn_page(&mut self) -> Result<(), IndexError> {
        const PAGE: i64 = 512;
        if self.still.is_none() {
            self.still = Some(self.index.reading()?);
        }
        let page = self.index.releases_where(
            "r.id > ?1 AND r.state < ?3 ORDER BY r.id LIMIT ?2",
            params![self.after, PAGE, self.below],
        )?;
        if let Some(last) = page.last() {
            self.after = row_id(last.mark.index)?;
        }
        self.page = page.into_iter();
        Ok(())
    }
}

impl Iterator for Releases<'_> {
    type Item = Result<ReleaseView, IndexError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.as_slice().is_empty()
            && let Err(error) = self.turn_page()
        {
            return Some(Err(error));
        }
        self.page.next().map(Ok)
    }
}

/// The columns that [`read_summary`] expects.
pub(crate) const SUMMARY_COLUMNS: &str =
    "name, kind, version, description, platforms, dependents, offered, yanked, quarantined, licenses";

pub(crate) fn read_summary(row: &Row<'_>) -> Result<PackageSummary, IndexError> {
    let damaged = || IndexError::damaged("a package");
    let text = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    let version: Option<String> = row.get(2)?;
    let (offered, yanked, quarantined) = (unsigned(row, 6)?, unsigned(row, 7)?, unsigned(row, 8)?);
    Ok(PackageSummary {
        name: parse(text(0)?).map_err(damaged())?,
        kind: rows::kind(row.get(1)?).map_err(damaged())?,
        version: version.as_deref().map(parse).transpose().map_err(damaged())?,
        description: row.get(3)?,
        platforms: text(4)?
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(parse)
            .collect::<Result<_, _>>()
            .map_err(damaged())?,
        licenses: text(9)?.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
        standing: match (offered, yanked, quarantined) {
            (1.., _, _) => Standing::Offered,
            (_, 1.., _) => Standing::Yanked,
            (_, _, 1..) => Standing::Quarantined,
            _ => Standing::Removed,
        },
        releases: offered + yanked + quarantined,
        yanked,
        quarantined,
        dependents: unsigned(row, 5)?,
    })
}

/// When the log said last what is called `fact`, if ever.
pub(crate) fn said_of(connection: &Connection, fact: &str) -> Result<Option<Mark>, IndexError> {
    let mut statement = connection.prepare_cached("SELECT value FROM fact WHERE name = ?1")?;
    let mut found = statement.query([fact])?;
    found.next()?.map(|row| Ok(read_blob(row, 0, "a fact")?.0)).transpose()
}

/// How far an upstream was followed, if ever.
pub(crate) fn cursor(connection: &Connection, registry: &str) -> Result<Option<Cursor>, IndexError> {
    let mut statement =
        connection.prepare_cached("SELECT registry, size, root, facts FROM upstream WHERE registry = ?1")?;
    let mut found = statement.query([registry])?;
    found.next()?.map(read_cursor).transpose()
}

fn cursors(connection: &Connection) -> Result<Vec<Cursor>, IndexError> {
    let mut statement =
        connection.prepare_cached("SELECT registry, size, root, facts FROM upstream ORDER BY registry")?;
    let mut found = statement.query([])?;
    let mut cursors = Vec::new();
    while let Some(row) = found.next()? {
        cursors.push(read_cursor(row)?);
    }
    Ok(cursors)
}

fn read_cursor(row: &Row<'_>) -> Result<Cursor, IndexError> {
    let (mark, _) = read_blob(row, 3, "an upstream")?;
    Ok(Cursor { registry: row.get(0)?, size: unsigned(row, 1)?, root: digest(row, 2)?, mark })
}

fn read_claim(row: &Row<'_>) -> Result<Claim, IndexError> {
    let (mark, who) = read_blob(row, 1, "a claim")?;
    let owner = parse(&row.get::<_, String>(0)?).map_err(IndexError::damaged("a claim"))?;
    Ok(Claim { owner, who, mark })
}

fn read_blob(row: &Row<'_>, column: usize, what: &'static str) -> Result<(Mark, Vec<String>), IndexError> {
    let blob = row.get_ref(column)?.as_blob().map_err(rusqlite::Error::from)?;
    read_marked(blob).map_err(IndexError::damaged(what))
}

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, IndexError> {
    serde_json::from_str(text)
        .map_err(|error| IndexError::damaged("a fact")(Malformed::new(error.to_string())))
}

fn newest_first_order(views: &[ReleaseView]) -> Vec<usize> {
    let mut sorted: Vec<&ReleaseView> = views.iter().collect();
    sort_newest_first(&mut sorted);
    // `views` is in the order of the log, so a place is found by the index of its entry.
    let place = |view: &ReleaseView| views.binary_search_by_key(&view.mark.index, |other| other.mark.index);
    sorted.into_iter().filter_map(|view| place(view).ok()).collect()
}

/// A count that SQLite takes.
pub(crate) fn clamp(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
