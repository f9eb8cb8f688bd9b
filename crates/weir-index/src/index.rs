//! Opening the index file.
//!
//! **Choices.** A rollback journal, not WAL: a reader then needs nothing but the file, which may
//! lie on a read-only disk, and opening maps no second file. The price is that a commit waits for
//! readers to finish their statement and they for it; both are milliseconds, and both wait up to
//! [`BUSY_TIMEOUT`] before they give up. `synchronous=NORMAL` is enough for a file that can be
//! folded again. Pages are read through a memory map.
//!
//! Who keeps a view open for long, and is alone with it, does better with a write-ahead log: see
//! [`Index::commit_without_waiting`].

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::candidates::Interner;
use crate::error::IndexError;
use crate::fold::Fold;
use crate::schema::{self, FileKind};
use crate::wire::Malformed;

/// How long to wait for other programs that are writing: for all that came before, not for one. Two hundred at once
/// on a disk that takes 100 ms to sync need more than twenty seconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(180);

/// How much of the file is mapped; what lies beyond is read.
const MAPPED_BYTES: u64 = 32 << 20;

/// A write-ahead log, that does not stay larger than 64 MiB after a large fold. (`synchronous=NORMAL` syncs it only before it is taken into the file.)
const WRITE_AHEAD: &str = "PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 67108864";

/// A view on disk or in memory: a registry's log, folded.
///
/// Any number of processes may read one file while another folds into it. A value of this type is
/// for one thread at a time; open the file again for another.
#[derive(Debug)]
pub struct Index {
    pub(crate) connection: Connection,
    pub(crate) interner: RefCell<Interner>,
}

/// How much of the log is folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// How many entries: the index of the next one.
    pub size: u64,
    /// What the log's follower saved with them; empty if it never did.
    pub state: Vec<u8>,
}

/// How [`Index::open_or_rebuild`] came by its index.
#[derive(Debug)]
pub enum Opened {
    /// The file was there, or there was none.
    AsItWas,
    /// The file could not be used and was replaced by an empty one: fold the log again.
    Rebuilt(IndexError),
}

/// Keeps the view from moving between queries until it is dropped. A fold elsewhere cannot commit
/// meanwhile, so hold it for milliseconds. Queries in between are also cheaper by a lock each.
///
/// Readings nest: the outermost holds the view, those within it cost nothing.
#[derive(Debug)]
pub struct Reading<'index> {
    _outermost: Option<Transaction<'index>>,
}

impl Index {
    /// The file name to use in a folder of one's own; it changes with the format, so that two
    /// versions of the program do not fold into each other's file.
    pub const FILE_NAME: &str = "view-1.sqlite";

