//! The file that accounts are kept in.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use weir_model::Sha256;
use weir_state::{Form, OpenError};
use weir_wire::{AccountName, BadName};

use crate::sign_in::SignInError;
use crate::tokens::Speaker;

/// The file; it calls itself `WeiA`.
const FORM: Form = Form {
    application: 0x5765_6941,
    steps: &[TABLES, TRUST, IDENTITIES, REMOVED, INVITED_AGAIN, KNOWN_NETWORKS],
    // An acknowledged change, such as a token that was revoked, survives a loss of power.
    pragmas: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON",
};

const TABLES: &str = "
CREATE TABLE user(
    name TEXT PRIMARY KEY,
    password TEXT,
    created INTEGER NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE member(
    grp TEXT NOT NULL,
    user TEXT NOT NULL REFERENCES user(name) ON DELETE CASCADE,
    PRIMARY KEY(grp, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_of ON member(user);
CREATE TABLE token(
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL REFERENCES user(name) ON DELETE CASCADE,
    name TEXT NOT NULL,
    secret BLOB NOT NULL,
    scope TEXT NOT NULL,
    registries TEXT NOT NULL,
    networks TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    used INTEGER,
    revoked INTEGER,
    login INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX token_of ON token(owner);
CREATE TABLE invitation(
    id TEXT PRIMARY KEY,
    secret BLOB NOT NULL,
    user TEXT,
    groups TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE attempt(
    subject TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Programs that are trusted, the tokens they got, and the identity tokens that were taken for those.
const TRUST: &str = "
CREATE TABLE trust(
    id TEXT PRIMARY KEY,
    maker TEXT NOT NULL REFERENCES user(name) ON DELETE CASCADE,
    issuer TEXT NOT NULL,
    claims TEXT NOT NULL,
    registry TEXT NOT NULL,
    scope TEXT NOT NULL,
    minutes INTEGER NOT NULL,
    created INTEGER NOT NULL,
    used INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX trust_of ON trust(issuer);
CREATE TABLE workload(
    id TEXT PRIMARY KEY,
    secret BLOB NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    claims TEXT NOT NULL,
    trusts TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX workload_until ON workload(expires);
CREATE TABLE taken(
    token BLOB PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX taken_until ON taken(until);
";

/// People as providers know them, the groups that those say they are in, and invitations that were made on the machine itself.
const IDENTITIES: &str = "
CREATE TABLE identity(
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user TEXT NOT NULL REFERENCES user(name) ON DELETE CASCADE,
    by_rule INTEGER NOT NULL,
    created INTEGER NOT NULL,
    used INTEGER,
    PRIMARY KEY(issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_of ON identity(user);
CREATE TABLE claimed(
    grp TEXT NOT NULL,
    user TEXT NOT NULL REFERENCES user(name) ON DELETE CASCADE,
    issuer TEXT NOT NULL,
    PRIMARY KEY(user, issuer, grp)
) STRICT, WITHOUT ROWID;
ALTER TABLE invitation ADD COLUMN on_machine INTEGER NOT NULL DEFAULT 0;
";

/// When a user was removed. The name stays: nobody else is to have what stands for it in logs and policies.
const REMOVED: &str = "ALTER TABLE user ADD COLUMN removed INTEGER;";

/// Which invitations are for users who are there already. Of those that were made before this was asked, whoever is there is meant.
const INVITED_AGAIN: &str = "
ALTER TABLE invitation ADD COLUMN again INTEGER NOT NULL DEFAULT 0;
UPDATE invitation SET again = 1 WHERE user IN (SELECT name FROM user);
";

/// From which networks users signed in by their password, and when last.
const KNOWN_NETWORKS: &str = "
CREATE TABLE known_network(
    user TEXT NOT NULL REFERENCES user(name) ON DELETE CASCADE,
    network TEXT NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY(user, network)
) STRICT, WITHOUT ROWID;
";

/// The accounts of a server.
pub struct Accounts {
    connection: Mutex<Connection>,
    /// Who speaks by which token, by the token's digest: what nearly every request finds. Forgotten whenever an account changes.
    pub(crate) speakers: Mutex<HashMap<Sha256, Speaker>>,
    /// What a password is hashed in: it takes memory on purpose, once for all.
    pub(crate) hashing: Mutex<Vec<argon2::Block>>,
}

/// Why an account could not be looked at or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The name can be nobody's.
    #[error(transparent)]
    Name(#[from] BadName),
    /// There is no such user.
    #[error("there is no user `{0}`")]
    NoUser(AccountName),
    /// There is one of that name.
    #[error("there is a user `{0}` already")]
    UserExists(AccountName),
    /// There was one, who was removed.
    #[error(
        "there was a user `{0}`, who was removed: the name stands for them still, in logs, owners and policies, so only an administrator gives it to them again (`weir user invite {0} --returning`)"
    )]
    Removed(AccountName),
    /// The user may not sign in.
    #[error("`{0}` was disabled: an administrator can enable them again")]
    Disabled(AccountName),
    /// There is no such token.
    #[error("you have no token `{0}`")]
    NoToken(String),
    /// There is a token of that name that is still good.
    #[error("you have a token `{0}` already")]
    TokenExists(String),
    /// There is no such invitation.
    #[error("nobody is invited as `{0}`: it was accepted, taken back, is too old, or never was")]
    NoInvitation(String),
    /// Nobody trusts that program.
    #[error("nobody here trusts `{subject}` of `{issuer}`, by what is said of it now")]
    NotTrusted {
        /// Who says which program it is.
        issuer: String,
        /// What that calls it.
        subject: String,
    },
    /// Somebody is another user already, by what a provider calls them.
    #[error("this account of the provider is another user here already")]
    LinkedElsewhere,
    /// Somebody does not sign in by that.
    #[error("you do not sign in by this account of a provider")]
    NotLinked,
    /// An identity token was shown before.
    #[error("the identity token was taken already: each is good once, so that nobody else can use one")]
    Taken,
    /// Several trust a program, each in another way.
    #[error("`{registry}` trusts this program by several rules that differ in who made them or in what it may do: {}", rules.join(", "))]
    Ambiguous {
        /// The registry.
        registry: String,
        /// The rules, by their ids.
        rules: Vec<String>,
    },
    /// There is no such rule.
    #[error("there is no rule `{0}` by which a program is trusted, or it is not yours")]
    NoTrust(String),
    /// Nobody would be left who could govern the server.
    #[error("`{0}` is the last administrator: nobody could govern this server afterwards")]
    LastAdministrator(AccountName),
    /// What was asked for makes no sense.
    #[error("{0}")]
    Unusable(String),
    /// Nobody was signed in.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// The file is something else.
    #[error("`{0}` does not hold the accounts of a server, or those of a newer Weir")]
    Strange(String),
    /// The file cannot be read or written.
    #[error("the accounts cannot be read or written: {0}")]
    Database(#[from] rusqlite::Error),
    /// The system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<getrandom::Error> for AccountError {
    fn from(error: getrandom::Error) -> Self {
        Self::Io(std::io::Error::other(error.to_string()))
    }
}

impl From<OpenError> for AccountError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Strange(file) => Self::Strange(file),
            OpenError::Database(error) => error.into(),
            OpenError::Io(error) => error.into(),
        }
    }
}

impl Accounts {
    /// Opens the accounts in `file`, which is made for its owner's eyes only if it is not there.
    ///
    /// # Errors
    ///
    /// When it is something else, or cannot be opened.
    pub fn open(file: &Path) -> Result<Self, AccountError> {
        let connection = weir_state::open(file, &FORM)?;
        Ok(Self { connection: Mutex::new(connection), speakers: Mutex::default(), hashing: Mutex::default() })
    }

    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes accounts: all of it, or nothing. Who speaks by which token is found out anew afterwards.
    pub(crate) fn change<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, AccountError>,
    ) -> Result<T, AccountError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        // Before the connection is given up: whoever asks next reads what holds now.
        self.speakers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(done)
    }
}
