//! The processes of a step: started within their bounds, waited for, and ended for certain.

use std::collections::BTreeSet;
use std::io::{self, PipeWriter};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, Signal};
use weir_native::BuildLimits;

use super::output::Output;
use super::{Bounds, Limit, TICK};
use crate::cgroup::Group;
use crate::room::Room;
use crate::steps::BuildCommand;
use crate::{Sandbox, SandboxKind, processes};

/// How long the system may take to end killed processes.
const GRACE: Duration = Duration::from_secs(20);

/// The processes of a step. They end when this goes.
pub(super) struct Running<'a> {
    child: Child,
    /// The child as something to wait for.
    exit: OwnedFd,
    /// The first process in the sandbox, whose end is the end of all in it.
    first: Option<OwnedFd>,
    /// The control group that all of them are in.
    group: Option<Group>,
    kind: SandboxKind,
    mark: &'a str,
    ended: bool,
}

impl<'a> Running<'a> {
    /// Starts a step; all that it prints goes to `output`. When it does anything, its bounds are set.
    pub(super) fn start(
        sandbox: &Sandbox,
        room: &'a Room,
        step: &BuildCommand,
        bounds: &Bounds<'_>,
        output: PipeWriter,
    ) -> io::Result<Self> {
        let mut waiting = sandbox.start(room, step, &bounds.limits, output)?;
        let exit = match rustix::process::pidfd_open(Pid::from_child(&waiting.child), PidfdFlags::empty()) {
            Ok(exit) => exit,
            Err(error) => {
                waiting.child.kill()?;
                waiting.child.wait()?;
                return Err(error.into());
            }
        };
        let BuildLimits { processes, memory, .. } = bounds.limits;
        let group = Group::make(processes, memory).filter(|group| group.take_in(waiting.child.id()).is_ok());
        let go = waiting.go;
        let kind = sandbox.kind();
        let mut running =
            Self { child: waiting.child, exit, first: None, group, kind, mark: &room.mark, ended: false };
        go.say(&mut running.child)?;
        if kind == SandboxKind::Bubblewrap {
            running.find_first()?;
        }
        Ok(running)
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

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Looks at its processes: which they are, and what bound they went over. What the control group bounds is
    /// not counted again.
    pub(super) fn look(&self, bounds: &Bounds<'_>) -> (BTreeSet<u32>, Option<Limit>) {
        let most = bounds.limits.processes;
        let (processes, mut over) = match self.group.as_ref().filter(|group| group.bounds_processes()) {
            Some(group) => (group.processes(), None),
            None => {
                let found = processes::descendants(self.child.id(), most as usize);
                let over = found.threads > most as usize;
                (found.processes, over.then_some(Limit::Processes(most)))
            }
        };
        if !self.group.as_ref().is_some_and(Group::bounds_memory)
            && processes::have_more_memory_than(&processes, bounds.limits.memory)
        {
            over = over.or(Some(Limit::Memory(bounds.limits.memory)));
        }
        (processes, self.refused().or(over))
    }

    /// The bound that its control group kept it within. When it was ended, also what was refused to it meanwhile.
    pub(super) fn refused(&self) -> Option<Limit> {
        self.group.as_ref().and_then(Group::over)
    }

    /// Reads what is printed until the step ends or it is time to look at the limits.
    pub(super) fn wait(&self, output: &mut Output<'_>) -> io::Result<()> {
        let until = Instant::now() + TICK;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let ended = {
                let mut events = vec![PollFd::new(&self.exit, PollFlags::IN)];
                events.extend(output.poll_fd());
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
    pub(super) fn end(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        match (self.kind, &self.first) {
            (SandboxKind::Bubblewrap, Some(first)) => {
                // It may be gone already.
                let _ = rustix::process::pidfd_send_signal(first, Signal::KILL);
            }
            (SandboxKind::Bubblewrap, None) => {}
            (SandboxKind::None, _) => {
                for process in processes::descendants(self.child.id(), usize::MAX).processes {
                    processes::kill(process);
                }
            }
        }
        self.child.kill()?;
        self.child.wait()?;
        if let Some(group) = &self.group {
            group.end();
        }
        match (self.kind, &self.first) {
            // The first process of a namespace is gone only after all others are.
            (SandboxKind::Bubblewrap, Some(first)) => {
                poll(&mut [PollFd::new(&first.as_fd(), PollFlags::IN)], GRACE)
            }
            (SandboxKind::Bubblewrap, None) => Ok(()),
            (SandboxKind::None, _) => {
                processes::kill_marked(self.mark);
                Ok(())
            }
        }
    }
}

impl Drop for Running<'_> {
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
