//! Addresses of archives that need no credential, for whoever showed one: elm-wrap fetches an archive from where it is told to, and says
//! there no more who it is.
//!
//! A ticket is good for one archive and for [`GOOD`], and stands for the credential that it was given to: what that may not do any
//! longer, the ticket may not either. Tickets are kept in memory only.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use weir_model::Sha256;

use crate::problem::Problem;

/// For so long a ticket is good.
const GOOD: SignedDuration = SignedDuration::from_mins(10);

/// So many are good at once: the oldest ends for the newest.
const MOST: usize = 10_000;

/// How one stands in the query of an address.
const FIELD: &str = "ticket";

/// The tickets that are good.
#[derive(Default)]
pub(crate) struct Tickets(Mutex<Given>);

#[derive(Default)]
struct Given {
    /// By the digest of what stands in the address.
    each: HashMap<Sha256, Ticket>,
    /// In the order in which they end.
    order: VecDeque<(Timestamp, Sha256)>,
}

struct Ticket {
    path: String,
    credential: HeaderValue,
}

impl Tickets {
    /// What is added to an address whose path is `path`, so that it is as if the credential were sent there.
    ///
    /// # Errors
    ///
    /// When the system has no random bytes.
    pub(super) fn give(
        &self,
        path: &str,
        credential: &HeaderValue,
        now: Timestamp,
    ) -> Result<String, Problem> {
        let mut secret = [0_u8; 32];
        getrandom::fill(&mut secret)
            .map_err(|error| Problem::internal(&std::io::Error::other(error.to_string())))?;
        let secret = Sha256::from_bytes(secret).to_hex();
        let (digest, ends) =
            (Sha256::of(secret.as_bytes()), now.saturating_add(GOOD).unwrap_or(Timestamp::MAX));
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.end(now, MOST - 1);
        given.each.insert(digest, Ticket { path: path.to_owned(), credential: credential.clone() });
        given.order.push_back((ends, digest));
        Ok(format!("?{FIELD}={secret}"))
    }

    /// The credential that the ticket in the query of an address stands for, if it is good for `path`.
    pub(super) fn credential(&self, path: &str, query: &str, now: Timestamp) -> Option<HeaderValue> {
        let secret = query.strip_prefix(FIELD)?.strip_prefix('=')?;
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.end(now, MOST);
        let ticket = given.each.get(&Sha256::of(secret.as_bytes()))?;
        (ticket.path == path).then(|| ticket.credential.clone())
    }
}

impl Given {
    /// Takes out those that ended by `now`, and the oldest as long as there are more than `most`.
    fn end(&mut self, now: Timestamp, most: usize) {
        while let Some((ends, digest)) = self.order.front().copied() {
            if ends > now && self.order.len() <= most {
                break;
            }
            self.order.pop_front();
            self.each.remove(&digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use jiff::Timestamp;

    use super::{GOOD, MOST, Tickets};

    #[test]
    fn a_ticket_is_good_for_one_path_for_a_while_and_the_oldest_end_first() {
        let (tickets, credential) = (Tickets::default(), HeaderValue::from_static("Basic YTpi"));
        let begin = Timestamp::from_second(1_800_000_000).unwrap();
        let asked = |path: &str, given: &str, at: Timestamp| {
            tickets.credential(path, given.trim_start_matches('?'), at)
        };
        let given = tickets.give("/a", &credential, begin).unwrap();
        assert_eq!(asked("/a", &given, begin), Some(credential.clone()));
        assert_eq!(
            asked("/a", &given, begin),
            Some(credential.clone()),
            "a second time, too: who fails tries again"
        );
        assert_eq!(asked("/b", &given, begin), None);
        assert_eq!(asked("/a", "?ticket=", begin), None);
        assert_eq!(asked("/a", &given, begin + GOOD), None);

        let first = tickets.give("/a", &credential, begin).unwrap();
        for _ in 1..MOST {
            tickets.give("/b", &credential, begin).unwrap();
        }
        assert!(asked("/a", &first, begin).is_some());
        tickets.give("/b", &credential, begin).unwrap();
        assert_eq!(asked("/a", &first, begin), None);
    }
}
