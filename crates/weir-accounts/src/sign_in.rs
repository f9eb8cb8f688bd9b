//! Invitations and passwords.
//!
//! Nobody is given a password: who is invited chooses one. Passwords are guessed slowly: each costs an argon2id hash, one at a
//! time, and after [`FREE_ATTEMPTS`] failures a name and a network have to wait, twice as long each time. Who signed in from a network
//! before waits for no failures but those of that name from there: else any stranger could keep somebody out by their name.

use std::collections::BTreeSet;
use std::net::IpAddr;

use argon2::password_hash::{Output, PasswordHash, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version, password_hash};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};
use weir_wire::people::{MAX_PASSWORD, MIN_PASSWORD, PendingInvitation, User};
use weir_wire::{ADMINISTRATORS, AccountName};

use crate::accounts::{AccountError, Accounts};
use crate::people::{is_removed, make, moment, put_groups, user};
use crate::secret::Secret;

/// For how long an invitation is good.
const INVITED_FOR: SignedDuration = SignedDuration::from_hours(72);

/// So many failures in a row cost nothing but their time.
const FREE_ATTEMPTS: i64 = 5;

/// The longest that anybody has to wait after failures, in seconds. Failures older than this are forgotten.
const LONGEST_WAIT: i64 = 15 * 60;

/// For so long it is known that a user signed in from a network, in days.
const KNOWN_DAYS: i64 = 90;

/// So many networks are known of a user: those that they signed in from last.
const MOST_NETWORKS: i64 = 16;

/// Why somebody was not signed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The name or the password is wrong: which, nobody is told.
    #[error("the name or the password is wrong")]
    Wrong,
    /// There were too many failures of late.
    #[error("there were too many failures: try again in {} s", seconds)]
    Wait {
        /// Seconds until it is looked at again.
        seconds: i64,
    },
    /// The invitation is none, was used, is too old, or there is a later one for the same.
    #[error(
        "the invitation is not good: it was used already, is too old, was replaced by a later one (by a restart, where nobody governs the server yet), or is none of this server"
    )]
    NotInvited,
    /// A provider knows somebody, and nobody does here.
    #[error(
        "you are not known here, and only who was invited may come in: ask an administrator to invite you, and follow that link first"
    )]
    Stranger,
    /// Who came in by a rule may not by it any longer.
    #[error(
        "you came in by what your identity provider said of you, and it says that no longer: ask an administrator"
    )]
    NoLonger,
    /// A provider says nothing that can be a name.
    #[error(
        "your identity provider says no name of yours that can be one here: ask an administrator to invite you under one"
    )]
    NoName,
    /// The password cannot be used.
    #[error("a password has at least {MIN_PASSWORD} characters, and at most {MAX_PASSWORD}")]
    Password,
}

/// An invitation to become a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// What whoever is invited shows.
    pub secret: Secret,
    /// Until when it is good.
    pub expires: Timestamp,
}

impl Accounts {
    /// Invites somebody to be the user `name`, or one of a name that they choose, in `groups`.
    ///
    /// # Errors
    ///
    /// When there is a user of that name, or there was one who was removed, or the accounts cannot be written.
    pub fn invite(
        &self,
        name: Option<&AccountName>,
        groups: &BTreeSet<AccountName>,
        now: Timestamp,
    ) -> Result<Invitation, AccountError> {
        self.put_invitation(now, |connection| match name {
            Some(name) if is_removed(connection, name)? => Err(AccountError::Removed(name.clone())),
            name => {
                refuse_user(connection, name)?;
                Ok(For { name, groups: groups.clone(), ..For::default() })
            }
        })
    }

    /// The same of somebody who was removed, by the name that they had.
    ///
    /// # Errors
    ///
    /// When there is a user of that name, or the accounts cannot be written.
    pub fn invite_back(
        &self,
        name: &AccountName,
        groups: &BTreeSet<AccountName>,
        now: Timestamp,
    ) -> Result<Invitation, AccountError> {
        self.put_invitation(now, |connection| {
            refuse_user(connection, Some(name))?;
            Ok(For { name: Some(name), groups: groups.clone(), ..For::default() })
        })
    }

    /// Invites a user who is there already to choose another password; they stay in the groups they are in.
    ///
    /// # Errors
    ///
    /// When there is no such user, they are disabled, or the accounts cannot be written.
    pub fn invite_again(&self, name: &AccountName, now: Timestamp) -> Result<Invitation, AccountError> {
        self.put_invitation(now, |connection| match user(connection, name)?.disabled {
            true => Err(AccountError::Disabled(name.clone())),
            false => Ok(For { name: Some(name), again: true, ..For::default() }),
        })
    }

