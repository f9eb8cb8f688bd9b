//! Terminals that wait until somebody says, in a browser, that it is they who signs in there (RFC 8628).
//!
//! Kept in memory: a server that is started anew meanwhile has whoever waits begin anew, too. A code is good for [`GOOD`] and once. It
//! is guessed by nobody but those who have signed in, and by each of those a few times only.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use weir_model::Sha256;
use weir_wire::AccountName;

use crate::problem::{Code, Problem};

/// For so long a code is good.
pub(crate) const GOOD: SignedDuration = SignedDuration::from_mins(10);

/// So many seconds are between two times that a terminal asks.
pub(crate) const INTERVAL: u64 = 2;

/// So many terminals wait at once, and of one place.
const MOST: usize = 1000;
const MOST_OF_ONE: usize = 20;

/// Who has not asked for so long waits no longer, where others want the place.
const SILENT: SignedDuration = SignedDuration::from_secs(30);

/// So many codes that are none may somebody try while one is good.
const MOST_WRONG: u32 = 10;

/// The most characters of what a terminal says of itself that are kept.
const LONGEST_NAME: usize = 64;

/// What codes are made of: letters that nobody takes for another, and that spell no words.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Letters in a code: 20 to the power of 8, which nobody tries out ten at a time.
const LENGTH: usize = 8;

/// Terminals that wait.
#[derive(Default)]
pub(crate) struct Devices(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    each: Vec<Device>,
    /// Who tried codes that are none, how often, and until when that is remembered.
    wrong: HashMap<AccountName, (u32, Timestamp)>,
}

/// One terminal.
struct Device {
    /// The digest of what it asks with.
    secret: Sha256,
    code: String,
    told: Asking,
    place: String,
    ends: Timestamp,
    polled: Option<Timestamp>,
    answer: Answer,
}

/// What is told of a terminal to whoever is to say that it is theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asking {
    /// What it says it is.
    pub(crate) client: String,
    /// What it says its machine is called.
    pub(crate) machine: String,
    /// From where it asks: that it does not say itself.
    pub(crate) from: Option<IpAddr>,
    /// When it began.
    pub(crate) at: Timestamp,
}

enum Answer {
    None,
    Yes(AccountName),
    No,
}

/// What a terminal is given.
pub(crate) struct Begun {
    /// What it asks with.
    pub(crate) secret: String,
    /// What it shows.
    pub(crate) code: String,
}

/// What a terminal is told that asks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Polled {
    /// Nobody has said anything yet.
    Waits,
    /// It asks too often.
    TooSoon,
    /// Somebody said that it is not theirs.
    Denied,
    /// Its code is good no longer, or never was.
    Gone,
    /// It is this user's, on the machine of this name. It is told so once.
    Of(AccountName, String),
}

impl Devices {
    /// Has a terminal wait.
    pub(crate) fn begin(
        &self,
        client: &str,
        machine: &str,
        from: Option<IpAddr>,
        place: String,
        now: Timestamp,
    ) -> Result<Begun, Problem> {
        let mut waiting = self.waiting(now);
        if !waiting.has_place_for(&place, now) {
            return Err(Problem::new(Code::Overloaded, "too many wait to be signed in: try again later"));
        }
        let mut code = made_code()?;
        while waiting.each.iter().any(|device| device.code == code) {
            code = made_code()?;
        }
        let mut bytes = [0_u8; 32];
        random(&mut bytes)?;
        let secret = Sha256::from_bytes(bytes).to_hex();
        let told = Asking { client: shown(client), machine: shown(machine), from, at: now };
        waiting.each.push(Device {
            secret: Sha256::of(secret.as_bytes()),
            code: code.clone(),
            told,
            place,
            ends: now.checked_add(GOOD).unwrap_or(Timestamp::MAX),
            polled: None,
            answer: Answer::None,
        });
        Ok(Begun { secret, code: spelled(&code) })
    }

    /// What is told of the terminal that shows a code, to `who`.
    pub(crate) fn look(&self, code: &str, who: &AccountName, now: Timestamp) -> Result<Asking, Problem> {
        Ok(self.waiting(now).find(code, who, now)?.told.clone())
    }

    /// Has the terminal that shows a code be told that it is `who` who signs in there, or that it is not theirs.
    pub(crate) fn answer(
        &self,
        code: &str,
        who: &AccountName,
        yes: bool,
        now: Timestamp,
    ) -> Result<Asking, Problem> {
        let mut waiting = self.waiting(now);
        let device = waiting.find(code, who, now)?;
        device.answer = if yes { Answer::Yes(who.clone()) } else { Answer::No };
        Ok(device.told.clone())
    }

