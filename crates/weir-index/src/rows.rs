//! Rows of `release` and `withdrawal`: writing them, and reading them back as views.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use weir_model::evidence::named_beside;
use weir_model::{Digest, KindName, PackageName, Release, ReleaseId};
use weir_rules::Standing;

use crate::candidates::Interner;
use crate::error::IndexError;
use crate::facts;
use crate::view::{Came, Mark, ReleaseView, Withdrawn};
use crate::wire::{Malformed, parse};

/// The columns that [`read`] expects.
pub(crate) const COLUMNS: &str =
    "r.id, p.name, r.version, r.platform, r.revision, r.kind, r.state, r.input_digest, r.tree, r.facts";

pub(crate) fn kind(code: u8) -> Result<KindName, Malformed> {
    KindName::from_code(code).ok_or_else(|| Malformed::new(format!("{code} is no kind")))
}

pub(crate) const fn state_code(state: Standing) -> u8 {
    match state {
        Standing::Offered => 0,
        Standing::Yanked => 1,
        Standing::Quarantined => 2,
        Standing::Removed => 3,
    }
}

pub(crate) fn state(code: u8) -> Result<Standing, Malformed> {
    match code {
        0 => Ok(Standing::Offered),
        1 => Ok(Standing::Yanked),
        2 => Ok(Standing::Quarantined),
        3 => Ok(Standing::Removed),
        other => Err(Malformed::new(format!("{other} is no state"))),
    }
}

/// A log index as SQLite has it. No log grows beyond 2^63 entries.
pub(crate) fn row_id(index: u64) -> Result<i64, IndexError> {
    i64::try_from(index)
        .map_err(|_| IndexError::Damaged { what: "the log", reason: format!("it has an entry {index}") })
}

/// A count or log index that SQLite holds.
pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

pub(crate) fn digest<S>(row: &Row<'_>, column: usize) -> rusqlite::Result<Digest<S>> {
    row.get::<_, [u8; 32]>(column).map(Digest::from_bytes)
}

/// Writes a release; tells how many bytes its facts have.
pub(crate) fn insert_release(
    connection: &Connection,
    package: i64,
    release: &Release,
    mark: &Mark,
    came: Option<&Came>,
    state: Standing,
) -> Result<usize, IndexError> {
    let facts = facts::write_release(release, mark, came);
    let mut insert =
        connection.prepare_cached("INSERT INTO release VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
    insert.execute(params![
        row_id(mark.index)?,
        package,
        release.id.version.to_string(),
        release.id.platform.as_str(),
        release.id.revision,
        release.kind.code(),
        state_code(state),
        release.input_digest.as_bytes(),
        release.tree.as_bytes(),
        facts,
    ])?;
    for named in named_beside(release) {
        connection
            .prepare_cached("INSERT OR IGNORE INTO beside VALUES(?1, ?2)")?
            .execute(params![named.digest(), row_id(mark.index)?])?;
    }
    Ok(facts.len())
}

/// Writes a withdrawal in force, in place of an earlier one of its sort.
pub(crate) fn put_withdrawal(
    connection: &Connection,
    release: i64,
    what: Standing,
    withdrawn: &Withdrawn,
) -> Result<(), IndexError> {
    connection.prepare_cached("INSERT OR REPLACE INTO withdrawal VALUES(?1, ?2, ?3)")?.execute(params![
        release,
        state_code(what),
        facts::write_withdrawn(withdrawn)
    ])?;
    Ok(())
}

/// The withdrawals of a release that are in force: yank, quarantine, removal.
pub(crate) fn withdrawals(
    connection: &Connection,
    release: i64,
) -> Result<[Option<Withdrawn>; 3], IndexError> {
    let mut found = [None, None, None];
    let mut statement = connection.prepare_cached("SELECT what, facts FROM withdrawal WHERE release = ?1")?;
    let mut rows = statement.query([release])?;
    while let Some(row) = rows.next()? {
        let what = state(row.get(0)?).map_err(IndexError::damaged("a withdrawal"))?;
        let withdrawn = facts::read_withdrawn(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)
            .map_err(IndexError::damaged("a withdrawal"))?;
        match what {
            Standing::Yanked => found[0] = Some(withdrawn),
            Standing::Quarantined => found[1] = Some(withdrawn),
            Standing::Removed => found[2] = Some(withdrawn),
            Standing::Offered => {}
        }
    }
    Ok(found)
}

/// A release from a row with [`COLUMNS`].
pub(crate) fn read(
    connection: &Connection,
    row: &Row<'_>,
    interner: &mut Interner,
) -> Result<ReleaseView, IndexError> {
    let id: i64 = row.get(0)?;
    let index = unsigned(row, 0)?;
    let damaged = || IndexError::damaged("a release");
    let text = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    let blob = row.get_ref(9)?.as_blob().map_err(rusqlite::Error::from)?;
    let facts = facts::read_release(blob, index, interner).map_err(damaged())?;
    let state = state(row.get(6)?).map_err(damaged())?;
    let [yanked, quarantined, removed] =
        if state == Standing::Offered { [None, None, None] } else { withdrawals(connection, id)? };
    let release = Release {
        id: ReleaseId {
            name: interner.name(text(1)?.as_bytes()).map_err(damaged())?,
            version: parse(text(2)?).map_err(damaged())?,
            platform: parse(text(3)?).map_err(damaged())?,
            revision: row.get(4)?,
        },
        kind: kind(row.get(5)?).map_err(damaged())?,
        tree: digest(row, 8)?,
        size: facts.size,
        unpacked: facts.unpacked,
        files: facts.files,
        input_digest: digest(row, 7)?,
        dependencies: facts.dependencies,
        references: facts.references,
        recipe: facts.recipe,
        toolchain: facts.toolchain,
        license: facts.license,
        description: facts.description,
        kind_facts: facts.kind_facts,
    };
    let (origin, promoted) = Came::split(facts.came);
    Ok(ReleaseView { release, mark: facts.mark, origin, promoted, yanked, quarantined, removed })
}

/// The number of a package, if its name is known.
pub(crate) fn package_id(connection: &Connection, name: &str) -> Result<Option<i64>, IndexError> {
    let mut statement = connection.prepare_cached("SELECT id FROM package WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

/// The number of a package; makes its name known.
pub(crate) fn intern_package(connection: &Connection, name: &PackageName) -> Result<i64, IndexError> {
    if let Some(id) = package_id(connection, name.as_str())? {
        return Ok(id);
    }
    let confusable = name.confusable();
    let short = &confusable[name.owner().len() + 1..];
    connection
        .prepare_cached("INSERT INTO package(name, confusable, short) VALUES(?1, ?2, ?3)")?
        .execute(params![name.as_str(), confusable, short])?;
    Ok(connection.last_insert_rowid())
}
