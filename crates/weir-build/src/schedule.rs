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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Barrier;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;

    use super::{Outcome, ScheduleOptions, jobs_for, run};

    const ONE: ScheduleOptions = ScheduleOptions { workers: 1, keep_going: false };

    /// Runs steps of which `fails` fail, and gives the order in which they were started.
    fn run_with(
        needs: &[Vec<usize>],
        options: ScheduleOptions,
        fails: &BTreeSet<usize>,
    ) -> (Vec<Outcome<usize, usize>>, Vec<usize>) {
        let started = Mutex::new(Vec::new());
        let outcomes = run(needs, &options, |step| {
            started.lock().unwrap().push(step);
            if fails.contains(&step) { Err(step) } else { Ok(step) }
        });
        (outcomes, started.into_inner().unwrap())
    }

    #[test]
    fn the_head_of_the_longest_chain_goes_first() {
        // 0, 1 and 2 could all start; nothing needs 0, one step needs 1, and a chain of two needs 2.
        let needs = [vec![], vec![], vec![], vec![2], vec![3, 1]];
        assert_eq!(run_with(&needs, ONE, &BTreeSet::new()).1, [2, 1, 3, 0, 4]);
    }

    #[test]
    fn two_steps_that_need_nothing_run_at_once() {
        let both = Barrier::new(2);
        let options = ScheduleOptions { workers: 2, keep_going: false };
        // Each waits for the other: one after the other would never end.
        let outcomes = run(&[vec![], vec![]], &options, |_| {
            both.wait();
            Ok::<(), ()>(())
        });
        assert_eq!(outcomes, [Outcome::Done(()), Outcome::Done(())]);
    }

    #[test]
    fn a_failure_stops_what_has_not_started() {
        let needs = [vec![], vec![0], vec![1], vec![]];
        let (outcomes, started) = run_with(&needs, ONE, &[0].into());
        let skipped = || Outcome::Skipped { because: 0 };
        assert_eq!(outcomes, [Outcome::Failed(0), skipped(), skipped(), Outcome::NotStarted]);
        assert_eq!(started, [0]);
    }

    #[test]
    fn what_runs_when_another_fails_runs_to_its_end() {
        let both = Barrier::new(2);
        let options = ScheduleOptions { workers: 2, keep_going: false };
        let outcomes = run(&[vec![], vec![]], &options, |step| {
            both.wait();
            if step == 0 { Err(()) } else { Ok(()) }
        });
        assert_eq!(outcomes, [Outcome::Failed(()), Outcome::Done(())]);
    }

    #[test]
    fn keeping_going_does_all_that_does_not_need_what_failed() {
        let needs = [vec![], vec![0], vec![1, 3], vec![], vec![3]];
        let options = ScheduleOptions { workers: 1, keep_going: true };
        let (outcomes, _) = run_with(&needs, options, &[0].into());
        let skipped = || Outcome::Skipped { because: 0 };
        assert_eq!(outcomes, [Outcome::Failed(0), skipped(), skipped(), Outcome::Done(3), Outcome::Done(4)]);
    }

    #[test]
    fn a_panic_goes_on_in_the_caller_after_the_others_have_ended() {
        let both = Barrier::new(2);
        let ended = AtomicUsize::new(0);
        let options = ScheduleOptions { workers: 2, keep_going: true };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            run(&[vec![], vec![], vec![0]], &options, |step| {
                both.wait();
                assert_ne!(step, 0, "as planned");
                ended.fetch_add(1, Ordering::Relaxed);
                Ok::<(), ()>(())
            })
        }));
        let message = result.unwrap_err().downcast::<String>().unwrap();
        assert!(message.contains("as planned"), "{message}");
        assert_eq!(ended.into_inner(), 1);
    }

    #[test]
    fn what_needs_itself_or_nothing_that_is_there_is_not_started() {
        let needs = [vec![1], vec![0], vec![2], vec![9], vec![], vec![0, 4]];
        let (outcomes, started) = run_with(&needs, ONE, &BTreeSet::new());
        assert_eq!(started, [4]);
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::NotStarted).count(), 5);
        assert_eq!(run_with(&[], ONE, &BTreeSet::new()).0, []);
    }

    #[test]
    fn builds_share_the_cores() {
        assert_eq!([1, 2, 3, 8, 9].map(|active| jobs_for(active, 8)), [8, 4, 3, 1, 1]);
        assert_eq!([jobs_for(0, 0), jobs_for(0, 4)], [1, 4]);
    }

    fn graph() -> impl Strategy<Value = Vec<Vec<usize>>> {
        prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..4), 0..20).prop_map(
            |graph| {
                let needs = graph.iter().enumerate().map(|(step, needs)| {
                    let needs = needs.iter().filter(|_| step > 0);
                    needs.map(|need| need.index(step)).collect()
                });
                needs.collect()
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_step_runs_once_after_its_needs_and_never_too_many_at_once(
            needs in graph(),
            workers in 0_usize..5,
            keep_going: bool,
            fails in prop::collection::btree_set(0_usize..20, 0..4),
        ) {
            let done = Mutex::new(BTreeSet::new());
            let running = AtomicUsize::new(0);
            let outcomes = run(&needs, &ScheduleOptions { workers, keep_going }, |step| {
                assert!(running.fetch_add(1, Ordering::SeqCst) < workers.max(1));
                assert!(needs[step].iter().all(|need| done.lock().unwrap().contains(need)));
                std::thread::yield_now();
                let result = if fails.contains(&step) { Err(step) } else { Ok(step) };
                running.fetch_sub(1, Ordering::SeqCst);
                assert!(result.is_err() || done.lock().unwrap().insert(step), "once");
                result
            });
            let mut downstream: BTreeSet<usize> = BTreeSet::new();
            for (step, outcome) in outcomes.iter().enumerate() {
                if needs[step].iter().any(|need| fails.contains(need) || downstream.contains(need)) {
                    downstream.insert(step);
                }
                let fine = match outcome {
                    Outcome::Done(value) => *value == step && !fails.contains(&step),
                    Outcome::Failed(value) => *value == step && fails.contains(&step),
                    Outcome::Skipped { because } => {
                        downstream.contains(&step) && matches!(outcomes[*because], Outcome::Failed(_))
                    }
                    Outcome::NotStarted => !keep_going && !fails.is_empty(),
                };
                prop_assert!(fine, "{step}: {outcome:?}");
            }
        }
    }
}
