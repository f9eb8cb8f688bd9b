//! `docs.json` of an Elm package, which tools for Elm want of every release: made by the compiler when a package is published, in the
//! sandbox of builds. What does not compile is not published.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use weir_build::{BuildError, BuildRoot, FailureReason, Job, Sandbox, build};
use weir_model::manifest::{Requirement, Source};
use weir_model::{Digest, KindName, Lockfile, PackageName, Range, ReleaseId, Scope, Unobserved};
use weir_native::{BuildLimits, Recipe, RecipeFile, RecipeInputs, SourceSpec, System, Variant};
use weir_reach::{Connections, Session};
use weir_tree::copy_tree;

use crate::closure::used;
use crate::elm::{fill, find, home_of, version};
use crate::error::ProjectError;
use crate::fetch;
use crate::install::wanted_lock;
use crate::moving::Moving;
use crate::project::Project;
use crate::publish::PreparedPackage;

/// The file, in a package.
const DOCS: &str = "docs.json";

/// The largest that is taken, in bytes.
pub(crate) const MAX_DOCS: u64 = 64 << 20;

/// How long the compiler may take, and what it may have.
const LIMITS: BuildLimits =
    BuildLimits { time: Duration::from_secs(600), memory: 16 << 30, disk: 4 << 30, processes: 256 };

/// The compiler writes beside the packages that it reads, so it is given a copy. It is started in the package's folder. On a slow disk
/// 0.19.1 stumbles over the lock that it has on its own notes: then it is started once more, without them.
const SCRIPT: &str = r#"cp -R "$PACKAGES" "$TMPDIR/packages"
chmod -R u+w "$TMPDIR/packages"
document() {
    ELM_HOME=$TMPDIR/packages https_proxy=http://1 http_proxy=http://1 elm make --docs=docs.json >"$TMPDIR/said" 2>&1
}
again() {
    grep -q "resource busy (file is locked)" "$TMPDIR/said" && rm -rf elm-stuff && document
}
if ! document && ! again && ! again; then
    cat "$TMPDIR/said" >&2
    exit 1
fi
mkdir -p "$DESTDIR$PREFIX"
cp docs.json "$DESTDIR$PREFIX/docs.json"
"#;

/// The same package with the `docs.json` that the compiler on `programs`, a `PATH`, makes of it. Packages that are published together
/// with it are in the folders of `others`. Where it cannot be made, the publisher is told why, and the package stays as it is.
///
/// # Errors
///
/// When the compiler refuses the package.
pub(crate) fn with_docs(
    session: &Session,
    package: PreparedPackage,
    others: &[(PackageName, PathBuf)],
    programs: &OsStr,
) -> Result<PreparedPackage, ProjectError> {
    let about = &package.package;
    if about.manifest.package.kind != KindName::Elm || !weir_elm::is_compiled_alone(&about.facts) {
        return Ok(package);
    }
    match make(session, &package, others, programs) {
        Ok(staged) => {
            let mut with_docs = PreparedPackage::staged(session, staged)?;
            with_docs.package.warnings = package.package.warnings;
            Ok(with_docs)
        }
        Err(Unmade::Refused(reason)) => {
            Err(ProjectError::NotPublishable { folder: package.folder().to_owned(), reason })
        }
        Err(Unmade::Because(reason)) => {
            session.warn(format!("`{}` gets no new `{DOCS}`: {reason}", about.id));
            Ok(package)
        }
    }
}

/// Why there is no `docs.json`.
enum Unmade {
    /// The compiler does not take the package.
    Refused(String),
    /// Something is missing here.
    Because(String),
}

impl<E: std::error::Error + 'static> From<E> for Unmade {
    fn from(error: E) -> Self {
        Self::Because(weir_model::chain(&error).to_string())
    }
}

