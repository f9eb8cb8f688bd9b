//! A release: its files, what exactly it needs, and what is known of it.

use askama::Template;
use jiff::Timestamp;
use serde_json::Value;
use weir_index::{KnownAdvisory, ReleaseView, WithdrawnNeed};
use weir_model::{KindName, ReleaseId, Sha256, WithdrawalVerb};
use weir_policy::Principal;
use weir_tree::{Entry, Mode};

use super::rows::{AdvisoryRow, Fact, NeedRow, ReleaseRow, State};
use crate::frame::{Frame, Page, PageError};
use crate::{address, said, seen};

/// So many files are listed.
const MOST_FILES: usize = 500;

/// So many words of a fact are shown.
const MOST_WORDS: usize = 40;

/// What the page is made of.
#[derive(Debug)]
pub struct ReleasePage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The release.
    pub view: &'a ReleaseView,
    /// What is withdrawn of each of its dependencies, in their order.
    pub withdrawn_needs: &'a [Option<WithdrawnNeed>],
    /// The other builds of its version.
    pub others: &'a [ReleaseView],
    /// Its files; nothing, where they cannot be read.
    pub files: Option<&'a [Entry]>,
    /// The advisories on its package.
    pub advisories: &'a [KnownAdvisory],
    /// What whoever looks may have become of it.
    pub may: &'a [WithdrawalVerb],
    /// Now.
    pub now: Timestamp,
}

#[derive(Template)]
#[template(path = "release.html")]
struct Release<'a> {
    frame: &'a Frame,
    package: String,
    package_href: String,
    build: String,
    kind: &'static str,
    description: String,
    came: Came,
    modules: String,
    job: Option<Job>,
    state: Option<State>,
    /// Those that it is affected by.
    advisories: Vec<AdvisoryRow>,
    facts: Vec<Fact>,
    evidence: Vec<Fact>,
    needs: Vec<NeedRow>,
    references: Vec<(String, String)>,
    others: Vec<ReleaseRow>,
    files: Vec<FileRow>,
    has_files: bool,
    more_files: usize,
    kind_facts: Vec<(String, String)>,
    entry: u64,
    entry_href: String,
    impact: String,
    graph: String,
    difference: String,
    graph_of_dependents: String,
    withdraw: String,
    seen: String,
    verbs: Vec<&'static str>,
}

/// How a release came to be here: who let one in from another registry did not publish it.
struct Came {
    word: &'static str,
    ago: String,
    by: String,
    from: String,
}

impl Came {
    fn new(view: &ReleaseView, now: Timestamp) -> Self {
        let (word, from) = came(view);
        Self { word, ago: said::ago(view.mark.at, now), by: who(&view.mark.by), from }
    }
}

/// In which way a release came, and from which registry, if it did not begin here.
pub(crate) fn came(view: &ReleaseView) -> (&'static str, String) {
    match (&view.origin, &view.promoted) {
        (Some(origin), _) => ("admitted", said::line(&origin.registry)),
        (None, Some(origin)) => ("promoted", said::line(origin.short())),
        (None, None) => ("published", String::new()),
    }
}

/// How a release came, and by whom.
pub(crate) fn came_by(view: &ReleaseView) -> String {
    let (word, from) = came(view);
    let from = if from.is_empty() { from } else { format!(", from {from}") };
    format!("{word} by {}{from}", who(&view.mark.by))
}

/// A program that published a release, by who its provider says that it is.
struct Job {
    subject: String,
    issuer: String,
}

struct FileRow {
    path: String,
    href: String,
    size: String,
    mark: &'static str,
}

impl ReleasePage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let registry = self.frame.registry();
        let release = &self.view.release;
        let name = release.id.name.to_string();
        let files = self.files.unwrap_or_default();
        Page::write(&Release {
            frame: self.frame,
            package_href: address::package(registry, &release.id.name),
            build: build(&release.id),
            package: name,
            kind: release.kind.as_str(),
            description: said::line(release.description.as_deref().unwrap_or_default()),
            came: Came::new(self.view, self.now),
            modules: match self.files {
                Some(_) if documents_modules(self.view) => address::modules(registry, &release.id, None),
                _ => String::new(),
            },
            job: job(&self.view.mark.by),
            state: State::of(self.view),
            advisories: self
                .advisories
                .iter()
                .map(|known| AdvisoryRow::of(known, &release.id.name, Some(&release.id.version)))
                .filter(|row| row.here)
                .collect(),
            facts: facts(self.view, registry),
            evidence: evidence(self.view, registry),
            needs: NeedRow::all(registry, &release.dependencies, self.withdrawn_needs),
            references: release
                .references
                .iter()
                .map(|one| (one.name.clone(), one.size.map(said::bytes).unwrap_or_default()))
                .collect(),
            others: self
                .others
                .iter()
                .filter(|view| view.release.id != release.id)
                .map(|view| ReleaseRow::new(registry, view, self.now))
                .collect(),
            files: files.iter().take(MOST_FILES).map(|entry| file(registry, &release.id, entry)).collect(),
            has_files: self.files.is_some(),
            more_files: files.len().saturating_sub(MOST_FILES),
            kind_facts: kind_facts(self.view),
            entry: self.view.mark.index,
            entry_href: address::entry(registry, self.view.mark.index),
            impact: address::impact(registry, &release.id.name, &release.id.version),
            graph: address::graph(registry, &release.id, false, None),
            difference: address::newest_difference(registry, &release.id),
            graph_of_dependents: address::graph(registry, &release.id, true, None),
            withdraw: address::withdraw(registry, &release.id),
            seen: seen::release(self.view),
            verbs: self.may.iter().map(|verb| verb.as_str()).collect(),
        })
    }
}

