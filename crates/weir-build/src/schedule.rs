//! Running steps that need one another: as many at once as may be, each after what it needs.

use std::any::Any;
use std::collections::BinaryHeap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How steps are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleOptions {
    /// How many steps may run at once; at least one does.
    pub workers: usize,
    /// Whether to go on with what does not need a step that failed. Otherwise nothing is started after a
    /// failure; what runs by then runs to its end.
    pub keep_going: bool,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T, E> {
    /// It was done.
    Done(T),
    /// It failed.
    Failed(E),
    /// It was not started, because it needs a step that failed, directly or through others.
    Skipped {
        /// The step that failed; of several the first to fail.
        because: usize,
    },
    /// It was not started, because another step had failed, or because it needs itself or what is not there.
    NotStarted,
}

/// Runs steps. `needs` has, for each, the places of those that must be done before.
///
/// Of the steps that could be started, one at the head of the longest chain goes first, so that no long
/// chain is left for the end while other workers have nothing to do.
///
/// # Panics
///
/// When `work` panics: what runs by then runs to its end, nothing else is started, and the first panic goes
/// on in the thread of the caller.
pub fn run<T: Send, E: Send>(
    needs: &[Vec<usize>],
    options: &ScheduleOptions,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Vec<Outcome<T, E>> {
    let shared = Shared { state: Mutex::new(State::new(needs, options.keep_going)), changed: Condvar::new() };
    std::thread::scope(|scope| {
        for _ in 0..options.workers.clamp(1, needs.len().max(1)) {
            scope.spawn(|| shared.work_off(&work));
        }
    });
    let state = shared.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(panic) = state.panic {
        resume_unwind(panic);
    }
    state.outcomes
}

/// How many jobs one of `active` builds may run at once, where there are `total` for all of them.
///
/// Rounded up, since a build seldom keeps all of its jobs busy.
pub const fn jobs_for(active: usize, total: usize) -> usize {
    let jobs = total.div_ceil(if active == 0 { 1 } else { active });
    if jobs == 0 { 1 } else { jobs }
}

/// What the workers share.
struct Shared<T, E> {
    state: Mutex<State<T, E>>,
    /// Something was done, failed or panicked.
    changed: Condvar,
}

impl<T, E> Shared<T, E> {
    fn work_off(&self, work: &(impl Fn(usize) -> Result<T, E> + Sync)) {
        let mut state = self.lock();
        while let Some(next) = state.next() {
            match next {
                Next::Wait => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                Next::Start(step) => {
                    drop(state);
                    // Nothing that `work` may have left half done is looked at again: the panic goes on.
                    let result = catch_unwind(AssertUnwindSafe(|| work(step)));
                    state = self.lock();
                    state.finish(step, result);
                    self.changed.notify_all();
                }
            }
        }
    }

    /// No lock is held while `work` runs, so that a poisoned one cannot be.
    fn lock(&self) -> MutexGuard<'_, State<T, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a worker does next.
enum Next {
    Start(usize),
    /// Whether there is more to do depends on what is running.
    Wait,
}

/// How far the work is.
struct State<T, E> {
    keep_going: bool,
    /// How long the longest chain of steps is that begins with each.
    chains: Vec<usize>,
    /// Which steps need each.
    needed_by: Vec<Vec<usize>>,
    /// How many of the steps that each needs are not done yet.
    waits_for: Vec<usize>,
    /// What could be started, by the length of its chain; of equals the first comes first.
    ready: BinaryHeap<(usize, std::cmp::Reverse<usize>)>,
    running: usize,
    /// Whether nothing is to be started any more.
    stopped: bool,
    panic: Option<Box<dyn Any + Send>>,
    outcomes: Vec<Outcome<T, E>>,
}

impl<T, E> State<T, E> {
    fn new(needs: &[Vec<usize>], keep_going: bool) -> Self {
        let mut needed_by = vec![Vec::new(); needs.len()];
        for (step, needs) in needs.iter().enumerate() {
            for need in needs {
                if let Some(needed_by) = needed_by.get_mut(*need) {
                    needed_by.push(step);
                }
            }
        }
        // What needs a step that is not there waits for ever.
        let waits_for: Vec<usize> = needs.iter().map(Vec::len).collect();
        let mut state = Self {
            keep_going,
            chains: chains(needs, &needed_by),
            needed_by,
            waits_for,
            ready: BinaryHeap::new(),
            running: 0,
            stopped: false,
            panic: None,
            outcomes: needs.iter().map(|_| Outcome::NotStarted).collect(),
        };
        for step in 0..needs.len() {
            if state.waits_for[step] == 0 {
                state.make_ready(step);
            }
        }
        state
    }

    fn make_ready(&mut self, step: usize) {
        self.ready.push((self.chains[step], std::cmp::Reverse(step)));
    }

    /// Nothing when there is no more to do.
    fn next(&mut self) -> Option<Next> {
        if !self.stopped
            && let Some((_, std::cmp::Reverse(step))) = self.ready.pop()
        {
            self.running += 1;
            return Some(Next::Start(step));
        }
        (self.running > 0 && !self.stopped).then_some(Next::Wait)
    }

    fn finish(&mut self, step: usize, result: std::thread::Result<Result<T, E>>) {
        self.running -= 1;
        match result {
            Ok(Ok(value)) => {
                self.outcomes[step] = Outcome::Done(value);
                for place in 0..self.needed_by[step].len() {
                    let dependent = self.needed_by[step][place];
                    self.waits_for[dependent] -= 1;
                    if self.waits_for[dependent] == 0 {
                        self.make_ready(dependent);
                    }
                }
            }
            Ok(Err(error)) => {
                self.outcomes[step] = Outcome::Failed(error);
                self.stopped |= !self.keep_going;
                self.skip_dependents(step);
            }
            Err(panic) => {
                self.stopped = true;
                self.panic.get_or_insert(panic);
            }
        }
    }

    fn skip_dependents(&mut self, failed: usize) {
        let mut pending = self.needed_by[failed].clone();
        while let Some(step) = pending.pop() {
            if matches!(self.outcomes[step], Outcome::NotStarted) {
                self.outcomes[step] = Outcome::Skipped { because: failed };
                pending.extend(&self.needed_by[step]);
            }
        }
    }
}

/// How many steps the longest chain has that begins with each step and goes on with what needs it.
fn chains(needs: &[Vec<usize>], needed_by: &[Vec<usize>]) -> Vec<usize> {
    let mut chains = vec![1; needs.len()];
    // From the ends backwards. What is in a cycle is never reached, and never run.
    let mut open: Vec<usize> = needed_by.iter().map(Vec::len).collect();
    let mut pending: Vec<usize> = (0..needs.len()).filter(|step| open[*step] == 0).collect();
    while let Some(step) = pending.pop() {
        for need in &needs[step] {
            let Some(open) = open.get_mut(*need) else { continue };
            chains[*need] = chains[*need].max(chains[step] + 1);
            *open -= 1;
            if *open == 0 {
                pending.push(*need);
            }
        }
    }
    chains
}
