//! Many things at once, on a few threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// So many failures, and nothing more is begun: whoever is away would cost a timeout for each.
const MOST_FAILURES: usize = 8;

/// Does every one of `jobs`, in their order and at most `most` at once; gives what each gave. One that fails keeps none of the others
/// from being tried, so that all that is wrong is told at once; after many failures no more are.
///
/// # Errors
///
/// Everything that failed, in the order of the jobs.
pub(super) fn at_once<J: Sync, T: Send, E: Send>(
    jobs: &[J],
    most: usize,
    work: impl Fn(&J) -> Result<T, E> + Sync,
) -> Result<Vec<T>, Vec<E>> {
    let (next, failures) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let done = Mutex::new(Vec::with_capacity(jobs.len()));
    let take = || {
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(position) else { return };
            let result = work(job);
            if result.is_err() && failures.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_FAILURES {
                next.store(jobs.len(), Ordering::Relaxed);
            }
            done.lock().unwrap_or_else(PoisonError::into_inner).push((position, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..most.min(jobs.len()) {
            scope.spawn(take);
        }
        take();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(position, _)| *position);
    let (mut good, mut bad) = (Vec::with_capacity(jobs.len()), Vec::new());
    for (_, result) in done {
        match result {
            Ok(result) => good.push(result),
            Err(error) => bad.push(error),
        }
    }
    if bad.is_empty() { Ok(good) } else { Err(bad) }
}

#[cfg(test)]
mod tests {
    use super::at_once;

    #[test]
    fn all_is_done_in_order_or_all_that_failed_is_told() {
        let jobs: Vec<u32> = (0..100).collect();
        assert_eq!(at_once(&jobs, 8, |job| Ok::<_, ()>(job * 2)), Ok((0..200).step_by(2).collect()));
        let few = |job: &u32| if *job % 50 == 3 { Err(*job) } else { Ok(()) };
        assert_eq!(at_once(&jobs, 8, few), Err(vec![3, 53]));
        let most = |job: &u32| if *job >= 3 { Err(*job) } else { Ok(()) };
        assert_eq!(at_once(&jobs, 1, most), Err((3..11).collect()));
        assert_eq!(at_once(&[0; 0], 8, |_| Ok::<_, ()>(())), Ok(Vec::new()));
    }
}