/// A folder with the files of a package and its `docs.json`.
fn make(
    session: &Session,
    package: &PreparedPackage,
    others: &[(PackageName, PathBuf)],
    programs: &OsStr,
) -> Result<tempfile::TempDir, Unmade> {
    let homes = session.home.data().join("elm");
    let program = find(programs, &homes)
        .ok_or_else(|| Unmade::Because("there is no `elm` on the `PATH` to make it".into()))?;
    let sandbox = Sandbox::bubblewrap()?;
    let root = BuildRoot::host()?;
    let version = version(&homes, &program)?;
    let wanted = weir_kinds::kind(KindName::Elm)?.tool(&package.package.facts);
    if let Some((_, range)) = wanted.filter(|(_, range)| !range.contains(&version)) {
        return Err(Unmade::Because(format!(
            "it is for Elm {range}, and `{}` is {version}",
            program.display()
        )));
    }
    // What is chosen here is for this once, and of no interest to who watches.
    let quiet = Session { observer: Arc::new(Unobserved), ..session.clone() };
    let (project, lock) = chosen(&quiet, package, others)?;
    fs_err::create_dir_all(&homes)?;
    let scratch = tempfile::tempdir_in(&homes)?;
    let at = |name: &str| scratch.path().join(name);
    fill(&at("packages"), &home_of(&quiet, &project, &lock, &version)?)?;
    let staged = tempfile::tempdir_in(&homes)?;
    let files = staged.path().join("files");
    copy_tree(package.folder(), &package.package.tree, &files)?;
    let tools = bring(&program, &root, &at("tools"))?;
    let recipe = recipe(package, &at("packages"), tools.is_none());
    let inputs = RecipeInputs {
        source: package.package.tree.digest(),
        script: Some(RecipeFile {
            name: "docs".into(),
            digest: Digest::of(SCRIPT),
            bytes: SCRIPT.as_bytes().to_vec(),
        }),
        patches: Vec::new(),
    };
    let id = ReleaseId { platform: root.platform().clone(), ..package.package.id.clone() };
    let built = build(&Job {
        id: &id,
        recipe: &recipe,
        inputs: &inputs,
        source: &files,
        sysroots: &BTreeMap::new(),
        tools: tools.as_deref(),
        visible: &[at("packages")],
        root: &root,
        sandbox: &sandbox,
        jobs: 1,
        scratch: &at("build"),
        cache: session.home.data(),
        observer: &Unobserved,
        cancel: session.interrupt.wanted(),
        log: &at("log"),
    });
    let built = match built {
        Ok(built) => built,
        Err(BuildError::Failed(failure)) if matches!(failure.reason, FailureReason::Exit(_)) => {
            let said = failure.tail.join("\n");
            return Err(Unmade::Refused(format!("Elm's compiler refuses it:\n{said}")));
        }
        Err(error) => return Err(error.into()),
    };
    let docs = weir_fs::read(built.tree.join(Variant::Release.as_str()).join(DOCS), MAX_DOCS)?;
    serde_json::from_slice::<serde::de::IgnoredAny>(&docs)?;
    fs_err::write(files.join(DOCS), docs)?;
    Ok(staged)
}

/// What a package is compiled with: its releases, all of them in the store. Nothing is written down.
fn chosen(
    session: &Session,
    package: &PreparedPackage,
    others: &[(PackageName, PathBuf)],
) -> Result<(Project, Lockfile), ProjectError> {
    let mut project = Project::open(package.folder(), &session.owners)?.on(session.platform());
    let own = &package.package.id.name;
    for (name, folder) in others.iter().filter(|(name, _)| name != own) {
        project.manifest.overrides.push(Requirement {
            name: name.clone(),
            range: Range::any(),
            scope: Scope::Run,
            fluid: false,
            registry: None,
            source: Source::Path(folder.display().to_string()),
            line: 0,
        });
    }
    let connections = Connections::of(session, project.registries())?;
    let planned = wanted_lock(session, &connections, &project, false, Moving::Nothing)?;
    let used = used(&project, &planned.lock, true);
    let store = session.open_store()?.session()?;
    let (lock, _) = fetch::fetch_missing(session, &store, connections.known(), &project, planned, &used)?;
    Ok((project, lock))
}

/// Where the build root has no compiler of its own, a folder with the one that is to be used.
fn bring(program: &Path, root: &BuildRoot, to: &Path) -> Result<Option<PathBuf>, Unmade> {
    if program.starts_with("/usr/bin") && root.lacks(&["elm".into()])?.is_empty() {
        return Ok(None);
    }
    let is_script = weir_fs::open(program)
        .map(|mut file| {
            let mut head = [0; 2];
            let read = std::io::Read::read(&mut file, &mut head);
            read.is_ok_and(|read| read == 2) && head == *b"#!"
        })
        .unwrap_or_default();
    if is_script {
        let program = program.display();
        return Err(Unmade::Because(format!("`{program}` is a script, which cannot be put into a sandbox")));
    }
    fs_err::create_dir_all(to.join("bin"))?;
    fs_err::copy(program, to.join("bin/elm"))?;
    Ok(Some(to.to_owned()))
}

fn recipe(package: &PreparedPackage, packages: &Path, of_root: bool) -> Recipe {
    let id = &package.package.id;
    let packages = packages.display().to_string();
    Recipe {
        name: id.name.clone(),
        version: id.version.clone(),
        license: None,
        description: None,
        dependencies: Vec::new(),
        folder: package.folder().to_owned(),
        file: package.folder().join(weir_elm::FILE_NAME),
        source: SourceSpec::Path(".".into()),
        subfolder: None,
        patches: Vec::new(),
        system: System::Script { file: "docs".into() },
        defines: BTreeMap::from([("PACKAGES".to_owned(), packages)]),
        environment: BTreeMap::new(),
        variants: vec![Variant::Release],
        of_variant: BTreeMap::new(),
        system_libraries: Vec::new(),
        tools: if of_root { vec!["elm".into()] } else { Vec::new() },
        limits: LIMITS,
    }
}
