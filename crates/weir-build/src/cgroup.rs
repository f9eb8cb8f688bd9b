//! Control groups (cgroups(7)): the kernel's own bounds for all processes of a build together.
//!
//! What watches a build sees it now and then; these bounds hold at every instant, and for root too, whom no
//! `RLIMIT_NPROC` binds. A group also knows its processes, whatever they did to hide, so that ending them is certain.
//!
//! Groups are made where that steps on nobody's toes, and in what is there: nothing is enabled, moved or changed
//! for others.
//!
//! * Version 2: beside the group that this program is in, as every program of a systemd user session may, if that
//!   group bounds no memory, and no fewer processes than the build; or in it, where it is the top.
//! * Version 1: in the group that this program is in, where that is the top. Groups further down are somebody's own.
//!
//! Where that cannot be, a build is watched, and no more. The folder of a group is locked for as long as its program
//! lives: one that is not locked was left by a program that was killed, and goes with the processes in it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use fs_err::File;
use rustix::fs::{FlockOperation, Mode, OFlags};

use crate::limits::Limit;
use crate::processes;

/// How the folders of groups are called, before the numbers of the program and the group.
const NAME: &str = "weir-build-";

/// Processes of a sandbox itself, which a build has beside its own.
const OF_THE_SANDBOX: u32 = 2;

/// How long the system may take to end killed processes.
const GRACE: Duration = Duration::from_secs(20);

/// How often it is asked whether they have ended.
const ASK_EVERY: Duration = Duration::from_millis(1);

/// A group for one step of a build, removed with all that runs in it when this goes.
#[derive(Debug)]
pub(crate) struct Group {
    folders: Vec<Folder>,
    /// How many processes and threads the build may have.
    processes: u32,
    /// Bytes of memory that they may have together.
    memory: u64,
}

/// A group in one hierarchy.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    place: &'static Place,
    /// Held for as long as the group is used.
    _lock: File,
}

/// Where groups are made.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    folder: PathBuf,
    version: Version,
    /// Whether processes are counted there.
    pids: bool,
    /// Whether memory is.
    memory: bool,
    /// How many processes this program's own group may have, which a build that is beside it must not exceed.
    most_processes: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Group {
    /// A group that bounds a build so; `None` where there is no place for one.
    pub(crate) fn make(processes: u32, memory: u64) -> Option<Self> {
        static PLACES: OnceLock<Vec<Place>> = OnceLock::new();
        let places = PLACES.get_or_init(|| {
            let found = places();
            found.iter().for_each(|place| sweep(&place.folder));
            found
        });
        let folders: Vec<Folder> =
            places.iter().filter_map(|place| Folder::make(place, processes, memory)).collect();
        (!folders.is_empty()).then_some(Self { folders, processes, memory })
    }

    /// Takes a process in, and all that it will start.
    ///
    /// # Errors
    ///
    /// When the system does not let it be moved.
    pub(crate) fn take_in(&self, process: u32) -> io::Result<()> {
        self.folders.iter().try_for_each(|folder| folder.write("cgroup.procs", &process.to_string()))
    }

    /// The processes that are in it.
    pub(crate) fn processes(&self) -> BTreeSet<u32> {
        self.folders.first().map(|folder| processes_in(&folder.path)).unwrap_or_default()
    }

    /// The bound that something in it has come up against.
    pub(crate) fn over(&self) -> Option<Limit> {
        let refused = |place: fn(&Place) -> bool, file: fn(Version) -> &'static str, event: &str| {
            let mut all = self.folders.iter().filter(|folder| place(folder.place));
            all.any(|folder| folder.counted(file(folder.place.version), event) > 0)
        };
        if refused(|place| place.memory, memory_events, "oom_kill") {
            return Some(Limit::Memory(self.memory));
        }
        refused(|place| place.pids, |_| "pids.events", "max").then_some(Limit::Processes(self.processes))
    }

    /// Whether it bounds memory.
    pub(crate) fn bounds_memory(&self) -> bool {
        self.folders.iter().any(|folder| folder.place.memory)
    }

    /// Whether it bounds the number of processes.
    pub(crate) fn bounds_processes(&self) -> bool {
        self.folders.iter().any(|folder| folder.place.pids)
    }

    /// Ends every process in it, and waits until they are gone. Nothing can be started in it any more.
    pub(crate) fn end(&self) {
        if let Some(folder) = self.folders.first() {
            end_all(&folder.path);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
        for folder in &self.folders {
            remove(&folder.path);
        }
    }
}

