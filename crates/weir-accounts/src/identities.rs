//! People as identity providers know them.
//!
//! Somebody is who a provider says they are, by its address and by what it calls them ([`Said`]): never by a name or an e-mail address,
//! which may become another's. Groups that a provider says are kept apart from those that an administrator gave, and made anew each time.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use weir_wire::AccountName;
use weir_wire::people::{LinkedIdentity, User};

use crate::accounts::{AccountError, Accounts};
use crate::people::{administrators, is_removed, make, moment, user};
use crate::secret::Secret;
use crate::sign_in::{SignInError, enrol, invited, of_name, revoke_logins};

/// The most providers that somebody may be known to.
const MOST_LINKED: i64 = 20;

/// So many names are tried for somebody whose name is taken.
const MOST_NAMES: u32 = 1000;

/// What a provider says of somebody who signs in, once it is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The provider.
    pub issuer: String,
    /// What it calls them: no other of it is ever called so.
    pub subject: String,
    /// The name that they would have here.
    pub name: Option<AccountName>,
    /// The groups that they are in by what it says.
    pub groups: BTreeSet<AccountName>,
    /// Whether they may come in who were not invited.
    pub may_come_in: bool,
}

impl Accounts {
    /// The user whom a provider says that somebody is; one who was invited, or may come in, is made or linked.
    ///
    /// # Errors
    ///
    /// When they are unknown here and may not come in, may no longer, or are disabled.
    pub fn sign_in_as(
        &self,
        said: &Said,
        invitation: Option<&Secret>,
        chosen: Option<&AccountName>,
        now: Timestamp,
    ) -> Result<User, AccountError> {
        self.change(|connection| {
            let known = linked(connection, said)?;
            let is_gone = match &known {
                Some(known) => is_removed(connection, &known.user)?,
                None => false,
            };
            let name = match (invitation, known) {
                // Whoever was removed is whom an administrator says that they are now.
                (Some(invitation), Some(_)) if is_gone => {
                    forget(connection, said)?;
                    accept(connection, invitation, said, None, chosen, now)?
                }
                (None, Some(known)) if is_gone => return Err(AccountError::Removed(known.user)),
                (Some(invitation), known) => accept(
                    connection,
                    invitation,
                    said,
                    known.as_ref().map(|known| &known.user),
                    chosen,
                    now,
                )?,
                (None, Some(known)) if known.by_rule && !said.may_come_in => {
                    return Err(SignInError::NoLonger.into());
                }
                (None, Some(known)) => known.user,
                (None, None) if said.may_come_in => come_in(connection, said, now)?,
                (None, None) => return Err(SignInError::Stranger.into()),
            };
            let found = user(connection, &name)?;
            if found.disabled {
                return Err(AccountError::Disabled(name));
            }
            connection.execute(
                "UPDATE identity SET used = ?3 WHERE issuer = ?1 AND subject = ?2",
                params![said.issuer, said.subject, now.as_second()],
            )?;
            renew_groups(connection, &name, said)?;
            user(connection, &name)
        })
    }

    /// Has `name` sign in by what a provider calls them, from now on.
    ///
    /// # Errors
    ///
    /// When that is somebody else already, or they are known to too many.
    pub fn link(&self, name: &AccountName, said: &Said, now: Timestamp) -> Result<User, AccountError> {
        self.change(|connection| {
            match linked(connection, said)? {
                Some(known) if known.user == *name => {}
                // Whoever was that is not any more.
                Some(known) if is_removed(connection, &known.user)? => {
                    forget(connection, said)?;
                    link(connection, name, said, false, now)?;
                }
                Some(_) => return Err(AccountError::LinkedElsewhere),
                None => link(connection, name, said, false, now)?,
            }
            renew_groups(connection, name, said)?;
            user(connection, name)
        })
    }

