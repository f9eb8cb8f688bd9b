//! Build roots: the system that a build sees.
//!
//! It is the machine itself, or an unpacked root file system. A build in the machine's own root does not see the
//! machine, though: where packages are dpkg's, it sees a *view* (see [`view`]) that holds exactly the files of
//! the tools and of what they need, so that a library that happens to be installed is not there at all unless
//! the recipe declares it. An unpacked root is seen whole: what is in it was chosen by whoever made it.

mod content;
pub(crate) mod dpkg;
pub(crate) mod inside;
mod view;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use weir_model::{Platform, PlatformError};

use crate::toolchain::{self, Toolchain};
use crate::{Sandbox, SandboxKind};
use dpkg::Installed;

/// The system in which packages are built: its compiler, its C library, its tools.
#[derive(Debug)]
pub struct BuildRoot {
    platform: Platform,
    source: RootSource,
}

#[derive(Debug)]
enum RootSource {
    /// The machine, with what dpkg says of the tools.
    Dpkg(Installed),
    /// The machine, of which nothing is known but what its compiler says.
    Machine,
    /// An unpacked root file system.
    Folder(PathBuf),
}

/// Why there is no such build root.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RootError {
    /// It is no root file system.
    #[error("`{}` is not a root file system: it has no {missing}", folder.display())]
    NotARoot {
        /// The folder.
        folder: PathBuf,
        /// What every root has.
        missing: &'static str,
    },
    /// There is no such folder.
    #[error("there is no root file system at `{}`", folder.display())]
    NoFolder {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// The root is for another machine.
    #[error("the root `{}` is for `{machine}`, and this machine is `{host}`", folder.display())]
    ForeignMachine {
        /// The root's folder.
        folder: PathBuf,
        /// What its programs are for.
        machine: String,
        /// What this machine is.
        host: String,
    },
    /// What the root says of itself makes no platform.
    #[error("the build root has no usable platform")]
    Platform(#[from] PlatformError),
    /// The machine has no compiler.
    #[error("this machine has no C compiler: `{}` is not there", program.display())]
    NoCompiler {
        /// Where it was looked for.
        program: PathBuf,
    },
    /// The system refused something.
    #[error("the build root cannot be read")]
    Io(#[from] io::Error),
}

impl RootError {
    /// What to do now.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::NotARoot { .. } | Self::NoFolder { .. } => {
                Some("`weir root create` makes one, with debootstrap or from an OCI image")
            }
            Self::ForeignMachine { .. } => {
                Some("build on a machine of that kind, or use a root for this one")
            }
            Self::NoCompiler { .. } => {
                Some("install one (on Debian: `apt install build-essential`), or use an unpacked root")
            }
            Self::Platform(_) | Self::Io(_) => None,
        }
    }
}

/// What a sandbox shows of a root, there for as long as this lives.
#[derive(Debug)]
pub(crate) struct Sight {
    pub(crate) shown: Vec<Shown>,
    folder: PathBuf,
    _view: Option<view::View>,
}

impl Sight {
    /// What is seen without a sandbox: the machine.
    pub(crate) fn of_everything() -> Self {
        Self { shown: Vec::new(), folder: "/".into(), _view: None }
    }

    /// The programs that a build finds on a search path, each name once.
    pub(crate) fn programs(&self, search_path: &str) -> io::Result<Vec<Program>> {
        let mut all: BTreeMap<String, Program> = BTreeMap::new();
        for folder in search_path.split(':') {
            for program in programs_in(&self.folder, folder, folder)? {
                all.entry(program.name.clone()).or_insert(program);
            }
        }
        Ok(all.into_values().collect())
    }
}

/// A program that a build can start by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) name: String,
    /// The folder in which the build finds it.
    pub(crate) folder: String,
}

/// The programs in a folder below `top`, which a build finds at `place`; none where it is not there.
pub(crate) fn programs_in(top: &Path, folder: &str, place: &str) -> io::Result<Vec<Program>> {
    let names = inside::names(top, folder)?;
    Ok(names.into_iter().map(|name| Program { name, folder: place.to_owned() }).collect())
}

/// One thing that a sandbox shows of a root.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// This folder or file, read-only, at this place.
    Bind(PathBuf, String),
    /// A symbolic link with this target, at this place.
    Link(PathBuf, String),
}

impl BuildRoot {
    /// The machine that this program runs on.
    ///
    /// # Errors
    ///
    /// When it has no compiler, or does not say what it is.
    pub fn host() -> Result<Self, RootError> {
        let root = Path::new("/");
        let compiler = root.join("usr/bin/cc");
        if !compiler.exists() {
            return Err(RootError::NoCompiler { program: compiler });
        }
        let platform = inside::platform(root, &inside::this_machine())?;
        let source = match Installed::read()? {
            Some(installed) => RootSource::Dpkg(installed),
            None => RootSource::Machine,
        };
        Ok(Self { platform, source })
    }

