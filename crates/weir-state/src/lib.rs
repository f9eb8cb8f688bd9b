//! A file that a server keeps something in, in SQLite: made for its owner's eyes only, and refused where it is something else.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// For so long another connection is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a file is to be.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// What it calls itself: four letters, as SQLite's `application_id`.
    pub application: i64,
    /// The statements that make its tables: the first of an empty file, each other of what the one before it left. How many of them
    /// a file has seen is its version.
    pub steps: &'static [&'static str],
    /// What of a change survives a loss of power, and how else the file is used: pragmas of SQLite.
    pub pragmas: &'static str,
}

/// Why a file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is something else, or of a newer form.
    #[error("`{0}` is something else, or of a newer Weir")]
    Strange(String),
    /// It cannot be read or written.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    /// The system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Opens `file`, which is made if it is not there.
///
/// # Errors
///
/// When it is something else, or cannot be opened.
pub fn open(file: &Path, form: &Form) -> Result<Connection, OpenError> {
    match opened(file, form) {
        // Nothing that SQLite wrote, or no longer.
        Err(OpenError::Database(rusqlite::Error::SqliteFailure(error, _)))
            if error.code == rusqlite::ErrorCode::NotADatabase =>
        {
            Err(OpenError::Strange(file.display().to_string()))
        }
        opened => opened,
    }
}

fn opened(file: &Path, form: &Form) -> Result<Connection, OpenError> {
    make_private(file)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(PATIENCE)?;
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let found = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
    let Form { application, steps, pragmas } = form;
    let strange = || OpenError::Strange(file.display().to_string());
    let seen = match (found, number("SELECT count(*) FROM sqlite_schema")?) {
        ((0, 0), 0) => 0,
        ((found, seen), _) if found == *application => usize::try_from(seen).map_err(|_| strange())?,
        _ => return Err(strange()),
    };
    let left = steps.get(seen..).ok_or_else(strange)?;
    if !left.is_empty() {
        connection.execute_batch(&format!(
            "BEGIN EXCLUSIVE; {} PRAGMA application_id = {application}; PRAGMA user_version = {}; COMMIT",
            left.concat(),
            steps.len()
        ))?;
    }
    connection.execute_batch(pragmas)?;
    Ok(connection)
}

/// Makes the file before SQLite does, so that nobody else can ever have opened it. The files beside it get the same mode.
fn make_private(file: &Path) -> Result<(), std::io::Error> {
    use fs_err::os::unix::fs::OpenOptionsExt as _;
    let made = fs_err::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    match made {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE one(number INTEGER) STRICT;";

    const FORM: Form = Form { application: 7, steps: &[FIRST], pragmas: "PRAGMA journal_mode = WAL" };

    #[test]
    fn a_file_is_made_opened_again_and_refused_where_it_is_something_else() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("one.db");
        open(&file, &FORM).unwrap().execute("INSERT INTO one VALUES(1)", []).unwrap();
        let again = open(&file, &FORM).unwrap();
        assert_eq!(again.query_row("SELECT number FROM one", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
        assert!(matches!(open(&file, &Form { application: 8, ..FORM }), Err(OpenError::Strange(_))));
        let later = Form { steps: &[FIRST, "ALTER TABLE one ADD COLUMN name TEXT;"], ..FORM };
        let changed = open(&file, &later).unwrap();
        let kept = "SELECT number, name FROM one";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?));
        assert_eq!(changed.query_row(kept, [], row).unwrap(), (1, None));
        assert!(matches!(open(&file, &FORM), Err(OpenError::Strange(_))), "a later Weir has used it");
        fs_err::write(
            place.path().join("text"),
            "no database, but long enough to be read as the head of one",
        )
        .unwrap();
        assert!(open(&place.path().join("text"), &FORM).is_err());
    }
}
