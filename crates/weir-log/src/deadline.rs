//! How long to wait for others: as long as they get on.

use std::time::{Duration, Instant};

/// Waits for something that others hold, and gives up when nothing has changed for too long.
///
/// A bound on the whole wait would make the length of the queue an error: a hundred writers on a slow disk are
/// served one after another, and the last waits for all of them.
pub(crate) struct Deadline<T> {
    longest: Duration,
    since: Instant,
    seen: T,
}

impl<T: PartialEq> Deadline<T> {
    /// From `now` on, `longest` for each change of what is `seen` now.
    pub(crate) fn new(longest: Duration, now: Instant, seen: T) -> Self {
        Self { longest, since: now, seen }
    }

    /// Whether it has run out by `now`. What is seen `latest` is asked only when it would have.
    pub(crate) fn is_over(&mut self, now: Instant, latest: impl FnOnce() -> T) -> bool {
        if now.duration_since(self.since) < self.longest {
            return false;
        }
        let latest = latest();
        if latest == self.seen {
            return true;
        }
        (self.since, self.seen) = (now, latest);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{Deadline, Duration, Instant};

    #[test]
    fn it_runs_out_when_nothing_has_changed_and_begins_anew_when_something_has() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut deadline = Deadline::new(Duration::from_secs(60), start, 1);
        assert!(!deadline.is_over(at(59), || panic!("it is not time to look")));
        assert!(!deadline.is_over(at(60), || 2));
        assert!(!deadline.is_over(at(119), || panic!("it is not time to look")));
        assert!(!deadline.is_over(at(130), || 3));
        assert!(deadline.is_over(at(190), || 3));
    }
}
