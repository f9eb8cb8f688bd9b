//! What came of a form, kept until the page is shown that comes after it.
//!
//! A browser that sent a form is led on to a page, so that reloading it sends nothing again. What was done is told there: kept in memory
//! for the session that sent the form, and for the address that it is led to. Nothing of it is in an address, so no link of a stranger has
//! a page say anything.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use weir_web::Done;

/// For so long something is kept that nobody looks at, and a secret for whoever loads its page again.
const GOOD: SignedDuration = SignedDuration::from_mins(2);

/// Of so many sessions at most: the oldest gives way.
const MOST: usize = 1000;

/// What is to be told, by session: of each the last.
#[derive(Default)]
pub(crate) struct Told(Mutex<HashMap<String, Kept>>);

struct Kept {
    /// The address of the page that tells it.
    page: String,
    done: Done,
    ends: Timestamp,
    shown: bool,
}

impl Told {
    /// Keeps what is told to a session on the page at this address.
    pub(crate) fn keep(&self, session: String, page: &str, done: Done, now: Timestamp) {
        let mut kept = self.kept(now);
        if kept.len() >= MOST
            && !kept.contains_key(&session)
            && let Some(oldest) =
                kept.iter().min_by_key(|(_, kept)| kept.ends).map(|(session, _)| session.clone())
        {
            kept.remove(&oldest);
        }
        let ends = now.saturating_add(GOOD).unwrap_or(Timestamp::MAX);
        kept.insert(session, Kept { page: page.to_owned(), done, ends, shown: false });
    }

    /// What is told to a session that looks at the page at this address: words once, and what is secret as often as it is loaded before
    /// another page is.
    pub(crate) fn take(&self, session: &str, page: &str, now: Timestamp) -> Option<Done> {
        let mut all = self.kept(now);
        let kept = all.get_mut(session)?;
        if kept.page != page {
            // Whoever has another page open in another window may look at that before this one came.
            if kept.shown {
                all.remove(session);
            }
            return None;
        }
        if kept.done.is_secret() {
            kept.shown = true;
            return Some(kept.done.clone());
        }
        all.remove(session).map(|kept| kept.done)
    }

    /// Forgets what was kept for long enough.
    pub(crate) fn forget(&self, now: Timestamp) {
        drop(self.kept(now));
    }

    fn kept(&self, now: Timestamp) -> MutexGuard<'_, HashMap<String, Kept>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, kept| kept.ends > now);
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn said() -> Done {
        Done::said("it was done")
    }

    #[test]
    fn words_are_told_once_to_one_session_on_one_page_and_for_a_while() {
        let told = Told::default();
        told.keep("ann".into(), "/team", said(), at(0));
        assert_eq!(told.take("bob", "/team", at(1)), None);
        assert_eq!(told.take("ann", "/other", at(1)), None, "another window");
        assert_eq!(told.take("ann", "/team", at(1)), Some(said()));
        assert_eq!(told.take("ann", "/team", at(1)), None);
        told.keep("ann".into(), "/team", said(), at(0));
        assert_eq!(told.take("ann", "/team", at(GOOD.as_secs())), None);
    }

    #[test]
    fn a_secret_is_there_until_another_page_is_looked_at_and_for_a_while() {
        let told = Told::default();
        let secret = || Done::token("ci", "weir_x");
        told.keep("ann".into(), "/-/account", secret(), at(0));
        assert_eq!(told.take("ann", "/team", at(1)), None);
        for _ in 0..2 {
            assert_eq!(told.take("ann", "/-/account", at(2)), Some(secret()), "who loads it again has it");
        }
        assert_eq!(told.take("ann", "/team", at(3)), None);
        assert_eq!(told.take("ann", "/-/account", at(3)), None, "and who went on has not");
        told.keep("ann".into(), "/-/account", secret(), at(0));
        told.forget(at(GOOD.as_secs()));
        assert!(told.0.lock().unwrap().is_empty());
    }

    #[test]
    fn of_many_sessions_the_oldest_gives_way() {
        let told = Told::default();
        for number in 0..=MOST {
            told.keep(
                format!("session {number}"),
                "/",
                said(),
                at(number.try_into().unwrap_or_default()) - SignedDuration::from_secs(900),
            );
        }
        assert!(told.0.lock().unwrap().len() <= MOST);
    }
}
