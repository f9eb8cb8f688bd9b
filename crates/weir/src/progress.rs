//! What is happening just now, on stderr, if a person is looking.
//!
//! Nothing is drawn before something has taken longer than [`PATIENCE`], so that quick commands
//! neither flicker nor pay for it. The first event also begins to listen for Ctrl-C, for only what
//! takes long can be interrupted: the bar is taken away, builds end and remove what is half done, and
//! the exit code is 130. Nothing else is ever half-written; that is the libraries' promise and needs
//! no help from here.
//!
//! Builds have a [board](board::Board) of their own, with a line each; and where no person is looking, a line when
//! one begins and a line when it ends, since a build may take an hour.

mod board;
mod tally;

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use weir_model::{Observer, ReleaseId};
use weir_reach::{Event, Interrupt, PlannedBuild};

use crate::failure::Exit;
use crate::output::{Output, bytes, count, duration, harmless, short};
use board::Board;

/// How long something may take before it is worth a line on the screen.
const PATIENCE: Duration = Duration::from_millis(150);
const TICK: Duration = Duration::from_millis(100);

/// How long builds have to end and tidy up when the program is interrupted. What is left then goes with the next build.
const TIDYING: Duration = Duration::from_secs(20);
/// Columns from which on a line with a bar fits into one.
const ROOM_FOR_A_BAR: usize = 80;

/// Shows events as they happen.
pub(crate) struct Progress {
    output: Output,
    /// Whether a person is looking.
    live: bool,
    /// What Ctrl-C stops.
    interrupt: Interrupt,
}

/// The bar, if there is one, shared with whoever else writes to the terminal: they take it away first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Screen(Arc<Mutex<Shown>>);

#[derive(Debug, Default)]
struct Shown {
    bar: Option<ProgressBar>,
    /// Builds under way. While it is there, nothing else is drawn.
    board: Option<Board>,
    begun: bool,
    /// Whether patience has run out.
    visible: bool,
}

impl Progress {
    pub(crate) fn new(output: &Output, interrupt: &Interrupt) -> Self {
        let live = std::io::stderr().is_terminal() && !output.quiet;
        Self { output: output.clone(), live, interrupt: interrupt.clone() }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.output.screen.lock()
    }

    fn begin(&self) {
        let mut shown = self.shown();
        if shown.begun {
            return;
        }
        shown.begun = true;
        stop_on_interrupt(Arc::downgrade(&self.output.screen.0), self.interrupt.clone());
        if self.live {
            let screen = Arc::downgrade(&self.output.screen.0);
            // Without the thread there is no bar, and nothing else is lost.
            let _ = thread::Builder::new().name("patience".into()).spawn(move || {
                thread::sleep(PATIENCE);
                if let Some(screen) = screen.upgrade() {
                    Screen(screen).lock().appear();
                }
            });
        }
    }

    /// Something of unknown length begins.
    fn spin(&self, what: &str) {
        self.show(ProgressBar::no_length(), "{spinner} {msg}", what);
    }

    /// Something of so many bytes begins.
    fn count_bytes(&self, what: &str, bytes: u64) {
        let template = if self.output.stderr_width().is_some_and(|columns| columns < ROOM_FOR_A_BAR) {
            "{spinner} {msg} {binary_bytes} of {binary_total_bytes}"
        } else {
            "{spinner} {msg} {bar:24} {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}"
        };
        self.show(ProgressBar::new(bytes), template, what);
    }

    fn show(&self, bar: ProgressBar, template: &str, what: &str) {
        if !self.live {
            return;
        }
        bar.set_draw_target(ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸ "));
        }
        bar.set_message(harmless(what).into_owned());
        let mut shown = self.shown();
        if shown.board.is_some() {
            return;
        }
        shown.clear();
        shown.bar = Some(bar);
        if shown.visible {
            shown.appear();
        }
    }

    fn advance(&self, bytes: u64) {
        if let Some(bar) = &self.shown().bar {
            bar.inc(bytes);
        }
    }

    fn done(&self) {
        self.shown().clear_bar();
    }

