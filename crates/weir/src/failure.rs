//! What went wrong: to what, why, what to do now, and the exit code.
//!
//! Text for people goes to stderr as a report; with `--json` it is a document on stdout:
//!
//! ```json
//! {"error": {"code": "not-found", "exit": 5, "message": "…", "because": ["…"], "help": "…",
//!            "place": {"file": "weir.toml", "line": 3}}}
//! ```
//!
//! Builds that failed are told one by one: what each printed last, and where the rest of it is. In JSON they are
//! `builds` of the error.

mod arguments;
mod document;
mod exit;
mod verdict;

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use schemars::JsonSchema;
use serde::Serialize;
use weir_model::{ReleaseId, causes};
use weir_repo::FailedBuild;

use crate::output::{Format, Output, harmless, harmless_line, short, told};

pub(crate) use document::FailureDocument;
use document::{Explained, FailureReport, FilePlace};
pub(crate) use exit::{Exit, ending};
use verdict::Verdict;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    because: Option<Box<Cause>>,
    help: Option<String>,
    place: Option<Place>,
    /// Why requirements cannot be met together.
    explained: Option<Box<Explained>>,
    /// Builds that failed, and what came of the others.
    builds: Option<Box<Builds>>,
    /// Nothing is to be said: the reader of stdout has left.
    silent: bool,
}

/// What became of the builds of a plan of which some failed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Builds {
    /// Those that failed.
    failed: Vec<FailedBuild>,
    /// Those that were not tried because of it.
    skipped: Vec<ReleaseId>,
    /// How many were built, now or earlier.
    built: usize,
    /// What is offered although not everything was built.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    offered: Vec<ReleaseId>,
}

/// A place in a text that a person wrote.
#[derive(Debug)]
struct Place {
    source: NamedSource<String>,
    file: PathBuf,
    line: usize,
    span: Range<usize>,
}

impl Place {
    /// The bytes `span` of `text`, which is shown as a terminal may show it.
    fn new(file: &Path, text: &str, span: Range<usize>) -> Self {
        let line = 1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count();
        let (text, span) = around(text, span);
        let shown = |end: usize| harmless(text.get(..end).unwrap_or(&text)).len();
        let name = harmless(&file.to_string_lossy()).into_owned();
        Self {
            source: NamedSource::new(name, harmless(&text).into_owned()).with_language("TOML"),
            file: file.to_owned(),
            line,
            span: shown(span.start)..shown(span.end),
        }
    }
}

/// A text with long lines cut, and the place of `span` in it: of the line where that begins there is what stands around it, of
/// others their beginning.
fn around(text: &str, span: Range<usize>) -> (String, Range<usize>) {
    const WIDEST: usize = 200;
    const BEFORE: usize = 40;
    let boundary = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (boundary(span.start.min(text.len())), boundary(span.end.min(text.len())));
    let mut cut = String::new();
    let (mut begins, mut ends) = (0, 0);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let next = at + line.len();
        let content = line.trim_end_matches(['\n', '\r']);
        let is_here = (at..next).contains(&start) || next == text.len() && start == next;
        let ends_here = start.max(end) < next || next == text.len();
        let long = content.len() > WIDEST;
        let from = if long && is_here { boundary(start.saturating_sub(BEFORE).max(at)) } else { at };
        let to = if long { boundary((from + WIDEST).min(at + content.len())) } else { at + content.len() };
        cut.push_str(if from > at { "…" } else { "" });
        if is_here {
            begins = cut.len() + start.min(to).saturating_sub(from);
            ends = cut.len() + end.clamp(from, to) - from;
        } else if start < at && end >= at && ends_here {
            ends = cut.len() + end.clamp(from, to) - from;
        }
        cut.push_str(&text[from..to]);
        cut.push_str(if to < at + content.len() { "…" } else { "" });
        cut.push_str(&line[content.len()..]);
        at = next;
    }
    (cut, begins..ends.max(begins))
}

