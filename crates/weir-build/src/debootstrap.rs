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
    /// A mirror is named as none can be.
    #[error("`{mirror}` is not the address of a mirror")]
    Mirror {
        /// The name.
        mirror: String,
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
            Self::Mirror { .. } => Some("name it as in `https://deb.debian.org/debian`"),
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
    let shown = |name: &str| name.chars().filter(|char| !char.is_control()).take(80).collect();
    if let Some(name) = packages.iter().chain([&suite]).find(|name| !is_name(name)) {
        return Err(DebootstrapError::Name { name: shown(name) });
    }
    if let Some(mirror) = mirror.filter(|mirror| !is_address(mirror)) {
        return Err(DebootstrapError::Mirror { mirror: shown(mirror) });
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
    let made = run(Path::new(program), suite, &include, mirror, &root)
        // What was fetched to make it is no part of it.
        .and_then(|()| Ok(scratch::remove(&root.join("var/cache/apt/archives"))?))
        .and_then(|()| Ok(fs_err::rename(&root, dest)?));
    scratch::remove(&root)?;
    made
}

/// Runs debootstrap, which knows no `--`: that nothing given to it is an option was checked.
fn run(
    program: &Path,
    suite: &str,
    include: &str,
    mirror: Option<&str>,
    root: &Path,
) -> Result<(), DebootstrapError> {
    let output = Command::new(program)
        .args(["--variant=minbase", &format!("--include={include}"), suite])
        .arg(std::path::absolute(root)?)
        .args(mirror)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    let lines: Vec<String> = String::from_utf8_lossy(&text).lines().map(str::to_owned).collect();
    Err(DebootstrapError::Failed { tail: lines[lines.len().saturating_sub(TAIL)..].to_vec() })
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

/// Whether this is an address such as `https://deb.debian.org/debian` or `file:///srv/debian`, and no option.
fn is_address(mirror: &str) -> bool {
    mirror.starts_with(|char: char| char.is_ascii_lowercase())
        && mirror.contains(":/")
        && mirror.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::{DebootstrapError, debootstrap, run};

    /// Takes the words that debootstrap takes, and refuses what it refuses.
    const STAND_IN: &str = r#"#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    --variant=*|--include=*) shift ;;
    -*) echo "E: unrecognized or invalid option $1"; exit 1 ;;
    *) break ;;
  esac
done
[ "$1" = gone ] && { echo "E: No such script: $1"; exit 1; }
mkdir -p "$2" && echo "$1 from ${3-nowhere}" >"$2/made"
"#;

    #[test]
    fn names_that_are_options_or_lists_are_refused_before_anything_runs() {
        let place = tempfile::tempdir().unwrap();
        for (suite, package) in
            [("--foreign", "gcc"), ("bookworm", "gcc,sudo"), ("bookworm", "-x"), ("a b", "gcc")]
        {
            let error = debootstrap(suite, &place.path().join("root"), &[package], None).unwrap_err();
            assert!(matches!(error, DebootstrapError::Name { .. }), "{error}");
        }
        let error = debootstrap("bookworm", &place.path().join("root"), &[], Some("--arch=x")).unwrap_err();
        assert!(matches!(error, DebootstrapError::Mirror { .. }), "{error}");
        let error = debootstrap("bookworm", place.path(), &[], None).unwrap_err();
        assert!(matches!(error, DebootstrapError::Exists { .. }), "{error}");
    }

    #[test]
    fn debootstrap_gets_the_words_that_it_knows_and_what_it_says_is_shown() {
        let place = tempfile::tempdir().unwrap();
        let (program, root) = (place.path().join("debootstrap"), place.path().join("root"));
        fs_err::write(&program, STAND_IN).unwrap();
        fs_err::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        run(&program, "bookworm", "cmake,flex", Some("https://mirror.test/debian"), &root).unwrap();
        let made = fs_err::read_to_string(root.join("made")).unwrap();
        assert_eq!(made, "bookworm from https://mirror.test/debian\n");
        let failed = run(&program, "gone", "cmake", None, &root).unwrap_err();
        let DebootstrapError::Failed { tail } = failed else { panic!("{failed}") };
        assert_eq!(tail, ["E: No such script: gone"]);
    }
}
