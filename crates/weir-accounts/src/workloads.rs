//! Programs that are trusted by what an identity provider says of them: no secret of theirs is kept, since they have none.
//!
//! Whoever trusts a program lends it what they are, as far as a [`Trust`] says. What somebody may no longer do, and who may no
//! longer sign in, lends nothing from that moment on: what a program may is found anew whenever accounts change.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use weir_model::Sha256;
use weir_policy::TokenScope;
use weir_wire::AccountName;
use weir_wire::people::User;
use weir_wire::trust::{Grant as ToldGrant, LONGEST_MINUTES, NewTrust, Trust, Workload};

use crate::accounts::{AccountError, Accounts};
use crate::people::{moment, user};
use crate::secret::Secret;
use crate::tokens::json;

/// The most rules that one user can make.
const MOST_TRUSTED: i64 = 200;

/// The most claims that a rule may name, and the longest value of one, in bytes.
const MOST_CLAIMS: usize = 20;

/// What is said of every token, and tells no program from another.
const OF_EVERY_TOKEN: [&str; 6] = ["iss", "aud", "exp", "iat", "nbf", "jti"];

const LONGEST_CLAIM: usize = 300;

/// The most names that a rule may have.
const MOST_NAMES: usize = 100;

/// What stands at the end of a value of which only the beginning counts.
const ANYTHING: char = '*';

/// What an identity provider says of a program, once it is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// The provider.
    pub issuer: String,
    /// What it calls the program.
    pub subject: String,
    /// What else it says of it.
    pub claims: BTreeMap<String, String>,
    /// What tells the token it said so in from every other.
    pub token: Sha256,
    /// Until when that token is good, in seconds since 1970.
    pub until: i64,
}

/// A program that speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadSpeaker {
    /// What its token is known by; not the secret.
    pub id: String,
    /// Which program it is, and what it may, as it is told.
    pub told: Workload,
    /// What it may in each registry it may speak to.
    grants: BTreeMap<String, Grant>,
}

/// What a program may in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// For whom it acts.
    pub by: User,
    /// What it may of what they may.
    pub scope: TokenScope,
}

impl WorkloadSpeaker {
    /// What it may in the registry of that name.
    pub fn grant(&self, registry: &str) -> Option<&Grant> {
        self.grants.get(registry)
    }
}

