//! Fills a registry's log with the packages of a Debian package list: names, versions, dependencies, descriptions.
//!
//! ```text
//! debian REGISTRY KEY LIST
//! ```
//!
//! The first release of a name counts. Upstream versions become three numbers; `(>= V)` becomes the range
//! `>=V` where the version that is there fits it, and everything else `*`. Of alternatives the first is taken.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use weir_bench::{Anything, Chance, append, record};
use weir_model::{Dependency, KindName, PackageName, Platform, Range, Release, ReleaseId, Scope, Version};

fn main() -> Result<(), Anything> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [registry, key, list] = arguments.as_slice() else {
        return Err("usage: debian REGISTRY KEY LIST".into());
    };
    let list = fs_err::read(list)?;
    let list = String::from_utf8_lossy(&list);
    let mut versions: BTreeMap<PackageName, Version> = BTreeMap::new();
    let mut paragraphs = Vec::new();
    for paragraph in list.split("\n\n") {
        let (Some(name), Some(version)) = (field(paragraph, "Package"), field(paragraph, "Version")) else {
            continue;
        };
        let Some(name) = package_name(name) else { continue };
        if versions.insert(name.clone(), numbers(version)).is_none() {
            paragraphs.push((name, paragraph));
        }
    }
    // Two names that a person could mistake for each other: the first has it.
    let mut seen = BTreeSet::new();
    paragraphs.retain(|(name, _)| seen.insert(name.confusable()));
    let mut chance = Chance(5);
    let mut log = Vec::new();
    for (name, paragraph) in paragraphs {
        let release = release(name, paragraph, &versions, &mut chance)?;
        log.push(record(release, log.len() as u64, &mut chance)?);
    }
    append(&PathBuf::from(registry), &PathBuf::from(key), &log)
}

fn field<'a>(paragraph: &'a str, name: &str) -> Option<&'a str> {
    paragraph.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn package_name(debian: &str) -> Option<PackageName> {
    let name: String = debian.split(':').next()?.replace('+', "x").chars().take(64).collect();
    format!("debian/{}", name.trim_end_matches('.')).parse().ok()
}

/// `1:2.36-9+deb12u7` is 2.36.0.
fn numbers(version: &str) -> Version {
    let upstream = version.split_once(':').map_or(version, |(_, upstream)| upstream);
    let mut parts = upstream
        .split(|c: char| !c.is_ascii_digit())
        .map(|digits| digits.parse::<u32>().map_or(0, u64::from));
    let mut part = || parts.next().unwrap_or(0);
    Version::new(part(), part(), part())
}

fn release(
    name: PackageName,
    paragraph: &str,
    versions: &BTreeMap<PackageName, Version>,
    chance: &mut Chance,
) -> Result<Release, Anything> {
    let mut needs: BTreeMap<PackageName, Range> = BTreeMap::new();
    for one in field(paragraph, "Depends").unwrap_or_default().split(',') {
        let mut words = one.split('|').next().unwrap_or_default().split_whitespace();
        let Some(needed) = words.next().and_then(package_name) else { continue };
        let least = words.next().filter(|word| *word == "(>=").and(words.next());
        let least: Option<Range> = match least {
            Some(least) => Some(format!(">={}", numbers(least.trim_end_matches(')'))).parse()?),
            None => None,
        };
        let fits = least.filter(|range| versions.get(&needed).is_none_or(|there| range.contains(there)));
        needs.insert(needed, fits.unwrap_or_else(Range::any));
    }
    let version = versions[&name].clone();
    let size = 2_000 + chance.below(60_000);
    let mut release = Release {
        id: ReleaseId { name, version, platform: Platform::any(), revision: 0 },
        kind: KindName::Generic,
        tree: chance.digest(),
        size,
        unpacked: size * 4,
        files: 3 + chance.below(60),
        input_digest: chance.digest(),
        dependencies: needs
            .into_iter()
            .map(|(name, range)| Dependency { name, range, scope: Scope::Run, baked: None })
            .collect(),
        references: Vec::new(),
        recipe: None,
        toolchain: None,
        license: None,
        description: field(paragraph, "Description").map(str::to_owned),
        kind_facts: Default::default(),
    };
    release.input_digest = release.compute_input_digest();
    Ok(release)
}
