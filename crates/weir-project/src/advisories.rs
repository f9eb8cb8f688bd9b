//! Advisories of a registry: brought in from files, and looked at.

use std::collections::VecDeque;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use weir_index::{IndexError, KnownAdvisory};
use weir_model::advisory::{Advisory, AdvisoryId, LONGEST_DOCUMENT, OsvError, Severity};
use weir_model::{PackageName, ReleaseId, Sha256, Version, nearest};
use weir_reach::{Connection, Session, connect, find, open_for_writing};
use weir_registry::content::file_path;
use weir_registry::{Batch, Done, Intent, Outcome, Replica};
use weir_rules::{counts_as, fixed_in, is_affected};

use crate::error::ProjectError;
use crate::project::Project;

/// So many files are looked at, and a folder is walked so deep.
const MOST_FILES: usize = 200_000;
const DEEPEST: usize = 16;

/// So many advisories, of so many bytes, are submitted together.
const TOGETHER: usize = 256;
const TOGETHER_BYTES: usize = 1 << 20;

/// So many problems with files are told, and so many affected releases.
const MOST_TOLD: usize = 1000;

/// What importing advisories did, or would do.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ImportedAdvisories {
    /// The registry.
    pub registry: String,
    /// Whether this is only what would be done.
    pub dry_run: bool,
    /// How many documents were read.
    pub documents: u64,
    /// How many of them say nothing of packages of Weir.
    pub passed_over: u64,
    /// How many the registry has as they are.
    pub unchanged: u64,
    /// Those that it did not have, or has otherwise.
    pub imported: Vec<AdvisoryId>,
    /// Releases of the registry that are affected by those, as far as they are told.
    pub affected: Vec<AffectedRelease>,
}

/// A release that is affected by an advisory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct AffectedRelease {
    /// The advisory.
    pub advisory: AdvisoryId,
    /// The release.
    #[serde(flatten)]
    pub id: ReleaseId,
}

/// The advisories of a registry.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct RegistryAdvisories {
    /// The registry.
    pub registry: String,
    /// The advisories, by their names.
    pub advisories: Vec<KnownAdvisory>,
}

/// All there is to know of one advisory.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ShownAdvisory {
    /// The registry.
    pub registry: String,
    /// The advisory.
    pub advisory: KnownAdvisory,
    /// Releases of the registry that are affected, as far as they are told.
    pub affected: Vec<ReleaseId>,
    /// The document, as its authors wrote it, where it could be had.
    pub osv: Option<serde_json::Value>,
}

/// A release that is used, and what is known against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct AdvisedRelease {
    /// Which.
    #[serde(flatten)]
    pub id: ReleaseId,
    /// The registry that it is from, whose advisories they are.
    pub registry: String,
    /// The advisories that say that it is affected, the worst first.
    pub advisories: Vec<KnownAgainst>,
}

/// An advisory that says that some release is affected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct KnownAgainst {
    /// What it is called.
    pub advisory: AdvisoryId,
    /// What others call it.
    pub aliases: Vec<String>,
    /// How bad it is, if it says so: if not, it counts as critical.
    pub severity: Option<Severity>,
    /// One line that says what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The lowest version above in which it is mended, if it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed: Option<Version>,
}

impl KnownAgainst {
    /// As how bad it counts.
    pub fn counts_as(&self) -> Severity {
        counts_as(self.severity)
    }
}

impl AdvisedRelease {
    /// As how bad the worst of them counts.
    pub fn worst(&self) -> Option<Severity> {
        self.advisories.iter().map(KnownAgainst::counts_as).max()
    }

    /// What the advisories of its registry know against a release, if they know anything.
    pub(crate) fn find(replica: &Replica, id: ReleaseId) -> Result<Option<Self>, IndexError> {
        let mut known = replica.index().known_against(&id)?;
        if known.is_empty() {
            return Ok(None);
        }
        known.sort_by_key(|known| std::cmp::Reverse(counts_as(known.advisory.severity)));
        let advisories = known.into_iter().map(|KnownAdvisory { advisory, .. }| KnownAgainst {
            fixed: fixed_in(&advisory, &id.name, &id.version).cloned(),
            advisory: advisory.id,
            aliases: advisory.aliases,
            severity: advisory.severity,
            summary: advisory.summary,
        });
        let advisories = advisories.collect();
        Ok(Some(Self { registry: replica.name().to_owned(), advisories, id }))
    }
}

/// A document that is an advisory on packages of Weir.
struct Document {
    advisory: Advisory,
    bytes: Vec<u8>,
}

