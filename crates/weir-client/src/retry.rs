//! Trying again, a bounded number of times, with pauses that grow and differ between clients.

use std::hash::{BuildHasher, RandomState};
use std::thread;
use std::time::Duration;

use crate::failure::Failure;
use crate::options::HttpOptions;

/// Attempts made at one thing.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    made: u32,
}

impl Retries {
    /// After a failed attempt: pauses and returns if there shall be another, or gives `failure` back.
    pub(crate) fn after(&mut self, failure: Failure, options: &HttpOptions) -> Result<(), Failure> {
        let cost = match failure {
            // Waiting it out has cost the patience for two; and who is not there seldom comes back.
            Failure::Stalled | Failure::Unreachable(_) | Failure::Proxy { .. } => 2,
            _ => 1,
        };
        self.made = self.made.saturating_add(cost);
        if !failure.is_passing() || self.made >= options.attempts {
            return Err(failure);
        }
        let asked = match failure {
            Failure::Status { retry_after: Some(seconds), .. } => Duration::from_secs(seconds),
            _ => Duration::ZERO,
        };
        thread::sleep(self.pause(options).max(asked).min(options.longest_pause));
        Ok(())
    }

    /// The last attempt made progress: the next failure is a first one.
    pub(crate) fn progressed(&mut self) {
        self.made = 0;
    }

    /// Doubles with each attempt; half of it is chance, so that clients that failed together do not
    /// come back together.
    fn pause(&self, options: &HttpOptions) -> Duration {
        let doubled = 2_u32.saturating_pow(self.made.saturating_sub(1).min(16));
        let whole = options.first_pause.saturating_mul(doubled).min(options.longest_pause);
        let chance = (RandomState::new().hash_one(self.made) % 1024) as u32;
        whole / 2 + whole / 2 * chance / 1024
    }
}

/// Calls `attempt` until it succeeds, fails for good, or was tried as often as the options allow.
pub(crate) fn retrying<T>(
    options: &HttpOptions,
    mut attempt: impl FnMut() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut retries = Retries::default();
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(failure) => retries.after(failure, options)?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Failure, HttpOptions, Retries, retrying};

    fn quick() -> HttpOptions {
        HttpOptions { attempts: 4, first_pause: Duration::from_micros(1), ..HttpOptions::default() }
    }

    #[test]
    fn passing_failures_are_tried_as_often_as_allowed_and_others_once() {
        for (failure, expected) in [
            (Failure::Connection("reset".into()), 4),
            (Failure::Status { status: 503, retry_after: None }, 4),
            (Failure::Status { status: 403, retry_after: None }, 1),
            (Failure::Stalled, 2),
            (Failure::Unreachable("refused".into()), 2),
            (Failure::Timeout, 1),
            (Failure::TooLarge { limit: 1 }, 1),
        ] {
            let mut tried = 0;
            let result: Result<(), _> = retrying(&quick(), || {
                tried += 1;
                Err(failure.clone())
            });
            assert_eq!((result, tried), (Err(failure), expected));
        }
    }

    #[test]
    fn pauses_grow_and_stay_below_the_longest() {
        let options = HttpOptions::default();
        for made in 1..40 {
            let pause = Retries { made }.pause(&options);
            assert!(pause >= options.first_pause / 2 && pause <= options.longest_pause, "{made}: {pause:?}");
        }
        assert!(Retries { made: 40 }.pause(&options) >= options.longest_pause / 2);
    }
}
