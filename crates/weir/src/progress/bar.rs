//! One piece of work on one line: what it is, how far it is, how fast it goes, and how long it takes still.
//!
//! ```text
//! ⠋ Fetching 3 releases ━━━━━━━━━╸                45.2 MiB of 116.0 MiB, 12.3 MiB/s, 6 s left
//! ```
//!
//! Where there is no room, what matters least is left out first: the bar, then the rate, then how much there is.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use unicode_width::UnicodeWidthStr as _;
use weir_reach::Amount;

use crate::output::{bytes, count, cut, duration};

/// The widest bar, in columns, and the narrowest that tells anything.
const WIDEST_BAR: usize = 24;
const NARROWEST_BAR: usize = 8;

/// A piece of work under way.
#[derive(Debug)]
pub(super) struct Bar {
    what: String,
    amount: Amount,
    done: u64,
    began: Instant,
    pace: Pace,
}

impl Bar {
    pub(super) fn new(what: String, amount: Amount) -> Self {
        Self { what, amount, done: 0, began: Instant::now(), pace: Pace::default() }
    }

    pub(super) fn advance(&mut self, by: u64) {
        self.done = self.done.saturating_add(by);
    }

    pub(super) fn set_back(&mut self, by: u64) {
        self.done = self.done.saturating_sub(by);
        self.pace = Pace::default();
    }

    pub(super) fn grow(&mut self, by: u64) {
        match &mut self.amount {
            Amount::Bytes(all) | Amount::Records(all) => *all = all.saturating_add(by),
            Amount::Unknown => {}
        }
    }

    /// The line, of at most `columns`.
    pub(super) fn line(&mut self, columns: usize, spinner: char) -> String {
        self.pace.note(self.began.elapsed(), self.done);
        self.line_at(columns, spinner, self.pace.per_second())
    }

    fn line_at(&self, columns: usize, spinner: char, rate: Option<u64>) -> String {
        let begin = format!("{spinner} {}", self.what);
        let endings = self.endings(rate);
        let fits = |ending: &&String| begin.width() + 1 + ending.width() <= columns;
        let Some(ending) = endings.iter().find(fits).or(endings.last()) else { return cut(&begin, columns) };
        let room = columns.saturating_sub(begin.width() + ending.width() + 2);
        if let Some(share) = self.share()
            && room >= NARROWEST_BAR
        {
            return format!("{begin} {} {ending}", drawn(share, room.min(WIDEST_BAR)));
        }
        // As much as there is room for of what it is called; how far it is goes first.
        let room = columns.saturating_sub(ending.width() + 1);
        if room < 4 { cut(ending, columns) } else { format!("{} {ending}", cut(&begin, room)) }
    }

    /// Ways to say how far it is, the longest first. Nothing where nobody knows.
    fn endings(&self, rate: Option<u64>) -> Vec<String> {
        let said = |number: u64| match self.amount {
            Amount::Records(_) => number.to_string(),
            Amount::Unknown | Amount::Bytes(_) => bytes(number),
        };
        let fast = rate.map(|rate| match self.amount {
            Amount::Records(_) => format!(", {rate}/s"),
            Amount::Unknown | Amount::Bytes(_) => format!(", {}/s", bytes(rate)),
        });
        let fast = fast.unwrap_or_default();
        let all = match self.amount {
            Amount::Unknown | Amount::Bytes(0) | Amount::Records(0) if self.done == 0 => return Vec::new(),
            Amount::Unknown | Amount::Bytes(0) | Amount::Records(0) => {
                return vec![format!("{}{fast}", said(self.done)), said(self.done)];
            }
            Amount::Bytes(all) | Amount::Records(all) => all,
        };
        let done = self.done.min(all);
        let of = match self.amount {
            Amount::Records(_) => format!("{done} of {}", count(all, "record")),
            _ => format!("{} of {}", said(done), said(all)),
        };
        let left = rate.filter(|rate| *rate > 0 && done < all).map(|rate| (all - done).div_ceil(rate));
        let left = left.map(|seconds| format!(", {} left", duration(seconds))).unwrap_or_default();
        let percent = format!("{} %", u128::from(done) * 100 / u128::from(all));
        vec![format!("{of}{fast}{left}"), format!("{of}{left}"), format!("{percent}{left}"), percent]
    }