    /// Has `name` sign in by what a provider calls them no longer. What they are in by what it says, they are in no longer either.
    ///
    /// # Errors
    ///
    /// When they do not, or nobody could govern the server afterwards.
    pub fn unlink(&self, name: &AccountName, issuer: &str, subject: &str) -> Result<(), AccountError> {
        self.change(|connection| {
            let governed = user(connection, name)?.is_administrator();
            let done = connection.execute(
                "DELETE FROM identity WHERE user = ?1 AND issuer = ?2 AND subject = ?3",
                params![name.as_str(), issuer, subject],
            )?;
            connection.execute(
                "DELETE FROM claimed WHERE user = ?1 AND issuer = ?2",
                params![name.as_str(), issuer],
            )?;
            match done {
                0 => Err(AccountError::NotLinked),
                _ if governed && administrators(connection, None)? == 0 => {
                    Err(AccountError::LastAdministrator(name.clone()))
                }
                _ => Ok(()),
            }
        })
    }

    /// What providers call `name`.
    ///
    /// # Errors
    ///
    /// When the accounts cannot be read.
    pub fn identities(&self, name: &AccountName) -> Result<Vec<LinkedIdentity>, AccountError> {
        let connection = self.connection();
        let mut found = connection.prepare_cached(
            "SELECT issuer, subject, created, used FROM identity WHERE user = ?1 ORDER BY issuer, subject",
        )?;
        let rows = found.query_map([name.as_str()], |row| {
            Ok(LinkedIdentity {
                issuer: row.get(0)?,
                subject: row.get(1)?,
                since: moment(row.get(2)?),
                used: row.get::<_, Option<i64>>(3)?.map(moment),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Somebody as they are known here.
struct Known {
    user: AccountName,
    /// Whether they came in by a rule, and not by an invitation: then the rule must let them in each time.
    by_rule: bool,
}

fn linked(connection: &Connection, said: &Said) -> Result<Option<Known>, AccountError> {
    let found = connection
        .prepare_cached("SELECT user, by_rule FROM identity WHERE issuer = ?1 AND subject = ?2")?
        .query_row(params![said.issuer, said.subject], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    Ok(match found {
        Some((user, by_rule)) => Some(Known { user: user.parse()?, by_rule: by_rule != 0 }),
        None => None,
    })
}

/// Has nobody be known by what a provider calls somebody.
fn forget(connection: &Connection, said: &Said) -> Result<(), AccountError> {
    connection.execute(
        "DELETE FROM identity WHERE issuer = ?1 AND subject = ?2",
        params![said.issuer, said.subject],
    )?;
    Ok(())
}

fn link(
    connection: &Connection,
    name: &AccountName,
    said: &Said,
    by_rule: bool,
    now: Timestamp,
) -> Result<(), AccountError> {
    let known: i64 =
        connection
            .query_row("SELECT count(*) FROM identity WHERE user = ?1", [name.as_str()], |row| row.get(0))?;
    if known >= MOST_LINKED {
        return Err(AccountError::Unusable(format!(
            "`{name}` signs in by {known} accounts of providers, and nobody may by more"
        )));
    }
    connection.execute(
        "INSERT INTO identity(issuer, subject, user, by_rule, created) VALUES(?1, ?2, ?3, ?4, ?5)",
        params![said.issuer, said.subject, name.as_str(), i64::from(by_rule), now.as_second()],
    )?;
    Ok(())
}

/// Makes a user of who was invited, or gives one another way to sign in.
fn accept(
    connection: &Connection,
    invitation: &Secret,
    said: &Said,
    known: Option<&AccountName>,
    chosen: Option<&AccountName>,
    now: Timestamp,
) -> Result<AccountName, AccountError> {
    let invited = invited(connection, invitation, now)?.ok_or(SignInError::NotInvited)?;
    let name = invited.name.as_ref().or(chosen).or(said.name.as_ref()).cloned();
    let unnamed = || AccountError::Unusable("this invitation is for no name: choose one".to_owned());
    let name = name.ok_or_else(unnamed)?;
    if known.is_some_and(|known| *known != name) {
        return Err(AccountError::LinkedElsewhere);
    }
    let is_there = match user(connection, &name) {
        Err(AccountError::NoUser(_)) => false,
        Ok(there) if there.disabled => return Err(AccountError::Disabled(name)),
        found => found.map(|_| true)?,
    };
    invited.refuse_others_names(connection, &name, is_there)?;
    if !is_there {
        make(connection, &name, now)?;
    }
    enrol(connection, &name, is_there, &invited)?;
    if known.is_none() {
        link(connection, &name, said, false, now)?;
    }
    connection.execute(
        "UPDATE identity SET by_rule = 0 WHERE issuer = ?1 AND subject = ?2",
        params![said.issuer, said.subject],
    )?;
    // Whoever was invited anew signs in as they chose to now, and whoever knew their password does not.
    connection.execute("UPDATE user SET password = NULL WHERE name = ?1", [name.as_str()])?;
    revoke_logins(connection, &name, now)?;
    connection.execute("DELETE FROM invitation WHERE id = ?1", [invited.id])?;
    connection.execute("DELETE FROM attempt WHERE subject = ?1", [of_name(&name)])?;
    Ok(name)
}

/// Makes a user of somebody who may come in. A name that is somebody's, or that somebody is invited to, is not theirs.
fn come_in(connection: &Connection, said: &Said, now: Timestamp) -> Result<AccountName, AccountError> {
    let wanted = said.name.as_ref().ok_or(SignInError::NoName)?;
    for number in 1..=MOST_NAMES {
        let name = match number {
            1 => wanted.clone(),
            number => {
                let number = format!("-{number}");
                let room = wanted.as_str().chars().take(AccountName::MAX_LEN - number.len());
                (room.collect::<String>() + &number).parse()?
            }
        };
        let is_taken = connection
            .prepare_cached(
                "SELECT 1 FROM user WHERE name = ?1 UNION SELECT 1 FROM invitation WHERE user = ?1",
            )?
            .exists([name.as_str()])?;
        if !is_taken {
            make(connection, &name, now)?;
            link(connection, &name, said, true, now)?;
            return Ok(name);
        }
    }
    Err(AccountError::UserExists(wanted.clone()))
}

fn renew_groups(connection: &Connection, name: &AccountName, said: &Said) -> Result<(), AccountError> {
    connection.execute(
        "DELETE FROM claimed WHERE user = ?1 AND issuer = ?2",
        params![name.as_str(), said.issuer],
    )?;
    for group in &said.groups {
        connection.execute(
            "INSERT INTO claimed(grp, user, issuer) VALUES(?1, ?2, ?3)",
            params![group.as_str(), name.as_str(), said.issuer],
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn name(text: &str) -> AccountName {
        text.parse().unwrap()
    }

    fn said(subject: &str, groups: &[&str]) -> Said {
        Said {
            issuer: "https://id.example".to_owned(),
            subject: subject.to_owned(),
            name: Some(name(subject)),
            groups: groups.iter().map(|group| name(group)).collect(),
            may_come_in: true,
        }
    }

    fn accounts() -> (tempfile::TempDir, Accounts) {
        let place = tempfile::tempdir().unwrap();
        let accounts = Accounts::open(&place.path().join("state.db")).unwrap();
        (place, accounts)
    }

    fn with_password(accounts: &Accounts, who: &str, groups: &[&str]) {
        let groups = groups.iter().map(|group| name(group)).collect();
        let invitation = accounts.invite(Some(&name(who)), &groups, at(0)).unwrap();
        accounts.accept(&invitation.secret, None, "correct horse", at(0)).unwrap();
    }

    #[test]
    fn somebody_is_who_a_provider_says_and_never_who_has_the_same_name() {
        let (_place, accounts) = accounts();
        with_password(&accounts, "ann", &["admins"]);
        let other = accounts.sign_in_as(&said("ann", &[]), None, None, at(1)).unwrap();
        assert_eq!((other.name.as_str(), other.is_administrator()), ("ann-2", false));
        let again = accounts.sign_in_as(&said("ann", &[]), None, None, at(2)).unwrap();
        assert_eq!(again.name, other.name);
        let elsewhere = Said { issuer: "https://other.example".into(), ..said("ann", &[]) };
        assert_eq!(accounts.sign_in_as(&elsewhere, None, None, at(3)).unwrap().name.as_str(), "ann-3");
        accounts.invite(Some(&name("bob")), &BTreeSet::new(), at(3)).unwrap();
        let bob = accounts.sign_in_as(&said("bob", &[]), None, None, at(4)).unwrap();
        assert_eq!(bob.name.as_str(), "bob-2", "the name is kept for who was invited");
    }

    #[test]
    fn strangers_stay_out_and_who_came_in_by_a_rule_goes_by_it() {
        let (_place, accounts) = accounts();
        let stranger = Said { may_come_in: false, ..said("eve", &[]) };
        let told = |error: AccountError| match error {
            AccountError::SignIn(error) => error,
            other => panic!("{other}"),
        };
        let enters = |said: &Said| accounts.sign_in_as(said, None, None, at(1));
        assert_eq!(told(enters(&stranger).unwrap_err()), SignInError::Stranger);
        assert_eq!(told(enters(&Said { name: None, ..said("eve", &[]) }).unwrap_err()), SignInError::NoName);
        enters(&said("eve", &[])).unwrap();
        assert_eq!(told(enters(&stranger).unwrap_err()), SignInError::NoLonger);
        accounts.set_disabled(&name("eve"), true, at(2)).unwrap();
        assert!(matches!(enters(&said("eve", &[])).unwrap_err(), AccountError::Disabled(_)));
    }

    #[test]
    fn who_was_removed_does_not_come_in_by_a_provider_and_nobody_takes_their_name() {
        let (_place, accounts) = accounts();
        with_password(&accounts, "ann", &["admins"]);
        let enters = |said: &Said, now| accounts.sign_in_as(said, None, None, at(now));
        let bob = enters(&said("bob", &["core"]), 1).unwrap().name;
        accounts.remove(&bob, at(2)).unwrap();
        let refused = enters(&said("bob", &["core"]), 3).unwrap_err();
        assert!(matches!(&refused, AccountError::Removed(who) if *who == bob), "{refused}");
        let other = Said { issuer: "https://other.example".into(), ..said("bob", &[]) };
        assert_eq!(enters(&other, 4).unwrap().name.as_str(), "bob-2");

        // The same account of the provider is whom an administrator says: back as they were, or somebody else.
        let back = accounts.invite_back(&bob, &BTreeSet::new(), at(5)).unwrap().secret;
        let returned = accounts.sign_in_as(&said("bob", &[]), Some(&back), None, at(6)).unwrap();
        assert_eq!((&returned.name, returned.groups.len()), (&bob, 0));
        accounts.remove(&bob, at(7)).unwrap();
        let anew = accounts.invite(Some(&name("rob")), &BTreeSet::new(), at(8)).unwrap().secret;
        assert_eq!(
            accounts.sign_in_as(&said("bob", &[]), Some(&anew), None, at(9)).unwrap().name,
            name("rob")
        );

        // Who comes back in another way is not let in by the old one as well: it may be another's by now.
        enters(&said("cy", &[]), 10).unwrap();
        accounts.remove(&name("cy"), at(11)).unwrap();
        let back = accounts.invite_back(&name("cy"), &BTreeSet::new(), at(12)).unwrap().secret;
        accounts.accept(&back, None, "correct horse", at(13)).unwrap();
        assert_eq!(accounts.identities(&name("cy")).unwrap(), []);
    }

    #[test]
    fn groups_that_a_provider_says_are_made_anew_and_others_stay() {
        let (_place, accounts) = accounts();
        let ann = accounts.sign_in_as(&said("ann", &["core", "qa"]), None, None, at(1)).unwrap();
        assert_eq!(ann.claimed, [name("core"), name("qa")].into());
        let ann = accounts.set_groups(&ann.name, &[name("docs"), name("qa")].into()).unwrap();
        assert_eq!(ann.groups, [name("core"), name("docs"), name("qa")].into());
        let ann = accounts.sign_in_as(&said("ann", &[]), None, None, at(2)).unwrap();
        assert_eq!((ann.groups.len(), ann.claimed.len()), (2, 0), "{ann:?}");
        assert_eq!(ann.groups, [name("docs"), name("qa")].into(), "what an administrator gave stays");
    }

    #[test]
    fn who_is_invited_is_linked_and_an_invitation_is_taken_once() {
        let (_place, accounts) = accounts();
        let stranger = |subject: &str| Said { may_come_in: false, ..said(subject, &[]) };
        let invitation = accounts.invite(Some(&name("bob")), &[name("core")].into(), at(0)).unwrap().secret;
        let bob = accounts.sign_in_as(&stranger("b-17"), Some(&invitation), None, at(1)).unwrap();
        assert_eq!((bob.name.as_str(), bob.groups.len()), ("bob", 1));
        assert!(accounts.sign_in_as(&stranger("eve"), Some(&invitation), None, at(2)).is_err());
        assert_eq!(accounts.sign_in_as(&stranger("b-17"), None, None, at(3)).unwrap().name, bob.name);
        let late = accounts.invite(Some(&name("cy")), &BTreeSet::new(), at(0)).unwrap().secret;
        let after = at(0) + SignedDuration::from_hours(100);
        assert!(accounts.sign_in_as(&stranger("c-1"), Some(&late), None, after).is_err());
        // Another's invitation makes nobody somebody else.
        let invitation = accounts.invite(Some(&name("dan")), &BTreeSet::new(), at(4)).unwrap().secret;
        let refused = accounts.sign_in_as(&stranger("b-17"), Some(&invitation), None, at(5)).unwrap_err();
        assert!(matches!(refused, AccountError::LinkedElsewhere), "{refused}");
    }

    #[test]
    fn who_accepts_by_a_provider_is_signed_in_by_an_old_password_no_longer() {
        let (_place, accounts) = accounts();
        with_password(&accounts, "ann", &[]);
        assert!(accounts.sign_in(&name("ann"), "correct horse", None, at(1)).is_ok());
        let anew = accounts.invite_again(&name("ann"), at(2)).unwrap().secret;
        accounts.sign_in_as(&said("a-1", &[]), Some(&anew), None, at(3)).unwrap();
        let refused = accounts.sign_in(&name("ann"), "correct horse", None, at(4)).unwrap_err();
        assert!(matches!(refused, AccountError::SignIn(SignInError::Wrong)), "{refused}");
    }

    #[test]
    fn an_account_is_linked_to_one_user_and_the_last_way_to_govern_stays() {
        let (_place, accounts) = accounts();
        with_password(&accounts, "ann", &["admins"]);
        with_password(&accounts, "bob", &[]);
        accounts.link(&name("ann"), &said("a-1", &[]), at(1)).unwrap();
        accounts.link(&name("ann"), &said("a-1", &[]), at(2)).unwrap();
        assert!(matches!(
            accounts.link(&name("bob"), &said("a-1", &[]), at(3)),
            Err(AccountError::LinkedElsewhere)
        ));
        assert_eq!(accounts.identities(&name("ann")).unwrap()[0].subject, "a-1");
        accounts.unlink(&name("ann"), "https://id.example", "a-1").unwrap();
        assert!(matches!(
            accounts.unlink(&name("ann"), "https://id.example", "a-1"),
            Err(AccountError::NotLinked)
        ));
    }

    #[test]
    fn the_only_way_by_which_anybody_governs_is_not_taken() {
        let (_place, accounts) = accounts();
        let cy = accounts.sign_in_as(&said("cy", &["admins"]), None, None, at(1)).unwrap().name;
        assert!(accounts.has_administrator().unwrap());
        let last = accounts.unlink(&cy, "https://id.example", "cy").unwrap_err();
        assert!(matches!(last, AccountError::LastAdministrator(_)), "{last}");
        assert!(
            accounts.set_groups(&cy, &BTreeSet::new()).unwrap().is_administrator(),
            "as their provider says"
        );
        assert!(accounts.set_disabled(&cy, true, at(2)).is_err());
        // Who may govern is for the provider to say, and from the machine itself there is a way back.
        accounts.sign_in_as(&said("cy", &[]), None, None, at(3)).unwrap();
        assert!(!accounts.has_administrator().unwrap());
        let way_back = accounts.invite_on_machine(Some(&cy), at(4)).unwrap().secret;
        assert!(accounts.is_on_machine(&way_back, at(5)).unwrap());
        assert!(accounts.accept(&way_back, None, "correct horse", at(5)).unwrap().is_administrator());
    }
}
