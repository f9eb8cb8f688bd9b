//! How a release differs from another one of its package: facts, dependencies, files.

use std::collections::BTreeMap;

use askama::Template;
use weir_elm::api::{Api, Difference, Magnitude, step};
use weir_index::ReleaseView;
use weir_model::{Dependency, ReleaseId};
use weir_tree::Entry;

use super::release::{build, came_by, kind_facts};
use super::rows::scope_word;
use crate::differ::{Line, Sort, difference};
use crate::frame::{Frame, Page, PageError};
use crate::{address, said};

/// So many files are listed.
const MOST_FILES: usize = 300;

/// So many releases can be chosen to compare with.
const MOST_RELEASES: usize = 100;

/// So many lines tell what is offered otherwise.
const MOST_API: usize = 300;

/// The most bytes of a page that the texts of files take.
const MOST_TEXT: usize = 60 << 10;

/// What is compared.
#[derive(Debug)]
pub struct DifferencePage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The release that it is compared with.
    pub from: &'a ReleaseView,
    /// The release.
    pub to: &'a ReleaseView,
    /// The other releases of the package that it could be compared with.
    pub others: &'a [ReleaseId],
    /// The files of both; nothing where those of one cannot be read.
    pub files: Option<&'a FileChanges>,
    /// The texts of some of those that differ: before and after.
    pub texts: &'a BTreeMap<String, (String, String)>,
    /// What the documentation of both says that they offer, of Elm packages that have one.
    pub docs: Option<(&'a str, &'a str)>,
    /// Whether it is about one file alone.
    pub one_file: bool,
}

/// How two trees differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileChanges {
    /// What became of which file, by path.
    pub changes: Vec<FileChange>,
    /// How many are the same in both.
    pub same: usize,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Its path; of one that is gone, the one it had.
    pub path: String,
    /// What.
    pub what: FileChanged,
    /// Its bytes before and after.
    pub sizes: (u64, u64),
}

/// What can become of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileChanged {
    /// It was not there.
    Added,
    /// It is there no longer.
    Gone,
    /// It says something else, or is something else.
    Changed,
    /// It had this path before, and is the same.
    Moved(String),
}

impl FileChanges {
    /// How the entries of two trees differ, each sorted by path.
    pub fn between(from: &[Entry], to: &[Entry]) -> Self {
        let before: BTreeMap<&str, &Entry> = from.iter().map(|entry| (entry.path.as_str(), entry)).collect();
        let after: BTreeMap<&str, &Entry> = to.iter().map(|entry| (entry.path.as_str(), entry)).collect();
        let mut gone: BTreeMap<&str, &Entry> = before
            .iter()
            .filter(|(path, _)| !after.contains_key(*path))
            .map(|(path, one)| (*path, *one))
            .collect();
        let mut changes = Self::default();
        for (path, entry) in &after {
            let (what, size) = match before.get(path) {
                Some(old) if old.digest == entry.digest && old.mode == entry.mode => {
                    changes.same += 1;
                    continue;
                }
                Some(old) => (FileChanged::Changed, old.size),
                None => {
                    let same =
                        |old: &&Entry| old.digest == entry.digest && old.mode == entry.mode && old.size > 0;
                    match gone.values().copied().find(same).map(|old| old.path.as_str()) {
                        Some(old) => {
                            gone.remove(old);
                            (FileChanged::Moved(old.to_owned()), entry.size)
                        }
                        None => (FileChanged::Added, 0),
                    }
                }
            };
            changes.changes.push(FileChange { path: (*path).to_owned(), what, sizes: (size, entry.size) });
        }
        let gone = gone.into_iter();
        changes.changes.extend(gone.map(|(path, old)| FileChange {
            path: path.to_owned(),
            what: FileChanged::Gone,
            sizes: (old.size, 0),
        }));
        changes.changes.sort_by(|a, b| a.path.cmp(&b.path));
        changes
    }
}

#[derive(Template)]
#[template(path = "difference.html")]
struct Differ<'a> {
    frame: &'a Frame,
    package: String,
    package_href: String,
    from: String,
    from_href: String,
    to: String,
    to_href: String,
    action: String,
    others: Vec<(String, bool)>,
    hidden: Vec<(&'static str, String)>,
    facts: Vec<(String, String, String)>,
    needs: Vec<NeedChange>,
    has_files: bool,
    told: String,
    files: Vec<FileRow>,
    more_files: usize,
    texts: Vec<TextRow>,
    api: Option<ApiChange>,
    one_file: bool,
    whole: String,
}

/// How what is offered differs, in the words of `weir elm diff`.
struct ApiChange {
    magnitude: String,
    step: String,
    modules: Vec<ModuleChange>,
    more: bool,
}

