//! Running one step within its limits.
//!
//! One loop reads what the step prints and looks, about twenty times a second, at the clock, its processes and the
//! disk. It never waits for the step without looking at them, and the step never waits for it for long.

use std::collections::BTreeSet;
use std::io::{self, PipeReader, Read as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::OFlags;
use rustix::process::{Pid, PidfdFlags, Signal};
use weir_native::BuildLimits;

use crate::log::Log;
use crate::room::Room;
use crate::scratch::{self, Usage};
use crate::steps::Step;
use crate::{Sandbox, SandboxKind, processes};

/// How often the limits are looked at.
const TICK: Duration = Duration::from_millis(50);

/// How long a line is shown before another may be: people cannot read faster.
const SHOWN_FOR: Duration = Duration::from_millis(20);

/// Of the time that it takes to measure the disk, how many times that is waited before the next.
const REST: u32 = 30;

/// How long the system may take to end killed processes.
const GRACE: Duration = Duration::from_secs(20);

/// How much is read before the clock is looked at.
const READ_AT_ONCE: usize = 4 << 20;

/// A limit that a build went over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// It ran too long.
    #[error("it took longer than {0:?}")]
    Time(Duration),
    /// It wrote too much.
    #[error("it wrote more than {0} bytes to the disk")]
    Disk(u64),
    /// It had too many processes and threads.
    #[error("it had more than {0} processes and threads at once")]
    Processes(u32),
    /// It nested folders too deep.
    #[error("it nested folders more than 128 deep")]
    Depth,
}

/// How a step ended.
#[derive(Debug)]
pub(crate) enum End {
    Exited(ExitStatus),
    Over(Limit),
    Cancelled,
}

/// The bounds of a build, over all its steps.
pub(crate) struct Bounds<'a> {
    pub(crate) limits: BuildLimits,
    pub(crate) deadline: Instant,
    pub(crate) cancel: &'a AtomicBool,
    /// The folder that all is written to.
    pub(crate) folder: PathBuf,
    /// Bytes in it that the build did not write.
    pub(crate) given: u64,
}

impl Bounds<'_> {
    fn disk(&self) -> u64 {
        self.given.saturating_add(self.limits.disk)
    }

    fn over(&self, usage: Usage) -> Option<Limit> {
        if usage.too_deep {
            return Some(Limit::Depth);
        }
        (usage.bytes > self.disk()).then_some(Limit::Disk(self.limits.disk))
    }

    /// Looks at the disk once more, when nothing runs.
    fn over_now(&self) -> Option<Limit> {
        self.over(scratch::usage(&self.folder, self.disk()))
    }
}

/// Runs a step to its end, or ends it. When it returns, no process of it is left.
pub(crate) fn run(
    sandbox: &Sandbox,
    room: &Room,
    step: &Step,
    bounds: &Bounds<'_>,
    log: &mut Log,
    line: &dyn Fn(&str),
) -> io::Result<End> {
    let (output, write_end) = io::pipe()?;
    let flags = rustix::fs::fcntl_getfl(&output)?;
    rustix::fs::fcntl_setfl(&output, flags | OFlags::NONBLOCK)?;
    let child = sandbox.start(room, step, &bounds.limits, write_end)?;
    let mut running = Running::new(child, sandbox.kind(), room)?;
    let mut disk = DiskWatch::new(bounds)?;
    let mut output = Output { pipe: output, log, line, open: true, shown: None };
    let over = loop {
        if let Some(status) = running.child.try_wait()? {
            running.end()?;
            output.read()?;
            return Ok(bounds.over_now().map_or(End::Exited(status), End::Over));
        }
        if bounds.cancel.load(Ordering::Relaxed) {
            break End::Cancelled;
        }
        if Instant::now() >= bounds.deadline {
            break End::Over(Limit::Time(bounds.limits.time));
        }
        let found = processes::descendants(running.child.id(), bounds.limits.processes as usize);
        if found.threads > bounds.limits.processes as usize {
            break End::Over(Limit::Processes(bounds.limits.processes));
        }
        if let Some(limit) = disk.look(bounds, &found.processes) {
            break End::Over(limit);
        }
        running.wait(&mut output)?;
    };
    running.end()?;
    output.read()?;
    Ok(over)
}

/// What a step prints.
struct Output<'a> {
    pipe: PipeReader,
    log: &'a mut Log,
    line: &'a dyn Fn(&str),
    open: bool,
    /// When a line was shown last.
    shown: Option<Instant>,
}