    /// A line that stays.
    fn say(&self, text: &str) {
        // Whoever draws makes room with the lock given back, for it draws what others change meanwhile.
        let (bar, multi) = {
            let shown = self.shown();
            (shown.bar.clone(), shown.board.as_ref().map(Board::multi))
        };
        match (multi, bar) {
            (Some(multi), _) => multi.suspend(|| self.output.write_note(text)),
            (None, Some(bar)) => bar.suspend(|| self.output.write_note(text)),
            (None, None) => self.output.write_note(text),
        }
    }

    fn say_if_verbose(&self, text: impl FnOnce() -> String) {
        if self.output.verbose {
            self.say(&text());
        }
    }
}

/// Builds.
impl Progress {
    fn plan_builds(&self, planned: &[PlannedBuild]) {
        let mut shown = self.shown();
        shown.clear();
        self.open_board(&mut shown, planned);
    }

    fn open_board(&self, shown: &mut Shown, planned: &[PlannedBuild]) {
        if self.live {
            shown.board = Some(Board::new(planned, self.output.stderr_palette().faint));
            if shown.visible {
                shown.appear();
            }
        }
    }

    fn begin_build(&self, release: &ReleaseId) {
        let mut shown = self.shown();
        if shown.board.is_none() {
            shown.clear();
            self.open_board(&mut shown, &[]);
        }
        match &mut shown.board {
            Some(board) => board.begin(release),
            None => {
                drop(shown);
                self.say(&format!("Building `{}`", short(release)));
            }
        }
    }

    fn on_board(&self, change: impl FnOnce(&mut Board)) {
        if let Some(board) = &mut self.shown().board {
            change(board);
        }
    }

    fn end_build(&self, text: Option<String>, change: impl FnOnce(&mut Board)) {
        let mut shown = self.shown();
        if let Some(board) = &mut shown.board {
            change(board);
            if board.is_over() {
                shown.clear();
            }
        }
        drop(shown);
        if let Some(text) = text {
            self.say(&text);
        }
    }

    fn build_event(&self, event: &Event) {
        match event {
            Event::BuildsPlanned { builds } => self.plan_builds(builds),
            Event::Building { release } => self.begin_build(release),
            Event::BuildPhase { release, phase } => {
                self.on_board(|board| board.phase(release, phase));
                self.say_if_verbose(|| format!("{}: == {phase}", release.name));
            }
            Event::BuildLines { release, lines } => {
                if let Some(last) = lines.last() {
                    self.on_board(|board| board.line(release, last));
                }
                let line = |line: &String| format!("{}: {}", release.name, harmless(line));
                self.say_if_verbose(|| lines.iter().map(line).collect::<Vec<_>>().join("\n"));
            }
            Event::Built { release, seconds } => {
                let good = self.output.stderr_palette().good;
                let text = match seconds {
                    Some(seconds) => {
                        Some(format!("{good}Built{good:#} `{}` in {}", short(release), duration(*seconds)))
                    }
                    // The plan has said so.
                    None => self.output.verbose.then(|| format!("Built before: `{}`", short(release))),
                };
                self.end_build(text, |board| board.built(release));
            }
            Event::BuildFailed { release, blocks } => {
                let bad = self.output.stderr_palette().bad;
                let blocked = match blocks {
                    0 => String::new(),
                    blocks => format!("; {} cannot be built without it", count(*blocks, "other")),
                };
                let text = format!("{bad}Failed{bad:#} to build `{}`{blocked}", short(release));
                self.end_build(Some(text), |board| board.failed(release));
            }
            _ => {}
        }
    }
}

impl Observer<Event> for Progress {
    fn wants_every_event(&self) -> bool {
        self.output.verbose && !self.output.quiet
    }

