//! The publish journey: a folder becomes a tree, a pack, a draft, and a release; several at once, or none.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{Seek as _, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use weir_fs::Folder;
use weir_kinds::kind;
use weir_model::manifest::{Reference, is_web};
use weir_model::{ReleaseId, TreeDigest, WithdrawalVerb};
use weir_package::{Package, read_manifest, selection};
use weir_registry::{Batch, Intent, Object, Outcome, Receipt, Registry, Withdraw};
use weir_tree::{Handled, PACK_LEVEL, Selection, TreeError, TreeManifest, read_folder, write_pack_observed};

use crate::error::{ProjectError, ReferenceProblem};
use crate::project::Project;
use crate::storage::Room;
use crate::{elm_docs, references};
use weir_reach::{
    Amount, Counter, KnownRegistry, Session, Work, connect, find, is_http, open_for_writing, open_named,
};

/// How to publish.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PublishOptions {
    /// Whether to tell what would be done and do nothing.
    pub dry_run: bool,
    /// Whether the registry is to hold the bytes of references too.
    pub with_references: bool,
    /// Whether files that are probably secrets may be in it.
    pub allow_secrets: bool,
}

/// What publishing did.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct PublishReport {
    /// The registry.
    pub registry: String,
    /// The releases.
    pub releases: Vec<PackReport>,
    /// What the registry answered; nothing when this only tells what would be done.
    pub receipt: Option<Receipt>,
    /// What would become of each intent, when this only tells what would be done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preview: Vec<Outcome>,
}

/// A package, packed.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct PackReport {
    /// Which release it would be.
    pub id: ReleaseId,
    /// The digest of its tree.
    pub tree: TreeDigest,
    /// Its files with their sizes, sorted.
    pub files: Vec<(String, u64)>,
    /// The bytes of its pack, if it was written.
    pub size: Option<u64>,
    /// The bytes of its files together.
    pub unpacked: u64,
    /// Where the pack was written.
    #[serde(serialize_with = "weir_model::path_text::maybe_path")]
    pub out: Option<PathBuf>,
    /// What the publisher should know.
    pub warnings: Vec<String>,
}

/// A folder that was read, and checked by its kind.
pub(crate) struct PreparedPackage {
    folder: PathBuf,
    /// What holds the folder, where it was made for this once.
    _staged: Option<tempfile::TempDir>,
    pub(crate) package: Package,
}

impl PreparedPackage {
    /// Reads the files of a folder that its manifest and ignore files say belong to it.
    pub(crate) fn read(session: &Session, folder: &Path) -> Result<Self, ProjectError> {
        let (folder, files) = opened(folder)?;
        let failed = |error| ProjectError::of_package(&folder, error);
        let manifest = read_manifest(&files).map_err(failed)?;
        let manifest = manifest.ok_or_else(|| ProjectError::NoProject { start: folder.clone() })?;
        let selection = selection(&manifest.package)?;
        Self::of_files(session, folder, &files, &selection)
    }

    /// Reads all files of a folder.
    pub(crate) fn read_all(session: &Session, folder: &Path) -> Result<Self, ProjectError> {
        let (folder, files) = opened(folder)?;
        Self::of_files(session, folder, &files, &Selection::everything())
    }

    fn of_files(
        session: &Session,
        folder: PathBuf,
        files: &Folder,
        selection: &Selection,
    ) -> Result<Self, ProjectError> {
        session.begin(Work::Reading, Amount::Unknown);
        let tree = read_folder(&folder, selection)?;
        let failed = |error| ProjectError::of_package(&folder, error);
        let mut package = Package::read(files, tree).map_err(failed)?;
        refuse_linked_references(files, &package.manifest.references)?;
        let kind = kind(package.manifest.package.kind)?;
        package.warnings.extend(kind.look_closer(files, &package.tree, &package.facts)?);
        package.warnings.extend(left_out(&selection.leftovers(&folder)?));
        Ok(Self { folder, _staged: None, package })
    }

