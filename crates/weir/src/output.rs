//! Results, on stdout: text for people, or one JSON document for programs.
//!
//! A command hands over a value and a way to write it as a [`Page`]; which of the two is used is
//! decided here. A page is made in memory and written at once, so that a reader who closes the pipe
//! is noticed in one place.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use clap::builder::styling::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};
use weir_model::ReleaseId;
use weir_model::address::without_secrets;
pub(crate) use weir_model::amounts::{bytes, count};
use weir_model::unseen::harmless_json;
pub(crate) use weir_model::unseen::{harmless, harmless_line};

use crate::arguments::{Color, Shared};
use crate::documents::Document;
use crate::failure::Failure;
use crate::progress::Screen;
use crate::settings;

/// Text, or one JSON document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Where results and messages go, and how they look there.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) format: Format,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    /// What is drawn on the terminal meanwhile; taken away before anything is written.
    pub(crate) screen: Screen,
    color: Color,
}

/// The colours of words by what they mean. Without colours, each of them is nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Palette {
    pub(crate) heading: Style,
    pub(crate) name: Style,
    pub(crate) good: Style,
    pub(crate) bad: Style,
    pub(crate) notice: Style,
    pub(crate) warning: Style,
    pub(crate) faint: Style,
}

impl Palette {
    fn new(colors: bool) -> Self {
        let style = |style: Style| if colors { style } else { Style::new() };
        Self {
            heading: style(Style::new().bold()),
            name: style(AnsiColor::Cyan.on_default()),
            good: style(AnsiColor::Green.on_default()),
            bad: style(AnsiColor::Red.on_default()),
            notice: style(AnsiColor::Yellow.on_default()),
            warning: style(AnsiColor::Yellow.on_default().bold()),
            faint: style(Style::new().dimmed()),
        }
    }
}

impl Output {
    pub(crate) fn new(shared: &Shared) -> Self {
        Self {
            format: if shared.json { Format::Json } else { Format::Text },
            quiet: shared.quiet,
            verbose: shared.verbose,
            screen: Screen::default(),
            color: shared.color,
        }
    }

    /// For what is to be said before the arguments were read.
    pub(crate) fn before_arguments(format: Format) -> Self {
        Self { format, quiet: false, verbose: false, screen: Screen::default(), color: Color::Auto }
    }

    /// Shows what was done, which `--quiet` silences.
    pub(crate) fn show<T: Document + ?Sized>(
        &self,
        value: &T,
        write: impl FnOnce(&mut Page),
    ) -> Result<(), Failure> {
        match self.format {
            Format::Json => self.json(value),
            Format::Text if self.quiet => Ok(()),
            Format::Text => self.text(write),
        }
    }

    /// Shows a result that was asked for, which `--quiet` does not silence.
    pub(crate) fn answer<T: Document + ?Sized>(
        &self,
        value: &T,
        write: impl FnOnce(&mut Page),
    ) -> Result<(), Failure> {
        match self.format {
            Format::Json => self.json(value),
            Format::Text => self.text(write),
        }
    }

    /// Shows what was done; or, of a `dry_run`, what would be, which was asked for.
    pub(crate) fn act<T: Document + ?Sized>(
        &self,
        dry_run: bool,
        value: &T,
        write: impl FnOnce(&mut Page),
    ) -> Result<(), Failure> {
        if dry_run { self.answer(value, write) } else { self.show(value, write) }
    }

