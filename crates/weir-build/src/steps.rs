//! Which programs build a recipe, with which words, in which environment.
//!
//! A value of a recipe is always a whole word of a command, or the value of a variable: no shell reads it. Where
//! the program itself would expand it, as make does with `$`, it is escaped. Names are checked, because they stand
//! before a `=`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use weir_native::{PREFIX, Recipe, Settings, System, Variant};

use crate::room::Places;
use crate::source_copy::SOURCE_EPOCH;
use crate::wrappers;

/// Under this name what CMake is told lies in the recipe's place.
pub(crate) const CMAKE_CACHE: &str = "cache.cmake";

/// Under this name a recipe's script lies in the recipe's place.
pub(crate) const SCRIPT: &str = "build.sh";

/// Of a script's own variables, those that Weir gives it. They are no part of its environment, so that what it starts
/// does not have them.
const OF_SCRIPTS: &str = "PREFIX=$1 DESTDIR=$2 SYSROOT=$3 TOOLS=$4 VARIANT=$5 JOBS=$6; shift 6; . \"$0\"";

/// The flags of compilers that `configure` has defaults of its own for, and is told of by its environment.
const FLAGS: [&str; 2] = ["CFLAGS", "CXXFLAGS"];

/// What a build does, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The source is copied.
    Source,
    /// The recipe's patches are applied.
    Patch,
    /// The build system looks at what there is.
    Configure,
    /// It compiles.
    Build,
    /// It puts what is to be kept under the prefix.
    Install,
}

impl Phase {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Patch => "patch",
            Self::Configure => "configure",
            Self::Build => "build",
            Self::Install => "install",
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// One program that is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BuildCommand {
    pub(crate) phase: Phase,
    pub(crate) program: OsString,
    pub(crate) arguments: Vec<OsString>,
    /// The folder in which it starts.
    pub(crate) folder: String,
    pub(crate) environment: BTreeMap<String, String>,
}

/// A name in a recipe that cannot stand where it would.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot be a {what}: expected {expected}")]
pub struct NameProblem {
    /// The name.
    pub name: String,
    /// What it would be.
    pub what: &'static str,
    /// What is allowed.
    pub expected: &'static str,
}

/// What the steps of a variant depend on.
pub(crate) struct Circumstances<'a> {
    pub(crate) recipe: &'a Recipe,
    pub(crate) variant: Variant,
    pub(crate) settings: Settings,
    pub(crate) places: Places,
    /// The source's place on the machine.
    pub(crate) source: &'a Path,
    pub(crate) search_path: &'a str,
    pub(crate) has_ninja: bool,
    pub(crate) jobs: usize,
}

/// Checks the names in a recipe once more: it may have been made otherwise than by reading one.
pub(crate) fn check_names(recipe: &Recipe) -> Result<(), NameProblem> {
    recipe.variants.iter().try_for_each(|variant| check_settings(&recipe.system, &recipe.settings(*variant)))
}

fn check_settings(system: &System, settings: &Settings) -> Result<(), NameProblem> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    for (name, value) in &settings.environment {
        let first = name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
        if !(first && name.bytes().all(plain)) || value.contains('\0') {
            let expected = "letters, digits and `_`, and a value without a zero byte";
            return Err(NameProblem { name: shown(name), what: "variable of the environment", expected });
        }
    }
    for (name, value) in &settings.defines {
        let also: &[u8] = match system {
            // `NAME:TYPE`, and names of projects with a `+`.
            System::Cmake => b".-+/:",
            // `subproject:option`, and `b_lto`.
            System::Meson => b".-+:",
            System::Autotools => b"-",
            // A sign before the `=` would choose another assignment: `NAME!=command` runs a shell.
            System::Make { .. } | System::Script { .. } => b"",
        };
        let is_option = *system == System::Autotools && name.starts_with('-');
        let first =
            is_option || name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        if !(first && name.bytes().all(|byte| plain(byte) || also.contains(&byte))) || value.contains('\0') {
            let expected = "a name that its build system can be told, and a value without a zero byte";
            return Err(NameProblem { name: shown(name), what: "define", expected });
        }
    }
    Ok(())
}

fn shown(name: &str) -> String {
    name.chars().filter(|char| !char.is_control()).take(80).collect()
}

