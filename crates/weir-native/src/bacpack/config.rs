//! One config: a build of one version of a package.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use weir_model::{Version, VersionError};

use super::json::Object;
use super::shell::expand;
use crate::recipe::{System, check};
use crate::{Settings, Variant};

const CONFIG: &[&str] = &["Env", "DependsOn", "Git", "Build", "Package", "DockerMatrix"];
const GIT: &[&str] = &["URI", "Revision"];
const BUILD: &[&str] = &["CMake", "Meson"];
const CMAKE: &[&str] = &["Defines", "CMakeListDir"];
const MESON: &[&str] = &["Options", "Defines"];
const PACKAGE: &[&str] = &["Name", "VersionTag", "PlatformString", "IsLibrary", "IsDevLib", "IsDebug"];
const PLATFORM: &[&str] = &["Mode", "String"];
const MATRIX: &[&str] = &["ImageNames"];

/// One config, checked.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) file: PathBuf,
    pub(crate) name: String,
    pub(crate) version: Version,
    pub(crate) variant: Variant,
    pub(crate) depends_on: Vec<String>,
    pub(crate) url: String,
    pub(crate) revision: String,
    pub(crate) system: System,
    pub(crate) subfolder: Option<String>,
    pub(crate) settings: Settings,
    pub(crate) images: Vec<String>,
    pub(crate) is_library: bool,
}

/// What is wrong with a field of a config.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// The field, with those around it.
    pub(crate) field: String,
    /// What is wrong with it; follows its name in a sentence.
    pub(crate) reason: String,
}

impl Wrong {
    pub(crate) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

impl Config {
    /// Reads a config, and checks all of it. What is ignored becomes a warning.
    pub(crate) fn read(file: &Path, text: &str, warnings: &mut Vec<String>) -> Result<Self, Wrong> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| Wrong::new("the config", format!("is not JSON: {error}")))?;
        let root = Object::root(&value)?;
        let mut reader = Reader { file, environment: BTreeMap::new(), warnings };
        reader.ignore(&root, CONFIG);
        let package = root.object("Package")?;
        reader.ignore(&package, PACKAGE);
        reader.platform(&package)?;
        let name = name(&package, file)?;
        reader.environment = environment(&root)?;
        let git = root.object("Git")?;
        reader.ignore(&git, GIT);
        let Build { system, subfolder, defines } = reader.build(&root)?;
        let variant = if package.flag("IsDebug")? { Variant::Debug } else { Variant::Release };
        let is_library = package.flag("IsLibrary")? | package.flag("IsDevLib")?;
        let matrix = root.object("DockerMatrix")?;
        reader.ignore(&matrix, MATRIX);
        Ok(Self {
            version: reader.version(&package)?,
            depends_on: bounded("DependsOn", root.strings("DependsOn")?)?,
            url: reader.address(&git)?,
            revision: reader.revision(&git, &name)?,
            images: matrix.strings("ImageNames")?,
            settings: Settings { defines, environment: reader.environment },
            file: file.to_owned(),
            name,
            variant,
            system,
            subfolder,
            is_library,
        })
    }

    /// Whether two configs differ in nothing but the images they are for.
    pub(crate) fn builds_the_same(&self, other: &Self) -> bool {
        self.depends_on == other.depends_on
            && self.url == other.url
            && self.revision == other.revision
            && self.system == other.system
            && self.subfolder == other.subfolder
            && self.settings == other.settings
    }
}

/// The group is the folder that the config is in.
fn name(package: &Object<'_>, file: &Path) -> Result<String, Wrong> {
    let name = package.string("Name")?;
    let group = file.parent().and_then(Path::file_name).unwrap_or_default();
    if name.is_empty() {
        return Err(Wrong::new("Package.Name", "is empty"));
    }
    if group != name {
        let shown = name.escape_debug();
        return Err(Wrong::new(
            "Package.Name",
            format!("is `{shown}`, and its folder is `{}`", group.display()),
        ));
    }
    Ok(name.to_owned())
}

