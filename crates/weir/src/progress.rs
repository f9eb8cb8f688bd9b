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

mod bar;
mod board;
mod screen;
mod tally;

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use weir_model::{Observer, ReleaseId};
use weir_reach::{Amount, Event, Interrupt, PlannedBuild, Work};

use crate::failure::Exit;
use crate::output::{Output, count, duration, harmless, short, told};
use crate::settings;
use bar::Bar;
use board::Board;

/// How long something may take before it is worth a line on the screen.
const PATIENCE: Duration = Duration::from_millis(150);
/// How often what is on the screen is drawn.
const TICK: Duration = Duration::from_millis(100);
const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// How long builds have to end and tidy up when the program is interrupted. What is left then goes with the next build.
const TIDYING: Duration = Duration::from_secs(20);
/// A terminal that does not say how large it is.
const USUAL_SIZE: (usize, usize) = (80, 24);

/// Shows events as they happen.
pub(crate) struct Progress {
    output: Output,
    /// Whether a person is looking.
    live: bool,
    /// What Ctrl-C stops.
    interrupt: Interrupt,
}

/// What is drawn, if anything is, shared with whoever else writes to the terminal: they take it away first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Screen(Arc<Mutex<Shown>>);

#[derive(Debug, Default)]
struct Shown {
    bar: Option<Bar>,
    /// Builds under way. While it is there, nothing else is drawn.
    board: Option<Board>,
    begun: bool,
    /// Whether patience has run out.
    visible: bool,
    /// Whether something is on the screen just now.
    drawn: bool,
    /// How often it was drawn.
    ticks: usize,
    /// The warnings that were given: what is found out twice is told once.
    warned: BTreeSet<String>,
}