impl Circumstances<'_> {
    /// The steps that apply the recipe's patches, which lie in the recipe's place under these names.
    pub(crate) fn patches(&self, names: &[String]) -> Vec<BuildCommand> {
        let folder = self.places.source.clone();
        let patch = |name| {
            let file = format!("--input={}/{name}", self.places.recipe);
            let words = ["--strip=1", "--batch", "--forward", "--no-backup-if-mismatch", &file];
            self.step(Phase::Patch, "patch", words, folder.clone())
        };
        names.iter().map(patch).collect()
    }

    /// The steps that build what lies in the source's place, patched.
    pub(crate) fn steps(&self) -> Vec<BuildCommand> {
        match &self.recipe.system {
            System::Cmake => self.cmake(),
            System::Meson => self.meson(),
            System::Autotools => self.autotools(),
            System::Make { targets } => self.make(targets),
            System::Script { .. } => self.script(),
        }
    }

    /// The programs without which these steps cannot be.
    pub(crate) fn programs(&self) -> &'static [&'static str] {
        match self.recipe.system {
            System::Cmake if self.has_ninja => &["cmake"],
            System::Cmake => &["cmake", "make"],
            System::Meson => &["meson", "ninja"],
            System::Autotools | System::Make { .. } => &["make"],
            System::Script { .. } => &[],
        }
    }

    fn cmake(&self) -> Vec<BuildCommand> {
        let Places { build, recipe, .. } = &self.places;
        let generator = if self.has_ninja { "Ninja" } else { "Unix Makefiles" };
        let mut words = vec![
            "-S".to_owned(),
            self.folder(),
            "-B".into(),
            build.clone(),
            "-G".into(),
            generator.into(),
            // A file, because CMake tells which words of its command line a project has no use for: those are the
            // recipe's alone.
            "-C".into(),
            format!("{recipe}/{CMAKE_CACHE}"),
        ];
        words.extend(self.settings.defines.iter().map(|(name, value)| format!("-D{name}={value}")));
        vec![
            self.step(Phase::Configure, "cmake", words, build.clone()),
            self.step(
                Phase::Build,
                "cmake",
                ["--build", build, "--parallel", &self.jobs.to_string()],
                build.clone(),
            ),
            self.installing("cmake", ["--install", build], build.clone()),
        ]
    }

    /// What CMake is told beside the recipe's settings.
    pub(crate) fn cmake_cache(&self) -> String {
        let sysroot = &self.places.sysroot;
        let kind = match self.variant {
            Variant::Release => "Release",
            Variant::Debug => "Debug",
        };
        let all = [
            ("CMAKE_INSTALL_PREFIX", PREFIX),
            ("CMAKE_INSTALL_LIBDIR", "lib"),
            ("CMAKE_BUILD_TYPE", kind),
            ("CMAKE_PREFIX_PATH", sysroot),
            ("CMAKE_INSTALL_RPATH", "$ORIGIN/../lib"),
            // Neither what another build registered nor what a project would download.
            ("CMAKE_FIND_USE_PACKAGE_REGISTRY", "OFF"),
            ("CMAKE_FIND_USE_SYSTEM_PACKAGE_REGISTRY", "OFF"),
            ("CMAKE_EXPORT_NO_PACKAGE_REGISTRY", "ON"),
            ("FETCHCONTENT_FULLY_DISCONNECTED", "ON"),
            ("FETCHCONTENT_TRY_FIND_PACKAGE_MODE", "ALWAYS"),
        ];
        // A value between `[[` and `]]` stands for itself.
        all.map(|(name, value)| format!("set({name} [[{value}]] CACHE STRING \"\" FORCE)\n")).concat()
    }

    fn meson(&self) -> Vec<BuildCommand> {
        let Places { build, sysroot, .. } = &self.places;
        let mut words = vec![
            "setup".to_owned(),
            format!("--prefix={PREFIX}"),
            "--libdir=lib".into(),
            format!("--buildtype={}", self.variant),
            "--wrap-mode=nodownload".into(),
            format!("-Dcmake_prefix_path={sysroot}"),
        ];
        words.extend(self.settings.defines.iter().map(|(name, value)| format!("-D{name}={value}")));
        words.extend([build.clone(), self.folder()]);
        vec![
            self.step(Phase::Configure, "meson", words, build.clone()),
            self.step(Phase::Build, "ninja", ["-C", build, &format!("-j{}", self.jobs)], build.clone()),
            self.installing("meson", ["install", "--no-rebuild", "-C", build], build.clone()),
        ]
    }

    fn autotools(&self) -> Vec<BuildCommand> {
        let mut steps = Vec::new();
        let folder = self.folder();
        if !self.has("configure") {
            steps.push(self.step(Phase::Configure, "autoreconf", ["--force", "--install"], folder.clone()));
        }
        let mut words = vec![format!("--prefix={PREFIX}"), format!("--libdir={PREFIX}/lib")];
        words.extend(self.settings.defines.iter().map(|(name, value)| configure_word(name, value)));
        let mut configure =
            self.step(Phase::Configure, &format!("{folder}/configure"), words, folder.clone());
        for name in FLAGS {
            let ours = wrappers::optimisation(self.variant);
            let flags = configure.environment.entry(name.to_owned()).or_default();
            *flags = format!("{ours} {flags}").trim_end().to_owned();
        }
        steps.push(configure);
        steps.push(self.step(Phase::Build, "make", [format!("-j{}", self.jobs)], folder.clone()));
        let destination = self.places.destination.iter().map(|to| make_word("DESTDIR", to));
        let words = std::iter::once("install".to_owned()).chain(destination);
        steps.push(self.step(Phase::Install, "make", words, folder));
        steps
    }

    fn make(&self, targets: &[String]) -> Vec<BuildCommand> {
        // Later words win: a recipe can name another prefix for what has a name of its own for it.
        let mut variables = vec![format!("PREFIX={PREFIX}"), format!("prefix={PREFIX}")];
        variables.extend(self.places.destination.iter().map(|folder| make_word("DESTDIR", folder)));
        variables.extend(self.settings.defines.iter().map(|(name, value)| make_word(name, value)));
        let mut words = vec![format!("-j{}", self.jobs)];
        words.extend_from_slice(&variables);
        // After this, a name is a target even when it looks like an option.
        words.push("--".into());
        words.extend_from_slice(targets);
        variables.push("install".into());
        vec![
            self.step(Phase::Build, "make", words, self.folder()),
            self.step(Phase::Install, "make", variables, self.folder()),
        ]
    }

    fn script(&self) -> Vec<BuildCommand> {
        let Places { recipe, sysroot, tools, destination, .. } = &self.places;
        let path = format!("{recipe}/{SCRIPT}");
        let (destination, jobs) = (destination.as_deref().unwrap_or_default(), self.jobs.to_string());
        let values = [PREFIX, destination, sysroot, tools, self.variant.as_str(), &jobs];
        let words = ["-eu", "-c", OF_SCRIPTS, &path].into_iter().chain(values);
        let mut step = self.step(Phase::Build, "sh", words, self.folder());
        for (name, value) in &self.settings.defines {
            step.environment.insert(name.clone(), value.clone());
        }
        vec![step]
    }

    fn step<W: Into<OsString>>(
        &self,
        phase: Phase,
        program: &str,
        words: impl IntoIterator<Item = W>,
        folder: String,
    ) -> BuildCommand {
        let arguments = words.into_iter().map(Into::into).collect();
        BuildCommand { phase, program: program.into(), arguments, folder, environment: self.environment() }
    }

    /// A step that installs, by a program that is told by a variable where to, if that is not the prefix itself.
    fn installing<const N: usize>(&self, program: &str, words: [&str; N], folder: String) -> BuildCommand {
        let mut step = self.step(Phase::Install, program, words, folder);
        step.environment.extend(self.places.destination.iter().map(|to| ("DESTDIR".to_owned(), to.clone())));
        step
    }

    /// The folder that is built.
    fn folder(&self) -> String {
        let Places { source, .. } = &self.places;
        self.recipe.subfolder.as_ref().map_or_else(|| source.clone(), |sub| format!("{source}/{sub}"))
    }

    fn has(&self, file: &str) -> bool {
        let folder = self
            .recipe
            .subfolder
            .as_ref()
            .map_or_else(|| self.source.to_owned(), |sub| self.source.join(sub));
        folder.join(file).symlink_metadata().is_ok_and(|meta| meta.is_file())
    }

    /// What every program of a build has. Nothing in it is a name that a build system could have a meaning of its own
    /// for: what compilers and tools must know beyond it, their [wrappers] tell them.
    fn environment(&self) -> BTreeMap<String, String> {
        let temporary = &self.places.temporary;
        let all = [
            ("PATH", self.search_path.to_owned()),
            ("HOME", format!("{temporary}/home")),
            ("TMPDIR", temporary.clone()),
            ("LC_ALL", "C.UTF-8".into()),
            ("TZ", "UTC".into()),
            ("SOURCE_DATE_EPOCH", SOURCE_EPOCH.to_string()),
            ("ZERO_AR_DATE", "1".into()),
        ];
        let mut all: BTreeMap<_, _> = all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        all.extend(self.settings.environment.clone());
        all
    }
}

/// A word for `configure`: `--name=value` for an option, `NAME=value` for a variable, which is all in capitals.
fn configure_word(name: &str, value: &str) -> String {
    let is_variable = !name.bytes().any(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let dashes = if is_variable || name.starts_with('-') { "" } else { "--" };
    if value.is_empty() && !is_variable {
        format!("{dashes}{name}")
    } else {
        format!("{dashes}{name}={value}")
    }
}

/// A variable for make, which expands `$` and strips white space at the front of a value.
fn make_word(name: &str, value: &str) -> String {
    format!("{name}={}", value.replace('$', "$$"))
}

#[cfg(test)]
mod tests {
    use super::{configure_word, make_word};

    #[test]
    fn configure_is_told_options_and_variables() {
        assert_eq!(configure_word("disable-shared", ""), "--disable-shared");
        assert_eq!(configure_word("--with-ssl", "no"), "--with-ssl=no");
        assert_eq!(configure_word("LIBS", ""), "LIBS=");
    }

    #[test]
    fn make_expands_nothing_in_a_value() {
        assert_eq!(make_word("CC", "$(shell id)`id`"), "CC=$$(shell id)`id`");
    }
}