fn environment(root: &Object<'_>) -> Result<BTreeMap<String, String>, Wrong> {
    let texts = root.texts("Env")?;
    too_many("Env", texts.len())?;
    let entries = texts.into_iter().map(|(name, value)| {
        let wrong = |reason: String| Wrong::new(format!("Env.{}", name.escape_debug()), reason);
        check::variable(name).map_err(|reason| wrong(format!("cannot be taken over: {reason}")))?;
        // They are exported in any order, so that none can count on another.
        let value = expand(value, &BTreeMap::new()).map_err(wrong)?;
        if let Some(other) = value.unset.first() {
            return Err(wrong(format!("holds `${other}`: write what it stands for")));
        }
        check::value(&value.text).map_err(|reason| wrong(format!("cannot be taken over: {reason}")))?;
        Ok((name.to_owned(), value.text))
    });
    entries.collect()
}

/// What builds it, and how.
struct Build {
    system: System,
    subfolder: Option<String>,
    defines: BTreeMap<String, String>,
}

/// Reads what depends on the environment of a config, or is worth a warning.
struct Reader<'r> {
    file: &'r Path,
    environment: BTreeMap<String, String>,
    warnings: &'r mut Vec<String>,
}

impl Reader<'_> {
    fn warn(&mut self, field: &str, what: &str) {
        self.warnings.push(format!("`{field}` in `{}` {what}", self.file.display()));
    }

    fn ignore(&mut self, object: &Object<'_>, known: &[&str]) {
        for field in object.unknown(known) {
            self.warn(&field.escape_debug().to_string(), "is not known: it is ignored");
        }
    }

    fn platform(&mut self, package: &Object<'_>) -> Result<(), Wrong> {
        let platform = package.object("PlatformString")?;
        self.ignore(&platform, PLATFORM);
        let mode = platform.string("Mode")?;
        if !matches!(mode, "" | "auto") {
            let what =
                format!("is `{}`: it is ignored, the build root gives the platform", mode.escape_debug());
            self.warn("Package.PlatformString.Mode", &what);
        }
        Ok(())
    }

    /// `v1.2.11`. What has fewer numbers gets zeros.
    fn version(&mut self, package: &Object<'_>) -> Result<Version, Wrong> {
        let tag = package.string("VersionTag")?;
        let wrong =
            |error: VersionError| Wrong::new("Package.VersionTag", format!("names no version: {error}"));
        match Version::from_tag(tag) {
            Ok(version) => Ok(version),
            Err(VersionError::Malformed { suggestion: Some(mended), .. }) => {
                self.warn(
                    "Package.VersionTag",
                    &format!("is `{}`: it is read as {mended}", tag.escape_debug()),
                );
                mended.parse().map_err(wrong)
            }
            Err(error) => Err(wrong(error)),
        }
    }

    fn address(&mut self, git: &Object<'_>) -> Result<String, Wrong> {
        let url = self.expanded("Git.URI", git.string("URI")?)?;
        let wrong = |reason: &str| Wrong::new("Git.URI", reason);
        check::git_address(&url).map_err(|reason| wrong(&format!("cannot be taken over: {reason}")))?;
        // It stands there without quotes.
        if url.contains(|c: char| c.is_whitespace() || "'|&;<>()*?[]{}!#~".contains(c)) {
            return Err(wrong("holds a sign that the shell would not leave as it is"));
        }
        // The recipe may be written elsewhere.
        if !url.contains(':') && !url.starts_with('/') {
            return Err(wrong("is neither an address nor an absolute path"));
        }
        Ok(url)
    }

    fn revision(&mut self, git: &Object<'_>, name: &str) -> Result<String, Wrong> {
        let mut revision = self.expanded("Git.Revision", git.string("Revision")?)?;
        check::tag(&revision)
            .map_err(|reason| Wrong::new("Git.Revision", format!("names no tag: {reason}")))?;
        let is_commit = revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_commit {
            // As git itself writes it, so that it is known for one.
            revision.make_ascii_lowercase();
        } else if !revision.contains(|c: char| c.is_ascii_digit()) {
            self.warnings.push(format!(
                "`{name}` is built from `{revision}`, which looks like a branch: Weir builds from tags and commits, which do not move"
            ));
        }
        Ok(revision)
    }

    fn expanded(&mut self, field: &str, value: &str) -> Result<String, Wrong> {
        let expanded = expand(value, &self.environment).map_err(|reason| Wrong::new(field, reason))?;
        for name in &expanded.unset {
            self.warn(
                field,
                &format!("names `${name}`, which `Env` does not set: nothing stands in its place"),
            );
        }
        Ok(expanded.text)
    }

    fn build(&mut self, root: &Object<'_>) -> Result<Build, Wrong> {
        let build = root.object("Build")?;
        self.ignore(&build, BUILD);
        let (cmake, meson) = (build.object("CMake")?, build.object("Meson")?);
        match (cmake.is_there(), meson.is_there()) {
            (true, false) => {
                self.ignore(&cmake, CMAKE);
                let subfolder = subfolder(cmake.string("CMakeListDir")?)?;
                let defines = self.defines(&System::Cmake, "Build.CMake.Defines", cmake.texts("Defines")?)?;
                Ok(Build { system: System::Cmake, subfolder, defines })
            }
            (false, true) => {
                self.ignore(&meson, MESON);
                let mut all = self.defines(&System::Meson, "Build.Meson.Defines", meson.texts("Defines")?)?;
                for (option, value) in meson.texts("Options")? {
                    let field = format!("Build.Meson.Options.{}", option.escape_debug());
                    let name = meson_option(option).ok_or_else(|| {
                        Wrong::new(&field, "is not an option of Meson that a project can be built with")
                    })?;
                    let own = self.defines(&System::Meson, "Build.Meson.Options", [(&*name, value)])?;
                    if own.keys().any(|name| all.contains_key(name)) {
                        return Err(Wrong::new(field, "is set in `Defines` too"));
                    }
                    all.extend(own);
                }
                Ok(Build { system: System::Meson, subfolder: None, defines: all })
            }
            (true, true) => Err(Wrong::new("Build", "names both `CMake` and `Meson`")),
            (false, false) => {
                Err(Wrong::new("Build", "names neither `CMake` nor `Meson`: nothing would be built"))
            }
        }
    }

    fn defines<'a>(
        &mut self,
        system: &System,
        field: &str,
        texts: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<BTreeMap<String, String>, Wrong> {
        let mut defines = BTreeMap::new();
        for (name, value) in texts {
            let field = format!("{field}.{}", name.escape_debug());
            let wrong = |reason: String| Wrong::new(&field, format!("cannot be taken over: {reason}"));
            check::define(system, name).map_err(wrong)?;
            let value = self.expanded(&field, value)?;
            check::value(&value).map_err(wrong)?;
            defines.insert(name.to_owned(), value);
            too_many(&field, defines.len())?;
        }
        Ok(defines)
    }
}