    /// Reads the folder `files` in one that was made for this once.
    pub(crate) fn staged(session: &Session, staged: tempfile::TempDir) -> Result<Self, ProjectError> {
        let read = Self::read_all(session, &staged.path().join("files"))?;
        Ok(Self { _staged: Some(staged), ..read })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn report(&self) -> PackReport {
        let Package { id, tree, warnings, .. } = &self.package;
        PackReport {
            id: id.clone(),
            tree: tree.digest(),
            files: tree.entries().iter().map(|entry| (entry.path.to_string(), entry.size)).collect(),
            size: None,
            unpacked: tree.unpacked_size(),
            out: None,
            warnings: warnings.clone(),
        }
    }
}

/// Tells of what editors left behind.
fn left_out(leftovers: &[PathBuf]) -> Option<String> {
    const SHOWN: usize = 5;
    let mut shown: Vec<String> =
        leftovers.iter().take(SHOWN).map(|path| format!("`{}`", path.display())).collect();
    if leftovers.len() > SHOWN {
        shown.push(format!("and {} more", leftovers.len() - SHOWN));
    }
    (!shown.is_empty())
        .then(|| format!("left out, as editors and systems leave such files behind: {}", shown.join(", ")))
}

/// A folder that a user named: its path without links, and itself.
fn opened(folder: &Path) -> Result<(PathBuf, Folder), ProjectError> {
    let folder = match fs_err::canonicalize(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ProjectError::NoProject { start: folder.into() });
        }
        folder => folder?,
    };
    let files = Folder::open(&folder)?;
    Ok((folder, files))
}

/// A file that a reference names by its path may be uploaded for all to read: through a link in the folder, which somebody else may have
/// put there, it could be any file of the publisher's.
fn refuse_linked_references(files: &Folder, references: &[Reference]) -> Result<(), ProjectError> {
    for mirror in references.iter().flat_map(|reference| &reference.mirrors).filter(|mirror| !is_web(mirror))
    {
        match files.open_file(mirror) {
            Err(error) if error.is_refusal() => return Err(error.into()),
            // Whether it is there is found out when it is fetched.
            _ => {}
        }
    }
    Ok(())
}

/// Packs a folder; writes the pack to `out` if it is given.
///
/// # Errors
///
/// When the folder is no package, or something in it cannot be packed.
pub fn pack(session: &Session, folder: &Path, out: Option<&Path>) -> Result<PackReport, ProjectError> {
    let package = PreparedPackage::read(session, folder)?;
    let mut report = package.report();
    if let Some(out) = out {
        let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut beside = tempfile::NamedTempFile::new_in(parent)?;
        report.size =
            Some(write_pack(session, &package.folder, &package.package.tree, beside.as_file_mut())?);
        beside.persist(out).map_err(|error| error.error)?;
        report.out = Some(out.into());
    }
    Ok(report)
}

/// Packs the tree of a folder into `to`; gives the bytes of the pack.
///
/// # Errors
///
/// When a file cannot be read or is not what it was any more, or `to` cannot be written.
pub fn write_pack(
    session: &Session,
    folder: &Path,
    tree: &TreeManifest,
    to: impl Write,
) -> Result<u64, TreeError> {
    session.begin(Work::Packing { files: tree.entries().len() }, Amount::Bytes(tree.unpacked_size()));
    let counter = Counter::new(session);
    let told = |handled: &Handled| counter.by(handled.bytes);
    Ok(write_pack_observed(folder, tree, to, PACK_LEVEL, &told)?.bytes)
}

/// Publishes folders as one batch. Of compilers that are on `programs`, a `PATH`, is asked what their packages want of them.
///
/// # Errors
///
/// When one of them is no package, or the registry refuses; nothing is published then.
pub fn publish(
    session: &Session,
    folders: &[PathBuf],
    options: &PublishOptions,
    programs: &OsStr,
) -> Result<PublishReport, ProjectError> {
    let first = folders.first().ok_or_else(|| ProjectError::Usage("nothing to publish was named".into()))?;
    let project = match Project::open(first, &session.owners) {
        Err(error @ ProjectError::OtherOwner { .. }) => return Err(error),
        project => project.ok(),
    };
    let packages =
        folders.iter().map(|folder| PreparedPackage::read(session, folder)).collect::<Result<Vec<_>, _>>()?;
    let named = |package: &PreparedPackage| (package.package.id.name.clone(), package.folder.clone());
    let all: Vec<_> = packages.iter().map(named).collect();
    let with_docs = |package| elm_docs::with_docs(session, package, &all, programs);
    let packages = packages.into_iter().map(with_docs).collect::<Result<Vec<_>, _>>()?;
    publish_packages(session, project.as_ref(), &packages, Vec::new(), first, options)
}