    pub(crate) fn json<T: Document + ?Sized>(&self, value: &T) -> Result<(), Failure> {
        let mut text = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::failed(format!("the result cannot be written as JSON: {error}")))?;
        text.push('\n');
        self.screen.clear();
        write_stdout(harmless_json(&without_secrets(&text)).as_bytes())
    }

    fn text(&self, write: impl FnOnce(&mut Page)) -> Result<(), Failure> {
        let mut page = self.page();
        write(&mut page);
        self.screen.clear();
        write_stdout(for_terminal(&page.text, self.stdout_colors()).as_bytes())
    }

    fn page(&self) -> Page {
        let terminal = io::stdout().is_terminal();
        Page {
            text: String::new(),
            palette: Palette::new(self.stdout_colors()),
            width: terminal.then(|| width_of(io::stdout())).flatten(),
        }
    }

    /// The colours for stderr.
    pub(crate) fn stderr_palette(&self) -> Palette {
        Palette::new(self.stderr_colors())
    }

    pub(crate) fn stdout_colors(&self) -> bool {
        self.colors(io::stdout().is_terminal())
    }

    pub(crate) fn stderr_colors(&self) -> bool {
        self.colors(io::stderr().is_terminal())
    }

    /// How wide a message on stderr may be; whatever it likes where no person looks.
    pub(crate) fn stderr_width(&self) -> Option<usize> {
        io::stderr().is_terminal().then(|| width_of(io::stderr())).flatten()
    }

    fn colors(&self, terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !settings::no_color(),
        }
    }

    /// Says something in passing, on stderr.
    pub(crate) fn note(&self, text: &str) {
        self.screen.clear();
        self.write_note(text);
    }

    /// The same where the screen is clear already.
    pub(crate) fn write_note(&self, text: &str) {
        if !self.quiet {
            self.write_stderr(&format!("{text}\n"));
        }
    }

    /// Writes to stderr. Nobody is left to tell if it is gone.
    pub(crate) fn write_stderr(&self, text: &str) {
        let _ = io::stderr().write_all(for_terminal(text, self.stderr_colors()).as_bytes());
    }

    /// Warns, on stderr.
    pub(crate) fn warn(&self, text: &str) {
        let warning = self.stderr_palette().warning;
        self.note(&format!("{warning}warning:{warning:#} {}", harmless(&told(text))));
    }
}

fn width_of(stream: impl std::os::fd::AsFd) -> Option<usize> {
    terminal_size::terminal_size_of(stream).map(|(width, _)| usize::from(width.0))
}

/// How wide help may be: as clap finds it, the terminal, or what the environment says of it.
pub(crate) fn help_width() -> usize {
    const WIDEST: usize = 100;
    width_of(io::stdout()).or_else(settings::columns).unwrap_or(WIDEST).min(WIDEST)
}

/// Writes to stdout and notices that nobody reads any more.
pub(crate) fn write_stdout(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| Failure::output(&error))
}

/// Columns between columns of a table.
const GAP: usize = 2;
/// A column of running text that is narrower than this is not broken into lines.
const NARROW: usize = 20;

/// A page of text in the making.
pub(crate) struct Page {
    text: String,
    pub(crate) palette: Palette,
    /// Columns of the terminal; nothing if the reader is none.
    width: Option<usize>,
}

/// A part of a table's row.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn new(text: impl Display, style: Style) -> Self {
        Self { text: harmless(&text.to_string()).replace('\n', " "), style }
    }

    pub(crate) fn plain(text: impl Display) -> Self {
        Self::new(text, Style::new())
    }
}