impl Accounts {
    /// Has `maker` trust a program from now on.
    ///
    /// # Errors
    ///
    /// When the rule would trust nothing, or anything.
    pub fn add_trust(
        &self,
        maker: &AccountName,
        new: &NewTrust,
        now: Timestamp,
    ) -> Result<Trust, AccountError> {
        check(new)?;
        let id = ulid::Ulid::generate().to_string().to_lowercase();
        self.change(|connection| {
            user(connection, maker)?;
            let made: i64 = connection.query_row(
                "SELECT count(*) FROM trust WHERE maker = ?1",
                [maker.as_str()],
                |row| row.get(0),
            )?;
            if made >= MOST_TRUSTED {
                return Err(AccountError::Unusable(format!(
                    "`{maker}` trusts {made} programs, and nobody may trust more"
                )));
            }
            connection.execute(
                "INSERT INTO trust(id, maker, issuer, claims, registry, scope, minutes, created)
                 VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    id,
                    maker.as_str(),
                    new.issuer,
                    json(&new.claims)?,
                    new.registry,
                    json(&new.scope)?,
                    new.minutes,
                    now.as_second(),
                ],
            )?;
            trust(connection, &id)?.ok_or_else(|| AccountError::NoTrust(id.clone()))
        })
    }

    /// The rules by which programs are trusted: those of one user, or all.
    ///
    /// # Errors
    ///
    /// When the accounts cannot be read.
    pub fn trusts(&self, maker: Option<&AccountName>) -> Result<Vec<Trust>, AccountError> {
        let connection = self.connection();
        let sql = format!("SELECT {TRUST_COLUMNS} FROM trust WHERE ?1 IS NULL OR maker = ?1 ORDER BY id");
        let mut found = connection.prepare_cached(&sql)?;
        let rows =
            found.query_map([maker.map(AccountName::as_str)], trust_row)?.collect::<Result<Vec<_>, _>>()?;
        rows.into_iter().map(TrustRow::read).collect()
    }

    /// Has a program be trusted no longer by a rule: one that `maker` made, or any. Tokens that were given by it do nothing more.
    ///
    /// # Errors
    ///
    /// When there is no such rule.
    pub fn remove_trust(&self, id: &str, maker: Option<&AccountName>) -> Result<Trust, AccountError> {
        self.change(|connection| {
            let none = || AccountError::NoTrust(id.chars().take(40).collect());
            let found = trust(connection, id)?.ok_or_else(none)?;
            if maker.is_some_and(|maker| *maker != found.by) {
                return Err(none());
            }
            connection.execute("DELETE FROM trust WHERE id = ?1", [id])?;
            Ok(found)
        })
    }

    /// Whether anybody trusts any program of an issuer: where nobody does, it need not be asked anything.
    ///
    /// # Errors
    ///
    /// When the accounts cannot be read.
    pub fn trusts_any_of(&self, issuer: &str) -> Result<bool, AccountError> {
        Ok(self.connection().prepare_cached("SELECT 1 FROM trust WHERE issuer = ?1")?.exists([issuer])?)
    }

    /// Gives a program a token by what was proved of it, for a few minutes.
    ///
    /// # Errors
    ///
    /// When nobody trusts it, several do in different ways, or what proves it was shown before.
    pub fn exchange(
        &self,
        proved: &Proved,
        now: Timestamp,
    ) -> Result<(Secret, WorkloadSpeaker), AccountError> {
        let (id, secret) = Secret::generate()?;
        self.change(|connection| {
            connection.execute("DELETE FROM workload WHERE expires <= ?1", [now.as_second()])?;
            connection.execute("DELETE FROM taken WHERE until < ?1", [now.as_second()])?;
            let taken = "INSERT INTO taken(token, until) VALUES(?1, ?2) ON CONFLICT DO NOTHING";
            // Clocks differ: it is remembered somewhat longer than it is good.
            if connection.execute(taken, params![proved.token.as_bytes(), proved.until + 3600])? == 0 {
                return Err(AccountError::Taken);
            }
            let fits = |trust: &Trust| trust.issuer == proved.issuer && fits(&trust.claims, &proved.claims);
            let mut found = of_issuer(connection, &proved.issuer)?;
            found.retain(fits);
            let (grants, conflict) = granted(connection, &found)?;
            if grants.is_empty() {
                if let Some(conflict) = conflict {
                    return Err(conflict);
                }
                let (issuer, subject) = (proved.issuer.clone(), proved.subject.clone());
                return Err(AccountError::NotTrusted { issuer, subject });
            }
            let minutes = found.iter().map(|trust| trust.minutes).min().unwrap_or(1);
            let expires = now
                .checked_add(SignedDuration::from_mins(i64::from(minutes)))
                .unwrap_or(Timestamp::MAX);
            let ids: Vec<&str> = found.iter().map(|trust| trust.id.as_str()).collect();
            for id in &ids {
                connection.execute("UPDATE trust SET used = ?2 WHERE id = ?1", params![id, now.as_second()])?;
            }
            connection.execute(
                "INSERT INTO workload(id, secret, issuer, subject, claims, trusts, expires) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    id,
                    secret.digest().as_bytes(),
                    proved.issuer,
                    proved.subject,
                    json(&proved.claims)?,
                    json(&ids)?,
                    expires.as_second(),
                ],
            )?;
            let made = workload_speaker(connection, &id, &secret.digest())?;
            Ok((secret.clone(), made.ok_or_else(|| AccountError::NoToken(id.clone()))?))
        })
    }

    /// Has the token of a program speak for it no longer.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn revoke_workload(&self, id: &str) -> Result<(), AccountError> {
        self.change(|connection| match connection.execute("DELETE FROM workload WHERE id = ?1", [id])? {
            0 => Err(AccountError::NoToken(id.to_owned())),
            _ => Ok(()),
        })
    }
}

/// The program whose token has this id and digest, if there is one, and what it may by the rules that are there now.
pub(crate) fn workload_speaker(
    connection: &Connection,
    id: &str,
    digest: &Sha256,
) -> Result<Option<WorkloadSpeaker>, AccountError> {
    let row =
        |row: &Row<'_>| Ok(([row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?], row.get(4)?));
    let found = connection
        .prepare_cached(
            "SELECT issuer, subject, claims, trusts, expires FROM workload WHERE id = ?1 AND secret = ?2",
        )?
        .query_row(params![id, digest.as_bytes()], row)
        .optional()?;
    let Some(([issuer, subject, claims, trusts], expires)) = found else { return Ok(None) };
    let ids: Vec<String> = read(&trusts)?;
    let rules =
        ids.iter().filter_map(|id| trust(connection, id).transpose()).collect::<Result<Vec<_>, _>>()?;
    let (grants, _) = granted(connection, &rules)?;
    let told = |(registry, grant): (&String, &Grant)| ToldGrant {
        registry: registry.clone(),
        by: grant.by.name.clone(),
        scope: grant.scope.clone(),
    };
    let told = Workload {
        issuer,
        subject,
        claims: read(&claims)?,
        expires: moment(expires),
        grants: grants.iter().map(told).collect(),
    };
    Ok(Some(WorkloadSpeaker { id: id.to_owned(), told, grants }))
}

