//! A recipe, a source and a place to build in, in a few lines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use weir_build::{BuildError, BuildEvent, BuildRoot, Built, Failure, FailureReason, Job, Sandbox, build};
use weir_model::{Digest, Observer, ReleaseId};
use weir_native::{BuildLimits, Recipe, RecipeInputs, SourceSpec, System, Variant};

/// Everything that a test builds with. Its folders go when it goes.
pub(crate) struct World {
    place: tempfile::TempDir,
    pub(crate) recipe: Recipe,
    pub(crate) sandbox: Sandbox,
    /// Another root than the machine's.
    pub(crate) root: Option<BuildRoot>,
    pub(crate) sysroots: BTreeMap<Variant, PathBuf>,
    pub(crate) tools: Option<PathBuf>,
    pub(crate) cancel: AtomicBool,
    pub(crate) seen: Seen,
}

/// What was reported of a build.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) phases: Mutex<Vec<String>>,
    pub(crate) lines: Mutex<Vec<String>>,
    pub(crate) wants_every_line: bool,
}

impl Observer<BuildEvent> for Seen {
    fn event(&self, event: &BuildEvent) {
        match event {
            BuildEvent::Phase(variant, phase) => {
                self.phases.lock().unwrap().push(format!("{variant} {phase}"));
            }
            BuildEvent::Lines(lines) => self.lines.lock().unwrap().extend_from_slice(lines),
        }
    }

    fn wants_every_event(&self) -> bool {
        self.wants_every_line
    }
}

/// The machine's root. Its view is made once for all tests.
fn root() -> &'static BuildRoot {
    static ROOT: OnceLock<BuildRoot> = OnceLock::new();
    ROOT.get_or_init(|| BuildRoot::host().expect("these tests need a C compiler"))
}

fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("weir-build-cache")
}

impl World {
    /// A world whose recipe has this system, one variant, and a source without files.
    pub(crate) fn new(system: System) -> Self {
        let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        for folder in ["source", "recipe"] {
            fs_err::create_dir(place.path().join(folder)).unwrap();
        }
        let recipe = Recipe {
            name: "base/thing".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            license: None,
            description: None,
            dependencies: Vec::new(),
            folder: place.path().join("recipe"),
            file: place.path().join("recipe/weir.toml"),
            source: SourceSpec::Path("source".into()),
            subfolder: None,
            patches: Vec::new(),
            system,
            defines: BTreeMap::new(),
            environment: BTreeMap::new(),
            variants: vec![Variant::Release],
            of_variant: BTreeMap::new(),
            system_libraries: Vec::new(),
            tools: Vec::new(),
            limits: BuildLimits { time: Duration::from_secs(120), ..BuildLimits::default() },
        };
        let sandbox = Sandbox::bubblewrap()
            .unwrap_or_else(|error| panic!("these tests need bubblewrap (apt install bubblewrap): {error}"));
        let (sysroots, cancel, seen) = (BTreeMap::new(), AtomicBool::new(false), Seen::default());
        Self { place, recipe, sandbox, root: None, sysroots, tools: None, cancel, seen }
    }

    /// A world whose recipe is this script.
    pub(crate) fn script(text: &str) -> Self {
        let world = Self::new(System::Script { file: "build.sh".into() });
        fs_err::write(world.at("recipe/build.sh"), text).unwrap();
        world
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.place.path().join(path)
    }

    /// Adds a file to the source, in the mode in which a store keeps it.
    pub(crate) fn source(self, path: &str, text: &str) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.at("source").join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, text).unwrap();
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o444)).unwrap();
        self
    }

    pub(crate) fn define(mut self, name: &str, value: &str) -> Self {
        self.recipe.defines.insert(name.into(), value.into());
        self
    }

    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.recipe.environment.insert(name.into(), value.into());
        self
    }

    pub(crate) fn build(&self) -> Result<Built, BuildError> {
        let root = self.root.as_ref().unwrap_or_else(|| root());
        let id = ReleaseId {
            name: self.recipe.name.clone(),
            version: self.recipe.version.clone(),
            platform: root.platform().clone(),
            revision: 0,
        };
        let inputs = RecipeInputs::read(&self.recipe, Digest::of("source")).unwrap();
        build(&Job {
            id: &id,
            recipe: &self.recipe,
            inputs: &inputs,
            source: &self.at("source"),
            sysroots: &self.sysroots,
            tools: self.tools.as_deref(),
            visible: &[],
            root,
            sandbox: &self.sandbox,
            jobs: 2,
            scratch: &self.at("scratch"),
            cache: &cache(),
            observer: &self.seen,
            cancel: &self.cancel,
            log: &self.at("logs/thing.log"),
        })
    }

    /// Builds what must succeed.
    pub(crate) fn built(&self) -> Built {
        self.build().unwrap_or_else(|error| panic!("{}", self.story(&error)))
    }

    /// Builds what must succeed, and gives the text of a file of it.
    pub(crate) fn text(&self, path: &str) -> String {
        fs_err::read_to_string(self.built().tree.join("release").join(path)).unwrap()
    }

    /// Builds what must fail; nothing of it may be left.
    pub(crate) fn failed(&self) -> Failure {
        match self.build() {
            Err(BuildError::Failed(failure)) => {
                assert!(!self.at("scratch").exists(), "the scratch folder is left");
                *failure
            }
            Err(other) => panic!("it failed otherwise: {}", self.story(&other)),
            Ok(built) => panic!("it was built:\n{}", fs_err::read_to_string(built.log).unwrap()),
        }
    }

    /// Builds what must fail, and says why it did.
    pub(crate) fn reason(&self) -> FailureReason {
        self.failed().reason
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs_err::read(self.at("logs/thing.log")).unwrap()).into_owned()
    }

    fn story(&self, error: &BuildError) -> String {
        format!("{error:?}\n{}", fs_err::read_to_string(self.at("logs/thing.log")).unwrap_or_default())
    }
}