    fn event(&self, event: &Event) {
        if let Event::Warning { text } = event {
            let warning = self.output.stderr_palette().warning;
            self.say(&format!("{warning}warning:{warning:#} {}", harmless(text)));
            return;
        }
        self.begin();
        match event {
            Event::Syncing { registry } => self.spin(&format!("Syncing `{}`", harmless(registry))),
            Event::Synced { registry, before, after } => {
                self.done();
                self.say_if_verbose(|| {
                    let new = count(after.saturating_sub(*before), "new record");
                    format!("Synced `{}`: {new}, {after} in all", harmless(registry))
                });
            }
            Event::Resolving => self.spin("Resolving"),
            Event::Resolved { packages } => {
                self.done();
                self.say_if_verbose(|| format!("Resolved {}", count(*packages, "package")));
            }
            Event::Fetching { releases, bytes } => {
                self.count_bytes(&format!("Fetching {}", count(*releases, "release")), *bytes);
            }
            Event::FetchedBytes { bytes } => self.advance(*bytes),
            Event::Fetched { release } => self.say_if_verbose(|| format!("Fetched `{release}`")),
            Event::Referencing { name, bytes } => match bytes {
                Some(bytes) => self.count_bytes(&format!("Fetching `{name}`"), *bytes),
                None => self.spin(&format!("Fetching `{name}`")),
            },
            Event::LayingOut { packages } => {
                self.spin(&format!("Laying out {}", count(*packages, "package")));
            }
            Event::Packing { files, bytes: _ } => self.spin(&format!("Packing {}", count(*files, "file"))),
            Event::Uploading { bytes } => self.count_bytes("Uploading", *bytes),
            Event::Publishing { releases } => {
                self.spin(&format!("Publishing {}", count(*releases, "release")));
            }
            Event::Verifying { files: 0, bytes: 0 } => self.spin("Verifying the store"),
            Event::Verifying { files: 0, bytes: size } => self.spin(&format!("Verifying {}", bytes(*size))),
            Event::Verifying { files, bytes } => {
                self.count_bytes(&format!("Verifying {}", count(*files, "file")), *bytes);
            }
            Event::Verified { files: _, bytes } => self.advance(*bytes),
            Event::BuildsPlanned { .. }
            | Event::Building { .. }
            | Event::BuildPhase { .. }
            | Event::BuildLines { .. }
            | Event::Built { .. }
            | Event::BuildFailed { .. } => self.build_event(event),
            Event::Warning { .. } => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.shown().clear();
    }
}

impl Screen {
    /// Takes the bar away, since something else is to be written.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    fn appear(&mut self) {
        self.visible = true;
        if let Some(bar) = &self.bar {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.enable_steady_tick(TICK);
        }
        if let Some(board) = &self.board {
            board.appear();
        }
    }

    fn clear(&mut self) {
        self.clear_bar();
        if let Some(board) = self.board.take() {
            board.clear();
        }
    }

    fn clear_bar(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Whether the program was interrupted, and is about to end.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Does not return once the program was interrupted: what fails because of that is not what it ends with.
pub(crate) fn wait_if_interrupted() {
    while INTERRUPTED.load(Ordering::Acquire) {
        std::thread::park();
    }
}

fn stop_on_interrupt(screen: Weak<Mutex<Shown>>, interrupt: Interrupt) {
    // Whoever is first listens; without a listener the signal ends the program all the same.
    let _ = ctrlc::set_handler(move || {
        // Who asks twice does not want to wait.
        if INTERRUPTED.swap(true, Ordering::AcqRel) {
            end();
        }
        // The lock is held for moments only; a program that is to end does not wait for more.
        if let Some(screen) = screen.upgrade()
            && let Ok(mut shown) = screen.try_lock()
        {
            shown.clear();
        }
        interrupt.ask();
        let interrupt = interrupt.clone();
        // In a thread of its own, so that the next signal is heard.
        let tidying = thread::Builder::new().name("tidying".into()).spawn(move || {
            interrupt.wait(TIDYING);
            end();
        });
        if tidying.is_err() {
            end();
        }
    });
}

/// Ends the program, which was interrupted.
fn end() -> ! {
    weir_build::end_uncontained();
    let _ =
        writeln!(std::io::stderr(), "Interrupted. Nothing is half done: the same command goes on from here.");
    std::process::exit(Exit::Interrupted as i32);
}
