//! From what was chosen to the text of an `elm.json` that the compiler takes.

use std::collections::{BTreeMap, BTreeSet};

use weir_kind::{Chosen, KindError, Settled};
use weir_model::manifest::Requirement;
use weir_model::{KindName, PackageName, Range, Scope, Version};

use super::{JSON, parse};
use crate::constraint::written;
use crate::elm_json::{Application, ElmJson, Package};
use crate::kind::{ElmFacts, SOURCES_FOLDER, source_directory};

pub(super) fn settle(text: &str, asked: &[Requirement], chosen: &[Chosen<'_>]) -> Result<Settled, KindError> {
    let before = parse(text)?;
    let world = World::read(chosen)?;
    let (after, beside) = match before.clone() {
        ElmJson::Package(package) => {
            (ElmJson::Package(settle_package(package, asked, &world)?), BTreeSet::new())
        }
        ElmJson::Application(application) => {
            let (application, beside) = settle_application(application, asked, &world);
            (ElmJson::Application(application), beside)
        }
    };
    if has_core(&before) && !has_core(&after) {
        return Err(KindError::NotAllowed(format!(
            "every `elm.json` has `{CORE}`, or Elm's compiler refuses it: it stays"
        )));
    }
    let text = if after == before { text.to_owned() } else { after.to_text() };
    Ok(Settled { text, beside })
}

/// The package that everything in Elm imports from, said or not.
const CORE: &str = "elm/core";

fn has_core(said: &ElmJson) -> bool {
    let is_core = |name: &PackageName| name.as_str() == CORE;
    match said {
        ElmJson::Package(package) => package.dependencies.keys().any(is_core),
        ElmJson::Application(application) => application.direct.keys().any(is_core),
    }
}

/// What was chosen of Elm's packages, by name: there is one version of each.
struct World<'a> {
    packages: BTreeMap<&'a PackageName, (&'a Chosen<'a>, ElmFacts)>,
}

impl<'a> World<'a> {
    fn read(chosen: &'a [Chosen<'a>]) -> Result<Self, KindError> {
        let mut packages = BTreeMap::new();
        for one in chosen.iter().filter(|one| one.kind == KindName::Elm) {
            let facts = ElmFacts::read(one.facts)
                .map_err(|reason| KindError::NotAllowed(format!("`{}`: {reason}", one.id)))?;
            packages.insert(&one.id.name, (one, facts));
        }
        Ok(Self { packages })
    }

    fn is_source(&self, name: &PackageName) -> bool {
        self.packages.get(name).is_some_and(|(_, facts)| facts.is_source())
    }

    fn needs(&self, name: &PackageName) -> impl Iterator<Item = &'a PackageName> {
        let chosen = self.packages.get(name).map(|(chosen, _)| *chosen);
        chosen.into_iter().flat_map(|chosen| chosen.dependencies.iter().map(|id| &id.name))
    }

    /// What `names` come to for the compiler: packages that it is given as such, with those that are handed to it as folders of
    /// modules replaced by what these import from.
    fn as_packages(&self, names: impl IntoIterator<Item = &'a PackageName>) -> BTreeSet<&'a PackageName> {
        let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let mut pending: Vec<&PackageName> = names.into_iter().collect();
        while let Some(name) = pending.pop() {
            if !self.packages.contains_key(name) || !seen.insert(name) {
                continue;
            }
            if self.is_source(name) {
                pending.extend(self.needs(name));
            } else {
                found.insert(name);
            }
        }
        found
    }

    /// Everything below `names`, they themselves included.
    fn closure(&self, names: &BTreeSet<&'a PackageName>) -> BTreeSet<&'a PackageName> {
        let mut found = BTreeSet::new();
        let mut pending: Vec<&PackageName> = names.iter().copied().collect();
        while let Some(name) = pending.pop() {
            if self.packages.contains_key(name) && found.insert(name) {
                pending.extend(self.needs(name));
            }
        }
        found
    }

    fn pins<'n>(&self, names: impl IntoIterator<Item = &'n PackageName>) -> BTreeMap<PackageName, Version> {
        let version =
            |name: &PackageName| self.packages.get(name).map(|(chosen, _)| chosen.id.version.clone());
        names.into_iter().filter_map(|name| Some((name.clone(), version(name)?))).collect()
    }
}