/// A folder below the source, however its path is written: `cmake/`, `/cmake`, `./`.
fn subfolder(text: &str) -> Result<Option<String>, Wrong> {
    let parts: Vec<_> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let path = parts.join("/");
    if path.is_empty() {
        return Ok(None);
    }
    check::inside(&path).map_err(|reason| {
        Wrong::new("Build.CMake.CMakeListDir", format!("cannot be taken over: {reason}"))
    })?;
    Ok(Some(path))
}

/// The name by which an option of the command line is set with `-D`. Source: Meson's "Built-in options".
fn meson_option(option: &str) -> Option<String> {
    const OPTIONS: &[&str] = &[
        "auto_features",
        "b_lto",
        "bindir",
        "build.pkg_config_path",
        "buildtype",
        "datadir",
        "debug",
        "default_both_libraries",
        "default_library",
        "errorlogs",
        "force_fallback_for",
        "includedir",
        "infodir",
        "layout",
        "libdir",
        "libexecdir",
        "licensedir",
        "localedir",
        "localstatedir",
        "mandir",
        "optimization",
        "pkg_config_path",
        "prefer_static",
        "sbindir",
        "sharedstatedir",
        "stdsplit",
        "strip",
        "sysconfdir",
        "unity",
        "unity_size",
        "warning_level",
        "werror",
        "wrap_mode",
    ];
    let name = match option {
        "warnlevel" => "warning_level".to_owned(),
        other => other.replace('-', "_"),
    };
    OPTIONS.contains(&&*name).then_some(name)
}

fn bounded(field: &str, list: Vec<String>) -> Result<Vec<String>, Wrong> {
    too_many(field, list.len())?;
    Ok(list)
}

fn too_many(field: &str, count: usize) -> Result<(), Wrong> {
    if count > check::MAX_ENTRIES {
        return Err(Wrong::new(field, format!("has more than {} entries", check::MAX_ENTRIES)));
    }
    Ok(())
}