/// Uploads packages, and submits them and whatever else is asked for as one batch to the registry of `project`; or
/// previews it. Relative places are meant from `folder`.
pub(crate) fn publish_packages(
    session: &Session,
    project: Option<&Project>,
    packages: &[PreparedPackage],
    others: Vec<Intent>,
    folder: &Path,
    options: &PublishOptions,
) -> Result<PublishReport, ProjectError> {
    let known = find(session, project.map(Project::registries), None, folder)?;
    if !options.allow_secrets {
        refuse_secrets(packages)?;
    }
    let registry = open_for_writing(session, &known)?;
    for warning in packages.iter().flat_map(|package| &package.package.warnings) {
        session.warn(warning.clone());
    }
    let mut room = Room::new(session, &known);
    let mut report = PublishReport {
        registry: known.name.clone(),
        releases: packages.iter().map(PreparedPackage::report).collect(),
        receipt: None,
        preview: Vec::new(),
    };
    let mut intents = Vec::with_capacity(packages.len() + others.len());
    for (package, report) in packages.iter().zip(&mut report.releases) {
        let size = upload(session, &*registry, package, &mut room, options)?;
        report.size = Some(size);
        intents.push(Intent::Publish(Box::new(package.package.draft(size))));
    }
    intents.extend(others);
    let batch = Batch { intents };
    if options.dry_run {
        report.preview = registry.preview(&batch)?;
        return Ok(report);
    }
    if !packages.is_empty() {
        session.begin(Work::Publishing { releases: packages.len() }, Amount::Unknown);
    }
    report.receipt = Some(registry.submit(&batch)?);
    remember(session, &known);
    Ok(report)
}

/// Follows the log of a server to what it has acknowledged, so that one which forgets that is found out. What was done is done, whether or not
/// this comes to its end.
fn remember(session: &Session, known: &KnownRegistry) {
    if is_http(&known.location) {
        let _ = connect(session, known);
    }
}

/// Refuses packages with files that are probably secrets: what was published once can be read for ever.
fn refuse_secrets(packages: &[PreparedPackage]) -> Result<(), ProjectError> {
    for package in packages {
        let files = weir_package::likely_secrets(&package.folder, &package.package.tree)?;
        if !files.is_empty() {
            return Err(ProjectError::Secrets { id: package.package.id.clone(), files });
        }
    }
    Ok(())
}

/// Uploads what a release consists of, unless it is there; gives the size of its pack.
fn upload(
    session: &Session,
    registry: &dyn Registry,
    package: &PreparedPackage,
    room: &mut Room<'_>,
    options: &PublishOptions,
) -> Result<u64, ProjectError> {
    let tree = package.package.tree.digest();
    let held = registry.pack_size(&tree)?;
    if let Some(size) = held
        && (options.dry_run || registry.is_whole(Object::Pack(tree))?)
    {
        upload_references(session, registry, package, options)?;
        return Ok(size);
    }
    let mut pack = tempfile::tempfile()?;
    let mut size = write_pack(session, &package.folder, &package.package.tree, &mut pack)?;
    room.take(package.package.id.name.owner_name(), size)?;
    if !options.dry_run {
        session.begin(Work::Uploading, Amount::Bytes(size));
        pack.rewind()?;
        // Somebody else may have been first, with a pack of another size: the one that is there counts.
        let mut pack = Counter::new(session).read(pack);
        size = match held {
            None => registry.put_pack(&tree, &mut pack)?,
            // The one that was there is damaged.
            Some(_) => registry.mend(Object::Pack(tree), &mut pack)?,
        };
    }
    upload_references(session, registry, package, options)?;
    Ok(size)
}

