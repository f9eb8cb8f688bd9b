//! A temporary folder with a home of its own, in which the real program runs.

use std::fmt;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::contract::check_json;
use crate::filter::filter;
use crate::package::PackageBuilder;

/// A temporary folder with a home of its own. Everything is removed with it.
#[derive(Debug)]
pub struct Sandbox {
    program: PathBuf,
    folder: TempDir,
    root: PathBuf,
}

/// What the program said, and how it ended. Printed, it is a page of a manual: the command, what it wrote
/// to stdout, what it wrote to stderr if that is anything, and the exit code if it is not 0. What differs from
/// run to run (paths, digests, times, keys) is replaced by a word in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The command as it would be typed.
    pub typed: String,
    /// The exit code; -1 if a signal ended it.
    pub code: i32,
    /// What it wrote to stdout, as it is.
    pub stdout: String,
    /// What it wrote to stderr, as it is.
    pub stderr: String,
    page: String,
}

impl Sandbox {
    /// A new, empty one for the program at `program`, which a test knows as `env!("CARGO_BIN_EXE_weir")`.
    ///
    /// # Panics
    ///
    /// When no temporary folder can be made.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let folder = TempDir::with_prefix("weir-test-").expect("a temporary folder can be made");
        // As the program will see it, should a part of it be a link.
        let root = fs_err::canonicalize(folder.path()).expect("the temporary folder is there");
        fs_err::create_dir_all(root.join("app")).expect("the temporary folder can be written");
        Self { program: program.into(), folder, root }
    }

    /// A path in the sandbox.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// Writes a file, and the folders above it.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder).expect("the sandbox can be written");
        }
        fs_err::write(path, text).expect("the sandbox can be written");
    }

    /// Reads a file.
    ///
    /// # Panics
    ///
    /// When it cannot be read.
    pub fn read(&self, path: impl AsRef<Path>) -> String {
        fs_err::read_to_string(self.path(path)).expect("the file can be read")
    }

    /// Makes a registry in the folder `name`, and the default one under that name.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    pub fn registry(&self, name: &str) {
        self.weir_in("", &format!("registry init {name} --name {name} --default")).succeeds();
    }

    /// Begins a package.
    pub fn package(&self, name: &str, version: &str) -> PackageBuilder<'_> {
        PackageBuilder::new(self, name, version)
    }

    /// Writes the manifest of a project in the folder `app`, with dependencies such as `acme/str = ^1`.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn project(&self, dependencies: &[&str]) {
        let lines: String = dependencies.iter().map(|text| crate::package::dependency_line(text)).collect();
        self.write("app/weir.toml", format!("[dependencies]\n{lines}"));
    }

    /// Runs the program in the folder `app`, as it would be typed. Words are separated by spaces; one with
    /// spaces in it stands in single quotes.
    ///
    /// # Panics
    ///
    /// When it cannot be run.
    pub fn weir(&self, typed: &str) -> Run {
        self.weir_in("app", typed)
    }

    /// The same in another folder of the sandbox.
    ///
    /// # Panics
    ///
    /// When it cannot be run.
    pub fn weir_in(&self, folder: &str, typed: &str) -> Run {
        self.weir_with(folder, typed, &[])
    }

    /// The same with variables of the environment.
    ///
    /// # Panics
    ///
    /// When it cannot be run.
    pub fn weir_with(&self, folder: &str, typed: &str, variables: &[(&str, &str)]) -> Run {
        let output = self
            .command(folder, &words(typed), variables)
            .output()
            .unwrap_or_else(|error| panic!("cannot run `{}`: {error}", self.program.display()));
        self.run(typed, &output)
    }

    /// The same with a text on stdin.
    ///
    /// # Panics
    ///
    /// When it cannot be run.
    pub fn weir_fed(&self, folder: &str, typed: &str, stdin: &str) -> Run {
        self.weir_fed_with(folder, typed, stdin, &[])
    }

    /// The same with variables of the environment as well.
    ///
    /// # Panics
    ///
    /// When it cannot be run.
    pub fn weir_fed_with(&self, folder: &str, typed: &str, stdin: &str, variables: &[(&str, &str)]) -> Run {
        let mut program = self
            .command(folder, &words(typed), variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run `{}`: {error}", self.program.display()));
        // A program that fails early reads nothing.
        let _ = program.stdin.take().expect("stdin is piped").write_all(stdin.as_bytes());
        let output = program.wait_with_output().expect("the program ends");
        self.run(typed, &output)
    }

    /// The same through another program, which is given these words, then the program and what was typed.
    ///
    /// # Panics
    ///
    /// When it cannot be run.
    pub fn weir_under(&self, outer: &[&str], folder: &str, typed: &str) -> Run {
        let inner = self.command(folder, &words(typed), &[]);
        let (name, given) = outer.split_first().expect("a program is named");
        let mut command = Command::new(name);
        command.args(given).arg(inner.get_program()).args(inner.get_args()).current_dir(self.path(folder));
        command.env_clear().stdin(Stdio::null());
        for (name, value) in inner.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        let output = command.output().unwrap_or_else(|error| panic!("cannot run `{name}`: {error}"));
        self.run(typed, &output)
    }

    /// Runs the program on a terminal of its own and answers what it asks: what it wrote to stdout and to stderr comes as
    /// stdout.
    ///
    /// # Panics
    ///
    /// When it cannot be run.
    pub fn weir_on_a_terminal(&self, folder: &str, typed: &str, answer: &str) -> Run {
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--flush", "--command"])
            .arg(format!("{} {typed}", self.program.display()))
            .arg("/dev/null")
            .current_dir(self.path(folder))
            .env("HOME", self.path("home"))
            .env("WEIR_HOME", self.path("home/weir"))
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .env("USER", "ann")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run `script`: {error}"));
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(answer.as_bytes()).expect("it reads");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        self.run(typed, &output)
    }

    /// What came of a command that a test started itself.
    ///
    /// # Panics
    ///
    /// When it printed a JSON document that the published schema does not describe.
    #[track_caller]
    pub fn run(&self, typed: &str, output: &Output) -> Run {
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code().unwrap_or(-1);
        check_json(&words(typed), &stdout, code);
        let page = self.filter(&page(typed, &stdout, &stderr, code));
        Run { typed: typed.into(), code, stdout, stderr, page }
    }

    /// A command that was not started yet: nothing of the caller's environment but `PATH` reaches it.
    pub fn command(&self, folder: &str, words: &[String], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(words)
            .current_dir(self.path(folder))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("WEIR_HOME", self.path("home/weir"))
            .env("USER", "ann")
            .envs(variables.iter().copied())
            .stdin(Stdio::null());
        command
    }

    /// `text` without what differs from run to run.
    pub fn filter(&self, text: &str) -> String {
        filter(text, &self.root)
    }
}

