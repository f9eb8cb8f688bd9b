//! The log of a build: all that it printed, or the beginning and the end of it.

use std::collections::VecDeque;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use fs_err::File;

/// Bytes that are kept of the beginning, and as many of the end.
const KEPT: usize = 8 << 20;

/// How many lines an error shows.
const TAIL_LINES: usize = 20;

/// Of a longer line, people see the beginning.
const MAX_LINE: usize = 400;

/// A file that everything a build prints goes to. It never grows beyond twice `KEPT` and some.
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    kept: usize,
    written: usize,
    /// The end, once the beginning is full.
    end: VecDeque<u8>,
    left_out: u64,
    lines: Lines,
}

/// The last lines, as people see them.
#[derive(Default)]
struct Lines {
    last: VecDeque<String>,
    unfinished: Vec<u8>,
}

impl Log {
    /// Starts a log in the file `path`, in place of any that is there.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Self::keeping(path, KEPT)
    }

    fn keeping(path: &Path, kept: usize) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        let file = File::create(path)?;
        let (path, end, lines) = (path.to_owned(), VecDeque::new(), Lines::default());
        Ok(Self { path, file, kept, written: 0, end, left_out: 0, lines })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Says what is done next. The lines before it belong to something else.
    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        let text = clean(text.as_bytes());
        self.lines = Lines::default();
        self.keep(format!("== {text}\n").as_bytes())
    }

    /// What was kept since there were `from` bytes of it, of the beginning alone.
    pub(crate) fn since(&self, from: u64) -> io::Result<String> {
        let mut file = File::open(&self.path)?;
        file.seek(io::SeekFrom::Start(from))?;
        let mut said = Vec::new();
        file.take(self.written as u64 - from.min(self.written as u64)).read_to_end(&mut said)?;
        Ok(String::from_utf8_lossy(&said).into_owned())
    }

    /// How many bytes of the beginning were kept.
    pub(crate) fn written(&self) -> u64 {
        self.written as u64
    }

    /// Takes what was printed, and gives the lines that it ends to `each`: all of them, or only the last ones, which
    /// costs less.
    pub(crate) fn write(&mut self, bytes: &[u8], all: bool, each: &mut dyn FnMut(&str)) -> io::Result<()> {
        self.keep(bytes)?;
        self.lines.push(bytes, all, each);
        Ok(())
    }

    /// Ends a line that nothing more will come of.
    pub(crate) fn end_line(&mut self, each: &mut dyn FnMut(&str)) {
        self.lines.finish_line(each);
    }

    /// Writes the end, and gives the last lines.
    pub(crate) fn finish(mut self) -> io::Result<Vec<String>> {
        if self.left_out > 0 {
            writeln!(self.file, "\n== {} bytes left out", self.left_out)?;
        }
        let (a, b) = self.end.as_slices();
        self.file.write_all(a)?;
        self.file.write_all(b)?;
        Ok(self.lines.finish())
    }

    fn keep(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (now, later) = bytes.split_at(bytes.len().min(self.kept - self.written));
        self.file.write_all(now)?;
        self.written += now.len();
        let surplus = (self.end.len() + later.len()).saturating_sub(self.kept);
        let of_end = surplus.min(self.end.len());
        self.end.drain(..of_end);
        self.end.extend(&later[surplus - of_end..]);
        self.left_out += surplus as u64;
        Ok(())
    }
}

impl Lines {
    fn push(&mut self, bytes: &[u8], all: bool, each: &mut dyn FnMut(&str)) {
        // Of much that comes at once only the end can be among the last lines.
        let from = if all { 0 } else { bytes.len().saturating_sub(TAIL_LINES * MAX_LINE * 4) };
        if from > 0 {
            self.unfinished.clear();
        }
        for piece in bytes[from..].split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let room = (MAX_LINE * 4).saturating_sub(self.unfinished.len());
            self.unfinished.extend(piece.iter().take(room));
            if piece.ends_with(b"\n") || piece.ends_with(b"\r") {
                self.finish_line(each);
            }
        }
    }

    fn finish_line(&mut self, each: &mut dyn FnMut(&str)) {
        let line = clean(&std::mem::take(&mut self.unfinished));
        if line.is_empty() {
            return;
        }
        each(&line);
        self.last.push_back(line);
        if self.last.len() > TAIL_LINES {
            self.last.pop_front();
        }
    }

    fn finish(mut self) -> Vec<String> {
        self.finish_line(&mut |_| {});
        self.last.into()
    }
}

