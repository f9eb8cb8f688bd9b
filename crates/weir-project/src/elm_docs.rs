//! `docs.json` of an Elm package, which tools for Elm want of every release: made by the compiler when a package is published, in the
//! sandbox of builds. What does not compile is not published.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use weir_build::{BuildError, FailureReason};
use weir_elm::ElmJson;
use weir_elm::home::{Home, HomePackage};
use weir_model::manifest::{Requirement, Source};
use weir_model::{KindName, Lockfile, PackageName, Range, Scope, Unobserved};
use weir_reach::{Connections, Session};
use weir_tree::{Selection, copy_tree, read_folder};

use crate::closure::used;
use crate::elm::contained::{Compiler, Task};
use crate::elm::{fill, home_of, with_npm};
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

/// How long the compiler may take.
const LONGEST: Duration = Duration::from_secs(600);

/// What is done in a copy of the package.
const SCRIPT: &str = r#"if ! compile --docs=docs.json; then
    cat "$TMPDIR/said" >&2
    exit 1
fi
[ -f docs.json ] || { echo 'it ended well, and made no `docs.json`' >&2; exit 1; }
mkdir -p "$DESTDIR$PREFIX"
cp docs.json "$DESTDIR$PREFIX/docs.json"
"#;

/// The same package with the `docs.json` that the compiler on `programs`, a `PATH`, makes of it. Packages that are published together
/// with it are in the folders of `others`. Where it cannot be made, the publisher is told why, and the package stays as it is.
///
/// # Errors
///
/// When the compiler refuses the package, or there is nothing to compile it with: what it needs cannot be had.
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
    let programs = with_npm(&session.owners, package.folder(), programs);
    match make(session, &package, others, &programs) {
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
    let compiler = Compiler::find(session, programs)?;
    let wanted = weir_kinds::kind(KindName::Elm)?.tool(&package.package.facts);
    if let Some((_, range)) = wanted.filter(|(_, range)| !range.contains(&compiler.version)) {
        let (program, version) = (compiler.program.display(), &compiler.version);
        return Err(Unmade::Because(format!("it is for Elm {range}, and `{program}` is {version}")));
    }
    // What is chosen here is for this once, and of no interest to who watches.
    let quiet = Session { observer: Arc::new(Unobserved), ..session.clone() };
    let (project, lock) = chosen(&quiet, package, others).map_err(|error| {
        let why = weir_model::chain(&error);
        Unmade::Refused(format!("it was not compiled, since what it needs cannot be had: {why}"))
    })?;
    let name = &package.package.id.name;
    if let Some(own) = used(&project, &lock, false).into_iter().find(|needed| needed.name == *name) {
        return Err(Unmade::Refused(format!(
            "something that it needs needs `{own}`: whoever used both would have packages that need one another, on which the compiler never ends"
        )));
    }
    let homes = session.home.data().join("elm");
    let scratch = tempfile::tempdir_in(&homes)?;
    let packages = scratch.path().join("packages");
    let home = home_of(&quiet, &project, &lock, &compiler.version)?;
    fill(&packages, &home)?;
    let staged = tempfile::tempdir_in(&homes)?;
    let files = staged.path().join("files");
    copy_tree(package.folder(), &package.package.tree, &files)?;
    let manifest = files.join(weir_elm::FILE_NAME);
    let said = fs_err::read_to_string(&manifest)?;
    fs_err::write(&manifest, without_tests(&said)?)?;
    let task = Task {
        id: &package.package.id,
        files: &files,
        digest: package.package.tree.digest(),
        packages: &packages,
        script: SCRIPT,
        time: LONGEST,
        scratch: scratch.path(),
    };
    let made = match docs_of(session, &compiler, &task) {
        Err(Unmade::Refused(said)) if weir_elm::may_have_kernel(&task.id.name) => {
            let as_dependency = as_dependency(session, &compiler, &task, home);
            as_dependency.map_err(|unmade| match unmade {
                Unmade::Refused(_) => Unmade::Refused(said),
                because @ Unmade::Because(_) => because,
            })
        }
        made => made,
    };
    fs_err::write(files.join(DOCS), made?)?;
    fs_err::write(&manifest, said)?;
    Ok(staged)
}

/// An `elm.json` without what its tests need: the compiler would want all of that, and documentation has nothing of it.
fn without_tests(said: &str) -> Result<String, weir_elm::ElmJsonError> {
    let mut said = ElmJson::parse(said)?;
    if let ElmJson::Package(package) = &mut said {
        package.test_dependencies.clear();
    }
    Ok(said.to_text())
}

/// What the compiler makes, as the script of a task left it.
fn docs_of(session: &Session, compiler: &Compiler, task: &Task<'_>) -> Result<Vec<u8>, Unmade> {
    let built = match compiler.run(session, task) {
        Ok(built) => built,
        Err(BuildError::Failed(failure)) if matches!(failure.reason, FailureReason::Exit(_)) => {
            let said = failure.tail.join("\n");
            return Err(Unmade::Refused(format!("Elm's compiler refuses it:\n{said}")));
        }
        Err(error) => return Err(error.into()),
    };
    let docs = weir_fs::read(built.join(DOCS), MAX_DOCS)?;
    serde_json::from_slice::<serde::de::IgnoredAny>(&docs)?;
    Ok(docs)
}

/// Documentation of one of Elm's own packages that imports kernel code of another, as elm/html does of elm/virtual-dom. The compiler finds
/// that only while it compiles the package for somebody who uses it, and documents it then, too: so something uses it here.
fn as_dependency(
    session: &Session,
    compiler: &Compiler,
    task: &Task<'_>,
    home: Home,
) -> Result<Vec<u8>, Unmade> {
    let id = task.id;
    let own =
        HomePackage { name: id.name.clone(), version: id.version.clone(), content: task.files.to_owned() };
    let place = home.packages_folder().join(own.folder()).join(DOCS);
    let home = home.with(own);
    let packages = task.scratch.join("with-it");
    fill(&packages, &home)?;
    let user = task.scratch.join("user");
    fs_err::create_dir_all(user.join("src"))?;
    let direct: BTreeMap<&str, String> =
        home.packages.iter().map(|one| (one.name.as_str(), one.version.to_string())).collect();
    let said = serde_json::json!({
        "type": "application", "source-directories": ["src"], "elm-version": compiler.version.to_string(),
        "dependencies": { "direct": direct, "indirect": {} }, "test-dependencies": { "direct": {}, "indirect": {} },
    });
    fs_err::write(user.join(weir_elm::FILE_NAME), said.to_string())?;
    fs_err::write(user.join("src/Main.elm"), "module Main exposing (one)\n\n\none : Int\none =\n    1\n")?;
    let script = format!(
        r#"if ! compile src/Main.elm --output=/dev/null; then
    cat "$TMPDIR/said" >&2
    exit 1
fi
mkdir -p "$DESTDIR$PREFIX"
cp "$TMPDIR/packages/{}" "$DESTDIR$PREFIX/{DOCS}"
"#,
        place.display()
    );
    let digest = read_folder(&user, &Selection::everything())?.digest();
    docs_of(session, compiler, &Task { files: &user, packages: &packages, script: &script, digest, ..*task })
}

/// What a package is compiled with: its releases, all of them in the store. Nothing is written down.
fn chosen(
    session: &Session,
    package: &PreparedPackage,
    others: &[(PackageName, PathBuf)],
) -> Result<(Project, Lockfile), ProjectError> {
    let mut project = Project::open(package.folder(), &session.owners)?.on(session.platform());
    project.manifest.dependencies.retain(|asked| asked.scope == Scope::Run);
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
