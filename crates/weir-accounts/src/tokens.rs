//! Tokens: what speaks for a user where no person is asked.

use std::net::IpAddr;
use std::sync::PoisonError;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;
use weir_model::Sha256;
use weir_wire::AccountName;
use weir_wire::people::{NewToken, Token, TokenEnd, User};

use crate::accounts::{AccountError, Accounts};
use crate::people::{moment, user};
use crate::secret::Secret;
use crate::workloads::{WorkloadSpeaker, workload_speaker};

/// The most characters that the name of a token may have.
pub const LONGEST_TOKEN_NAME: usize = 100;

/// What the token that asks is called by who gives it up: the name of no other.
const CURRENT: &str = "current";

/// The most characters of the name of a machine that are kept.
const LONGEST_MACHINE: usize = 64;

/// The most tokens that are good at once that a user may have.
const MOST_TOKENS: i64 = 1000;

/// So many tokens are remembered in memory.
const REMEMBERED: usize = 10_000;

/// When a token was last used is written down so often, in seconds: a request costs no write.
const USED_STEP: i64 = 60;

/// Who speaks by a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaker {
    /// A user.
    User(Box<UserSpeaker>),
    /// A program that is trusted.
    Workload(Box<WorkloadSpeaker>),
}

impl Speaker {
    /// The user, where one speaks.
    pub fn user(&self) -> Option<&UserSpeaker> {
        match self {
            Self::User(speaker) => Some(speaker),
            Self::Workload(_) => None,
        }
    }

    fn is_good(&self, from: Option<IpAddr>, now: Timestamp) -> bool {
        match self {
            Self::User(speaker) => speaker.is_good(from, now),
            Self::Workload(speaker) => speaker.told.expires > now,
        }
    }
}

/// A user who speaks by a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSpeaker {
    /// The user it speaks for.
    pub user: User,
    /// The token.
    pub token: Token,
}

impl UserSpeaker {
    /// Whether the token may speak to the registry of that name.
    pub fn may_speak_to(&self, registry: &str) -> bool {
        self.token.registries.is_empty() || self.token.registries.contains(registry)
    }

    /// Whether it is good at `now` from an address.
    fn is_good(&self, from: Option<IpAddr>, now: Timestamp) -> bool {
        let networks = &self.token.networks;
        let from = from.map(|address| address.to_canonical());
        let is_near = networks.is_empty()
            || from.is_some_and(|address| networks.iter().any(|network| network.contains(&address)));
        is_near && self.token.expires.is_none_or(|expires| expires > now) && !self.user.disabled
    }
}

/// Why a token is not good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotGood {
    /// It is none.
    #[error("the token is not good: it is none of this server, or was given up long ago")]
    None,
    /// Whom it spoke for may no longer.
    #[error("`{user}` may sign in here no longer: ask an administrator")]
    Disabled {
        /// Whom.
        user: AccountName,
    },
    /// It was given up.
    #[error("{token} was revoked")]
    Revoked {
        /// What it is called.
        token: String,
    },
    /// Its time is over.
    #[error("{token} ended on {}", at.strftime("%Y-%m-%d at %H:%M UTC"))]
    Ended {
        /// What it is called.
        token: String,
        /// When.
        at: Timestamp,
    },
    /// It is not for where it was used.
    #[error("{token} may not be used from {from}")]
    Elsewhere {
        /// What it is called.
        token: String,
        /// From where.
        from: IpAddr,
    },
}

/// What a token is called to who has it.
fn called(token: &Token) -> String {
    match token.login {
        true => format!("the sign-in of `{}`", token.owner),
        false => format!("the token `{}` of `{}`", token.name, token.owner),
    }
}

impl Accounts {
    /// Makes a token that speaks for `owner`; the secret is known to nobody but whoever asked.
    ///
    /// # Errors
    ///
    /// When there is one of that name, or it could never be used.
    pub fn issue(
        &self,
        owner: &AccountName,
        new: &NewToken,
        now: Timestamp,
    ) -> Result<(Token, Secret), AccountError> {
        self.insert(owner, new, false, now)
    }

