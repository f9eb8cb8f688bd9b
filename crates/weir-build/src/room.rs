//! The folders of one variant's build: where they are on the machine, and where the build finds them.

use std::io;
use std::path::{Path, PathBuf};

use weir_native::{PREFIX, relocate};

use crate::root::Sight;
use crate::{Sandbox, SandboxKind, scratch};

/// Folders of a build, and of the machine what it sees beside them.
#[derive(Debug)]
pub(crate) struct Room {
    /// The folder that holds all others: what the build writes is under it.
    pub(crate) work: PathBuf,
    /// What is seen of the build root.
    pub(crate) root: Sight,
    /// Tells its processes from others where nothing contains them.
    pub(crate) mark: String,
    sysroot: PathBuf,
    tools: Option<PathBuf>,
    visible: Vec<PathBuf>,
    contained: bool,
}

/// Where a build finds its folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) source: String,
    pub(crate) build: String,
    /// What runs with what is built.
    pub(crate) sysroot: String,
    /// What only builds it.
    pub(crate) tools: String,
    /// Stands first on the search path.
    pub(crate) wrappers: String,
    pub(crate) recipe: String,
    pub(crate) temporary: String,
    /// Before the prefix, where what is installed cannot go to the prefix itself.
    pub(crate) destination: Option<String>,
}

impl Room {
    /// Makes the folders, all but the source's, in the new folder `work`.
    pub(crate) fn make(
        work: PathBuf,
        sandbox: &Sandbox,
        root: Sight,
        sysroot: Option<&Path>,
        tools: Option<&Path>,
        visible: &[PathBuf],
    ) -> io::Result<Self> {
        scratch::remove(&work)?;
        fs_err::create_dir_all(&work)?;
        let work = fs_err::canonicalize(work)?;
        let no_sysroot = work.join("no-sysroot");
        for folder in ["build", "prefix", "recipe", "wrappers", "tmp/home", "no-sysroot"] {
            fs_err::create_dir_all(work.join(folder))?;
        }
        let sysroot = sysroot.map_or(Ok(no_sysroot), fs_err::canonicalize)?;
        let tools = tools.map(fs_err::canonicalize).transpose()?;
        let mark = work.to_string_lossy().into_owned();
        let contained = sandbox.kind() == SandboxKind::Bubblewrap;
        Ok(Self { work, root, mark, sysroot, tools, visible: visible.to_vec(), contained })
    }

    /// The source's copy, on the machine.
    pub(crate) fn source(&self) -> PathBuf {
        self.work.join("source")
    }

    /// What the recipe adds to the source, on the machine.
    pub(crate) fn recipe(&self) -> PathBuf {
        self.work.join("recipe")
    }

    /// What is needed, on the machine.
    pub(crate) fn sysroot(&self) -> &Path {
        &self.sysroot
    }

    /// What only builds, on the machine.
    pub(crate) fn tools(&self) -> Option<&Path> {
        self.tools.as_deref()
    }

    /// The scripts that stand first on the search path, on the machine.
    pub(crate) fn wrappers(&self) -> PathBuf {
        self.work.join("wrappers")
    }

    /// What is installed, on the machine.
    pub(crate) fn installed(&self) -> PathBuf {
        if self.contained {
            self.work.join("prefix")
        } else {
            self.work.join("prefix").join(PREFIX.trim_start_matches('/'))
        }
    }

    /// Where the build finds them.
    pub(crate) fn places(&self) -> Places {
        let at = |name: &str| {
            if self.contained {
                format!("/weir/{name}")
            } else {
                self.work.join(name).to_string_lossy().into_owned()
            }
        };
        let packages = |place: &str, on_disk: &Path| {
            if self.contained { place.into() } else { on_disk.to_string_lossy().into_owned() }
        };
        Places {
            source: at("source"),
            build: at("build"),
            sysroot: packages(relocate::SYSROOT, &self.sysroot),
            tools: packages(relocate::TOOLS, self.tools.as_deref().unwrap_or(&self.work.join("no-sysroot"))),
            wrappers: at("wrappers"),
            recipe: at("recipe"),
            temporary: if self.contained { "/tmp".into() } else { at("tmp") },
            destination: (!self.contained).then(|| at("prefix")),
        }
    }

    /// What a sandbox shows of the machine beside the root: where it is, where it is seen, whether it can be changed.
    pub(crate) fn folders(&self) -> Vec<(PathBuf, PathBuf, bool)> {
        let own = |name: &str, place: &str, writable| (self.work.join(name), PathBuf::from(place), writable);
        let mut all = vec![
            own("tmp", "/tmp", true),
            own("source", "/weir/source", true),
            own("build", "/weir/build", true),
            own("recipe", "/weir/recipe", false),
            own("wrappers", "/weir/wrappers", false),
            own("prefix", PREFIX, true),
            (self.sysroot.clone(), relocate::SYSROOT.into(), false),
        ];
        all.extend(self.tools.iter().map(|tools| (tools.clone(), relocate::TOOLS.into(), false)));
        all.extend(self.visible.iter().map(|folder| (folder.clone(), folder.clone(), false)));
        all
    }
}