struct ModuleChange {
    name: String,
    magnitude: String,
    lines: Vec<Line>,
}

struct NeedChange {
    name: String,
    href: String,
    before: String,
    after: String,
}

struct FileRow {
    path: String,
    href: String,
    word: &'static str,
    tag: &'static str,
    note: String,
    sizes: String,
}

struct TextRow {
    path: String,
    href: String,
    lines: Vec<Line>,
    more: bool,
}

impl DifferencePage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let registry = self.frame.registry();
        let (from, to) = (&self.from.release.id, &self.to.release.id);
        let none = FileChanges::default();
        let files = self.files.unwrap_or(&none);
        let count =
            |what: fn(&FileChanged) -> bool| files.changes.iter().filter(|one| what(&one.what)).count();
        let others = self.others.iter().filter(|id| *id != to).take(MOST_RELEASES);
        Page::write(&Differ {
            frame: self.frame,
            package: to.name.to_string(),
            package_href: address::package(registry, &to.name),
            from: build(from),
            from_href: address::release(registry, from),
            to: build(to),
            to_href: address::release(registry, to),
            action: address::version_difference(registry, to),
            others: others.map(|id| (id.version.to_string(), id.version == from.version)).collect(),
            hidden: address::build_query(to),
            facts: self.facts(),
            needs: self.needs(),
            has_files: self.files.is_some(),
            told: format!(
                "{} added, {} changed, {} moved, {} gone; {} the same.",
                count(|what| *what == FileChanged::Added),
                count(|what| *what == FileChanged::Changed),
                count(|what| matches!(what, FileChanged::Moved(_))),
                count(|what| *what == FileChanged::Gone),
                files.same
            ),
            files: files.changes.iter().take(MOST_FILES).map(|change| self.file(change)).collect(),
            more_files: files.changes.len().saturating_sub(MOST_FILES),
            texts: self.texts(),
            api: self.docs.and_then(|(before, after)| self.api(before, after)),
            one_file: self.one_file,
            whole: address::difference(registry, to, &from.version, None),
        })
    }

    fn facts(&self) -> Vec<(String, String, String)> {
        let all = |view: &ReleaseView| {
            let release = &view.release;
            let text = |text: &Option<String>| said::line(text.as_deref().unwrap_or_default());
            let mut facts = BTreeMap::from([
                ("licence".to_owned(), text(&release.license)),
                ("description".to_owned(), text(&release.description)),
                ("came here".to_owned(), came_by(view)),
                ("size".to_owned(), said::bytes(release.unpacked)),
                ("state".to_owned(), view.standing().as_str().to_owned()),
                ("recipe".to_owned(), release.recipe.map(|digest| digest.to_string()).unwrap_or_default()),
                (
                    "toolchain".to_owned(),
                    release.toolchain.map(|digest| digest.to_string()).unwrap_or_default(),
                ),
            ]);
            facts.extend(kind_facts(view));
            facts
        };
        let (before, mut after) = (all(self.from), all(self.to));
        let mut differ = Vec::new();
        for (word, old) in before {
            let new = after.remove(&word).unwrap_or_default();
            if old != new {
                differ.push((word, old, new));
            }
        }
        differ.extend(after.into_iter().map(|(word, new)| (word, String::new(), new)));
        differ
    }

    fn needs(&self) -> Vec<NeedChange> {
        let all = |view: &ReleaseView| -> BTreeMap<_, _> {
            let needs = view.release.dependencies.iter();
            needs.map(|need| ((need.name.clone(), need.scope), told(need))).collect()
        };
        let (before, mut after) = (all(self.from), all(self.to));
        let row = |(name, _): (weir_model::PackageName, weir_model::Scope), before: String, after: String| {
            NeedChange {
                href: address::package(self.frame.registry(), &name),
                name: name.to_string(),
                before,
                after,
            }
        };
        let mut differ = Vec::new();
        for (key, old) in before {
            let new = after.remove(&key).unwrap_or_default();
            if old != new {
                differ.push(row(key, old, new));
            }
        }
        differ.extend(after.into_iter().map(|(key, new)| row(key, String::new(), new)));
        differ
    }

    fn file(&self, change: &FileChange) -> FileRow {
        let (word, tag, note) = match &change.what {
            FileChanged::Added => ("added", "held", String::new()),
            FileChanged::Gone => ("gone", "quarantined", String::new()),
            FileChanged::Changed => ("changed", "yanked", String::new()),
            FileChanged::Moved(from) => ("moved", "held", format!("from {from}")),
        };
        let (before, after) = change.sizes;
        FileRow {
            path: change.path.clone(),
            href: address::difference(
                self.frame.registry(),
                &self.to.release.id,
                &self.from.release.id.version,
                Some(&change.path),
            ),
            word,
            tag,
            note,
            sizes: match &change.what {
                FileChanged::Changed => format!("{} → {}", said::bytes(before), said::bytes(after)),
                FileChanged::Gone => said::bytes(before),
                FileChanged::Added | FileChanged::Moved(_) => said::bytes(after),
            },
        }
    }

    /// Nothing, where one of the two is not what the compiler writes.
    fn api(&self, before: &str, after: &str) -> Option<ApiChange> {
        let (before, after) = (Api::parse(before.as_bytes()).ok()?, Api::parse(after.as_bytes()).ok()?);
        let difference = Difference::between(&before, &after);
        let versions = (&self.from.release.id.version, &self.to.release.id.version);
        let mut left = MOST_API;
        let mut modules = Vec::new();
        let mut tell = |name: &str, magnitude: Magnitude, all: Vec<(Sort, &str)>| {
            let lines: Vec<Line> = all
                .into_iter()
                .take(left)
                .map(|(sort, text)| Line { sort, text: said::line(text) })
                .collect();
            left -= lines.len();
            modules.push(ModuleChange { name: said::line(name), magnitude: magnitude.to_string(), lines });
        };
        for (name, sort, magnitude) in
            (difference.added.iter().map(|name| (name, Sort::New, Magnitude::Minor)))
                .chain(difference.removed.iter().map(|name| (name, Sort::Gone, Magnitude::Major)))
                .take(MOST_API)
        {
            tell(name, magnitude, vec![(sort, name.as_str())]);
        }
        for (name, module) in difference.changed.iter().take(MOST_API) {
            let added = module.added.iter().map(|one| (Sort::New, one.as_str()));
            let removed = module.removed.iter().map(|one| (Sort::Gone, one.as_str()));
            let changed = module.changed.iter();
            let changed =
                changed.flat_map(|(old, new)| [(Sort::Gone, old.as_str()), (Sort::New, new.as_str())]);
            tell(name, module.magnitude(), added.chain(removed).chain(changed).collect());
        }
        Some(ApiChange {
            magnitude: difference.magnitude.to_string(),
            step: step(versions.0, versions.1).map(|step| step.to_string()).unwrap_or_default(),
            modules,
            more: left == 0,
        })
    }

    fn texts(&self) -> Vec<TextRow> {
        let mut left = MOST_TEXT;
        let mut rows = Vec::new();
        for (path, (before, after)) in self.texts {
            let (lines, more) = difference(before, after, left);
            left = left.saturating_sub(lines.iter().map(|line| line.text.len() + 40).sum());
            rows.push(TextRow {
                path: path.clone(),
                href: address::difference(
                    self.frame.registry(),
                    &self.to.release.id,
                    &self.from.release.id.version,
                    Some(path),
                ),
                lines,
                more,
            });
        }
        rows
    }
}