    /// Makes a token for `owner`, who has signed in from a machine that calls itself `name`; one of that machine from before
    /// is good no longer.
    ///
    /// # Errors
    ///
    /// When the accounts cannot be written.
    pub fn issue_login(
        &self,
        owner: &AccountName,
        name: &str,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<(Token, Secret), AccountError> {
        let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let machine: String = name.chars().filter(plain).take(LONGEST_MACHINE).collect();
        let name = if machine.is_empty() { "login".to_owned() } else { format!("login {machine}") };
        self.change(|connection| {
            connection.execute(
                "UPDATE token SET revoked = ?3 WHERE owner = ?1 AND name = ?2 AND login AND revoked IS NULL",
                params![owner.as_str(), name, now.as_second()],
            )?;
            Ok(())
        })?;
        let new = NewToken { name, expires: TokenEnd::At(expires), ..NewToken::default() };
        self.insert(owner, &new, true, now)
    }

    fn insert(
        &self,
        owner: &AccountName,
        new: &NewToken,
        login: bool,
        now: Timestamp,
    ) -> Result<(Token, Secret), AccountError> {
        check(new, now)?;
        let (id, secret) = Secret::generate()?;
        self.change(|connection| {
            user(connection, owner)?;
            let named = connection
                .query_row(
                    "SELECT 1 FROM token WHERE owner = ?1 AND name = ?2 AND revoked IS NULL AND (expires IS NULL OR expires > ?3)",
                    params![owner.as_str(), new.name, now.as_second()],
                    |_| Ok(()),
                )
                .optional()?;
            if named.is_some() {
                return Err(AccountError::TokenExists(new.name.clone()));
            }
            let good: i64 = connection.query_row(
                "SELECT count(*) FROM token WHERE owner = ?1 AND revoked IS NULL AND (expires IS NULL OR expires > ?2)",
                params![owner.as_str(), now.as_second()],
                |row| row.get(0),
            )?;
            if good >= MOST_TOKENS {
                return Err(AccountError::Unusable(format!(
                    "`{owner}` has {good} tokens, and nobody may have more: revoke some"
                )));
            }
            connection.execute(
                "INSERT INTO token(id, owner, name, secret, scope, registries, networks, created, expires, login)
                 VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    id,
                    owner.as_str(),
                    new.name,
                    secret.digest().as_bytes(),
                    json(&new.scope)?,
                    json(&new.registries)?,
                    json(&new.networks)?,
                    now.as_second(),
                    new.expires.of(now).map(Timestamp::as_second),
                    i64::from(login),
                ],
            )?;
            Ok((token(connection, &id)?.ok_or_else(|| AccountError::NoToken(id.clone()))?, secret.clone()))
        })
    }

    /// The tokens of `owner` that are good now, the newest last.
    ///
    /// # Errors
    ///
    /// When the accounts cannot be read.
    pub fn tokens(&self, owner: &AccountName, now: Timestamp) -> Result<Vec<Token>, AccountError> {
        let connection = self.connection();
        let mut ids = connection.prepare_cached(
            "SELECT id FROM token WHERE owner = ?1 AND revoked IS NULL AND (expires IS NULL OR expires > ?2) ORDER BY id",
        )?;
        let ids = ids
            .query_map(params![owner.as_str(), now.as_second()], |row| row.get::<_, String>(0))?
            .collect::<Result<Vec<_>, _>>()?;
        ids.iter().filter_map(|id| token(&connection, id).transpose()).collect()
    }

    /// Has a token of `owner`, by its name or id, speak for nobody any longer.
    ///
    /// # Errors
    ///
    /// When there is no such token that is good.
    pub fn revoke(&self, owner: &AccountName, which: &str, now: Timestamp) -> Result<Token, AccountError> {
        self.change(|connection| {
            let id = connection
                .query_row(
                    "SELECT id FROM token WHERE owner = ?1 AND (id = ?2 OR name = ?2) AND revoked IS NULL
                     ORDER BY expires IS NULL OR expires > ?3 DESC, id DESC",
                    params![owner.as_str(), which, now.as_second()],
                    |row| row.get::<_, String>(0),
                )
                .optional()?;
            let missing = || AccountError::NoToken(which.chars().take(LONGEST_TOKEN_NAME).collect());
            let id = id.ok_or_else(missing)?;
            let found = token(connection, &id)?.ok_or_else(missing)?;
            connection
                .execute("UPDATE token SET revoked = ?2 WHERE id = ?1", params![id, now.as_second()])?;
            Ok(found)
        })
    }

