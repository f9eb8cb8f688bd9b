//! The processes of a build, as proc(5) shows them.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal};

/// The variable that marks the processes of a build that runs without a sandbox.
pub(crate) const MARK: &str = "WEIR_BUILD";

/// The children of a process.
pub(crate) fn children(process: u32) -> Vec<u32> {
    children_of(process, &threads(process))
}

fn children_of(process: u32, threads: &[u32]) -> Vec<u32> {
    let mut all = Vec::new();
    for thread in threads {
        let listed = fs_err::read_to_string(format!("/proc/{process}/task/{thread}/children"));
        all.extend(
            listed.unwrap_or_default().split_ascii_whitespace().filter_map(|id| id.parse::<u32>().ok()),
        );
    }
    all
}

fn threads(process: u32) -> Vec<u32> {
    numbers_in(&format!("/proc/{process}/task"))
}

fn numbers_in(folder: &str) -> Vec<u32> {
    let Ok(entries) = fs_err::read_dir(folder) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The descendants of a process.
#[derive(Debug, Default)]
pub(crate) struct Descendants {
    /// Their numbers.
    pub(crate) processes: BTreeSet<u32>,
    /// How many threads they have together: to the system, each is as much as a process.
    pub(crate) threads: usize,
}

/// Looks for the descendants of a process, until there are more than `enough` threads of them.
pub(crate) fn descendants(process: u32, enough: usize) -> Descendants {
    let mut found = Descendants::default();
    let mut waiting = vec![process];
    while let Some(next) = waiting.pop() {
        let threads = threads(next);
        if next != process {
            found.threads += threads.len();
        }
        if found.threads > enough {
            break;
        }
        for child in children_of(next, &threads) {
            if found.processes.insert(child) {
                waiting.push(child);
            }
        }
    }
    found
}

/// Bytes of files that processes hold open though they have no name any more: no look into folders finds them.
pub(crate) fn nameless_bytes(processes: &BTreeSet<u32>) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let mut seen = BTreeSet::new();
    let mut bytes = 0;
    for process in processes {
        for number in numbers_in(&format!("/proc/{process}/fd")) {
            let Ok(meta) = fs_err::metadata(format!("/proc/{process}/fd/{number}")) else { continue };
            if meta.is_file() && meta.nlink() == 0 && seen.insert((meta.dev(), meta.ino())) {
                bytes += meta.blocks() * 512;
            }
        }
    }
    bytes
}

/// Whether processes have more bytes of memory of their own than this, together.
///
/// What each says of itself counts pages twice that two of them share, such as after a fork; so when that is too much,
/// each page is counted by how many have it, which takes the system longer.
pub(crate) fn have_more_memory_than(processes: &BTreeSet<u32>, most: u64) -> bool {
    let own = |process: &u32| bytes_in(*process, "status", "RssAnon:").unwrap_or(0);
    let share =
        |process: &u32| bytes_in(*process, "smaps_rollup", "Pss_Anon:").unwrap_or_else(|| own(process));
    processes.iter().map(own).fold(0, u64::saturating_add) > most
        && processes.iter().map(share).fold(0, u64::saturating_add) > most
}

/// An amount in a file of a process, which has lines such as `RssAnon:     123 kB`.
fn bytes_in(process: u32, file: &str, name: &str) -> Option<u64> {
    let text = fs_err::read_to_string(format!("/proc/{process}/{file}")).ok()?;
    let amount = text.lines().find_map(|line| line.strip_prefix(name))?;
    amount.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

/// The marks of all builds that this process ran without a sandbox.
static MARKS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Remembers a mark, for [`end_uncontained`].
pub(crate) fn remember(mark: &str) {
    MARKS.lock().unwrap_or_else(PoisonError::into_inner).insert(mark.to_owned());
}

/// Ends what builds without a sandbox have started: for who is about to end itself, since a sandbox ends with whoever
/// made it and these would not.
pub fn end_uncontained() {
    let marks = MARKS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    marks.iter().for_each(|mark| kill_marked(mark));
}

/// Kills every process that carries the mark, until there is none: one that is killed cannot fork again, and
/// what it forked before carries the mark too.
pub(crate) fn kill_marked(mark: &str) {
    let wanted = format!("{MARK}={mark}");
    for _ in 0..100 {
        let marked: Vec<u32> = numbers_in("/proc")
            .into_iter()
            .filter(|process| has_variable(*process, wanted.as_bytes()))
            .collect();
        if marked.is_empty() {
            return;
        }
        for process in marked {
            kill(process);
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn has_variable(process: u32, wanted: &[u8]) -> bool {
    let Ok(file) = fs_err::File::open(format!("/proc/{process}/environ")) else { return false };
    let mut variables = Vec::new();
    // The mark comes first in the environment of what was started here; who hides it is not found.
    let read = file.take(1 << 20).read_to_end(&mut variables);
    read.is_ok() && variables.split(|byte| *byte == 0).any(|variable| variable == wanted)
}

pub(crate) fn kill(process: u32) {
    if let Some(id) = i32::try_from(process).ok().and_then(Pid::from_raw) {
        // It may be gone, which is what is wanted.
        let _ = rustix::process::kill_process(id, Signal::KILL);
    }
}