impl Folder {
    /// Makes a group in a hierarchy; `None` where the system does not let it be made and bounded.
    fn make(place: &'static Place, processes: u32, memory: u64) -> Option<Self> {
        if place.most_processes.is_some_and(|most| most < processes.saturating_add(OF_THE_SANDBOX)) {
            return None;
        }
        let (path, lock) = new_folder(&place.folder)?;
        let folder = Self { path, place, _lock: lock };
        match folder.bound(processes, memory) {
            Ok(()) => Some(folder),
            Err(_) => {
                remove(&folder.path);
                None
            }
        }
    }

    fn bound(&self, processes: u32, memory: u64) -> io::Result<()> {
        let memory = memory.to_string();
        if self.place.pids {
            self.write("pids.max", &processes.saturating_add(OF_THE_SANDBOX).to_string())?;
        }
        match self.place.version {
            Version::Two if self.place.memory => {
                self.write("memory.max", &memory)?;
                // Half a build is of no use to anybody.
                self.write("memory.oom.group", "1")?;
                self.write_if_there("memory.swap.max", "0")
            }
            Version::One if self.place.memory => {
                self.write("memory.limit_in_bytes", &memory)?;
                // Memory and swap together.
                self.write_if_there("memory.memsw.limit_in_bytes", &memory)
            }
            Version::One | Version::Two => Ok(()),
        }
    }

    fn write(&self, file: &str, value: &str) -> io::Result<()> {
        fs_err::write(self.path.join(file), value)
    }

    fn write_if_there(&self, file: &str, value: &str) -> io::Result<()> {
        if self.path.join(file).exists() { self.write(file, value) } else { Ok(()) }
    }

    /// How often something happened, by a file of lines such as `oom_kill 1`.
    fn counted(&self, file: &str, event: &str) -> u64 {
        let text = fs_err::read_to_string(self.path.join(file)).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(event)?.strip_prefix(' '));
        line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
    }
}

const fn memory_events(version: Version) -> &'static str {
    match version {
        Version::One => "memory.oom_control",
        Version::Two => "memory.events",
    }
}

/// Makes a folder that no other group has, and locks it.
fn new_folder(place: &Path) -> Option<(PathBuf, File)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Names are taken where programs of other namespaces have the same numbers; never so many.
    for _ in 0..1000 {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = place.join(format!("{NAME}{}-{number}", std::process::id()));
        match fs_err::create_dir(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(_) => return None,
        }
        // Between the two, another program may take it for one that was left, and remove it.
        if let Some(lock) = lock(&path).filter(|lock| is_at(lock, &path)) {
            return Some((path, lock));
        }
    }
    None
}

/// Locks a group's folder; `None` while another program has it, or when it is gone.
fn lock(path: &Path) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(File::from_parts(folder.into(), path))
}

fn is_at(folder: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(here), Ok(there)) = (folder.metadata(), fs_err::symlink_metadata(path)) else { return false };
    (here.dev(), here.ino()) == (there.dev(), there.ino())
}

/// Removes the groups of programs that were killed, with all that still runs in them.
fn sweep(place: &Path) {
    let Ok(entries) = fs_err::read_dir(place) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(NAME));
        if is_ours && let Some(_lock) = lock(&entry.path()) {
            end_all(&entry.path());
            remove(&entry.path());
        }
    }
}

/// Ends every process in a group, and waits until they are gone.
fn end_all(group: &Path) {
    // From here on nothing is started any more, so that killing one after the other comes to an end.
    let _ = fs_err::write(group.join("pids.max"), "0");
    let give_up = Instant::now() + GRACE;
    loop {
        let left = processes_in(group);
        if left.is_empty() || Instant::now() >= give_up {
            return;
        }
        // Since Linux 5.14, in version 2.
        if fs_err::write(group.join("cgroup.kill"), "1").is_err() {
            left.into_iter().for_each(processes::kill);
        }
        std::thread::sleep(ASK_EVERY);
    }
}

/// Removes an empty group. The kernel may be busy with it for a moment after its last process has ended.
fn remove(group: &Path) {
    let give_up = Instant::now() + GRACE;
    while let Err(error) = rustix::fs::rmdir(group) {
        if error != rustix::io::Errno::BUSY || Instant::now() >= give_up {
            return;
        }
        std::thread::sleep(ASK_EVERY);
    }
}

