//! Builds under way on a terminal: a line for each, a line for what waits if that is little, and a bar.
//!
//! ```text
//! ⠋ base/curl 8.14.1    release: build       12 s  [ 43%] Building C object lib/altsvc.c.o
//! ⠋ base/libpng 1.6.43  debug: configure      3 s  -- Looking for sys/types.h
//!   base/poco 1.13.3 waits for base/curl
//! ━━━━━━━━━━━━━━━━╸        10/13 built, 2 running, 1 waiting
//! ```

use std::collections::BTreeMap;

use clap::builder::styling::Style;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use weir_model::ReleaseId;
use weir_reach::PlannedBuild;

use super::TICK;
use super::tally::Tally;
use crate::output::{duration, harmless, short};

/// The lines of a build: name, phase, how long, and what it printed last.
const BUILD: &str = "{spinner} {prefix} {took:>9}  {wide_msg}";
const WAITING: &str = "  {wide_msg}";
const SUMMARY: &str = "{bar:24} {msg}";

/// Room for the names of phases, such as `release: configure`.
const PHASE: usize = 18;

/// The lines on the terminal, and what they tell of.
#[derive(Debug)]
pub(super) struct Board {
    tally: Tally,
    multi: MultiProgress,
    running: BTreeMap<ReleaseId, ProgressBar>,
    waiting: Vec<ProgressBar>,
    summary: ProgressBar,
    faint: Style,
    width: usize,
}

impl Board {
    /// Nothing is drawn before [`Self::appear`].
    pub(super) fn new(planned: &[PlannedBuild], faint: Style) -> Self {
        let tally = Tally::new(planned);
        let multi = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let summary = multi.add(styled(ProgressBar::new(0), SUMMARY));
        let width = tally.widest();
        let mut board =
            Self { tally, multi, running: BTreeMap::new(), waiting: Vec::new(), summary, faint, width };
        board.refresh();
        board
    }

    pub(super) fn appear(&self) {
        self.multi.set_draw_target(ProgressDrawTarget::stderr());
    }

    pub(super) fn begin(&mut self, release: &ReleaseId) {
        self.tally.begin(release);
        self.width = self.width.max(self.tally.widest());
        let bar = styled(ProgressBar::no_length(), BUILD);
        let bar = self.multi.insert_before(self.waiting.first().unwrap_or(&self.summary), bar);
        bar.set_prefix(self.label(release, ""));
        bar.enable_steady_tick(TICK);
        self.running.insert(release.clone(), bar);
        self.refresh();
    }

    pub(super) fn phase(&self, release: &ReleaseId, phase: &str) {
        if let Some(bar) = self.running.get(release) {
            bar.set_prefix(self.label(release, phase));
        }
    }

    pub(super) fn line(&self, release: &ReleaseId, text: &str) {
        if let Some(bar) = self.running.get(release) {
            let faint = self.faint;
            bar.set_message(format!("{faint}{}{faint:#}", harmless(text)));
        }
    }

    pub(super) fn built(&mut self, release: &ReleaseId) {
        self.tally.built(release);
        self.end(release);
    }

    pub(super) fn failed(&mut self, release: &ReleaseId) {
        self.tally.failed(release);
        self.end(release);
    }

    /// Whether there is nothing more to tell of.
    pub(super) fn is_over(&self) -> bool {
        self.tally.is_over()
    }

    /// What is drawn; it can be asked to make room for a line that stays.
    pub(super) fn multi(&self) -> MultiProgress {
        self.multi.clone()
    }

    pub(super) fn clear(self) {
        for bar in self.running.values().chain(&self.waiting).chain([&self.summary]) {
            bar.finish_and_clear();
        }
        // Bars that were cleared leave nothing; that the terminal is gone hurts nobody.
        let _ = self.multi.clear();
    }

    fn end(&mut self, release: &ReleaseId) {
        if let Some(bar) = self.running.remove(release) {
            bar.finish_and_clear();
            self.multi.remove(&bar);
        }
        self.refresh();
    }

    /// Name and phase, in columns.
    fn label(&self, release: &ReleaseId, phase: &str) -> String {
        format!("{:width$}  {phase:PHASE$}", short(release), width = self.width)
    }

    fn refresh(&mut self) {
        let waits = self.tally.waits();
        while self.waiting.len() > waits.len() {
            if let Some(bar) = self.waiting.pop() {
                bar.finish_and_clear();
                self.multi.remove(&bar);
            }
        }
        while self.waiting.len() < waits.len() {
            let bar = styled(ProgressBar::no_length(), WAITING);
            self.waiting.push(self.multi.insert_before(&self.summary, bar));
        }
        let faint = self.faint;
        for (bar, text) in self.waiting.iter().zip(waits) {
            bar.set_message(format!("{faint}{text}{faint:#}"));
        }
        self.summary.set_length(self.tally.total() as u64);
        self.summary.set_position(self.tally.ended() as u64);
        self.summary.set_message(self.tally.summary());
    }
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    let Ok(style) = ProgressStyle::with_template(template) else { return bar };
    let took = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let _ = write!(out, "{}", duration(state.elapsed().as_secs()));
    };
    bar.with_style(style.progress_chars("━╸ ").with_key("took", took))
}
