//! `weir demo`: the whole thing at work, in a temporary folder.
//!
//! Every step is this program itself, run as a person would type it, with a home of its own, so that
//! the demonstration can neither lie nor touch anything of the user's.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::Args;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::write_stdout;

mod scenes;
mod serving;

/// Show the whole thing at work, in a temporary folder
///
/// Makes a registry, publishes packages that need each other, installs them in a project, publishes a
/// new version and updates; then breaks something on purpose to show that Weir notices. Needs no
/// network, touches nothing outside its folder, takes a second or two.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Leave the folder there, to look around in
    #[arg(long)]
    keep: bool,
    /// Serve a filled registry on this machine instead, to be looked at in a browser, until Ctrl-C
    #[arg(long, conflicts_with = "keep")]
    serve: bool,
    /// Serve for so many minutes at most
    #[arg(long, value_name = "MINUTES", default_value_t = 60, requires = "serve", value_parser = clap::value_parser!(u64).range(1..=1440))]
    minutes: u64,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let stage = Stage::new(context)?;
    if arguments.serve {
        serving::play(&stage, arguments.minutes)?;
        return Ok(ExitCode::SUCCESS);
    }
    let played = scenes::play(&stage);
    if arguments.keep {
        let folder = stage.leave();
        write_stdout(
            format!(
                "\nEverything is in `{}`; to use it, set WEIR_HOME to its folder `home`.\n",
                folder.display()
            )
            .as_bytes(),
        )?;
    }
    played?;
    Ok(ExitCode::SUCCESS)
}

/// A temporary folder with a home of its own, and how to play in it.
struct Stage {
    folder: tempfile::TempDir,
    program: PathBuf,
    colors: bool,
}

impl Stage {
    fn new(context: &Context) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("weir-demo-").tempdir()?;
        remove_on_interrupt(folder.path().to_owned());
        let colors = context.output.stdout_colors();
        Ok(Self { folder, program: std::env::current_exe()?, colors })
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn say(&self, text: &str) -> Result<(), Failure> {
        write_stdout(format!("{text}\n").as_bytes())
    }

    /// A heading of the narration.
    fn scene(&self, text: &str) -> Result<(), Failure> {
        let bold = if self.colors { clap::builder::styling::Style::new().bold() } else { Default::default() };
        self.say(&format!("\n{bold}{text}{bold:#}"))
    }

    fn write(&self, path: &str, text: &str) -> Result<(), Failure> {
        let path = self.path(path);
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        Ok(fs_err::write(path, text)?)
    }

    /// Runs a command as it would be typed in `folder`, and holds that it ends as it should.
    fn weir(&self, folder: &str, typed: &str, expected: i32) -> Result<(), Failure> {
        let at = if folder.is_empty() { String::new() } else { format!("{folder} ") };
        self.say(&format!("\n  {at}$ weir {typed}"))?;
        let folder = self.path(folder);
        let output = Command::new(&self.program)
            .args(words(typed))
            .args(if self.colors { &["--color", "always"][..] } else { &["--color", "never"] })
            .current_dir(folder)
            .env("WEIR_HOME", self.path("home"))
            .env_remove("WEIR_STORE")
            .env_remove("WEIR_REGISTRY")
            .env("WEIR_OFFLINE", "0")
            .stdin(Stdio::null())
            .output()?;
        for stream in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(stream);
            for line in text.lines() {
                self.say(format!("  {line}").trim_end())?;
            }
        }
        match output.status.code() {
            Some(code) if code == expected => Ok(()),
            code => Err(Failure::failed(format!(
                "the demonstration went wrong: expected exit code {expected}, got {code:?}"
            ))),
        }
    }

    fn leave(mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.folder.path().to_owned()
    }
}

impl Stage {
    /// Replaces a word in a file, as an editor would.
    fn change(&self, path: &str, before: &str, after: &str) -> Result<(), Failure> {
        let text = fs_err::read_to_string(self.path(path))?;
        self.write(path, &text.replace(before, after))
    }

    fn remove(&self, path: &str) -> Result<(), Failure> {
        self.say(&format!("\n  $ rm -r {path}"))?;
        Ok(fs_err::remove_dir_all(self.path(path))?)
    }

    /// Changes one byte of a file in place, as an accident would, its protection notwithstanding.
    fn break_file(&self, path: &str) -> Result<(), Failure> {
        self.say(&format!("\n  (one byte of `{path}` is changed)"))?;
        let file = fs_err::canonicalize(self.path(path))?;
        let mut bytes = fs_err::read(&file)?;
        if let Some(byte) = bytes.last_mut() {
            *byte ^= 1;
        }
        make_writable(&file)?;
        Ok(fs_err::write(&file, bytes)?)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // What cannot be removed stays in the folder for temporary files, where it is removed some day.
        let _ = make_all_writable(self.folder.path());
    }
}

fn words(typed: &str) -> impl Iterator<Item = &str> {
    typed.split_whitespace()
}

fn make_writable(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut permissions = fs_err::symlink_metadata(path)?.permissions();
    permissions.set_mode(permissions.mode() | 0o700);
    Ok(fs_err::set_permissions(path, permissions)?)
}

/// The store's folders are read-only, so that nothing in them can be removed by accident.
fn make_all_writable(folder: &Path) -> Result<(), Failure> {
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        make_writable(&folder)?;
        for entry in fs_err::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                pending.push(entry.path());
            }
        }
    }
    Ok(())
}

fn remove_on_interrupt(folder: PathBuf) {
    // Without a listener the signal ends the program all the same, and the folder stays.
    let _ = ctrlc::set_handler(move || {
        let _ = make_all_writable(&folder).map(|()| fs_err::remove_dir_all(&folder));
        let _ = writeln!(std::io::stderr(), "Interrupted. The demonstration's folder is removed.");
        std::process::exit(Exit::Interrupted as i32);
    });
}