    /// The same on the machine of the server itself: whoever accepts it governs the server, also where passwords are not taken. One who
    /// is there already gets another password, and is an administrator afterwards.
    ///
    /// # Errors
    ///
    /// When the accounts cannot be written, or the user is disabled.
    pub fn invite_on_machine(
        &self,
        name: Option<&AccountName>,
        now: Timestamp,
    ) -> Result<Invitation, AccountError> {
        let groups = [ADMINISTRATORS.parse()?].into();
        self.put_invitation(now, |connection| match name.map(|name| (name, user(connection, name))) {
            Some((_, Ok(there))) if there.disabled => Err(AccountError::Disabled(there.name)),
            Some((_, Ok(_))) => Ok(For { name, groups, again: true, on_machine: true }),
            Some((name, Err(AccountError::NoUser(_)))) if is_removed(connection, name)? => {
                Err(AccountError::Removed(name.clone()))
            }
            None | Some((_, Err(AccountError::NoUser(_)))) => {
                Ok(For { name, groups, again: false, on_machine: true })
            }
            Some((_, Err(error))) => Err(error),
        })
    }

    /// Keeps an invitation, in the place of one for the same.
    fn put_invitation<'n>(
        &self,
        now: Timestamp,
        of: impl FnOnce(&Connection) -> Result<For<'n>, AccountError>,
    ) -> Result<Invitation, AccountError> {
        let (id, secret) = Secret::generate()?;
        let expires = now.checked_add(INVITED_FOR).unwrap_or(Timestamp::MAX);
        self.change(|connection| {
            let For { name, groups, again, on_machine } = of(connection)?;
            let groups = serde_json::to_string(&groups).map_err(std::io::Error::from)?;
            let name = name.map(AccountName::as_str);
            connection.execute(
                "DELETE FROM invitation WHERE user IS ?1 OR expires < ?2",
                params![name, now.as_second()],
            )?;
            connection.execute(
                "INSERT INTO invitation(id, secret, user, groups, expires, again, on_machine)
                 VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![id, secret.digest().as_bytes(), name, groups, expires.as_second(), again, on_machine],
            )?;
            Ok(())
        })?;
        Ok(Invitation { secret, expires })
    }

    /// Whether an invitation is good that was made on the machine itself.
    ///
    /// # Errors
    ///
    /// When the accounts cannot be read.
    pub fn is_on_machine(&self, invitation: &Secret, now: Timestamp) -> Result<bool, AccountError> {
        Ok(invited(&self.connection(), invitation, now)?.is_some_and(|invited| invited.on_machine))
    }

    /// The invitations that are good still, those that end first.
    ///
    /// # Errors
    ///
    /// When the accounts cannot be read.
    pub fn invitations(&self, now: Timestamp) -> Result<Vec<PendingInvitation>, AccountError> {
        let connection = self.connection();
        let mut found = connection.prepare_cached(
            "SELECT id, user, groups, expires, again FROM invitation WHERE expires >= ?1 ORDER BY expires, id",
        )?;
        let rows = found.query_map([now.as_second()], |row| {
            Ok((
                row.get(0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, i64>(3)?,
                row.get::<_, bool>(4)?,
            ))
        })?;
        rows.map(|row| {
            let (id, name, groups, expires, again) = row?;
            let name = name.map(|name| name.parse()).transpose()?;
            let groups = serde_json::from_str(&groups).map_err(std::io::Error::from)?;
            Ok(PendingInvitation { id, name, groups, expires: moment(expires), again })
        })
        .collect()
    }

    /// Takes an invitation back, by its id or the name that it is for. Gives what it was.
    ///
    /// # Errors
    ///
    /// When none is good of that name or id.
    pub fn uninvite(&self, which: &str, now: Timestamp) -> Result<PendingInvitation, AccountError> {
        let is_meant = |one: &PendingInvitation| {
            one.id == which || one.name.as_ref().is_some_and(|name| name.as_str() == which)
        };
        let meant = self.invitations(now)?.into_iter().find(is_meant);
        let none = || AccountError::NoInvitation(which.chars().take(64).collect());
        let meant = meant.ok_or_else(none)?;
        self.change(|connection| {
            // Somebody may have accepted it meanwhile.
            match connection.execute("DELETE FROM invitation WHERE id = ?1", [&meant.id])? {
                0 => Err(none()),
                _ => Ok(meant.clone()),
            }
        })
    }

    /// Makes a user of who was invited, with a password of their own, and a name where the invitation is for none.
    ///
    /// # Errors
    ///
    /// When the invitation is not good, the name is somebody's, or the password cannot be used.
    pub fn accept(
        &self,
        invitation: &Secret,
        chosen: Option<&AccountName>,
        password: &str,
        now: Timestamp,
    ) -> Result<User, AccountError> {
        // Who was not invited costs no hash.
        invited(&self.connection(), invitation, now)?.ok_or(SignInError::NotInvited)?;
        let hash = self.hash(password)?;
        self.change(|connection| {
            let invited = invited(connection, invitation, now)?.ok_or(SignInError::NotInvited)?;
            let name = invited.name(chosen)?;
            let is_there = match user(connection, name) {
                Err(AccountError::NoUser(_)) => false,
                Ok(there) if there.disabled => return Err(AccountError::Disabled(name.clone())),
                found => found.map(|_| true)?,
            };
            invited.refuse_others_names(connection, name, is_there)?;
            if !is_there {
                make(connection, name, now)?;
            }
            connection
                .execute("UPDATE user SET password = ?2 WHERE name = ?1", params![name.as_str(), hash])?;
            enrol(connection, name, is_there, &invited)?;
            revoke_logins(connection, name, now)?;
            connection.execute("DELETE FROM invitation WHERE id = ?1", [invited.id])?;
            connection.execute("DELETE FROM attempt WHERE subject = ?1", [of_name(name)])?;
            // Who knew the password before may have signed in from there.
            connection.execute("DELETE FROM known_network WHERE user = ?1", [name.as_str()])?;
            user(connection, name)
        })
    }

    /// The user who has this name and password.
    ///
    /// # Errors
    ///
    /// When there is none, or there were too many failures: of that name from that network, where that user signed in from it lately; else of
    /// that name, or from that network.
    pub fn sign_in(
        &self,
        name: &AccountName,
        password: &str,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<User, AccountError> {
        let network = from.map(network_of);
        // One at a time: who tries many at once gains nothing, and a count is right when it is read.
        let mut memory = self.hashing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (is_known, kept) = {
            let connection = self.connection();
            let is_known = match &network {
                Some(network) => has_signed_in(&connection, name, network, now)?,
                None => false,
            };
            for subject in held_up_by(name, network.as_deref(), is_known) {
                wait(&connection, &subject, now)?;
            }
            let kept = connection
                .query_row("SELECT password FROM user WHERE name = ?1", [name.as_str()], |row| {
                    row.get::<_, Option<String>>(0)
                })
                .optional()?
                .flatten();
            (is_known, kept)
        };
        let could_be = password.chars().take(MAX_PASSWORD + 1).count() <= MAX_PASSWORD;
        let is_right = could_be && verify(kept.as_deref(), password, &mut memory);
        self.change(|connection| {
            let subjects = held_up_by(name, network.as_deref(), is_known);
            match is_right {
                // What strangers failed at elsewhere counts on.
                true => forget_failures(connection, &subjects)?,
                // Who guesses from where somebody signed in guesses no more often at that name, or from there, than anybody.
                false => count_failure(
                    connection,
                    subjects.into_iter().chain(held_up_by(name, network.as_deref(), false)).collect(),
                    now,
                )?,
            }
            connection.execute("DELETE FROM attempt WHERE since < ?1", [now.as_second() - LONGEST_WAIT])?;
            Ok(())
        })?;
        if !is_right {
            return Err(SignInError::Wrong.into());
        }
        // Who has the password is told more than who guesses.
        let user = self.user(name)?;
        if user.disabled {
            return Err(AccountError::Disabled(user.name));
        }
        self.signed_in_from(name, from, now)?;
        Ok(user)
    }

    /// Remembers from where a user signed in, of their own will and by what only they have.
    ///
    /// # Errors
    ///
    /// When the accounts cannot be written.
    pub fn signed_in_from(
        &self,
        name: &AccountName,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        let Some(network) = from.map(network_of) else { return Ok(()) };
        self.change(|connection| {
            connection.execute(
                "INSERT INTO known_network(user, network, used) VALUES(?1, ?2, ?3)
                 ON CONFLICT(user, network) DO UPDATE SET used = ?3",
                params![name.as_str(), network, now.as_second()],
            )?;
            connection.execute(
                "DELETE FROM known_network WHERE user = ?1 AND (used < ?2 OR network NOT IN
                 (SELECT network FROM known_network WHERE user = ?1 ORDER BY used DESC, network LIMIT ?3))",
                params![name.as_str(), now.as_second() - KNOWN_DAYS * 24 * 3600, MOST_NETWORKS],
            )?;
            Ok(())
        })
    }

    fn hash(&self, password: &str) -> Result<String, AccountError> {
        if !(MIN_PASSWORD..=MAX_PASSWORD).contains(&password.chars().count()) {
            return Err(SignInError::Password.into());
        }
        let mut salt = [0_u8; 16];
        getrandom::fill(&mut salt)?;
        let failed = |error: String| std::io::Error::other(error);
        let mut memory = self.hashing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let params = Params::default();
        let output =
            digest(password, &salt, &params, &mut memory).map_err(|error| failed(error.to_string()))?;
        let salt = SaltString::encode_b64(&salt).map_err(|error| failed(error.to_string()))?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: password_hash::ParamsString::try_from(&params)
                .map_err(|error| failed(error.to_string()))?,
            salt: Some(salt.as_salt()),
            hash: Some(output),
        };
        Ok(hash.to_string())
    }
}