/// What rules allow together in each registry, and what is wrong with those of others. Those of one registry are of one maker and for one sort of action: else
/// it could not be said for whom a program acts, and it may do nothing there. That costs no other registry anything: rules of some are made by people
/// who see nothing of the others.
fn granted(
    connection: &Connection,
    rules: &[Trust],
) -> Result<(BTreeMap<String, Grant>, Option<AccountError>), AccountError> {
    let mut grants: BTreeMap<String, Grant> = BTreeMap::new();
    let mut in_conflict = BTreeSet::new();
    for rule in rules {
        let by = user(connection, &rule.by)?;
        if by.disabled {
            continue;
        }
        match grants.get_mut(&rule.registry) {
            None => {
                grants.insert(rule.registry.clone(), Grant { by, scope: rule.scope.clone() });
            }
            Some(grant) if grant.by == by && grant.scope.verbs == rule.scope.verbs => {
                let names: BTreeSet<_> =
                    grant.scope.names.drain(..).chain(rule.scope.names.iter().cloned()).collect();
                grant.scope.names = names.into_iter().collect();
            }
            Some(_) => {
                in_conflict.insert(&rule.registry);
            }
        }
    }
    grants.retain(|registry, _| !in_conflict.contains(registry));
    let conflict = in_conflict.first().map(|registry| AccountError::Ambiguous {
        registry: (*registry).clone(),
        rules: rules.iter().filter(|rule| rule.registry == **registry).map(|rule| rule.id.clone()).collect(),
    });
    Ok((grants, conflict))
}

/// Whether all that a rule asks for is said.
fn fits(wanted: &BTreeMap<String, String>, said: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(claim, wanted)| {
        said.get(claim).is_some_and(|said| match wanted.strip_suffix(ANYTHING) {
            Some(beginning) => said.starts_with(beginning),
            None => said == wanted,
        })
    })
}

fn check(new: &NewTrust) -> Result<(), AccountError> {
    let unusable = |reason: &str| Err(AccountError::Unusable(reason.to_owned()));
    let long =
        |text: &str| text.is_empty() || text.len() > LONGEST_CLAIM || text.chars().any(char::is_control);
    if new.claims.len() > MOST_CLAIMS || new.claims.iter().any(|(claim, value)| long(claim) || long(value)) {
        return unusable("a rule names at most 20 claims, each with a value of at most 300 bytes");
    }
    if let Some(claim) = new.claims.keys().find(|claim| OF_EVERY_TOKEN.contains(&claim.as_str())) {
        return Err(AccountError::Unusable(format!(
            "`{claim}` is checked of every token, and tells no program from another: name what does, such as `repository`"
        )));
    }
    if !new.claims.values().any(|value| !value.contains(ANYTHING)) {
        return unusable(
            "a rule names at least one claim with its whole value, such as `repository=acme/greet`: else it would trust anybody whom the provider knows",
        );
    }
    if new.claims.values().any(|value| value.trim_end_matches(ANYTHING).contains(ANYTHING)) {
        return unusable("`*` stands at the end of a value");
    }
    if new.scope.verbs.is_empty() {
        return unusable("a rule names the actions it is for, such as `publish`");
    }
    if new.scope.names.is_empty() || new.scope.names.len() > MOST_NAMES {
        return unusable("a rule names the owners or packages it is for, at most 100");
    }
    match (1..=LONGEST_MINUTES).contains(&new.minutes) {
        true => Ok(()),
        false => unusable("a token of a program is good for 1 to 60 minutes"),
    }
}

const TRUST_COLUMNS: &str = "id, maker, issuer, claims, registry, scope, minutes, created, used";