/// A dependency, in a few words.
fn told(need: &Dependency) -> String {
    let mut told = need.range.to_string();
    if let Some(baked) = &need.baked {
        told.push_str(&format!(", fixed to {}", baked.version));
    }
    match scope_word(need.scope) {
        "" => told,
        scope => format!("{told}, {scope}"),
    }
}

#[cfg(test)]
mod tests {
    use weir_model::EntryDigest;
    use weir_tree::{Entry, Mode};

    use super::{FileChanged, FileChanges};

    fn tree(files: &[(&str, &str)]) -> Vec<Entry> {
        let entry = |(path, text): &(&str, &str)| Entry {
            mode: Mode::File,
            size: text.len() as u64,
            digest: EntryDigest::of(text),
            path: path.parse().unwrap(),
        };
        files.iter().map(entry).collect()
    }

    #[test]
    fn files_are_added_changed_moved_and_gone() {
        let from = tree(&[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "")]);
        let to = tree(&[("a", "1"), ("b", "22"), ("c2/c", "3"), ("f", "5"), ("g", "")]);
        let changes = FileChanges::between(&from, &to);
        let told: Vec<_> = changes.changes.iter().map(|one| (one.path.as_str(), one.what.clone())).collect();
        assert_eq!(
            told,
            [
                ("b", FileChanged::Changed),
                ("c2/c", FileChanged::Moved("c".into())),
                ("d", FileChanged::Gone),
                ("e", FileChanged::Gone),
                ("f", FileChanged::Added),
                ("g", FileChanged::Added),
            ]
        );
        assert_eq!(changes.same, 1);
    }
}
