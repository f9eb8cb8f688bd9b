//! The tables of the index file, and what makes a file one.
//!
//! `release`, `withdrawal`, `claim`, `upstream`, `seen`, `adopted`, `held`, `advisory`, `quota`, `fact` and `position` hold what the log says. The
//! others are derived from them, see [`derive`](crate::derive).

use rusqlite::Connection;

/// The version of the tables. Another one means: fold again.
pub(crate) const SCHEMA_VERSION: i64 = 6;

/// Marks an SQLite file as an index: `weir` in ASCII.
pub(crate) const APPLICATION_ID: i64 = 0x7765_6972;

/// The tables, without the indexes that a bulk load builds last.
pub(crate) const TABLES: &str = "
-- `id` is the index of the entry that published the release. `version` and `platform` are texts,
-- `kind` and `state` codes of `rows`, `facts` everything else the record says.
CREATE TABLE release(
  id INTEGER PRIMARY KEY, package INTEGER NOT NULL, version TEXT NOT NULL, platform TEXT NOT NULL,
  revision INTEGER NOT NULL, kind INTEGER NOT NULL, state INTEGER NOT NULL,
  input_digest BLOB NOT NULL, tree BLOB NOT NULL, facts BLOB NOT NULL) STRICT;
-- What a release names beside its own tree, by digest: files, and the tree it was built from; derived from `release`.
CREATE TABLE beside(object BLOB NOT NULL, release INTEGER NOT NULL, PRIMARY KEY(object, release)) STRICT, WITHOUT ROWID;
-- The withdrawals in force; `what` is a state.
CREATE TABLE withdrawal(
  release INTEGER NOT NULL, what INTEGER NOT NULL, facts BLOB NOT NULL,
  PRIMARY KEY(release, what)) STRICT, WITHOUT ROWID;
CREATE TABLE claim(
  owner TEXT PRIMARY KEY, confusable TEXT NOT NULL, facts BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE upstream(
  registry TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, facts BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- How far the log of a registry above went when it was looked through, at times an hour apart at least.
CREATE TABLE seen(
  registry TEXT NOT NULL, size INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(registry, size)) STRICT, WITHOUT ROWID;
-- The registry above that an owner is bound to, since something of it was admitted; derived from `release`.
CREATE TABLE bound(owner TEXT PRIMARY KEY, registry TEXT NOT NULL) STRICT, WITHOUT ROWID;
-- Packages of such owners that are kept here.
CREATE TABLE adopted(name TEXT PRIMARY KEY, facts BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- Releases of registries above that are kept out.
CREATE TABLE held(
  name TEXT NOT NULL, version TEXT NOT NULL, platform TEXT NOT NULL, revision INTEGER NOT NULL, facts BLOB NOT NULL,
  PRIMARY KEY(name, version, platform, revision)) STRICT, WITHOUT ROWID;
-- Advisories, dismissed ones too, each as the registry `above` tells it, or as it is told here (the empty name); `told` is the newest entry
-- about it.
CREATE TABLE advisory(
  id TEXT NOT NULL, above TEXT NOT NULL, told INTEGER NOT NULL, facts BLOB NOT NULL, PRIMARY KEY(id, above)) STRICT, WITHOUT ROWID;
-- The packages that each is about; derived from `advisory`.
CREATE TABLE advised(
  name TEXT NOT NULL, advisory TEXT NOT NULL, above TEXT NOT NULL, PRIMARY KEY(name, advisory, above)) STRICT, WITHOUT ROWID;
CREATE INDEX advisory_told ON advisory(told);
CREATE INDEX advised_advisory ON advised(advisory);
-- How many bytes may be held: for all (the empty name), for each owner (`*`), for an owner.
CREATE TABLE quota(of TEXT PRIMARY KEY, facts BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE fact(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- How much of the log is folded, and what its follower needs to go on.
CREATE TABLE position(id INTEGER PRIMARY KEY CHECK(id = 0), size INTEGER NOT NULL, state BLOB NOT NULL) STRICT;

-- Every name that was published or is needed, with a summary of its releases. `short` is the
-- confusable form of what follows the `/`. Platforms are separated by blanks, licences by commas.
CREATE TABLE package(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, confusable TEXT NOT NULL, short TEXT NOT NULL,
  kind INTEGER NOT NULL DEFAULT 0, version TEXT, description TEXT, keywords TEXT NOT NULL DEFAULT '',
  platforms TEXT NOT NULL DEFAULT '', licenses TEXT NOT NULL DEFAULT '',
  offered INTEGER NOT NULL DEFAULT 0, yanked INTEGER NOT NULL DEFAULT 0,
  quarantined INTEGER NOT NULL DEFAULT 0, removed INTEGER NOT NULL DEFAULT 0,
  size INTEGER NOT NULL DEFAULT 0, dependents INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE UNIQUE INDEX package_name ON package(name);
CREATE INDEX package_confusable ON package(confusable);
CREATE INDEX package_short ON package(short);
-- All releases of a package in the form that a resolver reads.
CREATE TABLE candidates(package INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
-- `package` has a release, not removed, that needs `needed`.
CREATE TABLE edge(package INTEGER NOT NULL, needed INTEGER NOT NULL, PRIMARY KEY(package, needed)) STRICT, WITHOUT ROWID;
-- Kind and popularity of 4,096 packages a row, see `search`.
CREATE TABLE standing(chunk INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE VIRTUAL TABLE search USING fts5(
  start, name, keywords, description, content='', contentless_delete=1, prefix='1 2 3', tokenize='unicode61');
";

/// The indexes that cost most while rows are inserted in no order.
pub(crate) const LATE_INDEXES: &str = "
CREATE UNIQUE INDEX release_identity ON release(package, version, platform, revision);
CREATE INDEX release_input_digest ON release(input_digest);
CREATE INDEX release_tree ON release(tree);
CREATE INDEX edge_needed ON edge(needed, package);
";

/// Takes the late indexes away, for a bulk load.
pub(crate) const DROP_LATE_INDEXES: &str = "DROP INDEX release_identity; DROP INDEX release_input_digest; DROP INDEX release_tree; DROP INDEX edge_needed;";

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// Empty, or not there yet.
    Blank,
    /// An index of this version.
    Index,
    /// An index of another version.
    OtherVersion(i64),
    /// A database of somebody else.
    Foreign,
}

/// Finds out what the open file is, from its first page. The caller holds it still.
pub(crate) fn inspect(connection: &Connection) -> rusqlite::Result<FileKind> {
    let number = |pragma| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    if number("PRAGMA application_id")? == APPLICATION_ID {
        return Ok(match number("PRAGMA user_version")? {
            SCHEMA_VERSION => FileKind::Index,
            other => FileKind::OtherVersion(other),
        });
    }
    Ok(if number("SELECT count(*) FROM sqlite_schema")? == 0 { FileKind::Blank } else { FileKind::Foreign })
}

/// Creates the tables. The caller holds the write lock.
pub(crate) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    connection.execute_batch(LATE_INDEXES)?;
    connection.execute_batch(&format!(
        "INSERT INTO position VALUES(0, 0, x''); PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};"
    ))
}