impl Page {
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        self.text.push_str(text.as_ref());
        self.text.push('\n');
    }

    /// How many of each there are, a line each, those left out of which there are none.
    pub(crate) fn amounts(&mut self, amounts: &[(u64, &str)]) {
        for (number, what) in amounts.iter().filter(|(number, _)| *number > 0) {
            self.line(format!("  {number} {what}"));
        }
    }

    pub(crate) fn blank(&mut self) {
        self.text.push('\n');
    }

    pub(crate) fn heading(&mut self, text: &str) {
        let heading = self.palette.heading;
        self.line(format!("{heading}{text}{heading:#}"));
    }

    /// Words and what they stand for, in two columns. What is empty is left out.
    pub(crate) fn facts(&mut self, facts: &[(&str, String)]) {
        let faint = self.palette.faint;
        let facts = facts.iter().filter(|(_, value)| !value.is_empty());
        let longest = facts.clone().map(|(word, _)| word.width()).max().unwrap_or_default();
        for (word, value) in facts {
            let gap = longest - word.width();
            self.line(format!("{faint}{word}{faint:#}{:gap$}  {}", "", harmless_line(value)));
        }
    }

    /// Running text, broken between words where the screen ends.
    pub(crate) fn paragraph(&mut self, text: &str) {
        let text = harmless(text);
        let Some(width) = self.width else { return self.line(text) };
        for line in wrapped(&text, width) {
            self.line(line);
        }
    }

    /// Rows in aligned columns under a heading, which may be empty. On a terminal the last column
    /// is cut to what fits.
    pub(crate) fn table(&mut self, heading: &[&str], mut rows: Vec<Vec<Cell>>) {
        if !heading.is_empty() {
            rows.insert(0, heading.iter().map(|word| Cell::new(word, self.palette.faint)).collect());
        }
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.text.width()).max().unwrap_or(0)
            })
            .collect();
        for row in rows {
            let line = self.row(&row, &widths);
            self.line(line);
        }
    }

    /// Rows in aligned columns. On a terminal the last column, running text, goes on below itself where it
    /// does not fit.
    pub(crate) fn entries(&mut self, rows: Vec<Vec<Cell>>) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let Some(last) = columns.checked_sub(1) else { return };
        let widest = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.text.width()).max().unwrap_or_default()
        };
        let before: usize = (0..last).map(|column| widest(column) + GAP).sum();
        let Some(room) = self.width.map(|width| width.saturating_sub(before)).filter(|room| *room >= NARROW)
        else {
            return self.table(&[], rows);
        };
        let mut broken = Vec::new();
        for mut row in rows {
            let Some(text) = row.get_mut(last) else {
                broken.push(row);
                continue;
            };
            let mut lines = wrapped(&text.text, room).into_iter();
            text.text = lines.next().unwrap_or_default();
            let style = text.style;
            broken.push(row);
            for line in lines {
                let mut row = vec![Cell::plain(""); last];
                row.push(Cell::new(line, style));
                broken.push(row);
            }
        }
        self.table(&[], broken);
    }

    fn row(&self, row: &[Cell], widths: &[usize]) -> String {
        let mut line = String::new();
        let mut at = 0;
        let last = row.iter().rposition(|cell| !cell.text.is_empty()).map_or(0, |last| last + 1);
        for (column, cell) in row.iter().take(last).enumerate() {
            if column > 0 {
                line.push_str("  ");
                at += GAP;
            }
            let room = self.width.map(|width| width.saturating_sub(at));
            let text = match room {
                Some(room) if column + 1 == widths.len() => cut(&cell.text, room),
                _ => cell.text.clone(),
            };
            let style = cell.style;
            line.push_str(&format!("{style}{text}{style:#}"));
            if column + 1 < last {
                line.push_str(&" ".repeat(widths[column].saturating_sub(text.width())));
            }
            at += widths[column];
        }
        line
    }
}

/// The last door before a terminal: [`harmless`], but for the colours that Weir itself puts in. What came from outside has
/// been through [`harmless`] before it was put between colours; where that was forgotten, colours are all that gets through, and
/// not even they where there are to be none. Secrets of addresses stay here too.
pub(crate) fn for_terminal(text: &str, colors: bool) -> String {
    let text = &*without_secrets(text);
    if !colors {
        return harmless(text).into_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('\u{1b}') {
        out.push_str(&harmless(&rest[..start]));
        let length = color_length(&rest[start..]);
        match length {
            Some(length) => out.push_str(&rest[start..start + length]),
            None => out.push(char::REPLACEMENT_CHARACTER),
        }
        rest = &rest[start + length.unwrap_or(1)..];
    }
    out.push_str(&harmless(rest));
    out
}

/// The bytes of the colour that `text` begins with: `ESC [`, digits and semicolons, `m`.
fn color_length(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|character: char| !character.is_ascii_digit() && character != ';')?;
    (parameters[end..].starts_with('m')).then_some(2 + end + 1)
}

