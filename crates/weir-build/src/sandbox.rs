//! What contains a build: bubblewrap, or nothing.
//!
//! In the sandbox a build sees the build root, its own folders under `/weir`, and a `/tmp`; all that it can write to
//! lies in one folder of the machine, which is watched. It has no network, no home, no capability, no other user's
//! process, and its processes are the only ones in a namespace that ends as a whole.
//!
//! bubblewrap reads its options from a pipe that is its standard input. So it waits there, without any child, until
//! its limits are set; and no file of ours need be open in it. Without a sandbox a shell waits for a line instead.

use std::ffi::{OsStr, OsString};
use std::io::{self, PipeWriter, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Resource, Rlimit};
use weir_native::BuildLimits;

use crate::processes::{self, MARK};
use crate::room::Room;
use crate::root::Shown;
use crate::steps::BuildCommand;

/// Where bubblewrap is looked for.
const BUBBLEWRAP: [&str; 3] = ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"];

/// Bytes of shared memory that a build may have beyond its own.
const SHARED_MEMORY: &str = "67108864";

const FORBID_NAMESPACES: &str = "--disable-userns";

/// Bounds the number of processes, as shells of one kind and the other do; reopens the standard input that carried the
/// options; then becomes the command. The number and the command's words are parameters, never part of the text.
const BECOME: &str = r#"ulimit -u "$0" 2>/dev/null || ulimit -p "$0" 2>/dev/null; exec "$@" </dev/null"#;

/// The same without a sandbox, once there is a line.
const WAIT_AND_BECOME: &str = r#"read -r go; exec "$0" "$@" </dev/null"#;

/// How many processes and threads more than a build may have the system lets it have: who goes over is seen to do so.
const MORE_PROCESSES: u32 = 16;

/// The kind of a sandbox, as input digests of builds name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SandboxKind {
    /// Contained by bubblewrap.
    Bubblewrap,
    /// Not contained.
    None,
}

impl SandboxKind {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bubblewrap => "bubblewrap",
            Self::None => "none",
        }
    }
}

/// What contains builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox(Program);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Program {
    Bubblewrap(Bubblewrap),
    None,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Bubblewrap {
    program: PathBuf,
    /// Whether it can forbid further namespaces, in which the kernel shows more of itself: version 0.8 and later.
    forbids_namespaces: bool,
}

/// Why builds cannot be contained here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// There is no bubblewrap.
    #[error("bubblewrap is not installed: there is no `{}`", BUBBLEWRAP[0])]
    Missing,
    /// It is there and may not do its work.
    #[error("bubblewrap cannot make a sandbox on this machine: {said}")]
    Refused {
        /// What it said.
        said: String,
    },
    /// It could not be started.
    #[error("bubblewrap cannot be started")]
    Io(#[from] io::Error),
}

impl SandboxError {
    /// What to do now.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Missing => {
                "install it (`apt install bubblewrap`, `dnf install bubblewrap`), or build without a sandbox by \
                 `--no-sandbox`, which contains nothing and notices no undeclared dependency"
            }
            Self::Refused { .. } | Self::Io(_) => {
                "it needs user namespaces. On Ubuntu 24.04 and later, give bwrap an AppArmor profile or set \
                 `sysctl kernel.apparmor_restrict_unprivileged_userns=0`; elsewhere \
                 `sysctl kernel.unprivileged_userns_clone=1`; in a container, start it with \
                 `--security-opt seccomp=unconfined` and, on Docker, `--security-opt systempaths=unconfined`. \
                 `--no-sandbox` builds without one, which contains nothing"
            }
        }
    }
}

impl Sandbox {
    /// bubblewrap, once it is proven to work here.
    ///
    /// # Errors
    ///
    /// When it is missing, or the system does not let it.
    pub fn bubblewrap() -> Result<Self, SandboxError> {
        let program =
            BUBBLEWRAP.iter().map(Path::new).find(|path| path.is_file()).ok_or(SandboxError::Missing)?;
        let mut said = String::new();
        for forbids_namespaces in [true, false] {
            let tried = Command::new(program)
                .args(["--unshare-all", "--unshare-user", "--cap-drop", "ALL", "--ro-bind", "/", "/"])
                .args(["--proc", "/proc", "--dev", "/dev"])
                .args(forbids_namespaces.then_some(FORBID_NAMESPACES))
                .args(["--", "/bin/sh", "-c", ":"])
                .env_clear()
                .stdin(Stdio::null())
                .output()?;
            if tried.status.success() {
                let program = program.to_owned();
                return Ok(Self(Program::Bubblewrap(Bubblewrap { program, forbids_namespaces })));
            }
            said = String::from_utf8_lossy(&tried.stderr).lines().next().unwrap_or("nothing").to_owned();
        }
        Err(SandboxError::Refused { said })
    }

    /// No sandbox: builds run as any program of the user does. Their folders are the machine's own, and what they
    /// install goes to a folder through `DESTDIR`. Time, memory and disk are bounded all the same.
    pub const fn none() -> Self {
        Self(Program::None)
    }

    /// Its kind.
    pub const fn kind(&self) -> SandboxKind {
        match self.0 {
            Program::Bubblewrap(_) => SandboxKind::Bubblewrap,
            Program::None => SandboxKind::None,
        }
    }