impl Run {
    /// Holds that it ended well.
    ///
    /// # Panics
    ///
    /// When it did not, showing everything it said.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        assert!(self.code == 0, "{}", self.page);
        self
    }

    /// Holds that it ended with `code`.
    ///
    /// # Panics
    ///
    /// When it did not, showing everything it said.
    #[track_caller]
    pub fn fails_with(self, code: i32) -> Self {
        assert!(self.code == code, "expected exit code {code}\n{}", self.page);
        self
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.page)
    }
}

fn page(typed: &str, stdout: &str, stderr: &str, code: i32) -> String {
    let mut page = format!("$ weir {typed}\n{stdout}");
    if !stderr.is_empty() {
        page.push_str("-- stderr\n");
        page.push_str(stderr);
    }
    if code != 0 {
        page.push_str(&format!("-- exit code {code}\n"));
    }
    page.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn words(typed: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut quoted = false;
    let mut word = None;
    for character in typed.chars() {
        match character {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_with(String::new);
            }
            ' ' if !quoted => words.extend(word.take()),
            character => word.get_or_insert_with(String::new).push(character),
        }
    }
    words.extend(word);
    words
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The store's folders are read-only; without this, only the superuser could remove them.
        let mut pending = vec![self.folder.path().to_owned()];
        while let Some(folder) = pending.pop() {
            let _ = fs_err::set_permissions(&folder, std::fs::Permissions::from_mode(0o755));
            for entry in fs_err::read_dir(&folder).into_iter().flatten().flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    pending.push(entry.path());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_split_at_spaces_outside_quotes() {
        assert_eq!(
            words("yank a/b@1.0.0 --reason 'it is broken'"),
            ["yank", "a/b@1.0.0", "--reason", "it is broken"]
        );
        assert_eq!(words("search ''"), ["search", ""]);
    }
}
