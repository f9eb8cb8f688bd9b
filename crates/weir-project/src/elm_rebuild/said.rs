//! What the compiler says when it is asked for a report as JSON (`--report=json`).

use serde::{Deserialize, Serialize};

/// So many modules, mistakes of each, and characters of what is said of one, are kept.
const MOST_MODULES: usize = 100;
const MOST_MISTAKES: usize = 20;
const LONGEST: usize = 4_000;

/// A module that does not compile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct BrokenModule {
    /// Its name; nothing where the compiler speaks of no module in particular.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// What is wrong with it.
    pub mistakes: Vec<Mistake>,
}

/// One thing that is wrong, in the compiler's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Mistake {
    /// What sort of mistake it is, such as `TYPE MISMATCH`.
    pub title: String,
    /// The line that it begins in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// All that is said of it.
    pub said: String,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Report {
    CompileErrors { errors: Vec<OfModule> },
    Error { title: String, message: Vec<Chunk> },
}

#[derive(Deserialize)]
struct OfModule {
    name: String,
    problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    title: String,
    region: Option<Region>,
    message: Vec<Chunk>,
}

#[derive(Deserialize)]
struct Region {
    start: Start,
}

#[derive(Deserialize)]
struct Start {
    line: u32,
}

/// A part of what is said, perhaps in colour.
#[derive(Deserialize)]
#[serde(untagged)]
enum Chunk {
    Plain(String),
    Styled { string: String },
}

/// Reads a report. What is none, as when the compiler was ended half-way, is told as it is.
pub(super) fn read(report: &[u8]) -> Vec<BrokenModule> {
    match serde_json::from_slice(report) {
        Ok(Report::CompileErrors { errors }) => errors.into_iter().take(MOST_MODULES).map(module).collect(),
        Ok(Report::Error { title, message }) => nowhere(title, &text(&message)),
        Err(_) => nowhere("NO REPORT".into(), &String::from_utf8_lossy(report)),
    }
}

fn nowhere(title: String, said: &str) -> Vec<BrokenModule> {
    vec![BrokenModule { module: None, mistakes: vec![Mistake { title, line: None, said: cut(said) }] }]
}

fn module(error: OfModule) -> BrokenModule {
    let mistakes = error.problems.into_iter().take(MOST_MISTAKES).map(|problem| Mistake {
        title: problem.title,
        line: problem.region.map(|region| region.start.line),
        said: cut(&text(&problem.message)),
    });
    BrokenModule { module: Some(error.name), mistakes: mistakes.collect() }
}

fn text(message: &[Chunk]) -> String {
    let words = message.iter().map(|chunk| match chunk {
        Chunk::Plain(text) | Chunk::Styled { string: text } => text.as_str(),
    });
    words.collect()
}

fn cut(said: &str) -> String {
    said.trim_end().chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_report_is_read_as_the_compiler_would_have_written_it_for_people() {
        let report = r#"{"type":"compile-errors","errors":[{"path":"/b/src/Main.elm","name":"Main","problems":[{"title":"TYPE MISMATCH",
            "region":{"start":{"line":7,"column":5},"end":{"line":7,"column":9}},
            "message":["The 1st argument\n\n7|     f 3\n        ",{"bold":false,"underline":false,"color":"RED","string":"^"},"\nis a number"]}]}]}"#;
        let told = read(report.as_bytes());
        assert_eq!(told[0].module.as_deref(), Some("Main"));
        let mistake = &told[0].mistakes[0];
        assert_eq!((mistake.title.as_str(), mistake.line), ("TYPE MISMATCH", Some(7)));
        assert_eq!(mistake.said, "The 1st argument\n\n7|     f 3\n        ^\nis a number");
    }

    #[test]
    fn what_is_wrong_with_no_module_and_what_is_no_report_are_told_all_the_same() {
        let of_elm_json = r#"{"type":"error","path":"elm.json","title":"INCOMPATIBLE DEPENDENCIES","message":["The dependencies"]}"#;
        assert_eq!(read(of_elm_json.as_bytes())[0].mistakes[0].said, "The dependencies");
        let ended = read(b"elm: out of memory\xff");
        assert_eq!(ended[0].module, None);
        assert!(ended[0].mistakes[0].said.starts_with("elm: out of memory"));
    }

    #[test]
    fn a_report_of_great_length_is_cut() {
        let long = "x".repeat(100_000);
        let said = &read(long.as_bytes())[0].mistakes[0].said;
        assert_eq!(said.len(), super::LONGEST);
    }
}
