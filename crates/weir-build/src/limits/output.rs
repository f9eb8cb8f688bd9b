//! What a step prints: all of it to the log, and its lines to whoever watches.
//!
//! Lines are passed on in batches, so that a build which prints much neither fills the memory nor waits for every
//! line to be shown. Who reads them slower than they come slows the build, as any pipe would.

use std::io::{self, PipeReader, Read as _};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::OFlags;

use weir_model::Observer;

use crate::BuildEvent;
use crate::log::Log;

/// How long what was shown last stands before more is: people cannot read faster.
const SHOWN_FOR: Duration = Duration::from_millis(20);

/// Bytes of lines that are passed on at once, whatever the time.
const BATCH: usize = 64 << 10;

/// How much is read before the clock is looked at.
const READ_AT_ONCE: usize = 4 << 20;

/// The end of a pipe that a step prints to.
pub(super) struct Output<'a> {
    pipe: PipeReader,
    log: &'a mut Log,
    open: bool,
    shown: Shown<'a>,
}

impl<'a> Output<'a> {
    pub(super) fn new(
        pipe: PipeReader,
        log: &'a mut Log,
        observer: &'a dyn Observer<BuildEvent>,
    ) -> io::Result<Self> {
        let flags = rustix::fs::fcntl_getfl(&pipe)?;
        rustix::fs::fcntl_setfl(&pipe, flags | OFlags::NONBLOCK)?;
        Ok(Self { pipe, log, open: true, shown: Shown::new(observer) })
    }

    /// What to wait for, as long as more can come.
    pub(super) fn poll_fd(&self) -> Option<PollFd<'_>> {
        self.open.then(|| PollFd::new(&self.pipe, PollFlags::IN))
    }

    /// Reads what is there, but not without end.
    pub(super) fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; 64 << 10];
        let mut total = 0;
        while self.open && total < READ_AT_ONCE {
            match self.pipe.read(&mut buffer) {
                Ok(0) => self.open = false,
                Ok(count) => {
                    total += count;
                    self.log.write(&buffer[..count], self.shown.all, &mut |line| self.shown.take(line))?;
                    self.shown.show_if(|shown| shown.bytes >= BATCH);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.shown.show_if(|shown| shown.since.is_none_or(|since| since.elapsed() >= SHOWN_FOR));
        Ok(())
    }

    /// Reads what is left when nothing runs any more.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.read()?;
        self.log.end_line(&mut |line| self.shown.take(line));
        self.shown.show_if(|_| true);
        Ok(())
    }
}

/// Lines on their way to whoever watches.
struct Shown<'a> {
    observer: &'a dyn Observer<BuildEvent>,
    /// Whether every line is wanted, or only the last of those that come at once.
    all: bool,
    waiting: Vec<String>,
    /// Bytes of those that wait.
    bytes: usize,
    /// When lines were shown last.
    since: Option<Instant>,
}

impl<'a> Shown<'a> {
    fn new(observer: &'a dyn Observer<BuildEvent>) -> Self {
        let all = observer.wants_every_event();
        Self { observer, all, waiting: Vec::new(), bytes: 0, since: None }
    }

    fn take(&mut self, line: &str) {
        if !self.all {
            self.waiting.clear();
        }
        self.bytes += line.len();
        self.waiting.push(line.to_owned());
    }

    fn show_if(&mut self, is_time: impl FnOnce(&Self) -> bool) {
        if self.waiting.is_empty() || (!self.all && self.bytes == 0) || !is_time(self) {
            return;
        }
        self.observer.event(&BuildEvent::Lines(std::mem::take(&mut self.waiting)));
        self.bytes = 0;
        self.since = Some(Instant::now());
    }
}
