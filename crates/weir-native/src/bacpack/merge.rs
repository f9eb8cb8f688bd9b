//! From the configs of one version of a package to one recipe.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use weir_model::manifest::{Requirement, Source};
use weir_model::{OwnerName, PackageName, Range, Scope};

use super::Pair;
use super::config::{Config, Wrong};
use crate::recipe::System;
use crate::{BuildLimits, Recipe, Settings, SourceSpec, Variant};

/// The recipe that builds what `pair` builds.
///
/// # Errors
///
/// When the release and the debug config do not build the same, with the file and the field that differs.
pub(crate) fn recipe(
    owner: &OwnerName,
    pair: &Pair,
    warnings: &mut Vec<String>,
) -> Result<Recipe, (PathBuf, Wrong)> {
    let first = pair.configs().next().expect("a pair holds at least one config");
    if let (Some(release), Some(debug)) = (&pair.release, &pair.debug) {
        agree(release, debug).map_err(|wrong| (debug.file.clone(), wrong))?;
    }
    let at = |wrong| (first.file.clone(), wrong);
    let mut of_variant: BTreeMap<Variant, Settings> =
        pair.configs().map(|config| (config.variant, own_settings(config, warnings))).collect();
    let common = take_common(&mut of_variant);
    of_variant.retain(|_, settings| !settings.is_empty());
    Ok(Recipe {
        name: package(owner, "Package.Name", &first.name).map_err(at)?,
        version: first.version.clone(),
        license: None,
        description: None,
        dependencies: dependencies(owner, pair, warnings).map_err(at)?,
        folder: first.file.parent().unwrap_or(Path::new("")).to_owned(),
        file: first.file.clone(),
        source: SourceSpec::Git {
            url: first.url.clone(),
            tag: first.revision.clone(),
            // The packager clones with `--recursive`.
            submodules: true,
        },
        subfolder: first.subfolder.clone(),
        patches: Vec::new(),
        system: first.system.clone(),
        defines: common.defines,
        environment: common.environment,
        variants: pair.variants().collect(),
        of_variant,
        tools: Vec::new(),
        system_libraries: Vec::new(),
        limits: BuildLimits::default(),
    })
}

/// One release holds both variants, so both are built from one source in one way.
fn agree(release: &Config, debug: &Config) -> Result<(), Wrong> {
    let differ = |field: &str, release: &str, debug: &str| {
        if release == debug {
            return Ok(());
        }
        let reason =
            format!("is `{debug}`, and in the release config `{release}`: both are one release here");
        Err(Wrong::new(field, reason))
    };
    differ("Git.URI", &release.url, &debug.url)?;
    differ("Git.Revision", &release.revision, &debug.revision)?;
    differ("Build", release.system.as_str(), debug.system.as_str())?;
    let folder = |config: &Config| config.subfolder.clone().unwrap_or_default();
    differ("Build.CMake.CMakeListDir", &folder(release), &folder(debug))
}

/// What a config sets, without a build type that is that of the variant anyway.
fn own_settings(config: &Config, warnings: &mut Vec<String>) -> Settings {
    let mut settings = config.settings.clone();
    let (name, usual) = match (&config.system, config.variant) {
        (System::Meson, variant) => ("buildtype", variant.as_str()),
        (_, Variant::Release) => ("CMAKE_BUILD_TYPE", "Release"),
        (_, Variant::Debug) => ("CMAKE_BUILD_TYPE", "Debug"),
    };
    match settings.defines.get(name) {
        Some(said) if said == usual => drop(settings.defines.remove(name)),
        Some(said) => warnings.push(format!(
            "`{}` builds the variant `{}` of `{}` with `{name}` = `{said}`",
            config.file.display(),
            config.variant,
            config.name
        )),
        None => {}
    }
    settings
}

/// Takes out what all variants set alike.
fn take_common(of_variant: &mut BTreeMap<Variant, Settings>) -> Settings {
    let mut common = of_variant.values().next().cloned().unwrap_or_default();
    for settings in of_variant.values() {
        common.defines.retain(|name, value| settings.defines.get(name) == Some(value));
        common.environment.retain(|name, value| settings.environment.get(name) == Some(value));
    }
    for settings in of_variant.values_mut() {
        settings.defines.retain(|name, _| !common.defines.contains_key(name));
        settings.environment.retain(|name, _| !common.environment.contains_key(name));
    }
    common
}

fn dependencies(
    owner: &OwnerName,
    pair: &Pair,
    warnings: &mut Vec<String>,
) -> Result<Vec<Requirement>, Wrong> {
    let mut needed: BTreeMap<&str, usize> = BTreeMap::new();
    for name in pair.configs().flat_map(|config| distinct(&config.depends_on)) {
        *needed.entry(name).or_default() += 1;
    }
    let configs = pair.configs().count();
    let mut requirements = Vec::new();
    for (name, times) in needed {
        if times < configs {
            let package = pair.configs().next().map_or("", |config| &config.name);
            warnings
                .push(format!("only one config of `{package}` depends on `{name}`: both variants do here"));
        }
        requirements.push(Requirement {
            name: package(owner, "DependsOn", name)?,
            range: Range::any(),
            scope: Scope::Run,
            fluid: false,
            registry: None,
            source: Source::Registry,
            line: 0,
        });
    }
    Ok(requirements)
}

fn distinct(names: &[String]) -> std::collections::BTreeSet<&str> {
    names.iter().map(String::as_str).collect()
}

fn package(owner: &OwnerName, field: &str, name: &str) -> Result<PackageName, Wrong> {
    format!("{owner}/{name}")
        .parse()
        .map_err(|error| Wrong::new(field, format!("cannot be taken over: {error}")))
}
