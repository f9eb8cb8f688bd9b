//! What is wrong with the files of a policy set, and where.

use std::fmt;

use miette::Diagnostic;
use serde::Serialize;

/// One thing that is wrong with a policy set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// Its line, counted from 1; absent where it is the file as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The character in the line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What was probably meant, or what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// Why files are no policy set: all that is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", told(problems))]
pub struct PolicyError {
    /// What is wrong; at least one thing.
    pub problems: Vec<Problem>,
}

/// More of them would not be read by anybody.
pub(crate) const MAX_PROBLEMS: usize = 50;

impl Problem {
    pub(crate) fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, column: None, message: message.into(), help: None }
    }

    /// At a byte of `text`.
    pub(crate) fn at(file: &str, text: &str, offset: usize, message: impl Into<String>) -> Self {
        let (line, column) = place(text, offset);
        Self { line: Some(line), column: Some(column), ..Self::of_file(file, message) }
    }

    /// What Cedar says of `text`.
    pub(crate) fn diagnosed(file: &str, text: &str, diagnostic: &dyn Diagnostic, message: String) -> Self {
        let label = diagnostic.labels().and_then(|mut labels| labels.next());
        let problem = match label {
            Some(label) => Self::at(file, text, label.offset(), message),
            None => Self::of_file(file, message),
        };
        Self { help: diagnostic.help().map(|help| help.to_string()), ..problem }
    }

    pub(crate) fn with_help(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

fn told(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Line and column of a byte, both counted from 1, the column in characters.
pub(crate) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