    /// How much of it is done, from 0 to 1, if that is known.
    fn share(&self) -> Option<f64> {
        match self.amount {
            Amount::Bytes(all) | Amount::Records(all) if all > 0 => {
                Some((self.done as f64 / all as f64).min(1.0))
            }
            _ => None,
        }
    }
}

/// A bar of so many columns.
pub(super) fn drawn(share: f64, columns: usize) -> String {
    let done = (share * columns as f64) as usize;
    let mut bar = "━".repeat(done);
    if done < columns {
        bar.push('╸');
        bar.push_str(&" ".repeat(columns - done - 1));
    }
    bar
}

/// How fast something goes, by what the last seconds brought.
#[derive(Debug, Default)]
struct Pace {
    seen: VecDeque<(Duration, u64)>,
}

impl Pace {
    /// How long is looked back.
    const WINDOW: Duration = Duration::from_secs(5);
    /// What less than this brought tells nothing.
    const SOONEST: Duration = Duration::from_millis(400);

    fn note(&mut self, at: Duration, done: u64) {
        self.seen.push_back((at, done));
        while self.seen.get(1).is_some_and(|(second, _)| at.saturating_sub(*second) >= Self::WINDOW) {
            self.seen.pop_front();
        }
    }

    fn per_second(&self) -> Option<u64> {
        let ((from, before), (to, now)) = (self.seen.front()?, self.seen.back()?);
        let took = to.saturating_sub(*from);
        if took < Self::SOONEST {
            return None;
        }
        u64::try_from(u128::from(now.saturating_sub(*before)) * 1000 / took.as_millis()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn half_done(amount: Amount) -> Bar {
        let mut bar = Bar::new("Fetching 3 releases and 2 references".into(), amount);
        bar.advance(58 * MIB);
        bar
    }

    #[test]
    fn what_matters_least_is_left_out_where_there_is_no_room() {
        let bar = half_done(Amount::Bytes(116 * MIB));
        let line = |columns| bar.line_at(columns, '*', Some(8 * MIB));
        assert_eq!(
            line(120),
            "* Fetching 3 releases and 2 references ━━━━━━━━━━━━╸            58.0 MiB of 116.0 MiB, 8.0 MiB/s, 8 s left"
        );
        assert_eq!(
            line(86),
            "* Fetching 3 releases and 2 references 58.0 MiB of 116.0 MiB, 8.0 MiB/s, 8 s left"
        );
        assert_eq!(line(75), "* Fetching 3 releases and 2 references 58.0 MiB of 116.0 MiB, 8 s left");
        assert_eq!(line(55), "* Fetching 3 releases and 2 references 50 %, 8 s left");
        assert_eq!(line(45), "* Fetching 3 releases and 2 references 50 %");
        assert_eq!(line(20), "* Fetching 3 r… 50 %");
        assert_eq!(line(4), "50 %");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let amounts = [
            Amount::Unknown,
            Amount::Bytes(0),
            Amount::Bytes(116 * MIB),
            Amount::Bytes(1),
            Amount::Records(9),
        ];
        for amount in amounts {
            for columns in 0..=300 {
                for rate in [None, Some(0), Some(1), Some(MIB)] {
                    let line = half_done(amount).line_at(columns, '*', rate);
                    assert!(line.width() <= columns.max(1), "{columns}: {line}");
                }
            }
        }
    }

    #[test]
    fn what_nobody_knows_the_length_of_says_how_much_there_is() {
        assert_eq!(
            half_done(Amount::Unknown).line_at(80, '*', Some(MIB)),
            "* Fetching 3 releases and 2 references 58.0 MiB, 1.0 MiB/s"
        );
        let resolving = Bar::new("Resolving".into(), Amount::Unknown);
        assert_eq!(resolving.line_at(80, '*', None), "* Resolving");
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut pace = Pace::default();
        for second in 0..20 {
            pace.note(Duration::from_secs(second), second * 10);
        }
        assert_eq!(pace.per_second(), Some(10));
        for second in 20..40 {
            pace.note(Duration::from_secs(second), 190);
        }
        assert_eq!(pace.per_second(), Some(0));
    }
}
