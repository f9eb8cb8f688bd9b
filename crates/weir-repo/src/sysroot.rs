//! Sysroots for developers: any set of packages with all they need, in one folder.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use weir_kind::LinkTreeFiles;
use weir_model::lockfile::LockedRelease;
use weir_model::manifest::edit::Editor;
use weir_model::manifest::{RegistryAddress, Requirement, Source};
use weir_model::{KindName, PackageName, Platform, Range, ReleaseId, Scope, manifest};
use weir_native::{Part, Variant, sysroot};
use weir_project::{Moving, Project, ProjectError, fetch, resolve};
use weir_reach::{Connections, Offline, ReachError, Session, registries, replace};

use crate::build::native_facts;
use crate::error::RepoError;

/// What a sysroot was made of, kept in it: it tells a folder that may be replaced from one that may not.
const RECORD: &str = ".weir-sysroot.json";

/// A sysroot that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SysrootReport {
    /// Where it is.
    #[serde(serialize_with = "weir_model::path_text::path")]
    pub folder: PathBuf,
    /// For which platform.
    pub platform: Platform,
    /// A folder in it for each of these.
    pub variants: Vec<Variant>,
    /// What is in it.
    pub releases: Vec<ReleaseId>,
    /// How many files each variant has.
    pub files: Vec<usize>,
}

/// Makes a sysroot in `folder` of what `wanted` names, and all that needs; for each variant a folder of its own.
///
/// # Errors
///
/// When it cannot be resolved or fetched, when two packages have one file, or when something else is in the folder.
pub fn sysroot_create(
    session: &Session,
    project: Option<&Project>,
    folder: &Path,
    wanted: &[(PackageName, Option<Range>)],
    variants: &[Variant],
    files: LinkTreeFiles,
) -> Result<SysrootReport, RepoError> {
    refuse_to_replace(folder, variants)?;
    let scratch = tempfile::tempdir()?;
    let asking = asking_project(session, project, scratch.path(), wanted)?;
    let connections = Connections::of(session, asking.registries())?;
    let planned = resolve(session, &connections, &asking, Moving::Nothing).map_err(|error| match error {
        ProjectError::Reach(ReachError::NoRegistry { .. }) => {
            ReachError::NoRegistry { wanted: "a sysroot".into() }.into()
        }
        error => error,
    })?;
    let store = session.open_store()?.session()?;
    let used = planned.releases().iter().map(LockedRelease::id).collect();
    let (lock, _) = fetch::fetch_missing(session, &store, connections.known(), &asking, planned, &used)?;
    let mut parts = Vec::new();
    for release in lock.releases.iter().filter(|release| release.kind == KindName::Native) {
        let id = release.id();
        let missing = || Offline::lacks(id.to_string());
        let tree = release.tree.ok_or_else(missing)?;
        let content = store.tree(&tree)?.ok_or_else(missing)?.path().to_owned();
        let facts = native_facts(&id, &release.facts)?;
        parts.push(Part { id, manifest: store.manifest(&tree)?, content, facts });
    }
    if files == LinkTreeFiles::Linked && rustix::process::geteuid().is_root() {
        session.warn(
            "the files are those of the store, under another name, and nothing keeps root from changing them: `--copy` \
             makes files of their own",
        );
    }
    fs_err::create_dir_all(folder)?;
    let folder = fs_err::canonicalize(folder)?;
    let mut report = SysrootReport {
        platform: session.platform(),
        variants: variants.to_vec(),
        releases: parts.iter().map(|part| part.id.clone()).collect(),
        files: Vec::new(),
        folder,
    };
    let plans = variants.iter().map(|variant| sysroot::plan(&parts, *variant));
    let plans = plans.collect::<Result<Vec<_>, _>>()?;
    let text = serde_json::to_vec_pretty(&report).map_err(std::io::Error::other)?;
    replace(&report.folder.join(RECORD), &text)?;
    for (variant, plan) in variants.iter().zip(plans) {
        let at = report.folder.join(variant.as_str());
        plan.make_of(&at, &at, files)?;
        report.files.push(plan.files.len());
    }
    Ok(report)
}

/// What somebody else put there stays.
fn refuse_to_replace(folder: &Path, variants: &[Variant]) -> Result<(), RepoError> {
    let there = folder.ancestors().find(|path| path.exists());
    if let Some(path) = there.filter(|path| !path.is_dir()) {
        return Err(RepoError::InTheWay { path: path.to_owned() });
    }
    let is_ours = folder.join(RECORD).is_file();
    let taken = variants.iter().map(|variant| folder.join(variant.as_str())).find(|path| path.exists());
    match taken {
        Some(path) if !is_ours => Err(RepoError::InTheWay { path }),
        _ => Ok(()),
    }
}

/// A project that asks for exactly this, from the registries that are known here.
fn asking_project(
    session: &Session,
    project: Option<&Project>,
    folder: &Path,
    wanted: &[(PackageName, Option<Range>)],
) -> Result<Project, RepoError> {
    let path = folder.join(manifest::FILE_NAME);
    let wrap =
        |error| ProjectError::Manifest { path: path.clone(), text: String::new(), error: Box::new(error) };
    let mut editor = Editor::new("[package]\nkind = \"native\"\n").map_err(wrap)?;
    for known in registries(session, project.map(Project::registries))? {
        let address = RegistryAddress { url: known.location, key: known.key, default: known.default };
        editor.set_registry(&known.name, &address);
    }
    for (name, range) in wanted {
        editor.set_dependency(&Requirement {
            name: name.clone(),
            range: range.clone().unwrap_or_else(Range::any),
            scope: Scope::Run,
            fluid: false,
            registry: None,
            source: Source::Registry,
            line: 0,
        });
    }
    replace(&path, editor.into_text().as_bytes())?;
    Ok(Project::open(folder, &session.owners)?.asked_by("weir sysroot create"))
}
