//! Running one step within its limits.
//!
//! One loop reads what the step prints and looks, about twenty times a second, at the clock, its processes and the
//! disk. It never waits for the step without looking at them. How many processes there are, and how much memory they
//! have, the kernel bounds by itself where there can be a [control group](crate::cgroup).

mod disk;
mod output;
mod running;

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use weir_model::Observer;
use weir_native::BuildLimits;

use crate::log::Log;
use crate::room::Room;
use crate::scratch::{self, Usage};
use crate::steps::BuildCommand;
use crate::{BuildEvent, Sandbox};
use disk::DiskWatch;
use output::Output;
use running::Running;

/// How often the limits are looked at.
const TICK: Duration = Duration::from_millis(50);

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
    /// It started too many processes and threads.
    #[error("it wanted more than {0} processes and threads at once")]
    Processes(u32),
    /// Its processes together had too much memory.
    #[error("it used more than {0} bytes of memory")]
    Memory(u64),
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
    step: &BuildCommand,
    bounds: &Bounds<'_>,
    log: &mut Log,
    observer: &dyn Observer<BuildEvent>,
) -> io::Result<End> {
    let (read_end, write_end) = io::pipe()?;
    let mut output = Output::new(read_end, log, observer)?;
    let mut running = Running::start(sandbox, room, step, bounds, write_end)?;
    let mut disk = DiskWatch::new(bounds)?;
    let end = loop {
        if let Some(status) = running.ended()? {
            break End::Exited(status);
        }
        if bounds.cancel.load(Ordering::Relaxed) {
            break End::Cancelled;
        }
        if Instant::now() >= bounds.deadline {
            break End::Over(Limit::Time(bounds.limits.time));
        }
        let (processes, over) = running.look(bounds);
        if let Some(limit) = over.or_else(|| disk.look(bounds, &processes)) {
            break End::Over(limit);
        }
        running.wait(&mut output)?;
    };
    // What was killed for its memory, or could not start a process, has ended by itself. Asked before what is left of
    // it is ended, which is not let start anything either.
    let refused = running.refused();
    running.end()?;
    output.finish()?;
    Ok(match end {
        End::Exited(status) => refused.or_else(|| bounds.over_now()).map_or(End::Exited(status), End::Over),
        end => end,
    })
}