    /// Opens an index for reading and folding; creates it if there is none.
    ///
    /// # Errors
    ///
    /// [`IndexError::NotAnIndex`] and [`IndexError::OtherVersion`] if the file is something else.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE;
        let connection = Connection::open_with_flags(path, flags)?;
        let mut index = Self::with(connection, path)?;
        match index.inspect(path)? {
            FileKind::Blank => index.create(path)?,
            kind => check(kind, path)?,
        }
        index.connection.execute_batch("PRAGMA synchronous = NORMAL")?;
        Ok(index)
    }

    /// Opens an index that is there, for reading only. The disk may be read-only.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open); also if there is no such file or it is empty.
    pub fn open_read_only(path: &Path) -> Result<Self, IndexError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE;
        let index = Self::with(Connection::open_with_flags(path, flags)?, path)?;
        check(index.inspect(path)?, path)?;
        Ok(index)
    }

    /// An empty index in memory.
    pub fn in_memory() -> Result<Self, IndexError> {
        let connection = Connection::open_in_memory()?;
        schema::create(&connection)?;
        Self::with(connection, Path::new(":memory:"))
    }

    /// Opens an index, and if the file cannot be used, replaces it by an empty one.
    ///
    /// # Errors
    ///
    /// When the file cannot be replaced, or for any reason that replacing it would not cure.
    pub fn open_or_rebuild(path: &Path) -> Result<(Self, Opened), IndexError> {
        let unusable = match Self::open(path) {
            Ok(index) => return Ok((index, Opened::AsItWas)),
            Err(error) if error.is_cured_by_rebuilding() => error,
            Err(error) => return Err(error),
        };
        // One process deletes, the others find the new file when their turn comes.
        let lock = fs_err::File::create(path.with_extension("lock"))?;
        lock.file().lock()?;
        match Self::open(path) {
            Err(error) if error.is_cured_by_rebuilding() => {}
            opened => return Ok((opened?, Opened::AsItWas)),
        }
        // What is beside it goes first: it would be taken for that of the new file.
        for beside in ["-journal", "-wal", "-shm"] {
            let mut journal = path.as_os_str().to_owned();
            journal.push(beside);
            match fs_err::remove_file(&journal) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        fs_err::remove_file(path)?;
        Ok((Self::open(path)?, Opened::Rebuilt(unusable)))
    }

    fn with(connection: Connection, path: &Path) -> Result<Self, IndexError> {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(64);
        // Otherwise SQLite compiles a statement anew for every other value that is bound to it, in
        // case another plan suits that value better: 13 % of a bulk load.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        // Asking the file anything is what notices that it is no database.
        let mapped = connection.query_row(&format!("PRAGMA mmap_size = {MAPPED_BYTES}"), [], |_| Ok(()));
        match mapped {
            Ok(()) | Err(rusqlite::Error::QueryReturnedNoRows) => {}
            Err(error) => return Err(unreadable(error, path)),
        }
        Ok(Self { connection, interner: RefCell::default() })
    }

    fn inspect(&self, path: &Path) -> Result<FileKind, IndexError> {
        // Between two questions another process may create the tables, and what is half blank and half
        // an index looks like somebody else's.
        let _still = self.reading()?;
        schema::inspect(&self.connection).map_err(|error| unreadable(error, path))
    }

    fn create(&mut self, path: &Path) -> Result<(), IndexError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have created it while this one waited for the lock.
        match schema::inspect(&transaction)? {
            FileKind::Blank => schema::create(&transaction)?,
            kind => check(kind, path)?,
        }
        Ok(transaction.commit()?)
    }

    /// How much of the log is folded, and what the log's follower saved with it.
    pub fn position(&self) -> Result<Position, IndexError> {
        position(&self.connection)
    }

    /// Starts to fold entries into the view. Waits for another process that is folding.
    pub fn begin(&mut self) -> Result<Fold<'_>, IndexError> {
        Fold::begin(self)
    }

    /// Has commits wait neither for the disk nor for readers from now on, for everybody who opens the file: by a write-ahead log beside it. After a
    /// power cut the view may be one of a few commits before, whole, and what is missing is folded again. Whoever opens the file must be able to
    /// write beside it from now on. Nothing happens while the view is empty: a first fold is one commit, and
    /// would be written twice; nor while others are in the middle of using the file as it was: whoever opens it next begins the log.
    ///
    /// # Errors
    ///
    /// When the file cannot be changed.
    pub fn commit_without_waiting(&self) -> Result<(), IndexError> {
        if self.position()?.size == 0 {
            return Ok(());
        }
        match self.connection.execute_batch(WRITE_AHEAD).map_err(IndexError::from) {
            Err(IndexError::Busy) => Ok(()),
            begun => begun,
        }
    }

    /// Holds the view still for a series of queries. A single one needs no holding: what it answers is
    /// always of one moment.
    pub fn reading(&self) -> Result<Reading<'_>, IndexError> {
        let outermost = self.connection.is_autocommit().then(|| self.connection.unchecked_transaction());
        Ok(Reading { _outermost: outermost.transpose()? })
    }
}

pub(crate) fn position(connection: &Connection) -> Result<Position, IndexError> {
    let mut statement = connection.prepare_cached("SELECT size, state FROM position")?;
    let (size, state) = statement.query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))?;
    let size = u64::try_from(size)
        .map_err(|_| IndexError::damaged("its position")(Malformed::new(format!("its size is {size}"))))?;
    Ok(Position { size, state })
}

fn check(kind: FileKind, path: &Path) -> Result<(), IndexError> {
    match kind {
        FileKind::Index => Ok(()),
        FileKind::OtherVersion(found) => Err(IndexError::OtherVersion { path: path.to_owned(), found }),
        FileKind::Blank | FileKind::Foreign => Err(IndexError::NotAnIndex { path: path.to_owned() }),
    }
}

fn unreadable(error: rusqlite::Error, path: &Path) -> IndexError {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            IndexError::NotAnIndex { path: path.to_owned() }
        }
        _ => error.into(),
    }
}
