//! `elm.json` as the manifest of a project: what it asks for, and how it is written when something was chosen.

mod scaffold;
mod settle;

use std::collections::BTreeMap;

use weir_kind::{Chosen, KindError, NewManifest, OwnManifest, Said, Settled};
use weir_model::manifest::{Package as About, Requirement, Source};
use weir_model::{KindName, PackageName, Range, Scope, Version};

use crate::constraint::until_next_major;
use crate::elm_json::{ElmJson, FILE_NAME, Lines};
use crate::kind::compiler;

/// The compilers that there are; of the older ones, too, registries have packages (and of 0.16.1, which never came). One that comes later is
/// known as soon as an application names it.
const COMPILERS: [Version; 13] = [
    Version::new(0, 14, 0),
    Version::new(0, 14, 1),
    Version::new(0, 15, 0),
    Version::new(0, 15, 1),
    Version::new(0, 16, 0),
    Version::new(0, 16, 1),
    Version::new(0, 17, 0),
    Version::new(0, 17, 1),
    Version::new(0, 18, 0),
    Version::new(0, 19, 0),
    Version::new(0, 19, 1),
    Version::new(0, 19, 2),
    Version::new(0, 19, 3),
];

/// `elm.json` as a project's manifest.
#[derive(Debug)]
pub(crate) struct ElmManifest;

impl OwnManifest for ElmManifest {
    fn file(&self) -> &'static str {
        FILE_NAME
    }

    fn kind(&self) -> KindName {
        KindName::Elm
    }

    fn read(&self, text: &str) -> Result<Said, KindError> {
        let lines = &Lines::of(text);
        Ok(match parse(text)? {
            ElmJson::Package(package) => {
                let asked = [(package.dependencies, Scope::Run), (package.test_dependencies, Scope::Dev)];
                let dependencies = asked.into_iter().flat_map(|(asked, scope)| {
                    asked.into_iter().map(move |(name, range)| requirement(lines, name, range, scope))
                });
                let about = About {
                    name: Some(package.name),
                    version: Some(package.version),
                    license: Some(package.license),
                    description: Some(package.summary),
                    ..about()
                };
                let tools = BTreeMap::from([(compiler(), compilers(&package.elm_version))]);
                let dependencies = dependencies.collect();
                Said { package: about, dependencies, tools, ..Said::default() }
            }
            ElmJson::Application(application) => {
                let asked = [(&application.direct, Scope::Run), (&application.test_direct, Scope::Dev)];
                let dependencies = asked.into_iter().flat_map(|(asked, scope)| {
                    asked.iter().map(move |(name, version)| {
                        requirement(lines, name.clone(), Range::exact(version), scope)
                    })
                });
                let dependencies = dependencies.collect();
                let tools = BTreeMap::from([(compiler(), vec![application.elm_version])]);
                let mut pins = application.direct;
                pins.extend(application.indirect);
                pins.extend(application.test_direct);
                pins.extend(application.test_indirect);
                let implied = vec![json_for(lines, &pins)];
                Said { package: about(), dependencies, implied, pins, tools }
            }
        })
    }

    fn loosened(&self, version: &Version) -> Range {
        until_next_major(version)
    }

    fn settle(&self, text: &str, asked: &[Requirement], chosen: &[Chosen<'_>]) -> Result<Settled, KindError> {
        settle::settle(text, asked, chosen)
    }

    fn scaffold(&self, new: &About, tools: &BTreeMap<PackageName, Version>) -> NewManifest {
        scaffold::scaffold(new, tools.get(&compiler()))
    }
}

/// The package that the compiler wants in every application, whether it is used or not.
pub(crate) const JSON: &str = "elm/json";

/// It in any version that is compatible with the one that is there, or with the first. The one that is there is kept where it can be had.
fn json_for(lines: &Lines<'_>, pins: &BTreeMap<PackageName, Version>) -> Requirement {
    let name: PackageName = JSON.parse().expect("it is a name");
    let from = pins.get(&name).map_or(Version::new(1, 0, 0), |pin| Version::new(pin.major(), 0, 0));
    requirement(lines, name, until_next_major(&from), Scope::Run)
}

/// What is said of every one: what tools leave in its folder is no part of it.
fn about() -> About {
    let exclude = ["/elm-stuff/", "/node_modules/"].map(str::to_owned).into();
    About { kind: KindName::Elm, exclude, ..About::default() }
}

fn parse(text: &str) -> Result<ElmJson, KindError> {
    ElmJson::parse(text)
        .map_err(|error| KindError::BadFile { path: FILE_NAME.into(), reason: error.to_string() })
}

fn requirement(lines: &Lines<'_>, name: PackageName, range: Range, scope: Scope) -> Requirement {
    let line = lines.of_package(&name);
    Requirement { name, range, scope, fluid: false, registry: None, source: Source::Registry, line }
}

/// The compilers that a range accepts, and the one it begins with.
fn compilers(range: &Range) -> Vec<Version> {
    let first = range.intervals().into_iter().find_map(|(low, _)| match low {
        std::ops::Bound::Included(low) => Some(low.without_prerelease()),
        _ => None,
    });
    let mut all: Vec<Version> =
        COMPILERS.into_iter().chain(first).filter(|version| range.contains(version)).collect();
    all.sort_unstable();
    all.dedup();
    all
}