    /// What a terminal is told that asks with this.
    pub(crate) fn poll(&self, secret: &str, now: Timestamp) -> Polled {
        let mut waiting = self.waiting(now);
        let digest = Sha256::of(secret.as_bytes());
        let Some(at) = waiting.each.iter().position(|device| device.secret == digest) else {
            return Polled::Gone;
        };
        let device = &mut waiting.each[at];
        // Clocks of both ends differ in how they round.
        let soon = SignedDuration::from_millis(INTERVAL.cast_signed() * 1000 - 500);
        let is_soon = device.polled.is_some_and(|polled| now.duration_since(polled) < soon);
        device.polled = Some(now);
        match &device.answer {
            _ if is_soon => Polled::TooSoon,
            Answer::None => Polled::Waits,
            Answer::No => {
                waiting.each.swap_remove(at);
                Polled::Denied
            }
            Answer::Yes(who) => {
                let told = Polled::Of(who.clone(), device.told.machine.clone());
                waiting.each.swap_remove(at);
                told
            }
        }
    }

    fn waiting(&self, now: Timestamp) -> MutexGuard<'_, Waiting> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.each.retain(|device| device.ends > now);
        waiting.wrong.retain(|_, (_, until)| *until > now);
        waiting
    }
}

impl Waiting {
    /// Whether one more of `place` may wait. Where all places are taken, those give way who do not ask, and then the oldest of where most
    /// come from: nobody keeps others out by coming from many addresses, each of which has many.
    fn has_place_for(&mut self, place: &str, now: Timestamp) -> bool {
        let of = |each: &[Device], place: &str| each.iter().filter(|device| device.place == place).count();
        if of(&self.each, place) >= MOST_OF_ONE {
            return false;
        }
        if self.each.len() >= MOST {
            self.each.retain(|device| now.duration_since(device.polled.unwrap_or(device.told.at)) < SILENT);
        }
        if self.each.len() < MOST {
            return true;
        }
        let mut many: HashMap<&str, usize> = HashMap::new();
        for device in &self.each {
            *many.entry(&device.place).or_default() += 1;
        }
        let Some((fullest, most)) = many.into_iter().max_by_key(|(_, many)| *many) else { return true };
        if most <= of(&self.each, place) + 1 {
            return false;
        }
        let fullest = fullest.to_owned();
        let gives_way =
            |(_, device): &(usize, &Device)| device.place == fullest && matches!(device.answer, Answer::None);
        let oldest = self.each.iter().enumerate().filter(gives_way).min_by_key(|(_, device)| device.told.at);
        let Some((at, _)) = oldest else { return false };
        self.each.swap_remove(at);
        true
    }

    /// The terminal that shows a code and was not answered yet. One that is none is counted.
    fn find(&mut self, code: &str, who: &AccountName, now: Timestamp) -> Result<&mut Device, Problem> {
        if self.wrong.get(who).is_some_and(|(times, _)| *times >= MOST_WRONG) {
            let detail = "you tried too many codes that no terminal shows: wait ten minutes, and have yours show another";
            return Err(Problem::new(Code::TooManyFailures, detail));
        }
        let typed: String = code.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_uppercase();
        let found =
            self.each.iter().position(|device| device.code == typed && matches!(device.answer, Answer::None));
        match found {
            Some(at) => Ok(&mut self.each[at]),
            None => {
                let until = now.checked_add(GOOD).unwrap_or(Timestamp::MAX);
                let wrong = self.wrong.entry(who.clone()).or_insert((0, until));
                *wrong = (wrong.0 + 1, until);
                let detail = "no terminal shows this code now: it is good for ten minutes, and once";
                Err(Problem::new(Code::NotFound, detail))
            }
        }
    }
}

fn random(bytes: &mut [u8]) -> Result<(), Problem> {
    getrandom::fill(bytes).map_err(|error| Problem::internal(&std::io::Error::other(error.to_string())))
}

fn made_code() -> Result<String, Problem> {
    let mut code = String::with_capacity(LENGTH);
    while code.len() < LENGTH {
        let mut byte = [0_u8];
        random(&mut byte)?;
        // The last sixteen of a byte's values would make some letters likelier.
        if let Some(letter) = LETTERS.get(usize::from(byte[0] % 20)).filter(|_| byte[0] < 240) {
            code.push(char::from(*letter));
        }
    }
    Ok(code)
}

