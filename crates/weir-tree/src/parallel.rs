//! Doing one thing to many files, on all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How much is read from a file at once. Larger reads gain nothing: this much is hashed in 0.2 ms.
pub(crate) const READ_BYTES: usize = 256 << 10;

/// How many threads can run at once.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Gives every item to `work`, in the order given but on several threads, each with a buffer of its own, and
/// returns the results in that order.
pub(crate) fn each<T, R, W>(items: &[T], work: W) -> Vec<R>
where
    T: Sync,
    R: Send,
    W: Fn(&mut [u8], &T) -> R + Sync,
{
    on(cores(), items, work)
}

/// As [`each`], on at most as many threads as given.
pub(crate) fn on<T, R, W>(most: usize, items: &[T], work: W) -> Vec<R>
where
    T: Sync,
    R: Send,
    W: Fn(&mut [u8], &T) -> R + Sync,
{
    // A thread costs about as much as hashing a dozen small files.
    let threads = most.min(items.len().div_ceil(8)).max(1);
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(items.len())));
    let run = || {
        let mut buffer = vec![0; READ_BYTES];
        let mut mine = Vec::new();
        while let Some((index, item)) = take(&next, items) {
            mine.push((index, work(&mut buffer, item)));
        }
        done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).append(&mut mine);
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(run);
        }
        run();
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

fn take<'a, T>(next: &AtomicUsize, items: &'a [T]) -> Option<(usize, &'a T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    items.get(index).map(|item| (index, item))
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_item_is_done_once_and_results_keep_the_order() {
        let items: Vec<usize> = (0..1000).collect();
        assert_eq!(super::each(&items, |_, item| item * 2), (0..2000).step_by(2).collect::<Vec<_>>());
    }
}