/// Documents that were read.
#[derive(Default)]
struct ReadDocuments {
    documents: Vec<Document>,
    read: u64,
    passed_over: u64,
}

/// Brings in the advisories of a file, or of all `*.json` below a folder. One file that cannot be understood, and nothing is brought in.
///
/// # Errors
///
/// When a file cannot be read or understood, or the registry refuses.
pub fn advisory_import(
    session: &Session,
    project: Option<&Project>,
    from: &[PathBuf],
    dry_run: bool,
) -> Result<ImportedAdvisories, ProjectError> {
    let read = read_all(from)?;
    let known = find(session, project.map(Project::registries), None, Path::new("."))?;
    let registry = open_for_writing(session, &known)?;
    let mut report = ImportedAdvisories {
        registry: known.name.clone(),
        dry_run,
        documents: read.read,
        passed_over: read.passed_over,
        unchanged: 0,
        imported: Vec::new(),
        affected: Vec::new(),
    };
    let intent = |document: &Document| Intent::Advise(Box::new(document.advisory.clone()));
    for together in in_parts(&read.documents) {
        let batch = Batch { intents: together.iter().map(intent).collect() };
        // What is there already as it is need not be sent again.
        let preview = registry.preview(&batch)?;
        let is_new = |outcome: &Outcome| outcome.done != Done::Already;
        let new: Vec<&Document> = together
            .iter()
            .zip(&preview)
            .filter(|(_, outcome)| is_new(outcome))
            .map(|(one, _)| one)
            .collect();
        report.unchanged += (together.len() - new.len()) as u64;
        report.imported.extend(new.iter().map(|document| document.advisory.id.clone()));
        if dry_run || new.is_empty() {
            continue;
        }
        for document in &new {
            let advisory = &document.advisory;
            if !registry.has_file(&advisory.document)? {
                registry.put_file(&advisory.document, &mut document.bytes.as_slice())?;
            }
        }
        registry.submit(&Batch { intents: new.into_iter().map(intent).collect() })?;
    }
    let connection = connect(session, &known)?;
    for document in &read.documents {
        if report.imported.contains(&document.advisory.id) {
            for id in affected(&connection, &document.advisory)? {
                report.affected.push(AffectedRelease { advisory: document.advisory.id.clone(), id });
            }
        }
    }
    report.affected.truncate(MOST_TOLD);
    Ok(report)
}

fn in_parts(documents: &[Document]) -> Vec<&[Document]> {
    let mut parts = Vec::new();
    let (mut begin, mut bytes) = (0, 0);
    for (place, document) in documents.iter().enumerate() {
        if place > begin && (place - begin >= TOGETHER || bytes + document.bytes.len() > TOGETHER_BYTES) {
            parts.push(&documents[begin..place]);
            (begin, bytes) = (place, 0);
        }
        bytes += document.bytes.len();
    }
    if begin < documents.len() {
        parts.push(&documents[begin..]);
    }
    parts
}

/// Reads all documents, each advisory once: of two that have one name the one that was changed last counts.
fn read_all(from: &[PathBuf]) -> Result<ReadDocuments, ProjectError> {
    let mut read = ReadDocuments::default();
    let mut problems = Vec::new();
    for path in from {
        for file in files_of(path)? {
            read.read += 1;
            match read_one(&file)? {
                Ok(document) => read.documents.push(document),
                Err(OsvError::OtherEcosystems) => read.passed_over += 1,
                Err(error) => problems.push((file, error)),
            }
            if read.read as usize > MOST_FILES {
                return Err(ProjectError::TooManyFiles { folder: path.clone(), most: MOST_FILES });
            }
        }
    }
    if !problems.is_empty() {
        let count = problems.len();
        problems.truncate(MOST_TOLD);
        return Err(ProjectError::Advisories { problems, count });
    }
    read.documents.sort_by(|a, b| {
        a.advisory.id.cmp(&b.advisory.id).then_with(|| b.advisory.modified.cmp(&a.advisory.modified))
    });
    read.documents.dedup_by(|later, first| later.advisory.id == first.advisory.id);
    Ok(read)
}