/// Running text in lines of at most `width` columns, broken between words. There is always a line.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// As much of `text` as fits `room` columns, with `…` where something is left out.
pub(crate) fn cut(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut used = 1;
    let mut kept: String = text
        .chars()
        .take_while(|character| {
            used += character.width().unwrap_or(0);
            used <= room
        })
        .collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

/// The most characters of a line, or of a quoted name in one, that are told: what is longer was written by somebody who does
/// not want it to be read, and is cut in its middle.
const MOST_TOLD: usize = 200;

/// A text with what is too long for people cut in its middle: names in backticks, lines, and the whole.
pub(crate) fn told(text: &str) -> Cow<'_, str> {
    /// Names longer than any path that people have.
    const LONG_NAME: usize = 1_000;
    const LONG_LINE: usize = 4_000;
    const MOST_LINES: usize = 400;
    if text.len() <= LONG_NAME {
        return Cow::Borrowed(text);
    }
    let mut lines: Vec<Cow<'_, str>> = Vec::new();
    let mut left_out = 0;
    for line in text.lines() {
        if lines.len() == MOST_LINES {
            left_out += 1;
            continue;
        }
        let parts = line.split('`').map(|part| shortened(part, LONG_NAME));
        let line = parts.collect::<Vec<_>>().join("`");
        lines.push(Cow::Owned(shortened(&line, LONG_LINE).into_owned()));
    }
    if left_out > 0 {
        lines.push(Cow::Owned(format!("… and {left_out} lines more")));
    }
    Cow::Owned(lines.join("\n"))
}

/// A text of at most `longest` bytes as it is; of a longer one, its beginning and its end.
fn shortened(text: &str, longest: usize) -> Cow<'_, str> {
    if text.len() <= longest {
        return Cow::Borrowed(text);
    }
    let (first, last) = (MOST_TOLD * 3 / 4, MOST_TOLD / 4);
    let start: String = text.chars().take(first).collect();
    let mut end: Vec<char> = text.chars().rev().take(last).collect();
    end.reverse();
    Cow::Owned(format!("{start}…{}", end.into_iter().collect::<String>()))
}

/// A number of seconds as people say it: `3 s`, `2 min 5 s`, `1 h 20 min`.
pub(crate) fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// A release without its platform, where everything that is told of has the same.
pub(crate) fn short(id: &ReleaseId) -> String {
    let revision = if id.revision > 0 { format!(" revision {}", id.revision) } else { String::new() };
    format!("{} {}{revision}", id.name, id.version)
}

#[cfg(test)]
mod tests {
    use super::{bytes, count, cut, duration, for_terminal, wrapped};

    #[test]
    fn bytes_are_said_in_the_largest_unit_that_leaves_a_whole() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024), "1.0 KiB");
        assert_eq!(bytes(1_600_000), "1.5 MiB");
        assert_eq!(bytes(u64::MAX), "15.9 EiB");
    }

    #[test]
    fn a_duration_is_said_in_two_units_at_most() {
        assert_eq!(duration(0), "0 s");
        assert_eq!(duration(125), "2 min 5 s");
        assert_eq!(duration(3600 + 20 * 60 + 59), "1 h 20 min");
    }

    #[test]
    fn nothing_but_colours_gets_through_the_last_door() {
        let text = "\u{1b}[1;31mred\u{1b}[0m \u{1b}]0;owned\u{7} \u{1b}[2J \u{1b}[31\u{9b}2J\u{1b}";
        assert_eq!(
            for_terminal(text, true),
            "\u{1b}[1;31mred\u{1b}[0m \u{fffd}]0;owned\u{fffd} \u{fffd}[2J \u{fffd}[31\u{fffd}2J\u{fffd}"
        );
        assert!(!for_terminal(text, false).contains('\u{1b}'));
    }

    #[test]
    fn a_count_agrees_with_its_noun() {
        assert_eq!(count(1_u64, "package"), "1 package");
        assert_eq!(count(0_u64, "package"), "0 packages");
        assert_eq!(count(2_u64, "registry"), "2 registries");
        assert_eq!(count(3_u64, "key"), "3 keys");
        assert_eq!(count(3_u64, "batch"), "3 batches");
    }

    #[test]
    fn running_text_is_broken_between_words() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable", 4), ["unbreakable"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn a_text_is_cut_at_the_width_it_has_on_a_screen() {
        assert_eq!(cut("strings for everyone", 8), "strings…");
        assert_eq!(cut("strings", 7), "strings");
        assert_eq!(cut("日本語のテキスト", 7), "日本語…");
    }
}
