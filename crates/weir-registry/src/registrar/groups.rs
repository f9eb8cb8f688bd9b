//! Doing together what several ask at once: one of those who wait does the work of all, the others wait for their answers.
//!
//! While a group is at work the next gathers, so a group is as large as the work takes long, and who asks alone waits for nobody.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// So many are served together: those who come first do not wait for all who come after.
const MOST: usize = 64;

/// Those who ask for the same sort of work.
pub(super) struct Groups<A, D> {
    state: Mutex<State<A, D>>,
    changed: Condvar,
}

struct State<A, D> {
    /// The ticket of who comes next.
    next: u64,
    waiting: VecDeque<(u64, A)>,
    /// The answers that nobody has taken yet; none where whoever was at work did not come to an end.
    answered: HashMap<u64, Option<D>>,
    at_work: bool,
}

impl<A: Clone, D> Groups<A, D> {
    pub(super) fn new() -> Self {
        let state = State { next: 0, waiting: VecDeque::new(), answered: HashMap::new(), at_work: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Asks for something and waits for the answer. `together` may be given what others ask as well, and gives an answer to each, in
    /// the same order.
    pub(super) fn ask(&self, what: A, together: impl Fn(&[A]) -> Vec<D>) -> D {
        let mut state = self.state();
        let mut ticket = state.enter(what.clone());
        loop {
            match state.answered.remove(&ticket) {
                Some(Some(answer)) => return answer,
                Some(None) => ticket = state.enter(what.clone()),
                None => {}
            }
            if state.at_work {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.at_work = true;
            let many = state.waiting.len().min(MOST);
            let (tickets, group): (Vec<u64>, Vec<A>) = state.waiting.drain(..many).unzip();
            drop(state);
            let mut work = Work { groups: self, own: ticket, tickets, answers: Vec::new() };
            work.answers = together(&group);
            drop(work);
            state = self.state();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<A, D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A, D> State<A, D> {
    fn enter(&mut self, what: A) -> u64 {
        let ticket = self.next;
        self.next += 1;
        self.waiting.push_back((ticket, what));
        ticket
    }
}

/// A group at work. Also when the work panics, those who wait for it are told.
struct Work<'a, A: Clone, D> {
    groups: &'a Groups<A, D>,
    own: u64,
    tickets: Vec<u64>,
    answers: Vec<D>,
}

impl<A: Clone, D> Drop for Work<'_, A, D> {
    fn drop(&mut self) {
        let mut state = self.groups.state();
        let mut answers = self.answers.drain(..);
        for ticket in &self.tickets {
            let answer = answers.next();
            // Who panics does not come back for an answer.
            if answer.is_some() || *ticket != self.own {
                state.answered.insert(*ticket, answer);
            }
        }
        state.at_work = false;
        self.groups.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn who_asks_while_a_group_is_at_work_is_in_the_next() {
        let groups = Groups::new();
        let (begun, waiting) = (Barrier::new(2), AtomicUsize::new(0));
        let works = AtomicUsize::new(0);
        let double = |asked: &[usize]| {
            if works.fetch_add(1, Ordering::SeqCst) == 0 {
                begun.wait();
                // All others wait by now, or are about to: those are seen in the queue itself.
                while groups.state().waiting.len() < 20 {
                    std::thread::yield_now();
                }
            }
            asked.iter().map(|n| n * 2).collect()
        };
        std::thread::scope(|scope| {
            let first = scope.spawn(|| groups.ask(0, double));
            begun.wait();
            let others: Vec<_> = (1..=20)
                .map(|n| {
                    let (groups, double, waiting) = (&groups, &double, &waiting);
                    scope.spawn(move || {
                        waiting.fetch_add(1, Ordering::SeqCst);
                        groups.ask(n, double)
                    })
                })
                .collect();
            assert_eq!(first.join().unwrap(), 0);
            let answers: Vec<usize> = others.into_iter().map(|other| other.join().unwrap()).collect();
            assert_eq!(answers, (1..=20).map(|n| n * 2).collect::<Vec<_>>());
        });
        assert_eq!(works.load(Ordering::SeqCst), 2);
        assert!(groups.state().answered.is_empty());
    }

    #[test]
    fn a_panic_is_of_who_was_at_work_and_of_nobody_else() {
        let groups = Groups::new();
        let begun = Barrier::new(2);
        let fails_first = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let first = scope.spawn(|| {
                catch_unwind(AssertUnwindSafe(|| {
                    groups.ask(1, |_| {
                        begun.wait();
                        while groups.state().waiting.is_empty() {
                            std::thread::yield_now();
                        }
                        fails_first.store(1, Ordering::SeqCst);
                        std::panic::resume_unwind(Box::new("this test's own doing"))
                    })
                }))
            });
            begun.wait();
            let second = groups.ask(2, |asked: &[usize]| asked.to_vec());
            assert_eq!((second, fails_first.load(Ordering::SeqCst)), (2, 1));
            assert!(first.join().unwrap().is_err());
        });
        assert!(groups.state().answered.is_empty());
    }
}
