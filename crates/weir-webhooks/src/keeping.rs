//! Webhooks: made, changed, removed.

use jiff::Timestamp;
use rusqlite::params;
use weir_wire::webhooks::{ChangeWebhook, NewWebhook, Webhook};

use crate::rows::{Kept, WEBHOOK, find, kept, shown};
use crate::{MOST_WEBHOOKS, Result, WebhookError, Webhooks, signature};

/// The longest address, in bytes.
const LONGEST_URL: usize = 2000;

impl Webhooks {
    /// Makes one, and gives the secret that signs for the server.
    ///
    /// # Errors
    ///
    /// When there is one of that name, or there are too many.
    pub fn add(&self, new: &NewWebhook, by: &str, now: Timestamp) -> Result<(Webhook, String)> {
        check_url(&new.url)?;
        let secret = signature::new_secret()?;
        self.change(|db| {
            let many: i64 = db.query_row("SELECT count(*) FROM webhook", [], |row| row.get(0))?;
            if many >= MOST_WEBHOOKS as i64 {
                return Err(WebhookError::TooMany);
            }
            let made = db.execute(
                "INSERT INTO webhook(name, url, secret, events, registries, who, created)
                 VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
                params![
                    new.name.as_str(),
                    new.url,
                    secret,
                    serde_json::to_string(&new.events)?,
                    serde_json::to_string(&new.registries)?,
                    by,
                    now.as_second()
                ],
            )?;
            if made == 0 {
                return Err(WebhookError::Taken(new.name.clone()));
            }
            Ok((find(db, new.name.as_str())?, secret))
        })
    }

    /// All of them, by name.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub fn all(&self) -> Result<Vec<Webhook>> {
        let connection = self.connection();
        let mut found = connection.prepare_cached(&format!("{WEBHOOK} ORDER BY name"))?;
        let rows = found.query_map([], kept)?.collect::<std::result::Result<Vec<_>, _>>()?;
        rows.into_iter().map(Kept::read).collect()
    }

    /// The one of that name.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn find(&self, name: &str) -> Result<Webhook> {
        find(&self.connection(), name)
    }

    /// Changes one, and gives its secret if that is new.
    ///
    /// # Errors
    ///
    /// When there is none of that name.
    pub fn alter(&self, name: &str, change: &ChangeWebhook) -> Result<(Webhook, Option<String>)> {
        if let Some(url) = &change.url {
            check_url(url)?;
        }
        let secret = change.new_secret.then(signature::new_secret).transpose()?;
        self.change(|db| {
            find(db, name)?;
            let set = |what: &str, value: &dyn rusqlite::ToSql| {
                db.execute(&format!("UPDATE webhook SET {what} WHERE name = ?1"), params![name, value])
            };
            if let Some(url) = &change.url {
                set("url = ?2", url)?;
            }
            if let Some(events) = &change.events {
                set("events = ?2", &serde_json::to_string(events)?)?;
            }
            if let Some(registries) = &change.registries {
                set("registries = ?2", &serde_json::to_string(registries)?)?;
            }
            if let Some(secret) = &secret {
                set("secret = ?2", secret)?;
            }
            match change.paused {
                Some(true) => drop(set("paused = coalesce(paused, ?2)", &"an administrator paused it")?),
                Some(false) => {
                    set("paused = ?2, failures = 0, failing_since = NULL, rests_until = 0", &None::<&str>)?;
                }
                None => {}
            }
            Ok((find(db, name)?, secret.clone()))
        })
    }

    /// Removes one, and what waits for it.
    ///
    /// # Errors
    ///
    /// When there is none of that name.
    pub fn remove(&self, name: &str) -> Result<()> {
        self.change(|db| {
            if db.execute("DELETE FROM webhook WHERE name = ?1", [name])? == 0 {
                return Err(WebhookError::None(shown(name)));
            }
            // Whoever is told nothing reads nothing: the next is told of what happens then.
            db.execute("DELETE FROM place WHERE NOT EXISTS (SELECT 1 FROM webhook)", [])?;
            Ok(())
        })
    }

    /// Whether there is any.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn is_any(&self) -> Result<bool> {
        let any = "SELECT EXISTS(SELECT 1 FROM webhook)";
        Ok(self.connection().prepare_cached(any)?.query_row([], |row| row.get(0))?)
    }
}

fn check_url(url: &str) -> Result<()> {
    match url.len() <= LONGEST_URL {
        true => Ok(()),
        false => Err(WebhookError::Unusable(format!("an address has at most {LONGEST_URL} bytes"))),
    }
}