    /// Who speaks by a token from an address; nobody, if it is none that is good, or not from there.
    ///
    /// # Errors
    ///
    /// When the accounts cannot be read.
    pub fn speaker(
        &self,
        secret: &Secret,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<Speaker>, AccountError> {
        let Some(speaker) = self.holder(secret, now)? else { return Ok(None) };
        Ok(speaker.is_good(from, now).then_some(speaker))
    }

    /// Why a token is not good, for whoever has its secret: of what is none, nothing more is told.
    ///
    /// # Errors
    ///
    /// When the accounts cannot be read.
    pub fn why_not(
        &self,
        secret: &Secret,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<NotGood, AccountError> {
        let Some(id) = secret.id() else { return Ok(NotGood::None) };
        let connection = self.connection();
        let revoked = connection
            .prepare_cached("SELECT revoked IS NOT NULL FROM token WHERE id = ?1 AND secret = ?2")?
            .query_row(params![id, secret.digest().as_bytes()], |row| row.get::<_, bool>(0))
            .optional()?;
        let (Some(revoked), Some(token)) = (revoked, token(&connection, id)?) else {
            return Ok(NotGood::None);
        };
        Ok(match token.expires {
            _ if user(&connection, &token.owner)?.disabled => NotGood::Disabled { user: token.owner },
            _ if revoked => NotGood::Revoked { token: called(&token) },
            Some(at) if at <= now => NotGood::Ended { token: called(&token), at },
            _ => match from {
                Some(from) if !token.networks.is_empty() => {
                    NotGood::Elsewhere { token: called(&token), from }
                }
                _ => NotGood::None,
            },
        })
    }

    /// The same without a look at the file: nobody, also where that would have to be asked.
    pub fn remembered(&self, secret: &Secret, from: Option<IpAddr>, now: Timestamp) -> Option<Speaker> {
        let speakers = self.speakers.lock().unwrap_or_else(PoisonError::into_inner);
        speakers.get(&secret.digest()).filter(|speaker| speaker.is_good(from, now)).cloned()
    }

    fn holder(&self, secret: &Secret, now: Timestamp) -> Result<Option<Speaker>, AccountError> {
        let Some(id) = secret.id() else { return Ok(None) };
        let digest = secret.digest();
        if let Some(known) = self.speakers.lock().unwrap_or_else(PoisonError::into_inner).get(&digest) {
            return Ok(Some(known.clone()));
        }
        let connection = self.connection();
        let user =
            user_speaker(&connection, id, &digest, now)?.map(|speaker| Speaker::User(Box::new(speaker)));
        let speaker = match user {
            Some(speaker) => Some(speaker),
            None => workload_speaker(&connection, id, &digest)?
                .map(|speaker| Speaker::Workload(Box::new(speaker))),
        };
        let Some(speaker) = speaker else { return Ok(None) };
        let mut speakers = self.speakers.lock().unwrap_or_else(PoisonError::into_inner);
        if speakers.len() >= REMEMBERED {
            speakers.clear();
        }
        speakers.insert(digest, speaker.clone());
        Ok(Some(speaker))
    }
}

fn user_speaker(
    connection: &Connection,
    id: &str,
    digest: &Sha256,
    now: Timestamp,
) -> Result<Option<UserSpeaker>, AccountError> {
    // Both ends are digests: what the time of comparing them tells is of no use to anybody.
    let is_good = connection
        .prepare_cached("SELECT 1 FROM token WHERE id = ?1 AND secret = ?2 AND revoked IS NULL")?
        .exists(params![id, digest.as_bytes()])?;
    if !is_good {
        return Ok(None);
    }
    let Some(token) = token(connection, id)? else { return Ok(None) };
    let speaker = UserSpeaker { user: user(connection, &token.owner)?, token };
    if speaker.token.used.is_none_or(|used| now.as_second() - used.as_second() >= USED_STEP) {
        connection.execute("UPDATE token SET used = ?2 WHERE id = ?1", params![id, now.as_second()])?;
    }
    Ok(Some(speaker))
}

fn check(new: &NewToken, now: Timestamp) -> Result<(), AccountError> {
    let unusable = |reason: &str| Err(AccountError::Unusable(reason.to_owned()));
    let length = new.name.chars().count();
    if length == 0 || length > LONGEST_TOKEN_NAME || new.name.chars().any(weir_model::unseen::is_unseen) {
        return unusable("the name of a token has 1 to 100 characters, and none that is not printed");
    }
    if new.name == CURRENT {
        return unusable("`current` is the token that asks, so none can have that name");
    }
    if new.registries.len() > 100 || new.networks.len() > 100 || new.scope.names.len() > 1000 {
        return unusable("a token names at most 100 registries, 100 networks and 1,000 names");
    }
    if new.expires.of(now).is_some_and(|expires| expires <= now) {
        return unusable("a token that has ended already is of no use");
    }
    Ok(())
}

fn token(connection: &Connection, id: &str) -> Result<Option<Token>, AccountError> {
    let row = |row: &Row<'_>| {
        Ok((
            [row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?],
            row.get::<_, i64>(5)?,
            row.get::<_, Option<i64>>(6)?,
            row.get::<_, Option<i64>>(7)?,
            row.get::<_, i64>(8)?,
        ))
    };
    let found = connection
        .prepare_cached(
            "SELECT owner, name, scope, registries, networks, created, expires, used, login FROM token WHERE id = ?1",
        )?
        .query_row([id], row)
        .optional()?;
    let Some(([owner, name, scope, registries, networks], created, expires, used, login)) = found else {
        return Ok(None);
    };
    let bad = std::io::Error::from;
    Ok(Some(Token {
        id: id.to_owned(),
        owner: owner.parse()?,
        name,
        scope: serde_json::from_str(&scope).map_err(bad)?,
        registries: serde_json::from_str(&registries).map_err(bad)?,
        networks: serde_json::from_str(&networks).map_err(bad)?,
        created: moment(created),
        expires: expires.map(moment),
        login: login != 0,
        used: used.map(moment),
    }))
}

/// A value as the file keeps it.
pub(crate) fn json(value: &impl Serialize) -> Result<String, AccountError> {
    Ok(serde_json::to_string(value).map_err(std::io::Error::from)?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn with_ann() -> (tempfile::TempDir, Accounts, AccountName) {
        let place = tempfile::tempdir().unwrap();
        let accounts = Accounts::open(&place.path().join("state.db")).unwrap();
        let ann: AccountName = "ann".parse().unwrap();
        let invitation = accounts.invite(Some(&ann), &BTreeSet::new(), at(0)).unwrap();
        accounts.accept(&invitation.secret, None, "correct horse", at(0)).unwrap();
        (place, accounts, ann)
    }

    fn named(name: &str) -> NewToken {
        NewToken { name: name.into(), ..NewToken::default() }
    }

    #[test]
    fn a_token_speaks_for_its_owner_until_it_is_revoked() {
        let (_place, accounts, ann) = with_ann();
        let (token, secret) = accounts.issue(&ann, &named("ci"), at(0)).unwrap();
        assert!(matches!(accounts.issue(&ann, &named("ci"), at(0)), Err(AccountError::TokenExists(_))));
        assert_eq!(token.expires, Some(at(90 * 86_400)), "it ends, though nobody said when");
        let endless = NewToken { expires: TokenEnd::Never, ..named("mirror") };
        assert_eq!(accounts.issue(&ann, &endless, at(0)).unwrap().0.expires, None);
        accounts.revoke(&ann, "mirror", at(0)).unwrap();
        let speaker = accounts.speaker(&secret, None, at(1)).unwrap().unwrap();
        let speaker = speaker.user().unwrap();
        assert_eq!((&speaker.user.name, &speaker.token.id), (&ann, &token.id));
        assert_eq!(accounts.tokens(&ann, at(1)).unwrap()[0].used, Some(at(1)));
        accounts.revoke(&ann, "ci", at(2)).unwrap();
        assert_eq!(accounts.speaker(&secret, None, at(2)).unwrap(), None);
        assert!(matches!(accounts.revoke(&ann, "ci", at(3)), Err(AccountError::NoToken(_))));
        assert!(accounts.issue(&ann, &named("ci"), at(3)).is_ok(), "the name is free again");
    }

    #[test]
    fn none_has_the_name_of_the_one_that_asks() {
        let (_place, accounts, ann) = with_ann();
        assert!(matches!(accounts.issue(&ann, &named("current"), at(0)), Err(AccountError::Unusable(_))));
    }

    #[test]
    fn a_token_ends_and_is_good_from_its_networks_only() {
        let (_place, accounts, ann) = with_ann();
        let networks = vec!["10.0.0.0/8".parse().unwrap()];
        let new = NewToken { expires: TokenEnd::At(at(100)), networks, ..named("ci") };
        let (_, secret) = accounts.issue(&ann, &new, at(0)).unwrap();
        let speaks = |from: Option<&str>, now| {
            let from = from.map(|address| address.parse().unwrap());
            accounts.speaker(&secret, from, now).unwrap().is_some()
        };
        assert!(speaks(Some("10.1.2.3"), at(1)) && speaks(Some("::ffff:10.1.2.3"), at(1)));
        assert!(!speaks(Some("192.0.2.1"), at(1)) && !speaks(None, at(1)));
        assert!(!speaks(Some("10.1.2.3"), at(100)));
        assert!(matches!(accounts.issue(&ann, &new, at(101)), Err(AccountError::Unusable(_))));
    }

    #[test]
    fn who_signs_in_again_from_a_machine_has_one_token_there() {
        let (_place, accounts, ann) = with_ann();
        let (_, first) = accounts.issue_login(&ann, "laptop\n", at(100), at(0)).unwrap();
        let (token, second) = accounts.issue_login(&ann, "laptop", at(100), at(1)).unwrap();
        assert!(token.login && token.name == "login laptop");
        assert!(accounts.speaker(&first, None, at(2)).unwrap().is_none());
        assert!(accounts.speaker(&second, None, at(2)).unwrap().is_some());
        assert!(accounts.remembered(&second, None, at(2)).is_some());
        assert!(accounts.remembered(&second, None, at(100)).is_none());
    }

    #[test]
    fn what_is_no_token_speaks_for_nobody() {
        let (_place, accounts, ann) = with_ann();
        let (_, secret) = accounts.issue(&ann, &named("ci"), at(0)).unwrap();
        let other = secret.reveal().replace('0', "1");
        for given in
            ["", "weir_", "weir_x_y", &other, &secret.reveal()[1..], &format!("{}0", secret.reveal())]
        {
            assert_eq!(accounts.speaker(&Secret::given(given), None, at(1)).unwrap(), None, "{given}");
        }
        assert!(!format!("{secret:?}").contains(secret.reveal()));
    }

    #[test]
    fn who_is_disabled_is_spoken_for_no_longer_and_the_file_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let (place, accounts, ann) = with_ann();
        let (_, secret) = accounts.issue(&ann, &named("ci"), at(0)).unwrap();
        assert!(accounts.speaker(&secret, None, at(1)).unwrap().is_some());
        accounts.set_disabled(&ann, true, at(1)).unwrap();
        assert!(accounts.speaker(&secret, None, at(1)).unwrap().is_none());
        for entry in fs_err::read_dir(place.path()).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.path());
        }
        drop(accounts);
        let again = Accounts::open(&place.path().join("state.db")).unwrap();
        assert_eq!(again.users().unwrap().len(), 1);
    }
}
