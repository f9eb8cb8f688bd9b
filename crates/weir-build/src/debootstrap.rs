//! Build roots from a distribution's own packages, by the program debootstrap.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::scratch;

/// Where debootstrap is looked for.
const PROGRAMS: [&str; 2] = ["/usr/sbin/debootstrap", "/usr/bin/debootstrap"];

/// How many of its last lines an error shows.
const TAIL: usize = 10;

/// Why there is no root.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DebootstrapError {
    /// debootstrap is not there.
    #[error("debootstrap is not installed: there is no `{}`", PROGRAMS[0])]
    Missing,
    /// It makes device files and starts programs of the root inside it, which only root may.
    #[error("debootstrap must be run as root")]
    NotRoot,
    /// There is something already where the root would go.
    #[error("`{}` is there already", path.display())]
    Exists {
        /// The place.
        path: PathBuf,
    },
    /// A suite or a package is named as none can be.
    #[error("`{name}` names no suite and no package")]
    Name {
        /// The name.
        name: String,
    },
    /// It failed.
    #[error("debootstrap failed")]
    Failed {
        /// The last lines that it printed.
        tail: Vec<String>,
    },
    /// It could not be started.
    #[error("debootstrap cannot be run")]
    Io(#[from] io::Error),
}

impl DebootstrapError {
    /// What to do now.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Missing => {
                Some("install it (`apt install debootstrap`), or unpack an OCI image, which needs no program")
            }
            Self::NotRoot => Some(
                "make the root once as root, or without: `mmdebstrap --mode=unshare SUITE FOLDER`; or unpack an OCI \
                 image, which any user may. To build in a root, no user needs more than to read it",
            ),
            Self::Exists { .. } => Some("remove it, or name another folder"),
            Self::Failed { .. } => Some("it needs the network, and a suite that its mirror has"),
            Self::Name { .. } | Self::Io(_) => None,
        }
    }
}

/// Makes a root of the suite, such as `bookworm`, with a compiler, the usual build systems and these packages,
/// in the new folder `dest`. It comes from the mirror that debootstrap chooses, or from `mirror`.
///
/// # Errors
///
/// When debootstrap is not installed, may not do its work, or fails. Then there is no `dest`.
pub fn debootstrap(
    suite: &str,
    dest: &Path,
    packages: &[&str],
    mirror: Option<&str>,
) -> Result<(), DebootstrapError> {
    if let Some(name) = packages.iter().chain([&suite]).find(|name| !is_name(name)) {
        return Err(DebootstrapError::Name {
            name: name.chars().filter(|char| !char.is_control()).take(80).collect(),
        });
    }
    if dest.symlink_metadata().is_ok() {
        return Err(DebootstrapError::Exists { path: dest.to_owned() });
    }
    let program = PROGRAMS.iter().find(|path| Path::new(path).is_file()).ok_or(DebootstrapError::Missing)?;
    if !rustix::process::geteuid().is_root() {
        return Err(DebootstrapError::NotRoot);
    }
    let parent = dest.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unfinished = tempfile::Builder::new().prefix(".debootstrap-").tempdir_in(parent)?;
    let root = unfinished.path().join("root");
    let include = [&BUILD_TOOLS[..], packages].concat().join(",");
    let output = Command::new(program)
        .args(["--variant=minbase", &format!("--include={include}"), "--", suite])
        .arg(&root)
        .args(mirror)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()?;
    let made = if output.status.success() {
        // What was fetched to make it is no part of it.
        scratch::remove(&root.join("var/cache/apt/archives"))
            .and_then(|()| fs_err::rename(&root, dest))
            .map_err(DebootstrapError::from)
    } else {
        let text = [output.stdout, output.stderr].concat();
        let lines: Vec<String> = String::from_utf8_lossy(&text).lines().map(str::to_owned).collect();
        let tail = lines[lines.len().saturating_sub(TAIL)..].to_vec();
        Err(DebootstrapError::Failed { tail })
    };
    scratch::remove(&root)?;
    made
}

/// What a root has in any case.
const BUILD_TOOLS: [&str; 9] = [
    "autoconf",
    "automake",
    "build-essential",
    "ca-certificates",
    "cmake",
    "libtool",
    "meson",
    "ninja-build",
    "pkg-config",
];

/// Names of packages and suites, by Debian's policy (5.6.1): none is an option, or more than one.
fn is_name(name: &str) -> bool {
    name.starts_with(|char: char| char.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::{DebootstrapError, debootstrap};

    #[test]
    fn names_that_are_options_or_lists_are_refused_before_anything_runs() {
        let place = tempfile::tempdir().unwrap();
        for (suite, package) in
            [("--foreign", "gcc"), ("bookworm", "gcc,sudo"), ("bookworm", "-x"), ("a b", "gcc")]
        {
            let error = debootstrap(suite, &place.path().join("root"), &[package], None).unwrap_err();
            assert!(matches!(error, DebootstrapError::Name { .. }), "{error}");
        }
        let error = debootstrap("bookworm", place.path(), &[], None).unwrap_err();
        assert!(matches!(error, DebootstrapError::Exists { .. }), "{error}");
    }
}