    /// An unpacked root file system.
    ///
    /// # Errors
    ///
    /// When the folder is none, or one for another machine.
    pub fn open(folder: &Path) -> Result<Self, RootError> {
        let not_a_root = |missing| RootError::NotARoot { folder: folder.to_owned(), missing };
        let folder =
            fs_err::canonicalize(folder).map_err(|_| RootError::NoFolder { folder: folder.to_owned() })?;
        let machine = inside::machine(&folder)?.ok_or_else(|| not_a_root("`bin/sh`"))?;
        let host = inside::this_machine();
        if machine != host && !(machine == "i686" && host == "x86_64") {
            return Err(RootError::ForeignMachine { folder, machine, host });
        }
        let platform = inside::platform(&folder, &machine)?;
        Ok(Self { platform, source: RootSource::Folder(folder) })
    }

    /// The platform of what is built in it.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// The folder, of an unpacked root.
    pub fn folder(&self) -> Option<&Path> {
        match &self.source {
            RootSource::Folder(folder) => Some(folder),
            RootSource::Dpkg(_) | RootSource::Machine => None,
        }
    }

    /// What builds in this root with this sandbox cannot promise, for a person; `None` where all holds.
    pub fn caveat(&self, sandbox: &Sandbox) -> Option<&'static str> {
        match (sandbox.kind(), &self.source) {
            (SandboxKind::None, _) => Some(
                "builds are not contained: they see all of this machine, and can read and change whatever you can",
            ),
            (SandboxKind::Bubblewrap, RootSource::Machine) => Some(
                "this machine's packages are not dpkg's, so builds see every library that is installed on it: \
                 a dependency that no recipe declares is not noticed. An unpacked root file system has no such gap",
            ),
            (SandboxKind::Bubblewrap, RootSource::Dpkg(_) | RootSource::Folder(_)) => None,
        }
    }

    /// What is known of its tools, those that every build has and `tools`, as part of the input digest of everything
    /// that is
    /// built with them.
    ///
    /// It takes milliseconds: a root of files is hashed once, and again only when a look at every file's
    /// size and times shows a change.
    ///
    /// # Errors
    ///
    /// When the root cannot be read.
    pub fn toolchain(&self, sandbox: SandboxKind, tools: &[String]) -> Result<Toolchain, RootError> {
        Ok(match &self.source {
            RootSource::Dpkg(installed) => {
                toolchain::of_packages(&self.platform, sandbox, &installed.with(tools)?)
            }
            RootSource::Machine => toolchain::of_outputs(&self.platform, sandbox, self.search_path(), tools)?,
            RootSource::Folder(folder) => {
                toolchain::of_content(&self.platform, sandbox, content::digest(folder)?)
            }
        })
    }

    /// The shared libraries that what is built in it may use: those that an unpacked root holds, since whoever made it
    /// chose them. Of the machine itself none, for nobody chose what happens to be installed on it.
    ///
    /// # Errors
    ///
    /// When the root cannot be read.
    pub fn libraries(&self) -> io::Result<Vec<String>> {
        match &self.source {
            RootSource::Folder(folder) => inside::libraries(folder),
            RootSource::Dpkg(_) | RootSource::Machine => Ok(Vec::new()),
        }
    }

    /// Of the programs that a recipe names, those that it lacks.
    ///
    /// # Errors
    ///
    /// When the root cannot be read.
    pub fn lacks(&self, tools: &[String]) -> io::Result<Vec<String>> {
        let root = self.folder().unwrap_or(Path::new("/"));
        let mut there = Vec::new();
        for folder in self.search_path().split(':') {
            there.extend(programs_in(root, folder, folder)?);
        }
        let lacks = |tool: &&String| there.iter().all(|program| program.name != **tool);
        Ok(tools.iter().filter(lacks).cloned().collect())
    }

    /// What a sandbox shows of it to a build that names `tools`. Views are made under `cache` where they are not yet.
    pub(crate) fn sight(&self, cache: &Path, tools: &[String]) -> io::Result<Sight> {
        let (folder, scope, view) = match &self.source {
            RootSource::Dpkg(installed) => {
                let view = view::make(&installed.with(tools)?, cache)?;
                (view.folder.clone(), inside::Scope::Whole, Some(view))
            }
            RootSource::Machine => (PathBuf::from("/"), inside::Scope::System, None),
            RootSource::Folder(folder) => (folder.clone(), inside::Scope::Whole, None),
        };
        Ok(Sight { shown: inside::shown(&folder, scope)?, folder, _view: view })
    }

    /// Where programs are looked for in it.
    pub(crate) fn search_path(&self) -> &'static str {
        match &self.source {
            RootSource::Dpkg(_) | RootSource::Machine => "/usr/bin:/bin",
            // Images of compilers keep them in /usr/local.
            RootSource::Folder(_) => "/usr/local/bin:/usr/bin:/bin",
        }
    }
}
