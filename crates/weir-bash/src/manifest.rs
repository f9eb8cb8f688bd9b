//! What a package says about itself, in whatever form it was written.
//!
//! Weir's own form is the `[bash]` table of `weir.toml` ([`read_table`]): strict, unknown fields are errors that
//! name the nearest known one. Three older forms come in without rewriting: `basalt.toml` ([`read_basalt`]), bpkg's
//! `bpkg.json` or `package.json` ([`read_bpkg`]), and basher's `package.sh` ([`read_basher`], parsed and never run).
//! Those are untidy in the wild: where the meaning is clear, what is wrong with them is a warning.

mod basalt;
mod basher;
mod bpkg;
mod git;
mod table;

use std::collections::BTreeMap;

pub use basalt::read_basalt;
pub use basher::read_basher;
pub use bpkg::read_bpkg;
pub use git::{GitRequirement, GitRequirementError};
pub use table::{read_table, read_table_text};

/// The most entries of one list in a manifest.
pub const MAX_ENTRIES: usize = 1_000;

/// What the kind needs to know of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct BashManifest {
    /// What the names of its functions begin with, the main one first.
    pub slugs: Vec<String>,
    /// Folders, files or globs that are sourced when it is loaded.
    pub source: Vec<String>,
    /// Folders, files or globs of its commands.
    pub bin: Vec<String>,
    /// Folders, files or globs of its completions.
    pub completion: Vec<String>,
    /// Folders, files or globs of its man pages.
    pub man: Vec<String>,
    /// Variables that are exported when it is loaded.
    pub environment: BTreeMap<String, String>,
    /// What `set -o` is told when it is loaded.
    pub options: BTreeMap<String, bool>,
    /// What `shopt` is told when it is loaded.
    pub shopt: BTreeMap<String, bool>,
    /// Functions and variables that keep their names when the package is renamed.
    pub keep: Vec<String>,
    /// Variables that are renamed although a rule would keep them.
    pub state: Vec<String>,
    /// Which packages that it uses are to be renamed; only what the project itself says counts.
    pub rename: RenameWishes,
}

/// What a project wants of renaming.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RenameWishes {
    /// For all packages.
    pub all: Option<RenameWish>,
    /// For one, by its name.
    pub packages: BTreeMap<String, RenameWish>,
}

/// What is wanted of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RenameWish {
    /// It is renamed, whatever cannot be decided.
    All,
    /// It keeps its names, whatever else has the same.
    None,
}

impl RenameWishes {
    /// What is wanted of a package; nothing if Weir is to decide.
    pub fn of(&self, package: &str) -> Option<RenameWish> {
        self.packages.get(package).copied().or(self.all)
    }
}

/// What an older manifest says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignManifest {
    /// The package's name, as it is written there.
    pub name: Option<String>,
    /// Its version, as it is written there.
    pub version: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// Its licence.
    pub license: Option<String>,
    /// Its authors.
    pub authors: Vec<String>,
    /// What the kind needs to know.
    pub bash: BashManifest,
    /// What it depends on.
    pub dependencies: Vec<GitRequirement>,
    /// What is wrong with the file, and what was made of it.
    pub warnings: Vec<String>,
}

