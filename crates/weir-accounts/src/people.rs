//! Users, and the groups they are in.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use weir_wire::people::User;
use weir_wire::{ADMINISTRATORS, AccountName};

use crate::accounts::{AccountError, Accounts};
use crate::sign_in::of_name;

impl Accounts {
    /// Whether there is anybody who can govern the server.
    ///
    /// # Errors
    ///
    /// When the accounts cannot be read.
    pub fn has_administrator(&self) -> Result<bool, AccountError> {
        Ok(administrators(&self.connection(), None)? > 0)
    }

    /// Every user, by name.
    ///
    /// # Errors
    ///
    /// When the accounts cannot be read.
    pub fn users(&self) -> Result<Vec<User>, AccountError> {
        let connection = self.connection();
        let mut names =
            connection.prepare_cached("SELECT name FROM user WHERE removed IS NULL ORDER BY name")?;
        let names = names.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        names.iter().map(|name| user(&connection, &name.parse()?)).collect()
    }

    /// The user of that name.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn user(&self, name: &AccountName) -> Result<User, AccountError> {
        user(&self.connection(), name)
    }

    /// Has a user be in `groups`, and in no others but those that an identity provider says they are in.
    ///
    /// # Errors
    ///
    /// When there is no such user, or nobody could govern the server afterwards.
    pub fn set_groups(
        &self,
        name: &AccountName,
        groups: &BTreeSet<AccountName>,
    ) -> Result<User, AccountError> {
        self.change(|connection| {
            let claimed = user(connection, name)?.claimed;
            let stays = groups.iter().chain(&claimed).any(|group| group.as_str() == ADMINISTRATORS);
            keep_an_administrator(connection, name, stays)?;
            put_groups(connection, name, groups)?;
            user(connection, name)
        })
    }

    /// Lets a user sign in no longer, or again. The tokens of one who may no longer are good no more, also afterwards.
    ///
    /// # Errors
    ///
    /// When there is no such user, or nobody could govern the server afterwards.
    pub fn set_disabled(
        &self,
        name: &AccountName,
        disabled: bool,
        now: Timestamp,
    ) -> Result<User, AccountError> {
        self.change(|connection| {
            keep_an_administrator(connection, name, !disabled)?;
            connection.execute(
                "UPDATE user SET disabled = ?2 WHERE name = ?1",
                params![name.as_str(), i64::from(disabled)],
            )?;
            if disabled {
                connection.execute(
                    "UPDATE token SET revoked = ?2 WHERE owner = ?1 AND revoked IS NULL",
                    params![name.as_str(), now.as_second()],
                )?;
                // Nor do programs come back that they trusted: whoever broke in may have been who trusts them.
                connection.execute("DELETE FROM trust WHERE maker = ?1", [name.as_str()])?;
            }
            user(connection, name)
        })
    }

    /// Removes a user: their password, groups and tokens, the programs that they trusted, and an invitation that they may have. The name is
    /// nobody else's afterwards, for logs, owners and policies go by it; nor does a provider let them in by itself.
    ///
    /// # Errors
    ///
    /// When there is no such user, or nobody could govern the server afterwards.
    pub fn remove(&self, name: &AccountName, now: Timestamp) -> Result<(), AccountError> {
        self.change(|connection| {
            keep_an_administrator(connection, name, false)?;
            connection.execute(
                "UPDATE user SET removed = ?2, disabled = 1, password = NULL WHERE name = ?1",
                params![name.as_str(), now.as_second()],
            )?;
            for theirs in [
                "token WHERE owner",
                "member WHERE user",
                "claimed WHERE user",
                "trust WHERE maker",
                "invitation WHERE user",
                "known_network WHERE user",
            ] {
                connection.execute(&format!("DELETE FROM {theirs} = ?1"), [name.as_str()])?;
            }
            connection.execute("DELETE FROM attempt WHERE subject = ?1", [of_name(name)])?;
            Ok(())
        })
    }
}

/// Whether there was a user of that name who was removed.
pub(crate) fn is_removed(connection: &Connection, name: &AccountName) -> Result<bool, AccountError> {
    let mut found =
        connection.prepare_cached("SELECT 1 FROM user WHERE name = ?1 AND removed IS NOT NULL")?;
    Ok(found.exists([name.as_str()])?)
}

/// Makes a user of who is none: of a name that nobody had, or again of who was removed and is invited back by it. By what providers called
/// them before nobody signs in any longer: whoever has those accounts now may be somebody else.
pub(crate) fn make(connection: &Connection, name: &AccountName, now: Timestamp) -> Result<(), AccountError> {
    connection.execute("DELETE FROM identity WHERE user = ?1", [name.as_str()])?;
    connection.execute(
        "INSERT INTO user(name, created) VALUES(?1, ?2)
         ON CONFLICT(name) DO UPDATE SET removed = NULL, disabled = 0, created = ?2",
        params![name.as_str(), now.as_second()],
    )?;
    Ok(())
}

pub(crate) fn user(connection: &Connection, name: &AccountName) -> Result<User, AccountError> {
    let found = connection
        .prepare_cached("SELECT created, disabled FROM user WHERE name = ?1 AND removed IS NULL")?
        .query_row([name.as_str()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    let (created, disabled) = found.ok_or_else(|| AccountError::NoUser(name.clone()))?;
    let given = groups(connection, "SELECT grp FROM member WHERE user = ?1", name)?;
    let claimed = groups(connection, "SELECT grp FROM claimed WHERE user = ?1", name)?;
    Ok(User {
        name: name.clone(),
        claimed: claimed.difference(&given).cloned().collect(),
        groups: given.into_iter().chain(claimed).collect(),
        created: moment(created),
        disabled: disabled != 0,
    })
}

fn groups(
    connection: &Connection,
    sql: &str,
    name: &AccountName,
) -> Result<BTreeSet<AccountName>, AccountError> {
    let mut found = connection.prepare_cached(sql)?;
    let found =
        found.query_map([name.as_str()], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(found.iter().map(|group| group.parse()).collect::<Result<_, _>>()?)
}

pub(crate) fn put_groups(
    connection: &Connection,
    name: &AccountName,
    groups: &BTreeSet<AccountName>,
) -> Result<(), AccountError> {
    connection.execute("DELETE FROM member WHERE user = ?1", [name.as_str()])?;
    for group in groups {
        connection.execute(
            "INSERT INTO member(grp, user) VALUES(?1, ?2)",
            params![group.as_str(), name.as_str()],
        )?;
    }
    Ok(())
}

pub(crate) fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// How many can govern, one left out.
pub(crate) fn administrators(
    connection: &Connection,
    but: Option<&AccountName>,
) -> Result<i64, AccountError> {
    Ok(connection.query_row(
        "SELECT count(*) FROM user
         WHERE NOT disabled AND name IS NOT ?2
         AND (password IS NOT NULL OR name IN (SELECT user FROM identity))
         AND name IN (SELECT user FROM member WHERE grp = ?1 UNION SELECT user FROM claimed WHERE grp = ?1)",
        params![ADMINISTRATORS, but.map(AccountName::as_str)],
        |row| row.get(0),
    )?)
}

/// Refuses to change a user who would be an administrator no longer, where they are the last.
fn keep_an_administrator(
    connection: &Connection,
    name: &AccountName,
    stays: bool,
) -> Result<(), AccountError> {
    let is = user(connection, name)?.is_administrator();
    match is && !stays && administrators(connection, Some(name))? == 0 {
        true => Err(AccountError::LastAdministrator(name.clone())),
        false => Ok(()),
    }
}
