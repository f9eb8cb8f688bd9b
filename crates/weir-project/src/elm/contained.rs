//! Elm's compiler in the sandbox in which native packages are built: what it compiles may be a stranger's.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use weir_build::{BuildError, BuildRoot, Job, Sandbox, build};
use weir_model::{Digest, ReleaseId, TreeDigest, Unobserved, Version};
use weir_native::{BuildLimits, Recipe, RecipeFile, RecipeInputs, SourceSpec, System, Variant};
use weir_reach::Session;

use super::{ELM, find, version};

/// What every script begins with.
///
/// The compiler writes beside the packages that it reads, so it is given a copy. On a slow disk 0.19.1 stumbles over the lock that it has
/// on its own notes: then it is started once more, without them.
const COMPILE: &str = r#"cp -R "$PACKAGES" "$TMPDIR/packages"
chmod -R u+w "$TMPDIR/packages"
compile() {
    for attempt in 1 2 3; do
        ELM_HOME=$TMPDIR/packages https_proxy=http://1 http_proxy=http://1 elm make "$@" >"$TMPDIR/said" 2>&1 && return 0
        grep -q "resource busy (file is locked)" "$TMPDIR/said" || return 1
        rm -rf elm-stuff
    done
    return 1
}
"#;

/// A compiler, and what contains it.
pub(crate) struct Compiler {
    pub(crate) program: PathBuf,
    pub(crate) version: Version,
    sandbox: Sandbox,
    root: BuildRoot,
    /// Where the build root has no compiler of its own, a folder with the one that is to be used.
    brought: Option<tempfile::TempDir>,
}

/// Why there is none, in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NoCompiler(String);

/// Something to be compiled.
pub(crate) struct Task<'a> {
    /// Which release it is, or would be.
    pub(crate) id: &'a ReleaseId,
    /// Its files, in a folder that is only read.
    pub(crate) files: &'a Path,
    /// What they are.
    pub(crate) digest: TreeDigest,
    /// A folder as the compiler is shown one, which the script reads as `$PACKAGES`.
    pub(crate) packages: &'a Path,
    /// What is done, in the words of a shell, in a copy of its files: `compile` starts the compiler, and keeps what it says in
    /// `$TMPDIR/said`. What is to be kept goes below `$DESTDIR$PREFIX`.
    pub(crate) script: &'a str,
    /// How long it may take.
    pub(crate) time: Duration,
    /// A folder for it alone, in which what was kept stays.
    pub(crate) scratch: &'a Path,
}

impl Compiler {
    /// The one on `programs`, a `PATH`.
    pub(crate) fn find(session: &Session, programs: &OsStr) -> Result<Self, NoCompiler> {
        let homes = session.home.data().join("elm");
        let told = |error: &dyn std::error::Error| NoCompiler(weir_model::chain(error).to_string());
        let program =
            find(programs, &homes).ok_or_else(|| NoCompiler("there is no `elm` on the `PATH`".into()))?;
        let sandbox = Sandbox::bubblewrap().map_err(|error| told(&error))?;
        let root = BuildRoot::host().map_err(|error| told(&error))?;
        let version = version(&homes, &program).map_err(|error| told(&error))?;
        fs_err::create_dir_all(&homes).map_err(|error| told(&error))?;
        let has_it = program.starts_with("/usr/bin")
            && root.lacks(&[ELM.into()]).map_err(|error| told(&error))?.is_empty();
        let brought = match has_it {
            true => None,
            false => Some(bring(&program, &homes)?),
        };
        Ok(Self { program, version, sandbox, root, brought })
    }

    /// Compiles; gives the folder with what was kept.
    pub(crate) fn run(&self, session: &Session, task: &Task<'_>) -> Result<PathBuf, BuildError> {
        let script = format!("{COMPILE}{}", task.script);
        let inputs = RecipeInputs {
            source: task.digest,
            script: Some(RecipeFile {
                name: ELM.into(),
                digest: Digest::of(&script),
                bytes: script.into_bytes(),
            }),
            patches: Vec::new(),
        };
        let id = ReleaseId { platform: self.root.platform().clone(), ..task.id.clone() };
        let built = build(&Job {
            id: &id,
            recipe: &self.recipe(task),
            inputs: &inputs,
            source: task.files,
            sysroots: &BTreeMap::new(),
            tools: self.brought.as_ref().map(tempfile::TempDir::path),
            visible: &[task.packages.to_owned()],
            root: &self.root,
            sandbox: &self.sandbox,
            jobs: 1,
            scratch: &task.scratch.join("build"),
            cache: session.home.data(),
            observer: &Unobserved,
            cancel: session.interrupt.wanted(),
            log: &task.scratch.join("log"),
        })?;
        Ok(built.tree.join(Variant::Release.as_str()))
    }

    fn recipe(&self, task: &Task<'_>) -> Recipe {
        let packages = task.packages.display().to_string();
        Recipe {
            name: task.id.name.clone(),
            version: task.id.version.clone(),
            license: None,
            description: None,
            dependencies: Vec::new(),
            folder: task.files.to_owned(),
            file: task.files.join(weir_elm::FILE_NAME),
            source: SourceSpec::Path(".".into()),
            subfolder: None,
            patches: Vec::new(),
            system: System::Script { file: ELM.into() },
            defines: BTreeMap::from([("PACKAGES".to_owned(), packages)]),
            environment: BTreeMap::new(),
            variants: vec![Variant::Release],
            of_variant: BTreeMap::new(),
            system_libraries: Vec::new(),
            tools: if self.brought.is_none() { vec![ELM.into()] } else { Vec::new() },
            limits: BuildLimits { time: task.time, memory: 16 << 30, disk: 1 << 30, processes: 256 },
        }
    }
}

/// Where programs of npm's have the compiler, seen from a script in `node_modules/.bin` that starts it.
const BEHIND_SCRIPTS: [&str; 3] =
    ["../elm/bin/elm", "../@elm_binaries/linux_x64/elm", "../@elm_binaries/linux_arm64/elm"];

/// A folder with the program in its `bin`.
fn bring(program: &Path, homes: &Path) -> Result<tempfile::TempDir, NoCompiler> {
    let is_script = |program: &Path| {
        let mut head = Vec::new();
        let read = weir_fs::open(program).map(|file| file.take(2).read_to_end(&mut head));
        read.is_ok() && head == *b"#!"
    };
    let behind = |program: &Path| {
        let bin = program.parent().filter(|bin| bin.ends_with("node_modules/.bin"))?;
        let mut candidates = BEHIND_SCRIPTS.iter().map(|behind| bin.join(behind));
        candidates.find(|candidate| candidate.is_file() && !is_script(candidate))
    };
    let program = match is_script(program) {
        false => program.to_owned(),
        true => behind(program).ok_or_else(|| {
            NoCompiler(format!("`{}` is a script, which cannot be put into a sandbox", program.display()))
        })?,
    };
    let copied = || -> std::io::Result<tempfile::TempDir> {
        let folder = tempfile::tempdir_in(homes)?;
        fs_err::create_dir(folder.path().join("bin"))?;
        fs_err::copy(&program, folder.path().join("bin").join(ELM))?;
        Ok(folder)
    };
    copied().map_err(|error| NoCompiler(error.to_string()))
}