/// Why a manifest cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is not in its format.
    #[error("`{file}` cannot be read: {reason}")]
    Syntax {
        /// Which file.
        file: &'static str,
        /// What the parser said.
        reason: String,
    },
    /// A field that does not exist.
    #[error("`{table}` has no field `{field}`{}", nearest.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default())]
    UnknownField {
        /// The table.
        table: &'static str,
        /// The field.
        field: String,
        /// The known field that is most like it.
        nearest: Option<&'static str>,
    },
    /// A field of the wrong type.
    #[error("`{field}` is not {expected}")]
    WrongType {
        /// The field.
        field: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A value that may not stand there.
    #[error("`{field}`: `{value}` {reason}")]
    BadValue {
        /// The field.
        field: String,
        /// The value, cut to a printable length.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl BashManifest {
    /// The variables that may be exported: checked here again, because a manifest may come from a record of a registry.
    pub(crate) fn safe_environment(
        environment: &BTreeMap<String, String>,
    ) -> impl Iterator<Item = (&String, &String)> {
        environment.iter().filter(|(name, _)| check_variable("environment", name).is_ok())
    }
}

impl ManifestError {
    fn bad(field: &str, value: &str, reason: &'static str) -> Self {
        let value = value.chars().filter(|c| !c.is_control()).take(80).collect();
        Self::BadValue { field: field.to_owned(), value, reason }
    }
}

/// Checks a slug: the letters, digits, `_` and `-` that names of functions begin with.
pub(crate) fn check_slug(slug: &str) -> Result<(), ManifestError> {
    let good = slug.len() <= 64
        && slug.starts_with(|c: char| c.is_ascii_alphabetic())
        && slug.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    good.then_some(()).ok_or_else(|| {
        ManifestError::bad("slug", slug, "is not a letter followed by letters, digits, `_` or `-`")
    })
}

/// Checks a path of a manifest: relative, and inside the package.
pub(crate) fn check_path(field: &str, path: &str) -> Result<String, ManifestError> {
    let trimmed = path.trim_start_matches("./").trim_end_matches('/');
    let trimmed = if trimmed.is_empty() && !path.is_empty() { "." } else { trimmed };
    if trimmed.is_empty() || trimmed.len() > 512 {
        return Err(ManifestError::bad(field, path, "is empty or too long"));
    }
    if trimmed.starts_with('/') || trimmed.split('/').any(|part| part == "..") {
        return Err(ManifestError::bad(field, path, "is not a path inside the package"));
    }
    if trimmed.chars().any(char::is_control) {
        return Err(ManifestError::bad(field, path, "holds a control character"));
    }
    Ok(trimmed.to_owned())
}

/// Checks the name of a variable that a package may set in the shell that loads it.
pub(crate) fn check_variable(field: &str, name: &str) -> Result<(), ManifestError> {
    let identifier = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !identifier {
        return Err(ManifestError::bad(field, name, "is not the name of a variable"));
    }
    if is_of_others(name) {
        return Err(ManifestError::bad(
            field,
            name,
            "may not be set by a package: the shell or other programs go by it",
        ));
    }
    Ok(())
}

/// Whether a variable is one that the shell, the system, Weir or other programs go by: a package that sets it would change what
/// those do, and some of them run what it says.
fn is_of_others(name: &str) -> bool {
    /// Of Weir, of what loads programs, of what fetches, and of what runs programs of other languages.
    const BEGINNINGS: &[&str] = &[
        "BASH_FUNC_",
        "CARGO_",
        "CURL_",
        "DBUS_",
        "DOCKER_",
        "DYLD_",
        "GCONV_",
        "GIT_",
        "GLIBC_",
        "GNUPGHOME",
        "GPG_",
        "JAVA_",
        "JDK_",
        "LD_",
        "LOCPATH",
        "LUA_",
        "MALLOC_",
        "NODE_",
        "NPM_",
        "OPENSSL_",
        "PERL5",
        "PERLLIB",
        "PYTHON",
        "RUBYLIB",
        "RUBYOPT",
        "RUSTC_",
        "RUSTFLAGS",
        "RUSTUP_",
        "SSH_",
        "SSL_",
        "SUDO_",
        "SYSTEMD_",
        "TAR_OPTIONS",
        "WEIR_",
        "WGETRC",
        "XDG_",
        "ZDOTDIR",
        "npm_",
        "_JAVA_",
    ];
    const ENDINGS: &[&str] = &["_ASKPASS", "_PROXY", "_proxy"];
    const PROGRAMS: &[&str] = &["BROWSER", "LESS", "LESSCLOSE", "LESSOPEN", "MANPAGER", "TEMP", "TMP"];
    crate::rename::is_of_the_shell(name)
        || PROGRAMS.contains(&name)
        || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Checks the value of a variable.
pub(crate) fn check_value(field: &str, value: &str) -> Result<(), ManifestError> {
    let good = value.len() <= 4096 && !value.contains('\0');
    good.then_some(()).ok_or_else(|| ManifestError::bad(field, value, "is too long, or holds a zero byte"))
}

/// Checks the name of a shell option.
pub(crate) fn check_option(field: &str, name: &str) -> Result<(), ManifestError> {
    let good = !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    good.then_some(()).ok_or_else(|| ManifestError::bad(field, name, "is not the name of a shell option"))
}

/// Checks a name in `keep` or `state`.
pub(crate) fn check_name(field: &str, name: &str) -> Result<(), ManifestError> {
    let good =
        !name.is_empty() && name.len() <= 256 && !name.chars().any(|c| c.is_control() || c.is_whitespace());
    good.then_some(())
        .ok_or_else(|| ManifestError::bad(field, name, "is not the name of a function or variable"))
}

#[cfg(test)]
mod tests;