impl Failure {
    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: told(&message.into()).into_owned(),
            because: None,
            help: None,
            place: None,
            explained: None,
            builds: None,
            silent: false,
        }
    }

    /// The command was used wrongly.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// It failed for a reason that has no code of its own.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Something is not there.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, message)
    }

    /// Something would be overwritten.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(Exit::Conflict, message)
    }

    /// A person was asked, and said no.
    pub(crate) fn declined() -> Self {
        Self::new(Exit::Interrupted, "nothing was changed: the answer was no")
    }

    /// Somebody, or nobody in time, said that it may be.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, message)
    }

    /// A digest, a signature or a log is not what it should be.
    pub(crate) fn integrity(message: impl Into<String>) -> Self {
        Self::new(Exit::Integrity, message)
    }

    /// stdout cannot be written. That its reader has left is no failure: `weir list | head -1`.
    pub(crate) fn output(error: &io::Error) -> Self {
        let silent = error.kind() == io::ErrorKind::BrokenPipe;
        Self { silent, ..Self::failed("cannot write to stdout").caused_by(error) }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn caused_by(mut self, error: &dyn Error) -> Self {
        self.because = Some(Box::new(Cause {
            text: told(&error.to_string()).into_owned(),
            because: Cause::chain(causes(error)),
        }));
        self
    }

    /// Tells, and gives the exit code.
    pub(crate) fn report(&self, output: &Output) -> ExitCode {
        if self.silent {
            return ExitCode::SUCCESS;
        }
        output.screen.clear();
        match output.format {
            Format::Json => self.report_json(output),
            Format::Text => self.report_text(output),
        }
        ending(self.exit)
    }

    fn report_text(&self, output: &Output) {
        let theme = if output.stderr_colors() {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        // Where no person looks, nothing is wrapped: lines stay whole for whoever searches them.
        const UNWRAPPED: usize = 1 << 16;
        let width = output.stderr_width().unwrap_or(UNWRAPPED);
        let handler = GraphicalReportHandler::new_themed(theme).with_width(width).with_links(false);
        let mut text = String::new();
        if let Some(builds) = &self.builds {
            builds.write(&mut text, output);
        }
        let mut report = String::new();
        if handler.render_report(&mut report, self).is_err() {
            report = format!("error: {}\n", self.message);
        }
        text.push_str(&report);
        output.write_stderr(&text);
    }

    fn report_json(&self, output: &Output) {
        let error = FailureReport {
            code: self.exit.name(),
            exit: self.exit as u8,
            message: &self.message,
            because: causes(self),
            help: self.help.as_deref(),
            place: self.place.as_ref().map(|place| FilePlace { file: &place.file, line: place.line }),
            explanation: self.explained.as_deref(),
            builds: self.builds.as_deref(),
        };
        // The exit code tells the same where stdout is gone.
        let _ = output.json(&FailureDocument { error });
    }
}

impl Builds {
    /// What each of them printed last, and where the rest is.
    fn write(&self, text: &mut String, output: &Output) {
        let palette = output.stderr_palette();
        let (bad, faint) = (palette.bad, palette.faint);
        for failed in &self.failed {
            let _ = writeln!(text, "{bad}{}{bad:#}: {}", short(&failed.id), harmless_line(&failed.reason));
            for line in &failed.last_lines {
                let _ = writeln!(text, "  {faint}│{faint:#} {}", harmless(line));
            }
            if let Some(help) = &failed.help {
                let _ = writeln!(text, "  {}", harmless(help));
            } else if let Some(log) = &failed.log {
                let _ = writeln!(text, "  all it printed is in `{}`", log.display());
            }
        }
        if !self.offered.is_empty() {
            let offered: Vec<String> = self.offered.iter().map(short).collect();
            let _ = writeln!(text, "Offered: {}", offered.join(", "));
        }
        if !self.skipped.is_empty() {
            let skipped: Vec<String> = self.skipped.iter().map(short).collect();
            let _ = writeln!(text, "Not tried: {}", skipped.join(", "));
        }
        text.push('\n');
    }
}

/// What clap has to say: help and the version as asked for, or a mistake in the arguments.
pub(crate) fn about_arguments(error: &clap::Error, output: &Output) -> ExitCode {
    if !error.use_stderr() {
        return match error.print().and_then(|()| io::stdout().flush()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => Failure::output(&error).report(output),
        };
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand && output.format == Format::Text {
        // What there is to call is the answer to calling nothing.
        let text = error.render();
        let colors = output.stderr_colors();
        output.write_stderr(&if colors { text.ansi().to_string() } else { text.to_string() });
        return ending(Exit::Usage);
    }
    arguments::failure(error).report(output)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&harmless(&self.message))
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.because.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

impl Diagnostic for Failure {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(harmless(help)) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_ref().map(|place| &place.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.place.as_ref()?;
        Some(Box::new(std::iter::once(LabeledSpan::underline(place.span.clone()))))
    }
}

impl<E: Verdict> From<E> for Failure {
    fn from(error: E) -> Self {
        let place = error.place().map(|(path, text, span)| Place::new(path, text, span));
        let because = Cause::chain(error.because());
        let builds = error.builds().map(Box::new);
        let explained = error.explanation().map(|explanation| Box::new(explanation.into()));
        Self {
            because,
            help: error.help().map(|help| told(&help).into_owned()),
            place,
            explained,
            builds,
            ..Self::new(error.exit(), error.to_string())
        }
    }
}

/// What lies below an error, outermost first: a list, because that is all a report needs of it.
#[derive(Debug)]
struct Cause {
    text: String,
    because: Option<Box<Cause>>,
}

impl Cause {
    fn chain(texts: Vec<String>) -> Option<Box<Self>> {
        texts
            .into_iter()
            .rev()
            .fold(None, |because, text| Some(Box::new(Self { text: told(&text).into_owned(), because })))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&harmless(&self.text))
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.because.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::around;

    #[test]
    fn of_a_long_line_there_is_what_stands_around_the_place() {
        let text = format!("a = 1\nb = \"{}\" !\nc = 2\n", "x".repeat(1_000_000));
        let at = text.find('!').unwrap();
        let (cut, span) = around(&text, at..at + 1);
        assert_eq!(&cut[span], "!");
        assert!(cut.len() < 300 && cut.starts_with("a = 1\n…xxx") && cut.ends_with("\nc = 2\n"), "{cut}");
    }

    proptest! {
        #[test]
        fn a_place_in_short_lines_stays_where_it_is(text in "([a-zä\n]{0,20}\r?\n){0,5}[a-z]{0,5}", at in 0_usize..50, length in 0_usize..50) {
            let (cut, span) = around(&text, at..at + length);
            prop_assert_eq!(&cut, &text);
            let start = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            // What is at the end of a line, or behind the last one, is shown where its words end.
            let between = text.get(span.start..start);
            prop_assert!(between.is_some_and(|skipped| skipped.chars().all(|c| matches!(c, '\r' | '\n'))));
            prop_assert!(cut.get(span).is_some());
        }

        #[test]
        fn no_place_in_any_text_is_lost(text in "(\\PC{0,300}\n){0,4}\\PC{0,300}", at in 0_usize..1500, length in 0_usize..1500) {
            let (cut, span) = around(&text, at..at + length);
            prop_assert!(cut.get(span).is_some());
            prop_assert_eq!(cut.lines().count(), text.lines().count());
        }
    }
}