/// As it is shown: in two halves.
fn spelled(code: &str) -> String {
    let (first, second) = code.split_at(LENGTH / 2);
    format!("{first}-{second}")
}

/// What a terminal says of itself, fit to be shown.
fn shown(said: &str) -> String {
    said.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(LONGEST_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn ann() -> AccountName {
        "ann".parse().unwrap()
    }

    #[test]
    fn a_code_is_good_once_and_for_a_while() {
        let devices = Devices::default();
        let begun = devices.begin("weir", "laptop", None, "here".into(), at(0)).unwrap();
        assert_eq!(devices.poll(&begun.secret, at(0)), Polled::Waits);
        assert_eq!(devices.poll(&begun.secret, at(1)), Polled::TooSoon);
        assert_eq!(devices.look(&begun.code.to_lowercase(), &ann(), at(2)).unwrap().machine, "laptop");
        devices.answer(&begun.code, &ann(), true, at(2)).unwrap();
        assert!(devices.answer(&begun.code, &ann(), false, at(2)).is_err(), "nobody takes it back or over");
        assert_eq!(devices.poll(&begun.secret, at(4)), Polled::Of(ann(), "laptop".into()));
        assert_eq!(devices.poll(&begun.secret, at(8)), Polled::Gone);

        let begun = devices.begin("weir", "laptop", None, "here".into(), at(0)).unwrap();
        devices.answer(&begun.code, &ann(), false, at(1)).unwrap();
        assert_eq!(devices.poll(&begun.secret, at(1)), Polled::Denied);
        let begun = devices.begin("weir", "laptop", None, "here".into(), at(0)).unwrap();
        let late = at(GOOD.as_secs());
        assert!(devices.look(&begun.code, &ann(), late).is_err());
        assert_eq!(devices.poll(&begun.secret, late), Polled::Gone);
    }

    #[test]
    fn guessing_ends_soon_and_places_are_bounded() {
        let devices = Devices::default();
        let code = |problem: Problem| problem.code().to_owned();
        for _ in 0..MOST_WRONG {
            assert_eq!(code(devices.look("BBBB-BBBB", &ann(), at(0)).unwrap_err()), "not-found");
        }
        let begun = devices.begin("weir", "x", None, "here".into(), at(0)).unwrap();
        assert_eq!(code(devices.look(&begun.code, &ann(), at(0)).unwrap_err()), "too-many-failures");
        assert!(devices.look(&begun.code, &"bob".parse().unwrap(), at(0)).is_ok(), "others may");
        for _ in 1..MOST_OF_ONE {
            devices.begin("weir", "x", None, "here".into(), at(0)).unwrap();
        }
        assert!(devices.begin("weir", "x", None, "here".into(), at(0)).is_err());
        assert!(devices.begin("weir", "x", None, "there".into(), at(0)).is_ok());
        assert!(devices.begin("weir", "x", None, "here".into(), at(GOOD.as_secs())).is_ok(), "in a while");
    }

    #[test]
    fn who_comes_from_many_places_keeps_nobody_out() {
        let devices = Devices::default();
        let begin = |place: &str, now: Timestamp| devices.begin("weir", "x", None, place.to_owned(), now);
        let ann_begun = begin("ann", at(0)).unwrap();
        let mut flood = Vec::new();
        for number in 0..MOST - 1 {
            flood.push(begin(&format!("place {}", number % 50), at(1)).unwrap());
        }
        // All of them ask, so nobody is taken for gone.
        for begun in flood.iter().chain([&ann_begun]) {
            assert_eq!(devices.poll(&begun.secret, at(20)), Polled::Waits);
        }
        let bob_begun = begin("bob", at(21)).expect("the fullest place gives way");
        assert_eq!(devices.poll(&ann_begun.secret, at(23)), Polled::Waits);
        assert_eq!(devices.poll(&bob_begun.secret, at(23)), Polled::Waits);
        assert!(begin("place 0", at(24)).is_err(), "who has many gets no more by it");
        let gone = flood.iter().filter(|begun| devices.poll(&begun.secret, at(24)) == Polled::Gone).count();
        assert_eq!(gone, 1);
        // Who asks no more is gone once others want the place, also where each comes from a place of its own.
        let devices = Devices::default();
        let begin = |place: &str, now: Timestamp| devices.begin("weir", "x", None, place.to_owned(), now);
        for number in 0..MOST {
            begin(&format!("place {number}"), at(0)).unwrap();
        }
        assert!(begin("ann", at(1)).is_err());
        assert!(begin("ann", at(SILENT.as_secs())).is_ok());
    }
}