fn upload_references(
    session: &Session,
    registry: &dyn Registry,
    package: &PreparedPackage,
    options: &PublishOptions,
) -> Result<(), ProjectError> {
    if !options.with_references || options.dry_run {
        return Ok(());
    }
    for reference in &package.package.manifest.references {
        let Some(sha256) = reference.sha256.filter(|_| !reference.fluid) else { continue };
        if registry.has_file(&sha256)? {
            continue;
        }
        let store = session.open_store()?.session()?;
        let file = match store.file(&sha256)? {
            Some(file) => file,
            None => {
                let (found, size) = references::current(session, reference, &package.folder)?;
                let file = store.file(&found)?.filter(|_| found == sha256);
                file.ok_or_else(|| ProjectError::Reference {
                    name: reference.name.clone(),
                    reason: format!("its {size} bytes have the digest {found}, not {sha256}"),
                    problem: ReferenceProblem::Wrong,
                })?
            }
        };
        session.begin(Work::Uploading, Amount::Bytes(file.bytes()));
        registry.put_file(&sha256, &mut Counter::new(session).read(fs_err::File::open(file.path())?))?;
    }
    Ok(())
}

/// Has a registry do things that need no content, all or none.
///
/// # Errors
///
/// When one is about something that is not there, or the registry refuses.
pub fn submit(
    session: &Session,
    project: Option<&Project>,
    intents: Vec<Intent>,
) -> Result<Receipt, ProjectError> {
    let (known, registry, batch) = asked(session, project, intents)?;
    let receipt = registry.submit(&batch)?;
    remember(session, &known);
    Ok(receipt)
}

/// What would become of each intent if it were submitted now. Changes nothing.
///
/// # Errors
///
/// When [`submit`] would refuse.
pub fn preview(
    session: &Session,
    project: Option<&Project>,
    intents: Vec<Intent>,
) -> Result<Vec<Outcome>, ProjectError> {
    let (_, registry, batch) = asked(session, project, intents)?;
    Ok(registry.preview(&batch)?)
}

fn asked(
    session: &Session,
    project: Option<&Project>,
    intents: Vec<Intent>,
) -> Result<(KnownRegistry, Box<dyn Registry>, Batch), ProjectError> {
    let known: KnownRegistry = find(session, project.map(Project::registries), None, Path::new("."))?;
    let registry = open_for_writing(session, &known)?;
    Ok((known, registry, Batch { intents }))
}

/// A batch file.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
struct BatchFile {
    #[serde(default)]
    publish: Vec<PathBuf>,
    /// What becomes of which releases.
    #[serde(flatten)]
    withdrawals: BTreeMap<WithdrawalVerb, Vec<BatchLine>>,
}

#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchLine {
    name: weir_model::PackageName,
    version: weir_model::Version,
    #[serde(default)]
    platform: Option<weir_model::Platform>,
    #[serde(default)]
    revision: Option<u32>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    advisory: Option<String>,
}

impl BatchLine {
    fn intent(self, verb: WithdrawalVerb) -> Intent {
        let Self { name, version, platform, revision, reason, advisory } = self;
        Intent::Withdraw(Withdraw {
            verb,
            name,
            version,
            platform,
            revision,
            reason,
            advisory,
            because: None,
        })
    }
}

/// Carries out what a file lists (`publish` folders relative to it; `yank`, `unyank`, `quarantine`, `unquarantine`, `remove`)
/// as one batch: all of it becomes visible, or none.
///
/// # Errors
///
/// When the file does not read, or the registry refuses.
pub fn batch(
    session: &Session,
    project: Option<&Project>,
    file: &Path,
    options: &PublishOptions,
) -> Result<PublishReport, ProjectError> {
    let bad = |reason: String| ProjectError::BatchFile { path: file.into(), reason };
    let text = std::io::read_to_string(open_named(file)?).map_err(|error| bad(error.to_string()))?;
    let asked: BatchFile = toml_edit::de::from_str(&text).map_err(|error| bad(error.message().to_owned()))?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let packages: Vec<PreparedPackage> = asked
        .publish
        .iter()
        .map(|path| PreparedPackage::read(session, &folder.join(path)))
        .collect::<Result<_, _>>()?;
    let withdrawals = asked.withdrawals.into_iter();
    let others = withdrawals.flat_map(|(verb, lines)| lines.into_iter().map(move |line| line.intent(verb)));
    publish_packages(session, project, &packages, others.collect(), folder, options)
}