/// The argon2id hash of a password, made in `memory`, which grows to what that takes.
fn digest(
    password: &str,
    salt: &[u8],
    params: &Params,
    memory: &mut Vec<Block>,
) -> Result<Output, argon2::Error> {
    memory.resize(params.block_count(), Block::default());
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let mut out = [0_u8; Params::DEFAULT_OUTPUT_LEN];
    argon.hash_password_into_with_memory(password.as_bytes(), salt, &mut out, memory)?;
    Output::new(&out).map_err(|_| argon2::Error::OutputTooLong)
}

/// Whether `password` is the one whose hash is kept. It takes as long where nothing is: whether there is such a user is not told
/// by the time it takes either.
fn verify(kept: Option<&str>, password: &str, memory: &mut Vec<Block>) -> bool {
    /// The hash of nothing that anybody knows.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let Ok(hash) = PasswordHash::new(kept.unwrap_or(NOBODY)) else { return false };
    let (Some(salt), Some(expected), Ok(params)) = (hash.salt, hash.hash, Params::try_from(&hash)) else {
        return false;
    };
    let mut bytes = [0_u8; 64];
    let Ok(salt) = salt.decode_b64(&mut bytes) else { return false };
    // Outputs are compared in constant time.
    digest(password, salt, &params, memory).is_ok_and(|found| found == expected) && kept.is_some()
}