    /// Starts a step, which waits before it does anything; all that it prints goes to `output`.
    pub(crate) fn start(
        &self,
        room: &Room,
        step: &BuildCommand,
        limits: &BuildLimits,
        output: PipeWriter,
    ) -> io::Result<Waiting> {
        let (mut child, go) = match &self.0 {
            Program::Bubblewrap(bubblewrap) => contained(bubblewrap, room, step, limits, output)?,
            Program::None => uncontained(room, step, output)?,
        };
        if let Err(error) = limit(&child, limits) {
            child.kill()?;
            child.wait()?;
            return Err(error);
        }
        Ok(Waiting { child, go })
    }
}

/// A step that has been started, and waits.
pub(crate) struct Waiting {
    /// Its process, which has no other.
    pub(crate) child: Child,
    /// What it waits for.
    pub(crate) go: Go,
}

/// What a step waits for, on its standard input.
pub(crate) struct Go(Vec<u8>);

impl Go {
    /// Lets the step go on.
    pub(crate) fn say(self, child: &mut Child) -> io::Result<()> {
        let mut input = child.stdin.take().expect("it was asked for");
        match input.write_all(&self.0) {
            // It ended already: its status and what it said tell why.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}

fn contained(
    bubblewrap: &Bubblewrap,
    room: &Room,
    step: &BuildCommand,
    limits: &BuildLimits,
    output: PipeWriter,
) -> io::Result<(Child, Go)> {
    let child = Command::new(&bubblewrap.program)
        .args(["--args", "0", "--", "/bin/sh", "-c", BECOME])
        .arg(most_processes(limits))
        .arg(&step.program)
        .args(&step.arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stderr(output.try_clone()?)
        .stdout(output)
        .spawn()?;
    let mut options = Vec::new();
    for word in options_of(bubblewrap, room, step) {
        options.extend(word.as_encoded_bytes());
        options.push(0);
    }
    Ok((child, Go(options)))
}

/// How many processes the system is to let a sandbox have, as `ulimit` takes it.
///
/// Set inside, where the namespace's processes alone count: since Linux 5.14, and for all but root, whom nothing of
/// the kind binds. Before, all that the user runs anywhere would count.
fn most_processes(limits: &BuildLimits) -> String {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let mut numbers = release.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
    let counts_namespaces = (numbers.next(), numbers.next()) >= (Some(5), Some(14));
    match counts_namespaces && !rustix::process::getuid().is_root() {
        true => limits.processes.saturating_add(MORE_PROCESSES).to_string(),
        false => "unlimited".to_owned(),
    }
}

/// What bubblewrap is told. A later option covers what an earlier one put at the same place.
fn options_of(bubblewrap: &Bubblewrap, room: &Room, step: &BuildCommand) -> Vec<OsString> {
    let mut all: Vec<OsString> = Vec::new();
    let mut say = |words: &[&OsStr]| all.extend(words.iter().map(|word| (*word).to_owned()));
    let words = |words: &'static str| words.split(' ').map(OsStr::new).collect::<Vec<_>>();
    say(&words("--unshare-all --unshare-user --die-with-parent --new-session --clearenv --cap-drop ALL"));
    say(&words("--uid 1000 --gid 1000 --hostname weir"));
    if bubblewrap.forbids_namespaces {
        say(&[FORBID_NAMESPACES.as_ref()]);
    }
    for shown in &room.root.shown {
        match shown {
            Shown::Bind(from, to) => say(&["--ro-bind".as_ref(), from.as_ref(), to.as_ref()]),
            Shown::Link(target, at) => say(&["--symlink".as_ref(), target.as_ref(), at.as_ref()]),
        }
    }
    say(&words("--proc /proc --dev /dev --size"));
    say(&[SHARED_MEMORY.as_ref()]);
    say(&words("--tmpfs /dev/shm --remount-ro /dev --symlink /tmp /var/tmp --dir /run"));
    for (from, to, writable) in room.folders() {
        let how = if writable { "--bind" } else { "--ro-bind" };
        say(&[how.as_ref(), from.as_ref(), to.as_ref()]);
    }
    // Who is root outside owns /proc/sys inside, capabilities or not: bubblewrap alone would let it be written.
    say(&words("--remount-ro /proc --remount-ro / --chdir"));
    say(&[step.folder.as_ref()]);
    for (name, value) in &step.environment {
        say(&["--setenv".as_ref(), name.as_ref(), value.as_ref()]);
    }
    all
}

fn uncontained(room: &Room, step: &BuildCommand, output: PipeWriter) -> io::Result<(Child, Go)> {
    processes::remember(&room.mark);
    let child = Command::new("/bin/sh")
        .args(["-c", WAIT_AND_BECOME])
        .arg(&step.program)
        .args(&step.arguments)
        .current_dir(&step.folder)
        .env_clear()
        .envs(&step.environment)
        .env(MARK, &room.mark)
        .process_group(0)
        .stdin(Stdio::piped())
        .stderr(output.try_clone()?)
        .stdout(output)
        .spawn()?;
    Ok((child, Go(b"\n".to_vec())))
}

/// Bounds a process and all that it will start.
fn limit(child: &Child, limits: &BuildLimits) -> io::Result<()> {
    let process = Pid::from_child(child);
    for (resource, value) in
        [(Resource::As, limits.memory), (Resource::Fsize, limits.disk), (Resource::Core, 0)]
    {
        let value = Rlimit { current: Some(value), maximum: Some(value) };
        match rustix::process::prlimit(Some(process), resource, value) {
            Ok(_) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
