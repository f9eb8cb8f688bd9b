//! Downloads and answers, counted: in memory while they are given, and written down a few times a minute.
//!
//! Whoever downloads waits for a lock and no disk, and whoever asks for anything adds to a number that nobody locks. A server that is killed
//! loses the last moments of it; one that is stopped writes them down first.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use weir_activity::{ActivityError, Downloaded, Measure, Measured, Pace, Sum};
use weir_model::TreeDigest;

use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::registries::RegistryName;

/// So often it is written down.
const STEP: Duration = Duration::from_secs(15);

/// So many different contents are counted between two steps. What there is more of is not counted: a registry has fewer.
const MOST: usize = 1 << 18;

/// What was counted and is not written down yet.
#[derive(Default)]
pub(crate) struct Counting {
    downloads: Mutex<HashMap<Downloaded, u64>>,
    measures: Mutex<HashMap<Measured, Sum>>,
    paces: [Answers; Pace::ALL.len()],
    failed: Answers,
}

/// Answers of one sort.
#[derive(Default)]
struct Answers {
    count: AtomicU64,
    microseconds: AtomicU64,
}

impl Answers {
    fn add(&self, took: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }

    fn take(&self) -> Sum {
        Sum {
            count: self.count.swap(0, Ordering::Relaxed),
            microseconds: self.microseconds.swap(0, Ordering::Relaxed),
        }
    }
}

impl Counting {
    /// Counts a download.
    pub(crate) fn count(&self, registry: &RegistryName, tree: TreeDigest, asker: &Asker) {
        let day = asker.day();
        let what = Downloaded { registry: registry.to_string(), tree, day, by: asker.downloader() };
        let mut waiting = locked(&self.downloads);
        if waiting.len() < MOST || waiting.contains_key(&what) {
            *waiting.entry(what).or_default() += 1;
        }
    }

    /// Counts an answer to a request.
    pub(crate) fn answered(&self, status: u16, took: Duration) {
        self.paces[Pace::of(took) as usize].add(took);
        if status >= 500 {
            self.failed.add(took);
        }
    }

    /// Counts what was asked of a registry above.
    pub(crate) fn measure(&self, registry: &RegistryName, what: Measure, took: Duration) {
        let measured = Measured { registry: registry.to_string(), what, day: today() };
        locked(&self.measures).entry(measured).or_default().add(took);
    }

    /// Writes down what was counted. What cannot be written is tried again with the next.
    pub(crate) async fn write(app: &Arc<App>) {
        let downloads = std::mem::take(&mut *locked(&app.counting.downloads));
        write_down(
            app,
            downloads,
            |app, counted| app.downloads.add(counted),
            |counting, what, count| {
                *locked(&counting.downloads).entry(what).or_default() += count;
            },
        )
        .await;
        write_down(
            app,
            app.counting.measured(),
            |app, sums| app.measures.add(sums),
            |counting, what, sum| {
                let mut measures = locked(&counting.measures);
                let so_far = measures.entry(what).or_default();
                *so_far = so_far.plus(sum);
            },
        )
        .await;
    }

    /// All that was measured since it was last asked.
    fn measured(&self) -> HashMap<Measured, Sum> {
        let mut measures = std::mem::take(&mut *locked(&self.measures));
        let paces = Pace::ALL.into_iter().map(|pace| (Measure::Answered(pace), &self.paces[pace as usize]));
        for (what, answers) in paces.chain([(Measure::Failed, &self.failed)]) {
            let sum = answers.take();
            if sum.count > 0 {
                let measured = Measured { registry: String::new(), what, day: today() };
                let so_far = measures.entry(measured).or_default();
                *so_far = so_far.plus(sum);
            }
        }
        measures
    }

    /// Writes it down again and again.
    pub(crate) async fn run(app: &Arc<App>) {
        loop {
            tokio::time::sleep(STEP).await;
            Self::write(app).await;
        }
    }
}

/// Has what was counted written; where that fails, each of it is put back.
async fn write_down<K: Eq + Hash + Send + 'static, N: Send + 'static>(
    app: &Arc<App>,
    counted: HashMap<K, N>,
    write: impl FnOnce(&App, &[(K, N)]) -> Result<(), ActivityError> + Send + 'static,
    put_back: impl Fn(&Counting, K, N),
) {
    if counted.is_empty() {
        return;
    }
    let counted: Vec<(K, N)> = counted.into_iter().collect();
    let writing = app.clone();
    let (written, counted) = blocking(move || (write(&writing, &counted), counted)).await;
    if let Err(error) = written {
        tracing::error!(%error, "what was counted could not be written down");
        counted.into_iter().for_each(|(what, count)| put_back(&app.counting, what, count));
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The day, in UTC.
fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}