impl Progress {
    pub(crate) fn new(output: &Output, interrupt: &Interrupt) -> Self {
        let live = std::io::stderr().is_terminal() && !settings::is_dumb() && !output.quiet;
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
            // Without the thread nothing is drawn, and nothing else is lost.
            let _ = thread::Builder::new().name("progress".into()).spawn(move || draw_now_and_then(&screen));
        }
    }

    /// Work begins.
    fn start(&self, what: &str, amount: Amount) {
        let mut shown = self.shown();
        if self.live && shown.board.is_none() {
            shown.bar = Some(Bar::new(harmless(what).into_owned(), amount));
        }
    }

    fn on_bar(&self, change: impl FnOnce(&mut Bar)) {
        if let Some(bar) = &mut self.shown().bar {
            change(bar);
        }
    }

    fn done(&self) {
        let mut shown = self.shown();
        shown.bar = None;
        if shown.board.is_none() {
            shown.clear();
        }
    }

    /// A line that stays.
    fn say(&self, text: &str) {
        let mut shown = self.shown();
        shown.wipe();
        self.output.write_note(text);
        shown.draw();
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
                    self.on_board(|board| board.printed(release, last));
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
            if !self.shown().warned.insert(text.clone()) {
                return;
            }
            let warning = self.output.stderr_palette().warning;
            self.say(&format!("{warning}warning:{warning:#} {}", harmless(&told(text))));
            return;
        }
        self.begin();
        match event {
            Event::Began { work, amount } => {
                GOES_ON.store(goes_on(work), Ordering::Release);
                self.start(&said(work), *amount);
            }
            Event::Advanced { by } => self.on_bar(|bar| bar.advance(*by)),
            Event::SetBack { by } => self.on_bar(|bar| bar.set_back(*by)),
            Event::Grown { by } => self.on_bar(|bar| bar.grow(*by)),
            Event::Ended => self.done(),
            Event::Synced { registry, before, after } => {
                self.done();
                self.say_if_verbose(|| {
                    let new = count(after.saturating_sub(*before), "new record");
                    format!("Synced `{}`: {new}, {after} in all", harmless(registry))
                });
            }
            Event::Resolved { packages } => {
                self.done();
                self.say_if_verbose(|| format!("Resolved {}", count(*packages, "package")));
            }
            Event::Fetched { release } => self.say_if_verbose(|| format!("Fetched `{release}`")),
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

/// Whether what came of this work is kept where it is stopped in the middle.
fn goes_on(work: &Work) -> bool {
    matches!(work, Work::Fetching { .. } | Work::Uploading)
}

/// What is being done, in words.
fn said(work: &Work) -> String {
    match work {
        Work::Syncing { registry } => format!("Syncing `{registry}`"),
        Work::Resolving => "Resolving".into(),
        Work::Fetching { releases, references } => {
            let counted = [(*releases, "release"), (*references, "reference")];
            let counted = counted.into_iter().filter(|(number, _)| *number > 0);
            let counted: Vec<String> = counted.map(|(number, noun)| count(number, noun)).collect();
            format!("Fetching {}", counted.join(" and "))
        }
        Work::LayingOut { packages } => format!("Laying out {}", count(*packages, "package")),
        Work::Reading => "Reading files".into(),
        Work::Packing { files } => format!("Packing {}", count(*files, "file")),
        Work::Uploading => "Uploading".into(),
        Work::Publishing { releases } => format!("Publishing {}", count(*releases, "release")),
        Work::Verifying { objects } => format!("Verifying {}", count(*objects, "object")),
        Work::Collecting => "Removing what nobody uses".into(),
        Work::Sharing => "Sharing equal files".into(),
        Work::Exporting => "Exporting".into(),
        Work::Importing => "Importing".into(),
        Work::Waiting => "Waiting for another process".into(),
    }
}

/// Draws, once patience has run out, until nobody can look any more.
fn draw_now_and_then(screen: &Weak<Mutex<Shown>>) {
    thread::sleep(PATIENCE);
    while let Some(screen) = screen.upgrade() {
        let screen = Screen(screen);
        let mut shown = screen.lock();
        shown.visible = true;
        shown.draw();
        drop(shown);
        drop(screen);
        thread::sleep(TICK);
    }
}

impl Screen {
    /// Takes away what is drawn, since something else is to be written.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    /// Draws what there is to tell, in the place of what is drawn.
    fn draw(&mut self) {
        // Whoever ends the program has the last word.
        if !self.visible || INTERRUPTED.load(Ordering::Acquire) {
            return;
        }
        let spinner = SPINNER[self.ticks % SPINNER.len()];
        let (columns, rows) = size();
        let lines = match (&self.board, &mut self.bar) {
            (Some(board), _) => board.lines(columns, rows, spinner),
            (None, Some(bar)) => vec![bar.line(columns, spinner)],
            (None, None) => return self.wipe(),
        };
        self.ticks += 1;
        self.drawn = true;
        // Nobody is left to tell if the terminal is gone.
        let _ = std::io::stderr().write_all(screen::frame(&lines).as_bytes());
    }

    /// Takes away what is on the screen, which is drawn again soon.
    fn wipe(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = std::io::stderr().write_all(screen::CLEAR.as_bytes());
        }
    }

    /// There is nothing more to tell.
    fn clear(&mut self) {
        self.bar = None;
        self.board = None;
        self.wipe();
    }
}

/// Columns and rows that may be drawn to just now. The last column stays free: some terminals begin a new line after it.
fn size() -> (usize, usize) {
    let size = terminal_size::terminal_size_of(std::io::stderr());
    let size = size.map(|(width, height)| (usize::from(width.0), usize::from(height.0)));
    let (columns, rows) = size.filter(|(columns, rows)| *columns > 0 && *rows > 0).unwrap_or(USUAL_SIZE);
    (columns - 1, rows.saturating_sub(1).max(1))
}

/// Whether the program was interrupted, and is about to end.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Whether what is being done just now goes on where it was stopped, if it is done again.
static GOES_ON: AtomicBool = AtomicBool::new(false);

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
    let mut stderr = std::io::stderr();
    // What was drawn, if whoever drew it was too busy to take it away.
    let clear = if stderr.is_terminal() && !settings::is_dumb() { screen::CLEAR } else { "" };
    let goes_on = if GOES_ON.load(Ordering::Acquire) { ": the same command goes on from here" } else { "" };
    let _ = writeln!(stderr, "{clear}Interrupted. Nothing is half done{goes_on}.");
    std::process::exit(Exit::Interrupted as i32);
}