fn processes_in(group: &Path) -> BTreeSet<u32> {
    let listed = fs_err::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    listed.lines().filter_map(|line| line.parse().ok()).collect()
}

/// Where groups can be made on this machine. Whether the system lets them be made is seen when one is.
fn places() -> Vec<Place> {
    let read = |file: &str| fs_err::read_to_string(file).unwrap_or_default();
    let hierarchies = hierarchies(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"));
    let mut all: Vec<Place> = Vec::new();
    for hierarchy in hierarchies {
        let place = match hierarchy.version {
            Version::One => hierarchy.of_version_one(),
            Version::Two => hierarchy.of_version_two(),
        };
        // Each controller is in one hierarchy.
        all.extend(place.filter(|place| place.pids || place.memory));
    }
    all
}

/// A hierarchy of groups, and where this program is in it.
#[derive(Debug, PartialEq, Eq)]
struct Hierarchy {
    version: Version,
    /// What it counts, in version 1.
    controllers: Vec<String>,
    /// The folder of the group that this program is in.
    own: PathBuf,
    /// Whether that is the top of all that can be seen of it.
    is_top: bool,
}

impl Hierarchy {
    fn of_version_one(self) -> Option<Place> {
        let counts = |name: &str| self.controllers.iter().any(|controller| controller == name);
        let (pids, memory) = (counts("pids"), counts("memory"));
        let folder = self.own;
        self.is_top.then_some(Place { folder, version: Version::One, pids, memory, most_processes: None })
    }

    fn of_version_two(self) -> Option<Place> {
        let bound = |file: &str| {
            let text = fs_err::read_to_string(self.own.join(file)).unwrap_or_default();
            Some(text.trim().to_owned()).filter(|bound| !bound.is_empty() && bound != "max")
        };
        let (folder, most_processes) = if self.is_top {
            (self.own, None)
        } else if bound("memory.max").is_some() {
            // Who gave this program a share of the memory meant all that it starts.
            return None;
        } else {
            // systemd gives every unit such a bound, of thousands.
            let most = bound("pids.max").map(|most| most.parse().unwrap_or(0));
            (self.own.parent()?.to_owned(), most)
        };
        let enabled = fs_err::read_to_string(folder.join("cgroup.subtree_control")).ok()?;
        let counts = |name: &str| enabled.split_whitespace().any(|controller| controller == name);
        let (pids, memory) = (counts("pids"), counts("memory"));
        Some(Place { version: Version::Two, pids, memory, folder, most_processes })
    }
}

/// The hierarchies that are mounted, from the contents of `/proc/self/mountinfo` and `/proc/self/cgroup`.
fn hierarchies(mounts: &str, groups: &str) -> Vec<Hierarchy> {
    mounts.lines().filter_map(|mount| hierarchy(mount, groups)).collect()
}

fn hierarchy(mount: &str, groups: &str) -> Option<Hierarchy> {
    // `36 35 0:33 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids`
    let (place, system) = mount.split_once(" - ")?;
    let mut place = place.split(' ').skip(3);
    let (root, at) = (place.next()?, place.next()?);
    let mut system = system.split(' ');
    let (kind, options) = (system.next()?, system.nth(1)?);
    // `8:pids:/`, and `0::/user.slice` for version 2.
    let path_of = |wanted: &dyn Fn(&str) -> bool| {
        let mut groups = groups.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
        groups.find(|(controllers, _)| wanted(controllers)).map(|(_, path)| path)
    };
    let options: Vec<&str> = options.split(',').collect();
    let (version, controllers, path) = match kind {
        "cgroup2" => (Version::Two, Vec::new(), path_of(&str::is_empty)?),
        "cgroup" => {
            let path =
                path_of(&|names| !names.is_empty() && names.split(',').all(|name| options.contains(&name)));
            let known = options.iter().filter(|name| matches!(**name, "pids" | "memory"));
            (Version::One, known.map(|name| (*name).to_owned()).collect(), path?)
        }
        _ => return None,
    };
    // A mount may show only a part of the hierarchy, and the group may be outside of it.
    let below = if root == "/" { path } else { path.strip_prefix(root)? };
    let below = below.trim_start_matches('/');
    if below.split('/').any(|part| part == "..") || at.contains('\\') {
        return None;
    }
    let own = if below.is_empty() { PathBuf::from(at) } else { Path::new(at).join(below) };
    Some(Hierarchy { version, controllers, own, is_top: below.is_empty() })
}

#[cfg(test)]
mod tests;
