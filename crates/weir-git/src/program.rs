//! The `git` program, tamed: the user's and the machine's settings decide how a host is reached (credentials, proxies, ssh,
//! `insteadOf`), and nothing else: not what content is, and not what is run.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use weir_model::address::without_secrets;
use weir_model::unseen::harmless;

/// How long git may take for one thing. A repository that cannot be had in that time is not waited for.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// How long it may take for what is but a question.
const SOON: Duration = Duration::from_secs(2 * 60);

/// The most that one fetch may bring, in bytes: as much as a pack may have.
pub(super) const MOST_FETCHED: u64 = 16 << 30;

/// The most that git may print: the list of a million files.
const MOST_PRINTED: u64 = 256 << 20;

/// Settings that would change what content is, or run something, or write beside what is asked for.
const SETTINGS: [&str; 12] = [
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.fsmonitor=false",
    "core.useReplaceRefs=false",
    "core.alternateRefsCommand=true",
    "core.autocrlf=false",
    "protocol.ext.allow=never",
    "transfer.fsckObjects=false",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "gc.auto=0",
    "maintenance.auto=false",
];

/// Variables of a git that runs Weir, such as in a hook: they would lead into its repository, or to other objects.
const REMOVED: [&str; 12] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_ATTR_SOURCE",
];

/// Git in a folder that is no repository.
pub(super) fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .env("GIT_TERMINAL_PROMPT", "0")
        // What it says is read, and shown beside what Weir says.
        .env("LC_ALL", "C")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_ATTR_NOSYSTEM", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        // Whatever repository somebody has made above it.
        .env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap_or(folder))
        .stdin(Stdio::null());
    for name in REMOVED {
        command.env_remove(name);
    }
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    command
}

/// Git in a bare repository of ours, which it need not look for.
pub(super) fn in_repository(repository: &Path) -> Command {
    let mut command = command(repository);
    command.arg("--git-dir=.");
    command
}

/// What git prints, without the line end behind it.
pub(super) fn run(command: &mut Command) -> Result<String, String> {
    let printed = run_bytes(command)?;
    Ok(String::from_utf8_lossy(&printed).trim_end().to_owned())
}

/// The same of what has to be there soon.
pub(super) fn run_soon(command: &mut Command) -> Result<String, String> {
    let printed = run_for(command, SOON)?;
    Ok(String::from_utf8_lossy(&printed).trim_end().to_owned())
}

/// Fetches into a repository at most so many bytes: nobody says beforehand how much comes.
pub(super) fn fetch(repository: &Path, words: &[&str], most: u64) -> Result<(), String> {
    let mut command = in_repository(repository);
    let too_much = || {
        let reason = format!("it has more than {} MiB, and git was ended", most >> 20);
        (size_of(repository, most) > most).then_some(reason)
    };
    run_until(command.arg("fetch").args(words), LONGEST, &too_much).map(drop)
}

/// What git prints, as it is.
pub(super) fn run_bytes(command: &mut Command) -> Result<Vec<u8>, String> {
    run_for(command, LONGEST)
}

fn run_for(command: &mut Command, longest: Duration) -> Result<Vec<u8>, String> {
    run_until(command, longest, &|| None)
}

/// The same, until `stop` gives a reason to end it.
fn run_until(
    command: &mut Command,
    longest: Duration,
    stop: &dyn Fn() -> Option<String>,
) -> Result<Vec<u8>, String> {
    let mut git =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| {
            match error.kind() {
                std::io::ErrorKind::NotFound => "the program `git` is not installed".to_owned(),
                _ => format!("`git` cannot be run: {error}"),
            }
        })?;
    let (printed, said) = (listen(git.stdout.take()), listen(git.stderr.take()));
    // What it started may hold its pipes: where it was ended they are not waited for.
    let status = wait(&mut git, longest, stop)?;
    let gone = |_| "git's output was lost".to_owned();
    let (printed, said) = (printed.join().map_err(gone)?, said.join().map_err(gone)?);
    if status.success() {
        return Ok(printed);
    }
    Err(first_line(&String::from_utf8_lossy(&said)))
}

/// The first thing that git said, without what a person should not see on a terminal.
fn first_line(said: &str) -> String {
    const LONGEST: usize = 300;
    let line = said.lines().find(|line| !line.trim().is_empty());
    let line = line.unwrap_or("git failed and did not say why");
    harmless(&without_secrets(line)).chars().take(LONGEST).collect()
}

fn listen(stream: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(stream) = stream {
            // What was read before an error is what there is.
            let _ = stream.take(MOST_PRINTED).read_to_end(&mut bytes);
        }
        bytes
    })
}

/// How often it is looked at whether there is a reason to end it.
const LOOK: Duration = Duration::from_millis(200);

/// Waits until it ends, or ends it, and tells why.
fn wait(git: &mut Child, longest: Duration, stop: &dyn Fn() -> Option<String>) -> Result<ExitStatus, String> {
    let begun = Instant::now();
    let (mut pause, mut looked) = (Duration::from_millis(1), begun);
    let reason = loop {
        match git.try_wait() {
            Ok(Some(status)) => match stop() {
                Some(reason) => return Err(reason),
                None => return Ok(status),
            },
            Ok(None) if begun.elapsed() < longest => {}
            _ => break format!("git took longer than {} minutes and was ended", longest.as_secs() / 60),
        }
        if looked.elapsed() >= LOOK {
            looked = Instant::now();
            if let Some(reason) = stop() {
                break reason;
            }
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    };
    let _ = git.kill();
    let _ = git.wait();
    Err(reason)
}

/// How many bytes the files below a folder have, counted until they are more than `most`. What goes meanwhile is not counted.
fn size_of(folder: &Path, most: u64) -> u64 {
    let mut waiting = vec![folder.to_owned()];
    let mut size = 0_u64;
    while let Some(folder) = waiting.pop() {
        for entry in fs_err::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            match metadata.is_dir() {
                true => waiting.push(entry.path()),
                false => size = size.saturating_add(metadata.len()),
            }
            if size > most {
                return size;
            }
        }
    }
    size
}
