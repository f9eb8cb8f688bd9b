//! Builds under way on a terminal: a line for each, a line for what waits if that is little, and a bar.
//!
//! ```text
//! ⠋ base/curl 8.14.1    release: build       12 s  [ 43%] Building C object lib/altsvc.c.o
//! ⠋ base/libpng 1.6.43  debug: configure      3 s  -- Looking for sys/types.h
//!   base/poco 1.13.3 waits for base/curl
//! ━━━━━━━━━━━━━━━━╸        10/13 built, 2 running, 1 waiting
//! ```

use std::collections::BTreeMap;
use std::time::Instant;

use clap::builder::styling::Style;
use unicode_width::UnicodeWidthStr as _;
use weir_model::ReleaseId;
use weir_reach::PlannedBuild;

use super::bar::drawn;
use super::tally::Tally;
use crate::output::{cut, duration, harmless, short};

/// Columns of the bar.
const BAR: usize = 24;

/// Room for the names of phases, such as `release: configure`.
const PHASE: usize = 18;

/// Columns that what a build printed last needs to tell anything.
const TELLING: usize = 12;

/// Builds, and what is drawn of them.
#[derive(Debug)]
pub(super) struct Board {
    tally: Tally,
    running: BTreeMap<ReleaseId, Running>,
    faint: Style,
}

#[derive(Debug)]
struct Running {
    began: Instant,
    phase: String,
    printed: String,
}

impl Board {
    pub(super) fn new(planned: &[PlannedBuild], faint: Style) -> Self {
        Self { tally: Tally::new(planned), running: BTreeMap::new(), faint }
    }

    pub(super) fn begin(&mut self, release: &ReleaseId) {
        self.tally.begin(release);
        let running = Running { began: Instant::now(), phase: String::new(), printed: String::new() };
        self.running.insert(release.clone(), running);
    }

    pub(super) fn phase(&mut self, release: &ReleaseId, phase: &str) {
        if let Some(running) = self.running.get_mut(release) {
            running.phase = harmless(phase).into_owned();
        }
    }

    pub(super) fn printed(&mut self, release: &ReleaseId, text: &str) {
        if let Some(running) = self.running.get_mut(release) {
            running.printed = harmless(text).into_owned();
        }
    }

    pub(super) fn built(&mut self, release: &ReleaseId) {
        self.tally.built(release);
        self.running.remove(release);
    }

    pub(super) fn failed(&mut self, release: &ReleaseId) {
        self.tally.failed(release);
        self.running.remove(release);
    }

    /// Whether there is nothing more to tell of.
    pub(super) fn is_over(&self) -> bool {
        self.tally.is_over()
    }

    /// What is drawn, on at most `rows` lines of at most `columns`: the last is how far all of it is.
    pub(super) fn lines(&self, columns: usize, rows: usize, spinner: char) -> Vec<String> {
        let faint = self.faint;
        let mut lines: Vec<String> = self
            .running
            .iter()
            .map(|(release, running)| self.line(release, running, columns, spinner))
            .collect();
        let waits = self.tally.waits();
        lines.extend(
            waits.iter().map(|text| format!("{faint}{}{faint:#}", cut(&format!("  {text}"), columns))),
        );
        lines.truncate(rows.saturating_sub(1));
        lines.push(self.summary(columns));
        lines
    }

    fn line(&self, release: &ReleaseId, running: &Running, columns: usize, spinner: char) -> String {
        let (faint, width) = (self.faint, self.tally.widest());
        let (name, phase) = (short(release), &running.phase);
        let took = duration(running.began.elapsed().as_secs());
        let begin = format!("{spinner} {name:width$}  {phase:PHASE$} {took:>9}");
        let room = columns.saturating_sub(begin.width() + 2);
        if room < TELLING {
            return cut(&format!("{spinner} {name}  {phase}  {took}"), columns);
        }
        format!("{begin}  {faint}{}{faint:#}", cut(&running.printed, room))
    }

    fn summary(&self, columns: usize) -> String {
        let said = self.tally.summary();
        let share = self.tally.ended() as f64 / self.tally.total().max(1) as f64;
        match BAR + 1 + said.width() <= columns {
            true => format!("{} {said}", drawn(share, BAR)),
            false => cut(&said, columns),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::builder::styling::Style;
    use unicode_width::UnicodeWidthStr as _;
    use weir_model::{Platform, ReleaseId};
    use weir_reach::PlannedBuild;

    use super::Board;

    fn id(name: &str) -> ReleaseId {
        ReleaseId {
            name: format!("base/{name}").parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            platform: Platform::any(),
            revision: 0,
        }
    }

    #[test]
    fn a_board_fits_a_terminal_of_any_size() {
        let planned =
            ["zlib", "curl", "poco"].map(|name| PlannedBuild { release: id(name), needs: Vec::new() });
        let mut board = Board::new(&planned, Style::new());
        for name in ["zlib", "curl"] {
            board.begin(&id(name));
            board.phase(&id(name), "release: configure");
            board.printed(&id(name), &"-- Looking for sys/types.h ".repeat(20));
        }
        for columns in 20..=300 {
            for rows in [1, 2, 3, 50] {
                let lines = board.lines(columns, rows, '*');
                assert!(lines.len() <= rows);
                assert!(lines.iter().all(|line| line.width() <= columns), "{columns}: {lines:?}");
            }
        }
        assert_eq!(
            board.lines(70, 50, '*'),
            [
                "* base/curl 1.0.0  release: configure       0 s  -- Looking for sys/t…",
                "* base/zlib 1.0.0  release: configure       0 s  -- Looking for sys/t…",
                "  base/poco 1.0.0 waits for its turn",
                "╸                        0/3 built, 2 running, 1 waiting",
            ]
        );
    }
}