fn settle_package(
    mut package: Package,
    asked: &[Requirement],
    world: &World<'_>,
) -> Result<Package, KindError> {
    if let Some((chosen, _)) = world.packages.values().find(|(_, facts)| facts.is_source()) {
        return Err(KindError::NotAllowed(format!(
            "`{}` has ports, or is a whole application: only an application can use it, and this is a package",
            chosen.id
        )));
    }
    let ranges = |scope: Scope, before: &BTreeMap<PackageName, Range>| {
        let asked = asked.iter().filter(|asked| (asked.scope == Scope::Dev) == (scope == Scope::Dev));
        asked
            .map(|asked| Ok((asked.name.clone(), range(asked, before.get(&asked.name))?)))
            .collect::<Result<_, KindError>>()
    };
    package.dependencies = ranges(Scope::Run, &package.dependencies)?;
    package.test_dependencies = ranges(Scope::Dev, &package.test_dependencies)?;
    Ok(package)
}

/// The range that is asked for in Elm's form; the one that is there if it is that.
fn range(asked: &Requirement, before: Option<&Range>) -> Result<Range, KindError> {
    if before == Some(&asked.range) {
        return Ok(asked.range.clone());
    }
    written(&asked.range).and_then(|text| text.parse().ok()).ok_or_else(|| {
        KindError::NotAllowed(format!(
            "`{}` is asked for as `{}`, which `elm.json` cannot say: it has ranges such as `1.0.0 <= v < 2.0.0`",
            asked.name, asked.range
        ))
    })
}

fn settle_application(
    mut application: Application,
    asked: &[Requirement],
    world: &World<'_>,
) -> (Application, BTreeSet<PackageName>) {
    let names = |is_dev: bool| {
        let asked = asked.iter().filter(move |asked| (asked.scope == Scope::Dev) == is_dev);
        asked
            .map(|asked| &asked.name)
            .filter_map(|name| world.packages.get_key_value(name))
            .map(|(name, _)| *name)
    };
    let beside = world.packages.iter().filter(|(_, (chosen, _))| chosen.beside).map(|(name, _)| *name);
    let direct = world.as_packages(names(false).chain(beside));
    let json = world.packages.keys().copied().filter(|name| name.as_str() == JSON);
    let all = world.closure(&direct.iter().copied().chain(json).collect());
    let test_direct: BTreeSet<&PackageName> = &world.as_packages(names(true)) - &all;
    let test_all = world.closure(&test_direct);
    let test_indirect = &(&test_all - &all) - &test_direct;
    application.direct = world.pins(direct.iter().copied());
    application.indirect = world.pins((&all - &direct).iter().copied());
    application.test_direct = world.pins(test_direct.iter().copied());
    application.test_indirect = world.pins(test_indirect.iter().copied());
    application.source_directories = source_directories(&application.source_directories, world);
    let cannot_ask = names(false).chain(names(true)).filter(|name| world.is_source(name));
    (application, cannot_ask.cloned().collect())
}

/// The project's own folders of modules, and after them those of packages that are handed to the compiler as such.
fn source_directories(before: &[String], world: &World<'_>) -> Vec<String> {
    let generated = format!("{SOURCES_FOLDER}/");
    let own = before.iter().filter(|folder| !folder.starts_with(&generated)).cloned();
    let sources = world.packages.iter().filter(|(_, (_, facts))| facts.is_source());
    let of_packages = sources
        .flat_map(|(name, (_, facts))| facts.sources.iter().map(|folder| source_directory(name, folder)));
    own.chain(of_packages).collect()
}