fn trust(connection: &Connection, id: &str) -> Result<Option<Trust>, AccountError> {
    let sql = format!("SELECT {TRUST_COLUMNS} FROM trust WHERE id = ?1");
    connection.prepare_cached(&sql)?.query_row([id], trust_row).optional()?.map(TrustRow::read).transpose()
}

fn of_issuer(connection: &Connection, issuer: &str) -> Result<Vec<Trust>, AccountError> {
    let sql = format!("SELECT {TRUST_COLUMNS} FROM trust WHERE issuer = ?1 ORDER BY id");
    let mut found = connection.prepare_cached(&sql)?;
    let rows = found.query_map([issuer], trust_row)?.collect::<Result<Vec<_>, _>>()?;
    rows.into_iter().map(TrustRow::read).collect()
}

/// A rule as the file has it.
struct TrustRow {
    texts: [String; 6],
    minutes: u32,
    created: i64,
    used: Option<i64>,
}

fn trust_row(row: &Row<'_>) -> Result<TrustRow, rusqlite::Error> {
    Ok(TrustRow {
        texts: [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?],
        minutes: row.get(6)?,
        created: row.get(7)?,
        used: row.get(8)?,
    })
}

impl TrustRow {
    fn read(self) -> Result<Trust, AccountError> {
        let [id, maker, issuer, claims, registry, scope] = self.texts;
        Ok(Trust {
            id,
            by: maker.parse()?,
            issuer,
            claims: read(&claims)?,
            registry,
            scope: read(&scope)?,
            minutes: self.minutes,
            created: moment(self.created),
            used: self.used.map(moment),
        })
    }
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, AccountError> {
    Ok(serde_json::from_str(text).map_err(std::io::Error::from)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Speaker;

    const ISSUER: &str = "https://ci.example";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn name(text: &str) -> AccountName {
        text.parse().unwrap()
    }

    fn with(people: &[&str]) -> (tempfile::TempDir, Accounts) {
        let place = tempfile::tempdir().unwrap();
        let accounts = Accounts::open(&place.path().join("state.db")).unwrap();
        for who in people {
            let invitation = accounts.invite(Some(&name(who)), &[name("team")].into(), at(0)).unwrap();
            accounts.accept(&invitation.secret, None, "correct horse", at(0)).unwrap();
        }
        (place, accounts)
    }

    fn rule(claims: &[(&str, &str)], package: &str) -> NewTrust {
        let texts = |(claim, value): &(&str, &str)| ((*claim).to_owned(), (*value).to_owned());
        NewTrust {
            issuer: ISSUER.into(),
            claims: claims.iter().map(texts).collect(),
            registry: "team".into(),
            scope: TokenScope {
                verbs: [weir_policy::Verb::Publish].into(),
                names: vec![package.parse().unwrap()],
            },
            minutes: 10,
        }
    }

    fn proved(token: &str, claims: &[(&str, &str)]) -> Proved {
        let rule = rule(claims, "acme");
        Proved {
            issuer: ISSUER.into(),
            subject: "job".into(),
            claims: rule.claims,
            token: Sha256::of(token.as_bytes()),
            until: at(600).as_second(),
        }
    }

    const JOB: [(&str, &str); 2] = [("repository", "acme/greet"), ("ref", "refs/tags/v1")];

    #[test]
    fn a_program_that_fits_gets_a_short_token_and_acts_for_who_trusts_it() {
        let (_place, accounts) = with(&["ann"]);
        assert!(!accounts.trusts_any_of(ISSUER).unwrap());
        let trust = accounts
            .add_trust(
                &name("ann"),
                &rule(&[("repository", "acme/greet"), ("ref", "refs/tags/*")], "acme"),
                at(0),
            )
            .unwrap();
        assert!(accounts.trusts_any_of(ISSUER).unwrap());
        let (secret, made) = accounts.exchange(&proved("1", &JOB), at(0)).unwrap();
        assert_eq!(made.grant("team").unwrap().by.name, name("ann"));
        assert!(made.grant("other").is_none());
        let speaks = |now| accounts.speaker(&secret, None, now).unwrap();
        assert!(matches!(speaks(at(599)), Some(Speaker::Workload(speaker)) if speaker.told.subject == "job"));
        assert!(speaks(at(600)).is_none(), "it ends");
        assert_eq!(accounts.trusts(None).unwrap()[0].used, Some(at(0)));

        accounts.remove_trust(&trust.id, Some(&name("ann"))).unwrap();
        let Some(Speaker::Workload(left)) = speaks(at(1)) else { panic!("it still says who it is") };
        assert!(left.grant("team").is_none(), "and may nothing any longer");
    }

    #[test]
    fn what_does_not_fit_was_shown_before_or_is_of_somebody_disabled_gets_nothing() {
        let (_place, accounts) = with(&["root", "ann"]);
        accounts.add_trust(&name("ann"), &rule(&JOB[..1], "acme/greet"), at(0)).unwrap();
        let other = accounts.exchange(&proved("1", &[("repository", "acme/greet2")]), at(0));
        assert!(matches!(other, Err(AccountError::NotTrusted { .. })));
        let elsewhere = Proved { issuer: "https://evil.example".into(), ..proved("2", &JOB) };
        assert!(matches!(accounts.exchange(&elsewhere, at(0)), Err(AccountError::NotTrusted { .. })));
        let (secret, _) = accounts.exchange(&proved("3", &JOB), at(0)).unwrap();
        assert!(matches!(accounts.exchange(&proved("3", &JOB), at(1)), Err(AccountError::Taken)));
        accounts.set_disabled(&name("ann"), true, at(2)).unwrap();
        let Some(Speaker::Workload(left)) = accounts.speaker(&secret, None, at(3)).unwrap() else { panic!() };
        assert!(left.grant("team").is_none());
        assert!(matches!(accounts.exchange(&proved("4", &JOB), at(3)), Err(AccountError::NotTrusted { .. })));
    }

    #[test]
    fn rules_of_one_registry_add_up_if_they_are_of_one_maker_and_kind() {
        let (_place, accounts) = with(&["ann", "bob"]);
        accounts.add_trust(&name("ann"), &rule(&JOB[..1], "acme/one"), at(0)).unwrap();
        accounts.add_trust(&name("ann"), &rule(&JOB[..1], "acme/two"), at(0)).unwrap();
        let (_, made) = accounts.exchange(&proved("1", &JOB), at(0)).unwrap();
        assert_eq!(made.grant("team").unwrap().scope.names.len(), 2);
        accounts.add_trust(&name("bob"), &rule(&JOB[..1], "acme/two"), at(0)).unwrap();
        assert!(matches!(accounts.exchange(&proved("2", &JOB), at(0)), Err(AccountError::Ambiguous { .. })));
        // That is nothing to another registry, whose people see nothing of this one.
        let elsewhere = NewTrust { registry: "other".into(), ..rule(&JOB[..1], "acme") };
        accounts.add_trust(&name("ann"), &elsewhere, at(0)).unwrap();
        let (_, made) = accounts.exchange(&proved("3", &JOB), at(0)).unwrap();
        assert!(made.grant("team").is_none() && made.grant("other").is_some());
    }

    #[test]
    fn what_somebody_trusted_who_was_disabled_does_not_come_back_with_them() {
        let (_place, accounts) = with(&["root", "ann"]);
        accounts.add_trust(&name("ann"), &rule(&JOB[..1], "acme"), at(0)).unwrap();
        let (secret, _) = accounts.exchange(&proved("1", &JOB), at(0)).unwrap();
        accounts.set_disabled(&name("ann"), true, at(1)).unwrap();
        accounts.set_disabled(&name("ann"), false, at(2)).unwrap();
        let Some(Speaker::Workload(left)) = accounts.speaker(&secret, None, at(3)).unwrap() else { panic!() };
        assert!(left.grant("team").is_none());
        assert!(accounts.trusts(None).unwrap().is_empty());
    }

    #[test]
    fn a_rule_that_would_trust_anybody_is_none() {
        let (_place, accounts) = with(&["ann"]);
        let unusable = |rule: NewTrust| {
            assert!(matches!(accounts.add_trust(&name("ann"), &rule, at(0)), Err(AccountError::Unusable(_))));
        };
        unusable(rule(&[], "acme"));
        unusable(rule(&[("sub", "repo:*")], "acme"));
        unusable(rule(&[("sub", "x"), ("ref", "*main*")], "acme"));
        unusable(NewTrust { minutes: 61, ..rule(&JOB, "acme") });
        unusable(NewTrust { scope: TokenScope::default(), ..rule(&JOB, "acme") });
        unusable(rule(&[("iss", ISSUER)], "acme"));
        unusable(rule(&[("aud", "https://weir.example"), ("repository", "acme/*")], "acme"));
        let mut anything = rule(&JOB, "acme");
        anything.scope.verbs.clear();
        unusable(anything);
    }
}