/// Refuses the name of a user.
fn refuse_user(connection: &Connection, name: Option<&AccountName>) -> Result<(), AccountError> {
    match name.map(|name| user(connection, name)) {
        Some(Ok(there)) => Err(AccountError::UserExists(there.name)),
        None | Some(Err(AccountError::NoUser(_))) => Ok(()),
        Some(Err(error)) => Err(error),
    }
}

/// What an invitation that is made is for.
#[derive(Default)]
struct For<'n> {
    name: Option<&'n AccountName>,
    groups: BTreeSet<AccountName>,
    again: bool,
    on_machine: bool,
}

/// What an invitation is for.
pub(crate) struct Invited<'i> {
    pub(crate) id: &'i str,
    pub(crate) name: Option<AccountName>,
    groups: BTreeSet<AccountName>,
    /// Whether it is for a user who is there already.
    again: bool,
    /// Whether it was made on the machine itself.
    on_machine: bool,
}

impl Invited<'_> {
    /// The name of the new user: the one that was given, or the one that was chosen where none was.
    fn name<'n>(&'n self, chosen: Option<&'n AccountName>) -> Result<&'n AccountName, AccountError> {
        match (&self.name, chosen) {
            (Some(name), Some(chosen)) if name != chosen => Err(SignInError::NotInvited.into()),
            (Some(name), _) => Ok(name),
            (None, Some(chosen)) => Ok(chosen),
            (None, None) => {
                Err(AccountError::Unusable("this invitation is for no name: choose one".to_owned()))
            }
        }
    }
}

impl Invited<'_> {
    fn is_for_who_is_there(&self) -> bool {
        self.name.is_some() && (self.again || self.on_machine)
    }

    /// Refuses a name that was chosen and is somebody's, or was: only an invitation by that name lets its user in, or back. Nor is one for
    /// somebody new a key to the account of whoever got the name meanwhile.
    pub(crate) fn refuse_others_names(
        &self,
        connection: &Connection,
        name: &AccountName,
        is_there: bool,
    ) -> Result<(), AccountError> {
        match self.name {
            _ if is_there && !self.is_for_who_is_there() => Err(AccountError::UserExists(name.clone())),
            Some(_) => Ok(()),
            None if is_removed(connection, name)? => Err(AccountError::Removed(name.clone())),
            None => Ok(()),
        }
    }
}

/// Has whoever was invited be in the groups that they were invited to. Who is there already stays in theirs, but whoever has the machine
/// says who governs.
pub(crate) fn enrol(
    connection: &Connection,
    name: &AccountName,
    is_there: bool,
    invited: &Invited<'_>,
) -> Result<(), AccountError> {
    if !is_there {
        return put_groups(connection, name, &invited.groups);
    }
    if invited.on_machine {
        connection.execute(
            "INSERT OR IGNORE INTO member(grp, user) VALUES(?1, ?2)",
            params![ADMINISTRATORS, name.as_str()],
        )?;
    }
    Ok(())
}