impl Output<'_> {
    /// Reads what is there, but not without end. Of many lines that come at once, the last is shown.
    fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; 64 << 10];
        let mut latest = None;
        let mut total = 0;
        while self.open && total < READ_AT_ONCE {
            match self.pipe.read(&mut buffer) {
                Ok(0) => self.open = false,
                Ok(count) => {
                    total += count;
                    let line = self.log.write(&buffer[..count])?;
                    latest = line.map(str::to_owned).or(latest);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(line) = latest
            && self.shown.is_none_or(|shown| shown.elapsed() >= SHOWN_FOR)
        {
            (self.line)(&line);
            self.shown = Some(Instant::now());
        }
        Ok(())
    }
}

/// The processes of a step.
struct Running {
    child: Child,
    /// The child as something to wait for.
    exit: OwnedFd,
    /// The first process in the sandbox, whose end is the end of all in it.
    first: Option<OwnedFd>,
    kind: SandboxKind,
    mark: String,
    ended: bool,
}

impl Running {
    fn new(mut child: Child, kind: SandboxKind, room: &Room) -> io::Result<Self> {
        match rustix::process::pidfd_open(Pid::from_child(&child), PidfdFlags::empty()) {
            Ok(exit) => {
                let mut running =
                    Self { child, exit, first: None, kind, mark: room.mark.clone(), ended: false };
                if kind == SandboxKind::Bubblewrap {
                    running.find_first()?;
                }
                Ok(running)
            }
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error.into())
            }
        }
    }

    /// Waits for the first process of the sandbox, which bubblewrap starts at once, or for its failure to.
    fn find_first(&mut self) -> io::Result<()> {
        let give_up = Instant::now() + GRACE;
        while self.first.is_none() && self.child.try_wait()?.is_none() && Instant::now() < give_up {
            // Its parent has not waited for it yet, so that its number is not given to another before it is opened.
            self.first = processes::children(self.child.id())
                .first()
                .and_then(|id| Pid::from_raw(i32::try_from(*id).ok()?))
                .and_then(|id| rustix::process::pidfd_open(id, PidfdFlags::empty()).ok());
            if self.first.is_none() {
                poll(&mut [PollFd::new(&self.exit, PollFlags::IN)], Duration::from_millis(1))?;
            }
        }
        Ok(())
    }

    /// Reads what is printed until the step ends or it is time to look at the limits.
    fn wait(&self, output: &mut Output<'_>) -> io::Result<()> {
        let until = Instant::now() + TICK;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let ended = {
                let mut events = vec![PollFd::new(&self.exit, PollFlags::IN)];
                if output.open {
                    events.push(PollFd::new(&output.pipe, PollFlags::IN));
                }
                poll(&mut events, left)?;
                !events[0].revents().is_empty()
            };
            output.read()?;
            if ended {
                return Ok(());
            }
        }
    }

    /// Ends every process of the step that is left, and waits until they are gone.
    fn end(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        match self.kind {
            SandboxKind::Bubblewrap => {
                if let Some(first) = &self.first {
                    // It may be gone already.
                    let _ = rustix::process::pidfd_send_signal(first, Signal::KILL);
                }
            }
            SandboxKind::None => {
                for process in processes::descendants(self.child.id(), usize::MAX).processes {
                    processes::kill(process);
                }
            }
        }
        self.child.kill()?;
        self.child.wait()?;
        match (self.kind, &self.first) {
            // The first process of a namespace is gone only after all others are.
            (SandboxKind::Bubblewrap, Some(first)) => {
                poll(&mut [PollFd::new(&first.as_fd(), PollFlags::IN)], GRACE)?;
            }
            (SandboxKind::Bubblewrap, None) => {}
            (SandboxKind::None, _) => processes::kill_marked(&self.mark),
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After an error nobody is left to tell of a second one.
        let _ = self.end();
    }
}

fn poll(events: &mut [PollFd<'_>], time: Duration) -> io::Result<()> {
    let time = Timespec::try_from(time).expect("it is less than a minute");
    match rustix::event::poll(events, Some(&time)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Looks at the disk often enough, but with little of the machine's time.
struct DiskWatch {
    next: Instant,
    /// What was free when the disk was last measured, or at first.
    free: Free,
    /// Bytes that the build may still write, as far as is known.
    left: u64,
}

/// What a file system has left.
#[derive(Clone, Copy)]
struct Free {
    bytes: u64,
    files: u64,
}

impl DiskWatch {
    fn new(bounds: &Bounds<'_>) -> io::Result<Self> {
        Ok(Self { next: Instant::now() + TICK, free: Free::of(bounds)?, left: bounds.limits.disk })
    }

    fn look(&mut self, bounds: &Bounds<'_>, processes: &BTreeSet<u32>) -> Option<Limit> {
        // What all programs of the machine took together is what this build can have taken at most.
        let free = Free::of(bounds).unwrap_or(self.free);
        let taken = free.since(self.free);
        if Instant::now() < self.next && taken < self.left {
            return None;
        }
        let started = Instant::now();
        let mut usage = scratch::usage(&bounds.folder, bounds.disk());
        usage.bytes = usage.bytes.saturating_add(processes::nameless_bytes(processes));
        self.left = bounds.disk().saturating_sub(usage.bytes);
        self.free = free;
        self.next = Instant::now() + started.elapsed() * REST + TICK;
        bounds.over(usage)
    }
}

impl Free {
    fn of(bounds: &Bounds<'_>) -> io::Result<Self> {
        let stat = rustix::fs::statvfs(&bounds.folder)?;
        Ok(Self { bytes: stat.f_bfree.saturating_mul(stat.f_frsize), files: stat.f_ffree })
    }

    /// Bytes that were taken since `earlier`, in the measure of [`scratch::usage`].
    fn since(self, earlier: Self) -> u64 {
        let files = earlier.files.saturating_sub(self.files);
        earlier.bytes.saturating_sub(self.bytes).saturating_add(files.saturating_mul(scratch::ENTRY_BYTES))
    }
}