/// One line as it may be shown: nothing in it moves the cursor, changes colours or turns the direction of text.
fn clean(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut shown = String::new();
    let mut chars = text.chars().peekable();
    let mut count = 0;
    while let Some(char) = chars.next() {
        if char == '\u{1b}' {
            skip_sequence(&mut chars);
            continue;
        }
        let char = if char == '\t' { ' ' } else { char };
        if char.is_control() || is_invisible(char) {
            continue;
        }
        count += 1;
        if count > MAX_LINE {
            shown.push('…');
            break;
        }
        shown.push(char);
    }
    shown.truncate(shown.trim_end().len());
    shown
}

/// Skips the rest of a terminal's control sequence (ECMA-48, 5.4): `[`, parameters, and one final byte.
fn skip_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if chars.next_if_eq(&'[').is_some() {
        while chars.next_if(|char| matches!(char, ' '..='?')).is_some() {}
        chars.next_if(|char| matches!(char, '@'..='~'));
    }
}

/// Characters that change how others are shown.
fn is_invisible(char: char) -> bool {
    matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::{Log, MAX_LINE, TAIL_LINES, clean};

    fn log(kept: usize) -> (tempfile::TempDir, Log) {
        let place = tempfile::tempdir().unwrap();
        let log = Log::keeping(&place.path().join("logs/log"), kept).unwrap();
        (place, log)
    }

    #[test]
    fn of_much_output_the_beginning_and_the_end_are_kept() {
        let (place, mut log) = log(10);
        for _ in 0..100 {
            log.write(b"0123456789abcdef\n", false, &mut |_| {}).unwrap();
        }
        log.finish().unwrap();
        let text = fs_err::read_to_string(place.path().join("logs/log")).unwrap();
        assert_eq!(text, "0123456789\n== 1680 bytes left out\n789abcdef\n");
    }

    #[test]
    fn who_wants_every_line_gets_it_however_many_come_at_once() {
        let (_place, mut log) = log(0);
        let text: String = (0..100_000).map(|number| format!("line {number}\n")).collect();
        let mut next = 0;
        for bytes in text.as_bytes().chunks(65_537) {
            let mut each = |line: &str| {
                assert_eq!(line, format!("line {next}"));
                next += 1;
            };
            log.write(bytes, true, &mut each).unwrap();
        }
        assert_eq!(next, 100_000);
        let mut last = Vec::new();
        log.write(b"no line feed", true, &mut |line| last.push(line.to_owned())).unwrap();
        log.end_line(&mut |line| last.push(line.to_owned()));
        assert_eq!(last, ["no line feed"]);
    }

    #[test]
    fn little_output_is_kept_as_it_is() {
        let (place, mut log) = log(100);
        log.heading("release: build").unwrap();
        let mut lines = Vec::new();
        log.write(b"a\nb", false, &mut |line| lines.push(line.to_owned())).unwrap();
        log.write(b"c\r\n", false, &mut |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines, ["a", "bc"]);
        assert_eq!(log.finish().unwrap(), ["a", "bc"]);
        assert_eq!(
            fs_err::read_to_string(place.path().join("logs/log")).unwrap(),
            "== release: build\na\nbc\r\n"
        );
    }

    #[test]
    fn lines_for_people_are_few_short_and_harmless() {
        assert_eq!(clean(b"\x1b[31mred\x1b[0m\x07 \xff\xe2\x80\xaeback\t."), "red \u{fffd}back .");
        assert_eq!(clean(&[b'x'; 5000]).chars().count(), MAX_LINE + 1);
        let (_place, mut log) = log(0);
        log.write("y\n".repeat(1 << 20).as_bytes(), false, &mut |_| {}).unwrap();
        log.write(&[b'z'; 1 << 20], false, &mut |_| {}).unwrap();
        let last = log.finish().unwrap();
        assert!(last.len() <= TAIL_LINES && last.iter().all(|line| line.chars().count() <= MAX_LINE + 1));
    }
}