/// Whoever knew the password of `name` before, or has a login of theirs, is out.
pub(crate) fn revoke_logins(
    connection: &Connection,
    name: &AccountName,
    now: Timestamp,
) -> Result<(), AccountError> {
    connection.execute(
        "UPDATE token SET revoked = ?2 WHERE owner = ?1 AND login AND revoked IS NULL",
        params![name.as_str(), now.as_second()],
    )?;
    Ok(())
}

pub(crate) fn invited<'i>(
    connection: &Connection,
    invitation: &'i Secret,
    now: Timestamp,
) -> Result<Option<Invited<'i>>, AccountError> {
    let Some(id) = invitation.id() else { return Ok(None) };
    let found = connection
        .query_row(
            "SELECT user, groups, again, on_machine FROM invitation WHERE id = ?1 AND secret = ?2 AND expires >= ?3",
            params![id, invitation.digest().as_bytes(), now.as_second()],
            |row| {
                let (again, on_machine) = (row.get::<_, bool>(2)?, row.get::<_, bool>(3)?);
                Ok((row.get::<_, Option<String>>(0)?, row.get::<_, String>(1)?, again, on_machine))
            },
        )
        .optional()?;
    let Some((name, groups, again, on_machine)) = found else { return Ok(None) };
    let name = name.map(|name| name.parse()).transpose()?;
    let groups = serde_json::from_str(&groups).map_err(std::io::Error::from)?;
    Ok(Some(Invited { id, name, groups, again, on_machine }))
}

pub(crate) fn of_name(name: &AccountName) -> String {
    format!("user {name}")
}

/// Who is counted together: an address of IPv4, a network of IPv6 as one customer has it.
pub fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// Whether a user signed in from a network lately.
fn has_signed_in(
    connection: &Connection,
    name: &AccountName,
    network: &str,
    now: Timestamp,
) -> Result<bool, AccountError> {
    let mut found = connection
        .prepare_cached("SELECT 1 FROM known_network WHERE user = ?1 AND network = ?2 AND used >= ?3")?;
    Ok(found.exists(params![name.as_str(), network, now.as_second() - KNOWN_DAYS * 24 * 3600])?)
}

/// Whose failures hold up somebody who signs in as `name` from a network: their own alone, where that user signed in from it before. There
/// are as many such pairs as networks are known, so nobody has the server remember more of them by guessing.
fn held_up_by(name: &AccountName, network: Option<&str>, is_known: bool) -> Vec<String> {
    match network {
        Some(network) if is_known => vec![format!("{} from {network}", of_name(name))],
        Some(network) => vec![of_name(name), format!("from {network}")],
        None => vec![of_name(name)],
    }
}

fn forget_failures(connection: &Connection, of: &[String]) -> Result<(), AccountError> {
    for subject in of {
        connection.execute("DELETE FROM attempt WHERE subject = ?1", [subject])?;
    }
    Ok(())
}

/// Counts a failure of each of these. One that is older than the longest wait is forgotten.
fn count_failure(connection: &Connection, of: BTreeSet<String>, now: Timestamp) -> Result<(), AccountError> {
    for subject in of {
        connection.execute(
            "INSERT INTO attempt(subject, failures, since) VALUES(?1, 1, ?2)
             ON CONFLICT(subject) DO UPDATE SET
             failures = CASE WHEN since < ?2 - ?3 THEN 1 ELSE failures + 1 END, since = ?2",
            params![subject, now.as_second(), LONGEST_WAIT],
        )?;
    }
    Ok(())
}

