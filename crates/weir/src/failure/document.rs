//! A failure as `--json` prints it.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use weir_resolve::Step;

use super::Builds;

/// What is printed instead of a command's document when the command failed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FailureDocument<'a> {
    /// What went wrong.
    pub(super) error: FailureReport<'a>,
}

/// What went wrong: to what, why, and what to do now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FailureReport<'a> {
    /// The name of the exit code.
    pub(super) code: &'static str,
    /// The exit code.
    pub(super) exit: u8,
    /// What happened, in a sentence.
    pub(super) message: &'a str,
    /// What led to it, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) because: Vec<String>,
    /// What to do now, if that is known; a line each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) help: Option<&'a str>,
    /// The place in a text that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<FilePlace<'a>>,
    /// Why requirements cannot be met together, step by step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) explanation: Option<&'a Explained>,
    /// Builds that failed, and what came of the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) builds: Option<&'a Builds>,
}

/// A line of a file.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FilePlace<'a> {
    /// The file.
    #[serde(serialize_with = "weir_model::path_text::path")]
    pub(super) file: &'a Path,
    /// The line, from 1.
    pub(super) line: usize,
}

/// Why requirements cannot be met together.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Explained {
    /// All that leads to it, in order: also what the message leaves out of a long way.
    pub(super) steps: Vec<ExplainedStep>,
    /// The numbers of the steps that decide.
    pub(super) decisive: Vec<usize>,
    /// What would help, a sentence each.
    pub(super) help: Vec<String>,
}

/// A step of an explanation.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ExplainedStep {
    /// Its number, from 1.
    pub(super) number: usize,
    /// What it says, in a sentence.
    pub(super) text: String,
    /// The package it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) package: Option<String>,
    /// Where a manifest says so, such as `weir.toml`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<String>,
    /// The line of that file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<usize>,
    /// The numbers of the steps that it follows from; none of a fact.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) from: Vec<usize>,
}

impl From<&weir_resolve::Explanation> for Explained {
    fn from(explanation: &weir_resolve::Explanation) -> Self {
        let step = |(index, step): (usize, &Step)| {
            let (package, origin) = match step {
                Step::Because(reason) => (Some(reason.package().to_string()), reason.origin()),
                Step::So { .. } => (None, None),
            };
            let (file, line) = origin.map_or((None, None), |origin| place(&origin.label));
            let from = match step {
                Step::So { from, .. } => from.clone(),
                Step::Because(_) => Vec::new(),
            };
            ExplainedStep { number: index + 1, text: step.to_string(), package, file, line, from }
        };
        Self {
            steps: explanation.steps.iter().enumerate().map(step).collect(),
            decisive: explanation.decisive(),
            help: explanation.help(),
        }
    }
}

/// `weir.toml:12` as file and line.
fn place(origin: &str) -> (Option<String>, Option<usize>) {
    match origin.rsplit_once(':').map(|(file, line)| (file, line.parse())) {
        Some((file, Ok(line))) => (Some(file.to_owned()), Some(line)),
        _ => (None, None),
    }
}
