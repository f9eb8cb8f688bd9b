//! A program on a terminal that is not there: what a person would see of it, at any width, and while the width changes.

use std::fs::File;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

const ROWS: u16 = 24;

/// A running program and the terminal that it writes to. As most terminals do, this one breaks its lines anew when it is resized.
/// The program is killed when it is dropped.
pub struct Terminal {
    child: Child,
    master: File,
    screen: avt::Terminal,
    /// The beginning of a character whose end has not come yet.
    rest: Vec<u8>,
    /// All that was written, with what commands the terminal.
    written: String,
}

impl Terminal {
    /// Starts `command` on a terminal of so many columns.
    ///
    /// # Panics
    ///
    /// When there is no terminal to be had, or the command cannot be started.
    pub fn start(mut command: Command, columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal can be had");
        grantpt(&master).expect("the terminal is ours");
        unlockpt(&master).expect("the terminal can be used");
        tcsetwinsize(&master, size(columns)).expect("the terminal has a size");
        let name = ptsname(&master, Vec::new()).expect("the terminal has a name");
        let open = || {
            let path = name.to_str().expect("it is text");
            fs_err::OpenOptions::new().read(true).write(true).open(path).expect("the terminal can be opened")
        };
        let [stdout, stderr] = [(); 2].map(|()| Stdio::from(File::from(open())));
        let child =
            command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().expect("it can be started");
        // The command holds the other end, which would stay open.
        drop(command);
        let screen = avt::Terminal::new(columns.into(), ROWS.into()).expect("the terminal has a size");
        Self { child, master: File::from(master), screen, rest: Vec::new(), written: String::new() }
    }

    /// Reads on until the lines on the screen, without empty ones, are `wanted`, and gives them.
    ///
    /// # Panics
    ///
    /// When the program ends before that.
    #[track_caller]
    pub fn see(&mut self, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
        loop {
            assert!(self.read(), "the program ended, and this was seen last: {:#?}", self.lines());
            let lines = self.lines();
            if wanted(&lines) {
                return lines;
            }
        }
    }

    /// Changes the width of the terminal.
    ///
    /// # Panics
    ///
    /// When that is not possible.
    pub fn resize(&mut self, columns: u16) {
        tcsetwinsize(&self.master, size(columns)).expect("the terminal can be resized");
        self.screen.resize(columns.into(), ROWS.into());
    }

    /// Does what Ctrl-C does.
    ///
    /// # Panics
    ///
    /// When the program is gone.
    pub fn interrupt(&self) {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::INT).expect("it runs");
    }

    /// Waits until the program ends; gives its exit code, -1 if a signal ended it, and what is left on the screen.
    ///
    /// # Panics
    ///
    /// When it cannot be waited for.
    pub fn end(mut self) -> (i32, Vec<String>) {
        while self.read() {}
        let status = self.child.wait().expect("it was started");
        (status.code().unwrap_or(-1), self.lines())
    }

    /// Waits until the program ends; gives its exit code as [`Terminal::end`] does, and all that it wrote, with what commands a terminal.
    ///
    /// # Panics
    ///
    /// When it cannot be waited for.
    pub fn end_with_all(mut self) -> (i32, String) {
        while self.read() {}
        let status = self.child.wait().expect("it was started");
        (status.code().unwrap_or(-1), std::mem::take(&mut self.written))
    }

    /// The column and the row that the cursor is in.
    pub fn cursor(&self) -> (usize, usize) {
        let cursor = self.screen.cursor();
        (cursor.col, cursor.row)
    }

    /// Reads what there is; false at the end.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        // A terminal that nobody writes to any more is an error.
        let read = self.master.read(&mut buffer).unwrap_or_default();
        self.rest.extend_from_slice(&buffer[..read]);
        let whole = match std::str::from_utf8(&self.rest) {
            Ok(_) => self.rest.len(),
            Err(error) => error.valid_up_to(),
        };
        let text = String::from_utf8_lossy(&self.rest[..whole]).into_owned();
        self.rest.drain(..whole);
        self.screen.feed([text.as_str()]);
        self.written.push_str(&text);
        read > 0
    }

    fn lines(&self) -> Vec<String> {
        let lines = self.screen.screen().visible_lines().map(|line| line.text().trim_end().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    }
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal").field("child", &self.child).finish_non_exhaustive()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size(columns: u16) -> Winsize {
    Winsize { ws_row: ROWS, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}
