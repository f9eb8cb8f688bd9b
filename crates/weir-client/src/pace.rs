//! The minimum-rate rule: a server that sends a byte now and then ends in a timeout.
//!
//! A limit on each read alone is satisfied by one byte just before it runs out, for ever. Here the time
//! spent *waiting for the network* is added up, and each window of it must have brought enough bytes.
//! Time that the reader spends elsewhere (unpacking, a slow disk) does not count against the server.

use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::options::HttpOptions;

/// Counts what arrives against the time spent waiting for it.
#[derive(Debug)]
pub(crate) struct Pace {
    window: Duration,
    wanted: u64,
    waited: Duration,
    arrived: u64,
}

impl Pace {
    pub(crate) fn new(options: &HttpOptions) -> Self {
        let wanted = u128::from(options.minimum_rate) * options.rate_window.as_millis() / 1000;
        Self {
            window: options.rate_window,
            wanted: wanted.try_into().unwrap_or(u64::MAX),
            waited: Duration::ZERO,
            arrived: 0,
        }
    }

    /// Waits for what `read` brings.
    pub(crate) fn timed(&mut self, read: impl FnOnce() -> Result<usize, Failure>) -> Result<usize, Failure> {
        let asked = Instant::now();
        let result = read();
        if result != Ok(0) {
            self.record(asked.elapsed(), result.as_ref().copied().unwrap_or(0))?;
        }
        result
    }

    /// Notes that `bytes` came after waiting for `waited`.
    fn record(&mut self, waited: Duration, bytes: usize) -> Result<(), Failure> {
        self.waited += waited;
        self.arrived = self.arrived.saturating_add(bytes as u64);
        if self.waited < self.window {
            return Ok(());
        }
        if self.arrived < self.wanted {
            return Err(Failure::Timeout);
        }
        self.waited = Duration::ZERO;
        self.arrived = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Failure, HttpOptions, Pace};

    #[test]
    fn a_byte_a_second_ends_after_one_window_and_a_steady_stream_never() {
        let options = HttpOptions::default();
        let window = options.rate_window.as_secs();
        let second = Duration::from_secs(1);

        let mut dripping = Pace::new(&options);
        let seconds = (1..).find(|_| dripping.record(second, 1) == Err(Failure::Timeout));
        assert_eq!(seconds, Some(window));

        let mut steady = Pace::new(&options);
        let rate = usize::try_from(options.minimum_rate).unwrap();
        assert!((0..100 * window).all(|_| steady.record(second, rate).is_ok()));
    }
}