fn read_one(file: &Path) -> Result<Result<Document, OsvError>, ProjectError> {
    let mut bytes = Vec::new();
    let mut from = weir_fs::open(file)?;
    from.by_ref().take(LONGEST_DOCUMENT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST_DOCUMENT {
        let bytes = from.metadata()?.len();
        return Ok(Err(OsvError::TooLong { bytes }));
    }
    Ok(Advisory::from_osv(&bytes).map(|advisory| Document { advisory, bytes }))
}

/// A file, or all `*.json` below a folder, links not followed, in the order of their names.
fn files_of(path: &Path) -> Result<Vec<PathBuf>, ProjectError> {
    if !path.exists() {
        return Err(ProjectError::NotFound(format!("there is no file or folder `{}`", path.display())));
    }
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    let mut folders = VecDeque::from([(path.to_owned(), 0)]);
    while let Some((folder, depth)) = folders.pop_front() {
        for entry in fs_err::read_dir(&folder)? {
            let entry = entry?;
            let sort = entry.file_type()?;
            let path = entry.path();
            if sort.is_dir() && depth < DEEPEST {
                folders.push_back((path, depth + 1));
            } else if sort.is_file() && path.extension().is_some_and(|extension| extension == "json") {
                files.push(path);
            }
            if files.len() + folders.len() > MOST_FILES {
                return Err(ProjectError::TooManyFiles { folder, most: MOST_FILES });
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The releases of a registry that an advisory is about, those that were removed left out.
fn affected(connection: &Connection, advisory: &Advisory) -> Result<Vec<ReleaseId>, ProjectError> {
    let mut all = Vec::new();
    for affected in &advisory.affected {
        let package = connection.replica.index().package(&affected.name)?;
        let ids = package.into_iter().flat_map(|package| package.releases).map(|view| view.release.id);
        all.extend(ids.filter(|id| is_affected(advisory, &id.name, &id.version)));
        if all.len() > MOST_TOLD {
            break;
        }
    }
    all.truncate(MOST_TOLD);
    Ok(all)
}

/// The advisories of a registry: those on one package, or all; also dismissed ones, if `all` are wanted.
///
/// # Errors
///
/// When the registry cannot be asked.
pub fn advisory_list(
    session: &Session,
    project: Option<&Project>,
    package: Option<&PackageName>,
    all: bool,
) -> Result<RegistryAdvisories, ProjectError> {
    let connection = of_registry(session, project)?;
    let mut advisories = connection.replica.index().advisories_since(0, usize::MAX)?;
    let is_about = |known: &KnownAdvisory, name: &PackageName| {
        known.advisory.affected.iter().any(|affected| affected.name == *name)
    };
    advisories.retain(|known| {
        (all || known.dismissed.is_none()) && package.is_none_or(|name| is_about(known, name))
    });
    Ok(RegistryAdvisories { registry: connection.known.name, advisories })
}

/// Tells what a registry knows of one advisory.
///
/// # Errors
///
/// When it knows none of that name, or cannot be asked.
pub fn advisory_show(
    session: &Session,
    project: Option<&Project>,
    id: &AdvisoryId,
) -> Result<ShownAdvisory, ProjectError> {
    let connection = of_registry(session, project)?;
    let index = connection.replica.index();
    let told = index.advisory(id)?;
    // What is told here, or else by the first registry above by whose word it counts.
    let counts = told.iter().position(|known| known.dismissed.is_none()).unwrap_or_default();
    let Some(advisory) = told.into_iter().nth(counts) else {
        let all = index.advisories_since(0, usize::MAX)?;
        let names = || all.iter().map(|known| known.advisory.id.as_str());
        // Who looks for one by the name that others have for it is told what it is called here.
        let by_alias =
            all.iter().find(|known| known.advisory.aliases.iter().any(|alias| alias == id.as_str()));
        let similar =
            by_alias.map(|known| known.advisory.id.as_str()).or_else(|| nearest(id.as_str(), names()));
        return Err(ProjectError::UnknownAdvisory { id: id.clone(), similar: similar.map(str::to_owned) });
    };
    let affected = match advisory.dismissed {
        None => affected(&connection, &advisory.advisory)?,
        Some(_) => Vec::new(),
    };
    let osv = match session.offline {
        true => None,
        false => document(&connection, &advisory.advisory.document)?,
    };
    Ok(ShownAdvisory { registry: connection.known.name, advisory, affected, osv })
}

/// A document, if the registry gives it and it is the one that the log names.
fn document(connection: &Connection, digest: &Sha256) -> Result<Option<serde_json::Value>, ProjectError> {
    let bytes = connection.source.read(&file_path(digest), LONGEST_DOCUMENT)?;
    let bytes = bytes.filter(|bytes| Sha256::of(bytes) == *digest);
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

fn of_registry(session: &Session, project: Option<&Project>) -> Result<Connection, ProjectError> {
    Ok(connect(session, &find(session, project.map(Project::registries), None, Path::new("."))?)?)
}