/// Refuses who failed too often of late.
fn wait(connection: &Connection, subject: &str, now: Timestamp) -> Result<(), AccountError> {
    let found = connection
        .query_row("SELECT failures, since FROM attempt WHERE subject = ?1", [subject], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    let Some((failures, since)) = found else { return Ok(()) };
    let doubled = u32::try_from(failures - FREE_ATTEMPTS).ok().map(|over| 1_i64 << over.min(20));
    let seconds = doubled.map_or(0, |wait| wait.min(LONGEST_WAIT) - (now.as_second() - since));
    match seconds > 0 {
        true => Err(SignInError::Wait { seconds }.into()),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "correct horse";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn accounts() -> (tempfile::TempDir, Accounts) {
        let place = tempfile::tempdir().unwrap();
        let accounts = Accounts::open(&place.path().join("state.db")).unwrap();
        (place, accounts)
    }

    fn name(text: &str) -> AccountName {
        text.parse().unwrap()
    }

    #[test]
    fn who_is_invited_becomes_a_user_once() {
        let (_place, accounts) = accounts();
        let groups = [name("admins")].into();
        assert!(!accounts.has_administrator().unwrap());
        let invitation = accounts.invite(Some(&name("ann")), &groups, at(0)).unwrap();
        let short = accounts.accept(&invitation.secret, None, "short", at(1)).unwrap_err();
        assert!(matches!(short, AccountError::SignIn(SignInError::Password)));
        let ann = accounts.accept(&invitation.secret, None, PASSWORD, at(1)).unwrap();
        assert!(ann.is_administrator() && accounts.has_administrator().unwrap());
        let again = accounts.accept(&invitation.secret, None, "another one!", at(2)).unwrap_err();
        assert!(matches!(again, AccountError::SignIn(SignInError::NotInvited)));
        assert_eq!(accounts.sign_in(&name("ann"), PASSWORD, None, at(3)).unwrap(), ann);
    }

    #[test]
    fn an_invitation_is_listed_until_it_is_accepted_taken_back_or_too_old() {
        let (_place, accounts) = accounts();
        let (ann, bob) = (name("ann"), name("bob"));
        let of_ann = accounts.invite(Some(&ann), &[name("core")].into(), at(0)).unwrap();
        let of_bob = accounts.invite(Some(&bob), &BTreeSet::new(), at(1)).unwrap();
        let names = |now| {
            let pending = accounts.invitations(now).unwrap();
            pending.into_iter().map(|one| one.name.unwrap().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(at(2)), ["ann", "bob"]);
        assert_eq!(accounts.uninvite("ann", at(2)).unwrap().groups, [name("core")].into());
        assert!(matches!(accounts.uninvite("ann", at(2)), Err(AccountError::NoInvitation(_))));
        assert!(accounts.accept(&of_ann.secret, None, PASSWORD, at(3)).is_err(), "it is good no longer");
        accounts.accept(&of_bob.secret, None, PASSWORD, at(3)).unwrap();
        accounts.invite(None, &BTreeSet::new(), at(4)).unwrap();
        let nameless = accounts.invitations(at(5)).unwrap().remove(0);
        assert_eq!(accounts.uninvite(&nameless.id, at(5)).unwrap(), nameless);
        accounts.invite(Some(&ann), &BTreeSet::new(), at(6)).unwrap();
        assert!(names(at(6) + INVITED_FOR + SignedDuration::from_secs(1)).is_empty());
    }

    #[test]
    fn who_is_invited_without_a_name_chooses_one_that_is_free() {
        let (_place, accounts) = accounts();
        let administrators = BTreeSet::from([name("admins")]);
        let invite = || accounts.invite(None, &administrators, at(0)).unwrap().secret;
        assert!(accounts.accept(&invite(), None, PASSWORD, at(1)).is_err());
        assert!(accounts.accept(&invite(), Some(&name("ann")), PASSWORD, at(1)).unwrap().is_administrator());
        let taken = accounts.accept(&invite(), Some(&name("ann")), "another one!", at(1)).unwrap_err();
        assert!(matches!(taken, AccountError::UserExists(_)));
    }

    #[test]
    fn the_name_of_who_was_removed_is_nobody_elses() {
        let (_place, accounts) = accounts();
        let (ann, bob) = (name("ann"), name("bob"));
        for (who, groups) in [(&ann, "admins"), (&bob, "core")] {
            let invitation = accounts.invite(Some(who), &[name(groups)].into(), at(0)).unwrap();
            accounts.accept(&invitation.secret, None, PASSWORD, at(0)).unwrap();
        }
        let (_, token) = accounts.issue_login(&bob, "laptop", at(1000), at(1)).unwrap();
        let pending = accounts.invite_again(&bob, at(1)).unwrap();
        accounts.remove(&bob, at(2)).unwrap();
        assert!(matches!(accounts.remove(&ann, at(2)), Err(AccountError::LastAdministrator(_))));
        assert!(matches!(accounts.remove(&bob, at(2)), Err(AccountError::NoUser(_))));
        assert_eq!(accounts.users().unwrap().len(), 1);
        assert!(accounts.speaker(&token, None, at(3)).unwrap().is_none());
        assert_eq!(accounts.why_not(&token, None, at(3)).unwrap(), crate::NotGood::None);
        assert!(accounts.sign_in(&bob, PASSWORD, None, at(3)).is_err());
        assert!(accounts.accept(&pending.secret, None, PASSWORD, at(3)).is_err(), "it went as well");
        assert!(matches!(accounts.set_disabled(&bob, false, at(3)), Err(AccountError::NoUser(_))));

        let refused = |done: Result<Invitation, AccountError>| matches!(done, Err(AccountError::Removed(who)) if who == bob);
        assert!(refused(accounts.invite(Some(&bob), &BTreeSet::new(), at(4))));
        assert!(refused(accounts.invite_on_machine(Some(&bob), at(4))));
        let nameless = accounts.invite(None, &BTreeSet::new(), at(4)).unwrap();
        let taken = accounts.accept(&nameless.secret, Some(&bob), PASSWORD, at(5)).unwrap_err();
        assert!(matches!(taken, AccountError::Removed(_)), "{taken}");

        // An administrator knows that it is the same person.
        let back = accounts.invite_back(&bob, &[name("docs")].into(), at(6)).unwrap();
        let returned = accounts.accept(&back.secret, None, "another one!", at(7)).unwrap();
        assert_eq!((returned.groups, returned.created), ([name("docs")].into(), at(7)));
        assert!(accounts.sign_in(&bob, "another one!", None, at(8)).is_ok());
        assert!(accounts.speaker(&token, None, at(8)).unwrap().is_none(), "what was revoked stays so");
    }

    #[test]
    fn who_is_there_is_invited_again_and_never_as_somebody_new() {
        let (_place, accounts) = accounts();
        let (bob, core) = (name("bob"), BTreeSet::from([name("core")]));
        let exists = |error: AccountError| matches!(error, AccountError::UserExists(who) if who == bob);
        let missing = accounts.invite_again(&bob, at(0)).unwrap_err();
        assert!(matches!(missing, AccountError::NoUser(_)));
        let first = accounts.invite(Some(&bob), &core, at(0)).unwrap();
        accounts.accept(&first.secret, None, PASSWORD, at(1)).unwrap();
        assert!(exists(accounts.invite(Some(&bob), &BTreeSet::new(), at(2)).unwrap_err()));
        let again = accounts.invite_again(&bob, at(2)).unwrap();
        assert!(accounts.invitations(at(2)).unwrap()[0].again);
        let there = accounts.accept(&again.secret, None, "another one!", at(3)).unwrap();
        assert_eq!(there.groups, core, "they stay in the groups they are in");
        assert!(accounts.sign_in(&bob, "another one!", None, at(4)).is_ok());
        accounts.invite(Some(&name("ann")), &[name("admins")].into(), at(4)).unwrap();
        accounts.set_disabled(&bob, true, at(5)).unwrap();
        assert!(matches!(accounts.invite_again(&bob, at(6)).unwrap_err(), AccountError::Disabled(_)));
    }

    #[test]
    fn an_invitation_for_somebody_new_opens_no_account_that_got_the_name_meanwhile() {
        let (_place, accounts) = accounts();
        let bob = name("bob");
        let invitation = accounts.invite(Some(&bob), &BTreeSet::new(), at(0)).unwrap();
        // As a server of another version, or a hand in the file, would.
        let insert = "INSERT INTO user(name, password, created) VALUES('bob', NULL, 0)";
        accounts.change(|connection| Ok(connection.execute(insert, [])?)).unwrap();
        let refused = accounts.accept(&invitation.secret, None, PASSWORD, at(1)).unwrap_err();
        assert!(matches!(refused, AccountError::UserExists(_)), "{refused}");
        assert!(accounts.sign_in(&bob, PASSWORD, None, at(2)).is_err());
    }

    #[test]
    fn an_invitation_ends() {
        let (_place, accounts) = accounts();
        let invitation = accounts.invite(Some(&name("ann")), &BTreeSet::new(), at(0)).unwrap();
        let late = at(INVITED_FOR.as_secs() + 1);
        assert!(accounts.accept(&invitation.secret, None, PASSWORD, late).is_err());
        assert!(accounts.accept(&Secret::given("weir_x_y"), None, PASSWORD, at(1)).is_err());
    }

    #[test]
    fn guessing_is_slowed_by_name_and_by_address() {
        let (_place, accounts) = accounts();
        for who in ["ann", "bob"] {
            let invitation = accounts.invite(Some(&name(who)), &BTreeSet::new(), at(0)).unwrap();
            accounts.accept(&invitation.secret, None, PASSWORD, at(0)).unwrap();
        }
        let from = Some("203.0.113.9".parse().unwrap());
        let attempt = |who: &str, password: &str, now| accounts.sign_in(&name(who), password, from, now);
        for _ in 0..FREE_ATTEMPTS {
            let wrong = attempt("ann", "wrong", at(10)).unwrap_err();
            assert!(matches!(wrong, AccountError::SignIn(SignInError::Wrong)));
        }
        let told = |error: AccountError| matches!(error, AccountError::SignIn(SignInError::Wait { .. }));
        assert!(told(attempt("ann", PASSWORD, at(10)).unwrap_err()), "the right one neither");
        assert!(told(attempt("bob", PASSWORD, at(10)).unwrap_err()), "nor another name from there");
        assert!(
            accounts.sign_in(&name("bob"), PASSWORD, Some("203.0.113.10".parse().unwrap()), at(10)).is_ok()
        );
        assert!(attempt("ann", PASSWORD, at(12)).is_ok(), "who waits may try again");
        assert!(attempt("ann", PASSWORD, at(12)).is_ok(), "and who was right begins anew");
    }

    #[test]
    fn a_stranger_keeps_nobody_out_who_signs_in_from_where_they_did_before() {
        let (_place, accounts) = accounts();
        let ann = name("ann");
        let invitation = accounts.invite(Some(&ann), &BTreeSet::new(), at(0)).unwrap();
        accounts.accept(&invitation.secret, None, PASSWORD, at(0)).unwrap();
        let from = |password: &str, address: &str, now| {
            accounts.sign_in(&ann, password, Some(address.parse().unwrap()), now)
        };
        let (office, stranger, hotel) = ("203.0.113.9", "198.51.100.1", "192.0.2.7");
        let waits = |done: Result<User, AccountError>| {
            matches!(done, Err(AccountError::SignIn(SignInError::Wait { .. })))
        };
        from(PASSWORD, office, at(0)).unwrap();
        for second in 0..100 {
            assert!(from("wrong", stranger, at(second)).is_err());
        }
        assert!(from(PASSWORD, office, at(100)).is_ok(), "what others failed at elsewhere is theirs");
        assert!(waits(from(PASSWORD, hotel, at(100))), "from where she never was it could be anybody");
        assert!(waits(from("wrong", stranger, at(101))), "nor did a stranger gain by her signing in");

        // Who fails as her from where she is keeps her out from there, and others of that network out of nothing they had.
        for _ in 0..FREE_ATTEMPTS {
            assert!(from("wrong", office, at(102)).is_err());
        }
        assert!(waits(from(PASSWORD, office, at(102))));
        assert!(from(PASSWORD, office, at(104)).is_ok());

        // Another password is another beginning, and so is a long absence.
        let again = accounts.invite_again(&ann, at(105)).unwrap();
        accounts.accept(&again.secret, None, "another one!", at(105)).unwrap();
        for second in 106..112 {
            assert!(from("wrong", stranger, at(second + 1000)).is_err());
        }
        assert!(waits(from("another one!", office, at(1112))));
        let later = KNOWN_DAYS * 24 * 3600 + 10_000;
        from("another one!", office, at(5000)).unwrap();
        for _ in 0..FREE_ATTEMPTS {
            assert!(from("wrong", stranger, at(later)).is_err());
        }
        assert!(waits(from("another one!", office, at(later))));
    }

    #[test]
    fn of_a_user_the_networks_they_signed_in_from_last_are_known_and_no_more() {
        let (_place, accounts) = accounts();
        let ann = name("ann");
        let invitation = accounts.invite(Some(&ann), &BTreeSet::new(), at(0)).unwrap();
        accounts.accept(&invitation.secret, None, PASSWORD, at(0)).unwrap();
        let last = MOST_NETWORKS + 5;
        for number in 0..last {
            let from = format!("2001:db8:0:{number:x}::1").parse().unwrap();
            accounts.sign_in(&ann, PASSWORD, Some(from), at(number)).unwrap();
        }
        let known = |number: i64| {
            let network = format!("2001:db8:0:{number:x}::/64");
            has_signed_in(&accounts.connection(), &ann, &network, at(last)).unwrap()
        };
        assert!(!known(4) && known(5) && known(last - 1));
        accounts.sign_in(&name("nobody"), PASSWORD, Some("2001:db8::1".parse().unwrap()), at(9)).unwrap_err();
        let rows = |sql: &str| accounts.connection().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(rows("SELECT count(*) FROM known_network"), MOST_NETWORKS);
    }

    #[test]
    fn somebody_can_always_govern() {
        let (_place, accounts) = accounts();
        let (ann, groups) = (name("ann"), BTreeSet::from([name("admins"), name("core")]));
        let invitation = accounts.invite(Some(&ann), &groups, at(0)).unwrap();
        accounts.accept(&invitation.secret, None, PASSWORD, at(0)).unwrap();
        let last = |done: Result<User, AccountError>| matches!(done.unwrap_err(), AccountError::LastAdministrator(who) if who == ann);
        assert!(last(accounts.set_disabled(&ann, true, at(1))));
        assert!(last(accounts.set_groups(&ann, &BTreeSet::from([name("core")]))));
        let invitation = accounts.invite(Some(&name("bob")), &groups, at(0)).unwrap();
        accounts.accept(&invitation.secret, None, PASSWORD, at(0)).unwrap();
        assert!(accounts.set_disabled(&ann, true, at(1)).is_ok());
        assert!(accounts.sign_in(&ann, PASSWORD, None, at(1)).is_err(), "who is disabled is out");
    }
}
