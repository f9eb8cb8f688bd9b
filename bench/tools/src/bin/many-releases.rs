//! Fills a registry's log with 20,000 packages of 10 versions, and writes a project whose closure in it
//! has 100 packages.
//!
//! ```text
//! many-releases REGISTRY KEY generic|elm PROJECT [PACKAGES VERSIONS]
//! ```
//!
//! Package `p` lies in layer `p / 2000` and needs two to four packages of the layer below, some of
//! them needed by very many. Each version bakes what was newest when it was published, but for three
//! in ten dependencies, which are fluid; kinds that do not bake (`elm`) have ranges alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use weir_bench::{Anything, Chance, append, record};
use weir_model::{Baked, Dependency, KindName, PackageName, Platform, Release, ReleaseId, Scope, Version};

const PACKAGES: u64 = 20_000;
const VERSIONS: u64 = 10;
const LAYER: u64 = 2_000;
const CLOSURE: usize = 100;

fn main() -> Result<(), Anything> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (registry, key, kind, project, packages, versions) = match arguments.as_slice() {
        [registry, key, kind, project] => (registry, key, kind, project, PACKAGES, VERSIONS),
        [registry, key, kind, project, packages, versions] => {
            (registry, key, kind, project, packages.parse()?, versions.parse()?)
        }
        _ => return Err("usage: many-releases REGISTRY KEY generic|elm PROJECT [PACKAGES VERSIONS]".into()),
    };
    let kind: KindName = kind.parse()?;
    let mut chance = Chance(7);
    let mut newest: BTreeMap<u64, Release> = BTreeMap::new();
    let mut log = Vec::new();
    // Version by version: a release bakes versions of its own age and older.
    for version in 1..=versions {
        for package in 0..packages {
            let release = release(package, version, kind, &newest, &mut chance)?;
            log.push(record(release.clone(), log.len() as u64, &mut chance)?);
            newest.insert(package, release);
        }
    }
    append(&PathBuf::from(registry), &PathBuf::from(key), &log)?;
    write_project(&PathBuf::from(project), &newest)
}

fn name(package: u64) -> Result<PackageName, Anything> {
    Ok(format!("owner-{}/widget-{package}", package % 500).parse()?)
}

fn release(
    package: u64,
    version: u64,
    kind: KindName,
    newest: &BTreeMap<u64, Release>,
    chance: &mut Chance,
) -> Result<Release, Anything> {
    let mut needs = Vec::new();
    if let Some(below) = (package / LAYER).checked_sub(1) {
        for which in 0..2 + package % 3 {
            let place = (package * 31 + which * 97) % if which == 0 { 50 } else { LAYER };
            if let Some(needed) = newest.get(&(below * LAYER + place)) {
                needs.push(need(needed, kind, chance)?);
            }
        }
    }
    needs.sort_by(|a, b| a.name.cmp(&b.name));
    needs.dedup_by(|a, b| a.name == b.name);
    let size = 2_000 + chance.below(60_000);
    let mut release = Release {
        id: ReleaseId {
            name: name(package)?,
            version: Version::new(1, version, 0),
            platform: Platform::any(),
            revision: 0,
        },
        kind,
        tree: chance.digest(),
        size,
        unpacked: size * 4 + chance.below(size),
        files: 3 + chance.below(60),
        input_digest: chance.digest(),
        dependencies: needs,
        references: Vec::new(),
        recipe: None,
        toolchain: None,
        license: Some("MIT".into()),
        description: Some(format!("Widget number {package}, for all that widgets are used for")),
        kind_facts: Default::default(),
    };
    release.input_digest = release.compute_input_digest();
    Ok(release)
}

fn need(needed: &Release, kind: KindName, chance: &mut Chance) -> Result<Dependency, Anything> {
    let id = needed.id.clone();
    let range = format!("^{}", id.version).parse()?;
    let fluid = chance.below(10) < 3 || !kind.bakes();
    let baked = Baked {
        version: id.version,
        platform: id.platform,
        revision: id.revision,
        input_digest: needed.input_digest,
    };
    Ok(Dependency { name: id.name, range, scope: Scope::Run, baked: (!fluid).then_some(baked) })
}

/// A project that needs packages of every layer, until as many names as wanted are reached.
fn write_project(project: &std::path::Path, newest: &BTreeMap<u64, Release>) -> Result<(), Anything> {
    let by_name: BTreeMap<&PackageName, &Release> =
        newest.values().map(|release| (&release.id.name, release)).collect();
    let mut chance = Chance(11);
    let (mut direct, mut reached) = (BTreeSet::new(), BTreeSet::new());
    while reached.len() < CLOSURE {
        let package = chance.below(PACKAGES / LAYER / 2) * LAYER + chance.below(LAYER);
        let Some(release) = newest.get(&package) else { continue };
        let mut more = BTreeSet::new();
        let mut open = vec![&release.id.name];
        while let Some(name) = open.pop() {
            if !reached.contains(name) && more.insert(name.clone()) {
                open.extend(by_name[name].dependencies.iter().map(|dependency| &dependency.name));
            }
        }
        if reached.len() + more.len() <= CLOSURE {
            direct.insert(release.id.name.clone());
            reached.extend(more);
        }
    }
    let needs: String = direct.iter().map(|name| format!("\"{name}\" = \"^1\"\n")).collect();
    fs_err::create_dir_all(project)?;
    fs_err::write(project.join("weir.toml"), format!("[package]\n\n[dependencies]\n{needs}"))?;
    Ok(())
}