/// Whether the documentation of a release tells what its modules offer.
pub(crate) fn documents_modules(view: &ReleaseView) -> bool {
    let modules = view.release.kind_facts.get("modules").and_then(Value::as_array);
    view.release.kind == KindName::Elm && modules.is_some_and(|modules| !modules.is_empty())
}

/// The program that somebody is, if it is one that proved where it runs.
fn job(actor: &str) -> Option<Job> {
    match actor.parse() {
        Ok(Principal::Workload { issuer, subject, .. }) if !issuer.is_empty() => {
            Some(Job { subject: said::line(&subject), issuer: said::line(&issuer) })
        }
        _ => None,
    }
}

/// Who published a release, or let it in, in a few words.
fn who(actor: &str) -> String {
    match job(actor) {
        Some(Job { subject, .. }) => format!("the trusted job {subject}"),
        None => said::line(said::who(actor)),
    }
}

/// A release without the name of its package.
pub(crate) fn build(id: &ReleaseId) -> String {
    id.to_string()[id.name.as_str().len() + 1..].to_owned()
}

fn file(registry: &str, id: &ReleaseId, entry: &Entry) -> FileRow {
    let path = entry.path.as_str();
    FileRow {
        path: path.to_owned(),
        href: if entry.mode == Mode::Link { String::new() } else { address::file(registry, id, path) },
        size: said::bytes(entry.size),
        mark: match entry.mode {
            Mode::File => "",
            Mode::Executable => "can be run",
            Mode::Link => "link",
        },
    }
}

/// What is known of every release.
pub(crate) fn facts(view: &ReleaseView, registry: &str) -> Vec<Fact> {
    let release = &view.release;
    let size = format!(
        "{} packed, {} in {}",
        said::bytes(release.size),
        said::bytes(release.unpacked),
        said::count(release.files, "file")
    );
    let (word, from) = came(view);
    [
        Fact::new("licence", said::line(release.license.as_deref().unwrap_or_default())),
        Fact::new(word, format!("{} by {}", said::day(view.mark.at), who(&view.mark.by)))
            .map(|fact| fact.to(address::entry(registry, view.mark.index))),
        Fact::new("from", from),
        Fact::new("size", size),
        Fact::new("tree", release.tree.to_string()).map(Fact::code),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What tells where a release comes from. Documents that a registry has can be read.
fn evidence(view: &ReleaseView, registry: &str) -> Vec<Fact> {
    let release = &view.release;
    let build = release.build().unwrap_or_default();
    let digest = |word, digest: Option<String>| Fact::new(word, digest.unwrap_or_default()).map(Fact::code);
    let document = |word, sha256: Option<Sha256>| {
        let sha256 = sha256?;
        let fact = digest(word, Some(sha256.to_string()))?;
        let href = address::evidence(registry, &release.id, &sha256);
        Some(if view.standing().is_usable() { fact.to(href) } else { fact })
    };
    let git = release.kind_facts.get("git").map(|git| match git {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    });
    let facts = [
        digest("inputs", Some(release.input_digest.to_string())),
        document("recipe", release.recipe),
        document("toolchain", release.toolchain),
        digest("source", build.origin),
        digest("commit", build.commit),
        document("provenance", build.provenance),
        document("build log", build.log),
        digest("git", git.map(|text| said::line(&text))),
    ];
    let recipe_files = build
        .recipe_files
        .into_iter()
        .take(MOST_WORDS)
        .map(|file| document("file of the recipe", Some(file)));
    facts.into_iter().chain(recipe_files).flatten().collect()
}

/// What its kind found out: words, or lists of them. What is more is for machines.
pub(crate) fn kind_facts(view: &ReleaseView) -> Vec<(String, String)> {
    let facts = view.release.kind_facts.iter().filter(|(name, _)| !matches!(name.as_str(), "build" | "git"));
    facts.filter_map(|(name, value)| Some((said::line(name), said::line(&words(value)?)))).take(20).collect()
}

fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(if *yes { "yes" } else { "no" }.to_owned()),
        Value::Array(values) => {
            let words: Option<Vec<String>> = values
                .iter()
                .take(MOST_WORDS)
                .map(|value| match value {
                    // Of a pair, such as a command and its file, the name.
                    Value::Array(pair) => pair.first().and_then(Value::as_str).map(str::to_owned),
                    value => value.as_str().map(str::to_owned),
                })
                .collect();
            words.filter(|words| !words.is_empty()).map(|words| words.join(", "))
        }
        Value::Object(_) | Value::Null => None,
    }
}
